// Keys of what happens to images before the reconstruction.
#include "describe.hpp"

namespace aetos::config {

Codec<PreprocessOptions> describe_preprocess() {
  using S = PreprocessOptions;
  const auto none = word<std::string>({{"none", "none"}});
  return group<S>({
      field<S>(
          "input", &S::input, path("a path of .h5, .mat[:array] or .mrc", {}, "auto"),
          "images; auto: those that reconstruct.input names, else the series that the simulate stage made"),
      field<S>("signal", &S::signal, text("text: auto, or the name of images in the file"),
               "which images of the file; auto: as reconstruct.signal"),
      field<S>("bad_pixels", &S::bad_pixels, word(kBadPixelsWords),
               "NaN and infinities in images: an error, or interpolated from their neighbours, with hot "
               "pixels, and counted"),
      field<S>("calibrate", &S::calibrate, none, "pixel size from a known crystal"),
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
