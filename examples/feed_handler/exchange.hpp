// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <recoup/core/time.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mold_udp64.hpp"
#include "settings.hpp"
#include "udp_socket.hpp"

// The other side: an exchange that publishes each packet on two lines, over a network that loses, repeats and delays.

namespace feed {

using random_numbers = std::mt19937_64;

inline bool happens(double probability, random_numbers& random) {
  return std::generate_canonical<double, 53>(random) < probability;
}
inline std::uint64_t between(std::uint64_t low, std::uint64_t high, random_numbers& random) {
  return std::uniform_int_distribution(low, high)(random);
}

// One way through the network: what is sent leaves the socket after `latency`, unless it is lost; perhaps twice,
// perhaps overtaken.
class lossy_line {
 public:
  struct rates {
    double loss = 0;
    double duplicates = 0;
    double reordering = 0;
  };
  struct totals {
    std::uint64_t packets = 0;
    std::uint64_t lost = 0;
    std::uint64_t repeated = 0;
    std::uint64_t delayed = 0;
  };

  lossy_line(recoup::duration latency, rates r, std::uint64_t seed) : latency_(latency), rates_(r), random_(seed) {}

  void send(std::vector<std::byte> bytes, const endpoint& to, recoup::timestamp now, bool is_outage = false) {
    ++totals_.packets;
    if (happens(rates_.loss, random_) || is_outage) {
      ++totals_.lost;
      return;
    }
    recoup::timestamp at = now + latency_;
    if (happens(rates_.reordering, random_)) {
      at += tick * between(2, 30, random_);
      ++totals_.delayed;
    }
    if (happens(rates_.duplicates, random_)) {
      under_way_.emplace(at + tick * between(0, 5, random_), letter{bytes, to});
      ++totals_.repeated;
    }
    under_way_.emplace(at, letter{std::move(bytes), to});
  }

  void advance(recoup::timestamp now, udp_socket& out) {
    for (auto first = under_way_.begin(); first != under_way_.end() && first->first <= now;) {
      if (!out.send(first->second.bytes, first->second.to)) ++totals_.lost;
      first = under_way_.erase(first);
    }
  }

  [[nodiscard]] const totals& total() const { return totals_; }

 private:
  struct letter {
    std::vector<std::byte> bytes;
    endpoint to;
  };
  recoup::duration latency_;
  rates rates_;
  random_numbers random_;
  std::multimap<recoup::timestamp, letter> under_way_;
  totals totals_;
};

class exchange {
 public:
  explicit exchange(const settings& s)
      : settings_(s),
        random_(s.seed),
        lines_{lossy_line(tick, {s.loss, s.duplicates, s.reordering}, s.seed + 1),
               lossy_line(3 * tick, {s.loss, s.duplicates, s.reordering}, s.seed + 2)},
        answers_(5 * tick, {.loss = s.request_loss}, s.seed + 3) {
    constexpr std::array symbols{"ACME", "INIT", "MOLD", "RCVR"};
    for (std::uint64_t n = 1; n <= s.messages; ++n) {
      messages_.push_back(fmt::format("{:<4} {:>5} {} at {:>3}.{:02}", happens(0.5, random_) ? "BUY" : "SELL",
                                      100 * between(1, 100, random_), symbols[between(0, 3, random_)],
                                      between(1, 999, random_), between(0, 99, random_)));
    }
    for (std::uint64_t first = 1; first <= s.messages;) {
      packets_.push_back(first);
      first += between(1, 8, random_);
    }
  }

  void publish_to(const endpoint& line_a, const endpoint& line_b) { to_ = {line_a, line_b}; }

  // Publishes the next packet; after the last of them a heartbeat now and then, and from 10 ms on the session's end.
  void advance(recoup::timestamp now) {
    if (published_ < packets_.size()) {
      publish_next(now);
    } else if (now >= next_heartbeat_) {
      if (!idle_since_) idle_since_ = now;
      const bool is_over = now - *idle_since_ >= std::chrono::milliseconds(10);
      const std::vector<std::byte> bytes =
          encode(header{session, messages_.size() + 1, is_over ? end_of_session : heartbeat});
      for (std::size_t i = 0; i < lines_.size(); ++i) lines_[i].send(bytes, to_[i], now);
      next_heartbeat_ = now + std::chrono::milliseconds(1);
    }
    for (lossy_line& line : lines_) line.advance(now, socket_);
    answers_.advance(now, server_);
  }

  // Answers a request with one packet, of as many of the messages as fit.
  void answer(const udp_socket::datagram& request, recoup::timestamp now) {
    ++requests_.packets;
    if (happens(settings_.request_loss, random_)) {
      ++requests_.lost;
      return;
    }
    const std::optional<header> wanted = decode_header(request.bytes);
    if (!wanted || wanted->session != session || wanted->sequence == 0) return;
    const std::uint64_t end = published_ < packets_.size() ? packets_[published_] : messages_.size() + 1;
    if (wanted->sequence >= end || wanted->count == 0) return;
    const std::uint64_t count = std::min<std::uint64_t>(wanted->count, end - wanted->sequence);
    const auto asked_for = std::span(messages_).subspan(wanted->sequence - 1, count);
    answers_.send(encode(session, wanted->sequence, asked_for), request.from, now);
  }

  [[nodiscard]] udp_socket& socket() { return socket_; }
  [[nodiscard]] udp_socket& server() { return server_; }

  // What was published, beginning with number 1: the truth.
  [[nodiscard]] const std::vector<std::string>& messages() const { return messages_; }
  [[nodiscard]] const lossy_line::totals& line_a() const { return lines_[0].total(); }
  [[nodiscard]] const lossy_line::totals& line_b() const { return lines_[1].total(); }
  [[nodiscard]] const lossy_line::totals& requests() const { return requests_; }
  [[nodiscard]] const lossy_line::totals& answers() const { return answers_.total(); }
  // Whether the session's end has been told for so long that nobody is served any more.
  [[nodiscard]] bool is_closed(recoup::timestamp now) const {
    return idle_since_ && now - *idle_since_ >= std::chrono::seconds(1);
  }

 private:
  void publish_next(recoup::timestamp now) {
    const std::uint64_t first = packets_[published_];
    const std::uint64_t end = published_ + 1 < packets_.size() ? packets_[published_ + 1] : messages_.size() + 1;
    if (outage_ > 0) {
      --outage_;
    } else if (happens(settings_.outages, random_)) {
      outage_ = between(1, 8, random_);
    }
    const bool is_outage =
        outage_ > 0 || published_ < settings_.head_loss || packets_.size() - published_ <= settings_.tail_loss;
    const auto bytes = encode(session, first, std::span(messages_).subspan(first - 1, end - first));
    for (std::size_t i = 0; i < lines_.size(); ++i) lines_[i].send(bytes, to_[i], now, is_outage);
    ++published_;
  }

  settings settings_;
  random_numbers random_;
  udp_socket socket_;
  udp_socket server_;
  std::array<endpoint, 2> to_{};
  std::array<lossy_line, 2> lines_;
  lossy_line answers_;
  lossy_line::totals requests_;
  std::vector<std::string> messages_;
  std::vector<std::uint64_t> packets_;  // the number of each packet's first message
  std::size_t published_ = 0;
  std::uint64_t outage_ = 0;  // packets that it will still take
  std::optional<recoup::timestamp> idle_since_;
  recoup::timestamp next_heartbeat_{};
};

}  // namespace feed
