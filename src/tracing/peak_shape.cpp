#include "aetos/tracing/peak_shape.hpp"

#include <algorithm>
#include <cmath>
#include <complex>

#include "aetos/core/units.hpp"
#include "aetos/multislice/probe.hpp"

namespace aetos::tracing {
namespace {

constexpr double kCut = 1e-3;    // of the height in focus, below which a peak is taken as 0
constexpr double kWidest_A = 7;  // no peak reaches farther
constexpr std::size_t kFrequencies = 160;

Eigen::Index rows(std::size_t n) {
  return static_cast<Eigen::Index>(n);
}

/// a b, row by row (Eigen's own product warns falsely under GCC 12, bug 105593).
Rows product(const Rows& a, const Rows& b) {
  Rows out = Rows::Zero(a.rows(), b.cols());
  for (Eigen::Index i = 0; i < a.rows(); ++i)
    for (Eigen::Index k = 0; k < a.cols(); ++k) {
      const double factor = a(i, k);
      const double* from = b.data() + k * b.cols();
      double* to = out.data() + i * out.cols();
      for (Eigen::Index j = 0; j < b.cols(); ++j) to[j] += factor * from[j];
    }
  return out;
}

/// The microscope without what depends on direction.
multislice::MicroscopeOptions round_part(const multislice::MicroscopeOptions& m) {
  multislice::MicroscopeOptions out;
  out.voltage_kV = m.voltage_kV;
  out.convergence_mrad = m.convergence_mrad;
  out.C30_A = m.C30_A;
  out.C50_A = m.C50_A;
  return out;
}

/// Transfer of the probe's intensity, planes by frequencies: the squared modulus of the wave, itself the
/// Hankel transform of the aperture, transformed back.
Rows transfer_of(const multislice::MicroscopeOptions& microscope, const std::vector<double>& depth,
                 const std::vector<double>& q) {
  constexpr std::size_t kRays = 128, kRadii = 500;
  constexpr double kRadius_A = 20;
  const auto lens = round_part(microscope);
  const double edge = 1e-3 * lens.convergence_mrad / electron_wavelength_A(lens.voltage_kV);
  const double dk = edge / kRays, dr = kRadius_A / kRadii;
  const auto middle = [](std::size_t i, double step) { return (static_cast<double>(i) + 0.5) * step; };

  Rows from_rays(rows(kRays), rows(kRadii)), to_q(rows(kRadii), rows(q.size()));
  for (std::size_t r = 0; r < kRadii; ++r) {
    for (std::size_t k = 0; k < kRays; ++k)
      from_rays(rows(k), rows(r)) =
          2 * kPi * middle(k, dk) * dk * std::cyl_bessel_j(0.0, 2 * kPi * middle(k, dk) * middle(r, dr));
    for (std::size_t j = 0; j < q.size(); ++j)
      to_q(rows(r), rows(j)) =
          2 * kPi * middle(r, dr) * dr * std::cyl_bessel_j(0.0, 2 * kPi * q[j] * middle(r, dr));
  }
  Rows real(rows(depth.size()), rows(kRays)), imaginary(rows(depth.size()), rows(kRays));
  for (std::size_t p = 0; p < depth.size(); ++p)
    for (std::size_t k = 0; k < kRays; ++k) {
      // Electrons fly towards +z': what lies deeper has less of the way to the crossover before it.
      const double chi =
          multislice::aberration_phase(lens, microscope.defocus_A - depth[p], middle(k, dk), 0);
      real(rows(p), rows(k)) = std::cos(chi);
      imaginary(rows(p), rows(k)) = -std::sin(chi);
    }
  const Rows re = product(real, from_rays), im = product(imaginary, from_rays);
  // Parseval: the whole intensity is the aperture's area.
  return product(re.cwiseAbs2() + im.cwiseAbs2(), to_q) / (kPi * edge * edge);
}

}  // namespace

PeakShape::PeakShape(double depth_A, double least_square)
    : half_(static_cast<std::size_t>(std::ceil(depth_A / kPlane_A)) + 1), step_(kStep * least_square) {}

PeakShape PeakShape::gaussian(double depth_A, double least_square) {
  return {depth_A, least_square};
}

PeakShape PeakShape::probe(const multislice::MicroscopeOptions& microscope, double depth_A,
                           double least_square) {
  PeakShape shape(depth_A, least_square);
  const double last = 2e-3 * microscope.convergence_mrad / electron_wavelength_A(microscope.voltage_kV);
  const double dq = last / kFrequencies;
  std::vector<double> depth;
  for (std::size_t p = 0; p < shape.planes(); ++p) depth.push_back(shape.depth_of(p));
  for (std::size_t j = 0; j < kFrequencies; ++j) shape.q_.push_back((static_cast<double>(j) + 0.5) * dq);
  shape.transfer_ = transfer_of(microscope, depth, shape.q_);

  const auto nodes = static_cast<std::size_t>(std::ceil(kWidest_A * kWidest_A / shape.step_)) + 2;
  shape.bessel_.resize(rows(kFrequencies), rows(nodes));
  shape.by_square_distance_.resize(rows(kFrequencies), rows(nodes));
  for (std::size_t j = 0; j < kFrequencies; ++j)
    for (std::size_t n = 0; n < nodes; ++n) {
      const double q = shape.q_[j], r = std::sqrt(static_cast<double>(n) * shape.step_),
                   ring = 2 * kPi * q * dq;
      shape.bessel_(rows(j), rows(n)) = ring * std::cyl_bessel_j(0.0, 2 * kPi * q * r);
      // d/drho of J0(2 pi q sqrt(rho)); its limit at 0 is -(pi q)².
      shape.by_square_distance_(rows(j), rows(n)) =
          -ring * kPi * q * (n == 0 ? kPi * q : std::cyl_bessel_j(1.0, 2 * kPi * q * r) / r);
    }
  return shape;
}

PeakTable::PeakTable(const PeakShape& shape, double square, double growth)
    : step_(shape.step()), first_depth_(shape.depth_of(0)), reach_(shape.planes()) {
  const auto square_at = [&](std::size_t p) {
    const double z = shape.depth_of(p);
    return square + growth * z * z;
  };
  if (shape.of_probe()) {
    Rows damped = shape.transfer_;
    for (std::size_t p = 0; p < shape.planes(); ++p)
      for (std::size_t j = 0; j < shape.q_.size(); ++j)
        damped(rows(p), rows(j)) *= std::exp(-2 * kPi * kPi * square_at(p) * shape.q_[j] * shape.q_[j]);
    value_ = product(damped, shape.bessel_);
    slope_ = step_ * product(damped, shape.by_square_distance_);
    for (std::size_t j = 0; j < shape.q_.size(); ++j)
      damped.col(rows(j)) *= -2 * kPi * kPi * shape.q_[j] * shape.q_[j];
    value_by_square_ = product(damped, shape.bessel_);
    slope_by_square_ = step_ * product(damped, shape.by_square_distance_);
  } else {
    const double widest = std::max(square_at(0), square);
    const auto nodes = static_cast<std::size_t>(std::ceil(-2 * widest * std::log(kCut) / step_)) + 2;
    for (Rows* m : {&value_, &slope_, &value_by_square_, &slope_by_square_})
      m->resize(rows(shape.planes()), rows(nodes));
    for (std::size_t p = 0; p < shape.planes(); ++p) fill_gaussian(p, square_at(p));
  }
  const double least = kCut * value_(rows(shape.planes() / 2), 0);
  for (std::size_t p = 0; p < shape.planes(); ++p) cut(p, least);
}

void PeakTable::fill_gaussian(std::size_t plane, double square) {
  const Eigen::Index p = rows(plane);
  for (Eigen::Index n = 0; n < value_.cols(); ++n) {
    const double rho = static_cast<double>(n) * step_, t = std::exp(-rho / (2 * square)) / (2 * kPi * square);
    const double by_square = rho / (2 * square * square) - 1 / square;
    value_(p, n) = t;
    slope_(p, n) = -step_ * t / (2 * square);
    value_by_square_(p, n) = t * by_square;
    slope_by_square_(p, n) = step_ * t * (1 / (2 * square * square) - by_square / (2 * square));
  }
}

void PeakTable::cut(std::size_t plane, double least) {
  const Eigen::Index p = rows(plane);
  Eigen::Index n = value_.cols() - 1;
  while (n > 1 && std::abs(value_(p, n - 1)) < least) --n;
  for (Rows* m : {&value_, &slope_, &value_by_square_, &slope_by_square_})
    m->row(p).tail(m->cols() - n).setZero();
  reach_[plane] = static_cast<std::size_t>(n);
}

PeakTable::Place PeakTable::place(double depth_A) const {
  const double at = std::clamp((depth_A - first_depth_) / PeakShape::kPlane_A, 0.0,
                               static_cast<double>(reach_.size() - 1) - 1e-9);
  const auto plane = static_cast<std::size_t>(at);
  return {plane, at - static_cast<double>(plane)};
}

double PeakTable::at(const Place& place, double rho) const {
  const double t = rho / step_, s = t - std::floor(t);
  const auto n = static_cast<std::size_t>(t);
  const auto in_plane = [&](std::size_t plane) {
    const double *v = value(plane) + n, *d = slope(plane) + n;
    const double to_next = s * s * (3 - 2 * s);
    return (1 - to_next) * v[0] + to_next * v[1] + s * (1 - s) * ((1 - s) * d[0] - s * d[1]);
  };
  return (1 - place.share) * in_plane(place.plane) + place.share * in_plane(place.plane + 1);
}

}  // namespace aetos::tracing
