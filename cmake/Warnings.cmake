# Warnings for our own code; an app that uses the installed headers is not held to them.
add_library(cppcorn_warnings INTERFACE)
option(CPPCORN_WERROR "Warnings are errors" ON)
target_compile_options(cppcorn_warnings INTERFACE -Wall -Wextra $<$<BOOL:${CPPCORN_WERROR}>:-Werror> -fvisibility=hidden)
# g++ 12 takes text + std::string for an overlapping copy when it optimises, and, with precompiled headers, for one of
# more than all of memory; fixed in 13.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(cppcorn_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
  if(CPPCORN_PRECOMPILE)
    target_compile_options(cppcorn_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-stringop-overflow>
      $<$<COMPILE_LANGUAGE:CXX>:-Wno-array-bounds>)
  endif()
endif()
