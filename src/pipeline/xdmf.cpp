#include "aetos/pipeline/xdmf.hpp"

#include <fmt/format.h>

#include "aetos/core/geometry.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/pipeline/plan.hpp"

namespace aetos::pipeline {
namespace {

std::string volume_grid(const std::filesystem::path& file) {
  const auto info = io::read_volume_info(file.string());
  const auto [nz, ny, nx] = info.shape;
  const double voxel = info.voxel_A.value_or(1);
  const auto origin = [voxel](std::size_t n) { return -voxel * static_cast<double>(centre_index(n)); };
  return fmt::format(R"(<Grid Name="volume" GridType="Uniform">
<Topology TopologyType="3DCoRectMesh" Dimensions="{0} {1} {2}"/>
<Geometry GeometryType="ORIGIN_DXDYDZ">
<DataItem Format="XML" Dimensions="3">{3} {4} {5}</DataItem>
<DataItem Format="XML" Dimensions="3">{6} {6} {6}</DataItem>
</Geometry>
<Attribute Name="volume" AttributeType="Scalar" Center="Node">
<DataItem Format="HDF" NumberType="Float" Precision="4" Dimensions="{0} {1} {2}">{7}:/data/volume/data</DataItem>
</Attribute>
</Grid>
)",
                     nz, ny, nx, origin(nz), origin(ny), origin(nx), voxel, file.filename().string());
}

std::string atoms_grid(const Structure& atoms) {
  std::string places, numbers;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const Vec3& r = atoms.position[i];
    places += fmt::format("{:.4f} {:.4f} {:.4f}\n", r.x(), r.y(), r.z());
    numbers += fmt::format("{}\n", atoms.atomic_number[i]);
  }
  return fmt::format(R"(<Grid Name="atoms" GridType="Uniform">
<Topology TopologyType="Polyvertex" NumberOfElements="{0}"/>
<Geometry GeometryType="XYZ">
<DataItem Format="XML" NumberType="Float" Dimensions="{0} 3">
{1}</DataItem>
</Geometry>
<Attribute Name="atomic number" AttributeType="Scalar" Center="Node">
<DataItem Format="XML" NumberType="Int" Dimensions="{0}">
{2}</DataItem>
</Attribute>
</Grid>
)",
                     atoms.size(), places, numbers);
}

}  // namespace

bool write_xdmf(const std::filesystem::path& run_dir) {
  std::string grids;
  if (const auto file = run_dir / files::volume; std::filesystem::exists(file)) grids += volume_grid(file);
  if (const auto file = run_dir / files::atoms; std::filesystem::exists(file))
    if (const auto atoms = io::read_structure(file.string()); atoms.size() > 0) grids += atoms_grid(atoms);
  if (grids.empty()) return false;
  io::write_file_atomically(
      run_dir / files::xdmf,
      "<?xml version=\"1.0\"?>\n<Xdmf Version=\"3.0\">\n<Domain>\n" + grids + "</Domain>\n</Xdmf>\n");
  return true;
}

}  // namespace aetos::pipeline
