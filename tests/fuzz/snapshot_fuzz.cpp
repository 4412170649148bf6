// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0

// Any bytes are given to restore: as they are, behind a repaired header and before a repaired checksum, and as the
// content of an intact snapshot. Whatever restore accepts must save to the same bytes again; whatever it refuses must
// leave the target as it was.
//
// The files in corpus/snapshot come from this program itself, which then writes them into a folder:
//   c++ -std=c++20 -DRECOUP_WRITE_CORPUS -Iinclude tests/fuzz/snapshot_fuzz.cpp -o write_corpus
//   ./write_corpus tests/fuzz/corpus/snapshot
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "recoup/core/snapshot.hpp"

namespace {

using bytes = std::vector<std::byte>;
using recoup::section_tag;
using recoup::snapshot_status;

enum class grade : std::uint8_t { low, high };

void save(recoup::snapshot_writer& w, grade g) { w.u8(static_cast<std::uint8_t>(g)); }
bool load(recoup::snapshot_reader& r, grade& g) {
  const auto number = r.u8();
  g = static_cast<grade>(number);
  return number <= 1;
}

// Every kind of value, in nested sections, one of them repeated.
class sample {
 public:
  using entry = std::tuple<std::string, std::optional<recoup::timestamp>, std::pair<grade, std::int16_t>>;

  void add(entry e) { entries_.push_back(std::move(e)); }
  void set(double level, std::vector<std::byte> note) { level_ = level, note_ = std::move(note); }

  std::uint64_t configuration() const { return 0x5A3B1E; }

  void save(recoup::snapshot_writer& w) const {
    w.begin_section(section_tag("SMPL"), 2);
    w.f64(level_);
    w.bytes(note_);
    w.u64(entries_.size());
    for (const auto& e : entries_) {
      w.begin_section(section_tag("ENTR"), 1);
      w.value(e);
      w.end_section();
    }
    w.end_section();
  }

  bool load(recoup::snapshot_reader& r) {
    if (r.begin_section(section_tag("SMPL"), 2) == 1) r.fail(snapshot_status::older_version);
    level_ = r.f64();
    const auto note = r.bytes();
    note_.assign(note.begin(), note.end());
    entries_.clear();
    for (auto left = r.count(1'000); left > 0; --left) {
      (void)r.begin_section(section_tag("ENTR"), 1);
      entry e;
      if (!r.value(e)) return false;
      r.end_section();
      entries_.push_back(std::move(e));
    }
    r.end_section();
    return r.ok();
  }

 private:
  double level_ = 0;
  std::vector<std::byte> note_;
  std::deque<entry> entries_;
};

sample full() {
  sample s;
  s.set(-2.5, bytes(5, std::byte{0xEE}));
  s.add({"alpha", std::nullopt, {grade::low, std::int16_t{-1}}});
  s.add({"", recoup::timestamp(recoup::duration(1'700'000'000'000'000'000)), {grade::high, std::int16_t{300}}});
  return s;
}

// Bytes as the content of a snapshot of a sample.
struct forged {
  std::span<const std::byte> content;
  std::uint64_t configuration() const { return sample().configuration(); }
  void save(recoup::snapshot_writer& w) const {
    for (const auto b : content) w.u8(std::to_integer<std::uint8_t>(b));
  }
  bool load(recoup::snapshot_reader&) { return false; }
};

// The header up to the configuration, and the checksum, as they must be; the rest stays.
bytes repaired(std::span<const std::byte> data) {
  const auto intact = recoup::snapshot(forged{});
  if (data.size() < intact.size()) return {data.begin(), data.end()};
  recoup::snapshot_writer w;
  for (std::size_t i = 0; i + 8 < data.size(); ++i) w.u8(std::to_integer<std::uint8_t>(i < 32 ? intact[i] : data[i]));
  recoup::detail::end_frame(w);
  return w.take();
}

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void try_to_restore(std::span<const std::byte> data) {
  const sample before = full();
  sample target = before;
  const auto result = recoup::restore(target, data);
  if (result) {
    const auto again = recoup::snapshot(target, result.position);
    expect(again == bytes(data.begin(), data.end()), "An accepted snapshot saves to other bytes.");
    expect(recoup::snapshot_position(data).has_value(), "An accepted snapshot has no position.");
  } else {
    expect(result.position.empty(), "A refused snapshot has a position.");
    expect(recoup::snapshot(target) == recoup::snapshot(before), "A refused snapshot changed its target.");
    expect(recoup::describe(result.status).size() > 30, "A refusal has no sentence.");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, size));
  try_to_restore(input);
  try_to_restore(repaired(input));
  try_to_restore(recoup::snapshot(forged{input}));
  return 0;
}

#ifdef RECOUP_WRITE_CORPUS
namespace {

void write(const std::string& folder, const char* name, std::span<const std::byte> data) {
  std::FILE* file = std::fopen((folder + "/" + name).c_str(), "wb");
  expect(file != nullptr, "The folder for the corpus cannot be written to.");
  if (!data.empty()) std::fwrite(data.data(), 1, data.size(), file);
  std::fclose(file);
}

bytes changed(bytes data, std::size_t at, unsigned value) {
  data.at(at) = static_cast<std::byte>(value);
  return data;
}

}  // namespace

int main(int argc, char** argv) {
  expect(argc == 2, "Usage: write_corpus FOLDER");
  const std::string folder = argv[1];
  const bytes position(3, std::byte{'@'});
  const auto valid = recoup::snapshot(full(), position);
  const std::span content = std::span(valid).subspan(40 + position.size(), valid.size() - 48 - position.size());
  write(folder, "valid", valid);
  write(folder, "valid_without_position", recoup::snapshot(full()));
  write(folder, "valid_empty", recoup::snapshot(sample()));
  write(folder, "empty", {});
  write(folder, "truncated_header", std::span(valid).first(20));
  write(folder, "truncated_content", std::span(valid).first(valid.size() / 2));
  write(folder, "trailing_bytes", [&] {
    auto d = valid;
    d.resize(d.size() + 9);
    return d;
  }());
  write(folder, "not_a_snapshot", std::as_bytes(std::span("offset,price\n1,2\n")));
  write(folder, "other_endian", [&] {
    auto d = valid;
    for (std::size_t i = 0; i < 4; ++i) d[8 + i] = static_cast<std::byte>(4 - i);
    return d;
  }());
  write(folder, "older_version", changed(valid, 12, 0));
  write(folder, "newer_version", changed(valid, 12, 2));
  write(folder, "other_configuration", changed(valid, 24, 0));
  write(folder, "flipped_bit", changed(valid, 80, std::to_integer<unsigned>(valid[80]) ^ 1));
  write(folder, "huge_position", changed(valid, 38, 0x10));
  write(folder, "content", content);
  write(folder, "content_truncated", content.first(content.size() - 3));
  write(folder, "content_newer_section", changed({content.begin(), content.end()}, 4, 3));
  write(folder, "content_huge_bytes", changed({content.begin(), content.end()}, 29, 0x10));
  write(folder, "content_huge_count", changed({content.begin(), content.end()}, 42, 0x10));
}
#endif
