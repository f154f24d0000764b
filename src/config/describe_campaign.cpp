// The campaign section: particles, swept keys, and what SLURM is asked for.
#include <fmt/format.h>

#include <regex>

#include "describe.hpp"

namespace aetos::config {
namespace {

/// One file or pattern, or a list of them.
Codec<std::vector<std::string>> particles() {
  const auto one = path("a path of a file, or a pattern with * and ?");
  const auto many = list(one);
  auto codec = many;
  codec.about.words = "list of paths, or of patterns with * and ?";
  codec.about.schema = json{{"anyOf", json::array({one.about.schema, many.about.schema})}};
  codec.read = [one, many](Reader& r, const YamlNode& node, std::vector<std::string>& out) {
    if (node.kind != YamlNode::Kind::scalar) return many.read(r, node, out);
    out.resize(1);
    one.read(r, node, out[0]);
  };
  return codec;
}

/// Keys that a campaign sets itself.
const char* owner_of(const std::string& key) {
  if (key == "output" || key == "campaign" || key.starts_with("campaign."))
    return "a key of a run; every member has an output of its own";
  if (key == "specimen.file") return "'particles' for files of atoms";
  return nullptr;
}

Codec<std::vector<SweepAxis>> sweep() {
  Codec<std::vector<SweepAxis>> codec;
  codec.about.words = "map of dotted keys, each with a list of values";
  codec.about.schema =
      json{{"type", "object"}, {"additionalProperties", json{{"type", "array"}, {"minItems", 1}}}};
  codec.read = [](Reader& r, const YamlNode& node, std::vector<SweepAxis>& out) {
    if (node.kind != YamlNode::Kind::map)
      throw InputError(node.place, io::describe_found(node), "a map, as in {microscope.defocus_A: [0, 50]}");
    out.clear();
    for (const auto& [key, values] : node.members) {
      const auto place = place_with_key(values.place, r.dotted(key));
      if (const char* instead = owner_of(key)) r.fail(place, "'" + key + "' in a sweep", instead);
      SweepAxis axis{key, {}};
      if (values.kind == YamlNode::Kind::sequence)
        for (const auto& value : values.items) axis.values.push_back(io::yaml_flow(value));
      if (axis.values.empty())
        r.fail(place, io::describe_found(values), "a list of values that is not empty");
      out.push_back(std::move(axis));
    }
  };
  codec.write = [](const std::vector<SweepAxis>& axes) {
    std::vector<io::YamlMember> members;
    for (const auto& axis : axes) {
      std::vector<YamlNode> values;
      for (const auto& value : axis.values) values.push_back(io::parse_yaml(value, "campaign.sweep"));
      members.emplace_back(axis.key, io::yaml_list(std::move(values)));
    }
    return io::yaml_map(std::move(members));
  };
  return codec;
}

Codec<std::string> time_limit() {
  auto codec = text("SLURM's notation of time, as in 30 (minutes), 12:00:00 or 2-12");
  codec.read = [words = codec.about.words](Reader&, const YamlNode& node, std::string& out) {
    static const std::regex pattern(R"(\d{1,6}(:\d{1,2}){0,2}|\d{1,4}-\d{1,2}(:\d{1,2}){0,2})");
    out = io::as_text(node);
    if (!std::regex_match(out, pattern)) throw InputError(node.place, io::describe_found(node), words);
  };
  return codec;
}

Codec<SlurmOptions> describe_slurm() {
  using S = SlurmOptions;
  const auto name = optional("none", text("text"));
  return group<S>({
      field<S>("account", &S::account, name, "account that is charged; none: the cluster's default"),
      field<S>("partition", &S::partition, name, "partition; none: the cluster's default"),
      field<S>("nodes", &S::nodes, whole(1, 100000), "nodes of each member"),
      field<S>("ranks", &S::ranks, whole(1, 1000000), "ranks of each member, over all its nodes"),
      field<S>("time", &S::time, time_limit(),
               "time limit of a job; a member that needs longer is requeued and goes on"),
      field<S>("at_once", &S::at_once, optional("none", whole(1, 1000000)),
               "members that run at the same time; none: as many as SLURM starts"),
      field<S>("launcher", &S::launcher, word<std::string>({{"mpirun", "mpirun"}, {"srun", "srun"}}),
               "what starts the ranks; srun: with --mpi=pmix"),
      field<S>("setup", &S::setup, list(text("lines of shell")),
               "run in each job before the program, as in [module load openmpi]"),
      field<S>("options", &S::options, list(text("options of sbatch")),
               "further options, as in [--qos=long, --mem=64G]"),
  });
}

}  // namespace

Codec<CampaignOptions> describe_campaign() {
  using S = CampaignOptions;
  return group<S>({
      field<S>("particles", &S::particles, particles(),
               "atom files, each the specimen of a member, or tilt series (.h5, .mat, .mrc), each its "
               "reconstruct.input"),
      field<S>(
          "sweep", &S::sweep, sweep(),
          "keys to vary: each particle is run with every combination (paths among the values: absolute)"),
      field<S>("slurm", &S::slurm, describe_slurm(), "what each member asks of SLURM"),
      field<S>("max_retries", &S::max_retries, whole(0, 100),
               "new starts of a member that failed; one with bad input is not started again by itself"),
  });
}

}  // namespace aetos::config
