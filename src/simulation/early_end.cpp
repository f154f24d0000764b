#include "aetos/simulation/early_end.hpp"

#include <fstream>
#include <system_error>

namespace aetos::simulation {
namespace {

constexpr std::chrono::seconds kLookEvery{3};

}  // namespace

EarlyEnd::EarlyEnd(const RunContext& context)
    : context_(context), mark_(context.work / "end-early"), next_look_(Clock::now() + kLookEvery) {
  std::error_code ignored;
  if (context.comm.is_root()) std::filesystem::remove(mark_, ignored);
  context.comm.barrier();
}

bool EarlyEnd::is_due() {
  if (context_.stop.requested()) {
    tell();
    return true;
  }
  if (context_.comm.size() == 1 || Clock::now() < next_look_) return false;
  next_look_ = Clock::now() + kLookEvery;
  std::error_code ignored;
  return std::filesystem::exists(mark_, ignored);
}

void EarlyEnd::tell() const noexcept {
  if (context_.comm.size() > 1) std::ofstream(mark_).put('\n');
}

}  // namespace aetos::simulation
