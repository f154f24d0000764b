#include "find_shifts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/text_fields.hpp"

namespace aetos::preprocessing {
namespace {

using imaging::ObjectPlace;
using imaging::Shift;
using tomography::TiltAxis;

constexpr const char* kHead = "projection,theta_deg,shift_y_px,shift_x_px";
constexpr double kSteepestCosine = 0.05;  ///< beyond, images are not stretched to fit one another

/// Indices of the projections in the order of their angles.
std::vector<std::size_t> by_angle(const Plan& plan) {
  std::vector<std::size_t> order(plan.angles.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return plan.angles[a].theta_deg < plan.angles[b].theta_deg;
  });
  return order;
}

std::vector<Shift> onto_the_centre(const std::vector<ObjectPlace>& places) {
  std::vector<Shift> shifts;
  for (const auto& place : places) shifts.push_back({-place.y, -place.x});
  return shifts;
}

/// Across the axis as the centres of mass; along it onto the common line, as a whole where their mean is.
std::vector<Shift> by_common_line(const std::vector<ObjectPlace>& places) {
  std::vector<std::vector<double>> curves;
  for (const auto& place : places) curves.push_back(place.total > 0 ? place.along_y : std::vector<double>{});
  const auto along_y = imaging::common_line_shifts(curves);
  auto shifts = onto_the_centre(places);
  double mean = 0, count = 0;
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i].total > 0) {
      mean += places[i].y + along_y[i];
      count += 1;
    }
  for (std::size_t i = 0; i < places.size(); ++i)
    shifts[i].y = places[i].total > 0 ? along_y[i] - mean / count : 0;
  return shifts;
}

/// A step of the chain: from a projection to its neighbour in angle, farther from zero tilt.
struct Link {
  std::size_t from, to;
  double stretch;  ///< across the axis, of what a flat object shows
};

std::vector<Link> chain(const Plan& plan) {
  const auto order = by_angle(plan);
  const auto theta = [&](std::size_t i) { return plan.angles[order[i]].theta_deg; };
  std::size_t start = 0;
  for (std::size_t i = 0; i < order.size(); ++i)
    if (std::abs(theta(i)) < std::abs(theta(start))) start = i;
  const auto link = [&](std::size_t a, std::size_t b) {
    const double from = std::cos(radians(theta(a))), to = std::cos(radians(theta(b)));
    const bool steep = std::abs(from) < kSteepestCosine || std::abs(to) < kSteepestCosine;
    return Link{order[a], order[b], steep ? 1 : std::abs(to / from)};
  };
  std::vector<Link> links;
  for (std::size_t i = start; i + 1 < order.size(); ++i) links.push_back(link(i, i + 1));
  for (std::size_t i = start; i > 0; --i) links.push_back(link(i, i - 1));
  return links;
}

/// Each image onto its neighbour, from zero tilt outwards; the whole so that the mean centre of mass lies on
/// the rotation centre.
std::vector<Shift> by_cross_correlation(const Communicator& comm, const Plan& plan,
                                        const std::vector<ObjectPlace>& places, const ImageOf& image_of) {
  const auto links = chain(plan);
  const Range mine = block_partition(links.size(), static_cast<std::size_t>(comm.size()),
                                     static_cast<std::size_t>(comm.rank()));
  std::vector<Shift> my_steps;
  comm.agree([&] {
    for (std::size_t i = mine.begin; i < mine.end; ++i)
      my_steps.push_back(imaging::displacement(imaging::stretch_x(image_of(links[i].from), links[i].stretch),
                                               image_of(links[i].to)));
  });
  const auto steps = comm.all_gather(std::span<const Shift>(my_steps));
  std::vector<Shift> shifts(places.size());
  for (std::size_t i = 0; i < links.size(); ++i) {
    const Shift& before = shifts[links[i].from];
    shifts[links[i].to] = {before.y - steps[i].y, before.x * links[i].stretch - steps[i].x};
  }
  Shift mean;
  for (std::size_t i = 0; i < places.size(); ++i) {
    mean.y += (places[i].y + shifts[i].y) / static_cast<double>(places.size());
    mean.x += (places[i].x + shifts[i].x) / static_cast<double>(places.size());
  }
  for (Shift& s : shifts) s = {s.y - mean.y, s.x - mean.x};
  return shifts;
}

}  // namespace

Array<float, 2> transposed(View<const float, 2> image) {
  Array<float, 2> out({image.extent(1), image.extent(0)});
  for (std::size_t y = 0; y < image.extent(0); ++y)
    for (std::size_t x = 0; x < image.extent(1); ++x) out(x, y) = image(y, x);
  return out;
}

std::vector<Shift> find_shifts(const Communicator& comm, const Request& request, const Plan& plan,
                               const std::vector<ObjectPlace>& places, const ImageOf& image_of) {
  using config::Align;
  const bool turned = request.tilt_axis == TiltAxis::x;
  std::vector<Shift> shifts(places.size());
  if (request.options.align == Align::centre_of_mass) shifts = onto_the_centre(places);
  if (request.options.align == Align::common_line) shifts = by_common_line(places);
  if (request.options.align == Align::cross_correlation)
    shifts = by_cross_correlation(comm, plan, places, [&](std::size_t i) {
      auto image = image_of(i);
      return turned ? transposed(image) : std::move(image);
    });
  if (turned)
    for (Shift& s : shifts) std::swap(s.y, s.x);
  return shifts;
}

std::vector<Shift> read_shifts(const std::string& file, const Plan& plan) {
  const std::string text = io::read_text_file(file);
  std::map<std::int64_t, Shift> by_projection;
  std::size_t number = 0;
  for (const auto line : io::split_lines(text)) {
    ++number;
    if (number == 1) {
      if (io::trimmed(line) != kHead)
        throw InputError(io::line_place(file, 1), "'" + std::string(line.substr(0, 80)) + "'",
                         std::string("the head ") + kHead);
      continue;
    }
    if (io::trimmed(line).empty()) continue;
    std::vector<std::string_view> cells;
    for (std::size_t at = 0; at <= line.size();) {
      const auto comma = std::min(line.find(',', at), line.size());
      cells.push_back(io::trimmed(line.substr(at, comma - at)));
      at = comma + 1;
    }
    const auto projection = cells.size() == 4 ? io::to_integer(cells[0]) : std::nullopt;
    const auto y = cells.size() == 4 ? io::to_real(cells[2]) : std::nullopt;
    const auto x = cells.size() == 4 ? io::to_real(cells[3]) : std::nullopt;
    if (!projection || !y || !x || !std::isfinite(*y) || !std::isfinite(*x))
      throw InputError(io::line_place(file, number), "'" + std::string(line.substr(0, 80)) + "'",
                       "a projection's number, its angle, and its shifts along y and x in pixels");
    by_projection[*projection] = {*y, *x};
  }
  std::vector<Shift> shifts;
  for (std::size_t p : plan.kept) {
    const auto found = by_projection.find(static_cast<std::int64_t>(p));
    if (found == by_projection.end())
      throw InputError(file, fmt::format("no shift of projection {}", p),
                       "one for every projection that is used");
    shifts.push_back(found->second);
  }
  return shifts;
}

std::string shifts_csv(const Plan& plan, const std::vector<Shift>& shifts) {
  std::string text = std::string(kHead) + "\n";
  for (std::size_t i = 0; i < shifts.size(); ++i)
    text += fmt::format("{},{},{},{}\n", plan.kept[i], plan.angles[i].theta_deg, shifts[i].y, shifts[i].x);
  return text;
}

}  // namespace aetos::preprocessing
