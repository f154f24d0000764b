#include "aetos/io/structure_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/version.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/extxyz_header.hpp"
#include "aetos/io/text_fields.hpp"

namespace aetos::io {
namespace {

using Lines = std::vector<std::string_view>;

/// Elements that AETOS has scattering factors for: hydrogen to lawrencium.
constexpr std::int64_t kLastElement = 103;

std::uint8_t element_from_number(std::int64_t z, const std::string& place) {
  if (z < 1 || z > kLastElement)
    throw InputError(place, fmt::format("atomic number {}", z),
                     "1 (H) to 103 (Lr), or X for a site without an element");
  return static_cast<std::uint8_t>(z);
}

/// A symbol, "X" for a site without an element, or an atomic number.
std::uint8_t element_from_text(std::string_view text, const std::string& place) {
  if (text == "X") return 0;
  if (const auto z = to_integer(text)) return element_from_number(*z, place);
  if (const std::uint8_t z = atomic_number(std::string(text)); z != 0) return z;
  throw InputError(place, fmt::format("species '{}'", text), "an element from H to Lr, such as Zr");
}

double finite_number(std::string_view field, std::string_view what, const std::string& place) {
  const auto value = to_real(field);
  if (!value || !std::isfinite(*value))
    throw InputError(place, fmt::format("'{}' for {}", field, what), "a finite number with a decimal point");
  return *value;
}

void check_occupancy(double value, const std::string& place) {
  if (!(value >= 0 && value <= 1)) throw InputError(place, fmt::format("occupancy {}", value), "0 to 1");
}

Column empty_column(const PropertyColumn& property, std::size_t atoms) {
  Column column;
  column.width = property.width;
  const std::size_t n = atoms * property.width;
  switch (property.type) {
    case 'I':
      column.values.emplace<std::vector<std::int64_t>>().reserve(n);
      break;
    case 'L':
      column.values.emplace<std::vector<std::uint8_t>>().reserve(n);
      break;
    case 'S':
      column.values.emplace<std::vector<std::string>>().reserve(n);
      break;
    default:
      column.values.emplace<std::vector<double>>().reserve(n);
  }
  return column;
}

/// Appends one field to a column of the given type.
void append_value(Column& column, const PropertyColumn& property, std::string_view field,
                  const std::string& place) {
  if (auto* text = std::get_if<std::vector<std::string>>(&column.values)) {
    text->emplace_back(field);
  } else if (auto* integers = std::get_if<std::vector<std::int64_t>>(&column.values)) {
    const auto value = to_integer(field);
    if (!value) throw InputError(place, fmt::format("'{}' for {}", field, property.name), "an integer");
    integers->push_back(*value);
  } else if (auto* logicals = std::get_if<std::vector<std::uint8_t>>(&column.values)) {
    const auto value = to_logical(field);
    if (!value) throw InputError(place, fmt::format("'{}' for {}", field, property.name), "T or F");
    logicals->push_back(*value ? 1 : 0);
  } else {
    // Undefined entries (nan) of a column beyond the positions are kept: ASE and OVITO read them too.
    const auto value = to_real(field);
    if (!value) throw InputError(place, fmt::format("'{}' for {}", field, property.name), "a number");
    if (property.name == "occupancy") check_occupancy(*value, place);
    std::get<std::vector<double>>(column.values).push_back(*value);
  }
}

/// Which of the columns tells the species: species (or element), else the atomic number Z (or numbers).
std::size_t find_species_column(const std::vector<PropertyColumn>& columns, const std::string& place) {
  for (const char* name : {"species", "element", "symbols", "z", "numbers"})
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (columns[i].name == name && columns[i].width == 1 && columns[i].type != 'R' &&
          columns[i].type != 'L')
        return i;
  throw InputError(place, "Properties without the species of the atoms", "a column species:S:1 or Z:I:1");
}

std::size_t find_position_column(const std::vector<PropertyColumn>& columns, const std::string& place) {
  for (std::size_t i = 0; i < columns.size(); ++i)
    if ((columns[i].name == "pos" || columns[i].name == "positions") && columns[i].type == 'R' &&
        columns[i].width == 3)
      return i;
  throw InputError(place, "Properties without positions", "a column pos:R:3");
}

/// The atoms of one extxyz frame whose first atom stands at lines[first].
void read_atoms(const Lines& lines, std::size_t first, std::size_t atoms, const ExtxyzHeader& header,
                const std::string& file, Structure& out) {
  const std::string header_place = line_place(file, first);
  const std::size_t species = find_species_column(header.columns, header_place);
  const std::size_t position = find_position_column(header.columns, header_place);
  std::vector<Column> columns;
  std::size_t fields_expected = 0;
  for (const PropertyColumn& c : header.columns) {
    columns.push_back(empty_column(c, atoms));
    fields_expected += c.width;
  }
  for (std::size_t a = 0; a < atoms; ++a) {
    const std::string place = line_place(file, first + a + 1);
    const auto fields = split_fields(lines[first + a]);
    if (fields.size() != fields_expected)
      throw InputError(place, fmt::format("{} values", fields.size()),
                       fmt::format("{}, as Properties says", fields_expected));
    std::size_t at = 0;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (c == species) {
        out.atomic_number.push_back(element_from_text(fields[at], place));
      } else if (c == position) {
        Vec3 r;
        for (int k = 0; k < 3; ++k)
          r[k] = finite_number(fields[at + static_cast<std::size_t>(k)], "pos", place);
        out.position.push_back(r);
      } else {
        for (std::size_t k = 0; k < header.columns[c].width; ++k)
          append_value(columns[c], header.columns[c], fields[at + k], place);
      }
      at += header.columns[c].width;
    }
  }
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (c != species && c != position) out.columns[header.columns[c].name] = std::move(columns[c]);
}

/// Plain XYZ: symbol x y z; what stands behind is not kept, since nothing says what it is.
void read_plain_atoms(const Lines& lines, std::size_t first, std::size_t atoms, const std::string& file,
                      Structure& out) {
  bool more = false;
  for (std::size_t a = 0; a < atoms; ++a) {
    const std::string place = line_place(file, first + a + 1);
    const auto fields = split_fields(lines[first + a]);
    if (fields.size() < 4)
      throw InputError(place, fmt::format("{} values", fields.size()), "a species and three coordinates");
    more |= fields.size() > 4;
    out.atomic_number.push_back(element_from_text(fields[0], place));
    out.position.emplace_back(finite_number(fields[1], "x", place), finite_number(fields[2], "y", place),
                              finite_number(fields[3], "z", place));
  }
  if (more) log::warn("{}: columns beyond the coordinates are not named by the file and not used", file);
}

/// Reads the frame that starts at lines[at] (its count) and moves `at` behind it.
Structure read_frame(const Lines& lines, std::size_t& at, const std::string& file) {
  const std::string count_place = line_place(file, at + 1);
  const auto count = to_integer(trimmed(lines[at]));
  if (!count || *count < 0)
    throw InputError(count_place, fmt::format("'{}'", trimmed(lines[at]).substr(0, 40)),
                     "the number of atoms");
  const std::size_t present = lines.size() - std::min(lines.size(), at + 2);
  std::size_t filled = 0;
  while (filled < present && static_cast<std::int64_t>(filled) < *count &&
         !trimmed(lines[at + 2 + filled]).empty())
    ++filled;
  if (static_cast<std::int64_t>(filled) < *count)
    throw InputError(line_place(file, at + 2 + filled + 1), fmt::format("the atoms end after {}", filled),
                     fmt::format("{}, as line {} says", *count, at + 1));

  Structure out;
  const std::string_view comment = at + 1 < lines.size() ? lines[at + 1] : std::string_view{};
  const std::size_t first = at + 2;
  if (is_extxyz_header(comment)) {
    const ExtxyzHeader header = parse_extxyz_header(comment, line_place(file, at + 2));
    out.cell = header.cell;
    out.comments = header.comments;
    read_atoms(lines, first, filled, header, file, out);
  } else {
    if (!trimmed(comment).empty()) out.comments["comment"] = trimmed(comment);
    read_plain_atoms(lines, first, filled, file, out);
  }
  at = first + filled;
  while (at < lines.size() && trimmed(lines[at]).empty()) ++at;
  if (at < lines.size() && !to_integer(trimmed(lines[at])))
    throw InputError(line_place(file, at + 1), fmt::format("more lines than the {} atoms announced", *count),
                     "the end of the file, or the count of a further frame");
  return out;
}

bool three_numbers(std::string_view line) {
  const auto fields = split_fields(line);
  return fields.size() == 3 &&
         std::all_of(fields.begin(), fields.end(), [](auto f) { return to_real(f).has_value(); });
}

/// Prismatic's XYZ: comment, cell lengths, then Z x y z occupancy u in each line, closed by -1.
bool looks_like_prismatic(const Lines& lines) {
  return lines.size() >= 3 && three_numbers(lines[1]) && split_fields(lines[2]).size() != 4 &&
         (split_fields(lines[2]).size() == 6 || trimmed(lines[2]) == "-1");
}

Structure read_prismatic(const Lines& lines, const std::string& file) {
  Structure out;
  if (!trimmed(lines[0]).empty()) out.comments["comment"] = trimmed(lines[0]);
  const auto lengths = split_fields(lines[1]);
  Cell cell;
  cell.periodic = {true, true, true};
  for (int k = 0; k < 3; ++k) {
    cell.vectors(k, k) = finite_number(lengths[static_cast<std::size_t>(k)], "the cell", line_place(file, 2));
    if (!(cell.vectors(k, k) > 0))
      throw InputError(line_place(file, 2), fmt::format("cell length {}", cell.vectors(k, k)),
                       "a length above 0 Å");
  }
  out.cell = cell;
  std::vector<double> occupancy, u;
  for (std::size_t i = 2; i < lines.size(); ++i) {
    const std::string place = line_place(file, i + 1);
    const auto fields = split_fields(lines[i]);
    if (fields.size() == 1 && fields[0] == "-1") {
      out.columns["occupancy"] = Column{occupancy, 1};
      out.columns["u"] = Column{u, 1};
      return out;
    }
    const auto z = fields.size() == 6 ? to_integer(fields[0]) : std::nullopt;
    if (!z)
      throw InputError(place, fmt::format("'{}'", lines[i].substr(0, 60)),
                       "Z x y z occupancy u, or -1 at the end");
    out.atomic_number.push_back(element_from_number(*z, place));
    out.position.emplace_back(finite_number(fields[1], "x", place), finite_number(fields[2], "y", place),
                              finite_number(fields[3], "z", place));
    occupancy.push_back(finite_number(fields[4], "occupancy", place));
    check_occupancy(occupancy.back(), place);
    u.push_back(finite_number(fields[5], "u", place));
  }
  throw InputError(line_place(file, lines.size()), "the end of the file",
                   "a last line -1 (Prismatic's XYZ): is the file complete?");
}

/// Frames of a file, at most `most` of them; `more` tells whether others follow.
std::vector<Structure> read_frames(const std::string& path, std::size_t most, bool& more) {
  const std::string text = read_text_file(path);
  const Lines lines = split_lines(text);
  more = false;
  if (trimmed(text).empty() || lines.empty())
    throw InputError(path, "the file is empty", "atoms in XYZ format");
  if (text.find('\0') != std::string::npos) throw InputError(path, "not a text file", "atoms in XYZ format");
  if (looks_like_prismatic(lines)) {
    std::vector<Structure> one;
    one.push_back(read_prismatic(lines, path));
    return one;
  }
  std::vector<Structure> frames;
  std::size_t at = 0;
  while (at < lines.size() && frames.size() < most) frames.push_back(read_frame(lines, at, path));
  more = at < lines.size();
  return frames;
}

}  // namespace

