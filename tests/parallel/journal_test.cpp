#include "aetos/parallel/journal.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/parallel/crc32c.hpp"
#include "support/temporary_folder.hpp"

namespace aetos {
namespace {

using Bytes = std::vector<std::byte>;
constexpr std::size_t kHeaderSize = 48;

Bytes payload_of(Journal::Key key, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((key * 131 + i * 7) & 0xff);
  return bytes;
}

TEST(Crc32c, KnownAnswers) {
  // RFC 3720, appendix B.4, and the common check value.
  const auto of = [](const std::string& text) { return crc32c(std::as_bytes(std::span(text))); };
  EXPECT_EQ(of("123456789"), 0xe3069283u);
  EXPECT_EQ(of(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(of(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(of(""), 0u);
}

TEST(Crc32c, GoesOnFromAnyPlace) {
  const Bytes all = payload_of(1, 1000);
  const std::span<const std::byte> view(all);
  for (std::size_t cut : {0u, 1u, 7u, 8u, 9u, 500u, 999u, 1000u})
    EXPECT_EQ(crc32c(view.subspan(cut), crc32c(view.first(cut))), crc32c(view));
}

class JournalFiles : public ::testing::Test {
 protected:
  void SetUp() override { warnings_before_ = log::warnings().size(); }

  /// A journal with records of keys 0, 1, 2... of `size` bytes each.
  std::filesystem::path write(std::size_t count, std::size_t size = 100, int rank = 0) {
    Journal journal(folder_.path(), "config", rank);
    for (Journal::Key key = 0; key < count; ++key) journal.append(key, payload_of(key, size));
    return journal.path();
  }
  std::vector<Journal::Key> keys(const std::string& fingerprint = "config") const {
    std::vector<Journal::Key> found;
    for (const auto& [key, place] : Journal::scan(folder_.path(), fingerprint)) {
      EXPECT_EQ(Journal::read(place), payload_of(key, place.bytes));
      found.push_back(key);
    }
    return found;
  }
  /// Writes bytes over a file at a place.
  static void overwrite(const std::filesystem::path& file, std::uint64_t offset, const void* data,
                        std::size_t size) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
  }
  std::size_t new_warnings() const { return log::warnings().size() - warnings_before_; }

  using Keys = std::vector<Journal::Key>;
  test::TemporaryFolder folder_;
  std::size_t warnings_before_ = 0;
};

TEST_F(JournalFiles, GiveBackWhatWasAppended) {
  write(3);
  EXPECT_EQ(keys(), (Keys{0, 1, 2}));
  EXPECT_EQ(new_warnings(), 0u);
}

TEST_F(JournalFiles, HoldRecordsOfAnySize) {
  {
    Journal journal(folder_.path(), "config", 0);
    journal.append(1, {});
    journal.append(2, payload_of(2, 1));
    journal.append(~Journal::Key{0}, payload_of(~Journal::Key{0}, 5'000'001));
  }
  EXPECT_EQ(keys(), (Keys{1, 2, ~Journal::Key{0}}));
}

TEST_F(JournalFiles, NamesAreNewForEveryRankAndAttempt) {
  const auto a = write(2), b = write(1), c = write(1, 100, 3);
  EXPECT_EQ(a.filename(), "journal-00000-0001.aj");
  EXPECT_EQ(b.filename(), "journal-00000-0002.aj");
  EXPECT_EQ(c.filename(), "journal-00003-0001.aj");
  EXPECT_EQ(keys(), (Keys{0, 1}));  // equal duplicates count once
  EXPECT_EQ(new_warnings(), 0u);
}

TEST_F(JournalFiles, WithoutRecordsAreRemoved) {
  EXPECT_FALSE(std::filesystem::exists(write(0)));
  EXPECT_TRUE(keys().empty());
}

TEST_F(JournalFiles, AbsentFolderAndEmptyFilesHoldNothing) {
  EXPECT_TRUE(Journal::scan(folder_ / "absent", "config").empty());
  std::ofstream(folder_ / "journal-00000-0001.aj");
  EXPECT_TRUE(keys().empty());
  EXPECT_EQ(new_warnings(), 0u);
}

TEST_F(JournalFiles, OfAnotherFingerprintAreIgnored) {
  write(3);
  EXPECT_TRUE(keys("another config").empty());
  EXPECT_EQ(new_warnings(), 0u);
}

TEST_F(JournalFiles, CutOffAnywhereKeepWhatIsComplete) {
  const auto file = write(3, 60);
  const std::size_t record = kHeaderSize + 60;
  ASSERT_EQ(std::filesystem::file_size(file), 3 * record);
  for (std::size_t size = 3 * record; size-- > 0;) {
    std::filesystem::resize_file(file, size);
    EXPECT_EQ(keys().size(), size / record) << size << " bytes";
  }
  EXPECT_GT(new_warnings(), 0u);
}

TEST_F(JournalFiles, AnyByteFlippedLosesThatRecordAlone) {
  const auto file = write(3, 60);
  const std::size_t record = kHeaderSize + 60;
  std::ifstream stream(file, std::ios::binary);
  const std::vector<char> original{std::istreambuf_iterator<char>(stream), {}};
  for (std::size_t at = 0; at < original.size(); ++at) {
    const char flipped = static_cast<char>(original[at] ^ 0x10);
    overwrite(file, at, &flipped, 1);
    Keys expected{0, 1, 2};
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(at / record));
    EXPECT_EQ(keys(), expected) << "byte " << at;
    overwrite(file, at, &original[at], 1);
  }
  EXPECT_GT(new_warnings(), 0u);
  EXPECT_EQ(keys(), (Keys{0, 1, 2}));
}

TEST_F(JournalFiles, AbsurdLengthsAreNotBelieved) {
  const auto file = write(3, 60);
  // A length of 2^62 with a header that checks: layout as in src/parallel/journal_record.hpp.
  std::byte header[kHeaderSize];
  std::ifstream(file, std::ios::binary).read(reinterpret_cast<char*>(header), kHeaderSize);
  const std::uint64_t length = std::uint64_t{1} << 62;
  std::memcpy(header + 32, &length, sizeof(length));
  const std::uint32_t crc = crc32c(std::span(header).first(kHeaderSize - 4));
  std::memcpy(header + kHeaderSize - 4, &crc, sizeof(crc));
  overwrite(file, 0, header, kHeaderSize);
  EXPECT_EQ(keys(), (Keys{1, 2}));
  EXPECT_EQ(new_warnings(), 1u);
}

TEST_F(JournalFiles, RecordsAfterOneThatWasCutOffAreFound) {
  // A rank was killed in the middle of a record and another rank of its node went on in the same file.
  const auto torn = write(1, 5000), whole = write(3, 60);
  std::filesystem::resize_file(torn, kHeaderSize + 10);
  std::ifstream source(whole, std::ios::binary);
  std::ofstream(torn, std::ios::binary | std::ios::app) << source.rdbuf();
  std::ofstream(torn, std::ios::binary | std::ios::app) << std::string(5000, 'x');
  std::filesystem::remove(whole);
  EXPECT_EQ(keys(), (Keys{0, 1, 2}));
  EXPECT_GT(new_warnings(), 0u);
}

TEST_F(JournalFiles, OfZerosOrTextHoldNothing) {
  std::ofstream(folder_ / "journal-00000-0001.aj") << std::string(3'000'000, '\0');
  std::ofstream(folder_ / "journal-00000-0002.aj") << "not a journal";
  std::ofstream(folder_ / "journal-00000-0003.aj") << "AETOSJR\nAETOSJR\nAETOSJ";
  write(2, 100, 5);
  EXPECT_EQ(keys(), (Keys{0, 1}));
  EXPECT_GE(new_warnings(), 3u);
}

TEST_F(JournalFiles, UnequalDuplicatesAreSettledByAThird) {
  const auto append = [&](Journal::Key key, std::size_t size) {
    Journal(folder_.path(), "config", 0).append(key, payload_of(key, size));
  };
  append(1, 10);
  append(2, 10);
  append(1, 20);  // another content for key 1: neither is to be trusted
  EXPECT_EQ(keys(), Keys{2});
  EXPECT_EQ(new_warnings(), 1u);
  append(1, 20);  // computed again
  EXPECT_EQ(keys(), (Keys{1, 2}));
  EXPECT_EQ(Journal::scan(folder_.path(), "config").at(1).bytes, 20u);
}

TEST_F(JournalFiles, ChangedAfterTheScanAreNoticed) {
  const auto file = write(1, 60);
  const auto place = Journal::scan(folder_.path(), "config").at(0);
  const char other = '?';
  overwrite(file, kHeaderSize + 5, &other, 1);
  EXPECT_THROW(Journal::read(place), ResourceError);
  std::filesystem::resize_file(file, 60);
  EXPECT_THROW(Journal::read(place), ResourceError);
  std::filesystem::remove(file);
  EXPECT_THROW(Journal::read(place), ResourceError);
}

TEST_F(JournalFiles, FolderThatIsAbsentOrAFileIsAnError) {
  EXPECT_THROW(Journal(folder_ / "absent", "config", 0), ResourceError);
  std::ofstream(folder_ / "file");
  EXPECT_THROW(Journal(folder_ / "file", "config", 0), ResourceError);
}

TEST_F(JournalFiles, KeepWhatWasCompleteWhenTheDiskIsFull) {
  // A limit on the size of a file stands in for a full disk: the write that passes it comes back short, the
  // next fails. In a child, since the limit cannot be raised again.
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1100, 1100};
    setrlimit(RLIMIT_FSIZE, &limit);
    int outcome = 1;
    try {
      Journal journal(folder_.path(), "config", 0);
      try {
        for (Journal::Key key = 0; key < 10; ++key) journal.append(key, payload_of(key, 200));
      } catch (const ResourceError& e) {
        const std::string text = e.what();
        const bool names_file = text.find(journal.path().string()) != std::string::npos;
        const bool names_cause = text.find(std::strerror(EFBIG)) != std::string::npos;
        outcome = names_file && names_cause && text.find("--resume") != std::string::npos ? 0 : 2;
        journal.append(10, payload_of(10, 1));  // what fits is still taken
      }
    } catch (...) {
      outcome = 3;
    }
    _exit(outcome);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(keys(), (Keys{0, 1, 2, 3, 10}));  // 4 records of 248 bytes and one of 49 fit in 1100
  EXPECT_EQ(new_warnings(), 0u);
}

}  // namespace
}  // namespace aetos
