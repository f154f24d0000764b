#include "aetos/atoms/build.hpp"

#include <fmt/format.h>

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <optional>

#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"
#include "aetos/core/units.hpp"

namespace aetos::atoms {
namespace {

constexpr double kEdge_A =
    1e-6;  ///< an atom on the lower face of a piece belongs to it, one on the upper not

const std::string kKey = "specimen.build";

double needed(const Auto<double>& value, const char* key) {
  if (!value) throw InputError(kKey, fmt::format("no '{}'", key), "a length in Å for this kind");
  return *value;
}

const SolidOptions& needed(const std::optional<SolidOptions>& solid, const char* key) {
  if (!solid) throw InputError(kKey, fmt::format("no '{}'", key), "the solid that this kind is made of");
  return *solid;
}

double sphere_volume(double radius) {
  return 4 * kPi / 3 * std::pow(radius, 3);
}

/// Appends a solid of either sort that fills a region about `origin`.
void fill(const SolidOptions& solid, const std::string& key, const Vec3& origin, const Region& region,
          std::uint64_t seed, std::uint32_t part, const StructureReader& read, Structure& out) {
  if (solid.structure == Lattice::amorphous) return fill_amorphous(solid, key, region, seed, part, out);
  const Vec3 farthest = (region.low - origin).cwiseAbs().cwiseMax((region.high - origin).cwiseAbs());
  fill_crystal(make_crystal(solid, key, seed, part, read), origin, farthest.norm(), region.inside, out);
}

Region sphere(const Vec3& centre, double radius) {
  const Vec3 half = Vec3::Constant(radius);
  return {[=](const Vec3& r) { return (r - centre).norm() <= radius + kEdge_A; }, centre - half,
          centre + half, sphere_volume(radius)};
}

Region box(const Vec3& side) {
  const Vec3 half = side / 2;
  return {[half](const Vec3& r) {
            return (r.array() >= -half.array() - kEdge_A).all() && (r.array() < half.array() - kEdge_A).all();
          },
          -half, half, side.prod()};
}

/// Translations within a cell that leave the crystal as it is (those of a centred cell), the zero one first.
std::vector<Vec3> centrings(const Crystal& crystal) {
  const Mat3 to_cell = crystal.cell.transpose().inverse();
  const auto is_atom = [&](const Vec3& r, std::uint8_t z) {
    for (std::size_t s = 0; s < crystal.place.size(); ++s) {
      const Vec3 between = to_cell * (crystal.place[s] - r);
      if (crystal.atomic_number[s] == z &&
          (between.array() - between.array().round()).abs().maxCoeff() < 1e-6)
        return true;
    }
    return false;
  };
  std::vector<Vec3> shifts;
  for (const Vec3& to : crystal.place) {
    const Vec3 shift = to - crystal.place[0];
    bool keeps = true;
    for (std::size_t s = 0; s < crystal.place.size(); ++s)
      keeps = keeps && is_atom(crystal.place[s] + shift, crystal.atomic_number[s]);
    if (keeps) shifts.push_back(shift);
  }
  return shifts;
}

/// The shortest translation of the crystal along an axis (0: x, 1: y), as a length; none among small indices.
std::optional<double> period_along(const Crystal& crystal, int axis) {
  constexpr int kMost = 8;
  std::optional<double> shortest;
  for (const Vec3& shift : centrings(crystal))
    for (int i = -kMost; i <= kMost; ++i)
      for (int j = -kMost; j <= kMost; ++j)
        for (int k = -kMost; k <= kMost; ++k) {
          Vec3 t = crystal.cell.transpose() * Vec3(i, j, k) + shift;
          const double length = t[axis];
          t[axis] = 0;
          if (length > 1e-6 && t.norm() < 1e-6 * length && (!shortest || length < *shortest))
            shortest = length;
        }
  return shortest;
}

/// Rounds the width of a slab to whole periods of its crystal.
double whole_periods(const Crystal& crystal, int axis, double width) {
  const auto period = period_along(crystal, axis);
  if (!period)
    throw InputError(kKey + ".periodic",
                     fmt::format("the crystal does not repeat along {}", axis == 0 ? "x" : "y"),
                     "a zone_axis and an x_axis along which it does, or periodic: false");
  return *period * std::max(1.0, std::round(width / *period));
}

Structure slab(const BuildOptions& o, std::uint64_t seed, const StructureReader& read) {
  const auto& solid = needed(o.crystal, "crystal");
  if (!o.width_A) throw InputError(kKey, "no 'width_A'", "the slab's sides in Å, [y, x]");
  Vec3 side((*o.width_A)[1], (*o.width_A)[0], needed(o.thickness_A, "thickness_A"));
  Structure out;
  if (o.periodic) {
    const Crystal crystal = make_crystal(solid, kKey + ".crystal", seed, 1, read);
    for (int axis : {0, 1}) side[axis] = whole_periods(crystal, axis, side[axis]);
    out.cell = Cell{Mat3(side.asDiagonal()), {true, true, false}};
  }
  fill(solid, kKey + ".crystal", Vec3::Zero(), box(side), seed, 1, read, out);
  return out;
}

Structure particle(const BuildOptions& o, std::uint64_t seed, const StructureReader& read) {
  Structure out;
  fill(needed(o.crystal, "crystal"), kKey + ".crystal", Vec3::Zero(),
       sphere(Vec3::Zero(), needed(o.radius_A, "radius_A")), seed, 1, read, out);
  return out;
}

/// Leaves out atoms from `first` on that are nearer than `clearance_A` to one before.
void clear_clashes(Structure& s, std::size_t first, double clearance_A) {
  const NeighbourSearch before(std::span(s.position).first(first));
  std::size_t kept = first;
  for (std::size_t i = first; i < s.size(); ++i) {
    const auto nearest = before.nearest(s.position[i]);
    if (nearest && nearest->distance_A < clearance_A) continue;
    s.position[kept] = s.position[i];
    s.atomic_number[kept++] = s.atomic_number[i];
  }
  s.position.resize(kept);
  s.atomic_number.resize(kept);
}

void name_parts(Structure& s, std::size_t first_of_second, const char* one, const char* two) {
  std::vector<std::string> names(s.size(), two);
  std::fill_n(names.begin(), first_of_second, one);
  s.columns["part"] = {names, 1};
}

Structure core_shell(const BuildOptions& o, std::uint64_t seed, const StructureReader& read) {
  const double radius = needed(o.radius_A, "radius_A"), core = needed(o.core_radius_A, "core_radius_A");
  const Vec3 centre(o.core_centre_A[0], o.core_centre_A[1], o.core_centre_A[2]);
  if (core + centre.norm() > radius)
    throw InputError(kKey + ".core_radius_A",
                     fmt::format("a core that reaches {:.1f} Å", core + centre.norm()),
                     "a core inside the particle, of radius radius_A");
  Structure out;
  fill(needed(o.core, "core"), kKey + ".core", centre, sphere(centre, core), seed, 1, read, out);
  const std::size_t first = out.size();
  Region shell = sphere(Vec3::Zero(), radius);
  shell.inside = [whole = shell.inside, centre, core](const Vec3& r) {
    return whole(r) && (r - centre).norm() > core + kEdge_A;
  };
  shell.volume_A3 -= sphere_volume(core);
  fill(needed(o.shell, "shell"), kKey + ".shell", Vec3::Zero(), shell, seed, 2, read, out);
  clear_clashes(out, first, o.clearance_A);
  name_parts(out, first, "core", "shell");
  return out;
}

/// The second side is the first one's orientation turned about y (bend), then about x, the interface's normal
/// (twist).
Structure bicrystal(const BuildOptions& o, std::uint64_t seed, const StructureReader& read) {
  const auto& one = needed(o.crystal, "crystal");
  const SolidOptions& two = o.second ? *o.second : one;
  const double radius = needed(o.radius_A, "radius_A");
  const Region whole = sphere(Vec3::Zero(), radius);
  Structure out;
  fill_crystal(
      make_crystal(one, kKey + ".crystal", seed, 1, read), Vec3::Zero(), radius,
      [&](const Vec3& r) { return r.x() < -kEdge_A && whole.inside(r); }, out);
  const std::size_t first = out.size();
  Crystal second = make_crystal(two, kKey + ".second", seed, o.second ? 2 : 1, read);
  const Mat3 turn = rotation_matrix({0, 0, o.twist_deg}) * rotation_matrix({0, o.bend_deg, 0});
  second.cell = (second.cell * turn.transpose()).eval();
  for (auto& r : second.place) r = turn * r;
  fill_crystal(
      second, Vec3::Zero(), radius, [&](const Vec3& r) { return r.x() >= -kEdge_A && whole.inside(r); }, out);
  clear_clashes(out, first, o.clearance_A);
  name_parts(out, first, "1", "2");
  return out;
}

void disturb(Structure& s, double rms_A, std::uint64_t seed) {
  if (rms_A == 0) return;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const auto n = random::normal4(seed, random::Domain::builder, {0, 3, i});
    s.position[i] += rms_A * Vec3(n[0], n[1], n[2]);
  }
}

}  // namespace

Structure build_specimen(const BuildOptions& options, std::uint64_t seed, const StructureReader& read) {
  Structure out;
  switch (options.kind) {
    case BuildKind::slab:
      out = slab(options, seed, read);
      break;
    case BuildKind::particle:
      out = particle(options, seed, read);
      break;
    case BuildKind::core_shell:
      out = core_shell(options, seed, read);
      break;
    case BuildKind::bicrystal:
      out = bicrystal(options, seed, read);
      break;
    case BuildKind::fill_oxygen:
      throw InputError(kKey + ".kind", "fill-oxygen", "a kind that starts from nothing");
  }
  if (out.size() == 0) throw InputError(kKey, "no atoms lie in the piece that is asked for", "a larger one");
  disturb(out, options.disorder_A, seed);
  return out;
}

}  // namespace aetos::atoms
