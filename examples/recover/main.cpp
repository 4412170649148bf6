// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// recover: finds what an event stream in a file lost, repeated and got wrong.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <recoup/core/time.hpp>
#include <recoup/version.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "jobs.hpp"
#include "settings.hpp"
#include "text.hpp"

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

// What was typed cannot be meant; what() is a sentence for a person.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class Number>
std::optional<Number> parsed(const std::string& text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

constexpr std::uint64_t any = std::numeric_limits<std::uint64_t>::max();

std::uint64_t whole_number(const char* name, const std::string& text, std::uint64_t least, std::uint64_t most) {
  const auto number = parsed<std::uint64_t>(text);
  if (number && *number >= least && *number <= most) return *number;
  throw usage_error(fmt::format("{} must be a whole number from {} to {}, and this is \"{}\".", name, least,
                                most == any ? "2^64 - 1" : std::to_string(most), recover::printable(text)));
}

// Seconds beyond what 64 bits of nanoseconds hold are for ever.
recoup::duration seconds(const char* name, const std::string& text, bool may_be_zero) {
  constexpr double most = 9e9;
  const auto number = parsed<double>(text);
  const bool is_valid = number && (may_be_zero ? *number >= 0 : *number >= 1e-9);
  if (!is_valid) {
    throw usage_error(fmt::format("{} must be {} of seconds, and this is \"{}\".", name,
                                  may_be_zero ? "a number, 0 or more," : "a number above 0", recover::printable(text)));
  }
  if (*number >= most) return recoup::duration::max();
  return std::chrono::duration_cast<recoup::duration>(std::chrono::duration<double>(*number));
}

// The options of a group, each of which writes where it belongs.
class options {
 public:
  options(CLI::App& app, const char* group) : app_(app) { app_.option_defaults()->group(group); }

  template <class Number>
  void number(const char* name, Number& value, std::uint64_t least, std::uint64_t most, const char* what,
              const char* shown = "N") {
    const auto take = [&value, name, least, most](const std::string& text) {
      value = static_cast<Number>(whole_number(name, text, least, most));
    };
    app_.add_option_function<std::string>(name, take, what)->option_text(shown);
  }
  void number(const char* name, std::optional<std::uint64_t>& value, const char* what) {
    const auto take = [&value, name](const std::string& text) { value = whole_number(name, text, 0, any); };
    app_.add_option_function<std::string>(name, take, what)->option_text("N");
  }
  template <class Duration>
  void time(const char* name, Duration& value, bool may_be_zero, const char* what, const char* shown = "SECONDS") {
    const auto take = [&value, name, may_be_zero](const std::string& text) {
      value = seconds(name, text, may_be_zero);
    };
    app_.add_option_function<std::string>(name, take, what)->option_text(shown);
  }
  void score(const char* name, double& value, double most, const char* what, const char* shown) {
    const auto take = [&value, name, most](const std::string& text) {
      const auto number = parsed<double>(text);
      if (!number || !(*number > 0 && *number <= most)) {
        throw usage_error(fmt::format("{} must be a number above 0 and at most {}, and this is \"{}\".", name, most,
                                      recover::printable(text)));
      }
      value = *number;
    };
    app_.add_option_function<std::string>(name, take, what)->option_text(shown);
  }
  void column(const char* name, std::string& value, const char* what) {
    app_.add_option(name, value, what)->option_text("COLUMN");
  }
  void columns(const char* name, std::vector<std::string>& value, const char* what) {
    app_.add_option(name, value, what)->delimiter(',')->allow_extra_args(false)->option_text("COLUMN,...");
  }
  template <class Choice>
  void choice(const char* name, Choice& value, const std::map<std::string, Choice>& choices, const char* what,
              const char* shown) {
    app_.add_option(name, value, what)->transform(CLI::CheckedTransformer(choices))->option_text(shown);
  }

 private:
  CLI::App& app_;
};

struct command {
  settings wanted;
  std::string where;
  std::vector<std::string> range;
  std::optional<std::string> ratio;
  bool demo = false;
  std::uint64_t events = 5'000'000;
  std::uint64_t seed = 1;
};

void add_input(CLI::App& app, command& c) {
  settings& s = c.wanted;
  options input(app, "The input");
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
  using recover::input_format;
  input.choice<input_format>("--format", s.format, {{"csv", input_format::csv}, {"ndjson", input_format::ndjson}},
                             "csv or ndjson; found out if not given", "csv|ndjson");
  input.column("--stream", s.fields.stream, "What numbers the events (partition, device)");
  input.column("--sequence", s.fields.sequence, "The sequence number");
  input.columns("--key", s.fields.key, "What identifies an event, together");
  input.column("--time", s.fields.time, "The event's time");
  input.choice<time_format>("--time-as", s.fields.time_as,
                            {{"iso", time_format::iso},
                             {"s", time_format::seconds},
                             {"ms", time_format::milliseconds},
                             {"us", time_format::microseconds},
                             {"ns", time_format::nanoseconds}},
                            "How time is written: iso (RFC 3339), or since 1970 in s, ms, us, ns", "UNIT=iso");
  input.column("--value", s.fields.value, "A number");
  input.column("--type", s.fields.type, "The kind of event, for --infer and --ratio");
  input.columns("--require", s.fields.required, "Without one of these an event is rejected");
  app.add_option("--where", c.where, "Only rows in which it is so are events")->option_text("COLUMN=TEXT");
}

void add_gaps(CLI::App& app, command& c) {
  settings& s = c.wanted;
  options gaps(app, "What is missing");
  gaps.number("--bits", s.bits, 1, 64, "Width of the sequence number, which wraps", "N=64");
  gaps.number("--expect-from", s.expect_from, "The first number there must be, in every stream");
  gaps.number("--expect-to", s.expect_to, "The last number there must be, in every stream");
  gaps.number("--reorder-distance", s.reorder_distance, 0, any,
              "A number is missing once one that much higher has come", "N=64");
  gaps.time("--reorder-delay", s.reorder_delay, true, "... or that much time has passed", "SECONDS=60");
  gaps.number("--max-gaps", s.max_gaps, 1, std::uint64_t{1} << 28,
              "Gaps open at once in a stream; of more, the lowest is given up", "N=4096");
  gaps.number("--max-jump", s.max_jump, 0, any, "A longer hole is none: the stream may go on elsewhere", "N=1000000");
  gaps.number("--max-behind", s.max_behind,
              "A repeated number further behind: the stream may have begun anew (default: it has not)");
  gaps.number("--resynchronise-after", s.resynchronise_after, 0, std::numeric_limits<std::uint32_t>::max(),
              "Successive numbers that prove either; 0: nothing does", "N=2");
  gaps.number("--attempts", s.attempts, 0, std::numeric_limits<std::uint32_t>::max() - 1,
              "Replay requests a gap; 0: never ask", "N=1");
  gaps.time("--answer-within", s.answer_within, false, "What the first request has for its answer", "SECONDS=3600");
  gaps.time("--longest-wait", s.longest_wait, false,
            "... which doubles with each request up to this (default: it does not)");
  gaps.time("--give-up-after", s.give_up_after, false, "What a gap has in all (default: for ever)");
  gaps.number("--max-range", s.max_range, 1, any, "Numbers a request, at most (default: any)");
  app.add_flag("--infer", s.infer, "Make up missing events from their neighbours");
}

void add_others(CLI::App& app, command& c) {
  settings& s = c.wanted;
  options repeated(app, "What is repeated");
  repeated.number("--window", s.window_events, 1, std::uint64_t{1} << 30, "Keys remembered", "N=65536");
  repeated.time("--window-age", s.window_age, true, "Then a key is new again (default: never)");

  options wrong(app, "What is wrong");
  app.add_option("--range", c.range, "Bounds of the value")
      ->expected(2)
      ->allow_extra_args(false)
      ->option_text("LOW HIGH");
  using recover::out_of_range;
  wrong.choice<out_of_range>(
      "--on-range", s.on_range,
      {{"review", out_of_range::review}, {"reject", out_of_range::reject}, {"clamp", out_of_range::clamp}},
      "What to do beyond them: review, reject, or clamp (a correction)", "WHAT=review");
  wrong.time("--max-ahead", s.max_ahead, true, "A time may lie so far ahead of the stream's; else review");

  options unusual(app, "What is unusual");
  unusual.time("--volume", s.volume, false, "How many events are accepted, in stretches so long");
  app.add_flag("--volume-by-stream", s.volume_by_stream, "... in each stream by itself, not in all");
  app.add_flag("--silence", s.silence, "That a stream is silent for so long");
  app.add_option("--ratio", c.ratio, "How many events of type A lead to one of B, in stretches of --volume or 300 s")
      ->option_text("A=B");
  unusual.score("--anomaly-score", s.anomaly_score, 100,
                "How unusual it must be: the chance is e^-NATS, 14 once in a million", "NATS=14");

  options output(app, "The output");
  app.add_flag("--json", s.json, "A line of JSON for every verdict and finding");
  app.add_option("--html", s.html, "Write a page with the stream's timeline")->option_text("FILE");

  options demo(app, "The demo");
  app.add_flag("--demo", c.demo, "Ten events, stage by stage; then a generated stream whose faults are known");
  demo.number("--events", c.events, 1'000, 1'000'000'000, "Events of the generated stream", "N=5000000");
  demo.number("--seed", c.seed, 0, any, "Its seed", "N=1");
}

// Options that would do nothing are refused.
void check_demo(const CLI::App& app, bool demo) {
  const auto is_of = [](const std::string& name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const CLI::Option* o : app.get_options()) {
    if (o->count() == 0) continue;
    const std::string name = o->get_name();
    if (demo && !is_of(name, {"--demo", "--events", "--seed", "--html"})) {
      throw usage_error(fmt::format("--demo generates its events, and {} says something of others.", name));
    }
    if (!demo && is_of(name, {"--events", "--seed"})) throw usage_error(fmt::format("{} needs --demo.", name));
  }
}

void check_columns(const CLI::App& app, const settings& s) {
  const auto needs = [&app](bool is_there, const char* needed, std::initializer_list<const char*> options) {
    if (is_there) return;
    for (const char* option : options) {
      if (app.count(option) != 0) throw usage_error(fmt::format("{} needs {}.", option, needed));
    }
  };
  const recover::columns& f = s.fields;
  if (f.sequence.empty() && f.key.empty() && f.required.empty() && f.value.empty() && !s.looks_for_unusual()) {
    throw usage_error(
        "nothing to look for: name columns (--sequence, --key, --require, --value), a --preset, or what may be unusual "
        "(--volume, --silence, --ratio); --help lists them, and --demo shows what comes out.");
  }
  needs(!f.sequence.empty(), "--sequence, the column of the sequence number",
        {"--bits", "--expect-from", "--expect-to", "--reorder-distance", "--reorder-delay", "--max-gaps", "--max-jump",
         "--max-behind", "--resynchronise-after", "--attempts", "--answer-within", "--longest-wait", "--give-up-after",
         "--max-range", "--infer"});
  needs(!f.time.empty(), "--time, the column of the event's time",
        {"--time-as", "--reorder-delay", "--answer-within", "--longest-wait", "--give-up-after", "--window-age",
         "--max-ahead", "--volume", "--silence", "--ratio"});
  needs(!f.key.empty(), "--key, the columns that identify an event", {"--window", "--window-age"});
  needs(!f.value.empty(), "--value, the column of a number", {"--range"});
  needs(s.range.has_value(), "--range, the bounds", {"--on-range"});
  needs(s.infer || s.ratio, "--infer or --ratio, which alone look at it", {"--type"});
  needs(!f.type.empty(), "--type, the column of the kind of event", {"--ratio"});
  needs(s.volume.has_value(), "--volume, the length of a stretch", {"--volume-by-stream"});
  needs(!f.stream.empty(), "--stream, the column of what numbers the events", {"--volume-by-stream"});
  needs(s.looks_for_unusual(), "--volume, --silence or --ratio", {"--anomaly-score"});
  needs(s.attempts > 0, "--attempts above 0", {"--answer-within", "--longest-wait", "--max-range"});
  needs(s.attempts > 1, "--attempts above 1", {"--longest-wait"});
}

void check_numbers(const settings& s) {
  constexpr recoup::duration shortest_bucket = std::chrono::milliseconds(100);
  constexpr recoup::duration longest_bucket = std::chrono::hours(24);
  const std::uint64_t highest = any >> (64 - s.bits);
  for (const auto& [name, number] : {std::pair("--expect-from", s.expect_from), {"--expect-to", s.expect_to}}) {
    if (number && *number > highest) {
      throw usage_error(fmt::format("{} {} does not fit --bits {}.", name, *number, s.bits));
    }
  }
  if (s.bits == 64 && s.expect_from && s.expect_to && *s.expect_to < *s.expect_from) {
    throw usage_error(
        fmt::format("--expect-to {} must not be less than --expect-from {}.", *s.expect_to, *s.expect_from));
  }
  if (s.volume && (*s.volume < shortest_bucket || *s.volume > longest_bucket)) {
    throw usage_error(fmt::format("--volume must be {} to {}, and this is {}.", recover::lasting(shortest_bucket),
                                  recover::lasting(longest_bucket), recover::lasting(*s.volume)));
  }
  if (s.longest_wait && *s.longest_wait < s.answer_within) {
    throw usage_error(fmt::format("--longest-wait, {}, must not be shorter than --answer-within, {}.",
                                  recover::lasting(*s.longest_wait), recover::lasting(s.answer_within)));
  }
}

void take_where(const std::string& where, recover::columns& fields) {
  if (where.empty()) return;
  const std::size_t equals = where.find('=');
  if (equals == std::string::npos) {
    throw usage_error(fmt::format("--where wants COLUMN=TEXT, and this is \"{}\".", recover::printable(where)));
  }
  fields.where_column = where.substr(0, equals);
  fields.where_equals = where.substr(equals + 1);
}

void take_range(const std::vector<std::string>& range, settings& s) {
  if (range.empty()) return;
  const auto low = parsed<double>(range[0]);
  const auto high = parsed<double>(range[1]);
  if (!low || !high || !(*low <= *high)) {
    throw usage_error(fmt::format("--range wants two numbers, the lower one first, and this is \"{} {}\".",
                                  recover::printable(range[0]), recover::printable(range[1])));
  }
  s.range = {*low, *high};
}

void take_ratio(const std::optional<std::string>& ratio, settings& s) {
  if (!ratio) return;
  const std::size_t equals = ratio->find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == ratio->size()) {
    throw usage_error(
        fmt::format("--ratio wants two types of events, A=B, and this is \"{}\".", recover::printable(*ratio)));
  }
  s.ratio = std::pair(ratio->substr(0, equals), ratio->substr(equals + 1));
}

int run(int argc, char** argv) {
  command c;
  CLI::App app(
      "Reads a stream of events and reports what is missing, repeated and wrong in it.\n"
      "The last line is a summary: missing=M gaps=G duplicates=D rejected=R");
  app.set_version_flag(
      "--version", fmt::format("recover {}.{}.{}", RECOUP_VERSION_MAJOR, RECOUP_VERSION_MINOR, RECOUP_VERSION_PATCH));
  app.get_formatter()->column_width(34);
  app.failure_message([](const CLI::App*, const CLI::Error& e) {
    return fmt::format("recover: {}; --help lists the options.\n", e.what());
  });
  add_input(app, c);
  add_gaps(app, c);
  add_others(app, c);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }

  check_demo(app, c.demo);
  if (c.demo) {
    recover::show_ten_events();
    return recover::recover_generated(c.events, c.seed, c.wanted.html) ? 0 : 1;
  }
  take_where(c.where, c.wanted.fields);
  take_range(c.range, c.wanted);
  take_ratio(c.ratio, c.wanted);
  check_columns(app, c.wanted);
  check_numbers(c.wanted);
  recover::recover_file(c.wanted);
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
