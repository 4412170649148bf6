// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <recoup/core/time.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace recover {

// How the time column is written. Nothing is guessed from magnitude: 1700000000 is a valid number in every unit.
enum class time_format : int { iso, seconds, milliseconds, microseconds, nanoseconds };

// Which column of the input means what; an empty name is a column that the input does not have.
struct columns {
  std::string stream, sequence, time, value, type;
  std::vector<std::string> key;       // Together they identify an event.
  std::vector<std::string> required;  // Bit i of record::absent_fields speaks of required[i]; at most 32.
  std::string where_column;           // Only rows whose field here is `where_equals` are events.
  std::string where_equals;
  time_format time_as = time_format::iso;
};

// One event as the input spells it. Reading into the same record again reuses its strings.
struct record {
  std::string stream;
  std::optional<std::uint64_t> sequence;
  // The key column's text, or of several columns each as "length:text", so that ("ab", "c") is not ("a", "bc"). Empty
  // when all of them are.
  std::string key;
  std::optional<recoup::timestamp> at;  // Saturated to the years 1677 to 2262.
  std::optional<double> value;
  bool value_unreadable = false;  // The value is present and no number.
  std::string type;
  std::uint64_t row = 0;            // The line where it begins; the first line of the input is 1.
  std::uint32_t absent_fields = 0;  // Bit i: required[i] is absent, empty or null.
};

enum class input_format : int { detect, csv, ndjson };

// The input as a whole cannot be used; what() is a sentence for a person.
struct input_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// RFC 3339 ("2025-02-09T12:00:00.5+01:00"; a blank for the T and a missing offset, meaning UTC, are accepted), or a
// decimal number of units since the Unix epoch. Times beyond 1677 to 2262 saturate; digits below 1 ns are dropped.
std::optional<recoup::timestamp> parse_time(std::string_view text, time_format format);

// Streams a CSV (RFC 4180, the first line names the columns) or NDJSON input (one object a line; fields of the top
// level) as records: a file, a pipe, or standard input ("-").
//
// A row that cannot be read is reported and skipped: a wrong number of fields, a sequence or time that is none, broken
// JSON, control bytes, more than 1 MiB. A quote that is never closed costs its own line only. Blanks around an
// unquoted CSV field are dropped.
//
// Memory: 1.5 MiB and the strings, whatever the input; a CSV row allocates nothing once they have grown. Time: linear.
class reader {
 public:
  static constexpr std::size_t longest_row = std::size_t{1} << 20;

  enum class result : std::uint8_t { row, malformed, end };

  // Throws input_error when the input cannot be opened, is empty or binary, or lacks a named column.
  reader(const std::string& path, columns wanted, input_format format = input_format::detect);
  ~reader();
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;

  // Fills `out` on result::row; on result::malformed, malformed_line() and malformed_reason() say what was skipped.
  // Throws input_error when the device fails.
  result next(record& out);

  std::uint64_t malformed_line() const noexcept;
  const std::string& malformed_reason() const noexcept;

  std::uint64_t rows() const noexcept;       // Records handed out.
  std::uint64_t malformed() const noexcept;  // Rows reported as malformed.
  std::uint64_t filtered() const noexcept;   // Rows that `where` dropped.
  std::uint64_t bytes() const noexcept;      // Bytes taken from the input so far.
  // The size of a plain file; nothing for a pipe.
  std::optional<std::uint64_t> total_bytes() const noexcept;
  input_format format() const noexcept;
  // Columns asked for that no row has had so far: in NDJSON, at the end, a misspelt name.
  std::vector<std::string> unseen_columns() const;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace recover
