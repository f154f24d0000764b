#include <gtest/gtest.h>

#include <cmath>

#include "aetos/pipeline/report_images.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_plots.hpp"

namespace aetos::pipeline::report {
namespace {

TEST(ReportPage, EscapesWhatFilesSay) {
  EXPECT_EQ(escape("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  EXPECT_EQ(escape(std::string("a\0b\x1b", 4)), "ab");
}

TEST(ReportPage, FormatsNumbersForPeople) {
  EXPECT_EQ(format(15392), "15,392");
  EXPECT_EQ(format(1234567.891, 2), "1,234,567.89");
  EXPECT_EQ(format(-0.001, 1), "0.0");
  EXPECT_EQ(format(-12.34, 1), "−12.3");
  EXPECT_EQ(format(std::nullopt, 1), "–");
  EXPECT_EQ(format(std::nan("")), "–");
  EXPECT_EQ(format_short(0.05), "0.05");
  EXPECT_EQ(format_short(0.10693), "0.107");
  EXPECT_EQ(format_short(-20), "−20");
  EXPECT_EQ(format_short(2000), "2,000");
  EXPECT_EQ(format_short(0), "0");
  EXPECT_EQ(format_percent(0.97249), "97.2 %");
}

TEST(ReportPage, TakesOnlyNumbersForNumbers) {
  const auto object = nlohmann::json::parse(R"({"a": 1.5, "b": null, "c": "7"})");
  EXPECT_EQ(number(object, "a"), 1.5);
  EXPECT_FALSE(number(object, "b"));
  EXPECT_FALSE(number(object, "c"));
  EXPECT_FALSE(number(object, "d"));
}

TEST(ReportPlots, TicksAreRoundAndInside) {
  EXPECT_EQ(linear_ticks(-70, 70, 7), (std::vector<double>{-60, -40, -20, 0, 20, 40, 60}));
  const auto fine = linear_ticks(0, 0.117, 5);
  ASSERT_EQ(fine.size(), 6U);
  EXPECT_DOUBLE_EQ(fine[5], 0.1);
  EXPECT_EQ(linear_ticks(-75, 76, 7), (std::vector<double>{-60, -40, -20, 0, 20, 40, 60}));
  const auto decade = log_ticks(0.08, 1);
  ASSERT_EQ(decade.size(), 4U);
  EXPECT_DOUBLE_EQ(decade[0], 0.1);
  EXPECT_DOUBLE_EQ(decade[3], 1);
}

TEST(ReportPlots, HistogramKeepsEveryFiniteValue) {
  std::vector<double> values{std::nan(""), -1e9};
  for (int i = 0; i < 1000; ++i) values.push_back(i);
  const auto h = histogram(values, 10);
  ASSERT_EQ(h.edges.size(), 11U);
  double sum = 0;
  for (double c : h.counts) sum += c;
  EXPECT_EQ(sum, 1001);
  EXPECT_TRUE(histogram({}, 10).edges.empty());
  EXPECT_EQ(histogram({3, 3, 3}, 4).edges.size(), 5U);
}

TEST(ReportPlots, LeavesOutUndefinedPoints) {
  const auto svg = line_plot({"x"}, {"y"}, {1, 2, 3}, {0.5, std::nan(""), 0.25}, "a curve");
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_NE(line_plot({"x"}, {"y"}, {}, {}, "nothing").find("<svg"), std::string::npos);
}

TEST(ReportImages, DownsamplingKeepsTheMean) {
  Array<float, 2> image({5, 7});
  for (std::size_t i = 0; i < image.size(); ++i) image.data()[i] = static_cast<float>(i);
  EXPECT_EQ(block_size(5, 7, 7), 1U);
  const auto block = block_size(5, 7, 4);
  EXPECT_EQ(block, 2U);
  const auto small = downsample(image, block);
  EXPECT_EQ(small.shape(), (Shape<2>{3, 4}));
  EXPECT_FLOAT_EQ(small(0, 0), (0 + 1 + 7 + 8) / 4.0F);
  EXPECT_FLOAT_EQ(small(2, 3), 34);
}

TEST(ReportImages, GreyScaleIgnoresNaNAndHotPixels) {
  Array<float, 2> image({10, 100});
  for (std::size_t i = 0; i < image.size(); ++i) image.data()[i] = static_cast<float>(i) / 1000;
  image(0, 0) = NAN;
  image(0, 1) = 1e6F;
  const auto scale = grey_scale({image}, 0.99);
  EXPECT_EQ(scale.low, 0);
  EXPECT_NEAR(scale.high, 0.99, 0.01);
}

TEST(ReportImages, ScaleBarIsRoundAndAtMostAQuarter) {
  EXPECT_DOUBLE_EQ(scale_bar_A(47.4), 10);
  EXPECT_DOUBLE_EQ(scale_bar_A(100), 20);
  EXPECT_DOUBLE_EQ(scale_bar_A(8), 2);
}

TEST(ReportImages, DotsLieOnTheirPixels) {
  Array<float, 2> image({3, 3});
  Picture picture{
      .image = image, .pixel_A = 2, .centre = {1, 1}, .across = "x", .down = "y", .dots = {{2, 0, 0}}};
  // Column 2 of 3: its middle is at 5/6 of 360 units, after a margin of 20.
  EXPECT_NE(picture_svg(picture, {0, 1}, "").find("cx=\"320.0\" cy=\"180.0\""), std::string::npos);
}

}  // namespace
}  // namespace aetos::pipeline::report
