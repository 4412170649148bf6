// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

// The wire format of NASDAQ's MoldUDP64 1.00, numbers big-endian. A packet is a header of 20 bytes (session 10,
// sequence number of the first message 8, message count 2), then `count` messages, each behind its length in 2 bytes. A
// request to the retransmission server is such a header alone: the first number wanted, and how many.

namespace feed {

using session_name = std::array<char, 10>;  // padded with spaces

struct header {
  session_name session{};
  std::uint64_t sequence = 0;  // of the first message; in a heartbeat and at the end of the session: the next to come
  std::uint16_t count = 0;
};
inline constexpr std::size_t header_size = 20;
inline constexpr std::uint16_t heartbeat = 0;            // counts that are none
inline constexpr std::uint16_t end_of_session = 0xFFFF;  // requests are still answered for a while
inline constexpr std::size_t max_packet_size = 1'400;    // what fits into an Ethernet frame, with room for tunnels

namespace detail {

template <std::size_t Size>
void append(std::vector<std::byte>& to, std::uint64_t number) {
  for (std::size_t i = Size; i-- > 0;) to.push_back(static_cast<std::byte>(number >> (8 * i)));
}

template <std::size_t Size>
std::uint64_t number_at(std::span<const std::byte> bytes, std::size_t offset) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < Size; ++i) number = number << 8 | std::to_integer<std::uint64_t>(bytes[offset + i]);
  return number;
}

}  // namespace detail

inline std::vector<std::byte> encode(const header& h) {
  std::vector<std::byte> bytes;
  for (const char c : h.session) bytes.push_back(static_cast<std::byte>(c));
  detail::append<8>(bytes, h.sequence);
  detail::append<2>(bytes, h.count);
  return bytes;
}

inline std::size_t size_on_wire(std::string_view message) { return 2 + message.size(); }

// Of `messages`, numbered from `first`: a packet of as many as fit, at least one.
template <class Messages>
std::vector<std::byte> encode(const session_name& session, std::uint64_t first, const Messages& messages) {
  std::size_t size = header_size;
  std::uint16_t count = 0;
  for (const std::string_view message : messages) {
    size += size_on_wire(message);
    if (count > 0 && size > max_packet_size) break;
    ++count;
  }
  std::vector<std::byte> bytes = encode(header{session, first, count});
  for (const std::string_view message : std::span(messages).first(count)) {
    detail::append<2>(bytes, message.size());
    for (const char c : message) bytes.push_back(static_cast<std::byte>(c));
  }
  return bytes;
}

// Nothing where there are less than 20 bytes.
inline std::optional<header> decode_header(std::span<const std::byte> bytes) {
  if (bytes.size() < header_size) return std::nullopt;
  header h;
  for (std::size_t i = 0; i < h.session.size(); ++i) h.session[i] = std::to_integer<char>(bytes[i]);
  h.sequence = detail::number_at<8>(bytes, 10);
  h.count = static_cast<std::uint16_t>(detail::number_at<2>(bytes, 18));
  return h;
}

// Fills `messages` with views into `bytes`. Nothing where the bytes are not, to the last of them, what the header says.
inline std::optional<header> decode(std::span<const std::byte> bytes, std::vector<std::string_view>& messages) {
  messages.clear();
  const std::optional<header> h = decode_header(bytes);
  if (!h) return std::nullopt;
  std::span<const std::byte> rest = bytes.subspan(header_size);
  for (std::size_t i = 0; h->count != end_of_session && i < h->count; ++i) {
    if (rest.size() < 2) return std::nullopt;
    const std::uint64_t length = detail::number_at<2>(rest, 0);
    rest = rest.subspan(2);
    if (rest.size() < length) return std::nullopt;
    messages.emplace_back(reinterpret_cast<const char*>(rest.data()), length);
    rest = rest.subspan(length);
  }
  return rest.empty() ? h : std::nullopt;
}

}  // namespace feed
