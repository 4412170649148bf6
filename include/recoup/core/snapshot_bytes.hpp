// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/detail/snapshot_value.hpp"
#include "recoup/core/snapshot_status.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// The tag of a section from its four letters: section_tag("GAPS"). The bytes spell the letters.
[[nodiscard]] consteval std::uint32_t section_tag(const char (&letters)[5]) {
  std::uint32_t tag = 0;
  for (int i = 3; i >= 0; --i) tag = tag << 8 | static_cast<unsigned char>(letters[i]);
  return tag;
}

/// What `value` writes and reads: integers of up to 64 bits, scoped enumerations, bool, float, double, timestamp,
/// duration, std::string, std::optional, std::pair and std::tuple of these, and every type that has the members
/// `void save(snapshot_writer&) const` and `bool load(snapshot_reader&)`, or in its namespace the functions
/// `save(snapshot_writer&, const T&)` and `bool load(snapshot_reader&, T&)`.
template <class T>
concept snapshot_value = detail::is_snapshot_value<T>;

/// Appends values to a growing buffer of bytes: little-endian on every machine, nothing between them, so that equal
/// values give equal bytes. An integer takes its own width: use types of fixed width where platforms differ.
class snapshot_writer {
 public:
  void u8(std::uint8_t number) { integer(number); }
  void u16(std::uint16_t number) { integer(number); }
  void u32(std::uint32_t number) { integer(number); }
  void u64(std::uint64_t number) { integer(number); }
  void i64(std::int64_t number) { integer(static_cast<std::uint64_t>(number)); }
  void f64(double number) { integer(std::bit_cast<std::uint64_t>(number)); }  // NaN keeps its payload
  void boolean(bool flag) { u8(flag ? 1 : 0); }
  void time(timestamp at) { i64(at.time_since_epoch().count()); }
  void span(duration length) { i64(length.count()); }
  void bytes(std::span<const std::byte> data) {
    u64(data.size());
    append(data);
  }
  void text(std::string_view data) { bytes(std::as_bytes(std::span(data.data(), data.size()))); }

  template <snapshot_value T>
  void value(const T& v) {
    if constexpr (std::same_as<T, bool>) {
      boolean(v);
    } else if constexpr (std::integral<T>) {
      integer(static_cast<std::make_unsigned_t<T>>(v));
    } else if constexpr (detail::self_snapshot<T>) {
      v.save(*this);
    } else if constexpr (detail::adl_snapshot<T>) {
      save(*this, v);
    } else if constexpr (std::is_enum_v<T>) {
      value(static_cast<std::underlying_type_t<T>>(v));
    } else if constexpr (std::same_as<T, float>) {
      u32(std::bit_cast<std::uint32_t>(v));
    } else if constexpr (std::same_as<T, double>) {
      f64(v);
    } else if constexpr (std::same_as<T, timestamp>) {
      time(v);
    } else if constexpr (std::same_as<T, duration>) {
      span(v);
    } else if constexpr (std::same_as<T, std::string>) {
      text(v);
    } else if constexpr (requires { v.has_value(); }) {
      boolean(v.has_value());
      if (v) value(*v);
    } else {
      std::apply([this](const auto&... part) { (this->value(part), ...); }, v);
    }
  }

  /// Opens a section: what follows up to the matching end_section can be checked as one, and changed in later
  /// versions (from 1 on). Sections nest. 14 bytes each.
  void begin_section(std::uint32_t tag, std::uint16_t version) {
    u32(tag);
    u16(version);
    u64(std::exchange(innermost_, size_));  // until its length is known, the field holds where the enclosing one's is
  }
  void end_section() {
    assert(innermost_ != none && "end_section without begin_section");
    const std::size_t field = innermost_;
    innermost_ = static_cast<std::size_t>(detail::from_little_endian<std::uint64_t>(written().subspan(field)));
    patch(field, size_ - field - sizeof(std::uint64_t));
  }

  /// Overwrites eight bytes that u64 wrote at this offset, for what is known only later.
  void patch(std::size_t offset, std::uint64_t number) {
    assert(offset + sizeof number <= size_);
    std::memcpy(bytes_.data() + offset, detail::to_little_endian(number).data(), sizeof number);
  }

  [[nodiscard]] std::span<const std::byte> written() const { return std::span(bytes_).first(size_); }
  [[nodiscard]] std::vector<std::byte> take() {
    assert(innermost_ == none && "begin_section without end_section");
    bytes_.resize(std::exchange(size_, 0));
    return std::exchange(bytes_, {});
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  void integer(std::unsigned_integral auto number) { append(detail::to_little_endian(number)); }
  void append(std::span<const std::byte> data) {
    if (bytes_.size() - size_ < data.size()) bytes_.resize(2 * bytes_.size() + data.size());
    if (!data.empty()) std::memcpy(bytes_.data() + size_, data.data(), data.size());
    size_ += data.size();
  }

  std::vector<std::byte> bytes_;  // the first size_ are written, the rest is room: faster than growing by few bytes
  std::size_t size_ = 0;
  std::size_t innermost_ = none;
};

/// Reads what a snapshot_writer wrote, from bytes that it does not own and that may be hostile. The first read that
/// finds too few bytes, or impossible ones, fails the reader for good: it and all later ones return zero or nothing,
/// and `remaining` is 0. Allocates 16 bytes an open section; `bytes` and `text` are views. Checks the form of values
/// only: whether a number makes sense, the caller must judge, and call `fail` (or return false from `load`) if not.
class snapshot_reader {
 public:
  explicit snapshot_reader(std::span<const std::byte> source) : left_(source) {}

