#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>

#include "report_fake_run.hpp"
#include "report_fixture.hpp"

namespace aetos {
namespace {

constexpr std::size_t kVoxels = 96;
constexpr double kVoxel_A = 0.5;
const Vec3 kHalf(8, 6.5, 5), kMiddle(2, -1, 3);  // of the ellipsoid, in Å

/// 3 inside an ellipsoid, 0 outside, and between over three voxels, as an image resolves it.
Array<float, 3> ellipsoid() {
  Array<float, 3> volume({kVoxels, kVoxels, kVoxels});
  const auto at = [](std::size_t i) { return (static_cast<double>(i) - kVoxels / 2.0) * kVoxel_A; };
  for (std::size_t z = 0; z < kVoxels; ++z)
    for (std::size_t y = 0; y < kVoxels; ++y)
      for (std::size_t x = 0; x < kVoxels; ++x) {
        const Vec3 r = (Vec3(at(x), at(y), at(z)) - kMiddle).cwiseQuotient(kHalf);
        const double depth = (1 - r.norm()) * r.norm() / r.cwiseQuotient(kHalf).norm();
        volume(z, y, x) = static_cast<float>(3 * std::clamp(0.5 + depth / (3 * kVoxel_A), 0.0, 1.0));
      }
  return volume;
}

void write_volume(const fs::path& folder, const Array<float, 3>& volume) {
  io::VolumeInfo info;
  info.shape = volume.shape();
  info.voxel_A = kVoxel_A;
  io::write_volume(Communicator(MPI_COMM_WORLD), folder / "volume.h5", info, {}, {0, volume.extent(1)},
                   volume);
}

/// Of each grid that the page offers.
struct Surface {
  double first_level = 0;  ///< that it is shown at first
  // Where the slider stands in its middle:
  double triangles = 0, volume_A3 = 0, area_A2 = 0;
  Vec3 least, most;              ///< places of its corners
  double level = 0;              ///< as the page states it
  double drawn = 0;              ///< share of the picture, at first; negative without WebGL
  double volume_at_highest = 0;  ///< when the slider stands at its end
};

/// What the page's own script finds, by way of its title.
std::vector<Surface> surfaces_found(const fs::path& folder, std::string html) {
  html.insert(html.rfind("</body>"), R"(<script>onload = function () {
  var said = [], view = surface3d, canvas = view.querySelector('canvas');
  function add(list) { said.push(list.join(' ')); }
  function pixels() {
    var gl = canvas.getContext('webgl'); if (!gl) return -1;
    var p = new Uint8Array(4 * canvas.width * canvas.height), n = 0;
    gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, p);
    for (var i = 3; i < p.length; i += 4) n += p[i] > 0;
    return n / (p.length / 4);
  }
  function look(which) {
    var choice = view.querySelector('select'), slider = view.querySelector('input');
    if (which === choice.length) { document.title = said.join(' '); return; }
    choice.value = which; choice.dispatchEvent(new Event('change'));
    add([view.querySelector('output').textContent]);
    slider.value = 128; slider.dispatchEvent(new Event('input'));
    setTimeout(function () { measure(which, slider); }, 200);
  }
  function measure(which, slider) {
    var least = [1e9, 1e9, 1e9], most = [-1e9, -1e9, -1e9], p = view.mesh.places;
    for (var i = 0; i < p.length; ++i) { least[i % 3] = Math.min(least[i % 3], p[i]); most[i % 3] = Math.max(most[i % 3], p[i]); }
    add([view.dataset.triangles, view.dataset.volume, view.dataset.area]); add(least); add(most);
    add([view.querySelector('output').textContent]);
    view.querySelector('select').dispatchEvent(new Event('change')); add([pixels()]);
    slider.value = 255; slider.dispatchEvent(new Event('input'));
    setTimeout(function () { add([view.dataset.volume]); look(which + 1); }, 200);
  }
  look(0);
};</script>)");
  test::write_text(folder / "looked.html", html);
  EXPECT_EQ(browse(folder,
                   "--virtual-time-budget=8000 --dump-dom " + quoted(folder / "looked.html") + " >" +
                       quoted(folder / "dom.html"),
                   1),
            0);
  const auto dom = io::read_text_file((folder / "dom.html").string());
  const auto from = dom.find("<title>") + 7;
  std::istringstream words(dom.substr(from, dom.find("</title>") - from));
  std::vector<Surface> all;
  for (Surface s; words >> s.first_level >> s.triangles >> s.volume_A3 >> s.area_A2 >> s.least[0] >>
                  s.least[1] >> s.least[2] >> s.most[0] >> s.most[1] >> s.most[2] >> s.level >> s.drawn >>
                  s.volume_at_highest;)
    all.push_back(s);
  return all;
}

