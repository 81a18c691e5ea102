// SPDX-License-Identifier: Apache-2.0
#include "model/import/import_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/format.h"
#include "model/gguf/gguf_names.h"
#include "model/gguf/gguf_writer.h"
#include "model/gguf/head_file.h"
#include "model/import/float_convert.h"
#include "model/import/hf_config.h"
#include "model/import/hf_tensors.h"
#include "model/import/hf_tokenizer.h"
#include "model/safetensors.h"
#include "model/strict_json.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxConfig = 16'000'000;
constexpr uint64_t kMaxTokenizer = 200'000'000;
constexpr uint64_t kChunk = uint64_t{1} << 20;  // numbers at a time

// llama_pooling_type of llama.h, llama.cpp v0.5.0.
constexpr uint32_t kMean = 1;
constexpr uint32_t kFirst = 2;
constexpr uint32_t kLast = 3;
constexpr uint32_t kRank = 4;

std::string_view ArchitectureOf(HfFamily family) {
  switch (family) {
    case HfFamily::kLlama:
    case HfFamily::kMixtral:
      return "llama";
    case HfFamily::kPhi:
      return "phi2";
    default:
      break;
  }
  return "bert";
}

// Null where the file is not there.
Result<Json> ReadOptional(const std::string& path, uint64_t limit) {
  Result<Json> json = ReadStrictJson(path, limit);
  if (!json && json.error().code == ErrorCode::kNotFound) return Json();
  return json;
}

class MetadataWriter {
 public:
  MetadataWriter(const HfConfig& config, GgmlType type)
      : c_(config), architecture_(ArchitectureOf(config.family)), type_(type) {}

  GgufMetadata Write(const std::string& name, std::optional<uint32_t> pooling) {
    const std::string spelled(InfoOf(type_).name);
    out_ = {{"general.architecture", std::string(architecture_)},
            {"general.type", std::string("model")},
            {"general.name", name},
            {"general.file_type", FindFileType(spelled)->id}};
    WriteSizes();
    if (architecture_ == "bert") {
      WriteBert(pooling);
    } else {
      WriteRope();
    }
    return std::move(out_);
  }

 private:
  void Set(std::string_view key, GgufValue value) {
    out_.emplace_back(fmt::format("{}.{}", architecture_, key),
                      std::move(value));
  }
  void SetCount(std::string_view key, uint64_t count) {
    Set(key, static_cast<uint32_t>(count));
  }
  void SetNumber(std::string_view key, double number) {
    Set(key, static_cast<float>(number));
  }
  void WriteSizes() {
    SetCount("context_length", c_.context);
    SetCount("embedding_length", c_.width);
    SetCount("block_count", c_.layers);
    SetCount("feed_forward_length", c_.inner);
    SetCount("attention.head_count", c_.heads);
    SetCount("attention.head_count_kv", c_.kv_heads);
    SetNumber(architecture_ == "llama" ? "attention.layer_norm_rms_epsilon"
                                       : "attention.layer_norm_epsilon",
              c_.epsilon);
    if (architecture_ != "llama") return;
    SetCount("vocab_size", c_.vocabulary);
    SetCount("attention.key_length", c_.head_size);
    SetCount("attention.value_length", c_.head_size);
    if (c_.experts == 0) return;
    SetCount("expert_count", c_.experts);
    SetCount("expert_used_count", c_.experts_used);
  }
  void WriteRope() {
    const HfRope& rope = c_.rope;
    // An even number, as numbers turn in pairs.
    SetCount("rope.dimension_count",
             static_cast<uint64_t>(rope.partial *
                                   static_cast<double>(c_.head_size)));
    SetNumber("rope.freq_base", rope.base);
    if (rope.scaling != "linear" && rope.scaling != "yarn") return;
    Set("rope.scaling.type", rope.scaling);
    SetNumber("rope.scaling.factor", rope.factor);
    if (rope.scaling == "linear") return;
    SetCount("rope.scaling.original_context_length", rope.original_context);
    if (rope.attention)
      SetNumber("rope.scaling.yarn_attn_factor", *rope.attention);
    if (rope.beta_fast)
      SetNumber("rope.scaling.yarn_beta_fast", *rope.beta_fast);
    if (rope.beta_slow)
      SetNumber("rope.scaling.yarn_beta_slow", *rope.beta_slow);
  }
  void WriteBert(std::optional<uint32_t> pooling) {
    Set("attention.causal", false);
    if (c_.family == HfFamily::kBertClassifier) {
      Set("pooling_type", kRank);
      Set("classifier.output_labels", GgufArray::Of(c_.labels));
    } else if (pooling) {
      Set("pooling_type", *pooling);
    }
  }

