// SPDX-License-Identifier: Apache-2.0
// Files are checked here before the library sees them.
#include "model/ggml/llama_engine.h"

#include <fmt/format.h>
#include <llama.h>

#include <charconv>
#include <filesystem>

#include "base/format.h"
#include "base/root_fs.h"
#include "model/ggml/adapter.h"
#include "model/ggml/architectures.h"
#include "model/ggml/backends.h"
#include "model/ggml/bert_model.h"
#include "model/ggml/encoder_base.h"
#include "model/ggml/head_training.h"
#include "model/ggml/headed_encoder.h"
#include "model/ggml/llama_log.h"
#include "model/ggml/llama_model.h"
#include "model/ggml/network_trial.h"
#include "model/ggml/quantize.h"
#include "model/ggml/sandbox.h"
#include "model/gguf/gguf_memory.h"
#include "model/gguf/gguf_weights.h"

namespace modicum {
namespace {

// What the kernel would give without swapping (proc(5)); nullopt: not known.
std::optional<Bytes> AvailableMemory() {
  const auto text = RootFs().Read("/proc/meminfo");
  if (!text) return std::nullopt;
  constexpr std::string_view kKey = "MemAvailable:";
  const size_t key = text->find(kKey);
  if (key == text->npos) return std::nullopt;
  const size_t digits = text->find_first_of("0123456789", key);
  if (digits == text->npos) return std::nullopt;
  double kibibytes = 0;
  std::from_chars(text->data() + digits, text->data() + text->size(),
                  kibibytes);
  return Bytes(kibibytes * 1024);
}

// Rather no answer than a machine that swaps.
Status CheckRoom(const GgufFile& file, const NeuralSettings& settings) {
  auto available = AvailableMemory();
  if (!available) return {};
  if (settings.gpu_layers != 0)
    for (ggml_backend_device* const gpu : Gpus()) {
      size_t free = 0, total = 0;
      ggml_backend_dev_memory(gpu, &free, &total);
      *available += Bytes(static_cast<double>(free));
    }
  GgufContext context;
  const uint64_t trained =
      file.Unsigned(file.ArchitectureKey("context_length")).value_or(0);
  const uint64_t tokens =
      settings.context > 0 ? static_cast<uint64_t>(settings.context) : trained;
  context.tokens =
      settings.vectors
          ? 1  // 0 would be as many as it was trained for
          : tokens * static_cast<uint64_t>(std::max(1, settings.sequences));
  if (const GgmlTypeInfo* type = FindGgmlType(settings.kv_type))
    context.key_type = context.value_type = type->type;
  return CheckMemory(file, context, *available);
}

// The numbers of both as they are computed with.
Status CheckSinglePrecisionFits(const GgufFile& body, const GgufFile& head) {
  const auto available = AvailableMemory();
  const Bytes needed(sizeof(float) * static_cast<double>(body.parameters() +
                                                         head.parameters()));
  if (!available || needed <= *available) return {};
  return Fail(
      ErrorCode::kUnavailable,
      fmt::format("{} needs {} in single precision, {} are free", body.name,
                  FormatBytes(needed), FormatBytes(*available)),
      "end other programs, or take a smaller network");
}

// What the trial of a file may take: to read it at 20 MB/s, and what is
// computed on top.
SandboxLimits LimitsFor(uint64_t bytes) {
  const auto size = static_cast<double>(bytes);
  return {Bytes(4 * size + 4e9), Seconds(60 + size / 20e6)};
}

uint64_t BytesOf(std::span<const std::string> files) {
  uint64_t bytes = 0;
  for (const std::string& path : files) {
    std::error_code error;
    const uint64_t own = std::filesystem::file_size(path, error);
    if (!error) bytes += own;
  }
  return bytes;
}

// All of it once: every number, the vocabulary, one token through every layer.
// After the network its adapters.
Status TryHere(std::span<const std::string> files) {
  MODICUM_RETURN_IF_ERROR(OpenBackends());
  MODICUM_RETURN_IF_ERROR(EnterSandbox(LimitsFor(BytesOf(files))));
  MODICUM_TRY(const GgufFile file, ReadNetwork(files.front()));
  MODICUM_RETURN_IF_ERROR(CheckWeights(file));
  constexpr uint64_t kContext = 64;
  NeuralSettings settings;
  settings.threads = 1;
  settings.gpu_layers = 0;
  for (const std::string& adapter : files.subspan(1))
    settings.lora.push_back(adapter + ":1");
  settings.context = static_cast<int>(
      std::min(kContext, file.Unsigned(file.ArchitectureKey("context_length"))
                             .value_or(kContext)));
  MODICUM_TRY(const auto model, LlamaModel::Open(file, settings, {}, {}));
  TokenIds tokens = model->Tokenize("a", true).value_or(TokenIds{});
  if (tokens.empty()) tokens = {0};
  if (tokens.size() > static_cast<size_t>(settings.context))
    tokens.resize(static_cast<size_t>(settings.context));
  NullSink sink;
  const NeuralInfo& info = model->info();
  if (info.generates) {
    GenerateOptions options;
    options.max_tokens = 1;
    return model->Generate(tokens, options, {}, sink)
        .map([](const Generation&) {});
  }
  const auto ignore = [](const auto&) {};
  if (!info.labels.empty())
    return model->Classify({{tokens}}, {}, sink).map(ignore);
  return model->Embed({{tokens}}, false, {}, sink).map(ignore);
}

class LlamaEngine final : public NeuralEngine {
 public:
  LlamaEngine() {
    CatchLlamaLog();
    llama_backend_init();
  }

