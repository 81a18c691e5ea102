// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/encoder_file.h"

#include <gguf.h>
#include <llama.h>
#include <unistd.h>

#include <cstdio>

#include "model/ggml/vocabulary.h"

namespace modicum {

Status SaveEncoder(const EncoderWeights& weights,
                   const std::vector<std::string>& tokens,
                   const std::vector<std::string>& labels,
                   const std::string& path) {
  const std::unique_ptr<gguf_context, void (*)(gguf_context*)> file(
      gguf_init_empty(), gguf_free);
  const EncoderShape& shape = weights.shape();
  gguf_set_val_str(file.get(), "general.architecture", "bert");
  gguf_set_val_str(file.get(), "general.type", "model");
  gguf_set_val_str(file.get(), "general.name", "modicum encoder");
  gguf_set_val_u32(file.get(), "general.file_type", LLAMA_FTYPE_ALL_F32);
  const auto number = [&](const char* key, uint32_t value) {
    gguf_set_val_u32(file.get(), ("bert." + std::string(key)).c_str(), value);
  };
  number("context_length", shape.context);
  number("embedding_length", shape.width);
  number("feed_forward_length", shape.feed_forward);
  number("block_count", shape.layers);
  number("attention.head_count", shape.heads);
  number("pooling_type", LLAMA_POOLING_TYPE_RANK);
  gguf_set_val_bool(file.get(), "bert.attention.causal", false);
  gguf_set_val_f32(file.get(), "bert.attention.layer_norm_epsilon",
                   shape.epsilon);
  std::vector<const char*> names;
  for (const std::string& label : labels) names.push_back(label.c_str());
  gguf_set_arr_str(file.get(), "bert.classifier.output_labels", names.data(),
                   names.size());
  DescribeVocabulary(tokens, *file);
  for (const Parameter& parameter : weights.parameters())
    gguf_add_tensor(file.get(), parameter.value);
  const std::string part = path + ".tmp";
  if (gguf_write_to_file(file.get(), part.c_str(), /*only_meta=*/false) &&
      std::rename(part.c_str(), path.c_str()) == 0)
    return {};
  unlink(part.c_str());
  return Fail(ErrorCode::kIo, "cannot write " + path, "is the disk full?");
}

}  // namespace modicum
