// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/encoder_base.h"

#include <fmt/format.h>
#include <ggml.h>
#include <llama.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "model/ggml/architectures.h"
#include "model/gguf/gguf_names.h"

namespace modicum {

namespace {

constexpr char kWhatFits[] =
    "name a file that 'modicum import' made of a BERT, or an encoder that "
    "'modicum fit' trained";
constexpr char kOtherFile[] =
    "the file was converted wrongly or is of a variant of BERT: take another";
// Numbers that are read at a time.
constexpr uint64_t kChunk = uint64_t{1} << 20;
// As ggml wants numbers that it computes with.
constexpr uint64_t kTensorAlignment = 32;

tl::unexpected<Error> Refuse(const GgufFile& file, std::string_view what,
                             std::string_view hint) {
  return Fail(ErrorCode::kInvalidInput, fmt::format("{}: {}", file.name, what),
              std::string(hint));
}

// llama.cpp does without these, which is as if they were zero.
bool MayBeMissing(std::string_view name) {
  return name.ends_with(".bias") && !name.ends_with("_norm.bias");
}

// Of this kind of network alone.
Status CheckKind(const GgufFile& file) {
  if (file.architecture() != "bert")
    return Refuse(file,
                  fmt::format("a network of architecture '{}' is no base of an "
                              "encoder: 'bert' is",
                              file.architecture()),
                  kWhatFits);
  const std::string_view tokenizer =
      file.Text("tokenizer.ggml.model").value_or("none");
  if (tokenizer != "bert")
    return Refuse(file,
                  fmt::format("its vocabulary is of kind {}, not of WordPiece",
                              Shown(tokenizer)),
                  kWhatFits);
  if (file.Flag("bert.attention.causal").value_or(true))
    return Refuse(file,
                  "'bert.attention.causal' is not false: it reads forwards "
                  "alone, and an encoder both ways",
                  kOtherFile);
  return {};
}

Result<EncoderShape> ShapeOf(const GgufFile& file) {
  const auto number = [&](std::string_view key) {
    return static_cast<uint32_t>(file.Unsigned(key).value_or(0));
  };
  EncoderShape shape;
  const GgufArray* tokens = file.Array("tokenizer.ggml.tokens");
  shape.vocabulary =
      tokens == nullptr ? 0 : static_cast<uint32_t>(tokens->size);
  shape.width = number("bert.embedding_length");
  shape.layers = number("bert.block_count");
  shape.heads = number("bert.attention.head_count");
  shape.feed_forward = number("bert.feed_forward_length");
  shape.context = number("bert.context_length");
  shape.epsilon = static_cast<float>(
      file.Number("bert.attention.layer_norm_epsilon").value_or(0));
  shape.key_bias = file.FindTensor("blk.0.attn_k.bias") != nullptr;
  if (file.FindTensor("token_types.weight") != nullptr)
    shape.token_types = number("tokenizer.ggml.token_type_count");
  if (shape.heads == 0 || shape.feed_forward == 0 ||
      file.Unsigned("bert.attention.head_count_kv").value_or(shape.heads) !=
          shape.heads)
    return Refuse(file, "its layers are not alike, or share keys and values",
                  kOtherFile);
  return shape;
}

Status CheckTensors(const GgufFile& file, const EncoderShape& shape) {
  const std::vector<EncoderTensor> expected = TensorsOf(shape);
  for (const EncoderTensor& tensor : expected) {
    if (tensor.of_head()) continue;
    const GgufTensor* found = file.FindTensor(tensor.name);
    if (found == nullptr && MayBeMissing(tensor.name)) continue;
    if (found == nullptr)
      return Refuse(file, fmt::format("tensor '{}' is missing", tensor.name),
                    kOtherFile);
    const std::array<uint64_t, 4> wanted = {tensor.columns,
                                            std::max(tensor.rows, 1U), 1, 1};
    if (found->shape != wanted)
      return Refuse(file,
                    fmt::format("tensor '{}' is {} x {}, by the metadata it is "
                                "{} x {}",
                                tensor.name, found->shape[0], found->shape[1],
                                wanted[0], wanted[1]),
                    kOtherFile);
  }
  for (const GgufTensor& tensor : file.tensors) {
    if (tensor.name.starts_with("cls.")) continue;
    if (std::ranges::find(expected, tensor.name, &EncoderTensor::name) ==
        expected.end())
      return Refuse(file,
                    fmt::format("tensor {} is of no BERT", Shown(tensor.name)),
                    kOtherFile);
  }
  return {};
}

// A part of a tensor: `to`, from number `at` on.
struct Piece {
  const GgufTensor* tensor;
  uint64_t at;
  std::span<float> to;
};

void AddPieces(const GgufTensor& tensor, std::span<float> to,
               std::vector<Piece>& pieces) {
  for (uint64_t at = 0; at < to.size(); at += kChunk)
    pieces.push_back(
        {&tensor, at,
         to.subspan(at, std::min<uint64_t>(kChunk, to.size() - at))});
}

// As it is stored, to single precision.
Status ReadPiece(const GgufFile& file, const RandomAccessFile& bytes,
                 const Piece& piece) {
  const auto& [tensor, at, to] = piece;
  const GgmlTypeInfo& info = InfoOf(tensor->type);
  const ggml_to_float_t to_float =
      ggml_get_type_traits(static_cast<ggml_type>(tensor->type))->to_float;
  if (tensor->type != GgmlType::kF32 && to_float == nullptr)
    return Refuse(file,
                  fmt::format("tensor '{}' is stored as {}, which is not read "
                              "here",
                              tensor->name, info.name),
                  "take the file in f32, f16 or bf16");
  const uint64_t offset =
      file.data_offset + tensor->offset + at / info.block * info.bytes;
  const auto size = static_cast<size_t>(to.size() / info.block * info.bytes);
  if (tensor->type == GgmlType::kF32) {
    MODICUM_RETURN_IF_ERROR(
        bytes.ReadInto(offset, reinterpret_cast<char*>(to.data()), size));
  } else {
    MODICUM_TRY(const std::string stored, bytes.Read(offset, size));
    to_float(stored.data(), to.data(), static_cast<int64_t>(to.size()));
  }
  const auto bad = std::ranges::find_if_not(
      to, [](float value) { return std::isfinite(value); });
  if (bad == to.end()) return {};
  return Refuse(
      file,
      fmt::format("tensor '{}' has a NaN or an infinity at index {}",
                  tensor->name, at + static_cast<uint64_t>(bad - to.begin())),
      "the training diverged or the file was altered: take another");
}

// By so many threads. They take the pieces in order, so that the first of those
// that fail is always found: it is what is said.
Status ReadPieces(const GgufFile& file, std::span<const Piece> pieces,
                  int threads) {
  MODICUM_TRY(const RandomAccessFile bytes, RandomAccessFile::Open(file.name));
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  size_t first = pieces.size();
  Status status;
  const auto work = [&] {
    for (size_t i = next++; i < pieces.size(); i = next++) {
      Status read = ReadPiece(file, bytes, pieces[i]);
      if (read) continue;
      next = pieces.size();
      const std::lock_guard lock(mutex);
      if (i < first) {
        first = i;
        status = std::move(read);
      }
    }
  };
  std::vector<std::jthread> helpers;
  for (int i = 1; i < threads; ++i) helpers.emplace_back(work);
  work();
  helpers.clear();  // waits for them
  return status;
}

// What `file` has of the head, or of the rest.
Status LoadPart(const GgufFile& file, bool head, EncoderWeights& weights) {
  std::vector<Piece> pieces;
  for (const Parameter& parameter : weights.parameters()) {
    const EncoderTensor own{parameter.value->name};
    const GgufTensor* tensor = file.FindTensor(own.name);
    if (tensor != nullptr && own.of_head() == head)
      AddPieces(*tensor, parameter.values(), pieces);
  }
  return ReadPieces(file, pieces, 1);
}

}  // namespace

Result<EncoderBase> ReadEncoderBase(const std::string& path) {
  MODICUM_TRY(GgufFile file, ReadNetwork(path));
  return EncoderBaseOf(std::move(file));
}

Result<EncoderBase> EncoderBaseOf(GgufFile file) {
  EncoderBase base;
  base.file = std::move(file);
  MODICUM_RETURN_IF_ERROR(CheckKind(base.file));
  MODICUM_TRY(base.shape, ShapeOf(base.file));
  MODICUM_RETURN_IF_ERROR(CheckTensors(base.file, base.shape));
  for (const auto& entry : base.file.metadata)
    if (entry.first.starts_with("tokenizer.")) base.vocabulary.push_back(entry);
  // 100 is llama.cpp's for a BERT that does not say.
  const uint64_t unknown =
      base.file.Unsigned("tokenizer.ggml.unknown_token_id").value_or(100);
  base.unknown = static_cast<TokenId>(
      std::min<uint64_t>(unknown, base.shape.vocabulary - 1));
  return base;
}

Status LoadBody(const EncoderBase& base, EncoderWeights& weights) {
  return LoadPart(base.file, /*head=*/false, weights);
}

NeuralInfo EncoderInfo(const EncoderBase& base) {
  NeuralInfo info;
  info.path = base.file.name;
  info.engine = "ggml";
  info.engine_version = llama_version();
  info.architecture = base.file.architecture();
  info.name = base.file.Text("general.name").value_or("");
  info.parameters = base.file.parameters();
  info.bytes = base.file.bytes();
  info.layers = base.shape.layers;
  info.width = base.shape.width;
  info.context_trained = base.shape.context;
  info.vocabulary = base.shape.vocabulary;
  return info;
}

Result<uint32_t> EncoderContext(const EncoderBase& base,
                                const NeuralSettings& settings) {
  const auto wanted = static_cast<uint32_t>(std::max(0, settings.context));
  if (wanted <= base.shape.context)
    return wanted > 0 ? wanted : base.shape.context;
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{} has places for {} tokens, not for {}",
                          base.file.name, base.shape.context, wanted),
              fmt::format("use --context {} or less", base.shape.context));
}

