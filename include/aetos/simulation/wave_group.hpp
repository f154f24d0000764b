#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/multislice/focal_series.hpp"
#include "aetos/multislice/grid.hpp"
#include "aetos/multislice/options.hpp"
#include "aetos/multislice/potential_columns.hpp"
#include "aetos/multislice/tile_engine.hpp"
#include "aetos/parallel/slab_fft.hpp"

namespace aetos::simulation {

/// A plane wave that passes through the whole cell, held by a group of ranks in slabs: real space in rows,
/// reciprocal space in columns. Every call is collective over the group. Results of different group sizes
/// agree to rounding.
class WaveGroup {
 public:
  /// `corner_A`: (x, y) of pixel (0, 0) about the rotation centre. Ranks hold whole strips of `strip_px`
  /// rows.
  WaveGroup(const Communicator& group, const multislice::MicroscopeOptions& microscope,
            multislice::Parametrization parametrization, const multislice::FftGrid& grid,
            const Vec2& corner_A, std::size_t strip_px);

  /// What waves pass through from now on.
  void place_atoms(const multislice::BeamAtoms& atoms, const multislice::SliceGrid& slices);
  /// Sends a wave of amplitude 1 through all slices: transmits and propagates as the multislice of windows
  /// does, with the same band limits. A tilted beam has the nearest frequency of the cell.
  void pass_plane_wave();
  /// The same for a focused probe of unit intensity at `position_A` from pixel (0, 0); `defocus_A` as for
  /// multislice::probe_spectrum.
  void pass_probe(const multislice::MicroscopeOptions& lens, double defocus_A, const Vec2& position_A);

  Range rows() const { return wave_.rows(); }
  Range columns() const { return wave_.columns(); }
  /// Of this rank's columns: (column, ny), the intensity of a probe.
  void intensity(View<float, 2> columns) const;
  /// Share of the beam that is left behind the specimen.
  double transmitted();
  /// Adds to `image` (this rank's rows, all columns) the intensity behind an objective lens with an aperture
  /// inner..outer mrad, 1 for vacuum: |F^-1[psi A exp(-i chi)]|², averaged over a focal series. The wave is
  /// first taken back by `back_A` from the last face to the plane that defocus is counted from.
  void add_image(double inner_mrad, double outer_mrad, const std::vector<multislice::FocusPoint>& foci,
                 double back_A, View<float, 2> image);
  /// Adds this rank's share of the diffraction pattern (side, side), rebinned by area to `step_mrad`,
  /// fractions of the beam, its middle pixel on the optic axis.
  void add_pattern(double step_mrad, std::size_t side, View<double, 2> pattern) const;

  /// What a rank holds, about.
  static double bytes(const multislice::FftGrid& grid, std::size_t ranks);

 private:
  using Complex = std::complex<float>;
  void pass_through(bool in_rows);
  void build_potentials(const std::array<std::size_t, 2>& slices);
  void transmit(std::size_t part);
  void propagate_columns(std::size_t slices);
  template <class Value>
  void for_columns(std::span<Complex> values, Value value) const;

  const Communicator& group_;
  multislice::MicroscopeOptions microscope_;
  multislice::FftGrid grid_;
  multislice::BandLimit limit_;
  Vec2 corner_A_;
  SlabFft wave_, other_;  ///< other_: potentials, transmission functions, images
  multislice::PotentialColumns columns_;
  std::array<Array<float, 2>, 2> potential_;  ///< of two slices, this rank's rows
  multislice::SliceGrid slices_;
  std::vector<multislice::SliceAtoms> atoms_;  ///< by slice
};

}  // namespace aetos::simulation