  std::string_view name() const override { return "llama.cpp"; }
  std::string_view version() const override { return llama_version(); }

  Result<std::unique_ptr<NeuralModel>> Open(
      const std::string& path, const NeuralSettings& settings,
      const std::function<void(double)>& progress, const CallOptions& call,
      PhaseSink& sink) override {
    MODICUM_RETURN_IF_ERROR(CheckSettings(settings));
    MODICUM_RETURN_IF_ERROR(OpenBackends());
    MODICUM_TRY(const GgufFile file, ReadNetwork(path));
    MODICUM_RETURN_IF_ERROR(CheckRoom(file, settings));
    std::vector<std::string> files = {path};
    for (const std::string& text : settings.lora) {
      MODICUM_TRY(AdapterWish wish, ParseAdapter(text));
      files.push_back(std::move(wish.path));
    }
    MODICUM_RETURN_IF_ERROR(Try(files, call));
    sink.Begin(Phase::kLoad);
    MODICUM_TRY(auto bert, OpenAsBert(file, settings, AvailableMemory()));
    if (bert != nullptr) return bert;
    return LlamaModel::Open(file, settings, progress, call);
  }

  Result<std::unique_ptr<HeadedEncoder>> OpenHeaded(
      const std::string& path, const NeuralSettings& settings,
      const CallOptions& call, PhaseSink& sink) override {
    MODICUM_RETURN_IF_ERROR(OpenBackends());
    MODICUM_TRY(const EncoderBase base, ReadEncoderBase(path));
    MODICUM_RETURN_IF_ERROR(Try({path}, call));
    sink.Begin(Phase::kLoad);
    MODICUM_TRY(const HeadFile head, ReadHeadOf(base.file));
    MODICUM_RETURN_IF_ERROR(CheckSinglePrecisionFits(base.file, head.file));
    return OpenHeadedEncoder(base, head, settings);
  }

  void SetGuard(NetworkGuard guard) override { guard_ = std::move(guard); }

  [[noreturn]] void TryAndEnd(std::span<const std::string> files) override {
    EndTrial(TryHere(files));
  }

  Status CheckEncoderBase(const std::string& path) override {
    MODICUM_TRY(const EncoderBase base, ReadEncoderBase(path));
    return Try({base.file.name}, {});
  }

  Status TrainHead(const HeadJob& job, PhaseSink& sink) override {
    MODICUM_RETURN_IF_ERROR(OpenBackends());
    if (job.settings.base.empty()) return TrainHeadOn(nullptr, job, sink);
    MODICUM_TRY(const EncoderBase base, ReadEncoderBase(job.settings.base));
    CallOptions call;
    call.stop = job.budget.stop;
    MODICUM_RETURN_IF_ERROR(Try({base.file.name}, call));
    return TrainHeadOn(&base, job, sink);
  }

  Status Quantize(const std::string& from, const std::string& to,
                  const QuantizeOptions& options) override {
    MODICUM_TRY(const GgufFile file, ReadNetwork(from));
    std::error_code ignored;
    if (std::filesystem::equivalent(from, to, ignored))
      return Fail(ErrorCode::kInvalidInput,
                  to + " is the file that is to be quantized",
                  "name another with -o");
    CallOptions call;
    call.stop = options.stop;
    MODICUM_RETURN_IF_ERROR(Try({from}, call));
    return QuantizeFile(file, to, options);
  }

 private:
  Status Try(const std::vector<std::string>& files,
             const CallOptions& call) const {
    if (guard_.program.empty()) return {};
    return TryInChild(guard_, files, version(), call);
  }

  NetworkGuard guard_;
};

}  // namespace

std::unique_ptr<NeuralEngine> MakeLlamaEngine() {
  return std::make_unique<LlamaEngine>();
}

}  // namespace modicum
