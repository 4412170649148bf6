// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/comparers.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include "catch.hpp"
#include "test_scale.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::duration;
using recoup::field_difference;
using recoup::timestamp;
using recoup::tolerance;

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }
constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t highest = std::numeric_limits<std::uint64_t>::max();

// A field that is the whole record.
constexpr auto itself = [](const auto& value) -> const auto& { return value; };

template <class A, class B>
field_difference close_to(const A& ours, const B& theirs, tolerance over, tolerance under) {
  return recoup::close<"value">(itself, itself, over, under).compare(ours, theirs);
}
template <class A, class B>
field_difference close_to(const A& ours, const B& theirs, tolerance either_way) {
  return recoup::close<"value">(itself, itself, either_way).compare(ours, theirs);
}
template <class A, class B>
field_difference same_as(const A& ours, const B& theirs) {
  return recoup::same<"value">(itself, itself).compare(ours, theirs);
}

TEST_CASE("same fields are those that are equal by their values") {
  CHECK(same_as(std::string("paid"), std::string_view("paid")).agrees);
  CHECK_FALSE(same_as(std::string("paid"), std::string_view("failed")).agrees);
  CHECK(std::isnan(same_as(std::string("paid"), std::string_view("failed")).by));
  CHECK(same_as(5, std::uint64_t{5}).agrees);
  CHECK_FALSE(same_as(std::int64_t{-1}, highest).agrees);
  CHECK(same_as(3, 5).by == 2);
  CHECK(same_as(5U, 3U).by == -2);
  CHECK_FALSE(same_as(std::nan(""), std::nan("")).agrees);
  CHECK_FALSE(same_as((std::int64_t{1} << 53) + 1, 0x1p53).agrees);
  CHECK_FALSE(same_as(16'777'217, 16'777'216.0F).agrees);
  CHECK(same_as(16'777'217, 16'777'217.0).agrees);
  CHECK(same_as(true, true).agrees);
  CHECK_FALSE(same_as(true, false).agrees);
}

TEST_CASE("a field that is absent agrees with one that is absent alone") {
  const std::optional<int> none;
  const std::optional<int> five = 5;
  CHECK(same_as(none, none).agrees);
  CHECK(same_as(none, none).is_equal);
  CHECK_FALSE(same_as(none, five).agrees);
  CHECK_FALSE(same_as(5, none).agrees);
  CHECK(std::isnan(same_as(5, none).by));
  CHECK(same_as(five, 5).agrees);
  CHECK_FALSE(close_to(none, 5, {.absolute = infinite}).agrees);
  CHECK(close_to(none, none, {}).agrees);
  CHECK_FALSE(
      recoup::within_time<"at">(itself, itself, duration::max()).compare(at(0), std::optional<timestamp>()).agrees);
}

TEST_CASE("close numbers lie no farther apart than the tolerances together") {
  CHECK(close_to(100, 105, {.absolute = 5}).agrees);
  CHECK_FALSE(close_to(100, 106, {.absolute = 5}).agrees);
  CHECK(close_to(100, 95, {.absolute = 5}).agrees);
  CHECK_FALSE(close_to(100, 94, {.absolute = 5}).agrees);
  CHECK(close_to(100, 94, {.absolute = 5}).by == -6);
  CHECK(close_to(100, 105, {.of_ours = 0.05}).agrees);
  CHECK_FALSE(close_to(100, 106, {.of_ours = 0.05}).agrees);
  CHECK(close_to(100, 106, {.absolute = 1, .of_ours = 0.05}).agrees);
  CHECK(close_to(200, 211, {.of_ours = 0.03, .of_theirs = 0.024}).agrees);  // 6 and 5.064
  CHECK_FALSE(close_to(200, 211, {.of_ours = 0.03, .of_theirs = 0.023}).agrees);
  CHECK(close_to(-100, -105, {.of_ours = 0.05}).agrees);
  CHECK_FALSE(close_to(-100, -106, {.of_ours = 0.05}).agrees);
  CHECK(close_to(0, 0, {.of_ours = 0.05}).agrees);
  CHECK_FALSE(close_to(0, 1, {.of_ours = 0.05}).agrees);
  CHECK(close_to(0, 1, {.absolute = 1, .of_ours = 0.05}).agrees);
  CHECK(close_to(0, -1, {.of_theirs = 1}).agrees);
  CHECK(close_to(100, 129, {.of_ours = 0.29}).agrees);  // 0.29 * 100 is below 29 in double
}

