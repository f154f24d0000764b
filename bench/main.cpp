#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "benchmark.hpp"

namespace aetos::bench {
namespace {

std::map<std::string, Benchmark>& registry() {
  static std::map<std::string, Benchmark> all;
  return all;
}

std::string known_names() {
  std::string names;
  for (const auto& [name, run] : registry()) names += (names.empty() ? "" : ", ") + name;
  return names;
}

}  // namespace

Registration::Registration(std::string name, Benchmark run) {
  registry().emplace(std::move(name), run);
}

/// usage: aetos-bench --json [NAME...]; without a name every benchmark runs. One JSON object per line.
int run_benchmarks(const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const auto& argument : arguments) {
    if (argument == "--json") continue;
    if (!registry().contains(argument)) {
      std::fprintf(stderr, "aetos-bench: no benchmark '%s'; expected --json and names of: %s\n",
                   argument.c_str(), known_names().c_str());
      return 2;
    }
    names.push_back(argument);
  }
  if (names.empty())
    for (const auto& [name, run] : registry()) names.push_back(name);
  for (const auto& name : names) {
    nlohmann::json result = registry().at(name)();
    result["benchmark"] = name;
    std::printf("%s\n", result.dump().c_str());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace aetos::bench

int main(int argc, char** argv) {
  return aetos::bench::run_benchmarks(std::vector<std::string>(argv + 1, argv + argc));
}
