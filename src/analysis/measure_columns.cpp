// Atomic columns of a crystal seen along the beam, in every image of one projection.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/error.hpp"
#include "aetos/io/tilt_series.hpp"
#include "measured_model.hpp"

namespace aetos::analysis {
namespace {

using nlohmann::json;

constexpr double kOneColumn_A = 0.4;  ///< atoms nearer in projection are one column
constexpr double kDiscStep_A = 0.1;

struct Column2 {
  Vec2 place = Vec2::Zero();
  std::string species;  ///< "Zr", "O", "O+Zr"
  std::size_t atoms = 0;
};

std::vector<Column2> find_columns(const Structure& s, const Mat3& rotation) {
  std::vector<Vec3> flat;
  for (const auto& r : s.position) {
    Vec3 seen = to_beam_frame(rotation, r);
    seen.z() = 0;
    flat.push_back(seen);
  }
  std::vector<std::size_t> first(flat.size());
  std::iota(first.begin(), first.end(), std::size_t{0});
  const auto root = [&](std::size_t i) {
    while (first[i] != i) i = first[i] = first[first[i]];
    return i;
  };
  for (const auto& p : atoms::pairs_within(flat, kOneColumn_A)) {
    const auto a = root(p.first), b = root(p.second);
    first[std::max(a, b)] = std::min(a, b);
  }
  struct Sum {
    Vec3 place = Vec3::Zero();
    std::map<std::string, std::size_t> species;
    double atoms = 0;
  };
  std::map<std::size_t, Sum> sums;
  for (std::size_t i = 0; i < flat.size(); ++i) {
    auto& sum = sums[root(i)];
    sum.place += flat[i];
    ++sum.species[element_symbol(s.atomic_number[i])];
    sum.atoms += 1;
  }
  std::vector<Column2> columns;
  for (const auto& [i, sum] : sums) {
    Column2 c{Vec2(sum.place.head<2>() / sum.atoms), "", static_cast<std::size_t>(sum.atoms)};
    for (const auto& [symbol, n] : sum.species)
      c.species = c.species.empty() ? symbol : fmt::format("{}+{}", c.species, symbol);
    columns.push_back(c);
  }
  return columns;
}

/// One image with its pixel; reads between pixels bilinearly.
class Image {
 public:
  Image(Array<float, 3> pixels, double pixel_A) : pixels_(std::move(pixels)), pixel_(pixel_A) {}
  std::optional<double> at(const Vec2& r) const {
    const double x = r.x() / pixel_ + static_cast<double>(centre_index(pixels_.extent(2)));
    const double y = r.y() / pixel_ + static_cast<double>(centre_index(pixels_.extent(1)));
    if (!(x >= 0 && y >= 0) || x >= static_cast<double>(pixels_.extent(2) - 1) ||
        y >= static_cast<double>(pixels_.extent(1) - 1))
      return std::nullopt;
    const auto i = static_cast<std::size_t>(x), j = static_cast<std::size_t>(y);
    const double a = x - static_cast<double>(i), b = y - static_cast<double>(j);
    const auto p = [&](std::size_t v, std::size_t u) { return static_cast<double>(pixels_(0, v, u)); };
    return (1 - b) * ((1 - a) * p(j, i) + a * p(j, i + 1)) +
           b * ((1 - a) * p(j + 1, i) + a * p(j + 1, i + 1));
  }
  /// Mean over a disc; none where it leaves the image.
  std::optional<double> disc(const Vec2& r, double radius_A) const {
    double sum = 0, points = 0;
    const int n = static_cast<int>(radius_A / kDiscStep_A);
    for (int i = -n; i <= n; ++i)
      for (int j = -n; j <= n; ++j) {
        const Vec2 d = kDiscStep_A * Vec2(i, j);
        if (d.norm() > radius_A) continue;
        const auto v = at(r + d);
        if (!v) return std::nullopt;
        sum += *v;
        points += 1;
      }
    return sum / points;
  }

