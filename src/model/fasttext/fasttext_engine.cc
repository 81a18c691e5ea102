// SPDX-License-Identifier: Apache-2.0
// The fastText module: training and prediction through libfasttext 0.9.
//
// One thread only, so that equal seeds give equal models byte by byte; no
// progress on stderr; buckets capped, because the library's default of two
// million rows of 100 floats takes 800 MB.
#include <fasttext/fasttext.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <streambuf>

#include "model/blocks.h"
#include "model/bytes.h"
#include "model/fasttext/fasttext_explain.h"
#include "model/fasttext/fasttext_file.h"
#include "model/fasttext/fasttext_library.h"
#include "model/module.h"
#include "model/params.h"
#include "model/payload.h"
#include "model/text_features.h"
#include "model/training_stop.h"

namespace modicum {

namespace {

constexpr uint64_t kMaxFile = uint64_t{8} << 30;

Result<fasttext::Args> MakeArgs(const Params& params, const Budget& budget) {
  static constexpr std::string_view kKnown[] = {
      "dim",         "epochs",  "lr",       "word_ngrams",
      "char_ngrams", "buckets", "min_count"};
  MODICUM_RETURN_IF_ERROR(CheckParamNames(params, "fasttext", kKnown));
  fasttext::Args args;
  args.model = fasttext::model_name::sup;
  args.loss = fasttext::loss_name::softmax;
  args.label = kFastTextLabel;
  args.thread = 1;
  args.verbose = 0;
  args.seed = static_cast<int>(budget.seed % 2147483647);
  MODICUM_TRY(const int64_t dim, IntegerParam(params, "dim", 16, 1, 1000));
  MODICUM_TRY(const int64_t epochs,
              IntegerParam(params, "epochs", 20, 1, 1000));
  MODICUM_TRY(args.lr, NumberParam(params, "lr", 0.5, 1e-4, 10));
  MODICUM_TRY(const int64_t words,
              IntegerParam(params, "word_ngrams", 2, 1, 5));
  MODICUM_TRY(const int64_t buckets,
              IntegerParam(params, "buckets", 200000, 1, 10000000));
  MODICUM_TRY(const int64_t min_count,
              IntegerParam(params, "min_count", 1, 1, 1000000));
  MODICUM_TRY(const std::string chars,
              TextParam(params, "char_ngrams", "none"));
  MODICUM_TRY(const NgramRange range,
              ParseNgramRange(chars, "char_ngrams", kMaxCharNgram));
  args.dim = static_cast<int>(dim);
  args.epoch = static_cast<int>(epochs);
  args.wordNgrams = static_cast<int>(words);
  args.minCount = static_cast<int>(min_count);
  args.minn = range.min;
  args.maxn = range.max;
  args.bucket = words > 1 || range.max > 0 ? static_cast<int>(buckets) : 0;
  return args;
}

// Removes the file when it goes out of scope.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

Status WriteTrainingFile(const Dataset& data, std::span<const uint32_t> rows,
                         const Budget& budget, const std::string& path) {
  std::ofstream out(path, std::ios::binary);
  for (const uint32_t row : rows) {
    MODICUM_RETURN_IF_ERROR(CheckNotStopped(budget.stop));
    MODICUM_TRY(const std::string_view text, TextOf(data.items[row]));
    out << kFastTextLabel << data.items[row].label << ' '
        << CleanForFastText(text) << '\n';
  }
  out.close();
  if (!out)
    return Fail(ErrorCode::kIo, "cannot write " + path, "is the disk full?");
  return {};
}

Status TrainAndSave(const fasttext::Args& args, const Budget& budget,
                    const std::string& directory, size_t labels) {
  fasttext::FastText fast_text;
  MODICUM_RETURN_IF_ERROR(Guarded("training", [&]() -> Status {
    fast_text.train(args, [&](float, float, double, double, int64_t) {
      if (budget.stop.stop_requested()) fast_text.abort();
    });
    return {};
  }));
  return SaveFastText(fast_text, directory, labels);
}

// A stream over text that is not copied.
class ViewBuffer final : public std::streambuf {
 public:
  void Reset(std::string& text) {
    setg(text.data(), text.data(), text.data() + text.size());
  }
};

class FastTextModel final : public Model {
 public:
  FastTextModel(std::unique_ptr<fasttext::FastText> fast_text, ModelInfo info)
      : fast_text_(std::move(fast_text)), info_(std::move(info)) {
    const auto dictionary = fast_text_->getDictionary();
    const auto counts = dictionary->getCounts(fasttext::entry_type::label);
    prior_.resize(info_.labels.size());
    for (int32_t i = 0; i < dictionary->nlabels(); ++i) {
      const std::string name = dictionary->getLabel(i);
      // CheckFastTextFile has seen that this is a number in range.
      label_of_.push_back(std::stoul(name.substr(sizeof(kFastTextLabel) - 1)));
      prior_[label_of_.back()] =
          static_cast<float>(counts[static_cast<size_t>(i)]);
    }
  }

