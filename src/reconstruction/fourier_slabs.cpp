#include "fourier_slabs.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "aetos/core/error.hpp"
#include "aetos/core/fft.hpp"
#include "aetos/parallel/partition.hpp"
#include "aetos/tomography/fourier_slice.hpp"
#include "aetos/tomography/spectral_grid.hpp"

namespace aetos::reconstruction {
namespace {

using tomography::Complex;
using tomography::Geometry;

/// Rows of the volume that are transformed and sent at once.
constexpr std::size_t kRowsAtOnce = 16;

fftwf_complex* as_fftw(Complex* data) {
  return reinterpret_cast<fftwf_complex*>(data);
}

class FourierSlabs final : public tomography::ProjectorPair {
 public:
  FourierSlabs(const Communicator& comm, const Geometry& geometry, const std::array<double, 3>& oversampling,
               bool exact_adjoint)
      : comm_(comm),
        geometry_(geometry),
        exact_adjoint_(exact_adjoint),
        grid_(geometry, oversampling),
        half_x_(grid_.nx / 2 + 1),
        half_y_(grid_.ny / 2 + 1),
        ranks_(static_cast<std::size_t>(comm.size())),
        rank_(static_cast<std::size_t>(comm.rank())),
        planes_(planes_of(rank_)),
        rows_(rows_of(rank_)),
        owner_(grid_.nz),
        spectrum_({planes_.size() + 1, grid_.ny, half_x_}),
        lines_({geometry.volume_px[0], grid_.nx}),
        line_spectra_({geometry.volume_px[0], half_x_}),
        row_plane_({grid_.nz, half_x_}),
        slice_({grid_.nx, half_y_}),
        image_({grid_.nx, grid_.ny}) {
    for (std::size_t r = 0; r < ranks_; ++r)
      for (std::size_t z = planes_of(r).begin; z < planes_of(r).end; ++z) owner_[z] = r;
    for (const EulerAngles& angles : geometry.angles) rotations_.push_back(rotation_matrix(angles));
    make_plans();
  }

  void forward(View<const float, 3> volume, std::size_t first, View<float, 3> images) override {
    transform(volume);
    const float scale = 1.0F / static_cast<float>(grid_.nx * grid_.ny);
    const std::size_t most = projections_of(0).size();
    for (std::size_t i = 0; i < most; ++i) {
      std::vector<std::vector<Complex>> to_each(ranks_);
      for (std::size_t r = 0; r < ranks_; ++r)
        if (i < projections_of(r).size()) read_mine(rotations_[projections_of(r).begin + i], to_each[r]);
      const auto from_each = comm_.exchange(to_each);
      if (i >= images.extent(0)) continue;
      assemble(rotations_[first + i], from_each);
      fftwf_execute(inverse_.get());
      tomography::crop_image(image_, geometry_.nv, scale, images[i]);
    }
  }

  void back(View<const float, 3> images, std::size_t first_plane, View<float, 3> planes) override {
    if (!exact_adjoint_) {
      tomography::read_images(geometry_, rotations_, images, first_plane, rows_.begin, rows_.size(), planes);
      return;
    }
    add_images(images);
    collect(first_plane, planes);
  }

  bool all_planes_at_once() const override { return exact_adjoint_; }

 private:
  Range planes_of(std::size_t rank) const { return block_partition(grid_.nz, ranks_, rank); }
  Range rows_of(std::size_t rank) const { return block_partition(geometry_.volume_px[1], ranks_, rank); }
  Range projections_of(std::size_t rank) const {
    return block_partition(geometry_.angles.size(), ranks_, rank);
  }

