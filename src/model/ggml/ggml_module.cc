// SPDX-License-Identifier: Apache-2.0
// The ggml module: everything that runs or trains neural networks.
#include <llama.h>

#include "model/ggml/encoder_family.h"
#include "model/ggml/llama_engine.h"
#include "model/module.h"

namespace modicum {

namespace {

// The families that it trains.
class GgmlEngine final : public Engine {
 public:
  std::string_view name() const override { return "ggml"; }
  std::string_view version() const override { return llama_version(); }
  std::vector<Trainer*> trainers() override { return {&EncoderFamily()}; }
};

}  // namespace

}  // namespace modicum

MODICUM_ENGINE_MODULE(modicum::GgmlEngine)

extern "C" __attribute__((visibility("default"))) modicum::NeuralEngine*
modicum_neural() {
  return modicum::MakeLlamaEngine().release();
}