  const ModelInfo& info() const override { return info_; }

  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions& options,
                                      PhaseSink& sink) override {
    const auto answer = [&](std::span<const Item> block,
                            std::vector<Output>& outputs) -> Status {
      return Guarded("prediction", [&]() -> Status {
        for (size_t i = 0; i < block.size(); ++i) {
          Label label = Answer(words_[i]);
          if (options.explain > 0)
            Explain(block[i], words_[i], options.explain, label);
          outputs.emplace_back(std::move(label));
        }
        return {};
      });
    };
    return PredictInBlocks(
        items, options, sink,
        [this](std::span<const Item> block) { return Prepare(block); }, answer);
  }

 private:
  Status Prepare(std::span<const Item> block) {
    words_.resize(kBlock);
    const auto dictionary = fast_text_->getDictionary();
    for (size_t i = 0; i < block.size(); ++i) {
      MODICUM_TRY(const std::string_view text, TextOf(block[i]));
      std::string line = CleanForFastText(text) + '\n';
      buffer_.Reset(line);
      std::istream in(&buffer_);
      std::vector<int32_t> labels;
      dictionary->getLine(in, words_[i], labels);
    }
    return {};
  }

  Label Answer(const std::vector<int32_t>& words) const {
    fasttext::Predictions found;
    if (!words.empty())
      fast_text_->predict(static_cast<int32_t>(label_of_.size()), words, found);
    Label label;
    label.probabilities =
        found.empty() ? prior_ : std::vector<float>(prior_.size());
    for (const auto& [log_p, id] : found)
      label.probabilities[label_of_[static_cast<size_t>(id)]] = std::exp(log_p);
    Normalise(label);
    return label;
  }

  void Explain(const Item& item, const std::vector<int32_t>& words, int count,
               Label& label) const {
    const auto own = std::find(label_of_.begin(), label_of_.end(),
                               static_cast<size_t>(label.index));
    if (own == label_of_.end()) return;
    label.reasons = ExplainFastText(
        *fast_text_, CleanForFastText(std::get<Text>(item.payload).text) + '\n',
        words, static_cast<int32_t>(own - label_of_.begin()), count);
  }

  // The library adds 1e-5 before each logarithm.
  static void Normalise(Label& label) {
    std::vector<float>& p = label.probabilities;
    float sum = 0;
    for (const float one : p) sum += one;
    for (float& one : p)
      one = sum > 0 ? one / sum : 1 / static_cast<float>(p.size());
    label.index = static_cast<LabelIndex>(std::max_element(p.begin(), p.end()) -
                                          p.begin());
  }

  const std::unique_ptr<fasttext::FastText> fast_text_;
  const ModelInfo info_;
  std::vector<size_t> label_of_;  // by the library's own number
  std::vector<float> prior_;      // for a text without one known word
  std::vector<std::vector<int32_t>> words_;
  ViewBuffer buffer_;
};

class FastTextTrainer final : public Trainer {
 public:
  std::string_view family() const override { return "fasttext"; }

  Status Accepts(const Dataset& data) const override {
    MODICUM_RETURN_IF_ERROR(CheckIsText(data, "fasttext"));
    return CheckClasses(data);
  }

