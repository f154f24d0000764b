#pragma once

#include <optional>
#include <string>

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"

/// Images and volumes read between their pixels, in Å about the rotation centre.
namespace aetos::analysis {

class InterpolatedImage {
 public:
  /// One image (1, y, x).
  InterpolatedImage(Array<float, 3> pixels, double pixel_A) : pixels_(std::move(pixels)), pixel_(pixel_A) {}
  /// Between four pixels; none beyond them.
  std::optional<double> at(const Vec2& r) const;
  /// Mean over a disc; none where it leaves the image.
  std::optional<double> disc(const Vec2& r, double radius_A) const;

 private:
  Array<float, 3> pixels_;
  double pixel_;
};

class InterpolatedVolume {
 public:
  /// Throws InputError for a file that is no volume or does not say its voxel's size.
  explicit InterpolatedVolume(const std::string& file);
  /// Between eight voxels; none beyond them.
  std::optional<double> at(const Vec3& r) const;
  double voxel_A() const { return voxel_; }
  /// The longest side.
  double widest_A() const;

 private:
  double voxel_;
  Array<float, 3> volume_;
};

}  // namespace aetos::analysis