  void make_plans() {
    const int nz = static_cast<int>(grid_.nz), nx = static_cast<int>(grid_.nx),
              ny = static_cast<int>(grid_.ny);
    const int columns = static_cast<int>(half_x_), lines = static_cast<int>(geometry_.volume_px[0]);
    along_x_.reset(fftwf_plan_many_dft_r2c(1, &nx, lines, lines_.data(), nullptr, 1, nx,
                                           as_fftw(line_spectra_.data()), nullptr, 1, columns,
                                           FFTW_ESTIMATE));
    const auto down_columns = [&](int n, Complex* plane, int sign) {
      return fftwf_plan_many_dft(1, &n, columns, as_fftw(plane), nullptr, columns, 1, as_fftw(plane), nullptr,
                                 columns, 1, sign, FFTW_ESTIMATE | FFTW_UNALIGNED);
    };
    along_z_.reset(down_columns(nz, row_plane_.data(), FFTW_FORWARD));
    along_y_.reset(down_columns(ny, spectrum_.data(), FFTW_FORWARD));
    inverse_.reset(fftwf_plan_dft_c2r_2d(nx, ny, as_fftw(slice_.data()), image_.data(), FFTW_ESTIMATE));
    if (!exact_adjoint_) return;
    back_along_x_.reset(fftwf_plan_many_dft_c2r(1, &nx, lines, as_fftw(line_spectra_.data()), nullptr, 1,
                                                columns, lines_.data(), nullptr, 1, nx, FFTW_ESTIMATE));
    back_along_z_.reset(down_columns(nz, row_plane_.data(), FFTW_BACKWARD));
    back_along_y_.reset(down_columns(ny, spectrum_.data(), FFTW_BACKWARD));
    image_transform_.reset(
        fftwf_plan_dft_r2c_2d(nx, ny, image_.data(), as_fftw(slice_.data()), FFTW_ESTIMATE));
  }

  /// The spectrum's planes of this rank, and the one after them.
  void transform(View<const float, 3> volume) {
    std::fill(spectrum_.begin(), spectrum_.end(), Complex{});
    for (std::size_t first = 0; first < rows_of(0).size(); first += kRowsAtOnce) send_rows(volume, first);
    const std::size_t plane_size = grid_.ny * half_x_;
    for (std::size_t plane = 0; plane < planes_.size(); ++plane) {
      auto* at = as_fftw(spectrum_.data() + plane * plane_size);
      fftwf_execute_dft(along_y_.get(), at, at);
    }
    std::vector<std::vector<Complex>> to_each(ranks_);
    if (!planes_.empty())
      to_each[owner_[(planes_.begin + grid_.nz - 1) % grid_.nz]].assign(spectrum_.data(),
                                                                        spectrum_.data() + plane_size);
    for (const auto& next : comm_.exchange(to_each))
      std::copy(next.begin(), next.end(), spectrum_.data() + planes_.size() * plane_size);
  }

  static Range some(const Range& rows, std::size_t first) {
    return {std::min(first, rows.size()), std::min(first + kRowsAtOnce, rows.size())};
  }

  /// Rows `first`, ... of every rank's block, transformed along x and z, to the ranks that own their planes.
  void send_rows(View<const float, 3> volume, std::size_t first) {
    std::vector<std::vector<Complex>> to_each(ranks_);
    for (std::size_t y = some(rows_, first).begin; y < some(rows_, first).end; ++y) {
      transform_row(volume, y);
      for (std::size_t r = 0; r < ranks_; ++r)
        to_each[r].insert(to_each[r].end(), row_plane_.data() + planes_of(r).begin * half_x_,
                          row_plane_.data() + planes_of(r).end * half_x_);
    }
    const auto from_each = comm_.exchange(to_each);
    for (std::size_t r = 0; r < ranks_; ++r) {
      const Complex* from = from_each[r].data();
      const Range theirs = some(rows_of(r), first);
      for (std::size_t y = theirs.begin; y < theirs.end; ++y) {
        const std::size_t row = tomography::place(rows_of(r).begin + y, geometry_.volume_px[1], grid_.ny);
        for (std::size_t plane = 0; plane < planes_.size(); ++plane, from += half_x_)
          std::copy_n(from, half_x_, &spectrum_(plane, row, 0));
      }
    }
  }

