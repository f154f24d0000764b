#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/parallel/run_context.hpp"
#include "aetos/reconstruction/reconstruct.hpp"

/// Small tilt series on disk, and runs of the driver on them.
namespace aetos::test {

/// Images (tilt, y, x) of a few Gaussian spots on their circles about the tilt axis.
inline Array<float, 3> spots(const std::vector<EulerAngles>& angles, std::size_t ny, std::size_t nx) {
  Array<float, 3> images({angles.size(), ny, nx});
  for (std::size_t t = 0; t < angles.size(); ++t) {
    const Mat3 rotation = rotation_matrix(angles[t]);
    for (int s = 0; s < 5; ++s) {
      const Vec3 place(3.0 * s - 6, 1.7 * s - 3, 5.0 - 2.2 * s);
      const Vec3 seen = to_beam_frame(rotation, place);
      for (std::size_t y = 0; y < ny; ++y)
        for (std::size_t x = 0; x < nx; ++x) {
          const double du = static_cast<double>(x) - static_cast<double>(nx / 2) - seen.x();
          const double dv = static_cast<double>(y) - static_cast<double>(ny / 2) - seen.y();
          images(t, y, x) += static_cast<float>(100 * std::exp(-(du * du + dv * dv) / 4));
        }
    }
  }
  return images;
}

/// Writes a series with one signal; collective.
inline void write_series(const Communicator& comm, const std::filesystem::path& path,
                         const std::vector<EulerAngles>& angles, const Array<float, 3>& images,
                         const std::string& signal = "adf_clean", std::optional<double> pixel_A = 0.5) {
  io::TiltSeriesInfo info;
  info.tilts = images.extent(0);
  info.ny = images.extent(1);
  info.nx = images.extent(2);
  info.pixel_A = pixel_A;
  info.angles = angles;
  info.signals = {signal};
  io::TiltSeriesWriter writer(comm, path, info, {"test", "test", "", "", 1});
  std::vector<std::size_t> all;
  for (std::size_t i = 0; comm.is_root() && i < info.tilts; ++i) all.push_back(i);
  const Array<float, 3> none({0, info.ny, info.nx});
  writer.write(signal, all, comm.is_root() ? images.view() : none.view());
  writer.commit();
}

/// Options of a quick run.
inline reconstruction::Request quick_request(const std::filesystem::path& source) {
  reconstruction::Request request;
  request.source = source.string();
  request.options.iterations = 12;
  request.options.oversampling = {2, 2, 2};
  request.options.support = "none";
  return request;
}

/// The driver in a folder of its own.
inline nlohmann::json run_driver(const Communicator& comm, const std::filesystem::path& folder,
                                 const reconstruction::Request& request, const Stop& stop = {},
                                 double checkpoint_interval_s = 60) {
  if (comm.is_root()) std::filesystem::create_directories(folder / "work");
  comm.barrier();
  const RunContext context{comm, stop, folder, folder / "work", "fingerprint", "", 1, checkpoint_interval_s};
  return reconstruction::reconstruct(context, request, folder / "volume.h5");
}

inline Array<float, 3> read_whole_volume(const std::filesystem::path& folder) {
  const std::string file = (folder / "volume.h5").string();
  return io::read_volume_planes(file, {0, io::read_volume_info(file).shape[0]});
}

inline bool same_bits(const Array<float, 3>& a, const Array<float, 3>& b) {
  return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
}

}  // namespace aetos::test
