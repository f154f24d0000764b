#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "aetos/analysis/analyze.hpp"
#include "aetos/analysis/fill_oxygen.hpp"
#include "aetos/atoms/build.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"
#include "aetos/io/tilt_series.hpp"
#include "analysis/oxide_sphere.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::analysis {
namespace {

constexpr double kVoxel_A = 0.4, kWidth_A = 0.45;

Structure no_file(const std::string&) {
  return {};
}

class Intensity : public ::testing::Test {
 protected:
  nlohmann::json run(const Structure& model, const std::string& measure) {
    const RunContext context{comm_, stop_, folder_.path(), folder_.path(), "fingerprint", "", 1, 60};
    AnalyzeRequest request{.atoms = model, .measures = {measure}, .cutoff_A = 4.3};
    request.inputs = inputs_;
    return analyze(context, request, folder_.path())[measure];
  }
  void write_volume(const Array<float, 3>& volume) {
    const std::size_t n = volume.extent(0);
    io::VolumeInfo info;
    info.shape = {n, n, n};
    info.voxel_A = kVoxel_A;
    inputs_.volume = (folder_ / "volume.h5").string();
    io::write_volume(comm_, inputs_.volume, info, {}, {0, n}, volume.view());
  }
  Communicator comm_{MPI_COMM_SELF};
  Stop stop_;
  test::TemporaryFolder folder_;
  AnalysisInputs inputs_;
};

double height_of(int z) {
  return z == 40 ? 10 : 1;
}

/// A Gaussian at every atom.
Array<float, 3> gaussians(const Structure& s, std::size_t n) {
  Array<float, 3> volume({n, n, n});
  const long reach = 5;
  for (std::size_t i = 0; i < s.size(); ++i) {
    std::array<long, 3> at{};
    for (int k = 0; k < 3; ++k) at[static_cast<std::size_t>(k)] = std::lround(s.position[i][k] / kVoxel_A);
    for (long z = at[2] - reach; z <= at[2] + reach; ++z)
      for (long y = at[1] - reach; y <= at[1] + reach; ++y)
        for (long x = at[0] - reach; x <= at[0] + reach; ++x) {
          const Vec3 d =
              kVoxel_A * Vec3(static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)) -
              s.position[i];
          const long c = static_cast<long>(n / 2);
          volume(static_cast<std::size_t>(z + c), static_cast<std::size_t>(y + c),
                 static_cast<std::size_t>(x + c)) +=
              static_cast<float>(height_of(s.atomic_number[i]) *
                                 std::exp(-d.squaredNorm() / (2 * kWidth_A * kWidth_A)));
        }
  }
  return volume;
}

TEST_F(Intensity, OxygenIsATenthOfZirconiumWhereItIsMadeSo) {
  const auto model = fill_oxygen(test::oxide_sphere(14), {0, 0.5, 0, 0}, 3, "sphere");
  write_volume(gaussians(model, 90));
  inputs_.radius_A = 0.6;
  const auto oxide = run(model, "intensity")["by_phase"]["c-ZrO2"];
  EXPECT_NEAR(oxide["oxygen_sites"]["ratio_to_atoms"].get<double>(), 0.1, 0.01);
  EXPECT_TRUE(oxide["oxygen_sites"]["traceable"].get<bool>());
  EXPECT_LT(oxide["empty"]["mean"].get<double>(), 0.1 * oxide["oxygen"]["mean"].get<double>());
  EXPECT_GT(oxide["void"]["places"].get<int>(), 20);
}

TEST_F(Intensity, AVacancyIsToldFromAnAtomThatTracingMissed) {
  auto imaged = test::oxide_sphere(14);
  const auto take = [](Structure& s, const Vec3& place) {
    for (std::size_t i = 0; i < s.size(); ++i)
      if ((s.position[i] - place).norm() < 0.1) {
        s.position.erase(s.position.begin() + static_cast<std::ptrdiff_t>(i));
        s.atomic_number.erase(s.atomic_number.begin() + static_cast<std::ptrdiff_t>(i));
        return;
      }
    FAIL() << "no atom there";
  };
  take(imaged, Vec3(0, 0, 0));
  write_volume(gaussians(imaged, 90));
  auto traced = imaged;
  take(traced, Vec3(0, 5.09, 5.09));
  EXPECT_EQ(run(traced, "vacancies")["vacancies"], 1);
  EXPECT_EQ(run(traced, "vacancies")["missed_atoms"], 1);
  const auto oxide = run(traced, "intensity")["by_phase"]["c-ZrO2"];
  EXPECT_EQ(oxide["vacancy"]["places"], 1);
  EXPECT_EQ(oxide["missed atom"]["places"], 1);
  EXPECT_LT(oxide["vacancy"]["mean"].get<double>(), 0.1 * oxide["missed atom"]["mean"].get<double>());
}

