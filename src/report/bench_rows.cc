// SPDX-License-Identifier: Apache-2.0
#include "report/bench_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/format.h"
#include "record/quality_text.h"
#include "report/fit_rows.h"

namespace modicum {
namespace {

const BenchRow* Best(const BenchGroup& group, auto better) {
  const BenchRow* best = nullptr;
  for (const BenchRow* row : group.rows)
    if (row->joules_per_1000 && (best == nullptr || better(*row, *best)))
      best = row;
  return best;
}

bool Cheaper(const BenchRow& a, const BenchRow& b) {
  return a.joules_per_1000->mid < b.joules_per_1000->mid;
}

bool MoreAccurate(const BenchRow& a, const BenchRow& b) {
  if (!a.quality || !b.quality) return a.quality.has_value();
  return LowerIsBetter(a.quality->metric) ? a.quality->mid < b.quality->mid
                                          : a.quality->mid > b.quality->mid;
}

std::string QualityPhrase(const BenchRow& row) {
  return row.quality ? fmt::format(" at {} {}", row.quality->metric,
                                   FormatQualityFigure(*row.quality))
                     : "";
}

// "a, b: reason" for rows that share one.
std::vector<std::string> Joined(
    const std::vector<std::pair<std::string, std::string>>& reasons) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::string>> names;
  for (const auto& [name, reason] : reasons) {
    if (names[reason].empty()) order.push_back(reason);
    names[reason].push_back(name);
  }
  std::vector<std::string> lines;
  for (const std::string& reason : order)
    lines.push_back(
        fmt::format("{}: {}", fmt::join(names[reason], "; "), reason));
  return lines;
}

}  // namespace

bool BenchGroup::ok() const {
  return std::any_of(rows.begin(), rows.end(), [](const BenchRow* row) {
    return row->joules_per_1000.has_value();
  });
}

std::vector<BenchGroup> GroupRows(const BenchResult& result) {
  std::vector<BenchGroup> groups;
  for (const BenchRow& row : result.rows) {
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const BenchGroup& g) {
          return g.task == row.task && g.data == row.data;
        });
    if (group == groups.end()) {
      groups.push_back({row.task, row.data, {}, {}});
      group = groups.end() - 1;
    }
    group->rows.push_back(&row);
  }
  for (BenchGroup& group : groups)
    for (const PublishedRow& published : result.published)
      if (published.task == group.task) group.published.push_back(&published);
  return groups;
}

std::string KilowattHoursText(const BenchRow& row) {
  if (!row.joules_per_1000) return "-";
  return fmt::format("{} ({})",
                     FormatNumber(InKilowattHours(row.joules_per_1000->mid)),
                     FormatNumber(InKilowattHours(row.joules_sd)));
}

std::string BenchEnergyText(const BenchRow& row) {
  if (!row.joules_per_1000) return "-";
  return fmt::format("{}, {}", EstimateText(*row.joules_per_1000),
                     ScopeName(row.joules_per_1000->scope));
}

std::string PublishedText(const Reference& figure) {
  std::string text = FormatWithUnit(figure.joules_per_1000, "J");
  if (figure.high > figure.low)
    text += fmt::format(" [{}, {}]", FormatWithUnit(figure.low, "J"),
                        FormatWithUnit(figure.high, "J"));
  return text + (figure.planned ? " COMPUTED" : " PUBLISHED");
}

std::string StarsText(const BenchRow& row) {
  if (!row.stars_equal_width || !row.stars_quintile) return "-";
  return fmt::format("{} / {}", *row.stars_equal_width, *row.stars_quintile);
}

std::string OnceText(const std::optional<BenchOnce>& once) {
  if (!once) return "-";
  return fmt::format("{}, {}", EstimateText(once->energy),
                     FormatWithUnit(once->wall.value(), "s"));
}

std::string InferencesText(const BenchRow& row) {
  if (row.runs.empty()) return "-";
  const uint64_t count = row.runs[0].repeat.predictions;
  if (row.asked == 0 || count <= row.asked || count % row.asked != 0)
    return FormatCount(count);
  return fmt::format("{} x {}", FormatCount(count / row.asked),
                     FormatCount(row.asked));
}

std::string GroupVerdict(const BenchGroup& group) {
  const BenchRow* const cheapest = Best(group, Cheaper);
  if (cheapest == nullptr)
    return fmt::format("{}, {}: nothing could be measured.", group.task,
                       group.data);
  std::string text = fmt::format(
      "{}, {}: {} needs the least energy, {} per 1,000 inferences{}.",
      group.task, group.data, RowName(*cheapest),
      EstimateText(*cheapest->joules_per_1000), QualityPhrase(*cheapest));
  const BenchRow* const best = Best(group, MoreAccurate);
  if (best == cheapest || !best->quality ||
      !(cheapest->joules_per_1000->mid > Joules(0)))
    return text;
  return text + fmt::format(" The best is {}{}, for {} as much.",
                            RowName(*best), QualityPhrase(*best),
                            FormatRatio(Ratio(*best->joules_per_1000,
                                              *cheapest->joules_per_1000)));
}

std::string ProtocolText(const BenchProtocol& protocol) {
  std::string text = fmt::format(
      "{} inferences a run or passes over them for {} at least, after the "
      "first inference and a warm-up; models in turn; ",
      FormatCount(protocol.inferences), FormatDuration(protocol.shortest));
  text += protocol.exact_runs
              ? fmt::format("{} runs", protocol.runs)
              : fmt::format(
                    "{} to {} runs, until the energy is within {} % "
                    "(90 % confidence sequence)",
                    std::min(protocol.least_runs, protocol.runs), protocol.runs,
                    FormatNumber(100 * protocol.width));
  if (!protocol.shard.empty()) text += "; shard " + protocol.shard;
  return text;
}

RowRemarks RemarksOf(const BenchResult& result) {
  RowRemarks remarks;
  std::vector<std::pair<std::string, std::string>> notes;
  std::vector<std::pair<std::string, std::string>> unrated;
  for (const BenchRow& row : result.rows) {
    const std::string name = fmt::format("{} ({})", RowName(row), row.data);
    if (!row.failure.empty())
      remarks.failed.push_back(name + ": " + row.failure);
    for (const std::string& note : row.notes) notes.emplace_back(name, note);
    if (!row.unrated.empty()) unrated.emplace_back(name, row.unrated);
    if (row.contended > 0 && row.contended < row.runs.size())
      remarks.contended.push_back(fmt::format(
          "{} {} of {} runs set aside (with them {})", name, row.contended,
          row.runs.size(), EstimateText(*row.joules_per_1000_all)));
    if (row.short_windows > 0)
      remarks.short_windows.push_back(fmt::format(
          "{} {} of {} runs", name, row.short_windows, row.runs.size()));
  }
  remarks.notes = Joined(notes);
  remarks.unrated = Joined(unrated);
  return remarks;
}

std::string StarRulesText(const BenchResult& result) {
  if (result.star_sets.empty()) return {};
  std::string text =
      "5 is the least energy; equal-width: the range of the set's energies in "
      "five equal bands; quintile: a fifth of the set's rows each";
  for (const StarSet& set : result.star_sets) {
    text += fmt::format("; set {} of {} rows, {}, {}", set.sha256.substr(0, 12),
                        set.rows, set.source, set.about);
    if (set.machines > 1) text += fmt::format(", {} machines", set.machines);
  }
  return text;
}

}  // namespace modicum
