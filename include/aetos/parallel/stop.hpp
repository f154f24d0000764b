#pragma once

#include <chrono>
#include <optional>

#include "aetos/parallel/communicator.hpp"

namespace aetos {

/// Whether the run should end early in good order: a signal (SIGTERM, SIGINT, SIGUSR1) or a time limit. Each
/// rank can ask at any moment without talking to others; `agreed` is collective.
class Stop {
 public:
  Stop() = default;
  /// Handlers that only set a flag. Called once, after MPI_Init, by a command that asks: any other ends by a
  /// signal at once.
  static void install_signal_handlers();
  /// As if no signal had come; for tests.
  static void forget_signals();
  /// The end of the time the run may take, counted from the process's start.
  void set_time_limit(std::chrono::duration<double> limit);

  bool requested() const;
  bool agreed(const Communicator& comm) const { return comm.any(requested()); }
  /// "SIGTERM", "SIGINT", "SIGUSR1", "the time limit", or "a request to another rank", for the message.
  const char* reason() const;

 private:
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

}  // namespace aetos
