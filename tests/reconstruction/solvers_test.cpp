#include <gtest/gtest.h>

#include <mpi.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>

#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"
#include "aetos/io/mat_file.hpp"
#include "reconstruction/series_on_disk.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

/// How many passes each method takes to the R-factor that RESIRE's public code reports after 100 on its own
/// sample (docs/solvers.md).
namespace aetos {
namespace {

using namespace test;
using reconstruction::Request;

constexpr double kPublishedR1 = 0.011048;

Request sample_request(const std::string& method) {
  Request request;
  request.source = (shared_data("tomography/resire-sample") / "projections.mat").string();
  request.angles = io::read_angles((shared_data("tomography/resire-sample") / "angles.mat").string());
  request.pixel_A = 1;
  request.options.support = "none";
  request.options.projector = tomography::Projector::real_space;
  request.options.method = method;
  return request;
}

/// Distance from the volume that the sample was made from, relative.
double true_error(const Array<float, 3>& u) {
  const std::string file = (shared_data("tomography/resire-sample") / "ground_truth.mat").string();
  static const Array<float, 3> truth = io::read_volume_planes(file, {0, 64});
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    difference += std::pow(static_cast<double>(u.data()[i]) - truth.data()[i], 2);
    norm += std::pow(static_cast<double>(truth.data()[i]), 2);
  }
  return std::sqrt(difference / norm);
}

struct Case {
  const char* method;
  int iterations, passes;  ///< these iterations take at most so many passes
};

class SolversTest : public ::testing::TestWithParam<Case> {};

TEST_P(SolversTest, ReachesThePublishedR) {
  AETOS_NEEDS_SHARED("tomography/resire-sample");
  const Communicator comm(MPI_COMM_SELF);
  const TemporaryFolder folder;
  Request request = sample_request(GetParam().method);
  request.options.iterations = GetParam().iterations;
  const auto summary = run_driver(comm, folder / "run", request);
  EXPECT_LE(summary["r_factor"].get<double>(), kPublishedR1);
  EXPECT_LE(summary["passes"].get<int>(), GetParam().passes);
  EXPECT_EQ(summary["iterations"], GetParam().iterations);
  const auto u = read_whole_volume(folder / "run");
  EXPECT_GE(*std::min_element(u.begin(), u.end()), 0);
  const auto history = io::read_volume_info((folder / "run" / "volume.h5").string()).r_history;
  EXPECT_EQ(history.size(), static_cast<std::size_t>(GetParam().iterations));
  std::printf("%s: R %.6f after %d passes, %.3f from the truth\n", GetParam().method,
              summary["r_factor"].get<double>(), summary["passes"].get<int>(), true_error(u));
}

INSTANTIATE_TEST_SUITE_P(Methods, SolversTest,
                         ::testing::Values(Case{"resire", 84, 84}, Case{"resire-nesterov", 37, 37},
                                           Case{"os-resire", 8, 8}, Case{"os-resire-nesterov", 6, 6},
                                           Case{"bqnls", 9, 12}, Case{"blmvm", 23, 28}, Case{"bncg", 20, 34}),
                         [](const auto& instance) {
                           std::string name = instance.param.method;
                           std::erase(name, '-');
                           return name;
                         });

TEST(BaselinesTest, SirtAndFilteredBackProjectionSeeTheObject) {
  AETOS_NEEDS_SHARED("tomography/resire-sample");
  const Communicator comm(MPI_COMM_SELF);
  const TemporaryFolder folder;
  Request request = sample_request("wbp");
  const auto wbp = run_driver(comm, folder / "wbp", request);
  EXPECT_EQ(wbp["passes"], 1);
  EXPECT_LT(wbp["r_factor"].get<double>(), 0.15);
  EXPECT_LT(true_error(read_whole_volume(folder / "wbp")), 0.36);
  request.options.method = "sirt";
  request.options.iterations = 50;
  const auto sirt = run_driver(comm, folder / "sirt", request);
  EXPECT_LT(sirt["r_factor"].get<double>(), 0.06);
  EXPECT_LT(true_error(read_whole_volume(folder / "sirt")), 0.3);
}

/// Without bounds, where the misfit alone is lowered.
TEST(UnboundedTest, ReachesThePublishedR) {
  AETOS_NEEDS_SHARED("tomography/resire-sample");
  const Communicator comm(MPI_COMM_SELF);
  const TemporaryFolder folder;
  for (const Case& a : {Case{"lmvm", 30, 40}}) {
    Request request = sample_request(a.method);
    request.options.nonnegative = false;
    request.options.iterations = a.iterations;
    const auto summary = run_driver(comm, folder / a.method, request);
    EXPECT_LE(summary["r_factor"].get<double>(), kPublishedR1) << a.method;
    EXPECT_LE(summary["passes"].get<int>(), a.passes) << a.method;
    std::printf("%s: R %.6f after %d passes, %.3f from the truth\n", a.method,
                summary["r_factor"].get<double>(), summary["passes"].get<int>(),
                true_error(read_whole_volume(folder / a.method)));
  }
}

/// Small series for the tests that need no published data.
class SmallSeriesTest : public ::testing::Test {
 protected:
  SmallSeriesTest() : comm_(MPI_COMM_SELF), request_(quick_request(folder_ / "series.h5")) {
    for (double theta = -60; theta <= 60; theta += 10) angles_.push_back({0, theta, 0});
    images_ = spots(angles_, 6, 24);
    request_.options.projector = tomography::Projector::real_space;
  }
  void write() { write_series(comm_, folder_ / "series.h5", angles_, images_); }
  nlohmann::json run(const std::string& name, const Stop& stop = {}) {
    return run_driver(comm_, folder_ / name, request_, stop);
  }

