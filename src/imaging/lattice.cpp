#include "aetos/imaging/lattice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "aetos/core/error.hpp"
#include "aetos/core/median.hpp"
#include "aetos/core/units.hpp"
#include "aetos/imaging/spectrum.hpp"

namespace aetos::imaging {
namespace {

constexpr double kLeastSignal = 5;          ///< a spot's amplitude over the noise's
constexpr double kLeastOfStrongest = 0.04;  ///< above the sidelobes of Hann's window, 0.027
constexpr double kHighest = 0.48;           ///< cycles per pixel, along either axis
constexpr std::size_t kMostSpots = 24;
constexpr double kLeastExplained = 0.5;
constexpr int kFits = 4;

Vec2 bins_of(View<const float, 2> image) {
  return {1 / static_cast<double>(image.extent(1)), 1 / static_cast<double>(image.extent(0))};
}

/// Noise power of white noise at each |k|: median of the ring over ln 2, since power is exponentially
/// distributed.
class RingNoise {
 public:
  explicit RingNoise(const Array<double, 2>& power) : ny_(power.extent(0)), nx_(power.extent(1)) {
    std::vector<std::vector<double>> rings(kRings);
    for (std::size_t j = 0; j < ny_; ++j)
      for (std::size_t i = 0; i < nx_; ++i) rings[ring(frequency(j, i))].push_back(power(j, i));
    for (auto& values : rings) noise_.push_back(values.empty() ? 0 : upper_median(values) / std::log(2.0));
  }
  Vec2 frequency(std::size_t j, std::size_t i) const {
    return {(static_cast<double>(i) - static_cast<double>(centre_index(nx_))) / static_cast<double>(nx_),
            (static_cast<double>(j) - static_cast<double>(centre_index(ny_))) / static_cast<double>(ny_)};
  }
  /// Amplitude over noise; an image without noise is as good as single precision.
  double signal(const Vec2& k, double power) const {
    const double floor = 1e-12 * power;
    return std::sqrt(power / std::max({noise_[ring(k)], floor, 1e-300}));
  }

