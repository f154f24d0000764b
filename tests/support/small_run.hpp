#pragma once

#include <string>

#include "support/process.hpp"

/// A run of a few seconds that goes through every stage: six atoms, few tilts, coarse sampling.
namespace aetos::test {

inline std::string small_atoms() {
  return "6\n"
         "Lattice=\"20 0 0 0 20 0 0 0 20\" Properties=species:S:1:pos:R:3 pbc=\"F F F\"\n"
         "Zr 0.0 0.0 0.0\nZr 2.6 0.3 0.4\nZr -2.5 0.2 -0.6\nZr 0.2 2.7 0.5\nZr -0.3 -2.6 0.3\nZr 0.1 0.4 "
         "2.8\n";
}

inline std::string small_config() {
  return "project: small\n"
         "output: run\n"
         "seed: 7\n"
         "stages: [simulate, reconstruct, trace, compare, analyze]\n"
         "specimen: {file: atoms.extxyz, thermal: {debye_waller_B_A2: 0.3, frozen_phonons: 2}}\n"
         "microscope: {voltage_kV: 300, convergence_mrad: 30, source_fwhm_A: 0.8, dose_e_per_A2: 90000}\n"
         "detectors:\n"
         "  - {name: adf, kind: annular, inner_mrad: 39.4, outer_mrad: 60}\n"
         "scan: {pixel_A: 0.4, field_A: 12.0}\n"
         "tilts: {theta_deg: {start: -70, stop: 70, step: 10}}\n"
         "multislice: {sampling_A: 0.1, slice_A: 2.0, window: {width_A: 6.4}}\n"
         "reconstruct: {iterations: 40, projector: real-space, method: resire-nesterov}\n"
         "trace: {species: [Zr]}\n";
}

/// Writes both into a folder; gives the config's name.
inline std::string write_small_run(const TemporaryFolder& folder,
                                   const std::string& config = small_config()) {
  folder.write("atoms.extxyz", small_atoms());
  return folder.write("small.yaml", config);
}

}  // namespace aetos::test
