#pragma once

#include <chrono>
#include <exception>
#include <filesystem>

#include "aetos/parallel/run_context.hpp"

namespace aetos::simulation {

/// Ends the work of all ranks soon after one of them was told to stop or failed, although they do not talk
/// while they work: that rank leaves an empty file in the stage's folder, which the others look for every few
/// seconds.
class EarlyEnd {
 public:
  /// Removes what an earlier attempt left. Collective.
  explicit EarlyEnd(const RunContext& context);
  /// Whether this rank should end now. Tells the others if it was this rank that was asked.
  bool is_due();

  /// Tells the others when the scope is left by an exception.
  class OnFailure {
   public:
    explicit OnFailure(const EarlyEnd& end) : end_(end), exceptions_(std::uncaught_exceptions()) {}
    ~OnFailure() {
      if (std::uncaught_exceptions() > exceptions_) end_.tell();
    }
    OnFailure(const OnFailure&) = delete;
    OnFailure& operator=(const OnFailure&) = delete;

   private:
    const EarlyEnd& end_;
    int exceptions_;
  };

 private:
  void tell() const noexcept;
  using Clock = std::chrono::steady_clock;
  const RunContext& context_;
  std::filesystem::path mark_;
  Clock::time_point next_look_;
};

}  // namespace aetos::simulation
