// Keys of the microscope and the simulation.
#include <fmt/format.h>

#include "aetos/multislice/focal_series.hpp"
#include "describe.hpp"

namespace aetos::config {
namespace {

using namespace multislice;

constexpr double kTurns_deg = 720;
/// Usual sizes of aberrations by order, Å.
constexpr const char* kUsual[] = {"", "0 to 100", "0 to 1e3", "-1e7 to 1e7", "0 to 1e6", "-1e8 to 1e8"};

Codec<std::string> detector_name() {
  auto codec = text("letters, digits, - and _, starting with a letter");
  codec.about.schema["pattern"] = "^[A-Za-z][A-Za-z0-9_-]*$";
  codec.read = [](Reader&, const YamlNode& node, std::string& out) {
    out = io::as_text(node);
    const auto letter = [](unsigned char c) { return std::isalpha(c) != 0; };
    const auto fine = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; };
    if (out.empty() || out.size() > 60 || !letter(static_cast<unsigned char>(out[0])) ||
        !std::all_of(out.begin(), out.end(), fine))
      throw InputError(node.place, io::describe_found(node),
                       "a name of letters, digits, - and _, starting with a letter");
  };
  return codec;
}

using ProbeStep = decltype(ScanOptions::probe_step_A);

Codec<ProbeStep> probe_step() {
  const auto one = number({0.001, 1000, "0.1 to 0.5"});
  Codec<ProbeStep> codec;
  codec.about.words = "pixel, or auto, or " + one.about.words;
  codec.about.schema["anyOf"] = json::array({json{{"enum", {"pixel", "auto"}}}, one.about.schema});
  codec.read = [one](Reader& r, const YamlNode& node, ProbeStep& out) {
    if (node.is_word("pixel")) return void(out = ScanOptions::Pixel{});
    if (node.is_word("auto")) return void(out = ScanOptions::Nyquist{});
    double step = 0;
    try {
      one.read(r, node, step);
    } catch (const InputError& e) {
      throw InputError(e.place(), e.found(), "pixel, auto, or " + e.expected());
    }
    out = step;
  };
  codec.write = [one](const ProbeStep& step) {
    if (const auto* value = std::get_if<double>(&step)) return one.write(*value);
    return io::yaml_plain(std::holds_alternative<ScanOptions::Pixel>(step) ? "pixel" : "auto");
  };
  return codec;
}

/// scan.pixel_A: `auto` is the default in a simulation and what the file says for images from elsewhere.
Field<Master> pixel_field() {
  const auto one = number({0.001, 10000, "0.1 to 1"});
  Field<Master> f;
  f.name = "pixel_A";
  f.meaning = fmt::format(
      "pixel of the images in Å; given, it overrides that of an image file. auto: {} in a simulation, else "
      "what the "
      "image file says",
      ScanOptions{}.pixel_A);
  f.about.words = "auto, or " + one.about.words;
  f.about.schema["anyOf"] = json::array({json{{"const", "auto"}}, one.about.schema});
  f.read = [one](Reader& r, const YamlNode& node, Master& m) {
    m.scan_pixel_given = !node.is_word("auto");
    if (m.scan_pixel_given) one.read(r, node, m.scan.pixel_A);
  };
  f.write = [one](const Master& m) {
    return m.scan_pixel_given ? one.write(m.scan.pixel_A) : io::yaml_plain("auto");
  };
  return f;
}

Codec<Window> window() {
  const auto tolerance = number({1e-6, 0.5, "0.002 to 0.02"});
  const auto width = number({1, 100000, "10 to 40"});
  Codec<Window> codec;
  codec.about.words =
      "{tolerance: " + tolerance.about.words + "}, or {width_A: " + width.about.words + "}, or full";
  const auto only = [](const char* key, const Codec<double>& value) {
    return json{{"type", "object"},
                {"properties", {{key, value.about.schema}}},
                {"required", {key}},
                {"additionalProperties", false}};
  };
  codec.about.schema["anyOf"] =
      json::array({only("tolerance", tolerance), only("width_A", width), json{{"const", "full"}}});
  codec.read = [=](Reader& r, const YamlNode& node, Window& out) {
    if (node.is_word("full")) return void(out = WindowFull{});
    const auto* given = node.members.size() == 1 ? &node.members.front() : nullptr;
    if (given && given->first == "tolerance") {
      WindowTolerance value;
      tolerance.read(r, given->second, value.tolerance);
      out = value;
    } else if (given && given->first == "width_A") {
      WindowWidth value;
      width.read(r, given->second, value.width_A);
      out = value;
    } else {
      const std::string found = given                     ? fmt::format("'{}'", given->first)
                                : node.members.size() > 1 ? "several keys"
                                                          : io::describe_found(node);
      throw InputError(node.place, found, "one of {tolerance: 0.005}, {width_A: 25.6} and full");
    }
  };
  codec.write = [=](const Window& value) {
    if (const auto* t = std::get_if<WindowTolerance>(&value))
      return io::yaml_map({{"tolerance", tolerance.write(t->tolerance)}});
    if (const auto* w = std::get_if<WindowWidth>(&value))
      return io::yaml_map({{"width_A", width.write(w->width_A)}});
    return io::yaml_plain("full");
  };
  return codec;
}

/// C12_A, C12_deg, C21_A, ... C56_deg.
std::vector<Field<MicroscopeOptions>> aberration_fields() {
  std::vector<Field<MicroscopeOptions>> fields;
  for (const auto& term : kAberrations) {
    const std::string name = term.name;
    fields.push_back(field<MicroscopeOptions>(name + "_A", term.size_A, number({-1e12, 1e12, kUsual[term.n]}),
                                              term.meaning));
    if (term.direction_deg)
      fields.push_back(field<MicroscopeOptions>(name + "_deg", term.direction_deg,
                                                number({-kTurns_deg, kTurns_deg, "-180 to 180"}),
                                                "its direction, from x towards y"));
  }
  return fields;
}

}  // namespace

