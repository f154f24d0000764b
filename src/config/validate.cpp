// What no single key can tell: alternatives, what each stage needs, and input files.
#include <fmt/ranges.h>

#include <set>
#include <utility>

#include "describe.hpp"

namespace aetos::config {
namespace {

namespace fs = std::filesystem;

bool runs(const Master& master, Stage stage) {
  return std::find(master.stages.begin(), master.stages.end(), stage) != master.stages.end();
}

/// At most one of several keys may have a value.
void at_most_one(Reader& r, const std::vector<std::pair<std::string, bool>>& keys) {
  std::string first;
  for (const auto& [key, set] : keys) {
    if (!set) continue;
    if (!first.empty()) {
      const auto other = first.substr(first.rfind('.') + 1);
      return r.fail(r.place_of(key), fmt::format("'{}' beside '{}'", key.substr(key.rfind('.') + 1), other),
                    "one of the two");
    }
    first = key;
  }
}

void check_exposure(Reader& r, const multislice::MicroscopeOptions& m) {
  at_most_one(r, {{"microscope.dose_e_per_A2", m.dose_e_per_A2.has_value()},
                  {"microscope.dose_total_e_per_A2", m.dose_total_e_per_A2.has_value()},
                  {"microscope.screen_current_pA", m.screen_current_pA.has_value()}});
  if (m.screen_current_pA && !m.dwell_us)
    r.fail(r.place_of("microscope.screen_current_pA"), "a current without a dwell time",
           "'dwell_us' beside it");
  if (m.dwell_us && !m.screen_current_pA)
    r.fail(r.place_of("microscope.dwell_us"), "a dwell time without a current",
           "'screen_current_pA' beside it");
}

void check_focal_spread(Reader& r, const multislice::MicroscopeOptions& m) {
  at_most_one(r, {{"microscope.focal_spread_A", m.focal_spread_A > 0}, {"microscope.Cc_A", m.Cc_A > 0}});
  if (m.Cc_A > 0 && m.energy_spread_eV == 0)
    r.fail(r.place_of("microscope.Cc_A"), "a chromatic aberration without a spread of the energy",
           "'energy_spread_eV' beside it");
  if (m.energy_spread_eV > 0 && m.Cc_A == 0)
    r.fail(r.place_of("microscope.energy_spread_eV"), "a spread of the energy without 'Cc_A'",
           "'Cc_A' beside it");
}

void check_detectors(Reader& r, const std::vector<multislice::DetectorOptions>& detectors) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < detectors.size(); ++i) {
    const auto& d = detectors[i];
    const std::string key = "detectors." + std::to_string(i);
    if (!d.name.empty() && !names.insert(d.name).second)
      r.fail(r.place_of(key + ".name"), fmt::format("two detectors named '{}'", d.name),
             "a name of its own for each");
    const bool directions = d.kind == multislice::DetectorKind::com ||
                            (d.kind == multislice::DetectorKind::segmented && d.segments >= 3);
    if (d.idpc && !directions)
      r.fail(r.place_of(key + ".idpc"), "an integrated image of a detector that measures no direction",
             "kind com, or segmented with 3 segments or more");
    if (d.kind == multislice::DetectorKind::com) continue;
    if (!r.given(key + ".outer_mrad"))
      r.fail(r.place_of(key + ".name"), "a detector without 'outer_mrad'", "its outer angle in mrad");
    else if (d.outer_mrad <= d.inner_mrad)
      r.fail(
          r.place_of(key + ".outer_mrad"),
          fmt::format("an outer angle of {} mrad with an inner angle of {} mrad", d.outer_mrad, d.inner_mrad),
          "an outer angle larger than the inner");
  }
}

void check_calibration(Reader& r, const PreprocessOptions& options) {
  if (!options.calibrate) return;
  const auto& spacings = options.calibrate->spacings_A;
  if (!spacings.empty() && spacings.size() != 2)
    r.fail(r.place_of("preprocess.calibrate.spacings_A"), fmt::format("{} spacings", spacings.size()),
           "two, of planes that are not parallel");
}

