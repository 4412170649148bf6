// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <recoup/pipeline/overloaded.hpp>
#include <recoup/sequence/gap_tracker.hpp>
#include <recoup/sequence/resequencer.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mold_udp64.hpp"
#include "settings.hpp"
#include "udp_socket.hpp"

namespace feed {

enum class source : std::uint8_t { line_a, line_b, retransmission };
inline constexpr std::size_t sources = 3;
inline constexpr std::array<std::string_view, sources> source_names{"A", "B", "retransmission"};

struct message {
  std::uint64_t number = 0;
  std::string text;
};

// Makes one stream of two lines: the first copy of a message is the one that counts, whatever way it came; what came on
// neither is asked for again; and the application gets them in order. The gap tracker knows which are new and which are
// missing, the resequencer which must wait; this class does the input and output.
class receiver {
 public:
  using application = std::function<void(const message&)>;

  struct totals {
    std::uint64_t packets = 0;
    std::uint64_t in_order = 0;  // messages, as all below
    std::uint64_t ahead = 0;
    std::uint64_t filled = 0;
    std::uint64_t repeated = 0;
  };

  receiver(const settings& s, const endpoint& server, application deliver)
      : tracker_(options(s)),
        resequencer_({.expect_from = 1,
                      .max_events = std::size_t{1} << 20,     // as far as the gap tracker believes in a jump
                      .max_hold = recoup::duration::max()}),  // the gap tracker says when a message is given up
        server_(server),
        deliver_(std::move(deliver)),
        quiet_(s.quiet) {}

  [[nodiscard]] udp_socket& socket(source from) { return sockets_[static_cast<std::size_t>(from)]; }

  // A datagram came in.
  void receive(source from, std::span<const std::byte> bytes, recoup::timestamp now) {
    totals& t = totals_[static_cast<std::size_t>(from)];
    ++t.packets;
    const std::optional<header> h = decode(bytes, messages_);
    if (!h || h->session != session) return;
    if (h->count == heartbeat || h->count == end_of_session) {
      is_over_ = is_over_ || h->count == end_of_session;
      if (h->sequence > 1) tracker_.observe_high(h->sequence - 1, now);
      return;
    }
    tracker_.observe(h->sequence, h->count, now, [&](recoup::arrival answer, recoup::sequence_range run) {
      switch (answer) {
        case recoup::arrival::in_order:
          t.in_order += run.size();
          break;
        case recoup::arrival::ahead:
          t.ahead += run.size();
          break;
        case recoup::arrival::filled:
        case recoup::arrival::late:
          t.filled += run.size();
          note_filled(run, from, now);
          break;
        case recoup::arrival::duplicate:
          t.repeated += run.size();
          return;
        default:  // far from all that came before: no number of this session
          return;
      }
      for (std::uint64_t i = 0; i < run.size(); ++i) {
        const std::uint64_t number = run.first + i;
        message m{number, std::string(messages_[number - h->sequence])};
        if (resequencer_.judge(number, m).answer == recoup::placing::late) {
          deliver_(m);  // was given up: its turn is over, and better now than never
        }
        resequencer_.offer(number, std::move(m), now, ordered{*this, now});
      }
    });
  }

  // Time passed: asks for what is missing by now.
  void advance(recoup::timestamp now) {
    tracker_.advance(now, recoup::overloaded{[&](const recoup::gap_found<>& g) {
                                               ++gaps_;
                                               gap_messages_ += g.range.size();
                                               open_.emplace(g.range.first, gap{g.range, g.range.size(), now, {}});
                                               say(now, "gap found: {}", text_of(g.range));
                                             },
                                             [&](const recoup::replay_request<>& r) { return ask(r, now); },
                                             [&](const recoup::gap_abandoned<>& g) {
                                               resequencer_.pass_over(g.range);
                                               say(now, "given up: {}, as {}", text_of(g.range), describe(g.reason));
                                             }});
    resequencer_.release(now, ordered{*this, now});
  }

  // Nobody answers any more: the application gets what is here.
  void close(recoup::timestamp now) { resequencer_.flush(ordered{*this, now}); }

