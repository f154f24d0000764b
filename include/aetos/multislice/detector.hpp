#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/multislice/grid.hpp"
#include "aetos/multislice/options.hpp"
#include "aetos/multislice/tile_engine.hpp"

/// Detectors in the diffraction plane of a probe: linear sums of the intensity per reciprocal pixel.
namespace aetos::multislice {

/// Area of the rectangle x0..x1, y0..y1 that lies within `radius` of the origin.
double disc_overlap_area(double x0, double x1, double y0, double y1, double radius);

/// Share of the reciprocal pixel at (kx, ky) that the annulus inner <= lambda k < outer (mrad) covers: by
/// area, or 0 or 1 by the pixel's centre.
double annulus_share(const FftGrid& grid, double lambda_A, double kx, double ky, double inner_mrad,
                     double outer_mrad, DetectorEdges edges);

/// A segment of an annulus between two directions, in rad from x towards y; at most half a turn, or a whole
/// one.
struct Sector {
  double inner_mrad, outer_mrad, from, to;
};

/// Share of the reciprocal pixel at (kx, ky) that a sector covers: by area, or 0 or 1 by the pixel's centre.
double sector_share(const FftGrid& grid, double lambda_A, double kx, double ky, const Sector& sector,
                    DetectorEdges edges);
/// Segments of a segmented detector, ring by ring from the inside.
std::vector<Sector> sectors_of(const DetectorOptions& detector);
/// Centroid of a sector's area, (x, y) in mrad.
std::array<double, 2> centroid_mrad(const Sector& sector);

/// Pixels along a side of a pixelated detector: an odd number, the middle one on the axis, centres up to
/// outer_mrad.
std::size_t camera_side(const DetectorOptions& detector);

/// Fills in what a detector leaves open: a radial one without outer_mrad reaches the angle limit.
std::vector<DetectorOptions> resolve_detectors(std::vector<DetectorOptions> detectors,
                                               double angle_limit_mrad);

/// Columns of resolved detectors' output. Throws InputError for a ring or annulus without extent.
ChannelLayout channel_layout(const std::vector<DetectorOptions>& detectors);

/// The sums of all channels, prepared for one grid.
class DetectorSums {
 public:
  /// Some columns of the diffraction plane: frequencies first..first + count along x.
  struct Columns {
    std::size_t first, count;
  };

  DetectorSums(const std::vector<DetectorOptions>& detectors, const FftGrid& grid, double voltage_kV,
               DetectorEdges edges);
  /// The part of the sums that some columns give, whose intensity has the shape (column, ny). Pixelated
  /// detectors are refused.
  DetectorSums(const std::vector<DetectorOptions>& detectors, const FftGrid& grid, double voltage_kV,
               DetectorEdges edges, Columns columns);

  /// Weighted sum of each channel from the intensity per pixel (ny, nx; FFT order).
  void apply(View<const float, 2> intensity, std::span<double> channels) const;
  /// Turns sums into values: a centre of mass is divided by the transmitted intensity, others are not
  /// negative.
  void finish(std::span<double> channels) const;

 private:
  /// Consecutive pixels of one channel with their weights.
  struct Run {
    std::uint32_t first_pixel, length, first_weight;
  };
  struct Channel {
    std::vector<Run> runs;
    bool per_transmitted = false;
  };
  template <class Weight>
  void add_channel(const FftGrid& grid, bool per_transmitted, Weight weight);
  void add_camera(const DetectorOptions& detector, const FftGrid& grid, double lambda_A, DetectorEdges edges);
  void add_pixel(Channel& channel, std::size_t pixel, double weight);

  void add_channels(const std::vector<DetectorOptions>& detectors, const FftGrid& grid, double voltage_kV,
                    DetectorEdges edges);

  std::optional<Columns> columns_;  ///< all, row by row, where there are none
  std::vector<Channel> channels_;
  std::vector<float> weights_;
};

}  // namespace aetos::multislice
