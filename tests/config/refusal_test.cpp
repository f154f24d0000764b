// Every refusal of a config, with what it says.
#include "config_case.hpp"

namespace aetos::config::test {
namespace {

using Refusal = ConfigCase;

TEST_F(Refusal, AnUnknownKeyNamesItsLineAndTheNearestKey) {
  const auto message = refusal(whole("microscope:\n  voltage_kV: 300\n  convergance_mrad: 30\n"));
  expect_contains(
      message, "case.yaml:7: unknown key 'convergance_mrad' in microscope; did you mean 'convergence_mrad'?");
}

TEST_F(Refusal, AKeyWithAnotherUnitOrInAnotherSectionIsRecognised) {
  expect_contains(refusal(whole("scan: {pixel_nm: 0.03}\n")), "did you mean 'pixel_A'?");
  expect_contains(refusal(whole("microscope: {defocus_nm: 5}\n")), "did you mean 'defocus_A'?");
  expect_contains(refusal(whole("microscope: {voltage: 300}\n")), "did you mean 'voltage_kV'?");
  expect_contains(refusal(whole("microscope: {C30_mm: 1}\n")), "did you mean 'C30_A'?");
  expect_contains(refusal(whole("microscope: {C50_mm: 10}\n")), "did you mean 'C50_A'?");
  expect_contains(refusal(whole("voltage_kV: 300\n")), "did you mean 'microscope.voltage_kV'?");
  expect_contains(refusal(whole("scan: {sampling_A: 0.1}\n")), "did you mean 'multislice.sampling_A'?");
  expect_contains(refusal(whole("recontruct: {iterations: 3}\n")), "did you mean 'reconstruct'?");
  expect_contains(refusal(whole("scan: {zzzzzz: 1}\n")), "expected one of pixel_A, field_A, probe_step_A");
  expect_contains(refusal(whole(), {{"microscope.voltag_kV", "3"}}),
                  "--set microscope.voltag_kV: unknown key");
}

TEST_F(Refusal, AllErrorsAreTold) {
  const auto message =
      refusal(whole("scan: {pixel_A: -1}\nmicroscope: {voltage_kV: 300kV}\nbogus: 1\nseed: x\n"));
  expect_contains(message, "4 errors");
  for (const char* part : {"case.yaml:5, scan.pixel_A", "case.yaml:6, microscope.voltage_kV",
                           "case.yaml:7: unknown key", "case.yaml:8, seed"})
    expect_contains(message, part);
  EXPECT_EQ(read_config((folder_ / "case.yaml").string()).errors.size(), 4u);
}

TEST_F(Refusal, NumbersOutOfRangeShowTheUsualOne) {
  expect_contains(refusal(whole("microscope: {voltage_kV: 300000}\n")),
                  "'300000'; expected a number 10 to 3000 (usually 60 to 300)");
  expect_contains(refusal(whole("microscope: {convergence_mrad: 0.03}\n")), "(usually 10 to 40)");
  expect_contains(refusal(whole("scan: {pixel_A: 0.03434e-10}\n")), "(usually 0.1 to 1)");
}

TEST_F(Refusal, NegativeAndZeroSizes) {
  for (const char* line :
       {"scan: {pixel_A: 0}", "scan: {field_A: 0}", "scan: {field_A: [10, -1]}", "scan: {probe_step_A: 0}",
        "multislice: {sampling_A: 0}", "multislice: {slice_A: -2}", "multislice: {window: {width_A: 0}}",
        "multislice: {window: {tolerance: 0}}", "reconstruct: {iterations: 0}", "reconstruct: {step: 0}",
        "reconstruct: {oversampling: 0.5}", "reconstruct: {volume_px: [0, 1, 1]}", "trace: {fit_radius_A: 0}",
        "compare: {match_radius_A: 0}", "microscope: {dose_e_per_A2: 0}", "microscope: {source_fwhm_A: -1}",
        "checkpoint_interval_s: -1"})
    expect_contains(refusal(whole(std::string(line) + "\n")), " number ");
  expect_contains(refusal(whole(), {{"specimen.thermal.frozen_phonons", "0"}}), "whole number 1 to");
  expect_contains(refusal(whole(), {{"specimen.thermal.debye_waller_B_A2", "-1"}}), "a number 0 to 100");
}

TEST_F(Refusal, WrongTypes) {
  expect_contains(refusal(whole("microscope: {defocus_A: 50 A}\n")),
                  "'50 A'; expected a number, without a unit");
  expect_contains(refusal(whole("microscope: {voltage_kV: \"300\"}\n")), "a number without quotes");
  expect_contains(refusal(whole("microscope: 300\n")), "a map of keys");
  expect_contains(refusal(whole("microscope: {voltage_kV: [300]}\n")), "a list; expected a number");
  expect_contains(refusal(whole("microscope:\n")), "nothing; expected a value");
  expect_contains(refusal(whole("reconstruct: {nonnegative: yes}\n")), "true or false; write true");
  expect_contains(refusal(whole("reconstruct: {iterations: 1.5}\n")), "a whole number");
  expect_contains(refusal(whole("reconstruct: {oversampling: [1, 2]}\n")), "a number or [z, y, x]");
  expect_contains(refusal(whole("scan: {field_A: [1, 2, 3]}\n")), "a number or [y, x], or auto");
  expect_contains(refusal(whole("scan: {probe_step_A: nyquist}\n")), "pixel, auto, or a number");
  expect_contains(refusal(whole(), {{"detectors", "{name: adf}"}}), "a map; expected a list");
  expect_contains(refusal(whole("project: {a: 1}\n")), "expected text");
  expect_contains(refusal("- a\n"), "a map of keys");
  expect_contains(refusal(""), "an empty config");
}

TEST_F(Refusal, WordsThatAreNone) {
  expect_contains(refusal(whole("multislice: {parametrization: peng}\n")),
                  "'peng'; expected one of kirkland, lobato");
  expect_contains(refusal(whole("microscope: {focus_reference: exit}\n")), "one of centre, entrance");
  expect_contains(refusal(whole("reconstruct: {method: art}\n")),
                  "'art'; expected one of resire, resire-nesterov");
  expect_contains(refusal(whole("compare: {rule: both}\n")), "one of mutual, nearest");
  expect_contains(refusal(whole("multislice: {window: small}\n")),
                  "one of {tolerance: 0.005}, {width_A: 25.6} and full");
  expect_contains(refusal(whole("multislice: {window: {tolerance: 0.1, width_A: 3}}\n")), "several keys");
  expect_contains(refusal(whole(), {{"stages", "[simulate, simulate]"}}), "'simulate' twice");
  expect_contains(refusal(whole(), {{"stages", "[draw]"}}), "one of simulate, preprocess");
  expect_contains(refusal(whole(), {{"tilts.sign", "2"}}), "1 or -1");
}

TEST_F(Refusal, Elements) {
  expect_contains(refusal(whole("trace: {species: [Zr, Qq]}\n")), "'Qq'; expected an element symbol");
  expect_contains(refusal(whole("trace: {species: [zr]}\n")), "'zr'");
  expect_contains(refusal(whole("trace: {species: []}\n")), "an empty list");
  expect_contains(refusal(whole(), {{"specimen.thermal.debye_waller_B_A2", "{Xx: 1}"}}),
                  "'Xx'; expected an element symbol");
  EXPECT_EQ(refusal(whole("trace: {species: [Y, N, No]}\n")), "no error");
}

TEST_F(Refusal, Tilts) {
  const auto theta = [&](const char* value) { return refusal(whole(), {{"tilts.theta_deg", value}}); };
  expect_contains(theta("[]"), "an empty list; expected a list that is not empty");
  expect_contains(theta("{start: 70, stop: -70, step: 5}"),
                  "a step of 5 from 70 to -70; expected a negative step");
  expect_contains(theta("{start: -70, stop: 70, step: -5}"), "expected a positive step");
  expect_contains(theta("{start: 70, stop: -70, step: 0}"), "a step of 0");
  expect_contains(theta("{start: 0, stop: 90, step: 1e-9}"), "more than 100000 angles");
  expect_contains(theta("{start: 0, stop: 90}"), "no 'tilts.theta_deg.step'");
  expect_contains(theta("{start: 0, stop: 90, steps: 3}"), "did you mean 'step'?");
  expect_contains(theta("[1, .nan]"), "'.nan'");
  expect_contains(theta("[1, x]"), "'x'; expected a number");
  expect_contains(theta("9000"), "-720 to 720");
  EXPECT_EQ(theta("{start: 70, stop: -70, step: -5}"), "no error");
  EXPECT_EQ(theta("[5, 5]"), "no error");
  expect_contains(refusal(whole(), {{"tilts", "{euler_deg: [[1, 2]]}"}}), "[phi, theta, psi]");
  expect_contains(refusal(whole(), {{"tilts.euler_deg", "[[1, 2, 3]]"}}), "'euler_deg' beside 'theta_deg'");
  expect_contains(refusal(whole(), {{"tilts.exclude", "[-1]"}}), "whole number 0 to");
  expect_contains(refusal(whole(), {{"tilts.theta_deg", "none"}}), "at least one angle");
}

TEST_F(Refusal, Detectors) {
  const auto detectors = [&](const char* value) { return refusal(whole(), {{"detectors", value}}); };
  expect_contains(detectors("[{name: a, inner_mrad: 30, outer_mrad: 30}]"),
                  "an outer angle of 30 mrad with an inner angle of 30 mrad");
  expect_contains(detectors("[{name: a, inner_mrad: 40, outer_mrad: 30}]"),
                  "expected an outer angle larger than the inner");
  expect_contains(detectors("[{name: a, inner_mrad: -1, outer_mrad: 30}]"), "inner_mrad");
  expect_contains(detectors("[{name: a, outer_mrad: 3}, {name: a, outer_mrad: 4}]"),
                  "two detectors named 'a'");
  expect_contains(detectors("[{name: a}]"), "without 'outer_mrad'");
  expect_contains(detectors("[{outer_mrad: 3}]"), "no 'detectors.0.name'");
  expect_contains(detectors("[{name: 'a b', outer_mrad: 3}]"), "letters, digits");
  expect_contains(detectors("[]"), "the simulate stage needs one");
  const auto set = refusal(whole(), {{"detectors.0.outer_mrad", "3"}});
  expect_contains(set, "--set detectors.0.outer_mrad: an outer angle of 3 mrad");
}

TEST_F(Refusal, AlternativesGivenTogether) {
  const auto microscope = [&](const char* value) {
    return refusal(whole(std::string("microscope: ") + value + "\n"));
  };
  expect_contains(microscope("{dose_e_per_A2: 1, dose_total_e_per_A2: 2}"),
                  "'dose_total_e_per_A2' beside 'dose_e_per_A2'");
  expect_contains(microscope("{dose_e_per_A2: 1, screen_current_pA: 2, dwell_us: 1}"),
                  "'screen_current_pA' beside 'dose_e_per_A2'");
  expect_contains(microscope("{screen_current_pA: 2}"), "a current without a dwell time");
  expect_contains(microscope("{dwell_us: 2}"), "a dwell time without a current");
  EXPECT_EQ(microscope("{screen_current_pA: 2, dwell_us: 2}"), "no error");
  expect_contains(
      refusal(whole(), {{"specimen.thermal", "{debye_waller_B_A2: 0.3, rms_displacement_A: 0.06}"}}),
      "'rms_displacement_A' beside 'debye_waller_B_A2'");
}

TEST_F(Refusal, WhatAStageNeeds) {
  const auto nothing = refusal("stages: [simulate]\n");
  for (const char* part : {"specimen", "detectors", "tilt"}) expect_contains(nothing, std::string(part));
  expect_contains(refusal("project: x\n"), "nothing to do");
  expect_contains(refusal("specimen: {origin: file}\n"), "no 'specimen.file'");
  expect_contains(refusal("reconstruct: {iterations: 3}\n"),
                  "case.yaml:1, reconstruct.input: no file is given");
  write("model.xyz", "");
  expect_contains(refusal("compare: {model: model.xyz}\n"), "no specimen is given");
}

TEST_F(Refusal, FilesThatDoNotExistAreToldBeforeAnythingRuns) {
  expect_contains(refusal(whole("compare: {reference: truth.xyz}\n")),
                  "case.yaml:5, compare.reference: there is no file");
  expect_contains(refusal(whole(), {{"specimen.file", "gone.xyz"}}), "--set specimen.file: there is no file");
  expect_contains(refusal(whole("reconstruct: {support: mask.mat}\n")), "mask.mat");
  expect_contains(refusal(whole("trace: {images: gone.mat:a}\n")), "gone.mat'");
  expect_contains(refusal(whole(), {{"specimen.file", "."}}), "is a folder");
  expect_contains(refusal("reconstruct: {input: gone.mat:projections}\ntilts: {file: no.mat}\n"), "2 errors");
  // A stage that does not run needs no file.
  EXPECT_EQ(refusal(whole("compare: {reference: truth.xyz}\n"), {{"stages", "[simulate]"}}), "no error");
}

TEST_F(Refusal, WhatThisVersionLacksIsNamedNeverIgnored) {
  expect_contains(refusal(whole("preprocess: {calibrate: {crystal: si-110}}\n")),
                  "no 'preprocess.calibrate.file'");
  expect_contains(refusal(whole("preprocess: {denoise: median}\n")), "none, bm3d, non-local-means, wavelet");
  for (const char* other : {"lcl", "almm", "nm", "brgn", "owlqn", "ssils"})
    for (const std::string& part : {std::string("'") + other + "', which ", std::string("case.yaml:5")})
      expect_contains(refusal(whole(std::string("reconstruct: {method: ") + other + "}\n")), part);
  expect_contains(refusal(whole("microscope: {C10_A: 10}\n")), "'defocus_A', which is -C10");
  expect_contains(refusal(whole(), {{"specimen.build", "{kind: slab}"}}), "'build' beside 'file'");
  expect_contains(refusal(whole(), {{"specimen.thermal.configurations", "md.xyz"}}), "there is no file");
  EXPECT_EQ(refusal(whole("preprocess: {denoise: none}\nreconstruct: {film: false}\n")), "no error");
}

TEST_F(Refusal, AFocalSpreadIsGivenInOneWay) {
  expect_contains(refusal(whole("microscope: {focal_spread_A: 30, Cc_A: 1e7, energy_spread_eV: 1}\n")),
                  "one of the two");
  expect_contains(refusal(whole("microscope: {Cc_A: 1e7}\n")), "'energy_spread_eV' beside it");
  expect_contains(refusal(whole("microscope: {energy_spread_eV: 1}\n")), "'Cc_A' beside it");
  expect_contains(refusal(whole("microscope: {beam_tilt_mrad: 3}\n")), "expected [x, y]");
  EXPECT_EQ(refusal(whole("microscope: {Cc_A: 1.2e7, energy_spread_eV: 0.7, beam_tilt_mrad: [1, -2]}\n")),
            "no error");
}

TEST_F(Refusal, PreprocessingThatContradictsItself) {
  expect_contains(refusal(whole("preprocess: {align: com}\n")), "centre-of-mass");
  expect_contains(refusal(whole("preprocess: {background: 1}\n")), "plane, mask");
  expect_contains(refusal(whole("preprocess: {normalize: true}\n")), "total");
  expect_contains(refusal(whole("preprocess: {shifts: gone.csv}\n"), {}, stages_of_command("preprocess")),
                  "gone.csv");
  expect_contains(refusal(whole("preprocess: {shifts: gone.csv, align: common-line}\n")), "one of the two");
  expect_contains(refusal("tilts: {theta_deg: 0}\npreprocess: {align: common-line}\n"),
                  "the simulate stage before");
}

TEST_F(Refusal, RefinementByMultisliceNeedsADetectorAndElements) {
  const auto with = [&](const std::string& more) {
    return refusal(whole(more), {{"trace.refine_model", "multislice"}});
  };
  EXPECT_EQ(with(""), "no error");
  expect_contains(with("trace: {refine: false}\n"), "trace.refine: true");
  expect_contains(refusal(whole("trace: {refine: false, refine_angles: true}\n")), "trace.refine_angles");
  expect_contains(refusal(whole(), {{"trace.refine_model", "exact"}}), "linear, multislice");
  write("volume.mrc", "");
  const std::string traced = "stages: [trace]\ntrace: {input: volume.mrc, refine_model: multislice}\n";
  expect_contains(refusal(traced), "without an annular detector");
  const std::string ring = traced + "detectors: [{name: adf, inner_mrad: 39.4, outer_mrad: 200}]\n";
  expect_contains(refusal(ring), "trace.species");
  // The motion of atoms that are not known yet.
  const std::string motion = ring + "specimen: {thermal: {debye_waller_B_A2: 0.3}}\n";
  expect_contains(refusal(motion), "trace.species");
  EXPECT_EQ(refusal(motion, {{"trace.species", "[Zr]"}}), "no error");
  expect_contains(refusal(motion, {{"trace.species", "[Zr]"}, {"stages", "[simulate, trace]"}}),
                  "no 'specimen.file'");
}

TEST_F(Refusal, SomethingOddButHarmlessIsANote) {
  EXPECT_EQ(load_text(whole("microscope: {C12_deg: 30}\n")).notes.size(), 1u);
  EXPECT_EQ(load_text(whole("microscope: {C56_deg: 30}\n")).notes.size(), 1u);
  EXPECT_TRUE(load_text(whole()).notes.empty());
}

}  // namespace
}  // namespace aetos::config::test
