#include "aetos/parallel/stop.hpp"

#include <signal.h>

#include <atomic>

namespace aetos {
namespace {

using Clock = std::chrono::steady_clock;

/// Read before main begins, so that limits count from the start of the process.
const Clock::time_point kProcessStart = Clock::now();

std::atomic<int> received_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may only use lock-free atomics");

extern "C" void remember_signal(int number) {
  received_signal.store(number);
}

}  // namespace

void Stop::install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = remember_signal;
  action.sa_flags = SA_RESTART;  // a write in progress goes on
  sigemptyset(&action.sa_mask);
  for (int number : {SIGTERM, SIGINT, SIGUSR1}) sigaction(number, &action, nullptr);
}

void Stop::forget_signals() {
  received_signal.store(0);
}

void Stop::set_time_limit(std::chrono::duration<double> limit) {
  constexpr std::chrono::duration<double> kNever(3e9);  // a century; more would overflow the clock
  deadline_.reset();
  if (limit < kNever) deadline_ = kProcessStart + std::chrono::duration_cast<Clock::duration>(limit);
}

bool Stop::requested() const {
  return received_signal.load() != 0 || (deadline_ && Clock::now() >= *deadline_);
}

const char* Stop::reason() const {
  switch (received_signal.load()) {
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT";
    case SIGUSR1:
      return "SIGUSR1";
    default:
      break;
  }
  return deadline_ && Clock::now() >= *deadline_ ? "the time limit" : "a request to another rank";
}

}  // namespace aetos