bool has_atoms(const atoms::SpecimenOptions& specimen) {
  return !specimen.file.empty() || specimen.build;
}

void need_atoms(Reader& r, const atoms::SpecimenOptions& specimen) {
  if (!has_atoms(specimen))
    r.fail(r.place_of("specimen"), "no 'specimen.file'", "a path of an atom file, or 'specimen.build'");
}

void check_alternatives(Reader& r, const Master& m) {
  if (m.specimen) {
    const auto& thermal = m.specimen->thermal;
    at_most_one(r, {{"specimen.thermal.debye_waller_B_A2", thermal.debye_waller_B_A2.has_value()},
                    {"specimen.thermal.rms_displacement_A", thermal.rms_displacement_A.has_value()},
                    {"specimen.thermal.configurations", !thermal.configurations.empty()}});
    at_most_one(
        r, {{"specimen.file", !m.specimen->file.empty()}, {"specimen.build", m.specimen->build.has_value()}});
    // The thermal motion alone is enough for images of atoms that were traced.
    if (m.trace.refine_model != RefineModel::multislice) need_atoms(r, *m.specimen);
  }
  at_most_one(r, {{"tilts.theta_deg", !std::holds_alternative<std::monostate>(m.tilts.theta_deg)},
                  {"tilts.euler_deg", !m.tilts.euler_deg.empty()},
                  {"tilts.file", !m.tilts.file.empty()}});
  at_most_one(r, {{"preprocess.align", m.preprocess.align != Align::none},
                  {"preprocess.shifts", !m.preprocess.shifts.empty()}});
  check_calibration(r, m.preprocess);
  check_exposure(r, m.microscope);
  check_focal_spread(r, m.microscope);
  check_detectors(r, m.detectors);
}

bool has_tilts(const tomography::TiltOptions& tilts) {
  return !std::holds_alternative<std::monostate>(tilts.theta_deg) || !tilts.euler_deg.empty() ||
         !tilts.file.empty();
}

void check_simulation(Reader& r, const Master& m) {
  if (!m.specimen)
    r.fail(r.place_of("specimen"), "missing, and the simulate stage needs it", "specimen: {file: ...}");
  if (m.detectors.empty())
    r.fail(r.place_of("detectors"), "no detectors, and the simulate stage needs one",
           "detectors, as in [{name: adf, kind: annular, inner_mrad: 39.4, outer_mrad: 200}]");
  // A tilt key with a wrong value has been told already.
  const bool told = std::any_of(r.errors.begin(), r.errors.end(), [](const InputError& e) {
    return e.place().find("tilts.") != std::string::npos;
  });
  if (!has_tilts(m.tilts) && !told)
    r.fail(r.place_of("tilts"), "no tilt angles, and the simulate stage needs at least one angle",
           "theta_deg, euler_deg or file");
}

/// "x.mat:array" -> "x.mat", unless a file has that whole name.
fs::path file_of(const std::string& source) {
  std::error_code error;
  const auto colon = source.rfind(':');
  const bool array =
      colon != std::string::npos && colon > source.find_last_of('/') && !fs::exists(source, error);
  return array ? source.substr(0, colon) : source;
}

void need_file(Reader& r, const std::string& key, const std::string& source) {
  std::error_code error;
  const fs::path file = file_of(source);
  if (fs::is_directory(file, error))
    r.fail(r.place_of(key), fmt::format("'{}' is a folder", file.string()), "a file");
  else if (!fs::exists(file, error))
    r.fail(r.place_of(key), fmt::format("there is no file '{}'", file.string()), "an existing file");
}

