#include <gtest/gtest.h>

#include "multislice_reference.hpp"

/// Our engine on whole periodic cells against abTEM's multislice on exactly placed atoms (data/multislice,
/// `-exact`), and against Prismatic's.
namespace aetos::test {
namespace {

using multislice::BeamAtoms;
using multislice::SliceGrid;

struct Case {
  std::string name;
  double cell_A;
  SliceGrid slices;
  std::size_t every;  ///< probes that are compared, in x and in y
};

struct Images {
  std::vector<std::vector<double>> ring;
  std::vector<double> com, total;
};

Images reference_images(const CsvTable& table, const std::vector<std::size_t>& rows, std::size_t rings) {
  Images images;
  images.ring.resize(rings);
  for (const std::size_t row : rows) {
    for (std::size_t n = 0; n < rings; ++n) images.ring[n].push_back(table["a" + std::to_string(n)][row]);
    images.com.push_back(table["comx_mrad"][row]);
    images.com.push_back(table["comy_mrad"][row]);
    images.total.push_back(table["total"][row]);
  }
  return images;
}

std::vector<std::size_t> every_nth_probe(const CsvTable& table, std::size_t every) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < table.rows(); ++row)
    if (static_cast<std::size_t>(table["ix"][row]) % every == 0 &&
        static_cast<std::size_t>(table["iy"][row]) % every == 0)
      rows.push_back(row);
  return rows;
}

Images simulate(multislice::TileEngine& engine, const BeamAtoms& atoms, const SliceGrid& slices,
                const CsvTable& table, const std::vector<std::size_t>& rows) {
  std::vector<Vec2> probes;
  for (const std::size_t row : rows) probes.emplace_back(table["x_A"][row], table["y_A"][row]);
  Array<float, 2> out({probes.size(), engine.channels().count});
  engine.simulate(atoms, slices, probes, out);
  const std::size_t com = engine.channels().first_of_detector[1];
  Images images;
  images.ring.resize(com);
  for (std::size_t p = 0; p < probes.size(); ++p) {
    for (std::size_t n = 0; n < com; ++n) images.ring[n].push_back(out(p, n));
    images.com.push_back(out(p, com));
    images.com.push_back(out(p, com + 1));
    images.total.push_back(out(p, com + 2));
  }
  return images;
}

std::vector<double> annulus(const Images& images, std::size_t inner, std::size_t outer) {
  std::vector<double> sum(images.total.size(), 0);
  for (std::size_t n = inner; n < outer; ++n)
    for (std::size_t p = 0; p < sum.size(); ++p) sum[p] += images.ring[n][p];
  return sum;
}

void expect_agreement(const Images& ours, const Images& reference, double adf_bound) {
  const double adf = relative_rms(annulus(ours, 39, 60), annulus(reference, 39, 60));
  double worst_ring = 0;
  for (std::size_t n = 0; n + 3 < ours.ring.size(); ++n)
    worst_ring = std::max(worst_ring, relative_rms(ours.ring[n], reference.ring[n]));
  const double com = relative_rms(ours.com, reference.com);
  const double total = relative_rms(ours.total, reference.total);
  std::printf("    ADF 39-60 mrad %.1e, worst ring %.1e, centre of mass %.1e, total %.1e (%zu probes)\n", adf,
              worst_ring, com, total, ours.total.size());
  EXPECT_LT(adf, adf_bound);
  EXPECT_LT(worst_ring, 2e-3);
  EXPECT_LT(com, 1e-3);
  EXPECT_LT(total, 1e-5);
}

class WholeCell : public testing::TestWithParam<Case> {};

TEST_P(WholeCell, AgreesWithAbtemOnExactPotentials) {
  const Case& c = GetParam();
  const std::string results = "multislice/" + c.name + "-kirkland-400-exact.csv";
  AETOS_NEEDS_SHARED(results);
  const CsvTable table(shared_data(results));
  const BeamAtoms atoms = read_beam_atoms(shared_data("multislice/" + c.name + ".extxyz"));
  multislice::TileEngine engine(reference_settings(c.cell_A, 400));
  const auto rows = every_nth_probe(table, c.every);
  const Images ours = simulate(engine, atoms, c.slices, table, rows);
  expect_agreement(ours, reference_images(table, rows, ours.ring.size()), 2e-4);
}

