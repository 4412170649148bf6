// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <recoup/core/time.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace recover {

// What happened to an event, or to a stretch of time that was unusual. All but `accepted` are findings.
enum class kind : std::uint8_t { accepted, missing, duplicate, rejected, review, corrected, inferred, filled, unusual };

inline constexpr std::size_t kinds = 9;
inline constexpr std::array<std::string_view, kinds> kind_names = {
    "accepted", "missing", "duplicate", "rejected", "review", "corrected", "inferred", "filled", "unusual"};
using counts = std::array<std::uint64_t, kinds>;

inline void add_to(std::uint64_t& sum, std::uint64_t more) {
  sum = more > std::numeric_limits<std::uint64_t>::max() - sum ? std::numeric_limits<std::uint64_t>::max() : sum + more;
}
inline void add_to(counts& sum, const counts& more) {
  for (std::size_t i = 0; i != kinds; ++i) add_to(sum[i], more[i]);
}
inline std::uint64_t findings(const counts& of) {
  std::uint64_t sum = 0;
  for (std::size_t i = 1; i != kinds; ++i) add_to(sum, of[i]);
  return sum;
}

// What a timeline shows: rows of equally wide buckets.
struct picture {
  struct row {
    std::string stream;
    bool pooled = false;  // All streams beyond the first timeline::most_streams.
    counts total = {};
    std::vector<counts> buckets;  // `picture::buckets` of them.
  };
  recoup::timestamp from;  // Bucket i is [from + i * width, from + (i + 1) * width).
  recoup::duration width{};
  std::size_t buckets = 0;
  std::vector<row> rows;  // Most findings first.
  // Entries whose time is far from all others, and which the first and the last bucket therefore hold.
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  recoup::timestamp earliest, latest;
};

// Counts per stream, kind and time for a picture, over a time span that nobody knows beforehand, in any order of times.
//
// Buckets are 2^n ns wide and exist only where something happened; when there are more than `most_buckets`, n grows
// and neighbours merge. So it is not the span that costs resolution but how much of it is in use, and one event in the
// year 2262 is one bucket. What lies far from the bulk (beyond the middle 90 % of the entries and everything that
// follows on it without a pause of four times the span so far) is counted at the edge instead of stretching the
// picture.
//
// Memory: at most most_buckets * (most_streams + 1) * 72 bytes, 9 MiB. Time: O(log most_buckets) an entry, O(1) where
// consecutive entries are close in time.
class timeline {
 public:
  static constexpr std::size_t most_streams = 256;
  static constexpr std::size_t most_buckets = 512;

  void add(std::string_view stream, recoup::timestamp at, kind what, std::uint64_t count = 1) {
    const std::int64_t time = at.time_since_epoch().count();
    earliest_ = std::min(earliest_, time);
    latest_ = std::max(latest_, time);
    row& to = row_of(stream);
    const std::size_t slot = slot_of(time);
    const auto i = static_cast<std::size_t>(what);
    add_to(to.total[i], count);
    add_to(to.cells[slot][i], count);
    ++weights_[slot];
  }

  // Gives it a row of its own, drawn if something is added, however many streams come before that.
  void reserve(std::string_view stream) { row_of(stream); }

  bool empty() const { return columns_.empty(); }

  // At most `most` buckets (24 or more), fewer where little happened: bars as thin as hairs are hard to see.
  picture draw(std::size_t most = 240) const {
    picture drawn;
    if (empty()) return drawn;
    const std::pair<std::int64_t, std::int64_t> ends = bulk();
    const std::int64_t first = ends.first, last = ends.second;
    most = std::clamp<std::size_t>(columns_.size() * 4, 24, std::max<std::size_t>(24, most));
    // At least 2^20 ns, about a millisecond.
    int shift = std::max(shift_, 20);
    const auto bucket_of = [&](std::int64_t index) { return index >> (shift - shift_); };
    const auto span = [&] {
      return static_cast<std::uint64_t>(bucket_of(last)) - static_cast<std::uint64_t>(bucket_of(first));
    };
    while (span() >= most) ++shift;
    // A single instant is drawn amid some empty time.
    const std::int64_t margin = span() < 4 ? 4 : 0;
    const std::int64_t begin = bucket_of(first) - margin;
    drawn.buckets = static_cast<std::size_t>(span() + 1) + 2 * static_cast<std::size_t>(margin);
    drawn.from = recoup::timestamp(recoup::saturating_multiply(recoup::duration(begin), std::uint64_t{1} << shift));
    drawn.width = recoup::duration(std::int64_t{1} << shift);
    drawn.before = weights_[slot_before];
    drawn.after = weights_[slot_after];
    drawn.earliest = recoup::timestamp(recoup::duration(earliest_));
    drawn.latest = recoup::timestamp(recoup::duration(latest_));
    for (const column& c : columns_) {
      if (c.index < first) drawn.before += weights_[c.slot];
      if (c.index > last) drawn.after += weights_[c.slot];
    }
    for (const row& r : rows_) {
      if (r.total == counts{}) continue;
      picture::row& to = drawn.rows.emplace_back();
      to.stream = r.stream;
      to.pooled = &r == pooled_row();
      to.total = r.total;
      to.buckets.resize(drawn.buckets);
      const auto bucket = [&](std::int64_t index) -> counts& {
        return to.buckets[static_cast<std::size_t>(bucket_of(std::clamp(index, first, last)) - begin)];
      };
      for (const column& c : columns_) add_to(bucket(c.index), r.cells[c.slot]);
      add_to(bucket(first), r.cells[slot_before]);
      add_to(bucket(last), r.cells[slot_after]);
    }
    std::sort(drawn.rows.begin(), drawn.rows.end(), [](const picture::row& a, const picture::row& b) {
      const std::uint64_t of_a = findings(a.total), of_b = findings(b.total);
      if (a.pooled != b.pooled) return b.pooled;
      return of_a != of_b ? of_a > of_b : a.stream < b.stream;
    });
    return drawn;
  }

