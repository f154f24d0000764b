#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "aetos/parallel/communicator.hpp"
#include "aetos/parallel/file_descriptor.hpp"

namespace aetos {

/// Finished work items of one stage, safe on disk. Each rank appends to a file that it alone writes,
/// `journal-<rank>-<attempt>.aj`; on more than 64 ranks those of a node share the file of their first rank,
/// so that a large run does not leave thousands of files. Any number of ranks may read all of them later.
///
/// A record holds magic, version, the stage's fingerprint, the item's key, the payload's length and CRC32C of
/// header and payload (layout in src/parallel/journal_record.hpp). What does not check is dropped with a
/// warning, and its item is then computed again: torn ends, holes, corrupt records in the middle (reading
/// goes on at the next magic). Length fields are bounded by the file's size. Records of another fingerprint
/// or version are ignored. Duplicates must be equal. If they are not, the content that most copies hold
/// counts; if no content has more copies than every other, the item counts as not done. So a recomputation
/// settles the matter, and both cases warn.
class Journal {
 public:
  using Key = std::uint64_t;
  struct Place {
    std::filesystem::path file;
    std::uint64_t offset = 0, bytes = 0;  ///< of the payload
    std::uint32_t crc = 0;                ///< CRC32C of the payload
  };

  /// The records with this fingerprint in all journal files of a folder, checked. A folder without journals,
  /// or that does not exist, is empty. A file that cannot be read is a ResourceError.
  static std::map<Key, Place> scan(const std::filesystem::path& folder, const std::string& fingerprint);
  /// The same, collective: the root rank alone reads the files, all ranks get its answer.
  static std::map<Key, Place> scan(const Communicator& comm, const std::filesystem::path& folder,
                                   const std::string& fingerprint);
  /// Reads and checks a payload; throws ResourceError if it changed since the scan.
  static std::vector<std::byte> read(const Place& place);

  /// Opens this rank's file of this attempt for appending (a name that no other rank or earlier attempt
  /// used). Throws ResourceError if the folder cannot be written.
  Journal(const std::filesystem::path& folder, const std::string& fingerprint, int rank,
          double interval_s = 60);
  /// The same, collective: all ranks throw if one cannot open its file. Above `own_files` ranks the ranks of
  /// a node append to one file, each record under flock (each to its own where the file system has no locks).
  Journal(const Communicator& comm, const std::filesystem::path& folder, const std::string& fingerprint,
          double interval_s = 60, int own_files = 64);
  /// Flushes, with a warning instead of an exception if that fails, and removes the file if nothing was
  /// appended.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Appends a record; forces it to disk if the interval since the last time is over. After a ResourceError
  /// (a full disk) the file ends with the last complete record.
  void append(Key key, std::span<const std::byte> payload);
  /// Forces everything appended so far to disk (fdatasync).
  void flush();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::uint64_t fingerprint_hash_;
  std::chrono::duration<double> interval_;
  std::chrono::steady_clock::time_point last_flush_;
  FileDescriptor file_;
  bool shared_ = false;  ///< with other ranks of this node
  bool has_records_ = false, dirty_ = false;
};

}  // namespace aetos
