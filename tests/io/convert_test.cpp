#include "aetos/io/convert.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/inspect.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/io/tilt_series.hpp"
#include "support/python.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::io {
namespace {

class Convert : public ::testing::Test {
 protected:
  void write_series(const std::string& name) {
    TiltSeriesInfo info;
    info.tilts = 3;
    info.ny = 6;
    info.nx = 8;
    info.pixel_A = 0.3434;
    info.angles = {{0, -70.25, 0}, {0, 0, 0}, {0, 1.0 / 3, 0}};
    info.signals = {"adf_clean", "adf_noisy"};
    info.microscope.numbers = {{"voltage_kV", 300}};
    TiltSeriesWriter writer(comm_, scratch_ / name, info, {"1", "c", "seed: 7\n", "f", 0xffffffffffffffffu});
    for (std::size_t s = 0; s < 2; ++s) {
      Array<float, 3> images({3, 6, 8});
      for (std::size_t i = 0; i < images.size(); ++i)
        images.data()[i] = std::sqrt(static_cast<float>(i + 1000 * s));
      writer.write(info.signals[s], {0, 1, 2}, images);
    }
    writer.commit();
  }
  std::string path(const std::string& name) { return scratch_ / name; }
  static bool says(const std::vector<std::string>& notes, const std::string& word) {
    for (const auto& note : notes)
      if (note.find(word) != std::string::npos) return true;
    return false;
  }
  Communicator comm_{MPI_COMM_WORLD};
  test::TemporaryFolder scratch_;
};

TEST_F(Convert, Hdf5ToMrcAndBackKeepsPixelAnglesAndValues) {
  write_series("a.h5");
  const auto notes = convert_file(path("a.h5"), path("b.mrc"));
  EXPECT_TRUE(says(notes, "adf_clean not")) << ::testing::PrintToString(notes);
  EXPECT_TRUE(says(notes, "lost"));
  EXPECT_TRUE(says(notes, ".rawtlt"));
  convert_file(path("b.mrc"), path("c.h5"));
  const TiltSeriesInfo a = read_tilt_series_info(path("a.h5")), c = read_tilt_series_info(path("c.h5"));
  EXPECT_EQ(c.angles, a.angles);
  EXPECT_NEAR(*c.pixel_A, 0.3434, 1e-7);
  const auto before = read_tilt_series_images(path("a.h5"), "adf_noisy", {0, 3});
  const auto after = read_tilt_series_images(path("c.h5"), "auto", {0, 3});
  EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin(), after.end()));
}

TEST_F(Convert, VolumesGoThroughMrc) {
  VolumeInfo info;
  info.shape = {4, 5, 6};
  info.voxel_A = 0.5;
  info.r_history = {0.5, 0.4};
  Array<float, 3> volume({4, 5, 6});
  for (std::size_t i = 0; i < volume.size(); ++i) volume.data()[i] = static_cast<float>(i) / 3;
  write_volume(comm_, path("v.h5"), info, {}, {0, 5}, volume);
  EXPECT_TRUE(says(convert_file(path("v.h5"), path("v.mrc")), "R-factor history"));
  convert_file(path("v.mrc"), path("w.h5"));
  const VolumeInfo back = read_volume_info(path("w.h5"));
  EXPECT_EQ(back.shape, info.shape);
  EXPECT_EQ(back.voxel_A, 0.5);
  const auto after = read_volume_planes(path("w.h5"), {0, 4});
  EXPECT_TRUE(std::equal(volume.begin(), volume.end(), after.begin(), after.end()));
}

TEST_F(Convert, Emd1HasTheLayoutOfPy4dstem) {
  if (!test::python_has("h5py")) GTEST_SKIP() << "python3-h5py is not installed";
  write_series("a.h5");
  EXPECT_TRUE(says(convert_file(path("a.h5"), path("a.emd1.h5")), "EMD 1.0"));
  // The names that emdfile's reader (src/emdfile/utils.py, classes/array.py) looks for.
  write_file_atomically(path("check.py"), R"(
import sys
import h5py
f = h5py.File(sys.argv[1], 'r')
assert f.attrs['emd_group_type'] == 'file' and f.attrs['version_major'] == 1 and f.attrs['version_minor'] == 0
roots = [k for k in f if f[k].attrs.get('emd_group_type') == 'root']
assert len(roots) == 1
for name in ('adf_clean', 'adf_noisy'):
    g = f[roots[0]][name]
    assert g.attrs['emd_group_type'] == 'array' and g.attrs['python_class'] == 'Array'
    assert g['data'].shape == (3, 6, 8) and g['data'].attrs['units']
    for n, (axis, units) in enumerate((('tilt', 'deg'), ('y', 'Å'), ('x', 'Å'))):
        assert g['dim%d' % n].attrs['name'] == axis and g['dim%d' % n].attrs['units'] == units
        assert len(g['dim%d' % n]) == g['data'].shape[n]
assert abs(f[roots[0]]['adf_noisy/data'][2, 5, 7] - 1143 ** 0.5) < 1e-5
)");
  EXPECT_EQ(test::run_python(path("check.py"), path("a.emd1.h5")), 0);
}

