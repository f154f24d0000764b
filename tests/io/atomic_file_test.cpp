#include "aetos/io/atomic_file.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "aetos/core/error.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::io {
namespace {

namespace fs = std::filesystem;

TEST(AtomicFile, WritesAndReplacesAWholeFile) {
  const test::TemporaryFolder scratch;
  const fs::path file = scratch / "a.txt";
  write_file_atomically(file, "first\n");
  write_file_atomically(file, "second\n");
  EXPECT_EQ(read_text_file(file), "second\n");
  EXPECT_FALSE(fs::exists(partial_name(file)));
}

TEST(AtomicFile, FollowsASymbolicLink) {
  const test::TemporaryFolder scratch;
  fs::create_directory(scratch / "elsewhere");
  fs::create_symlink("elsewhere/real.txt", scratch / "link.txt");
  write_file_atomically(scratch / "link.txt", "x");
  EXPECT_TRUE(fs::is_symlink(scratch / "link.txt"));
  EXPECT_EQ(read_text_file(scratch / "elsewhere/real.txt"), "x");
}

TEST(AtomicFile, AViewerKeepsItsCopyWhileTheFileIsReplaced) {
  const test::TemporaryFolder scratch;
  write_file_atomically(scratch / "a", "old");
  std::ifstream viewer(scratch / "a");
  write_file_atomically(scratch / "a", "new");
  std::string seen;
  viewer >> seen;
  EXPECT_EQ(seen, "old");
}

TEST(AtomicFile, NamesFileAndCauseWhenItCannotWrite) {
  const test::TemporaryFolder scratch;
  try {
    write_file_atomically(scratch / "missing" / "a", "x");
    FAIL() << "no error";
  } catch (const ResourceError& e) {
    EXPECT_NE(std::string(e.what()).find("missing/a"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("No such file"), std::string::npos) << e.what();
  }
  EXPECT_THROW(read_text_file(scratch / "nothing"), InputError);
  EXPECT_THROW(read_text_file(scratch.path()), InputError);
}

TEST(AtomicFile, Sha256OfTheStandardsTestVector) {
  // FIPS 180-2, appendix B.1.
  const char* abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(sha256_hex("abc"), abc);
  const test::TemporaryFolder scratch;
  write_file_atomically(scratch / "abc", "abc");
  EXPECT_EQ(sha256_hex_of_file(scratch / "abc"), abc);
}

}  // namespace
}  // namespace aetos::io
