// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "reader.hpp"

#include <csv.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <limits>
#include <new>
#include <nlohmann/json.hpp>
#include <utility>

#include "text.hpp"

namespace recover {

namespace {

std::string in_quotes(std::string_view text) { return '"' + printable(text) + '"'; }

// The names, to be read in a sentence.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 40;
  std::string sentence;
  for (std::size_t i = 0; i != std::min(most, names.size()); ++i) {
    if (i != 0) sentence += ", ";
    sentence += printable(names[i]);
  }
  if (names.size() > most) sentence += fmt::format(" and {} more", names.size() - most);
  return sentence;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view without_newline(std::string_view line) {
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

bool has_control_bytes(std::string_view text) {
  unsigned found = 0;
  for (const char c : text) {
    found |= static_cast<unsigned>(static_cast<unsigned char>(c) < 0x20) & static_cast<unsigned>(c != '\t');
  }
  return found != 0;
}

// Exactly `count` digits at the front of `text`, which they leave.
bool take_digits(std::string_view& text, std::size_t count, int& number) {
  if (text.size() < count) return false;
  number = 0;
  for (std::size_t i = 0; i != count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// ".25" as a part of `unit`, rounded down; nothing where the point is followed by no digit.
std::optional<std::int64_t> take_fraction(std::string_view& text, std::int64_t unit) {
  if (!take(text, ".")) return 0;
  std::int64_t fraction = 0;
  std::size_t digits = 0;
  for (; digits != text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    unit /= 10;
    fraction += (text[digits] - '0') * unit;
  }
  text.remove_prefix(digits);
  return digits == 0 ? std::nullopt : std::optional(fraction);
}

using ticks = recoup::duration::rep;
constexpr ticks second = 1'000'000'000;

// whole * unit + part, 0 <= part < unit, at the nearest end of the range where it does not fit.
recoup::timestamp saturated(ticks whole, ticks unit, ticks part) {
  return recoup::saturating_add(
      recoup::timestamp(recoup::saturating_multiply(recoup::duration(whole), static_cast<std::uint64_t>(unit))),
      recoup::duration(part));
}

std::optional<recoup::timestamp> parse_number_of(std::string_view text, ticks unit) {
  const bool negative = take(text, "-");
  ticks whole = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  const auto part = take_fraction(text, unit);
  if (!part || !text.empty()) return std::nullopt;
  if (error != std::errc()) return negative ? recoup::timestamp::min() : recoup::timestamp::max();
  return negative ? saturated(-whole, unit, -*part) : saturated(whole, unit, *part);
}

std::optional<recoup::timestamp> parse_iso(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, sec = 0;
  if (!take_digits(text, 4, year) || !take(text, "-") || !take_digits(text, 2, month) || !take(text, "-") ||
      !take_digits(text, 2, day) || !take(text, "Tt ") || !take_digits(text, 2, hour) || !take(text, ":") ||
      !take_digits(text, 2, minute) || !take(text, ":") || !take_digits(text, 2, sec)) {
    return std::nullopt;
  }
  const auto part = take_fraction(text, second);
  int offset_hours = 0, offset_minutes = 0, sign = 0;
  if (!text.empty() && !take(text, "Zz")) {
    sign = text.front() == '-' ? -1 : 1;
    if (!take(text, "+-") || !take_digits(text, 2, offset_hours) || !take(text, ":") ||
        !take_digits(text, 2, offset_minutes)) {
      return std::nullopt;
    }
  }
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  // 60 is a leap second: the first instant of the next minute.
  if (!part || !text.empty() || !date.ok() || hour > 23 || minute > 59 || sec > 60 || offset_hours > 23 ||
      offset_minutes > 59) {
    return std::nullopt;
  }
  const ticks days = std::chrono::sys_days(date).time_since_epoch().count();
  const ticks seconds =
      days * 86'400 + hour * 3'600 + minute * 60 + sec - sign * (offset_hours * 3'600 + offset_minutes * 60);
  return saturated(seconds, second, *part);
}

constexpr std::string_view name_of(time_format format) {
  switch (format) {
    case time_format::iso:
      return "an RFC 3339 time such as 2025-02-09T12:00:00Z";
    case time_format::seconds:
      return "a number of seconds";
    case time_format::milliseconds:
      return "a number of milliseconds";
    case time_format::microseconds:
      return "a number of microseconds";
    case time_format::nanoseconds:
      return "a number of nanoseconds";
  }
  return "a time";
}

// The bytes of a file or pipe, line by line, where consecutive lines can be taken together as one row, and taken back.
class line_source {
 public:
  enum class result : std::uint8_t { line, too_long, end };

  explicit line_source(const std::string& path) : buffer_(reader::longest_row + 2 * block) {
    if (path == "-") {
      name_ = "standard input";
      file_ = STDIN_FILENO;
    } else {
      name_ = printable(path, 200);
      if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) {
        throw input_error(fmt::format("{} is a directory; name a file in it.", name_));
      }
      file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (file_ < 0) throw input_error(fmt::format("Cannot open {}: {}.", name_, std::strerror(errno)));
    }
    struct stat status = {};
    if (::fstat(file_, &status) == 0 && S_ISREG(status.st_mode)) total_ = static_cast<std::uint64_t>(status.st_size);
  }
  ~line_source() {
    if (file_ > STDIN_FILENO) ::close(file_);
  }
  line_source(const line_source&) = delete;
  line_source& operator=(const line_source&) = delete;

  const std::string& name() const { return name_; }
  std::uint64_t bytes() const { return bytes_; }
  std::optional<std::uint64_t> total() const { return total_; }

  // The first bytes, without taking them.
  std::string_view peek() {
    if (begin_ == end_) refill();
    return {buffer_.data() + begin_, end_ - begin_};
  }
  void skip(std::size_t bytes) { begin_ += bytes; }

  // Ends the row so far; the next line begins a new one.
  void begin_row() {
    begin_ += taken_;
    row_line_ += lines_;
    taken_ = first_ = 0;
    lines_ = 0;
  }
  // The line where the row begins, from 1.
  std::uint64_t row_line() const { return row_line_; }

  // Adds the next line, its newline included, to the row. too_long: the row would exceed the limit, and is unchanged.
  result next_line(std::string_view& line) {
    for (std::size_t searched = taken_;;) {
      const char* const row = buffer_.data() + begin_;
      const std::size_t available = end_ - begin_;
      const void* const newline = std::memchr(row + searched, '\n', available - searched);
      const std::size_t to =
          newline ? static_cast<std::size_t>(static_cast<const char*>(newline) - row) + 1 : available;
      if (to > reader::longest_row) return result::too_long;
      if (newline || (at_end_ && to != taken_)) {
        line = {row + taken_, to - taken_};
        taken_ = to;
        if (lines_++ == 0) first_ = to;
        return result::line;
      }
      if (at_end_) return result::end;
      searched = available;
      refill();
    }
  }

  // Only the row's first line is taken; those after it come again.
  void take_back_all_but_first() {
    taken_ = first_;
    lines_ = 1;
  }

  // Takes the line that was too long, in constant memory.
  void skip_line() {
    for (;;) {
      const char* const rest = buffer_.data() + begin_;
      if (const void* const newline = std::memchr(rest, '\n', end_ - begin_)) {
        begin_ += static_cast<std::size_t>(static_cast<const char*>(newline) - rest) + 1;
        break;
      }
      begin_ = end_;
      if (at_end_) break;
      refill();
    }
    ++row_line_;
  }

 private:
  static constexpr std::size_t block = std::size_t{1} << 18;

  void refill() {
    if (buffer_.size() - end_ < block || begin_ == end_) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    ssize_t read = 0;
    do {
      read = ::read(file_, buffer_.data() + end_, std::min(block, buffer_.size() - end_));
    } while (read < 0 && errno == EINTR);
    if (read < 0) throw input_error(fmt::format("Reading {} failed: {}.", name_, std::strerror(errno)));
    at_end_ = read == 0;
    end_ += static_cast<std::size_t>(read);
    bytes_ += static_cast<std::uint64_t>(read);
  }

  std::vector<char> buffer_;
  std::string name_;
  int file_ = -1;
  bool at_end_ = false;
  std::size_t begin_ = 0;  // The row: [begin_, begin_ + taken_), of which first_ bytes are its first line.
  std::size_t taken_ = 0;
  std::size_t first_ = 0;
  std::size_t end_ = 0;
  std::uint64_t lines_ = 0;
  std::uint64_t row_line_ = 1;
  std::uint64_t bytes_ = 0;
  std::optional<std::uint64_t> total_;
};

}  // namespace

std::optional<recoup::timestamp> parse_time(std::string_view text, time_format format) {
  text = trimmed(text);
  switch (format) {
    case time_format::iso:
      return parse_iso(text);
    case time_format::seconds:
      return parse_number_of(text, second);
    case time_format::milliseconds:
      return parse_number_of(text, 1'000'000);
    case time_format::microseconds:
      return parse_number_of(text, 1'000);
    case time_format::nanoseconds:
      return parse_number_of(text, 1);
  }
  return std::nullopt;
}

class reader::impl {
 public:
  impl(const std::string& path, columns wanted, input_format format) : lines_(path), wanted_(std::move(wanted)) {
    if (wanted_.required.size() > 32) {
      throw input_error(fmt::format("{} required columns are named; at most 32 can be.", wanted_.required.size()));
    }
    stream_ = cell_of(wanted_.stream);
    sequence_ = cell_of(wanted_.sequence);
    time_ = cell_of(wanted_.time);
    value_ = cell_of(wanted_.value);
    type_ = cell_of(wanted_.type);
    where_ = cell_of(wanted_.where_column);
    for (const std::string& name : wanted_.key) key_.push_back(cell_of(name));
    for (const std::string& name : wanted_.required) required_.push_back(cell_of(name));

    std::string_view start = lines_.peek();
    if (start.starts_with("\xEF\xBB\xBF")) {
      lines_.skip(3);
      start.remove_prefix(3);
    }
    if (start.empty()) throw input_error(fmt::format("{} is empty.", lines_.name()));
    if (start.starts_with("\x1F\x8B")) {
      throw input_error(fmt::format("{} is compressed; unpack it first: zcat FILE | recover -", lines_.name()));
    }
    const std::size_t first = start.find_first_not_of(" \t\r\n");
    const char mark = first == std::string_view::npos ? '\0' : start[first];
    if (mark == '[' && format != input_format::csv) {
      throw input_error(
          fmt::format("{} is a JSON array; one object a line is needed: jq -c '.[]' FILE | recover -", lines_.name()));
    }
    format_ = format != input_format::detect ? format : mark == '{' ? input_format::ndjson : input_format::csv;
    if (format_ == input_format::csv) open_csv();
  }

  reader::result next(record& out) {
    for (;;) {
      const reader::result read = format_ == input_format::csv ? next_csv() : next_ndjson();
      if (read == reader::result::end) return read;
      if (read == reader::result::row) {
        if (where_ && cells_[*where_] != wanted_.where_equals) {
          ++filtered_;
          continue;
        }
        if (fill(out)) {
          ++rows_;
          return read;
        }
      }
      ++malformed_;
      return reader::result::malformed;
    }
  }

  line_source lines_;
  columns wanted_;
  input_format format_ = input_format::csv;
  std::uint64_t rows_ = 0, malformed_ = 0, filtered_ = 0, problem_line_ = 0;
  std::string problem_;
  std::vector<std::string> names_;  // Of the columns wanted, each once; cells_ and seen_ go with them.
  std::vector<char> seen_;

 private:
  using cell = std::optional<std::size_t>;
  static constexpr std::size_t unwanted = std::numeric_limits<std::size_t>::max();

  cell cell_of(const std::string& name) {
    if (name.empty()) return std::nullopt;
    const auto at = std::find(names_.begin(), names_.end(), name);
    const auto index = static_cast<std::size_t>(at - names_.begin());
    if (at == names_.end()) {
      names_.push_back(name);
      cells_.emplace_back();
      seen_.push_back(0);
    }
    return index;
  }

  reader::result malformed(std::string reason) {
    problem_line_ = lines_.row_line();
    problem_ = std::move(reason);
    return reader::result::malformed;
  }

  static std::string binary_reason(std::string_view line) {
    return fmt::format("It holds control bytes, which text does not: {}.", in_quotes(without_newline(line)));
  }

  // The next line as the start of a row, blank lines skipped.
  reader::result next_first_line(std::string_view& line) {
    for (;;) {
      lines_.begin_row();
      switch (lines_.next_line(line)) {
        case line_source::result::end:
          return reader::result::end;
        case line_source::result::too_long: {
          const reader::result told = malformed(
              fmt::format("It is longer than 1 MiB, and begins with {}.", in_quotes(lines_.peek().substr(0, 200))));
          lines_.skip_line();
          return told;
        }
        case line_source::result::line:
          break;
      }
      if (!trimmed(without_newline(line)).empty()) return reader::result::row;
    }
  }

  // CSV.

  struct csv {
    csv() {
      if (csv_init(&parser, CSV_STRICT) != 0) throw std::bad_alloc();
      csv_set_blk_size(&parser, 4096);
    }
    ~csv() { csv_free(&parser); }
    csv(const csv&) = delete;
    csv& operator=(const csv&) = delete;
    csv_parser parser = {};
  };

  template <class OnField>
  reader::result next_csv_row(OnField on_field) {
    std::string_view line;
    if (const auto first = next_first_line(line); first != reader::result::row) return first;
    struct state {
      OnField& on_field;
      std::size_t fields = 0;
      bool complete = false;
    } row{on_field};
    const auto field = [](void* text, std::size_t size, void* at) {
      auto& r = *static_cast<state*>(at);
      r.on_field(r.fields++, size == 0 ? std::string_view() : std::string_view(static_cast<const char*>(text), size));
    };
    const auto end = [](int, void* at) { static_cast<state*>(at)->complete = true; };
    const auto give_up = [&](std::string reason) {
      reset_csv();
      lines_.take_back_all_but_first();
      return malformed(std::move(reason));
    };
    constexpr const char* unclosed = "A quote is opened in it and never closed.";
    for (bool first = true;; first = false) {
      if (has_control_bytes(without_newline(line))) return give_up(first ? binary_reason(line) : unclosed);
      const bool last = line.back() != '\n';
      if (csv_parse(&csv_.parser, line.data(), line.size(), field, end, &row) != line.size() ||
          (last && csv_parse(&csv_.parser, "\n", 1, field, end, &row) != 1)) {
        return give_up(first ? fmt::format("A quote stands where none may (a field that holds quotes is written in "
                                           "quotes, with its own doubled): {}.",
                                           in_quotes(without_newline(line)))
                             : unclosed);
      }
      if (row.complete) break;
      // The end of the line is inside quotes: the row goes on.
      if (lines_.next_line(line) != line_source::result::line) return give_up(unclosed);
    }
    fields_ = row.fields;
    return reader::result::row;
  }

  void open_csv() {
    std::vector<std::string> header;
    const auto read = next_csv_row([&](std::size_t, std::string_view name) { header.emplace_back(name); });
    if (read == reader::result::end) throw input_error(fmt::format("{} is empty.", lines_.name()));
    if (read == reader::result::malformed) {
      throw input_error(fmt::format("{} is no CSV file: its first line cannot be read. {}", lines_.name(), problem_));
    }
    cell_of_field_.assign(header.size(), unwanted);
    for (std::size_t i = 0; i != names_.size(); ++i) {
      const auto at = std::find(header.begin(), header.end(), names_[i]);
      if (at == header.end()) {
        throw input_error(
            fmt::format("{} has no column {}; it has {}.", lines_.name(), in_quotes(names_[i]), listed(header)));
      }
      if (std::find(at + 1, header.end(), names_[i]) != header.end()) {
        throw input_error(fmt::format("{} has more than one column {}.", lines_.name(), in_quotes(names_[i])));
      }
      cell_of_field_[static_cast<std::size_t>(at - header.begin())] = i;
      seen_[i] = 1;
    }
  }

  // Ends the row that was begun, and drops it.
  void reset_csv() { csv_fini(&csv_.parser, nullptr, nullptr, nullptr); }

  reader::result next_csv() {
    const auto read = next_csv_row([this](std::size_t field, std::string_view text) {
      if (field < cell_of_field_.size() && cell_of_field_[field] != unwanted)
        cells_[cell_of_field_[field]].assign(text);
    });
    if (read == reader::result::row && fields_ != cell_of_field_.size()) {
      return malformed(fmt::format("It has {} field{} and the header names {}.", fields_, fields_ == 1 ? "" : "s",
                                   cell_of_field_.size()));
    }
    return read;
  }

  // NDJSON.

  struct json_row : nlohmann::json_sax<nlohmann::json> {
    explicit json_row(impl& reader) : to(reader) {}

    bool scalar(std::string_view text) {
      if (depth == 1 && target != unwanted) to.cells_[target].assign(text);
      return depth != 0 || fail("It is not a JSON object.");
    }
    template <class Number>
    bool scalar_number(Number number) {
      std::array<char, 24> text;
      const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
      return scalar({text.data(), static_cast<std::size_t>(end - text.data())});
    }
    bool open(bool object) {
      if (depth == 0 && !object) return fail("It is not a JSON object.");
      if (depth == 1 && target != unwanted) {
        return fail(fmt::format("Its {} holds an {}, where one value is needed.", in_quotes(to.names_[target]),
                                object ? "object" : "array"));
      }
      ++depth;
      return true;
    }
    bool close() {
      --depth;
      return true;
    }
    bool fail(std::string why) {
      reason = std::move(why);
      return false;
    }

    bool null() override { return scalar({}); }
    bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
    bool number_integer(number_integer_t value) override { return scalar_number(value); }
    bool number_unsigned(number_unsigned_t value) override { return scalar_number(value); }
    bool number_float(number_float_t, const string_t& text) override { return scalar(text); }
    bool string(string_t& text) override { return scalar(text); }
    bool binary(binary_t&) override { return scalar({}); }
    bool start_object(std::size_t) override { return open(true); }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(false); }
    bool end_array() override { return close(); }
    bool key(string_t& name) override {
      if (depth == 1) {
        target = static_cast<std::size_t>(std::find(to.names_.begin(), to.names_.end(), name) - to.names_.begin());
        if (target == to.names_.size()) {
          target = unwanted;
        } else {
          to.seen_[target] = 1;
        }
      }
      return true;
    }
    bool parse_error(std::size_t position, const std::string& token,
                     const nlohmann::detail::exception& error) override {
      constexpr int number_overflow = 406;
      return fail(error.id == number_overflow
                      ? fmt::format("It holds a number out of range: {}.", in_quotes(token))
                      : fmt::format("Its JSON is broken at byte {}, near {}.", position, in_quotes(token)));
    }

    impl& to;
    std::size_t depth = 0;
    std::size_t target = unwanted;
    std::string reason;
  };

  reader::result next_ndjson() {
    std::string_view line;
    if (const auto first = next_first_line(line); first != reader::result::row) return first;
    line = without_newline(line);
    if (has_control_bytes(line)) return malformed(binary_reason(line));
    for (std::string& text : cells_) text.clear();
    json_row row(*this);
    if (nlohmann::json::sax_parse(line.begin(), line.end(), &row)) return reader::result::row;
    return malformed(std::move(row.reason));
  }

  // The record that the cells mean; false, and a problem, where they mean none.
  bool fill(record& out) {
    out.row = lines_.row_line();
    copy(stream_, out.stream);
    copy(type_, out.type);
    out.sequence.reset();
    out.at.reset();
    out.value.reset();
    out.value_unreadable = false;
    if (const std::string_view text = text_of(sequence_); !text.empty()) {
      std::uint64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size()) {
        malformed(fmt::format(
            "Its sequence number {} is {}.", in_quotes(text),
            error == std::errc::result_out_of_range ? "larger than 64 bits hold" : "not a whole number from 0 up"));
        return false;
      }
      out.sequence = number;
    }
    if (const std::string_view text = text_of(time_); !text.empty()) {
      out.at = parse_time(text, wanted_.time_as);
      if (!out.at) {
        malformed(fmt::format("Its time {} is not {}.", in_quotes(text), name_of(wanted_.time_as)));
        return false;
      }
    }
    if (const std::string_view text = text_of(value_); !text.empty()) {
      double number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error == std::errc() && end == text.data() + text.size()) {
        out.value = number;
      } else {
        out.value_unreadable = true;
      }
    }
    join_key(out.key);
    out.absent_fields = 0;
    for (std::size_t i = 0; i != required_.size(); ++i) {
      if (text_of(required_[i]).empty()) out.absent_fields |= std::uint32_t{1} << i;
    }
    return true;
  }

  void join_key(std::string& key) const {
    if (key_.size() == 1) return copy(key_.front(), key);
    key.clear();
    const auto absent = [this](cell at) { return text_of(at).empty(); };
    if (std::all_of(key_.begin(), key_.end(), absent)) return;
    for (const cell at : key_) {
      const std::string_view text = text_of(at);
      std::array<char, 24> length;
      key.append(length.data(), std::to_chars(length.data(), length.data() + length.size(), text.size()).ptr);
      key.push_back(':');
      key.append(text);
    }
  }

  std::string_view text_of(cell at) const { return at ? trimmed(cells_[*at]) : std::string_view(); }
  void copy(cell at, std::string& to) const { to.assign(text_of(at)); }

  std::vector<std::string> cells_;
  cell stream_, sequence_, time_, value_, type_, where_;
  std::vector<cell> key_, required_;
  csv csv_;
  std::vector<std::size_t> cell_of_field_;
  std::size_t fields_ = 0;
};

reader::reader(const std::string& path, columns wanted, input_format format)
    : impl_(std::make_unique<impl>(path, std::move(wanted), format)) {}
reader::~reader() = default;

reader::result reader::next(record& out) { return impl_->next(out); }
std::uint64_t reader::malformed_line() const noexcept { return impl_->problem_line_; }
const std::string& reader::malformed_reason() const noexcept { return impl_->problem_; }
std::uint64_t reader::rows() const noexcept { return impl_->rows_; }
std::uint64_t reader::malformed() const noexcept { return impl_->malformed_; }
std::uint64_t reader::filtered() const noexcept { return impl_->filtered_; }
std::uint64_t reader::bytes() const noexcept { return impl_->lines_.bytes(); }
std::optional<std::uint64_t> reader::total_bytes() const noexcept { return impl_->lines_.total(); }
input_format reader::format() const noexcept { return impl_->format_; }

std::vector<std::string> reader::unseen_columns() const {
  std::vector<std::string> unseen;
  for (std::size_t i = 0; i != impl_->names_.size(); ++i) {
    if (!impl_->seen_[i]) unseen.push_back(impl_->names_[i]);
  }
  return unseen;
}

}  // namespace recover
