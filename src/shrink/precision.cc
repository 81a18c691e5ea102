// SPDX-License-Identifier: Apache-2.0
// A network's weights in fewer bits, by ggml's own quantization.
#include <fmt/format.h>

#include <filesystem>

#include "model/gguf/gguf_file.h"
#include "model/network_file.h"
#include "model/neural.h"
#include "model/neural_classifier.h"
#include "shrink/pass_support.h"
#include "shrink/passes.h"

namespace modicum {

namespace {

// Mildest first. Whether fewer bits need fewer joules depends on the machine
// and on the share of decoding: it is measured, not assumed.
constexpr std::string_view kTypes[] = {"bf16", "q8_0", "q4_k_m"};

// The bits of a weight that the largest tensor has; 0 for a network without.
double BitsOf(const GgufFile& file) {
  const GgufTensor* largest = nullptr;
  for (const GgufTensor& tensor : file.tensors)
    if (largest == nullptr || tensor.elements() > largest->elements())
      largest = &tensor;
  return largest == nullptr ? 0
                            : 8.0 * static_cast<double>(largest->bytes) /
                                  static_cast<double>(largest->elements());
}

// The network that is to be passed: the model's, or before there is one that
// of the parameters.
Result<GgufFile> NetworkOfModel(const PassInput& input) {
  if (!input.directory.empty())
    return ReadGguf(input.directory + "/" + kNetworkFile);
  MODICUM_TRY(const std::string path, NetworkOf(input.params, input.family));
  return ReadGguf(path);
}

// What is trained here has 32 bits.
bool IsToBeTrained(const PassInput& input) {
  return input.directory.empty() && input.family == kEncoderFamily;
}

class Precision final : public Pass {
 public:
  std::string_view name() const override { return "precision"; }
  std::string_view summary() const override {
    return "a network's weights in fewer bits";
  }
  Needs needs() const override { return Needs::kArithmetic; }

  Status Accepts(const PassInput& input) const override {
    if (!RunsNetwork(input.family))
      return Fail(ErrorCode::kUnavailable, "precision is of networks, and " +
                                               input.family + " has none");
    if (IsToBeTrained(input)) return {};
    MODICUM_TRY(const GgufFile file, NetworkOfModel(input));
    if (BitsOf(file) >= 16) return {};
    return Fail(ErrorCode::kUnavailable,
                "the network's weights have fewer than 16 bits already");
  }

  std::vector<Params> Space(const PassInput& input) const override {
    const auto file = NetworkOfModel(input);
    std::vector<Params> space;
    for (const std::string_view type : kTypes)
      if (type != "bf16" || IsToBeTrained(input) ||
          (file && BitsOf(*file) > 16))
        space.push_back({{"type", std::string(type)}});
    return space;
  }

  // Nanoseconds a weight on one core, of 134 million: k-quants search their
  // scales.
  PassForecast Predict(const PassInput& input,
                       const Params& params) const override {
    const auto file = NetworkOfModel(input);
    const double weights = file ? static_cast<double>(file->parameters()) : 0.0;
    const bool searches = Get(params, "type", std::string()) == "q4_k_m";
    return Forecast(1e-2 + (searches ? 57e-9 : 6e-9) * weights, 8 * weights);
  }

  Result<TrainedModel> Apply(const PassInput& input, const Params& params,
                             const Budget& budget, const std::string& directory,
                             PhaseSink& sink) override {
    static constexpr std::string_view kKnown[] = {"type"};
    MODICUM_RETURN_IF_ERROR(CheckPassParams(params, name(), kKnown));
    MODICUM_RETURN_IF_ERROR(Accepts(input));
    MODICUM_TRY(NeuralEngine * engine, FindNeuralEngine());
    sink.Begin(Phase::kTrain);
    for (const std::string& file : input.files) {
      if (file == kNetworkFile) continue;
      std::error_code error;
      std::filesystem::copy_file(input.directory + "/" + file,
                                 directory + "/" + file, error);
      if (error)
        return Fail(ErrorCode::kIo,
                    fmt::format("cannot copy {} to {}: {}", file, directory,
                                error.message()));
    }
    QuantizeOptions options;
    options.type = Get(params, "type", std::string());
    options.threads = budget.threads;
    options.stop = budget.stop;
    MODICUM_RETURN_IF_ERROR(
        engine->Quantize(input.directory + "/" + kNetworkFile,
                         directory + "/" + kNetworkFile, options));
    return TrainedModel{input.files};
  }
};

}  // namespace

Pass& PrecisionPass() {
  static Precision pass;
  return pass;
}

}  // namespace modicum
