// SPDX-License-Identifier: Apache-2.0
#include "model/documents.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/training_stop.h"

namespace modicum {

namespace {

// Counts documents per hash: open addressing, grown by doubling.
class DocumentFrequency {
 public:
  void Add(uint32_t hash) {
    if (2 * (used_ + 1) > slots_.size()) Grow();
    HashCount& slot = Find(hash);
    if (slot.count++ == 0) {
      slot.hash = hash;
      ++used_;
    }
  }
  // Most frequent first; equal ones by hash, so that the order is unique.
  std::vector<HashCount> Sorted(uint32_t min_documents) const {
    std::vector<HashCount> kept;
    for (const HashCount& slot : slots_)
      if (slot.count >= min_documents) kept.push_back(slot);
    std::sort(kept.begin(), kept.end(),
              [](const HashCount& a, const HashCount& b) {
                if (a.count != b.count) return a.count > b.count;
                return a.hash < b.hash;
              });
    return kept;
  }

 private:
  HashCount& Find(uint32_t hash) {
    size_t at = hash & (slots_.size() - 1);
    while (slots_[at].count != 0 && slots_[at].hash != hash)
      at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }
  void Grow() {
    std::vector<HashCount> old(slots_.size() * 2);
    old.swap(slots_);
    for (const HashCount& slot : old)
      if (slot.count != 0) Find(slot.hash) = slot;
  }
  std::vector<HashCount> slots_ = std::vector<HashCount>(1U << 16);
  size_t used_ = 0;
};

Document CountFeatures(std::vector<uint32_t>& hashes) {
  std::sort(hashes.begin(), hashes.end());
  Document document;
  for (const uint32_t hash : hashes) {
    if (document.empty() || document.back().hash != hash)
      document.push_back({hash, 0});
    ++document.back().count;
  }
  return document;
}

Status CheckMemory(size_t entries, const Budget& budget) {
  // A document entry, a matrix entry and the solver's own node.
  const double bytes = 32.0 * static_cast<double>(entries);
  if (bytes <= budget.memory.value()) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("training needs some {:.1f} GB, the budget is {:.1f}",
                          bytes / 1e9, budget.memory.value() / 1e9),
              "use fewer rows, or char_ngrams = \"none\"");
}

}  // namespace

Result<std::vector<Document>> ReadDocuments(const Dataset& data,
                                            std::span<const uint32_t> rows,
                                            const FeatureConfig& config,
                                            const Budget& budget) {
  std::vector<Document> documents;
  documents.reserve(rows.size());
  std::vector<uint32_t> hashes;
  size_t entries = 0;
  for (const uint32_t row : rows) {
    MODICUM_RETURN_IF_ERROR(CheckNotStopped(budget.stop));
    MODICUM_TRY(const std::string_view text, TextOf(data.items[row]));
    hashes.clear();
    HashFeatures(text, config, hashes);
    documents.push_back(CountFeatures(hashes));
    entries += documents.back().size();
    MODICUM_RETURN_IF_ERROR(CheckMemory(entries, budget));
  }
  return documents;
}

std::vector<HashCount> CountDocuments(const std::vector<Document>& documents,
                                      uint32_t min_documents) {
  DocumentFrequency frequency;
  for (const Document& document : documents)
    for (const HashCount& feature : document) frequency.Add(feature.hash);
  return frequency.Sorted(min_documents);
}

}  // namespace modicum
