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

}  // namespace
}  // namespace aetos::pipeline::report
