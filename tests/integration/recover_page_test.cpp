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
  data.add({hostile, 1, std::numeric_limits<std::uint64_t>::max(), recoup::timestamp::max(), hostile});
  data.add(kind::rejected, {hostile, std::numeric_limits<std::uint64_t>::max(), hostile, std::nullopt, hostile});
  const std::string page = recover::render_page(data);
  for (const char* part : {"<script", "</script", "<!--", "<b", "</title"}) {
    INFO(part);
    CHECK(occurrences(page, part) == occurrences(plain, part));
  }
  const nlohmann::json read = data_in(page);
  CHECK(read["title"] == printable(hostile, 300));
  CHECK(read["timeline"]["rows"][0]["stream"] == printable(hostile, 300));
  CHECK(read["ranges"]["rows"][0]["last"] == "18446744073709551615");
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

TEST_CASE("a page keeps the first ranges and samples and counts the others") {
  page_data data;
  for (std::uint64_t i = 0; i != 1'000; ++i) {
    CHECK(data.keeps_ranges() == (i < page_data::most_ranges));
    CHECK(data.keeps(kind::review) == (i < page_data::most_samples));
    data.add({"s", i, i, std::nullopt, ""});
    data.add(kind::review, {"s", i, "", std::nullopt, ""});
  }
  CHECK(data.ranges().size() == page_data::most_ranges);
  CHECK(data.range_count() == 1'000);
  CHECK(data.samples(kind::review).size() == page_data::most_samples);
  CHECK(data.sample_count(kind::review) == 1'000);
  CHECK(data.samples(kind::rejected).empty());
}

TEST_CASE("the summary is one sentence in the right number") {
  page_data::totals total;
  total.events = 10;
  total.streams = total.missing = total.gaps = total.duplicates = 1;
  CHECK(recover::summary_of(total) ==
        "Of 10 events, 1 is missing in 1 gap; 1 was repeated, 0 rejected, 0 held for review, 0 corrected, and 0 "
        "inferred.");
  total.events = 5'000'000;
  total.streams = 64;
  total.missing = 1'818;
  total.gaps = 592;
  total.duplicates = 0;
  total.malformed_rows = 2;
  CHECK(recover::summary_of(total) ==
        "Of 5,000,000 events in 64 streams, 1,818 are missing in 592 gaps; 0 were repeated, 0 rejected, 0 held for "
        "review, "
        "0 corrected, and 0 inferred. 2 rows could not be read.");
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
