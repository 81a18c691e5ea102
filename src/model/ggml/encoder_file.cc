// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/encoder_file.h"

#include <llama.h>

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "model/gguf/gguf_writer.h"
#include "model/gguf/head_file.h"

namespace modicum {

namespace {

GgufMetadata DescribeBody(const EncoderShape& shape,
                          const GgufMetadata& vocabulary) {
  GgufMetadata metadata = {
      {"general.architecture", std::string("bert")},
      {"general.type", std::string("model")},
      {"general.file_type", uint32_t{LLAMA_FTYPE_ALL_F32}},
      {"bert.context_length", shape.context},
      {"bert.embedding_length", shape.width},
      {"bert.feed_forward_length", shape.feed_forward},
      {"bert.block_count", shape.layers},
      {"bert.attention.head_count", shape.heads},
      {"bert.attention.causal", false},
      {"bert.attention.layer_norm_epsilon", shape.epsilon},
  };
  metadata.insert(metadata.end(), vocabulary.begin(), vocabulary.end());
  return metadata;
}

Status WriteParameters(std::span<const Parameter> parameters,
                       const GgufMetadata& metadata, const std::string& path) {
  std::vector<GgufTensor> tensors;
  for (const Parameter& parameter : parameters) {
    GgufTensor& tensor = tensors.emplace_back();
    tensor.name = parameter.value->name;
    tensor.dimensions = static_cast<uint32_t>(ggml_n_dims(parameter.value));
    for (size_t i = 0; i < tensor.dimensions; ++i)
      tensor.shape[i] = static_cast<uint64_t>(parameter.value->ne[i]);
  }
  MODICUM_TRY(GgufWriter writer,
              GgufWriter::Create(path, metadata, std::move(tensors)));
  for (const Parameter& parameter : parameters) {
    const std::span<const float> values = parameter.values();
    MODICUM_RETURN_IF_ERROR(writer.Append(
        {reinterpret_cast<const char*>(values.data()), values.size_bytes()}));
  }
  return writer.Finish();
}

}  // namespace

Status SaveEncoder(const EncoderWeights& weights,
                   const GgufMetadata& vocabulary,
                   const std::vector<std::string>& labels,
                   const std::string& path) {
  GgufMetadata metadata = DescribeBody(weights.shape(), vocabulary);
  metadata.emplace_back("bert.pooling_type", uint32_t{LLAMA_POOLING_TYPE_RANK});
  metadata.emplace_back("bert.classifier.output_labels", GgufArray::Of(labels));
  return WriteParameters(weights.parameters(), metadata, path);
}

Status SaveBody(const EncoderWeights& weights, const GgufMetadata& vocabulary,
                const std::string& path) {
  return WriteParameters(weights.body(),
                         DescribeBody(weights.shape(), vocabulary), path);
}

Status SaveHead(const EncoderWeights& weights,
                const std::vector<std::string>& labels, const std::string& body,
                const std::string& path) {
  MODICUM_TRY(const Hash hash, Sha256OfFile(body));
  return WriteParameters(
      weights.head(), DescribeHead(*weights.shape().head, labels, hash), path);
}

Status CopyWhole(const std::string& from, const std::string& to) {
  constexpr uint64_t kBytesAtOnce = uint64_t{1} << 20;
  MODICUM_TRY(const RandomAccessFile source, RandomAccessFile::Open(from));
  MODICUM_TRY(AtomicFile file, AtomicFile::Create(to));
  for (uint64_t at = 0; at < source.size(); at += kBytesAtOnce) {
    MODICUM_TRY(const std::string bytes,
                source.Read(at, std::min(kBytesAtOnce, source.size() - at)));
    MODICUM_RETURN_IF_ERROR(file.Append(bytes));
  }
  return file.Commit();
}

}  // namespace modicum
