// Atomic columns of a crystal seen along the beam, in every image of one projection.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <regex>

#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/error.hpp"
#include "aetos/io/tilt_series.hpp"
#include "interpolated.hpp"
#include "measured_model.hpp"
#include "sets.hpp"

namespace aetos::analysis {
namespace {

using nlohmann::json;

constexpr double kOneColumn_A = 0.4;  ///< atoms nearer in projection are one column
constexpr double kProfileStep_A = 0.1;

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
  Sets sets(flat.size());
  for (const auto& p : atoms::pairs_within(flat, kOneColumn_A)) sets.join(p.first, p.second);
  struct Sum {
    Vec3 place = Vec3::Zero();
    std::map<std::string, std::size_t> species;
    double atoms = 0;
  };
  std::map<std::size_t, Sum> sums;
  for (std::size_t i = 0; i < flat.size(); ++i) {
    auto& sum = sums[sets.find(i)];
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

using Image = InterpolatedImage;

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
  const double noise = std::hypot(*deviation_of(on), *deviation_of(off)) / std::sqrt(2.0);
  return (*mean_of(on) - *mean_of(off)) / noise;
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
  const long steps = std::lround(half_field_A / kProfileStep_A);
  for (long k = -steps; k <= steps; ++k) {
    const Vec2 r(kProfileStep_A * static_cast<double>(k), nearest->place.y());
    csv += fmt::format("{:.2f}", r.x());
    for (const auto& [name, image] : images) csv += fmt::format(",{}", cell(image.at(r), 8));
    csv += '\n';
  }
  return csv;
}

/// Half the distance between the two nearest columns.
double disc_radius(const std::vector<Column2>& columns) {
  std::vector<Vec3> flat;
  for (const auto& c : columns) flat.emplace_back(c.place.x(), c.place.y(), 0);
  const atoms::NeighbourSearch search(flat);
  double nearest_A = std::numeric_limits<double>::infinity();
  for (const auto& r : flat) nearest_A = std::min(nearest_A, search.nearest(r, 2)[1].distance_A);
  return nearest_A / 2;
}

/// The images of a series that show columns as maxima: all but the components of a vector.
std::map<std::string, Image> images_of(const std::string& source, const io::TiltSeriesInfo& info) {
  static const std::regex component("_[xy]_(clean|blurred|noisy)$");
  std::map<std::string, Image> images;
  for (const auto& signal : info.signals)
    if (!std::regex_search(signal, component))
      images.emplace(signal, Image(io::read_tilt_series_images(source, signal, {0, 1}), *info.pixel_A));
  return images;
}

/// A row per column that lies in an image: its place, species, number of atoms, mean of each image.
std::string table_of(const std::map<std::string, Image>& images, const std::vector<Column2>& columns,
                     double radius) {
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
  return csv;
}

struct Species {
  std::map<std::string, std::size_t> columns;  ///< how many there are of each kind
  std::string light, heavy;                    ///< by the last element of a kind
};

Species species_of(const std::vector<Column2>& columns) {
  Species s;
  for (const auto& c : columns) ++s.columns[c.species];
  const auto z_of = [](const std::string& kind) { return atomic_number(kind.substr(kind.rfind('+') + 1)); };
  const auto by_z = [&](const auto& a, const auto& b) { return z_of(a.first) < z_of(b.first); };
  s.light = std::min_element(s.columns.begin(), s.columns.end(), by_z)->first;
  s.heavy = std::max_element(s.columns.begin(), s.columns.end(), by_z)->first;
  return s;
}

json numbers_of(const Image& image, const std::vector<Column2>& columns, const Species& species,
                double radius) {
  std::map<std::string, std::vector<double>> discs, peaks;
  for (const auto& c : columns)
    if (const auto v = image.disc(c.place, radius)) {
      discs[c.species].push_back(*v);
      peaks[c.species].push_back(*image.at(c.place));
    }
  json one = json::object();
  for (const auto& [kind, values] : discs) {
    one[kind] = level_of(values, "columns");
    one[kind]["peak"] = number_or_null(mean_of(peaks[kind]));
  }
  const std::string pair = species.light + "_to_" + species.heavy;
  const auto ratio = [&](auto& values) -> json {
    const auto l = mean_of(values[species.light]), h = mean_of(values[species.heavy]);
    return l && h && species.light != species.heavy ? number_or_null(*l / *h) : json(nullptr);
  };
  one["ratio_" + pair] = ratio(discs);
  one["peak_ratio_" + pair] = ratio(peaks);
  const auto between = middles(columns, species.heavy, radius);
  one["contrast_to_noise_" + species.light] =
      number_or_null(contrast_to_noise(image, columns, species.light, between, 0.5 * radius));
  return one;
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
  const double radius = disc_radius(columns);
  const auto images = images_of(source, info);
  const auto species = species_of(columns);
  json by_image = json::object();
  for (const auto& [name, image] : images) by_image[name] = numbers_of(image, columns, species, radius);
  output.files["columns.csv"] = table_of(images, columns, radius);
  output.files["column-profiles.csv"] =
      profiles(images, columns, species.light, 0.5 * static_cast<double>(info.nx) * *info.pixel_A);
  return {{"columns", species.columns}, {"radius_A", radius}, {"images", by_image}};
}

}  // namespace aetos::analysis