/// Whether a path is only the standard name of a stage's file (`input: volume.h5`). It means the run's own
/// file if this config makes one, or if no such file lies beside the config.
bool means_own_file(const Reader& r, const std::vector<Stage>& configured, const std::string& key,
                    const std::string& source, Stage maker, const std::string& standard_name) {
  const auto place = r.places.find(key);
  const bool by_set = place != r.places.end() && place->second.starts_with("--");
  const fs::path beside = ((by_set ? fs::current_path() : r.folder) / standard_name).lexically_normal();
  std::error_code error;
  const bool makes = std::find(configured.begin(), configured.end(), maker) != configured.end();
  return source == beside && (makes || !fs::exists(beside, error));
}

/// The input of a stage: a file, or what the stage before leaves in the run's folder.
void settle_input(Reader& r, const Master& m, const std::vector<Stage>& configured, const std::string& key,
                  std::string& source, Stage maker, const std::string& standard_name) {
  if (means_own_file(r, configured, key, source, maker, standard_name)) source.clear();
  const std::string stage = key.substr(0, key.find('.'));
  const bool runs_now =
      std::any_of(m.stages.begin(), m.stages.end(), [&](Stage s) { return stage == stage_name(s); });
  if (!runs_now) return;
  std::error_code error;
  const fs::path own = fs::path(m.output) / standard_name;
  if (!source.empty())
    need_file(r, key, source);
  else if (!runs(m, maker) && !fs::exists(own, error))
    r.fail(r.place_of(key), fmt::format("no file is given, and '{}' is not there", own.string()),
           fmt::format("a file, or the {} stage before", stage_name(maker)));
}

/// Files that a builder reads, and what its kind cannot do without.
void check_build(Reader& r, const atoms::BuildOptions& build, atoms::Origin origin) {
  const bool fills = build.kind == atoms::BuildKind::fill_oxygen;
  if (fills && build.file.empty())
    r.fail(r.place_of("specimen.build"), "fill-oxygen without a 'file'", "the model to fill");
  if (fills && !build.file.empty()) need_file(r, "specimen.build.file", build.file);
  if (!fills && origin == atoms::Origin::cell_centre)
    r.fail(r.place_of("specimen.origin"), "cell_centre for a specimen that is built about its origin",
           "file or centroid");
  const std::pair<const char*, const std::optional<atoms::SolidOptions>&> solids[] = {
      {"crystal", build.crystal}, {"core", build.core}, {"shell", build.shell}, {"second", build.second}};
  for (const auto& [name, solid] : solids)
    if (solid && !solid->file.empty())
      need_file(r, std::string("specimen.build.") + name + ".file", solid->file);
}

void check_specimen(Reader& r, const atoms::SpecimenOptions& specimen) {
  if (specimen.build) check_build(r, *specimen.build, specimen.origin);
  if (!specimen.file.empty()) need_file(r, "specimen.file", specimen.file);
  const auto& snapshots = specimen.thermal.configurations;
  if (!snapshots.empty()) need_file(r, "specimen.thermal.configurations", snapshots);
}

/// Who reads the images first: the preprocess stage where the config has one, whose series then goes on.
void settle_images(Reader& r, Master& m, const std::vector<Stage>& configured) {
  auto& own = m.reconstruct.input;
  auto& first = m.preprocess.input;
  if (m.preprocessed) {
    if (means_own_file(r, configured, "reconstruct.input", own, Stage::preprocess, "preprocessed.h5"))
      own.clear();
    if (means_own_file(r, configured, "reconstruct.input", own, Stage::simulate, "tilt_series.h5"))
      own.clear();
    if (!own.empty() && !first.empty() && own != first)
      r.fail(r.place_of("reconstruct.input"), "'reconstruct.input' beside 'preprocess.input'",
             "one of the two: the preprocess stage reads it, and reconstruct reads what that makes");
    if (!own.empty()) first = std::exchange(own, {});
  }
  settle_input(r, m, configured, "preprocess.input", first, Stage::simulate, "tilt_series.h5");
  if (m.preprocessed)
    settle_input(r, m, configured, "reconstruct.input", own, Stage::preprocess, "preprocessed.h5");
  else
    settle_input(r, m, configured, "reconstruct.input", own, Stage::simulate, "tilt_series.h5");
  if (runs(m, Stage::preprocess) && !m.preprocess.shifts.empty())
    need_file(r, "preprocess.shifts", m.preprocess.shifts);
  if (runs(m, Stage::preprocess) && m.preprocess.calibrate && !m.preprocess.calibrate->file.empty())
    need_file(r, "preprocess.calibrate.file", m.preprocess.calibrate->file);
}

