// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "../../examples/recover/embedded.hpp"
#include "../../examples/recover/page.hpp"
#include "../../examples/recover/text.hpp"
#include "catch.hpp"

namespace {

using recover::kind;
using recover::page_data;
using recover::printable;

std::size_t occurrences(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// What the page's script will read.
nlohmann::json data_in(const std::string& page) {
  const std::string_view mark = R"(<script type="application/json" id="data">)";
  const std::size_t from = page.find(mark) + mark.size();
  return nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
}

bool has_chart() { return !recover::embedded::chart_js.empty(); }

// Makes the text after it run from right to left.
const char override_mark[] = {'\xE2', '\x80', '\xAE', '\0'};

}  // namespace

TEST_CASE("without Chart.js a page is refused with a sentence") {
  if (has_chart()) return;
  std::string sentence;
  try {
    recover::render_page({});
  } catch (const std::runtime_error& error) {
    sentence = error.what();
  }
  CHECK(sentence.find("libjs-chart.js") != std::string::npos);
}

TEST_CASE("hostile names cannot leave the place where they stand") {
  if (!has_chart()) return;
  const std::string hostile =
      "</script><script>alert(1)</script><!-- <b onclick='x'> {{data}} {{chart.js}} \xFF \" &amp;" +
      std::string(override_mark);
  page_data data;
  const std::string plain = recover::render_page(data);
  data.title = data.source = hostile;
  data.times.add(hostile, recoup::timestamp(std::chrono::seconds(1)), kind::missing);
  data.gaps.found(hostile, {1, std::numeric_limits<std::uint64_t>::max()}, recoup::timestamp::max());
  data.gaps.given_up(hostile, {7, 7}, recoup::timestamp::max(), hostile);
  data.gaps.finish();
  data.add(kind::rejected, {hostile, std::numeric_limits<std::uint64_t>::max(), hostile, std::nullopt, hostile});
  const std::string page = recover::render_page(data);
  for (const char* part : {"<script", "</script", "<!--", "<b", "</title"}) {
    INFO(part);
    CHECK(occurrences(page, part) == occurrences(plain, part));
  }
  const nlohmann::json read = data_in(page);
  CHECK(read["title"] == printable(hostile, 300));
  CHECK(read["timeline"]["rows"][0]["stream"] == printable(hostile, 300));
  CHECK(read["gaps"]["open"]["rows"][0]["last"] == "18446744073709551615");
  CHECK(read["gaps"]["open"]["rows"][0]["reason"] == printable(hostile, 300));
  CHECK(read["samples"]["rejected"]["events"][0]["sequence"] == "18446744073709551615");
  CHECK(read["samples"]["rejected"]["events"][0]["at"].is_null());
}

TEST_CASE("a page loads nothing") {
  if (!has_chart()) return;
  const std::string_view page = recover::embedded::page_html;
  CHECK(occurrences(page, "src=") == 0);
  CHECK(occurrences(page, "http:") + occurrences(page, "https:") == 0);
  CHECK(occurrences(page, "default-src 'none'") == 1);
}

TEST_CASE("a page keeps the first samples and counts the others") {
  page_data data;
  for (std::uint64_t i = 0; i != 1'000; ++i) {
    CHECK(data.keeps(kind::review) == (i < page_data::most_samples));
    data.add(kind::review, {"s", i, "", std::nullopt, ""});
  }
  CHECK(data.samples(kind::review).size() == page_data::most_samples);
  CHECK(data.sample_count(kind::review) == 1'000);
  CHECK(data.samples(kind::rejected).empty());
}

TEST_CASE("a page tells open, given up and filled gaps apart") {
  if (!has_chart()) return;
  using recoup::timestamp;
  using std::chrono::seconds;
  page_data data;
  data.gaps.found("a", {3, 4}, timestamp(seconds(1)));
  data.gaps.found("a", {7, 7}, timestamp(seconds(2)));
  data.gaps.found("b", {1, 3}, timestamp(seconds(3)));
  data.gaps.asked("b", {1, 3}, 1);
  data.gaps.came("a", 7, false, timestamp(seconds(12)));
  data.gaps.came("b", 2, false, timestamp(seconds(13)));
  data.gaps.given_up("b", {1, 1}, timestamp(seconds(3)), "nobody answered");
  data.gaps.given_up("b", {3, 3}, timestamp(seconds(3)), "nobody answered");
  data.gaps.finish();
  data.total.open = data.total.given_up = data.total.filled = 2;
  const nlohmann::json read = data_in(recover::render_page(data));
  CHECK(read["total"]["missing"] == "4");
  CHECK(read["total"]["filled"] == "2");
  for (const char* end : {"open", "given_up", "filled"}) {
    INFO(end);
    CHECK(read["gaps"][end]["count"] == "1");
    CHECK(read["gaps"][end]["rows"].size() == 1);
  }
  const nlohmann::json open = read["gaps"]["open"]["rows"][0];
  CHECK(open["stream"] == "a");
  CHECK(open["first"] == "3");
  CHECK(open["attempts"] == 0);
  CHECK(open["lastCame"].is_null());
  const nlohmann::json given_up = read["gaps"]["given_up"]["rows"][0];
  CHECK(given_up["stream"] == "b");
  CHECK(given_up["came"] == "1");
  CHECK(given_up["attempts"] == 1);
  CHECK(given_up["reason"] == "nobody answered");
  const nlohmann::json filled = read["gaps"]["filled"]["rows"][0];
  CHECK(filled["noticed"] == 2'000.0);
  CHECK(filled["lastCame"] == 12'000.0);
}

TEST_CASE("a page of events without times draws no timeline") {
  if (!has_chart()) return;
  page_data data;
  data.times.add("a", recoup::timestamp(), kind::accepted);
  data.gaps.found("a", {3, 4}, recoup::timestamp());
  data.gaps.came("a", 3, false, recoup::timestamp());
  data.gaps.finish();
  CHECK(data_in(recover::render_page(data))["timeline"]["rows"].size() == 1);
  data.has_times = false;
  const nlohmann::json read = data_in(recover::render_page(data));
  CHECK(read["timeline"]["rows"].empty());
  CHECK(read["gaps"]["open"]["rows"][0]["noticed"].is_null());
  CHECK(read["gaps"]["open"]["rows"][0]["lastCame"].is_null());
}

TEST_CASE("the summary is one sentence in the right number") {
  page_data data;
  data.total.events = 10;
  data.total.streams = data.total.open = data.total.duplicates = 1;
  data.gaps.found("a", {3, 3}, recoup::timestamp());
  data.gaps.finish();
  CHECK(recover::summary_of(data) ==
        "Of 10 events, 1 is missing in 1 gap; 1 was repeated, 0 rejected, 0 held for review, 0 corrected, and 0 "
        "inferred.");
  data.total.unusual = 1;
  CHECK_THAT(recover::summary_of(data), Catch::Matchers::EndsWith(" inferred. 1 stretch of time is unusual."));
  data.total.unusual = 2'000;
  CHECK_THAT(recover::summary_of(data), Catch::Matchers::EndsWith(" inferred. 2,000 stretches of time are unusual."));
  page_data more;
  more.total.events = 5'000'000;
  more.total.streams = 64;
  more.total.open = 1'000;
  more.total.given_up = 818;
  more.total.filled = 2;
  more.total.malformed_rows = 2;
  more.gaps.found("a", {1, 1'000}, recoup::timestamp());
  more.gaps.found("b", {1, 818}, recoup::timestamp());
  more.gaps.found("b", {900, 901}, recoup::timestamp());
  more.gaps.given_up("b", {1, 818}, recoup::timestamp(), "");
  more.gaps.came("b", 900, false, recoup::timestamp());
  more.gaps.came("b", 901, false, recoup::timestamp());
  more.gaps.finish();
  CHECK(recover::summary_of(more) ==
        "Of 5,000,000 events in 64 streams, 1,818 are missing in 2 gaps, and 2 came after all; 0 were repeated, 0 "
        "rejected, 0 held for review, 0 corrected, and 0 inferred. 2 rows could not be read.");
}

TEST_CASE("durations and numbers are rounded for people") {
  using recover::lasting;
  using namespace std::chrono_literals;
  CHECK(lasting(0s) == "0 s");
  CHECK(lasting(recoup::duration(-5)) == "0 s");
  CHECK(lasting(7ns) == "7 ns");
  CHECK(lasting(54'762'335ns) == "55 ms");
  CHECK(lasting(2'500ms) == "2.5 s");
  CHECK(lasting(119s) == "119 s");
  CHECK(lasting(150s) == "2.5 minutes");
  CHECK(lasting(47h) == "47 hours");
  CHECK(lasting(48h) == "2 days");
  CHECK(lasting(recoup::duration::max()) == "106752 days");
  CHECK(recover::counted(1, "gap", "gaps") == "1 gap");
  CHECK(recover::counted(12'345, "gap", "gaps") == "12,345 gaps");
  CHECK(recover::how_often(0) == "never");
  CHECK(recover::how_often(1) == "once");
  CHECK(recover::how_often(3) == "3 times");
}

TEST_CASE("printable text keeps what can be seen and spells out the rest") {
  CHECK(printable("Gr\xC3\xBC\xC3\x9F, \xE4\xBD\xA0 \xF0\x9F\x98\x80") ==
        "Gr\xC3\xBC\xC3\x9F, \xE4\xBD\xA0 \xF0\x9F\x98\x80");
  CHECK(printable("\x1b[31m\x7f\n") == "\\x1b[31m\\x7f\\x0a");
  CHECK(printable("\xC2\x9B [31m") == "\\xc2\\x9b [31m");
  CHECK(printable(override_mark) == "\\xe2\\x80\\xae");
  CHECK(printable("\xC0\x80 \xED\xA0\x80 \xF5\x80\x80\x80 \xE4\xBD") ==
        "\\xc0\\x80 \\xed\\xa0\\x80 \\xf5\\x80\\x80\\x80 \\xe4\\xbd");
  CHECK(printable("abcdef", 3) == "abc...");
  CHECK(printable("abc", 3) == "abc");
}
