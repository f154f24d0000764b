#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Small pieces that every reader of text files uses. Views point into the text that was passed in.
namespace aetos::io {

/// Lines without their ends (LF or CRLF); a byte order mark at the start is dropped; a last line without an
/// end counts.
std::vector<std::string_view> split_lines(std::string_view text);
/// The parts between blanks and tabs.
std::vector<std::string_view> split_fields(std::string_view line);
std::string_view trimmed(std::string_view text);
std::string lower_case(std::string_view text);

/// The whole field as a real number: decimal point, exponent written e, E, d or D. Empty if it is anything
/// else; nan and inf are returned as such.
std::optional<double> to_real(std::string_view field);
/// The whole field as a decimal integer.
std::optional<std::int64_t> to_integer(std::string_view field);
/// T, F, true, false in any case, 1, 0.
std::optional<bool> to_logical(std::string_view field);

/// "file:line", for messages. Lines count from 1.
std::string line_place(const std::string& file, std::size_t line);

}  // namespace aetos::io
