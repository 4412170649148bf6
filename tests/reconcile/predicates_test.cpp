// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::duration;
using recoup::equals;
using recoup::finite;
using recoup::in_range;
using recoup::not_after;
using recoup::not_before;
using recoup::product_equals;
using recoup::required;
using recoup::timestamp;

using milliseconds_time = std::chrono::sys_time<std::chrono::milliseconds>;
enum class side : std::int8_t { sell = -1, buy = 1 };

struct order {
  std::int64_t price = 0;
  std::int64_t quantity = 0;
  std::int64_t revenue = 0;
  std::uint32_t small = 0;
  std::uint64_t large = 0;
  std::int8_t tiny = 0;
  double ratio = 0;
  std::string id;
  const char* name = nullptr;
  char currency[4] = {};
  const int* pointer = nullptr;
  bool is_open = false;
  side direction = side::buy;
  timestamp at{};
  milliseconds_time coarse{};
  std::optional<std::int64_t> limit;
  std::optional<double> rate;
  std::optional<std::string_view> note;
  std::optional<const char*> label;
  std::optional<timestamp> paid;
};

// An order with one field set.
template <class T>
[[gnu::noinline]] order with(T order::*field, T value) {
  order o;
  o.*field = std::move(value);
  return o;
}

[[gnu::noinline]] order nothing() { return {}; }  // inlined, g++ fears for its empty optionals under ASan

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }
constexpr timestamp noon(43'200s);
constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
template <class T>
constexpr T least = std::numeric_limits<T>::min();
template <class T>
constexpr T most = std::numeric_limits<T>::max();

// Callable at compile time.
struct reading {
  int level = 0;
  std::uint32_t revision = 0;
  std::optional<double> value;
  timestamp at{};
  std::int32_t a = 0, b = 0;
  std::int16_t product = 0;
};
constexpr reading sample{.level = 5, .revision = 2, .value = 1.5, .at = at(100), .a = 20, .b = -3, .product = -60};
static_assert(in_range(&reading::level, 5, 5)(sample, at(0)) && !in_range(&reading::level, 6, 9)(sample, at(0)));
static_assert(equals(&reading::revision, 2)(sample, at(0)) && !equals(&reading::revision, -2)(sample, at(0)));
static_assert(finite(&reading::value)(sample, at(0)) && required(&reading::value)(sample, at(0)));
static_assert(not_after(&reading::at, 10ns)(sample, at(90)) && !not_after(&reading::at, 9ns)(sample, at(90)));
static_assert(not_before(&reading::at, 10ns)(sample, at(110)) && !not_before(&reading::at, 9ns)(sample, at(110)));
static_assert(product_equals(&reading::a, &reading::b, &reading::product)(sample, at(0)));
static_assert([] {
  reading wrong = sample;
  wrong.product = 7;
  return product_equals(&reading::a, &reading::b, &reading::product).fix(wrong) && wrong.product == -60;
}());
static_assert(in_range([](const reading& r) { return r.level * 2; }, 10, 10)(sample, at(0)));

// A field that is not there, or of another event.
struct other {
  int level;
};
static_assert(!std::is_invocable_v<decltype(in_range(&other::level, 0, 1)), const reading&, timestamp>);
static_assert(!std::is_invocable_v<decltype(required(&other::level)), const reading&, timestamp>);

}  // namespace

TEST_CASE("a required field is there if it is set and its text is not empty") {
  const auto holds = [](auto field, const order& o) { return required(field)(o, noon); };
  CHECK_FALSE(holds(&order::limit, nothing()));
  CHECK(holds(&order::limit, with(&order::limit, {0})));
  CHECK_FALSE(holds(&order::id, nothing()));
  CHECK(holds(&order::id, with(&order::id, std::string(1, '\0'))));
  CHECK_FALSE(holds(&order::note, nothing()));
  CHECK_FALSE(holds(&order::note, with(&order::note, std::optional<std::string_view>(""))));
  CHECK(holds(&order::note, with(&order::note, std::optional<std::string_view>("x"))));
  CHECK_FALSE(holds(&order::name, nothing()));
  CHECK_FALSE(holds(&order::name, with<const char*>(&order::name, "")));
  CHECK(holds(&order::name, with<const char*>(&order::name, "x")));
  CHECK_FALSE(holds(&order::label, nothing()));
  CHECK_FALSE(holds(&order::label, with(&order::label, std::optional<const char*>(nullptr))));
  CHECK(holds(&order::label, with(&order::label, std::optional<const char*>("x"))));
  CHECK_FALSE(holds(&order::pointer, nothing()));
  const int target = 0;
  CHECK(holds(&order::pointer, with(&order::pointer, &target)));
  CHECK_FALSE(holds(&order::currency, nothing()));
  order full;
  for (char& c : full.currency) c = 'X';  // no zero at the end
  CHECK(holds(&order::currency, full));
  CHECK_FALSE(holds([](const order& o) { return std::string_view(o.id); }, nothing()));
  CHECK(required(&order::id).explain(nothing(), noon) == "the field is absent");
}

