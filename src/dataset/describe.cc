// SPDX-License-Identifier: Apache-2.0
// What a dataset holds, and whether a classifier can be trained on it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "dataset/dataset.h"
#include "dataset/payload_text.h"

namespace modicum {
namespace {

std::vector<size_t> CountClasses(const Dataset& data) {
  std::vector<size_t> counts(data.labels.size());
  for (const Item& item : data.items)
    if (item.label != kUnlabelled) ++counts[static_cast<size_t>(item.label)];
  return counts;
}

std::string Rows(size_t count) {
  return fmt::format("{} {}", count, count == 1 ? "row" : "rows");
}

// Lower case, without white space: what a slip of the pen leaves equal.
std::string Folded(const std::string& label) {
  std::string folded;
  for (const std::string_view word : SplitWords(label)) folded += word;
  for (char& c : folded)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return folded;
}

Status CheckNames(const Dataset& data, const std::vector<size_t>& counts) {
  std::map<std::string, size_t> seen;
  for (size_t i = 0; i < data.labels.size(); ++i) {
    const auto [at, fresh] = seen.try_emplace(Folded(data.labels[i]), i);
    if (fresh) continue;
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("{}: classes '{}' ({}) and '{}' ({}) differ only "
                    "in case or space",
                    data.name, data.labels[at->second],
                    Rows(counts[at->second]), data.labels[i], Rows(counts[i])),
        "write the label one way in every row");
  }
  return {};
}

size_t Percentile(const std::vector<size_t>& sorted, size_t percent) {
  if (sorted.empty()) return 0;
  return sorted[(sorted.size() - 1) * percent / 100];
}

}  // namespace

Status CheckTrainable(const Dataset& data, size_t min_per_class) {
  const std::vector<size_t> counts = CountClasses(data);
  if (data.labels.empty())
    return Fail(ErrorCode::kInvalidInput, data.name + ": no labels",
                "name the column that holds them");
  if (data.labels.size() == 1)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: one class only, '{}' ({})", data.name,
                            data.labels[0], Rows(counts[0])),
                "add rows of at least one other class");
  MODICUM_RETURN_IF_ERROR(CheckNames(data, counts));
  for (size_t i = 0; i < counts.size(); ++i)
    if (counts[i] < min_per_class)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("{}: class '{}' has {}, at least {} are needed",
                              data.name, data.labels[i], Rows(counts[i]),
                              min_per_class),
                  "add rows of that class, or remove or merge the class");
  return {};
}

DatasetSummary Summarize(const Dataset& data) {
  DatasetSummary summary;
  summary.items = data.items.size();
  const std::vector<size_t> counts = CountClasses(data);
  for (size_t i = 0; i < counts.size(); ++i)
    summary.classes.push_back({data.labels[i], counts[i]});
  std::unordered_map<uint64_t, size_t> groups;
  std::vector<size_t> words;
  for (const Item& item : data.items) {
    ++groups[item.group];
    if (const auto* row = std::get_if<Numbers>(&item.payload))
      summary.bytes += row->values.size() * sizeof(float);
    if (!IsText(item.payload)) continue;
    const std::string text = PayloadText(item.payload);
    summary.bytes += text.size();
    words.push_back(SplitWords(text).size());
  }
  for (const auto& group : groups)
    summary.near_duplicates += group.second >= 2 ? group.second : 0;
  std::sort(words.begin(), words.end());
  summary.words_p50 = Percentile(words, 50);
  summary.words_p95 = Percentile(words, 95);
  summary.words_max = Percentile(words, 100);
  return summary;
}

}  // namespace modicum
