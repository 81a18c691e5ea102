// SPDX-License-Identifier: Apache-2.0
// The module libmodicum-remote.so: nothing is trained, the model is a question
// to another machine. What leaves this one is the text itself.
#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "model/bytes.h"
#include "model/module.h"
#include "model/network_file.h"
#include "model/remote/remote_params.h"
#include "model/remote/remote_spec.h"

namespace modicum {
namespace {

constexpr int kMostAnswer = 16;    // tokens: a label is short
constexpr size_t kMostShown = 60;  // bytes of one without a label

Result<std::string> KeyOf(const RemoteSpec& spec) {
  if (spec.key.empty()) return std::string();
  const char* key = std::getenv(spec.key.c_str());
  if (key != nullptr && *key != '\0') return std::string(key);
  return Fail(ErrorCode::kPermission,
              fmt::format("{}: the environment has no {}", spec.name, spec.key),
              "set it to the endpoint's key");
}

// One call's items, shared out over a few connections.
class Questions {
 public:
  Questions(const RemoteSpec& spec, std::span<const Item> items,
            const CallOptions& options)
      : spec_(spec), items_(items), options_(options), labels_(items.size()) {}

  // Run by each connection's thread.
  void Work(ChatClient& client) {
    for (size_t i = next_++; i < items_.size() && !failed_; i = next_++) {
      const Status status = Answer(client, i);
      if (!status) Keep(status.error());
    }
  }

  Result<std::vector<Output>> Finish() {
    if (failed_) return Fail(std::move(failure_));
    std::vector<Output> outputs;
    for (const size_t label : labels_)
      outputs.emplace_back(Label{static_cast<LabelIndex>(label), {}, {}});
    return outputs;
  }

 private:
  Status Answer(ChatClient& client, size_t i) {
    const auto* text = std::get_if<Text>(&items_[i].payload);
    if (text == nullptr)
      return Fail(ErrorCode::kInvalidInput,
                  "remote reads text, and an item is something else");
    MODICUM_RETURN_IF_ERROR(CheckSpending());
    MODICUM_TRY(const ChatReply reply,
                client.Ask(RemoteQuestion(spec_, text->text), kMostAnswer,
                           options_.seed, options_.stop));
    const auto label = LabelIn(reply.text, spec_.prompt.words);
    RemoteUse use = UseOf(spec_, reply);
    use.unlabelled = label ? 0 : 1;
    if (!label) use.example = Excerpt(reply.text, kMostShown);
    AddRemoteUse(spec_.name, use);
    // Without one the first: such an answer is nearly always wrong.
    labels_[i] = label.value_or(0);
    return {};
  }

  Status CheckSpending() const {
    const RemoteUses uses = RemoteUseSoFar();
    const auto use = uses.find(spec_.name);
    if (use == uses.end() || use->second.price < spec_.most_spent) return {};
    return Fail(ErrorCode::kUnavailable,
                fmt::format("{} has cost {:.4g} {} so far, its limit is {:.4g}",
                            spec_.name, use->second.price, spec_.currency,
                            spec_.most_spent),
                "raise most_spent in [[remote]] to let it go on");
  }

  void Keep(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!failed_) failure_ = error;
    failed_ = true;
  }

  const RemoteSpec& spec_;
  const std::span<const Item> items_;
  const CallOptions& options_;
  std::vector<size_t> labels_;
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  Error failure_{};
};

class RemoteModel final : public Model {
 public:
  RemoteModel(RemoteSpec spec, ModelInfo info,
              std::vector<std::unique_ptr<ChatClient>> clients)
      : spec_(std::move(spec)),
        info_(std::move(info)),
        clients_(std::move(clients)) {}

  const ModelInfo& info() const override { return info_; }

  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions& options,
                                      PhaseSink& sink) override {
    MODICUM_RETURN_IF_ERROR(CheckNotExplained(options, kRemoteFamily));
    sink.Begin(Phase::kPrefill);
    Questions questions(spec_, items, options);
    {
      std::vector<std::jthread> threads;
      for (size_t i = 1; i < std::min(clients_.size(), items.size()); ++i)
        threads.emplace_back([&, i] { questions.Work(*clients_[i]); });
      questions.Work(*clients_.front());
    }
    return questions.Finish();
  }

 private:
  const RemoteSpec spec_;
  const ModelInfo info_;
  const std::vector<std::unique_ptr<ChatClient>> clients_;
};

class RemoteTrainer final : public Trainer {
 public:
  std::string_view family() const override { return kRemoteFamily; }

  Status Accepts(const Dataset& data) const override {
    if (data.columns.empty()) return {};
    return Fail(ErrorCode::kInvalidInput, "remote reads texts, not tables");
  }

  Result<TrainedModel> Train(const Dataset& data, std::span<const uint32_t>,
                             const Params& params, const Budget&, Checkpoint*,
                             const std::string& directory,
                             PhaseSink&) override {
    MODICUM_TRY(const RemoteSpec spec, RemoteSpecOf(params, data.labels));
    MODICUM_RETURN_IF_ERROR(
        WriteFileAtomically(directory + "/" + kRemoteFile, EncodeRemote(spec)));
    return TrainedModel{{kRemoteFile}};
  }

  Result<std::unique_ptr<Model>> Load(const std::string& directory,
                                      const std::vector<std::string>& labels,
                                      PhaseSink& sink) override {
    sink.Begin(Phase::kLoad);
    MODICUM_TRY(const std::string text,
                ReadWholeFile(directory + "/" + kRemoteFile, kMaxModelFile));
    MODICUM_TRY(RemoteSpec spec, DecodeRemote(text));
    if (spec.prompt.words.size() != labels.size())
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("{} has {} labels, its card {}", kRemoteFile,
                              spec.prompt.words.size(), labels.size()));
    ModelInfo info;
    info.family = kRemoteFamily;
    info.engine = "endpoint " + spec.name;
    info.engine_version = spec.model;
    info.bytes = Bytes(static_cast<double>(text.size()));
    info.labels = labels;
    info.not_deterministic = "another machine answers";
    MODICUM_TRY(auto clients, Connect(spec));
    return std::make_unique<RemoteModel>(std::move(spec), std::move(info),
                                         std::move(clients));
  }

 private:
  static Result<std::vector<std::unique_ptr<ChatClient>>> Connect(
      const RemoteSpec& spec) {
    ChatEndpoint endpoint;
    endpoint.url = spec.url;
    endpoint.model = spec.model;
    endpoint.key_variable = spec.key;
    endpoint.timeout = Seconds(spec.timeout_s);
    MODICUM_TRY(endpoint.key, KeyOf(spec));
    std::vector<std::unique_ptr<ChatClient>> clients;
    for (int64_t i = 0; i < spec.parallel; ++i) {
      MODICUM_TRY(auto client, ChatClient::Open(endpoint));
      clients.push_back(std::move(client));
    }
    return clients;
  }
};

class RemoteEngine final : public Engine {
 public:
  std::string_view name() const override { return kRemoteFamily; }
  std::string_view version() const override { return "1"; }
  std::vector<Trainer*> trainers() override { return {&trainer_}; }

 private:
  RemoteTrainer trainer_;
};

}  // namespace
}  // namespace modicum

MODICUM_ENGINE_MODULE(modicum::RemoteEngine)
