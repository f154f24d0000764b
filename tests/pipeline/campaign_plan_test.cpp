// Members of a campaign: which there are, what they are called, and what stands on disk for them.
#include <gtest/gtest.h>

#include "aetos/core/error.hpp"
#include "aetos/pipeline/campaign.hpp"
#include "aetos/pipeline/campaign_script.hpp"
#include "support/small_run.hpp"

namespace aetos::test {
namespace {

namespace campaign = pipeline::campaign;
namespace fs = std::filesystem;

const char* const kSection =
    "campaign:\n"
    "  particles: ['*.extxyz']\n"
    "  sweep: {microscope.dose_e_per_A2: [100, 9600], reconstruct.iterations: [5]}\n"
    "  slurm: {account: aet, nodes: 2, ranks: 8, time: 2-12, setup: [module load openmpi]}\n";

std::string config_with(const TemporaryFolder& folder, const std::string& section) {
  return write_small_run(folder, small_config() + section);
}

TEST(CampaignPlan, EveryParticleWithEveryCombinationInAFixedOrder) {
  const auto members = campaign::expand(
      {"/a/small one.extxyz", "/a/big.extxyz"},
      {{"microscope.dose_e_per_A2", {"100", "9600"}}, {"tilts", {"{theta_deg: 1}", "{theta_deg: 2}"}}});
  std::vector<std::string> names;
  for (const auto& member : members) names.push_back(member.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"0001-small-one-dose100-tilts1", "0002-small-one-dose100-tilts2",
                                      "0003-small-one-dose9600-tilts1", "0004-small-one-dose9600-tilts2",
                                      "0005-big-dose100-tilts1", "0006-big-dose100-tilts2",
                                      "0007-big-dose9600-tilts1", "0008-big-dose9600-tilts2"}));
  EXPECT_EQ(members[6].varied[0].second, "9600");
  EXPECT_EQ(members[6].particle, "/a/big.extxyz");
  EXPECT_EQ(campaign::expand({}, {{"seed", {"1", "2"}}}).size(), 2u);
}

TEST(CampaignPlan, APatternGivesItsFilesSortedAndOnce) {
  const TemporaryFolder folder;
  for (const char* name : {"b.xyz", "a.xyz", "c.mat"}) folder.write(name, "");
  const auto at = [&](const char* name) { return (folder.path() / name).string(); };
  EXPECT_EQ(campaign::expand_particles({at("c.mat"), at("*.xyz"), at("a.xyz"), at("missing.xyz")}),
            (std::vector<std::string>{at("c.mat"), at("a.xyz"), at("b.xyz"), at("missing.xyz")}));
  EXPECT_THROW(campaign::expand_particles({at("*.pdb")}), InputError);
}

TEST(CampaignPlan, WritesConfigsThatRunAsTheyStand) {
  const TemporaryFolder folder;
  const auto config = config_with(folder, kSection);
  folder.write("broken.extxyz", "not atoms\n");
  const auto [made, members] = campaign::make(config, {}, std::nullopt);
  ASSERT_EQ(members.size(), 4u);
  campaign::write(made, members, false);
  const auto back = campaign::read(made.folder);
  ASSERT_EQ(back.members.size(), 4u);
  EXPECT_NE(back.members[2].problem, "");  // broken.extxyz, and the others go on
  EXPECT_EQ(back.members[1].problem, "");
  EXPECT_GT(back.members[1].cost["core_hours"], 0.0);
  EXPECT_GT(back.members[1].cost["bytes_written"], 0.0);
  const auto member = config::load((back.folder_of(back.members[1]) / "config.yaml").string());
  EXPECT_EQ(member.microscope.dose_e_per_A2, 9600);
  EXPECT_EQ(member.specimen->file, (folder.path() / "atoms.extxyz").string());
  EXPECT_EQ(member.output, (back.folder_of(back.members[1]) / "run").string());
  EXPECT_TRUE(member.campaign.particles.empty());
}

TEST(CampaignPlan, PlanningTwiceChangesNothingAndARunIsNotReplaced) {
  const TemporaryFolder folder;
  const auto config = config_with(folder, kSection);
  const auto [made, members] = campaign::make(config, {}, std::nullopt);
  campaign::write(made, members, false);
  const auto written = fs::last_write_time(made.folder_of(made.members[0]) / "config.yaml");
  const auto [again, same] = campaign::make(config, {}, std::nullopt);
  campaign::write(again, same, false);
  EXPECT_EQ(fs::last_write_time(made.folder_of(made.members[0]) / "config.yaml"), written);
  // What a member costs is measured anew on each plan, and is no part of what it is.
  for (std::size_t i = 0; i < members.size(); ++i) {
    EXPECT_EQ(same[i].config_yaml, members[i].config_yaml);
    EXPECT_EQ(same[i].member.name, members[i].member.name);
  }

  const auto run = made.folder_of(made.members[0]) / "run";
  fs::create_directories(run);
  const auto [other, changed] = campaign::make(config, {{"seed", "8"}}, std::nullopt);
  EXPECT_THROW(campaign::write(other, changed, false), InputError);
  EXPECT_TRUE(fs::exists(run));
  campaign::write(other, changed, true);
  EXPECT_FALSE(fs::exists(run));
}

