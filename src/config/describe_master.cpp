#include "describe.hpp"

namespace aetos::config {
namespace {

Codec<std::vector<Stage>> stages() {
  std::vector<std::pair<std::string, Stage>> words;
  for (Stage stage : kAllStages) words.emplace_back(stage_name(stage), stage);
  const auto many = list(word<Stage>(words), 1);
  auto codec = many;
  codec.about.words = "list of " + word<Stage>(words).about.words;
  codec.read = [many](Reader& r, const YamlNode& node, std::vector<Stage>& out) {
    many.read(r, node, out);
    std::sort(out.begin(), out.end());
    const auto twice = std::adjacent_find(out.begin(), out.end());
    if (twice != out.end())
      throw InputError(node.place, std::string("the stage '") + stage_name(*twice) + "' twice",
                       "each stage once");
  };
  return codec;
}

/// Without stages there is nothing to write: they follow from the sections.
Field<Master> stages_field() {
  const auto codec = stages();
  auto f = field<Master>(
      "stages", &Master::stages, codec,
      "what to run, in this order whatever the list's; default: the stages whose sections are given "
      "(simulate: specimen and detectors)");
  f.write = [codec](const Master& m) -> std::optional<YamlNode> {
    if (m.stages.empty()) return std::nullopt;
    return codec.write(m.stages);
  };
  return f;
}

/// The specimen may be absent: a run on a user's own images has none.
Field<Master> specimen_field() {
  const auto codec = describe_specimen();
  Field<Master> f{"specimen", "the atomic model to simulate", false, codec.about, {}, {}};
  f.read = [codec](Reader& r, const YamlNode& node, Master& m) {
    m.specimen.emplace();
    codec.read(r, node, *m.specimen);
  };
  f.write = [codec](const Master& m) -> std::optional<YamlNode> {
    if (!m.specimen) return std::nullopt;
    return codec.write(*m.specimen);
  };
  return f;
}

Codec<Master> make() {
  using S = Master;
  return group<S>({
      field<S>("project", &S::project, text("text"), "name of the run, for titles"),
      field<S>("output", &S::output, path("a path of a folder"),
               "folder of the run's files; like every path of a config relative to the config file (--output "
               "DIR: to the working directory)"),
      field<S>("seed", &S::seed, seed_number(),
               "of all random numbers: thermal motion, occupancy, noise, clustering"),
      stages_field(),
      field<S>("checkpoint_interval_s", &S::checkpoint_interval_s, number({0, 86400, "10 to 600"}),
               "work done is on disk within this time"),
      specimen_field(),
      field<S>("microscope", &S::microscope, describe_microscope(), "beam, lens and exposure"),
      field<S>("detectors", &S::detectors, list(describe_detector()),
               "what collects the electrons, one item each"),
      field<S>(
          "scan", [](Master& m) -> Master& { return m; }, describe_scan(), "image grid"),
      field<S>("tilts", &S::tilts, describe_tilts(),
               "angles of the projections: one of theta_deg, euler_deg and file"),
      field<S>("multislice", &S::multislice, describe_multislice(), "how images are computed"),
      field<S>("preprocess", &S::preprocess, describe_preprocess(),
               "what happens to images before the reconstruction"),
      field<S>("reconstruct", &S::reconstruct, describe_reconstruct(), "from images to a volume"),
      field<S>("trace", &S::trace, describe_trace(), "from a volume to atoms"),
      field<S>("compare", &S::compare, describe_compare(), "atoms against the truth"),
      field<S>("analyze", &S::analyze, describe_analyze(), "measurements of a model"),
      field<S>("files", &S::files, describe_files(),
               "how many ranks write one file together; for runs on many nodes, changes no result"),
      field<S>("campaign", &S::campaign, describe_campaign(),
               "many runs from this config, by `aetos campaign`; no other command reads it"),
  });
}

}  // namespace

const char* stage_name(Stage stage) {
  switch (stage) {
    case Stage::simulate:
      return "simulate";
    case Stage::preprocess:
      return "preprocess";
    case Stage::reconstruct:
      return "reconstruct";
    case Stage::trace:
      return "trace";
    case Stage::compare:
      return "compare";
    case Stage::analyze:
      return "analyze";
  }
  return "";
}

const Codec<Master>& describe_master() {
  static const Codec<Master> codec = make();
  return codec;
}

}  // namespace aetos::config
