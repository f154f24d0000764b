#pragma once

#include "lanes.hpp"

/// Discrete Fourier transforms of 2, 3, 4, 5 and 8 elements in registers, sign Sign in exp(Sign 2 pi i k x /
/// R).
namespace aetos::multislice {

template <int R, int Sign>
struct Butterfly;

template <int Sign>
struct Butterfly<2, Sign> {
  [[gnu::always_inline]] static void run(ComplexLane (&a)[2]) {
    const ComplexLane s = a[0] + a[1];
    a[1] = a[0] - a[1];
    a[0] = s;
  }
};

template <int Sign>
struct Butterfly<3, Sign> {
  [[gnu::always_inline]] static void run(ComplexLane (&a)[3]) {
    const ComplexLane sum = a[1] + a[2], turned = quarter<Sign>(a[1] - a[2]) * 0.866025403784438647f;
    const ComplexLane base = a[0] - sum * 0.5f;
    a[0] = a[0] + sum;
    a[1] = base + turned;
    a[2] = base - turned;
  }
};

template <int Sign>
struct Butterfly<4, Sign> {
  [[gnu::always_inline]] static void run(ComplexLane (&a)[4]) {
    const ComplexLane s02 = a[0] + a[2], d02 = a[0] - a[2];
    const ComplexLane s13 = a[1] + a[3], d13 = quarter<Sign>(a[1] - a[3]);
    a[0] = s02 + s13;
    a[1] = d02 + d13;
    a[2] = s02 - s13;
    a[3] = d02 - d13;
  }
};

template <int Sign>
struct Butterfly<5, Sign> {
  [[gnu::always_inline]] static void run(ComplexLane (&a)[5]) {
    constexpr float c1 = 0.309016994374947424f, c2 = -0.809016994374947424f;
    constexpr float s1 = 0.951056516295153572f, s2 = 0.587785252292473129f;
    const ComplexLane p14 = a[1] + a[4], p23 = a[2] + a[3];
    const ComplexLane m14 = quarter<Sign>(a[1] - a[4]), m23 = quarter<Sign>(a[2] - a[3]);
    const ComplexLane e1 = a[0] + p14 * c1 + p23 * c2, e2 = a[0] + p14 * c2 + p23 * c1;
    const ComplexLane o1 = m14 * s1 + m23 * s2, o2 = m14 * s2 - m23 * s1;
    a[0] = a[0] + p14 + p23;
    a[1] = e1 + o1;
    a[2] = e2 + o2;
    a[3] = e2 - o2;
    a[4] = e1 - o1;
  }
};

template <int Sign>
struct Butterfly<8, Sign> {
  [[gnu::always_inline]] static void run(ComplexLane (&a)[8]) {
    constexpr float h = 0.707106781186547524f;
    ComplexLane even[4] = {a[0] + a[4], a[1] + a[5], a[2] + a[6], a[3] + a[7]};
    ComplexLane odd[4] = {a[0] - a[4], a[1] - a[5], quarter<Sign>(a[2] - a[6]), a[3] - a[7]};
    odd[1] = (odd[1] + quarter<Sign>(odd[1])) * h;
    odd[3] = (quarter<Sign>(odd[3]) - odd[3]) * h;
    Butterfly<4, Sign>::run(even);
    Butterfly<4, Sign>::run(odd);
    for (int i = 0; i < 4; ++i) {
      a[2 * i] = even[i];
      a[2 * i + 1] = odd[i];
    }
  }
};

}  // namespace aetos::multislice
