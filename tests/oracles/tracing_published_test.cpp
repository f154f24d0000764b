// From measured images to atoms: published noisy images of amorphous silicon, and a simulated particle whose
// truth is known. The bounds leave room for the method; docs/precision.md has the figures reached.
#include <gtest/gtest.h>

#include "aetos/analysis/compare.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/reconstruction/reconstruct.hpp"
#include "aetos/tracing/trace.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace aetos {
namespace {

struct Case {
  std::string images, angles, support, species, truth;
  double pixel_A, match_radius_A;
};

Case amorphous_silicon() {
  const auto folder = test::shared_data("tomography/asi-dose1p6e5");
  return {folder / "projections.mat",
          folder / "angles.mat",
          folder / "mask.mat",
          "Si",
          test::shared_data("traced/aSi-reference.extxyz"),
          0.195,
          0.9};
}

Case small_particle() {
  const auto folder = test::shared_data("tomography/small-simulated");
  return {folder / "projections_noisy.mat",
          folder / "angles.mat",
          "none",
          "Zr",
          test::shared_data("models/small.extxyz"),
          0.3434,
          1.0};
}

/// Reconstructs, traces and compares in a folder.
class Path {
 public:
  explicit Path(const Case& c)
      : case_(c), context_{comm_, stop_, folder_.path(), folder_.path(), "f", "", 1, 60} {
    reconstruction::Request request;
    request.source = c.images;
    request.angles = io::read_angles(c.angles);
    request.pixel_A = c.pixel_A;
    request.options.method = "resire-nesterov";
    request.options.projector = tomography::Projector::real_space;
    request.options.support = c.support;
    request.options.iterations = 60;
    reconstruction::reconstruct(context_, request, folder_ / "volume.h5");
    trace_.volume = (folder_ / "volume.h5").string();
    trace_.images = c.images;
    trace_.angles = request.angles;
    trace_.pixel_A = c.pixel_A;
    trace_.options.species = {c.species};
    trace_.microscope.convergence_mrad = 30;
  }

  nlohmann::json trace_and_compare(bool refine) {
    trace_.options.refine = refine;
    tracing::trace(context_, trace_, {folder_ / "atoms.extxyz", folder_ / "rejected_peaks.csv", {}});
    const Structure traced = io::read_structure(folder_ / "atoms.extxyz"),
                    truth = io::read_structure(case_.truth);
    config::CompareOptions options;
    options.match_radius_A = case_.match_radius_A;
    const auto summary =
        analysis::summarize(analysis::compare(traced, truth, options, {case_.species}), truth, {});
    const std::string name = case_.species + (refine ? "_refined" : "_from_volume");
    ::testing::Test::RecordProperty(name + "_rmsd_pm", summary["rmsd_pm"].dump());
    std::printf("%s: %s matched, %s false, %s pm\n", name.c_str(), summary["matched"].dump().c_str(),
                summary["false_atoms"].dump().c_str(), summary["rmsd_pm"].dump().c_str());
    return summary;
  }

 private:
  Case case_;
  Communicator comm_{MPI_COMM_SELF};
  Stop stop_;
  test::TemporaryFolder folder_;
  RunContext context_;
  tracing::Request trace_;
};

TEST(TracingPublished, amorphous_silicon_from_noisy_images) {
  AETOS_NEEDS_SHARED("tomography/asi-dose1p6e5");
  Path path(amorphous_silicon());
  const auto from_volume = path.trace_and_compare(false);
  EXPECT_EQ(from_volume["matched"], 208);
  EXPECT_LE(from_volume["rmsd_pm"].get<double>(), 10);
  const auto refined = path.trace_and_compare(true);
  EXPECT_EQ(refined["matched"], 208);
  EXPECT_EQ(refined["false_atoms"], 0);
  EXPECT_LE(refined["rmsd_pm"].get<double>(),
            4.0);  // the published study, which denoised the images first: 4.24
}

TEST(TracingPublished, small_particle_from_noisy_counts) {
  AETOS_NEEDS_SHARED("tomography/small-simulated");
  Path path(small_particle());
  const auto from_volume = path.trace_and_compare(false);
  EXPECT_GE(from_volume["identified_fraction"].get<double>(), 0.99);
  EXPECT_LE(from_volume["false_atoms"].get<int>(), 6);
  EXPECT_LE(from_volume["rmsd_pm"].get<double>(), 12);
  const auto refined = path.trace_and_compare(true);
  EXPECT_EQ(refined["matched"], 608);
  EXPECT_EQ(refined["false_atoms"], 0);
  EXPECT_LE(refined["rmsd_pm"].get<double>(), 5);
}

}  // namespace
}  // namespace aetos
