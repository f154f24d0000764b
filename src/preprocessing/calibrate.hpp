#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "aetos/core/array.hpp"
#include "aetos/imaging/lattice.hpp"
#include "aetos/parallel/communicator.hpp"
#include "plan.hpp"

/// Pixel size and scan distortion from images of a known crystal (`preprocess.calibrate`).
namespace aetos::preprocessing {

struct Calibration {
  double nominal_pixel_A = 0;  ///< of the crystal's images
  imaging::LatticeFit fit;
  std::optional<double> series_pixel_A;  ///< calibrated pixel of the tilt series, where it is to be set
  std::optional<imaging::Mat2>
      to_recorded;          ///< pixels of the mended image -> of the recorded one, where it is distorted
  Array<float, 2> average;  ///< of the registered images, cropped to what all of them show; on the root alone
  nlohmann::json details;   ///< for calibration.json
};

/// The lattice that the options name.
imaging::Lattice lattice_of(const config::CalibrateOptions& options);

/// Throws InputError where the headers alone tell that it cannot be done.
void check_calibration(const Request& request, const Plan& plan);

/// Lays the images of the crystal over one another (rigid shifts, first onto the first image, then onto the
/// mean), averages them and fits the lattice to the Fourier spots. Images are dealt over the ranks; the same
/// bits on any number of them. Throws InputError for images without a nominal pixel, that show too little in
/// common, or that are not of this lattice. Collective.
Calibration calibrate(const Communicator& comm, const Request& request, const Plan& plan);

}  // namespace aetos::preprocessing
