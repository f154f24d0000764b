#include "aetos/tracing/trace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/tomography/pose.hpp"
#include "support/ranks.hpp"
#include "support/temporary_folder.hpp"
#include "tracing/traced_scene.hpp"

namespace aetos::tracing {
namespace {

using namespace test;

/// One rank, a folder, and a request for the volume in it.
struct Scene {
  explicit Scene(const Array<float, 3>& volume) {
    write_volume(comm, folder / "volume.h5", volume);
    request.volume = (folder / "volume.h5").string();
    request.options.species = {"Zr"};
  }
  nlohmann::json run() { return run_tracing(comm, request, folder / "atoms.extxyz"); }
  Structure atoms() const { return io::read_structure(folder / "atoms.extxyz"); }

  Communicator comm{MPI_COMM_SELF};
  TemporaryFolder folder;
  Request request;
};

TEST(Trace, noise_free_atoms_come_back_to_a_thousandth_of_an_angstrom) {
  for (const Shape<3> shape : {Shape<3>{48, 50, 52}, Shape<3>{49, 47, 51}}) {
    const auto truth = scattered_atoms(60, 8);
    Scene scene(gaussians(shape, truth));
    scene.request.options.min_distance_A = 1.5;
    const auto summary = scene.run();
    EXPECT_EQ(summary["atoms"], 60);
    EXPECT_EQ(summary["by_species"]["Zr"], 60);
    EXPECT_EQ(summary["refined"], false);
    EXPECT_LT(worst_distance_A(scene.atoms(), truth),
              0.02);  // neighbours at 2.4 Å reach into each other's fit
    const auto atoms = scene.atoms();
    for (std::size_t i = 1; i < atoms.size(); ++i)
      EXPECT_LE(atoms.position[i - 1].z(), atoms.position[i].z());
    for (const char* name : {"height", "sigma_a", "integrated_intensity", "fit_residual"})
      EXPECT_TRUE(atoms.columns.contains(name)) << name;
  }
}

TEST(Trace, a_lone_atom_off_the_centre) {
  for (const std::size_t n : {40u, 41u}) {
    const std::vector<Vec3> truth{Vec3(1.234, -2.345, 3.111)};
    Scene scene(gaussians({n, n, n}, truth));
    EXPECT_EQ(scene.run()["atoms"], 1);
    EXPECT_LT(worst_distance_A(scene.atoms(), truth), 1e-3);
  }
}

TEST(Trace, atoms_a_voxel_from_the_border_are_traced_and_those_on_it_counted) {
  const double edge = 20 * kVoxel_A;
  const std::vector<Vec3> truth{Vec3(0, 0, 0), Vec3(0, 0, -edge + kVoxel_A)};
  auto atoms = truth;
  atoms.push_back(Vec3(-edge, 0, 0));
  Scene scene(gaussians({40, 40, 40}, atoms));
  const auto summary = scene.run();
  EXPECT_EQ(summary["atoms"], 2);
  EXPECT_EQ(summary["rejected"]["at_border"], 1);
  EXPECT_LT(worst_distance_A(scene.atoms(), truth), 0.01);
}

TEST(Trace, of_two_atoms_too_close_the_stronger_stays) {
  const std::vector<Vec3> both{Vec3(0.6, 0, 0), Vec3(-0.7, 0, 0)};
  Scene scene(gaussians({40, 40, 40}, both, {1, 1.2}));
  const auto summary = scene.run();
  EXPECT_EQ(summary["atoms"], 1);
  EXPECT_EQ(summary["rejected"]["too_close"], 1);
  EXPECT_NEAR(scene.atoms().position[0].x(), -0.7, 0.15);
}

TEST(Trace, a_plateau_of_equal_voxels_is_one_atom_at_its_centre) {
  Array<float, 3> volume({20, 20, 20});
  for (std::size_t z = 6; z < 9; ++z)
    for (std::size_t y = 5; y < 8; ++y)
      for (std::size_t x = 7; x < 10; ++x) volume(z, y, x) = 1;
  Scene scene(volume);
  EXPECT_EQ(scene.run()["atoms"], 1);
  EXPECT_LT(worst_distance_A(scene.atoms(), {kVoxel_A * Vec3(8 - 10, 6 - 10, 7 - 10)}), 0.005);
}

TEST(Trace, a_volume_with_nothing_in_it_has_no_atoms) {
  for (const float value : {0.0f, 2.5f}) {
    Array<float, 3> volume({20, 20, 20});
    for (float& v : volume) v = value;
    Scene scene(volume);
    const auto summary = scene.run();
    EXPECT_EQ(summary["atoms"], 0);
    EXPECT_EQ(summary["by_species"]["Zr"], 0);
    EXPECT_EQ(scene.atoms().size(), 0u);
    EXPECT_EQ(summary.dump().find("nan"), std::string::npos);
  }
}

TEST(Trace, undefined_voxels_are_refused_with_their_place) {
  auto volume = gaussians({20, 20, 20}, {Vec3(0, 0, 0)});
  volume(3, 4, 5) = std::numeric_limits<float>::quiet_NaN();
  Scene scene(volume);
  try {
    scene.run();
    FAIL() << "traced a volume with NaN";
  } catch (const InputError& error) {
    EXPECT_NE(error.found().find("(3, 4, 5)"), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(scene.folder / "atoms.extxyz"));
}

TEST(Trace, two_species_by_their_intensity) {
  const auto truth = scattered_atoms(60, 8);
  std::vector<double> heights;
  for (std::size_t i = 0; i < truth.size(); ++i) heights.push_back(i % 3 == 0 ? 2.5 : 1);
  auto volume = gaussians({48, 48, 48}, truth, heights);
  add_noise(volume, 0.02, 7);
  Scene scene(volume);
  scene.request.options.species = {"Co", "Pt"};
  const auto summary = scene.run();
  EXPECT_EQ(summary["by_species"]["Pt"], 20);
  EXPECT_EQ(summary["by_species"]["Co"], 40);
}

std::vector<EulerAngles> tilts() {
  std::vector<EulerAngles> angles;
  for (double theta = -72; theta <= 72; theta += 9) angles.push_back({0, theta, 0});
  return angles;
}

TEST(Trace, light_atoms_that_the_volume_shows_bright_or_not_at_all_are_light_atoms) {
  const auto truth = scattered_atoms(60, 8);
  std::vector<double> in_images, in_volume;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    in_images.push_back(i % 3 == 0 ? 0.3 : 1);
    in_volume.push_back(i == 0 || i == 3 ? 0.9 : i == 6 ? 0 : in_images.back());
  }
  auto volume = gaussians({56, 48, 56}, truth, in_volume);
  add_noise(volume, 0.02, 7);
  Scene scene(volume);
  scene.request.options.species = {"Co", "Pt"};
  write_images(scene.comm, scene.folder / "series.h5", truth, tilts(), 56, 0.02, in_images);
  scene.request.images = (scene.folder / "series.h5").string();
  const auto summary = scene.run();
  EXPECT_EQ(summary["by_species"]["Pt"], 40);
  EXPECT_EQ(summary["by_species"]["Co"], 20);
  EXPECT_EQ(summary["refinement"]["rounds"][0]["reclassified"], 2);
  const auto atoms = scene.atoms();
  for (const double p : std::get<std::vector<double>>(atoms.columns.at("species_probability").values))
    EXPECT_GT(p, 0.99);
}

TEST(Trace, no_atom_is_added_nearer_than_the_least_distance) {
  auto truth = scattered_atoms(40, 7);
  const auto seen = truth;
  truth.push_back(seen[0] + Vec3(0, 1.6, 0));
  Scene scene(gaussians({56, 48, 56}, seen));
  write_images(scene.comm, scene.folder / "series.h5", truth, tilts(), 56, 0.02);
  scene.request.images = (scene.folder / "series.h5").string();
  EXPECT_EQ(scene.run()["atoms"], 40);
  scene.request.options.min_distance_A = 1.2;
  EXPECT_EQ(scene.run()["atoms"], 41);
}

TEST(Trace, equal_intensities_do_not_tell_two_species_apart) {
  Scene scene(gaussians({40, 40, 40}, {Vec3(-3, 0, 0), Vec3(3, 0, 0)}));
  scene.request.options.species = {"Co", "Pd", "Pt"};
  const auto notes = scene.run()["notes"].dump();
  EXPECT_NE(notes.find("tell the species apart"), std::string::npos);
  scene.request.options.species = {"Xx"};
  EXPECT_THROW(scene.run(), InputError);
}

TEST(Trace, refinement_finds_the_atoms_behind_a_poor_volume) {
  const auto truth = scattered_atoms(40, 7);
  auto moved = truth;
  for (std::size_t i = 0; i < moved.size(); ++i) {
    const auto n = random::normal4(9, random::Domain::test, {0, 0, i});
    moved[i] += 0.08 * Vec3(n[0], n[1], n[2]);
  }
  moved.push_back(Vec3(-8, 0, 0));  // a false one, of which the images know nothing
  Scene scene(gaussians({56, 48, 56}, moved));
  write_images(scene.comm, scene.folder / "series.h5", truth, tilts(), 56, 0);
  scene.request.images = (scene.folder / "series.h5").string();
  const auto summary = scene.run();
  EXPECT_EQ(summary["refined"], true);
  EXPECT_EQ(summary["atoms"], 40);
  EXPECT_EQ(summary["rejected"]["weak_in_images"], 1);
  EXPECT_LT(worst_distance_A(scene.atoms(), truth), 3e-3);
  EXPECT_NEAR(summary["refinement"]["sigma_A"]["Zr"].get<double>(), 0.5, 0.01);
  EXPECT_NEAR(summary["refinement"]["growth_with_depth"].get<double>(), 5e-4, 2e-4);
}

/// Poses are told but for a rotation and a displacement of all together with the atoms.
TEST(Trace, wrong_angles_and_shifts_are_found_with_the_atoms) {
  const auto truth = scattered_atoms(60, 7);
  const auto angles = tilts();
  std::vector<EulerAngles> given;
  std::vector<std::array<double, 2>> displaced;
  for (std::size_t t = 0; t < angles.size(); ++t) {
    const auto n = random::normal4(9, random::Domain::test, {1, 0, t}),
               m = random::normal4(9, random::Domain::test, {2, 0, t});
    given.push_back(
        {angles[t].phi_deg + 0.5 * n[0], angles[t].theta_deg + 0.5 * n[1], angles[t].psi_deg + 0.5 * n[2]});
    displaced.push_back({0.2 * m[0], 0.2 * m[1]});
  }
  Scene scene(gaussians({56, 48, 56}, truth));
  write_images(scene.comm, scene.folder / "series.h5", truth, angles, 56, 0, {}, displaced);
  scene.request.images = (scene.folder / "series.h5").string();
  scene.request.angles = given;
  scene.request.options.refine_angles = true;
  const auto summary = scene.run();
  EXPECT_EQ(summary["atoms"], 60);
  EXPECT_LT(summary["refinement"]["misfit_after"], 1e-5);
  EXPECT_GT(summary["refinement"]["refine_angles"]["rotation_rms_deg"], 0.5);

  std::vector<tomography::Pose> left;
  std::ifstream table(scene.folder / "traced_angles.csv");
  std::string line;
  std::getline(table, line);
  for (std::size_t t = 0; std::getline(table, line); ++t) {
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream row(line);
    double number = 0, shift_y = 0, shift_x = 0;
    EulerAngles found;
    row >> number >> found.phi_deg >> found.theta_deg >> found.psi_deg >> shift_y >> shift_x;
    left.push_back({found, shift_x + displaced[t][0] / kVoxel_A, shift_y + displaced[t][1] / kVoxel_A});
  }
  ASSERT_EQ(left.size(), angles.size());
  tomography::fix_gauge(angles, left);
  std::vector<tomography::Pose> true_poses;
  for (const EulerAngles& a : angles) true_poses.push_back({a, 0, 0});
  const auto [turn, shift] = tomography::change_between(true_poses, left);
  EXPECT_LT(turn, 0.02);
  EXPECT_LT(shift, 0.01);
}

TEST(Trace, the_bound_is_about_what_refined_positions_scatter_by) {
  const auto truth = scattered_atoms(40, 7);
  Scene scene(gaussians({56, 48, 56}, truth));
  write_images(scene.comm, scene.folder / "series.h5", truth, tilts(), 56, 0.03);
  scene.request.images = (scene.folder / "series.h5").string();
  const auto summary = scene.run();
  const auto atoms = scene.atoms();
  ASSERT_EQ(atoms.size(), 40u);
  double square = 0;
  for (const Vec3& r : atoms.position) {
    double nearest = 1e9;
    for (const Vec3& t : truth) nearest = std::min(nearest, (r - t).squaredNorm());
    square += nearest;
  }
  const double rmsd_pm = 100 * std::sqrt(square / 40), bound_pm = summary["crlb_pm"];
  EXPECT_GT(rmsd_pm / bound_pm, 0.8);
  EXPECT_LT(rmsd_pm / bound_pm, 1.5);
}

TEST(Trace, atoms_that_the_volume_lacks_are_found_in_the_residual_images) {
  const auto truth = scattered_atoms(40, 7);
  const std::vector<Vec3> seen(truth.begin() + 4, truth.end());
  Scene scene(gaussians({56, 48, 56}, seen));
  write_images(scene.comm, scene.folder / "series.h5", truth, tilts(), 56, 0.02);
  scene.request.images = (scene.folder / "series.h5").string();
  const auto summary = scene.run();
  EXPECT_EQ(summary["atoms"], 40);
  EXPECT_EQ(summary["refinement"]["added_from_residuals"], 4);
  EXPECT_LT(worst_distance_A(scene.atoms(), truth), 0.1);
}

TEST(Trace, errors_are_those_that_positions_have) {
  const auto truth = scattered_atoms(150, 11);
  Scene scene(gaussians({72, 64, 72}, truth));
  write_images(scene.comm, scene.folder / "series.h5", truth, tilts(), 72, 0.05);
  scene.request.images = (scene.folder / "series.h5").string();
  scene.run();
  const auto atoms = scene.atoms();
  ASSERT_EQ(atoms.size(), 150u);
  const std::array names{"error_x_a", "error_y_a", "error_z_a"};
  for (Eigen::Index axis = 0; axis < 3; ++axis) {
    const auto& error =
        std::get<std::vector<double>>(atoms.columns.at(names[static_cast<std::size_t>(axis)]).values);
    int within = 0;
    for (std::size_t i = 0; i < atoms.size(); ++i) {
      const auto nearest = *std::min_element(truth.begin(), truth.end(), [&](const Vec3& a, const Vec3& b) {
        return (a - atoms.position[i]).norm() < (b - atoms.position[i]).norm();
      });
      within += std::abs(atoms.position[i](axis) - nearest(axis)) < error[i] ? 1 : 0;
    }
    EXPECT_NEAR(within / 150.0, 0.683, 0.13) << axis;  // counting 150 atoms alone scatters by 0.04
  }
}

TEST(Trace, peaks_that_are_no_atoms_are_listed_with_the_reason) {
  Scene scene(
      gaussians({40, 40, 40}, {Vec3(0.6, 0, 0), Vec3(-0.7, 0, 0), Vec3(-20 * kVoxel_A, 0, 0)}, {1, 1.2, 1}));
  scene.run();
  const auto table = io::read_text_file((scene.folder / "rejected_peaks.csv").string());
  EXPECT_NE(table.find("too_close,"), std::string::npos) << table;
  EXPECT_NE(table.find("at_border,-8.0"), std::string::npos) << table;
}

TEST(Trace, angles_that_do_not_fit_the_images_are_refused) {
  const auto truth = scattered_atoms(5, 4);
  Scene scene(gaussians({40, 40, 40}, truth));
  write_images(scene.comm, scene.folder / "series.h5", truth, tilts(), 40, 0);
  scene.request.images = (scene.folder / "series.h5").string();
  scene.request.angles = {{0, 0, 0}};
  EXPECT_THROW(scene.run(), InputError);
  scene.request.options.refine = false;
  EXPECT_EQ(scene.run()["refined"], false);
}

TEST(Trace, errors_of_the_linear_model_are_found_on_simulated_images_and_taken_off) {
  // A microscope that shows every atom a little away from where the sum of peaks has it.
  const auto seen = [](const std::vector<Vec3>& atoms) {
    std::vector<Vec3> places;
    for (const Vec3& r : atoms)
      places.push_back(r + 0.06 * Vec3(std::sin(r.y()), std::cos(r.z()), std::sin(r.x() + r.y())));
    return places;
  };
  const auto truth = scattered_atoms(30, 6);
  Scene scene(gaussians({48, 48, 48}, seen(truth)));
  write_images(scene.comm, scene.folder / "series.h5", seen(truth), tilts(), 48, 0);
  scene.request.images = (scene.folder / "series.h5").string();
  const auto linear = scene.run();
  EXPECT_TRUE(linear["refinement"]["bias_removed_pm"].is_null());
  EXPECT_GT(worst_distance_A(scene.atoms(), truth), 0.06);

  scene.request.options.refine_model = config::RefineModel::multislice;
  scene.request.simulate = [&](const RunContext& context, const ImagesOfModel& images) {
    EXPECT_EQ(images.atoms.atomic_number, std::vector<std::uint8_t>(30, 40));
    EXPECT_EQ(images.angles.size(), tilts().size());
    EXPECT_EQ(images.image_px, (std::array<std::size_t, 2>{48, 48}));
    const auto file = context.work / "model.h5";
    write_images(context.comm, file, seen(images.atoms.position), images.angles, 48, 0);
    return SimulatedModel{file.string(), {}};
  };
  const auto corrected = scene.run();
  EXPECT_NEAR(corrected["refinement"]["bias_removed_pm"], 7.3, 1);
  // To first order: the distortion itself changes over 0.06 Å.
  EXPECT_LT(worst_distance_A(scene.atoms(), truth), 0.008);
}

TEST(Trace, a_stop_request_ends_the_refinement_in_good_order) {
  const auto truth = scattered_atoms(5, 4);
  Scene scene(gaussians({40, 40, 40}, truth));
  write_images(scene.comm, scene.folder / "series.h5", truth, tilts(), 40, 0);
  scene.request.images = (scene.folder / "series.h5").string();
  Stop stop;
  stop.set_time_limit(std::chrono::seconds(0));
  EXPECT_THROW(run_tracing(scene.comm, scene.request, scene.folder / "atoms.extxyz", stop), Interrupted);
  EXPECT_EQ(scene.run()["atoms"], 5);  // and PETSc is fit for another go
}

}  // namespace
}  // namespace aetos::tracing
