#pragma once

#include <filesystem>

#include "aetos/parallel/file_descriptor.hpp"

namespace aetos {

/// Keeps a run's folder for one run at a time. The file `.aetos.lock` in it says who holds it (host, process,
/// the process's start time, the host's boot) and is held by flock as long as that process lives, so a lock
/// that a dead run left behind is told from a live one even when its process number is in use again.
///
/// - held by a live process: ResourceError "... is in use by process ... on host ..."
/// - left by a dead process of this host, empty, or unreadable: taken over, with a note in the log
/// - left on another host by an earlier start of the same SLURM job (a node was lost): taken over with a note
/// - left by another host otherwise: ResourceError that names the host and how to remove the lock, since
///   nobody here can tell whether that run lives
///
/// Only the root rank takes it; the caller makes all ranks agree on the outcome (`Communicator::agree`).
class RunLock {
 public:
  static constexpr const char* kFileName = ".aetos.lock";

  /// `folder` exists. Throws ResourceError also if the lock file cannot be written.
  explicit RunLock(const std::filesystem::path& folder);
  /// Removes the file.
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// Of a folder's lock: there is none, a run that lives holds it, or a dead one left it. On a file system
  /// without locks another host's counts as held.
  enum class State { none, held, left };
  static State state_in(const std::filesystem::path& folder);

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
};

}  // namespace aetos