  Result<TrainedModel> Train(const Dataset& data,
                             std::span<const uint32_t> rows,
                             const Params& params, const Budget& budget,
                             Checkpoint*, const std::string& directory,
                             PhaseSink& sink) override {
    sink.Begin(Phase::kPrepare);
    MODICUM_TRY(fasttext::Args args, MakeArgs(params, budget));
    MODICUM_RETURN_IF_ERROR(CheckTrainingRows(data, rows));
    MODICUM_RETURN_IF_ERROR(CheckMemory(args, budget));
    const TemporaryFile text(directory + "/train.tmp");
    MODICUM_RETURN_IF_ERROR(WriteTrainingFile(data, rows, budget, text.path()));
    args.input = text.path();
    sink.Begin(Phase::kTrain);
    MODICUM_RETURN_IF_ERROR(
        TrainAndSave(args, budget, directory, data.labels.size()));
    return TrainedModel{{kFastTextFile}};
  }

  Result<std::unique_ptr<Model>> Load(const std::string& directory,
                                      const std::vector<std::string>& labels,
                                      PhaseSink& sink) override {
    sink.Begin(Phase::kLoad);
    MODICUM_TRY(const FastTextShape shape,
                CheckSavedFastText(directory, labels.size()));
    ModelInfo info;
    info.family = "fasttext";
    info.engine = "fasttext";
    info.engine_version = "0.9.2";
    info.parameters = shape.parameters;
    info.bytes = Bytes(static_cast<double>(shape.file_bytes));
    info.labels = labels;
    MODICUM_TRY(auto fast_text, OpenFastText(directory));
    return std::make_unique<FastTextModel>(std::move(fast_text),
                                           std::move(info));
  }

 private:
  static Status CheckMemory(const fasttext::Args& args, const Budget& budget) {
    const double bytes = 4.0 * args.bucket * args.dim;
    if (bytes <= budget.memory.value()) return {};
    return Fail(ErrorCode::kInvalidInput,
                "fastText's buckets need " +
                    std::to_string(static_cast<int64_t>(bytes / 1e6)) +
                    " MB, more than the budget",
                "lower buckets or dim");
  }
};

class FastTextEngine final : public Engine {
 public:
  std::string_view name() const override { return "fasttext"; }
  std::string_view version() const override { return "0.9.2"; }
  std::vector<Trainer*> trainers() override { return {&trainer_}; }
  std::vector<Pass*> passes() override { return {&QuantizePass()}; }

 private:
  FastTextTrainer trainer_;
};

}  // namespace

Result<FastTextShape> CheckSavedFastText(const std::string& directory,
                                         size_t labels) {
  MODICUM_TRY(const std::string bytes,
              ReadWholeFile(directory + "/" + kFastTextFile, kMaxFile));
  return CheckFastTextFile(bytes, labels);
}

Result<std::unique_ptr<fasttext::FastText>> OpenFastText(
    const std::string& directory) {
  using Opened = Result<std::unique_ptr<fasttext::FastText>>;
  return Guarded("loading", [&]() -> Opened {
    auto fast_text = std::make_unique<fasttext::FastText>();
    fast_text->loadModel(directory + "/" + kFastTextFile);
    return fast_text;
  });
}

Status SaveFastText(fasttext::FastText& fast_text, const std::string& directory,
                    size_t labels) {
  const std::string path = directory + "/" + kFastTextFile;
  const TemporaryFile part(path + ".tmp");
  MODICUM_RETURN_IF_ERROR(Guarded("saving", [&]() -> Status {
    fast_text.saveModel(part.path());
    return {};
  }));
  MODICUM_TRY(const std::string bytes, ReadWholeFile(part.path(), kMaxFile));
  if (CheckFastTextFile(bytes, labels) &&
      std::rename(part.path().c_str(), path.c_str()) == 0)
    return {};
  return Fail(ErrorCode::kIo, "cannot write " + path, "is the disk full?");
}

}  // namespace modicum

MODICUM_ENGINE_MODULE(modicum::FastTextEngine)
