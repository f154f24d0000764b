#pragma once

#include <time.h>

#include <nlohmann/json.hpp>
#include <string>

/// The registry of benchmarks. A benchmark is a function that returns one JSON object of ratios within one
/// process; its file registers it with `const Registration registration("name", run);`.
namespace aetos::bench {

using Benchmark = nlohmann::json (*)();

struct Registration {
  Registration(std::string name, Benchmark run);
};

/// Processor time of this thread in one call, in seconds: other work on the machine hardly touches it.
template <class Work>
double seconds(Work&& work) {
  const auto now = [] {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  const double start = now();
  work();
  return now() - start;
}

}  // namespace aetos::bench
