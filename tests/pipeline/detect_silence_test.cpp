// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/detect_silence.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/pipeline/pipeline.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::timestamp;

constexpr auto ignore = [](const auto&) {};
struct beat {
  std::uint32_t device;
};
constexpr timestamp start = timestamp(1'700'000'000s);

TEST_CASE("a heartbeat that stays away is told and so is its return") {
  auto pipe = recoup::assemble<beat>(recoup::detect_silence("heartbeat"));
  std::vector<recoup::anomaly<>> silent;
  std::vector<recoup::silence_over<>> over;
  recoup::overloaded sink{[&](const recoup::anomaly<>& a) { silent.push_back(a); },
                          [&](const recoup::silence_over<>& s) { over.push_back(s); }, ignore};
  for (int i = 0; i < 200; ++i) {
    pipe.process({1}, start + i * 60s, sink);
    pipe.advance(start + i * 60s, sink);
  }
  const timestamp last = start + 199 * 60s;
  CHECK(silent.empty());
  pipe.advance(last + 61s, sink);
  CHECK(silent.empty());
  pipe.advance(last + 300s, sink);
  REQUIRE(silent.size() == 1);
  CHECK(silent[0].name == "heartbeat");
  CHECK(silent[0].at == last);
  CHECK(silent[0].value == 300);
  pipe.advance(last + 301s, sink);
  CHECK(silent.size() == 1);
  pipe.advance(last + 900s, sink);
  CHECK(silent.size() == 2);
  CHECK(over.empty());
  recoup::overloaded refuse{[](const recoup::accepted<beat>&) { throw std::runtime_error("no"); }, ignore};
  CHECK_THROWS(pipe.process({1}, last + 1'000s, refuse));
  pipe.process({1}, last + 1'001s, sink);
  REQUIRE(over.size() == 1);
  CHECK(over[0].since == last);
  CHECK(over[0].until == last + 1'001s);
  pipe.process({1}, last + 1'002s, sink);
  CHECK(over.size() == 1);
}

TEST_CASE("each device has a silence of its own") {
  auto pipe = recoup::assemble<beat>(recoup::detect_silence("beats", &beat::device, recoup::silence_detector()));
  std::vector<std::uint32_t> silent;
  std::vector<std::uint32_t> over;
  recoup::overloaded sink{[&](const recoup::anomaly<std::uint32_t>& a) { silent.push_back(a.key); },
                          [&](const recoup::silence_over<std::uint32_t>& s) { over.push_back(s.key); }, ignore};
  for (int i = 0; i < 600; ++i) {
    for (const std::uint32_t device : {1U, 2U, 3U}) {
      if (device != 2 || i < 400 || i > 500) pipe.process({device}, start + i * 10s, sink);
    }
    pipe.advance(start + i * 10s, sink);
    if (i == 450) {
      auto restored = pipe.empty_copy();
      REQUIRE(recoup::restore(restored, recoup::snapshot(pipe)));
      CHECK(recoup::snapshot(restored) == recoup::snapshot(pipe));
    }
  }
  REQUIRE_FALSE(silent.empty());
  for (const std::uint32_t device : silent) CHECK(device == 2);
  CHECK(over == std::vector<std::uint32_t>{2});
}

}  // namespace
