// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// How does a market-data feed lose nothing over UDP? An exchange numbers its messages and publishes each packet on two
// lines, A and B, in NASDAQ's MoldUDP64; both lose, repeat and reorder packets, some are lost on both, the first and
// the last among them. The receiver takes the first copy of each message, asks a retransmission server for the rest,
// and hands each message over once and in order. The sockets are real, the clock is not: every run with one seed is the
// same.

#include <fmt/format.h>
#include <poll.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <recoup/core/time.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "exchange.hpp"
#include "receiver.hpp"
#include "settings.hpp"
#include "udp_socket.hpp"

namespace {

using feed::source;

struct comparison {
  std::uint64_t delivered = 0;
  std::uint64_t missing = 0;
  std::uint64_t twice = 0;
  std::uint64_t wrong = 0;
  std::uint64_t out_of_order = 0;

  [[nodiscard]] bool is_exact() const { return missing + twice + wrong + out_of_order == 0; }
};

// Keeps what it is handed, to compare it with what was published.
class application {
 public:
  void deliver(const feed::message& m) {
    delivered_[m.number].push_back(m.text);
    if (m.number < next_) ++out_of_order_;
    next_ = std::max(next_, m.number + 1);
  }

  [[nodiscard]] comparison compare(const std::vector<std::string>& published) const {
    comparison c;
    c.out_of_order = out_of_order_;
    std::uint64_t known = 0;
    for (const auto& [number, copies] : delivered_) {
      c.delivered += copies.size();
      c.twice += copies.size() - 1;
      const bool is_known = number >= 1 && number <= published.size();
      known += is_known ? 1 : 0;
      if (!is_known || copies.front() != published[number - 1]) ++c.wrong;
    }
    c.missing = published.size() - known;
    return c;
  }

 private:
  std::map<std::uint64_t, std::vector<std::string>> delivered_;  // by number
  std::uint64_t next_ = 0;
  std::uint64_t out_of_order_ = 0;
};

// Hands over every datagram that is on its way, so that the clock may move. What the system drops is one more loss.
class network {
 public:
  network(feed::exchange& exchange, feed::receiver& receiver)
      : exchange_(exchange),
        receiver_(receiver),
        sockets_{&receiver.socket(source::line_a), &receiver.socket(source::line_b),
                 &receiver.socket(source::retransmission), &exchange.server()} {}

