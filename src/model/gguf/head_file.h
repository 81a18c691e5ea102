// SPDX-License-Identifier: Apache-2.0
// The head of an encoder, in a file of its own: NAME.head.gguf beside the
// body's NAME.gguf. llama.cpp has no place for such a head; so the body stays
// a file that it loads, and the head one that it is never shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "model/gguf/gguf_file.h"
#include "model/head_kind.h"

namespace modicum {

// Of a head's file; the labels only where it classifies.
inline constexpr char kHeadKindKey[] = "modicum.head.kind";
inline constexpr char kHeadLabelsKey[] = "modicum.head.labels";

struct HeadShape {
  HeadKind kind = HeadKind::kFillMask;
  uint64_t width = 0;
  uint64_t vocabulary = 0;
  uint64_t labels = 0;  // of token classification
  // Of fill-mask: the body's embedding is its last matrix too.
  bool tied = true;

  // Numbers that it gives for each token.
  uint64_t outputs() const;
};

struct HeadTensor {
  std::string name;
  uint64_t columns = 0;
  uint64_t rows = 0;  // 0: a vector
};
// "head.output.weight", "head.output.bias"; of fill-mask "head.transform",
// "head.transform_norm" and "head.decoder".
std::vector<HeadTensor> HeadTensors(const HeadShape& shape);

struct HeadFile {
  GgufFile file;
  HeadKind kind = HeadKind::kFillMask;
  std::vector<std::string> labels = {};  // of token classification, by output
  std::string body = {};                 // SHA-256 of the body's file, in hex

  bool tied() const {
    return file.FindTensor("head.decoder.weight") == nullptr;
  }
  // On this body.
  HeadShape ShapeOn(const GgufFile& network) const;
};

// "NAME.head.gguf" of "NAME.gguf".
inline std::string HeadPathOf(std::string_view body) {
  constexpr std::string_view kExtension = ".gguf";
  if (body.ends_with(kExtension)) body.remove_suffix(kExtension.size());
  return std::string(body) + ".head" + std::string(kExtension);
}
inline bool IsHeadPath(std::string_view path) {
  return path.ends_with(".head.gguf");
}

// All keys. `labels` are empty unless it classifies.
GgufMetadata DescribeHead(HeadKind kind, const std::vector<std::string>& labels,
                          const Hash& body);

// A file that was checked as any GGUF file. kInvalidInput names the key that
// is missing or odd.
Result<HeadFile> ParseHead(GgufFile file);
// kInvalidInput: tensors that a head of its kind on this body does not have,
// lacks, or has in another shape or type.
Status CheckHeadFits(const HeadFile& head, const GgufFile& body);
// Reads the head beside `body`. kUnavailable where there is none;
// kInvalidInput also where the body is not the one it was made with.
Result<HeadFile> ReadHeadOf(const GgufFile& body);

}  // namespace modicum
