#include "dislocations.hpp"

#include <Eigen/Geometry>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>

#include "aetos/analysis/polyhedra.hpp"
#include "aetos/core/units.hpp"
#include "grain_boundaries.hpp"
#include "sets.hpp"

namespace aetos::analysis {
namespace {

constexpr std::size_t kFewestFramed = 6;
constexpr int kHeights = 41;              ///< at which a line is cut to learn its Burgers vector
constexpr double kSecondDirection = 0.3;  ///< of the strongest, from which crossing lines are a network
constexpr double kShortest = 2;           ///< bonds
constexpr double kFacing = 1.1;           ///< of the cutoff, between atoms of two grains

using Integer3 = std::array<int, 3>;

Integer3 plus(const Integer3& a, const Integer3& b, int sign = 1) {
  return {a[0] + sign * b[0], a[1] + sign * b[1], a[2] + sign * b[2]};
}
bool is_zero(const Integer3& v) {
  return v == Integer3{};
}
Vec3 real(const Integer3& v) {
  return {static_cast<double>(v[0]), static_cast<double>(v[1]), static_cast<double>(v[2])};
}

/// The vector of the FCC lattice (three integers of even sum, in halves of the cube's edge) nearest to `u`
/// (Conway and Sloane 1982).
Integer3 nearest_lattice_vector(const Vec3& u) {
  Integer3 v{};
  int sum = 0, worst = 0;
  for (int k = 0; k < 3; ++k) {
    v[static_cast<std::size_t>(k)] = static_cast<int>(std::lround(u[k]));
    sum += v[static_cast<std::size_t>(k)];
    const auto off = [&](int a) {
      return std::abs(u[a] - static_cast<double>(v[static_cast<std::size_t>(a)]));
    };
    if (off(k) > off(worst)) worst = k;
  }
  if (sum % 2 != 0) {
    auto& w = v[static_cast<std::size_t>(worst)];
    w += u[worst] > static_cast<double>(w) ? 1 : -1;
  }
  return v;
}

/// Which lattice an atom belongs to: its grain, and the group of grains that share one.
struct Frames {
  std::vector<std::int64_t> grain;  ///< of each atom, -1 for none
  std::vector<std::size_t> group;   ///< of each grain
  std::vector<Mat3>
      to_lattice;  ///< of each grain: specimen (Å) -> halves of the cube's edge, in the group's axes
};

/// Most of the framed neighbours' grain, where there are enough of them.
std::int64_t grain_of_most(const Neighbourhood& neighbours, const std::vector<std::int64_t>& grain,
                           std::size_t atom) {
  std::map<std::int64_t, std::size_t> count;
  std::size_t framed = 0;
  for (const auto& n : neighbours.of[atom])
    if (grain[n.index] >= 0) {
      ++count[grain[n.index]];
      ++framed;
    }
  if (framed < kFewestFramed) return -1;
  return std::max_element(count.begin(), count.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

Frames make_frames(std::span<const Vec3> points, const Neighbourhood& neighbours,
                   std::span<const Grain> grains) {
  Frames f;
  f.grain.assign(points.size(), -1);
  for (std::size_t g = 0; g < grains.size(); ++g)
    for (const std::size_t i : grains[g].atoms) f.grain[i] = static_cast<std::int64_t>(g);
  auto taken = f.grain;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (f.grain[i] < 0) taken[i] = grain_of_most(neighbours, f.grain, i);
  f.grain = std::move(taken);

  Sets sets(grains.size());
  for (const auto& b : grain_boundaries(points, grains, kFacing * neighbours.cutoff_A))
    if (b.misorientation_deg < kSmallAngle_deg) sets.join(b.first, b.second);
  for (std::size_t g = 0; g < grains.size(); ++g) {
    // The largest grain of a group comes first and gives its axes; the others take the equivalent ones
    // nearest to these.
    f.group.push_back(sets.find(g));
    const Mat3& axes = grains[f.group[g]].orientation;
    const Mat3 turned = least_rotation(axes, grains[g].orientation);
    Mat3 own = turned * axes;
    f.to_lattice.push_back(Mat3(own.transpose()) * (std::sqrt(2.0) / grains[g].bond_A));
  }
  return f;
}

/// The lattice's vector from one atom to another, both framed.
Integer3 step(std::span<const Vec3> points, const Frames& f, std::size_t from, std::size_t to) {
  const Vec3 d = points[to] - points[from];
  const Vec3 u = 0.5 * (f.to_lattice[static_cast<std::size_t>(f.grain[from])] * d +
                        f.to_lattice[static_cast<std::size_t>(f.grain[to])] * d);
  return nearest_lattice_vector(u);
}

using Triangle = std::array<std::size_t, 3>;

/// A triangle whose circuit does not close, as a piece of line through it.
struct Crossing {
  Integer3 burgers{};
  Vec3 from = Vec3::Zero(), to = Vec3::Zero();  ///< middles of the tetrahedra on both sides
  std::size_t tetrahedron = 0, other = 0;
  Triangle corners{};
};

std::vector<Crossing> open_circuits(std::span<const Vec3> points, std::span<const Tetrahedron> tetrahedra,
                                    const Frames& f) {
  std::map<Triangle, std::vector<std::size_t>> sides;
  for (std::size_t t = 0; t < tetrahedra.size(); ++t) {
    const auto& a = tetrahedra[t].atoms;
    const bool framed = std::all_of(a.begin(), a.end(), [&](std::size_t i) {
      return f.grain[i] >= 0 &&
             f.group[static_cast<std::size_t>(f.grain[i])] ==
                 f.group[static_cast<std::size_t>(std::max<std::int64_t>(0, f.grain[a[0]]))];
    });
    if (!framed) continue;
    for (const Triangle& face :
         {Triangle{a[0], a[1], a[2]}, {a[0], a[1], a[3]}, {a[0], a[2], a[3]}, {a[1], a[2], a[3]}})
      sides[face].push_back(t);
  }
  std::vector<Crossing> open;
  for (const auto& [c, at] : sides) {
    const Integer3 b =
        plus(plus(step(points, f, c[0], c[1]), step(points, f, c[1], c[2])), step(points, f, c[0], c[2]), -1);
    if (is_zero(b)) continue;
    const Vec3 normal = (points[c[1]] - points[c[0]]).cross(points[c[2]] - points[c[0]]);
    const Vec3 middle = (points[c[0]] + points[c[1]] + points[c[2]]) / 3;
    Crossing x{b, centroid(points, tetrahedra[at[0]]), middle, at[0], at.back(), c};
    // Where the sample ends, so does the line.
    if (at.size() > 1) x.to = centroid(points, tetrahedra[at[1]]);
    if ((x.to - x.from).dot(normal) < 0) std::swap(x.from, x.to);
    open.push_back(x);
  }
  return open;
}

/// What flows through a cut across the line, at most heights.
Integer3 burgers_of(const std::vector<Crossing>& line, const Vec3& direction, double low, double high) {
  std::map<Integer3, int> votes;
  for (int k = 1; k < kHeights; ++k) {
    const double h = low + (high - low) * k / kHeights;
    Integer3 sum{};
    for (const auto& x : line) {
      const double a = x.from.dot(direction), b = x.to.dot(direction);
      if ((a < h) != (b < h)) sum = plus(sum, x.burgers, a < b ? 1 : -1);
    }
    ++votes[sum];
  }
  return std::max_element(votes.begin(), votes.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

/// Place, atoms and grains of connected crossings.
Dislocation surroundings_of(const Frames& f, const std::vector<Crossing>& line) {
  Dislocation d;
  std::set<std::size_t> atoms;
  for (const auto& x : line) {
    d.place += (x.from + x.to) / (2 * static_cast<double>(line.size()));
    atoms.insert(x.corners.begin(), x.corners.end());
  }
  d.atoms.assign(atoms.begin(), atoms.end());
  std::map<std::int64_t, std::size_t> count;
  for (const std::size_t i : d.atoms) ++count[f.grain[i]];
  const auto most = std::max_element(count.begin(), count.end(), [](const auto& a, const auto& b) {
                      return a.second < b.second;
                    })->first;
  d.grain = d.other = static_cast<std::size_t>(most);
  std::size_t next = d.atoms.size() / 5;
  for (const auto& [grain, n] : count)
    if (grain != most && n > next) {
      d.other = static_cast<std::size_t>(grain);
      next = n;
    }
  return d;
}

/// Fills in length and vector of what runs along `d.direction`; false if that is nothing.
bool measure_along(std::span<const Grain> grains, const Frames& f, const std::vector<Crossing>& line,
                   Dislocation& d) {
  double low = 1e300, high = -1e300;
  for (const auto& x : line)
    for (const Vec3* end : {&x.from, &x.to}) {
      low = std::min(low, end->dot(d.direction));
      high = std::max(high, end->dot(d.direction));
    }
  d.length_A = high - low;
  d.burgers = burgers_of(line, d.direction, low, high);
  if (is_zero(d.burgers) || d.length_A < kShortest * grains[d.grain].bond_A) return false;
  const Mat3& axes = grains[f.group[d.grain]].orientation;
  d.burgers_A = axes * real(d.burgers) * (grains[d.grain].bond_A / std::sqrt(2.0));
  // Line and vector are told up to a common sign: the first number of the vector that is not zero is
  // positive.
  if (d.burgers < Integer3{}) {
    d.burgers = plus({}, d.burgers, -1);
    d.burgers_A = -d.burgers_A;
    d.direction = -d.direction;
  }
  return true;
}

/// The dislocations of connected crossings: one line, or a network in each direction that its lines run in.
std::vector<Dislocation> lines_of(std::span<const Grain> grains, const Frames& f,
                                  const std::vector<Crossing>& line) {
  Mat3 flow = Mat3::Zero();
  for (const auto& x : line) flow += real(x.burgers) * (x.to - x.from).transpose();
  // Sum of b (end - beginning)^T over all pieces: of one line, b times the vector between its ends; of a
  // network, such a product for each direction of its lines.
  const Eigen::JacobiSVD<Mat3> svd(flow, Eigen::ComputeFullV);
  const auto& sizes = svd.singularValues();
  const auto surroundings = surroundings_of(f, line);
  std::vector<Dislocation> found;
  for (int k = 0; k < 3 && sizes[k] > kSecondDirection * sizes[0]; ++k) {
    Dislocation d = surroundings;
    d.direction = svd.matrixV().col(k);
    d.network = sizes[1] > kSecondDirection * sizes[0];
    if (measure_along(grains, f, line, d)) found.push_back(std::move(d));
  }
  return found;
}

}  // namespace

double Dislocation::character_deg() const {
  const double cosine = std::abs(burgers_A.normalized().dot(direction));
  return std::acos(std::min(1.0, cosine)) * 180 / kPi;
}

std::vector<Dislocation> dislocations(std::span<const Vec3> points, const Neighbourhood& neighbours,
                                      std::span<const Tetrahedron> alpha, std::span<const Grain> grains) {
  if (grains.empty()) return {};
  const Frames frames = make_frames(points, neighbours, grains);
  const auto open = open_circuits(points, alpha, frames);
  Sets sets(alpha.size());
  for (const auto& x : open) sets.join(x.tetrahedron, x.other);
  std::map<std::size_t, std::vector<Crossing>> lines;
  for (const auto& x : open) lines[sets.find(x.tetrahedron)].push_back(x);
  std::vector<Dislocation> found;
  for (const auto& [first, line] : lines)
    for (auto& d : lines_of(grains, frames, line)) found.push_back(std::move(d));
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.length_A > b.length_A; });
  return found;
}

}  // namespace aetos::analysis
