#pragma once

#include <optional>
#include <string>
#include <vector>

/// Plots as inline SVG. Colours come from the page's style sheet, so that they follow its light and dark
/// themes.
namespace aetos::pipeline::report {

/// Round places for ticks in [low, high], about `wanted` of them.
std::vector<double> linear_ticks(double low, double high, int wanted);
/// Round places in [low, high] for a logarithmic axis: the more of each decade, the fewer decades there are.
std::vector<double> log_ticks(double low, double high);

struct Axis {
  std::string label;  ///< with its unit
  std::optional<double> low{}, high{};
  bool logarithmic = false;
};

/// A horizontal or vertical line with a name, such as a mean.
struct Mark {
  double at;
  std::string label;
};

/// A curve through points (x ascending). Values that are not finite are left out.
std::string line_plot(const Axis& x_axis, const Axis& y_axis, const std::vector<double>& x,
                      const std::vector<double>& y, const std::string& description);

/// Single points, each on a thin stem from the axis, and a mean.
std::string stem_plot(const Axis& x_axis, const Axis& y_axis, const std::vector<double>& x,
                      const std::vector<double>& y, const std::optional<Mark>& mean,
                      const std::string& description);

/// Bars of equal width between `edges` (one more than `counts`); `marks` are vertical lines.
std::string histogram_plot(const Axis& x_axis, const Axis& y_axis, const std::vector<double>& edges,
                           const std::vector<double>& counts, const std::vector<Mark>& marks,
                           const std::string& description);

/// Named horizontal bars with their values written at the end.
struct Bar {
  std::string label;
  double value;
  std::string shown;  ///< "12.3 pm"
  bool secondary = false;
};
std::string bar_plot(const std::vector<Bar>& bars, const std::string& description);

/// Counts of `values` in about `bins` equal bins over the 0.5 to 99.5 percentile range; what lies outside is
/// counted in the end bins. Empty edges without values.
struct Histogram {
  std::vector<double> edges, counts;
};
Histogram histogram(std::vector<double> values, int bins);

}  // namespace aetos::pipeline::report