/// Rows of cells of a CSV, without its head.
std::vector<std::vector<std::string>> rows_of(const std::filesystem::path& file) {
  std::vector<std::vector<std::string>> rows;
  std::ifstream text(file);
  std::string line, cell;
  std::getline(text, line);
  while (std::getline(text, line)) {
    rows.emplace_back();
    std::istringstream cells(line);
    while (std::getline(cells, cell, ',')) rows.back().push_back(cell);
  }
  return rows;
}

TEST_F(Intensity, SectionsInAnyDirectionShowTheirAtomsWhereTheyAre) {
  // Atoms scattered about the plane x + y = 2 Å; one of them 3 Å off it.
  const Vec3 normal = Vec3(1, 1, 0).normalized();
  Structure model;
  for (const Vec3& in_plane :
       {Vec3(0, 0, 0), Vec3(3, -3, 0), Vec3(0, 0, 4.4), Vec3(-2, 2, -3.7), Vec3(4, -4, 5)})
    model.position.push_back(std::sqrt(2.0) * normal + in_plane);
  model.position.push_back(model.position[0] + 3 * normal + Vec3(0, 0, -4));
  model.atomic_number.assign(6, 40);
  write_volume(gaussians(model, 64));
  config::SectionOptions o;
  o.normal = {2, 2, 0};
  o.through_A = {1, 1, 0};
  o.thickness_A = 2;
  o.width_A = 20;
  inputs_.sections = {o};
  const auto section = run(model, "sections")["sections"][0];
  const auto rows = rows_of(folder_ / "section-atoms.csv");
  ASSERT_EQ(rows.size(), 5u);
  const auto picture = io::read_tilt_series_images((folder_ / "sections.h5").string(), "sections", {0, 1});
  const double pixel = section["width_A"].get<double>() / static_cast<double>(picture.extent(1));
  const auto at = [&](double across, double down) {
    return picture(0, static_cast<std::size_t>((down + 10) / pixel),
                   static_cast<std::size_t>((across + 10) / pixel));
  };
  const auto axis = [&](const char* name) {
    return Vec3(section[name][0].get<double>(), section[name][1].get<double>(),
                section[name][2].get<double>());
  };
  EXPECT_NEAR(axis("across").dot(axis("down")), 0, 1e-12);
  EXPECT_NEAR(axis("normal").dot(normal), 1, 1e-12);
  for (const auto& row : rows) {
    const double across = std::stod(row[3]), down = std::stod(row[4]);
    const Vec3 back = Vec3(1, 1, 0) + across * axis("across") + down * axis("down");
    EXPECT_LT((back - model.position[std::stoul(row[1])]).norm(), 1e-3);
    EXPECT_GT(at(across, down), 3) << row[1];
    EXPECT_LT(at(across + 1.6, down), 0.2) << row[1];
  }
}

TEST_F(Intensity, WithoutSectionsEachPhaseHasABoxWithItsOxygen) {
  const auto model = fill_oxygen(test::oxide_sphere(14), {0, 0.5, 0, 0}, 3, "sphere");
  write_volume(gaussians(model, 90));
  const auto sections = run(model, "sections")["sections"];
  ASSERT_EQ(sections.size(), 2u) << sections.dump(1);
  EXPECT_EQ(sections[1]["of"], "c-ZrO2");
  EXPECT_EQ(sections[1]["width_A"], 15);
  std::size_t oxygen = 0;
  for (const auto& row : rows_of(folder_ / "section-atoms.csv")) oxygen += row[0] == "1" && row[2] == "O";
  EXPECT_GE(oxygen, 4u);
}

