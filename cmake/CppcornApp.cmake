# cppcorn::app
#
# What the sources of an app need: the headers, and C++20. cppcorn_add_app() links to it. Link it to whatever else uses
# them: a library of the app's, a unit test.
#
# cppcorn_add_app(name source...)
#
# Builds an app module: name.so without "lib" in front, exporting nothing but its cppcorn_* functions. The version
# script matters: without it, the app's inline and template symbols would be shared with those of other apps and of the
# server's libraries, and dlclose would never unload it. Sources may be C or C++. Libraries that the app needs are added
# as to any target: target_link_libraries(name PRIVATE ...).
#
# Where neither CMAKE_BUILD_TYPE nor the compiler's flags say how much to optimise, which is what CMake does by default,
# the module is built as for RelWithDebInfo.
if(NOT DEFINED CPPCORN_APP_INCLUDE_DIR)
  get_filename_component(CPPCORN_APP_INCLUDE_DIR ${CMAKE_CURRENT_LIST_DIR}/../include ABSOLUTE)
endif()

if(NOT TARGET cppcorn::app)
  add_library(cppcorn::app INTERFACE IMPORTED GLOBAL)
  # Imported, so the headers are the system's to the compiler, and give no warnings.
  set_target_properties(cppcorn::app PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${CPPCORN_APP_INCLUDE_DIR})
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("CXX" IN_LIST languages)
    set_property(TARGET cppcorn::app PROPERTY INTERFACE_COMPILE_FEATURES cxx_std_20)
  endif()
endif()

function(_cppcorn_optimise_by_default name)
  get_property(is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(is_multi_config OR CMAKE_BUILD_TYPE)
    return()
  endif()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  foreach(language IN ITEMS C CXX)
    if(language IN_LIST languages AND NOT " ${CMAKE_${language}_FLAGS}" MATCHES " -O")
      separate_arguments(flags UNIX_COMMAND "${CMAKE_${language}_FLAGS_RELWITHDEBINFO}")
      target_compile_options(${name} PRIVATE "$<$<COMPILE_LANGUAGE:${language}>:${flags}>")
    endif()
  endforeach()
endfunction()

function(cppcorn_add_app name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE cppcorn::app)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("CXX" IN_LIST languages)
    target_compile_features(${name} PRIVATE cxx_std_20)
  endif()
  if("C" IN_LIST languages)
    target_compile_features(${name} PRIVATE c_std_11)
  endif()
  _cppcorn_optimise_by_default(${name})
  set(version_script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/cppcorn_app.map)
  target_link_options(${name} PRIVATE LINKER:--version-script=${version_script})
  # A missing library shows when the app is built rather than when it is loaded. Not so with a sanitizer, whose own
  # functions may come from the executable.
  if(NOT "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize")
    target_link_options(${name} PRIVATE LINKER:--no-undefined)
  endif()
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS ${version_script})
endfunction()
