#include "aetos/parallel/partition.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <queue>
#include <stdexcept>
#include <tuple>

namespace aetos {

Range block_partition(std::size_t n, std::size_t parts, std::size_t part) {
  if (part >= parts) throw std::invalid_argument("block_partition: part outside the number of parts");
  const std::size_t length = n / parts, longer = n % parts;
  const std::size_t begin = part * length + std::min(part, longer);
  return {begin, begin + length + (part < longer ? 1 : 0)};
}

std::vector<std::vector<std::size_t>> weighted_partition(std::span<const double> cost, std::size_t parts) {
  if (parts == 0) throw std::invalid_argument("weighted_partition: no parts");
  const auto weight = [&](std::size_t i) { return std::isfinite(cost[i]) && cost[i] > 0 ? cost[i] : 0.0; };
  std::vector<std::size_t> order(cost.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return weight(a) > weight(b); });

  // Work so far, then number of items (items without cost are dealt out too), then index.
  using Load = std::tuple<double, std::size_t, std::size_t>;
  std::priority_queue<Load, std::vector<Load>, std::greater<>> loads;
  for (std::size_t p = 0; p < parts; ++p) loads.emplace(0.0, std::size_t{0}, p);
  std::vector<std::vector<std::size_t>> items(parts);
  for (std::size_t i : order) {
    const auto [load, count, part] = loads.top();
    loads.pop();
    items[part].push_back(i);
    loads.emplace(load + weight(i), count + 1, part);
  }
  for (auto& mine : items) std::sort(mine.begin(), mine.end());
  return items;
}

}  // namespace aetos
