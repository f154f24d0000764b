# Finds every library the standard way (module, package config, pkg-config, find_library); nothing of Debian is
# assumed. Each becomes one imported target that the rooms link. find_package(aetos) includes this file again, so that
# an installed library finds its dependencies where they are then.
find_package(MPI REQUIRED COMPONENTS C CXX)
set(HDF5_PREFER_PARALLEL ON)
find_package(HDF5 COMPONENTS C)
if(NOT HDF5_FOUND)
  # HDF5's own compiler wrapper fails where the path of the build has a space in it; its package file does not.
  find_package(PkgConfig REQUIRED)
  pkg_search_module(HDF5_MPI REQUIRED hdf5-openmpi hdf5-mpich hdf5-mpi)
  set(HDF5_C_INCLUDE_DIRS ${HDF5_MPI_INCLUDE_DIRS})
  set(HDF5_C_LIBRARIES ${HDF5_MPI_LINK_LIBRARIES})
  set(HDF5_IS_PARALLEL TRUE)
endif()
if(NOT HDF5_IS_PARALLEL)
  message(FATAL_ERROR "AETOS needs a parallel HDF5 (found a serial one at ${HDF5_INCLUDE_DIRS}). "
                      "Debian: libhdf5-openmpi-dev; elsewhere set HDF5_ROOT.")
endif()
find_package(Boost 1.71 REQUIRED COMPONENTS program_options)
find_package(Eigen3 3.3 REQUIRED NO_MODULE)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
set(CGAL_DO_NOT_WARN_ABOUT_CMAKE_BUILD_TYPE TRUE)
find_package(CGAL REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(PNG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(TIFF REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PETSC REQUIRED IMPORTED_TARGET PETSc)

# FFTW's MPI part ships no package file on most systems, so all parts are found by hand.
find_path(FFTW_INCLUDE_DIR fftw3.h REQUIRED)
find_library(FFTW_FLOAT_LIBRARY fftw3f REQUIRED)
find_library(FFTW_DOUBLE_LIBRARY fftw3 REQUIRED)
find_library(FFTW_FLOAT_MPI_LIBRARY fftw3f_mpi REQUIRED)

add_library(aetos_mpi INTERFACE IMPORTED GLOBAL)
target_link_libraries(aetos_mpi INTERFACE MPI::MPI_C)
# The C++ bindings of old MPI headers are neither used nor free of warnings.
target_compile_definitions(aetos_mpi INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)

add_library(aetos_hdf5 INTERFACE IMPORTED GLOBAL)
target_include_directories(aetos_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(aetos_hdf5 INTERFACE ${HDF5_C_LIBRARIES} aetos_mpi)

add_library(aetos_fftw INTERFACE IMPORTED GLOBAL)
target_include_directories(aetos_fftw SYSTEM INTERFACE ${FFTW_INCLUDE_DIR})
target_link_libraries(aetos_fftw INTERFACE ${FFTW_FLOAT_LIBRARY} ${FFTW_DOUBLE_LIBRARY} m)

# Before FFTW itself, whose transforms it calls.
add_library(aetos_fftw_mpi INTERFACE IMPORTED GLOBAL)
target_link_libraries(aetos_fftw_mpi INTERFACE ${FFTW_FLOAT_MPI_LIBRARY} aetos_fftw aetos_mpi)

find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)
find_path(NANOFLANN_INCLUDE_DIR nanoflann.hpp REQUIRED)

add_library(aetos_header_only INTERFACE IMPORTED GLOBAL)
target_include_directories(aetos_header_only SYSTEM INTERFACE ${RANDOM123_INCLUDE_DIR} ${NANOFLANN_INCLUDE_DIR})
