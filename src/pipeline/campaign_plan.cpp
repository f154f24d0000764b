// The plan of a campaign on disk, and in words.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "aetos/core/error.hpp"
#include "aetos/core/progress.hpp"
#include "aetos/core/version.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/json_text.hpp"
#include "aetos/pipeline/campaign.hpp"
#include "aetos/pipeline/campaign_process.hpp"
#include "aetos/pipeline/campaign_script.hpp"

namespace aetos::pipeline::campaign {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

void write_if_changed(const fs::path& path, const std::string& content) {
  if (fs::exists(path) && io::read_text_file(path.string()) == content) return;
  io::write_file_atomically(path, content);
}

bool has_other_config(const fs::path& folder, const std::string& yaml) {
  const auto path = folder / files::config;
  return fs::exists(path) && fs::exists(folder / files::run) && io::read_text_file(path.string()) != yaml;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw InputError(folder.string(), "cannot be created (" + error.message() + ")",
                     "a folder that may be written");
}

Json member_json(const Member& member) {
  Json varied = Json::array();
  for (const auto& [key, value] : member.varied) varied.push_back({key, value});
  return {{"name", member.name},     {"particle", member.particle}, {"varied", varied},
          {"stages", member.stages}, {"problem", member.problem},   {"cost", member.cost}};
}

Member member_of(const Json& json) {
  Member member{json.at("name"), json.at("particle")};
  for (const auto& pair : json.at("varied")) member.varied.emplace_back(pair.at(0), pair.at(1));
  member.stages = json.at("stages");
  member.problem = json.at("problem");
  member.cost = json.at("cost");
  // The name becomes a folder: a damaged plan must not lead elsewhere.
  if (member.name.empty() || member.name.find('/') != std::string::npos || member.name[0] == '.')
    throw InputError(files::plan, "a member named '" + member.name + "'", "a plain name");
  return member;
}

double total(const Campaign& campaign, const char* key) {
  double sum = 0;
  for (const auto& member : campaign.members) sum += member.cost.value(key, 0.0);
  return sum;
}

double largest(const Campaign& campaign, const char* key) {
  double most = 0;
  for (const auto& member : campaign.members) most = std::max(most, member.cost.value(key, 0.0));
  return most;
}

/// SLURM's notation of time: minutes, minutes:seconds, hours:minutes:seconds, days-hours[:minutes[:seconds]].
double hours_of(const std::string& limit) {
  const auto dash = limit.find('-');
  std::vector<double> parts;
  std::istringstream text(dash == std::string::npos ? limit : limit.substr(dash + 1));
  for (std::string part; std::getline(text, part, ':');) parts.push_back(std::stod(part));
  parts.resize(std::max<std::size_t>(parts.size(), dash == std::string::npos ? 1 : 3), 0.0);
  if (dash != std::string::npos) return 24 * std::stod(limit) + parts[0] + parts[1] / 60 + parts[2] / 3600;
  if (parts.size() == 3) return parts[0] + parts[1] / 60 + parts[2] / 3600;
  return parts[0] / 60 + (parts.size() > 1 ? parts[1] / 3600 : 0.0);
}

/// Jobs in a row that the longest member takes under the time limit.
int jobs_of_longest(const Campaign& campaign) {
  const double limit = std::max(hours_of(campaign.options.slurm.time), 1.0 / 60);
  return std::max(1, static_cast<int>(std::ceil(largest(campaign, "wall_hours") / limit)));
}

}  // namespace

Json to_json(const Campaign& campaign) {
  Json members = Json::array();
  for (const auto& member : campaign.members) members.push_back(member_json(member));
  return {{"aetos", kVersion},
          {"project", campaign.project},
          {"folder", campaign.folder.string()},
          {"ranks", campaign.options.slurm.ranks},
          {"max_retries", campaign.options.max_retries},
          {"core_hours", total(campaign, "core_hours")},
          {"longest_wall_hours", largest(campaign, "wall_hours")},
          {"jobs_of_longest", jobs_of_longest(campaign)},
          {"bytes_written", total(campaign, "bytes_written")},
          {"members", members}};
}

