// SPDX-License-Identifier: Apache-2.0
// Loading, description and vocabulary.
#include "model/ggml/llama_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/ggml/backends.h"
#include "model/ggml/llama_log.h"
#include "model/ggml/vectors.h"
#include "model/ggml/vocabulary.h"
#include "model/gguf/gguf_memory.h"
#include "model/gguf/gguf_weights.h"

namespace modicum {
namespace {

struct Loading {
  const std::function<void(double)>& progress;
  const CallOptions& call;
};

bool OnProgress(float share, void* data) {
  const auto& loading = *static_cast<const Loading*>(data);
  if (loading.progress) loading.progress(double{share});
  return CheckCall(loading.call).has_value();
}

std::optional<TokenId> Known(llama_token token) {
  if (token == LLAMA_TOKEN_NULL) return std::nullopt;
  return token;
}

// Places that were learnt one by one end where training ended.
bool LearntPositions(const GgufFile& file) {
  return file.FindTensor("position_embd.weight") != nullptr;
}

Result<uint32_t> ContextOf(const GgufFile& file,
                           const NeuralSettings& settings) {
  const uint64_t trained =
      file.Unsigned(file.ArchitectureKey("context_length")).value_or(0);
  const auto wanted = static_cast<uint64_t>(settings.context);
  if (wanted > trained && trained > 0 && LearntPositions(file))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} has places for {} tokens, not for {}",
                            file.name, trained, wanted),
                fmt::format("use --context {} or less", trained));
  const uint64_t context = wanted > 0 ? wanted : trained;
  if (context == 0 || context > kMaxTokens)
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("{} says a context of {} tokens", file.name, context),
        "say how long it is to be: --context 4096");
  return static_cast<uint32_t>(context);
}

// Before the network is loaded.
Result<std::vector<AdapterWish>> CheckAdapters(const NeuralSettings& settings,
                                               const GgufFile& network) {
  std::vector<AdapterWish> wishes;
  for (const std::string& text : settings.lora) {
    MODICUM_TRY(AdapterWish wish, ParseAdapter(text));
    MODICUM_TRY(const GgufFile adapter,
                ReadGguf(wish.path, GgufCheck::kStructure));
    MODICUM_RETURN_IF_ERROR(CheckAdapter(adapter, network));
    MODICUM_RETURN_IF_ERROR(CheckWeights(adapter));
    wishes.push_back(std::move(wish));
  }
  return wishes;
}

std::string MetaText(const llama_model& model, const char* key) {
  std::array<char, 256> text{};
  const int length =
      llama_model_meta_val_str(&model, key, text.data(), text.size());
  return length < 0 ? "" : std::string(text.data());
}

// What our own check of the file lets pass.
tl::unexpected<Error> RefusedByLlama(const GgufFile& file,
                                     const LlamaErrors& errors) {
  if (errors.Mention("allocate"))
    return Fail(ErrorCode::kUnavailable,
                errors.Explain("llama.cpp cannot load " + file.name),
                "end other programs, or take a smaller network");
  return Fail(ErrorCode::kInvalidInput,
              errors.Explain("llama.cpp cannot load " + file.name),
              "the file was converted by another version, wrongly, or altered: "
              "get it from another source, or convert it again");
}

}  // namespace

Result<std::unique_ptr<NeuralModel>> LlamaModel::Open(
    const GgufFile& file, const NeuralSettings& settings,
    const std::function<void(double)>& progress, const CallOptions& call) {
  MODICUM_TRY(const uint32_t context, ContextOf(file, settings));
  MODICUM_TRY(const auto adapters, CheckAdapters(settings, file));
  MODICUM_TRY(ThreadPools pools, ThreadPools::Start(settings));
  std::unique_ptr<LlamaModel> model(new LlamaModel(settings, std::move(pools)));
  model->info_.context = context;
  MODICUM_RETURN_IF_ERROR(model->Load(file, progress, call));
  MODICUM_RETURN_IF_ERROR(model->LoadAdapters(adapters));
  model->Describe(file);
  MODICUM_RETURN_IF_ERROR(model->OpenFirst());
  return model;
}

