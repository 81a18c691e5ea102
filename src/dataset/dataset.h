// SPDX-License-Identifier: Apache-2.0
// Loading labelled data, splitting it, describing it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "dataset/item.h"

namespace modicum {

struct Dataset {
  std::string name;
  std::vector<std::string> labels;   // sorted by name; empty: no classes
  std::vector<std::string> columns;  // of Numbers payloads; empty: text
  std::vector<Item> items;
  Hash hash{};  // of the file's bytes
};

enum class BadBytes { kRefuse, kReplace };  // invalid UTF-8

struct LoadOptions {
  std::string format;           // "jsonl", "csv", "tsv", "fasttext", "labelled"
                                // ("label<space>text"); "" = by file and look
  std::string text = "text";    // column or key
  std::string label = "label";  // "" = unlabelled data
  bool table = false;           // payloads are Numbers, not Text
  // Of a table: the columns to read, in order; empty: all but the label.
  std::vector<std::string> columns;
  BadBytes bad_bytes = BadBytes::kRefuse;
  size_t max_line_bytes = size_t{64} << 20;
};

// Errors name file, line and cure: missing column (with the columns there
// are), a line over the limit, NUL or invalid UTF-8, empty file.
// Of a table an empty cell, "?", "NA" and "nan" are missing values, and so is
// a key that a JSON line lacks or has as null; other text, infinities and
// numbers beyond single precision are errors that name line, column and value.
Result<Dataset> LoadDataset(const std::string& path,
                            const LoadOptions& options);

// What training needs: at least two classes, no class that only differs from
// another in case or space, at least `min_per_class` rows of each. The error
// names the class.
Status CheckTrainable(const Dataset& data, size_t min_per_class);

// Sets Item::group: items whose word 5-shingles have an estimated Jaccard
// similarity of at least `similarity` (MinHash, banded LSH) share a group; of
// a table, equal rows, whatever their labels.
// Returns how many items are in groups of two or more.
size_t GroupNearDuplicates(Dataset& data, double similarity = 0.8);

struct Split {
  std::vector<uint32_t> train, validation, test;  // indices into items
};
struct SplitOptions {
  double validation = 0.15;  // fractions of all items
  double test = 0.3;
  uint64_t seed = 1;
};
// Stratified by label, whole groups on one side, deterministic in the seed.
// Every class with 3 groups or more appears on all sides; else an error.
Result<Split> SplitDataset(const Dataset& data, const SplitOptions& options);

struct ClassSummary {
  std::string label;
  size_t items = 0;
};
struct DatasetSummary {
  size_t items = 0;
  size_t near_duplicates = 0;  // items in groups of two or more
  std::vector<ClassSummary> classes;
  size_t words_p50 = 0, words_p95 = 0, words_max = 0;
  uint64_t bytes = 0;  // of text, or of a table's numbers in memory
};
DatasetSummary Summarize(const Dataset& data);

}  // namespace modicum
