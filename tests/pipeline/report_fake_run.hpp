#pragma once

#include <mpi.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aetos/analysis/compare.hpp"
#include "aetos/core/random.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/io/tilt_series.hpp"
#include "support/shared_data.hpp"

/// The files of a run, made without running anything: Gaussian atoms of the small particle, seen and
/// "traced".
namespace aetos::test {

inline constexpr std::size_t kFakePixels = 96;
inline constexpr double kFakePixel_A = 0.5;
inline constexpr double kFakeSigma_A = 0.55;

inline double fake_normal(std::uint32_t what, std::uint64_t i) {
  return random::normal4(5, random::Domain::test, {what, 0, i})[0];
}

inline std::vector<EulerAngles> fake_angles() {
  std::vector<EulerAngles> angles;
  for (double theta = -70; theta <= 70; theta += 7) angles.push_back({0, theta, 0});
  return angles;
}

/// Adds a Gaussian of height one about (row, column), given in Å about the centre.
inline void add_spot(View<float, 2> image, double row_A, double column_A, double height = 1) {
  const auto n = static_cast<long>(kFakePixels);
  const double row = row_A / kFakePixel_A + n / 2.0, column = column_A / kFakePixel_A + n / 2.0;
  for (long i = std::lround(row) - 4; i <= std::lround(row) + 4; ++i)
    for (long j = std::lround(column) - 4; j <= std::lround(column) + 4; ++j) {
      if (i < 0 || j < 0 || i >= n || j >= n) continue;
      const double r2 = std::pow((static_cast<double>(i) - row) * kFakePixel_A, 2) +
                        std::pow((static_cast<double>(j) - column) * kFakePixel_A, 2);
      image(i, j) += static_cast<float>(height * std::exp(-r2 / (2 * kFakeSigma_A * kFakeSigma_A)));
    }
}

inline Structure fake_particle() {
  return io::read_structure((source_dir() / "configs/specimens/small.extxyz").string());
}

inline Structure fake_traced(const Structure& truth) {
  Structure traced;
  Column sigma, intensity;
  std::vector<double> widths, sums;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (i % 150 == 7) continue;
    traced.atomic_number.push_back(truth.atomic_number[i]);
    traced.position.push_back(truth.position[i] + Vec3(0.05 * fake_normal(1, i), 0.04 * fake_normal(2, i),
                                                       0.1 * fake_normal(3, i)));
    widths.push_back(0.5 + 0.03 * fake_normal(4, i));
    sums.push_back(2 + 0.2 * fake_normal(6, i));
  }
  sigma.values = widths;
  intensity.values = sums;
  traced.columns["sigma_a"] = sigma;
  traced.columns["integrated_intensity"] = intensity;
  return traced;
}

inline void write_fake_series(const std::filesystem::path& folder, const Structure& particle) {
  const Communicator comm(MPI_COMM_WORLD);
  io::TiltSeriesInfo info;
  info.angles = fake_angles();
  info.tilts = info.angles.size();
  info.ny = info.nx = kFakePixels;
  info.pixel_A = kFakePixel_A;
  info.signals = {"adf_clean", "adf_noisy"};
  Array<float, 3> clean({info.tilts, info.ny, info.nx}), noisy({info.tilts, info.ny, info.nx});
  std::vector<std::size_t> all;
  for (std::size_t t = 0; t < info.tilts; ++t) {
    all.push_back(t);
    const Mat3 rotation = rotation_matrix(info.angles[t]);
    for (const Vec3& r : particle.position) {
      const Vec3 seen = to_beam_frame(rotation, r);
      add_spot(clean[t], seen.y(), seen.x(), 0.004);
    }
    for (std::size_t i = 0; i < clean[t].size(); ++i) {
      const float v = clean[t].data()[i];
      noisy[t].data()[i] =
          std::max(0.0F, v + static_cast<float>(0.02 * std::sqrt(v) * fake_normal(7, t * 100000 + i)));
    }
  }
  io::TiltSeriesWriter writer(comm, folder / "tilt_series.h5", info, {});
  writer.write("adf_clean", all, clean.view());
  writer.write("adf_noisy", all, noisy.view());
  writer.commit();
}