Status LlamaModel::Load(const GgufFile& file,
                        const std::function<void(double)>& progress,
                        const CallOptions& call) {
  Loading loading{progress, call};
  llama_model_params params = llama_model_default_params();
  // Ends with a null; none but that: the CPU computes all.
  std::vector<ggml_backend_device*> gpus;
  if (settings_.gpu_layers != 0) gpus = Gpus();
  for (ggml_backend_device* const gpu : gpus)
    info_.gpus.push_back(fmt::format("{} ({})",
                                     ggml_backend_dev_description(gpu),
                                     ggml_backend_dev_name(gpu)));
  gpus.push_back(nullptr);
  params.devices = gpus.data();
  params.n_gpu_layers = settings_.gpu_layers;
  params.use_extra_bufts = settings_.repack;
  params.progress_callback = OnProgress;
  params.progress_callback_user_data = &loading;
  const LlamaErrors errors;
  model_.reset(llama_model_load_from_file(file.name.c_str(), params));
  if (model_ != nullptr) return {};
  MODICUM_RETURN_IF_ERROR(CheckCall(call));
  return RefusedByLlama(file, errors);
}

Status LlamaModel::LoadAdapters(const std::vector<AdapterWish>& wishes) {
  for (const AdapterWish& wish : wishes) {
    const LlamaErrors errors;
    llama_adapter_lora* adapter =
        llama_adapter_lora_init(model_.get(), wish.path.c_str());
    if (adapter == nullptr)
      return Fail(ErrorCode::kInvalidInput,
                  errors.Explain("llama.cpp cannot load " + wish.path),
                  "an adapter fits the network that it was trained on: name "
                  "that one with -m");
    adapters_.push_back(adapter);
    scales_.push_back(wish.scale);
  }
  return {};
}

Result<std::unique_ptr<Compute>> LlamaModel::OpenCompute(
    const ComputeShape& shape) {
  MODICUM_TRY(auto compute, Compute::Open(*model_, shape, settings_, pools_));
  if (!adapters_.empty()) compute->Adapt(adapters_, scales_);
  return compute;
}

void LlamaModel::Describe(const GgufFile& file) {
  const llama_model& model = *model_;
  vocabulary_ = llama_model_get_vocab(&model);
  info_.path = file.name;
  info_.engine = "llama.cpp";
  info_.engine_version = llama_version();
  info_.architecture = file.architecture();
  info_.name = MetaText(model, "general.name");
  info_.file_type = llama_ftype_name(llama_model_ftype(&model));
  info_.parameters = llama_model_n_params(&model);
  info_.bytes = Bytes(static_cast<double>(llama_model_size(&model)));
  info_.layers = static_cast<uint32_t>(llama_model_n_layer(&model));
  info_.width = static_cast<uint32_t>(llama_model_n_embd_out(&model));
  info_.context_trained =
      static_cast<uint32_t>(llama_model_n_ctx_train(&model));
  info_.vocabulary = static_cast<uint32_t>(llama_vocab_n_tokens(vocabulary_));
  if (llama_vocab_get_add_bos(vocabulary_))
    info_.beginning = Known(llama_vocab_bos(vocabulary_));
  info_.end = Known(llama_vocab_eos(vocabulary_));
  for (TokenId token = 0; token < llama_vocab_n_tokens(vocabulary_); ++token)
    if (llama_vocab_is_eog(vocabulary_, token)) ends_.push_back(token);
  pooling_ = static_cast<enum llama_pooling_type>(
      file.Unsigned(file.ArchitectureKey("pooling_type")).value_or(0));
  if (pooling_ == LLAMA_POOLING_TYPE_RANK) {
    for (uint32_t i = 0; i < llama_model_n_cls_out(&model); ++i) {
      const char* label = llama_model_cls_label(&model, i);
      info_.labels.push_back(label == nullptr ? std::to_string(i) : label);
    }
  }
  GgufContext step{.tokens = 256};  // of llama.cpp's caches
  if (const GgmlTypeInfo* type = FindGgmlType(settings_.kv_type))
    step.key_type = step.value_type = type->type;
  kv_bytes_per_token_ =
      KeyValueMemory(file, step).value() / static_cast<double>(step.tokens);
  // Whether it keeps what it reads, which OpenFirst() finds out, is still
  // open.
  info_.generates =
      llama_model_has_decoder(&model) && !llama_model_has_encoder(&model) &&
      !llama_model_is_diffusion(&model) &&
      file.Flag(file.ArchitectureKey("attention.causal")).value_or(true);
}

