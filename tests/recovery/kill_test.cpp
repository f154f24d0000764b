#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <random>
#include <thread>

#include "support/same_results.hpp"
#include "support/small_run.hpp"

/// SIGKILL at random moments of a whole run, for one rank, for all, or for mpirun; resumed on other numbers
/// of ranks. AETOS_KILLS says how many runs are killed (10 where it is not set), AETOS_SEED repeats a series.
namespace aetos::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

int from_environment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

/// mpirun with its ranks, started without a shell in between so that its number is known.
pid_t start(int ranks, const std::string& arguments, const fs::path& log) {
  const pid_t child = fork();
  if (child != 0) return child;
  for (char** e = environ; *e != nullptr; ++e) {
    const std::string entry(*e);
    if (entry.rfind("OMPI_", 0) == 0 || entry.rfind("PMIX_", 0) == 0) {
      unsetenv(entry.substr(0, entry.find('=')).c_str());
      e = environ;
    }
  }
  setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
  setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644), in = open("/dev/null", O_RDONLY);
  dup2(in, 0);
  dup2(out, 1);
  dup2(out, 2);
  const std::string n = std::to_string(ranks);
  std::vector<std::string> words{"mpirun", "--oversubscribe", "-q", "-n", n, AETOS_BINARY};
  std::istringstream stream(arguments);
  for (std::string word; stream >> word;) words.push_back(word);
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execvp("mpirun", argv.data());
  _exit(127);
}

/// Processes of the program that work in this folder.
std::vector<pid_t> ranks_in(const fs::path& folder) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto line = read_file(entry.path() / "cmdline");
    if (line.rfind(AETOS_BINARY, 0) == 0 && line.find(folder.string()) != std::string::npos)
      found.push_back(std::stoi(name));
  }
  return found;
}

/// Waits until mpirun and every rank have gone; false after half a minute.
bool gone(pid_t mpirun, const fs::path& folder) {
  const auto give_up = Clock::now() + std::chrono::seconds(30);
  bool reaped = false;
  while (Clock::now() < give_up) {
    reaped = reaped || waitpid(mpirun, nullptr, WNOHANG) == mpirun;
    if (reaped && ranks_in(folder).empty()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

std::uintmax_t file_size_or_zero(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error ? 0 : size;
}

/// Until then processes may be inside MPI_Init, and Open MPI 4.1 can wait for ever for one that was killed
/// there.
void wait_for_first_word(const fs::path& log, std::uintmax_t said) {
  const auto give_up = Clock::now() + std::chrono::seconds(30);
  while (Clock::now() < give_up && file_size_or_zero(log) == said)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

/// The stage that was in hand: the first one whose result is not there.
std::string stage_in_hand(const fs::path& run) {
  if (!fs::exists(run / "run.json")) return "start";
  for (const auto& [stage, result] : {std::pair{"simulate", "tilt_series.h5"},
                                      {"reconstruct", "volume.h5"},
                                      {"trace", "atoms.extxyz"},
                                      {"compare", "comparison.json"},
                                      {"analyze", "analysis.json"}})
    if (!fs::exists(run / result)) return stage;
  return "report";
}

TEST(RandomKills, EndInTheBitsOfAnUndisturbedRun) {
  const int kills = from_environment("AETOS_KILLS", 10);
  const int seed = from_environment("AETOS_SEED", static_cast<int>(std::random_device{}() & 0xffffff));
  std::printf("AETOS_KILLS=%d AETOS_SEED=%d\n", kills, seed);
  std::mt19937 random(static_cast<unsigned>(seed));
  const auto below = [&](double limit) { return std::uniform_real_distribution<double>(0, limit)(random); };

  TemporaryFolder folder;
  const auto config = write_small_run(folder);
  const auto undisturbed = folder.path() / "undisturbed", run = folder.path() / "killed";
  const auto begin = Clock::now();
  ASSERT_EQ(run_aetos("run " + config + " --output " + undisturbed.string(), 2).code, 0);
  const double whole_s = std::chrono::duration<double>(Clock::now() - begin).count();

  const std::string command = "run " + config + " --set checkpoint_interval_s=0.05 --output " + run.string();
  std::map<std::string, int> kills_by_stage;
  for (int k = 0; k < kills; ++k) {
    fs::remove_all(run);
    const int ranks = 1 + static_cast<int>(below(4)), way = static_cast<int>(below(3));
    const double after_s = below(1.1 * whole_s);
    SCOPED_TRACE(fmt::format("kill {}: {} ranks, after {:.3f} s, {}", k, ranks, after_s,
                             way == 0   ? "one rank"
                             : way == 1 ? "all ranks"
                                        : "mpirun"));
    const auto said = file_size_or_zero(folder.path() / "log.txt");
    const pid_t mpirun = start(ranks, command, folder.path() / "log.txt");
    wait_for_first_word(folder.path() / "log.txt", said);
    std::this_thread::sleep_for(std::chrono::duration<double>(after_s));
    const auto alive = ranks_in(run);
    if (way == 2) kill(mpirun, SIGKILL);
    for (std::size_t r = 0; r < alive.size(); ++r)
      if (way == 1 || (way == 0 && r == random() % alive.size())) kill(alive[r], SIGKILL);
    ASSERT_TRUE(gone(mpirun, run)) << "still there after 30 s";
    ++kills_by_stage[alive.empty() ? "after the end" : stage_in_hand(run)];
    for (const char* file : {"tilt_series.h5", "volume.h5", "atoms.extxyz"})
      if (fs::exists(run / file)) {
        ASSERT_EQ(run_aetos("info " + (run / file).string()).code, 0) << file;
      }
    const bool begun = fs::exists(run / "run.json");
    const auto resumed =
        run_aetos(command + (begun ? " --resume" : " --overwrite"), 1 + static_cast<int>(below(3)));
    ASSERT_EQ(resumed.code, 0) << resumed.output;
    expect_same_results(undisturbed, run);
    if (HasFailure()) break;
  }
  for (const auto& [stage, number] : kills_by_stage) std::printf("killed in %s: %d\n", stage.c_str(), number);
}

}  // namespace
}  // namespace aetos::test
