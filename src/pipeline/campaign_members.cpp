// From a config with a campaign section to its members.
#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <set>

#include "aetos/core/error.hpp"
#include "aetos/io/yaml_document.hpp"
#include "aetos/pipeline/campaign.hpp"
#include "aetos/pipeline/check.hpp"

namespace aetos::pipeline::campaign {
namespace {

namespace fs = std::filesystem;

bool is_pattern(const std::string& text) {
  return text.find_first_of("*?") != std::string::npos;
}

std::vector<std::string> files_that_fit(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> names;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
    names.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  std::sort(names.begin(), names.end());  // not by the locale, which differs between machines
  return names;
}

/// Letters, digits, dots and dashes alone, so that a name needs no quotes anywhere.
std::string plain_name(const std::string& text, std::size_t longest) {
  std::string name;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_';
    name += plain ? c : '-';
  }
  return name.substr(0, longest);
}

/// "microscope.dose_e_per_A2" and "9600" -> "dose9600"; a value that is no single word gets its number.
std::string part_of_name(const std::string& key, const std::string& value, std::size_t index) {
  const std::string last = key.substr(key.rfind('.') + 1);
  std::string word = plain_name(value, 16);
  if (word != value) word = std::to_string(index + 1);
  return plain_name(last.substr(0, last.find('_')), 16) + word;
}

bool is_image_file(const std::string& path) {
  const auto extension = fs::path(path.substr(0, path.find(':', path.rfind('/') + 1))).extension();
  for (const char* known : {".h5", ".mat", ".mrc", ".st", ".ali", ".emd"})
    if (extension == known) return true;
  return false;
}

/// The key that a particle's file is the value of.
const char* particle_key(const std::string& particle, bool fills_oxygen) {
  if (is_image_file(particle)) return "reconstruct.input";
  return fills_oxygen ? "specimen.build.file" : "specimen.file";
}

config::Sets sets_of(const Member& member, const config::Sets& common, const fs::path& run,
                     bool fills_oxygen) {
  config::Sets sets = common;
  if (!member.particle.empty())
    sets.emplace_back(particle_key(member.particle, fills_oxygen), io::yaml_quoted(member.particle));
  for (const auto& setting : member.varied) sets.push_back(setting);
  sets.emplace_back("output", io::yaml_quoted(run.string()));
  return sets;
}

std::string joined(const std::vector<InputError>& errors) {
  std::string text;
  for (const auto& error : errors) text += (text.empty() ? "" : "; ") + std::string(error.what());
  return text;
}

/// The cost on the cluster. A member too large for this machine may well fit there, so that is only said.
nlohmann::json cost_of(const config::Master& master, int ranks) {
  const auto plan = make_plan(master);
  nlohmann::json cost;
  try {
    cost = check(plan, ranks, ranks);
  } catch (const InputError& e) {
    if (e.place() != "memory") throw;
    return {{"warnings", {std::string("this machine could not hold it: ") + e.what()}}};
  }
  nlohmann::json kept;
  for (const char* key : {"core_hours", "wall_hours", "memory_per_rank_MiB", "bytes_written", "warnings"})
    kept[key] = cost.at(key);
  return kept;
}

PlannedMember planned(Member member, const std::string& config_path, const config::Sets& common,
                      const Campaign& campaign) {
  PlannedMember result;
  try {
    auto [master, errors] = config::read_config(
        config_path, sets_of(member, common, campaign.folder_of(member) / files::run, campaign.fills_oxygen));
    for (const auto stage : master.stages) member.stages.emplace_back(config::stage_name(stage));
    member.problem = joined(errors);
    master.campaign = {};
    result.config_yaml = config::resolved_yaml(master);
    if (errors.empty()) member.cost = cost_of(master, campaign.options.slurm.ranks);
  } catch (const InputError& e) {
    member.problem = e.what();
  }
  result.member = std::move(member);
  return result;
}

Campaign read_section(const std::string& config_path, const config::Sets& sets,
                      const std::optional<std::string>& output) {
  const auto reading = config::read_config(config_path, sets, {}, output);
  // What else is wrong may be right with a particle in its place; each member is read on its own.
  std::vector<InputError> errors;
  for (const auto& error : reading.errors)
    if (error.place().find(", campaign") != std::string::npos || error.place().starts_with("--set campaign"))
      errors.push_back(error);
  if (!errors.empty()) throw errors.front();
  const auto& options = reading.master.campaign;
  if (options.particles.empty() && options.sweep.empty())
    throw InputError(config_path, "no particles and no sweep",
                     "campaign: {particles: [...]}, campaign: {sweep: {KEY: [...]}}, or both");
  const auto& specimen = reading.master.specimen;
  const bool fills = specimen && specimen->build && specimen->build->kind == atoms::BuildKind::fill_oxygen;
  return {reading.master.output, reading.master.project, options, {}, fills};
}

}  // namespace

std::vector<std::string> expand_particles(const std::vector<std::string>& patterns) {
  std::vector<std::string> particles;
  std::set<std::string> seen;
  for (const auto& pattern : patterns) {
    const bool several = is_pattern(pattern) && !fs::exists(pattern);
    const auto found = several ? files_that_fit(pattern) : std::vector<std::string>{pattern};
    if (found.empty())
      throw InputError("campaign.particles", "no file fits '" + pattern + "'", "files of atoms or images");
    for (const auto& file : found)
      if (seen.insert(file).second) particles.push_back(file);
  }
  return particles;
}

std::vector<Member> expand(const std::vector<std::string>& particles,
                           const std::vector<config::SweepAxis>& sweep) {
  std::size_t combinations = 1;
  for (const auto& axis : sweep) combinations *= axis.values.size();
  const std::size_t rows = std::max<std::size_t>(1, particles.size());
  if (rows * combinations > 100000)
    throw InputError("campaign", fmt::format("{} members", rows * combinations), "at most 100000");
  std::vector<Member> members;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t combination = 0; combination < combinations; ++combination) {
      Member member;
      if (!particles.empty()) member.particle = particles[row];
      member.name = fmt::format("{:04}", members.size() + 1);
      if (!particles.empty())
        member.name.append("-").append(plain_name(fs::path(member.particle).stem().string(), 40));
      std::size_t rest = combination, block = combinations;
      for (const auto& axis : sweep) {
        block /= axis.values.size();
        const std::size_t index = rest / block;
        rest %= block;
        member.varied.emplace_back(axis.key, axis.values[index]);
        member.name.append("-").append(part_of_name(axis.key, axis.values[index], index));
      }
      members.push_back(std::move(member));
    }
  }
  return members;
}

std::pair<Campaign, std::vector<PlannedMember>> make(const std::string& config_path, const config::Sets& sets,
                                                     const std::optional<std::string>& output) {
  Campaign campaign = read_section(config_path, sets, output);
  std::vector<PlannedMember> members;
  for (auto& member : expand(expand_particles(campaign.options.particles), campaign.options.sweep)) {
    members.push_back(planned(std::move(member), config_path, sets, campaign));
    campaign.members.push_back(members.back().member);
  }
  const bool none = std::all_of(members.begin(), members.end(),
                                [](const auto& planned) { return !planned.member.problem.empty(); });
  if (none)
    throw InputError(config_path,
                     fmt::format("none of the {} members can run; the first, {}: {}", members.size(),
                                 members[0].member.name, members[0].member.problem));
  return {std::move(campaign), std::move(members)};
}

}  // namespace aetos::pipeline::campaign
