// SPDX-License-Identifier: Apache-2.0
// Files are checked here before the library sees them.
#include "model/ggml/llama_engine.h"

#include <llama.h>

#include <charconv>
#include <filesystem>

#include "base/root_fs.h"
#include "model/ggml/encoder_base.h"
#include "model/ggml/llama_log.h"
#include "model/ggml/llama_model.h"
#include "model/ggml/quantize.h"
#include "model/gguf/gguf_memory.h"

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
  const auto available = AvailableMemory();
  if (!available) return {};
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
    sink.Begin(Phase::kLoad);
    MODICUM_TRY(const GgufFile file, ReadGguf(path));
    MODICUM_RETURN_IF_ERROR(CheckRoom(file, settings));
    return LlamaModel::Open(file, settings, progress, call);
  }

  Status CheckEncoderBase(const std::string& path) override {
    return ReadEncoderBase(path).map([](const EncoderBase&) {});
  }

  Status Quantize(const std::string& from, const std::string& to,
                  const QuantizeOptions& options) override {
    MODICUM_TRY(const GgufFile file, ReadGguf(from));
    std::error_code ignored;
    if (std::filesystem::equivalent(from, to, ignored))
      return Fail(ErrorCode::kInvalidInput,
                  to + " is the file that is to be quantized",
                  "name another with -o");
    return QuantizeFile(file, to, options);
  }
};

}  // namespace

std::unique_ptr<NeuralEngine> MakeLlamaEngine() {
  return std::make_unique<LlamaEngine>();
}

}  // namespace modicum
