// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// recover: finds what an event stream in a file lost, repeated and got wrong.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <recoup/version.hpp>
#include <string>
#include <utility>
#include <vector>

#include "jobs.hpp"
#include "settings.hpp"

namespace {

using recover::settings;
using recover::time_format;

struct preset {
  const char* name;
  const char* what;
  void (*apply)(settings&);
};

// Formats that people have. A preset is what can also be said by options; options given beside it come on top.
constexpr preset presets[] = {
    {"sigfox", "one radio link, 12-bit counters that wrap: columns time (s), seq12, received",
     [](settings& s) {
       s.fields.sequence = "seq12";
       s.fields.time = "time";
       s.fields.time_as = time_format::seconds;
       s.fields.key = {"seq12", "time"};
       s.fields.where_column = "received";
       s.fields.where_equals = "1";
       s.bits = 12;
     }},
    {"lorawan", "frames heard by several gateways: columns ts_ms, dev, fcnt",
     [](settings& s) {
       s.fields.stream = "dev";
       s.fields.sequence = "fcnt";
       s.fields.time = "ts_ms";
       s.fields.time_as = time_format::milliseconds;
       s.fields.key = {"dev", "fcnt"};
       s.bits = 32;
     }},
    {"ems", "one sensor: columns ts_ms, fcnt",
     [](settings& s) {
       s.fields.sequence = "fcnt";
       s.fields.time = "ts_ms";
       s.fields.time_as = time_format::milliseconds;
       s.fields.key = {"fcnt"};
       s.bits = 32;
     }},
};

std::string preset_help() {
  std::string help = "Columns and numbering of a known format:";
  for (const preset& p : presets) help += fmt::format("\n  {}: {}", p.name, p.what);
  return help;
}

int run(int argc, char** argv) {
  settings s;
  CLI::App app(
      "Reads a stream of events and reports what is missing, repeated and wrong in it.\n"
      "The last line is a summary: missing=M gaps=G duplicates=D rejected=R");
  app.set_version_flag(
      "--version", fmt::format("recover {}.{}.{}", RECOUP_VERSION_MAJOR, RECOUP_VERSION_MINOR, RECOUP_VERSION_PATCH));
  app.get_formatter()->column_width(34);
  app.option_defaults()->group("The input");
  app.add_option("FILE", s.file, "CSV with a header row, or NDJSON; - is standard input");
  std::vector<std::string> names;
  for (const preset& p : presets) names.emplace_back(p.name);
  const auto apply = [&s](const std::string& name) {
    for (const preset& p : presets) {
      if (name == p.name) p.apply(s);
    }
  };
  app.add_option_function<std::string>("--preset", apply, preset_help())
      ->check(CLI::IsMember(names))
      ->trigger_on_parse()
      ->option_text("NAME");
  std::string where;
  const std::map<std::string, recover::input_format> formats{{"csv", recover::input_format::csv},
                                                             {"ndjson", recover::input_format::ndjson}};
  const std::map<std::string, time_format> times{{"iso", time_format::iso},
                                                 {"s", time_format::seconds},
                                                 {"ms", time_format::milliseconds},
                                                 {"us", time_format::microseconds},
                                                 {"ns", time_format::nanoseconds}};
  app.add_option("--format", s.format, "csv or ndjson; found out if not given")
      ->transform(CLI::CheckedTransformer(formats))
      ->option_text("csv|ndjson");
  app.add_option("--stream", s.fields.stream, "Column: what numbers the events (partition, device)");
  app.add_option("--sequence", s.fields.sequence, "Column: the sequence number");
  app.add_option("--key", s.fields.key, "Columns that together identify an event")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--time", s.fields.time, "Column: the event's time");
  app.add_option("--time-as", s.fields.time_as, "How time is written: iso (RFC 3339), or since 1970 in s, ms, us, ns")
      ->transform(CLI::CheckedTransformer(times))
      ->option_text("UNIT");
  app.add_option("--value", s.fields.value, "Column: a number");
  app.add_option("--type", s.fields.type, "Column: the kind of event");
  app.add_option("--require", s.fields.required, "Columns without which an event is rejected")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--where", where, "COLUMN=TEXT: only rows in which it is so are events");

  app.option_defaults()->group("What is missing");
  app.add_option("--bits", s.bits, "Width of the sequence number, which wraps")
      ->check(CLI::Range(1, 64))
      ->option_text("N");
  app.add_option("--expect-from", s.expect_from, "The first number there must be");
  app.add_option("--reorder-distance", s.reorder_distance, "A number is missing once one that much higher has come")
      ->capture_default_str();
  double delay = std::chrono::duration<double>(s.reorder_delay).count();
  app.add_option("--reorder-delay", delay, "... or that many seconds have passed")->capture_default_str();
  app.add_option("--attempts", s.attempts, "Replay requests a gap")->capture_default_str();
  double answer = std::chrono::duration<double>(s.answer_within).count();
  app.add_option("--answer-within", answer, "Seconds that a replay request has for its answer")->capture_default_str();
  app.add_flag("--infer", s.infer, "Make up missing events from their neighbours");

  app.option_defaults()->group("What is repeated");
  app.add_option("--window", s.window_events, "Keys remembered")->check(CLI::Range(1, 1 << 30))->option_text("N=65536");
  std::optional<double> age;
  app.add_option("--window-age", age, "Seconds after which a key is new again");

  app.option_defaults()->group("What is wrong");
  std::vector<double> range;
  app.add_option("--range", range, "LOW HIGH: bounds of the value")->expected(2)->allow_extra_args(false);
  const std::map<std::string, recover::out_of_range> outcomes{{"review", recover::out_of_range::review},
                                                              {"reject", recover::out_of_range::reject},
                                                              {"clamp", recover::out_of_range::clamp}};
  app.add_option("--on-range", s.on_range, "What to do beyond them: review, reject, or clamp (a correction)")
      ->transform(CLI::CheckedTransformer(outcomes))
      ->option_text("WHAT");
  std::optional<double> ahead;
  app.add_option("--max-ahead", ahead, "Seconds that a time may lie ahead of the stream's; else review");

  app.option_defaults()->group("The output");
  app.add_flag("--json", s.json, "A line of JSON for every verdict and finding");
  app.add_option("--html", s.html, "FILE: write a page with the stream's timeline");

  app.option_defaults()->group("The demo");
  bool demo = false;
  std::uint64_t events = 5'000'000;
  std::uint64_t seed = 1;
  app.add_flag("--demo", demo, "Ten events, stage by stage; then a generated stream whose faults are known");
  app.add_option("--events", events, "Events of the generated stream")
      ->check(CLI::Range(1'000ULL, 1'000'000'000ULL))
      ->option_text("N=5000000");
  app.add_option("--seed", seed, "Its seed")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  if (demo) {
    recover::show_ten_events();
    return recover::recover_generated(events, seed, s.html) ? 0 : 1;
  }
  const auto seconds = [](double value) {
    constexpr double most = 9e9;
    const double clamped = value < most ? value : most;
    return std::chrono::duration_cast<recoup::duration>(std::chrono::duration<double>(clamped));
  };
  s.reorder_delay = seconds(delay);
  s.answer_within = seconds(answer);
  if (age) s.window_age = seconds(*age);
  if (ahead) s.max_ahead = seconds(*ahead);
  if (!range.empty()) s.range = {range[0], range[1]};
  if (!where.empty()) {
    const std::size_t equals = where.find('=');
    if (equals == std::string::npos) {
      fmt::print(stderr, "recover: --where wants COLUMN=TEXT, and this is \"{}\".\n", where);
      return 2;
    }
    s.fields.where_column = where.substr(0, equals);
    s.fields.where_equals = where.substr(equals + 1);
  }
  if (s.fields.sequence.empty() && s.fields.key.empty() && s.fields.required.empty() && s.fields.value.empty()) {
    fmt::print(stderr,
               "recover: nothing to look for: name columns (--sequence, --key, --require, --value) or a --preset; "
               "--help lists them, and --demo shows what comes out.\n");
    return 2;
  }
  recover::recover_file(s);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "recover: {}\n", e.what());
    return 2;
  }
}