 private:
  static constexpr std::size_t kRings = 24;
  static std::size_t ring(const Vec2& k) {
    return std::min(kRings - 1, static_cast<std::size_t>(k.norm() / 0.5 * static_cast<double>(kRings)));
  }
  std::size_t ny_, nx_;
  std::vector<double> noise_;
};

bool is_highest(const Array<double, 2>& power, std::size_t j, std::size_t i) {
  for (std::size_t v = j - 2; v <= j + 2; ++v)
    for (std::size_t u = i - 2; u <= i + 2; ++u)
      if ((v != j || u != i) && power(v, u) >= power(j, i)) return false;
  return true;
}

/// Of each pair about k = 0 the one in the right half.
bool right_half(const Vec2& k) {
  return k.x() > 0 || (k.x() == 0 && k.y() > 0);
}

double cross(const Vec2& a, const Vec2& b) {
  return a.x() * b.y() - a.y() * b.x();
}

Mat2 from_columns(const Vec2& a, const Vec2& b) {
  Mat2 m;
  m << a.x(), b.x(), a.y(), b.y();
  return m;
}

Mat2 inverse(const Mat2& m) {
  const double det = m(0, 0) * m(1, 1) - m(0, 1) * m(1, 0);
  Mat2 out;
  out << m(1, 1), -m(0, 1), -m(1, 0), m(0, 0);
  return out / det;
}

/// Whether the map of 1/Å to cycles per pixel is a rotation of the nominal pixel but for the tolerance.
bool is_near(const Mat2& map, double pixel_A, double tolerance) {
  const Mat2 m = map / pixel_A;
  const double det = cross(m.col(0), m.col(1));
  if (!(det > 0)) return false;
  // Singular values from their sum of squares and their product.
  const double squares = m.squaredNorm(), root = std::sqrt(std::max(0.0, squares * squares / 4 - det * det));
  const double high = std::sqrt(squares / 2 + root), low = std::sqrt(std::max(0.0, squares / 2 - root));
  return low >= 1 - tolerance && high <= 1 + tolerance;
}

/// What a map of 1/Å to cycles per pixel explains of the spots found.
struct Explanation {
  Mat2 map = Mat2::Identity();
  std::vector<IndexedSpot> spots;
  double amplitude = 0, misfit = 0;
};

Explanation explain(const Lattice& lattice, const Mat2& map, const std::vector<Spot>& found,
                    const Vec2& bin) {
  Explanation e{map, {}, 0, 0};
  const Mat2 back = inverse(map * from_columns(lattice.spot(1, 0), lattice.spot(0, 1)));
  for (const auto& spot : found) {
    const Vec2 index = back * spot.place;
    const int h = static_cast<int>(std::lround(index.x())), k = static_cast<int>(std::lround(index.y()));
    if (h == 0 && k == 0) continue;
    const Vec2 off = (spot.place - map * lattice.spot(h, k)).cwiseQuotient(bin);
    // The pair that the map is made from is known to a fraction of a bin, farther spots to as many of them.
    const double reach = 0.6 * (std::abs(h) + std::abs(k));
    if (off.norm() > std::min(reach, 2.5)) continue;
    e.spots.push_back({h, k, spot.place, Vec2::Zero(), bin, 0});
    e.amplitude += spot.amplitude;
    e.misfit += off.squaredNorm();
  }
  return e;
}

/// Of all pairs of spots that may be the lattice's first two, the one that explains most; of equals, the
/// nearest.
std::optional<Explanation> index_spots(const Lattice& lattice, const std::vector<Spot>& found, double pixel_A,
                                       double tolerance, const Vec2& bin) {
  std::optional<Explanation> best;
  const Mat2 basis = inverse(from_columns(lattice.spot(1, 0), lattice.spot(0, 1)));
  for (const auto& first : found)
    for (const auto& second : found)
      for (const double sign : {1.0, -1.0}) {
        if (&first == &second) continue;
        const Mat2 map = from_columns(first.place, sign * second.place) * basis;
        if (!is_near(map, pixel_A, tolerance)) continue;
        auto e = explain(lattice, map, found, bin);
        const bool better = !best || e.amplitude > 1.001 * best->amplitude ||
                            (e.amplitude > 0.999 * best->amplitude && e.misfit < best->misfit);
        if (better) best = std::move(e);
      }
  return best;
}

/// Weighted least squares of map * g = place, each component for itself: rows of the map, and (Σ w g g^T)^-1
/// of each.
struct Map {
  Mat2 map = Mat2::Identity();
  Mat2 covariance_x = Mat2::Zero(), covariance_y = Mat2::Zero();
  double chi2_per_freedom = 0;
};

Map fit_map(const Lattice& lattice, std::vector<IndexedSpot>& spots) {
  Map fit;
  for (int axis = 0; axis < 2; ++axis) {
    Mat2 normal = Mat2::Zero();
    Vec2 right = Vec2::Zero();
    for (const auto& s : spots) {
      const Vec2 g = lattice.spot(s.h, s.k);
      const double w = 1 / (s.error(axis) * s.error(axis));
      normal += w * g * g.transpose();
      right += w * s.place(axis) * g;
    }
    const Mat2 covariance = inverse(normal);
    fit.map.row(axis) = (covariance * right).transpose();
    (axis == 0 ? fit.covariance_x : fit.covariance_y) = covariance;
  }
  double chi2 = 0;
  for (auto& s : spots) {
    s.residual = s.place - fit.map * lattice.spot(s.h, s.k);
    chi2 += s.residual.cwiseQuotient(s.error).squaredNorm();
  }
  const double freedom = 2 * static_cast<double>(spots.size()) - 4;
  fit.chi2_per_freedom = freedom > 0 ? chi2 / freedom : 1;
  return fit;
}

/// Whether a bin at a place or beside it stands out enough for a spot between bins, whose highest bin has at
/// least 0.7 of its amplitude under Hann windows.
bool stands_out(const Array<double, 2>& power, const RingNoise& noise, const Vec2& k) {
  constexpr double kOfAmplitude = 0.6;
  const auto bin = [](double frequency, std::size_t n) {
    return static_cast<std::size_t>(std::lround(frequency * static_cast<double>(n)) +
                                    static_cast<long>(centre_index(n)));
  };
  const std::size_t j = bin(k.y(), power.extent(0)), i = bin(k.x(), power.extent(1));
  double most = 0;
  for (std::size_t v = j - std::min<std::size_t>(j, 1); v < std::min(j + 2, power.extent(0)); ++v)
    for (std::size_t u = i - std::min<std::size_t>(i, 1); u < std::min(i + 2, power.extent(1)); ++u)
      most = std::max(most, power(v, u));
  return noise.signal(k, most) >= kOfAmplitude * kLeastSignal;
}

/// Spots where the map predicts them, measured between bins: those that stand above the noise.
std::vector<IndexedSpot> measure_spots(const Lattice& lattice, const Mat2& map, const FineSpectrum& spectrum,
                                       const Array<double, 2>& power, const Vec2& bin, double least) {
  const RingNoise noise(power);
  std::vector<IndexedSpot> spots;
  constexpr int kFarthest = 12;
  for (int h = -kFarthest; h <= kFarthest; ++h)
    for (int k = -kFarthest; k <= kFarthest; ++k) {
      const Vec2 expected = map * lattice.spot(h, k);
      if (!right_half(expected) || expected.cwiseAbs().maxCoeff() > kHighest || expected.norm() < least ||
          !stands_out(power, noise, expected))
        continue;
      const auto peak = spectrum.peak(expected, 1.0);
      const double signal = peak.found ? noise.signal(peak.place, peak.power) : 0;
      if (signal < kLeastSignal) continue;
      const Vec2 error = spectrum.place_error_at_unit_signal() / signal;
      // What interpolation and leakage of other spots leave.
      const Vec2 floor = 1e-4 * bin;
      spots.push_back({h, k, peak.place, Vec2::Zero(), error + floor, signal});
    }
  return spots;
}

/// Whether the spots span the plane.
bool spans(const Lattice& lattice, const std::vector<IndexedSpot>& spots) {
  for (const auto& a : spots)
    for (const auto& b : spots)
      if (std::abs(cross(lattice.spot(a.h, a.k), lattice.spot(b.h, b.k))) > 1e-9) return true;
  return false;
}

ScanGeometry geometry_of(const Mat2& map) {
  // Steps of x and y in the crystal's frame are the rows of the map.
  const Vec2 x = map.row(0).transpose(), y = map.row(1).transpose();
  ScanGeometry g;
  g.pixel_x_A = x.norm();
  g.pixel_y_A = cross(x, y) / g.pixel_x_A;
  g.shear = x.dot(y) / g.pixel_x_A / g.pixel_y_A;
  return g;
}

/// Standard deviations of what follows from the map, by its derivatives.
void propagate(const Map& fit, LatticeFit& result) {
  const double scale = std::max(1.0, fit.chi2_per_freedom);
  const std::array<const Mat2*, 2> covariance{&fit.covariance_x, &fit.covariance_y};
  ScanGeometry variance;
  double pixel = 0;
  for (int axis = 0; axis < 2; ++axis) {
    // The columns of the covariance's Cholesky factor are independent errors.
    const Mat2& c = *covariance[axis];
    const double a = std::sqrt(scale * c(0, 0)), b = scale * c(0, 1) / a;
    for (const Vec2& step : {Vec2(a, b), Vec2(0, std::sqrt(std::max(0.0, scale * c(1, 1) - b * b)))}) {
      Mat2 moved = fit.map;
      moved(axis, 0) += step.x();
      moved(axis, 1) += step.y();
      const auto g = geometry_of(moved), &from = result.geometry;
      variance.pixel_x_A += std::pow(g.pixel_x_A - from.pixel_x_A, 2);
      variance.pixel_y_A += std::pow(g.pixel_y_A - from.pixel_y_A, 2);
      variance.shear += std::pow(g.shear - from.shear, 2);
      pixel += std::pow(g.pixel_A() - from.pixel_A(), 2);
    }
  }
  result.error = {std::sqrt(variance.pixel_x_A), std::sqrt(variance.pixel_y_A), std::sqrt(variance.shear)};
  result.pixel_error_A = std::sqrt(pixel);
}

std::string spacings(const std::vector<Spot>& found, double pixel_A) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(6, found.size()); ++i)
    text += fmt::format("{}{:.2f}", text.empty() ? "" : ", ", pixel_A / found[i].place.norm());
  return text;
}

}  // namespace

