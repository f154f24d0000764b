#include <gtest/gtest.h>
#include <mpi.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "aetos/io/atomic_file.hpp"
#include "reconstruction/series_on_disk.hpp"
#include "support/process.hpp"
#include "support/same_results.hpp"
#include "support/silicon_images.hpp"

/// The calibration by a known crystal from the master config alone.
namespace aetos::test {
namespace {

TEST(Calibration, OneConfigGivesTheSameBitsOnAnyNumberOfRanksAndItsFigure) {
  TemporaryFolder folder;
  const Communicator self(MPI_COMM_SELF);
  const std::vector<EulerAngles> angles{{0, -20, 0}, {0, 0, 0}, {0, 20, 0}};
  write_series(self, folder.path() / "series.h5", angles, spots(angles, 48, 48), "adf_noisy", 0.25);
  Array<float, 3> frames({5, 128, 128});
  for (std::size_t i = 0; i < 5; ++i) {
    const auto one = silicon(128, {0.25, 0.255, 0.02, 33}, {0.6 * static_cast<double>(i), -0.3}, 10, i);
    std::copy(one.begin(), one.end(), frames[i].begin());
  }
  write_series(self, folder.path() / "si.h5", std::vector<EulerAngles>(5), frames, "frames", 0.25);
  const auto config = folder.write("cal.yaml",
                                   "output: one\npreprocess:\n  input: series.h5\n  align: centre-of-mass\n"
                                   "  calibrate: {file: si.h5, crystal: si-110}\n");
  const auto at = [&](const std::string& name) { return (folder.path() / name).string(); };
  ASSERT_EQ(run_aetos("check " + config).code, 0);
  const auto first = run_aetos("run " + config);
  ASSERT_EQ(first.code, 0) << first.output;
  EXPECT_NE(first.output.find("pixel 0.25"), std::string::npos) << first.output;
  for (int ranks : {2, 4}) {
    const auto other = run_aetos("run " + config + " --output " + at("n" + std::to_string(ranks)), ranks);
    ASSERT_EQ(other.code, 0) << other.output;
    EXPECT_EQ(read_file(at("one/calibration.json")),
              read_file(at("n" + std::to_string(ranks) + "/calibration.json")));
    const auto images = [&](const std::string& run, const std::string& name, std::size_t n) {
      const auto info = io::read_tilt_series_info(at(run + "/" + name));
      return io::read_tilt_series_images(at(run + "/" + name), info.signals[0], {0, n});
    };
    for (const auto& [name, n] : {std::pair("preprocessed.h5", 3), {"calibration.h5", 1}}) {
      const auto a = images("one", name, static_cast<std::size_t>(n)),
                 b = images("n" + std::to_string(ranks), name, static_cast<std::size_t>(n));
      EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << name;
    }
  }
  // Killed in the middle, it goes on to the same; what follows takes the calibrated pixel, whatever scan
  // says.
  const std::string on =
      " --set scan.pixel_A=0.25 --set reconstruct.iterations=2 --set reconstruct.projector=real-space "
      "--output ";
  EXPECT_NE(run_aetos("run " + config + on + at("whole"), 2, "AETOS_FAULT=preprocess-item,kill,1").code, 0);
  const auto resumed = run_aetos("run " + config + on + at("whole") + " --resume", 2);
  ASSERT_EQ(resumed.code, 0) << resumed.output;
  // Made with other keys, which the fingerprint tells.
  const auto numbers = [&](const std::string& name) {
    auto calibration = nlohmann::json::parse(read_file(at(name)));
    EXPECT_EQ(calibration.erase("made_by"), 1u);
    return calibration;
  };
  EXPECT_EQ(numbers("one/calibration.json"), numbers("whole/calibration.json"));
  const double pixel = nlohmann::json::parse(read_file(at("one/calibration.json")))["series_pixel_A"];
  EXPECT_NEAR(pixel, std::sqrt(0.25 * 0.255), 0.25e-3);
  EXPECT_NEAR(*io::read_volume_info(at("whole/volume.h5")).voxel_A, pixel, 1e-9);
  EXPECT_EQ(run_aetos("verify " + at("whole")).code, 0);
  const auto report = read_file(at("one/report.html"));
  for (const char* words : {"The crystal", "Its Fourier transform", "Shear of y along x"})
    EXPECT_NE(report.find(words), std::string::npos) << words;
  // The resolved config runs again; another crystal is refused politely.
  EXPECT_EQ(run_aetos("run " + at("one/config.resolved.yaml") + " --output " + at("again")).code, 0);
  const auto wrong =
      run_aetos("run " + config + " --set preprocess.calibrate.crystal=au-100 --output " + at("wrong"));
  EXPECT_EQ(wrong.code, 2) << wrong.output;
  EXPECT_NE(wrong.output.find("spots of another lattice"), std::string::npos) << wrong.output;
  const auto missing = run_aetos("check " + config + " --set preprocess.calibrate.file=gone.mrc");
  EXPECT_EQ(missing.code, 2) << missing.output;
  EXPECT_NE(missing.output.find("gone.mrc"), std::string::npos) << missing.output;
  const auto word = run_aetos("check " + config + " --set preprocess.calibrate=silicon");
  EXPECT_EQ(word.code, 2) << word.output;
}

}  // namespace
}  // namespace aetos::test
