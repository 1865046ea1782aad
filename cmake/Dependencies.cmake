# script/bootstrap installs all of this, or says what it is called here: script/bootstrap --needs.
if((CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12) OR
   (CMAKE_CXX_COMPILER_ID STREQUAL Clang AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14))
  message(FATAL_ERROR "cppcorn needs g++ 12 or clang 14, or later; this is ${CMAKE_CXX_COMPILER} "
                      "${CMAKE_CXX_COMPILER_VERSION}. If there is another one: -DCMAKE_CXX_COMPILER=g++-12")
endif()
find_package(spdlog 1.10 REQUIRED)
# What a wheel needs, it brings. The sources include spdlog as they do for the shared library, so that they are compiled
# to the same.
option(CPPCORN_STATIC "Link spdlog, fmt and libstdc++ into what is built" OFF)
if(CPPCORN_STATIC)
  add_library(cppcorn_spdlog STATIC ${CMAKE_CURRENT_LIST_DIR}/static/spdlog.cpp)
  foreach(property IN ITEMS COMPILE_DEFINITIONS INCLUDE_DIRECTORIES)
    foreach(target IN ITEMS spdlog::spdlog fmt::fmt)
      list(APPEND spdlog_${property} $<TARGET_PROPERTY:${target},INTERFACE_${property}>)
    endforeach()
  endforeach()
  target_compile_definitions(cppcorn_spdlog PUBLIC ${spdlog_COMPILE_DEFINITIONS})
  target_include_directories(cppcorn_spdlog SYSTEM PUBLIC ${spdlog_INCLUDE_DIRECTORIES})
  target_link_libraries(cppcorn_spdlog PUBLIC Threads::Threads)
  set(CPPCORN_SPDLOG cppcorn_spdlog)
else()
  set(CPPCORN_SPDLOG spdlog::spdlog)
endif()
find_package(CLI11 2.1 REQUIRED)
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)  # headers only
find_path(NLOHMANN_JSON_INCLUDE_DIR nlohmann/json.hpp REQUIRED)  # the same
# cppcorn top looks for ncurses where it runs: a build takes its headers only, which the system's package has.
option(CPPCORN_TOP "Build cppcorn top, where the headers of ncurses are" ON)
if(CPPCORN_TOP)
  find_path(NCURSES_INCLUDE_DIR ncurses.h)
  if(NOT NCURSES_INCLUDE_DIR)
    message(STATUS "ncurses: no headers (Debian: libncurses-dev), so cppcorn top is not built")
  endif()
endif()
include(Llhttp)
