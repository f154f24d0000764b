#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <vector>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/hdf5_input.hpp"
#include "aetos/io/tilt_series.hpp"
#include "support/python.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::io {
namespace {

class DamagedHdf5 : public ::testing::Test {
 protected:
  DamagedHdf5() {
    const Communicator comm(MPI_COMM_WORLD);
    TiltSeriesInfo info;
    info.tilts = 3;
    info.ny = 20;
    info.nx = 30;
    info.angles = {{0, -1, 0}, {0, 0, 0}, {0, 1, 0}};
    info.signals = {"adf_clean"};
    Array<float, 3> images({3, 20, 30});
    for (std::size_t i = 0; i < images.size(); ++i)
      images.data()[i] = static_cast<float>((i * 2654435761u) % 1009);
    TiltSeriesWriter writer(comm, good_, info, {});
    writer.write("adf_clean", {0, 1, 2}, images);
    writer.commit();
  }
  /// The one line that reading everything of a file ends with.
  std::string error_of(const std::string& path) {
    try {
      read_tilt_series_images(path, "auto", {0, 3});
    } catch (const InputError& e) {
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << e.what();
      return e.what();
    }
    return {};
  }
  test::TemporaryFolder scratch_;
  std::string good_ = scratch_ / "good.h5";
};

TEST_F(DamagedHdf5, TruncatedEmptyAndForeignFiles) {
  const std::string whole = read_text_file(good_);
  const std::string bad = scratch_ / "bad.h5";
  for (double part : {0.001, 0.1, 0.5, 0.9, 0.999}) {
    write_file_atomically(
        bad, whole.substr(0, static_cast<std::size_t>(part * static_cast<double>(whole.size()))));
    EXPECT_FALSE(error_of(bad).empty()) << part;
  }
  write_file_atomically(bad, "");
  EXPECT_NE(error_of(bad).find("0 bytes"), std::string::npos);
  write_file_atomically(bad, "just text\nand more\n");
  EXPECT_NE(error_of(bad).find("not an HDF5 file"), std::string::npos);
  EXPECT_NE(error_of(scratch_ / "missing.h5").find("no such file"), std::string::npos);
  EXPECT_FALSE(error_of(scratch_.path()).empty());
}

/// The descriptors of texts (length, address of the heap, number of the object in it) that point to a heap.
std::vector<std::size_t> descriptors(const std::string& file, std::uint64_t heap) {
  const std::string_view address(reinterpret_cast<const char*>(&heap), sizeof heap);
  std::vector<std::size_t> found;
  for (std::size_t at = file.find(address, 4); at != std::string::npos; at = file.find(address, at + 1))
    found.push_back(at - 4);
  return found;
}

/// The bytes that hold the text of attributes, or say where it is: HDF5 1.10.8 itself reads outside its
/// memory (H5HG_read) when sizes or numbers are wrong there.
std::vector<bool> global_heaps(const std::string& file) {
  std::vector<bool> marked(file.size(), false);
  const auto mark = [&](std::size_t first, std::size_t count) {
    std::fill_n(marked.begin() + static_cast<std::ptrdiff_t>(first), std::min(count, file.size() - first),
                true);
  };
  for (std::size_t heap = file.find("GCOL"); heap != std::string::npos; heap = file.find("GCOL", heap + 1)) {
    mark(heap, 4096);
    for (const std::size_t at : descriptors(file, heap)) mark(at, 16);
  }
  return marked;
}

TEST_F(DamagedHdf5, ChangedBytesNeverCrash) {
  // Compressed data carry no checksum in HDF5 by default, so some changes go unseen; none may crash.
  const std::string whole = read_text_file(good_);
  const auto left_out = global_heaps(whole);
  std::size_t changes = 0;
  const std::string bad = scratch_ / "bad.h5";
  for (std::size_t i = 0; i < 100; ++i) {
    std::string changed = whole;
    const std::size_t at = (i * 2654435761u) % whole.size();
    if (left_out[at]) continue;
    ++changes;
    changed[at] = static_cast<char>(changed[at] ^ static_cast<char>(1 + i % 255));
    std::ofstream(bad, std::ios::binary | std::ios::trunc) << changed;
    try {
      (void)read_tilt_series_info(bad);
      (void)read_tilt_series_images(bad, "auto", {0, 3});
    } catch (const InputError&) {
    } catch (const ResourceError&) {
    }
  }
  EXPECT_GT(changes, 50u);
}

/// More of the stack than there is, as HDF5 takes along a forged list.
[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : recurse(depth - 1) + frame[0];
}

TEST_F(DamagedHdf5, ACrashWhileItIsReadNamesTheFile) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer reports crashes itself";
#endif
  const auto read_and = [&](auto crash) {
    hdf5::read_input(good_, [&](hid_t) {
      crash();
      return 0;
    });
  };
  const ::testing::ExitedWithCode bad_input(2);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGABRT})
    EXPECT_EXIT(read_and([=] { raise(number); }), bad_input, "^error: .*good.h5: the HDF5 file is damaged")
        << number;
  EXPECT_EXIT(read_and([] {
                const rlimit usual{8 << 20, RLIM_INFINITY};
                setrlimit(RLIMIT_STACK, &usual);
                recurse(1 << 20);
              }),
              bad_input, "good.h5: the HDF5 file is damaged");
  // The file that is read last, then the one that is still open, then none.
  const std::string second = scratch_ / "second.h5";
  EXPECT_EXIT(read_and([&] {
                const hdf5::CrashGuard guard(second);
                raise(SIGSEGV);
              }),
              bad_input, "second.h5: the HDF5 file is damaged");
  EXPECT_EXIT(read_and([&] {
                { const hdf5::CrashGuard guard(second); }
                raise(SIGSEGV);
              }),
              bad_input, "good.h5: the HDF5 file is damaged");
  EXPECT_EXIT(
      {
        signal(SIGSEGV, SIG_DFL);  // MPI's own handler talks much
        read_and([] {});
        raise(SIGSEGV);
      },
      ::testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(DamagedHdf5, AHeapOfTextsThatNeverEndsIsGivenUp) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer is too slow for limits of time";
#endif
  // What is free counts as an object of its own, here of no length: HDF5 1.10 steps over that for ever.
  std::string forged = read_text_file(good_);
  std::size_t object = forged.find("GCOL") + 16;
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, &forged.at(at), bytes);
    return value;
  };
  while (number(object, 2) != 0) object += 16 + (number(object + 8, 8) + 7) / 8 * 8;
  std::memset(&forged.at(object + 8), 0, 8);
  write_file_atomically(scratch_ / "forged.h5", forged);
  EXPECT_EXIT(
      {
        (void)error_of(scratch_ / "forged.h5");
        std::fputs("error: forged.h5: not damaged for this HDF5", stderr);
        std::_Exit(2);
      },
      ::testing::ExitedWithCode(2), "error: .*forged.h5: .*damaged");
}

