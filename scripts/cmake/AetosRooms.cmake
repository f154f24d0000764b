# One static library per room, linked only to rooms on floors below (docs/house.md). The linker thus enforces what
# tests/core/house_test.cpp checks on the includes.
find_program(GIT_EXECUTABLE git)
set(AETOS_GIT "unknown")
if(GIT_EXECUTABLE AND EXISTS ${CMAKE_SOURCE_DIR}/.git)
  execute_process(COMMAND ${GIT_EXECUTABLE} describe --always --abbrev=10 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                  OUTPUT_VARIABLE AETOS_GIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
configure_file(${CMAKE_SOURCE_DIR}/src/core/version.hpp.in ${CMAKE_BINARY_DIR}/generated/aetos/core/version.hpp @ONLY)

add_library(aetos_flags INTERFACE)
include(GNUInstallDirs)
target_include_directories(aetos_flags INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/generated>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(aetos_flags INTERFACE cxx_std_20)
target_compile_options(aetos_flags INTERFACE
  $<BUILD_INTERFACE:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wno-sign-conversion>
  $<BUILD_INTERFACE:$<$<BOOL:${AETOS_WERROR}>:-Werror>>
  # GCC 12's own headers for AVX-512 cause this warning where Eigen uses them (its bug 105593).
  $<BUILD_INTERFACE:$<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${AETOS_NATIVE}>>:-Wno-maybe-uninitialized>>
  # Vectors of 16 floats pass by memory without AVX-512, which GCC notes; no function that takes them is public.
  $<BUILD_INTERFACE:-Wno-psabi>
  $<BUILD_INTERFACE:-fno-math-errno>
  # Programs that use the library need it too: Eigen aligns its arrays by the processor.
  $<$<BOOL:${AETOS_NATIVE}>:-march=native>)
if(AETOS_SANITIZE)
  # GCC 12 sees uninitialised members in std::regex under the sanitizers that are not there (its bug 105562).
  target_compile_options(aetos_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(aetos_flags INTERFACE -fsanitize=address,undefined)
endif()

if(AETOS_FUZZ)
  target_compile_options(aetos_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
  target_link_options(aetos_flags INTERFACE -fsanitize=address,undefined)
endif()

set(AETOS_LIBRARIES aetos_flags)

function(aetos_room name)
  cmake_parse_arguments(ROOM "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(sources)
    add_library(aetos_${name} STATIC ${sources})
    target_link_libraries(aetos_${name} PUBLIC aetos_flags ${ROOM_LINK})
  else()
    add_library(aetos_${name} INTERFACE)
    target_link_libraries(aetos_${name} INTERFACE aetos_flags ${ROOM_LINK})
  endif()
  set_target_properties(aetos_${name} PROPERTIES EXPORT_NAME ${name})
  set(AETOS_LIBRARIES ${AETOS_LIBRARIES} aetos_${name} PARENT_SCOPE)
endfunction()

# Floor 0
aetos_room(core LINK Eigen3::Eigen fmt::fmt spdlog::spdlog aetos_fftw aetos_header_only Threads::Threads)
if(AETOS_FAULT_POINTS)
  target_compile_definitions(aetos_core PRIVATE AETOS_FAULT_POINTS)
endif()
# Floor 1
aetos_room(parallel LINK aetos_core aetos_fftw_mpi aetos_mpi nlohmann_json::nlohmann_json)
# Private: only rooms that call PETSc see its headers.
target_link_libraries(aetos_parallel PRIVATE PkgConfig::PETSC)
aetos_room(io LINK aetos_core aetos_parallel aetos_hdf5 yaml-cpp PNG::PNG ZLIB::ZLIB TIFF::TIFF OpenSSL::Crypto
                   nlohmann_json::nlohmann_json)
# Floor 2
aetos_room(atoms LINK aetos_core)
aetos_room(multislice LINK aetos_core)
aetos_room(imaging LINK aetos_core)
aetos_room(tomography LINK aetos_core)
# Lets floor and conversions be vectorised; nothing here reads the floating-point exceptions.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/tomography/row_kernels.cpp PROPERTIES COMPILE_OPTIONS -fno-trapping-math)
# Floor 3
aetos_room(config LINK aetos_atoms aetos_multislice aetos_imaging aetos_tomography aetos_io)
# Floor 4
aetos_room(simulation LINK aetos_config aetos_parallel)
aetos_room(preprocessing LINK aetos_config aetos_parallel)
aetos_room(reconstruction LINK aetos_config aetos_parallel PkgConfig::PETSC)
aetos_room(tracing LINK aetos_config aetos_parallel PkgConfig::PETSC)
aetos_room(analysis LINK aetos_config aetos_parallel)
# CGAL is headers only; private, so that the rounding mode it asks the compiler for stays in this room.
target_link_libraries(aetos_analysis PRIVATE CGAL::CGAL)
# Floor 5
aetos_room(pipeline LINK aetos_simulation aetos_preprocessing aetos_reconstruction aetos_tracing aetos_analysis)
# Floor 6
aetos_room(cli LINK aetos_pipeline Boost::program_options)