TEST_F(Convert, MatToHdf5) {
  AETOS_NEEDS_SHARED("tomography/small-simulated/projections_noisy.mat");
  const std::string mat = test::shared_data("tomography/small-simulated/projections_noisy.mat");
  const auto notes = convert_file(mat, path("p.h5"));
  EXPECT_TRUE(says(notes, "tilt series"));
  EXPECT_TRUE(says(notes, "pixel size unknown"));
  const TiltSeriesInfo info = read_tilt_series_info(path("p.h5"));
  EXPECT_EQ(info.tilts, 50u);
  EXPECT_TRUE(info.is_counts);
  EXPECT_FALSE(info.pixel_A);
  const auto a = read_tilt_series_images(mat, "", {49, 50}),
             b = read_tilt_series_images(path("p.h5"), "auto", {49, 50});
  EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
}

TEST_F(Convert, PrismaticAtomsToExtxyz) {
  write_file_atomically(path("p.xyz"), "comment\n10 11 12\n40 1 2 3 0.5 0.08\n8 4 5 6 1 0\n-1\n");
  EXPECT_TRUE(says(convert_file(path("p.xyz"), path("p.extxyz")), "occupancy"));
  const Structure s = read_structure(path("p.extxyz"));
  EXPECT_EQ(s.size(), 2u);
  EXPECT_EQ(s.position[0], Vec3(1, 2, 3));
  EXPECT_EQ(std::get<std::vector<double>>(s.columns.at("u").values)[0], 0.08);
  EXPECT_EQ(s.cell->periodic, (std::array<bool, 3>{true, true, true}));
}

TEST_F(Convert, WhatMakesNoSenseIsRefused) {
  write_series("a.h5");
  EXPECT_THROW(convert_file(path("a.h5"), path("a.extxyz")), InputError);
  EXPECT_THROW(convert_file(path("a.h5"), path("a.pdf")), InputError);
  EXPECT_THROW(convert_file(path("a.h5"), path("a.h5")), InputError);
  EXPECT_THROW(convert_file(path("none.h5"), path("b.mrc")), InputError);
}

TEST_F(Convert, InfoSaysWhatAFileHolds) {
  write_series("a.h5");
  const auto h5 = describe_file(path("a.h5"));
  EXPECT_EQ(h5.at("format"), "HDF5, EMD 0.2");
  EXPECT_EQ(h5.at("holds"), "tilt series");
  EXPECT_EQ(h5.at("pixel_A"), 0.3434);
  EXPECT_EQ(h5.at("angles").at("count"), 3);
  EXPECT_EQ(h5.at("arrays").size(), 2u);
  EXPECT_EQ(h5.at("arrays")[0].at("shape"), (std::vector<int>{3, 6, 8}));
  EXPECT_EQ(h5.at("arrays")[0].at("axes")[2].at("units"), "[Å]");
  EXPECT_EQ(h5.at("provenance").at("seed"), 0xffffffffffffffffu);
  EXPECT_EQ(h5.at("provenance").at("config"), "seed: 7\n");
  EXPECT_EQ(h5.at("microscope").at("voltage_kV"), 300);
  const std::string text = format_description(h5);
  for (const char* word : {"a.h5", "adf_noisy", "pixel_A: 0.3434", "[Å]", "seed"})
    EXPECT_NE(text.find(word), std::string::npos) << text;

  convert_file(path("a.h5"), path("b.mrc"));
  const auto mrc = describe_file(path("b.mrc"));
  EXPECT_EQ(mrc.at("format"), "MRC");
  EXPECT_EQ(mrc.at("angles").at("count"), 3);
  EXPECT_NEAR(mrc.at("pixel_A").get<double>(), 0.3434, 1e-7);
  EXPECT_EQ(describe_file(path("b.rawtlt")).at("angles").at("count"), 3);

  write_file_atomically(
      path("s.xyz"),
      "2\nLattice=\"9 0 0 0 9 0 0 0 9\" Properties=species:S:1:pos:R:3:q:R:1\nZr 0 0 1 5\nO 1 2 3 6\n");
  const auto atoms = describe_file(path("s.xyz"));
  EXPECT_EQ(atoms.at("atoms"), 2);
  EXPECT_EQ(atoms.at("species").at("Zr"), 1);
  EXPECT_EQ(atoms.at("columns")[0].at("name"), "q");
  EXPECT_EQ(atoms.at("box").at("vectors_A")[2][2], 9);
  EXPECT_THROW(describe_file(path("none.xyz")), InputError);
}

}  // namespace
}  // namespace aetos::io