  [[nodiscard]] std::uint8_t u8() { return integer<std::uint8_t>(); }
  [[nodiscard]] std::uint16_t u16() { return integer<std::uint16_t>(); }
  [[nodiscard]] std::uint32_t u32() { return integer<std::uint32_t>(); }
  [[nodiscard]] std::uint64_t u64() { return integer<std::uint64_t>(); }
  [[nodiscard]] std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  [[nodiscard]] double f64() { return std::bit_cast<double>(u64()); }
  [[nodiscard]] bool boolean() {
    const auto flag = u8();
    if (flag > 1) fail();
    return flag == 1;
  }
  [[nodiscard]] timestamp time() { return timestamp(duration(i64())); }
  [[nodiscard]] duration span() { return duration(i64()); }
  [[nodiscard]] std::span<const std::byte> bytes() { return next(u64()); }
  [[nodiscard]] std::string_view text() {
    const auto data = bytes();
    return {reinterpret_cast<const char*>(data.data()), data.size()};
  }

  /// The number of elements that follow, written as u64. Fails above `most`, and above the bytes that remain: elements
  /// must take at least one each. So a loop up to it ends, and memory for it is in proportion to the input.
  [[nodiscard]] std::size_t count(std::uint64_t most) {
    const auto elements = u64();
    if (elements > most || elements > remaining()) fail();
    return ok() ? static_cast<std::size_t>(elements) : 0;
  }

  /// Reads into v; false, and v unspecified, if the reader fails or has failed.
  template <snapshot_value T>
  [[nodiscard]] bool value(T& v) {
    if constexpr (std::same_as<T, bool>) {
      v = boolean();
    } else if constexpr (std::integral<T>) {
      v = static_cast<T>(integer<std::make_unsigned_t<T>>());
    } else if constexpr (detail::self_snapshot<T>) {
      if (!v.load(*this)) fail();
    } else if constexpr (detail::adl_snapshot<T>) {
      if (!load(*this, v)) fail();
    } else if constexpr (std::is_enum_v<T>) {
      std::underlying_type_t<T> number{};
      if (value(number)) v = static_cast<T>(number);
    } else if constexpr (std::same_as<T, float>) {
      v = std::bit_cast<float>(u32());
    } else if constexpr (std::same_as<T, double>) {
      v = f64();
    } else if constexpr (std::same_as<T, timestamp>) {
      v = time();
    } else if constexpr (std::same_as<T, duration>) {
      v = span();
    } else if constexpr (std::same_as<T, std::string>) {
      v = text();
    } else if constexpr (requires { v.has_value(); }) {
      v.reset();
      if (boolean()) (void)value(v.emplace());
    } else {
      std::apply([this](auto&... part) { (void)(this->value(part) && ...); }, v);
    }
    return ok();
  }

  /// Enters the section that must come next and returns its version, at most `newest`; the section's end is the end
  /// of the bytes until end_section. 0 if the reader fails: with newer_version if only the version is in the way.
  [[nodiscard]] std::uint16_t begin_section(std::uint32_t tag, std::uint16_t newest) {
    const bool expected = u32() == tag;
    const auto version = u16();
    const auto length = u64();
    if (!expected || version == 0 || length > remaining()) fail();
    if (version > newest) fail(snapshot_status::newer_version);
    if (!ok()) return 0;
    enclosing_.push_back(left_.subspan(static_cast<std::size_t>(length)));
    left_ = left_.first(static_cast<std::size_t>(length));
    return version;
  }
  /// Leaves the section; fails if bytes of it are left.
  void end_section() {
    if (!ok()) return;
    if (enclosing_.empty() || !left_.empty()) return fail();
    left_ = enclosing_.back();
    enclosing_.pop_back();
  }

  /// Bytes left in the innermost section; 0 after a failure.
  [[nodiscard]] std::size_t remaining() const { return left_.size(); }
  [[nodiscard]] bool at_end() const { return ok() && enclosing_.empty() && left_.empty(); }

  [[nodiscard]] bool ok() const { return status_ == snapshot_status::ok; }
  [[nodiscard]] snapshot_status status() const { return status_; }
  /// Refuses the bytes; the first reason stays.
  void fail(snapshot_status why = snapshot_status::malformed) {
    if (ok()) status_ = why;
    left_ = {};
  }

 private:
  std::span<const std::byte> next(std::uint64_t size) {
    if (size > left_.size()) fail();
    const auto data = left_.first(ok() ? static_cast<std::size_t>(size) : 0);
    left_ = left_.subspan(data.size());
    return data;
  }

  template <std::unsigned_integral U>
  U integer() {
    const auto data = next(sizeof(U));
    return data.empty() ? U{0} : detail::from_little_endian<U>(data);
  }

  std::span<const std::byte> left_;
  std::vector<std::span<const std::byte>> enclosing_;  // what follows each open section
  snapshot_status status_ = snapshot_status::ok;
};

}  // namespace recoup
