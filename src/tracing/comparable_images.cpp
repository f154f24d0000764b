#include "comparable_images.hpp"

namespace aetos::tracing {
namespace {

/// Scale and offset that bring x to y best.
struct Line {
  double scale = 0, mean_x = 0, mean_y = 0;
  double operator()(double x) const { return mean_y + scale * (x - mean_x); }
};

template <class X, class Y>
Line fit_line(const X& x, const Y& y) {
  const auto n = static_cast<double>(x.size());
  Line line;
  for (std::size_t k = 0; k < x.size(); ++k) line.mean_x += x.data()[k] / n, line.mean_y += y.data()[k] / n;
  double xx = 0, xy = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double d = x.data()[k] - line.mean_x;
    xx += d * d, xy += d * (y.data()[k] - line.mean_y);
  }
  line.scale = xx > 0 ? xy / xx : 0;
  return line;
}

}  // namespace

void make_comparable(ImagesOfAtoms& simulated, const MeasuredImages& measured, const State& state) {
  const AtomProjector at_rest(state.model, state.parameters);
  for (std::size_t i = 0; i < measured.mine.size(); ++i) {
    const std::size_t tilt = measured.mine.begin + i;
    auto image = simulated.images.values[i];
    const Line to_measured = fit_line(image, measured.values[i]);
    for (float& v : image) v = static_cast<float>(to_measured(v));
    if (simulated.displacement.empty()) continue;
    std::vector<double> displaced = state.parameters;
    for (std::size_t a = 0; a < state.model.layout.atoms; ++a)
      for (std::size_t k = 0; k < 3; ++k)
        displaced[state.model.layout.position(a) + k] +=
            simulated.displacement[tilt][a](static_cast<Eigen::Index>(k));
    const Shape<2> shape{measured.ny, measured.nx};
    const auto rest = at_rest.project(simulated.images.sight[tilt], shape, measured.pixel_A);
    const auto moved =
        AtomProjector(state.model, displaced).project(simulated.images.sight[tilt], shape, measured.pixel_A);
    const double scale = fit_line(moved, image).scale;
    for (std::size_t k = 0; k < image.size(); ++k)
      image.data()[k] -= static_cast<float>(scale * (moved.data()[k] - rest.data()[k]));
  }
}

}  // namespace aetos::tracing