Structure read_structure(const std::string& path) {
  bool more = false;
  std::vector<Structure> frames = read_frames(path, 1, more);
  if (more) log::warn("{}: has several frames; the first is used", path);
  return std::move(frames.front());
}

std::vector<Structure> read_structure_frames(const std::string& path) {
  bool more = false;
  return read_frames(path, static_cast<std::size_t>(-1), more);
}

namespace {

/// Text of a column must be one word: blanks become underscores, nothing becomes a dash.
std::string one_word(const std::string& text) {
  std::string word = text.empty() ? "-" : text;
  for (char& c : word)
    if (std::isspace(static_cast<unsigned char>(c))) c = '_';
  return word;
}

char type_letter(const Column& column) {
  return "RILS"[column.values.index()];
}

void append_fields(fmt::memory_buffer& out, const Column& column, std::size_t atom) {
  const auto to = fmt::appender(out);
  for (std::size_t i = atom * column.width; i < (atom + 1) * column.width; ++i) {
    if (const auto* real = std::get_if<std::vector<double>>(&column.values))
      fmt::format_to(to, " {}", (*real)[i] + 0.0);
    else if (const auto* integer = std::get_if<std::vector<std::int64_t>>(&column.values))
      fmt::format_to(to, " {}", (*integer)[i]);
    else if (const auto* logical = std::get_if<std::vector<std::uint8_t>>(&column.values))
      fmt::format_to(to, " {}", (*logical)[i] ? 'T' : 'F');
    else
      fmt::format_to(to, " {}", one_word(std::get<std::vector<std::string>>(column.values)[i]));
  }
}

std::size_t value_count(const Column& column) {
  return std::visit([](const auto& values) { return values.size(); }, column.values);
}

}  // namespace

