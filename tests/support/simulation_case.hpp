#pragma once

#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "aetos/io/tilt_series.hpp"
#include "aetos/simulation/simulate.hpp"

/// Small simulations that tests vary: a few atoms at a coarse sampling (angles up to 43.7 mrad), one tilt, so
/// that one takes a fraction of a second.
namespace aetos::test {

struct SimulationCase {
  Structure specimen;
  atoms::SpecimenOptions specimen_options;
  multislice::MicroscopeOptions microscope;
  std::vector<multislice::DetectorOptions> detectors{{.name = "adf", .inner_mrad = 25, .outer_mrad = 40}};
  multislice::ScanOptions scan;
  std::vector<EulerAngles> tilts{EulerAngles{}};
  multislice::MultisliceOptions multislice;
  std::uint64_t seed = 7;

  explicit SimulationCase(const std::vector<Vec3>& atoms) {
    specimen.position = atoms;
    specimen.atomic_number.assign(atoms.size(), 40);
    microscope.convergence_mrad = 20;
    scan.pixel_A = 0.5;
    multislice.sampling_A = 0.15;
    multislice.window = multislice::WindowWidth{9.6};
  }

  simulation::Request request() const {
    return {specimen, specimen_options, microscope, detectors, scan, tilts, multislice, seed};
  }
};

/// Simulates into `folder`/series.h5 with journals in `folder`/work. Collective.
inline nlohmann::json run_simulation(const SimulationCase& c, const Communicator& comm,
                                     const std::filesystem::path& folder, const Stop& stop = Stop()) {
  if (comm.is_root()) std::filesystem::create_directories(folder / "work");
  comm.barrier();
  const RunContext context{.comm = comm,
                           .stop = stop,
                           .output = folder,
                           .work = folder / "work",
                           .fingerprint = std::string(64, 'a'),
                           .config_text = "",
                           .seed = c.seed,
                           .checkpoint_interval_s = 60};
  return simulation::simulate(context, c.request(), folder / "series.h5");
}

inline std::vector<float> read_images(const std::filesystem::path& folder, const std::string& signal) {
  const auto source = (folder / "series.h5").string();
  const auto info = io::read_tilt_series_info(source);
  const auto images = io::read_tilt_series_images(source, signal, {0, info.tilts});
  return {images.begin(), images.end()};
}

/// RMS difference over the RMS of the second.
inline double relative_rms(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += (static_cast<double>(a.at(i)) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    size += static_cast<double>(b[i]) * b[i];
  }
  return std::sqrt(difference / size);
}

}  // namespace aetos::test
