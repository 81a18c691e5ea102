// SPDX-License-Identifier: Apache-2.0
// A linear model's file: what is accepted predicts and explains.
#include <cstdint>
#include <string>

#include "model/linear_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto weights = DecodeLinear(bytes);
  if (!weights) return 0;
  MODICUM_CHECK(EncodeLinear(*weights) == bytes);
  const auto model =
      MakeLinearModel(bytes, std::vector<std::string>(weights->classes));
  if (!model) return 0;  // a feature came twice
  Item item;
  item.payload = Text{std::string(bytes) + " good bad"};
  NullSink sink;
  CallOptions options;
  options.explain = 3;
  const auto outputs = (*model)->Predict({&item, 1}, options, sink);
  MODICUM_CHECK(outputs.has_value() && outputs->size() == 1);
  const auto& label = std::get<Label>(outputs->front());
  MODICUM_CHECK(label.index >= 0 &&
                static_cast<uint32_t>(label.index) < weights->classes);
  return 0;
}
