#include "aetos/pipeline/model_images.hpp"

#include <algorithm>

#include "aetos/atoms/thermal.hpp"
#include "aetos/core/error.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/simulation/simulate.hpp"

namespace aetos::pipeline {
namespace {

constexpr std::uint64_t kOtherMotion = 1;  // than that of the simulate stage

/// Displacements of every atom at each tilt: thermal motion as the config describes it by element. Empty
/// without, and where snapshots or columns of a file describe it, whose atoms are not these.
std::vector<atoms::Snapshot> thermal_motion(const config::Master& config,
                                            const tracing::ImagesOfModel& images, std::uint64_t seed) {
  if (!config.specimen) return {};
  atoms::ThermalOptions options = config.specimen->thermal;
  options.configurations.clear();
  options.frozen_phonons = 1;
  const auto motion = atoms::thermal_model(images.atoms, options);
  if (motion.largest_rms_A() == 0) return {};
  std::vector<atoms::Snapshot> snapshots(images.angles.size());
  for (std::size_t t = 0; t < snapshots.size(); ++t)
    for (std::size_t a = 0; a < images.atoms.size(); ++a)
      snapshots[t].push_back(motion.displacement(seed, t, 0, a));
  return snapshots;
}

}  // namespace

const multislice::DetectorOptions* first_annular(const std::vector<multislice::DetectorOptions>& detectors) {
  const auto found = std::find_if(detectors.begin(), detectors.end(), [](const auto& detector) {
    return detector.kind == multislice::DetectorKind::annular;
  });
  return found == detectors.end() ? nullptr : &*found;
}

tracing::SimulatedModel simulate_model(const RunContext& context, const config::Master& config,
                                       const tracing::ImagesOfModel& images) {
  const auto* detector = first_annular(config.detectors);
  if (!detector)
    throw InputError("detectors", "no annular one", "that of the images which atoms are refined against");
  atoms::SpecimenOptions at_rest;
  at_rest.thermal.frozen_phonons = 1;
  multislice::MicroscopeOptions microscope = config.microscope;
  microscope.dose_e_per_A2.reset();
  microscope.dose_total_e_per_A2.reset();
  microscope.screen_current_pA.reset();
  microscope.dwell_us.reset();
  multislice::ScanOptions scan = config.scan;
  scan.pixel_A = images.pixel_A;
  scan.field_A = {static_cast<double>(images.image_px[0]) * images.pixel_A,
                  static_cast<double>(images.image_px[1]) * images.pixel_A};
  multislice::MultisliceOptions multislice = config.multislice;
  multislice.error_budget = false;  // which the images' own simulation told
  const std::uint64_t seed = config.seed + kOtherMotion;
  auto snapshots = thermal_motion(config, images, seed);

  RunContext inside{context};
  inside.work = context.work / "multislice";
  const auto file = inside.work / files::tilt_series;
  context.comm.agree([&] {
    if (context.comm.is_root()) std::filesystem::create_directories(inside.work);
  });
  (void)simulation::simulate(inside,
                             {.specimen = images.atoms,
                              .specimen_options = at_rest,
                              .microscope = microscope,
                              .detectors = {*detector},
                              .scan = scan,
                              .tilts = images.angles,
                              .multislice = multislice,
                              .seed = seed,
                              .snapshots = snapshots},
                             file);
  return {file.string(), std::move(snapshots)};
}

}  // namespace aetos::pipeline
