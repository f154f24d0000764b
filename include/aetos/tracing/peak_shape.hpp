#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "aetos/multislice/options.hpp"

/// What one atom adds to an image, by its distance in the image and its depth about the focus plane. Serial;
/// lengths in Å.
namespace aetos::tracing {

/// A matrix whose rows lie one after another.
using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The family of an image's peaks: Gaussians of variance S = s² + c z'², alone or convolved with a round
/// probe's intensity in the plane at z' (its defocus, C30 and C50; the source's size is left to S).
class PeakShape {
 public:
  /// Peaks of atoms as deep as `depth_A` on both sides of the focus plane. `least_square`: no s² will be
  /// below it.
  static PeakShape gaussian(double depth_A, double least_square);
  static PeakShape probe(const multislice::MicroscopeOptions& microscope, double depth_A,
                         double least_square);

  bool of_probe() const { return transfer_.size() > 0; }
  std::size_t planes() const { return 2 * half_ + 1; }
  double depth_of(std::size_t plane) const {
    return (static_cast<double>(plane) - static_cast<double>(half_)) * kPlane_A;
  }
  double step() const { return step_; }                  ///< of the squared distance, Å²
  double least_square() const { return step_ / kStep; }  ///< that it was made for

  static constexpr double kPlane_A = 0.5;

 private:
  friend class PeakTable;
  PeakShape(double depth_A, double least_square);

  static constexpr double kStep = 2;  ///< of rho, over the least s²
  std::size_t half_ = 0;
  double step_ = 0;
  std::vector<double> q_;             ///< frequencies, 1/Å
  Rows transfer_;                     ///< (plane, frequency); empty: no probe
  Rows bessel_, by_square_distance_;  ///< (frequency, node) of the transform back and its slope
};

/// Peaks of unit integral, tabulated by plane and squared distance rho. Between nodes of rho runs a cubic
/// through values and slopes (Hermite's), between planes a straight line.
class PeakTable {
 public:
  /// `square` s² in Å², `growth` c.
  PeakTable(const PeakShape& shape, double square, double growth);

  /// The planes about a depth, which lies at `plane` + `share` of the way to the next.
  struct Place {
    std::size_t plane = 0;
    double share = 0;
  };
  Place place(double depth_A) const;

  double step() const { return step_; }
  double depth_of(std::size_t plane) const {
    return first_depth_ + static_cast<double>(plane) * PeakShape::kPlane_A;
  }
  /// Nodes within the peak; at the last one and beyond it is taken as 0.
  std::size_t nodes(const Place& at) const { return std::max(reach_[at.plane], reach_[at.plane + 1]); }

  /// T between two planes at a squared distance within the nodes.
  double at(const Place& place, double rho) const;

  /// Values T at the nodes of one plane, h dT/drho, and the same of dT/dS. Å^-2, Å^-4.
  const double* value(std::size_t plane) const { return value_.row(index(plane)).data(); }
  const double* slope(std::size_t plane) const { return slope_.row(index(plane)).data(); }
  const double* value_by_square(std::size_t plane) const { return value_by_square_.row(index(plane)).data(); }
  const double* slope_by_square(std::size_t plane) const { return slope_by_square_.row(index(plane)).data(); }

 private:
  static Eigen::Index index(std::size_t i) { return static_cast<Eigen::Index>(i); }
  void fill_gaussian(std::size_t plane, double square);
  void cut(std::size_t plane, double least);

  double step_ = 0, first_depth_ = 0;
  Rows value_, slope_, value_by_square_, slope_by_square_;  ///< (plane, node)
  std::vector<std::size_t> reach_;
};

}  // namespace aetos::tracing
