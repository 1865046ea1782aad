# cppcorn_add_app(name source...)
#
# Builds an app module: name.so without "lib" in front, exporting nothing but its cppcorn_* functions. The version
# script matters: without it, the app's inline and template symbols would be shared with those of other apps and of the
# server's libraries, and dlclose would never unload it. Sources may be C or C++. Libraries that the app needs are added
# as to any target: target_link_libraries(name PRIVATE ...).
set(CPPCORN_APP_VERSION_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/cppcorn_app.map)
if(NOT DEFINED CPPCORN_APP_INCLUDE_DIR)
  get_filename_component(CPPCORN_APP_INCLUDE_DIR ${CMAKE_CURRENT_LIST_DIR}/../include ABSOLUTE)
endif()

function(cppcorn_add_app name)
  add_library(${name} MODULE ${ARGN})
  target_include_directories(${name} SYSTEM PRIVATE ${CPPCORN_APP_INCLUDE_DIR})
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("CXX" IN_LIST languages)
    target_compile_features(${name} PRIVATE cxx_std_20)
  endif()
  if("C" IN_LIST languages)
    target_compile_features(${name} PRIVATE c_std_11)
  endif()
  target_link_options(${name} PRIVATE LINKER:--version-script=${CPPCORN_APP_VERSION_SCRIPT})
  # A missing library shows when the app is built rather than when it is loaded. Not so with a sanitizer, whose own
  # functions may come from the executable.
  if(NOT "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize")
    target_link_options(${name} PRIVATE LINKER:--no-undefined)
  endif()
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS ${CPPCORN_APP_VERSION_SCRIPT})
endfunction()
