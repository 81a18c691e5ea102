// SPDX-License-Identifier: Apache-2.0
#include "model/fasttext/fasttext_file.h"

#include <charconv>
#include <vector>

#include "model/bytes.h"
#include "model/text_features.h"

namespace modicum {

namespace {

constexpr int32_t kFastTextMagic = 793712314;
constexpr int32_t kFastTextVersion = 12;
constexpr int32_t kSoftmax = 3;
constexpr int32_t kSupervised = 3;
constexpr int8_t kWord = 0;
constexpr int8_t kLabel = 1;
// A code is one byte.
constexpr uint64_t kCentroids = 256;

auto Refuse(const std::string& what) {
  return Fail(ErrorCode::kInvalidInput,
              "not a fastText model this program wrote: " + what,
              "train it again with 'modicum fit'");
}

struct Header {
  int32_t dim = 0, word_ngrams = 0, loss = 0, model = 0;
  int32_t bucket = 0, minn = 0, maxn = 0;
};

// Args::save of fastText 0.9.2: twelve int32 and a double.
Header ReadArgs(ByteReader& in) {
  Header h;
  h.dim = in.Get<int32_t>();
  in.Skip(4 * sizeof(int32_t));  // ws, epoch, minCount, neg
  h.word_ngrams = in.Get<int32_t>();
  h.loss = in.Get<int32_t>();
  h.model = in.Get<int32_t>();
  h.bucket = in.Get<int32_t>();
  h.minn = in.Get<int32_t>();
  h.maxn = in.Get<int32_t>();
  in.Skip(sizeof(int32_t) + sizeof(double));  // lrUpdateRate, t
  return h;
}

bool Plausible(const Header& h) {
  if (h.model != kSupervised || h.loss != kSoftmax) return false;
  if (h.dim < 1 || h.dim > 10000) return false;
  if (h.word_ngrams < 1 || h.word_ngrams > 10) return false;
  if (h.minn < 0 || h.maxn < h.minn || h.maxn > 20) return false;
  // The library takes hashes modulo the buckets.
  const bool hashed = h.word_ngrams > 1 || h.maxn > 0;
  return h.bucket >= (hashed ? 1 : 0);
}

// The number in "__LABEL__<number>"; `count` when it is none below `count`.
size_t LabelNumber(std::string_view word, size_t count) {
  constexpr std::string_view kPrefix = kFastTextLabel;
  if (!word.starts_with(kPrefix)) return count;
  word.remove_prefix(kPrefix.size());
  size_t number = count;
  const auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), number);
  const bool whole = error == std::errc() && end == word.data() + word.size();
  return whole && number < count ? number : count;
}

// Words first, then each label at most once.
Status CheckEntries(ByteReader& in, int32_t words, int32_t entries,
                    size_t labels) {
  std::vector<bool> seen(labels);
  for (int32_t i = 0; i < entries; ++i) {
    const std::string_view word = in.GetCString();
    in.Skip(sizeof(int64_t));  // count
    const auto type = in.Get<int8_t>();
    if (!in.ok()) return Refuse("it ends in its dictionary");
    if (type != (i < words ? kWord : kLabel))
      return Refuse("its dictionary is out of order");
    if (i < words) continue;
    const size_t number = LabelNumber(word, labels);
    if (number == labels || seen[number])
      return Refuse("its labels are not those of its card");
    seen[number] = true;
  }
  return {};
}

// The n-grams that pruning kept: pairs of a bucket and a row after the words.
Status CheckPruned(ByteReader& in, int64_t pruned) {
  for (int64_t i = 0; i < pruned; ++i) {
    in.Skip(sizeof(int32_t));  // the bucket
    const auto row = in.Get<int32_t>();
    if (!in.ok()) return Refuse("it ends in its pruned n-grams");
    if (row < 0 || row >= pruned) return Refuse("a pruned n-gram has no row");
  }
  return {};
}

// The shape before a matrix's numbers; both are below 2^33 and 2^14.
Status CheckShape(ByteReader& in, uint64_t rows, uint64_t columns) {
  const auto m = in.Get<int64_t>();
  const auto n = in.Get<int64_t>();
  if (!in.ok()) return Refuse("it ends before a matrix");
  if (m != static_cast<int64_t>(rows) || n != static_cast<int64_t>(columns))
    return Refuse("a matrix does not fit its dictionary");
  return {};
}

Status CheckDense(ByteReader& in, uint64_t rows, uint64_t columns) {
  MODICUM_RETURN_IF_ERROR(CheckShape(in, rows, columns));
  in.Skip(rows * columns * sizeof(float));
  if (!in.ok()) return Refuse("it ends in a matrix");
  return {};
}

