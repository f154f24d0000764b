#pragma once

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/random.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/tracing/projection_model.hpp"
#include "aetos/tracing/trace.hpp"

/// Volumes and images of known Gaussian atoms on disk, and runs of the driver on them.
namespace aetos::test {

inline constexpr double kVoxel_A = 0.4;

/// A cloud of atoms at least 2.4 Å apart within a radius.
inline std::vector<Vec3> scattered_atoms(std::size_t n, double radius_A) {
  std::vector<Vec3> atoms;
  for (std::uint64_t k = 0; atoms.size() < n; ++k) {
    const auto u = random::uniform4(21, random::Domain::test, {0, 0, k});
    const Vec3 r = radius_A * Vec3(2 * u[0] - 1, 2 * u[1] - 1, 2 * u[2] - 1);
    bool free = r.norm() < radius_A;
    for (const Vec3& other : atoms) free = free && (other - r).norm() > 2.4;
    if (free) atoms.push_back(r);
  }
  return atoms;
}

/// Sum of Gaussians of 0.5 Å about the centre index; heights one each (default 1).
inline Array<float, 3> gaussians(const Shape<3>& shape, const std::vector<Vec3>& atoms,
                                 const std::vector<double>& heights = {}) {
  Array<float, 3> v(shape);
  for (std::size_t a = 0; a < atoms.size(); ++a)
    for (std::size_t z = 0; z < shape[0]; ++z)
      for (std::size_t y = 0; y < shape[1]; ++y)
        for (std::size_t x = 0; x < shape[2]; ++x) {
          const auto at = [](std::size_t i, std::size_t n) {
            return (static_cast<double>(i) - static_cast<double>(n / 2)) * kVoxel_A;
          };
          const Vec3 d = Vec3(at(x, shape[2]), at(y, shape[1]), at(z, shape[0])) - atoms[a];
          const double height = heights.empty() ? 1 : heights[a];
          if (d.squaredNorm() < 9)
            v(z, y, x) += static_cast<float>(height * std::exp(-d.squaredNorm() / 0.5));
        }
  return v;
}

inline void add_noise(Array<float, 3>& values, double sigma, std::uint32_t stream) {
  for (std::size_t i = 0; i < values.size(); ++i)
    values.data()[i] +=
        static_cast<float>(sigma * random::normal4(5, random::Domain::test, {stream, 0, i})[0]);
}

/// Collective: every rank gives its rows.
inline void write_volume(const Communicator& comm, const std::filesystem::path& path,
                         const Array<float, 3>& v) {
  io::VolumeInfo info;
  info.shape = v.shape();
  info.voxel_A = kVoxel_A;
  const auto [nz, ny, nx] = v.shape();
  const Range rows =
      block_partition(ny, static_cast<std::size_t>(comm.size()), static_cast<std::size_t>(comm.rank()));
  Array<float, 3> slab({nz, rows.size(), nx});
  for (std::size_t z = 0; z < nz; ++z)
    for (std::size_t y = 0; y < rows.size(); ++y)
      for (std::size_t x = 0; x < nx; ++x) slab(z, y, x) = v(z, rows.begin + y, x);
  io::write_volume(comm, path, info, {"test", "test", "", "", 1}, rows, slab);
}

/// Images of the atoms (width 0.5 Å, growing with depth; intensities one each, default 1), each displaced by
/// some Å along u and v (default: none). Collective.
inline void write_images(const Communicator& comm, const std::filesystem::path& path,
                         const std::vector<Vec3>& atoms, const std::vector<EulerAngles>& angles,
                         std::size_t n, double noise, const std::vector<double>& intensities = {},
                         const std::vector<std::array<double, 2>>& displaced = {}) {
  tracing::AtomModel model{
      {atoms.size(), 1},
      std::vector<std::size_t>(atoms.size(), 0),
      std::make_shared<const tracing::PeakShape>(tracing::PeakShape::gaussian(20, 0.05))};
  std::vector<double> p(model.layout.size(), 1.0);
  for (std::size_t a = 0; a < atoms.size(); ++a)
    for (std::size_t i = 0; i < 3; ++i) p[3 * a + i] = atoms[a](static_cast<Eigen::Index>(i));
  for (std::size_t a = 0; a < intensities.size(); ++a) p[model.layout.intensity(a)] = intensities[a];
  p[model.layout.width(0)] = 0.25;
  p[model.layout.growth()] = 5e-4;
  p[model.layout.fading()] = 0;
  Array<float, 3> images({angles.size(), n, n});
  for (std::size_t t = 0; t < angles.size(); ++t) {
    const auto [u, v] = displaced.empty() ? std::array{0.0, 0.0} : displaced[t];
    const auto image =
        tracing::AtomProjector(model, p).project({rotation_matrix(angles[t]), u, v}, {n, n}, kVoxel_A);
    for (std::size_t i = 0; i < image.size(); ++i)
      images[t].data()[i] = static_cast<float>(image.data()[i] * (1 + 0.01 * static_cast<double>(t)) + 0.05);
  }
  add_noise(images, noise, 1);
  io::TiltSeriesInfo info;
  info.tilts = angles.size();
  info.ny = info.nx = n;
  info.pixel_A = kVoxel_A;
  info.angles = angles;
  info.signals = {"adf_noisy"};
  io::TiltSeriesWriter writer(comm, path, info, {"test", "test", "", "", 1});
  std::vector<std::size_t> all;
  for (std::size_t i = 0; comm.is_root() && i < info.tilts; ++i) all.push_back(i);
  const Array<float, 3> none({0, n, n});
  writer.write("adf_noisy", all, comm.is_root() ? images.view() : none.view());
  writer.commit();
}

/// As the pipeline runs the stage: what it keeps for a resume is removed when it is done.
inline nlohmann::json run_tracing(const Communicator& comm, const tracing::Request& request,
                                  const std::filesystem::path& file, const Stop& stop = {}) {
  const auto output = file.parent_path(), work = output / "work";
  comm.agree([&] {
    if (comm.is_root()) std::filesystem::create_directories(work);
  });
  auto summary = tracing::trace({comm, stop, output, work, "fingerprint", "", 1, 60}, request,
                                {file, output / "rejected_peaks.csv", output / "traced_angles.csv"});
  comm.agree([&] {
    if (comm.is_root()) std::filesystem::remove_all(work);
  });
  return summary;
}

/// Largest distance from a traced atom to the true atom nearest to it; infinite if their numbers differ.
inline double worst_distance_A(const Structure& traced, const std::vector<Vec3>& truth) {
  if (traced.size() != truth.size()) return INFINITY;
  double worst = 0;
  for (const Vec3& r : traced.position) {
    double nearest = INFINITY;
    for (const Vec3& t : truth) nearest = std::min(nearest, (r - t).norm());
    worst = std::max(worst, nearest);
  }
  return worst;
}

}  // namespace aetos::test
