#include "aetos/io/structure_files.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/io/atomic_file.hpp"
#include "support/python.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::io {
namespace {

class StructureFiles : public ::testing::Test {
 protected:
  Structure read(const std::string& text) {
    const auto path = scratch_ / "atoms.xyz";
    write_file_atomically(path, text);
    return read_structure(path);
  }
  /// The message of the InputError that reading `text` gives.
  std::string error_of(const std::string& text) {
    try {
      read(text);
    } catch (const InputError& e) {
      return e.what();
    }
    ADD_FAILURE() << "no error for:\n" << text;
    return {};
  }
  test::TemporaryFolder scratch_;
};

const std::string kTwoAtoms =
    "2\nProperties=species:S:1:pos:R:3 pbc=\"F F F\"\nZr 1.5 -2 3e-6\nO 0 0.25 -3.125E+01\n";

void expect_two_atoms(const Structure& s) {
  ASSERT_EQ(s.size(), 2u);
  EXPECT_EQ(s.atomic_number, (std::vector<std::uint8_t>{40, 8}));
  EXPECT_EQ(s.position[0], Vec3(1.5, -2, 3e-6));
  EXPECT_EQ(s.position[1], Vec3(0, 0.25, -31.25));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

TEST_F(StructureFiles, LineEndsBlanksAndTabsDoNotMatter) {
  expect_two_atoms(read(kTwoAtoms));
  expect_two_atoms(read(replaced(kTwoAtoms, "\n", "\r\n")));
  expect_two_atoms(read(kTwoAtoms.substr(0, kTwoAtoms.size() - 1)));
  expect_two_atoms(read(kTwoAtoms + "\n\n  \n"));
  expect_two_atoms(read(replaced(replaced(kTwoAtoms, "Zr", "  Zr"), "O 0", "\tO\t 0\t")));
  expect_two_atoms(read("\xEF\xBB\xBF" + replaced(kTwoAtoms, "2\n", " 2 \n")));
}

TEST_F(StructureFiles, NumbersInEveryCommonNotation) {
  const Structure s = read("1\nProperties=species:S:1:pos:R:3\nZr 1e-6 -3E-06 +1.0D+00\n");
  EXPECT_EQ(s.position[0], Vec3(1e-6, -3e-6, 1.0));
  for (const char* bad : {"1,5", "nan", "inf", "NaN", "0x10", "1.5e", "abc", "++1", "1e400", "1.0D"}) {
    const std::string message = error_of(replaced(kTwoAtoms, "0.25", bad));
    EXPECT_NE(message.find("atoms.xyz:4"), std::string::npos) << message;
    EXPECT_NE(message.find(bad), std::string::npos) << message;
  }
}

TEST_F(StructureFiles, ColumnsAreFoundByPropertiesNotByPlace) {
  const Structure s = read(
      "2\nLattice=\"10 0 0 0 11 0 0 0 12\" Origin=\"-5 -5.5 -6\" "
      "Properties=pos:R:3:Phase:S:1:Z:I:1:fixed:L:1:force:R:3:n:I:2 note='two words' seed=11 flag\n"
      "1 2 3 metal 40 T 0.1 0.2 0.3 -1 2\n4 5 6 oxide 8 F 0.4 0.5 0.6 3 -4\n");
  EXPECT_EQ(s.atomic_number, (std::vector<std::uint8_t>{40, 8}));
  EXPECT_EQ(s.position[1], Vec3(4, 5, 6));
  EXPECT_EQ(std::get<std::vector<std::string>>(s.columns.at("phase").values)[1], "oxide");
  EXPECT_EQ(std::get<std::vector<std::uint8_t>>(s.columns.at("fixed").values)[0], 1);
  EXPECT_EQ(std::get<std::vector<double>>(s.columns.at("force").values)[5], 0.6);
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(s.columns.at("n").values)[3], -4);
  EXPECT_EQ(s.columns.at("n").width, 2u);
  ASSERT_TRUE(s.cell);
  EXPECT_EQ(s.cell->vectors(1, 1), 11);
  EXPECT_EQ(s.cell->periodic, (std::array<bool, 3>{false, false, false}));
  EXPECT_EQ(s.comments.at("Origin"), "-5 -5.5 -6");
  EXPECT_EQ(s.comments.at("note"), "two words");
  EXPECT_EQ(s.comments.at("seed"), "11");
}

TEST_F(StructureFiles, TriclinicAndLeftHandedLatticesLeavePositionsAlone) {
  for (const char* lattice : {"10 0 0 3 9 0 1 2 8", "0 10 0 10 0 0 0 0 10", "10 0 0 0 10 0 0 0 0"}) {
    const Structure s = read("1\nLattice=\"" + std::string(lattice) +
                             "\" Properties=species:S:1:pos:R:3 pbc=\"T F T\"\nZr 7 -20 30\n");
    EXPECT_EQ(s.position[0], Vec3(7, -20, 30));
    EXPECT_EQ(s.cell->periodic, (std::array<bool, 3>{true, false, true}));
  }
}

TEST_F(StructureFiles, WrongInputSaysWhereAndWhat) {
  const auto expect = [&](const std::string& text, const std::string& place, const std::string& found) {
    const std::string message = error_of(text);
    EXPECT_NE(message.find(place), std::string::npos) << message;
    EXPECT_NE(message.find(found), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  };
  expect("", "atoms.xyz", "empty");
  expect("two\nx\n", "atoms.xyz:1", "two");
  expect(replaced(kTwoAtoms, "2\nP", "3\nP"), "atoms.xyz:5", "end after 2");
  expect(replaced(kTwoAtoms, "2\nP", "1\nP"), "atoms.xyz:4", "more lines");
  expect(replaced(kTwoAtoms, "2\nP", "-2\nP"), "atoms.xyz:1", "-2");
  expect(replaced(kTwoAtoms, "2\nP", "1000000000000\nP"), "atoms.xyz:5", "end after 2");
  expect(replaced(kTwoAtoms, "0.25", ""), "atoms.xyz:4", "3 values");
  expect(replaced(kTwoAtoms, "pos:R:3", "pos:R"), "atoms.xyz:2", "pos:R");
  expect(replaced(kTwoAtoms, "pos:R:3", "pos:R:99999999"), "atoms.xyz:2", "99999999");
  expect(replaced(kTwoAtoms, "species:S:1:", ""), "atoms.xyz:2", "species");
  expect(replaced(kTwoAtoms, "pbc=\"F F F\"", "pbc=\"F F\""), "atoms.xyz:2", "pbc");
  expect(replaced(kTwoAtoms, "pbc=\"F F F\"", "Lattice=\"1 2 3\""), "atoms.xyz:2", "3 numbers");
  expect(replaced(kTwoAtoms, "pbc=\"F F F\"", "Lattice=\"1 2 3"), "atoms.xyz:2", "no end");
  expect(std::string("1\n\0\0\n", 5), "atoms.xyz", "not a text");
  for (const char* species : {"Q", "D", "104", "ZR", "zr", "Zr1", "-1"})
    expect(replaced(kTwoAtoms, "O ", std::string(species) + " "), "atoms.xyz:4", species);
  for (const char* occupancy : {"1.2", "-0.1", "nan"})
    expect("1\nProperties=species:S:1:pos:R:3:occupancy:R:1\nZr 0 0 0 " + std::string(occupancy) + "\n",
           "atoms.xyz:3", occupancy);
}

TEST_F(StructureFiles, SitesWithoutAnElementAreNumberZero) {
  EXPECT_EQ(read(replaced(kTwoAtoms, "O ", "X ")).atomic_number[1], 0);
}

TEST_F(StructureFiles, TheFirstOfSeveralFramesIsReadWithANote) {
  const std::size_t before = log::warnings().size();
  expect_two_atoms(read(kTwoAtoms + replaced(kTwoAtoms, "Zr", "Ti")));
  ASSERT_GT(log::warnings().size(), before);
  EXPECT_NE(log::warnings().back().find("several frames"), std::string::npos);
  const auto frames = read_structure_frames(scratch_ / "atoms.xyz");
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[1].atomic_number[0], 22);
}

TEST_F(StructureFiles, PlainXyz) {
  const Structure s = read("2\nmade by hand\nZr 1.5 -2 3e-6\n8 0 0.25 -31.25\n");
  expect_two_atoms(s);
  EXPECT_EQ(s.comments.at("comment"), "made by hand");
  EXPECT_FALSE(s.cell);
}

TEST_F(StructureFiles, PrismaticXyz) {
  const std::string text = "8\n 10.0 11.0 12.0\n40 1 2 3 0.5 0.08\n8 4 5 6 1 0\n-1\n";
  const Structure s = read(text);
  ASSERT_EQ(s.size(), 2u);
  EXPECT_EQ(s.atomic_number, (std::vector<std::uint8_t>{40, 8}));
  EXPECT_EQ(s.cell->vectors(2, 2), 12);
  EXPECT_EQ(s.cell->periodic, (std::array<bool, 3>{true, true, true}));
  EXPECT_EQ(std::get<std::vector<double>>(s.columns.at("occupancy").values)[0], 0.5);
  EXPECT_EQ(std::get<std::vector<double>>(s.columns.at("u").values)[0], 0.08);
  EXPECT_NE(error_of(replaced(text, "-1\n", "")).find("-1"), std::string::npos);
  EXPECT_NE(error_of(replaced(text, "0.5", "1.5")).find("atoms.xyz:3: occupancy 1.5"), std::string::npos);
  EXPECT_NE(error_of(replaced(text, "\n40 ", "\n104 ")).find("atoms.xyz:3: atomic number 104"),
            std::string::npos);
}

Structure with_every_kind_of_column() {
  Structure s;
  s.atomic_number = {40, 8, 0};
  s.position = {Vec3(0.1, 1.0 / 3, -2e-300), Vec3(-0.0, 123456.789012345678, 5e-324), Vec3(1, 2, 3)};
  s.columns["phase"] = {std::vector<std::string>{"metal", "c-ZrO2", ""}, 1};
  s.columns["coordination"] = {std::vector<std::int64_t>{12, -8, 0}, 1};
  s.columns["surface"] = {std::vector<std::uint8_t>{1, 0, 1}, 1};
  s.columns["shift"] = {std::vector<double>{0.1, 0.2, 0.3, 1e-17, 2, 3, 4, 5, 6}, 3};
  s.cell = Cell{Mat3::Identity() * 10.5, {true, false, true}};
  s.comments = {{"Origin", "-1 -2 -3"}, {"note", "says \"hi\" = {5}"}, {"seed", "11"}};
  return s;
}

TEST_F(StructureFiles, WhatWeWriteReadsBackTheSame) {
  const Structure s = with_every_kind_of_column();
  write_extxyz(scratch_ / "s.extxyz", s);
  const Structure t = read_structure(scratch_ / "s.extxyz");
  EXPECT_EQ(t.atomic_number, s.atomic_number);
  EXPECT_EQ(t.position, s.position);
  ASSERT_EQ(t.columns.size(), s.columns.size());
  for (const char* name : {"coordination", "surface", "shift"}) {
    EXPECT_EQ(t.columns.at(name).values, s.columns.at(name).values) << name;
    EXPECT_EQ(t.columns.at(name).width, s.columns.at(name).width) << name;
  }
  EXPECT_EQ(std::get<std::vector<std::string>>(t.columns.at("phase").values),
            (std::vector<std::string>{"metal", "c-ZrO2", "-"}));
  EXPECT_EQ(t.cell->vectors, s.cell->vectors);
  EXPECT_EQ(t.cell->periodic, s.cell->periodic);
  EXPECT_EQ(t.comments, s.comments);
  write_extxyz(scratch_ / "t.extxyz", t);
  EXPECT_EQ(read_text_file(scratch_ / "s.extxyz").size(), read_text_file(scratch_ / "t.extxyz").size());
}

TEST_F(StructureFiles, AseReadsWhatWeWrite) {
  if (!test::python_has("ase.io")) GTEST_SKIP() << "python3-ase is not installed";
  Structure s = with_every_kind_of_column();
  s.position[1].z() = 0.5;
  write_extxyz(scratch_ / "s.extxyz", s);
  write_file_atomically(scratch_ / "check.py", R"(
import sys
import numpy as np
from ase.io import read
a = read(sys.argv[1], format='extxyz')
assert a.get_chemical_symbols() == ['Zr', 'O', 'X'], a
assert np.array_equal(a.positions[:2], [[0.1, 1 / 3, -2e-300], [0, 123456.789012345678, 0.5]]), a.positions
assert list(a.arrays['phase'][:2]) == ['metal', 'c-ZrO2'], a.arrays
assert list(a.arrays['coordination']) == [12, -8, 0]
assert list(a.arrays['surface']) == [True, False, True]
assert a.arrays['shift'].shape == (3, 3) and a.arrays['shift'][2, 2] == 6
assert list(a.pbc) == [True, False, True] and a.cell[0, 0] == 10.5
assert a.info['seed'] == 11, a.info
)");
  EXPECT_EQ(test::run_python(scratch_ / "check.py", scratch_ / "s.extxyz"), 0);
}

TEST_F(StructureFiles, ReadsThePublicFiles) {
  AETOS_NEEDS_SHARED("models/small.extxyz");
  const Structure small = read_structure(test::shared_data("models/small.extxyz"));
  EXPECT_EQ(small.size(), 608u);
  EXPECT_EQ(small.comments.at("Origin"), "-23.5 -23.5 -23.5");
  EXPECT_EQ(small.cell->vectors(0, 0), 47.0);
  EXPECT_EQ(read_structure(test::shared_data("multislice/prismatic-small-particle.xyz")).size(), 608u);
  const Structure film = read_structure(test::shared_data("analysis/ta-film.extxyz"));
  EXPECT_EQ(film.size(), 8284u);
  EXPECT_EQ(film.columns.at("crystal").values.index(), 1u);
}

}  // namespace
}  // namespace aetos::io
