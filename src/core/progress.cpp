#include "aetos/core/progress.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "aetos/core/log.hpp"

namespace aetos {

Progress::Progress(std::string what, double total, double already_done, double interval_s)
    : what_(std::move(what)),
      total_(total),
      start_done_(already_done),
      done_(already_done),
      interval_s_(interval_s),
      begin_(Clock::now()),
      last_(begin_) {}

void Progress::update(double done) {
  done_ = done;
  const auto now = Clock::now();
  if (std::chrono::duration<double>(now - last_).count() < interval_s_) return;
  last_ = now;
  const double elapsed = std::chrono::duration<double>(now - begin_).count();
  const double rate = (done_ - start_done_) / elapsed;
  const double share = total_ > 0 ? 100 * done_ / total_ : 100;
  if (rate > 0)
    log::info("  {}: {:.4g} of {:.4g} ({:.0f} %), {:.3g}/s, {} left", what_, done_, total_, share, rate,
              format_duration(std::max(0.0, total_ - done_) / rate));
}

void Progress::finish() {
  const double elapsed = std::chrono::duration<double>(Clock::now() - begin_).count();
  log::info("  {}: done in {}", what_, format_duration(elapsed));
}

std::string format_duration(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto s = static_cast<long long>(std::llround(seconds));
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} h {:02} min", s / 3600, s % 3600 / 60);
}

}  // namespace aetos