  const HfConfig& c_;
  std::string_view architecture_;
  GgmlType type_;
  GgufMetadata out_;
};

// How sentence-transformers makes one vector of a text's; none where the
// folder does not say.
Result<std::optional<uint32_t>> ReadPooling(const std::string& folder) {
  const std::string path = folder + "/1_Pooling/config.json";
  MODICUM_TRY(const Json json, ReadOptional(path, kMaxConfig));
  if (json.is_null()) return std::optional<uint32_t>();
  const auto says = [&](const char* key) {
    return json.is_object() && json.contains(key) && json[key] == true;
  };
  if (says("pooling_mode_mean_tokens")) return std::optional(kMean);
  if (says("pooling_mode_cls_token")) return std::optional(kFirst);
  if (says("pooling_mode_lasttoken")) return std::optional(kLast);
  return Fail(ErrorCode::kInvalidInput,
              path + ": the pooling is neither of mean, cls and lasttoken",
              kTakeGguf);
}

// The template may lie in a file of its own.
Status AddChatTemplate(const std::string& folder, Json& settings) {
  const std::string path = folder + "/chat_template.jinja";
  if (!std::filesystem::exists(path)) return {};
  MODICUM_TRY(const RandomAccessFile file, RandomAccessFile::Open(path));
  if (file.size() > kMaxConfig)
    return Fail(ErrorCode::kInvalidInput,
                path + " is longer than a template can be", kGetFolderAgain);
  MODICUM_TRY(std::string text, file.Read(0, file.size()));
  if (settings.is_null()) settings = Json::object();
  if (settings.is_object() && !settings.contains("chat_template"))
    settings["chat_template"] = std::move(text);
  return {};
}

// Rows, converted and, within each head, put where llama.cpp turns them.
class TensorStream {
 public:
  TensorStream(const SafetensorsSet& weights, const PlannedTensor& planned,
               GgufWriter& writer)
      : weights_(weights), planned_(planned), writer_(writer) {}

  // `wrote` is told of every part; it fails to stop.
  Status Write(const std::function<Status(uint64_t bytes)>& wrote) {
    if (planned_.sources.empty()) return WriteMade();
    for (const SafeTensor* source : planned_.sources)
      MODICUM_RETURN_IF_ERROR(WriteSource(*source, wrote));
    return {};
  }

