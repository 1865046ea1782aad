include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS cppcorn RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/cppcorn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cppcorn)
configure_package_config_file(cmake/cppcornConfig.cmake.in ${CMAKE_BINARY_DIR}/cppcornConfig.cmake
  INSTALL_DESTINATION ${config_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/cppcornConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/cppcornConfig.cmake ${CMAKE_BINARY_DIR}/cppcornConfigVersion.cmake
  cmake/CppcornApp.cmake cmake/cppcorn_app.map DESTINATION ${config_dir})
