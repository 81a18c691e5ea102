// SPDX-License-Identifier: Apache-2.0
// GroupNearDuplicates: MinHash signatures (Broder 1997) find candidates by
// banded locality-sensitive hashing (Leskovec, Rajaraman, Ullman, Mining of
// Massive Datasets, chapter 3); the exact Jaccard similarity of the shingle
// sets decides. Rows of numbers must be equal. Nothing depends on the order of
// the items.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/rng.h"
#include "dataset/dataset.h"
#include "dataset/payload_text.h"

namespace modicum {
namespace {

constexpr size_t kShingleWords = 5;
// A pair of similarity 0.8 is a candidate with probability
// 1 - (1 - 0.8^5)^25 = 0.99995; of 0.5, with 0.55.
constexpr size_t kBands = 25;
constexpr size_t kRows = 5;
constexpr size_t kHashes = kBands * kRows;
// Texts made from one template fill a bucket without being duplicates; each
// is compared with so many neighbours at most, so that time stays linear.
constexpr size_t kNeighbours = 512;

using Shingles = std::vector<uint64_t>;  // sorted, distinct
using Signature = std::array<uint32_t, kHashes>;

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

uint64_t Combine(uint64_t seed, uint64_t value) {
  return Mix(seed * 0x9E3779B97F4A7C15ULL + value + 1);
}

// FNV-1a of the word with ASCII letters in lower case.
uint64_t HashWord(std::string_view word) {
  uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : word) {
    const char lower =
        c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    hash = (hash ^ static_cast<unsigned char>(lower)) * 0x100000001B3ULL;
  }
  return hash;
}

// A text of fewer words is one shingle.
Shingles ShinglesOf(std::string_view text) {
  std::vector<uint64_t> words;
  for (const std::string_view word : SplitWords(text))
    words.push_back(HashWord(word));
  const size_t width = std::min(kShingleWords, words.size());
  Shingles shingles;
  for (size_t i = 0; i + width <= words.size(); ++i) {
    uint64_t hash = width;
    for (size_t j = 0; j < width; ++j) hash = Combine(hash, words[i + j]);
    shingles.push_back(hash);
    if (width == 0) break;
  }
  std::sort(shingles.begin(), shingles.end());
  shingles.erase(std::unique(shingles.begin(), shingles.end()), shingles.end());
  return shingles;
}

double Jaccard(const Shingles& a, const Shingles& b) {
  size_t common = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) ++common;
    const bool step_a = a[i] <= b[j];
    const bool step_b = b[j] <= a[i];
    i += step_a ? 1 : 0;
    j += step_b ? 1 : 0;
  }
  return static_cast<double>(common) /
         static_cast<double>(a.size() + b.size() - common);
}

// Multiply-add hashing modulo 2^32: the minimum compares whole values, whose
// high bits are the well mixed ones.
struct HashFamily {
  Signature factor, offset;
  HashFamily() {
    Rng rng(0x6D6F6469);
    for (size_t i = 0; i < kHashes; ++i) {
      factor[i] = rng.Next() | 1U;
      offset[i] = rng.Next();
    }
  }
  Signature Sign(const Shingles& shingles) const {
    Signature signature;
    signature.fill(std::numeric_limits<uint32_t>::max());
    for (const uint64_t shingle : shingles) {
      const auto x = static_cast<uint32_t>(shingle >> 32);
      for (size_t i = 0; i < kHashes; ++i)
        signature[i] = std::min(signature[i], x * factor[i] + offset[i]);
    }
    return signature;
  }
};

