#include <algorithm>
#include <cmath>

#include "aetos/pipeline/report_plots.hpp"

namespace aetos::pipeline::report {

std::vector<double> linear_ticks(double low, double high, int wanted) {
  if (!(high > low) || wanted < 1) return {low};
  const double rough = (high - low) / wanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  // The round step nearest to the wanted one, by ratio.
  double step = power;
  for (double m : {2.0, 5.0, 10.0})
    if (std::abs(std::log(m * power / rough)) < std::abs(std::log(step / rough))) step = m * power;
  std::vector<double> ticks;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i)
    ticks.push_back(i * step + 0.0);
  return ticks;
}

std::vector<double> log_ticks(double low, double high) {
  std::vector<double> ticks;
  if (!(low > 0) || !(high > low)) return ticks;
  const double span = high / low;
  const std::vector<double> steps = span > 100  ? std::vector<double>{1}
                                    : span > 10 ? std::vector<double>{1, 2, 5}
                                                : std::vector<double>{1, 2, 3, 5, 7};
  const int first = static_cast<int>(std::floor(std::log10(low))),
            last = static_cast<int>(std::ceil(std::log10(high)));
  for (int e = first; e <= last; ++e)
    for (double m : steps) {
      const double t = m * std::pow(10, e);
      if (t >= low * 0.999 && t <= high * 1.001) ticks.push_back(t);
    }
  return ticks;
}

Histogram histogram(std::vector<double> values, int bins) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty() || bins < 1) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(std::round(share * static_cast<double>(values.size() - 1)))];
  };
  double low = at(0.005), high = at(0.995);
  if (!(high > low)) {
    const double margin = low == 0 ? 0.5 : 0.05 * std::abs(low);
    low -= margin, high += margin;
  }
  Histogram h;
  h.counts.resize(static_cast<std::size_t>(bins));
  for (int i = 0; i <= bins; ++i) h.edges.push_back(low + (high - low) * i / bins);
  for (double v : values) {
    const double bin = std::clamp((v - low) / (high - low) * bins, 0.0, bins - 1.0);
    ++h.counts[static_cast<std::size_t>(bin)];
  }
  return h;
}

}  // namespace aetos::pipeline::report
