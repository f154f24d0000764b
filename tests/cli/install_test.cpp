#include <gtest/gtest.h>

#include "support/process.hpp"

/// What `cmake --install` puts down is enough for a program of a user's own.
namespace aetos::test {
namespace {

TEST(Install, AProgramIsBuiltAgainstTheInstalledLibrary) {
  const TemporaryFolder folder;
  const auto prefix = (folder.path() / "prefix").string(), mine = (folder.path() / "mine").string();
  const std::string cmake = std::string("'") + AETOS_CMAKE + "'";
  const auto installed = run_shell(cmake + " --install '" + AETOS_BUILD_DIR + "' --prefix '" + prefix +
                                   "' >'" + prefix + ".log'");
  ASSERT_EQ(installed.code, 0) << installed.output;

  std::filesystem::create_directories(mine);
  folder.write("mine/CMakeLists.txt",
               "cmake_minimum_required(VERSION 3.22)\n"
               "project(mine CXX)\n"  // no C: the package asks for it itself
               "find_package(aetos 0.1 REQUIRED)\n"
               "add_executable(mine mine.cpp)\n"
               "target_link_libraries(mine PRIVATE aetos::aetos)\n");
  // A kernel, a file on disk, and a room that hides PETSc, so that all that an archive needs must be found.
  folder.write("mine/mine.cpp", R"cpp(
#include <cstdio>
#include "aetos/core/units.hpp"
#include "aetos/core/version.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/pipeline/run.hpp"
    int main(int, char** argv) {
      const auto atoms = aetos::io::read_structure(argv[1]);
      std::printf("%s %zu atoms, %.3f pm, %d\n", aetos::kVersion, atoms.size(),
                  100 * aetos::electron_wavelength_A(300), &aetos::pipeline::run != nullptr);
    })cpp");
  const auto atoms = folder.write("two.xyz", "2\n\nZr 0 0 0\nO 0 0 2\n");
  const auto built =
      run_shell(cmake + " -S '" + mine + "' -B '" + mine + "/build' -DCMAKE_PREFIX_PATH='" + prefix +
                "' -DCMAKE_CXX_COMPILER='" + AETOS_CXX + "' && " + cmake + " --build '" + mine + "/build'");
  ASSERT_EQ(built.code, 0) << built.output;
  const auto said = run_shell("'" + mine + "/build/mine' '" + atoms + "'");
  EXPECT_EQ(said.code, 0);
  // The wavelength of 300 kV electrons is 1.969 pm (Reimer and Kohl, Transmission Electron Microscopy,
  // table 2.2).
  EXPECT_NE(said.output.find("2 atoms, 1.969 pm, 1"), std::string::npos) << said.output;

  const auto version = run_shell("'" + prefix + "/bin/aetos' --version");
  EXPECT_EQ(version.code, 0);
  EXPECT_NE(version.output.find(said.output.substr(0, said.output.find(' '))), std::string::npos)
      << version.output;
  EXPECT_TRUE(std::filesystem::exists(prefix + "/share/aetos/jobs/single_run.sbatch"));
}

}  // namespace
}  // namespace aetos::test
