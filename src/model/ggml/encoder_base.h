// SPDX-License-Identifier: Apache-2.0
// A trained encoder to begin from: the body of a GGUF file of architecture
// `bert`, whatever head it has.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "model/ggml/encoder_weights.h"
#include "model/ggml/mapped_file.h"
#include "model/gguf/gguf_file.h"
#include "model/gguf/head_file.h"
#include "model/neural.h"

namespace modicum {

struct EncoderBase {
  GgufFile file;
  EncoderShape shape;  // without labels
  GgufMetadata vocabulary;
  TokenId unknown = 0;
};

// Reads the header. kInvalidInput names what it is instead of a BERT with a
// WordPiece vocabulary, or the tensor that is missing, not of its shape, or
// of a variant that is not computed here.
Result<EncoderBase> ReadEncoderBase(const std::string& path);
// The same of a header that was read.
Result<EncoderBase> EncoderBaseOf(GgufFile file);

// What it is, as this program's graph computes it: what it is stored as and how
// long its texts are is left open.
NeuralInfo EncoderInfo(const EncoderBase& base);
// Tokens a text that it is used with. kInvalidInput: it has no places for as
// many.
Result<uint32_t> EncoderContext(const EncoderBase& base,
                                const NeuralSettings& settings);

// Its numbers as single precision, whatever they are stored as; the head stays
// as it is. kInvalidInput for one that is no number.
Status LoadBody(const EncoderBase& base, EncoderWeights& weights);
// The same of a head that fits.
Status LoadHead(const HeadFile& head, EncoderWeights& weights);

// Weights that are only read. What the file has in single precision stays in
// it; the rest is turned into that.
struct MappedWeights {
  MappedFile file;
  EncoderWeights weights;
};
// All that the file has of a network of this shape: the body, and the
// classification head where the shape has one. kIo; kInvalidInput as LoadBody.
// What is turned is by so many threads.
Result<std::unique_ptr<MappedWeights>> MapWeights(const EncoderBase& base,
                                                  const EncoderShape& shape,
                                                  int threads);

}  // namespace modicum
