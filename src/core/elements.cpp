#include <algorithm>
#include <array>
#include <string>

#include "aetos/core/error.hpp"
#include "aetos/core/structure.hpp"

namespace aetos {
namespace {

/// By atomic number; 0 is a site without an element.
const std::array<std::string, 104> kSymbols{
    "X",  "H",  "He", "Li", "Be", "B",  "C",  "N",  "O",  "F",  "Ne", "Na", "Mg", "Al", "Si",
    "P",  "S",  "Cl", "Ar", "K",  "Ca", "Sc", "Ti", "V",  "Cr", "Mn", "Fe", "Co", "Ni", "Cu",
    "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",  "Zr", "Nb", "Mo", "Tc", "Ru",
    "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I",  "Xe", "Cs", "Ba", "La", "Ce", "Pr",
    "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W",
    "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac",
    "Th", "Pa", "U",  "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md", "No", "Lr"};

}  // namespace

std::uint8_t atomic_number(const std::string& symbol) {
  const auto found = std::find(kSymbols.begin() + 1, kSymbols.end(), symbol);
  return found == kSymbols.end() ? std::uint8_t{0} : static_cast<std::uint8_t>(found - kSymbols.begin());
}

const std::string& element_symbol(std::uint8_t atomic_number) {
  if (atomic_number >= kSymbols.size())
    throw InputError("atomic number", std::to_string(atomic_number), "1 (H) to 103 (Lr), or 0");
  return kSymbols[atomic_number];
}

}  // namespace aetos
