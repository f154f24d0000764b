#include "aetos/multislice/tile_engine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "aetos/core/error.hpp"
#include "aetos/core/processor_time.hpp"
#include "aetos/core/units.hpp"
#include "aetos/multislice/detector.hpp"
#include "aetos/multislice/focal_series.hpp"
#include "aetos/multislice/potential.hpp"
#include "aetos/multislice/probe.hpp"
#include "tail_correction.hpp"
#include "tile_region.hpp"
#include "window_waves.hpp"

namespace aetos::multislice {
namespace {

/// Half of a 1 MiB L2 cache: what the waves of a batch may take.
constexpr std::size_t kBatchBytes = std::size_t{512} << 10;

void require_supported(const EngineSettings& settings) {
  if (const auto q = settings.multislice.phase_oversampling; q != 1 && q != 2)
    throw InputError("multislice.phase_oversampling", std::to_string(q), "1 or 2");
  const auto check_axis = [](const char* axis, std::size_t window, std::size_t cell) {
    if (window < 8 || (cell > 0 && window > cell))
      throw InputError("multislice.window", std::to_string(window) + " pixels along " + axis,
                       cell > 0 ? "8 to " + std::to_string(cell) + ", the whole cell" : "at least 8");
  };
  check_axis("x", settings.window_x_px, settings.grid.cell_x_px);
  check_axis("y", settings.window_y_px, settings.grid.cell_y_px);
}

FftGrid window_grid(const EngineSettings& s) {
  return {s.window_x_px, s.window_y_px, s.grid.sampling_x_A, s.grid.sampling_y_A};
}

CutAxes cut_axes(const EngineSettings& s) {
  return {s.window_x_px != s.grid.cell_x_px, s.window_y_px != s.grid.cell_y_px};
}

/// The grid whose probe is cut to the windows: fine enough to hold the aperture with room to spare.
FftGrid probe_cell(const EngineSettings& s) {
  const double edge =
      largest_probe_angle_mrad(s.microscope) * 1e-3 / electron_wavelength_A(s.microscope.voltage_kV);
  const auto along = [&](bool cut, std::size_t window_px,
                         double sampling_A) -> std::pair<std::size_t, double> {
    if (!cut) return {window_px, sampling_A};
    const double window_A = static_cast<double>(window_px) * sampling_A;
    const double side = s.probe_cell_A > window_A ? s.probe_cell_A : std::max(4 * window_A, 40.0);
    const std::size_t n = fft::fast_size(static_cast<std::size_t>(std::ceil(4 * edge * side)));
    return {n, side / static_cast<double>(n)};
  };
  const CutAxes cut = cut_axes(s);
  const auto [nx, dx] = along(cut.x, s.window_x_px, s.grid.sampling_x_A);
  const auto [ny, dy] = along(cut.y, s.window_y_px, s.grid.sampling_y_A);
  return {nx, ny, dx, dy};
}

EngineSettings resolved(EngineSettings s) {
  const double sampling_A = std::max(s.grid.sampling_x_A, s.grid.sampling_y_A);
  s.detectors =
      resolve_detectors(std::move(s.detectors), angle_limit_mrad(s.microscope.voltage_kV, sampling_A));
  return s;
}

}  // namespace

double angle_limit_mrad(double voltage_kV, double sampling_A) {
  return electron_wavelength_A(voltage_kV) * BandLimit::of(sampling_A, sampling_A).end * 1e3;
}

SliceGrid SliceGrid::covering(double z_min_A, double z_max_A, double thickness_A) {
  const auto first = static_cast<long>(std::floor(z_min_A / thickness_A));
  const auto last = static_cast<long>(std::floor(z_max_A / thickness_A));
  return {thickness_A, first, static_cast<std::size_t>(last - first + 1)};
}

std::size_t SliceGrid::slice_of(double z_A) const {
  const long i = static_cast<long>(std::floor(z_A / thickness_A)) - first;
  return static_cast<std::size_t>(std::clamp(i, 0L, static_cast<long>(count) - 1));
}

/// Consecutive probes of a tile.
struct Probes {
  std::size_t first, count;
};

struct TileEngine::State {
  EngineSettings settings;
  FftGrid window;
  ChannelLayout layout;
  DetectorSums sums;
  Array<float, 2> intensity;
  std::optional<WindowWaves> waves;  ///< for the slice thickness last used
  double waves_thickness_A = 0;
  std::vector<FocusPoint> foci;
  std::size_t slice_count = 0;
  std::optional<double> way_A;     ///< that the probes of `waves` travel back from their reference plane
  Array<float, 3> free_intensity;  ///< of the probe of each focus on the window's grid
  std::vector<double> vacuum;      ///< values of a probe that meets no atom
  Array<double, 2> correction;     ///< by focus: vacuum's sums less the free probe's on the window's grid
  std::optional<TailCorrection> tails;                                       ///< where both axes cut the cell
  std::map<std::pair<std::size_t, std::size_t>, PotentialBuilder> builders;  ///< by region size
  std::vector<Array<float, 3>>
      transmissions;  ///< by slice: (part, x, y) for TransmissionView; reused between tiles