Codec<MicroscopeOptions> describe_microscope() {
  using S = MicroscopeOptions;
  const Limits dose{0, 1e12, "1e2 to 1e6", true};
  std::vector<Field<S>> fields{
      field<S>("voltage_kV", &S::voltage_kV, number({10, 3000, "60 to 300"}), "acceleration voltage"),
      field<S>("convergence_mrad", &S::convergence_mrad, number({0.1, 500, "10 to 40"}),
               "convergence semi-angle of the probe"),
      field<S>("defocus_A", &S::defocus_A, number({-1e6, 1e6, "-200 to 200"}),
               "positive is underfocus: the crossover lies after the reference plane"),
  };
  for (auto& f : aberration_fields()) fields.push_back(std::move(f));
  std::vector<Field<S>> others{
      field<S>(
          "focus_reference", &S::focus_reference,
          word<FocusReference>({{"centre", FocusReference::centre}, {"entrance", FocusReference::entrance}}),
          "plane that defocus is counted from: z = 0 of the specimen at every tilt, or the top face of the "
          "first slice"),
      field<S>(
          "beam_tilt_mrad", &S::beam_tilt_mrad, numbers<2>(number({-100, 100, "-5 to 5"}), "x, y"),
          "tilt of the whole cone of illumination; it turns about the probe's place in the reference plane, "
          "and the detectors stay"),
      field<S>("focal_spread_A", &S::focal_spread_A, number({0, 1e5, "10 to 100"}),
               "standard deviation of the focus, averaged over a focal series; 0: none"),
      field<S>("Cc_A", &S::Cc_A, number({0, 1e9, "1e7 to 3e7"}),
               "instead: chromatic aberration (1e7 is 1 mm), with energy_spread_eV"),
      field<S>("energy_spread_eV", &S::energy_spread_eV, number({0, 100, "0.3 to 1"}),
               "full width at half maximum of the beam's energies, with Cc_A"),
      field<S>(
          "focal_points", &S::focal_points, optional("auto", whole(1, kMostFocalPoints)),
          "points of the focal series (Gauss-Hermite); each costs as much as an image in one focus. auto: as "
          "many as the largest phase needs, 41 at most"),
      field<S>("source_fwhm_A", &S::source_fwhm_A, number({0, 100, "0.5 to 1"}),
               "full width at half maximum of the Gaussian point spread; 0: none"),
      field<S>("dose_e_per_A2", &S::dose_e_per_A2, optional("none", number(dose)),
               "dose of each projection, electrons per Å²; noise is applied only where a dose or a current "
               "is given"),
      field<S>("dose_total_e_per_A2", &S::dose_total_e_per_A2, optional("none", number(dose)),
               "instead: dose of the whole series, split evenly"),
      field<S>("screen_current_pA", &S::screen_current_pA,
               optional("none", number({0, 1e7, "5 to 100", true})), "instead: beam current, with dwell_us"),
      field<S>("dwell_us", &S::dwell_us, optional("none", number({0, 1e9, "1 to 20", true})),
               "time per pixel, with screen_current_pA"),
  };
  for (auto& f : others) fields.push_back(std::move(f));
  return group<S>(std::move(fields));
}