TEST_CASE("a field equals what is expected by value and not by type") {
  const auto holds = [](auto field, auto expected, const order& o) { return equals(field, expected)(o, noon); };
  CHECK(holds(&order::small, 7, with(&order::small, 7U)));
  CHECK_FALSE(holds(&order::small, -1, with(&order::small, most<std::uint32_t>)));
  CHECK_FALSE(holds(&order::large, -1, with(&order::large, most<std::uint64_t>)));
  CHECK_FALSE(holds(&order::tiny, 255U, with(&order::tiny, std::int8_t{-1})));
  CHECK(holds(&order::tiny, 127U, with(&order::tiny, std::int8_t{127})));
  CHECK_FALSE(holds(&order::price, most<std::uint64_t>, with(&order::price, std::int64_t{-1})));
  CHECK(holds(&order::is_open, true, with(&order::is_open, true)));
  CHECK(holds(&order::is_open, 1, with(&order::is_open, true)));
  CHECK(holds(&order::direction, side::sell, with(&order::direction, side::sell)));
  CHECK(holds(&order::ratio, 0.0, with(&order::ratio, -0.0)));
  CHECK_FALSE(holds(&order::ratio, not_a_number, with(&order::ratio, not_a_number)));
  CHECK(holds(&order::at, timestamp::min(), with(&order::at, timestamp::min())));
  CHECK(holds(&order::limit, 3, nothing()));
  CHECK_FALSE(holds(&order::limit, 3, with(&order::limit, {4})));
}

TEST_CASE("text is compared by its characters whatever holds it") {
  const auto holds = [](auto field, auto expected, const order& o) { return equals(field, expected)(o, noon); };
  order o;
  o.id = "EUR";
  for (std::size_t i = 0; i < 3; ++i) o.currency[i] = "EUR"[i];
  const std::string copy = "EUR";  // not the literal's address
  o.name = copy.c_str();
  CHECK(holds(&order::id, "EUR", o));
  CHECK(holds(&order::name, "EUR", o));
  CHECK(holds(&order::currency, "EUR", o));
  CHECK(holds(&order::currency, std::string_view("EUR"), o));
  CHECK_FALSE(holds(&order::id, "USD", o));
  CHECK_FALSE(holds(&order::currency, "EU", o));
  CHECK_FALSE(holds(&order::name, "EUR", nothing()));
  CHECK(holds(&order::name, "", nothing()));
  CHECK(in_range(&order::currency, "EUR", "EUZ")(o, noon));
  CHECK_FALSE(in_range(&order::name, "F", "Z")(o, noon));
  o.currency[3] = 'O';
  CHECK(holds(&order::currency, "EURO", o));
  CHECK_FALSE(holds(&order::currency, "EUR", o));
  CHECK(equals(&order::currency, "EUR").explain(o, noon) == "\"EURO\" is not \"EUR\"");
  CHECK(equals(&order::name, "EUR").explain(nothing(), noon) == "\"\" is not \"EUR\"");
}

TEST_CASE("a range includes its ends and excludes NaN") {
  const auto holds = [](auto field, auto low, auto high, const order& o) {
    return in_range(field, low, high)(o, noon);
  };
  CHECK(holds(&order::price, std::int64_t{-5}, std::int64_t{5}, with(&order::price, std::int64_t{-5})));
  CHECK(holds(&order::price, std::int64_t{-5}, std::int64_t{5}, with(&order::price, std::int64_t{5})));
  CHECK_FALSE(holds(&order::price, std::int64_t{-5}, std::int64_t{5}, with(&order::price, std::int64_t{6})));
  CHECK(holds(&order::price, least<std::int64_t>, most<std::int64_t>, with(&order::price, least<std::int64_t>)));
  CHECK(holds(&order::ratio, -infinite, infinite, with(&order::ratio, infinite)));
  CHECK_FALSE(holds(&order::ratio, -infinite, infinite, with(&order::ratio, not_a_number)));
  CHECK(holds(&order::ratio, 0, 100, with(&order::ratio, 99.5)));
  CHECK(holds(&order::limit, 1, 2, nothing()));
  CHECK_FALSE(holds(&order::limit, 1, 2, with(&order::limit, {0})));
  CHECK_FALSE(holds(&order::rate, 1.0, 2.0, with(&order::rate, {not_a_number})));
  CHECK(holds(&order::at, at(0), timestamp::max(), with(&order::at, timestamp::max())));
}

