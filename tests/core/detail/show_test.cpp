// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/detail/show.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "catch.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::duration;
using recoup::timestamp;
using recoup::detail::show;

enum class side : std::int8_t { sell = -1, buy = 1 };
enum class flag : bool { down, up };
using short_milliseconds = std::chrono::duration<std::int32_t, std::milli>;
struct unknown {};
struct moment {
  operator timestamp() const { return timestamp(1s); }  // NOLINT(google-explicit-constructor)
};

std::string at(std::chrono::sys_days day, duration of_day = {}) { return show(timestamp(day) + of_day); }

// Civil date by counting the days of each month, one by one.
std::string naive_date(std::int64_t day) {
  std::int64_t year = 1970;
  const auto is_leap = [](std::int64_t y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); };
  while (day < 0) day += is_leap(--year) ? 366 : 365;
  while (day >= (is_leap(year) ? 366 : 365)) day -= is_leap(year++) ? 366 : 365;
  const int lengths[] = {31, is_leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int month = 0;
  while (day >= lengths[month]) day -= lengths[month++];
  const auto two = [](std::int64_t n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
  return std::to_string(year) + '-' + two(month + 1) + '-' + two(day + 1);
}

}  // namespace

TEST_CASE("times are shown in RFC 3339 with as many decimals as there are") {
  using namespace std::chrono;
  CHECK(show(timestamp()) == "1970-01-01T00:00:00Z");
  CHECK(show(timestamp(1ns)) == "1970-01-01T00:00:00.000000001Z");
  CHECK(show(timestamp(-1ns)) == "1969-12-31T23:59:59.999999999Z");
  CHECK(show(timestamp(-1s)) == "1969-12-31T23:59:59Z");
  CHECK(show(timestamp(-24h)) == "1969-12-31T00:00:00Z");
  CHECK(at(2024y / February / 29, 23h + 59min + 59s + 500ms) == "2024-02-29T23:59:59.5Z");
  CHECK(at(1900y / March / 1) == "1900-03-01T00:00:00Z");
  CHECK(at(2000y / December / 31, 9h + 8min + 7s + 120us) == "2000-12-31T09:08:07.00012Z");
  CHECK(show(timestamp::max()) == "2262-04-11T23:47:16.854775807Z");
  CHECK(show(timestamp::min()) == "1677-09-21T00:12:43.145224192Z");
  CHECK(show(timestamp::min() + 24h) == "1677-09-22T00:12:43.145224192Z");
  STATIC_REQUIRE(std::is_same_v<sys_time<nanoseconds>, timestamp>);
}

TEST_CASE("times agree with a calendar that counts days") {
  std::mt19937_64 random(17);
  bool agrees = true;
  for (int i = 0; i < 3'000 && agrees; ++i) {
    const timestamp t(duration(static_cast<std::int64_t>(random())));
    const auto day = std::chrono::floor<std::chrono::days>(t);
    const std::string shown = show(t);
    agrees = shown.starts_with(naive_date(day.time_since_epoch().count()) + 'T') && shown.ends_with('Z');
    CAPTURE(shown);
    CHECK(agrees);
  }
}

TEST_CASE("times and durations of coarser units are shown and those out of range as the nearest in range") {
  using namespace std::chrono;
  CHECK(show(sys_seconds(90s)) == "1970-01-01T00:01:30Z");
  CHECK(show(sys_days(2024y / May / 5)) == "2024-05-05T00:00:00Z");
  CHECK(show(sys_seconds::max()) == show(timestamp::max()));
  CHECK(show(sys_seconds::min()) == show(timestamp::min()));
  CHECK(show(sys_time<milliseconds>::max()) == show(timestamp::max()));
  CHECK(show(sys_time<short_milliseconds>(short_milliseconds(-5))) == "1969-12-31T23:59:59.995Z");
  CHECK(show(hours::max()) == show(recoup::duration::max()));
  CHECK(show(hours::min()) == show(recoup::duration::min()));
  CHECK(show(moment()) == "1970-01-01T00:00:01Z");
}

