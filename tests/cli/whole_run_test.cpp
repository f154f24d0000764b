#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "aetos/io/atomic_file.hpp"
#include "aetos/io/tilt_series.hpp"
#include "support/python.hpp"
#include "support/same_results.hpp"
#include "support/small_run.hpp"

/// The main job as a user starts it, on one to four ranks: same bits, and nothing lost when it is killed.
namespace aetos::test {
namespace {

namespace fs = std::filesystem;

nlohmann::json summary_of(const fs::path& run) {
  return nlohmann::json::parse(read_file(run / "summary.json"));
}

class WholeRun : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    config_ = write_small_run(*folder_);
    const auto outcome = run_aetos("run " + config_);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static fs::path run() { return folder_->path() / "run"; }
  static std::string at(const std::string& name) { return (folder_->path() / name).string(); }

  static TemporaryFolder* folder_;
  static std::string config_;
};
TemporaryFolder* WholeRun::folder_ = nullptr;
std::string WholeRun::config_;

TEST_F(WholeRun, FindsEveryAtomWhereItWas) {
  const auto summary = summary_of(run());
  EXPECT_EQ(summary["trace"]["atoms"], 6);
  EXPECT_EQ(summary["compare"]["matched"], 6);
  EXPECT_EQ(summary["compare"]["false_atoms"], 0);
  EXPECT_LT(summary["compare"]["rmsd_pm"].get<double>(), 20);
  for (const char* file : {"config.resolved.yaml", "tilt_series.h5", "volume.h5", "atoms.extxyz",
                           "comparison.json", "summary.json", "log.txt", "report.html"})
    EXPECT_TRUE(fs::exists(run() / file)) << file;
}

TEST_F(WholeRun, CheckPredictsTheBoundThatTheImagesSet) {
  const auto plan = nlohmann::json::parse(run_aetos("check " + config_ + " --json").output);
  const double predicted = plan["stages"]["trace"]["crlb_pm"], found = summary_of(run())["trace"]["crlb_pm"];
  EXPECT_NEAR(predicted / found, 1, 0.3) << predicted << " and " << found;
}

TEST_F(WholeRun, TakesTheMemoryThatCheckSays) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer takes memory of its own";
#endif
  const auto plan = nlohmann::json::parse(run_aetos("check " + config_ + " --json").output);
  const auto summary = summary_of(run());
  for (const char* stage : {"simulate", "reconstruct", "trace"}) {
    const double said = plan["stages"][stage]["memory_per_rank_MiB"],
                 peak = summary[stage]["peak_memory_MiB"];
    EXPECT_NEAR(said / peak, 1, 0.2) << stage << ": " << said << " and " << peak << " MiB";
  }
}

TEST_F(WholeRun, GivesTheSameBitsOnAnyNumberOfRanks) {
  for (int ranks : {2, 3, 4}) {
    const auto other = at("ranks" + std::to_string(ranks));
    const auto outcome = run_aetos("run " + config_ + " --output " + other, ranks);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    expect_same_results(run(), other);
    EXPECT_TRUE(std::regex_search(
        outcome.output, std::regex(fmt::format("on this machine: {} rank\\(s\\), OMP_NUM_THREADS 1, "
                                               "[0-9]+ processor\\(s\\) allowed",
                                               ranks))))
        << outcome.output;
  }
}

TEST_F(WholeRun, GivesTheSameBitsWithThreadsInTheLibraries) {
  const auto outcome = run_aetos("run " + config_ + " --output " + at("threads"), 1,
                                 "OMP_NUM_THREADS=3 OPENBLAS_NUM_THREADS=3");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  expect_same_results(run(), at("threads"));
}

/// With these plans loaded, the volume differs by 5e-7 of its peak.
TEST_F(WholeRun, TakesNoWisdomThatTheMachineKeepsForFftw) {
  if (run_shell("command -v fftwf-wisdom && unshare --mount true").code != 0)
    GTEST_SKIP() << "needs fftwf-wisdom, and root to lay its file under /etc for one process";
  const auto made = run_shell(fmt::format(
      "cp -a /etc {0} && mkdir -p {0}/fftw && fftwf-wisdom -n -o {0}/fftw/wisdomf rof120 rob120", at("etc")));
  ASSERT_EQ(made.code, 0) << made.output;
  const std::string fourier = "run " + config_ + " --set reconstruct.projector=fourier --output ";
  const auto without = run_aetos(fourier + at("no-wisdom"));
  ASSERT_EQ(without.code, 0) << without.output;
  const auto with = run_aetos(fourier + at("wisdom"), 1,
                              "unshare --mount sh -c 'mount --bind " + at("etc") +
                                  " /etc && test -s /etc/fftw/wisdomf && exec \"$@\"' sh");
  ASSERT_EQ(with.code, 0) << with.output;
  expect_same_results(at("no-wisdom"), at("wisdom"));
}

