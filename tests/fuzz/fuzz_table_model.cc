// SPDX-License-Identifier: Apache-2.0
// A linear table model's file: what is accepted predicts and explains.
#include <cmath>
#include <cstdint>
#include <string>

#include "model/table_linear.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto weights = DecodeTableLinear(bytes);
  if (!weights) return 0;
  MODICUM_CHECK(EncodeTableLinear(*weights) == bytes);
  const auto model =
      MakeTableLinear(bytes, std::vector<std::string>(weights->classes));
  MODICUM_CHECK(model.has_value());
  Item item;
  item.payload = Numbers{std::vector<float>(weights->columns.size(), 1.5F)};
  NullSink sink;
  CallOptions options;
  options.explain = 3;
  const auto outputs = (*model)->Predict({&item, 1}, options, sink);
  MODICUM_CHECK(outputs.has_value() && outputs->size() == 1);
  const auto& label = std::get<Label>(outputs->front());
  MODICUM_CHECK(label.index >= 0 &&
                static_cast<uint32_t>(label.index) < weights->classes);
  float sum = 0;
  for (const float p : label.probabilities) sum += p;
  MODICUM_CHECK(std::abs(sum - 1) < 1e-3F);
  return 0;
}
