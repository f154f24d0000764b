// Keys of the specimen: its atoms, from a file or a builder, and how they move.
#include <fmt/format.h>

#include "aetos/core/structure.hpp"
#include "describe.hpp"

namespace aetos::config {
namespace {

using atoms::BuildOptions;
using atoms::FilmOptions;
using atoms::Lattice;
using atoms::OxygenShares;
using atoms::PerElement;
using atoms::SolidOptions;
using atoms::SpecimenOptions;
using atoms::ThermalOptions;

/// A section that may be absent, or `none`.
template <class S, class Part>
Field<S> section(const std::string& name, std::optional<Part> S::*member, Codec<Part> codec,
                 const std::string& meaning) {
  Field<S> f{name, meaning, false, codec.about, {}, {}};
  f.about.schema = json{{"anyOf", json::array({json{{"const", "none"}}, codec.about.schema})}};
  f.read = [=](Reader& r, const YamlNode& node, S& s) {
    if (node.is_word("none")) return (s.*member).reset();
    (s.*member).emplace();
    codec.read(r, node, *(s.*member));
  };
  f.write = [=](const S& s) -> std::optional<YamlNode> {
    return s.*member ? codec.write(*(s.*member)) : io::yaml_plain("none");
  };
  return f;
}

/// One number, or a map by element symbol.
Codec<PerElement> per_element(const Codec<double>& one) {
  Codec<PerElement> codec;
  codec.about.words = one.about.words + "; one for all, or a map by element symbol";
  codec.about.schema["anyOf"] = json::array(
      {one.about.schema,
       json{{"type", "object"}, {"minProperties", 1}, {"additionalProperties", one.about.schema}}});
  codec.read = [one](Reader& r, const YamlNode& node, PerElement& out) {
    if (node.kind != YamlNode::Kind::map) {
      double value = 0;
      one.read(r, node, value);
      out = value;
      return;
    }
    std::map<std::string, double> values;
    for (const auto& [symbol, child] : node.members) {
      if (atomic_number(symbol) == 0)
        throw InputError(child.place, fmt::format("'{}'", symbol), "an element symbol, H to Lr, as in Zr");
      one.read(r, child, values[symbol]);
    }
    if (values.empty())
      throw InputError(node.place, "an empty map", "an element and its value, as in {Zr: 0.3}");
    out = std::move(values);
  };
  codec.write = [one](const PerElement& value) {
    if (const auto* all = std::get_if<double>(&value)) return one.write(*all);
    std::vector<io::YamlMember> members;
    for (const auto& [symbol, v] : std::get<std::map<std::string, double>>(value))
      members.emplace_back(symbol, one.write(v));
    return io::yaml_map(std::move(members));
  };
  return codec;
}

Codec<ThermalOptions> describe_thermal() {
  using S = ThermalOptions;
  return group<S>({
      field<S>(
          "debye_waller_B_A2", &S::debye_waller_B_A2,
          optional("none", per_element(number({0, 100, "0.1 to 2"}))),
          "Debye-Waller factor B = 8 pi² <u²> in Å²; <u²> is the mean square displacement along one axis"),
      field<S>("rms_displacement_A", &S::rms_displacement_A,
               optional("none", per_element(number({0, 2, "0.03 to 0.15"}))),
               "instead of B: rms displacement along one axis in Å"),
      field<S>(
          "frozen_phonons", &S::frozen_phonons, optional("auto", whole(1, 100000)),
          "displaced configurations whose intensities are averaged at every tilt; auto: 1, or all snapshots "
          "of configurations"),
      field<S>(
          "configurations", &S::configurations,
          path("a path of an extended XYZ file of many frames", {}, "none"),
          "instead of B: snapshots of a molecular-dynamics run, with the specimen's atoms in its order; each "
          "tilt takes the next frozen_phonons of them, from the first again after the last"),
  });
}

Codec<SolidOptions> describe_solid() {
  using S = SolidOptions;
  const auto direction = each_axis<double, 3>(number({-1000, 1000}), "u, v, w");
  return group<S>({
      required(field<S>("structure", &S::structure,
                        word<Lattice>({{"sc", Lattice::sc},
                                       {"bcc", Lattice::bcc},
                                       {"fcc", Lattice::fcc},
                                       {"diamond", Lattice::diamond},
                                       {"zincblende", Lattice::zincblende},
                                       {"rocksalt", Lattice::rocksalt},
                                       {"fluorite", Lattice::fluorite},
                                       {"file", Lattice::file},
                                       {"amorphous", Lattice::amorphous}}),
                        "a cubic lattice, the cell of a file, or atoms at random")),
      field<S>("elements", &S::elements, list(element()),
               "one, or two where the lattice has two kinds of sites (fluorite: [Zr, O])"),
      field<S>("a_A", &S::a_A, optional("none", number({0.5, 100, "3 to 6"})), "cubic lattice constant"),
      field<S>("file", &S::file, path("a path of an atom file with a Lattice", {}, "none"),
               "the cell of structure file"),
      field<S>("zone_axis", &S::zone_axis, direction,
               "lattice direction along z, the beam at zero tilt; [1, 1, 0] is along a + b"),
      field<S>("x_axis", &S::x_axis, optional("auto", direction),
               "lattice direction as near to x as zone_axis allows; auto: the cell's axis most nearly normal "
               "to zone_axis"),
      field<S>("euler_deg", &S::euler_deg, each_axis<double, 3>(number({-720, 720}), "phi, theta, psi"),
               "a further rotation, as of a projection"),
      field<S>("random_orientation", &S::random_orientation, boolean(),
               "an orientation drawn from the seed instead"),
      field<S>("density_g_cm3", &S::density_g_cm3, optional("none", number({0, 30, "1 to 10", true})),
               "of structure amorphous"),
      field<S>("composition", &S::composition, list(number({0, 1000, "1 to 4"})),
               "of structure amorphous: shares of the elements, as in [3, 4]; none given: equal"),
      field<S>("min_distance_A", &S::min_distance_A, number({0.1, 10, "1.3 to 3"}),
               "of structure amorphous: the least distance of two atoms"),
  });
}

Codec<OxygenShares> describe_occupancy() {
  using S = OxygenShares;
  const auto share = number({0, 1});
  return group<S>({
      field<S>("metal", &S::metal, share, "share of the tetrahedral sites in the metal that hold an oxygen"),
      field<S>("c-ZrO2", &S::crystalline_oxide, share, "in crystalline oxide"),
      field<S>("a-ZrO2", &S::amorphous_oxide, share, "in amorphous oxide"),
      field<S>("other", &S::other, share, "elsewhere"),
  });
}

Codec<BuildOptions> describe_build() {
  using S = BuildOptions;
  using atoms::BuildKind;
  const auto length = optional("none", number({0, 100000, "10 to 200", true}));
  return group<S>({
      required(
          field<S>("kind", &S::kind,
                   word<BuildKind>({{"slab", BuildKind::slab},
                                    {"particle", BuildKind::particle},
                                    {"core-shell", BuildKind::core_shell},
                                    {"bicrystal", BuildKind::bicrystal},
                                    {"fill-oxygen", BuildKind::fill_oxygen}}),
                   "a slab; a sphere; a sphere in a shell; a sphere of two crystals that meet at x = 0; or "
                   "oxygen in the tetrahedral sites of a model")),
      field<S>("seed", &S::seed, optional("auto", seed_number()),
               "of everything that is drawn; auto: the config's. A campaign varies it by its sweep"),
      section<S, SolidOptions>("crystal", &S::crystal, describe_solid(),
                               "what a slab, a particle or the side x < 0 of a bicrystal is made of"),
      section<S, SolidOptions>("core", &S::core, describe_solid(), "core-shell: the core"),
      section<S, SolidOptions>("shell", &S::shell, describe_solid(), "core-shell: the shell"),
      section<S, SolidOptions>("second", &S::second, describe_solid(),
                               "bicrystal: the side x > 0; left out: as the first"),
      field<S>("thickness_A", &S::thickness_A, length, "slab: along z, about the origin"),
      field<S>("width_A", &S::width_A,
               optional("none", each_axis<double, 2>(number({0, 100000, "10 to 200", true}), "y, x")),
               "slab: its sides, about the origin"),
      field<S>(
          "periodic", &S::periodic, boolean(),
          "slab: widths are rounded to whole periods of the crystal, and the cell repeats along x and y"),
      field<S>("radius_A", &S::radius_A, length, "particle, core-shell, bicrystal: radius of the whole"),
      field<S>("core_radius_A", &S::core_radius_A, length, "core-shell: radius of the core"),
      field<S>("core_centre_A", &S::core_centre_A,
               each_axis<double, 3>(number({-100000, 100000, "-10 to 10"}), "x, y, z"),
               "core-shell: centre of the core"),
      field<S>("clearance_A", &S::clearance_A, number({0, 10, "1.5 to 3"}),
               "core-shell, bicrystal: an atom of the second part that is nearer to one of the first is left "
               "out"),
      field<S>("bend_deg", &S::bend_deg, number({-180, 180, "0 to 15"}),
               "bicrystal: turn of the second side about y, in the interface"),
      field<S>("twist_deg", &S::twist_deg, number({-180, 180, "0 to 15"}),
               "bicrystal: turn of the second side about x, the interface's normal"),
      field<S>("disorder_A", &S::disorder_A, number({0, 2, "0 to 0.1"}),
               "static displacement of every atom, rms along one axis"),
      field<S>("file", &S::file, path("a path of an atom file", {}, "none"),
               "fill-oxygen: the model to fill; its column phase is used where it has one"),
      field<S>("occupancy", &S::occupancy, describe_occupancy(),
               "fill-oxygen: how many of the sites of each phase hold an oxygen"),
  });
}

Codec<FilmOptions> describe_film() {
  using S = FilmOptions;
  using atoms::FilmMaterial;
  using atoms::FilmPosition;
  return group<S>({
      field<S>("material", &S::material,
               word<FilmMaterial>({{"carbon", FilmMaterial::carbon}, {"SiN", FilmMaterial::silicon_nitride}}),
               "amorphous carbon, or silicon nitride (Si3N4)"),
      required(field<S>("thickness_A", &S::thickness_A, number({0, 10000, "20 to 500", true}), "along z")),
      field<S>("density_g_cm3", &S::density_g_cm3, optional("auto", number({0, 10, "1.8 to 3.2", true})),
               "auto: 2.0 for carbon, 3.0 for SiN"),
      field<S>("position", &S::position,
               word<FilmPosition>({{"under", FilmPosition::under},
                                   {"above", FilmPosition::above},
                                   {"around", FilmPosition::around}}),
               "where the beam leaves the particle at zero tilt, where it enters, or about z = 0 with the "
               "particle "
               "in it"),
      field<S>("gap_A", &S::gap_A, number({0, 1000, "1 to 3"}),
               "under, above: from the particle's outermost atom to the film's face"),
      field<S>("clearance_A", &S::clearance_A, number({0, 100, "2.5 to 4"}),
               "around: no film atom is nearer to an atom of the particle"),
      field<S>("width_A", &S::width_A,
               optional("auto", each_axis<double, 2>(number({0, 100000, "50 to 1000", true}), "y, x")),
               "sides of the film; auto: it covers the field at every tilt up to 80 degrees"),
      field<S>("seed", &S::seed, optional("auto", seed_number()), "of its atoms; auto: the config's"),
  });
}

}  // namespace

Codec<SpecimenOptions> describe_specimen() {
  using S = SpecimenOptions;
  return group<S>({
      field<S>("file", &S::file, path("a path of an extended XYZ, XYZ or Prismatic XYZ file", {}, "none"),
               "atoms, Å about the rotation centre; this or build"),
      section<S, BuildOptions>("build", &S::build, describe_build(),
                               "a specimen that is made instead of read"),
      section<S, FilmOptions>("film", &S::film, describe_film(),
                              "an amorphous film, normal to z, whose atoms are added to the specimen's"),
      field<S>("origin", &S::origin,
               word<atoms::Origin>({{"file", atoms::Origin::file},
                                    {"cell_centre", atoms::Origin::cell_centre},
                                    {"centroid", atoms::Origin::centroid}}),
               "what becomes the rotation centre: the file's own origin, the middle of its cell, or the "
               "centroid of the atoms"),
      field<S>(
          "occupancy", &S::occupancy,
          word<atoms::Occupancy>({{"random", atoms::Occupancy::random}, {"mean", atoms::Occupancy::mean}}),
          "an occupancy below 1 means: filled or empty, drawn once per specimen; or a weaker potential"),
      field<S>(
          "thermal", &S::thermal, describe_thermal(),
          "thermal motion: Einstein model or snapshots; without a key of it the columns debye_waller_B_A2, "
          "rms_displacement_A or U_A2 (1, 6 or 9 numbers) of the atoms, where there are any"),
  });
}

}  // namespace aetos::config
