#include "aetos/pipeline/report_plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "aetos/pipeline/report_page.hpp"

namespace aetos::pipeline::report {
namespace {

constexpr double kWidth = 480, kHeight = 290;
constexpr double kLeft = 66, kRight = 12, kTop = 14, kBottom = 46;

/// Maps values of one axis on the page.
struct Scale {
  double low, high, from, to;
  bool logarithmic = false;

  double operator()(double v) const {
    const double t = logarithmic ? std::log(v / low) / std::log(high / low) : (v - low) / (high - low);
    return from + std::clamp(t, -0.02, 1.02) * (to - from);
  }
  std::vector<double> ticks(int wanted) const {
    return logarithmic ? log_ticks(low, high) : linear_ticks(low, high, wanted);
  }
};

Scale make_scale(const Axis& axis, const std::vector<double>& values, double from, double to) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (double v : values) {
    if (!std::isfinite(v) || (axis.logarithmic && v <= 0)) continue;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  if (low > high) low = axis.logarithmic ? 0.1 : 0, high = 1;
  low = axis.low.value_or(low);
  high = axis.high.value_or(high);
  if (axis.logarithmic) {
    if (high < 1.2 * low) low /= 1.2, high *= 1.2;
  } else if (high <= low) {
    low -= 0.5, high += 0.5;
  }
  return {low, high, from, to, axis.logarithmic};
}

/// The frame of a plot: its scales, and the SVG of its axes.
struct Frame {
  Scale x, y;
  std::string svg;
};

Frame make_frame(const Axis& x_axis, const Axis& y_axis, const std::vector<double>& x,
                 const std::vector<double>& y) {
  Frame f{make_scale(x_axis, x, kLeft, kWidth - kRight), make_scale(y_axis, y, kHeight - kBottom, kTop), {}};
  const double base = kHeight - kBottom;
  for (double t : f.y.ticks(5)) {
    const double at = f.y(t);
    f.svg += fmt::format("<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>",
                         kLeft, kWidth - kRight, at, at);
    f.svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", kLeft - 7, at + 4,
                         format_short(t));
  }
  for (double t : f.x.ticks(7)) {
    const double at = f.x(t);
    f.svg += fmt::format("<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>",
                         at, base, base + 4);
    f.svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", at, base + 18,
                         format_short(t));
  }
  f.svg += fmt::format("<line class=\"axis\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>",
                       kLeft, kWidth - kRight, base, base);
  f.svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>",
                       (kLeft + kWidth - kRight) / 2, kHeight - 6, escape(x_axis.label));
  f.svg +=
      fmt::format("<text transform=\"translate(13 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
                  (kTop + base) / 2, escape(y_axis.label));
  return f;
}

std::string wrap(double width, double height, const std::string& body, const std::string& description) {
  return fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">", width, height,
                     escape(description)) +
         body + "</svg>\n";
}

}  // namespace

std::string line_plot(const Axis& x_axis, const Axis& y_axis, const std::vector<double>& x,
                      const std::vector<double>& y, const std::string& description) {
  Frame f = make_frame(x_axis, y_axis, x, y);
  std::string path;
  bool down = false;
  std::size_t last = x.size();
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
    const bool drawable = std::isfinite(x[i]) && std::isfinite(y[i]) && !(f.y.logarithmic && y[i] <= 0);
    if (drawable) {
      path += fmt::format("{}{:.1f} {:.1f}", down ? "L" : "M", f.x(x[i]), f.y(y[i]));
      last = i;
    }
    down = drawable;
  }
  f.svg += "<path class=\"curve\" d=\"" + path + "\"/>";
  if (last < x.size()) {
    f.svg += fmt::format("<circle class=\"point\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>", f.x(x[last]),
                         f.y(y[last]));
    f.svg += fmt::format("<text class=\"value\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>",
                         f.x(x[last]), f.y(y[last]) - 9, format_short(y[last]));
  }
  return wrap(kWidth, kHeight, f.svg, description);
}

std::string stem_plot(const Axis& x_axis, const Axis& y_axis, const std::vector<double>& x,
                      const std::vector<double>& y, const std::optional<Mark>& mean,
                      const std::string& description) {
  Frame f = make_frame(x_axis, y_axis, x, y);
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) continue;
    f.svg += fmt::format(
        "<line class=\"stem\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>"
        "<circle class=\"point\" cx=\"{0:.1f}\" cy=\"{2:.1f}\" r=\"2.6\"/>",
        f.x(x[i]), kHeight - kBottom, f.y(y[i]));
  }
  if (mean) {
    f.svg += fmt::format("<line class=\"mark\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>",
                         kLeft, kWidth - kRight, f.y(mean->at), f.y(mean->at));
    f.svg += fmt::format("<text class=\"mark-label\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>",
                         kWidth - kRight, kTop + 8, escape(mean->label));
  }
  return wrap(kWidth, kHeight, f.svg, description);
}

std::string histogram_plot(const Axis& x_axis, const Axis& y_axis, const std::vector<double>& edges,
                           const std::vector<double>& counts, const std::vector<Mark>& marks,
                           const std::string& description) {
  Axis counts_axis = y_axis;
  if (!counts_axis.low) counts_axis.low = 0;
  // Room above the bars for the marks' labels.
  const double most = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
  if (!counts_axis.high) counts_axis.high = most > 0 ? 1.14 * most : 1;
  Frame f = make_frame(x_axis, counts_axis, edges, counts);
  const double base = kHeight - kBottom;
  for (std::size_t i = 0; i < counts.size() && i + 1 < edges.size(); ++i) {
    if (counts[i] <= 0) continue;
    const double left = f.x(edges[i]), right = f.x(edges[i + 1]), top = f.y(counts[i]);
    f.svg +=
        fmt::format("<rect class=\"bar-data\" x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\"/>",
                    left + 0.5, top, std::max(0.5, right - left - 1), base - top);
  }
  for (const auto& mark : marks) {
    const double at = f.x(mark.at);
    const bool left_side = at > 0.65 * kWidth;
    f.svg += fmt::format("<line class=\"mark\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>",
                         at, kTop, base);
    f.svg +=
        fmt::format("<text class=\"mark-label\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>",
                    at + (left_side ? -6 : 6), kTop + 10, left_side ? "end" : "start", escape(mark.label));
  }
  return wrap(kWidth, kHeight, f.svg, description);
}

std::string bar_plot(const std::vector<Bar>& bars, const std::string& description) {
  constexpr double left = 150, right = 80, pitch = 30;
  double largest = 0;
  for (const auto& b : bars) largest = std::max(largest, b.value);
  std::string body;
  double y = 6;
  for (const auto& b : bars) {
    const double length = largest > 0 ? b.value / largest * (kWidth - left - right) : 0;
    body += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", left - 10, y + 15,
                        escape(b.label));
    body += fmt::format(
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"18\" rx=\"1.5\"/>",
        b.secondary ? "bar-second" : "bar-data", left, y + 2, std::max(1.0, length));
    body += fmt::format("<text class=\"value\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", left + length + 8,
                        y + 15, escape(b.shown));
    y += pitch;
  }
  return wrap(kWidth, y + 4, body, description);
}

}  // namespace aetos::pipeline::report