TEST_F(WholeRun, RefinedAgainstSimulatedImagesOnAnyNumberOfRanks) {
  const std::string only = "trace " + config_ + " --set trace.refine_model=multislice --output ";
  const auto bits = [&](const std::string& name, int ranks) {
    fs::copy(run(), at(name), fs::copy_options::recursive);
    const auto outcome = run_aetos(only + at(name) + " --overwrite", ranks);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    return read_file(fs::path(at(name)) / "atoms.extxyz");
  };
  const auto one = bits("multislice1", 1);
  EXPECT_EQ(bits("multislice3", 3), one);
  EXPECT_NE(read_file(run() / "atoms.extxyz"), one);
  EXPECT_GT(summary_of(at("multislice1"))["trace"]["refinement"]["bias_removed_pm"].get<double>(), 0);
  EXPECT_FALSE(fs::exists(fs::path(at("multislice1")) / "work" / "trace"));
  const auto linear = nlohmann::json::parse(run_aetos("check " + config_ + " --json").output);
  const auto both = nlohmann::json::parse(
      run_aetos("check " + config_ + " --json --set trace.refine_model=multislice").output);
  const auto hours_of_trace = [](const nlohmann::json& plan) {
    return plan["stages"]["trace"]["core_hours"].get<double>();
  };
  EXPECT_GT(hours_of_trace(linear), 0);
  EXPECT_GT(hours_of_trace(both), hours_of_trace(linear));
  EXPECT_GT(both["core_hours"].get<double>(), linear["core_hours"].get<double>());
}

TEST_F(WholeRun, HintsForFilesChangeHowTheyAreWrittenNotWhat) {
  const std::string hints =
      "run " + config_ +
      " --set files.aggregators=2 --set files.buffer_MiB=1 --set 'files.hints=[cb_foo=7]'"
      " --overwrite --log-level debug --output " +
      at("hints");
  const std::string buffer = "cb_buffer_size: 1048576 asked, 1048576 in use";
  for (const char* without_ompio : {"OMPI_MCA_io=romio321", "OMPI_MCA_io=^ompio"}) {
    const auto romio = run_aetos(hints, 3, without_ompio);
    ASSERT_EQ(romio.code, 0) << romio.output;
    for (const auto& said :
         {buffer, std::string("cb_nodes: 2 asked, 2 in use"), std::string("cb_foo: 7 asked")})
      EXPECT_NE(romio.output.find(said), std::string::npos) << without_ompio << ": " << romio.output;
    expect_same_results(run(), at("hints"));
  }

  // OMPIO writes wrong files with another number of aggregators than its own, so that it does not get one.
  const auto ompio = run_aetos(hints, 3, "OMPI_MCA_io=ompio");
  ASSERT_EQ(ompio.code, 0) << ompio.output;
  EXPECT_NE(ompio.output.find(buffer), std::string::npos) << ompio.output;
  EXPECT_NE(ompio.output.find("is left out: Open MPI's OMPIO"), std::string::npos) << ompio.output;
  EXPECT_EQ(ompio.output.find("cb_nodes: 2"), std::string::npos) << ompio.output;
  expect_same_results(run(), at("hints"));
  // They are no part of what the run is: it goes on without.
  EXPECT_NE(
      run_aetos("run " + config_ + " --resume --output " + at("hints")).output.find("simulate: already done"),
      std::string::npos);
}

TEST_F(WholeRun, ResolvedConfigGivesTheSameRun) {
  const auto again = at("again");
  const auto outcome =
      run_aetos("run " + (run() / "config.resolved.yaml").string() + " --output " + again, 2);
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  expect_same_results(run(), again);
}

TEST_F(WholeRun, IsNotReplacedWithoutAWord) {
  const auto before = read_file(run() / "summary.json");
  EXPECT_EQ(run_aetos("run " + config_).code, 2);
  EXPECT_EQ(run_aetos("run " + config_ + " --set seed=8").code, 2);
  EXPECT_EQ(read_file(run() / "summary.json"), before);
  const auto changed = run_aetos("run " + config_ + " --resume --set microscope.defocus_A=5");
  EXPECT_EQ(changed.code, 2);
  EXPECT_NE(changed.output.find("microscope.defocus_A"), std::string::npos) << changed.output;
  EXPECT_EQ(run_aetos("run " + config_ + " --resume").code, 0);
}

