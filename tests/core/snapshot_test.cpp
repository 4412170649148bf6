// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/snapshot.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "catch.hpp"

namespace shop {  // a user's own types

enum class kind : std::uint8_t { none = 0, sale = 1, refund = 2 };
enum class flag : bool { down, up };

struct money {
  std::int64_t cents = 0;
  bool operator==(const money&) const = default;
};
void save(recoup::snapshot_writer& w, const money& m) { w.i64(m.cents); }
bool load(recoup::snapshot_reader& r, money& m) {
  m.cents = r.i64();
  return m.cents >= 0;
}

struct place {
  std::uint16_t row = 0;
  void save(recoup::snapshot_writer& w) const { w.u16(row); }
  bool load(recoup::snapshot_reader& r) { return r.value(row) && row < 1'000; }
  bool operator==(const place&) const = default;
};

}  // namespace shop

namespace {

using bytes = std::vector<std::byte>;
using recoup::restore;
using recoup::section_tag;
using recoup::snapshot;
using recoup::snapshot_reader;
using recoup::snapshot_status;
using recoup::snapshot_value;
using recoup::snapshot_writer;

bytes of(std::string_view text) {
  const auto view = std::as_bytes(std::span(text.data(), text.size()));
  return {view.begin(), view.end()};
}

std::string hex(std::span<const std::byte> data) {
  std::string digits;
  for (const auto b : data) {
    digits += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4];
    digits += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15];
  }
  return digits;
}

void put(bytes& into, std::size_t offset, std::uint64_t number, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) into[offset + i] = static_cast<std::byte>(number >> (8 * i) & 0xFF);
}

bytes with_right_checksum(bytes frame) {
  frame.resize(frame.size() - 8);
  const auto checksum = XXH3_64bits(frame.data(), frame.size());
  frame.resize(frame.size() + 8);
  put(frame, frame.size() - 8, checksum, 8);
  return frame;
}

// A component with two nested sections, a bounded table in order of its keys, and a check of what it loads.
class ledger {
 public:
  explicit ledger(std::uint64_t capacity = 4) : capacity_(capacity) {}

  void add(const std::string& account, std::int64_t cents, recoup::timestamp at) {
    balances_[account] += cents;
    last_ = at;
  }

  std::uint64_t configuration() const { return 0xC0FFEE00 + capacity_; }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("LDGR"), 2);
    w.value(last_);
    w.begin_section(section_tag("BALS"), 1);
    w.u64(balances_.size());
    for (const auto& [account, cents] : balances_) {
      w.text(account);
      w.i64(cents);
    }
    w.end_section();
    w.end_section();
  }

  bool load(snapshot_reader& r) {
    if (r.begin_section(section_tag("LDGR"), 2) == 1) r.fail(snapshot_status::older_version);
    (void)r.value(last_);
    (void)r.begin_section(section_tag("BALS"), 1);
    balances_.clear();
    for (auto left = r.count(capacity_); left > 0 && r.ok(); --left) {
      std::string account;
      std::int64_t cents = 0;
      if (!r.value(account) || !r.value(cents)) return false;
      if (!balances_.empty() && account <= balances_.rbegin()->first) return false;
      balances_.emplace_hint(balances_.end(), std::move(account), cents);
    }
    r.end_section();
    r.end_section();
    return r.ok();
  }

  bool operator==(const ledger&) const = default;

 private:
  std::uint64_t capacity_;
  std::map<std::string, std::int64_t> balances_;
  std::optional<recoup::timestamp> last_;
};

