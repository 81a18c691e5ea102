// SPDX-License-Identifier: Apache-2.0
// A tree model's file: what is accepted predicts and explains.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "model/tree_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto weights = DecodeTrees(bytes);
  if (!weights) return 0;
  MODICUM_CHECK(EncodeTrees(*weights) == bytes);
  const auto model =
      MakeTreeModel(bytes, std::vector<std::string>(weights->classes));
  if (!model) return 0;  // a feature came twice
  std::vector<Item> items(9);
  for (size_t i = 0; i < items.size(); ++i) {
    if (weights->table()) {
      Numbers row{
          std::vector<float>(weights->features(), static_cast<float>(i) - 4)};
      if (i % 3 == 0) row.values[0] = std::numeric_limits<float>::quiet_NaN();
      items[i].payload = std::move(row);
    } else {
      items[i].payload = Text{std::string(i, 'a') + " good bad good"};
    }
  }
  NullSink sink;
  CallOptions options;
  options.explain = 3;
  const auto outputs = (*model)->Predict(items, options, sink);
  MODICUM_CHECK(outputs.has_value() && outputs->size() == items.size());
  for (const Output& output : *outputs) {
    const auto& label = std::get<Label>(output);
    MODICUM_CHECK(label.index >= 0 &&
                  static_cast<uint32_t>(label.index) < weights->classes);
    float sum = 0;
    for (const float p : label.probabilities) sum += p;
    MODICUM_CHECK(std::abs(sum - 1) < 1e-3F);
    MODICUM_CHECK(label.reasons.size() <= 3);
  }
  return 0;
}