 private:
  Status WriteMade() {
    return writer_.Append({reinterpret_cast<const char*>(planned_.made.data()),
                           planned_.made.size() * sizeof(float)});
  }
  Status WriteSource(const SafeTensor& source,
                     const std::function<Status(uint64_t)>& wrote) {
    const uint64_t all = source.elements();
    const uint64_t in_width = source.bytes / all;
    const uint64_t out_width = InfoOf(planned_.gguf.type).bytes;
    const uint64_t part =
        planned_.turned_heads > 0 ? all / planned_.turned_heads : kChunk;
    in_.resize(std::min(part, all) * in_width);
    out_.resize(std::min(part, all) * out_width);
    for (uint64_t at = 0; at < all; at += part) {
      const uint64_t count = std::min(part, all - at);
      MODICUM_RETURN_IF_ERROR(weights_.ReadInto(source, at * in_width,
                                                in_.data(), count * in_width));
      const auto bad = ConvertFloats(source.type, in_.data(), count,
                                     planned_.gguf.type, out_.data());
      if (bad) return NotFinite(source, at + *bad);
      if (planned_.turned_heads > 0) Turn(count * out_width, source.shape[0]);
      MODICUM_RETURN_IF_ERROR(writer_.Append({out_.data(), count * out_width}));
      MODICUM_RETURN_IF_ERROR(wrote(count * out_width));
    }
    return {};
  }
  // One head: row i of its first half and row i of its second half come to
  // stand one after the other.
  void Turn(uint64_t bytes, uint64_t all_rows) {
    const uint64_t rows = all_rows / planned_.turned_heads;
    const uint64_t row = bytes / rows;
    turned_.resize(bytes);
    for (uint64_t i = 0; i < rows / 2; ++i)
      for (const uint64_t half : {0U, 1U})
        std::copy_n(out_.data() + (half * (rows / 2) + i) * row, row,
                    turned_.data() + (2 * i + half) * row);
    out_.swap(turned_);
  }
  Status NotFinite(const SafeTensor& source, uint64_t index) const {
    const bool half =
        planned_.gguf.type == GgmlType::kF16 && source.type != SafeType::kF16;
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: tensor {} has a number at index {} that is "
                            "not finite{}",
                            weights_.PathOf(source), Shown(source.name),
                            FormatCount(index),
                            half ? ", or beyond the 65,504 of f16" : ""),
                half ? "try --type bf16 or f32"
                     : "the training diverged or the file was altered: get "
                       "another version of the model");
  }

  const SafetensorsSet& weights_;
  const PlannedTensor& planned_;
  GgufWriter& writer_;
  std::vector<char> in_, out_, turned_;
};

// Everything of a file but the weights themselves.
struct Prepared {
  GgufMetadata metadata;
  std::vector<PlannedTensor> plan;

  std::vector<GgufTensor> Tensors() const {
    std::vector<GgufTensor> tensors;
    for (const PlannedTensor& planned : plan) tensors.push_back(planned.gguf);
    return tensors;
  }
};

struct PreparedModel {
  Prepared model;
  std::optional<HeadKind> kind;  // of the head; none: it has none of its own
  std::vector<std::string> labels;
  std::vector<PlannedTensor> head;

  // Of the head, on a body of this hash.
  Prepared HeadOn(const Hash& body) const {
    return {DescribeHead(*kind, labels, body), head};
  }
};

Result<PreparedModel> Prepare(const std::string& folder,
                              const SafetensorsSet& weights,
                              const ImportOptions& options) {
  const std::string config_path = folder + "/config.json";
  const std::string tokenizer_path = folder + "/tokenizer.json";
  MODICUM_TRY(const Json config_json, ReadStrictJson(config_path, kMaxConfig));
  MODICUM_TRY(const HfConfig config, ParseHfConfig(config_json, config_path));
  MODICUM_TRY(TensorPlan plan, PlanTensors(config, weights, options.type));
  PreparedModel prepared;
  prepared.model.plan = std::move(plan.model);
  prepared.kind = HeadOf(config.family);
  prepared.head = std::move(plan.head);
  if (prepared.kind == HeadKind::kTokenClassification)
    prepared.labels = config.labels;
  Result<Json> tokenizer = ReadStrictJson(tokenizer_path, kMaxTokenizer);
  if (!tokenizer && tokenizer.error().code == ErrorCode::kNotFound)
    return Fail(ErrorCode::kNotFound, folder + " has no tokenizer.json",
                "tokenizer.model alone is not read: save the model's \"fast\" "
                "tokenizer beside it");
  if (!tokenizer) return Fail(tokenizer.error());
  MODICUM_TRY(Json settings,
              ReadOptional(folder + "/tokenizer_config.json", kMaxTokenizer));
  MODICUM_RETURN_IF_ERROR(AddChatTemplate(folder, settings));
  MODICUM_TRY(GgufMetadata vocabulary,
              ConvertTokenizer(*tokenizer, settings, config, tokenizer_path));
  MODICUM_TRY(const auto pooling, ReadPooling(folder));
  const GgmlType type = options.type.value_or(StoredType(weights));
  const std::string name =
      std::filesystem::weakly_canonical(folder).filename().string();
  GgufMetadata& metadata = prepared.model.metadata;
  metadata = MetadataWriter(config, type).Write(name, pooling);
  std::ranges::move(vocabulary, std::back_inserter(metadata));
  return prepared;
}

