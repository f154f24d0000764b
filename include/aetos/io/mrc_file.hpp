#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aetos/io/source.hpp"

/// MRC2014 (Cheng et al., J. Struct. Biol. 192, 146, 2015) and its older relatives, as IMOD and CCP4 write
/// them.
namespace aetos::io::mrc {

struct Header {
  std::array<std::size_t, 3> shape{};  ///< sections, rows, columns: (tilt, y, x) or (z, y, x)
  int mode = 2;                        ///< 0 int8, 1 int16, 2 float32, 6 uint16, 12 float16
  bool unsigned_bytes = false;         ///< mode 0 of older IMOD
  bool swapped = false;                ///< bytes stand in the other order than this machine's
  std::uint64_t data_offset = 1024;
  std::optional<double> pixel_A;  ///< empty where the header's cell is zero
  bool is_volume = false;         ///< space group of a volume rather than a stack of images
};

/// Reads and checks the header against the file's size; odd stamps and surplus bytes are warned of, once.
Header read_header(const std::string& path);
std::size_t bytes_per_value(int mode);
/// Angles from NAME.rawtlt or NAME.tlt beside NAME.mrc; empty without one. InputError if their number is
/// wrong.
std::vector<EulerAngles> angles_beside(const std::string& path, std::size_t sections);

/// Writes mode 2 under a final name that appears only when complete; `section(i)` gives the sections one by
/// one.
void write(const std::filesystem::path& path, const std::array<std::size_t, 3>& shape,
           std::optional<double> pixel_A, bool is_volume,
           const std::function<Array<float, 3>(std::size_t)>& section);

}  // namespace aetos::io::mrc