ledger sample() {
  ledger l;
  l.add("alice", -250, recoup::timestamp(recoup::duration(1'000)));
  l.add("bob", 1'999, recoup::timestamp(recoup::duration(2'000)));
  return l;
}

ledger other() {
  ledger l;
  l.add("zoe", 1, recoup::timestamp(recoup::duration(7)));
  return l;
}

// What restoring into a component that holds something else answers; its state must survive a refusal.
snapshot_status answer(std::span<const std::byte> data) {
  ledger target = other();
  const auto result = restore(target, data);
  if (result.status != snapshot_status::ok) {
    CHECK(target == other());
    CHECK(result.position.empty());
    CHECK_FALSE(result);
  }
  return result.status;
}

// Saves bytes as they are, under any configuration: for content that no component would write.
struct forged {
  std::uint64_t fingerprint = sample().configuration();
  bytes content;
  std::uint64_t configuration() const { return fingerprint; }
  void save(snapshot_writer& w) const {
    for (const auto b : content) w.u8(std::to_integer<std::uint8_t>(b));
  }
  bool load(snapshot_reader&) { return false; }
};

template <class T>
T through_bytes(const T& original) {
  snapshot_writer w;
  w.value(original);
  const auto data = w.take();
  snapshot_reader r(data);
  T copy{};
  CHECK(r.value(copy));
  CHECK(r.at_end());
  for (std::size_t size = 0; size < data.size(); ++size) {
    snapshot_reader cut{std::span(data).first(size)};
    T unread{};
    CHECK_FALSE(cut.value(unread));
    CHECK(cut.status() == snapshot_status::malformed);
  }
  return copy;
}

template <class T>
std::string written(const T& v) {
  snapshot_writer w;
  w.value(v);
  return hex(w.written());
}

}  // namespace

static_assert(snapshot_value<bool> && snapshot_value<char> && snapshot_value<std::int8_t> && snapshot_value<double>);
static_assert(snapshot_value<shop::kind> && snapshot_value<shop::money> && snapshot_value<shop::place>);
static_assert(snapshot_value<std::tuple<std::optional<std::pair<std::string, shop::money>>, recoup::timestamp>>);
static_assert(!snapshot_value<int*> && !snapshot_value<const int> && !snapshot_value<std::string_view>);
static_assert(!snapshot_value<long double> && !snapshot_value<std::pair<int, int*>>);
enum unscoped { a, b };
static_assert(!snapshot_value<unscoped>, "its values end before those of its underlying type do");
static_assert(recoup::snapshotable<ledger> && !recoup::snapshotable<shop::place>);
static_assert(section_tag("ABCD") == 0x44434241);

