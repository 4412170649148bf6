// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../../examples/recover/reader.hpp"
#include "catch.hpp"

namespace {

using namespace std::string_literals;
using recover::columns;
using recover::input_format;
using recover::reader;
using recover::record;
using recover::time_format;

class temporary {
 public:
  explicit temporary(std::string_view content = {}) {
    static int count = 0;
    path_ = (std::filesystem::temp_directory_path() /
             ("recover_reader_test." + std::to_string(::getpid()) + "." + std::to_string(count++)))
                .string();
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~temporary() { std::filesystem::remove(path_); }
  temporary(const temporary&) = delete;
  temporary& operator=(const temporary&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct problem {
  std::uint64_t line;
  std::string reason;
};

struct reading {
  std::vector<record> rows;
  std::vector<problem> problems;
  std::uint64_t filtered = 0;
  std::vector<std::string> unseen;
};

reading read_from(const std::string& path, const columns& wanted, input_format format = input_format::detect) {
  reader input(path, wanted, format);
  reading all;
  record row;
  for (;;) {
    const reader::result result = input.next(row);
    if (result == reader::result::end) break;
    if (result == reader::result::row) all.rows.push_back(row);
    if (result == reader::result::malformed) all.problems.push_back({input.malformed_line(), input.malformed_reason()});
  }
  CHECK(input.rows() == all.rows.size());
  CHECK(input.malformed() == all.problems.size());
  all.filtered = input.filtered();
  all.unseen = input.unseen_columns();
  return all;
}

reading read(std::string_view content, const columns& wanted, input_format format = input_format::detect) {
  const temporary file(content);
  return read_from(file.path(), wanted, format);
}

std::string error_of(std::string_view content, const columns& wanted) {
  const temporary file(content);
  try {
    reader input(file.path(), wanted);
  } catch (const recover::input_error& error) {
    const std::string sentence = error.what();
    return sentence.starts_with(file.path()) ? sentence.substr(file.path().size()) : sentence;
  }
  return "no error";
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

columns four() {
  columns wanted;
  wanted.stream = "dev";
  wanted.sequence = "seq";
  wanted.time = "ts";
  wanted.value = "v";
  wanted.time_as = time_format::seconds;
  return wanted;
}

std::int64_t nanoseconds(std::string_view text, time_format format) {
  const auto at = recover::parse_time(text, format);
  REQUIRE(at);
  return at->time_since_epoch().count();
}

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("a CSV row becomes a record by the names in the header") {
  const reading got = read("v,other,ts,seq,dev\n1.5,x,10,7,a\n,x,,,b\n", four());
  REQUIRE(got.rows.size() == 2);
  CHECK(got.rows[0].stream == "a");
  CHECK(got.rows[0].sequence == 7U);
  CHECK(got.rows[0].at == recoup::timestamp(std::chrono::seconds(10)));
  CHECK(got.rows[0].value == 1.5);
  CHECK(got.rows[0].row == 2);
  CHECK(got.rows[1].stream == "b");
  CHECK_FALSE(got.rows[1].sequence);
  CHECK_FALSE(got.rows[1].at);
  CHECK_FALSE(got.rows[1].value);
  CHECK_FALSE(got.rows[1].value_unreadable);
  CHECK(got.rows[1].row == 3);
}

TEST_CASE("quotes and newlines and byte order marks and blank lines of CSV are understood") {
  columns wanted;
  wanted.type = "t";
  wanted.sequence = "s";
  const reading got =
      read("\xEF\xBB\xBFt,s\r\n\"a,b\",1\r\n\r\n  \n\"say \"\"hi\"\"\",2\r\n\"two\r\nlines\",3\n  plain  , 4 \n\"\",5",
           wanted);
  CHECK(got.problems.empty());
  REQUIRE(got.rows.size() == 5);
  CHECK(got.rows[0].type == "a,b");
  CHECK(got.rows[1].type == "say \"hi\"");
  CHECK(got.rows[1].row == 5);
  CHECK(got.rows[2].type == "two\r\nlines");
  CHECK(got.rows[2].row == 6);
  CHECK(got.rows[3].type == "plain");
  CHECK(got.rows[3].sequence == 4U);
  CHECK(got.rows[3].row == 8);
  CHECK(got.rows[4].type.empty());
}

TEST_CASE("a malformed CSV row is reported with its line and reason and the others are read") {
  const reading got = read(
      "dev,seq,ts,v\n"
      "a,1,10,1\n"
      "a,2,10\n"
      "a,3,10,1,9\n"
      "a,x3,10,1\n"
      "a,-3,10,1\n"
      "a,18446744073709551616,10,1\n"
      "a,3,yesterday,1\n"
      "a,\x00\x01,10,1\n"
      "5\" pipe,3,10,1\n"
      "\"a\"b,3,10,1\n"
      "a,18446744073709551615,10,oops\n"s,
      four());
  REQUIRE(got.rows.size() == 2);
  CHECK(got.rows[1].sequence == std::numeric_limits<std::uint64_t>::max());
  CHECK(got.rows[1].value_unreadable);
  CHECK_FALSE(got.rows[1].value);
  CHECK(got.rows[1].row == 12);
  const std::vector<std::string> expected = {"3 fields",
                                             "5 fields",
                                             "\"x3\" is not a whole number",
                                             "\"-3\" is not a whole number",
                                             "larger than 64 bits",
                                             "\"yesterday\" is not a number of seconds",
                                             "control bytes",
                                             "quote",
                                             "quote"};
  REQUIRE(got.problems.size() == expected.size());
  for (std::size_t i = 0; i != expected.size(); ++i) {
    INFO(got.problems[i].reason);
    CHECK(got.problems[i].line == i + 3);
    CHECK(holds(got.problems[i].reason, expected[i]));
    CHECK(got.problems[i].reason.back() == '.');
  }
  CHECK(holds(got.problems[6].reason, "a,\\x00\\x01,10,1"));
}

TEST_CASE("a quote that is never closed costs its own line only") {
  SECTION("up to the end of the input") {
    const reading got = read("dev,seq,ts,v\na,1,1,1\n\"a,2,1,1\na,3,1,1\na,4,1,1", four());
    REQUIRE(got.rows.size() == 3);
    CHECK(got.rows[2].sequence == 4U);
    CHECK(got.rows[2].row == 5);
    REQUIRE(got.problems.size() == 1);
    CHECK(got.problems[0].line == 3);
    CHECK(holds(got.problems[0].reason, "never closed"));
  }
  SECTION("in an input of many megabytes") {
    std::string content = "dev,seq,ts,v\n\"a,1,1,1\n";
    const std::size_t rows = 200'000;
    for (std::size_t i = 0; i != rows; ++i) content += "abcdef,1,1,1\n";
    const reading got = read(content, four());
    CHECK(got.rows.size() == rows);
    CHECK(got.rows.back().row == rows + 2);
    CHECK(got.problems.size() == 1);
  }
  SECTION("on every line") {
    std::string content = "dev,seq,ts,v\n";
    for (int i = 0; i != 200'000; ++i) content += "\"a,1,1,1\n";
    const reading got = read(content, four());
    CHECK(got.rows.empty());
    CHECK(got.problems.size() == 200'000);
  }
}

TEST_CASE("a line longer than 1 MiB is a malformed row and the lines after it are read") {
  for (const std::size_t size : {reader::longest_row - 8, reader::longest_row + 1, std::size_t{5} << 20}) {
    for (const bool quoted : {false, true}) {
      std::string row(size, 'x');
      if (quoted) row.insert(0, 1, '"').append(1, '"');
      row += ",2,1,1\n";
      const reading got = read("dev,seq,ts,v\na,1,1,1\n" + row + "b,3,1,1\n", four());
      const bool fits = row.size() <= reader::longest_row;
      CHECK(got.problems.size() == (fits ? 0U : 1U));
      REQUIRE(got.rows.size() == (fits ? 3U : 2U));
      CHECK(got.rows.back().stream == "b");
      CHECK(got.rows.back().row == 4);
      if (!fits) {
        CHECK(got.problems[0].line == 3);
        CHECK(holds(got.problems[0].reason, "longer than 1 MiB"));
      }
    }
  }
}

TEST_CASE("an NDJSON line becomes a record and scalars of any type are read") {
  columns wanted = four();
  wanted.type = "t";
  wanted.required = {"t", "ok"};
  const reading got =
      read(R"({"dev":"a","seq":7,"ts":10,"v":1.5,"t":true,"ok":null,"extra":{"dev":"no","deep":[1,{"seq":2}]}}

{"dev":12,"seq":"8","ts":"10.5","v":"2","ok":false}
{"seq":18446744073709551615}
)",
           wanted);
  CHECK(got.problems.empty());
  REQUIRE(got.rows.size() == 3);
  CHECK(got.rows[0].stream == "a");
  CHECK(got.rows[0].sequence == 7U);
  CHECK(got.rows[0].value == 1.5);
  CHECK(got.rows[0].type == "true");
  CHECK(got.rows[0].absent_fields == 0b10U);
  CHECK(got.rows[1].stream == "12");
  CHECK(got.rows[1].sequence == 8U);
  CHECK(got.rows[1].at == recoup::timestamp(std::chrono::milliseconds(10'500)));
  CHECK(got.rows[1].absent_fields == 0b01U);
  CHECK(got.rows[1].row == 3);
  CHECK(got.rows[2].sequence == std::numeric_limits<std::uint64_t>::max());
  CHECK(got.rows[2].stream.empty());
}

TEST_CASE("a malformed NDJSON row is reported with its line and reason and the others are read") {
  const reading got = read(
      "{\"seq\":1}\n{\"seq\":\n[1]\n17\n{\"seq\":-1}\n{\"seq\":1.5}\n{\"seq\":1e999}\n{\"seq\":{}}\n"
      "{\"dev\":\"\xFF\"}\n{\"a\":1}{\"b\":2}\n{\"seq\":18446744073709551616}\n{\"seq\":2}",
      four());
  REQUIRE(got.rows.size() == 2);
  CHECK(got.rows[1].sequence == 2U);
  const std::vector<std::string> expected = {"broken",
                                             "not a JSON object",
                                             "not a JSON object",
                                             "\"-1\" is not a whole",
                                             "\"1.5\" is not a whole",
                                             "out of range",
                                             "holds an object",
                                             "broken",
                                             "broken",
                                             "larger than 64 bits"};
  REQUIRE(got.problems.size() == expected.size());
  for (std::size_t i = 0; i != expected.size(); ++i) {
    INFO(got.problems[i].reason);
    CHECK(got.problems[i].line == i + 2);
    CHECK(holds(got.problems[i].reason, expected[i]));
  }
}

TEST_CASE("a column that no NDJSON row has is named at the end") {
  columns wanted = four();
  const reading got = read("{\"dev\":\"a\",\"seq\":1}\n{\"v\":1}\n", wanted);
  CHECK(got.unseen == std::vector<std::string>{"ts"});
  CHECK(read("dev,seq,ts,v\n", wanted).unseen.empty());
}

TEST_CASE("a hundred thousand nested arrays in a JSON row are no danger") {
  const std::string deep(100'000, '[');
  const reading got = read("{\"a\":" + deep + std::string(100'000, ']') + ",\"seq\":1}\n{\"a\":" + deep + "\n", four());
  REQUIRE(got.rows.size() == 1);
  CHECK(got.rows[0].sequence == 1U);
  CHECK(got.problems.size() == 1);
}

TEST_CASE("times are read in the unit named and saturate") {
  constexpr auto iso = time_format::iso, seconds = time_format::seconds, milliseconds = time_format::milliseconds,
                 microseconds = time_format::microseconds, nanos = time_format::nanoseconds;
  CHECK(nanoseconds("2025-02-09T12:00:00Z", iso) == 1'739'102'400'000'000'000);
  CHECK(nanoseconds("2025-02-09 12:00:00", iso) == 1'739'102'400'000'000'000);
  CHECK(nanoseconds("2025-02-09t13:30:00.25+01:30", iso) == 1'739'102'400'250'000'000);
  CHECK(nanoseconds("2025-02-09T11:59:60.000000001z", iso) == 1'739'102'400'000'000'001);
  CHECK(nanoseconds("1969-12-31T23:59:59.9999999999-00:00", iso) == -1);
  CHECK(nanoseconds("2024-02-29T00:00:00Z", iso) == 1'709'164'800'000'000'000);
  CHECK(nanoseconds("9999-12-31T23:59:59Z", iso) == highest);
  CHECK(nanoseconds("0000-01-01T00:00:00Z", iso) == lowest);
  CHECK(nanoseconds("1474020303", seconds) == 1'474'020'303'000'000'000);
  CHECK(nanoseconds(" 1474020303.5 ", seconds) == 1'474'020'303'500'000'000);
  CHECK(nanoseconds("-0.000000001", seconds) == -1);
  CHECK(nanoseconds("0.00000000199", seconds) == 1);
  CHECK(nanoseconds("1687514517004", milliseconds) == 1'687'514'517'004'000'000);
  CHECK(nanoseconds("7.5", microseconds) == 7'500);
  CHECK(nanoseconds("9223372036854775807", nanos) == highest);
  for (const time_format each : {seconds, milliseconds, microseconds, nanos}) {
    CHECK(nanoseconds("99999999999999999999999999999", each) == highest);
    CHECK(nanoseconds("-99999999999999999999999999999.9", each) == lowest);
  }
  for (const char* text : {"", "now", "2025-02-09", "2025-02-09T12:00", "2025-02-30T00:00:00Z", "2025-13-01T00:00:00Z",
                           "2025-02-09T24:00:00Z", "2025-02-09T12:60:00Z", "2025-02-09T12:00:61Z",
                           "2025-02-09T12:00:00+1:00", "2025-02-09T12:00:00+24:00", "2025-02-09T12:00:00.Z",
                           "2025-02-09T12:00:00Zz", "2025-2-9T12:00:00Z", "20250209T120000Z", "-025-02-09T12:00:00Z"}) {
    INFO(text);
    CHECK_FALSE(recover::parse_time(text, iso));
  }
  for (const char* text : {"", "-", ".", "5.", ".5", "+5", "--5", "1e9", "0x5", "5 5", "nan", "inf"}) {
    INFO(text);
    CHECK_FALSE(recover::parse_time(text, seconds));
  }
}

TEST_CASE("a key of several columns is the same for the same fields only") {
  columns wanted;
  wanted.key = {"a", "b", "c"};
  std::mt19937_64 random(1);
  std::string content = "a,b,c\n";
  std::vector<std::vector<std::string>> fields;
  for (int i = 0; i != 5'000; ++i) {
    std::vector<std::string> row(3);
    for (std::string& field : row) {
      for (std::uint64_t size = random() % 4; size != 0; --size) field += "1:x"[random() % 3];
    }
    content += row[0] + "," + row[1] + "," + row[2] + "\n";
    fields.push_back(row);
  }
  const reading got = read(content, wanted);
  REQUIRE(got.rows.size() == fields.size());
  std::map<std::string, std::vector<std::string>> fields_of;
  std::map<std::vector<std::string>, std::string> key_of;
  for (std::size_t i = 0; i != fields.size(); ++i) {
    CHECK(fields_of.emplace(got.rows[i].key, fields[i]).first->second == fields[i]);
    CHECK(key_of.emplace(fields[i], got.rows[i].key).first->second == got.rows[i].key);
    CHECK(got.rows[i].key.empty() == (fields[i] == std::vector<std::string>(3)));
  }
  wanted.key = {"a"};
  CHECK(read("a\nx:1\n", wanted).rows.at(0).key == "x:1");
}

TEST_CASE("rows that the where column drops are counted and not judged") {
  columns wanted = four();
  wanted.where_column = "received";
  wanted.where_equals = "1";
  const reading got = read("dev,seq,ts,v,received\na,1,1,1,1\na,junk,junk,1,0\na,3,1,1,1\na,4,1,1,\n", wanted);
  CHECK(got.rows.size() == 2);
  CHECK(got.problems.empty());
  CHECK(got.filtered == 2);
  CHECK(read("{\"received\":1}\n{\"received\":\"1\"}\n{\"received\":0}\n{}\n", wanted).filtered == 2);
}

TEST_CASE("absent fields are told by their place in the list of required columns") {
  columns wanted;
  wanted.required = {"c", "a", "b", "a"};
  const reading got = read("a,b,c\n1,2,3\n,2,3\n1, ,\n", wanted);
  REQUIRE(got.rows.size() == 3);
  CHECK(got.rows[0].absent_fields == 0U);
  CHECK(got.rows[1].absent_fields == 0b1010U);
  CHECK(got.rows[2].absent_fields == 0b0101U);
}

TEST_CASE("an input that cannot be used is refused with a sentence") {
  CHECK(error_of("", four()) == " is empty.");
  CHECK(error_of("\n\n \n", four()) == " is empty.");
  CHECK(error_of("\xEF\xBB\xBF", four()) == " is empty.");
  CHECK(error_of("dev,sequence,ts,v\n", four()) == " has no column \"seq\"; it has dev, sequence, ts, v.");
  CHECK(error_of("dev,seq,ts,v,seq\n", four()) == " has more than one column \"seq\".");
  CHECK(error_of("[{\"seq\":1}]", four()) ==
        " is a JSON array; one object a line is needed: jq -c '.[]' FILE | recover -");
  CHECK(holds(error_of("\x1F\x8B\x08 junk", four()), "is compressed"));
  CHECK(holds(error_of("\x7F"
                       "ELF\x02\x01\x01\x00\x00"s,
                       four()),
              "is no CSV file"));
  CHECK(holds(error_of(std::string(3 << 20, 'x'), four()), "longer than 1 MiB"));
  CHECK(holds(error_of("\x1b[31mred,b\n", four()), "\\x1b[31mred,b"));
  columns many = four();
  for (int i = 0; i != 33; ++i) many.required.emplace_back("dev");
  CHECK(error_of("dev,seq,ts,v\n", many) == "33 required columns are named; at most 32 can be.");

  const auto error_of_path = [](const std::string& path) {
    try {
      reader input(path, four());
    } catch (const recover::input_error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  CHECK(error_of_path("/nonexistent/file.csv") == "Cannot open /nonexistent/file.csv: No such file or directory.");
  CHECK(holds(error_of_path("/"), "is a directory"));
}

TEST_CASE("a pipe is read as its writer writes") {
  const temporary place;
  std::filesystem::remove(place.path());
  REQUIRE(::mkfifo(place.path().c_str(), 0600) == 0);
  std::thread writer([&] {
    std::ofstream out(place.path());
    const std::string text = "dev,seq,ts,v\na,1,1,1\nb,22,1,1\n";
    for (const char c : text) out << c << std::flush;
  });
  const reading got = read_from(place.path(), four());
  writer.join();
  REQUIRE(got.rows.size() == 2);
  CHECK(got.rows[1].sequence == 22U);
}

TEST_CASE("any table survives being written as CSV and read again") {
  std::mt19937_64 random(2);
  columns wanted;
  wanted.stream = "s";
  wanted.key = {"k"};
  wanted.type = "t";
  std::string content = "t,unused,s,k\n";
  std::vector<std::vector<std::string>> table;
  const std::string alphabet = "ab,\"\n\r\t ;'\\|\xC3\xA9";
  for (int i = 0; i != 3'000; ++i) {
    std::vector<std::string>& row = table.emplace_back();
    for (int field = 0; field != 4; ++field) {
      // Blanks at the ends are not kept, and a carriage return within a line is a control byte.
      std::string text = "x";
      for (std::uint64_t size = random() % 12; size != 0; --size) {
        const char c = alphabet[random() % alphabet.size()];
        text += c == '\r' ? '\n' : c;
      }
      text += 'x';
      std::string quoted = "\"";
      for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
      const bool plain = text.find_first_of(",\"\n") == std::string::npos && random() % 2 == 0;
      content += (field == 0 ? "" : ",") + (plain ? text : quoted + "\"");
      row.push_back(text);
    }
    content += random() % 2 == 0 ? "\n" : "\r\n";
  }
  const reading got = read(content, wanted);
  CHECK(got.problems.empty());
  REQUIRE(got.rows.size() == table.size());
  for (std::size_t i = 0; i != table.size(); ++i) {
    CHECK(got.rows[i].type == table[i][0]);
    CHECK(got.rows[i].stream == table[i][2]);
    CHECK(got.rows[i].key == table[i][3]);
  }
}

TEST_CASE("any bytes are an answer") {
  std::mt19937_64 random(3);
  const std::string alphabet = "\",\n\r{}[]:0a1e-.\\u\x00\xFF\x1B \t"s;
  for (int i = 0; i != 2'000; ++i) {
    const bool json = i % 2 == 0;
    std::string content = json ? "{}\n" : "dev,seq,ts,v\n";
    for (std::uint64_t size = random() % 400; size != 0; --size) content += alphabet[random() % alphabet.size()];
    const auto lines = static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n')) + 1;
    const reading got = read(content, four(), json ? input_format::ndjson : input_format::csv);
    CHECK(got.rows.size() + got.problems.size() <= lines);
    for (const problem& each : got.problems) {
      CHECK((each.line >= 1 && each.line <= lines));
      CHECK(std::none_of(each.reason.begin(), each.reason.end(), [](char c) { return c >= 0 && c < ' '; }));
    }
  }
}
