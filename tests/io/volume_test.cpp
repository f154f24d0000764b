#include <gtest/gtest.h>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/tilt_series.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::io {
namespace {

float voxel(std::size_t z, std::size_t y, std::size_t x) {
  return static_cast<float>(z * 10000 + y * 100) + static_cast<float>(x) / 7;
}

Array<float, 3> whole_volume(const std::array<std::size_t, 3>& shape) {
  Array<float, 3> v({shape[0], shape[1], shape[2]});
  for (std::size_t z = 0; z < shape[0]; ++z)
    for (std::size_t y = 0; y < shape[1]; ++y)
      for (std::size_t x = 0; x < shape[2]; ++x) v(z, y, x) = voxel(z, y, x);
  return v;
}

VolumeInfo example_info() {
  VolumeInfo info;
  info.shape = {9, 14, 11};
  info.voxel_A = 0.3434;
  info.reconstruction.numbers = {{"iterations", 200}, {"step", 2}};
  info.reconstruction.texts = {{"method", "resire"}};
  info.r_history = {0.9, 0.5, 0.25};
  info.r_per_projection = {0.25, 0.26};
  info.angles = {{0, -70, 0}, {1, 70, -2}};
  return info;
}

TEST(Volume, ReadsBackWhatWasWritten) {
  const Communicator comm(MPI_COMM_WORLD);
  const test::TemporaryFolder scratch;
  const VolumeInfo info = example_info();
  const auto volume = whole_volume(info.shape);
  const std::string path = scratch / "volume.h5";
  write_volume(comm, path, info, {}, {0, 14}, volume);
  EXPECT_FALSE(std::filesystem::exists(partial_name(path)));

  const VolumeInfo read = read_volume_info(path);
  EXPECT_EQ(read.shape, info.shape);
  EXPECT_EQ(read.voxel_A, info.voxel_A);
  EXPECT_EQ(read.reconstruction.numbers, info.reconstruction.numbers);
  EXPECT_EQ(read.reconstruction.texts, info.reconstruction.texts);
  EXPECT_EQ(read.r_history, info.r_history);
  EXPECT_EQ(read.r_per_projection, info.r_per_projection);
  EXPECT_EQ(read.angles, info.angles);

  const auto rows = read_volume_rows(path, {3, 8});
  ASSERT_EQ(rows.shape(), (Shape<3>{9, 5, 11}));
  for (std::size_t z = 0; z < 9; ++z)
    for (std::size_t y = 0; y < 5; ++y)
      for (std::size_t x = 0; x < 11; ++x) ASSERT_EQ(rows(z, y, x), voxel(z, y + 3, x));
  const auto planes = read_volume_planes(path, {4, 6});
  ASSERT_EQ(planes.shape(), (Shape<3>{2, 14, 11}));
  EXPECT_EQ(planes(1, 13, 10), voxel(5, 13, 10));
  EXPECT_THROW(read_volume_planes(path, {4, 10}), InputError);
  EXPECT_THROW(read_tilt_series_info(path), InputError);
}

TEST(Volume, SmallTransfersGiveTheSameData) {
  const Communicator comm(MPI_COMM_WORLD);
  const test::TemporaryFolder scratch;
  VolumeInfo info = example_info();
  info.shape = {600, 5, 64};  // more than one chunk along z
  const auto volume = whole_volume(info.shape);
  write_volume(comm, scratch / "a.h5", info, {}, {0, 5}, volume);
  write_volume(comm, scratch / "b.h5", info, {}, {0, 5}, volume, {true, 1u << 10});
  write_volume(comm, scratch / "c.h5", info, {}, {0, 5}, volume, {false, 1u << 18});
  for (const char* name : {"a.h5", "b.h5", "c.h5"}) {
    const auto read = read_volume_planes(scratch / name, {0, 600});
    EXPECT_TRUE(std::equal(read.begin(), read.end(), volume.begin())) << name;
  }
}

TEST(Volume, RowsWithoutAnOwnerAreNoticed) {
  const Communicator comm(MPI_COMM_WORLD);
  const test::TemporaryFolder scratch;
  const VolumeInfo info = example_info();
  const Array<float, 3> slab({9, 13, 11});
  EXPECT_THROW(write_volume(comm, scratch / "v.h5", info, {}, {0, 13}, slab), std::exception);
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Volume, AFolderThatIsMissingIsNamed) {
  const Communicator comm(MPI_COMM_WORLD);
  const test::TemporaryFolder scratch;
  const VolumeInfo info = example_info();
  try {
    write_volume(comm, scratch / "no/v.h5", info, {}, {0, 14}, whole_volume(info.shape));
    FAIL() << "no error";
  } catch (const ResourceError& e) {
    EXPECT_NE(std::string(e.what()).find("No such file or directory"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace aetos::io