TEST_CASE("close numbers may lie farther above than below") {
  const tolerance over{.absolute = 10};
  const tolerance under{.absolute = 1};
  CHECK(close_to(100, 110, over, under).agrees);
  CHECK_FALSE(close_to(100, 111, over, under).agrees);
  CHECK(close_to(100, 99, over, under).agrees);
  CHECK_FALSE(close_to(100, 98, over, under).agrees);
  CHECK(close_to(1.5, 11.5, over, under).agrees);
  CHECK_FALSE(close_to(1.5, 0.25, over, under).agrees);
  CHECK_FALSE(close_to(16'777'217, 16'777'215.0F, over, under).agrees);
  CHECK(close_to(16'777'217, 16'777'216.0F, over, under).agrees);
  CHECK_FALSE(close_to(16'777'217, 16'777'216.0F, over, {}).agrees);
}

TEST_CASE("close integers are compared exactly at every size and sign") {
  CHECK(close_to(most, most, {}).agrees);
  CHECK_FALSE(close_to(most, most - 1, {}).agrees);
  CHECK(close_to(most, most - 1, {.absolute = 1}).agrees);
  CHECK_FALSE(close_to(highest, highest - 2, {.absolute = 1}).agrees);
  CHECK_FALSE(close_to(least, most, {.absolute = 1e19}).agrees);
  CHECK(close_to(least, most, {.absolute = 2e19}).agrees);
  CHECK(close_to(most, least, {.absolute = infinite}).agrees);
  CHECK_FALSE(close_to(least, highest, {.absolute = 1.8e19}).agrees);
  CHECK(close_to(least, highest, {.absolute = infinite}).agrees);
  CHECK(close_to(std::int64_t{-1}, std::uint64_t{1}, {.absolute = 2}).agrees);
  CHECK_FALSE(close_to(std::int64_t{-1}, std::uint64_t{1}, {.absolute = 1}).agrees);
  CHECK_FALSE(close_to(highest, std::int64_t{-1}, {.absolute = 1e18}).agrees);
  CHECK(close_to(least, most, {}).by > 1.8e19);
  CHECK(close_to(most, least, {}).by < -1.8e19);
}

TEST_CASE("numbers that are none are close to nothing") {
  for (const double odd : {std::nan(""), infinite, -infinite}) {
    for (const tolerance t : {tolerance{}, tolerance{.absolute = infinite}, tolerance{.of_ours = 1, .of_theirs = 1}}) {
      CHECK_FALSE(close_to(odd, 1.0, t).agrees);
      CHECK_FALSE(close_to(1.0, odd, t).agrees);
      CHECK_FALSE(close_to(odd, odd, t).agrees);
      CHECK_FALSE(close_to(odd, 1, t).agrees);
      CHECK_FALSE(recoup::close<"value">(itself, itself, t).explain(odd, 1.0).empty());
    }
  }
  CHECK(close_to(1e308, 1.5e308, {.of_ours = 10}).agrees);
}

TEST_CASE("integers are close where long double says so") {
  std::mt19937_64 random(1);
  const auto number = [&] {
    const auto n = static_cast<std::int64_t>(random());
    return random() % 2 == 0 ? n : n >> (random() % 64);
  };
  for (std::uint64_t i = 0; i < 50'000 * test_scale(); ++i) {
    const std::int64_t a = number();
    const std::int64_t b =
        random() % 2 == 0 ? number() : static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + random() % 16);
    const auto allowed = static_cast<double>(random() >> (random() % 64));
    const long double distance = std::fabs(static_cast<long double>(b) - static_cast<long double>(a));
    REQUIRE(close_to(a, b, {.absolute = allowed}).agrees == (distance <= static_cast<long double>(allowed)));
    const auto difference = static_cast<double>(static_cast<long double>(b) - static_cast<long double>(a));
    REQUIRE_THAT(close_to(a, b, {}).by, Catch::Matchers::WithinRel(difference, 1e-15));
  }
}

