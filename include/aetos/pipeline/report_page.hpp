#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Building blocks of the report's page: text, numbers and tables as HTML. Everything that comes from a file
/// passes through `escape`.
namespace aetos::pipeline::report {

/// Text for the inside of an element or a quoted attribute.
std::string escape(std::string_view text);

/// A number at `key` of a JSON object; nothing if the key is absent, null, or no number.
std::optional<double> number(const nlohmann::json& object, const std::string& key);
/// The object or list at `key`; an empty one if there is none.
const nlohmann::json& at(const nlohmann::json& object, const std::string& key);
const nlohmann::json& list_at(const nlohmann::json& object, const std::string& key);
/// Text at `key`, or empty.
std::string text(const nlohmann::json& object, const std::string& key);

/// The numbers of a column of a CSV with a head line; cells without one are left out, an unknown column is
/// empty.
std::vector<double> csv_column(const std::string& csv, const std::string& name);

/// Rows of cells of a CSV, without its head line.
std::vector<std::vector<std::string>> csv_rows(const std::string& csv);

/// Fixed decimals with thousands separated; a dash for nothing.
std::string format(std::optional<double> value, int decimals = 0);
/// Three or so significant digits, for axes and captions: "0.05", "12", "3.4e+06".
std::string format_short(double value);
/// "59.4 %" of a fraction.
std::string format_percent(std::optional<double> fraction);
/// "1.4 MiB".
std::string format_bytes(double bytes);

/// A titled part of the page.
std::string section(const std::string& id, const std::string& title, const std::string& body);
/// A picture or plot with its caption. All arguments but `caption` and `title` are HTML already.
std::string figure(const std::string& title, const std::string& content, const std::string& caption);
/// Figures side by side where the screen is wide enough; `columns` at most.
std::string row(const std::vector<std::string>& figures, int columns);
/// A table of text cells (escaped here); the first column is left aligned, numbers right.
std::string table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);
std::string paragraph(const std::string& html);
/// Text that the reader can unfold.
std::string folded(const std::string& title, const std::string& preformatted);

/// One big number of the header.
struct Headline {
  std::string value, unit, label, detail;
};
std::string headlines(const std::vector<Headline>& items);

/// The whole page around its sections.
std::string page(const std::string& title, const std::string& subtitle, const std::string& body);
/// The style sheet (report_style.cpp).
extern const char* const kStyle;
/// JavaScript: functions for views that can be turned (report_turning.cpp), and the isosurface
/// (report_surface_script.cpp).
extern const char* const kTurningScript;
extern const char* const kSurfaceScript;
/// What a view says where the browser has no WebGL.
inline constexpr const char* kNoView =
    "<p class=\"no-view\" hidden=\"hidden\">This browser does not draw in three dimensions (WebGL).</p>\n";

}  // namespace aetos::pipeline::report
