// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "recoup/core/dense.hpp"
#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/sequence/detail/stream_position.hpp"
#include "recoup/sequence/findings.hpp"

namespace recoup::detail {

// What a stream is called in tables and findings: text is owned, everything else is as the projection gives it.
template <class Projection, class Event>
using stream_of = std::conditional_t<text_key<projected<Projection, Event>>, std::string, projected<Projection, Event>>;

// The name of a stream from what the projection gives.
template <class Stream, class Projected>
Stream make_stream(const Projected& value) {
  return detail::owned_key<Stream>(value);
}

// The projection for events that are all of one stream.
struct one_stream {
  template <class Event>
  constexpr only_stream operator()(const Event&) const noexcept {
    return {};
  }
};

// The table of only_stream: a `keyed` with nothing to look up.
template <class Component>
class single {
 public:
  using position = std::uint32_t;
  static constexpr position none = ~position{0};
  static constexpr bool evicts = false;
  static constexpr bool admits_all = true;
  struct place {};

  single(const keyed_options&, Component component) : component_(std::move(component)) {}

  static std::uint32_t hash(only_stream) noexcept { return 0; }
  static void prefetch(std::uint32_t) noexcept {}
  static void prefetch_entry(std::uint32_t) noexcept {}
  static place locate(only_stream, std::uint32_t) noexcept { return {}; }
  static constexpr bool is_found(place) noexcept { return true; }
  const Component& at(place) const noexcept { return component_; }
  Component& use(place, only_stream, timestamp) noexcept { return component_; }
  Component& use_found(place, timestamp) noexcept { return component_; }
  Component* find(only_stream) noexcept { return &component_; }
  const Component* find(only_stream) const noexcept { return &component_; }

  static position position_of(only_stream) noexcept { return 0; }
  static constexpr only_stream key_at(position) noexcept { return {}; }
  Component& component_at(position) noexcept { return component_; }
  const Component& component_at(position) const noexcept { return component_; }

  template <class F>
  void tell_victim(place, F&&) const noexcept {}
  template <class... Callbacks>
  void advance(timestamp, Callbacks&&...) noexcept {}
  template <class F>
  void for_each(F&& f) {
    f(only_stream{}, component_);
  }
  template <class F>
  void for_each(F&& f) const {
    f(only_stream{}, component_);
  }
  static constexpr std::size_t size() noexcept { return 1; }
  static constexpr std::size_t capacity() noexcept { return 1; }
  static constexpr std::size_t bytes_for(std::size_t) noexcept { return 0; }  // it lies in its owner

  std::uint64_t configuration() const noexcept { return component_.configuration(); }
  single empty_copy() const { return {{}, component_.empty_copy()}; }
  void save(snapshot_writer& w) const { component_.save(w); }
  bool load(snapshot_reader& r) { return component_.load(r); }
  template <class Write>
  void save(snapshot_writer&, Write&& write) const {
    write(component_);
  }
  template <class Read>
  bool load(snapshot_reader&, Read&& read) {
    return read(component_);
  }

 private:
  Component component_;
};

// The table for streams with these options.
template <class Stream, class Component, class Options>
struct table_with {
  using type = keyed<Stream, Component>;
};
template <class Stream, class Component>
struct table_with<Stream, Component, dense_options> {
  static_assert(std::is_integral_v<Stream>,
                "recoup: dense_options are for streams that are integers; project the stream to one, or give "
                "keyed_options");
  using type = dense<Stream, Component>;
};
template <class Component, class Options>
struct table_with<only_stream, Component, Options> {
  using type = single<Component>;
};
template <class Stream, class Options>
using positions_of = typename table_with<Stream, stream_position, Options>::type;

template <class Stream, class Component>
using table_of = std::conditional_t<std::is_same_v<Stream, only_stream>, single<Component>, keyed<Stream, Component>>;

}  // namespace recoup::detail
