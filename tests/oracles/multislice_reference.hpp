#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "aetos/core/structure.hpp"
#include "aetos/multislice/tile_engine.hpp"
#include "support/shared_data.hpp"

/// Readers of the reference results in data/multislice, and runs of our engine under their conditions.
namespace aetos::test {

/// A table of numbers by column name. A `species` column is kept as atomic numbers.
class CsvTable {
 public:
  explicit CsvTable(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string line, name;
    std::getline(file, line);
    std::vector<std::string> names;
    for (std::istringstream header(line); std::getline(header, name, ',');) names.push_back(name);
    while (std::getline(file, line)) {
      std::istringstream row(line);
      for (const auto& column : names) {
        std::string value;
        std::getline(row, value, ',');
        columns_[column].push_back(column == "species" ? atomic_number(value) : std::stod(value));
      }
    }
  }
  const std::vector<double>& operator[](const std::string& name) const { return columns_.at(name); }
  std::size_t rows() const { return columns_.begin()->second.size(); }

 private:
  std::map<std::string, std::vector<double>> columns_;
};

/// Atoms of an extxyz whose columns are species and position.
inline multislice::BeamAtoms read_beam_atoms(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::size_t count = 0;
  std::string line;
  file >> count;
  std::getline(file, line);
  std::getline(file, line);
  multislice::BeamAtoms atoms;
  for (std::size_t i = 0; i < count; ++i) {
    std::string symbol;
    double x = 0, y = 0, z = 0;
    file >> symbol >> x >> y >> z;
    atoms.atomic_number.push_back(atomic_number(symbol));
    atoms.position.emplace_back(x, y, z);
    atoms.weight.push_back(1);
  }
  return atoms;
}

/// The conditions of data/multislice/README.md on a square periodic cell that is simulated whole.
inline multislice::EngineSettings reference_settings(double cell_A, std::size_t cell_px) {
  multislice::EngineSettings s;
  s.microscope.convergence_mrad = 30;
  s.microscope.focus_reference = multislice::FocusReference::entrance;
  s.detectors = {{"rings", multislice::DetectorKind::radial, 0, 0, 1},
                 {"com", multislice::DetectorKind::com, 0, 0, 1}};
  s.multislice.detector_edges = multislice::DetectorEdges::hard;
  s.grid = {
      cell_A / static_cast<double>(cell_px), cell_A / static_cast<double>(cell_px), cell_px, cell_px, {0, 0}};
  s.window_x_px = s.window_y_px = cell_px;
  return s;
}

/// Relative RMS difference sqrt(sum (a - b)² / sum b²).
inline double relative_rms(const std::vector<double>& a, const std::vector<double>& b) {
  double difference = 0, reference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    reference += b[i] * b[i];
  }
  return std::sqrt(difference / reference);
}

}  // namespace aetos::test