Status LoadHead(const HeadFile& head, EncoderWeights& weights) {
  return LoadPart(head.file, /*head=*/true, weights);
}

Result<std::unique_ptr<MappedWeights>> MapWeights(const EncoderBase& base,
                                                  const EncoderShape& shape,
                                                  int threads) {
  const GgufFile& file = base.file;
  MODICUM_TRY(MappedFile mapped, MappedFile::Open(file.name, file.file_bytes));
  const auto place =
      [&file, data = mapped.data()](const EncoderTensor& own) -> float* {
    const GgufTensor* tensor = file.FindTensor(own.name);
    if (tensor == nullptr || tensor->type != GgmlType::kF32) return nullptr;
    const uint64_t at = file.data_offset + tensor->offset;
    return at % kTensorAlignment == 0 ? reinterpret_cast<float*>(data + at)
                                      : nullptr;
  };
  auto all = std::unique_ptr<MappedWeights>(new MappedWeights{
      std::move(mapped), EncoderWeights(shape, Learns::kNothing, place)});
  std::vector<Piece> pieces;
  for (const Parameter& parameter : all->weights.parameters()) {
    if (parameter.value->buffer == nullptr) continue;  // in the file
    const GgufTensor* tensor = file.FindTensor(parameter.value->name);
    if (tensor == nullptr)
      std::ranges::fill(parameter.values(), 0.0F);
    else
      AddPieces(*tensor, parameter.values(), pieces);
  }
  MODICUM_RETURN_IF_ERROR(ReadPieces(file, pieces, threads));
  return all;
}

}  // namespace modicum