void write(const Campaign& campaign, const std::vector<PlannedMember>& members, bool overwrite) {
  for (const auto& [member, yaml] : members) {
    const auto folder = campaign.folder_of(member);
    if (!overwrite && has_other_config(folder, yaml))
      throw InputError(folder.string(), "has been run with other keys than the config says now",
                       "the same keys, another --output, or --overwrite, which removes that run");
  }
  make_folder(campaign.folder / "lists");
  for (const auto& [member, yaml] : members) {
    const auto folder = campaign.folder_of(member);
    make_folder(folder);
    if (has_other_config(folder, yaml)) {
      fs::remove_all(folder / files::run);
      fs::remove(folder / files::outcome);
    }
    if (!yaml.empty()) write_if_changed(folder / files::config, yaml);
  }
  write_if_changed(campaign.folder / files::script,
                   job_script(campaign.options.slurm, campaign.options.max_retries, this_program()));
  write_if_changed(campaign.folder / files::collector,
                   collector_script(campaign.options.slurm, this_program(), campaign.folder.string()));
  write_if_changed(campaign.folder / files::plan, io::json_text(to_json(campaign), 1) + "\n");
}

Campaign read(const fs::path& folder) {
  const auto path = folder / files::plan;
  if (!fs::exists(path))
    throw InputError(folder.string(), "holds no campaign", "one made by: aetos campaign plan CONFIG");
  try {
    const auto json = Json::parse(io::read_text_file(path.string()));
    Campaign campaign{folder, json.at("project"), {}, {}};
    campaign.options.slurm.ranks = json.at("ranks");
    campaign.options.max_retries = json.at("max_retries");
    for (const auto& member : json.at("members")) campaign.members.push_back(member_of(member));
    return campaign;
  } catch (const Json::exception& e) {
    throw InputError(path.string(), std::string("not the plan of a campaign (") + e.what() + ")",
                     "the file that `aetos campaign plan` wrote");
  }
}

fs::path folder_of(const std::string& config_or_folder, const config::Sets& sets,
                   const std::optional<std::string>& output) {
  if (fs::is_directory(config_or_folder)) return fs::absolute(config_or_folder).lexically_normal();
  return config::read_config(config_or_folder, sets, {}, output).master.output;
}

std::string format_plan(const Campaign& campaign) {
  const int ranks = campaign.options.slurm.ranks;
  std::string text = fmt::format("campaign {}, {} members in {}\n", campaign.project, campaign.members.size(),
                                 campaign.folder.string());
  std::size_t impossible = 0;
  for (const auto& member : campaign.members) {
    if (!member.problem.empty()) {
      ++impossible;
      text += fmt::format("  {:<40} cannot run: {}\n", member.name, member.problem);
    } else if (campaign.members.size() <= 40) {
      text +=
          fmt::format("  {:<40} about {:.2g} core-hours, {:.1f} MB\n", member.name,
                      member.cost.value("core_hours", 0.0), member.cost.value("bytes_written", 0.0) / 1e6);
    }
  }
  text += fmt::format(
      "in all about {:.3g} core-hours and {:.1f} MB; the longest member about {} on {} rank(s), {:.0f} MiB "
      "each",
      total(campaign, "core_hours"), total(campaign, "bytes_written") / 1e6,
      format_duration(3600 * largest(campaign, "wall_hours")), ranks,
      largest(campaign, "memory_per_rank_MiB"));
  if (const int jobs = jobs_of_longest(campaign); jobs > 1)
    text += fmt::format("; that is {} jobs in a row under the time limit of {}", jobs,
                        campaign.options.slurm.time);
  if (impossible > 0) text += fmt::format("\n{} of the members cannot run and will be left out", impossible);
  return text;
}

}  // namespace aetos::pipeline::campaign