  Communicator comm_;
  TemporaryFolder folder_;
  Request request_;
  std::vector<EulerAngles> angles_;
  Array<float, 3> images_;
};

/// Steps longer than one projection bears, and images that contradict one another.
TEST_F(SmallSeriesTest, SubsetsDoNotDriveOneAnotherApart) {
  for (std::size_t i = 0; i < images_.size(); ++i)
    images_.data()[i] += static_cast<float>(random::uniform4(3, random::Domain::test, {1, 0, i})[0]) * 40;
  write();
  request_.options.step = 3;
  request_.options.method = "resire-nesterov";
  request_.options.iterations = 60;
  const double usual = run("usual")["r_factor"];
  for (const char* method : {"os-resire", "os-resire-nesterov"})
    for (std::size_t subsets : {2u, 5u, 13u}) {
      request_.options.method = method;
      request_.options.subsets = subsets;
      const std::string name = method + std::to_string(subsets);
      EXPECT_LT(run(name)["r_factor"].get<double>(), 2 * usual) << name;
    }
}

TEST_F(SmallSeriesTest, OrderedSubsetsWithTheFourierProjector) {
  write();
  request_.options.projector = tomography::Projector::fourier;
  request_.options.iterations = 8;
  const double usual = run("usual")["r_factor"];
  request_.options.method = "os-resire";
  EXPECT_LT(run("subsets")["r_factor"].get<double>(), usual / 2);
}

/// The misfit of the Fourier projector, lowered along its exact gradient.
TEST_F(SmallSeriesTest, PetscsSolversWithTheFourierProjector) {
  write();
  request_.options.projector = tomography::Projector::fourier;
  request_.options.iterations = 40;
  const double usual = run("usual")["r_factor"];
  request_.options.iterations = 20;
  for (const char* method : {"bqnls", "blmvm", "bncg", "tron"}) {
    request_.options.method = method;
    EXPECT_LT(run(method)["r_factor"].get<double>(), usual) << method;
  }
  request_.options.nonnegative = false;
  request_.options.method = "cgls";
  EXPECT_LT(run("cgls")["r_factor"].get<double>(), usual);
}

/// TAO's history is in no checkpoint: a run stopped between blocks still ends as the one that went through.
TEST_F(SmallSeriesTest, TaoResumesExactly) {
  write();
  request_.options.method = "bqnls";
  request_.options.support = "auto";
  request_.options.iterations = 24;
  const auto whole = run("whole");
  Stop stop;
  stop.set_time_limit(std::chrono::duration<double>(0));  // over before it begins: one block an attempt
  for (int i = 0; i < 2; ++i) EXPECT_THROW(run("parts", stop), Interrupted);
  EXPECT_EQ(run("parts"), whole);
  EXPECT_TRUE(same_bits(read_whole_volume(folder_ / "parts"), read_whole_volume(folder_ / "whole")));
}

TEST_F(SmallSeriesTest, TaoKeepsTheConstraintsItIsGiven) {
  write();
  request_.options.support = "auto";
  request_.options.nonnegative = false;
  request_.options.iterations = 20;
  for (const char* method : {"bncg", "bqnls", "blmvm"}) {
    request_.options.method = method;
    const auto summary = run(method);
    EXPECT_LT(summary["r_factor"].get<double>(), 0.1) << method;
    const auto u = read_whole_volume(folder_ / method);
    EXPECT_LT(*std::min_element(u.begin(), u.end()), 0) << method;
    const auto zeros = static_cast<double>(std::count(u.begin(), u.end(), 0.0F));
    EXPECT_GE(zeros / static_cast<double>(u.size()), 1 - summary["support_share"].get<double>()) << method;
  }
}

/// Every solver of PETSc ends where a long run of another family does.
TEST_F(SmallSeriesTest, PetscsSolversFindTheLeastMisfit) {
  for (std::size_t i = 0; i < images_.size(); ++i)
    images_.data()[i] += static_cast<float>(random::uniform4(3, random::Domain::test, {1, 0, i})[0]) * 5;
  write();
  request_.options.method = "resire-nesterov";
  request_.options.iterations = 1000;
  const double bounded = run("bounded")["r2_factor"];
  request_.options.nonnegative = false;
  const double free = run("free")["r2_factor"];
  EXPECT_LT(free, 0.8 * bounded);
  for (const char* method : {"bncg", "bqnls", "blmvm", "bqnkls", "bqnktr", "bqnktl", "bnls", "bntr", "bntl",
                             "tron", "gpcg", "lmvm", "cg", "nls", "ntr", "ntl", "cgls", "lsqr"}) {
    const bool keeps_bounds = method[0] == 'b' || method[0] == 't' || method[0] == 'g';
    request_.options.method = method;
    request_.options.nonnegative = keeps_bounds;
    request_.options.iterations = 100;
    const auto summary = run(method);
    const auto u = read_whole_volume(folder_ / method);
    std::printf("%s: R2 %.5f after %d iterations, %d passes\n", method, summary["r2_factor"].get<double>(),
                summary["iterations"].get<int>(), summary["passes"].get<int>());
    // Without bounds the problem is ill-conditioned: a hundred iterations come near the least misfit.
    EXPECT_LT(summary["r2_factor"].get<double>(), keeps_bounds ? 1.03 * bounded : 1.6 * free) << method;
    EXPECT_EQ(*std::min_element(u.begin(), u.end()) < 0, !keeps_bounds) << method;
  }
}

/// The sum of the differences between neighbours along x.
double roughness(const Array<float, 3>& u) {
  double sum = 0;
  for (std::size_t i = 1; i < u.size(); ++i)
    if (i % u.extent(2) != 0) sum += std::abs(static_cast<double>(u.data()[i]) - u.data()[i - 1]);
  return sum;
}

TEST_F(SmallSeriesTest, TotalVariationMakesSmootherVolumes) {
  for (std::size_t i = 0; i < images_.size(); ++i)
    images_.data()[i] += static_cast<float>(random::uniform4(3, random::Domain::test, {1, 0, i})[0]) * 40;
  write();
  for (const char* method : {"bqnls", "blmvm", "bncg"}) {
    request_.options.method = method;
    request_.options.iterations = 40;
    request_.options.tv_weight = 0;
    const double r = run("plain")["r_factor"], rough = roughness(read_whole_volume(folder_ / "plain"));
    request_.options.tv_weight = 0.1;
    const double smooth_r = run("smooth")["r_factor"];
    EXPECT_GT(smooth_r, r) << method;
    EXPECT_LT(roughness(read_whole_volume(folder_ / "smooth")), 0.7 * rough) << method;
  }
}

TEST_F(SmallSeriesTest, RefusesWhatAMethodCannotDo) {
  write();
  request_.options.method = "os-resire";
  request_.options.subsets = 14;  // of 13 projections
  EXPECT_THROW(run("subsets"), InputError);
  const auto refused = [&](const char* method) -> std::string {
    request_.options.method = method;
    try {
      run(method);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(refused("cg").find("bncg"), std::string::npos);
  EXPECT_NE(refused("lsqr").find("reconstruct.nonnegative"), std::string::npos);
  request_.options.nonnegative = false;
  request_.options.support = "auto";
  EXPECT_NE(refused("lmvm").find("reconstruct.support"), std::string::npos);
  EXPECT_EQ(refused("cgls"), "");  // solves within a support
  request_.options.nonnegative = true;
  request_.options.tv_weight = 0.1;
  EXPECT_NE(refused("tron").find("reconstruct.tv_weight"), std::string::npos);
  EXPECT_NE(refused("resire").find("reconstruct.tv_weight"), std::string::npos);
}

/// PETSc's signal handler is off: a signal is for AETOS to answer, in its own words.
TEST_F(SmallSeriesTest, PetscLeavesSignalsAlone) {
  write();
  request_.options.method = "blmvm";
  run("solved");
  for (int signal : {SIGTERM, SIGQUIT, SIGILL}) {
    struct sigaction now {};
    ASSERT_EQ(sigaction(signal, nullptr, &now), 0);
    // A job in the background inherits ignored signals; a handler could only be PETSc's.
    EXPECT_TRUE(now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN) << signal;
  }
}

}  // namespace
}  // namespace aetos
