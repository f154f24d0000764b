// An isosurface of the volume: 8-bit values in the page, whose script finds the surface at any level.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/io/json_text.hpp"
#include "aetos/io/png.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/parallel/partition.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_images.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

/// What the page has room for, 380 kB as text: the whole particle, and a cube of 16 Å in whose 0.34 Å voxels
/// single atoms are seen.
constexpr std::size_t kMostVoxels = 58 * 58 * 58, kMiddle = 46;

/// Places along an axis, each `step` voxels from the last, that reach beyond the n voxels.
std::size_t places_along(std::size_t n, std::size_t step) {
  return n == 0 ? 0 : (n + step - 2) / step + 1;
}

/// The least step that leaves no more than `kMostVoxels` places.
std::size_t thinning_step(const std::array<std::size_t, 3>& n) {
  for (std::size_t step = 1;; ++step) {
    std::size_t places = 1;
    for (const auto extent : n) places *= places_along(extent, step);
    if (places <= kMostVoxels) return step;
  }
}

/// What the page shows of a volume: a box at every `step`-th voxel, and its name there.
struct Box {
  std::string name;
  std::array<Range, 3> voxels;  ///< z, y, x
  std::size_t step;
};

/// Means weighted by cubic B-splines, which tame the noise of single voxels, and the lattice, finer than a
/// long step, that plain blocks would let through as a moiré.
class Thinned {
 public:
  explicit Thinned(const Box& box)
      : box_(box.voxels),
        step_(box.step),
        sums_({places_along(box_[0].size(), step_) + 3, places_along(box_[1].size(), step_) + 3,
               places_along(box_[2].size(), step_) + 3}) {
    for (std::size_t beyond = 0; beyond < step_; ++beyond) parts_.push_back(parts(beyond));
  }

  void add(std::size_t z, View<const float, 2> plane) {
    if (z < box_[0].begin || z >= box_[0].end) return;
    const auto [nz, ny, nx] = sums_.shape();
    Array<double, 2> thin({ny, nx});
    for (std::size_t y = 0; y < box_[1].size(); ++y) {
      Array<double, 1> row({nx});
      for (std::size_t x = 0; x < box_[2].size(); ++x)
        if (const float value = plane(box_[1].begin + y, box_[2].begin + x);
            value != 0 && std::isfinite(value))
          share(x, [&](std::size_t i, double part) { row(i) += part * value; });
      share(y, [&](std::size_t j, double part) {
        for (std::size_t i = 0; i < nx; ++i) thin(j, i) += part * row(i);
      });
    }
    share(z - box_[0].begin, [&](std::size_t k, double part) {
      for (std::size_t i = 0; i < thin.size(); ++i) sums_[k].data()[i] += part * thin.data()[i];
    });
  }

  Array<double, 3> values() const {
    const auto [nz, ny, nx] = sums_.shape();
    Array<double, 3> inner({nz - 3, ny - 3, nx - 3});
    for (std::size_t k = 0; k + 3 < nz; ++k)
      for (std::size_t j = 0; j + 3 < ny; ++j)
        for (std::size_t i = 0; i + 3 < nx; ++i) inner(k, j, i) = sums_(k + 1, j + 1, i + 1);
    return inner;
  }

 private:
  /// What the four places about a voxel take of its value, `beyond` the second of them.
  std::array<double, 4> parts(std::size_t beyond) const {
    const auto length = static_cast<double>(step_), t = static_cast<double>(beyond) / length, u = 1 - t;
    return {u * u * u / (6 * length), (4 - 6 * t * t + 3 * t * t * t) / (6 * length),
            (4 - 6 * u * u + 3 * u * u * u) / (6 * length), t * t * t / (6 * length)};
  }
  template <class Take>
  void share(std::size_t voxel, const Take& take) const {
    const auto& part = parts_[voxel % step_];
    for (std::size_t k = 0; k < 4; ++k) take(voxel / step_ + k, part[k]);
  }
  std::array<Range, 3> box_;
  std::size_t step_;
  std::vector<std::array<double, 4>> parts_{};
  Array<double, 3> sums_;  ///< one place more before the box, two after it
};

/// The voxels of an axis in the cube about the rotation centre.
Range middle_of(std::size_t n) {
  const std::size_t side = std::min(n, kMiddle), first = centre_index(n) - centre_index(side);
  return {first, first + side};
}

/// The value of the slider's end. A few bright voxels, of an artefact, do not take its whole range.
double top_of(View<const double, 3> values) {
  std::vector<double> positive;
  for (const double v : values)
    if (v > 0) positive.push_back(v);
  if (positive.empty()) return 0;
  const auto high =
      positive.begin() + static_cast<std::ptrdiff_t>(0.999 * static_cast<double>(positive.size()));
  std::nth_element(positive.begin(), high, positive.end());
  return std::min(1.5 * *high, *std::max_element(high, positive.end()));
}

std::string eight_bits(View<const double, 3> values, double top) {
  std::string bytes;
  bytes.reserve(values.size());
  for (const double v : values)
    bytes.push_back(static_cast<char>(std::lround(255 * std::clamp(v / top, 0.0, 1.0))));
  return bytes;
}