TEST_F(WholeRun, VerifiesAndSeesAChangedFile) {
  EXPECT_EQ(run_aetos("verify " + run().string()).code, 0);
  const auto copy = folder_->path() / "copy";
  fs::copy(run(), copy, fs::copy_options::recursive);
  std::ofstream(copy / "atoms.extxyz", std::ios::app) << "\n";
  const auto outcome = run_aetos("verify " + copy.string());
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.output.find("atoms.extxyz"), std::string::npos);
}

TEST_F(WholeRun, FilesNameWhatTheyWereMadeFrom) {
  const auto atoms = folder_->path() / "atoms.extxyz";
  const std::string digest = io::sha256_hex_of_file(atoms);
  const auto info = run_aetos("info " + (run() / "tilt_series.h5").string() + " --json");
  EXPECT_NE(info.output.find(digest + "  "), std::string::npos) << info.output;
  EXPECT_NE(read_file(run() / "run.json").find(digest), std::string::npos);
  for (const char* file : {"comparison.json", "analysis.json"}) {
    const auto made = nlohmann::json::parse(read_file(run() / file)).at("made_by");
    EXPECT_EQ(made.at("version"), summary_of(run())["version"]) << file;
    EXPECT_EQ(made.at("seed"), 7) << file;
    EXPECT_TRUE(fs::exists(run() / made.at("config").get<std::string>())) << file;
    EXPECT_EQ(made.at("fingerprint").get<std::string>().size(), 64u) << file;
  }
  EXPECT_NE(read_file(run() / "comparison.json").find(digest), std::string::npos);
  for (const char* file : {"atoms.extxyz", "atoms-analyzed.extxyz"})
    for (const char* words : {" seed=7", " aetos_version=", " fingerprint=", " config=config.resolved.yaml"})
      EXPECT_NE(read_file(run() / file).find(words), std::string::npos) << file << words;
}

TEST_F(WholeRun, StageByStageIsTheWholeRun) {
  const auto steps = at("steps");
  for (const char* stage : {"simulate", "reconstruct", "trace", "compare", "analyze"}) {
    const auto outcome = run_aetos(std::string(stage) + " " + config_ + " --output " + steps, 2);
    ASSERT_EQ(outcome.code, 0) << stage << ": " << outcome.output;
  }
  expect_same_results(run(), steps);
}

TEST_F(WholeRun, MoreIterationsGoOnWhereTheRunEnded) {
  const auto grown = at("grown"), direct = at("direct");
  const std::string to = "reconstruct " + config_ + " --output ";
  fs::create_directories(grown);
  fs::create_directories(direct);
  const std::string input = " --set reconstruct.input=" + (run() / "tilt_series.h5").string();
  ASSERT_EQ(run_aetos(to + grown + input + " --set reconstruct.iterations=10").code, 0);
  const auto more = run_aetos(to + grown + input + " --set reconstruct.iterations=20 --resume");
  ASSERT_EQ(more.code, 0) << more.output;
  ASSERT_EQ(run_aetos(to + direct + input + " --set reconstruct.iterations=20", 2).code, 0);
  const auto x = io::read_volume_planes(grown + "/volume.h5", {0, 30});
  const auto y = io::read_volume_planes(direct + "/volume.h5", {0, 30});
  EXPECT_TRUE(std::equal(x.begin(), x.end(), y.begin(), y.end()));
}

TEST_F(WholeRun, KilledAndResumedEndsInTheSameBits) {
  const auto killed = at("killed");
  const std::string command = "run " + config_ + " --set checkpoint_interval_s=0.05 --output " + killed;
  // Cut the run at growing times, on changing numbers of ranks, until it gets through.
  int code = -1;
  for (int attempt = 0; attempt < 12 && code != 0; ++attempt) {
    const int ranks = 1 + attempt % 3;
    const double seconds = 0.3 + 0.25 * attempt;
    const std::string resume = attempt == 0 ? "" : " --resume";
    const auto outcome =
        run_shell(fmt::format("env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 timeout -s KILL "
                              "{} mpirun --oversubscribe -q "
                              "-n {} {} {}{} </dev/null",
                              seconds, ranks, AETOS_BINARY, command,
                              attempt > 0 && fs::exists(killed + "/run.json") ? resume : ""));
    code = outcome.code;
    ASSERT_NE(code, 2) << outcome.output;
  }
  if (code != 0) code = run_aetos(command + " --resume", 2).code;
  ASSERT_EQ(code, 0);
  expect_same_results(run(), killed);
}

