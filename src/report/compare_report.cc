// SPDX-License-Identifier: Apache-2.0
#include "report/compare_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/terminal.h"
#include "record/comparable.h"
#include "record/json.h"
#include "record/quality_text.h"
#include "report/columns.h"

namespace modicum {
namespace {

// Two chips' power models, or two counters, err apart even under one name.
template <class Q>
Estimate<Q> OnChip(const Estimate<Q>& estimate, const HostFacts& host) {
  Estimate<Q> own = estimate;
  own.shared.clear();
  for (const Share& share : estimate.shared)
    own.shared = internal::CombineShares(
        own.shared, 1,
        {{InternSource(SourceName(share.source) + " on " + host.cpu_model),
          share.delta}},
        1);
  return own;
}

// What one receipt shows beside the first.
struct Entry {
  const NamedReceipt* named;
  const CandidateRow* chosen;
  std::optional<Estimate<Scalar>> energy_ratio;  // to the first
  std::optional<Estimate<Scalar>> cpu_ratio;

  const FitResult& result() const { return named->receipt.result; }
};

std::vector<Entry> Entries(std::span<const NamedReceipt> receipts) {
  std::vector<Entry> entries;
  for (const NamedReceipt& named : receipts) {
    Entry entry{&named, ChosenRowOf(named.receipt.result), {}, {}};
    MODICUM_CHECK(entry.chosen != nullptr && entry.chosen->joules_per_1000);
    if (!entries.empty()) {
      const CandidateRow& first = *entries[0].chosen;
      const HostFacts& own = named.receipt.evidence.host;
      const HostFacts& other = receipts[0].receipt.evidence.host;
      entry.energy_ratio = Ratio(OnChip(*entry.chosen->joules_per_1000, own),
                                 OnChip(*first.joules_per_1000, other));
      if (entry.chosen->cpu_seconds_per_1000 && first.cpu_seconds_per_1000)
        entry.cpu_ratio =
            Ratio(OnChip(*entry.chosen->cpu_seconds_per_1000, own),
                  OnChip(*first.cpu_seconds_per_1000, other));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string RatioText(const std::optional<Estimate<Scalar>>& ratio) {
  return ratio ? FormatRatio(*ratio) : "1";
}

Table ForPeople(std::span<const NamedReceipt> receipts) {
  Table table({{"receipt", Align::kLeft},
               {"chosen", Align::kLeft},
               {receipts[0].receipt.result.metric + " [95 %]", Align::kLeft},
               {"J per 1,000 [90 %]", Align::kLeft},
               {"ratio", Align::kLeft},
               {"CPU s per 1,000", Align::kLeft},
               {"ratio", Align::kLeft},
               {"search", Align::kLeft},
               {"machine", Align::kLeft},
               {"place", Align::kLeft}});
  for (const Entry& entry : Entries(receipts)) {
    const CandidateRow& row = *entry.chosen;
    table.AddRow(
        {entry.named->name, row.name,
         row.quality ? FormatQualityFigure(*row.quality) : "-",
         FormatEstimate(*row.joules_per_1000), RatioText(entry.energy_ratio),
         row.cpu_seconds_per_1000 ? FormatEstimate(*row.cpu_seconds_per_1000)
                                  : "-",
         RatioText(entry.cpu_ratio),
         FormatEstimate(entry.result().search_joules), entry.result().machine,
         entry.result().place});
  }
  return table;
}

template <class Q>
void AddEstimate(std::vector<std::string>& cells,
                 const std::optional<Estimate<Q>>& estimate) {
  if (!estimate) return cells.insert(cells.end(), 3, ""), void();
  cells.push_back(ExactNumber(estimate->mid.value()));
  cells.push_back(ExactNumber(estimate->low().value()));
  cells.push_back(ExactNumber(estimate->high().value()));
}

template <class T>
nlohmann::json JsonOf(const std::optional<T>& estimate) {
  return estimate ? ToJson(*estimate, JsonStyle::kReadable)
                  : nlohmann::json(nullptr);
}

}  // namespace

std::string FormatComparison(std::span<const NamedReceipt> receipts) {
  return ForPeople(receipts).Text();
}

std::string FormatComparisonMarkdown(std::span<const NamedReceipt> receipts) {
  return ForPeople(receipts).Markdown();
}

std::string FormatComparisonCsv(std::span<const NamedReceipt> receipts) {
  std::vector<std::pair<std::string, Align>> columns;
  for (const char* name : {"receipt", "sha256", "task", "chosen", "metric",
                           "quality", "quality_low", "quality_high"})
    columns.emplace_back(name, Align::kLeft);
  for (const char* name :
       {"joules_per_1000", "joules_ratio", "cpu_seconds_per_1000", "cpu_ratio",
        "search_joules"})
    for (const char* end : {"", "_low", "_high"})
      columns.emplace_back(std::string(name) + end, Align::kLeft);
  for (const char* name : {"origin", "scope", "machine", "place"})
    columns.emplace_back(name, Align::kLeft);
  Table table(std::move(columns));
  for (const Entry& entry : Entries(receipts)) {
    const CandidateRow& row = *entry.chosen;
    const QualityFigure quality = row.quality.value_or(QualityFigure{});
    std::vector<std::string> cells{
        entry.named->name,        ToHex(entry.named->receipt.sha256),
        entry.result().task,      row.name,
        entry.result().metric,    ExactNumber(quality.mid),
        ExactNumber(quality.low), ExactNumber(quality.high)};
    AddEstimate(cells, row.joules_per_1000);
    AddEstimate(cells, entry.energy_ratio);
    AddEstimate(cells, row.cpu_seconds_per_1000);
    AddEstimate(cells, entry.cpu_ratio);
    AddEstimate(cells, std::optional(entry.result().search_joules));
    cells.emplace_back(OriginName(row.joules_per_1000->origin));
    cells.emplace_back(ScopeName(row.joules_per_1000->scope));
    cells.push_back(entry.result().machine);
    cells.push_back(entry.result().place);
    table.AddRow(std::move(cells));
  }
  return table.Csv();
}

std::string FormatComparisonJson(std::span<const NamedReceipt> receipts) {
  using nlohmann::json;
  json list = json::array();
  for (const Entry& entry : Entries(receipts)) {
    const CandidateRow& row = *entry.chosen;
    json one = {
        {"receipt", entry.named->name},
        {"sha256", ToHex(entry.named->receipt.sha256)},
        {"task", entry.result().task},
        {"chosen", row.name},
        {"joules_per_1000", JsonOf(row.joules_per_1000)},
        {"joules_ratio", JsonOf(entry.energy_ratio)},
        {"cpu_seconds_per_1000", JsonOf(row.cpu_seconds_per_1000)},
        {"cpu_ratio", JsonOf(entry.cpu_ratio)},
        {"search_joules", JsonOf(std::optional(entry.result().search_joules))},
        {"machine", entry.result().machine},
        {"place", entry.result().place}};
    if (row.quality)
      one["quality"] = {
          {"metric", row.quality->metric}, {"split", row.quality->split},
          {"mid", row.quality->mid},       {"low", row.quality->low},
          {"high", row.quality->high},     {"items", row.quality->items}};
    list.push_back(std::move(one));
  }
  return ReadableText(list);
}

}  // namespace modicum