TEST_CASE("a range of other signs than its field is compared by value") {
  const auto holds = [](auto field, auto low, auto high, const order& o) {
    return in_range(field, low, high)(o, noon);
  };
  CHECK(holds(&order::small, -5, 10, with(&order::small, 10U)));
  CHECK_FALSE(holds(&order::small, -5, 10, with(&order::small, 11U)));
  CHECK_FALSE(holds(&order::small, -5, -1, with(&order::small, most<std::uint32_t>)));
  CHECK(holds(&order::large, std::int64_t{-1}, most<std::int64_t>, with(&order::large, std::uint64_t{1} << 62)));
  CHECK_FALSE(holds(&order::large, std::int64_t{0}, most<std::int64_t>, with(&order::large, std::uint64_t{1} << 63)));
  CHECK_FALSE(holds(&order::price, 0U, 10U, with(&order::price, std::int64_t{-1})));
  CHECK(holds(&order::price, 0U, 10U, with(&order::price, std::int64_t{10})));
  CHECK_FALSE(holds(&order::tiny, 0U, 255U, with(&order::tiny, std::int8_t{-1})));

  const std::vector<std::int64_t> values{least<std::int64_t>, least<std::int32_t>, -129, -1, 0, 1, 127, 255,
                                         most<std::int64_t>};
  for (const std::int64_t v : values) {
    for (const std::int64_t low : values) {
      for (const std::int64_t high : values) {
        if (v < 0 || low < 0 || low > high) continue;  // as unsigned field and unsigned low end, the same numbers
        order o;
        o.large = static_cast<std::uint64_t>(v);
        o.price = v;
        const bool expected = low <= v && v <= high;
        CHECK(in_range(&order::large, low, high)(o, noon) == expected);
        CHECK(in_range(&order::price, static_cast<std::uint64_t>(low), most<std::uint64_t>)(o, noon) == (low <= v));
      }
    }
  }
}

TEST_CASE("a range whose ends are exchanged or not numbers is refused with a sentence") {
  CHECK_THROWS_WITH(in_range(&order::price, 5, -5), "in_range(field, low, high) needs low <= high");
  CHECK_THROWS_AS(in_range(&order::ratio, not_a_number, 1.0), std::invalid_argument);
  CHECK_THROWS_AS(in_range(&order::ratio, 1.0, not_a_number), std::invalid_argument);
  CHECK_THROWS_AS(in_range(&order::at, at(1), at(0)), std::invalid_argument);
  CHECK_NOTHROW(in_range(&order::price, 5, 5));
}

TEST_CASE("finite refuses NaN and the infinities only") {
  const auto holds = [](double v) { return finite(&order::ratio)(with(&order::ratio, v), noon); };
  for (const double v :
       {0.0, -0.0, 1e308, -1e308, std::numeric_limits<double>::denorm_min(), most<double>, -most<double>}) {
    CHECK(holds(v));
  }
  for (const double v : {not_a_number, -not_a_number, infinite, -infinite}) CHECK_FALSE(holds(v));
  CHECK(finite(&order::rate)(nothing(), noon));
  CHECK_FALSE(finite(&order::rate)(with(&order::rate, {infinite}), noon));
  CHECK_FALSE(finite([](const order&) { return std::numeric_limits<float>::infinity(); })(nothing(), noon));
}

TEST_CASE("times after and before the arrival are tolerated up to the nanosecond") {
  const auto after = [](timestamp t, timestamp now, duration tolerance) {
    return not_after(&order::at, tolerance)(with(&order::at, t), now);
  };
  const auto before = [](timestamp t, timestamp now, duration tolerance) {
    return not_before(&order::at, tolerance)(with(&order::at, t), now);
  };
  CHECK(after(noon + 5s, noon, 5s));
  CHECK_FALSE(after(noon + 5s + 1ns, noon, 5s));
  CHECK(after(noon, noon, 0s));
  CHECK_FALSE(after(noon, noon, -1ns));
  CHECK(before(noon - 5s, noon, 5s));
  CHECK_FALSE(before(noon - 5s - 1ns, noon, 5s));
  CHECK(before(noon + 24h, noon, 0s));
  CHECK(not_after(&order::paid, 0s)(nothing(), noon));
  CHECK(not_before(&order::paid, 0s)(nothing(), noon));
  CHECK_FALSE(not_after(&order::paid, 0s)(with(&order::paid, {noon + 1ns}), noon));
  CHECK_FALSE(not_before(&order::paid, 0s)(with(&order::paid, {noon - 1ns}), noon));
}

