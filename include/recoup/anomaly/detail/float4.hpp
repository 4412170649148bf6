// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace recoup::detail {

// Four floats at once. The same answers with SSE2 and without.
#if defined(__SSE2__)

class float4 {
 public:
  float4(float all) : lanes_(_mm_set1_ps(all)) {}  // NOLINT(google-explicit-constructor): a float is four of it
  explicit float4(const float* from) : lanes_(_mm_loadu_ps(from)) {}
  void store(float* to) const { _mm_storeu_ps(to, lanes_); }

  friend float4 operator+(float4 a, float4 b) { return _mm_add_ps(a.lanes_, b.lanes_); }
  friend float4 operator-(float4 a, float4 b) { return _mm_sub_ps(a.lanes_, b.lanes_); }
  friend float4 operator*(float4 a, float4 b) { return _mm_mul_ps(a.lanes_, b.lanes_); }
  friend float4 operator/(float4 a, float4 b) { return _mm_div_ps(a.lanes_, b.lanes_); }
  friend float4 min(float4 a, float4 b) { return _mm_min_ps(a.lanes_, b.lanes_); }
  friend float4 max(float4 a, float4 b) { return _mm_max_ps(a.lanes_, b.lanes_); }
  friend float4 sqrt(float4 a) { return _mm_sqrt_ps(a.lanes_); }
  friend float largest(float4 a) {
    const __m128 halves = _mm_max_ps(a.lanes_, _mm_movehl_ps(a.lanes_, a.lanes_));
    return _mm_cvtss_f32(_mm_max_ss(halves, _mm_shuffle_ps(halves, halves, 1)));
  }

 private:
  float4(__m128 lanes) : lanes_(lanes) {}  // NOLINT(google-explicit-constructor): within this class

  __m128 lanes_;
};

#else

class float4 {
 public:
  float4(float all) { lanes_.fill(all); }  // NOLINT(google-explicit-constructor): a float is four of it
  explicit float4(const float* from) {
    for (float& lane : lanes_) lane = *from++;
  }
  void store(float* to) const {
    for (const float lane : lanes_) *to++ = lane;
  }

  friend float4 operator+(float4 a, float4 b) {
    return each(a, b, [](float x, float y) { return x + y; });
  }
  friend float4 operator-(float4 a, float4 b) {
    return each(a, b, [](float x, float y) { return x - y; });
  }
  friend float4 operator*(float4 a, float4 b) {
    return each(a, b, [](float x, float y) { return x * y; });
  }
  friend float4 operator/(float4 a, float4 b) {
    return each(a, b, [](float x, float y) { return x / y; });
  }
  friend float4 min(float4 a, float4 b) {
    return each(a, b, [](float x, float y) { return x < y ? x : y; });
  }
  friend float4 max(float4 a, float4 b) {
    return each(a, b, [](float x, float y) { return x > y ? x : y; });
  }
  friend float4 sqrt(float4 a) {
    return each(a, a, [](float x, float) { return std::sqrt(x); });
  }
  friend float largest(float4 a) {
    float most = a.lanes_[0];
    for (const float lane : a.lanes_) most = lane > most ? lane : most;
    return most;
  }

 private:
  template <class F>
  static float4 each(const float4& a, const float4& b, F f) {
    float4 result(0.0F);
    for (std::size_t i = 0; i < 4; ++i) result.lanes_[i] = f(a.lanes_[i], b.lanes_[i]);
    return result;
  }

  std::array<float, 4> lanes_;
};

#endif

inline float4 abs(float4 a) { return max(a, float4(0.0F) - a); }

}  // namespace recoup::detail
