// SPDX-License-Identifier: Apache-2.0
// SplitDataset: each class is dealt out on its own, group by group, in an
// order that depends on the seed and the texts but not on their order.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "dataset/dataset.h"
#include "dataset/payload_text.h"

namespace modicum {
namespace {

constexpr size_t kSides = 3;
constexpr std::array<std::string_view, kSides> kSideNames = {
    "test", "validation", "train"};

struct Group {
  uint64_t order = 0;   // pseudo-random in seed and content
  uint64_t number = 0;  // Item::group: decides between equal texts
  std::vector<uint32_t> items;
};

using Fractions = std::array<double, kSides>;  // as kSideNames
using Sides = std::array<std::vector<uint32_t>, kSides>;

uint64_t OrderOf(const Item& item, uint64_t seed) {
  Sha256 hash;
  hash.AddField(std::to_string(seed));
  hash.AddField(PayloadText(item.payload));
  if (!IsText(item.payload)) hash.AddField(std::to_string(item.id));
  const Hash digest = hash.Finish();
  uint64_t order = 0;
  for (size_t i = 0; i < sizeof(order); ++i) order = order << 8 | digest[i];
  return order;
}

std::vector<Group> GroupsOf(const Dataset& data, uint64_t seed) {
  std::map<uint64_t, Group> groups;
  for (size_t i = 0; i < data.items.size(); ++i) {
    const Item& item = data.items[i];
    Group& group = groups[item.group];
    const uint64_t order = OrderOf(item, seed);
    group.order = group.items.empty() ? order : std::min(group.order, order);
    group.number = item.group;
    group.items.push_back(static_cast<uint32_t>(i));
  }
  std::vector<Group> sorted;
  sorted.reserve(groups.size());
  for (auto& entry : groups) sorted.push_back(std::move(entry.second));
  std::sort(sorted.begin(), sorted.end(), [](const Group& a, const Group& b) {
    return std::tie(a.order, a.number) < std::tie(b.order, b.number);
  });
  return sorted;
}

std::map<LabelIndex, size_t> CountLabels(const Dataset& data) {
  std::map<LabelIndex, size_t> counts;
  for (const Item& item : data.items) ++counts[item.label];
  return counts;
}

// A group of mixed labels counts as its rarest: that class needs it most.
std::map<LabelIndex, std::vector<Group>> Strata(const Dataset& data,
                                                uint64_t seed) {
  const auto counts = CountLabels(data);
  std::map<LabelIndex, std::vector<Group>> strata;
  for (Group& group : GroupsOf(data, seed)) {
    const auto rarer = [&](uint32_t a, uint32_t b) {
      const LabelIndex x = data.items[a].label;
      const LabelIndex y = data.items[b].label;
      return std::pair(counts.at(x), x) < std::pair(counts.at(y), y);
    };
    const uint32_t rarest =
        *std::min_element(group.items.begin(), group.items.end(), rarer);
    strata[data.items[rarest].label].push_back(std::move(group));
  }
  return strata;
}

void Put(const Group& group, std::vector<uint32_t>& side) {
  side.insert(side.end(), group.items.begin(), group.items.end());
}

// One group to every side first, then each side up to its share: a group
// goes where at least half of it still fits, what is left to train.
void Deal(const std::vector<Group>& groups, const Fractions& fractions,
          Sides& sides) {
  size_t total = 0;
  for (const Group& group : groups) total += group.items.size();
  std::array<double, kSides> room{};
  for (size_t side = 0; side < kSides; ++side)
    room[side] = std::round(fractions[side] * static_cast<double>(total));
  std::vector<size_t> owed;
  for (size_t side = kSides; side-- > 0;)
    if (fractions[side] > 0) owed.push_back(side);
  for (const Group& group : groups) {
    const auto size = static_cast<double>(group.items.size());
    size_t side = 0;
    if (!owed.empty()) {
      side = owed.back();
      owed.pop_back();
    } else {
      while (side + 1 < kSides && room[side] < size / 2) ++side;
    }
    room[side] -= size;
    Put(group, sides[side]);
  }
}

Status CheckFractions(const SplitOptions& options) {
  if (options.validation >= 0 && options.test >= 0 &&
      options.validation + options.test < 1)
    return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("cannot split: validation {} and test {} leave "
                          "nothing to train on",
                          options.validation, options.test),
              "use fractions of at least 0 that add up to less than 1");
}

// Every class on every side that is to have rows.
Status CheckSides(const Dataset& data, const Fractions& fractions,
                  const Sides& sides) {
  const auto counts = CountLabels(data);
  for (size_t side = 0; side < kSides; ++side) {
    if (fractions[side] <= 0) continue;
    std::set<LabelIndex> there;
    for (const uint32_t item : sides[side])
      there.insert(data.items[item].label);
    for (const auto& [label, count] : counts) {
      if (there.contains(label)) continue;
      const std::string name =
          label == kUnlabelled
              ? "the data"
              : "class '" + data.labels[static_cast<size_t>(label)] + "'";
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("cannot split: {} has {} {}, near-duplicates "
                              "kept together, and none is left for {}",
                              name, count, count == 1 ? "row" : "rows",
                              kSideNames[side]),
                  "add rows of that class, or remove or merge the class");
    }
  }
  return {};
}

}  // namespace

Result<Split> SplitDataset(const Dataset& data, const SplitOptions& options) {
  MODICUM_RETURN_IF_ERROR(CheckFractions(options));
  const Fractions fractions = {options.test, options.validation,
                               1 - options.test - options.validation};
  Sides sides;
  for (const auto& [label, groups] : Strata(data, options.seed))
    Deal(groups, fractions, sides);
  MODICUM_RETURN_IF_ERROR(CheckSides(data, fractions, sides));
  for (auto& side : sides) std::sort(side.begin(), side.end());
  return Split{std::move(sides[2]), std::move(sides[1]), std::move(sides[0])};
}

}  // namespace modicum
