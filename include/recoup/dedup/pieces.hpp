// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/xxhash.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/snapshot_status.hpp"

namespace recoup {

/// A window whose snapshot can be taken in pieces: integer_window, fingerprint_window, compact_window, bloom_window.
template <class W>
concept saves_in_pieces = std::copyable<W> &&
    requires(W& w, const W& c, snapshot_writer& out, snapshot_reader& in, std::vector<std::uint32_t>& loaded) {
  w.watch_changes();
  w.stop_watching();
  { c.changes() } -> std::same_as<std::size_t>;
  w.save_changes(out, std::size_t{});
  c.save_rest(out);
  { w.load_changes(in, loaded) } -> std::same_as<bool>;
  { w.load_rest(in, loaded) } -> std::same_as<bool>;
  { c.configuration() } -> std::same_as<std::uint64_t>;
  { c.empty_copy() } -> std::same_as<W>;
};

namespace detail {

// Each piece names the one before it by its checksum, so that none can be missing, foreign or out of turn.
inline std::uint64_t piece_checksum(std::span<const std::byte> piece) noexcept {
  return XXH3_64bits(piece.data(), piece.size());
}

template <class Window>
struct piece_to_save {
  Window& window;
  std::size_t most;
  std::uint64_t before;
  bool is_last;

  [[nodiscard]] std::uint64_t configuration() const noexcept { return combine({window.configuration(), before}); }
  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("PIEC"), 1);
    w.boolean(is_last);
    window.save_changes(w, most);
    if (is_last) window.save_rest(w);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader&) { return false; }
};

}  // namespace detail

/// Takes the snapshot of a large window in pieces, with events in between, so that none of them has to wait for all of
/// it: the lines of the window that have changed since they were last written are written, until few are left.
///
///     snapshot_in_pieces snapshot(window);
///     // every so often:
///     auto piece = snapshot.next(4'096, position_in_the_source);
///     file.write(piece.bytes);
///     if (piece.is_last) ...  // the pieces together are the window as it is now, and the position that of now
///
/// An event changes one or two lines (up to 64 more where an epoch ends by time, 64 times an `age`), so a piece must
/// have more lines than change between two pieces, or there is no end: `window.changes()` tells how many are left. The
/// window must neither move nor go away in the meantime. Bytes: a bit a line (64 bytes; of bloom_window 128) of the
/// window, besides a piece. Time of a piece: O(lines), besides looking for the changed ones.
template <saves_in_pieces Window>
class snapshot_in_pieces {
 public:
  struct piece {
    std::vector<std::byte> bytes;
    bool is_last = false;
  };

  explicit snapshot_in_pieces(Window& window) : window_(&window) { window.watch_changes(); }
  snapshot_in_pieces(const snapshot_in_pieces&) = delete;
  snapshot_in_pieces& operator=(const snapshot_in_pieces&) = delete;
  ~snapshot_in_pieces() { window_->stop_watching(); }

  /// The next piece, of at most so many lines (and at least one). After the last one, a new snapshot begins. `position`
  /// is the caller's own note of how far into the source the window is now; that of the last piece counts.
  [[nodiscard]] piece next(std::size_t lines, std::span<const std::byte> position = {}) {
    if (begins_anew_) window_->watch_changes();
    lines = std::max<std::size_t>(lines, 1);
    piece p;
    p.is_last = window_->changes() <= lines;
    p.bytes = snapshot(detail::piece_to_save<Window>{*window_, lines, before_, p.is_last}, position);
    before_ = p.is_last ? 0 : detail::piece_checksum(p.bytes);
    begins_anew_ = p.is_last;
    if (p.is_last) window_->stop_watching();
    return p;
  }

 private:
  Window* window_;
  std::uint64_t before_ = 0;
  bool begins_anew_ = false;
};

/// Puts a window together again from the pieces of its snapshot, given in their order.
///
///     restore_from_pieces<fingerprint_window<>> restoring(window);   // of the same options
///     for (bytes of each piece) if (!restoring.add(bytes)) ...       // refused: restoring is as it was
///     if (restoring.is_complete()) window = restoring.take();
///
/// Bytes: those of a window, and 4 a line.
template <saves_in_pieces Window>
class restore_from_pieces {
 public:
  /// For a window with the options of this one.
  explicit restore_from_pieces(const Window& like) : loading_{like.empty_copy(), {}, 0, false} {}

  /// Takes the next piece. Where it is damaged, of another snapshot or window, or not the next one, the status says so,
  /// and it counts as not given; but a piece made to deceive, with a right checksum, may have spoilt the rest: then all
  /// further ones are refused.
  [[nodiscard]] restored add(std::span<const std::byte> piece) {
    if (loading_.is_complete || is_spoilt_) return {.status = snapshot_status::malformed};
    const auto frame = detail::parse_frame(piece);
    if (frame.status != snapshot_status::ok) return {.status = frame.status};
    if (frame.configuration != loading_.configuration()) return {.status = snapshot_status::other_configuration};
    snapshot_reader reader(frame.content);
    if (!loading_.load(reader) || !reader.at_end()) {
      is_spoilt_ = true;
      loading_.is_complete = false;
      reader.fail();
      return {.status = reader.status()};
    }
    loading_.before = detail::piece_checksum(piece);
    return {.status = snapshot_status::ok, .position = {frame.position.begin(), frame.position.end()}};
  }

  [[nodiscard]] bool is_complete() const noexcept { return loading_.is_complete; }
  /// The window; nothing before it is complete, or a second time.
  [[nodiscard]] std::optional<Window> take() {
    if (!loading_.is_complete || is_taken_) return std::nullopt;
    is_taken_ = true;
    return std::move(loading_.window);
  }

 private:
  struct loading {
    Window window;
    std::vector<std::uint32_t> loaded;  // of each line
    std::uint64_t before = 0;
    bool is_complete = false;

    [[nodiscard]] std::uint64_t configuration() const noexcept {
      return detail::combine({window.configuration(), before});
    }
    [[nodiscard]] bool load(snapshot_reader& r) {
      (void)r.begin_section(section_tag("PIEC"), 1);
      is_complete = r.boolean();
      if (!window.load_changes(r, loaded)) return false;
      if (is_complete && !window.load_rest(r, loaded)) return false;
      r.end_section();
      return r.ok();
    }
  };

  loading loading_;
  bool is_spoilt_ = false;
  bool is_taken_ = false;
};

}  // namespace recoup
