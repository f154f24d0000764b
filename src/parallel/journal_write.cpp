#include <fcntl.h>
#include <sys/file.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"
#include "aetos/core/log.hpp"
#include "aetos/parallel/journal.hpp"
#include "journal_record.hpp"

namespace aetos {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::filesystem::path& file, const char* verb, int cause, const char* kept) {
  throw ResourceError(fmt::format("{}: cannot {} ({}){}", file.string(), verb, std::strerror(cause), kept));
}

/// Creates the first name that is free; O_EXCL settles races between ranks and runs.
FileDescriptor create_next_attempt(const std::filesystem::path& folder, int rank,
                                   std::filesystem::path& path) {
  for (int attempt = 1;; ++attempt) {
    path = folder / fmt::format("journal-{:05}-{:04}.aj", rank, attempt);
    FileDescriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (file.is_open()) {
      fault::point("journal-created");
      return file;
    }
    if (errno != EEXIST) fail(path, "create the journal", errno, "");
  }
}

/// Makes the new name itself survive a power cut.
void sync_folder(const std::filesystem::path& folder) {
  const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.is_open()) ::fsync(opened.number());  // some file systems refuse it for folders
}

/// Writes all bytes of both parts; returns 0 or the errno.
int write_fully(int descriptor, std::array<iovec, 2> parts) {
  for (std::size_t first = 0; first < parts.size();) {
    if (parts[first].iov_len == 0) {
      ++first;
      continue;
    }
    const ssize_t written = ::writev(descriptor, &parts[first], static_cast<int>(parts.size() - first));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return ENOSPC;
    auto left = static_cast<std::size_t>(written);
    for (std::size_t i = first; i < parts.size() && left > 0; ++i) {
      const std::size_t taken = std::min(left, parts[i].iov_len);
      parts[i].iov_base = static_cast<char*>(parts[i].iov_base) + taken;
      parts[i].iov_len -= taken;
      left -= taken;
    }
  }
  return 0;
}

/// Keeps other processes of this node from appending in the middle of a record.
class AppendTurn {
 public:
  AppendTurn(int descriptor, bool needed) : descriptor_(needed ? descriptor : -1) {
    if (needed)
      while (::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) continue;
  }
  ~AppendTurn() {
    if (descriptor_ >= 0) ::flock(descriptor_, LOCK_UN);
  }
  AppendTurn(const AppendTurn&) = delete;
  AppendTurn& operator=(const AppendTurn&) = delete;

 private:
  int descriptor_;
};

bool has_locks(int descriptor) {
  return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 && ::flock(descriptor, LOCK_UN) == 0;
}

}  // namespace

Journal::Journal(const std::filesystem::path& folder, const std::string& fingerprint, int rank,
                 double interval_s)
    : fingerprint_hash_(journal::hash_of(fingerprint)), interval_(interval_s), last_flush_(Clock::now()) {
  file_ = create_next_attempt(folder, rank, path_);
  sync_folder(folder);
}

Journal::Journal(const Communicator& comm, const std::filesystem::path& folder,
                 const std::string& fingerprint, double interval_s, int own_files)
    : fingerprint_hash_(journal::hash_of(fingerprint)), interval_(interval_s), last_flush_(Clock::now()) {
  const bool many = comm.size() > own_files;
  const Communicator node = many ? comm.on_this_machine() : comm.split(comm.rank());
  comm.agree([&] {
    if (node.is_root()) file_ = create_next_attempt(folder, comm.rank(), path_);
  });
  shared_ = node.broadcast_value(node.size() > 1 && (!node.is_root() || has_locks(file_.number())));
  const std::filesystem::path common = node.broadcast_string(path_.string());
  comm.agree([&] {
    if (node.is_root()) return sync_folder(folder);
    if (!shared_) {
      file_ = create_next_attempt(folder, comm.rank(), path_);
      return;
    }
    path_ = common;
    file_ = FileDescriptor(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    if (!file_.is_open()) fail(path_, "open the journal", errno, "");
  });
}

Journal::~Journal() {
  try {
    flush();
  } catch (const std::exception& e) {
    log::warn("{}", e.what());
  }
  if (!shared_ && !has_records_) ::unlink(path_.c_str());
}

void Journal::append(Key key, std::span<const std::byte> payload) {
  journal::Header header;
  header.payload_crc = crc32c(payload);
  header.fingerprint_hash = fingerprint_hash_;
  header.key = key;
  header.length = payload.size();
  header.header_crc = journal::header_checksum(header);
  fault::point("journal-append");

  {
    const AppendTurn turn(file_.number(), shared_);
    const off_t end = ::lseek(file_.number(), 0, SEEK_END);
    const int cause = write_fully(
        file_.number(),
        {iovec{&header, sizeof(header)}, iovec{const_cast<std::byte*>(payload.data()), payload.size()}});
    if (cause != 0) {
      // Back to the last complete record. If even that fails the torn end is dropped by the next scan.
      const bool cut = end >= 0 && ::ftruncate(file_.number(), end) == 0;
      fail(path_, "append to the journal", cause,
           cut ? "; everything finished before is kept, go on with --resume"
               : "; finished items are kept but the last record is torn, go on with --resume");
    }
  }
  fault::point("journal-appended");
  has_records_ = true;
  dirty_ = true;
  if (Clock::now() - last_flush_ >= interval_) flush();
}

void Journal::flush() {
  if (dirty_) {
    fault::point("journal-sync");
    if (::fdatasync(file_.number()) != 0) fail(path_, "force the journal to disk", errno, "");
    dirty_ = false;
  }
  last_flush_ = Clock::now();  // a disk that takes longer than the interval would get no pause
}

}  // namespace aetos