/// Whether the section asks for more than the mending that reconstruct does by itself.
bool asks_for_preprocessing(const PreprocessOptions& p) {
  return p.calibrate.has_value() || p.denoise != Denoise::none || p.background != Background::none ||
         p.align != Align::none || !p.shifts.empty() || p.normalize != Normalize::none;
}

/// What the stage analyze reads: a model, and what measures of intensity need beside it.
void settle_analysis(Reader& r, Master& m, const std::vector<Stage>& configured) {
  if (m.analyze.input != "specimen")
    settle_input(r, m, configured, "analyze.input", m.analyze.input, Stage::trace, "atoms.extxyz");
  if (m.analyze.needs_volume())
    settle_input(r, m, configured, "analyze.volume", m.analyze.volume, Stage::reconstruct, "volume.h5");
  if (m.analyze.needs_images())
    // Where images come from elsewhere, the series is what was made of them.
    m.preprocess.input.empty() ? settle_input(r, m, configured, "analyze.images", m.analyze.images,
                                              Stage::simulate, "tilt_series.h5")
                               : settle_input(r, m, configured, "analyze.images", m.analyze.images,
                                              Stage::preprocess, "preprocessed.h5");
}

void check_files(Reader& r, Master& m, const std::vector<Stage>& configured) {
  const bool against_specimen = runs(m, Stage::compare) && m.compare.reference == "specimen";
  const bool of_specimen = runs(m, Stage::analyze) && m.analyze.input == "specimen";
  if (of_specimen && !m.specimen)
    r.fail(r.place_of("analyze.input"), "the specimen as input, but no specimen is given",
           "specimen, or a file here");
  if (m.specimen && (runs(m, Stage::simulate) || against_specimen || of_specimen)) {
    if (m.trace.refine_model == RefineModel::multislice) need_atoms(r, *m.specimen);
    check_specimen(r, *m.specimen);
  }
  if (against_specimen && !m.specimen)
    r.fail(r.place_of("compare.reference"), "the specimen as reference, but no specimen is given",
           "specimen: {file: ...}, or a file here");
  if (runs(m, Stage::compare) && !against_specimen) need_file(r, "compare.reference", m.compare.reference);
  if (!m.tilts.file.empty() && !m.stages.empty()) need_file(r, "tilts.file", m.tilts.file);
  const auto& support = m.reconstruct.support;
  if (runs(m, Stage::reconstruct) && support != "auto" && support != "none")
    need_file(r, "reconstruct.support", support);
  if (runs(m, Stage::reconstruct) && !m.reconstruct.truth.empty())
    need_file(r, "reconstruct.truth", m.reconstruct.truth);

  settle_images(r, m, configured);
  settle_input(r, m, configured, "trace.input", m.trace.input, Stage::reconstruct, "volume.h5");
  settle_input(r, m, configured, "compare.model", m.compare.model, Stage::trace, "atoms.extxyz");
  settle_analysis(r, m, configured);
  // The images of the refinement may be absent: then there is none.
  if (means_own_file(r, configured, "trace.images", m.trace.images, Stage::simulate, "tilt_series.h5"))
    m.trace.images.clear();
  if (runs(m, Stage::trace) && !m.trace.images.empty()) need_file(r, "trace.images", m.trace.images);
}

