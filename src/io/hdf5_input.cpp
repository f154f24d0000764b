#include "aetos/io/hdf5_input.hpp"

#include <unistd.h>

#include <atomic>

namespace aetos::io::hdf5 {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kNamesCrashes = false;
#elif defined(__has_feature)
constexpr bool kNamesCrashes = !__has_feature(address_sanitizer);
#else
constexpr bool kNamesCrashes = true;
#endif

/// What a crash prints. The handler may neither allocate nor lock; one write keeps the lines of several ranks
/// apart.
std::atomic<const std::string*> last_line{nullptr};
static_assert(std::atomic<const std::string*>::is_always_lock_free);

extern "C" void name_file_of_crash(int) {
  const std::string& line = *last_line.load();
  (void)!::write(STDERR_FILENO, line.data(), line.size());
  ::_exit(2);
}

/// HDF5 recurses along forged lists until the stack is full; the handler needs one of its own.
void provide_signal_stack() {
  alignas(16) static char memory[65536];
  stack_t stack{};
  stack.ss_sp = memory;
  stack.ss_size = sizeof memory;
  sigaltstack(&stack, nullptr);
}

}  // namespace

bool CrashGuard::is_active() {
  return last_line.load() != nullptr;
}

CrashGuard::CrashGuard(const std::string& path)
    : line_("error: " + path +
            ": the HDF5 file is damaged (the HDF5 library crashed over it, or did not end); "
            "expected a complete HDF5 file\n") {
  if (!kNamesCrashes) return;
  outer_ = last_line.exchange(&line_);
  provide_signal_stack();
  struct sigaction action {};
  action.sa_handler = name_file_of_crash;
  action.sa_flags = SA_ONSTACK;
  sigfillset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before_[i]);
}

CrashGuard::~CrashGuard() {
  if (!kNamesCrashes) return;
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  last_line = outer_;
}

}  // namespace aetos::io::hdf5
