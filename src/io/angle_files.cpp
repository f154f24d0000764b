#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/mat_file.hpp"
#include "aetos/io/text_fields.hpp"
#include "aetos/io/tilt_series.hpp"

namespace aetos::io {
namespace {

/// The numeric list or table that a MAT file means by "angles".
const mat::Variable& choose_angles(const mat::File& file, const Source& source) {
  std::vector<const mat::Variable*> fit;
  for (const auto& v : file.variables) {
    if (!v.numeric || v.dims.size() != 2) continue;
    if (source.array.empty() ? v.size() > 0 : source.array == v.name) fit.push_back(&v);
  }
  if (fit.size() > 1)
    for (const auto* v : fit)
      if (v->name == "angles") return *v;
  if (fit.size() == 1) return *fit[0];
  throw InputError(source.file, (fit.empty() ? "holds " : "several tables: ") + mat::describe(file.variables),
                   fit.empty() ? "angles: n x 3 (phi, theta, psi) or n thetas, in degrees"
                               : "one of them named after a colon, as in angles.mat:angles");
}

std::vector<EulerAngles> angles_from_mat(const Source& source) {
  const mat::File file = mat::open(source.file);
  const mat::Variable& v = choose_angles(file, source);
  const std::size_t rows = v.dims[0], columns = v.dims[1];
  const bool euler = columns == 3, list = rows == 1 || columns == 1;
  if (!euler && !list)
    throw InputError(source.file, fmt::format("'{}' is {} x {}", v.name, rows, columns),
                     "n x 3 (phi, theta, psi) or n thetas, in degrees");
  const std::vector<double> values = mat::read_all(file, v);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw InputError(source.file,
                       fmt::format("'{}' row {} is not a finite number", v.name, (euler ? i % rows : i) + 1),
                       "angles in degrees");
  std::vector<EulerAngles> angles;
  if (euler)
    for (std::size_t i = 0; i < rows; ++i)
      angles.push_back({values[i], values[rows + i], values[2 * rows + i]});
  else
    for (double theta : values) angles.push_back({0, theta, 0});
  return angles;
}

/// A first line of column titles, as spreadsheets write it.
bool is_title_line(const std::vector<std::string_view>& fields) {
  for (std::string_view field : fields) {
    const std::string word = lower_case(field);
    const bool known = word.starts_with("phi") || word.starts_with("theta") || word.starts_with("psi") ||
                       word.starts_with("angle") || word.starts_with("tilt");
    if (!known) return false;
  }
  return !fields.empty();
}

std::vector<EulerAngles> angles_from_text(const std::string& path, bool commas_separate) {
  std::string text = read_text_file(path);
  if (commas_separate)
    for (char& c : text)
      if (c == ',' || c == ';') c = ' ';
  std::vector<EulerAngles> angles;
  std::size_t columns = 0, number = 0;
  for (std::string_view line : split_lines(text)) {
    ++number;
    const auto fields = split_fields(line);
    if (fields.empty() || fields[0].starts_with('#')) continue;
    if (angles.empty() && columns == 0 && is_title_line(fields)) {
      columns = fields.size();
      continue;
    }
    const std::string place = line_place(path, number);
    if ((fields.size() != 1 && fields.size() != 3) || (columns != 0 && fields.size() != columns))
      throw InputError(place, fmt::format("{} values", fields.size()),
                       columns ? fmt::format("{}, as above", columns) : "one angle, or phi, theta and psi");
    columns = fields.size();
    std::array<double, 3> v{};
    for (std::size_t i = 0; i < columns; ++i) {
      const auto value = to_real(fields[i]);
      if (!value || !std::isfinite(*value))
        throw InputError(place, fmt::format("'{}'", fields[i]), "an angle in degrees");
      v[i] = *value;
    }
    angles.push_back(columns == 1 ? EulerAngles{0, v[0], 0} : EulerAngles{v[0], v[1], v[2]});
  }
  if (angles.empty()) throw InputError(path, "no angles in the file", "one angle in degrees on each line");
  return angles;
}

}  // namespace

std::vector<EulerAngles> read_angles(const std::string& path) {
  const std::string file =
      path.substr(0, path.find(".mat:") == std::string::npos ? path.size() : path.find(".mat:") + 4);
  const std::string extension = lower_case(std::filesystem::path(file).extension().string());
  if (extension == ".mat") return angles_from_mat(parse_source(path));
  return angles_from_text(path, extension != ".rawtlt" && extension != ".tlt");
}

}  // namespace aetos::io
