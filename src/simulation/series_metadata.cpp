#include "aetos/simulation/series_metadata.hpp"

#include "aetos/atoms/measures.hpp"
#include "aetos/multislice/focal_series.hpp"

namespace aetos::simulation {
namespace {

void describe_microscope(const Request& request, const Plan& plan, io::Metadata& m) {
  const auto& o = request.microscope;
  m.numbers = {{"voltage_kV", o.voltage_kV},
               {"convergence_mrad", o.convergence_mrad},
               {"defocus_A", o.defocus_A},
               {"C30_A", o.C30_A},
               {"C12_A", o.C12_A},
               {"C12_deg", o.C12_deg},
               {"beam_tilt_x_mrad", o.beam_tilt_mrad[0]},
               {"beam_tilt_y_mrad", o.beam_tilt_mrad[1]},
               {"focal_spread_A", multislice::focal_spread_A(o)},
               {"focal_points", static_cast<double>(multislice::focal_series(o).size())},
               {"source_fwhm_A", o.source_fwhm_A},
               {"wavelength_A", plan.wavelength_A},
               {"probe_step_A", plan.scan.step_A()}};
  for (const auto& term : multislice::kAberrations) {
    if (o.*term.size_A == 0) continue;
    m.numbers[std::string(term.name) + "_A"] = o.*term.size_A;
    if (term.direction_deg) m.numbers[std::string(term.name) + "_deg"] = o.*term.direction_deg;
  }
  if (o.dose_e_per_A2) m.numbers["dose_e_per_A2"] = *o.dose_e_per_A2;
  if (o.dose_total_e_per_A2) m.numbers["dose_total_e_per_A2"] = *o.dose_total_e_per_A2;
  if (o.screen_current_pA) m.numbers["screen_current_pA"] = *o.screen_current_pA;
  if (o.dwell_us) m.numbers["dwell_us"] = *o.dwell_us;
  m.texts["focus_reference"] =
      o.focus_reference == multislice::FocusReference::centre ? "centre" : "entrance";
}

const char* kind_word(multislice::DetectorKind kind) {
  using multislice::DetectorKind;
  switch (kind) {
    case DetectorKind::annular:
      return "annular";
    case DetectorKind::radial:
      return "radial";
    case DetectorKind::com:
      return "com";
    case DetectorKind::segmented:
      return "segmented";
    case DetectorKind::pixelated:
      return "pixelated";
    case DetectorKind::image:
      return "image";
  }
  return "";
}

void describe_detectors(const Request& request, const Plan& plan, io::Metadata& m) {
  for (std::size_t d = 0; d < request.detectors.size(); ++d) {
    const auto& asked = request.detectors[d];
    m.texts[asked.name + "_kind"] = kind_word(asked.kind);
    m.numbers[asked.name + "_inner_mrad"] = asked.inner_mrad;
    m.numbers[asked.name + "_outer_mrad"] = asked.outer_mrad > 0 ? asked.outer_mrad : plan.angle_limit_mrad;
    m.numbers[asked.name + "_covered_share"] = plan.detectors.covered_share[d];
    if (asked.kind == multislice::DetectorKind::segmented) {
      m.numbers[asked.name + "_rings"] = asked.rings;
      m.numbers[asked.name + "_segments"] = asked.segments;
      m.numbers[asked.name + "_rotation_deg"] = asked.rotation_deg;
    }
    if (!noise_of(asked).is_none()) {
      m.numbers[asked.name + "_offset_electrons"] = asked.offset_electrons;
      m.numbers[asked.name + "_gain_sd"] = asked.gain_sd;
      m.numbers[asked.name + "_read_noise_electrons"] = asked.read_noise_electrons;
    }
    if (asked.kind == multislice::DetectorKind::radial)
      m.numbers[asked.name + "_step_mrad"] = asked.step_mrad;
  }
}

void describe_multislice(const Request& request, const Plan& plan, const Window& window, io::Metadata& m) {
  const auto& o = request.multislice;
  m.numbers["sampling_x_A"] = plan.grid.sampling_x_A;
  m.numbers["sampling_y_A"] = plan.grid.sampling_y_A;
  m.numbers["slice_A"] = o.slice_A;
  m.numbers["angle_limit_mrad"] = plan.angle_limit_mrad;
  m.numbers["window_x_px"] = static_cast<double>(window.px[1]);
  m.numbers["window_y_px"] = static_cast<double>(window.px[0]);
  if (window.error_estimate) m.numbers["window_error_estimate"] = *window.error_estimate;
  m.texts["slicing"] = o.slicing == multislice::Slicing::projected ? "projected" : "finite";
  m.texts["parametrization"] =
      o.parametrization == multislice::Parametrization::kirkland ? "kirkland" : "lobato";
  m.texts["detector_edges"] = o.detector_edges == multislice::DetectorEdges::area ? "area" : "hard";
}

void describe_errors(const ErrorBudget& budget, io::Metadata& m) {
  for (std::size_t d = 0; d < budget.detectors.size(); ++d) {
    const std::string name = budget.detectors[d] + "_error_";
    m.numbers[name + "window"] = budget.window[d];
    m.numbers[name + "slice"] = budget.slice[d];
    m.numbers[name + "sampling"] = budget.sampling[d];
    m.numbers[name + "phonons"] = budget.phonons[d];
    m.numbers[name + "total"] = budget.total[d];
  }
  m.numbers["error_budget_converged_sampling_A"] = budget.converged_A;
  m.numbers["error_budget_sample_probes"] = static_cast<double>(budget.probes);
}

void describe_sample(const Request& request, const Plan& plan, io::Metadata& m) {
  m.texts["file"] = request.specimen_options.build ? "build" : request.specimen_options.file;
  m.numbers["atoms"] = static_cast<double>(plan.sites.atom.size());
  for (const auto& [symbol, count] : atoms::count_by_species(request.specimen))
    m.numbers["sites_" + symbol] = static_cast<double>(count);
  m.numbers["frozen_phonons"] = static_cast<double>(plan.configurations());
  m.numbers["largest_rms_displacement_A"] = plan.thermal.largest_rms_A();
  m.numbers["seed"] = static_cast<double>(request.seed);
}

}  // namespace

io::TiltSeriesInfo series_info(const Request& request, const Plan& plan, const Window& window,
                               const std::optional<ErrorBudget>& budget, const std::vector<Signal>& signals) {
  io::TiltSeriesInfo info;
  info.tilts = request.tilts.size();
  info.ny = plan.scan.ny;
  info.nx = plan.scan.nx;
  info.pixel_A = plan.scan.pixel_A;
  info.angles = request.tilts;
  for (const auto& s : signals)
    for (auto& name : image_names(request, plan, s)) info.signals.push_back(std::move(name));
  info.electrons_per_pixel = plan.electrons_per_pixel;
  describe_microscope(request, plan, info.microscope);
  describe_detectors(request, plan, info.microscope);
  describe_multislice(request, plan, window, info.microscope);
  if (request.multislice.mode == multislice::Mode::plane_wave) {
    // What stands for them is the objective aperture of each image.
    for (const char* of_a_probe : {"convergence_mrad", "probe_step_A"})
      info.microscope.numbers.erase(of_a_probe);
    info.microscope.texts["mode"] = "plane_wave";
  }
  if (budget) describe_errors(*budget, info.microscope);
  describe_sample(request, plan, info.sample);
  return info;
}

}  // namespace aetos::simulation