/// What refinement needs; the images of traced atoms are simulated with these keys.
void check_refinement(Reader& r, const Master& m) {
  if (runs(m, Stage::trace) && m.trace.refine_angles && !m.trace.refine)
    r.fail(r.place_of("trace.refine_angles"), "angles to refine, but no refinement", "trace.refine: true");
  if (!runs(m, Stage::trace) || m.trace.refine_model != RefineModel::multislice) return;
  const std::string place = r.place_of("trace.refine_model");
  if (!m.trace.refine) r.fail(place, "a model for the refinement, but no refinement", "trace.refine: true");
  if (std::none_of(m.detectors.begin(), m.detectors.end(),
                   [](const auto& d) { return d.kind == multislice::DetectorKind::annular; }))
    r.fail(place, "multislice without an annular detector", "the detector of the images under `detectors`");
  if (m.trace.species.empty() && !(m.specimen && has_atoms(*m.specimen)))
    r.fail(place, "multislice, but nothing says what the atoms are", "trace.species");
  if (m.multislice.mode == multislice::Mode::plane_wave)
    r.fail(place, "multislice beside `multislice.mode: plane_wave`", "images of a scanned probe");
}

void check_measures(Reader& r, const Master& m) {
  for (std::size_t i = 0; i < m.analyze.sections.size(); ++i) {
    const auto& n = m.analyze.sections[i].normal;
    if (n[0] == 0 && n[1] == 0 && n[2] == 0)
      r.fail(r.place_of(fmt::format("analyze.sections.{}.normal", i)), "a direction of length 0",
             "[x, y, z]");
  }
  if (m.analyze.asks_for("profiles") && m.analyze.profiles.empty())
    r.fail(r.place_of("analyze.measures"), "'profiles' without a line",
           "analyze.profiles, as in [{from_A: [-10, 0], to_A: [10, 0]}]");
  for (std::size_t i = 0; i < m.analyze.profiles.size(); ++i) {
    const auto& p = m.analyze.profiles[i];
    if (p.from_A == p.to_A)
      r.fail(r.place_of(fmt::format("analyze.profiles.{}.to_A", i)), "a line of length 0",
             "an end other than its beginning");
    if (runs(m, Stage::analyze) && !p.image.empty())
      need_file(r, fmt::format("analyze.profiles.{}.image", i), p.image);
  }
  for (const auto& measure : m.analyze.measures)
    if (std::find(kMeasures.begin(), kMeasures.end(), measure) == kMeasures.end())
      r.fail(r.place_of("analyze.measures"), "unknown measure '" + measure + "'",
             fmt::format("of {}", fmt::join(kMeasures, ", ")));
}

std::vector<Stage> stages_by_sections(const Reader& r, const Master& m) {
  std::vector<Stage> stages;
  if (m.specimen && has_atoms(*m.specimen) && r.given("detectors")) stages.push_back(Stage::simulate);
  if (asks_for_preprocessing(m.preprocess)) stages.push_back(Stage::preprocess);
  for (Stage stage : {Stage::reconstruct, Stage::trace, Stage::compare, Stage::analyze})
    if (r.given(stage_name(stage))) stages.push_back(stage);
  return stages;
}

}  // namespace

void validate(Reader& r, Master& m, const std::vector<Stage>& only_stages) {
  check_alternatives(r, m);
  const bool named = r.given("stages");
  const auto configured = named ? m.stages : stages_by_sections(r, m);
  m.stages = only_stages.empty() ? configured : only_stages;
  if (m.stages.empty() && !named && r.errors.empty())  // a misspelt section has been told already
    r.fail(r.file, "nothing to do",
           "'stages', or the sections of a stage (specimen with detectors, reconstruct, trace, compare, "
           "analyze)");
  m.preprocessed = runs(m, Stage::preprocess) ||
                   std::find(configured.begin(), configured.end(), Stage::preprocess) != configured.end();
  check_measures(r, m);
  if (runs(m, Stage::simulate)) check_simulation(r, m);
  check_files(r, m, configured);
  check_refinement(r, m);
  for (const auto& term : multislice::kAberrations)
    if (term.direction_deg && m.microscope.*term.direction_deg != 0 && m.microscope.*term.size_A == 0)
      r.notes.push_back(fmt::format("microscope.{0}_deg has no effect without {0}_A", term.name));
}

}  // namespace aetos::config