TEST(CampaignPlan, WhatIsWrongForEveryMemberIsAnError) {
  const TemporaryFolder folder;
  for (const char* section :
       {"campaign: {particles: []}\n",
        "campaign: {particles: [atoms.extxyz], sweep: {microscope.voltage: [300]}}\n",
        "campaign: {particles: [atoms.extxyz], sweep: {seed: []}}\n",
        "campaign: {particles: [atoms.extxyz], sweep: {output: [a, b]}}\n",
        "campaign: {particles: [atoms.extxyz], slurm: {time: soon}}\n",
        "campaign: {particels: [atoms.extxyz]}\n", "campaign: {particles: [missing.extxyz]}\n"})
    EXPECT_THROW(campaign::make(config_with(folder, section), {}, std::nullopt), InputError) << section;
}

TEST(CampaignScript, TheOneInJobsIsTheOneThatCampaignsUse) {
  config::SlurmOptions slurm;
  slurm.ranks = 32;
  EXPECT_EQ(campaign::job_script(slurm, 1, "build/release/bin/aetos"),
            read_file(fs::path(AETOS_SOURCE_DIR) / "jobs/array_over_particles.sbatch"));
}

TEST(CampaignScript, WhatNobodyEditsIsTheSameInEveryScriptOfOneRun) {
  const auto end_of = [](const char* script) {
    const auto text = read_file(fs::path(AETOS_SOURCE_DIR) / "jobs" / script);
    const auto at = text.find("# ---- From here on nothing needs to be edited");
    return at == std::string::npos ? std::string(script) : text.substr(at);
  };
  EXPECT_EQ(end_of("single_run.sbatch"), end_of("many_node_run.sbatch"));
  EXPECT_EQ(end_of("single_run.sbatch"), end_of("parameter_sweep.sbatch"));
}

TEST(CampaignPlan, SaysHowManyJobsTheLongestMemberTakes) {
  campaign::Campaign made{"/tmp/x", "test", {}, {{"0001", ""}}};
  made.members[0].cost = {{"wall_hours", 5.0}};
  for (const auto& [limit, jobs] : std::map<std::string, int>{
           {"24:00:00", 1}, {"2:00:00", 3}, {"150", 2}, {"90:30", 4}, {"1-0", 1}, {"0-1:30", 4}}) {
    made.options.slurm.time = limit;
    EXPECT_EQ(campaign::to_json(made)["jobs_of_longest"], jobs) << limit;
  }
}

TEST(CampaignScript, TheTablesJobRunsOnOneRankWhereTheMembersRun) {
  config::SlurmOptions slurm;
  slurm.partition = "main";
  slurm.ranks = 64;
  slurm.setup = {"module load openmpi"};
  const auto script = campaign::collector_script(slurm, "/opt/aetos", "/data/my run");
  for (const char* line : {"#SBATCH --partition=main\n", "#SBATCH --ntasks=1\n", "\nmodule load openmpi\n",
                           "campaign collect '/data/my run'\n"})
    EXPECT_NE(script.find(line), std::string::npos) << script;
}

TEST(CampaignScript, TextOfTheUserStaysInItsPlace) {
  config::SlurmOptions slurm;
  slurm.partition = "fat\nrm -rf x";
  slurm.launcher = "srun";
  slurm.setup = {"module load openmpi"};
  const auto script = campaign::job_script(slurm, 3, "/opt/it's here/aetos");
  EXPECT_NE(script.find("#SBATCH --partition=fat rm -rf x\n"), std::string::npos);
  EXPECT_NE(script.find("aetos=${AETOS:-'/opt/it'\\''s here/aetos'}\n"), std::string::npos);
  EXPECT_NE(script.find("\nmodule load openmpi\n"), std::string::npos);
  EXPECT_NE(script.find("launcher=(srun --mpi=pmix)\n"), std::string::npos);
  EXPECT_NE(script.find("\nmax_retries=3\n"), std::string::npos);
  const TemporaryFolder folder;
  EXPECT_EQ(run_shell("bash -n " + folder.write("job.sbatch", script)).code, 0);
}

}  // namespace
}  // namespace aetos::test
