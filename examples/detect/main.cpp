// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// detect: says which values of a metric, or which counts of events, are unusual, as they come.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <recoup/anomaly/cusum.hpp>
#include <recoup/anomaly/ewma.hpp>
#include <recoup/anomaly/holt_winters.hpp>
#include <recoup/anomaly/page_hinkley.hpp>
#include <recoup/anomaly/rate_detector.hpp>
#include <recoup/anomaly/value_detector.hpp>
#include <recoup/anomaly/welford.hpp>
#include <recoup/core/detail/show.hpp>
#include <recoup/core/time.hpp>
#include <recoup/version.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reader.hpp"
#include "series.hpp"
#include "text.hpp"

namespace {

using recover::time_format;

struct settings {
  std::string input = "-";
  std::string detector = "value";
  std::string time = "timestamp";
  std::string value = "value";
  time_format time_as = time_format::iso;
  double bucket = 300;
  double season = 24;
  std::optional<double> threshold;
  std::string page;
  bool is_quiet = false;

  // The value_detector keeps back: on noise, its scores of 8 and more are rarer than other detectors' of 10.
  [[nodiscard]] double score_of_alert() const { return threshold.value_or(detector == "value" ? 8 : 10); }
};

recoup::duration seconds(double s) {
  constexpr double most = 9.2e9;
  return recoup::duration(static_cast<std::int64_t>(std::min(s, most) * 1e9));
}

// As the input writes its times: "2025-02-09 12:00:00", or a number of units.
std::string written(recoup::timestamp at, time_format format) {
  const std::int64_t ns = at.time_since_epoch().count();
  const auto in_units = [&](std::int64_t unit, int decimals) {
    if (ns % unit == 0) return fmt::format("{}", ns / unit);
    std::string text =
        fmt::format("{}{}.{:0{}}", ns < 0 ? "-" : "", std::abs(ns / unit), std::abs(ns % unit), decimals);
    return text.erase(text.find_last_not_of('0') + 1);
  };
  switch (format) {
    case time_format::seconds:
      return in_units(1'000'000'000, 9);
    case time_format::milliseconds:
      return in_units(1'000'000, 6);
    case time_format::microseconds:
      return in_units(1'000, 3);
    case time_format::nanoseconds:
      return in_units(1, 0);
    case time_format::iso:
      break;
  }
  std::string text = recoup::detail::show(at);
  text[text.find('T')] = ' ';
  text.pop_back();
  return text;
}

// Each point goes to standard output as it is judged.
class output {
 public:
  output(const settings& s, detect::series& kept) : settings_(s), kept_(kept) {
    if (!settings_.is_quiet) fmt::print("timestamp,value,score,alert,expected,lower,upper\n");
  }

  void put(const detect::point& p) {
    ++points_;
    if (kept_.is_alert(p)) ++alerts_;
    if (!settings_.page.empty()) kept_.points.push_back(p);
    if (settings_.is_quiet) return;
    const recoup::assessment& a = p.assessed;
    fmt::print("{},{},{},{},{},{},{}\n", written(p.at, settings_.time_as), p.value ? fmt::format("{}", *p.value) : "",
               a.score, kept_.is_alert(p) ? 1 : 0, a.warming ? "" : fmt::format("{}", a.expected),
               a.warming ? "" : fmt::format("{}", a.lower), a.warming ? "" : fmt::format("{}", a.upper));
  }
  [[nodiscard]] std::uint64_t points() const { return points_; }
  [[nodiscard]] std::uint64_t alerts() const { return alerts_; }

 private:
  const settings& settings_;
  detect::series& kept_;
  std::uint64_t points_ = 0;
  std::uint64_t alerts_ = 0;
};

// Calls row(its time, its value, if it has one).
template <class Row>
void for_each_row(recover::reader& in, Row&& row) {
  recover::record r;
  constexpr std::uint64_t most_told = 5;
  std::uint64_t timeless = 0;
  std::uint64_t unreadable = 0;
  for (auto found = in.next(r); found != recover::reader::result::end; found = in.next(r)) {
    if (found == recover::reader::result::row) {
      if (!r.at) ++timeless;
      if (r.value_unreadable) ++unreadable;
      if (r.at) row(*r.at, r.value);
    } else if (in.malformed() <= most_told) {
      fmt::print(stderr, "Line {} is skipped: {}\n", in.malformed_line(), in.malformed_reason());
    }
  }
  for (const std::string& column : in.unseen_columns())
    fmt::print(stderr, "No row has a \"{}\".\n", recover::printable(column));
  if (timeless != 0) fmt::print(stderr, "{} rows without a time are left out.\n", timeless);
  if (unreadable != 0) fmt::print(stderr, "{} values are no numbers, such as 12.5: taken for none.\n", unreadable);
}

template <recoup::detector Detector>
void judge_values(recover::reader& in, output& out, Detector detector) {
  for_each_row(in, [&](recoup::timestamp at, std::optional<double> value) {
    out.put({at, value, value ? detector.update(at, *value) : recoup::assessment()});
  });
}

// Values are counts of events; without a value column each row is one event.
void judge_counts(recover::reader& in, output& out, const settings& s) {
  const recoup::duration bucket = seconds(s.bucket);
  recoup::rate_detector rate({.counts = {.bucket = bucket, .season = seconds(s.season * 3'600)}});
  const auto put = [&]<class Told>(const Told& told) {
    if constexpr (requires { told.assessment; }) {
      out.put({told.start, static_cast<double>(told.count), told.assessment});
    } else {
      fmt::print(stderr, "{} buckets from {} on are passed over: longer than a day without any row.\n", told.buckets,
                 written(told.start, s.time_as));
    }
  };
  std::optional<recoup::timestamp> last;
  recoup::duration step = bucket;  // from the time before the last to the last
  std::uint64_t unusable = 0;
  for_each_row(in, [&](recoup::timestamp at, std::optional<double> value) {
    const double count = s.value.empty() ? 1 : value.value_or(-1);
    if (!(count >= 0) || count > 1e18) {
      ++unusable;
      return;
    }
    rate.advance(at, put);
    rate.add(at, static_cast<std::uint64_t>(std::llround(count)));
    if (last && at > *last) step = recoup::elapsed(*last, at);
    last = last ? std::max(*last, at) : at;
  });
  // The input is taken to end when another row would have come.
  if (last) rate.advance(recoup::saturating_add(*last, std::min(step, bucket)), put);
  if (rate.open() != 0) fmt::print(stderr, "The last bucket is not judged, as the input ends within it.\n");
  if (unusable != 0)
    fmt::print(stderr, "{} rows are left out, as their counts are missing, negative or above 10^18.\n", unusable);
  const auto& counts = rate.counters();
  if (counts.late + counts.ahead != 0) {
    fmt::print(stderr, "{} events were too late or too early for any open bucket: sort the input by time.\n",
               counts.late + counts.ahead);
  }
}

using judge = std::function<void(recover::reader&, output&, const settings&)>;

template <class Detector, class Options>
judge with(Options options) {
  return [options](recover::reader& in, output& out, const settings&) { judge_values(in, out, Detector(options)); };
}

std::map<std::string, judge> detectors() {
  using std::chrono::hours;
  return {{"value",
           [](recover::reader& in, output& out, const settings& s) {
             judge_values(in, out, recoup::value_detector({.season = seconds(s.season * 3'600)}));
           }},
          {"rate", [](recover::reader& in, output& out, const settings& s) { judge_counts(in, out, s); }},
          {"ewma", with<recoup::ewma>(recoup::ewma_options())},
          {"welford", with<recoup::welford>(recoup::welford_options())},
          {"holt_winters",
           [](recover::reader& in, output& out, const settings& s) {
             judge_values(in, out, recoup::holt_winters<>({.period = seconds(s.season * 3'600)}));
           }},
          {"cusum", with<recoup::cusum>(recoup::cusum_options())},
          {"page_hinkley", with<recoup::page_hinkley>(recoup::page_hinkley_options())}};
}

int run(const settings& s) {
  recover::columns wanted;
  wanted.time = s.time;
  wanted.value = s.value;
  wanted.time_as = s.time_as;
  recover::reader in(s.input, wanted);
  detect::series kept{
      .title = "What was unusual", .source = s.input, .detector = s.detector, .threshold = s.score_of_alert()};
  output out(s, kept);
  detectors().at(s.detector)(in, out, s);
  if (!s.page.empty()) detect::write_page(s.page, kept);
  if (std::fflush(stdout) != 0) throw std::runtime_error("Standard output cannot be written.");
  fmt::print(stderr, "{} alerts in {} values at a score of {} or more.\n", out.alerts(), out.points(),
             s.score_of_alert());
  if (in.malformed() != 0) fmt::print(stderr, "{} rows could not be read.\n", in.malformed());
  if (out.points() == 0) fmt::print(stderr, "No value was read; see --time, --time-format and --value.\n");
  return out.points() == 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  CLI::App app("Says which values of a metric, or which counts of events, are unusual, as they come.");
  app.set_version_flag(
      "--version", fmt::format("detect {}.{}.{}", RECOUP_VERSION_MAJOR, RECOUP_VERSION_MINOR, RECOUP_VERSION_PATCH));
  app.add_option("input", s.input, "CSV with a header, or NDJSON, ordered by time; - is standard input")
      ->capture_default_str();
  std::vector<std::string> names;
  for (const auto& [name, judge] : detectors()) names.push_back(name);
  app.add_option("--detector", s.detector, "value: a metric; rate: counts of events, by buckets; or a basic one")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  app.add_option("--bucket", s.bucket, "Width of a bucket of --detector rate, in seconds")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  app.add_option("--season", s.season, "Hours after which what is usual repeats")
      ->check(CLI::Range(0.0, 24.0 * 366))
      ->capture_default_str();
  app.add_option(
         "--threshold", s.threshold,
         "Score from which a value is an alert, in nats: 10 is once in 22,000. By default 8 for value, 10 for others")
      ->check(CLI::PositiveNumber);
  app.add_option("--time", s.time, "Column of the time")->capture_default_str();
  app.add_option("--value", s.value, "Column of the value; \"\" with --detector rate: each row is one event")
      ->capture_default_str();
  const std::map<std::string, time_format> formats{{"iso", time_format::iso},
                                                   {"s", time_format::seconds},
                                                   {"ms", time_format::milliseconds},
                                                   {"us", time_format::microseconds},
                                                   {"ns", time_format::nanoseconds}};
  app.add_option("--time-format", s.time_as, "How times are written: iso (UTC where nothing is said), s, ms, us, ns")
      ->transform(CLI::CheckedTransformer(formats));
  app.add_option("--html", s.page, "File to write a page to: the series, what was expected, the alerts");
  app.add_flag("--quiet", s.is_quiet, "No CSV on standard output");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    if (std::isnan(s.bucket) || std::isnan(s.season) || std::isnan(s.score_of_alert())) {
      throw std::runtime_error("--bucket, --season and --threshold must be numbers; NaN is none.");
    }
    if (s.value.empty() && s.detector != "rate") {
      throw std::runtime_error("Without a value column there is nothing to judge but the --detector rate.");
    }
    return run(s);
  } catch (const std::invalid_argument& e) {
    fmt::print(stderr, "No detector of this kind has such a --bucket or --season: {}.\n", e.what());
    return 1;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
}