Vec2 Lattice::spot(int h, int k) const {
  const double angle = radians(angle_deg);
  return h / d1_A * Vec2(1, 0) + k / d2_A * Vec2(std::cos(angle), std::sin(angle));
}

double ScanGeometry::pixel_A() const {
  return std::sqrt(pixel_x_A * pixel_y_A);
}

double ScanGeometry::axes_angle_deg() const {
  return std::atan2(1.0, shear) * 180 / kPi;
}

Mat2 ScanGeometry::matrix() const {
  Mat2 m;
  m << pixel_x_A, shear * pixel_y_A, 0, pixel_y_A;
  return m;
}

Mat2 ScanGeometry::square_to_recorded() const {
  const double p = pixel_A();
  Mat2 m;
  m << p / pixel_x_A, -p * shear / pixel_x_A, 0, p / pixel_y_A;
  return m;
}

std::vector<Spot> find_spots(View<const float, 2> image, double least, std::size_t most) {
  const auto power = power_spectrum(image);
  const RingNoise noise(power);
  std::vector<Spot> spots;
  for (std::size_t j = 2; j + 2 < power.extent(0); ++j)
    for (std::size_t i = 2; i + 2 < power.extent(1); ++i) {
      const Vec2 k = noise.frequency(j, i);
      if (!right_half(k) || k.norm() < least || k.cwiseAbs().maxCoeff() > kHighest) continue;
      const double signal = noise.signal(k, power(j, i));
      if (signal < kLeastSignal || !is_highest(power, j, i)) continue;
      spots.push_back({k, std::sqrt(power(j, i))});
    }
  std::stable_sort(spots.begin(), spots.end(),
                   [](const Spot& a, const Spot& b) { return a.amplitude > b.amplitude; });
  if (!spots.empty())
    std::erase_if(spots, [weakest = kLeastOfStrongest * spots.front().amplitude](const Spot& s) {
      return s.amplitude < weakest;
    });
  if (spots.size() > most) spots.resize(most);
  const FineSpectrum fine(image);
  for (auto& spot : spots)
    if (const auto peak = fine.peak(spot.place, 1.5); peak.found) spot.place = peak.place;
  return spots;
}

