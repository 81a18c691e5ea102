// SPDX-License-Identifier: Apache-2.0
// Writes GGUF version 3, one tensor after the other, so that a model need
// never be in memory as a whole. The file is there once all of it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "model/gguf/gguf_file.h"

namespace modicum {

// Sets every tensor's bytes and offset from its shape and type. kInvalidInput
// for what ParseGguf would refuse: a name, a row of broken blocks.
Status PlaceTensors(std::vector<GgufTensor>& tensors, uint64_t alignment = 32);

// All bytes before the first tensor's data, padding included. The alignment
// is that of the metadata; the tensors are placed.
std::string GgufHeader(const GgufMetadata& metadata,
                       const std::vector<GgufTensor>& tensors);

class GgufWriter {
 public:
  // Writes the header. `tensors` need name, type and shape.
  static Result<GgufWriter> Create(const std::string& path,
                                   const GgufMetadata& metadata,
                                   std::vector<GgufTensor> tensors);

  // The next bytes of the tensors' data, in their order and in any parts.
  // More than the current tensor has left is a programmer's error.
  Status Append(std::string_view bytes);
  // Requires every tensor whole. Until it has returned nothing is at `path`.
  Status Finish();

  const std::vector<GgufTensor>& tensors() const { return tensors_; }
  uint64_t alignment() const { return alignment_; }

 private:
  GgufWriter(AtomicFile file, std::vector<GgufTensor> tensors,
             uint64_t alignment);
  Status EndTensor();

  AtomicFile file_;
  std::vector<GgufTensor> tensors_;
  uint64_t alignment_;
  size_t current_ = 0;  // tensor that is being written
  uint64_t done_ = 0;   // bytes of it
};

}  // namespace modicum
