#include <gtest/gtest.h>

#include <limits>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "support/ranks.hpp"
#include "support/temporary_folder.hpp"
#include "tracing/traced_scene.hpp"

/// Traced atoms do not depend on the number of ranks.
namespace aetos {
namespace {

using namespace test;

struct Scene {
  explicit Scene(const Communicator& comm) {
    if (comm.is_root()) folder.emplace();
    path = comm.broadcast_string(folder ? folder->path().string() : "");
    const auto atoms = scattered_atoms(60, 8);
    auto volume = gaussians({50, 46, 48}, atoms);
    add_noise(volume, 0.05, 3);
    write_volume(comm, path / "volume.h5", volume);
    std::vector<EulerAngles> angles;
    for (double theta = -70; theta <= 70; theta += 20) angles.push_back({0.5, theta, 0});
    write_images(comm, path / "series.h5", atoms, angles, 50, 0.02);
    request.volume = (path / "volume.h5").string();
    request.images = (path / "series.h5").string();
    request.options.species = {"Zr"};
  }
  std::optional<TemporaryFolder> folder;
  std::filesystem::path path;
  tracing::Request request;
};

TEST(TracingRanks, SameAtomsOnOneToFour) {
  AETOS_RANKS(comm, 4);
  Scene scene(comm);
  scene.request.options.refine_angles = true;
  std::string first;
  nlohmann::json first_summary;
  for (int ranks = 1; ranks <= comm.size(); ++ranks) {
    const Communicator part = comm.split(comm.rank() < ranks ? 0 : 1);
    if (comm.rank() < ranks) {
      const auto file = scene.path / ("atoms-" + std::to_string(ranks) + ".extxyz");
      const auto summary = run_tracing(part, scene.request, file);
      if (comm.is_root()) {
        const std::string text = io::read_text_file(file);
        if (ranks == 1) first = text, first_summary = summary;
        EXPECT_EQ(summary["atoms"], 60);
        EXPECT_EQ(summary, first_summary) << ranks << " ranks";
        EXPECT_EQ(text, first) << ranks << " ranks";
      }
    }
    comm.barrier();
  }
  comm.barrier();
}

TEST(TracingRanks, MoreRanksThanPlanesAndProjections) {
  AETOS_RANKS(comm, 4);
  std::optional<TemporaryFolder> folder;
  if (comm.is_root()) folder.emplace();
  const std::filesystem::path path = comm.broadcast_string(folder ? folder->path().string() : "");
  write_volume(comm, path / "volume.h5", gaussians({3, 20, 20}, {Vec3(0, 0, 0)}));
  write_images(comm, path / "series.h5", {Vec3(0, 0, 0)}, {{0, 0, 0}, {0, 40, 0}}, 20, 0);
  tracing::Request request;
  request.volume = (path / "volume.h5").string();
  request.images = (path / "series.h5").string();
  request.options.species = {"Zr"};
  EXPECT_EQ(run_tracing(comm, request, path / "atoms.extxyz")["atoms"], 1);
  comm.barrier();
}

TEST(TracingRanks, NaNThatOneRankSeesEndsAll) {
  AETOS_RANKS(comm, 3);
  std::optional<TemporaryFolder> folder;
  if (comm.is_root()) folder.emplace();
  const std::filesystem::path path = comm.broadcast_string(folder ? folder->path().string() : "");
  auto volume = gaussians({60, 20, 20}, {Vec3(0, 0, 0)});
  volume(59, 1, 1) = std::numeric_limits<float>::quiet_NaN();
  write_volume(comm, path / "volume.h5", volume);
  tracing::Request request;
  request.volume = (path / "volume.h5").string();
  request.options.species = {"Zr"};
  EXPECT_THROW(run_tracing(comm, request, path / "atoms.extxyz"), InputError);
  comm.barrier();
}

TEST(TracingRanks, StopSeenByAllEndsAll) {
  AETOS_RANKS(comm, 3);
  const Scene scene(comm);
  Stop stop;
  if (comm.rank() == 2) stop.set_time_limit(std::chrono::seconds(0));
  EXPECT_THROW(run_tracing(comm, scene.request, scene.path / "atoms.extxyz", stop), Interrupted);
  comm.barrier();
}

}  // namespace
}  // namespace aetos
