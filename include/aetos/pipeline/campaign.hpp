#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aetos/config/load.hpp"

/// A campaign: one config, many particles, swept keys. Its folder (the config's `output`) holds
///
///     plan.json          the members and what each costs; made by `plan`
///     campaign.json      what was submitted, with SLURM's job numbers; made by `submit`
///     job.sbatch         the job script, an array over members
///     lists/N.txt        the members of each submission, a folder per line
///     members/NAME/      config.yaml, run/ (an ordinary run), job.log, outcome
///     results.csv, results.json, index.html      made by `collect`
namespace aetos::pipeline::campaign {

namespace files {
inline constexpr const char* plan = "plan.json";
inline constexpr const char* record = "campaign.json";
inline constexpr const char* script = "job.sbatch";
inline constexpr const char* collector = "collect.sbatch";
inline constexpr const char* config = "config.yaml";
inline constexpr const char* run = "run";
inline constexpr const char* job_log = "job.log";
inline constexpr const char* outcome = "outcome";
}  // namespace files

struct Member {
  std::string name;                                           ///< "0001-small-dose9600", also its folder
  std::string particle;                                       ///< file, or empty
  std::vector<std::pair<std::string, std::string>> varied{};  ///< swept keys with their values
  std::vector<std::string> stages{};                          ///< that it is to run, in order
  std::string problem{};                                      ///< why it cannot run; empty where it can
  nlohmann::json cost = nlohmann::json::object();  ///< core_hours, wall_hours, bytes_written, memory...
};

struct Campaign {
  std::filesystem::path folder;
  std::string project;
  config::CampaignOptions options;
  std::vector<Member> members;
  bool fills_oxygen = false;  ///< particles are models for the builder fill-oxygen

  std::filesystem::path folder_of(const Member& member) const { return folder / "members" / member.name; }
};

/// A member with its config as text.
struct PlannedMember {
  Member member;
  std::string config_yaml;
};

/// Files that the patterns name, absolute, each once: in the order of the patterns, those of one pattern
/// sorted. A name without * and ? is taken as it is, whether it is there or not. Throws InputError for a
/// pattern that nothing fits.
std::vector<std::string> expand_particles(const std::vector<std::string>& patterns);

/// Every particle with every combination of values: particles in their order, the last swept key fastest.
/// Names begin with the member's number from 1, so their order is this one.
std::vector<Member> expand(const std::vector<std::string>& particles,
                           const std::vector<config::SweepAxis>& sweep);

/// Reads the config and works out every member, its config, what it costs, and whether it can run. Writes
/// nothing. Throws InputError where the campaign section is wrong, or where no member can run.
std::pair<Campaign, std::vector<PlannedMember>> make(const std::string& config_path, const config::Sets& sets,
                                                     const std::optional<std::string>& output);

/// Writes the plan, the members' configs and the job script; doing it twice changes nothing. Throws
/// InputError if a member that has begun to run would get another config, unless `overwrite`, which removes
/// its run.
void write(const Campaign& campaign, const std::vector<PlannedMember>& members, bool overwrite);

/// The plan of a folder. Throws InputError if there is none.
Campaign read(const std::filesystem::path& folder);
/// The folder of a campaign by its config, or by its own name.
std::filesystem::path folder_of(const std::string& config_or_folder, const config::Sets& sets,
                                const std::optional<std::string>& output);

/// Members, and what they cost in all, for people.
std::string format_plan(const Campaign& campaign);
nlohmann::json to_json(const Campaign& campaign);

}  // namespace aetos::pipeline::campaign