  void transform_row(View<const float, 3> volume, std::size_t y) {
    const std::size_t vz = geometry_.volume_px[0], vx = geometry_.volume_px[2];
    std::fill(lines_.begin(), lines_.end(), 0.0F);
    for (std::size_t z = 0; z < vz; ++z)
      for (std::size_t x = 0; x < vx; ++x) lines_(z, tomography::place(x, vx, grid_.nx)) = volume(z, x, y);
    fftwf_execute(along_x_.get());
    std::fill(row_plane_.begin(), row_plane_.end(), Complex{});
    for (std::size_t z = 0; z < vz; ++z)
      std::copy_n(&line_spectra_(z, 0), half_x_, &row_plane_(tomography::place(z, vz, grid_.nz), 0));
    fftwf_execute(along_z_.get());
  }

  /// Calls use(u, v, frequency with x >= 0, whether its value is to be conjugated, weight, owner) for all
  /// that a projection reads.
  template <class Use>
  void for_each_term(const Mat3& rotation, const Use& use) const {
    for (std::size_t u = 0; u < grid_.nx; ++u)
      for (std::size_t v = 0; v < half_y_; ++v) {
        const auto terms = grid_.terms(rotation, fft::frequency(u, grid_.nx), static_cast<std::ptrdiff_t>(v));
        for (std::size_t i = 0; i < terms.count; ++i) {
          const bool flip = terms.at[i].x() < 0;
          const Vec3 k = flip ? Vec3(-terms.at[i]) : terms.at[i];
          const std::size_t plane =
              tomography::wrapped(static_cast<std::ptrdiff_t>(std::floor(k.z())), grid_.nz);
          use(u, v, k, flip != terms.conjugate[i], terms.weight, owner_[plane]);
        }
      }
  }

  void read_mine(const Mat3& rotation, std::vector<Complex>& values) const {
    for_each_term(rotation, [&](std::size_t, std::size_t, const Vec3& k, bool conjugate, float weight,
                                std::size_t owner) {
      if (owner != rank_) return;
      const Complex value = read(k);
      values.push_back({weight * value.re, conjugate ? -weight * value.im : weight * value.im});
    });
  }

  /// The projection's transform from what all ranks read for it.
  void assemble(const Mat3& rotation, const std::vector<std::vector<Complex>>& from_each) {
    std::vector<std::size_t> taken(ranks_, 0);
    std::fill(slice_.begin(), slice_.end(), Complex{});
    for_each_term(rotation, [&](std::size_t u, std::size_t v, const Vec3&, bool, float, std::size_t owner) {
      if (taken[owner] == from_each[owner].size()) throw_disagreement();
      const Complex value = from_each[owner][taken[owner]++];
      slice_(u, v).re += value.re;
      slice_(u, v).im += value.im;
    });
    for (std::size_t r = 0; r < ranks_; ++r)
      if (taken[r] != from_each[r].size()) throw_disagreement();
  }

  /// Adds to the spectrum what the images' transforms give to it, where forward reads.
  void add_images(View<const float, 3> images) {
    std::fill(spectrum_.begin(), spectrum_.end(), Complex{});
    const std::size_t plane_size = grid_.ny * half_x_, most = projections_of(0).size();
    for (std::size_t i = 0; i < most; ++i) {
      std::vector<std::vector<Complex>> to_each(ranks_);
      if (i < projections_of(rank_).size()) give(projections_of(rank_).begin + i, images, to_each);
      const auto from_each = comm_.exchange(to_each);
      for (std::size_t r = 0; r < ranks_; ++r)
        if (i < projections_of(r).size()) add_mine(rotations_[projections_of(r).begin + i], from_each[r]);
    }
    std::vector<std::vector<Complex>> to_each(ranks_);
    const Complex* beyond = spectrum_.data() + planes_.size() * plane_size;
    if (!planes_.empty()) to_each[owner_[planes_.end % grid_.nz]].assign(beyond, beyond + plane_size);
    for (const auto& first : comm_.exchange(to_each))
      for (std::size_t j = 0; j < first.size(); ++j) {
        spectrum_.data()[j].re += first[j].re;
        spectrum_.data()[j].im += first[j].im;
      }
  }