  void settle(recoup::timestamp now) {
    constexpr int patience_ms = 200;
    while (under_way() > 0) {
      std::array<pollfd, 4> ready{};
      for (std::size_t i = 0; i < ready.size(); ++i) ready[i] = {sockets_[i]->descriptor(), POLLIN, 0};
      const int count = ::poll(ready.data(), ready.size(), patience_ms);
      if (count < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll failed");
      if (count == 0) dropped_ += under_way();
      if (count <= 0) continue;
      for (std::size_t i = 0; i < feed::sources; ++i) {
        if (ready[i].revents == 0) continue;
        while (const auto d = sockets_[i]->receive()) receiver_.receive(static_cast<source>(i), d->bytes, now);
      }
      if (ready.back().revents == 0) continue;
      while (const auto d = exchange_.server().receive()) exchange_.answer(*d, now);
    }
  }

 private:
  [[nodiscard]] std::int64_t under_way() const {
    std::int64_t count = static_cast<std::int64_t>(exchange_.socket().sent()) - dropped_;
    for (const feed::udp_socket* s : sockets_) count += static_cast<std::int64_t>(s->sent() - s->received());
    return count;
  }

  feed::exchange& exchange_;
  feed::receiver& receiver_;
  std::array<feed::udp_socket*, 4> sockets_;
  std::int64_t dropped_ = 0;
};

void print_summary(const feed::exchange& exchange, const feed::receiver& receiver, const comparison& result) {
  fmt::print("\n{:<16}{:>10}{:>10}{:>10}{:>10}\n", "sent by", "packets", "lost", "repeated", "delayed");
  const auto sent = [](std::string_view name, const feed::lossy_line::totals& t) {
    fmt::print("{:<16}{:>10}{:>10}{:>10}{:>10}\n", name, t.packets, t.lost, t.repeated, t.delayed);
  };
  sent("A", exchange.line_a());
  sent("B", exchange.line_b());
  sent("request", exchange.requests());
  sent("retransmission", exchange.answers());

  fmt::print("\n{:<16}{:>10}{:>10}{:>10}{:>10}{:>11}\n", "received by", "packets", "in order", "ahead", "filled",
             "duplicates");
  std::uint64_t retransmitted = 0;
  for (std::size_t i = 0; i < feed::sources; ++i) {
    const feed::receiver::totals& t = receiver.total(static_cast<source>(i));
    fmt::print("{:<16}{:>10}{:>10}{:>10}{:>10}{:>11}\n", feed::source_names[i], t.packets, t.in_order, t.ahead,
               t.filled, t.repeated);
    retransmitted = t.in_order + t.ahead + t.filled;
  }

  const auto line = [](std::string_view name, std::uint64_t value) { fmt::print("{:<22}{:>10}\n", name, value); };
  fmt::print("\n");
  line("gaps", receiver.gaps());
  line("  messages in them", receiver.gap_messages());
  line("  retransmitted", retransmitted);
  line("requests", receiver.requests());
  line("  asked again", receiver.repeated_requests());
  line("published", exchange.messages().size());
  line("delivered", result.delivered);
  line("  held back for order", receiver.held_back());
  line("  twice", result.twice);
  line("  wrong", result.wrong);
  line("  out of order", result.out_of_order);
  line("missing at the end", result.missing);
}

bool run(const feed::settings& s) {
  application app;
  feed::exchange exchange(s);
  feed::receiver receiver(s, exchange.server().address(), [&app](const feed::message& m) { app.deliver(m); });
  exchange.publish_to(receiver.socket(source::line_a).address(), receiver.socket(source::line_b).address());
  network net(exchange, receiver);

  recoup::timestamp now{};
  for (; !receiver.is_done() && !exchange.is_closed(now); now += feed::tick) {
    exchange.advance(now);
    net.settle(now);
    receiver.advance(now);
  }
  receiver.close(now);
  const comparison result = app.compare(exchange.messages());
  print_summary(exchange, receiver, result);
  return result.is_exact() && receiver.tracker().missing_count() == 0;
}

int parse_and_run(int argc, char** argv) {
  feed::settings s;
  CLI::App app(
      "Publishes numbered messages on two lossy UDP lines of this machine, and receives each of them once and in "
      "order.\n"
      "Ends with 0 if that is so.");
  app.get_formatter()->column_width(34);
  const auto rate = [&app](const char* name, double& value, const char* what) {
    app.add_option(name, value, what)->check(CLI::Range(0.0, 1.0))->option_text("RATE=" + fmt::format("{}", value));
  };
  const auto count = [&app](const char* name, std::uint64_t& value, const char* what, std::uint64_t least,
                            std::uint64_t most) {
    app.add_option(name, value, what)->check(CLI::Range(least, most))->option_text(fmt::format("N={}", value));
  };
  count("--messages", s.messages, "Messages to publish, in packets of 1 to 8", 1, 1'000'000);
  app.add_option("--seed", s.seed, "Of the messages and of the faults")->option_text(fmt::format("N={}", s.seed));
  rate("--loss", s.loss, "Packets lost, on each line");
  rate("--outages", s.outages, "Packets from which on 1 to 8 are lost on both lines");
  rate("--duplicates", s.duplicates, "Packets repeated, on each line");
  rate("--reordering", s.reordering, "Packets that later ones overtake, on each line");
  count("--head-loss", s.head_loss, "First packets that are lost on both lines", 0, 10'000);
  count("--tail-loss", s.tail_loss, "Last packets that are lost on both lines", 0, 10'000);
  rate("--request-loss", s.request_loss, "Requests lost, and answers to the others");
  app.add_option("--attempts", s.attempts, "Requests for a message before it is given up; 0: never ask")
      ->option_text(fmt::format("N={}", s.attempts));
  app.add_flag("--quiet", s.quiet, "Only the summary");
  CLI11_PARSE(app, argc, argv);
  return run(s) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "feed_handler: {}\n", e.what());
    return 2;
  }
}
