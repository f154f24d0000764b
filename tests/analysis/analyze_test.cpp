#include "aetos/analysis/analyze.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <cmath>
#include <fstream>
#include <sstream>

#include "aetos/core/error.hpp"
#include "aetos/io/structure_files.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"
#include "support/zirconium.hpp"

namespace aetos::analysis {
namespace {

/// The measures that need nothing but the atoms' places.
std::vector<std::string> of_the_model() {
  auto names = known_measures();
  for (const char* other : {"sigma", "intensity", "columns", "sections", "profiles"})
    std::erase(names, other);
  return names;
}

class Analyze : public ::testing::Test {
 protected:
  nlohmann::json run(const Structure& atoms, const std::vector<std::string>& measures = of_the_model()) {
    const RunContext context{comm_, stop_, folder_.path(), folder_.path(), "fingerprint", "", 1, 60};
    return analyze(context, {.atoms = atoms, .measures = measures, .cutoff_A = cutoff_A_}, folder_.path());
  }
  std::string file(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_ / name).rdbuf();
    return text.str();
  }
  Communicator comm_{MPI_COMM_SELF};
  Stop stop_;
  test::TemporaryFolder folder_;
  Auto<double> cutoff_A_;
};

/// n x n x n cubic cells of FCC.
std::vector<Vec3> fcc(int n, double a) {
  std::vector<Vec3> places;
  for (int x = 0; x < 2 * n; ++x)
    for (int y = 0; y < 2 * n; ++y)
      for (int z = 0; z < 2 * n; ++z)
        if ((x + y + z) % 2 == 0) places.push_back(0.5 * a * Vec3(x, y, z));
  return places;
}

TEST_F(Analyze, an_unknown_measure_is_an_input_error_that_names_those_there_are) {
  try {
    run(test::zirconium_at(fcc(2, 4.53)), {"bonds", "coordinatoin"});
    FAIL() << "no error";
  } catch (const InputError& e) {
    EXPECT_EQ(e.place(), "analyze.measures");
    EXPECT_NE(std::string(e.what()).find("coordinatoin"), std::string::npos);
    for (const auto& name : known_measures())
      EXPECT_NE(std::string(e.what()).find(name), std::string::npos) << name;
  }
  cutoff_A_ = -1;
  EXPECT_THROW(run(test::zirconium_at(fcc(2, 4.53))), InputError);
}

TEST_F(Analyze, a_block_of_fcc) {
  const auto s = run(test::zirconium_at(fcc(4, 4.53)));
  EXPECT_NEAR(s["bonds"]["first_peak_A"].get<double>(), 4.53 / std::sqrt(2.0), 0.05);
  EXPECT_GT(s["bonds"]["cutoff_A"].get<double>(), 3.4);
  EXPECT_LT(s["bonds"]["cutoff_A"].get<double>(), 4.5);
  EXPECT_NEAR(s["bonds"]["mean_length_A"].get<double>(), 4.53 / std::sqrt(2.0), 1e-9);
  EXPECT_EQ(s["coordination"]["mean_inside"], 12.0);
  EXPECT_LT(s["coordination"]["mean_at_surface"].get<double>(), 9.5);
  EXPECT_EQ(s["coordination"]["surface_atoms"].get<std::size_t>(), 256u - 108u);
  const auto atoms = io::read_structure((folder_ / "atoms-analyzed.extxyz").string());
  EXPECT_EQ(atoms.size(), 256u);
  EXPECT_TRUE(atoms.columns.contains("coordination"));
  EXPECT_TRUE(atoms.columns.contains("order"));
}

TEST_F(Analyze, few_atoms_planes_lines_and_duplicates_are_no_trouble) {
  const std::vector<std::vector<Vec3>> cases{
      {},
      {Vec3(1, 2, 3)},
      {Vec3(0, 0, 0), Vec3(3, 0, 0), Vec3(0, 3, 0)},
      {Vec3(0, 0, 0), Vec3(3, 0, 0), Vec3(0, 3, 0), Vec3(3, 3, 0), Vec3(6, 3, 0)},
      {Vec3(0, 0, 0), Vec3(3, 0, 0), Vec3(6, 0, 0), Vec3(9, 0, 0)},
      {Vec3(0, 0, 0), Vec3(0, 0, 0), Vec3(0, 0, 0), Vec3(0, 0, 0)},
      {Vec3(0, 0, 0), Vec3(500, 0, 0), Vec3(0, 500, 0), Vec3(0, 0, 500)}};
  for (const auto& places : cases) {
    const auto s = run(test::zirconium_at(places));
    auto written = nlohmann::json::parse(file("analysis.json"));
    EXPECT_EQ(written.at("made_by").at("seed"), 1);
    written.erase("made_by");
    EXPECT_EQ(written, s);
    EXPECT_EQ(s["bonds"]["atoms"].get<std::size_t>(), places.size());
  }
  auto doubled = fcc(2, 4.53);
  doubled.push_back(doubled[5]);
  const auto s = run(test::zirconium_at(doubled));
  EXPECT_NEAR(s["bonds"]["first_peak_A"].get<double>(), 4.53 / std::sqrt(2.0), 0.05);
}

TEST_F(Analyze, an_isolated_atom_has_no_neighbours_and_no_nan) {
  auto places = fcc(3, 4.53);
  places.push_back(Vec3(200, 0, 0));
  run(test::zirconium_at(places));
  const auto atoms = io::read_structure((folder_ / "atoms-analyzed.extxyz").string());
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(atoms.columns.at("coordination").values).back(), 0);
  EXPECT_EQ(std::get<std::vector<double>>(atoms.columns.at("order").values).back(), 0);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    const std::string text = file(entry.path().filename().string());
    EXPECT_EQ(text.find("nan"), std::string::npos) << entry.path();
    EXPECT_EQ(text.find("inf"), std::string::npos) << entry.path();
  }
}

TEST(Measures, AreThoseThatTheConfigNames) {
  EXPECT_TRUE(std::equal(known_measures().begin(), known_measures().end(), config::kMeasures.begin(),
                         config::kMeasures.end()));
}

}  // namespace
}  // namespace aetos::analysis
