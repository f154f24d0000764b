#include "aetos/parallel/journal.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <map>
#include <thread>

#include "aetos/core/random.hpp"
#include "support/temporary_folder.hpp"

namespace aetos {
namespace {

constexpr std::uint64_t kSeed = 7;

/// A payload of 0 to 40,000 bytes that follows from its key.
std::vector<std::byte> payload_of(Journal::Key key) {
  const auto draw = random::words(kSeed, random::Domain::test, {0, 0, key});
  std::vector<std::byte> bytes(draw[0] % 40000);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>((draw[1] + i * (draw[2] | 1u)) >> 8);
  return bytes;
}

/// Numbers that a process still shows after it was killed.
struct Witness {
  std::atomic<std::uint64_t> appended{0}, flushed{0};  ///< one past the last key
};

class SharedWitness {
 public:
  SharedWitness()
      : memory_(mmap(nullptr, sizeof(Witness), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
        witness_(new (memory_) Witness) {}
  ~SharedWitness() { munmap(memory_, sizeof(Witness)); }
  SharedWitness(const SharedWitness&) = delete;
  SharedWitness& operator=(const SharedWitness&) = delete;
  Witness* operator->() const { return witness_; }

 private:
  void* memory_;
  Witness* witness_;
};

/// Appends from `first` on until it is killed.
[[noreturn]] void append_for_ever(const std::filesystem::path& folder, Journal::Key first,
                                  const SharedWitness& witness) {
  Journal journal(folder, "config", 0, 1e9);
  for (Journal::Key key = first;; ++key) {
    journal.append(key, payload_of(key));
    witness->appended = key + 1;
    if (key % 16 == 15) {
      journal.flush();
      witness->flushed = key + 1;
    }
  }
}

TEST(JournalRecovery, SurvivesKillsAtRandomMoments) {
  const test::TemporaryFolder folder;
  const SharedWitness witness;
  Journal::Key next = 0;
  for (std::uint32_t kill_number = 0; kill_number < 30; ++kill_number) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) append_for_ever(folder.path(), next, witness);
    // Some records later, wherever the next one stands by then. A busy machine may take its time for them.
    const auto drawn = random::words(kSeed, random::Domain::test, {1, kill_number, 0});
    const std::uint64_t records = next + drawn[0] % 20;
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (witness->appended < records && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds(drawn[1] % 2000));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself";

    const auto places = Journal::scan(folder.path(), "config");
    // Complete records alone, without a gap. The kernel outlives the process, so all that was appended is
    // there, not only what was flushed; the record that was being written may be there or not.
    const std::uint64_t appended = witness->appended, found = places.size();
    ASSERT_GE(found, witness->flushed);
    ASSERT_GE(found, appended);
    ASSERT_LE(found, appended + 1);
    Journal::Key expected = 0;
    for (const auto& [key, place] : places) {
      ASSERT_EQ(key, expected++);
      if (key >= next) {
        ASSERT_EQ(Journal::read(place), payload_of(key));
      }
    }
    next = found;
  }
  EXPECT_GT(next, 100u) << "too little was written to test anything";
}

/// A power cut keeps what was flushed and an arbitrary part of the rest: here any length of the file's end
/// may be missing or zero.
TEST(JournalRecovery, LosesOnlyTheUnflushedEndInAPowerCut) {
  const test::TemporaryFolder folder;
  const Journal::Key flushed = 5, appended = 9;
  std::uint64_t safe_size = 0;
  std::filesystem::path file;
  {
    Journal journal(folder.path(), "config", 0, 1e9);
    file = journal.path();
    for (Journal::Key key = 0; key < appended; ++key) {
      if (key == flushed) {
        journal.flush();
        safe_size = std::filesystem::file_size(file);
      }
      journal.append(key, payload_of(key));
    }
  }
  const std::uint64_t full_size = std::filesystem::file_size(file);
  for (std::uint64_t cut = full_size; cut > safe_size;
       cut -= std::min<std::uint64_t>(cut - safe_size, 3001)) {
    std::filesystem::resize_file(file, cut);
    std::filesystem::resize_file(file, full_size);  // grows again by zeros, as after a lost write-back
    const auto places = Journal::scan(folder.path(), "config");
    EXPECT_GE(places.size(), flushed);
    for (const auto& [key, place] : places) EXPECT_EQ(Journal::read(place), payload_of(key));
  }
}

}  // namespace
}  // namespace aetos