 private:
  struct row {
    std::string stream;
    counts total = {};
    std::vector<counts> cells = std::vector<counts>(most_buckets + 2);
  };
  // Entries with time >> shift_ == index are in cells[slot].
  struct column {
    std::int64_t index;
    std::size_t slot;
  };
  struct hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  static constexpr std::size_t slot_before = most_buckets;
  static constexpr std::size_t slot_after = most_buckets + 1;

  const row* pooled_row() const { return rows_.size() > most_streams ? &rows_.back() : nullptr; }

  row& row_of(std::string_view stream) {
    if (last_row_ < rows_.size() && rows_[last_row_].stream == stream && last_row_ != most_streams) {
      return rows_[last_row_];
    }
    const auto known = row_by_stream_.find(stream);
    if (known != row_by_stream_.end()) {
      last_row_ = known->second;
    } else {
      last_row_ = std::min(rows_.size(), most_streams);
      if (last_row_ < most_streams) row_by_stream_.emplace(stream, last_row_);
      if (last_row_ == rows_.size()) rows_.emplace_back().stream = last_row_ < most_streams ? stream : "other streams";
    }
    return rows_[last_row_];
  }

  std::size_t slot_of(std::int64_t time) {
    if (!columns_.empty() && columns_[last_column_].index == time >> shift_) return columns_[last_column_].slot;
    auto at = position_of(time);
    if (at == columns_.end() || at->index != time >> shift_) {
      if (columns_.size() == most_buckets) {
        compact();
        at = position_of(time);
      }
      if (at == columns_.end() || at->index != time >> shift_) {
        at = columns_.insert(at, {time >> shift_, columns_.size()});
      }
    }
    last_column_ = static_cast<std::size_t>(at - columns_.begin());
    return at->slot;
  }
  std::vector<column>::iterator position_of(std::int64_t time) {
    return std::lower_bound(columns_.begin(), columns_.end(), time >> shift_,
                            [](const column& c, std::int64_t index) { return c.index < index; });
  }

  // The first and last index of what is not far from the rest.
  std::pair<std::int64_t, std::int64_t> bulk() const {
    std::uint64_t all = 0;
    for (const column& c : columns_) all += weights_[c.slot];
    const std::uint64_t tail = std::max<std::uint64_t>(all / 20, all < 8 ? 0 : 1);
    std::size_t first = 0, last = columns_.size() - 1;
    for (std::uint64_t seen = weights_[columns_[first].slot]; seen <= tail; seen += weights_[columns_[++first].slot]) {
    }
    for (std::uint64_t seen = weights_[columns_[last].slot]; seen <= tail; seen += weights_[columns_[--last].slot]) {
    }
    const auto distance = [this](std::size_t a, std::size_t b) {
      return static_cast<std::uint64_t>(columns_[b].index) - static_cast<std::uint64_t>(columns_[a].index);
    };
    const auto near = [&](std::uint64_t pause) {
      return pause / 4 <= std::max<std::uint64_t>(distance(first, last), 4);
    };
    for (bool grown = true; grown;) {
      grown = false;
      for (; first != 0 && near(distance(first - 1, first)); --first) grown = true;
      for (; last + 1 != columns_.size() && near(distance(last, last + 1)); ++last) grown = true;
    }
    return {columns_[first].index, columns_[last].index};
  }

  // Moves what lies far off to the edges, and merges neighbours until half of the buckets are free.
  void compact() {
    const std::pair<std::int64_t, std::int64_t> ends = bulk();
    const std::int64_t first = ends.first, last = ends.second;
    const auto inside = [&](const column& c) { return c.index >= first && c.index <= last; };
    int wider = 0;
    for (;; ++wider) {
      std::size_t used = 0;
      const column* previous = nullptr;
      for (const column& c : columns_) {
        if (!inside(c)) continue;
        used += !previous || previous->index >> wider != c.index >> wider;
        previous = &c;
      }
      if (used <= most_buckets / 2) break;
    }
    std::vector<column> merged;
    std::array<std::size_t, most_buckets + 2> moved{};
    moved[slot_before] = slot_before;
    moved[slot_after] = slot_after;
    for (const column& c : columns_) {
      if (!inside(c)) {
        moved[c.slot] = c.index < first ? slot_before : slot_after;
        continue;
      }
      if (merged.empty() || merged.back().index != c.index >> wider)
        merged.push_back({c.index >> wider, merged.size()});
      moved[c.slot] = merged.back().slot;
    }
    for (row& r : rows_) {
      std::vector<counts> cells(r.cells.size());
      for (std::size_t slot = 0; slot != cells.size(); ++slot) add_to(cells[moved[slot]], r.cells[slot]);
      r.cells = std::move(cells);
    }
    std::array<std::uint64_t, most_buckets + 2> weights{};
    for (std::size_t slot = 0; slot != weights.size(); ++slot) weights[moved[slot]] += weights_[slot];
    weights_ = weights;
    columns_ = std::move(merged);
    shift_ += wider;
    last_column_ = 0;
  }

  int shift_ = 0;
  std::vector<column> columns_;                            // By index.
  std::array<std::uint64_t, most_buckets + 2> weights_{};  // Entries a slot.
  std::vector<row> rows_;                                  // most_streams of them, then the pooled one.
  std::unordered_map<std::string, std::size_t, hash, std::equal_to<>> row_by_stream_;
  std::size_t last_row_ = 0;
  std::size_t last_column_ = 0;
  std::int64_t earliest_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t latest_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace recover
