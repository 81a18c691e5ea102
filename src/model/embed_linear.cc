// SPDX-License-Identifier: Apache-2.0
#include "model/embed_linear.h"

#include <fmt/format.h>

#include <map>
#include <mutex>

#include "base/file.h"
#include "base/hash.h"
#include "model/bytes.h"
#include "model/network_file.h"
#include "model/params.h"
#include "model/payload.h"
#include "model/table_linear.h"

namespace modicum {

namespace {

using Vectors = std::vector<std::vector<float>>;

// Texts in one call of the network: enough to sort them by length.
constexpr size_t kTextsAChunk = 512;

Result<Vectors> EmbedTexts(NeuralModel& network,
                           const std::vector<std::string_view>& texts,
                           const CallOptions& call, PhaseSink& sink) {
  Vectors vectors;
  vectors.reserve(texts.size());
  for (size_t at = 0; at < texts.size(); at += kTextsAChunk) {
    sink.Begin(Phase::kPrepare);
    std::vector<TokenIds> tokens;
    for (size_t i = at; i < std::min(texts.size(), at + kTextsAChunk); ++i) {
      MODICUM_TRY(auto ids, network.Tokenize(texts[i], /*special=*/true));
      tokens.push_back(std::move(ids));
    }
    MODICUM_TRY(auto some,
                network.Embed(tokens, /*normalize=*/true, call, sink));
    std::move(some.begin(), some.end(), std::back_inserter(vectors));
  }
  return vectors;
}

Result<std::string_view> ItsText(const Item& item) {
  if (const auto* text = std::get_if<Text>(&item.payload)) return text->text;
  return Fail(ErrorCode::kInvalidInput,
              "embed+linear reads text, and an item is something else");
}

// Vectors of one network, by the hash of their text. Thread-safe.
class VectorCache {
 public:
  // Kept up to this, then all are forgotten: a bound, not a policy.
  static constexpr size_t kMostNumbers = size_t{64} << 20;

  const std::vector<float>* Find(const Hash& key) {
    const auto it = vectors_.find(key);
    return it == vectors_.end() ? nullptr : &it->second;
  }
  void Keep(const Hash& key, std::vector<float> vector) {
    if (numbers_ + vector.size() > kMostNumbers) {
      vectors_.clear();
      numbers_ = 0;
    }
    numbers_ += vector.size();
    vectors_.emplace(key, std::move(vector));
  }

 private:
  std::map<Hash, std::vector<float>> vectors_;
  size_t numbers_ = 0;
};

Hash KeyOf(std::string_view network, std::string_view text) {
  Sha256 hash;
  hash.AddField(network);
  hash.AddField(text);
  return hash.Finish();
}

// The table that the head is trained on: one column a component.
Dataset TableOf(const Dataset& data, std::span<const uint32_t> rows,
                Vectors vectors) {
  Dataset table;
  table.labels = data.labels;
  for (size_t c = 0; c < vectors.front().size(); ++c)
    table.columns.push_back(fmt::format("component {}", c + 1));
  for (size_t i = 0; i < rows.size(); ++i) {
    Item item = {data.items[rows[i]].id, data.items[rows[i]].group,
                 Numbers{std::move(vectors[i])}, data.items[rows[i]].label};
    table.items.push_back(std::move(item));
  }
  return table;
}

class EmbedLinearModel final : public Model {
 public:
  EmbedLinearModel(std::unique_ptr<NeuralModel> network,
                   std::unique_ptr<Model> head, ModelInfo info)
      : network_(std::move(network)),
        head_(std::move(head)),
        info_(std::move(info)) {}

  const ModelInfo& info() const override { return info_; }

  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions& options,
                                      PhaseSink& sink) override {
    MODICUM_RETURN_IF_ERROR(CheckNotExplained(options, kEmbedLinear));
    std::vector<std::string_view> texts;
    for (const Item& item : items) {
      MODICUM_TRY(const std::string_view text, ItsText(item));
      texts.push_back(text);
    }
    MODICUM_TRY(auto vectors, EmbedTexts(*network_, texts, options, sink));
    std::vector<Item> rows;
    rows.reserve(items.size());
    for (size_t i = 0; i < items.size(); ++i)
      rows.push_back({items[i].id, items[i].group,
                      Numbers{std::move(vectors[i])}, kUnlabelled});
    return head_->Predict(rows, options, sink);
  }

 private:
  const std::unique_ptr<NeuralModel> network_;
  const std::unique_ptr<Model> head_;
  const ModelInfo info_;
};

class EmbedLinearTrainer final : public Trainer {
 public:
  std::string_view family() const override { return kEmbedLinear; }

  Status Accepts(const Dataset& data) const override {
    MODICUM_RETURN_IF_ERROR(CheckIsText(data, kEmbedLinear));
    return CheckClasses(data);
  }

