#include <gtest/gtest.h>

#include <cmath>
#include <csignal>

#include "aetos/core/error.hpp"
#include "reconstruction/series_on_disk.hpp"
#include "support/ranks.hpp"
#include "support/temporary_folder.hpp"

/// Reconstructions do not depend on the number of ranks, nor on where they were interrupted.
namespace aetos {
namespace {

using namespace test;
using reconstruction::Request;

/// A folder that the root makes and removes, and a series in it.
class Scene {
 public:
  Scene(const Communicator& comm, bool plain, std::size_t ny = 21) : comm_(comm) {
    if (comm.is_root()) folder_.emplace();
    path_ = comm.broadcast_string(folder_ ? folder_->path().string() : "");
    std::vector<EulerAngles> angles;
    for (double theta = -60; theta <= 60; theta += 20)
      angles.push_back({plain ? 0 : 1.5, theta, plain ? 0 : -2.0});
    write_series(comm, series(), angles, spots(angles, ny, 24));
  }
  ~Scene() { comm_.barrier(); }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  std::filesystem::path series() const { return path_ / "series.h5"; }
  std::filesystem::path folder(const std::string& name) const { return path_ / name; }

 private:
  const Communicator& comm_;
  std::optional<TemporaryFolder> folder_;
  std::filesystem::path path_;
};

/// The same request on the first 1, 2, 3... ranks of a communicator gives the same numbers.
void expect_same_on_all_sizes(const Communicator& comm, const Request& request, const Scene& scene) {
  nlohmann::json first;
  for (int ranks = 1; ranks <= comm.size(); ++ranks) {
    const Communicator part = comm.split(comm.rank() < ranks ? 0 : 1);
    if (comm.rank() < ranks) {
      const auto folder = scene.folder("ranks-" + std::to_string(ranks));
      const auto summary = run_driver(part, folder, request);
      if (ranks == 1) first = summary;
      if (comm.is_root()) {
        EXPECT_EQ(summary, first) << ranks << " ranks";
        EXPECT_TRUE(same_bits(read_whole_volume(folder), read_whole_volume(scene.folder("ranks-1"))));
      }
    }
    comm.barrier();
  }
}

/// The largest difference of voxels over the largest voxel.
double relative_difference(const Array<float, 3>& mine, const Array<float, 3>& first) {
  float difference = 0, largest = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    difference = std::max(difference, std::abs(mine.data()[i] - first.data()[i]));
    largest = std::max(largest, std::abs(first.data()[i]));
  }
  return difference / largest;
}

/// As above, voxels and R to 1e-5.
void expect_nearly_same_on_all_sizes(const Communicator& comm, const Request& request, const Scene& scene) {
  double alone = 0;
  for (int ranks = 1; ranks <= comm.size(); ++ranks) {
    const Communicator part = comm.split(comm.rank() < ranks ? 0 : 1);
    if (comm.rank() < ranks) {
      const auto folder = scene.folder("ranks-" + std::to_string(ranks));
      const double r = run_driver(part, folder, request)["r_factor"];
      if (ranks == 1) alone = r;
      if (comm.is_root()) {
        const double difference =
            relative_difference(read_whole_volume(folder), read_whole_volume(scene.folder("ranks-1")));
        EXPECT_NEAR(r, alone, 1e-5) << ranks << " ranks";
        EXPECT_LT(difference, 1e-5) << request.options.method << ", " << ranks << " ranks";
      }
    }
    comm.barrier();
  }
}

TEST(ReconstructionRanks, PlainSeriesByEachMethodAndProjector) {
  AETOS_RANKS(comm, 4);
  for (const char* method :
       {"resire", "resire-nesterov", "os-resire", "os-resire-nesterov", "sirt", "sart", "wbp"})
    for (auto projector : {tomography::Projector::fourier, tomography::Projector::real_space}) {
      const Scene scene(comm, true);
      Request request = quick_request(scene.series());
      request.options.method = method;
      request.options.projector = projector;
      request.options.support = "auto";
      request.interpolate_bad_pixels = true;
      expect_same_on_all_sizes(comm, request, scene);
    }
}

/// The Fourier projector for any Euler angles: volume and spectrum in slabs, equal to one rank's but for
/// rounding.
TEST(ReconstructionRanks, GeneralEulerAngles) {
  AETOS_RANKS(comm, 4);
  for (const char* method : {"resire-nesterov", "os-resire", "sirt"})
    for (std::size_t ny : {10u, 3u, 21u}) {
      const Scene scene(comm, false, ny);
      Request request = quick_request(scene.series());
      request.options.method = method;
      request.options.support = "auto";
      request.options.iterations = 5;
      request.options.oversampling = {2, 1.5, 2.5};
      request.options.held_out = {2};
      request.options.relative_change = 1e-9;
      if (ny == 10) request.options.volume_px = {{20, 37, 28}};  // rows of volume and images differ
      expect_nearly_same_on_all_sizes(comm, request, scene);
    }
}

/// Films and refined poses go the same way through the transform that ranks share.
TEST(ReconstructionRanks, FilmsAndRefinedAnglesByTheFourierProjector) {
  AETOS_RANKS(comm, 4);
  const Scene few_rows(comm, false, 10);
  Request film = quick_request(few_rows.series());
  film.options.film = true;
  film.options.volume_px = {{8, 10, 24}};
  film.options.step = 1;
  film.options.iterations = 4;
  film.options.fsc = true;
  expect_nearly_same_on_all_sizes(comm, film, few_rows);
  const Scene scene(comm, false);
  Request refined = quick_request(scene.series());
  refined.options.refine_angles = true;
  refined.options.refine_rounds = 3;
  refined.options.iterations = 4;
  expect_nearly_same_on_all_sizes(comm, refined, scene);
}

TEST(ReconstructionRanks, GeneralEulerAnglesInRealSpace) {
  AETOS_RANKS(comm, 4);
  const Scene scene(comm, false, 10);
  Request request = quick_request(scene.series());
  request.options.projector = tomography::Projector::real_space;
  request.options.volume_px = {{20, 37, 28}};
  request.options.iterations = 5;
  expect_same_on_all_sizes(comm, request, scene);
}

TEST(ReconstructionRanks, RefinedAngles) {
  AETOS_RANKS(comm, 4);
  for (const bool plain : {true, false}) {
    const Scene scene(comm, plain);
    Request request = quick_request(scene.series());
    request.options.refine_angles = true;
    request.options.projector = tomography::Projector::real_space;
    request.options.refine_rounds = 5;
    request.options.support = "auto";
    request.options.iterations = 4;
    expect_same_on_all_sizes(comm, request, scene);
  }
}

TEST(ReconstructionRanks, FilmsAndWhatJudgesThem) {
  AETOS_RANKS(comm, 4);
  for (const bool plain : {true, false}) {
    const Scene scene(comm, plain, 10);
    Request request = quick_request(scene.series());
    request.options.film = true;
    if (!plain) request.options.projector = tomography::Projector::real_space;
    request.options.volume_px = {{8, 10, 24}};
    request.options.step = 1;
    request.options.iterations = 4;
    request.options.held_out = {2};
    request.options.patience = 10;
    request.options.relative_change = 1e-9;
    request.options.fsc = true;
    expect_same_on_all_sizes(comm, request, scene);
  }
}

/// R of a solver of PETSc on one rank and on `ranks`, whose sums follow the partition: R agrees, the bits do
/// not.
void expect_petsc_agrees(const Communicator& comm, const std::string& method, const Scene& scene,
                         double tv_weight, const std::vector<int>& ranks,
                         tomography::Projector projector = tomography::Projector::real_space) {
  Request request = quick_request(scene.series());
  request.options.method = method;
  request.options.nonnegative = method[0] == 'b' || method[0] == 't' || method[0] == 'g';
  request.options.projector = projector;
  request.options.iterations = 12;
  request.options.tv_weight = tv_weight;
  double alone = 0;
  for (int size : ranks) {
    const Communicator part = comm.split(comm.rank() < size ? 0 : 1);
    if (comm.rank() < size) {
      const double r = run_driver(part, scene.folder(method + std::to_string(size)), request)["r_factor"];
      if (size == 1) alone = r;
      if (comm.is_root()) {
        EXPECT_NEAR(r, alone, 1e-4) << method << ", " << size << " ranks";
      }
    }
    comm.barrier();
  }
}

TEST(ReconstructionRanks, PetscsSolversAgree) {
  AETOS_RANKS(comm, 4);
  const Scene scene(comm, true);
  for (const char* method : {"bqnkls", "bqnktr", "bqnktl", "bnls", "bntr", "bntl", "gpcg", "lmvm", "cg",
                             "nls", "ntr", "ntl", "lsqr"})
    expect_petsc_agrees(comm, method, scene, 0, {1, 3});
  // A rank without rows takes part as well.
  const Scene few_rows(comm, true, 3);
  for (const char* method : {"bncg", "bqnls", "blmvm", "tron", "cgls"})
    for (const Scene* one : {&scene, &few_rows}) expect_petsc_agrees(comm, method, *one, 0, {1, 2, 4});
}

/// Rows and planes beside a rank's own count for the total variation; planes where ranks hold the whole
/// volume.
TEST(ReconstructionRanks, PetscsSolversAgreeOnTotalVariationAndAnyAngles) {
  AETOS_RANKS(comm, 4);
  for (const bool plain : {true, false}) {
    const Scene scene(comm, plain, plain ? 3 : 10);
    expect_petsc_agrees(comm, "blmvm", scene, 0.05, {1, 2, 3, 4});
    expect_petsc_agrees(comm, "cgls", scene, 0, {1, 4});
    expect_petsc_agrees(comm, "bnls", scene, 0, {1, 4});
  }
}

TEST(ReconstructionRanks, PetscsSolversAgreeWithTheFourierProjector) {
  AETOS_RANKS(comm, 4);
  for (const bool plain : {true, false}) {
    const Scene scene(comm, plain, plain ? 21 : 10);
    for (const char* method : {"bqnls", "cgls", "tron"})
      expect_petsc_agrees(comm, method, scene, 0, {1, 2, 4}, tomography::Projector::fourier);
  }
}

TEST(ReconstructionRanks, MoreRanksThanRows) {
  AETOS_RANKS(comm, 4);
  const Scene scene(comm, true, 3);
  expect_same_on_all_sizes(comm, quick_request(scene.series()), scene);
}

TEST(ReconstructionRanks, BadInputOfOneRankEndsAll) {
  AETOS_RANKS(comm, 3);
  const Scene scene(comm, true);
  std::vector<EulerAngles> angles{{0, 0, 0}, {0, 10, 0}};
  auto images = spots(angles, 21, 24);
  images(1, 20, 3) = std::nanf("");  // in the last rank's rows
  write_series(comm, scene.folder("bad.h5"), angles, images);
  EXPECT_THROW(run_driver(comm, scene.folder("bad"), quick_request(scene.folder("bad.h5"))), InputError);
}

TEST(ReconstructionRanks, InterruptedAndResumedOnOtherNumbersOfRanks) {
  AETOS_RANKS(comm, 4);
  using tomography::Projector;
  for (const auto& [plain, projector] :
       {std::pair{true, Projector::fourier}, std::pair{false, Projector::real_space},
        std::pair{false, Projector::fourier}}) {
    const Scene scene(comm, plain, 10);
    Request request = quick_request(scene.series());
    request.options.method = "resire-nesterov";
    request.options.projector = projector;
    request.options.iterations = 7;
    run_driver(comm, scene.folder("whole"), request);
    Stop stop;
    stop.set_time_limit(std::chrono::duration<double>(0));  // over before it begins: one iteration an attempt
    for (int ranks : {4, 2, 3, 1}) {
      const Communicator part = comm.split(comm.rank() < ranks ? 0 : 1);
      if (comm.rank() < ranks) {
        EXPECT_THROW(run_driver(part, scene.folder("resumed"), request, stop), Interrupted)
            << ranks << " ranks";
      }
      comm.barrier();
    }
    run_driver(comm, scene.folder("resumed"), request, {}, 0);
    if (comm.is_root()) {
      const auto resumed = read_whole_volume(scene.folder("resumed")),
                 whole = read_whole_volume(scene.folder("whole"));
      if (!plain && projector == Projector::fourier)
        EXPECT_LT(relative_difference(resumed, whole), 1e-5);
      else
        EXPECT_TRUE(same_bits(resumed, whole));
    }
  }
}

}  // namespace
}  // namespace aetos
