// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/head_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/gguf/gguf_names.h"

namespace modicum {
namespace {

constexpr char kBodyKey[] = "modicum.head.body_sha256";
constexpr char kVersionKey[] = "modicum.head.version";
constexpr uint32_t kHeadVersion = 1;
constexpr char kImportAgain[] =
    "make body and head anew: modicum import FOLDER";

tl::unexpected<Error> RefuseHead(const GgufFile& file, std::string_view what,
                                 std::string_view hint = kImportAgain) {
  return Fail(ErrorCode::kInvalidInput, fmt::format("{}: {}", file.name, what),
              std::string(hint));
}

Result<HeadKind> KindOf(const GgufFile& file) {
  const auto name = file.Text(kHeadKindKey);
  if (!name)
    return RefuseHead(file, fmt::format("'{}' is missing", kHeadKindKey));
  const auto* kind = std::ranges::find(kHeadKinds, *name, HeadKindName);
  if (kind != std::end(kHeadKinds)) return *kind;
  return RefuseHead(file,
                    fmt::format("a head of kind {} is unknown", Shown(*name)),
                    "there are fill-mask, token-classification and "
                    "question-answering; a newer modicum may know more");
}

bool IsSha256(std::string_view text) {
  return text.size() == 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Status TakeHeadLabels(HeadFile& head) {
  const GgufArray* labels = head.file.Array(kHeadLabelsKey);
  const bool wanted = head.kind == HeadKind::kTokenClassification;
  if (!wanted && head.file.Find(kHeadLabelsKey) == nullptr) return {};
  if (!wanted)
    return RefuseHead(head.file,
                      fmt::format("'{}': a head for {} has no labels",
                                  kHeadLabelsKey, HeadKindName(head.kind)));
  if (labels == nullptr || labels->type != GgufType::kString ||
      labels->size < 2)
    return RefuseHead(
        head.file, fmt::format("'{}' is missing or no array of two strings or "
                               "more",
                               kHeadLabelsKey));
  for (const std::string& label : labels->texts)
    if (!IsSoundName(label))
      return RefuseHead(head.file,
                        fmt::format("the label {} is no name", Shown(label)));
  head.labels = labels->texts;
  return {};
}

Status CheckHeadTensor(const GgufFile& file, const HeadTensor& wanted) {
  const GgufTensor* tensor = file.FindTensor(wanted.name);
  if (tensor == nullptr)
    return RefuseHead(file, fmt::format("tensor '{}' is missing", wanted.name));
  const std::array<uint64_t, 4> shape = {
      wanted.columns, std::max<uint64_t>(wanted.rows, 1), 1, 1};
  if (tensor->shape != shape)
    return RefuseHead(
        file, fmt::format("tensor '{}' is {} x {}, on this body it is {} x {}",
                          wanted.name, tensor->shape[0], tensor->shape[1],
                          shape[0], shape[1]));
  using enum GgmlType;
  if (tensor->type != kF32 && tensor->type != kF16 && tensor->type != kBf16)
    return RefuseHead(file,
                      fmt::format("tensor '{}' is stored as {}; a head "
                                  "is in f32, f16 or bf16",
                                  wanted.name, InfoOf(tensor->type).name));
  return {};
}

}  // namespace

uint64_t HeadShape::outputs() const {
  switch (kind) {
    case HeadKind::kFillMask:
      return vocabulary;
    case HeadKind::kTokenClassification:
      return labels;
    case HeadKind::kQuestionAnswering:
      break;
  }
  return 2;  // that it begins there, that it ends there
}

std::vector<HeadTensor> HeadTensors(const HeadShape& shape) {
  if (shape.kind != HeadKind::kFillMask)
    return {{"head.output.weight", shape.width, shape.outputs()},
            {"head.output.bias", shape.outputs(), 0}};
  std::vector<HeadTensor> tensors = {
      {"head.transform.weight", shape.width, shape.width},
      {"head.transform.bias", shape.width, 0},
      {"head.transform_norm.weight", shape.width, 0},
      {"head.transform_norm.bias", shape.width, 0}};
  if (!shape.tied)
    tensors.push_back({"head.decoder.weight", shape.width, shape.vocabulary});
  tensors.push_back({"head.decoder.bias", shape.vocabulary, 0});
  return tensors;
}

HeadShape HeadFile::ShapeOn(const GgufFile& network) const {
  HeadShape shape;
  shape.kind = kind;
  shape.width =
      network.Unsigned(network.ArchitectureKey("embedding_length")).value_or(0);
  const GgufTensor* embedding = network.FindTensor("token_embd.weight");
  shape.vocabulary = embedding == nullptr ? 0 : embedding->shape[1];
  shape.labels = labels.size();
  shape.tied = tied();
  return shape;
}

GgufMetadata DescribeHead(HeadKind kind, const std::vector<std::string>& labels,
                          const Hash& body) {
  GgufMetadata metadata = {
      {"general.architecture", std::string("bert")},
      {"general.type", std::string("head")},
      {kVersionKey, kHeadVersion},
      {kHeadKindKey, std::string(HeadKindName(kind))},
      {kBodyKey, ToHex(body)},
  };
  if (!labels.empty())
    metadata.emplace_back(kHeadLabelsKey, GgufArray::Of(labels));
  return metadata;
}

Result<HeadFile> ParseHead(GgufFile file) {
  if (file.Text("general.type") != "head")
    return RefuseHead(file, "'general.type' is not 'head': it is no head",
                      "a model's own file is named without .head");
  if (file.Unsigned(kVersionKey) != kHeadVersion)
    return RefuseHead(file,
                      fmt::format("'{}' is not {}", kVersionKey, kHeadVersion),
                      "another version of modicum made it");
  HeadFile head;
  MODICUM_TRY(head.kind, KindOf(file));
  head.body = file.Text(kBodyKey).value_or("");
  if (!IsSha256(head.body))
    return RefuseHead(file, fmt::format("'{}' is no SHA-256", kBodyKey));
  head.file = std::move(file);
  MODICUM_RETURN_IF_ERROR(TakeHeadLabels(head));
  return head;
}

Status CheckHeadFits(const HeadFile& head, const GgufFile& body) {
  if (body.architecture() != "bert")
    return RefuseHead(body,
                      fmt::format("a network of architecture {} has no head "
                                  "beside it: 'bert' has",
                                  Shown(body.architecture())));
  const std::vector<HeadTensor> wanted = HeadTensors(head.ShapeOn(body));
  for (const HeadTensor& tensor : wanted)
    MODICUM_RETURN_IF_ERROR(CheckHeadTensor(head.file, tensor));
  for (const GgufTensor& tensor : head.file.tensors)
    if (std::ranges::find(wanted, tensor.name, &HeadTensor::name) ==
        wanted.end())
      return RefuseHead(
          head.file, fmt::format("tensor {} is of no head for {}",
                                 Shown(tensor.name), HeadKindName(head.kind)));
  return {};
}

Result<HeadFile> ReadHeadOf(const GgufFile& body) {
  auto file = ReadGguf(HeadPathOf(body.name), GgufCheck::kStructure);
  if (!file && file.error().code == ErrorCode::kNotFound)
    return Fail(ErrorCode::kUnavailable,
                fmt::format("{} has no head: there is no {}", body.name,
                            HeadPathOf(body.name)),
                "'modicum train' makes one, and 'modicum import' of "
                "BertForMaskedLM, BertForTokenClassification and "
                "BertForQuestionAnswering");
  if (!file) return Fail(file.error());
  MODICUM_TRY(HeadFile head, ParseHead(*std::move(file)));
  MODICUM_RETURN_IF_ERROR(CheckHeadFits(head, body));
  MODICUM_TRY(const Hash hash, Sha256OfFile(body.name));
  if (ToHex(hash) != head.body)
    return RefuseHead(head.file,
                      fmt::format("it was made with another {}: the file was "
                                  "changed, quantized or replaced since",
                                  body.name));
  return head;
}

}  // namespace modicum
