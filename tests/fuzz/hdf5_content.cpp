#include "hdf5_content.hpp"

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace aetos::fuzz {
namespace {

/// Names that our readers look for, in EMD files, ours and MATLAB's.
constexpr std::array kNames{"data",
                            "dim1",
                            "dim2",
                            "dim3",
                            "emd_group_type",
                            "name",
                            "units",
                            "aetos",
                            "content",
                            "pixel_A",
                            "voxel_A",
                            "is_counts",
                            "euler_deg",
                            "electrons_per_pixel",
                            "microscope",
                            "sample",
                            "seed",
                            "config",
                            "inputs",
                            "fingerprint",
                            "version",
                            "commit",
                            "MATLAB_class",
                            "MATLAB_empty",
                            "version_major",
                            "version_minor",
                            "reconstruction",
                            "r_factor_history",
                            "r_factor_per_projection",
                            "adf_clean",
                            "adf_noisy",
                            "volume"};
constexpr std::array kTexts{"tilt series", "volume", "deg",    "[n_m]",   "Å", "\xc5",
                            "rad",         "double", "uint16", "logical", ""};

/// The bytes that a file is made from; zeros once they are used up.
class Program {
 public:
  explicit Program(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool over() const { return bytes_.empty(); }
  unsigned next() {
    if (over()) return 0;
    const unsigned value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  template <std::size_t N>
  std::string one_of(const std::array<const char*, N>& known) {
    const unsigned choice = next();
    if (choice < N) return known[choice];
    std::string own;
    for (unsigned n = 1 + choice % 6; n > 0; --n) own += static_cast<char>(next());
    return own;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

hid_t make_type(Program& program) {
  const auto text = [&](std::size_t size, H5T_str_t pad) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_strpad(type, pad);
    return type;
  };
  switch (program.next() % 16) {
    case 0:
      return H5Tcopy(H5T_IEEE_F64LE);
    case 1:
      return H5Tcopy(H5T_IEEE_F32BE);
    case 2:
      return H5Tcopy(H5T_STD_I32LE);
    case 3:
      return H5Tcopy(H5T_STD_U64LE);
    case 4:
      return H5Tcopy(H5T_STD_U8LE);
    case 5:
      return H5Tcopy(H5T_STD_I16BE);
    case 6:
      return text(1 + program.next(), H5T_STR_NULLTERM);
    case 7:
      return text(1 + program.next(), H5T_STR_SPACEPAD);
    case 8:
      return text(H5T_VARIABLE, H5T_STR_NULLTERM);
    case 9:
      return H5Tvlen_create(H5T_NATIVE_DOUBLE);
    case 10:
      return H5Tcopy(H5T_STD_REF_OBJ);
    case 11: {
      const hsize_t extent = 1 + program.next() % 4;
      return H5Tarray_create2(H5T_NATIVE_DOUBLE, 1, &extent);
    }
    case 12:
      return H5Tcreate(H5T_OPAQUE, 1 + program.next() % 16);
    case 13: {
      const hid_t type = H5Tcreate(H5T_COMPOUND, 16);
      H5Tinsert(type, "real", 0, H5T_NATIVE_DOUBLE);
      H5Tinsert(type, "imag", 8, H5T_NATIVE_DOUBLE);
      return type;
    }
    case 14: {
      const hid_t type = H5Tenum_create(H5T_NATIVE_INT8);
      const signed char no = 0, yes = 1;
      H5Tenum_insert(type, "FALSE", &no);
      H5Tenum_insert(type, "TRUE", &yes);
      return type;
    }
    default: {
      const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
      H5Tset_fields(half, 15, 10, 5, 0, 10);
      H5Tset_precision(half, 16);
      H5Tset_size(half, 2);
      return half;
    }
  }
}

std::vector<hsize_t> make_shape(Program& program, unsigned rank) {
  std::vector<hsize_t> shape(rank);
  for (hsize_t& extent : shape) {
    const unsigned choice = program.next();
    extent = choice < 216 ? choice % 24 : hsize_t{1} << (choice - 193);  // up to 2^62
  }
  return shape;
}

hid_t make_space(Program& program, std::vector<hsize_t>& shape) {
  const unsigned choice = program.next() % 6;
  if (choice == 0) return H5Screate(H5S_SCALAR);
  if (choice == 5) return H5Screate(H5S_NULL);
  shape = make_shape(program, choice);
  return H5Screate_simple(static_cast<int>(choice), shape.data(), nullptr);
}

/// Values for as much of an object as is small; texts of variable length get pointers to text.
std::vector<std::uint8_t> make_values(Program& program, hid_t type, hid_t space) {
  const hssize_t points = H5Sget_simple_extent_npoints(space);
  const std::size_t size = H5Tget_size(type);
  if (points <= 0 || static_cast<std::size_t>(points) > 65536 / size) return {};
  const auto count = static_cast<std::size_t>(points);
  std::vector<std::uint8_t> values(count * size);
  if (H5Tis_variable_str(type) > 0) {
    static std::array<std::string, kTexts.size()> known;
    std::copy(kTexts.begin(), kTexts.end(), known.begin());
    for (std::size_t i = 0; i < count; ++i)
      reinterpret_cast<char**>(values.data())[i] = known[program.next() % known.size()].data();
  } else if (H5Tget_class(type) == H5T_VLEN) {
    static double number = 1;
    for (std::size_t i = 0; i < count; ++i)
      reinterpret_cast<hvl_t*>(values.data())[i] = {program.next() % 2, &number};
  } else if (H5Tget_class(type) == H5T_REFERENCE) {
    return values;
  } else if (H5Tget_class(type) == H5T_STRING) {
    const std::string text = program.one_of(kTexts);
    std::copy_n(text.begin(), std::min(text.size(), values.size()), values.begin());
  } else if (program.next() % 2 == 0 && size == 8) {
    std::fill_n(reinterpret_cast<double*>(values.data()), count, static_cast<double>(program.next()));
  } else {
    std::uint8_t step = static_cast<std::uint8_t>(program.next());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i * step);
    if (values.size() < 32)
      for (auto& value : values) value = static_cast<std::uint8_t>(program.next());
  }
  return values;
}

void make_attribute(Program& program, hid_t object) {
  const std::string name = program.one_of(kNames);
  const hid_t type = make_type(program);
  std::vector<hsize_t> shape;
  const hid_t space = make_space(program, shape);
  if (H5Sget_simple_extent_npoints(space) < 4096) {
    const hid_t attribute = H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT);
    const auto values = make_values(program, type, space);
    if (attribute >= 0 && !values.empty()) H5Awrite(attribute, type, values.data());
    H5Aclose(attribute);
  }
  H5Sclose(space);
  H5Tclose(type);
}

hid_t make_dataset(Program& program, hid_t group) {
  const std::string name = program.one_of(kNames);
  const hid_t type = make_type(program);
  std::vector<hsize_t> shape;
  const hid_t space = make_space(program, shape);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  const unsigned layout = program.next() % 5;
  std::vector<hsize_t> chunk = make_shape(program, static_cast<unsigned>(layout > 1 ? shape.size() : 0));
  for (std::size_t a = 0; a < chunk.size(); ++a)
    chunk[a] = std::clamp<hsize_t>(chunk[a], 1, std::max<hsize_t>(shape[a], 1));
  if (layout == 1) H5Pset_layout(creation, H5D_COMPACT);
  if (!chunk.empty()) H5Pset_chunk(creation, static_cast<int>(chunk.size()), chunk.data());
  if (layout == 3) H5Pset_deflate(creation, 1);
  if (layout == 4) H5Pset_shuffle(creation);
  const hid_t dataset = H5Dcreate2(group, name.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  const auto values = make_values(program, type, space);
  hsize_t chunk_points = 1;
  for (const hsize_t extent : chunk)
    if (__builtin_mul_overflow(chunk_points, extent, &chunk_points)) chunk_points = HSIZE_UNDEF;
  if (dataset >= 0 && !values.empty() && chunk_points <= 65536)
    H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Pclose(creation);
  H5Sclose(space);
  H5Tclose(type);
  return dataset;
}

}  // namespace

std::string write_hdf5_content(const std::filesystem::path& folder, std::span<const std::uint8_t> bytes) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  Program program(bytes);
  const bool matlab = program.next() % 4 == 1;
  const std::string path = folder / (matlab ? "c.mat" : "c.h5");
  const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
  if (matlab) H5Pset_userblock(creation, 512);
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, H5P_DEFAULT);
  H5Pclose(creation);
  std::vector<hid_t> open{H5Gopen2(file, "/", H5P_DEFAULT)};
  for (int steps = 0; !program.over() && steps < 100; ++steps) {
    const hid_t here = open.back();
    hid_t made = H5I_INVALID_HID;
    switch (program.next() % 8) {
      case 0:
        made = H5Gcreate2(here, program.one_of(kNames).c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        break;
      case 1:
        made = make_dataset(program, here);
        break;
      case 2: {
        const hid_t target = open[program.next() % open.size()];
        H5Lcreate_hard(target, ".", here, program.one_of(kNames).c_str(), H5P_DEFAULT, H5P_DEFAULT);
        break;
      }
      case 3: {
        const std::string to = "/" + program.one_of(kNames);
        H5Lcreate_soft(to.c_str(), here, program.one_of(kNames).c_str(), H5P_DEFAULT, H5P_DEFAULT);
        break;
      }
      case 4:
        H5Lcreate_external(path.c_str(), "/", here, program.one_of(kNames).c_str(), H5P_DEFAULT, H5P_DEFAULT);
        break;
      case 5:
        if (open.size() > 1) {
          H5Oclose(open.back());
          open.pop_back();
        }
        break;
      default:
        make_attribute(program, here);
    }
    if (made >= 0) open.push_back(made);
  }
  for (const hid_t object : open) H5Oclose(object);
  H5Fclose(file);
  if (matlab) {
    FILE* out = std::fopen(path.c_str(), "r+b");
    if (out == nullptr) std::abort();
    std::fprintf(out, "%-124s%c%cIM", "MATLAB 7.3 MAT-file", 0, 2);
    std::fclose(out);
  }
  return path;
}

}  // namespace aetos::fuzz