// What will most likely be asked for, so that what cannot be is known now.
Status LlamaModel::OpenFirst() {
  const bool pools = settings_.vectors || pooling_ != LLAMA_POOLING_TYPE_NONE;
  if (info_.generates) {
    const bool small = pools;  // what it keeps matters, not how much
    ComputeShape shape = TextShape();
    if (small) shape.cells = shape.batch = shape.micro_batch = shape.sequences;
    MODICUM_TRY(auto text, OpenCompute(shape));
    info_.generates = text->memory() != nullptr;
    if (info_.generates && !small) text_ = std::move(text);
  }
  if (info_.generates && !pools) return {};
  return VectorCompute(1).map([](Compute*) {});
}

ComputeShape LlamaModel::TextShape() const {
  const auto sequences = static_cast<uint32_t>(settings_.sequences);
  ComputeShape shape;
  shape.cells = info_.context * sequences;
  shape.sequences = sequences + 1;  // one holds the prompt that they share
  shape.batch = std::min(static_cast<uint32_t>(settings_.batch), shape.cells);
  shape.micro_batch =
      std::min(static_cast<uint32_t>(settings_.micro_batch), shape.batch);
  return shape;
}

Result<Compute*> LlamaModel::TextCompute() {
  if (!info_.generates) return NoDecoder(info_.path);
  if (text_ == nullptr) {
    MODICUM_TRY(text_, OpenCompute(TextShape()));
  }
  return text_.get();
}

Status LlamaModel::CheckLength(size_t count, std::string_view what) const {
  if (count == 0)
    return Fail(ErrorCode::kInvalidInput, fmt::format("{} is empty", what),
                "give it at least one token");
  if (count <= info_.context) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{} has {} tokens, the context holds {}", what, count,
                          info_.context),
              count <= info_.context_trained
                  ? fmt::format("use --context {} or more", count)
                  : "shorten it");
}

SeqWork LlamaModel::WorkOf(uint64_t id, size_t in, size_t out,
                           size_t kept) const {
  return {
      RequestId{id}, static_cast<uint32_t>(in), static_cast<uint32_t>(out),
      static_cast<uint64_t>(kv_bytes_per_token_ * static_cast<double>(kept))};
}

Result<TokenIds> LlamaModel::Tokenize(std::string_view text,
                                      bool special) const {
  if (llama_vocab_type(vocabulary_) == LLAMA_VOCAB_TYPE_NONE)
    return Fail(ErrorCode::kUnavailable, info_.path + " has no vocabulary");
  return ReadTokens(*vocabulary_, text, special);
}

Result<TokenIds> LlamaModel::TokenizePair(std::string_view query,
                                          std::string_view document) const {
  if (pooling_ != LLAMA_POOLING_TYPE_RANK || info_.labels.size() != 1 ||
      info_.generates)
    return NoReranker(info_.path);
  MODICUM_TRY(TokenIds pair, Tokenize(query, true));
  MODICUM_TRY(const TokenIds second, Tokenize(document, true));
  // WordPiece ends a text with the separator; others, as RoBERTa's, have one
  // between two texts beside that.
  if (llama_vocab_get_add_sep(vocabulary_) &&
      llama_vocab_type(vocabulary_) != LLAMA_VOCAB_TYPE_WPM)
    pair.push_back(llama_vocab_sep(vocabulary_));
  const bool begins =
      !second.empty() && info_.beginning && second.front() == *info_.beginning;
  pair.insert(pair.end(), second.begin() + (begins ? 1 : 0), second.end());
  return pair;
}

std::string LlamaModel::Piece(TokenId token) const {
  if (token < 0 || token >= llama_vocab_n_tokens(vocabulary_)) return "";
  std::string piece(32, '\0');
  int length =
      llama_token_to_piece(vocabulary_, token, piece.data(),
                           static_cast<int32_t>(piece.size()), 0, false);
  if (length < 0) {
    piece.resize(static_cast<size_t>(-length));
    length = llama_token_to_piece(vocabulary_, token, piece.data(),
                                  static_cast<int32_t>(piece.size()), 0, false);
  }
  piece.resize(static_cast<size_t>(std::max(length, 0)));
  return piece;
}

}  // namespace modicum
