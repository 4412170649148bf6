// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "halves.hpp"

#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "parallel.hpp"
#include "random.hpp"

namespace nab {

namespace {

using point = std::vector<double>;  // a factor a parameter

struct marks {
  double tuning, carried, own;
};

// One half to tune on, the other to score.
struct side {
  multiplicities tuning, scored;
  point at;
};

// Files of one folder go to the two halves in turn; so does the odd one out of each folder.
std::vector<side> split(const corpus& files, std::size_t splits, random_source& random) {
  std::map<std::string_view, std::vector<std::size_t>> folders;
  for (std::size_t f = 0; f != files.files.size(); ++f) folders[folder_of(files.files[f])].push_back(f);
  std::vector<side> sides;
  for (std::size_t s = 0; s != splits; ++s) {
    std::array<multiplicities, 2> halves{multiplicities(files.files.size()), multiplicities(files.files.size())};
    std::size_t turn = 0;
    for (const auto& [name, members] : folders) {
      auto shuffled = members;
      random.shuffle(shuffled);
      for (const std::size_t f : shuffled) halves[turn++ % 2][f] = 1;
    }
    sides.push_back({halves[0], halves[1], {}});
    sides.push_back({halves[1], halves[0], {}});
  }
  return sides;
}

// Every point is run over all files once, whatever number of sides asks for it.
class marked_points {
 public:
  marked_points(const contestant& c, const corpus& files, const std::vector<side>& sides)
      : contestant_(c), files_(files), sides_(sides) {}

  void run_all(const std::vector<point>& wanted) {
    std::vector<std::pair<const point, std::vector<marks>>*> missing;
    for (const point& p : wanted) {
      const auto [place, is_new] = marks_.try_emplace(p);
      if (is_new) missing.push_back(&*place);
    }
    for_each_index(missing.size(), [&](std::size_t i) { missing[i]->second = run_one(missing[i]->first); });
  }

  const marks& of(const point& p, std::size_t side) const { return marks_.at(p)[side]; }
  std::size_t size() const { return marks_.size(); }

 private:
  std::vector<marks> run_one(const point& p) const {
    const sweep s(files_.truth, run(contestant_, p, files_));
    const profile& standard = files_.profiles.front();
    std::vector<marks> found;
    for (const side& one : sides_) {
      const outcome tuned = s.best(standard, one.tuning);
      found.push_back({tuned.score, s.at(tuned.threshold, standard, one.scored), s.best(standard, one.scored).score});
    }
    return found;
  }

  const contestant& contestant_;
  const corpus& files_;
  const std::vector<side>& sides_;
  std::map<point, std::vector<marks>> marks_;
};

// Each side takes the better step of two along one parameter, if there is one that gains. True if any did.
bool step(std::vector<side>& sides, std::size_t parameter, marked_points& marked) {
  const auto neighbours = [parameter](const point& at) {
    std::array<point, 2> steps{at, at};
    steps[0][parameter] *= 0.8;
    steps[1][parameter] *= 1.25;
    return steps;
  };
  std::vector<point> wanted;
  for (const side& s : sides) {
    for (point& p : neighbours(s.at)) wanted.push_back(std::move(p));
  }
  marked.run_all(wanted);
  bool moved = false;
  for (std::size_t i = 0; i != sides.size(); ++i) {
    for (point& p : neighbours(sides[i].at)) {
      if (marked.of(p, i).tuning <= marked.of(sides[i].at, i).tuning) continue;
      sides[i].at = std::move(p);
      moved = true;
    }
  }
  return moved;
}

}  // namespace

split_half measure_halves(const contestant& c, const corpus& files, const halves_options& options) {
  random_source random(options.seed);
  std::vector<side> sides = split(files, options.splits, random);
  std::vector<point> wanted{as_shipped(c)};
  for (side& s : sides) {
    s.at = as_shipped(c);
    for (std::size_t p = 0; p != c.parameters.size(); ++p) s.at[p] = std::pow(options.astray, random.between(-1, 1));
    wanted.push_back(s.at);
  }
  marked_points marked(c, files, sides);
  marked.run_all(wanted);
  bool moved = true;
  for (std::size_t pass = 0; pass != options.passes && moved; ++pass) {
    moved = false;
    for (std::size_t p = 0; p != c.parameters.size(); ++p) moved |= step(sides, p, marked);
  }
  split_half h;
  h.points_tried = marked.size();
  for (std::size_t i = 0; i != sides.size(); ++i) {
    const marks& shipped = marked.of(as_shipped(c), i);
    const marks& tuned = marked.of(sides[i].at, i);
    h.shipped_own_threshold.add(shipped.own);
    h.shipped_carried_threshold.add(shipped.carried);
    h.tuned_own_threshold.add(tuned.own);
    h.tuned_carried_threshold.add(tuned.carried);
    h.tuning_half.add(tuned.tuning);
  }
  return h;
}

}  // namespace nab