 private:
  Array<float, 3> pixels_;
  double pixel_;
};

json level(const std::vector<double>& values) {
  const auto mean = mean_of(values);
  double sum = 0;
  for (double v : values) sum += (v - *mean) * (v - *mean);
  return {
      {"columns", values.size()},
      {"mean", number_or_null(mean)},
      {"standard_deviation",
       values.size() > 1 ? json(std::sqrt(sum / static_cast<double>(values.size() - 1))) : json(nullptr)}};
}

/// Middles between the nearest columns of one species, where no column lies nearer than a quarter of their
/// distance: the places that a column's contrast is held against.
std::vector<Vec2> middles(const std::vector<Column2>& columns, const std::string& species, double nearest_A) {
  std::vector<Vec3> places, all;
  for (const auto& c : columns) {
    all.emplace_back(c.place.x(), c.place.y(), 0);
    if (c.species == species) places.push_back(all.back());
  }
  const atoms::NeighbourSearch search(places), near(all);
  std::vector<Vec2> found;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto first = search.nearest(places[i], 2);
    if (first.size() < 2) continue;
    for (const auto& n : search.neighbours_of(i, 1.05 * first[1].distance_A)) {
      const Vec3 middle = 0.5 * (places[i] + places[n.index]);
      if (n.index > i && near.nearest(middle)->distance_A > 0.5 * nearest_A)
        found.emplace_back(middle.x(), middle.y());
    }
  }
  return found;
}

/// How far the lightest columns stand out of the middles between the heaviest, over the spread of both.
std::optional<double> contrast_to_noise(const Image& image, const std::vector<Column2>& columns,
                                        const std::string& light, const std::vector<Vec2>& between,
                                        double radius) {
  std::vector<double> on, off;
  for (const auto& c : columns)
    if (c.species == light)
      if (const auto v = image.disc(c.place, radius)) on.push_back(*v);
  for (const auto& r : between)
    if (const auto v = image.disc(r, radius)) off.push_back(*v);
  if (on.size() < 2 || off.size() < 2) return std::nullopt;
  const auto variance = [](const std::vector<double>& values) {
    const double mean = *mean_of(values);
    double sum = 0;
    for (double v : values) sum += (v - mean) * (v - mean);
    return sum / static_cast<double>(values.size() - 1);
  };
  return (*mean_of(on) - *mean_of(off)) / std::sqrt(0.5 * (variance(on) + variance(off)));
}

/// Through the light column nearest to the centre, along x.
std::string profiles(const std::map<std::string, Image>& images, const std::vector<Column2>& columns,
                     const std::string& light, double half_field_A) {
  const auto nearest = std::min_element(columns.begin(), columns.end(), [&](const auto& a, const auto& b) {
    const auto key = [&](const Column2& c) { return std::pair(c.species != light, c.place.norm()); };
    return key(a) < key(b);
  });
  std::string csv = "x_A";
  for (const auto& [name, image] : images) csv += fmt::format(",{}", name);
  csv += '\n';
  const long steps = std::lround(half_field_A / kDiscStep_A);
  for (long k = -steps; k <= steps; ++k) {
    const Vec2 r(kDiscStep_A * static_cast<double>(k), nearest->place.y());
    csv += fmt::format("{:.2f}", r.x());
    for (const auto& [name, image] : images) csv += fmt::format(",{}", cell(image.at(r), 8));
    csv += '\n';
  }
  return csv;
}

}  // namespace

json measure_columns(const MeasuredModel& m, MeasureOutput& output) {
  const std::string& source = m.inputs.images;
  if (source.empty())
    throw InputError("analyze.images", "no images",
                     "a tilt series, or the simulate stage before, for 'columns'");
  const auto info = io::read_tilt_series_info(source);
  if (!info.pixel_A || info.angles.empty())
    throw InputError(source, "no pixel size or no angles", "a series that says both");
  const auto columns = find_columns(*m.whole, rotation_matrix(info.angles[0]));
  if (columns.size() < 2)
    throw InputError("analyze.input", "fewer than two columns", "a crystal along the beam");
  std::vector<Vec3> flat;
  for (const auto& c : columns) flat.emplace_back(c.place.x(), c.place.y(), 0);
  const atoms::NeighbourSearch search(flat);
  double nearest_A = search.nearest(flat[0], 2)[1].distance_A;
  for (const auto& r : flat) nearest_A = std::min(nearest_A, search.nearest(r, 2)[1].distance_A);
  const double radius = nearest_A / 2;

  std::map<std::string, Image> images;
  for (const auto& signal : info.signals)
    images.emplace(signal, Image(io::read_tilt_series_images(source, signal, {0, 1}), *info.pixel_A));
  std::map<std::string, std::size_t> species;
  for (const auto& c : columns) ++species[c.species];
  const auto z_of = [](const std::string& s) { return atomic_number(s.substr(s.rfind('+') + 1)); };
  const auto by_z = [&](const auto& a, const auto& b) { return z_of(a.first) < z_of(b.first); };
  const std::string light = std::min_element(species.begin(), species.end(), by_z)->first,
                    heavy = std::max_element(species.begin(), species.end(), by_z)->first;
  const auto between = middles(columns, heavy, 0.5 * nearest_A);

  json by_image = json::object();
  std::string csv = "x_A,y_A,species,atoms";
  for (const auto& [name, image] : images) csv += fmt::format(",{}", name);
  csv += '\n';
  for (const auto& c : columns) {
    std::string row = fmt::format("{:.4f},{:.4f},{},{}", c.place.x(), c.place.y(), c.species, c.atoms);
    bool any = false;
    for (const auto& [name, image] : images) {
      const auto v = image.disc(c.place, radius);
      any = any || v;
      row += fmt::format(",{}", cell(v, 8));
    }
    if (any) csv += row + "\n";
  }
  for (const auto& [name, image] : images) {
    std::map<std::string, std::vector<double>> values;
    for (const auto& c : columns)
      if (const auto v = image.disc(c.place, radius)) values[c.species].push_back(*v);
    json one = json::object();
    for (const auto& [s, v] : values) one[s] = level(v);
    const auto l = mean_of(values[light]), h = mean_of(values[heavy]);
    one["ratio_" + light + "_to_" + heavy] =
        l && h && light != heavy ? number_or_null(*l / *h) : json(nullptr);
    one["contrast_to_noise_" + light] =
        number_or_null(contrast_to_noise(image, columns, light, between, 0.5 * radius));
    by_image[name] = one;
  }
  output.files["columns.csv"] = csv;
  output.files["column-profiles.csv"] =
      profiles(images, columns, light, 0.5 * static_cast<double>(info.nx) * *info.pixel_A);
  return {{"columns", species}, {"radius_A", radius}, {"images", by_image}};
}

}  // namespace aetos::analysis