TEST_CASE("times agree that are not too far before or after") {
  const auto near = recoup::within_time<"at">(itself, itself, 2min, 5min);
  const timestamp noon{12h};
  CHECK(near.compare(noon, noon).is_equal);
  CHECK(near.compare(noon, noon - 2min).agrees);
  CHECK_FALSE(near.compare(noon, noon - 2min - 1ns).agrees);
  CHECK(near.compare(noon, noon + 5min).agrees);
  CHECK_FALSE(near.compare(noon, noon + 5min + 1ns).agrees);
  CHECK(near.compare(noon, noon + 1s).by == 1e9);
  CHECK_FALSE(near.compare(timestamp::min(), timestamp::max()).agrees);
  CHECK_FALSE(near.compare(timestamp::max(), timestamp::min()).agrees);
  CHECK(recoup::within_time<"at">(itself, itself, duration::max()).compare(timestamp::min(), timestamp::max()).agrees);
  using coarse = std::chrono::time_point<std::chrono::system_clock, std::chrono::hours>;
  CHECK(near.compare(noon, coarse(12h)).is_equal);
  CHECK_FALSE(near.compare(noon, coarse(std::chrono::hours(most))).agrees);
  CHECK(near.explain(noon, noon - 3min) == "theirs is 3 min before ours, 1970-01-01T12:00:00Z, more than 2 min");
  CHECK(near.explain(noon, noon + 3min) == "theirs is 3 min after ours, 1970-01-01T12:00:00Z, at most 5 min");
  CHECK(near.explain(noon, noon) == "both are at 1970-01-01T12:00:00Z");
  CHECK_FALSE(near.explain(timestamp::max(), timestamp::min()).empty());
}

TEST_CASE("a comparer says what it compared") {
  const auto amount = recoup::close<"amount">(itself, itself, {.absolute = 5});
  CHECK(amount.explain(100, 90) == "theirs 90 is 10 below ours 100, more than 5");
  CHECK(amount.explain(100, 103) == "theirs 103 is 3 above ours 100, at most 5");
  CHECK(amount.explain(100, 100) == "theirs 100 and ours 100 are equal");
  CHECK(amount.explain(100.0, std::nan("")) == "theirs nan and ours 100 cannot be compared");
  CHECK(amount.explain(std::optional<int>(), 5) == "ours is absent, theirs is 5");
  CHECK(amount.explain(5, std::optional<int>()) == "theirs is absent, ours is 5");
  CHECK(amount.explain(std::optional<int>(), std::optional<int>()) == "both are absent");
  const auto status = recoup::same<"status">(itself, itself);
  CHECK(status.explain(std::string("paid"), std::string("failed")) == "ours is \"paid\", theirs is \"failed\"");
  CHECK(status.name == "status");
}

struct euro_charge {
  std::optional<std::int64_t> amount;
  std::string currency;
};

TEST_CASE("an amount is converted before it is compared") {
  const auto rate = [](const std::string& currency) -> std::optional<double> {
    if (currency == "EUR") return 1.25;
    return std::nullopt;
  };
  const auto c = recoup::close<"amount">(itself, recoup::converted(&euro_charge::amount, &euro_charge::currency, rate),
                                         {.absolute = 0.5});
  CHECK(c.compare(125, euro_charge{100, "EUR"}).is_equal);
  CHECK(c.compare(126, euro_charge{100, "EUR"}).by == -1);
  CHECK_FALSE(c.compare(126, euro_charge{100, "EUR"}).agrees);
  CHECK_FALSE(c.compare(100, euro_charge{100, "XXX"}).agrees);
  CHECK_FALSE(c.compare(100, euro_charge{std::nullopt, "EUR"}).agrees);
  CHECK_FALSE(c.compare(std::optional<int>(), euro_charge{100, "XXX"}).agrees);
  CHECK(c.explain(100, euro_charge{100, "XXX"}) == "theirs nan and ours 100 cannot be compared");
}

TEST_CASE("a comparer refuses durations that make no sense") {
  CHECK_THROWS_WITH(recoup::within_time<"at">(itself, itself, -1ns), Catch::Contains("durations of zero or more"));
  CHECK_THROWS_WITH(recoup::within_time<"at">(itself, itself, 0ns, -1ns), Catch::Contains("durations of zero or more"));
}

}  // namespace
