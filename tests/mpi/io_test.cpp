#include <gtest/gtest.h>

#include <mpi.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>

#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"
#include "aetos/io/hdf5.hpp"
#include "aetos/io/tilt_series.hpp"
#include "support/ranks.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::io {
namespace {

/// A folder that the root makes and every rank of a communicator knows.
class SharedFolder {
 public:
  explicit SharedFolder(const Communicator& comm) : comm_(comm) {
    if (comm.is_root()) folder_.emplace();
    path_ = comm.broadcast_string(folder_ ? folder_->path().string() : "");
  }
  ~SharedFolder() { comm_.barrier(); }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  const Communicator& comm_;
  std::optional<test::TemporaryFolder> folder_;
  std::filesystem::path path_;
};

std::size_t rank_of(const Communicator& comm) {
  return static_cast<std::size_t>(comm.rank());
}
std::size_t size_of(const Communicator& comm) {
  return static_cast<std::size_t>(comm.size());
}

/// A value that differs at every place and does not compress to nothing.
float value_at(std::size_t a, std::size_t b, std::size_t c) {
  return static_cast<float>((a * 7919 + b * 104729 + c * 1299709) % 1000003);
}

TiltSeriesInfo series(std::size_t tilts, std::size_t ny, std::size_t nx) {
  TiltSeriesInfo info;
  info.tilts = tilts;
  info.ny = ny;
  info.nx = nx;
  info.pixel_A = 0.5;
  for (std::size_t t = 0; t < tilts; ++t) info.angles.push_back({0, static_cast<double>(t), 0});
  info.signals = {"adf_clean", "adf_noisy"};
  return info;
}

Array<float, 3> images(const TiltSeriesInfo& info, const std::vector<std::size_t>& projections,
                       std::size_t signal) {
  Array<float, 3> out({projections.size(), info.ny, info.nx});
  for (std::size_t i = 0; i < projections.size(); ++i)
    for (std::size_t y = 0; y < info.ny; ++y)
      for (std::size_t x = 0; x < info.nx; ++x) out(i, y, x) = value_at(projections[i] * 2 + signal, y, x);
  return out;
}

/// Every projection belongs to one rank; `owner` says to which.
void write_series(const Communicator& comm, const std::filesystem::path& path, const TiltSeriesInfo& info,
                  const std::function<std::size_t(std::size_t)>& owner, const WriteOptions& options = {}) {
  std::vector<std::size_t> mine;
  for (std::size_t t = 0; t < info.tilts; ++t)
    if (owner(t) == rank_of(comm)) mine.push_back(t);
  TiltSeriesWriter writer(comm, path, info, {"1", "c", "seed: 1\n", "f", 1}, options);
  for (std::size_t s = 0; s < info.signals.size(); ++s)
    writer.write(info.signals[s], mine, images(info, mine, s));
  writer.commit();
}

void expect_series(const std::filesystem::path& path, const TiltSeriesInfo& info) {
  for (std::size_t s = 0; s < info.signals.size(); ++s) {
    const auto all = read_tilt_series_images(path, info.signals[s], {0, info.tilts});
    std::size_t wrong = 0;
    for (std::size_t t = 0; t < info.tilts; ++t)
      for (std::size_t y = 0; y < info.ny; ++y)
        for (std::size_t x = 0; x < info.nx; ++x) wrong += all(t, y, x) != value_at(t * 2 + s, y, x);
    EXPECT_EQ(wrong, 0u) << info.signals[s];
  }
}

void expect_right_series_on(const Communicator& comm) {
  const SharedFolder folder(comm);
  const TiltSeriesInfo info = series(7, 20, 33);
  const std::size_t n = size_of(comm);
  write_series(comm, folder / "dealt.h5", info, [&](std::size_t t) { return t % n; });
  expect_series(folder / "dealt.h5", info);
  // The first and the last rank have nothing.
  write_series(comm, folder / "idle.h5", info, [&](std::size_t) { return n / 2; });
  expect_series(folder / "idle.h5", info);
}

TEST(ParallelTiltSeries, RightOnOneRank) {
  AETOS_RANKS(comm, 1);
  expect_right_series_on(comm);
}
TEST(ParallelTiltSeries, RightOnTwoRanks) {
  AETOS_RANKS(comm, 2);
  expect_right_series_on(comm);
}
TEST(ParallelTiltSeries, RightOnThreeRanks) {
  AETOS_RANKS(comm, 3);
  expect_right_series_on(comm);
}
TEST(ParallelTiltSeries, RightOnFourRanks) {
  AETOS_RANKS(comm, 4);
  expect_right_series_on(comm);
}

TEST(ParallelTiltSeries, SmallTransfersGiveTheSameData) {
  AETOS_RANKS(comm, 3);
  const SharedFolder folder(comm);
  const TiltSeriesInfo info = series(9, 200, 300);
  // Limits of 1 MiB (four images) and of less than an image.
  for (std::size_t limit : {std::size_t{1} << 20, std::size_t{1000}})
    for (bool compress : {true, false}) {
      write_series(comm, folder / "a.h5", info, [](std::size_t t) { return t < 8 ? 0 : 2; },
                   {compress, limit});
      expect_series(folder / "a.h5", info);
    }
}

TEST(ParallelTiltSeries, HintsReachMpiAndChangeNoValue) {
  AETOS_RANKS(comm, 4);
  const SharedFolder folder(comm);
  const Communicator hinted = comm.with_file_hints({{"cb_nodes", "2"}, {"cb_buffer_size", "1048576"}});
  {
    const auto file = hdf5::create_parallel(hinted.split(0), folder / "hints.h5", 0);
    // A number of aggregators reaches ROMIO alone: OMPIO writes wrong files with it.
    const char* io = std::getenv("OMPI_MCA_io");
    EXPECT_EQ(hdf5::hint_in_use(file.get(), "cb_nodes") == "2", io != nullptr && std::string(io) == "romio321");
    EXPECT_EQ(hdf5::hint_in_use(file.get(), "cb_buffer_size"), "1048576");
    const auto plain = hdf5::create_parallel(comm, folder / "plain.h5", 0);
    EXPECT_NE(hdf5::hint_in_use(plain.get(), "cb_buffer_size"), "1048576");
  }
  const TiltSeriesInfo info = series(9, 200, 300);
  for (int i = 0; i < 8; ++i) {
    write_series(hinted, folder / "a.h5", info, [](std::size_t t) { return t % 4; });
    expect_series(folder / "a.h5", info);
  }
}

TEST(ParallelTiltSeries, AFileOnAGridOfRanksIsRight) {
  AETOS_RANKS(comm, 4);
  const int dimensions[2] = {2, 2}, periodic[2] = {0, 0};
  MPI_Comm grid = MPI_COMM_NULL;
  MPI_Cart_create(comm.handle(), 2, dimensions, periodic, 0, &grid);
  {
    const Communicator plain(grid);
    int topology = MPI_UNDEFINED;
    MPI_Topo_test(plain.handle(), &topology);
    EXPECT_EQ(topology, MPI_UNDEFINED);
    const SharedFolder folder(plain);
    const TiltSeriesInfo info = series(11, 31, 17);
    for (bool compress : {false, true}) {
      write_series(plain, folder / "a.h5", info, [](std::size_t t) { return t % 4; }, {compress});
      expect_series(folder / "a.h5", info);
    }
  }
  MPI_Comm_free(&grid);
}

TEST(ParallelTiltSeries, OtherValuesOnOneRankAreNoticed) {
  AETOS_RANKS(comm, 3);
  const SharedFolder folder(comm);
  TiltSeriesInfo info = series(3, 4, 5);
  if (comm.rank() == 1) info.microscope.numbers["voltage_kV"] = 299;
  EXPECT_THROW(TiltSeriesWriter(comm, folder / "a.h5", info, {}), std::logic_error);
}

TEST(ParallelTiltSeries, AMissingFolderEndsAllRanks) {
  AETOS_RANKS(comm, 3);
  const SharedFolder folder(comm);
  EXPECT_THROW(TiltSeriesWriter(comm, folder / "no/a.h5", series(3, 4, 5), {}), ResourceError);
}

/// The rows of rank r when `n` rows are split at random places, so that some ranks may have none.
Range random_rows(std::size_t n, std::size_t rank, std::size_t ranks, std::uint32_t trial) {
  const auto cut = [&](std::size_t r) -> std::size_t {
    if (r == 0) return 0;
    if (r == ranks) return n;
    std::vector<std::size_t> cuts;
    for (std::size_t k = 1; k < ranks; ++k)
      cuts.push_back(random::words(1, random::Domain::test, {trial, static_cast<std::uint32_t>(k), 0})[0] %
                     (n + 1));
    std::sort(cuts.begin(), cuts.end());
    return cuts[r - 1];
  };
  return {cut(rank), cut(rank + 1)};
}

/// Volumes of random shapes and slabs; each rank then reads its rows with a halo of 3, as the drivers do.
void expect_right_volumes_on(const Communicator& comm, std::uint32_t trials) {
  const SharedFolder folder(comm);
  std::int64_t wrong = 0;
  for (std::uint32_t trial = 0; trial < trials; ++trial) {
    const auto w = random::words(2, random::Domain::test, {trial, 0, 0});
    VolumeInfo info;
    info.shape = {1 + w[0] % 12, 1 + w[1] % 30, 1 + w[2] % 12};
    const Range rows = random_rows(info.shape[1], rank_of(comm), size_of(comm), trial);
    Array<float, 3> slab({info.shape[0], rows.size(), info.shape[2]});
    for (std::size_t z = 0; z < info.shape[0]; ++z)
      for (std::size_t y = rows.begin; y < rows.end; ++y)
        for (std::size_t x = 0; x < info.shape[2]; ++x) slab(z, y - rows.begin, x) = value_at(z, y, x);
    write_volume(comm, folder / "v.h5", info, {}, rows, slab, {trial % 2 == 0, trial % 3 ? 1u << 30 : 500u});

    const Range halo{rows.begin - std::min<std::size_t>(rows.begin, 3),
                     std::min(rows.end + 3, info.shape[1])};
    const auto read = read_volume_rows(folder / "v.h5", halo);
    for (std::size_t z = 0; z < info.shape[0]; ++z)
      for (std::size_t y = halo.begin; y < halo.end; ++y)
        for (std::size_t x = 0; x < info.shape[2]; ++x)
          wrong += read(z, y - halo.begin, x) != value_at(z, y, x);
    comm.barrier();
  }
  EXPECT_EQ(comm.sum(wrong), 0);
}

TEST(ParallelVolume, HalosOnOneRank) {
  AETOS_RANKS(comm, 1);
  expect_right_volumes_on(comm, 10);
}
TEST(ParallelVolume, HalosOnTwoRanks) {
  AETOS_RANKS(comm, 2);
  expect_right_volumes_on(comm, 40);
}
TEST(ParallelVolume, HalosOnThreeRanks) {
  AETOS_RANKS(comm, 3);
  expect_right_volumes_on(comm, 40);
}
TEST(ParallelVolume, HalosOnFourRanks) {
  AETOS_RANKS(comm, 4);
  expect_right_volumes_on(comm, 40);
}

}  // namespace
}  // namespace aetos::io