Result<GgufFile> Rehearse(const Prepared& prepared, const std::string& folder,
                          GgufCheck check) {
  std::vector<GgufTensor> tensors = prepared.Tensors();
  MODICUM_RETURN_IF_ERROR(PlaceTensors(tensors));
  const std::string header = GgufHeader(prepared.metadata, tensors);
  const GgufTensor& last = tensors.back();
  Result<GgufFile> file = ParseGguf(
      header, header.size() + last.offset + last.bytes, folder, check);
  if (file) return file;
  return Fail(file.error().code, file.error().message,
              "config.json and tokenizer.json do not make a whole model: get "
              "the folder again");
}

// What would be written is what every reader here takes: said before the
// weights are copied.
Result<ImportedModel> Rehearse(const PreparedModel& prepared,
                               const std::string& folder) {
  ImportedModel imported;
  MODICUM_TRY(imported.model,
              Rehearse(prepared.model, folder, GgufCheck::kModel));
  if (!prepared.kind) return imported;
  MODICUM_TRY(imported.head,
              Rehearse(prepared.HeadOn({}), folder, GgufCheck::kStructure));
  MODICUM_TRY(const HeadFile head, ParseHead(*imported.head));
  MODICUM_RETURN_IF_ERROR(CheckHeadFits(head, imported.model));
  return imported;
}

// Files of one import, and how far it is with all of them.
class FileCopy {
 public:
  FileCopy(const SafetensorsSet& weights, uint64_t total,
           const ImportOptions& options)
      : weights_(weights), total_(total), options_(options) {}

  Status Write(const Prepared& prepared, const std::string& path) {
    MODICUM_TRY(GgufWriter writer, GgufWriter::Create(path, prepared.metadata,
                                                      prepared.Tensors()));
    for (const PlannedTensor& planned : prepared.plan) {
      const auto wrote = [&](uint64_t bytes) -> Status {
        return Tell(bytes, planned.gguf.name);
      };
      TensorStream stream(weights_, planned, writer);
      MODICUM_RETURN_IF_ERROR(stream.Write(wrote));
    }
    return writer.Finish();
  }

 private:
  Status Tell(uint64_t bytes, std::string_view tensor) {
    done_ += bytes;
    if (options_.progress) options_.progress(done_, total_, tensor);
    if (options_.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted,
                  "import interrupted; nothing was written");
    return {};
  }

  const SafetensorsSet& weights_;
  const uint64_t total_;
  const ImportOptions& options_;
  uint64_t done_ = 0;
};

uint64_t BytesOf(const ImportedModel& imported) {
  Bytes bytes = imported.model.bytes();
  if (imported.head) bytes += imported.head->bytes();
  return static_cast<uint64_t>(bytes.value());
}

}  // namespace

Result<ImportedModel> ImportFolder(const std::string& folder,
                                   const std::string& output,
                                   const ImportOptions& options) {
  MODICUM_TRY(const SafetensorsSet weights, SafetensorsSet::Open(folder));
  MODICUM_TRY(const PreparedModel prepared, Prepare(folder, weights, options));
  MODICUM_TRY(ImportedModel imported, Rehearse(prepared, folder));
  imported.model.name = output;
  FileCopy copy(weights, BytesOf(imported), options);
  MODICUM_RETURN_IF_ERROR(copy.Write(prepared.model, output));
  if (!prepared.kind) return imported;
  imported.head->name = HeadPathOf(output);
  const Status with_head = [&]() -> Status {
    MODICUM_TRY(const Hash body, Sha256OfFile(output));
    return copy.Write(prepared.HeadOn(body), imported.head->name);
  }();
  if (with_head) return imported;
  std::filesystem::remove(output);  // all or nothing
  return Fail(with_head.error());
}

}  // namespace modicum
