// SPDX-License-Identifier: Apache-2.0
// Quantize: product quantization of a fastText model's vectors by the library
// (Joulin et al., FastText.zip, 2016; Jegou, Douze, Schmid 2011): each part of
// `dsub` numbers becomes the byte of its nearest among 256 centroids, the
// length of a vector apart when `qnorm`; with `cutoff`, only so many vectors
// of greatest length stay.
#include <algorithm>

#include "model/fasttext/fasttext_library.h"
#include "model/params.h"

namespace modicum {

namespace {

constexpr int64_t kCentroids = 256;
constexpr double kLearnt = 65536;  // vectors that centroids are learnt from
constexpr double kRounds = 25;     // of k-means

struct QuantizeParams {
  int64_t dsub = 2;
  bool qnorm = true;
  int64_t cutoff = 0;  // 0: every vector stays
};

Result<QuantizeParams> Parse(const Params& params) {
  static constexpr std::string_view kKnown[] = {"cutoff", "dsub", "qnorm"};
  MODICUM_RETURN_IF_ERROR(CheckPassParams(params, "quantize", kKnown));
  QuantizeParams out;
  MODICUM_TRY(out.dsub, IntegerParam(params, "dsub", 2, 1, 100));
  MODICUM_TRY(out.cutoff, IntegerParam(params, "cutoff", 0, 0, 100000000));
  const auto* qnorm = std::get_if<bool>(&params.at("qnorm"));
  if (qnorm == nullptr) {
    return Fail(ErrorCode::kInvalidInput,
                "parameter qnorm: true or false expected");
  }
  out.qnorm = *qnorm;
  if (out.cutoff > 0 && out.cutoff < kCentroids) {
    return Fail(ErrorCode::kInvalidInput,
                "parameter cutoff = " + std::to_string(out.cutoff) +
                    ": 0 or at least 256 expected");
  }
  return out;
}

Params MakeParams(int64_t dsub, int64_t cutoff) {
  return {{"dsub", dsub}, {"qnorm", true}, {"cutoff", cutoff}};
}

class Quantize final : public Pass {
 public:
  std::string_view name() const override { return "quantize"; }
  std::string_view summary() const override {
    return "stores fastText's vectors as codes of one byte a part";
  }
  Needs needs() const override { return Needs::kArithmetic; }

  Status Accepts(const PassInput& input) const override {
    if (input.family != "fasttext") {
      return Fail(ErrorCode::kUnavailable,
                  "quantize is for fastText models, not " + input.family);
    }
    if (input.directory.empty()) return {};
    MODICUM_TRY(const FastTextShape shape,
                CheckSavedFastText(input.directory, input.data.labels.size()));
    if (shape.quantised) {
      return Fail(ErrorCode::kUnavailable, "it is quantised already");
    }
    const uint64_t rows = shape.words + shape.buckets;
    if (rows >= uint64_t{kCentroids}) return {};
    return Fail(ErrorCode::kUnavailable,
                "quantize needs 256 vectors, it has " + std::to_string(rows));
  }

  std::vector<Params> Space(const PassInput&) const override {
    return {MakeParams(2, 0), MakeParams(2, 100000), MakeParams(2, 20000),
            MakeParams(4, 20000)};
  }

  // K-means compares every vector it learns from with every centroid, then
  // each vector once: 2.2 ns a number compared, measured on the mail corpus.
  PassForecast Predict(const PassInput& input,
                       const Params& params) const override {
    const auto dim = static_cast<double>(Get<int64_t>(input.params, "dim", 16));
    double rows =
        static_cast<double>(Get<int64_t>(input.params, "buckets", 200000));
    const auto cutoff = static_cast<double>(Get<int64_t>(params, "cutoff", 0));
    if (cutoff > 0) rows = std::min(rows, cutoff);
    const double compared =
        kCentroids * (dim + 1) * (kRounds * std::min(rows, kLearnt) + rows);
    const double seconds = 0.05 + 2.2e-9 * compared;
    return {Seconds(seconds), Seconds(seconds / 3), Seconds(seconds * 3),
            Bytes(12 * rows * dim)};
  }

  // The library cannot be stopped in the middle.
  Result<TrainedModel> Apply(const PassInput& input, const Params& params,
                             const Budget& budget, const std::string& directory,
                             PhaseSink& sink) override {
    sink.Begin(Phase::kTrain);
    MODICUM_TRY(const QuantizeParams parsed, Parse(params));
    MODICUM_RETURN_IF_ERROR(Accepts(input));
    if (budget.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "quantize interrupted");
    MODICUM_TRY(auto fast_text, OpenFastText(input.directory));
    MODICUM_RETURN_IF_ERROR(Guarded("quantizing", [&]() -> Status {
      fasttext::Args args;
      args.dsub = static_cast<size_t>(parsed.dsub);
      args.qnorm = parsed.qnorm;
      args.cutoff = static_cast<size_t>(parsed.cutoff);
      args.verbose = 0;
      fast_text->quantize(args);
      return {};
    }));
    if (budget.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "quantize interrupted");
    MODICUM_RETURN_IF_ERROR(
        SaveFastText(*fast_text, directory, input.data.labels.size()));
    return TrainedModel{{kFastTextFile}};
  }
};

}  // namespace

Pass& QuantizePass() {
  static Quantize pass;
  return pass;
}

}  // namespace modicum
