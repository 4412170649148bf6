// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "embedded.hpp"
#include "page_html.hpp"
#include "series.hpp"
#include "text.hpp"

namespace detect {

namespace {

using nlohmann::json;

// To six significant digits, which is more than a screen shows.
json drawn(double value) {
  return std::isfinite(value) ? json(std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr)) : json(nullptr);
}

json page_json(const series& data) {
  json times = json::array();
  json values = json::array();
  json scores = json::array();
  json expected = json::array();
  json lower = json::array();
  json upper = json::array();
  json parts = json::object();
  std::size_t index = 0;
  for (const point& p : data.points) {
    times.push_back(static_cast<double>(p.at.time_since_epoch().count()) / 1e6);
    values.push_back(p.value ? drawn(*p.value) : json(nullptr));
    scores.push_back(drawn(p.assessed.score));
    const bool warming = p.assessed.warming;
    expected.push_back(warming ? json(nullptr) : drawn(p.assessed.expected));
    lower.push_back(warming ? json(nullptr) : drawn(p.assessed.lower));
    upper.push_back(warming ? json(nullptr) : drawn(p.assessed.upper));
    if (data.is_alert(p)) parts[std::to_string(index)] = p.assessed.part;
    ++index;
  }
  return {{"title", recover::printable(data.title, 200)},
          {"source", recover::printable(data.source, 300)},
          {"detector", data.detector},
          {"threshold", data.threshold},
          {"t", std::move(times)},
          {"v", std::move(values)},
          {"s", std::move(scores)},
          {"e", std::move(expected)},
          {"l", std::move(lower)},
          {"u", std::move(upper)},
          {"parts", std::move(parts)}};
}

// JSON that cannot end the script element it stands in: in it, '<' occurs inside strings only.
std::string for_script(const json& value) {
  std::string safe;
  for (const char c : value.dump(-1, ' ', false, json::error_handler_t::replace)) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string render_page(const series& data) {
  if (recover::embedded::chart_js.empty()) {
    throw std::runtime_error(
        "This program was built without Chart.js, which the page needs; install libjs-chart.js, configure again and "
        "build.");
  }
  std::string page;
  std::string_view rest = page_html;
  const std::pair<std::string_view, std::string> parts[] = {
      {"{{chart.js}}", std::string(recover::embedded::chart_js)},
      {"{{data}}", for_script(page_json(data))},
  };
  for (const auto& [name, text] : parts) {
    const std::size_t at = rest.find(name);
    page.append(rest.substr(0, at)).append(text);
    rest.remove_prefix(at + name.size());
  }
  return page.append(rest);
}

}  // namespace

void write_page(const std::string& path, const series& data) {
  const std::string page = render_page(data);
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  const bool written = file && std::fwrite(page.data(), 1, page.size(), file) == page.size();
  const bool closed = file && std::fclose(file) == 0;
  if (!written || !closed) {
    throw std::runtime_error(
        fmt::format("Cannot write the page to {}: {}.", recover::printable(path, 200), std::strerror(errno)));
  }
}

}  // namespace detect
