#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace aetos {

/// Finished work items of one stage, safe on disk. Each rank appends to a file that it alone writes; any
/// number of ranks may read all of them later. A record holds magic, version, the stage's fingerprint, the
/// item's key, the payload's length and CRC32C of header and payload. A torn or corrupt record is dropped
/// with a warning (its item is then computed again); records of another fingerprint are ignored; duplicates
/// must be equal.
class Journal {
 public:
  using Key = std::uint64_t;
  struct Place {
    std::filesystem::path file;
    std::uint64_t offset = 0, bytes = 0;  ///< of the payload
    std::uint32_t crc = 0;
  };

  /// The records with this fingerprint in all journal files of a folder, checked. A folder without journals
  /// is empty.
  static std::map<Key, Place> scan(const std::filesystem::path& folder, const std::string& fingerprint);
  /// Reads and checks a payload; throws ResourceError if it changed since the scan.
  static std::vector<std::byte> read(const Place& place);

  /// Opens this rank's file of this attempt for appending (a name that no other rank or earlier attempt
  /// used).
  Journal(const std::filesystem::path& folder, const std::string& fingerprint, int rank, double interval_s);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Appends a record; forces it to disk if the interval since the last time is over.
  void append(Key key, std::span<const std::byte> payload);
  /// Forces everything appended so far to disk (fsync).
  void flush();

 private:
  int descriptor_ = -1;
  std::string fingerprint_;
  std::filesystem::path path_;
  std::chrono::duration<double> interval_;
  std::chrono::steady_clock::time_point last_flush_;
  bool dirty_ = false;
};

}  // namespace aetos
