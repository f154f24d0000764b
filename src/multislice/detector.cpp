#include "aetos/multislice/detector.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"

namespace aetos::multislice {
namespace {

/// Integral of sqrt(radius² - x²) from 0 to x.
double half_chord_integral(double x, double radius) {
  const double s = std::clamp(x / radius, -1.0, 1.0);
  return 0.5 * radius * radius * (s * std::sqrt(1 - s * s) + std::asin(s));
}

/// Area of the rectangle from the origin to (x, y) within `radius`, odd in x and y.
double corner_area(double x, double y, double radius) {
  const double sign = (x < 0) == (y < 0) ? 1 : -1;
  const double right = std::min(std::abs(x), radius), top = std::abs(y);
  const double flat = top < radius ? std::min(right, std::sqrt(radius * radius - top * top)) : 0;
  return sign * (flat * top + half_chord_integral(right, radius) - half_chord_integral(flat, radius));
}

std::size_t ring_count(const DetectorOptions& detector) {
  return static_cast<std::size_t>(
      std::ceil((detector.outer_mrad - detector.inner_mrad) / detector.step_mrad - 1e-9));
}

void require_extent(const DetectorOptions& detector) {
  const auto text = [](double mrad) { return std::to_string(mrad) + " mrad"; };
  if (detector.kind == DetectorKind::com) return;
  const double outer = detector.outer_mrad;
  if (!(detector.inner_mrad >= 0) || !(outer > detector.inner_mrad))
    throw InputError("detectors." + detector.name,
                     "inner angle " + text(detector.inner_mrad) + ", outer angle " + text(outer),
                     "0 <= inner_mrad < outer_mrad");
  const bool stepped = detector.kind == DetectorKind::radial || detector.kind == DetectorKind::pixelated;
  if (stepped && !(detector.step_mrad > 0))
    throw InputError("detectors." + detector.name + ".step_mrad", text(detector.step_mrad),
                     "a positive width");
  if (detector.kind == DetectorKind::segmented && (detector.rings < 1 || detector.segments < 1))
    throw InputError(
        "detectors." + detector.name,
        std::to_string(detector.rings) + " rings of " + std::to_string(detector.segments) + " segments",
        "one or more of each");
}

}  // namespace

double disc_overlap_area(double x0, double x1, double y0, double y1, double radius) {
  if (radius <= 0) return 0;
  return corner_area(x1, y1, radius) - corner_area(x0, y1, radius) - corner_area(x1, y0, radius) +
         corner_area(x0, y0, radius);
}

double annulus_share(const FftGrid& grid, double lambda_A, double kx, double ky, double inner_mrad,
                     double outer_mrad, DetectorEdges edges) {
  const double to_mrad = lambda_A * 1e3;
  if (edges == DetectorEdges::hard) {
    const double angle = to_mrad * std::hypot(kx, ky);
    return angle >= inner_mrad && angle < outer_mrad ? 1 : 0;
  }
  const double hx = 0.5 * grid.dkx(), hy = 0.5 * grid.dky();
  const double nearest = std::hypot(std::max(std::abs(kx) - hx, 0.0), std::max(std::abs(ky) - hy, 0.0));
  const double farthest = std::hypot(std::abs(kx) + hx, std::abs(ky) + hy);
  const double inner = inner_mrad / to_mrad, outer = outer_mrad / to_mrad;
  if (farthest <= inner || nearest >= outer) return 0;
  if (nearest >= inner && farthest <= outer) return 1;
  const auto within = [&](double radius) {
    return disc_overlap_area(kx - hx, kx + hx, ky - hy, ky + hy, radius) / (4 * hx * hy);
  };
  return std::clamp(within(outer) - within(inner), 0.0, 1.0);
}

std::size_t camera_side(const DetectorOptions& detector) {
  return 2 * static_cast<std::size_t>(std::floor(detector.outer_mrad / detector.step_mrad + 1e-9)) + 1;
}

std::vector<DetectorOptions> resolve_detectors(std::vector<DetectorOptions> detectors,
                                               double angle_limit_mrad) {
  for (auto& detector : detectors)
    if (detector.kind == DetectorKind::radial && detector.outer_mrad <= 0)
      detector.outer_mrad = angle_limit_mrad;
  return detectors;
}

ChannelLayout channel_layout(const std::vector<DetectorOptions>& detectors) {
  ChannelLayout layout;
  for (const auto& detector : detectors) {
    require_extent(detector);
    layout.first_of_detector.push_back(layout.names.size());
    const auto add_numbered = [&](std::size_t count) {
      for (std::size_t n = 0; n < count; ++n)
        layout.names.push_back(detector.name + "[" + std::to_string(n) + "]");
    };
    switch (detector.kind) {
      case DetectorKind::annular:
      case DetectorKind::image:
        layout.names.push_back(detector.name);
        break;
      case DetectorKind::radial:
        add_numbered(ring_count(detector));
        break;
      case DetectorKind::com:
        for (const char* moment : {".x", ".y"}) layout.names.push_back(detector.name + moment);
        if (detector.second_moments)
          for (const char* moment : {".xx", ".yy"}) layout.names.push_back(detector.name + moment);
        break;
      case DetectorKind::segmented:
        add_numbered(static_cast<std::size_t>(detector.rings * detector.segments));
        break;
      case DetectorKind::pixelated:
        add_numbered(camera_side(detector) * camera_side(detector));
        break;
    }
  }
  layout.names.push_back("transmitted");
  layout.count = layout.names.size();
  return layout;
}

/// Pixels come in ascending order.
void DetectorSums::add_pixel(Channel& channel, std::size_t pixel, double weight) {
  if (channel.runs.empty() || channel.runs.back().first_pixel + channel.runs.back().length != pixel)
    channel.runs.push_back(
        {static_cast<std::uint32_t>(pixel), 0, static_cast<std::uint32_t>(weights_.size())});
  ++channel.runs.back().length;
  weights_.push_back(static_cast<float>(weight));
}

template <class Weight>
void DetectorSums::add_channel(const FftGrid& grid, bool per_transmitted, Weight weight) {
  Channel channel{{}, per_transmitted};
  if (columns_)
    for (std::size_t i = 0; i < columns_->count; ++i)
      for (std::size_t j = 0; j < grid.ny; ++j)
        if (const double w = weight(grid.kx(columns_->first + i), grid.ky(j)); w != 0)
          add_pixel(channel, i * grid.ny + j, w);
  for (std::size_t j = 0; !columns_ && j < grid.ny; ++j)
    for (std::size_t i = 0; i < grid.nx; ++i)
      if (const double w = weight(grid.kx(i), grid.ky(j)); w != 0) add_pixel(channel, j * grid.nx + i, w);
  channels_.push_back(std::move(channel));
}

namespace {

/// FFT indices, ascending, of the reciprocal pixels that a camera's pixel covers along one axis, with shares.
std::vector<std::pair<std::size_t, double>> covered(std::size_t n, double dk, double low, double high,
                                                    DetectorEdges edges) {
  std::vector<std::pair<std::size_t, double>> found;
  for (auto f = static_cast<std::ptrdiff_t>(std::floor(low / dk)) - 1;
       static_cast<double>(f - 1) * dk <= high; ++f) {
    const auto half = static_cast<std::ptrdiff_t>(n) / 2;
    if (f < -half || f >= static_cast<std::ptrdiff_t>(n) - half) continue;
    const double k = static_cast<double>(f) * dk;
    const double overlap = (std::min(high, k + dk / 2) - std::max(low, k - dk / 2)) / dk;
    const double share = edges == DetectorEdges::area ? overlap : (k >= low && k < high ? 1 : 0);
    if (share > 0)
      found.emplace_back(static_cast<std::size_t>(f < 0 ? f + static_cast<std::ptrdiff_t>(n) : f), share);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

/// One channel for each pixel of the camera, row by row.
void DetectorSums::add_camera(const DetectorOptions& detector, const FftGrid& grid, double lambda_A,
                              DetectorEdges edges) {
  const double band_end = BandLimit::of(grid.dx_A, grid.dy_A).end;
  const auto side = static_cast<std::ptrdiff_t>(camera_side(detector));
  const double step = detector.step_mrad * 1e-3 / lambda_A;
  const auto along = [&](std::size_t n, double dk) {
    std::vector<std::vector<std::pair<std::size_t, double>>> pixels;
    for (std::ptrdiff_t p = -(side / 2); p <= side / 2; ++p) {
      const double centre = static_cast<double>(p) * step;
      pixels.push_back(covered(n, dk, centre - step / 2, centre + step / 2, edges));
    }
    return pixels;
  };
  const auto columns = along(grid.nx, grid.dkx()), rows = along(grid.ny, grid.dky());
  for (const auto& row : rows)
    for (const auto& column : columns) {
      Channel channel;
      for (const auto& [j, share_y] : row)
        for (const auto& [i, share_x] : column)
          if (std::hypot(grid.kx(i), grid.ky(j)) <= band_end)
            add_pixel(channel, j * grid.nx + i, share_x * share_y);
      channels_.push_back(std::move(channel));
    }
}

DetectorSums::DetectorSums(const std::vector<DetectorOptions>& detectors, const FftGrid& grid,
                           double voltage_kV, DetectorEdges edges) {
  add_channels(detectors, grid, voltage_kV, edges);
}

DetectorSums::DetectorSums(const std::vector<DetectorOptions>& detectors, const FftGrid& grid,
                           double voltage_kV, DetectorEdges edges, Columns columns)
    : columns_(columns) {
  for (const auto& detector : detectors)
    if (detector.kind == DetectorKind::pixelated)
      throw InputError("detectors." + detector.name, "patterns of a probe that several ranks share",
                       "multislice.ranks_per_wave: 1, or a window");
  add_channels(detectors, grid, voltage_kV, edges);
}

void DetectorSums::add_channels(const std::vector<DetectorOptions>& detectors, const FftGrid& grid,
                                double voltage_kV, DetectorEdges edges) {
  const double lambda = electron_wavelength_A(voltage_kV);
  const double to_mrad = lambda * 1e3;
  const double band_end = BandLimit::of(grid.dx_A, grid.dy_A).end;
  const auto in_band = [=](double kx, double ky) { return std::hypot(kx, ky) <= band_end; };
  const auto add_annulus = [&](double inner, double outer) {
    add_channel(grid, false, [&](double kx, double ky) {
      return in_band(kx, ky) ? annulus_share(grid, lambda, kx, ky, inner, outer, edges) : 0.0;
    });
  };
  const auto add_moment = [&](auto moment) {
    add_channel(grid, true, [&](double kx, double ky) {
      return in_band(kx, ky) ? moment(kx * to_mrad, ky * to_mrad) : 0.0;
    });
  };
  for (const auto& detector : detectors) switch (detector.kind) {
      case DetectorKind::annular:
        add_annulus(detector.inner_mrad, detector.outer_mrad);
        break;
      case DetectorKind::com:
        add_moment([](double x, double) { return x; });
        add_moment([](double, double y) { return y; });
        if (!detector.second_moments) break;
        add_moment([](double x, double) { return x * x; });
        add_moment([](double, double y) { return y * y; });
        break;
      case DetectorKind::radial:
        for (std::size_t n = 0; n < ring_count(detector); ++n) {
          const double inner = detector.inner_mrad + static_cast<double>(n) * detector.step_mrad;
          add_annulus(inner, std::min(inner + detector.step_mrad, detector.outer_mrad));
        }
        break;
      case DetectorKind::segmented:
        for (const Sector& sector : sectors_of(detector))
          add_channel(grid, false, [&](double kx, double ky) {
            return in_band(kx, ky) ? sector_share(grid, lambda, kx, ky, sector, edges) : 0.0;
          });
        break;
      case DetectorKind::pixelated:
        add_camera(detector, grid, lambda, edges);
        break;
      case DetectorKind::image:
        throw InputError("detectors." + detector.name, "an image through a lens, of a scanned probe",
                         "multislice.mode: plane_wave");
    }
  add_channel(grid, false, [&](double kx, double ky) { return in_band(kx, ky) ? 1.0 : 0.0; });
}

void DetectorSums::apply(View<const float, 2> intensity, std::span<double> channels) const {
  constexpr std::size_t kLanes = 16;
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    double sum = 0;
    for (const Run& run : channels_[c].runs) {
      const float* w = weights_.data() + run.first_weight;
      const float* p = intensity.data() + run.first_pixel;
      if (run.length < kLanes) {
        for (std::size_t i = 0; i < run.length; ++i) sum += static_cast<double>(w[i] * p[i]);
        continue;
      }
      float lanes[kLanes] = {};
      std::size_t i = 0;
      for (; i + kLanes <= run.length; i += kLanes)
        for (std::size_t l = 0; l < kLanes; ++l) lanes[l] += w[i + l] * p[i + l];
      for (; i < run.length; ++i) lanes[i % kLanes] += w[i] * p[i];
      for (std::size_t half = kLanes / 2; half > 0; half /= 2)
        for (std::size_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
      sum += static_cast<double>(lanes[0]);
    }
    channels[c] = sum;
  }
}

void DetectorSums::finish(std::span<double> channels) const {
  const double transmitted = channels[channels_.size() - 1];
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    if (!channels_[c].per_transmitted)
      channels[c] = std::max(channels[c], 0.0);
    else if (transmitted > 0)
      channels[c] /= transmitted;
  }
}

}  // namespace aetos::multislice
