#include <gtest/gtest.h>
#include <png.h>
#include <unistd.h>

#include <cstdlib>
#include <set>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/pipeline/report.hpp"
#include "report_fake_run.hpp"

namespace aetos {
namespace {

namespace fs = std::filesystem;

class Report : public ::testing::Test {
 protected:
  fs::path folder =
      fs::temp_directory_path() / ("aetos report " + std::to_string(getpid()) + " " +
                                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override {
    if (std::getenv("AETOS_KEEP_REPORT") == nullptr) fs::remove_all(folder);
  }
  std::string write_and_read() const {
    pipeline::write_report(folder);
    return io::read_text_file((folder / "report.html").string());
  }
};

/// Every element is closed in order, and every attribute quoted; returns what is wrong, or nothing.
std::string markup_error(const std::string& html) {
  const std::set<std::string> empty_elements{"meta", "img", "!DOCTYPE"};
  std::vector<std::string> open;
  for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at)) {
    const std::size_t end = html.find('>', at);
    if (end == std::string::npos) return "a tag without end";
    const std::string tag = html.substr(at + 1, end - at - 1);
    at = end;
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return "</" + tag.substr(1) + "> closes nothing";
      open.pop_back();
      continue;
    }
    if (std::count(tag.begin(), tag.end(), '"') % 2 != 0)
      return "quotes do not match in <" + tag.substr(0, 80);
    const std::string name = tag.substr(0, tag.find_first_of(" /\n"));
    if (tag.back() != '/' && !empty_elements.contains(name)) open.push_back(name);
  }
  return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

void expect_self_contained(const std::string& html) {
  for (const char* word : {"http:", "https:", "src=\"//", "<script", "<link", "@import", "url("})
    EXPECT_EQ(html.find(word), std::string::npos) << word;
  for (const char* attribute : {"src=\"", "href=\""})
    for (std::size_t at = html.find(attribute); at != std::string::npos; at = html.find(attribute, at + 1))
      EXPECT_EQ(html.compare(at + std::string(attribute).size(), 15, "data:image/png;"), 0);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(Report, HoldsEveryPartOfAWholeRun) {
  test::write_fake_run(folder, "zr <1> & \"friends\"");
  const auto html = write_and_read();
  EXPECT_EQ(markup_error(html), "");
  expect_self_contained(html);
  EXPECT_LT(html.size(), 5U << 20U);
  for (const char* part :
       {"zr &lt;1&gt; &amp; &quot;friends&quot;", "id=\"tilts\"", "id=\"volume\"", "id=\"atoms\"",
        "id=\"comparison\"", "id=\"performance\"", "id=\"warnings\"", "id=\"settings\"", "−70°", "Identified",
        "mean R-factor", "65.6 mrad", "&lt;b&gt;only in the log"})
    EXPECT_TRUE(contains(html, part)) << part;
  EXPECT_FALSE(contains(html, "could not be made"));
  EXPECT_FALSE(contains(html, "nan"));
}

TEST_F(Report, LeavesOutWhatDidNotRun) {
  test::write_fake_volume(folder, test::fake_particle());
  const auto html = write_and_read();
  EXPECT_EQ(markup_error(html), "");
  EXPECT_TRUE(contains(html, "id=\"volume\""));
  for (const char* part :
       {"id=\"tilts\"", "id=\"atoms\"", "id=\"comparison\"", "id=\"warnings\"", "class=\"headlines\""})
    EXPECT_FALSE(contains(html, part)) << part;
}

TEST_F(Report, ShowsUndefinedNumbersAsADash) {
  test::write_text(folder / "summary.json",
                   R"({"trace": {"atoms": 0, "by_species": {}, "wall_s": 1.0, "cpu_s": 1.0},
    "compare": {"identified_fraction": 0, "rmsd_pm": null, "reference_atoms": 5, "matched": 0}})");
  const auto html = write_and_read();
  EXPECT_EQ(markup_error(html), "");
  EXPECT_TRUE(contains(html, "<dt>RMSD</dt><dd><span class=\"big\">–</span>"));
  EXPECT_FALSE(contains(html, "null"));
}

TEST_F(Report, AFileThatCannotBeReadCostsItsPartAlone) {
  test::write_fake_volume(folder, test::fake_particle());
  test::write_text(folder / "tilt_series.h5", "not HDF5");
  const auto html = write_and_read();
  EXPECT_TRUE(contains(html, "This part could not be made"));
  EXPECT_TRUE(contains(html, "id=\"volume\""));
}

TEST_F(Report, RefusesAFolderWithoutARun) {
  EXPECT_THROW(pipeline::write_report(folder), InputError);
  EXPECT_THROW(pipeline::write_report(folder / "absent"), InputError);
  EXPECT_FALSE(fs::exists(folder / "report.html"));
}

/// Colours of a screenshot, and how many pixels differ from its first one.
struct Seen {
  std::size_t colours = 0, pixels = 0, drawn = 0;
};

Seen look_at(const fs::path& file) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_file(&image, file.c_str()) == 0) return {};
  image.format = PNG_FORMAT_RGB;
  std::vector<unsigned char> rgb(PNG_IMAGE_SIZE(image));
  if (png_image_finish_read(&image, nullptr, rgb.data(), 0, nullptr) == 0) return {};
  std::set<std::uint32_t> colours;
  Seen seen;
  const auto colour = [&](std::size_t i) {
    return static_cast<std::uint32_t>(rgb[i] << 16 | rgb[i + 1] << 8 | rgb[i + 2]);
  };
  for (std::size_t i = 0; i < rgb.size(); i += 3) {
    colours.insert(colour(i));
    ++seen.pixels;
    if (colour(i) != colour(0)) ++seen.drawn;
  }
  seen.colours = colours.size();
  return seen;
}

TEST_F(Report, IsDrawnByABrowser) {
  if (std::system("command -v chromium >/dev/null 2>&1") != 0) GTEST_SKIP() << "chromium is not installed";
  test::write_fake_run(folder, "A whole run");
  pipeline::write_report(folder);
  const auto picture = folder / "screen.png", profile = folder / "profile";
  const auto quoted = [](const fs::path& p) { return "'" + p.string() + "'"; };
  const std::string command =
      "timeout 90 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage "
      "--hide-scrollbars --window-size=1200,2400 --user-data-dir=" +
      quoted(profile) + " --screenshot=" + quoted(picture) + " " + quoted(folder / "report.html") +
      " >/dev/null 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto seen = look_at(picture);
  ASSERT_EQ(seen.pixels, 1200U * 2400U);
  // Headings, curves and 21 grey pictures: far from blank, and far from full.
  EXPECT_GT(seen.colours, 100U);
  EXPECT_GT(seen.drawn, seen.pixels / 20);
  EXPECT_LT(seen.drawn, seen.pixels * 9 / 10);
}

}  // namespace
}  // namespace aetos