TEST_CASE("durations are shown in the largest unit that needs no decimals") {
  CHECK(show(duration(0)) == "0 ns");
  CHECK(show(duration(1)) == "1 ns");
  CHECK(show(duration(-1'500)) == "-1500 ns");
  CHECK(show(duration(2'000)) == "2 us");
  CHECK(show(5ms) == "5 ms");
  CHECK(show(-5s) == "-5 s");
  CHECK(show(90s) == "90 s");
  CHECK(show(120s) == "2 min");
  CHECK(show(48h) == "48 h");
  CHECK(show(duration::max()) == "9223372036854775807 ns");
  CHECK(show(duration::min()) == "-9223372036854775808 ns");
}

TEST_CASE("numbers of every type are shown") {
  CHECK(show(true) == "true");
  CHECK(show(false) == "false");
  CHECK(show(std::uint8_t{200}) == "200");
  CHECK(show(std::int8_t{-7}) == "-7");
  CHECK(show('A') == "65");
  CHECK(show(L'A') == "65");
  CHECK(show(char8_t{65}) == "65");
  CHECK(show(char32_t{65}) == "65");
  CHECK(show(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(show(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(show(0.1) == "0.1");
  CHECK(show(0.1F) == "0.1");
  CHECK(show(-0.0) == "-0");
  CHECK(show(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(show(-std::numeric_limits<double>::infinity()) == "-inf");
  CHECK(show(std::numeric_limits<double>::quiet_NaN()) == "nan");
  CHECK(show(side::sell) == "-1");
  CHECK(show(flag::up) == "true");
}

TEST_CASE("every double can be read back from what is shown") {
  std::mt19937_64 random(23);
  for (int i = 0; i < 1'000; ++i) {
    const auto bits = random();
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    if (number != number) continue;
    CHECK(std::strtod(show(number).c_str(), nullptr) == number);
  }
  CHECK(show(std::numeric_limits<long double>::lowest()).size() <= 32);
  CHECK(show(std::numeric_limits<double>::denorm_min()) == "5e-324");
}

TEST_CASE("optional values are shown or called absent") {
  CHECK(show(std::optional<int>()) == "absent");
  CHECK(show(std::optional<int>(3)) == "3");
  CHECK(show(std::optional<bool>(false)) == "false");
  CHECK(show(std::optional<std::optional<std::string>>(std::optional<std::string>("x"))) == "\"x\"");
  CHECK(show(unknown()) == "a value");
}

TEST_CASE("text of every kind is shown in quotes") {
  CHECK(show("EUR") == "\"EUR\"");
  CHECK(show(std::string("EUR")) == "\"EUR\"");
  CHECK(show(std::string_view()) == "\"\"");
  const char* none = nullptr;
  CHECK(show(none) == "\"\"");
  const char full[3] = {'E', 'U', 'R'};  // no zero at the end
  CHECK(show(full) == "\"EUR\"");
  const char padded[8] = "EUR";
  CHECK(show(padded) == "\"EUR\"");
}

TEST_CASE("hostile text stays on one line and cannot end its own quotes") {
  using namespace std::string_view_literals;
  CHECK(show("a\nb\r\t\0\x7F\x1B[31m"sv) == "\"a\\x0ab\\x0d\\x09\\x00\\x7f\\x1b[31m\"");
  CHECK(show("x\" is not \"y"sv) == "\"x\\\" is not \\\"y\"");
  CHECK(show("\\x0a"sv) == "\"\\\\x0a\"");
  std::mt19937_64 random(29);
  for (int i = 0; i < 1'000; ++i) {
    std::string text(random() % 100, '\0');
    for (char& c : text) c = static_cast<char>(random());
    const std::string shown = show(text);
    const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; };
    CHECK(std::none_of(shown.begin(), shown.end(), is_control));
    CHECK(shown.size() <= 4 * 64 + 5);
  }
}

TEST_CASE("long text is cut and never inside a character of UTF-8") {
  CHECK(show(std::string(64, 'x')) == '"' + std::string(64, 'x') + '"');
  CHECK(show(std::string(65, 'x')) == '"' + std::string(64, 'x') + "\"...");
  CHECK(show(std::string(1'000'000, 'x')) == '"' + std::string(64, 'x') + "\"...");
  for (const std::string character : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    for (std::size_t before = 55; before <= 64; ++before) {
      std::string text(before, 'x');
      for (int i = 0; i < 4; ++i) text += character;
      std::size_t whole = before + (64 - before) / character.size() * character.size();
      if (text.size() <= 64) whole = text.size();
      CHECK(show(text) == '"' + text.substr(0, whole) + (whole < text.size() ? "\"..." : "\""));
    }
  }
  const std::string no_character(100, '\x80');
  CHECK(show(no_character).size() >= 61 + 5);
}