  // Whether the session is over, and all of it here.
  [[nodiscard]] bool is_done() const { return is_over_ && tracker_.missing_count() == 0; }
  [[nodiscard]] const recoup::gap_tracker& tracker() const { return tracker_; }
  [[nodiscard]] const totals& total(source from) const { return totals_[static_cast<std::size_t>(from)]; }
  // Messages that had to wait for their turn.
  [[nodiscard]] std::uint64_t held_back() const { return resequencer_.released_count(); }
  [[nodiscard]] std::uint64_t gaps() const { return gaps_; }
  [[nodiscard]] std::uint64_t gap_messages() const { return gap_messages_; }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  [[nodiscard]] std::uint64_t repeated_requests() const { return repeated_requests_; }

 private:
  struct gap {  // for the log alone: the tracker has its own
    recoup::sequence_range range;
    std::uint64_t missing;
    recoup::timestamp found;
    std::array<std::uint64_t, sources> filled;
  };

  static recoup::gap_tracker_options options(const settings& s) {
    using namespace std::chrono_literals;
    return {.expect_from = 1,  // so that a lost beginning is noticed
            .reorder_distance = 64,
            .reorder_delay = 2ms,
            .resynchronise_after = 0,  // a session's numbers never begin anew
            .replay = {.max_attempts = s.attempts,
                       .first_wait = 5ms,
                       .longest_wait = 40ms,
                       .max_range = 20,       // messages whose answer fits into a packet
                       .max_requests = 64}};  // at once: more would flood the server's socket
  }

  // What the resequencer tells.
  struct ordered {
    const receiver& to;
    recoup::timestamp now;

    void operator()(const message& m) const { to.deliver_(m); }
    void operator()(const recoup::hole_passed_over<>& hole) const {
      to.say(now, "  the application goes on without {}", text_of(hole.range));
    }
  };

  // False where the request could not be sent: the tracker will make it again.
  bool ask(const recoup::replay_request<>& r, recoup::timestamp now) {
    const header request{session, r.range.first, static_cast<std::uint16_t>(r.range.size())};
    if (!socket(source::retransmission).send(encode(request), server_)) return false;
    ++requests_;
    if (r.attempt > 1) {
      ++repeated_requests_;
      say(now, "  asked again for {}, attempt {} of {}", text_of(r.range), r.attempt, r.max_attempts);
    }
    return true;
  }

  void note_filled(recoup::sequence_range run, source from, recoup::timestamp now) {
    auto at = open_.upper_bound(run.first);
    if (at != open_.begin()) --at;
    while (at != open_.end() && at->first <= run.last) {
      gap& g = at->second;
      const recoup::sequence_range part{std::max(run.first, g.range.first), std::min(run.last, g.range.last)};
      g.filled[static_cast<std::size_t>(from)] += part.size();
      g.missing -= part.size();
      if (g.missing > 0) {
        ++at;
      } else {
        say(now, "  {} filled by {}, after {:.1f} ms", text_of(g.range), sources_of(g), milliseconds(now - g.found));
        at = open_.erase(at);
      }
    }
  }

  static std::string text_of(recoup::sequence_range r) {
    return r.first == r.last ? fmt::format("{}", r.first) : fmt::format("{} to {}", r.first, r.last);
  }

  static std::string sources_of(const gap& g) {
    std::string text;
    for (std::size_t i = 0; i < sources; ++i) {
      if (g.filled[i] == 0) continue;
      if (!text.empty()) text += " and ";
      text += source_names[i];
      if (g.filled[i] < g.range.size()) text += fmt::format(" ({})", g.filled[i]);
    }
    return text;
  }

  static double milliseconds(recoup::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

  template <class... Arguments>
  void say(recoup::timestamp now, fmt::format_string<Arguments...> what, Arguments&&... arguments) const {
    if (quiet_) return;
    fmt::print("{:>7.1f} ms  {}\n", milliseconds(now.time_since_epoch()),
               fmt::format(what, std::forward<Arguments>(arguments)...));
  }

  recoup::gap_tracker tracker_;
  recoup::resequencer<message> resequencer_;
  std::array<udp_socket, sources> sockets_;
  endpoint server_;
  application deliver_;
  bool quiet_;
  bool is_over_ = false;
  std::array<totals, sources> totals_;
  std::map<std::uint64_t, gap> open_;  // by first number
  std::vector<std::string_view> messages_;
  std::uint64_t gaps_ = 0;
  std::uint64_t gap_messages_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t repeated_requests_ = 0;
};

}  // namespace feed