TEST_F(DamagedHdf5, ATextThatIsLongerThanItsFileTakesNoMemory) {
  const std::string good = read_text_file(good_);
  const auto texts = descriptors(good, good.find("GCOL"));
  ASSERT_FALSE(texts.empty());
  const auto most_kib = [] {
    rusage use{};
    getrusage(RUSAGE_SELF, &use);
    return use.ru_maxrss;
  };
  const auto before_kib = most_kib();
  for (const std::size_t at : texts) {
    std::string forged = good;
    forged[at + 3] = 0x57;  // 1.4 GiB
    write_file_atomically(scratch_ / "forged.h5", forged);
    (void)error_of(scratch_ / "forged.h5");
  }
  EXPECT_LT(most_kib() - before_kib, 300 * 1024) << "KiB";
}

TEST_F(DamagedHdf5, ALongTextIsRead) {
  const std::string path = scratch_ / "long.h5", text(40 << 20, 'x');
  {
    const hdf5::File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    hdf5::write_attribute(file.get(), "text", text);
  }
  const auto read = hdf5::read_input(path, [](hid_t file) { return hdf5::read_text(file, "text"); });
  ASSERT_TRUE(read);
  EXPECT_TRUE(*read == text);
}

TEST_F(DamagedHdf5, AFileThatAnotherProgramWritesNamesTheLock) {
  if (!test::python_has("h5py")) GTEST_SKIP() << "python3-h5py is not installed";
  write_file_atomically(scratch_ / "hold.py", R"(
import sys, time
import h5py
f = h5py.File(sys.argv[1], 'r+')
open(sys.argv[2], 'w').close()
time.sleep(60)
)");
  const std::string ready = scratch_ / "ready", pid = scratch_ / "pid";
  std::system(("/usr/bin/python3 " + (scratch_ / "hold.py").string() + " " + good_ + " " + ready +
               " & echo $! > " + pid)
                  .c_str());
  for (int i = 0; i < 300 && !std::filesystem::exists(ready); ++i) std::system("sleep 0.1");
  ASSERT_TRUE(std::filesystem::exists(ready));
  try {
    (void)read_tilt_series_info(good_);
    ADD_FAILURE() << "no error";
  } catch (const ResourceError& e) {
    EXPECT_NE(std::string(e.what()).find("HDF5_USE_FILE_LOCKING"), std::string::npos) << e.what();
  }
  std::system(("kill $(cat " + pid + ")").c_str());
}

