// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/fingerprint.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace {

using recoup::encoded_size;
using recoup::fingerprint;
using recoup::fingerprint128;
using recoup::fingerprint128_t;
using recoup::fingerprintable;

using bytes = std::vector<std::byte>;

bytes from(std::initializer_list<unsigned> values) {
  bytes result;
  for (const unsigned v : values) result.push_back(static_cast<std::byte>(v));
  return result;
}

template <class T>
bytes encoding(const T& key) {
  bytes result;
  recoup::encode(key, [&](const std::byte* data, std::size_t size) {
    CHECK(size != 0);
    result.insert(result.end(), data, data + size);
  });
  CHECK(encoded_size(key) == result.size());
  return result;
}

// Both widths are XXH3 of the encoding in one piece.
template <class T>
void check_is_hash_of_encoding(const T& key, std::uint64_t seed) {
  const bytes whole = encoding(key);
  CHECK(fingerprint(key, seed) == fingerprint(whole, seed));
  CHECK(fingerprint128(key, seed) == fingerprint128(whole, seed));
}

constexpr std::uint64_t prime32 = 2'654'435'761U;
constexpr std::uint64_t prime64 = 11'400'714'785'074'694'797U;

// The input of the official test vectors of xxHash.
bytes sanity_buffer(std::size_t size) {
  bytes result;
  std::uint64_t generator = prime32;
  for (std::size_t i = 0; i < size; ++i) {
    result.push_back(static_cast<std::byte>(generator >> 56));
    generator *= prime64;
  }
  return result;
}

enum class colour : std::int8_t { red = 1, none = -1 };

struct order_id {
  std::string text;
  operator std::string_view() const { return text; }  // NOLINT(google-explicit-constructor)
};

struct unknown {};

}  // namespace

