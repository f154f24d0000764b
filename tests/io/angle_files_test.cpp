#include <gtest/gtest.h>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/tilt_series.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::io {
namespace {

class AngleFiles : public ::testing::Test {
 protected:
  std::vector<EulerAngles> read(const std::string& name, const std::string& text) {
    write_file_atomically(scratch_ / name, text);
    return read_angles(scratch_ / name);
  }
  std::string error_of(const std::string& name, const std::string& text) {
    try {
      read(name, text);
    } catch (const InputError& e) {
      return e.what();
    }
    ADD_FAILURE() << "no error for " << name << ":\n" << text;
    return {};
  }
  test::TemporaryFolder scratch_;
};

const std::vector<EulerAngles> kThree{{0, -60, 0}, {0, 0, 0}, {0, 60.5, 0}};

TEST_F(AngleFiles, OneAngleOnALine) {
  for (const char* name : {"a.rawtlt", "a.tlt", "a.txt", "a.csv"}) {
    EXPECT_EQ(read(name, "-60\n0\n60.5\n"), kThree);
    EXPECT_EQ(read(name, "  -60.00\r\n  0.00\r\n 6.05e1"), kThree);
    EXPECT_EQ(read(name, "-60\n0\n60.5\n\n \n\n"), kThree);
  }
}

TEST_F(AngleFiles, ThreeAnglesOnALine) {
  const std::vector<EulerAngles> two{{1, -70, 3}, {4, 70, -6}};
  EXPECT_EQ(read("a.txt", "1 -70 3\n4 70 -6\n"), two);
  EXPECT_EQ(read("a.csv", "phi,theta,psi\n1,-70,3\n4, 70, -6\n"), two);
  EXPECT_EQ(read("a.csv", "# degrees\n1;-70;3\n4;70;-6\n"), two);
}

TEST_F(AngleFiles, WrongInputSaysWhereAndWhat) {
  const auto expect = [&](const char* name, const std::string& text, const std::string& place,
                          const std::string& found) {
    const std::string message = error_of(name, text);
    EXPECT_NE(message.find(place), std::string::npos) << message;
    EXPECT_NE(message.find(found), std::string::npos) << message;
  };
  for (const char* name : {"a.rawtlt", "a.txt", "a.csv"}) {
    expect(name, "-60\nnan\n60\n", ":2", "nan");
    expect(name, "-60\n0\nsixty\n", ":3", "sixty");
    expect(name, "-60\ninf\n", ":2", "inf");
    expect(name, "", name, "no angles");
    expect(name, "\n\n", name, "no angles");
  }
  expect("a.tlt", "-60\n1,5\n", ":2", "1,5");
  expect("a.txt", "-60\n1,5\n", ":2", "2 values");
  expect("a.txt", "1 2 3\n5\n", ":2", "1 values");
  EXPECT_THROW(read_angles(scratch_ / "missing.rawtlt"), InputError);
  EXPECT_THROW(read_angles(scratch_ / "missing.mat"), InputError);
}

}  // namespace
}  // namespace aetos::io
