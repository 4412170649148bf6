// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "page.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "embedded.hpp"
#include "text.hpp"

namespace recover {

namespace {

using nlohmann::json;

double milliseconds(recoup::timestamp at) { return static_cast<double>(at.time_since_epoch().count()) / 1e6; }

// Names, keys and reasons may hold anything, of any length.
std::string shown(std::string_view text) { return printable(text, 300); }

json milliseconds(const std::optional<recoup::timestamp>& at) { return at ? json(milliseconds(*at)) : json(nullptr); }

json timeline_json(const timeline& times) {
  const picture drawn = times.draw();
  json rows = json::array();
  for (const picture::row& row : drawn.rows) {
    json cells = json::array();  // bucket, kind, count, bucket, kind, count, ...
    for (std::size_t bucket = 0; bucket != row.buckets.size(); ++bucket) {
      for (std::size_t k = 0; k != kinds; ++k) {
        if (row.buckets[bucket][k] == 0) continue;
        cells.push_back(bucket);
        cells.push_back(k);
        cells.push_back(row.buckets[bucket][k]);
      }
    }
    rows.push_back(
        {{"stream", shown(row.stream)}, {"pooled", row.pooled}, {"total", row.total}, {"cells", std::move(cells)}});
  }
  return {{"from", milliseconds(drawn.from)},
          {"width", static_cast<double>(drawn.width.count()) / 1e6},
          {"buckets", drawn.buckets},
          {"before", drawn.before},
          {"after", drawn.after},
          {"earliest", milliseconds(drawn.earliest)},
          {"latest", milliseconds(drawn.latest)},
          {"rows", std::move(rows)}};
}

// 64-bit numbers that are read, not drawn, go as text: a JavaScript number holds 53 bits.
json page_json(const page_data& data) {
  json gaps = json::object();
  for (std::size_t i = 0; i != gap_ends; ++i) {
    const gap_end end = static_cast<gap_end>(i);
    json rows = json::array();
    for (const gap_record& gap : data.gaps.kept(end)) {
      rows.push_back({{"stream", shown(gap.stream)},
                      {"first", std::to_string(gap.range.first)},
                      {"last", std::to_string(gap.range.last)},
                      {"noticed", data.has_times ? json(milliseconds(gap.noticed)) : json(nullptr)},
                      {"came", std::to_string(gap.came)},
                      {"lastCame", gap.came != 0 && data.has_times ? json(milliseconds(gap.last_came)) : json(nullptr)},
                      {"attempts", gap.attempts},
                      {"reason", shown(gap.reason)}});
    }
    gaps[std::string(gap_end_names[i])] = {{"count", std::to_string(data.gaps.count(end))}, {"rows", std::move(rows)}};
  }
  json samples = json::object();
  for (std::size_t k = 0; k != kinds; ++k) {
    const kind of = static_cast<kind>(k);
    if (data.samples(of).empty()) continue;
    json events = json::array();
    for (const page_data::sample& event : data.samples(of)) {
      events.push_back({{"stream", shown(event.stream)},
                        {"sequence", event.sequence ? json(std::to_string(*event.sequence)) : json(nullptr)},
                        {"key", shown(event.key)},
                        {"at", milliseconds(event.at)},
                        {"reason", shown(event.reason)}});
    }
    samples[std::string(kind_names[k])] = {{"count", std::to_string(data.sample_count(of))},
                                           {"events", std::move(events)}};
  }
  const page_data::totals& t = data.total;
  return {{"title", shown(data.title)},
          {"source", shown(data.source)},
          {"summary", summary_of(data)},
          {"kinds", kind_names},
          {"total",
           {{"events", std::to_string(t.events)},
            {"streams", std::to_string(t.streams)},
            {"missing", std::to_string(t.missing())},
            {"open", std::to_string(t.open)},
            {"given_up", std::to_string(t.given_up)},
            {"filled", std::to_string(t.filled)},
            {"late", std::to_string(t.late)},
            {"duplicate", std::to_string(t.duplicates)},
            {"rejected", std::to_string(t.rejected)},
            {"review", std::to_string(t.review)},
            {"corrected", std::to_string(t.corrected)},
            {"inferred", std::to_string(t.inferred)},
            {"unusual", std::to_string(t.unusual)},
            {"malformed", std::to_string(t.malformed_rows)},
            {"rate", t.events_per_second},
            {"state", std::to_string(t.state_bytes)}}},
          {"timeline", timeline_json(data.has_times ? data.times : timeline())},
          {"gaps", std::move(gaps)},
          {"samples", std::move(samples)}};
}

// JSON that cannot end the script element it stands in: in it, '<' occurs inside strings only.
std::string for_script(const json& value) {
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string for_html(std::string_view text) {
  std::string safe;
  for (const char c : shown(text)) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

}  // namespace

std::string summary_of(const page_data& data) {
  const page_data::totals& t = data.total;
  std::string sentence = fmt::format(
      "Of {}{}, {} missing in {}{}; {} repeated, {} rejected, {} held for review, {} corrected, and {} inferred.",
      counted(t.events, "event", "events"),
      t.streams > 1 ? fmt::format(" in {}", counted(t.streams, "stream", "streams")) : std::string(),
      counted(t.missing(), "is", "are"),
      counted(data.gaps.count(gap_end::open) + data.gaps.count(gap_end::given_up), "gap", "gaps"),
      t.filled != 0 ? fmt::format(", and {} came after all", with_commas(t.filled)) : std::string(),
      counted(t.duplicates, "was", "were"), with_commas(t.rejected), with_commas(t.review), with_commas(t.corrected),
      with_commas(t.inferred));
  if (t.unusual != 0) {
    sentence += fmt::format(" {} unusual.", counted(t.unusual, "stretch of time is", "stretches of time are"));
  }
  if (t.malformed_rows != 0) {
    sentence += fmt::format(" {} could not be read.", counted(t.malformed_rows, "row", "rows"));
  }
  return sentence;
}

std::string render_page(const page_data& data) {
  if (embedded::chart_js.empty()) {
    throw std::runtime_error(
        "This program was built without Chart.js, which the page needs; install libjs-chart.js, configure again and "
        "build.");
  }
  std::string page;
  // Each placeholder once, in order of occurrence: nothing that was inserted is looked at again.
  std::string_view rest = embedded::page_html;
  const std::pair<std::string_view, std::string> parts[] = {
      {"{{title}}", for_html(data.title)},
      {"{{chart.js}}", std::string(embedded::chart_js)},
      {"{{data}}", for_script(page_json(data))},
  };
  for (const auto& [name, text] : parts) {
    const std::size_t at = rest.find(name);
    page.append(rest.substr(0, at)).append(text);
    rest.remove_prefix(at + name.size());
  }
  return page.append(rest);
}

void write_page(const std::string& path, const page_data& data) {
  const std::string page = render_page(data);
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  const bool written = file && std::fwrite(page.data(), 1, page.size(), file) == page.size();
  const bool closed = file && std::fclose(file) == 0;
  if (!written || !closed) {
    throw std::runtime_error(
        fmt::format("Cannot write the page to {}: {}.", printable(path, 200), std::strerror(errno)));
  }
}

}  // namespace recover