TEST_CASE("no extreme time or tolerance overflows and the answers agree with wide arithmetic") {
  std::mt19937_64 random(47);
  const auto number = [&]() -> std::int64_t {
    switch (random() % 6) {
      case 0:
        return least<std::int64_t> + static_cast<std::int64_t>(random() % 3);
      case 1:
        return most<std::int64_t> - static_cast<std::int64_t>(random() % 3);
      case 2:
        return static_cast<std::int64_t>(random() % 5) - 2;
      default:
        return static_cast<std::int64_t>(random());
    }
  };
  bool agrees = true;
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t t = number();
    const std::int64_t now = number();
    const std::int64_t tolerance = number() & most<std::int64_t>;
    const order o = with(&order::at, at(t));
    // t - now and now - t, where positive, fit 64 unsigned bits.
    const auto distance = static_cast<std::uint64_t>(t > now ? t : now) - static_cast<std::uint64_t>(t > now ? now : t);
    const bool within = distance <= static_cast<std::uint64_t>(tolerance);
    agrees = agrees && not_after(&order::at, duration(tolerance))(o, at(now)) == (t <= now || within);
    agrees = agrees && not_before(&order::at, duration(tolerance))(o, at(now)) == (t >= now || within);
    (void)not_after(&order::at, duration(number()))(o, at(now));
    (void)not_before(&order::at, duration(number()))(o, at(now));
    if (!agrees) FAIL("t " << t << ", now " << now << ", tolerance " << tolerance);
  }
}

TEST_CASE("times of a coarser unit are compared even where they do not fit nanoseconds") {
  const auto after = [](milliseconds_time t) { return not_after(&order::coarse, 5s)(with(&order::coarse, t), noon); };
  const auto before = [](milliseconds_time t) { return not_before(&order::coarse, 5s)(with(&order::coarse, t), noon); };
  CHECK(after(milliseconds_time(43'205'000ms)));
  CHECK_FALSE(after(milliseconds_time(43'205'001ms)));
  CHECK_FALSE(after(milliseconds_time::max()));
  CHECK(after(milliseconds_time::min()));
  CHECK(before(milliseconds_time(43'195'000ms)));
  CHECK_FALSE(before(milliseconds_time(43'194'999ms)));
  CHECK_FALSE(before(milliseconds_time::min()));
  CHECK(before(milliseconds_time::max()));
}

TEST_CASE("a product is compared exactly and an overflow fails") {
  const auto rule = product_equals(&order::price, &order::quantity, &order::revenue);
  const auto holds = [&](std::int64_t price, std::int64_t quantity, std::int64_t revenue) {
    order o;
    o.price = price;
    o.quantity = quantity;
    o.revenue = revenue;
    return rule(o, noon);
  };
  CHECK(holds(1'999, 3, 5'997));
  CHECK_FALSE(holds(1'999, 3, 5'996));
  CHECK(holds(-4, 5, -20));
  CHECK(holds(0, most<std::int64_t>, 0));
  CHECK(holds(least<std::int64_t>, 1, least<std::int64_t>));
  CHECK_FALSE(holds(least<std::int64_t>, -1, least<std::int64_t>));
  CHECK_FALSE(holds(most<std::int64_t>, 2, -2));
  CHECK_FALSE(holds(std::int64_t{1} << 32, std::int64_t{1} << 32, 0));
}

