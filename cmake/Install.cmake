include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS cppcorn RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# To be copied and adapted: each app has a service of its own.
install(DIRECTORY deploy/ DESTINATION ${CMAKE_INSTALL_DATADIR}/cppcorn)
install(DIRECTORY include/cppcorn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cppcorn)
configure_package_config_file(cmake/cppcornConfig.cmake.in ${CMAKE_BINARY_DIR}/cppcornConfig.cmake
  INSTALL_DESTINATION ${config_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/cppcornConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/cppcornConfig.cmake ${CMAKE_BINARY_DIR}/cppcornConfigVersion.cmake
  cmake/CppcornApp.cmake cmake/cppcorn_app.map DESTINATION ${config_dir})

# It finds its prefix from where it lies, so that the tree may be installed with --prefix and moved.
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH CPPCORN_PC_TO_PREFIX /prefix/${pkgconfig_dir} /prefix)
string(REGEX REPLACE "/$" "" CPPCORN_PC_TO_PREFIX ${CPPCORN_PC_TO_PREFIX})
configure_file(cmake/cppcorn.pc.in ${CMAKE_BINARY_DIR}/cppcorn.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/cppcorn.pc DESTINATION ${pkgconfig_dir})