TEST_CASE("Fingerprints of bytes are the official XXH3 test vectors", "[fingerprint]") {
  struct vector64 {
    std::size_t size;
    std::uint64_t seed, hash;
  };
  const bytes buffer = sanity_buffer(2'367);
  for (const vector64& v : {
           vector64{0, 0, 0x2D06800538D394C2U},     vector64{0, prime64, 0xA8A6B918B2F0364AU},
           vector64{1, 0, 0xC44BDFF4074EECDBU},     vector64{1, prime64, 0x032BE332DD766EF8U},
           vector64{6, 0, 0x27B56A84CD2D7325U},     vector64{6, prime64, 0x84589C116AB59AB9U},
           vector64{12, 0, 0xA713DAF0DFBB77E7U},    vector64{12, prime64, 0xE7303E1B2336DE0EU},
           vector64{24, 0, 0xA3FE70BF9D3510EBU},    vector64{24, prime64, 0x850E80FC35BDD690U},
           vector64{48, 0, 0x397DA259ECBA1F11U},    vector64{48, prime64, 0xADC2CBAA44ACC616U},
           vector64{80, 0, 0xBCDEFBBB2C47C90AU},    vector64{80, prime64, 0xC6DD0CB699532E73U},
           vector64{195, 0, 0xCD94217EE362EC3AU},   vector64{195, prime64, 0xBA68003D370CB3D9U},
           vector64{403, 0, 0xCDEB804D65C6DEA4U},   vector64{403, prime64, 0x6259F6ECFD6443FDU},
           vector64{512, 0, 0x617E49599013CB6BU},   vector64{512, prime64, 0x3CE457DE14C27708U},
           vector64{2'048, 0, 0xDD59E2C3A5F038E0U}, vector64{2'048, prime64, 0x66F81670669ABABCU},
           vector64{2'240, 0, 0x6E73A90539CF2948U}, vector64{2'240, prime64, 0x757BA8487D1B5247U},
           vector64{2'367, 0, 0xCB37AEB9E5D361EDU}, vector64{2'367, prime64, 0xD2DB3415B942B42AU},
       }) {
    INFO("size " << v.size << " seed " << v.seed);
    CHECK(fingerprint(std::span(buffer).first(v.size), v.seed) == v.hash);
  }
}

TEST_CASE("Wide fingerprints of bytes are the official XXH3 test vectors", "[fingerprint]") {
  struct vector128 {
    std::size_t size;
    std::uint64_t seed;
    fingerprint128_t hash;
  };
  const bytes buffer = sanity_buffer(2'367);
  for (const vector128& v : {
           vector128{0, 0, {0x6001C324468D497FU, 0x99AA06D3014798D8U}},
           vector128{0, prime32, {0x5444F7869C671AB0U, 0x92220AE55E14AB50U}},
           vector128{1, 0, {0xC44BDFF4074EECDBU, 0xA6CD5E9392000F6AU}},
           vector128{1, prime32, {0xB53D5557E7F76F8DU, 0x89B99554BA22467CU}},
           vector128{6, 0, {0x3E7039BDDA43CFC6U, 0x082AFE0B8162D12AU}},
           vector128{12, prime32, {0x9BE9F9A67F3C7DFBU, 0xD7E09D518A3405D3U}},
           vector128{24, 0, {0x1E7044D28B1B901DU, 0x0CE966E4678D3761U}},
           vector128{48, prime32, {0x7BA3C3E453A1934EU, 0x163ADDE36C072295U}},
           vector128{81, 0, {0x5E8BAFB9F95FB803U, 0x4952F58181AB0042U}},
           vector128{222, prime32, {0xAE995BB8AF917A8DU, 0x91820016621E97F1U}},
           vector128{403, prime64, {0x6259F6ECFD6443FDU, 0xBED311971E0BE8F2U}},
           vector128{512, 0, {0x617E49599013CB6BU, 0x18D2D110DCC9BCA1U}},
           vector128{2'048, prime32, {0x230D43F30206260BU, 0x7FB03F7E7186C3EAU}},
           vector128{2'367, 0, {0xCB37AEB9E5D361EDU, 0xE89C0F6FF369B427U}},
       }) {
    INFO("size " << v.size << " seed " << v.seed);
    CHECK(fingerprint128(std::span(buffer).first(v.size), v.seed) == v.hash);
  }
}

TEST_CASE("Numbers are eight bytes with the lowest first and their sign extended", "[fingerprint]") {
  CHECK(encoding(std::uint64_t{0x0102'0304'0506'0708}) == from({8, 7, 6, 5, 4, 3, 2, 1}));
  CHECK(encoding(std::uint8_t{200}) == from({200, 0, 0, 0, 0, 0, 0, 0}));
  CHECK(encoding(std::int16_t{-2}) == from({0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}));
  CHECK(encoding(true) == from({1, 0, 0, 0, 0, 0, 0, 0}));
  CHECK(encoding(colour::red) == encoding(1));
  CHECK(encoding(colour::none) == encoding(-1));
  CHECK(encoding(5) == encoding(std::uint64_t{5}));
  CHECK(encoding('\xE9') == from({0xE9, 0, 0, 0, 0, 0, 0, 0}));
  STATIC_REQUIRE(encoded_size(5) == 8);
  CHECK(fingerprint(5, 1) == fingerprint(std::uint64_t{5}, 1));
  CHECK(fingerprint(5, 1) == fingerprint(from({5, 0, 0, 0, 0, 0, 0, 0}), 1));
  CHECK(fingerprint(5, 1) != fingerprint(6, 1));
}

TEST_CASE("Times are their count", "[fingerprint]") {
  CHECK(encoding(recoup::timestamp{recoup::duration{-7}}) == encoding(-7));
  CHECK(encoding(std::chrono::seconds{3}) == encoding(3));
  CHECK(encoding(std::chrono::duration<double>{0.5}) == encoding(0.5));
}

TEST_CASE("Floats are doubles in which zero has no sign and every NaN is alike", "[fingerprint]") {
  CHECK(encoding(1.0) == from({0, 0, 0, 0, 0, 0, 0xF0, 0x3F}));
  CHECK(encoding(0.25F) == encoding(0.25));
  CHECK(encoding(-0.0) == encoding(0.0));
  CHECK(encoding(-0.0F) == encoding(0.0));
  CHECK(encoding(-1.0) != encoding(1.0));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(encoding(nan) == encoding(-nan));
  CHECK(encoding(std::nan("17")) == encoding(std::numeric_limits<float>::quiet_NaN()));
  CHECK(encoding(nan) == from({0, 0, 0, 0, 0, 0, 0xF8, 0x7F}));
  CHECK(encoding(std::numeric_limits<double>::infinity()) != encoding(nan));
}

TEST_CASE("Every way to hold a text gives the same key", "[fingerprint]") {
  const bytes abc = from({'a', 'b', 'c'});
  const char* const pointer = "abc";
  const char terminated[8] = "abc";
  const char full[3] = {'a', 'b', 'c'};
  CHECK(encoding("abc") == abc);
  CHECK(encoding(pointer) == abc);
  CHECK(encoding(terminated) == abc);
  CHECK(encoding(full) == abc);
  CHECK(encoding(std::string("abc")) == abc);
  CHECK(encoding(std::string_view("abc")) == abc);
  CHECK(encoding(order_id{"abc"}) == abc);
  CHECK(encoding(abc) == abc);
  CHECK(encoding(std::span<const std::byte>(abc)) == abc);
  CHECK(encoding(std::array<unsigned char, 3>{'a', 'b', 'c'}) == abc);
  CHECK(encoding(std::vector<std::uint8_t>{'a', 'b', 'c'}) == abc);
  CHECK(fingerprint("abc", 9) == fingerprint(abc, 9));
  CHECK(fingerprint(pointer, 9) == fingerprint(std::string("abc"), 9));
  const std::string with_zero("a\0b", 3);
  CHECK(encoding(with_zero) == from({'a', 0, 'b'}));
}

TEST_CASE("An empty text and no text at all are keys too", "[fingerprint]") {
  const char* const none = nullptr;
  CHECK(encoding("").empty());
  CHECK(encoding(none).empty());
  CHECK(encoding(std::string_view()).empty());
  CHECK(fingerprint(none, 3) == fingerprint(std::string(), 3));
  CHECK(fingerprint(std::tuple(none, ""), 3) == fingerprint(std::tuple("", none), 3));
  CHECK(fingerprint(std::tuple<>(), 3) == fingerprint("", 3));
}

TEST_CASE("Texts inside another key carry their length", "[fingerprint]") {
  CHECK(encoding(std::pair("ab", "c")) == from({2, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 1, 0, 0, 0, 0, 0, 0, 0, 'c'}));
  CHECK(encoding(std::pair("a", "bc")) == from({1, 0, 0, 0, 0, 0, 0, 0, 'a', 2, 0, 0, 0, 0, 0, 0, 0, 'b', 'c'}));
  CHECK(fingerprint(std::pair("ab", "c"), 1) != fingerprint(std::pair("a", "bc"), 1));
  CHECK(fingerprint(std::tuple("ab", "c"), 1) == fingerprint(std::pair("ab", "c"), 1));
  CHECK(fingerprint(std::pair("abc", ""), 1) != fingerprint(std::pair("", "abc"), 1));
  CHECK(encoding(std::tuple("x")) == from({1, 0, 0, 0, 0, 0, 0, 0, 'x'}));
}

TEST_CASE("Nothing differs from an empty something", "[fingerprint]") {
  CHECK(encoding(std::optional<int>()) == from({0}));
  CHECK(encoding(std::optional<int>(3)) == from({1, 3, 0, 0, 0, 0, 0, 0, 0}));
  CHECK(encoding(std::optional<std::string>("")) == from({1, 0, 0, 0, 0, 0, 0, 0, 0}));
  CHECK(encoding(std::optional<std::optional<int>>(std::in_place)) == from({1, 0}));
  CHECK(fingerprint(std::optional<std::string>(), 1) != fingerprint(std::optional<std::string>(""), 1));
  CHECK(fingerprint(std::optional<int>(0), 1) != fingerprint(std::optional<int>(), 1));
  CHECK(fingerprint(std::pair(std::optional<int>(), 1), 1) != fingerprint(std::pair(1, std::optional<int>()), 1));
}

TEST_CASE("A tuple of references is the tuple of their values", "[fingerprint]") {
  std::string id = "order";
  const int revision = 2;
  const auto expected = fingerprint(std::tuple(std::string("order"), 2), 7);
  CHECK(fingerprint(std::tie(id, revision), 7) == expected);
  CHECK(fingerprint(std::forward_as_tuple(std::as_const(id), 2), 7) == expected);
  CHECK(fingerprint(std::pair<std::string&, const int&>(id, revision), 7) == expected);
  CHECK(fingerprint(std::tuple("order", std::uint64_t{2}), 7) == expected);
}

TEST_CASE("Fields nest without running into each other", "[fingerprint]") {
  const std::tuple key{1, std::pair{std::string("a"), 2.5}, std::optional{std::tuple{true}}};
  CHECK(encoding(key).size() == 8 + (8 + 1 + 8) + (1 + 8));
  check_is_hash_of_encoding(key, 11);
}

TEST_CASE("Keys of any length hash as their encoding in one piece", "[fingerprint]") {
  std::mt19937_64 random(8);
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, prime64}) {
    // A number, a length and a text: 16 bytes more than the text, around the buffer of 256 and the steps of XXH3.
    for (const std::size_t size : std::initializer_list<std::size_t>{0, 1, 100, 223, 224, 225, 239, 240, 241, 242, 256,
                                                                     1'008, 1'009, 5'000, 100'000}) {
      std::string text;
      for (std::size_t i = 0; i < size; ++i) text.push_back(static_cast<char>(random()));
      check_is_hash_of_encoding(std::pair(random(), std::string_view(text)), seed);
      check_is_hash_of_encoding(std::tuple(text, std::string_view(), text), seed);
    }
    check_is_hash_of_encoding(std::tuple(random(), random(), 1.5, 'x', true), seed);
    std::array<std::uint64_t, 8> n{};
    for (auto& number : n) number = random();
    const auto eight = std::tuple(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]);
    check_is_hash_of_encoding(std::tuple(eight, eight, eight, eight), seed);
    check_is_hash_of_encoding(std::tuple(eight, eight, eight, eight, n[0]), seed);
  }
}

TEST_CASE("Fingerprints stay what they are so that snapshots can hold them", "[fingerprint]") {
  const std::tuple key{std::string_view("order-17"), 2, std::optional<double>{0.5}};
  CHECK(fingerprint(42, 0) == 0xD5A6F8C838DF27C8U);
  CHECK(fingerprint(key, 42) == 0x86C6971CAEA3B28DU);
  CHECK(fingerprint128(key, 42) == fingerprint128_t{0x56A0574DFE33FF6AU, 0xD8D31D05E748F77EU});
}

TEST_CASE("The seed changes every fingerprint", "[fingerprint]") {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    seen.insert(fingerprint(17, seed));
    seen.insert(fingerprint("seventeen", seed));
    seen.insert(fingerprint(std::pair("seventeen", 17), seed));
    seen.insert(fingerprint128(std::pair("seventeen", 17), seed).high);
  }
  CHECK(seen.size() == 4'000);
}

TEST_CASE("Other types are no keys", "[fingerprint]") {
  STATIC_REQUIRE(fingerprintable<const std::tuple<const std::string&, std::optional<colour>>&>);
  STATIC_REQUIRE(fingerprintable<char[4]>);
  STATIC_REQUIRE(fingerprintable<recoup::timestamp>);
  STATIC_REQUIRE(fingerprintable<std::array<std::byte, 16>>);
  STATIC_REQUIRE(!fingerprintable<unknown>);
  STATIC_REQUIRE(!fingerprintable<int*>);
  STATIC_REQUIRE(!fingerprintable<std::nullptr_t>);
  STATIC_REQUIRE(!fingerprintable<std::vector<int>>);
  STATIC_REQUIRE(!fingerprintable<std::tuple<int, unknown>>);
  STATIC_REQUIRE(!fingerprintable<std::optional<unknown>>);
  STATIC_REQUIRE(!fingerprintable<std::pair<unknown, int>>);
}

TEST_CASE("The collision probability bounds the exact one closely from above", "[fingerprint]") {
  for (const unsigned bits : {4U, 8U, 16U, 20U}) {
    const double values = std::ldexp(1.0, static_cast<int>(bits));
    double all_differ = 1;
    for (std::uint64_t keys = 1; keys <= 200; ++keys) {
      const double exact = 1 - all_differ;
      const double bound = recoup::collision_probability(keys, bits);
      CHECK(bound >= exact * (1 - 1e-9));
      CHECK(bound <= 1);
      if (bound < 1) CHECK(bound <= exact * (1 + bound) * (1 + 1e-9));
      all_differ *= std::max(0.0, 1 - static_cast<double>(keys) / values);
    }
  }
  STATIC_REQUIRE(recoup::collision_probability(0, 64) == 0);
  STATIC_REQUIRE(recoup::collision_probability(1, 0) == 0);
  STATIC_REQUIRE(recoup::collision_probability(2, 0) == 1);
  STATIC_REQUIRE(recoup::collision_probability(std::numeric_limits<std::uint64_t>::max(), 64) == 1);
  CHECK(recoup::collision_probability(1'000, std::numeric_limits<unsigned>::max()) == 0);
  CHECK_THAT(recoup::collision_probability(1U << 20, 64), Catch::Matchers::WithinRel(2.98e-8, 1e-3));
  CHECK_THAT(recoup::collision_probability(1U << 20, 128), Catch::Matchers::WithinRel(1.6155e-27, 1e-3));
}

TEST_CASE("Keys collide as rarely as chance allows for every seed and part of the fingerprint", "[fingerprint]") {
  // 64 keys in 2^12 values: all differ with probability 0.6100; four standard deviations of 1,500 trials are 0.0504.
  double all_differ = 1;
  for (int i = 1; i < 64; ++i) all_differ *= 1 - i / 4096.0;
  constexpr std::uint64_t trials = 1'500;
  for (const unsigned shift : {0U, 26U, 52U}) {
    double trials_that_differ = 0;
    for (std::uint64_t seed = 0; seed < trials; ++seed) {
      std::set<std::uint64_t> seen;
      for (int key = 0; key < 64; ++key) seen.insert((fingerprint(std::pair(key, "x"), seed) >> shift) & 0xFFF);
      trials_that_differ += seen.size() == 64;
    }
    CHECK(std::abs(trials_that_differ / static_cast<double>(trials) - all_differ) < 0.0504);
  }
}