// ProductQuantizer::save of fastText 0.9.2: its division of `columns`, then
// 256 centroids of each part. Returns how many codes a row has.
Result<uint64_t> CheckQuantizer(ByteReader& in, uint64_t columns) {
  const auto dim = in.Get<int32_t>();
  const auto parts = in.Get<int32_t>();
  const auto part = in.Get<int32_t>();
  const auto last = in.Get<int32_t>();
  const auto all = static_cast<int64_t>(columns);
  const bool plausible = in.ok() && dim == all && part >= 1 && part <= all &&
                         parts == (all + part - 1) / part &&
                         last == all - (int64_t{parts} - 1) * part;
  if (!plausible) return Refuse("a quantizer does not fit its matrix");
  in.Skip(columns * kCentroids * sizeof(float));
  if (!in.ok()) return Refuse("it ends in a quantizer");
  return static_cast<uint64_t>(parts);
}

// QuantMatrix::save of fastText 0.9.2. Returns the bytes of codes.
Result<uint64_t> CheckQuantised(ByteReader& in, uint64_t rows,
                                uint64_t columns) {
  const auto norms = in.Get<uint8_t>();
  if (norms > 1) return Refuse("a matrix has a flag out of range");
  MODICUM_RETURN_IF_ERROR(CheckShape(in, rows, columns));
  const auto codes = in.Get<int32_t>();
  if (codes < 0) return Refuse("a matrix has sizes out of range");
  in.Skip(static_cast<uint64_t>(codes));
  MODICUM_TRY(const uint64_t parts, CheckQuantizer(in, columns));
  if (static_cast<uint64_t>(codes) != rows * parts)
    return Refuse("a matrix's codes do not fit its rows");
  if (norms == 0) return rows * parts;
  in.Skip(rows);
  MODICUM_RETURN_IF_ERROR(CheckQuantizer(in, 1));
  return rows * parts + rows;
}

// Both matrices, each after its flag.
Status CheckMatrices(ByteReader& in, bool pruned, FastTextShape& shape) {
  const auto quantised = in.Get<uint8_t>();
  if (quantised > 1) return Refuse("a matrix has a flag out of range");
  shape.quantised = quantised == 1;
  if (pruned && !shape.quantised)
    return Refuse("its n-grams are pruned and its matrix is not quantised");
  const uint64_t rows = shape.words + shape.buckets;
  shape.parameters = (rows + shape.labels) * shape.dim;
  if (shape.quantised) {
    MODICUM_TRY(const uint64_t codes, CheckQuantised(in, rows, shape.dim));
    shape.parameters = codes + (kCentroids + shape.labels) * shape.dim;
  } else {
    MODICUM_RETURN_IF_ERROR(CheckDense(in, rows, shape.dim));
  }
  if (in.Get<uint8_t>() != 0) return Refuse("its output is quantised");
  return CheckDense(in, shape.labels, shape.dim);
}

}  // namespace

Result<FastTextShape> CheckFastTextFile(std::string_view bytes, size_t labels) {
  ByteReader in(bytes);
  if (in.Get<int32_t>() != kFastTextMagic ||
      in.Get<int32_t>() != kFastTextVersion)
    return Refuse("its first bytes are not those of version 12");
  const Header header = ReadArgs(in);
  if (!in.ok() || !Plausible(header))
    return Refuse("its header has values out of range");
  const auto entries = in.Get<int32_t>();
  const auto words = in.Get<int32_t>();
  const auto classes = in.Get<int32_t>();
  in.Skip(sizeof(int64_t));  // tokens
  const auto pruned = in.Get<int64_t>();
  const bool plausible = in.ok() && words >= 0 && classes >= 1 &&
                         entries == int64_t{words} + classes &&
                         static_cast<size_t>(classes) <= labels &&
                         pruned >= -1 && pruned <= header.bucket;
  if (!plausible) return Refuse("its dictionary has sizes out of range");
  MODICUM_RETURN_IF_ERROR(CheckEntries(in, words, entries, labels));
  MODICUM_RETURN_IF_ERROR(CheckPruned(in, pruned));
  FastTextShape shape;
  shape.words = static_cast<uint64_t>(words);
  shape.buckets = static_cast<uint64_t>(pruned < 0 ? header.bucket : pruned);
  shape.dim = static_cast<uint64_t>(header.dim);
  shape.labels = static_cast<uint64_t>(classes);
  shape.file_bytes = bytes.size();
  MODICUM_RETURN_IF_ERROR(CheckMatrices(in, pruned >= 0, shape));
  if (in.left() != 0) return Refuse("it is longer than its header says");
  return shape;
}

std::string CleanForFastText(std::string_view text) {
  std::string lowered = LowerCased(text);
  std::string out;
  out.reserve(lowered.size() + lowered.size() / 4);
  for (const char c : lowered) {
    const bool apart =
        (c > ' ' && c < '0') || (c > '9' && c < '_') || (c > 'z' && c < 127);
    if (apart) out += ' ';
    out += c;
    if (apart) out += ' ';
  }
  return out;
}

}  // namespace modicum