inline void write_fake_volume(const std::filesystem::path& folder, const Structure& particle) {
  const Communicator comm(MPI_COMM_WORLD);
  const std::size_t n = kFakePixels;
  Array<float, 3> volume({n, n, n});
  for (const Vec3& r : particle.position)
    for (long k = -5; k <= 5; ++k) {
      const long z = std::lround(r.z() / kFakePixel_A) + static_cast<long>(n / 2) + k;
      const double dz = static_cast<double>(z - static_cast<long>(n / 2)) * kFakePixel_A - r.z();
      if (z >= 0 && z < static_cast<long>(n))
        add_spot(volume[z], r.y(), r.x(), std::exp(-dz * dz / (2 * 0.8 * 0.8)));
    }
  io::VolumeInfo info;
  info.shape = {n, n, n};
  info.voxel_A = kFakePixel_A;
  info.angles = fake_angles();
  for (int i = 1; i <= 100; ++i) info.r_history.push_back(i == 1 ? 1.0 : 0.09 + 0.6 / i);
  for (std::size_t i = 0; i < info.angles.size(); ++i)
    info.r_per_projection.push_back(0.09 + 0.012 * std::abs(fake_normal(8, i)));
  io::write_volume(comm, folder / "volume.h5", info, {}, {0, n}, volume.view());
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

/// Everything that a run with all stages leaves. `project` goes through the config, as a user's text would.
inline void write_fake_run(const std::filesystem::path& folder, const std::string& project) {
  std::filesystem::create_directories(folder);
  const Structure truth = fake_particle(), traced = fake_traced(truth);
  write_fake_series(folder, truth);
  write_fake_volume(folder, truth);
  io::write_extxyz(folder / "atoms.extxyz", traced);
  std::vector<double> thetas;
  for (const auto& a : fake_angles()) thetas.push_back(a.theta_deg);
  const auto comparison = analysis::compare(traced, truth, {}, {"Zr"});
  write_text(folder / "comparison.json", analysis::details(comparison, traced, truth, thetas).dump());
  nlohmann::json summary;
  const auto stage = [&](const char* name, double wall) {
    summary[name].update({{"wall_s", wall}, {"cpu_s", 1.9 * wall}, {"ranks", 2}, {"peak_memory_MiB", 210.4}});
  };
  const nlohmann::json errors = {
      {"window", 0.0041}, {"slice", 0.018}, {"sampling", 0.17}, {"phonons", nullptr}, {"total", 0.171}};
  summary["simulate"] = {
      {"probe_slices", 12345678},
      {"error_budget",
       {{"detectors", {{"adf", errors}}}, {"sample_probes", 256}, {"converged_sampling_A", 0.025}}}};
  summary["reconstruct"] = {{"method", "resire"}, {"iterations", 100}, {"r_factor", 0.0967}};
  summary["trace"] = {{"atoms", traced.size()},
                      {"by_species", {{"Zr", traced.size()}}},
                      {"crlb_pm", 4.9},
                      {"rejected", {{"too_close", 3}}},
                      {"refinement", {{"moved_rms_A", 0.21}}},
                      {"notes", {"a note of the tracing"}}};
  summary["compare"] = analysis::summarize(comparison, truth, thetas);
  stage("simulate", 171.2);
  stage("reconstruct", 9.1);
  stage("trace", 2.6);
  stage("compare", 0.1);
  summary["version"] = "0.1.0";
  summary["seed"] = 20240907;
  summary["warnings"] = {"detector 'adf' reaches 200 mrad, but only angles up to 65.6 mrad are simulated"};
  write_text(folder / "summary.json", summary.dump(2));
  write_text(folder / "config.resolved.yaml",
             "project: " + nlohmann::json(project).dump() + "\nseed: 20240907\n");
  write_text(folder / "log.txt",
             "2026-01-01 00:00:00  simulate\n2026-01-01 00:00:01  warning: <b>only in the log</b>\n");
}

}  // namespace aetos::test