TEST_F(Intensity, AProfileRunsAlongItsLine) {
  io::TiltSeriesInfo info;
  info.tilts = 2;
  info.ny = 60;
  info.nx = 80;
  info.pixel_A = 0.25;
  info.signals = {"adf_clean"};
  Array<float, 3> images({2, 60, 80});
  // A ridge through (1, -2) Å, 30 degrees from x: the profile across it has its maximum there.
  const Vec2 along(std::cos(kPi / 6), std::sin(kPi / 6)), across(-along.y(), along.x()), middle(1, -2);
  for (std::size_t y = 0; y < 60; ++y)
    for (std::size_t x = 0; x < 80; ++x) {
      const Vec2 r(0.25 * (static_cast<double>(x) - 40), 0.25 * (static_cast<double>(y) - 30));
      const double d = (r - middle).dot(across);
      images(1, y, x) = static_cast<float>(std::exp(-d * d / (2 * 0.6 * 0.6)));
    }
  inputs_.images = (folder_ / "series.h5").string();
  {
    io::TiltSeriesWriter writer(comm_, inputs_.images, info, {"test", "test", "", "", 1});
    writer.write("adf_clean", {0, 1}, images.view());
    writer.commit();
  }
  config::ProfileOptions p;
  p.projection = 1;
  const Vec2 from = middle - 3 * across, to = middle + 4 * across;
  p.from_A = {from.x(), from.y()};
  p.to_A = {to.x(), to.y()};
  p.width_A = 2;
  inputs_.profiles = {p};
  EXPECT_NEAR(run(test::oxide_sphere(8), "profiles")["profiles"][0]["length_A"].get<double>(), 7, 1e-9);
  double highest = 0, place = 0;
  for (const auto& row : rows_of(folder_ / "profiles.csv")) {
    const double d = std::stod(row[1]), value = std::stod(row[4]);
    EXPECT_NEAR(value, std::exp(-(d - 3) * (d - 3) / (2 * 0.6 * 0.6)), 0.03) << d;
    if (value > highest) highest = value, place = d;
  }
  EXPECT_NEAR(place, 3, 0.06);
  inputs_.profiles[0].from_A = {200, 0};
  inputs_.profiles[0].to_A = {300, 0};
  EXPECT_THROW(run(test::oxide_sphere(8), "profiles"), InputError);
  inputs_.profiles[0].projection = 2;
  EXPECT_THROW(run(test::oxide_sphere(8), "profiles"), InputError);
}

TEST_F(Intensity, ColumnsOfAnImageKeepTheirRatio) {
  atoms::BuildOptions o;
  o.crystal.emplace();
  o.crystal->structure = atoms::Lattice::fluorite;
  o.crystal->elements = {"Zr", "O"};
  o.crystal->a_A = 5.09;
  o.crystal->zone_axis = {1, 0, 0};
  o.thickness_A = 10.18;
  o.width_A = std::array{20.36, 20.36};
  const auto slab = atoms::build_specimen(o, 1, no_file);
  const std::size_t n = 96;
  const double pixel = 0.2, width = 0.3;
  Array<float, 3> image({1, n, n});
  for (std::size_t y = 0; y < n; ++y)
    for (std::size_t x = 0; x < n; ++x)
      for (std::size_t i = 0; i < slab.size(); ++i) {
        const Vec2 d = pixel * Vec2(static_cast<double>(x) - 48, static_cast<double>(y) - 48) -
                       slab.position[i].head<2>();
        if (d.norm() < 1.5)
          image(0, y, x) += static_cast<float>(height_of(slab.atomic_number[i]) *
                                               std::exp(-d.squaredNorm() / (2 * width * width)));
      }
  io::TiltSeriesInfo info;
  info.tilts = 1;
  info.ny = info.nx = n;
  info.pixel_A = pixel;
  info.angles = {EulerAngles{}};
  info.signals = {"adf_clean"};
  inputs_.images = (folder_ / "series.h5").string();
  {
    io::TiltSeriesWriter writer(comm_, inputs_.images, info, {});
    writer.write("adf_clean", {0}, image.view());
    writer.commit();
  }
  const auto result = run(slab, "columns");
  EXPECT_EQ(result["columns"].size(), 2u);  // of zirconium and of oxygen, none mixed
  EXPECT_NEAR(result["radius_A"].get<double>(), 5.09 / 4 / std::sqrt(2.0), 1e-9);
  // Two layers of Zr and four of O in each cell of thickness a: an O column has twice the atoms of a Zr
  // column.
  EXPECT_NEAR(result["images"]["adf_clean"]["ratio_O_to_Zr"].get<double>(), 0.2, 0.01);
  EXPECT_NEAR(result["images"]["adf_clean"]["peak_ratio_O_to_Zr"].get<double>(), 0.2, 0.01);
  EXPECT_GT(result["images"]["adf_clean"]["contrast_to_noise_O"].get<double>(), 3);
}

TEST_F(Intensity, MissingInputsAreNamed) {
  Structure s;
  s.position = {Vec3::Zero(), Vec3(3, 0, 0)};
  s.atomic_number = {40, 40};
  EXPECT_THROW(run(s, "intensity"), InputError);
  EXPECT_THROW(run(s, "columns"), InputError);
}

}  // namespace
}  // namespace aetos::analysis
