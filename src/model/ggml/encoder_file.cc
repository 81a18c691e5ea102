// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/encoder_file.h"

#include <llama.h>

#include "model/gguf/gguf_writer.h"

namespace modicum {

namespace {

GgufMetadata Describe(const EncoderShape& shape, const GgufMetadata& vocabulary,
                      const std::vector<std::string>& labels) {
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
      {"bert.pooling_type", uint32_t{LLAMA_POOLING_TYPE_RANK}},
      {"bert.classifier.output_labels", GgufArray::Of(labels)},
  };
  metadata.insert(metadata.end(), vocabulary.begin(), vocabulary.end());
  return metadata;
}

std::vector<GgufTensor> TensorsOf(const EncoderWeights& weights) {
  std::vector<GgufTensor> tensors;
  for (const Parameter& parameter : weights.parameters()) {
    GgufTensor& tensor = tensors.emplace_back();
    tensor.name = parameter.value->name;
    tensor.dimensions = static_cast<uint32_t>(ggml_n_dims(parameter.value));
    for (size_t i = 0; i < tensor.dimensions; ++i)
      tensor.shape[i] = static_cast<uint64_t>(parameter.value->ne[i]);
  }
  return tensors;
}

}  // namespace

Status SaveEncoder(const EncoderWeights& weights,
                   const GgufMetadata& vocabulary,
                   const std::vector<std::string>& labels,
                   const std::string& path) {
  MODICUM_TRY(
      GgufWriter writer,
      GgufWriter::Create(path, Describe(weights.shape(), vocabulary, labels),
                         TensorsOf(weights)));
  for (const Parameter& parameter : weights.parameters()) {
    const std::span<const float> values = parameter.values();
    MODICUM_RETURN_IF_ERROR(writer.Append(
        {reinterpret_cast<const char*>(values.data()), values.size_bytes()}));
  }
  return writer.Finish();
}

}  // namespace modicum