  explicit State(EngineSettings s)
      : settings(resolved(std::move(s))),
        window(window_grid(settings)),
        layout(channel_layout(settings.detectors)),
        sums(settings.detectors, window, settings.microscope.voltage_kV, settings.multislice.detector_edges),
        intensity({window.ny, window.nx}),
        foci(focal_series(settings.microscope)),
        free_intensity({foci.size(), window.ny, window.nx}),
        correction({foci.size(), layout.count}) {
    const CutAxes cut = cut_axes(settings);
    if (cut.x && cut.y) tails.emplace(settings, window, probe_cell(settings), layout);
    prepare_vacuum();
  }

  void prepare_vacuum();
  void prepare_probe(const SliceGrid& slices);
  void prepare_correction(std::size_t slices);
  PotentialBuilder& builder_for(const FftGrid& grid);
  void build_transmissions(const TileRegion& region);
  TransmissionView transmission_at(std::size_t slice, const TileRegion::Place& place) const;
  void write_values(std::span<double> channels, View<float, 1> out) const;
  void propagate_batch(const TileRegion& region, std::size_t focus, Probes probes,
                       Array<ComplexLane, 2>& batch, View<double, 2> values, TileCost& cost);
};

/// Vacuum's sums come from the probe of the whole cell, whose small reciprocal pixels see the aperture well.
void TileEngine::State::prepare_vacuum() {
  const FftGrid cell = probe_cell(settings);
  const auto spectrum = probe_spectrum(settings.microscope, 0, cell, Vec2(0, 0));
  Array<float, 2> free(spectrum.shape());
  std::transform(spectrum.begin(), spectrum.end(), free.begin(),
                 [](const auto& v) { return static_cast<float>(std::norm(v)); });
  vacuum.resize(layout.count);
  DetectorSums(settings.detectors, cell, settings.microscope.voltage_kV, settings.multislice.detector_edges)
      .apply(free, vacuum);
}

void TileEngine::State::prepare_probe(const SliceGrid& slices) {
  if (!waves || waves_thickness_A != slices.thickness_A) {
    waves.emplace(window, settings.microscope.voltage_kV, slices.thickness_A);
    waves_thickness_A = slices.thickness_A;
    way_A.reset();
  }
  // The probe travels from its reference plane z' = 0 back to the top face of slice 0, which adds underfocus.
  const double way = settings.microscope.focus_reference == FocusReference::centre
                         ? -static_cast<double>(slices.first) * slices.thickness_A
                         : 0;
  if (!way_A || *way_A != way || slice_count != slices.count) {
    waves->clear_probes();
    const CutAxes cut = cut_axes(settings);
    std::vector<MicroscopeOptions> lenses(foci.size(), settings.microscope);
    std::vector<Array<std::complex<double>, 2>> spectra;
    for (std::size_t f = 0; f < foci.size(); ++f) {
      lenses[f].defocus_A += foci[f].offset_A;
      const double defocus = lenses[f].defocus_A + way;
      spectra.push_back(cut.any()
                            ? window_probe_spectrum(lenses[f], defocus, window, probe_cell(settings), cut)
                            : probe_spectrum(lenses[f], defocus, window, Vec2(0, 0)));
      waves->add_probe(spectra.back());
      std::transform(spectra.back().begin(), spectra.back().end(), free_intensity[f].begin(),
                     [](const auto& v) { return static_cast<float>(std::norm(v)); });
    }
    if (tails) tails->prepare(slices, std::lround(-way / slices.thickness_A), lenses, spectra);
    way_A = way;
    slice_count = slices.count;
    prepare_correction(slices.count);
  }
}

/// A window's coarse reciprocal pixels and cut probe give a free probe slightly wrong sums. The error is the
/// same for all probes of an engine, nearly so where atoms scatter, and is taken off.
void TileEngine::State::prepare_correction(std::size_t slices) {
  std::fill(correction.begin(), correction.end(), 0);
  if (!cut_axes(settings).any()) return;
  const BandLimit limit = BandLimit::of(window.dx_A, window.dy_A);
  std::vector<double> free(layout.count);
  for (std::size_t f = 0; f < foci.size(); ++f) {
    for (std::size_t j = 0; j < window.ny; ++j)
      for (std::size_t i = 0; i < window.nx; ++i) {
        const double left =
            std::pow(limit(std::hypot(window.kx(i), window.ky(j))), 2.0 * static_cast<double>(slices));
        intensity(j, i) = static_cast<float>(static_cast<double>(free_intensity(f, j, i)) * left);
      }
    sums.apply(intensity, free);
    for (std::size_t c = 0; c < free.size(); ++c) correction(f, c) = vacuum[c] - free[c];
  }
}

PotentialBuilder& TileEngine::State::builder_for(const FftGrid& grid) {
  const auto key = std::make_pair(grid.nx, grid.ny);
  if (const auto found = builders.find(key); found != builders.end()) return found->second;
  if (builders.size() >= 8) builders.clear();  // tiles of many sizes: memory matters more than planning
  return builders
      .emplace(key,
               PotentialBuilder(grid, settings.microscope.voltage_kV, settings.multislice.parametrization,
                                settings.multislice.phase_oversampling))
      .first->second;
}

/// Two slices at a time share their transforms. Slices without atoms are not built.
void TileEngine::State::build_transmissions(const TileRegion& region) {
  PotentialBuilder& builder = builder_for(region.grid());
  const Shape<3> shape{2, region.grid().nx, builder.column_room()};
  transmissions.resize(region.slice_count());
  std::vector<View<float, 3>> built(transmissions.size());
  std::vector<std::size_t> filled;
  for (std::size_t s = 0; s < transmissions.size(); ++s) {
    if (!region.is_filled(s)) continue;
    if (transmissions[s].shape() != shape) transmissions[s] = Array<float, 3>(shape);
    built[s] = transmissions[s];
    filled.push_back(s);
  }
  if (settings.multislice.slicing == Slicing::finite) {
    if (!filled.empty()) builder.finite_transmissions(region.planes(), built);
    return;
  }
  for (std::size_t i = 0; i < filled.size(); i += 2) {
    const std::size_t first = filled[i];
    if (i + 1 == filled.size()) {
      builder.transmissions({&region.slices()[first], nullptr}, {built[first], {}});
      continue;
    }
    const std::size_t second = filled[i + 1];
    builder.transmissions({&region.slices()[first], &region.slices()[second]}, {built[first], built[second]});
  }
}

TransmissionView TileEngine::State::transmission_at(std::size_t slice, const TileRegion::Place& place) const {
  const Array<float, 3>& planes = transmissions[slice];
  const std::size_t stride = planes.extent(2);
  const float* first = planes.data() + place.window_x * stride + place.window_y;
  return {first, first + planes.extent(1) * stride, stride};
}

void TileEngine::State::write_values(std::span<double> channels, View<float, 1> out) const {
  sums.finish(channels);
  std::transform(channels.begin(), channels.end(), out.begin(),
                 [](double v) { return static_cast<float>(v); });
}

/// Fills the values (probe, channel) of one focus where probes meet atoms.
void TileEngine::State::propagate_batch(const TileRegion& region, std::size_t focus, Probes probes,
                                        Array<ComplexLane, 2>& batch, View<double, 2> values,
                                        TileCost& cost) {
  const std::size_t slices = region.slice_count();
  std::vector<double> channels(layout.count);
  for (std::size_t w = 0; w < probes.count; ++w) {
    const TileRegion::Place& place = region.places()[probes.first + w];
    waves->start(focus, place.x_in_window_A, place.y_in_window_A, place.next_slice(0), &batch(w, 0));
  }
  for (std::size_t s = 0; s < slices; ++s)
    for (std::size_t w = 0; w < probes.count; ++w) {
      const TileRegion::Place& place = region.places()[probes.first + w];
      if (!place.touches[s]) continue;
      const TransmissionView t = transmission_at(s, place);
      const std::size_t next = place.next_slice(s + 1);
      ++cost.wave_slices;
      if (next < slices) {
        waves->step(&batch(w, 0), t, next - s);
        continue;
      }
      waves->finish(&batch(w, 0), t, slices - s, intensity);
      sums.apply(intensity, channels);
      for (std::size_t c = 0; c < channels.size(); ++c)
        values(probes.first + w, c) = channels[c] + correction(focus, c);
    }
}

TileEngine::TileEngine(EngineSettings settings) {
  require_supported(settings);
  state_ = std::make_unique<State>(std::move(settings));
}
TileEngine::~TileEngine() = default;
TileEngine::TileEngine(TileEngine&&) noexcept = default;

const EngineSettings& TileEngine::settings() const {
  return state_->settings;
}
const ChannelLayout& TileEngine::channels() const {
  return state_->layout;
}

double TileEngine::reach_A() const {
  const double windows = TileRegion::reach_A(state_->settings);
  return state_->tails ? std::max(windows, state_->tails->reach_A()) : windows;
}

TileCost TileEngine::simulate(const BeamAtoms& atoms, const SliceGrid& slices, std::span<const Vec2> probes,
                              View<float, 2> out) {
  State& state = *state_;
  TileCost cost;
  if (probes.empty()) return cost;
  double start = thread_seconds();
  const TileRegion region(state.settings, atoms, slices, probes);
  state.prepare_probe(slices);
  state.build_transmissions(region);
  cost.potential_s = thread_seconds() - start;

  start = thread_seconds();
  const std::size_t batch_size = std::max<std::size_t>(1, kBatchBytes / state.waves->wave_bytes());
  Array<ComplexLane, 2> batch({batch_size, state.waves->wave_size()});
  std::fill(state.intensity.begin(), state.intensity.end(), 0.0f);
  Array<double, 2> sums({probes.size(), state.layout.count}), of_focus(sums.shape());
  std::optional<ProbeTails::Atoms> around;
  if (state.tails) around.emplace(state.tails->around(atoms, slices, probes));
  for (std::size_t focus = 0; focus < state.foci.size(); ++focus) {
    for (std::size_t p = 0; p < probes.size(); ++p)
      std::copy(state.vacuum.begin(), state.vacuum.end(), of_focus[p].begin());
    for (std::size_t p = 0; p < probes.size(); p += batch_size)
      state.propagate_batch(region, focus, {p, std::min(batch_size, probes.size() - p)}, batch, of_focus,
                            cost);
    if (around) state.tails->add(*around, focus, probes, state.vacuum, of_focus);
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums.data()[i] += state.foci[focus].weight * of_focus.data()[i];
  }
  for (std::size_t p = 0; p < probes.size(); ++p) {
    if (!region.places()[p].sees_atoms()) ++cost.vacuum_probes;
    state.write_values(sums[p].flat(), out[p]);
  }
  cost.waves_s = thread_seconds() - start;
  return cost;
}

}  // namespace aetos::multislice
