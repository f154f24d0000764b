// Crystals: their cells, how they are turned, and cutting a piece out of one.
#include <fmt/format.h>

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <cmath>

#include "aetos/atoms/build.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"

namespace aetos::atoms {
namespace {

struct Site {
  Vec3 place;            ///< in units of the cell
  std::size_t kind = 0;  ///< which of the elements
};

const std::vector<Vec3>& face_centres() {
  static const std::vector<Vec3> places{{0, 0, 0}, {0.5, 0.5, 0}, {0.5, 0, 0.5}, {0, 0.5, 0.5}};
  return places;
}

/// A face-centred lattice with more atoms at each of its points.
std::vector<Site> face_centred(const std::vector<Site>& motif) {
  std::vector<Site> sites;
  for (const auto& m : motif)
    for (const auto& p : face_centres()) {
      Vec3 r = p + m.place;
      sites.push_back({r - r.array().floor().matrix(), m.kind});
    }
  return sites;
}

std::vector<Site> sites_of(Lattice lattice) {
  const Vec3 zero = Vec3::Zero(), quarter(0.25, 0.25, 0.25), three(0.75, 0.75, 0.75), half(0.5, 0.5, 0.5);
  switch (lattice) {
    case Lattice::sc:
      return {{zero, 0}};
    case Lattice::bcc:
      return {{zero, 0}, {half, 0}};
    case Lattice::fcc:
      return face_centred({{zero, 0}});
    case Lattice::diamond:
      return face_centred({{zero, 0}, {quarter, 0}});
    case Lattice::zincblende:
      return face_centred({{zero, 0}, {quarter, 1}});
    case Lattice::rocksalt:
      return face_centred({{zero, 0}, {half, 1}});
    case Lattice::fluorite:
      return face_centred({{zero, 0}, {quarter, 1}, {three, 1}});
    case Lattice::file:
    case Lattice::amorphous:
      break;
  }
  return {};
}

Crystal lattice_crystal(const SolidOptions& options, const std::string& key) {
  const auto sites = sites_of(options.structure);
  std::size_t kinds = 1;
  for (const auto& s : sites) kinds = std::max(kinds, s.kind + 1);
  if (options.elements.size() != kinds)
    throw InputError(key + ".elements", fmt::format("{} elements", options.elements.size()),
                     fmt::format("{} for this structure", kinds));
  if (!options.a_A) throw InputError(key, "no 'a_A'", "the lattice constant in Å");
  Crystal crystal;
  crystal.cell = *options.a_A * Mat3::Identity();
  for (const auto& s : sites) {
    crystal.place.push_back(*options.a_A * s.place);
    crystal.atomic_number.push_back(atomic_number(options.elements[s.kind]));
  }
  return crystal;
}

Crystal file_crystal(const SolidOptions& options, const std::string& key, const StructureReader& read) {
  if (options.file.empty()) throw InputError(key, "no 'file'", "the file of the crystal's cell");
  const Structure cell = read(options.file);
  if (!cell.cell || std::abs(cell.cell->vectors.determinant()) < 1e-6)
    throw InputError(options.file, "no cell", "a Lattice with three vectors that span a volume");
  if (cell.size() == 0) throw InputError(options.file, "no atoms", "at least one");
  return {cell.cell->vectors, cell.position, cell.atomic_number};
}

Vec3 vector_of(const std::array<double, 3>& a) {
  return {a[0], a[1], a[2]};
}

/// The cell's axis most nearly normal to a direction.
Vec3 most_normal_axis(const Mat3& cell, const Vec3& z) {
  Vec3 best = cell.row(0);
  for (int k = 1; k < 3; ++k) {
    const Vec3 axis = cell.row(k);
    if (std::abs(axis.normalized().dot(z)) < std::abs(best.normalized().dot(z)) - 1e-9) best = axis;
  }
  return best;
}

/// Uniform over all rotations: a quaternion of four normal numbers.
Mat3 random_rotation(std::uint64_t seed, std::uint32_t part) {
  const auto n = random::normal4(seed, random::Domain::builder, {part, 0, 0});
  return Eigen::Quaterniond(n[0], n[1], n[2], n[3]).normalized().toRotationMatrix();
}

Mat3 orientation(const SolidOptions& options, const std::string& key, const Mat3& cell, std::uint64_t seed,
                 std::uint32_t part) {
  if (options.random_orientation) return random_rotation(seed, part);
  const Vec3 along = cell.transpose() * vector_of(options.zone_axis);
  if (along.norm() < 1e-9) throw InputError(key + ".zone_axis", "[0, 0, 0]", "a direction of the crystal");
  const Vec3 z = along.normalized();
  const Vec3 asked =
      options.x_axis ? Vec3(cell.transpose() * vector_of(*options.x_axis)) : most_normal_axis(cell, z);
  Vec3 x = asked - asked.dot(z) * z;
  if (x.norm() < 1e-6 * asked.norm() || asked.norm() < 1e-9)
    throw InputError(key + ".x_axis", "a direction along zone_axis", "another direction of the crystal");
  x.normalize();
  Mat3 to_specimen;
  to_specimen.row(0) = x;
  to_specimen.row(1) = z.cross(x);
  to_specimen.row(2) = z;
  const auto& e = options.euler_deg;
  return rotation_matrix({e[0], e[1], e[2]}) * to_specimen;
}

}  // namespace

Crystal make_crystal(const SolidOptions& options, const std::string& key, std::uint64_t seed,
                     std::uint32_t part, const StructureReader& read) {
  if (options.structure == Lattice::amorphous)
    throw InputError(key + ".structure", "amorphous", "a crystal here");
  Crystal crystal =
      options.structure == Lattice::file ? file_crystal(options, key, read) : lattice_crystal(options, key);
  const Mat3 turn = orientation(options, key, crystal.cell, seed, part);
  crystal.cell = (crystal.cell * turn.transpose()).eval();
  for (auto& r : crystal.place) r = turn * r;
  return crystal;
}

void fill_crystal(const Crystal& crystal, const Vec3& origin, double reach_A,
                  const std::function<bool(const Vec3&)>& inside, Structure& out) {
  double motif = 0;
  for (const auto& r : crystal.place) motif = std::max(motif, r.norm());
  // The planes of the cell are 1 / |row of the reciprocal cell| apart.
  const Mat3 reciprocal = crystal.cell.inverse().transpose();
  std::array<long, 3> most{};
  for (int k = 0; k < 3; ++k)
    most[static_cast<std::size_t>(k)] =
        static_cast<long>(std::ceil((reach_A + motif) * reciprocal.row(k).norm()));
  for (long i = -most[0]; i <= most[0]; ++i)
    for (long j = -most[1]; j <= most[1]; ++j)
      for (long k = -most[2]; k <= most[2]; ++k) {
        const Vec3 index(static_cast<double>(i), static_cast<double>(j), static_cast<double>(k));
        const Vec3 corner = origin + crystal.cell.transpose() * index;
        for (std::size_t s = 0; s < crystal.place.size(); ++s) {
          const Vec3 r = corner + crystal.place[s];
          if (!inside(r)) continue;
          out.position.push_back(r);
          out.atomic_number.push_back(crystal.atomic_number[s]);
        }
      }
}

}  // namespace aetos::atoms