// Union-find; the root of a set is its smallest member.
class Sets {
 public:
  explicit Sets(size_t size) : parent_(size) {
    std::iota(parent_.begin(), parent_.end(), size_t{0});
  }
  size_t Root(size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void Join(size_t a, size_t b) {
    a = Root(a);
    b = Root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<size_t> parent_;
};

// One of the distinct contents.
struct Content {
  uint64_t hash;  // of the shingles
  size_t item;    // the first that has it
  Shingles shingles;
};

uint64_t HashOf(const Shingles& shingles) {
  uint64_t hash = shingles.size();
  for (const uint64_t shingle : shingles) hash = Combine(hash, shingle);
  return hash;
}

// Sorted by content, whatever the order of the items; equal contents are
// joined at once.
std::vector<Content> DistinctContents(const Dataset& data, Sets& sets) {
  std::vector<Content> contents;
  for (size_t i = 0; i < data.items.size(); ++i) {
    const Payload& payload = data.items[i].payload;
    if (!IsText(payload)) continue;
    const auto* text = std::get_if<Text>(&payload);
    Shingles shingles = text != nullptr ? ShinglesOf(text->text)
                                        : ShinglesOf(PayloadText(payload));
    const uint64_t hash = HashOf(shingles);
    contents.push_back({hash, i, std::move(shingles)});
  }
  std::sort(contents.begin(), contents.end(),
            [](const Content& a, const Content& b) {
              return std::pair(a.hash, a.item) < std::pair(b.hash, b.item);
            });
  const auto same = [&sets](const Content& a, const Content& b) {
    if (a.hash != b.hash || a.shingles != b.shingles) return false;
    sets.Join(a.item, b.item);
    return true;
  };
  contents.erase(std::unique(contents.begin(), contents.end(), same),
                 contents.end());
  return contents;
}

// Joins what one band puts into the same bucket and the sets confirm.
void JoinBand(const std::vector<Content>& contents,
              const std::vector<Signature>& signatures, size_t band,
              double similarity, Sets& sets) {
  std::vector<std::pair<uint64_t, size_t>> bucketed(contents.size());
  for (size_t i = 0; i < contents.size(); ++i) {
    uint64_t key = band;
    for (size_t row = 0; row < kRows; ++row)
      key = Combine(key, signatures[i][band * kRows + row]);
    bucketed[i] = {key, i};
  }
  std::sort(bucketed.begin(), bucketed.end());
  for (size_t i = 0; i < bucketed.size(); ++i) {
    const Content& a = contents[bucketed[i].second];
    const size_t end = std::min(bucketed.size(), i + 1 + kNeighbours);
    for (size_t j = i + 1; j < end; ++j) {
      if (bucketed[j].first != bucketed[i].first) break;
      const Content& b = contents[bucketed[j].second];
      if (sets.Root(a.item) != sets.Root(b.item) &&
          Jaccard(a.shingles, b.shingles) >= similarity)
        sets.Join(a.item, b.item);
    }
  }
}

// Equal numbers have equal bits: zeros are positive, missing is one NaN.
std::vector<uint32_t> BitsOf(const Numbers& row) {
  std::vector<uint32_t> bits;
  bits.reserve(row.values.size());
  for (const float value : row.values)
    bits.push_back(std::isnan(value) ? ~uint32_t{0}
                                     : std::bit_cast<uint32_t>(value + 0.0F));
  return bits;
}

void JoinEqualRows(const Dataset& data, Sets& sets) {
  std::vector<std::pair<std::vector<uint32_t>, size_t>> rows;
  for (size_t i = 0; i < data.items.size(); ++i)
    if (const auto* row = std::get_if<Numbers>(&data.items[i].payload))
      rows.emplace_back(BitsOf(*row), i);
  std::sort(rows.begin(), rows.end());
  for (size_t i = 1; i < rows.size(); ++i)
    if (rows[i].first == rows[i - 1].first)
      sets.Join(rows[i].second, rows[i - 1].second);
}

size_t WriteGroups(Dataset& data, Sets& sets) {
  std::vector<size_t> sizes(data.items.size());
  for (size_t i = 0; i < data.items.size(); ++i) {
    data.items[i].group = sets.Root(i);
    ++sizes[sets.Root(i)];
  }
  size_t grouped = 0;
  for (const size_t size : sizes) grouped += size >= 2 ? size : 0;
  return grouped;
}

}  // namespace

size_t GroupNearDuplicates(Dataset& data, double similarity) {
  Sets sets(data.items.size());
  const std::vector<Content> contents = DistinctContents(data, sets);
  const HashFamily family;
  std::vector<Signature> signatures;
  signatures.reserve(contents.size());
  for (const Content& content : contents)
    signatures.push_back(family.Sign(content.shingles));
  for (size_t band = 0; band < kBands; ++band)
    JoinBand(contents, signatures, band, similarity, sets);
  JoinEqualRows(data, sets);
  return WriteGroups(data, sets);
}

}  // namespace modicum
