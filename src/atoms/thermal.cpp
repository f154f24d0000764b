#include "aetos/atoms/thermal.hpp"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <map>

#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"
#include "aetos/core/units.hpp"

namespace aetos::atoms {
namespace {

double value_for(const PerElement& values, std::uint8_t z, const std::string& key) {
  double value = 0;
  if (const auto* one = std::get_if<double>(&values)) {
    value = *one;
  } else {
    const auto& by_symbol = std::get<std::map<std::string, double>>(values);
    const auto entry = by_symbol.find(element_symbol(z));
    if (entry == by_symbol.end())
      throw InputError(key, "no value for " + element_symbol(z), "a value for every element of the specimen");
    value = entry->second;
  }
  if (!(value >= 0) || !std::isfinite(value))
    throw InputError(key, fmt::format("{} for {}", value, element_symbol(z)), "a number of at least 0");
  return value;
}

/// Columns that describe each atom's motion, in lower case as files are read.
constexpr const char* kColumns[] = {"debye_waller_b_a2", "rms_displacement_a", "u_a2"};

const Column* motion_column(const Structure& structure, std::string& name) {
  const Column* found = nullptr;
  for (const char* candidate : kColumns) {
    const auto column = structure.columns.find(candidate);
    if (column == structure.columns.end()) continue;
    if (found)
      throw InputError("specimen.file", fmt::format("columns {} and {}", name, candidate),
                       "one description of thermal motion");
    found = &column->second;
    name = candidate;
  }
  return found;
}

std::vector<double> reals(const Column& column, const std::string& name) {
  if (const auto* real = std::get_if<std::vector<double>>(&column.values)) return *real;
  if (const auto* whole = std::get_if<std::vector<std::int64_t>>(&column.values))
    return {whole->begin(), whole->end()};
  throw InputError("specimen.file", "a column `" + name + "` that is not numeric", "numbers");
}

/// L with U = L L^T of an atom's tensor. A semidefinite U (no motion along some axis) is fine.
Mat3 tensor_factor(const double* u, std::size_t width, std::size_t atom) {
  Mat3 U;
  if (width == 6)
    U << u[0], u[3], u[4], u[3], u[1], u[5], u[4], u[5], u[2];
  else
    U = Eigen::Map<const Eigen::Matrix<double, 3, 3, Eigen::RowMajor>>(u);
  const auto wrong = [&](const char* found) {
    return InputError("specimen.file", fmt::format("atom {}: {}", atom + 1, found),
                      "a symmetric tensor without negative principal values");
  };
  if (!U.allFinite() || (U - U.transpose()).cwiseAbs().maxCoeff() > 1e-9)
    throw wrong("a U that is not symmetric");
  const Eigen::SelfAdjointEigenSolver<Mat3> principal(U);
  if (principal.eigenvalues().minCoeff() < -1e-9) throw wrong("a U with a negative principal value");
  return principal.eigenvectors() * principal.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal();
}

void motion_from_column(const Structure& structure, const Column& column, const std::string& name,
                        ThermalModel& model) {
  const auto values = reals(column, name);
  const bool tensor = name == "u_a2" && (column.width == 6 || column.width == 9);
  if (!tensor && column.width != 1)
    throw InputError("specimen.file", fmt::format("a column {} of width {}", name, column.width),
                     name == "u_a2" ? "1, 6 or 9 numbers for each atom" : "one number for each atom");
  for (std::size_t i = 0; i < structure.size(); ++i) {
    if (tensor) {
      model.factor.push_back(tensor_factor(&values[i * column.width], column.width, i));
      model.rms_A.push_back(model.factor.back().norm() / std::sqrt(3.0));
      continue;
    }
    if (!(values[i] >= 0) || !std::isfinite(values[i]))
      throw InputError("specimen.file", fmt::format("atom {}: {} {}", i + 1, name, values[i]),
                       "a number of at least 0");
    model.rms_A.push_back(name == "rms_displacement_a"  ? values[i]
                          : name == "debye_waller_b_a2" ? std::sqrt(mean_square_displacement_A2(values[i]))
                                                        : std::sqrt(values[i]));
  }
  model.source = "the column " + name;
}

void motion_from_options(const Structure& structure, const ThermalOptions& options, ThermalModel& model) {
  std::map<std::uint8_t, double> rms_by_element;
  for (std::uint8_t z : structure.atomic_number) {
    if (rms_by_element.count(z)) continue;
    double rms = 0;
    if (options.debye_waller_B_A2)
      rms = std::sqrt(mean_square_displacement_A2(
          value_for(*options.debye_waller_B_A2, z, "specimen.thermal.debye_waller_B_A2")));
    if (options.rms_displacement_A)
      rms = value_for(*options.rms_displacement_A, z, "specimen.thermal.rms_displacement_A");
    rms_by_element[z] = rms;
  }
  for (std::uint8_t z : structure.atomic_number) model.rms_A.push_back(rms_by_element[z]);
}

void motion_from_snapshots(const Structure& structure, std::span<const Snapshot> snapshots,
                           ThermalModel& model) {
  model.snapshots = snapshots;
  model.rms_A.assign(structure.size(), 0);
  for (const auto& snapshot : snapshots)
    for (std::size_t i = 0; i < snapshot.size(); ++i) model.rms_A[i] += snapshot[i].squaredNorm();
  for (auto& u : model.rms_A) u = std::sqrt(u / (3 * static_cast<double>(snapshots.size())));
  model.source = fmt::format("{} snapshots", snapshots.size());
  if (model.largest_rms_A() > 1)
    model.warnings.push_back(fmt::format(
        "an atom of specimen.thermal.configurations lies {:.1f} Å rms per axis from its place in the "
        "specimen: do both have the same origin?",
        model.largest_rms_A()));
}

}  // namespace

double ThermalModel::largest_rms_A() const {
  return rms_A.empty() ? 0 : *std::max_element(rms_A.begin(), rms_A.end());
}

Vec3 ThermalModel::displacement(std::uint64_t seed, std::size_t tilt, std::size_t configuration,
                                std::size_t atom) const {
  if (!snapshots.empty()) {
    const auto& snapshot = snapshots[(tilt * configurations + configuration) % snapshots.size()];
    return atom < snapshot.size() ? snapshot[atom] : Vec3(Vec3::Zero());
  }
  if (rms_A[atom] == 0) return Vec3::Zero();
  const auto n =
      random::normal4(seed, random::Domain::thermal_displacement,
                      {static_cast<std::uint32_t>(tilt), static_cast<std::uint32_t>(configuration), atom});
  const Vec3 normal(n[0], n[1], n[2]);
  if (factor.empty()) return rms_A[atom] * normal;
  return factor[atom] * normal;
}

ThermalModel thermal_model(const Structure& structure, const ThermalOptions& options,
                           std::span<const Snapshot> snapshots) {
  if (options.debye_waller_B_A2 && options.rms_displacement_A)
    throw InputError("specimen.thermal", "both debye_waller_B_A2 and rms_displacement_A", "one of them");
  const int fewest = snapshots.empty() ? 1 : static_cast<int>(snapshots.size());
  const int phonons = options.frozen_phonons.value_or(fewest);
  if (phonons < 1) throw InputError("specimen.thermal.frozen_phonons", std::to_string(phonons), "1 or more");
  if (!snapshots.empty() && phonons > fewest)
    throw InputError("specimen.thermal.frozen_phonons", std::to_string(phonons),
                     fmt::format("at most the {} snapshots there are", fewest));

  ThermalModel model;
  model.configurations = static_cast<std::size_t>(phonons);
  std::string name;
  const Column* column = motion_column(structure, name);
  const bool given = options.debye_waller_B_A2 || options.rms_displacement_A || !snapshots.empty();
  if (given && column)
    model.warnings.push_back("specimen.thermal describes the motion: the column " + name + " is not used");
  if (!snapshots.empty())
    motion_from_snapshots(structure, snapshots, model);
  else if (column && !given)
    motion_from_column(structure, *column, name, model);
  else
    motion_from_options(structure, options, model);
  if (model.configurations > 1 && model.largest_rms_A() == 0) {
    model.warnings.push_back(
        fmt::format("specimen.thermal.frozen_phonons is {}, but no atom moves (no debye_waller_B_A2 or "
                    "rms_displacement_A above 0): all would be alike, one configuration is computed",
                    model.configurations));
    model.configurations = 1;
  }
  return model;
}

std::vector<Snapshot> snapshots_of(const Structure& structure, std::span<const Structure> frames,
                                   const std::string& file) {
  std::vector<Snapshot> snapshots;
  std::size_t line = 1;  // of the frame's first line
  Mat3 to_cell = Mat3::Zero();
  if (structure.cell && std::abs(structure.cell->vectors.determinant()) > 1e-9)
    to_cell = structure.cell->vectors.transpose().inverse();
  const auto nearest_image = [&](Vec3 u) {
    if (!structure.cell) return u;
    const Vec3 share = to_cell * u;
    for (int k = 0; k < 3; ++k)
      if (structure.cell->periodic[static_cast<std::size_t>(k)])
        u -= std::round(share[k]) * structure.cell->vectors.row(k).transpose();
    return u;
  };
  for (std::size_t f = 0; f < frames.size(); ++f) {
    const auto& frame = frames[f];
    if (frame.size() != structure.size())
      throw InputError(fmt::format("{}:{}", file, line),
                       fmt::format("frame {} of {} atoms", f + 1, frame.size()),
                       fmt::format("the {} atoms of the specimen", structure.size()));
    Snapshot snapshot;
    for (std::size_t i = 0; i < frame.size(); ++i) {
      const std::string place = fmt::format("{}:{}", file, line + 2 + i);
      if (frame.atomic_number[i] != structure.atomic_number[i])
        throw InputError(
            place,
            fmt::format("frame {} has {} as atom {}", f + 1, element_symbol(frame.atomic_number[i]), i + 1),
            element_symbol(structure.atomic_number[i]) + ", as in the specimen");
      if (!frame.position[i].allFinite())
        throw InputError(place, fmt::format("frame {}: a place that is not finite", f + 1), "three numbers");
      snapshot.push_back(nearest_image(frame.position[i] - structure.position[i]));
    }
    snapshots.push_back(std::move(snapshot));
    line += frame.size() + 2;
  }
  if (snapshots.empty()) throw InputError(file, "no frames", "one or more");
  return snapshots;
}

std::string describe(const ThermalModel& model, const Structure& structure) {
  if (model.largest_rms_A() == 0) return "static atoms";
  if (!model.source.empty())
    return fmt::format("thermal displacement of each atom from {}, up to {:.4f} Å rms per axis", model.source,
                       model.largest_rms_A());
  std::map<std::string, double> rms;
  for (std::size_t i = 0; i < structure.size(); ++i)
    rms[element_symbol(structure.atomic_number[i])] = model.rms_A[i];
  std::string list;
  for (const auto& [symbol, u] : rms) list += fmt::format("{}{} {:.4f}", list.empty() ? "" : ", ", symbol, u);
  return fmt::format("thermal displacement, Å rms per axis: {}", list);
}

}  // namespace aetos::atoms
