// SPDX-License-Identifier: Apache-2.0
// 8-bit: the linear model's weights and IDF in one byte each, with one step
// per class: symmetric uniform quantization after training, the step being
// the greatest size / 127 (Jacob et al., CVPR 2018, without a zero point).
// The weights stay 8-bit in memory; the sums are those of floats.
#include "shrink/pass_support.h"
#include "shrink/passes.h"

namespace modicum {

namespace {

class EightBit final : public Pass {
 public:
  std::string_view name() const override { return "8-bit"; }
  std::string_view summary() const override {
    return "stores the linear model's weights in 8 bits";
  }
  Needs needs() const override { return Needs::kArithmetic; }

  Status Accepts(const PassInput& input) const override {
    MODICUM_RETURN_IF_ERROR(CheckLinearText(input, name()));
    if (input.directory.empty()) return {};
    MODICUM_TRY(const LinearWeights weights, ReadLinear(input));
    if (!weights.eight_bit()) return {};
    return Fail(ErrorCode::kUnavailable, "its weights have 8 bits already");
  }
  std::vector<Params> Space(const PassInput&) const override { return {{}}; }

  // 4 ns a byte to read, round and write, measured on the mail corpus.
  PassForecast Predict(const PassInput& input, const Params&) const override {
    const double bytes = ModelBytes(input);
    return Forecast(1e-3 + 4e-9 * bytes, 3 * bytes);
  }

  Result<TrainedModel> Apply(const PassInput& input, const Params& params,
                             const Budget& budget, const std::string& directory,
                             PhaseSink& sink) override {
    sink.Begin(Phase::kTrain);
    MODICUM_RETURN_IF_ERROR(CheckPassParams(params, name(), {}));
    MODICUM_RETURN_IF_ERROR(Accepts(input));
    MODICUM_TRY(LinearWeights weights, ReadLinear(input));
    if (budget.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "8-bit interrupted");
    RoundToEightBits(weights);
    return WriteLinear(weights, directory);
  }
};

}  // namespace

Pass& EightBitPass() {
  static EightBit pass;
  return pass;
}

}  // namespace modicum
