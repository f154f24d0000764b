#include <gtest/gtest.h>
#include <png.h>

#include <set>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/pipeline/report.hpp"
#include "aetos/pipeline/xdmf.hpp"
#include "report_fake_run.hpp"
#include "report_fixture.hpp"

namespace aetos {
namespace {

/// Every element is closed in order, and every attribute quoted; returns what is wrong, or nothing.
std::string markup_error(std::string html) {
  // What stands in a script is not markup.
  for (std::size_t at = 0; (at = html.find("<script>", at)) != std::string::npos; at += 8)
    html.erase(at + 8, html.find("</script>", at) - at - 8);
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
  for (const char* word : {"http:", "https:", "src=\"//", "<script ", "<link", "@import", "url("})
    EXPECT_EQ(html.find(word), std::string::npos) << word;
  for (const char* attribute : {"src=\"", "href=\""})
    for (std::size_t at = html.find(attribute); at != std::string::npos; at = html.find(attribute, at + 1)) {
      const std::size_t from = at + std::string(attribute).size();
      // Pictures are in the page; links lead to files beside it.
      const bool beside =
          attribute[0] == 'h' &&
          html.substr(from, html.find('"', from) - from).find_first_of(":/") == std::string::npos;
      EXPECT_TRUE(beside || html.compare(from, 15, "data:image/png;") == 0) << html.substr(from, 40);
    }
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
        "mean R-factor", "65.6 mrad", "seen along y", "x–z at y = 0", "&lt;b&gt;only in the log"})
    EXPECT_TRUE(contains(html, part)) << part;
  EXPECT_TRUE(contains(html, "<a href=\"displacements.csv\">displacements.csv</a>") ||
              !fs::exists(folder / "displacements.csv"));
  EXPECT_TRUE(contains(html, "<a href=\"volume.h5\">"));
  EXPECT_FALSE(contains(html, "could not be made"));
  for (const char* undefined : {">nan", " nan", "\"nan"}) EXPECT_FALSE(contains(html, undefined));
}

TEST_F(Report, StatesTheErrorBudget) {
  test::write_fake_run(folder, "A whole run");
  const auto html = write_and_read();
  EXPECT_NE(html.find("Error budget of the simulation"), std::string::npos);
  for (const char* percent : {"0.41", "1.80", "17.00", "–", "17.10", "256 sample probes", "0.025 Å"})
    EXPECT_NE(html.find(percent), std::string::npos) << percent;
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
  std::uint32_t paper = 0;  ///< the first pixel's colour
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
  seen.paper = colour(0);
  return seen;
}

TEST_F(Report, XdmfNamesTheVolumeAndHoldsTheAtoms) {
  EXPECT_FALSE(pipeline::write_xdmf(folder));
  EXPECT_FALSE(fs::exists(folder / "run.xdmf"));
  const auto particle = test::fake_particle();
  test::write_fake_volume(folder, particle);
  io::write_extxyz(folder / "atoms.extxyz", particle);
  ASSERT_TRUE(pipeline::write_xdmf(folder));
  const auto xml = io::read_text_file((folder / "run.xdmf").string());
  EXPECT_TRUE(contains(xml, "Dimensions=\"96 96 96\">volume.h5:/data/volume/data<"));
  EXPECT_TRUE(contains(xml, ">-24 -24 -24<"));
  EXPECT_TRUE(contains(xml, ">0.5 0.5 0.5<"));
  EXPECT_TRUE(contains(xml, "NumberOfElements=\"" + std::to_string(particle.size()) + "\""));
  EXPECT_EQ(markup_error(xml.substr(xml.find("<Xdmf"))), "");
}

TEST_F(Report, IsDrawnByABrowserInLightAndDark) {
  if (no_browser()) GTEST_SKIP() << "chromium is not installed";
  test::write_fake_run(folder, "A whole run");
  pipeline::write_report(folder);
  std::set<std::uint32_t> papers;
  for (const int colours : {0, 1}) {
    const auto picture = folder / "screen.png";
    ASSERT_EQ(browse(folder,
                     "--window-size=1200,2400 --screenshot=" + quoted(picture) + " " +
                         quoted(folder / "report.html") + " >/dev/null",
                     colours),
              0);
    const auto seen = look_at(picture);
    ASSERT_EQ(seen.pixels, 1200U * 2400U);
    // Headings, curves and grey pictures: far from blank, and far from full.
    EXPECT_GT(seen.colours, 100U);
    EXPECT_GT(seen.drawn, seen.pixels / 20);
    EXPECT_LT(seen.drawn, seen.pixels * 9 / 10);
    papers.insert(seen.paper);
  }
  EXPECT_EQ(papers.size(), 2U) << "light and dark have the same paper";
}

TEST_F(Report, FitsAPhoneAndDrawsItsAtoms) {
  if (no_browser()) GTEST_SKIP() << "chromium is not installed";
  test::write_fake_run(folder, "A whole run");
  auto html = write_and_read();
  // A phone is a frame of 390 pixels; what the page finds out about itself comes back in its title.
  html.insert(html.rfind("</body>"),
              "<script>onload = function () { parent.document.title = document.documentElement.scrollWidth + "
              "' wide, ' + "
              "(view3d.dataset.drawn || (view3d.querySelector('.no-view').hidden ? 'broken' : 'no WebGL')); "
              "};</script>");
  test::write_text(folder / "phone.html", html);
  test::write_text(
      folder / "frame.html",
      "<title></title><iframe src=\"phone.html\" style=\"width:390px;height:844px;border:0\"></iframe>");
  ASSERT_EQ(browse(folder,
                   "--allow-file-access-from-files --virtual-time-budget=5000 --dump-dom " +
                       quoted(folder / "frame.html") + " >" + quoted(folder / "dom.html"),
                   1),
            0);
  const auto title = io::read_text_file((folder / "dom.html").string());
  EXPECT_TRUE(contains(title, "<title>390 wide, ")) << title.substr(0, 300);
  const auto atoms = std::to_string(test::fake_traced(test::fake_particle()).size());
  EXPECT_TRUE(contains(title, ", " + atoms + "</title>") || contains(title, ", no WebGL</title>"))
      << title.substr(0, 300);
}

}  // namespace
}  // namespace aetos