void write_extxyz(const std::filesystem::path& path, const Structure& structure) {
  ExtxyzHeader header;
  header.cell = structure.cell;
  header.comments = structure.comments;
  header.columns = {{"species", 'S', 1}, {"pos", 'R', 3}};
  if (structure.atomic_number.size() != structure.size())
    throw std::invalid_argument("a structure with unequal numbers of species and positions");
  for (const auto& [name, column] : structure.columns) {
    if (column.width == 0 || value_count(column) != structure.size() * column.width)
      throw std::invalid_argument("column '" + name + "' does not have one entry per atom");
    header.columns.push_back({lower_case(name), type_letter(column), column.width});
  }

  fmt::memory_buffer out;
  const auto to = fmt::appender(out);
  fmt::format_to(to, "{}\n{}\n", structure.size(), format_extxyz_header(header));
  for (std::size_t a = 0; a < structure.size(); ++a) {
    const Vec3& r = structure.position[a];
    if (!r.allFinite()) throw std::invalid_argument(fmt::format("the position of atom {} is not finite", a));
    // Adding zero turns -0 into 0. The shortest text that reads back as the same number is fmt's default.
    fmt::format_to(to, "{} {} {} {}", element_symbol(structure.atomic_number[a]), r.x() + 0.0, r.y() + 0.0,
                   r.z() + 0.0);
    for (const auto& entry : structure.columns) append_fields(out, entry.second, a);
    out.push_back('\n');
  }
  write_file_atomically(path, std::string_view(out.data(), out.size()));
}

void write_extxyz(const RunContext& context, const std::filesystem::path& path, Structure structure) {
  structure.comments["aetos_version"] = kVersion;
  structure.comments["seed"] = std::to_string(context.seed);
  structure.comments["fingerprint"] = context.fingerprint;
  structure.comments["config"] = kResolvedConfig;
  write_extxyz(path, structure);
}

}  // namespace aetos::io
