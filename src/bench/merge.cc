// SPDX-License-Identifier: Apache-2.0
#include "bench/merge.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/stars.h"
#include "record/json.h"

namespace modicum {
namespace {

tl::unexpected<Error> Differ(const std::string& a, const std::string& b,
                             std::string_view what, std::string_view hint) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("cannot merge {} and {}: {}", a, b, what),
              std::string(hint));
}

Status CheckSameProtocol(const NamedBench& a, const NamedBench& b) {
  const BenchProtocol& p = a.second.protocol;
  const BenchProtocol& q = b.second.protocol;
  if (p.inferences != q.inferences || p.runs != q.runs ||
      p.exact_runs != q.exact_runs || p.least_runs != q.least_runs ||
      p.width != q.width || p.longest != q.longest ||
      p.shortest != q.shortest || p.seed != q.seed)
    return Differ(a.first, b.first, "they were measured by another protocol",
                  "merge shards of one bench file");
  if (a.second.place != b.second.place)
    return Differ(a.first, b.first,
                  fmt::format("one is priced for {}, one for {}",
                              a.second.place, b.second.place),
                  "run them with the same place");
  return {};
}

bool SameRow(const BenchRow& a, const BenchRow& b) {
  return a.task == b.task && a.data == b.data && a.data_hash == b.data_hash &&
         a.batch == b.batch && a.length == b.length &&
         a.new_tokens == b.new_tokens && a.model == b.model &&
         a.model_hash == b.model_hash;
}

// All that was measured is the same to the last digit: one row in two files.
bool SameReadings(const BenchRow& a, const BenchRow& b) {
  const auto joules = [](const BenchRow& row) {
    std::vector<double> values;
    for (const BenchRun& run : row.runs) {
      values.push_back(run.repeat.energy.mid.value());
      values.push_back(run.repeat.wall.value());
    }
    return values;
  };
  return a.machine == b.machine && joules(a) == joules(b);
}

Status AddRow(std::vector<BenchRow>& rows, const BenchRow& row,
              const std::string& file) {
  const auto known =
      std::find_if(rows.begin(), rows.end(),
                   [&](const BenchRow& other) { return SameRow(other, row); });
  if (known == rows.end()) {
    rows.push_back(row);
    return {};
  }
  if (row.runs.empty()) return {};
  if (known->runs.empty()) {
    *known = row;
    return {};
  }
  if (SameReadings(*known, row)) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("cannot merge {}: {} on {} is in another file too, "
                          "with other readings",
                          file, RowName(row), row.data),
              "each row should be measured once: see --shard");
}

template <class T, class Key>
void AddNew(std::vector<T>& list, const std::vector<T>& more, Key key) {
  for (const T& one : more)
    if (std::none_of(list.begin(), list.end(),
                     [&](const T& other) { return key(other) == key(one); }))
      list.push_back(one);
}

}  // namespace

Result<BenchResult> MergeBenches(std::span<const NamedBench> results) {
  BenchResult merged = results[0].second;
  std::vector<BenchRow> rows;
  for (const NamedBench& each : results) {
    MODICUM_RETURN_IF_ERROR(CheckSameProtocol(results[0], each));
    for (const BenchRow& row : each.second.rows)
      MODICUM_RETURN_IF_ERROR(AddRow(rows, row, each.first));
    const auto same = [](const std::string& text) { return text; };
    AddNew(merged.notes, each.second.notes, same);
    AddNew(merged.missing, each.second.missing, same);
    AddNew(merged.factors, each.second.factors,
           [](const Factor& factor) { return factor.name; });
    AddNew(merged.published, each.second.published,
           [](const PublishedRow& p) { return p.task + '\n' + p.figure.name; });
    merged.interrupted = merged.interrupted || each.second.interrupted;
  }
  merged.rows = std::move(rows);
  merged.protocol.shard.clear();
  RateRows(merged, nullptr);
  return merged;
}

}  // namespace modicum