  /// What a projection's transform gives to the spectrum, to the ranks that own it.
  void give(std::size_t projection, View<const float, 3> images, std::vector<std::vector<Complex>>& to_each) {
    tomography::pad_image(images[projection], geometry_.nv, 1.0F / static_cast<float>(grid_.nx * grid_.ny),
                          image_);
    fftwf_execute(image_transform_.get());
    for_each_term(rotations_[projection], [&](std::size_t u, std::size_t v, const Vec3&, bool conjugate,
                                              float weight, std::size_t owner) {
      const float w = weight * tomography::times_counted(v, grid_.ny);
      to_each[owner].push_back({w * slice_(u, v).re, conjugate ? -w * slice_(u, v).im : w * slice_(u, v).im});
    });
  }

  void add_mine(const Mat3& rotation, const std::vector<Complex>& values) {
    std::size_t taken = 0;
    for_each_term(rotation, [&](std::size_t, std::size_t, const Vec3& k, bool, float, std::size_t owner) {
      if (owner != rank_) return;
      if (taken == values.size()) throw_disagreement();
      add(k, values[taken++]);
    });
    if (taken != values.size()) throw_disagreement();
  }

  /// This rank's rows of the volume whose transform's adjoint holds the spectrum, some planes of them.
  void collect(std::size_t first_plane, View<float, 3> planes) {
    const std::size_t plane_size = grid_.ny * half_x_;
    for (std::size_t plane = 0; plane < planes_.size(); ++plane) {
      auto* at = as_fftw(spectrum_.data() + plane * plane_size);
      fftwf_execute_dft(back_along_y_.get(), at, at);
    }
    std::fill(planes.begin(), planes.end(), 0.0F);
    for (std::size_t first = 0; first < rows_of(0).size(); first += kRowsAtOnce) {
      std::vector<std::vector<Complex>> to_each(ranks_);
      for (std::size_t r = 0; r < ranks_; ++r)
        for (std::size_t y = some(rows_of(r), first).begin; y < some(rows_of(r), first).end; ++y) {
          const std::size_t row = tomography::place(rows_of(r).begin + y, geometry_.volume_px[1], grid_.ny);
          for (std::size_t plane = 0; plane < planes_.size(); ++plane)
            to_each[r].insert(to_each[r].end(), &spectrum_(plane, row, 0),
                              &spectrum_(plane, row, 0) + half_x_);
        }
      const auto from_each = comm_.exchange(to_each);
      const Range mine = some(rows_, first);
      for (std::size_t y = mine.begin; y < mine.end; ++y) {
        for (std::size_t r = 0; r < ranks_; ++r) {
          const std::size_t size = planes_of(r).size() * half_x_;
          std::copy_n(from_each[r].data() + (y - mine.begin) * size, size,
                      row_plane_.data() + planes_of(r).begin * half_x_);
        }
        collect_row(first_plane, planes, y);
      }
    }
  }

  void collect_row(std::size_t first_plane, View<float, 3> planes, std::size_t y) {
    const std::size_t vz = geometry_.volume_px[0], vx = geometry_.volume_px[2];
    fftwf_execute(back_along_z_.get());
    for (std::size_t z = 0; z < vz; ++z)
      for (std::size_t k = 0; k < half_x_; ++k) {
        const Complex value = row_plane_(tomography::place(z, vz, grid_.nz), k);
        const float share = 1 / tomography::times_counted(k, grid_.nx);
        line_spectra_(z, k) = {share * value.re, share * value.im};
      }
    fftwf_execute(back_along_x_.get());
    for (std::size_t z = 0; z < planes.extent(0); ++z)
      for (std::size_t x = 0; x < vx; ++x)
        planes(z, x, y) = lines_(first_plane + z, tomography::place(x, vx, grid_.nx));
  }

