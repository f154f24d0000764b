#include <gtest/gtest.h>

#include <fstream>

#include "aetos/pipeline/report_sections.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::pipeline::report {
namespace {

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(ReportMeasures, AreEmptyWithoutResults) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(measures_part({.folder = folder.path()}, nlohmann::json::object()), "");
}

TEST(ReportMeasures, ShowBoundariesLayersAndIntensities) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "slices.csv")
      << "atom,layer,x_A,y_A,oxidation,phase\n"
         "0,-1,0.0,1.0,0.5,metal\n1,0,3.0,0.0,1.0,c-ZrO2\n2,0,0.0,0.0,,other\n";
  std::ofstream(folder / "intensity.csv")
      << "kind,phase,x_A,y_A,z_A,intensity\n"
         "atom,metal,0,0,0,10\natom,metal,3,0,0,12\noxygen,metal,1,1,1,1\n";
  const auto analysis = nlohmann::json::parse(R"({
    "interfaces": {"by_phase": {"metal": {"at_interface": {"atoms": 7, "mean_coordination": 9.5}}},
                   "grains": [{"phase": "metal"}, {"phase": "c-ZrO2"}],
                   "boundaries": [{"grains": [0, 1], "bend_deg": 11.04, "twist_deg": null}, {"grains": [0, 9]}]},
    "slices": {"layer_A": 5.3, "layers": [{"z_A": -5.3, "mean_oxidation": 0.5}, {"z_A": 0, "mean_oxidation": 1}]},
    "intensity": {"by_phase": {"metal": {"atom": {"mean": 11}, "oxygen_sites": {"traceable": false}}}}})");
  const auto html = measures_part({.folder = folder.path()}, analysis);
  EXPECT_NE(html.find("0 metal – 1 c-ZrO2"), std::string::npos);
  EXPECT_NE(html.find("11.0"), std::string::npos);
  EXPECT_EQ(count(html, "<circle class=\"bar-data\""), 2u);
  EXPECT_EQ(count(html, "<circle class=\"axis\""), 1u);  // no degree
  EXPECT_NE(html.find("Oxidation along z"), std::string::npos);
  EXPECT_NE(html.find("Intensity of atoms"), std::string::npos);
  EXPECT_EQ(html.find("nan"), std::string::npos);
}

TEST(ReportMeasures, ShowDislocationsAndShortRangeOrder) {
  const auto analysis = nlohmann::json::parse(R"({
    "dislocations": {"number": 2, "length_A": 61.25, "lines": [
      {"phases": ["metal", "metal"], "burgers_cube": [0.5, -0.5, 0], "burgers_A": 3.203, "length_A": 40.1,
       "character_deg": 89.6, "place_A": [1, -2.04, 0]},
      {"phases": ["metal", "c-ZrO2"], "burgers_cube": [1, 0, 0], "burgers_A": 5.09}]},
    "sro": {"warren_cowley": {"Co-Co": 0.12, "Co-Pd": -0.3, "Pd-Pd": null}}})");
  const auto html = order_part(analysis);
  EXPECT_NE(html.find("½[1 −1 0]"), std::string::npos) << html;
  EXPECT_NE(html.find("[1 0 0]"), std::string::npos);
  EXPECT_NE(html.find("metal – c-ZrO2"), std::string::npos);
  EXPECT_NE(html.find("1.0, −2.0, 0.0"), std::string::npos);
  EXPECT_EQ(count(html, "<rect class=\"bar-data\""), 2u);  // no bar without a number
  EXPECT_EQ(order_part(nlohmann::json::object()), "");
}

TEST(ReportMeasures, SlabsAndProfilesNeedTheirFiles) {
  const test::TemporaryFolder folder;
  const auto sections = nlohmann::json::parse(R"({"sections": [{"normal": [0, 0, 1], "width_A": 10}]})");
  EXPECT_EQ(slabs_part({.folder = folder.path()}, sections), "");
  std::ofstream(folder / "profiles.csv")
      << "profile,distance_A,x_A,y_A,intensity\n0,0,0,0,1\n0,1,1,0,\n0,2,2,0,3\n";
  const auto profiles = nlohmann::json::parse(
      R"({"profiles": [{"signal": "adf_noisy", "projection": 4, "from_A": [0, 0], "to_A": [2, 0]}]})");
  const auto html = profiles_part({.folder = folder.path()}, profiles);
  EXPECT_NE(html.find("From (0.0, 0.0) to (2.0, 0.0) Å"), std::string::npos) << html;
  EXPECT_NE(html.find("adf_noisy of projection 4"), std::string::npos);
  EXPECT_EQ(html.find("nan"), std::string::npos);
}

}  // namespace
}  // namespace aetos::pipeline::report