LatticeFit fit_lattice(View<const float, 2> image, const Lattice& lattice, double pixel_A, double tolerance,
                       const std::string& place) {
  const Vec2 bin = bins_of(image);
  const double least = 0.5 * pixel_A / std::max(lattice.d1_A, lattice.d2_A);
  const std::string wanted = fmt::format(
      "spots of spacings {:.3f} and {:.3f} Å, {:.2f} degrees apart, for a pixel of {} Å within {} %",
      lattice.d1_A, lattice.d2_A, lattice.angle_deg, pixel_A, 100 * tolerance);
  const auto found = find_spots(image, least, kMostSpots);
  if (found.size() < 2)
    throw InputError(
        place, found.empty() ? "no spots in the Fourier transform" : "a single spot in the Fourier transform",
        wanted);
  // A crystal seen from behind is the mirror image of its lattice.
  Lattice seen = lattice;
  auto indexed = index_spots(lattice, found, pixel_A, tolerance, bin);
  const Lattice mirrored{lattice.d1_A, lattice.d2_A, -lattice.angle_deg};
  if (auto other = index_spots(mirrored, found, pixel_A, tolerance, bin);
      other && (!indexed || other->amplitude > 1.01 * indexed->amplitude)) {
    indexed = std::move(other);
    seen = mirrored;
  }
  double all = 0;
  for (const auto& spot : found) all += spot.amplitude;
  if (!indexed || indexed->amplitude < kLeastExplained * all)
    throw InputError(place,
                     fmt::format("spots of another lattice; the strongest have spacings of {} Å",
                                 spacings(found, pixel_A)),
                     wanted);
  LatticeFit result;
  result.explained = indexed->amplitude / all;
  const auto power = power_spectrum(image);
  const FineSpectrum spectrum(image);
  Map fit = fit_map(seen, indexed->spots);
  for (int turn = 0; turn < kFits; ++turn) {
    auto spots = measure_spots(seen, fit.map, spectrum, power, bin, least);
    if (!spans(seen, spots)) break;
    result.spots = std::move(spots);
    fit = fit_map(seen, result.spots);
  }
  if (result.spots.size() < 2) throw InputError(place, "spots too weak to be measured", wanted);
  result.geometry = geometry_of(fit.map);
  propagate(fit, result);
  // The first spot lies along x of the crystal's frame, in which a step along the image's x is the map's
  // first row.
  result.rotation_deg = std::atan2(-fit.map(0, 1), fit.map(0, 0)) * 180 / kPi;
  double squares = 0;
  for (const auto& s : result.spots) squares += s.residual.cwiseQuotient(bin).squaredNorm();
  result.residual_bins = std::sqrt(squares / static_cast<double>(result.spots.size()));
  return result;
}

}  // namespace aetos::imaging
