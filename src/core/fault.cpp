#include "aetos/core/fault.hpp"

#ifdef AETOS_FAULT_POINTS
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "aetos/core/error.hpp"
#endif

namespace aetos::fault {

#ifdef AETOS_FAULT_POINTS

namespace {

struct Order {
  std::string name, action = "kill";
  int nth = 1;
};

Order read_order() {
  const char* text = std::getenv("AETOS_FAULT");
  if (text == nullptr) return {};
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
  if (words.empty()) return {};
  const char* rank = std::getenv("PMIX_RANK");
  if (words.size() > 3 && words[3] != (rank == nullptr ? "0" : rank)) return {};
  Order order{words[0]};
  if (words.size() > 1) order.action = words[1];
  if (words.size() > 2) order.nth = std::atoi(words[2].c_str());
  return order;
}

}  // namespace

void point(const char* name) {
  static Order order = read_order();
  if (order.name.empty() || order.name != name) return;
  if (order.action == "slow") return std::this_thread::sleep_for(std::chrono::milliseconds(500));
  if (--order.nth != 0) return;
  if (order.action == "throw") throw std::runtime_error(std::string("fault on purpose at ") + name);
  if (order.action == "memory") throw std::bad_alloc();
  if (order.action == "disk")
    throw ResourceError(std::string("no space left on device, on purpose at ") + name);
  std::raise(SIGKILL);
}

#else

void point(const char*) {}

#endif

}  // namespace aetos::fault