TEST_F(DamagedHdf5, AnUnknownFilterIsNamed) {
  if (!test::python_has("h5py")) GTEST_SKIP() << "python3-h5py is not installed";
  write_file_atomically(scratch_ / "filter.py", R"(
import sys
import h5py
f = h5py.File(sys.argv[1], 'w')
g = f.create_group('data/adf')
g.attrs['emd_group_type'] = 1
space = h5py.h5s.create_simple((3, 20, 30))
plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
plist.set_chunk((1, 20, 30))
plist.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))
h5py.h5d.create(g.id, b'data', h5py.h5t.IEEE_F32LE, space, plist)
)");
  const std::string path = scratch_ / "filter.h5";
  ASSERT_EQ(test::run_python(scratch_ / "filter.py", path), 0);
  EXPECT_NE(error_of(path).find("32001"), std::string::npos) << error_of(path);
}

TEST_F(DamagedHdf5, LinksInCirclesEnd) {
  {
    const hdf5::File file(H5Fopen(good_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    for (int i = 0; i < 12; ++i)
      H5Lcreate_hard(file.get(), "/", file.get(), ("loop" + std::to_string(i)).c_str(), H5P_DEFAULT,
                     H5P_DEFAULT);
  }
  EXPECT_EQ(read_tilt_series_info(good_).signals, std::vector<std::string>{"adf_clean"});
}

TEST_F(DamagedHdf5, OtherProgramsEmdFiles) {
  if (!test::python_has("h5py")) GTEST_SKIP() << "python3-h5py is not installed";
  write_file_atomically(scratch_ / "emd.py", R"(
import sys
import h5py
import numpy as np
f = h5py.File(sys.argv[1], 'w')
f.attrs['version_major'], f.attrs['version_minor'] = 0, 2
g = f.create_group('data/tomography')
g.attrs['emd_group_type'] = 1
g['data'] = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
for i, (name, units, values) in enumerate((('angles', '[rad]', [-np.pi / 2, np.pi / 4]), ('y', '[n_m]', [0, 0.05, 0.1]),
                                           ('x', b'[nm]', [0, 0.05, 0.1, 0.15]))):
    d = g.create_dataset('dim%d' % (i + 1), data=values)
    d.attrs['name'], d.attrs['units'] = name, units
)");
  const std::string path = scratch_ / "other.emd";
  ASSERT_EQ(test::run_python(scratch_ / "emd.py", path), 0);
  const TiltSeriesInfo info = read_tilt_series_info(path);
  EXPECT_EQ(info.signals, std::vector<std::string>{"tomography"});
  EXPECT_TRUE(info.is_counts);
  EXPECT_NEAR(*info.pixel_A, 0.5, 1e-12);
  ASSERT_EQ(info.angles.size(), 2u);
  EXPECT_NEAR(info.angles[1].theta_deg, 45, 1e-12);
  EXPECT_EQ(read_tilt_series_rows(path, "auto", {1, 2})(1, 0, 3), 19.0f);
}

}  // namespace
}  // namespace aetos::io
