#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace aetos {

/// Says how far a stage is: a line per interval with done, total, rate and remaining time. Only the rank that
/// speaks prints. Work that was already done when the stage began (a resume) counts as done, not as rate.
class Progress {
 public:
  Progress(std::string what, double total, double already_done = 0, double interval_s = 5);
  void update(double done);
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  std::string what_;
  double total_, start_done_, done_, interval_s_;
  Clock::time_point begin_, last_;
};

/// "1 h 03 min", "2 min 10 s", "4 s".
std::string format_duration(double seconds);

}  // namespace aetos
