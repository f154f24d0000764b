#include "config_case.hpp"

namespace aetos::config::test {
namespace {

namespace fs = std::filesystem;
using Load = ConfigCase;

TEST_F(Load, GivesDefaultsWhereNothingIsSaid) {
  const auto m = load_text(whole());
  EXPECT_EQ(m.seed, 1u);
  EXPECT_EQ(m.microscope.voltage_kV, 300);
  EXPECT_FALSE(m.scan_pixel_given);
  EXPECT_EQ(m.scan.pixel_A, multislice::ScanOptions{}.pixel_A);
  EXPECT_FALSE(m.scan.field_A);
  EXPECT_TRUE(std::holds_alternative<multislice::WindowTolerance>(m.multislice.window));
  EXPECT_EQ(m.reconstruct.iterations, 200);
  EXPECT_EQ(m.reconstruct.oversampling, (std::array<double, 3>{4, 4, 4}));
  EXPECT_EQ(m.preprocess.bad_pixels, BadPixels::error);
  EXPECT_TRUE(m.trace.species.empty());
  EXPECT_EQ(m.compare.reference, "specimen");
}

TEST_F(Load, ReadsEveryKindOfValue) {
  const auto m = load_text(
      "project: p\nseed: 18446744073709551615\ncheckpoint_interval_s: 5\n"
      "specimen: {file: atoms.xyz, origin: centroid, occupancy: mean,\n"
      "  thermal: {debye_waller_B_A2: {Zr: 0.3, Y: 0.5, No: 1}, frozen_phonons: 4}}\n"
      "microscope: {voltage_kV: 200, defocus_A: -50, C30_A: 1e7, C12_A: 10, C12_deg: 45, focus_reference: "
      "entrance,\n"
      "  screen_current_pA: 30, dwell_us: 5}\n"
      "detectors:\n  - {name: adf, kind: annular, inner_mrad: 39.4, outer_mrad: 200}\n"
      "  - {name: rings, kind: radial, outer_mrad: 60, step_mrad: 2}\n  - {name: com, kind: com}\n"
      "scan: {pixel_A: 0.5, field_A: [20, 30], probe_step_A: auto}\n"
      "tilts: {theta_deg: {start: 70, stop: -70, step: -5}, sign: -1, exclude: [0, 3]}\n"
      "multislice: {window: {width_A: 25.6}, parametrization: lobato, detector_edges: hard}\n"
      "preprocess: {bad_pixels: interpolate, denoise: none}\n"
      "reconstruct: {method: resire-nesterov, iterations: 1e3, projector: real-space, oversampling: [4, 3, "
      "2], volume_px: 64,\n"
      "  nonnegative: false, support: none, tilt_axis: x}\n"
      "trace: {species: [Y, No], threshold: 0.5, refine: false}\n"
      "compare: {rule: nearest, match_radius_A: 0.8}\n"
      "stages: [compare, simulate, trace, reconstruct]\n");
  EXPECT_EQ(m.seed, 18446744073709551615u);
  EXPECT_EQ(m.stages, (std::vector{Stage::simulate, Stage::reconstruct, Stage::trace, Stage::compare}));
  const auto& b = std::get<std::map<std::string, double>>(*m.specimen->thermal.debye_waller_B_A2);
  EXPECT_EQ(b.at("Y"), 0.5);
  EXPECT_EQ(m.specimen->thermal.frozen_phonons, 4);
  EXPECT_EQ(m.specimen->origin, atoms::Origin::centroid);
  EXPECT_EQ(m.microscope.focus_reference, multislice::FocusReference::entrance);
  EXPECT_EQ(m.microscope.dwell_us, 5);
  ASSERT_EQ(m.detectors.size(), 3u);
  EXPECT_EQ(m.detectors[1].kind, multislice::DetectorKind::radial);
  EXPECT_EQ(m.detectors[2].kind, multislice::DetectorKind::com);
  EXPECT_TRUE(m.scan_pixel_given);
  EXPECT_EQ(*m.scan.field_A, (std::array<double, 2>{20, 30}));
  EXPECT_TRUE(std::holds_alternative<multislice::ScanOptions::Nyquist>(m.scan.probe_step_A));
  const auto& range = std::get<NumberRange>(m.tilts.theta_deg);
  EXPECT_EQ(range.step, -5);
  EXPECT_EQ(m.tilts.exclude, (std::vector<std::size_t>{0, 3}));
  EXPECT_EQ(std::get<multislice::WindowWidth>(m.multislice.window).width_A, 25.6);
  EXPECT_EQ(m.preprocess.bad_pixels, BadPixels::interpolate);
  EXPECT_EQ(m.reconstruct.iterations, 1000);
  EXPECT_EQ(m.reconstruct.oversampling, (std::array<double, 3>{4, 3, 2}));
  EXPECT_EQ(*m.reconstruct.volume_px, (std::array<std::size_t, 3>{64, 64, 64}));
  EXPECT_EQ(m.trace.species, (std::vector<std::string>{"Y", "No"}));
  EXPECT_EQ(*m.trace.threshold, 0.5);
  EXPECT_EQ(m.compare.rule, MatchRule::nearest);
}

TEST_F(Load, HintsForFilesInMpisOwnWords) {
  EXPECT_TRUE(load_text(whole()).files.for_mpi().empty());
  const auto files = load_text(whole("files: {aggregators: 64, buffer_MiB: 16, stripes: 32, stripe_MiB: 4, "
                                     "hints: [romio_cb_write=enable, a=b=c]}\n"))
                         .files.for_mpi();
  const std::vector<std::pair<std::string, std::string>> expected{
      {"cb_nodes", "64"},           {"cb_buffer_size", "16777216"}, {"striping_factor", "32"},
      {"striping_unit", "4194304"}, {"romio_cb_write", "enable"},   {"a", "b=c"}};
  EXPECT_EQ(files, expected);
  expect_contains(refusal(whole("files: {hints: [cb_nodes]}\n")), "NAME=VALUE");
  expect_contains(refusal(whole("files: {aggregators: 0}\n")), "files.aggregators");
}

TEST_F(Load, TakesTiltsInEveryForm) {
  const auto one = load_text(whole(), {{"tilts.theta_deg", "30"}});
  EXPECT_EQ(std::get<double>(one.tilts.theta_deg), 30);
  const auto euler = load_text(whole(), {{"tilts", "{euler_deg: [[10, 20, 30], [0, -5, 0]]}"}});
  EXPECT_EQ(euler.tilts.euler_deg[0], (EulerAngles{10, 20, 30}));
  write("angles.rawtlt", "0\n1\n");
  const auto file = load_text(
      "specimen: {file: atoms.xyz}\ndetectors: [{name: a, outer_mrad: 20}]\ntilts: {file: angles.rawtlt}\n");
  EXPECT_EQ(file.tilts.file, (folder_ / "angles.rawtlt").string());
}

TEST_F(Load, PathsAreRelativeToTheConfigAndThoseOfTheCommandLineToTheWorkingFolder) {
  write("sub/model.xyz", "1\n\nZr 0 0 0\n");
  const auto path =
      write("sub/x.yaml",
            "output: ../runs/x\nspecimen: {file: model.xyz}\n"
            "detectors: [{name: a, outer_mrad: 20}]\ntilts: {theta_deg: 0}\nstages: [simulate]\n");
  EXPECT_EQ(load(path).output, (folder_ / "runs/x").string());
  EXPECT_EQ(load(path).specimen->file, (folder_ / "sub/model.xyz").string());
  EXPECT_EQ(load(path, {}, {}, "out: a").output, (fs::current_path() / "out: a").string());
  EXPECT_EQ(load(path, {{"output", "elsewhere"}}).output, (fs::current_path() / "elsewhere").string());
  EXPECT_EQ(load(path, {{"output", "/abs/x"}}).output, "/abs/x");
}

TEST_F(Load, KeepsTheArrayNameBehindAColon) {
  write("data.mat", "");
  const auto m = load_text("scan: {pixel_A: 0.343}\nreconstruct: {input: 'data.mat:projections'}\n");
  EXPECT_EQ(m.reconstruct.input, (folder_ / "data.mat").string() + ":projections");
  write("odd:name.mat", "");
  EXPECT_EQ(load_text("reconstruct: {input: 'odd:name.mat'}\n").reconstruct.input,
            (folder_ / "odd:name.mat").string());
}

TEST_F(Load, AStageAloneNeedsOnlyItsOwnKeys) {
  write("projections.mat", "");
  write("angles.mat", "");
  const std::string mine =
      "output: runs/mine\nscan: {pixel_A: 0.343}\ntilts: {file: angles.mat}\n"
      "reconstruct: {input: projections.mat, iterations: 200}\n";
  for (const auto& stages : {std::vector<Stage>{}, stages_of_command("reconstruct")}) {
    const auto m = load_text(mine, {}, stages);
    EXPECT_EQ(m.stages, std::vector{Stage::reconstruct});
    EXPECT_TRUE(m.scan_pixel_given);
    EXPECT_FALSE(m.specimen);
  }
}

TEST_F(Load, StagesFollowFromTheSectionsUnlessNamed) {
  const std::string sections =
      "specimen: {file: atoms.xyz}\ntilts: {theta_deg: 0}\nreconstruct: {iterations: 5}\ntrace: {species: "
      "[Zr]}\n";
  const std::string detectors = "detectors: [{name: adf, outer_mrad: 20}]\n";
  EXPECT_EQ(load_text(sections + detectors).stages,
            (std::vector{Stage::simulate, Stage::reconstruct, Stage::trace}));
  EXPECT_EQ(load_text(sections + detectors + "stages: [simulate]\n").stages, std::vector{Stage::simulate});
  EXPECT_TRUE(stages_of_command("run").empty());
  EXPECT_EQ(stages_of_command("trace"), std::vector{Stage::trace});
}

TEST_F(Load, StandardNamesMeanTheRunsOwnFiles) {
  const std::string own =
      "reconstruct: {input: tilt_series.h5}\ntrace: {input: volume.h5, images: tilt_series.h5}\n"
      "compare: {model: atoms.extxyz, reference: specimen}\n";
  const auto m = load_text(whole(own));
  EXPECT_TRUE(m.reconstruct.input.empty());
  EXPECT_TRUE(m.trace.input.empty());
  EXPECT_TRUE(m.trace.images.empty());
  EXPECT_TRUE(m.compare.model.empty());

  // A file of that name beside a config that does not make one is the user's.
  write("tilt_series.h5", "");
  EXPECT_TRUE(load_text(whole(own)).reconstruct.input.empty());
  EXPECT_EQ(load_text("reconstruct: {input: tilt_series.h5}\n").reconstruct.input,
            (folder_ / "tilt_series.h5").string());
}

TEST_F(Load, AStageAfterAnotherRunFindsItsFilesInTheOutput) {
  const auto text = whole("output: out\n");
  expect_contains(refusal(text, {}, {Stage::trace}), "volume.h5' is not there");
  write("out/volume.h5", "");
  EXPECT_TRUE(load_text(text, {}, {Stage::trace}).trace.input.empty());
}

TEST_F(Load, SetsWinOverTheFile) {
  const auto m = load_text(whole("seed: 1\n"), {{"seed", "5"},
                                                {"microscope.defocus_A", "50"},
                                                {"detectors.0.outer_mrad", "180"},
                                                {"multislice.window", "full"},
                                                {"reconstruct.iterations", "010"}});
  EXPECT_EQ(m.seed, 5u);
  EXPECT_EQ(m.microscope.defocus_A, 50);
  EXPECT_EQ(m.detectors[0].outer_mrad, 180);
  EXPECT_TRUE(std::holds_alternative<multislice::WindowFull>(m.multislice.window));
  EXPECT_EQ(m.reconstruct.iterations, 10);
}

TEST_F(Load, TheContractsOwnExampleLoads) {
  write("zr1.extxyz", "1\n\nZr 0 0 0\n");
  const std::string example = R"(project: zr1-validation
output: runs/zr1-validation
seed: 20240907
stages: [simulate, reconstruct, trace, compare, analyze]

specimen:
  file: zr1.extxyz                  # or build
  origin: file
  thermal: {debye_waller_B_A2: 0.3, frozen_phonons: 4}

microscope:
  voltage_kV: 300
  convergence_mrad: 30
  defocus_A: 0
  focus_reference: centre
  source_fwhm_A: 0.8
  dose_e_per_A2: 9600
detectors:
  - {name: adf, kind: annular, inner_mrad: 39.4, outer_mrad: 200}
scan: {pixel_A: 0.3434, field_A: auto, probe_step_A: pixel}
tilts: {theta_deg: [-75.0, -72.5, -70.0]}
multislice:
  sampling_A: 0.1
  slice_A: 2.0
  slicing: projected
  parametrization: kirkland
  window: {tolerance: 0.005}
  detector_edges: area

preprocess: {calibrate: none, align: none, background: none, denoise: none, normalize: none}
reconstruct:
  input: tilt_series.h5
  signal: auto
  method: resire
  iterations: 200
  step: 2
  projector: fourier
  oversampling: 4
  nonnegative: true
  support: auto
  volume_px: auto
  film: false
  refine_angles: false
trace: {input: volume.h5, images: tilt_series.h5, species: [Zr], min_distance_A: 2.0, refine: true}
compare: {model: atoms.extxyz, reference: specimen, match_radius_A: 1.0, rule: mutual}
analyze: {input: atoms.extxyz, measures: [bonds, coordination, phases, oxidation, vacancies]}
)";
  EXPECT_EQ(load_text(example).stages.size(), 5u);
  const auto unknown = refusal(example, {{"analyze.measures", "[bonds, colour]"}});
  expect_contains(unknown, "unknown measure 'colour'");
  expect_contains(unknown, "vacancies");
}

}  // namespace
}  // namespace aetos::config::test
