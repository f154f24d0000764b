// Keys of the tilts and of the stages after the simulation.
#include <cmath>

#include "describe.hpp"

namespace aetos::config {
namespace {

using tomography::ReconstructOptions;
using tomography::TiltOptions;
using Theta = decltype(TiltOptions::theta_deg);

constexpr std::size_t kMostTilts = 100000;

Codec<double> angle() {
  return number({-720, 720, "-90 to 90"});
}

Codec<NumberRange> range() {
  using S = NumberRange;
  const auto start_stop = angle();
  return group<S>({
      required(field<S>("start", &S::start, start_stop, "first angle")),
      required(field<S>("stop", &S::stop, start_stop, "last angle, included where the step hits it")),
      required(
          field<S>("step", &S::step, number({-720, 720, "1 to 5"}), "negative where stop is below start")),
  });
}

/// A step that does not lead from start to stop, or leads there in more steps than anybody means.
void check_range(const NumberRange& range, const std::string& place) {
  const double span = range.stop - range.start;
  if (range.step == 0) throw InputError(place, "a step of 0", "a step that leads from start to stop");
  if (span * range.step < 0)
    throw InputError(place,
                     "a step of " + io::yaml_number(range.step).scalar + " from " +
                         io::yaml_number(range.start).scalar + " to " + io::yaml_number(range.stop).scalar,
                     std::string("a ") + (span < 0 ? "negative" : "positive") + " step");
  if (span / range.step > static_cast<double>(kMostTilts))
    throw InputError(place, "more than 100000 angles", "a larger step");
}

/// theta_deg: a number, a list, or {start, stop, step}.
Codec<Theta> theta() {
  const auto one = angle();
  const auto many = list(one, 1);
  const auto steps = range();
  Codec<Theta> codec;
  codec.about.words = "none, or " + one.about.words + ", or a list of such, or {start, stop, step}";
  codec.about.schema["anyOf"] =
      json::array({json{{"const", "none"}}, one.about.schema, many.about.schema, steps.about.schema});
  codec.read = [=](Reader& r, const YamlNode& node, Theta& out) {
    if (node.is_word("none")) return void(out = std::monostate{});
    if (node.kind == YamlNode::Kind::sequence) {
      std::vector<double> values;
      many.read(r, node, values);
      out = std::move(values);
    } else if (node.kind == YamlNode::Kind::map) {
      NumberRange value;
      const auto before = r.errors.size();
      steps.read(r, node, value);
      if (r.errors.size() == before) check_range(value, node.place);
      out = value;
    } else {
      double value = 0;
      one.read(r, node, value);
      out = value;
    }
  };
  codec.write = [=](const Theta& value) {
    if (const auto* v = std::get_if<double>(&value)) return one.write(*v);
    if (const auto* v = std::get_if<std::vector<double>>(&value)) return many.write(*v);
    if (const auto* v = std::get_if<NumberRange>(&value)) return steps.write(*v);
    return io::yaml_plain("none");
  };
  return codec;
}

/// euler_deg: a list of [phi, theta, psi].
Codec<std::vector<EulerAngles>> euler() {
  const auto one = angle();
  Codec<EulerAngles> item;
  item.about.words = "[phi, theta, psi]";
  item.about.schema = json{{"type", "array"}, {"items", one.about.schema}, {"minItems", 3}, {"maxItems", 3}};
  item.read = [one](Reader& r, const YamlNode& node, EulerAngles& out) {
    if (node.kind != YamlNode::Kind::sequence || node.items.size() != 3)
      throw InputError(node.place, io::describe_found(node),
                       "three angles [phi, theta, psi] for each projection");
    one.read(r, node.items[0], out.phi_deg);
    one.read(r, node.items[1], out.theta_deg);
    one.read(r, node.items[2], out.psi_deg);
  };
  item.write = [one](const EulerAngles& a) {
    return io::yaml_list({one.write(a.phi_deg), one.write(a.theta_deg), one.write(a.psi_deg)});
  };
  const auto many = list(item, 1);
  auto codec = many;
  codec.about.words = "none, or list of [phi, theta, psi]";
  codec.about.schema = json{{"anyOf", json::array({json{{"const", "none"}}, many.about.schema})}};
  codec.read = [many](Reader& r, const YamlNode& node, std::vector<EulerAngles>& out) {
    if (node.is_word("none")) return void(out.clear());
    many.read(r, node, out);
  };
  codec.write = [many](const std::vector<EulerAngles>& value) {
    return value.empty() ? io::yaml_plain("none") : many.write(value);
  };
  return codec;
}

Codec<std::vector<std::size_t>> projections() {
  auto codec = list(count(0, kMostTilts));
  codec.about.words = "list of whole numbers, 0 for the first projection";
  return codec;
}

Codec<int> sign() {
  auto codec = whole(-1, 1);
  codec.about.words = "1, -1";
  codec.about.schema = json{{"enum", {1, -1}}};
  codec.read = [](Reader&, const YamlNode& node, int& out) {
    const auto value = io::as_integer(node);
    if (value != 1 && value != -1) throw InputError(node.place, io::describe_found(node), "1 or -1");
    out = static_cast<int>(value);
  };
  return codec;
}

}  // namespace

Codec<TiltOptions> describe_tilts() {
  using S = TiltOptions;
  return group<S>({
      field<S>("theta_deg", &S::theta_deg, theta(), "angles of a plain tilt series about y"),
      field<S>("euler_deg", &S::euler_deg, euler(),
               "instead: Euler angles of each projection, R = Rz(phi) Ry(theta) Rx(psi)"),
      field<S>("file", &S::file, path("a path of .mat[:array], .rawtlt, .tlt, .txt or .csv", {}, "none"),
               "instead: a file of angles, one line or row per projection"),
      field<S>("sign", &S::sign, sign(), "-1 turns every theta round"),
      field<S>("exclude", &S::exclude, projections(), "projections left out, counted from 0"),
  });
}

Codec<ReconstructOptions> describe_reconstruct() {
  using S = ReconstructOptions;
  using tomography::Preconditioner;
  using tomography::Projector;
  using tomography::TiltAxis;
  std::vector<std::pair<std::string, std::string>> names;
  for (const char* name : tomography::kMethods) names.emplace_back(name, name);
  const auto method = word<std::string>(names);
  const auto shape = each_axis<std::size_t, 3>(count(1, 65536), "z, y, x");
  return group<S>({
      field<S>("input", &S::input, path("a path of .h5, .mat[:array] or .mrc", {}, "auto"),
               "images; auto: the series that the preprocess stage made, else the simulate stage"),
      field<S>("signal", &S::signal, text("text: auto, or the name of images in the file"),
               "which images of the file; auto: adf_noisy where there is noise, else adf_blurred"),
      field<S>(
          "method", &S::method, method,
          "RESIRE as published, with Nesterov's acceleration, by ordered subsets; solvers of PETSc TAO and "
          "KSP (docs/solvers.md); the field's baselines"),
      field<S>("iterations", &S::iterations, whole(1, 1000000),
               "updates of the volume, mostly one pass over all projections each"),
      field<S>("subsets", &S::subsets, optional("auto", count(1, 65536)),
               "groups of projections that take turns in os-resire; auto: see docs/solvers.md"),
      field<S>("preconditioner", &S::preconditioner,
               optional("auto", word<Preconditioner>(
                                    {{"none", Preconditioner::none}, {"ramp", Preconditioner::ramp}})),
               "initial Hessian of bqnls: the ramp filter; auto: ramp with bqnls, else none"),
      field<S>(
          "tv_weight", &S::tv_weight, number({0, 1e6, "0 (without), or 1e-4 to 1e-2"}),
          "weight of the smoothed total variation, with PETSc's gradient methods; unit: docs/solvers.md"),
      field<S>("tv_epsilon", &S::tv_epsilon, number({0, 1e6, "1e-3 to 0.1", true}),
               "changes between voxels below this count as none for tv_weight; same unit"),
      field<S>("relative_change", &S::relative_change, number({0, 1, "0 (never), or 1e-4 to 1e-2"}),
               "stop when an iteration changes the volume by less than this share"),
      field<S>("held_out", &S::held_out, projections(),
               "projections kept out of the fit, whose R judges it (R-free), counted from 0"),
      field<S>("patience", &S::patience, whole(0, 1000000),
               "stop when R of held_out has not fallen for so many iterations; 0: never"),
      field<S>("fsc", &S::fsc, boolean(),
               "also reconstruct both halves of the projections, and correlate them shell by shell"),
      field<S>("truth", &S::truth, path("a path of .h5, .mat[:array] or .mrc", {}, "none"),
               "a volume to correlate with shell by shell"),
      field<S>("step", &S::step, number({0.01, 3, "1 to 3"}),
               "step of the gradient descent, in units of 1 / (projections x size along the beam)"),
      field<S>("projector", &S::projector,
               word<Projector>({{"fourier", Projector::fourier}, {"real-space", Projector::real_space}}),
               "forward projection through the Fourier slice, or by splatting voxels"),
      field<S>("oversampling", &S::oversampling, each_axis<double, 3>(number({1, 16, "2 to 4"}), "z, y, x"),
               "zero-padding before the Fourier transform; Fourier projector only"),
      field<S>("nonnegative", &S::nonnegative, boolean(), "voxels below zero are set to zero"),
      field<S>("support", &S::support, path("a path of .h5, .mat[:array] or .mrc", {"auto", "none"}),
               "where the volume may be other than zero"),
      field<S>("volume_px", &S::volume_px, optional("auto", shape),
               "size of the volume; auto: the image's, and as deep as it is wide"),
      field<S>("film", &S::film, boolean(),
               "a film that reaches beyond the images: a volume as wide as its tilted views see is "
               "reconstructed, and its middle of volume_px written"),
      field<S>("refine_angles", &S::refine_angles, boolean(),
               "first refine every projection's angles and shift against the volume (docs/solvers.md)"),
      field<S>("refine_rounds", &S::refine_rounds, whole(1, 1000),
               "rounds of refine_angles at most; it ends when poses settle"),
      field<S>("tilt_axis", &S::tilt_axis, word<TiltAxis>({{"y", TiltAxis::y}, {"x", TiltAxis::x}}),
               "tilt axis in images from elsewhere; x: they are turned"),
  });
}

Codec<TraceOptions> describe_trace() {
  using S = TraceOptions;
  return group<S>({
      field<S>("input", &S::input, path("a path of .h5, .mat[:array] or .mrc", {}, "auto"),
               "volume; auto: the one that the reconstruct stage made"),
      field<S>("images", &S::images, path("a path of .h5, .mat[:array] or .mrc", {}, "auto"),
               "tilt series for the refinement; auto: the one that was reconstructed"),
      field<S>("species", &S::species, list_or_word("auto", element()),
               "elements to tell apart, lightest first; auto: the specimen's heaviest"),
      field<S>("min_distance_A", &S::min_distance_A, number({0, 100, "1.5 to 3"}),
               "a peak nearer than this to a stronger one is dropped"),
      field<S>("threshold", &S::threshold, optional("auto", number({-1e30, 1e30})),
               "least height of a peak, in the volume's units; auto: Otsu's"),
      field<S>("fit_radius_A", &S::fit_radius_A, number({0.05, 20, "0.8 to 1"}),
               "radius of the sphere that a peak is fitted in"),
      field<S>("interpolation", &S::interpolation, whole(1, 16),
               "how much finer the grid about a candidate is"),
      field<S>("integration_A", &S::integration_A, number({0.05, 20, "0.7 to 1.5"}),
               "half the side of the box for the integrated intensity"),
      field<S>("refine", &S::refine, boolean(), "refine positions against the images"),
      field<S>("peak_shape", &S::peak_shape,
               word<PeakShapeChoice>({{"auto", PeakShapeChoice::automatic},
                                      {"gaussian", PeakShapeChoice::gaussian},
                                      {"probe", PeakShapeChoice::probe}}),
               "peaks in the images: Gaussians, or Gaussians convolved with the probe of `microscope` out of "
               "focus; "
               "auto: what fits the images better"),
      field<S>(
          "refine_model", &S::refine_model,
          word<RefineModel>({{"linear", RefineModel::linear}, {"multislice", RefineModel::multislice}}),
          "what predicts the images: a sum of peaks; or that, freed of the errors that it makes on images "
          "simulated of the same atoms (a quarter of the cost of simulate with 4 frozen phonons)"),
      field<S>("refine_angles", &S::refine_angles, boolean(),
               "refine every image's angles and shift together with the atoms (docs/solvers.md)"),
  });
}

Codec<CompareOptions> describe_compare() {
  using S = CompareOptions;
  return group<S>({
      field<S>("model", &S::model, path("a path of an atom file", {}, "auto"),
               "atoms to judge; auto: those that the trace stage found"),
      field<S>("reference", &S::reference, path("a path of an atom file", {"specimen"}),
               "the truth: the specimen of the simulation, or a file"),
      field<S>("match_radius_A", &S::match_radius_A, number({0, 100, "0.5 to 1.5", true}),
               "largest distance of a match"),
      field<S>("rule", &S::rule,
               word<MatchRule>({{"mutual", MatchRule::mutual}, {"nearest", MatchRule::nearest}}),
               "a match: each other's nearest; or the reference atom nearest to each traced one"),
      field<S>(
          "rotate", &S::rotate, boolean(),
          "also remove the small rotation between the models, which no projection of refine_angles tells"),
  });
}

namespace {

Codec<double> length_A(double from, const std::string& usual, bool above = false) {
  return number({from, 100000, usual, above});
}

Codec<SectionOptions> describe_section() {
  using S = SectionOptions;
  return group<S>({
      field<S>("normal", &S::normal, numbers<3>(number({-1000, 1000}), "x, y, z"),
               "direction across the slab"),
      field<S>("through_A", &S::through_A, numbers<3>(length_A(-100000, "-50 to 50"), "x, y, z"),
               "its middle"),
      field<S>("thickness_A", &S::thickness_A, length_A(0, "2.5 to 5.3", true),
               "over which the volume is averaged and atoms shown"),
      field<S>("width_A", &S::width_A, optional("auto", length_A(0, "15 to 200", true)),
               "side of the square shown; auto: the volume's longest side"),
  });
}

Codec<ProfileOptions> describe_profile() {
  using S = ProfileOptions;
  const auto place = length_A(-100000, "-50 to 50");
  return group<S>({
      field<S>("image", &S::image, path("a path of a tilt series", {}, "auto"), "auto: analyze.images"),
      field<S>("signal", &S::signal, text("text: auto, or the name of images in the file"),
               "which images of the file"),
      field<S>("projection", &S::projection, count(0, kMostTilts), "which of the series, counted from 0"),
      required(field<S>("from_A", &S::from_A, numbers<2>(place, "x, y"),
                        "beginning of the line, about the rotation centre")),
      required(field<S>("to_A", &S::to_A, numbers<2>(place, "x, y"), "its end")),
      field<S>("width_A", &S::width_A, length_A(0, "0.3 to 5"),
               "across the line, over which the mean is taken"),
  });
}

}  // namespace

Codec<AnalyzeOptions> describe_analyze() {
  using S = AnalyzeOptions;
  return group<S>({
      field<S>("input", &S::input, path("a path of an atom file", {"specimen"}, "auto"),
               "atoms; auto: those that the trace stage found; specimen: those of the specimen"),
      field<S>(
          "measures", &S::measures, list(text("names of measures")),
          "what to measure: bonds, coordination, order, tetrahedra, voronoi, phases, oxidation, vacancies, "
          "interfaces, facets, dislocations, sigma, slices, sro, intensity, columns, sections, profiles"),
      field<S>("cutoff_A", &S::cutoff_A, optional("auto", number({0, 100, "2.5 to 5", true})),
               "neighbours are nearer than this; auto: the first minimum of the radial distribution"),
      field<S>("alpha_A", &S::alpha_A, number({0, 1000, "3 to 5", true}),
               "tetrahedra of the atoms with a smaller circumradius are the sample"),
      field<S>("isolated", &S::isolated,
               word<Isolated>({{"keep", Isolated::keep}, {"published", Isolated::published}}),
               "crystalline atoms far from others: kept, or set aside as the published clean-up does"),
      field<S>("layer_A", &S::layer_A, number({0, 1000, "2.5 to 5.3", true}),
               "slices: thickness of the layers along z"),
      field<S>("volume", &S::volume, path("a path of a volume", {}, "auto"),
               "intensity and sections: the volume; auto: the reconstruct stage's"),
      field<S>("images", &S::images, path("a path of a tilt series", {}, "auto"),
               "columns and profiles: the images; of columns the first projection counts; auto: the simulate "
               "stage's, or the "
               "preprocess stage's where that has an input of its own"),
      field<S>("radius_A", &S::radius_A, number({0, 10, "0.6 to 1.2", true}),
               "intensity: radius of the spheres in which the volume is averaged"),
      field<S>("sections", &S::sections, list(describe_section()),
               "sections: slabs of the volume with their atoms; none given: the central one, and of each "
               "phase a box of 15 Å "
               "about its innermost site of oxygen, and one about a vacancy"),
      field<S>("profiles", &S::profiles, list(describe_profile()), "profiles: lines across images"),
  });
}

}  // namespace aetos::config