TEST_F(WholeRun, TimeLimitAndSignalsEndWithCode75) {
  const auto limited = at("limited");
  const std::string longer =
      " --set scan.field_A=24 --set specimen.thermal.frozen_phonons=8 --output " + limited;
  const auto outcome = run_aetos("run " + config_ + longer + " --time-limit 0:01", 2);
  EXPECT_EQ(outcome.code, 75) << outcome.output;
  const auto signalled = run_shell(
      "env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 timeout -s TERM 1.5 " +
      std::string(AETOS_BINARY) + " run " + config_ + longer + " --resume </dev/null; echo code $?");
  EXPECT_NE(signalled.output.find("--resume goes on"), std::string::npos) << signalled.output;
}

/// In the stage that a fault point keeps long enough; mpirun passes SIGUSR1 on. Once more while it stops.
TEST_F(WholeRun, SignalsToMpirunEndInGoodOrderAlsoInASolverOfPetsc) {
  struct Signalled {
    const char *name, *held_at, *begun, *keys;
  };
  for (const auto& [name, held_at, begun, keys] :
       {Signalled{"usr1", "simulate-item", "window", ""},
        {"petsc", "reconstruct-iteration", "reconstructing", " --set reconstruct.method=bqnls"}}) {
    SCOPED_TRACE(name);
    const std::string command = "run " + config_ + " --output " + at(name) + keys;
    const auto stopped = run_shell(
        fmt::format("{} &\n"
                    "for i in $(seq 3000); do grep -q {} {}/log.txt 2>/dev/null && break; sleep 0.01; done\n"
                    "kill -USR1 $!; sleep 0.05; kill -USR1 $!; wait $!; echo code $?",
                    aetos_command(command, 2, fmt::format("AETOS_FAULT={},slow", held_at)), begun, at(name)));
    EXPECT_NE(stopped.output.find("code 75"), std::string::npos) << stopped.output;
    EXPECT_NE(stopped.output.find("stopped by SIGUSR1"), std::string::npos) << stopped.output;
    EXPECT_EQ(stopped.output.find("PETSC ERROR"), std::string::npos) << stopped.output;
    const auto resumed = run_aetos(command + " --resume", 2);
    ASSERT_EQ(resumed.code, 0) << resumed.output;
    const auto direct = at(std::string(name) + "-direct");
    ASSERT_EQ(run_aetos("run " + config_ + " --output " + direct + keys, 2).code, 0);
    expect_same_results(direct, at(name));
  }
}

TEST_F(WholeRun, TooLargeForTheMachineIsToldAtOnceWithWaysOut) {
  const auto huge = run_aetos("check " + config_ + " --set scan.field_A=2000");
  EXPECT_EQ(huge.code, 2) << huge.output;
  EXPECT_NE(huge.output.find("memory"), std::string::npos) << huge.output;
  EXPECT_NE(huge.output.find("a smaller window or field"), std::string::npos) << huge.output;
}

TEST_F(WholeRun, InfoKnowsEveryOutput) {
  for (const char* file : {"tilt_series.h5", "volume.h5", "atoms.extxyz"}) {
    const auto outcome = run_aetos("info --json " + (run() / file).string());
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_TRUE(nlohmann::json::accept(outcome.output)) << outcome.output;
  }
}

TEST_F(WholeRun, OneTiltAndADetectorBeyondTheBandAreTakenAndRecorded) {
  const auto outcome = run_aetos(
      "simulate " + config_ +
      " --set tilts.theta_deg=30"
      " --set 'detectors=[{name: adf, kind: annular, inner_mrad: 39.4, outer_mrad: 200}]' --output " +
      at("one"));
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("the simulated angles end at 65.6 mrad"), std::string::npos)
      << outcome.output;
  const auto series = io::read_tilt_series_info(at("one/tilt_series.h5"));
  ASSERT_EQ(series.angles.size(), 1u);
  EXPECT_EQ(series.angles[0].theta_deg, 30);
  EXPECT_NEAR(series.microscope.numbers.at("adf_covered_share"), 0.072, 0.001);
  EXPECT_NEAR(summary_of(at("one"))["simulate"]["covered_share"]["adf"].get<double>(), 0.072, 0.001);
}

