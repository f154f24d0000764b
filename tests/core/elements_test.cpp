#include <gtest/gtest.h>

#include <set>

#include "aetos/core/error.hpp"
#include "aetos/core/structure.hpp"

namespace aetos {
namespace {

TEST(Elements, KnownNumbers) {
  EXPECT_EQ(atomic_number("H"), 1);
  EXPECT_EQ(atomic_number("O"), 8);
  EXPECT_EQ(atomic_number("Y"), 39);
  EXPECT_EQ(atomic_number("Zr"), 40);
  EXPECT_EQ(atomic_number("Ta"), 73);
  EXPECT_EQ(atomic_number("Pt"), 78);
  EXPECT_EQ(atomic_number("No"), 102);
  EXPECT_EQ(atomic_number("Lr"), 103);
}

TEST(Elements, SymbolAndNumberAreInverse) {
  std::set<std::string> distinct;
  for (int z = 1; z <= 103; ++z) {
    const auto& symbol = element_symbol(static_cast<std::uint8_t>(z));
    EXPECT_EQ(atomic_number(symbol), z) << symbol;
    distinct.insert(symbol);
  }
  EXPECT_EQ(distinct.size(), 103u);
}

TEST(Elements, UnknownSymbolsAreZero) {
  for (const char* symbol : {"", "X", "Q", "D", "zr", "ZR", "Zr ", "Rf", "40"})
    EXPECT_EQ(atomic_number(symbol), 0);
  EXPECT_EQ(element_symbol(0), "X");
}

TEST(Elements, NumbersAboveLawrenciumAreRefused) {
  EXPECT_THROW(element_symbol(104), InputError);
}

}  // namespace
}  // namespace aetos