Codec<DetectorOptions> describe_detector() {
  using S = DetectorOptions;
  return group<S>({
      required(field<S>("name", &S::name, detector_name(), "names the images, e.g. adf")),
      field<S>("kind", &S::kind,
               word<DetectorKind>({{"annular", DetectorKind::annular},
                                   {"radial", DetectorKind::radial},
                                   {"com", DetectorKind::com},
                                   {"segmented", DetectorKind::segmented},
                                   {"pixelated", DetectorKind::pixelated},
                                   {"image", DetectorKind::image}}),
               "one image of an annulus (with inner_mrad 0: bright field); rings of step_mrad; the centre of "
               "mass; rings x segments; or whole patterns, to diffraction.h5. With mode plane_wave: image, "
               "through an objective aperture from inner_mrad to outer_mrad; or pixelated"),
      field<S>("inner_mrad", &S::inner_mrad, number({0, 3000, "0 to 100"}), "inner angle"),
      field<S>("outer_mrad", &S::outer_mrad, number({0, 3000, "20 to 250"}),
               "outer angle; all but a centre of mass need one"),
      field<S>("step_mrad", &S::step_mrad, number({0.01, 1000, "1"}),
               "width of a ring of a radial detector, of a pixel of a pixelated one (whose half side is "
               "outer_mrad)"),
      field<S>("rings", &S::rings, whole(1, 100), "of a segmented detector, equally wide"),
      field<S>("segments", &S::segments, whole(1, 360), "of each ring of a segmented detector"),
      field<S>("rotation_deg", &S::rotation_deg, number({-kTurns_deg, kTurns_deg, "-45 to 45"}),
               "where the first segment begins, from x towards y"),
      field<S>("idpc", &S::idpc, boolean(),
               "also integrate the centre of mass (iDPC): of a com detector, or estimated from segments"),
      field<S>("offset_electrons", &S::offset_electrons, number({-1e9, 1e9, "0 to 10"}),
               "electrons that the detector adds to every pixel of a noisy image; these three need a dose or "
               "a current"),
      field<S>("gain_sd", &S::gain_sd, number({0, 10, "0 to 0.5"}),
               "relative standard deviation of what single electrons give (the pulse height); n electrons "
               "then have the noise of n / (1 + gain_sd²)"),
      field<S>("read_noise_electrons", &S::read_noise_electrons, number({0, 1e9, "0 to 5"}),
               "standard deviation of the read-out noise of a pixel"),
      field<S>("tilts", &S::tilts, optional("all", list(count(0, 65535))),
               "at which a pixelated detector is read, counted from 0"),
  });
}

Codec<Master> describe_scan() {
  const auto side = each_axis<double, 2>(number({0, 100000, "20 to 300", true}), "y, x");
  return group<Master>({
      pixel_field(),
      field<Master>(
          "field_A", [](Master & m) -> auto& { return m.scan.field_A; }, optional("auto", side),
          "side of the images in Å; auto holds the particle at every tilt"),
      field<Master>(
          "probe_step_A", [](Master & m) -> auto& { return m.scan.probe_step_A; }, probe_step(),
          "distance of probes in Å: the pixel; auto: pixel / m with the smallest m that meets Nyquist; or a "
          "number"),
  });
}

Codec<MultisliceOptions> describe_multislice() {
  using S = MultisliceOptions;
  return group<S>({
      field<S>(
          "mode", &S::mode, word<Mode>({{"probe", Mode::probe}, {"plane_wave", Mode::plane_wave}}),
          "a focused probe that scans; or a plane wave through the whole cell: high-resolution images and "
          "diffraction patterns"),
      field<S>("sampling_A", &S::sampling_A, number({0.001, 2, "0.03 to 0.1"}),
               "pixel of the potential and the wave; sets the largest simulated angle"),
      field<S>("slice_A", &S::slice_A, number({0.05, 100, "1 to 2"}), "thickness of a slice"),
      field<S>(
          "slicing", &S::slicing,
          word<Slicing>({{"projected", Slicing::projected}, {"finite", Slicing::finite}}),
          "projected: an atom's whole potential in the slice that holds its centre; finite: each slice gets "
          "the integral of the potential over its own thickness"),
      field<S>("parametrization", &S::parametrization,
               word<Parametrization>(
                   {{"kirkland", Parametrization::kirkland}, {"lobato", Parametrization::lobato}}),
               "scattering factors"),
      field<S>("window", &S::window, window(),
               "region that a probe is propagated on: the smallest that keeps the relative RMS error below a "
               "tolerance, one of a given width, or the whole cell"),
      field<S>("detector_edges", &S::detector_edges,
               word<DetectorEdges>({{"area", DetectorEdges::area}, {"hard", DetectorEdges::hard}}),
               "a pixel cut by a detector's edge counts by its area inside, or by its centre (inner <= angle "
               "< outer)"),
      field<S>("ranks_per_wave", &S::ranks_per_wave, optional("auto", whole(1, 100000)),
               "ranks that share one plane wave, or one probe of `window: full`; auto: the smallest power of "
               "two that keeps each below 1 GiB (for probes: above 8192 x 8192 pixels)"),
      field<S>(
          "error_budget", &S::error_budget, optional("auto", boolean()),
          "measure on sample probes how far the images are from converged ones (window, slices, sampling, "
          "phonons), into the summary and the file; auto: where that takes at most 3 % of the run"),
  });
}

}  // namespace aetos::config
