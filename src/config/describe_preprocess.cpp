// Keys of what happens to images before the reconstruction.
#include "describe.hpp"

namespace aetos::config {
namespace {

Codec<std::optional<CalibrateOptions>> describe_calibrate() {
  using S = CalibrateOptions;
  const auto map = group<S>({
      required(field<S>("file", &S::file, path("a path of .h5, .mat[:array], .mrc or .tif"),
                        "image of a known crystal, or series of images of one place, recorded with the scan "
                        "of the tilt series")),
      field<S>("signal", &S::signal, text("text: auto, or the name of images in the file"),
               "which images of the file; auto: noisy ones where there are such, else blurred, else clean"),
      field<S>("crystal", &S::crystal, word(kCrystalWords),
               "the crystal and the direction in which it is seen"),
      field<S>("spacings_A", &S::spacings_A, list_or_word("none", number({0.1, 1000, "1 to 5"}), 2),
               "instead of crystal: spacings of two sets of planes, of which all others are combinations"),
      field<S>("angle_deg", &S::angle_deg, number({1, 179, "30 to 120"}),
               "angle between the normals of those two"),
      field<S>("pixel_A", &S::pixel_A, optional("auto", number({1e-3, 1000, "0.05 to 0.5"})),
               "nominal pixel of these images; auto: the file's, else that of the tilt series"),
      field<S>("tolerance", &S::tolerance, number({0.001, 0.3, "0.02 to 0.15"}),
               "share by which the nominal pixel may be off, and the scan distorted"),
      field<S>("apply", &S::apply, word(kApplyCalibrationWords),
               "none: the calibration is reported alone; pixel: it sets the pixel of the series; affine: the "
               "scan's distortion "
               "is also taken out of the images, where it is more than twice its error"),
  });
  auto codec = optional("none", map);
  codec.about.words = "none, or a map of keys with `file`";
  codec.about.entries = map.about.entries;
  return codec;
}

}  // namespace

Codec<PreprocessOptions> describe_preprocess() {
  using S = PreprocessOptions;
  return group<S>({
      field<S>(
          "input", &S::input, path("a path of .h5, .mat[:array] or .mrc", {}, "auto"),
          "images; auto: those that reconstruct.input names, else the series that the simulate stage made"),
      field<S>("signal", &S::signal, text("text: auto, or the name of images in the file"),
               "which images of the file; auto: as reconstruct.signal"),
      field<S>("bad_pixels", &S::bad_pixels, word(kBadPixelsWords),
               "NaN and infinities in images: an error, or interpolated from their neighbours, with hot "
               "pixels, and counted"),
      field<S>("calibrate", &S::calibrate, describe_calibrate(),
               "none, or how pixel size and scan distortion follow from images of a known crystal"),
      field<S>("denoise", &S::denoise, word(kDenoiseWords),
               "denoising of Poisson noise, in Anscombe's transform; how many electrons a pixel of value 1 "
               "stands for "
               "is what the file says, else estimated from the images"),
      field<S>(
          "background", &S::background, word(kBackgroundWords),
          "plane: a plane fitted beside the object is subtracted; mask: the mean beside the object is "
          "subtracted, and what lies outside is zero. The object is what stands out by Otsu's threshold"),
      field<S>(
          "align", &S::align, word(kAlignWords),
          "shifts: every centre of mass on the rotation centre; that across the tilt axis and the common "
          "line along it; or every image onto its neighbour in angle"),
      field<S>("shifts", &S::shifts, path("a path of .csv", {}, "none"),
               "instead of align: a shifts.csv of an earlier run, applied to these images"),
      field<S>("normalize", &S::normalize, word(kNormalizeWords),
               "total: every projection is scaled to the same total intensity"),
  });
}

}  // namespace aetos::config
