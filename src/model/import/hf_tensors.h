// SPDX-License-Identifier: Apache-2.0
// Which tensors of a Hugging Face model become which of GGUF's, and how.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/gguf/gguf_file.h"
#include "model/import/hf_config.h"
#include "model/safetensors.h"

namespace modicum {

struct PlannedTensor {
  GgufTensor gguf;  // not yet placed
  // One after the other; empty: `made` is written.
  std::vector<const SafeTensor*> sources;
  // Where not 0, the rows of each of these heads are reordered: transformers
  // turns number i of a head with i + size / 2, llama.cpp 2 i with 2 i + 1.
  uint64_t turned_heads = 0;
  std::vector<float> made;
};

struct TensorPlan {
  std::vector<PlannedTensor> model;
  std::vector<PlannedTensor> head;  // of a file of its own; may be empty
};

// Every tensor that the architecture needs, in the order of the file;
// matrices in `type`, or as most of the weights are stored; norms, biases and
// positions in F32. kInvalidInput names the tensor that is missing, unknown,
// of another shape or of a type that is no float. Lifetime: `weights` outlives
// the plan.
Result<TensorPlan> PlanTensors(const HfConfig& config,
                               const SafetensorsSet& weights,
                               std::optional<GgmlType> type);

// F32, F16 or BF16: of the first matrix there is.
GgmlType StoredType(const SafetensorsSet& weights);

// What divides each pair's frequency under Llama 3's scaling; see
// modeling_rope_utils.py of transformers, _compute_llama3_parameters.
std::vector<float> Llama3Factors(const HfRope& rope, uint64_t head_size);

}  // namespace modicum