/// The least value inside, where 8-bit values part best into outside and inside (Otsu, IEEE Trans. Syst. Man
/// Cybern. 9, 62, 1979); the middle of those that part alike.
int parting_level(const std::string& bytes) {
  std::array<double, 256> count{};
  double inside = 0, sum_inside = 0, outside = 0, sum_outside = 0, best = -1, least = 0, most = 0;
  for (const char b : bytes) {
    const auto v = static_cast<std::uint8_t>(b);
    ++count[v], ++inside, sum_inside += v;
  }
  for (int level = 1; level < 256; ++level) {
    const double moved = count[static_cast<std::size_t>(level - 1)];
    outside += moved, inside -= moved;
    sum_outside += moved * (level - 1), sum_inside -= moved * (level - 1);
    if (outside == 0 || inside == 0) continue;
    const double apart = sum_inside / inside - sum_outside / outside;
    const double parted = inside * outside * apart * apart;
    if (parted > best * (1 + 1e-12)) least = level;
    if (parted >= best * (1 - 1e-12)) most = level, best = std::max(best, parted);
  }
  return static_cast<int>(std::max(1.0, std::floor((least + most) / 2)));
}

/// A box's description and its voxels, as attributes of the page.
struct Packed {
  nlohmann::json about;
  std::string voxels;
};

Packed pack(const Box& box, const Array<double, 3>& values, const io::VolumeInfo& info) {
  const double top = top_of(values);
  if (!(top > 0)) return {};
  const auto bytes = eight_bits(values, top);
  const double voxel = info.voxel_A.value_or(1);
  std::array<double, 3> first{};
  std::array<std::size_t, 3> shape{};
  for (std::size_t axis = 0; axis < 3; ++axis) {  // of the page: x, y, z
    shape[axis] = values.extent(2 - axis);
    first[axis] = voxel * (static_cast<double>(box.voxels[2 - axis].begin) -
                           static_cast<double>(centre_index(info.shape[2 - axis])));
  }
  return {{{"name", box.name},
           {"shape", shape},
           {"first", first},
           {"step", voxel * static_cast<double>(box.step)},
           {"top", top},
           {"level", parting_level(bytes)}},
          io::base64(bytes)};
}

/// The whole, thinned if it must be, and then its middle as well.
std::vector<Box> boxes_of(const io::VolumeInfo& info) {
  const auto [nz, ny, nx] = info.shape;
  const std::size_t step = thinning_step(info.shape);
  const auto length = [&](std::size_t voxels) {
    return info.voxel_A ? format(*info.voxel_A * static_cast<double>(voxels), 1) + " Å"
                        : std::to_string(voxels) + " voxels";
  };
  const Box whole{"the whole, in steps of " + length(step), {Range{0, nz}, {0, ny}, {0, nx}}, step};
  if (step == 1) return {whole};
  return {
      whole,
      {"the middle " + length(kMiddle) + ", every voxel", {middle_of(nz), middle_of(ny), middle_of(nx)}, 1}};
}

std::vector<Packed> packed_boxes(const std::string& file, const io::VolumeInfo& info) {
  const auto boxes = boxes_of(info);
  std::vector<Thinned> thinned;
  for (const auto& box : boxes) thinned.emplace_back(box);
  each_plane(file, [&](std::size_t z, View<const float, 2> plane) {
    for (auto& t : thinned) t.add(z, plane);
  });
  std::vector<Packed> all;
  for (std::size_t i = 0; i < boxes.size(); ++i)
    if (auto packed = pack(boxes[i], thinned[i].values(), info); !packed.voxels.empty())
      all.push_back(std::move(packed));
  return all;
}

std::string controls(const std::vector<Packed>& grids) {
  std::string choices;
  for (std::size_t i = 0; i < grids.size(); ++i)
    choices +=
        fmt::format("<option value=\"{}\">{}</option>", i, escape(grids[i].about["name"].get<std::string>()));
  return "<label>Of <select>" + choices +
         "</select></label> <label>Level <input type=\"range\" min=\"1\" max=\"255\" step=\"1\"/> "
         "<output></output></label>\n";
}

}  // namespace

std::string surface_part(const Run& run) {
  if (!run.has(files::volume)) return {};
  const auto file = (run.folder / files::volume).string();
  const auto info = io::read_volume_info(file);
  const auto grids = packed_boxes(file, info);
  if (grids.empty()) return {};
  nlohmann::json about = nlohmann::json::array();
  std::string voxels;
  for (std::size_t i = 0; i < grids.size(); ++i) {
    about.push_back(grids[i].about);
    voxels += fmt::format(" data-voxels{}=\"{}\"", i, grids[i].voxels);
  }
  return figure(
      "Isosurface of the volume",
      "<div id=\"surface3d\" class=\"view3d\">\n" + controls(grids) +
          "<canvas tabindex=\"0\" role=\"img\" aria-label=\"An isosurface of the volume in three "
          "dimensions\" data-grids=\"" +
          escape(io::json_text(about)) + "\"" + (info.voxel_A ? " data-unit=\"A\"" : "") + voxels +
          "></canvas>\n<p class=\"found\" role=\"status\"></p>\n" + kNoView + "</div>\n<script>" +
          kSurfaceScript + "</script>\n",
      "Where the volume, smoothed over two steps, has the value that the slider sets. Data: volume.h5");
}

}  // namespace aetos::pipeline::report