TEST_CASE("a product is fixed where it fits and left alone where it does not") {
  const auto rule = product_equals(&order::price, &order::quantity, &order::revenue);
  order o;
  o.price = 1'999;
  o.quantity = 3;
  o.revenue = 1;
  CHECK(rule.fix(o));
  CHECK(o.revenue == 5'997);
  o.price = most<std::int64_t>;
  CHECK_FALSE(rule.fix(o));
  CHECK(o.revenue == 5'997);
  const auto narrow = product_equals(&order::price, &order::quantity, &order::tiny);
  o.price = 64;
  o.quantity = -2;
  CHECK(narrow.fix(o));
  CHECK(o.tiny == -128);
  o.quantity = 2;
  CHECK_FALSE(narrow.fix(o));
  const auto without_sign = product_equals(&order::price, &order::quantity, &order::large);
  o.quantity = -1;
  CHECK_FALSE(without_sign.fix(o));
  CHECK_FALSE(without_sign(o, noon));
  const auto mixed = product_equals(&order::large, &order::quantity, &order::price);
  o.large = most<std::uint64_t>;
  o.quantity = 0;
  CHECK(mixed.fix(o));
  CHECK(o.price == 0);
}

TEST_CASE("every condition explains what was compared with what") {
  order o;
  o.price = 105;
  o.ratio = not_a_number;
  o.id = "a\nb";
  o.small = 4;
  o.at = noon + 90s;
  o.coarse = milliseconds_time(1ms);
  o.limit = -1;
  CHECK(in_range(&order::price, 0, 100).explain(o, noon) == "105 is not in the range from 0 to 100");
  CHECK(in_range(&order::ratio, 0.5, 1.5).explain(o, noon) == "nan is not in the range from 0.5 to 1.5");
  CHECK(in_range(&order::limit, 0, 100).explain(o, noon) == "-1 is not in the range from 0 to 100");
  CHECK(in_range(&order::limit, 0, 100).explain(nothing(), noon) == "the field is absent");
  CHECK(equals(&order::id, "ab").explain(o, noon) == "\"a\\x0ab\" is not \"ab\"");
  CHECK(equals(&order::small, 5).explain(o, noon) == "4 is not 5");
  CHECK(equals(&order::direction, side::sell).explain(o, noon) == "1 is not -1");
  CHECK(equals(&order::is_open, true).explain(o, noon) == "false is not true");
  CHECK(finite(&order::ratio).explain(o, noon) == "nan is not a finite number");
  CHECK(not_after(&order::at, 5s).explain(o, noon) ==
        "1970-01-01T12:01:30Z is more than 5 s after 1970-01-01T12:00:00Z");
  CHECK(not_before(&order::at, 60s).explain(o, noon + 1h) ==
        "1970-01-01T12:01:30Z is more than 1 min before 1970-01-01T13:00:00Z");
  CHECK(not_before(&order::coarse, 1ns).explain(o, noon) ==
        "1970-01-01T00:00:00.001Z is more than 1 ns before 1970-01-01T12:00:00Z");
  CHECK(not_after(&order::at, duration::min()).explain(with(&order::at, timestamp::max()), timestamp::min()) ==
        "2262-04-11T23:47:16.854775807Z is more than -9223372036854775808 ns after 1677-09-21T00:12:43.145224192Z");
  const auto product = product_equals(&order::price, &order::quantity, &order::revenue);
  o.quantity = 2;
  o.revenue = 211;
  CHECK(product.explain(o, noon) == "211 is not 105 * 2 = 210");
  o.price = most<std::int64_t>;
  CHECK(product.explain(o, noon) == "9223372036854775807 * 2 does not fit the field, which holds 211");
}

TEST_CASE("every condition says the same of what passes") {
  order o;
  o.price = 5;
  o.quantity = 3;
  o.revenue = 15;
  o.id = "x";
  o.at = noon;
  CHECK(in_range(&order::price, -7, 9).explain(o, noon) == "5 is in the range from -7 to 9");
  CHECK(in_range(&order::ratio, 0.0, 1.0).explain(o, noon) == "0 is in the range from 0 to 1");
  CHECK(equals(&order::price, 5).explain(o, noon) == "5 is 5");
  CHECK(finite(&order::ratio).explain(o, noon) == "0 is a finite number");
  CHECK(required(&order::id).explain(o, noon) == "the field is there");
  CHECK(not_after(&order::at, 5s).explain(o, noon) ==
        "1970-01-01T12:00:00Z is not more than 5 s after 1970-01-01T12:00:00Z");
  CHECK(product_equals(&order::price, &order::quantity, &order::revenue).explain(o, noon) == "15 is 5 * 3 = 15");
}

TEST_CASE("what was compared with the bounds can be had as a value whether it passes or fails") {
  order o;
  o.price = 5;
  o.revenue = 7;
  CHECK(in_range(&order::price, 0, 4).measured(o, noon) == 5);
  CHECK(not_after(&order::at, 5s).measured(o, noon) == o.at);
  CHECK(product_equals(&order::price, &order::quantity, &order::revenue).measured(o, noon) == 7);
}
