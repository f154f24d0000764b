# `cmake --install`: the program, and the rooms as libraries for find_package(aetos): link aetos::aetos, or the rooms that
# are needed (aetos::multislice).
include(CMakePackageConfigHelpers)

add_library(aetos_all INTERFACE)
target_link_libraries(aetos_all INTERFACE aetos_pipeline)
set_target_properties(aetos_all PROPERTIES EXPORT_NAME aetos)
set_target_properties(aetos_flags PROPERTIES EXPORT_NAME flags)

set(AETOS_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/aetos)
install(TARGETS aetos RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ${AETOS_LIBRARIES} aetos_all EXPORT aetosTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT aetosTargets NAMESPACE aetos:: DESTINATION ${AETOS_CMAKE_DIR})
install(DIRECTORY include/aetos DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/generated/aetos/core/version.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/aetos/core)
install(DIRECTORY configs jobs DESTINATION ${CMAKE_INSTALL_DATADIR}/aetos USE_SOURCE_PERMISSIONS)

configure_package_config_file(scripts/cmake/aetosConfig.cmake.in ${CMAKE_BINARY_DIR}/aetosConfig.cmake
                              INSTALL_DESTINATION ${AETOS_CMAKE_DIR})
# Before 1.0 a minor version may change what headers say.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/aetosConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/aetosConfig.cmake ${CMAKE_BINARY_DIR}/aetosConfigVersion.cmake
              scripts/cmake/AetosDependencies.cmake DESTINATION ${AETOS_CMAKE_DIR})
