// SPDX-License-Identifier: Apache-2.0
#include "model/majority.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/file.h"
#include "model/bytes.h"
#include "model/params.h"

namespace modicum {

namespace {

// One line "MODMAJ1", then one count per label, each on its line.
constexpr std::string_view kMajorityMagic = "MODMAJ1\n";
constexpr uint64_t kMaxFile = uint64_t{16} << 20;

auto RefuseCounts(const std::string& what) {
  return Fail(ErrorCode::kInvalidInput,
              "not a majority model this program wrote: " + what,
              "train it again with 'modicum fit'");
}

std::string Encode(const std::vector<uint64_t>& counts) {
  std::string text(kMajorityMagic);
  for (const uint64_t count : counts) text += std::to_string(count) + '\n';
  return text;
}

Result<std::vector<uint64_t>> Decode(std::string_view text) {
  if (!text.starts_with(kMajorityMagic))
    return RefuseCounts("it does not begin MODMAJ1");
  text.remove_prefix(kMajorityMagic.size());
  std::vector<uint64_t> counts;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == text.npos) return RefuseCounts("its last line does not end");
    uint32_t count = 0;
    const auto [stop, error] =
        std::from_chars(text.data(), text.data() + end, count);
    if (error != std::errc() || stop != text.data() + end)
      return RefuseCounts("a count is not a number");
    counts.push_back(count);
    text.remove_prefix(end + 1);
  }
  return counts;
}

Label MakeAnswer(const std::vector<uint64_t>& counts, uint64_t total) {
  Label label;
  for (const uint64_t count : counts)
    label.probabilities.push_back(static_cast<float>(count) /
                                  static_cast<float>(total));
  label.index = static_cast<LabelIndex>(
      std::max_element(counts.begin(), counts.end()) - counts.begin());
  return label;
}

class MajorityModel final : public Model {
 public:
  MajorityModel(Label answer, ModelInfo info)
      : answer_(std::move(answer)), info_(std::move(info)) {}

  const ModelInfo& info() const override { return info_; }

  // Takes any payload: it does not look at it.
  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions& options,
                                      PhaseSink& sink) override {
    if (options.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "prediction interrupted");
    sink.Begin(Phase::kPrepare);
    sink.Begin(Phase::kPrefill);
    Label answer = answer_;
    if (options.explain > 0) answer.reasons = {{"prior share", LogOdds()}};
    return std::vector<Output>(items.size(), answer);
  }

 private:
  double LogOdds() const {
    // Short of certainty, whose log-odds no number can hold.
    const double p = std::min(
        0.999999,
        double{answer_.probabilities[static_cast<size_t>(answer_.index)]});
    return std::log(p / (1 - p));
  }

  const Label answer_;
  const ModelInfo info_;
};

class MajorityTrainer final : public Trainer {
 public:
  std::string_view family() const override { return "majority"; }

  Status Accepts(const Dataset& data) const override {
    return CheckClasses(data);
  }

  Result<TrainedModel> Train(const Dataset& data,
                             std::span<const uint32_t> rows,
                             const Params& params, const Budget&, Checkpoint*,
                             const std::string& directory,
                             PhaseSink& sink) override {
    sink.Begin(Phase::kPrepare);
    MODICUM_RETURN_IF_ERROR(CheckParamNames(params, "majority", {}));
    MODICUM_RETURN_IF_ERROR(CheckTrainingRows(data, rows));
    sink.Begin(Phase::kTrain);
    std::vector<uint64_t> counts(data.labels.size());
    for (const uint32_t row : rows)
      ++counts[static_cast<size_t>(data.items[row].label)];
    MODICUM_RETURN_IF_ERROR(
        WriteFileAtomically(directory + "/" + kMajorityFile, Encode(counts)));
    return TrainedModel{{kMajorityFile}};
  }

  Result<std::unique_ptr<Model>> Load(const std::string& directory,
                                      const std::vector<std::string>& labels,
                                      PhaseSink& sink) override {
    sink.Begin(Phase::kLoad);
    MODICUM_TRY(const std::string text,
                ReadWholeFile(directory + "/" + kMajorityFile, kMaxFile));
    MODICUM_TRY(const std::vector<uint64_t> counts, Decode(text));
    uint64_t total = 0;
    for (const uint64_t count : counts) total += count;
    if (counts.size() != labels.size() || total == 0)
      return RefuseCounts("its counts do not fit its card's labels");
    ModelInfo info;
    info.family = info.engine = "majority";
    info.engine_version = "1";
    info.parameters = counts.size();
    info.bytes = Bytes(static_cast<double>(text.size()));
    info.labels = labels;
    return std::make_unique<MajorityModel>(MakeAnswer(counts, total),
                                           std::move(info));
  }
};

class ConstantEngine final : public Engine {
 public:
  std::string_view name() const override { return "majority"; }
  std::string_view version() const override { return "1"; }
  std::vector<Trainer*> trainers() override { return {&trainer_}; }

 private:
  MajorityTrainer trainer_;
};

}  // namespace

Engine& MajorityEngine() {
  static ConstantEngine engine;
  return engine;
}

}  // namespace modicum