  Result<TrainedModel> Train(const Dataset& data,
                             std::span<const uint32_t> rows,
                             const Params& params, const Budget& budget,
                             Checkpoint*, const std::string& directory,
                             PhaseSink& sink) override {
    static constexpr std::string_view kKnown[] = {kNetworkParam,
                                                  kNetworkHashParam, "C"};
    MODICUM_RETURN_IF_ERROR(CheckParamNames(params, kEmbedLinear, kKnown));
    MODICUM_TRY(const double c, NumberParam(params, "C", 1, 1e-6, 1e6));
    MODICUM_RETURN_IF_ERROR(Accepts(data));
    MODICUM_RETURN_IF_ERROR(CheckTrainingRows(data, rows));
    MODICUM_TRY(const std::string path, NetworkOf(params, kEmbedLinear));
    MODICUM_TRY(Vectors vectors,
                Features(path, params, data, rows, budget, sink));
    const Dataset table = TableOf(data, rows, std::move(vectors));
    std::vector<uint32_t> all(table.items.size());
    for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    MODICUM_TRY(Trainer * head, FindTrainer("linear"));
    MODICUM_TRY(
        TrainedModel trained,
        head->Train(table, all, {{"C", c}}, budget, nullptr, directory, sink));
    MODICUM_RETURN_IF_ERROR(PlaceNetwork(path, directory));
    trained.files.emplace_back(kNetworkFile);
    return trained;
  }

  Result<std::unique_ptr<Model>> Load(const std::string& directory,
                                      const std::vector<std::string>& labels,
                                      PhaseSink& sink) override {
    sink.Begin(Phase::kLoad);
    MODICUM_TRY(
        const std::string head,
        ReadWholeFile(directory + "/" + kTableLinearFile, kMaxModelFile));
    MODICUM_TRY(auto network, OpenNetwork(directory + "/" + kNetworkFile,
                                          OpenFor::kVectors, {}, sink));
    return MakeEmbedLinear(std::move(network), head, labels);
  }

 private:
  // From the cache where an earlier training made them.
  Result<Vectors> Features(const std::string& path, const Params& params,
                           const Dataset& data, std::span<const uint32_t> rows,
                           const Budget& budget, PhaseSink& sink) {
    const std::string network = Get(params, kNetworkHashParam, path);
    const std::lock_guard lock(mutex_);
    Vectors vectors(rows.size());
    std::vector<size_t> missing;
    std::vector<std::string_view> texts;
    for (size_t i = 0; i < rows.size(); ++i) {
      MODICUM_TRY(const std::string_view text, ItsText(data.items[rows[i]]));
      if (const auto* known = cache_.Find(KeyOf(network, text))) {
        vectors[i] = *known;
        continue;
      }
      missing.push_back(i);
      texts.push_back(text);
    }
    if (missing.empty()) return vectors;
    MODICUM_TRY(const auto opened,
                OpenNetwork(path, OpenFor::kVectors, budget.stop, sink));
    CallOptions call;
    call.stop = budget.stop;
    MODICUM_TRY(Vectors made, EmbedTexts(*opened, texts, call, sink));
    for (size_t m = 0; m < missing.size(); ++m) {
      cache_.Keep(KeyOf(network, texts[m]), made[m]);
      vectors[missing[m]] = std::move(made[m]);
    }
    return vectors;
  }

  std::mutex mutex_;
  VectorCache cache_;
};

class EmbedLinear final : public Engine {
 public:
  std::string_view name() const override { return kEmbedLinear; }
  std::string_view version() const override { return "1"; }
  std::vector<Trainer*> trainers() override { return {&trainer_}; }

 private:
  EmbedLinearTrainer trainer_;
};

}  // namespace

Result<std::unique_ptr<Model>> MakeEmbedLinear(
    std::unique_ptr<NeuralModel> network, std::string_view head,
    const std::vector<std::string>& labels) {
  MODICUM_TRY(const TableWeights weights, DecodeTableLinear(head));
  if (weights.columns.size() != network->info().width)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("the head reads {} components, the network {} "
                            "makes {}",
                            weights.columns.size(), network->info().path,
                            network->info().width),
                "the two are not of one model: fit again");
  MODICUM_TRY(auto model, MakeTableLinear(head, labels));
  ModelInfo info = InfoOn(*network, kEmbedLinear, labels);
  info.parameters += model->info().parameters;
  info.bytes += model->info().bytes;
  return std::make_unique<EmbedLinearModel>(std::move(network),
                                            std::move(model), std::move(info));
}

Engine& EmbedLinearEngine() {
  static EmbedLinear engine;
  return engine;
}

}  // namespace modicum