  [[noreturn]] static void throw_disagreement() {
    throw ResourceError(
        "ranks disagree on which planes a projection needs; they run on processors of different types");
  }

  /// Calls use(plane of this rank, row, its weight, places on the row below and above, share of that above)
  /// for the four rows about a point with x >= 0.
  template <class Use>
  void about(const Vec3& k, const Use& use) const {
    const Vec3 low = k.array().floor();
    const auto fx = static_cast<float>(k.x() - low.x()), fy = static_cast<float>(k.y() - low.y());
    const auto fz = static_cast<float>(k.z() - low.z());
    const auto iy = static_cast<std::ptrdiff_t>(low.y());
    const std::size_t plane =
        tomography::wrapped(static_cast<std::ptrdiff_t>(low.z()), grid_.nz) - planes_.begin;
    const std::size_t x0 = std::min(static_cast<std::size_t>(low.x()), half_x_ - 1),
                      x1 = std::min(x0 + 1, half_x_ - 1);
    for (std::size_t dz = 0; dz < 2; ++dz)
      for (int dy = 0; dy < 2; ++dy)
        use(plane + dz, tomography::wrapped(iy + dy, grid_.ny), (dz ? fz : 1 - fz) * (dy ? fy : 1 - fy), x0,
            x1, fx);
  }

  /// Trilinear, between planes of this rank.
  Complex read(const Vec3& k) const {
    Complex sum;
    about(k, [&](std::size_t plane, std::size_t y, float w, std::size_t x0, std::size_t x1, float fx) {
      const Complex* row = &spectrum_(plane, y, 0);
      sum.re += w * ((1 - fx) * row[x0].re + fx * row[x1].re);
      sum.im += w * ((1 - fx) * row[x0].im + fx * row[x1].im);
    });
    return sum;
  }

  /// What read does, transposed.
  void add(const Vec3& k, const Complex& value) {
    about(k, [&](std::size_t plane, std::size_t y, float w, std::size_t x0, std::size_t x1, float fx) {
      Complex* row = &spectrum_(plane, y, 0);
      row[x0].re += w * (1 - fx) * value.re;
      row[x0].im += w * (1 - fx) * value.im;
      row[x1].re += w * fx * value.re;
      row[x1].im += w * fx * value.im;
    });
  }

  const Communicator& comm_;
  Geometry geometry_;
  bool exact_adjoint_;
  tomography::SliceGrid grid_;
  std::size_t half_x_, half_y_, ranks_, rank_;
  Range planes_, rows_;
  std::vector<std::size_t> owner_;  ///< of each plane along kz
  std::vector<Mat3> rotations_;
  Array<Complex, 3> spectrum_;      ///< (my kz and the next one, ky, half kx)
  Array<float, 2> lines_;           ///< one row of the volume: (z, padded x)
  Array<Complex, 2> line_spectra_;  ///< (z, half kx)
  Array<Complex, 2> row_plane_;     ///< (kz, half kx)
  Array<Complex, 2> slice_;         ///< (ku, half kv)
  Array<float, 2> image_;           ///< padded (u, v)
  fft::PlanF along_x_, along_z_, along_y_, inverse_;
  fft::PlanF back_along_x_, back_along_z_, back_along_y_, image_transform_;  ///< of the adjoint
};

}  // namespace

std::unique_ptr<tomography::ProjectorPair> make_fourier_slabs(const Communicator& comm,
                                                              const Geometry& geometry,
                                                              const std::array<double, 3>& oversampling_zyx,
                                                              bool exact_adjoint) {
  return std::make_unique<FourierSlabs>(comm, geometry, oversampling_zyx, exact_adjoint);
}

}  // namespace aetos::reconstruction