/// Readers refuse arrays whose axes lack them (py4DSTEM's does), also axes of one value.
TEST_F(WholeRun, EveryAxisOfEveryArrayHasANameAndAUnit) {
  if (!python_has("h5py")) GTEST_SKIP() << "python3-h5py is not installed";
  const auto outcome = run_aetos(
      "run " + config_ +
      " --set tilts.theta_deg=30 --set stages=[simulate,preprocess,reconstruct] --set preprocess.align=none"
      " --set 'detectors=[{name: adf, kind: annular, inner_mrad: 39.4, outer_mrad: 60},"
      "{name: cam, kind: pixelated, outer_mrad: 60}]' --output " +
      at("axes"));
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const auto script = folder_->write("axes.py", R"(
import sys, h5py
for path in sys.argv[1:]:
    arrays = 0
    def look(name, group):
        global arrays
        if 'emd_group_type' not in group.attrs: return
        arrays += 1
        for i in range(group['data'].ndim):
            axis = group['dim%d' % (i + 1)]
            assert axis.attrs['name'] and axis.attrs['units'], (path, name, i)
            assert len(axis) in (2, group['data'].shape[i]), (path, name, i)
    h5py.File(path).visititems(look)
    assert arrays > 0, path
)");
  std::string files;
  for (const char* file : {"tilt_series.h5", "diffraction.h5", "preprocessed.h5", "volume.h5"})
    files += " " + at("axes/" + std::string(file));
  EXPECT_EQ(run_python(script, files), 0);
}

/// The stage preprocess between simulation and reconstruction.
TEST_F(WholeRun, PreprocessedImagesGoOnIntoTheVolumeOnAnyNumberOfRanks) {
  const std::string command = "run " + config_ +
                              " --set stages=[simulate,preprocess,reconstruct,trace,compare,analyze]"
                              " --set preprocess.align=common-line --set preprocess.background=plane"
                              " --set preprocess.normalize=total --output ";
  ASSERT_EQ(run_aetos(command + at("pre1")).code, 0);
  const auto summary = summary_of(at("pre1"));
  EXPECT_EQ(summary["preprocess"]["projections"], 15);
  EXPECT_EQ(summary["compare"]["matched"], 6);
  EXPECT_NE(read_file(at("pre1/volume.h5")).find("preprocessed.h5"), std::string::npos);
  EXPECT_NE(read_file(at("pre1/report.html")).find("Preprocessing"), std::string::npos);

  // Killed in the middle on three ranks, it goes on.
  EXPECT_NE(run_aetos(command + at("pre3"), 3, "AETOS_FAULT=preprocess-item,kill,2").code, 0);
  const auto outcome = run_aetos(command + at("pre3") + " --resume", 3);
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  expect_same_results(at("pre1"), at("pre3"));
  EXPECT_EQ(read_file(at("pre1/shifts.csv")), read_file(at("pre3/shifts.csv")));
  const auto images = [&](const std::string& run) {
    return io::read_tilt_series_images(at(run + "/preprocessed.h5"), "adf_noisy", {0, 15});
  };
  const auto a = images("pre1"), b = images("pre3");
  EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
  EXPECT_EQ(run_aetos("verify " + at("pre3")).code, 0);
}

TEST_F(WholeRun, PreprocessAloneTakesTheImagesThatReconstructNames) {
  const auto series = (run() / "tilt_series.h5").string();
  const auto mine = folder_->write("mine.yaml", "output: mine\nreconstruct: {input: " + series +
                                                    ", iterations: 5, projector: real-space}\n"
                                                    "preprocess: {align: centre-of-mass}\n");
  const auto alone = run_aetos("reconstruct " + mine);
  EXPECT_EQ(alone.code, 2) << alone.output;
  EXPECT_NE(alone.output.find("the preprocess stage before"), std::string::npos) << alone.output;
  EXPECT_EQ(run_aetos("check " + mine).code, 0);
  const auto first = run_aetos("preprocess " + mine);
  ASSERT_EQ(first.code, 0) << first.output;
  const auto second = run_aetos("reconstruct " + mine);
  ASSERT_EQ(second.code, 0) << second.output;
  EXPECT_NE(read_file(at("mine/volume.h5")).find("preprocessed.h5"), std::string::npos);
}

}  // namespace
}  // namespace aetos::test