TEST_F(Report, FindsTheSurfaceOfAKnownBody) {
  if (no_browser()) GTEST_SKIP() << "chromium is not installed";
  write_volume(folder, ellipsoid());
  const auto html = write_and_read();
  ASSERT_TRUE(contains(html, "in steps of 1.0 Å"));
  ASSERT_TRUE(contains(html, "the middle 23.0 Å, every voxel"));
  const auto surfaces = surfaces_found(folder, html);
  ASSERT_EQ(surfaces.size(), 2U);
  const double volume = 4.0 / 3 * std::numbers::pi * kHalf.prod();
  // Thomsen's formula, right within 1.1 %.
  const auto p = [](double x) { return std::pow(x, 1.6075); };
  const double products = p(kHalf.x() * kHalf.y()) + p(kHalf.x() * kHalf.z()) + p(kHalf.y() * kHalf.z());
  const double area = 4 * std::numbers::pi * std::pow(products / 3, 1 / 1.6075);
  for (const auto& s : surfaces) {
    EXPECT_NEAR(s.volume_A3, volume, (&s == &surfaces[0] ? 0.05 : 0.02) * volume) << "thinning smooths";
    EXPECT_NEAR(s.area_A2, area, 0.03 * area);
    EXPECT_NEAR(s.level, 1.5, 0.01);
    EXPECT_NEAR(s.first_level, 1.5, 0.3) << "about halfway from outside to inside";
    for (int axis = 0; axis < 3; ++axis) {
      EXPECT_NEAR(s.least[axis], kMiddle[axis] - kHalf[axis], 0.2) << axis;
      EXPECT_NEAR(s.most[axis], kMiddle[axis] + kHalf[axis], 0.2) << axis;
    }
    EXPECT_LT(s.volume_at_highest, 0.97 * s.volume_A3);
    EXPECT_GT(s.volume_at_highest, 0.15 * s.volume_A3);
    if (s.drawn >= 0) {
      EXPECT_GT(s.drawn, 0.05);
      EXPECT_LT(s.drawn, 0.6);
    }
  }
  EXPECT_GT(surfaces[1].triangles, 3 * surfaces[0].triangles) << "the middle shows every voxel";
}

TEST_F(Report, ClosesASurfaceThatTheEdgesCut) {
  if (no_browser()) GTEST_SKIP() << "chromium is not installed";
  Array<float, 3> volume({20, 30, 40});
  std::fill(volume.begin(), volume.end(), 2.0F);
  write_volume(folder, volume);
  const auto html = write_and_read();
  EXPECT_FALSE(contains(html, "every voxel")) << "the whole shows them already";
  const auto surfaces = surfaces_found(folder, html);
  ASSERT_EQ(surfaces.size(), 1U);
  const Vec3 size = kVoxel_A * Vec3(39, 29, 19);
  EXPECT_NEAR(surfaces[0].volume_A3, size.prod(), 1e-3 * size.prod());
  EXPECT_NEAR((surfaces[0].most - surfaces[0].least - size).norm(), 0, 1e-3);
}

TEST_F(Report, HasNoSurfaceWithoutAVolume) {
  io::write_extxyz(folder / "atoms.extxyz", test::fake_particle());
  auto html = write_and_read();
  EXPECT_TRUE(contains(html, "id=\"view3d\""));
  EXPECT_FALSE(contains(html, "id=\"surface3d\""));
  write_volume(folder, Array<float, 3>({24, 24, 24}));
  html = write_and_read();
  EXPECT_FALSE(contains(html, "id=\"surface3d\"")) << "nor of an empty one";
  EXPECT_FALSE(contains(html, "could not be made"));
  write_volume(folder, ellipsoid());
  EXPECT_TRUE(contains(write_and_read(), "id=\"surface3d\""));
  test::write_text(folder / "volume.h5", "not HDF5");
  html = write_and_read();
  EXPECT_TRUE(contains(html, "This view could not be made"));
  EXPECT_TRUE(contains(html, "id=\"view3d\"")) << "the atoms stay";
}

}  // namespace
}  // namespace aetos