INSTANTIATE_TEST_SUITE_P(References, WholeCell,
                         testing::Values(Case{"small-particle", 40, {2, 0, 20}, 4},
                                         Case{"small-particle-tilted", 40, {2, 0, 20}, 4},
                                         Case{"small-oxygen", 40, {2, 0, 20}, 3},
                                         Case{"zro2-100", 20.36, {1.2725, 0, 64}, 5}),
                         [](const auto& test_case) {
                           std::string name = test_case.param.name;
                           std::erase(name, '-');
                           return name;
                         });

/// Sums over an annulus of columns `prefix`n.
std::vector<double> annulus(const CsvTable& table, const std::string& prefix, std::size_t inner,
                            std::size_t outer) {
  std::vector<double> sum(table.rows(), 0);
  for (std::size_t n = inner; n < outer; ++n)
    for (std::size_t row = 0; row < sum.size(); ++row) sum[row] += table[prefix + std::to_string(n)][row];
  return sum;
}

/// At 0.05 Å, where rings reach 90 mrad. Prismatic's scheme has other band limits and the same potential.
TEST(FineWholeCell, AgreesWithAbtemAndPrismaticOnExactPotentials) {
  AETOS_NEEDS_SHARED("multislice/small-particle.extxyz");
  const CsvTable table(source_dir() / "tests/data/multislice_small_particle_800.csv");
  const BeamAtoms atoms = read_beam_atoms(shared_data("multislice/small-particle.extxyz"));
  multislice::TileEngine engine(reference_settings(40, 800));
  const auto rows = every_nth_probe(table, 1);
  const Images ours = simulate(engine, atoms, {2, 0, 20}, table, rows);
  expect_agreement(ours, reference_images(table, rows, ours.ring.size()), 2e-4);
  EXPECT_LT(relative_rms(annulus(ours, 60, 90), annulus(table, "a", 60, 90)), 2e-4);
  const double prismatic = relative_rms(annulus(ours, 39, 60), annulus(table, "p", 39, 60));
  std::printf("    Prismatic, 39-60 mrad %.1e\n", prismatic);
  EXPECT_LT(prismatic, 2e-3);
}

TEST(FrozenPhonons, MeanOfFourStoredCopiesAgreesWithAbtem) {
  AETOS_NEEDS_SHARED("multislice/phonons-positions.csv");
  const CsvTable table(shared_data("multislice/phonons-kirkland-400-exact.csv"));
  const CsvTable positions(shared_data("multislice/phonons-positions.csv"));
  multislice::TileEngine engine(reference_settings(20.36, 400));
  const auto rows = every_nth_probe(table, 4);
  Images mean;
  for (int config = 0; config < 4; ++config) {
    BeamAtoms atoms;
    for (std::size_t i = 0; i < positions.rows(); ++i) {
      if (positions["config"][i] != config) continue;
      atoms.atomic_number.push_back(static_cast<std::uint8_t>(positions["species"][i]));
      atoms.position.emplace_back(positions["x_A"][i], positions["y_A"][i], positions["z_A"][i]);
      atoms.weight.push_back(1);
    }
    const Images one = simulate(engine, atoms, {1.2725, 0, 64}, table, rows);
    if (mean.ring.empty())
      mean = {std::vector(one.ring.size(), std::vector<double>(rows.size())),
              std::vector<double>(one.com.size()), std::vector<double>(one.total.size())};
    const auto add = [](std::vector<double>& to, const std::vector<double>& from) {
      for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i] / 4;
    };
    for (std::size_t n = 0; n < one.ring.size(); ++n) add(mean.ring[n], one.ring[n]);
    add(mean.com, one.com);
    add(mean.total, one.total);
  }
  expect_agreement(mean, reference_images(table, rows, mean.ring.size()), 5e-4);
}

}  // namespace
}  // namespace aetos::test
