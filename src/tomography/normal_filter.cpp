#include "aetos/tomography/normal_filter.hpp"

#include <algorithm>

namespace aetos::tomography {

NormalFilter::NormalFilter(const Geometry& geometry, double regularisation)
    : nz_(geometry.volume_px[0]),
      nx_(geometry.volume_px[2]),
      half_x_(nx_ / 2 + 1),
      inverse_({nz_, half_x_}),
      planes_({nz_, nx_, kRowBlock}),
      spectra_({nz_, half_x_, kRowBlock, 2}) {
  const int sizes[] = {static_cast<int>(nz_), static_cast<int>(nx_)};
  const int block = static_cast<int>(kRowBlock);
  auto* spectra = reinterpret_cast<fftwf_complex*>(spectra_.data());
  forward_.reset(fftwf_plan_many_dft_r2c(2, sizes, block, planes_.data(), nullptr, block, 1, spectra, nullptr,
                                         block, 1, FFTW_ESTIMATE));
  back_.reset(fftwf_plan_many_dft_c2r(2, sizes, block, spectra, nullptr, block, 1, planes_.data(), nullptr,
                                      block, 1, FFTW_ESTIMATE));

  const auto projector = make_projector(geometry, Projector::real_space, {1, 1, 1});
  Array<float, 3> point({nz_, nx_, kRowBlock});
  Array<float, 3> images({geometry.angles.size(), geometry.nu, kRowBlock});
  point(centre_index(nz_), centre_index(nx_), 0) = 1;
  projector->forward(point, 0, images);
  projector->back(images, 0, point);
  for (std::size_t z = 0; z < nz_; ++z)
    for (std::size_t x = 0; x < nx_; ++x)
      planes_((z + nz_ - centre_index(nz_)) % nz_, (x + nx_ - centre_index(nx_)) % nx_, 0) = point(z, x, 0);
  fftwf_execute(forward_.get());
  float largest = 0;
  for (std::size_t z = 0; z < nz_; ++z)
    for (std::size_t x = 0; x < half_x_; ++x) {
      inverse_(z, x) = std::max(0.0F, spectra_(z, x, 0, 0));
      largest = std::max(largest, inverse_(z, x));
    }
  const auto floor = static_cast<float>(regularisation) * largest;
  for (float& value : inverse_) value = 1 / ((value + floor) * static_cast<float>(nz_ * nx_));
}

void NormalFilter::apply(const double* in, double* out, std::size_t rows, double scale) {
  for (std::size_t first = 0; first < rows; first += kRowBlock) {
    const std::size_t some = std::min(kRowBlock, rows - first);
    for (std::size_t i = 0; i < nz_ * nx_; ++i) {
      float* row = planes_.data() + i * kRowBlock;
      for (std::size_t y = 0; y < some; ++y) row[y] = static_cast<float>(in[i * rows + first + y]);
      std::fill(row + some, row + kRowBlock, 0.0F);
    }
    fftwf_execute(forward_.get());
    for (std::size_t i = 0; i < inverse_.size(); ++i)
      for (std::size_t j = 0; j < 2 * kRowBlock; ++j)
        spectra_.data()[2 * kRowBlock * i + j] *= inverse_.data()[i];
    fftwf_execute(back_.get());
    for (std::size_t i = 0; i < nz_ * nx_; ++i)
      for (std::size_t y = 0; y < some; ++y)
        out[i * rows + first + y] = scale * static_cast<double>(planes_.data()[i * kRowBlock + y]);
  }
}

}  // namespace aetos::tomography