TEST_CASE("every type comes back as it was written and never from fewer bytes", "[snapshot]") {
  const auto integers = []<class T>(T) {
    for (const T v : {std::numeric_limits<T>::min(), T{0}, T{1}, T{100}, std::numeric_limits<T>::max()}) {
      CHECK(through_bytes(v) == v);
    }
  };
  integers(std::uint8_t{});
  integers(std::uint16_t{});
  integers(std::uint32_t{});
  integers(std::uint64_t{});
  integers(std::int8_t{});
  integers(std::int16_t{});
  integers(std::int32_t{});
  integers(std::int64_t{});
  integers(char{});

  for (const double v : {0.0, -0.0, 1.5, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::max(),
                         std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(std::bit_cast<std::uint64_t>(through_bytes(v)) == std::bit_cast<std::uint64_t>(v));
    const auto narrow = static_cast<float>(v == std::numeric_limits<double>::max() ? 0.1 : v);
    CHECK(std::bit_cast<std::uint32_t>(through_bytes(narrow)) == std::bit_cast<std::uint32_t>(narrow));
  }
  CHECK(through_bytes(true));
  CHECK_FALSE(through_bytes(false));
  CHECK(through_bytes(shop::kind::refund) == shop::kind::refund);
  CHECK(through_bytes(shop::flag::up) == shop::flag::up);
  for (const auto length : {recoup::duration::min(), recoup::duration(-1), recoup::duration::max()}) {
    CHECK(through_bytes(length) == length);
    CHECK(through_bytes(recoup::timestamp(length)) == recoup::timestamp(length));
  }
  const std::string long_text(10'000, 'x');
  CHECK(through_bytes(std::string()) == "");
  CHECK(through_bytes(std::string("a\0b", 3)) == std::string("a\0b", 3));
  CHECK(through_bytes(long_text.substr(0, 300)) == long_text.substr(0, 300));
  CHECK(through_bytes(shop::money{500}) == shop::money{500});
  CHECK(through_bytes(shop::place{7}) == shop::place{7});
  using optional_text = std::optional<std::string>;
  CHECK(through_bytes(optional_text()) == std::nullopt);
  CHECK(through_bytes(optional_text("")) == "");
  using deep = std::tuple<std::pair<shop::money, optional_text>, std::optional<std::optional<bool>>, shop::place>;
  const deep nested{{shop::money{1}, "x"}, std::optional<bool>(), shop::place{9}};
  CHECK(through_bytes(nested) == nested);
}

TEST_CASE("each value has these bytes on every machine", "[snapshot]") {
  CHECK(written(std::uint32_t{0x01020304}) == "04030201");
  CHECK(written(std::int16_t{-2}) == "feff");
  CHECK(written(1.0) == "000000000000f03f");
  CHECK(written(1.0F) == "0000803f");
  CHECK(written(true) == "01");
  CHECK(written(shop::kind::refund) == "02");
  CHECK(written(recoup::timestamp(recoup::duration(-1))) == "ffffffffffffffff");
  CHECK(written(recoup::duration(258)) == "0201000000000000");
  CHECK(written(std::string("hi")) == "02000000000000006869");
  CHECK(written(std::optional<std::uint8_t>()) == "00");
  CHECK(written(std::optional<std::uint8_t>(7)) == "0107");
  CHECK(written(std::tuple(std::uint8_t{1}, std::pair(std::uint8_t{2}, std::uint8_t{3}))) == "010203");
  snapshot_writer w;
  w.begin_section(section_tag("LDGR"), 0x0102);
  w.u8(9);
  w.end_section();
  CHECK(hex(w.written()) ==
        "4c444752"
        "0201"
        "0100000000000000"
        "09");
}

TEST_CASE("a whole snapshot has these bytes so the format cannot change unseen", "[snapshot]") {
  CHECK(hex(snapshot(sample(), of("@42"))) ==
        // magic, byte order, version, length; configuration, position; content; checksum
        "895245434f55500a"
        "04030201"
        "01000000"
        "8800000000000000"
        "04eeffc000000000"
        "0300000000000000"
        "403432"
        "4c444752"
        "0200"
        "4700000000000000"
        "01"
        "d007000000000000"
        "42414c53"
        "0100"
        "3000000000000000"
        "0200000000000000"
        "0500000000000000"
        "616c696365"
        "06ffffffffffffff"
        "0300000000000000"
        "626f62"
        "cf07000000000000"
        "d348a8e0925eea62");
}

namespace {

using any_value = std::variant<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, std::int64_t, double, bool,
                               recoup::timestamp, recoup::duration, std::string, bytes>;

any_value random_value(std::mt19937_64& random) {
  const std::uint64_t bits = random();
  switch (random() % 11) {
    case 0:
      return static_cast<std::uint8_t>(bits);
    case 1:
      return static_cast<std::uint16_t>(bits);
    case 2:
      return static_cast<std::uint32_t>(bits);
    case 3:
      return bits;
    case 4:
      return static_cast<std::int64_t>(bits);
    case 5:
      return static_cast<double>(bits) / 3;
    case 6:
      return bits % 2 == 0;
    case 7:
      return recoup::timestamp(recoup::duration(static_cast<std::int64_t>(bits)));
    case 8:
      return recoup::duration(static_cast<std::int64_t>(bits));
    case 9:
      return std::string(bits % 50, static_cast<char>(bits >> 56));
    default:
      return bytes(bits % 50, static_cast<std::byte>(bits >> 56));
  }
}

struct write_to {
  snapshot_writer& w;
  void operator()(std::uint8_t v) const { w.u8(v); }
  void operator()(std::uint16_t v) const { w.u16(v); }
  void operator()(std::uint32_t v) const { w.u32(v); }
  void operator()(std::uint64_t v) const { w.u64(v); }
  void operator()(std::int64_t v) const { w.i64(v); }
  void operator()(double v) const { w.f64(v); }
  void operator()(bool v) const { w.boolean(v); }
  void operator()(recoup::timestamp v) const { w.time(v); }
  void operator()(recoup::duration v) const { w.span(v); }
  void operator()(const std::string& v) const { w.text(v); }
  void operator()(const bytes& v) const { w.bytes(v); }
};

struct equals_next_of {
  snapshot_reader& r;
  bool operator()(std::uint8_t v) const { return r.u8() == v; }
  bool operator()(std::uint16_t v) const { return r.u16() == v; }
  bool operator()(std::uint32_t v) const { return r.u32() == v; }
  bool operator()(std::uint64_t v) const { return r.u64() == v; }
  bool operator()(std::int64_t v) const { return r.i64() == v; }
  bool operator()(double v) const { return r.f64() == v; }
  bool operator()(bool v) const { return r.boolean() == v; }
  bool operator()(recoup::timestamp v) const { return r.time() == v; }
  bool operator()(recoup::duration v) const { return r.span() == v; }
  bool operator()(const std::string& v) const { return r.text() == v; }
  bool operator()(const bytes& v) const {
    const auto read = r.bytes();
    return bytes(read.begin(), read.end()) == v;
  }
};

}  // namespace

TEST_CASE("random values in random order come back in that order", "[snapshot]") {
  std::mt19937_64 random(20'260'101);
  for (int round = 0; round < 300; ++round) {
    std::vector<any_value> model;
    snapshot_writer w;
    for (auto left = random() % 40; left > 0; --left) {
      model.push_back(random_value(random));
      std::visit(write_to{w}, model.back());
    }
    const auto data = w.take();
    snapshot_reader r(data);
    for (const auto& v : model) REQUIRE(std::visit(equals_next_of{r}, v));
    REQUIRE(r.at_end());
  }
}

TEST_CASE("a failed reader answers nothing more and keeps the first reason", "[snapshot]") {
  const auto data = of("\x01\x02\x03");
  snapshot_reader r(data);
  CHECK(r.u8() == 1);
  CHECK(r.remaining() == 2);
  CHECK(r.u32() == 0);  // two bytes are left
  CHECK_FALSE(r.ok());
  CHECK(r.status() == snapshot_status::malformed);
  CHECK(r.remaining() == 0);
  CHECK_FALSE(r.at_end());
  CHECK(r.u8() == 0);
  CHECK(r.u16() == 0);
  CHECK(r.i64() == 0);
  CHECK(r.f64() == 0.0);
  CHECK_FALSE(r.boolean());
  CHECK(r.text().empty());
  CHECK(r.bytes().empty());
  CHECK(r.count(10) == 0);
  CHECK(r.begin_section(section_tag("ABCD"), 1) == 0);
  r.fail(snapshot_status::newer_version);
  CHECK(r.status() == snapshot_status::malformed);
}

TEST_CASE("a bool is 0 or 1 and a value that its own type refuses fails the reader", "[snapshot]") {
  const auto two = of("\x02");
  snapshot_reader r(two);
  CHECK_FALSE(r.boolean());
  CHECK_FALSE(r.ok());

  snapshot_reader optional_of_two(two);
  std::optional<std::uint8_t> number = 3;
  CHECK_FALSE(optional_of_two.value(number));

  snapshot_writer w;
  w.value(std::optional(shop::money{-1}));  // its load wants no debts
  snapshot_reader debt(w.written());
  std::optional<shop::money> money;
  CHECK_FALSE(debt.value(money));

  snapshot_writer far_away;
  far_away.value(shop::place{1'000});
  snapshot_reader place_reader(far_away.written());
  shop::place place;
  CHECK_FALSE(place_reader.value(place));
  CHECK_FALSE(place_reader.ok());
}

TEST_CASE("length prefixes beyond the bytes that are there fail and allocate nothing", "[snapshot]") {
  for (const auto length : {std::uint64_t{9}, std::uint64_t{1} << 32, std::uint64_t{1} << 60,
                            std::numeric_limits<std::uint64_t>::max() - 7, std::numeric_limits<std::uint64_t>::max()}) {
    CAPTURE(length);
    snapshot_writer w;
    w.u64(length);
    w.u64(0);  // eight bytes follow
    const auto data = w.take();
    CHECK_FALSE([&] {
      snapshot_reader r(data);
      (void)r.bytes();
      return r.ok();
    }());
    CHECK_FALSE([&] {
      snapshot_reader r(data);
      (void)r.text();
      return r.ok();
    }());
    CHECK_FALSE([&] {
      snapshot_reader r(data);
      return r.count(length) != 0 || r.ok();
    }());
    snapshot_reader r(data);
    std::string text;
    CHECK_FALSE(r.value(text));
    CHECK(text.capacity() == std::string().capacity());

    snapshot_writer section;
    section.u32(section_tag("ABCD"));
    section.u16(1);
    section.u64(length);
    section.u64(0);
    snapshot_reader in_section(section.written());
    CHECK(in_section.begin_section(section_tag("ABCD"), 1) == 0);
    CHECK(in_section.status() == snapshot_status::malformed);

    auto frame = snapshot(sample(), of("12345678"));
    put(frame, 32, length + frame.size(), 8);  // the source position's length
    CHECK(answer(with_right_checksum(frame)) == snapshot_status::malformed);
  }
  for (std::size_t into_checksum = 0; into_checksum < 8; ++into_checksum) {
    auto frame = snapshot(sample());
    put(frame, 32, frame.size() - 40 - into_checksum, 8);
    CHECK(answer(with_right_checksum(frame)) == snapshot_status::malformed);
  }
  snapshot_writer w;
  w.u64(5);
  w.u64(0);
  CHECK([&] {
    snapshot_reader r(w.written());
    return r.count(5);
  }() == 5);
  CHECK([&] {
    snapshot_reader r(w.written());
    return r.count(4);
  }() == 0);  // more than the caller has room for
}

TEST_CASE("sections nest and each must be read to its end and not beyond", "[snapshot]") {
  constexpr auto outer = section_tag("OUTR");
  constexpr auto inner = section_tag("INNR");
  snapshot_writer w;
  w.begin_section(outer, 3);
  w.u8(1);
  w.begin_section(inner, 1);
  w.u8(2);
  w.end_section();
  w.begin_section(inner, 2);  // empty
  w.end_section();
  w.u8(3);
  w.end_section();
  w.u8(4);
  const auto data = w.take();
  const auto enter = [&data](auto body) {
    snapshot_reader r(data);
    CHECK(r.begin_section(outer, 3) == 3);
    CHECK(r.u8() == 1);
    body(r);
    return r.status();
  };

  CHECK(enter([](auto& r) {
          CHECK(r.begin_section(inner, 2) == 1);
          CHECK(r.remaining() == 1);
          CHECK(r.u8() == 2);
          r.end_section();
          CHECK(r.begin_section(inner, 2) == 2);
          CHECK(r.remaining() == 0);
          CHECK_FALSE(r.at_end());
          r.end_section();
          CHECK(r.u8() == 3);
          r.end_section();
          CHECK(r.u8() == 4);
          CHECK(r.at_end());
        }) == snapshot_status::ok);
  CHECK(enter([](auto& r) {  // bytes left over
          CHECK(r.begin_section(inner, 2) == 1);
          r.end_section();
        }) == snapshot_status::malformed);
  CHECK(enter([](auto& r) {  // beyond the section, though bytes follow
          CHECK(r.begin_section(inner, 2) == 1);
          CHECK(r.u16() == 0);
        }) == snapshot_status::malformed);
  CHECK(enter([](auto& r) { CHECK(r.begin_section(outer, 9) == 0); }) == snapshot_status::malformed);
  CHECK(enter([](auto& r) {
          CHECK(r.begin_section(inner, 1) == 1);
          CHECK(r.u8() == 2);
          r.end_section();
          CHECK(r.begin_section(inner, 1) == 0);  // the second one is of version 2
        }) == snapshot_status::newer_version);

  snapshot_reader unopened(data);
  unopened.end_section();
  CHECK_FALSE(unopened.ok());
  snapshot_reader nothing({});
  CHECK(nothing.at_end());
  nothing.end_section();
  CHECK_FALSE(nothing.ok());

  snapshot_writer versionless;
  versionless.begin_section(outer, 0);
  versionless.end_section();
  snapshot_reader r(versionless.written());
  CHECK(r.begin_section(outer, 1) == 0);
  CHECK(r.status() == snapshot_status::malformed);
}

TEST_CASE("many sections inside each other are written and read back", "[snapshot]") {
  snapshot_writer w;
  for (std::uint16_t depth = 1; depth <= 1'000; ++depth) w.begin_section(section_tag("DEEP"), depth);
  for (int depth = 0; depth < 1'000; ++depth) w.end_section();
  const auto data = w.take();
  CHECK(data.size() == 14'000);
  snapshot_reader r(data);
  for (std::uint16_t depth = 1; depth <= 1'000; ++depth) {
    REQUIRE(r.begin_section(section_tag("DEEP"), 1'000) == depth);
    REQUIRE(r.remaining() == 14U * (1'000U - depth));
  }
  for (int depth = 0; depth < 1'000; ++depth) r.end_section();
  CHECK(r.at_end());
}

TEST_CASE("restore brings back the state and the source position", "[snapshot]") {
  const auto data = snapshot(sample(), of("topic=payments offset=42"));
  ledger target = other();
  const auto result = restore(target, data);
  REQUIRE(result);
  CHECK(result.status == snapshot_status::ok);
  CHECK(result.position == of("topic=payments offset=42"));
  CHECK(target == sample());
  CHECK(snapshot(target, result.position) == data);

  ledger empty;
  CHECK(restore(target, snapshot(ledger())));
  CHECK(target == empty);
}

TEST_CASE("the source position can be read alone from an intact snapshot only", "[snapshot]") {
  auto data = snapshot(sample(), of("here"));
  const auto position = recoup::snapshot_position(data);
  REQUIRE(position);
  CHECK(bytes(position->begin(), position->end()) == of("here"));
  REQUIRE(recoup::snapshot_position(snapshot(sample())));
  CHECK(recoup::snapshot_position(snapshot(sample()))->empty());
  data.back() ^= std::byte{1};
  CHECK_FALSE(recoup::snapshot_position(data));
  CHECK_FALSE(recoup::snapshot_position({}));
}

TEST_CASE("every truncation of a snapshot is refused as truncated", "[snapshot]") {
  const auto data = snapshot(sample(), of("@42"));
  for (std::size_t size = 0; size < data.size(); ++size) {
    CAPTURE(size);
    CHECK(answer(std::span(data).first(size)) == snapshot_status::truncated);
  }
}

TEST_CASE("every flipped bit of a snapshot is refused with the status of its place", "[snapshot]") {
  const auto data = snapshot(sample(), of("@42"));
  for (std::size_t at = 0; at < data.size(); ++at) {
    for (int bit = 0; bit < 9; ++bit) {  // the ninth time, all bits of the byte
      CAPTURE(at, bit);
      auto flipped = data;
      flipped[at] ^= bit == 8 ? std::byte{0xFF} : std::byte{1} << bit;
      const bool longer = flipped[at] > data[at];
      const auto expected = at < 8    ? snapshot_status::not_a_snapshot
                            : at < 12 ? snapshot_status::corrupt
                            : at < 16 ? (longer ? snapshot_status::newer_version : snapshot_status::older_version)
                            : at < 24 ? (longer ? snapshot_status::truncated : snapshot_status::malformed)
                                      : snapshot_status::corrupt;
      CHECK(answer(flipped) == expected);
    }
  }
}

TEST_CASE("bytes that are no snapshot and those with bytes behind are told apart", "[snapshot]") {
  CHECK(answer({}) == snapshot_status::truncated);
  CHECK(answer(of("offset,price\n1,2\n")) == snapshot_status::not_a_snapshot);
  CHECK(answer(of("x")) == snapshot_status::not_a_snapshot);
  CHECK(answer(bytes(1'000)) == snapshot_status::not_a_snapshot);
  auto longer = snapshot(sample());
  longer.push_back(std::byte{0});
  CHECK(answer(longer) == snapshot_status::malformed);
  auto twice = snapshot(sample());
  const auto once = twice;
  twice.insert(twice.end(), once.begin(), once.end());
  CHECK(answer(twice) == snapshot_status::malformed);
}

TEST_CASE("other versions and byte orders and configurations have their own status", "[snapshot]") {
  auto older = snapshot(sample());
  put(older, 12, 0, 4);
  CHECK(answer(with_right_checksum(older)) == snapshot_status::older_version);
  auto newer = snapshot(sample());
  put(newer, 12, 2, 4);
  CHECK(answer(with_right_checksum(newer)) == snapshot_status::newer_version);
  auto swapped = snapshot(sample());
  put(swapped, 8, 0x04030201, 4);
  CHECK(answer(with_right_checksum(swapped)) == snapshot_status::other_endian);
  CHECK(answer(snapshot(ledger(5))) == snapshot_status::other_configuration);
  CHECK(answer(snapshot(ledger(4))) == snapshot_status::ok);
}

TEST_CASE("a section of another version inside gives the status of its version", "[snapshot]") {
  const auto with_version = [](std::uint16_t version) {
    auto data = snapshot(sample());
    put(data, 44, version, 2);  // of the outer section
    return with_right_checksum(data);
  };
  CHECK(answer(with_version(1)) == snapshot_status::older_version);
  CHECK(answer(with_version(2)) == snapshot_status::ok);
  CHECK(answer(with_version(3)) == snapshot_status::newer_version);
}

TEST_CASE("content forged under a right checksum is refused or is a state that saves to the same bytes", "[snapshot]") {
  const auto whole = snapshot(sample());
  const bytes content(whole.begin() + 40, whole.end() - 8);
  CHECK(snapshot(forged{.content = content}) == whole);
  int taken = 0;
  const auto check = [&taken](const bytes& changed) {
    const auto data = snapshot(forged{.content = changed});
    ledger target = other();
    const auto result = restore(target, data);
    if (result) {
      ++taken;
      CHECK(snapshot(target) == data);
    } else {
      CHECK((result.status == snapshot_status::malformed || result.status == snapshot_status::newer_version ||
             result.status == snapshot_status::older_version));
      CHECK(target == other());
    }
  };
  for (std::size_t at = 0; at < content.size(); ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      auto changed = content;
      changed[at] = static_cast<std::byte>(value);
      check(changed);
    }
    CHECK(answer(snapshot(forged{.content = {content.begin(), content.begin() + static_cast<std::ptrdiff_t>(at)}})) ==
          snapshot_status::malformed);
  }
  CHECK(taken > static_cast<int>(content.size()));  // amounts and letters may change
  auto left_over = content;
  left_over.push_back(std::byte{0});
  CHECK(answer(snapshot(forged{.content = left_over})) == snapshot_status::malformed);

  std::mt19937_64 random(7);
  for (int round = 0; round < 5'000; ++round) {
    auto changed = content;
    for (auto left = random() % 4 + 1; left > 0; --left) {
      changed[random() % changed.size()] = static_cast<std::byte>(random() % 2 == 0 ? random() % 4 : random() % 256);
    }
    check(changed);
  }
}

namespace {

// Moves only; a copy to load into comes from empty_copy.
struct large_window {
  large_window() = default;
  large_window(large_window&&) = default;
  large_window& operator=(large_window&&) = default;
  large_window empty_copy() const { return {}; }
  std::uint64_t configuration() const { return 1; }
  void save(snapshot_writer& w) const { w.u32(newest); }
  bool load(snapshot_reader& r) {
    found_empty = newest == 0;
    return r.value(newest);
  }
  std::uint32_t newest = 0;
  bool found_empty = false;
};

// Not assignable, as everything that holds a capturing lambda.
template <class Projection>
struct projected {
  Projection projection;
  std::uint32_t seen = 0;
  std::uint64_t configuration() const { return 2; }
  void save(snapshot_writer& w) const { w.u32(seen); }
  bool load(snapshot_reader& r) { return r.value(seen); }
};

struct spoiled_by_load {
  std::uint32_t state = 5;
  bool accept = false;
  std::uint64_t configuration() const { return 3; }
  void save(snapshot_writer& w) const { w.u32(state); }
  bool load(snapshot_reader& r) {
    state = r.u32() + 1;
    return accept;
  }
};

struct leaves_a_section_open {
  std::uint64_t configuration() const { return 4; }
  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("OPEN"), 1);
    w.end_section();
  }
  bool load(snapshot_reader& r) { return r.begin_section(section_tag("OPEN"), 1) == 1; }
};

}  // namespace

TEST_CASE("a component is loaded into an empty copy where it offers one", "[snapshot]") {
  large_window source;
  source.newest = 11;
  large_window target;
  target.newest = 99;
  REQUIRE(restore(target, snapshot(source)));
  CHECK(target.newest == 11);
  CHECK(target.found_empty);
}

TEST_CASE("a component that cannot be assigned is restored all the same", "[snapshot]") {
  int offset = 40;
  const auto projection = [&offset](int x) { return x + offset; };
  using component = projected<decltype(projection)>;
  static_assert(!std::is_move_assignable_v<component>);
  component source{.projection = projection, .seen = 7};
  component target{.projection = projection, .seen = 1};
  REQUIRE(restore(target, snapshot(source)));
  CHECK(target.seen == 7);
  CHECK(target.projection(2) == 42);
}

TEST_CASE("a component that refuses while it loads is left as it was", "[snapshot]") {
  spoiled_by_load target;
  CHECK(restore(target, snapshot(spoiled_by_load{.state = 8, .accept = true})).status == snapshot_status::malformed);
  CHECK(target.state == 5);
  target.accept = true;
  CHECK(restore(target, snapshot(spoiled_by_load{.state = 8, .accept = true})));
  CHECK(target.state == 9);
}

TEST_CASE("several components and a position are one snapshot, taken and restored together", "[snapshot]") {
  large_window window;
  window.newest = 11;
  spoiled_by_load other{.state = 8, .accept = true};
  const bytes position = of("offset 7");
  const bytes saved = snapshot(std::tie(window, other), position);

  large_window new_window;
  spoiled_by_load new_other;
  new_window.newest = 99;
  CHECK(restore(std::tie(new_window, new_other), saved).status == snapshot_status::malformed);
  CHECK(new_window.newest == 99);
  CHECK(new_other.state == 5);

  new_other.accept = true;
  const recoup::restored answer = restore(std::tie(new_window, new_other), saved);
  REQUIRE(answer);
  CHECK(answer.position == position);
  CHECK(new_window.newest == 11);
  CHECK(new_other.state == 9);

  CHECK(restore(std::tie(new_other, new_window), saved).status == snapshot_status::other_configuration);
  CHECK(restore(new_window, saved).status == snapshot_status::other_configuration);
  CHECK((snapshot(std::tie(window)) == snapshot(window)));
}

TEST_CASE("a load that leaves a section open is refused", "[snapshot]") {
  leaves_a_section_open target;
  CHECK(restore(target, snapshot(target)).status == snapshot_status::malformed);
}

TEST_CASE("each status has a sentence of its own", "[snapshot]") {
  std::set<std::string_view> sentences;
  for (int status = 0; status <= static_cast<int>(snapshot_status::malformed); ++status) {
    const auto sentence = recoup::describe(static_cast<snapshot_status>(status));
    CHECK(sentence.size() > 20);
    CHECK(sentence.back() == '.');
    CHECK(sentence != recoup::describe(static_cast<snapshot_status>(200)));
    sentences.insert(sentence);
  }
  CHECK(sentences.size() == 9);
}
