// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "model/gguf/gguf_names.h"

namespace modicum {

namespace {

constexpr char kOfAnother[] =
    "the adapter is of another network: take the one that it was trained on";
constexpr char kConvertAgain[] =
    "convert it again, from the adapter that was trained";
constexpr std::string_view kA = ".lora_a";
constexpr std::string_view kB = ".lora_b";

tl::unexpected<Error> Refuse(const GgufFile& file, std::string_view what,
                             std::string_view hint) {
  return Fail(ErrorCode::kInvalidInput, fmt::format("{}: {}", file.name, what),
              std::string(hint));
}

// llama.cpp multiplies with these as they are, or not at all.
bool IsAdapted(const GgufTensor& tensor) {
  const std::string_view name = tensor.name;
  return tensor.dimensions >= 2 && name.ends_with(".weight") &&
         !name.starts_with("position_embd") &&
         !name.starts_with("token_types") && !name.starts_with("cls");
}

bool IsMultiplied(GgmlType type) {
  return type == GgmlType::kF32 || type == GgmlType::kF16 ||
         type == GgmlType::kBf16 || type == GgmlType::kQ8_0;
}

Status CheckKeys(const GgufFile& adapter, const GgufFile& network) {
  const auto text = [&](std::string_view key) {
    return adapter.Text(key).value_or("");
  };
  if (text("general.type") != "adapter" || text("adapter.type") != "lora")
    return Refuse(adapter,
                  "no LoRA adapter: 'general.type' is not 'adapter', or "
                  "'adapter.type' not 'lora'",
                  "name the adapter's GGUF file; a network goes to --model");
  if (text("general.architecture") != network.architecture())
    return Refuse(adapter,
                  fmt::format("an adapter for architecture {}, and {} is '{}'",
                              Shown(text("general.architecture")), network.name,
                              network.architecture()),
                  kOfAnother);
  const GgufValue* alpha = adapter.Find("adapter.lora.alpha");
  const float* number = alpha == nullptr ? nullptr : std::get_if<float>(alpha);
  if (alpha != nullptr && (number == nullptr || !std::isfinite(*number)))
    return Refuse(adapter, "'adapter.lora.alpha' is no f32", kConvertAgain);
  if (adapter.Find("adapter.alora.invocation_tokens") != nullptr)
    return Refuse(adapter,
                  "an adapter that begins to work in the middle of a text "
                  "(aLoRA) is not supported",
                  "take a LoRA adapter");
  return {};
}

// The two matrices of one of the network's.
Status CheckPair(const GgufFile& adapter, const GgufTensor& a,
                 const GgufTensor& b, const GgufTensor& of,
                 const std::string& network) {
  // Rows of an embedding are looked up, so A is stored by columns.
  const bool embedding = of.name == "token_embd.weight";
  const bool fits =
      embedding ? a.shape[1] == of.shape[1] && a.shape[0] == b.shape[0] &&
                      b.shape[1] == of.shape[0]
                : a.shape[0] == of.shape[0] && a.shape[1] == b.shape[0] &&
                      b.shape[1] == of.shape[1];
  bool together = true;
  for (const size_t i : {size_t{2}, size_t{3}})
    together =
        together && a.shape[i] == of.shape[i] && b.shape[i] == of.shape[i];
  if (fits && together) return {};
  return Refuse(adapter,
                fmt::format("'{}' is {} x {} and {} x {}, which does not make "
                            "the {} x {} that {} has",
                            of.name, a.shape[0], a.shape[1], b.shape[0],
                            b.shape[1], of.shape[0], of.shape[1], network),
                kOfAnother);
}

Status CheckTensor(const GgufFile& adapter, const GgufTensor& tensor,
                   const GgufFile& network) {
  const std::string_view name = tensor.name;
  if (!name.ends_with(kA) && !name.ends_with(kB))
    return Refuse(adapter,
                  fmt::format("tensor {} is neither '.lora_a' nor '.lora_b'",
                              Shown(name)),
                  "merge it into the network instead: llama.cpp adds pairs of "
                  "matrices alone");
  if (!IsMultiplied(tensor.type))
    return Refuse(adapter,
                  fmt::format("tensor {} is stored as {}", Shown(name),
                              InfoOf(tensor.type).name),
                  "take the adapter in f32, f16, bf16 or q8_0");
  const std::string of(name.substr(0, name.size() - kA.size()));
  const GgufTensor* a = adapter.FindTensor(of + std::string(kA));
  const GgufTensor* b = adapter.FindTensor(of + std::string(kB));
  if (a == nullptr || b == nullptr)
    return Refuse(adapter,
                  fmt::format("{} has '{}' alone, without its other half",
                              Shown(of), a == nullptr ? kB : kA),
                  kConvertAgain);
  const GgufTensor* adapted = network.FindTensor(of);
  if (adapted == nullptr || !IsAdapted(*adapted))
    return Refuse(adapter,
                  fmt::format("{} has no matrix {} that can be adapted",
                              network.name, Shown(of)),
                  kOfAnother);
  return CheckPair(adapter, *a, *b, *adapted, network.name);
}

}  // namespace

Result<AdapterWish> ParseAdapter(const std::string& text) {
  AdapterWish wish{text, 1};
  const size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return wish;
  const char* end = text.data() + text.size();
  const auto [at, error] =
      std::from_chars(text.data() + colon + 1, end, wish.scale);
  if (error == std::errc() && at == end && std::isfinite(wish.scale)) {
    wish.path = text.substr(0, colon);
    return wish;
  }
  if (text.find('/', colon) != text.npos) return AdapterWish{text, 1};
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("adapter '{}': what follows the colon is no scale", text),
      "for example --lora adapter.gguf:0.5");
}

Status CheckAdapter(const GgufFile& adapter, const GgufFile& network) {
  MODICUM_RETURN_IF_ERROR(CheckKeys(adapter, network));
  if (adapter.tensors.empty())
    return Refuse(adapter, "the adapter has no tensors", kConvertAgain);
  for (const GgufTensor& tensor : adapter.tensors)
    MODICUM_RETURN_IF_ERROR(CheckTensor(adapter, tensor, network));
  return {};
}

}  // namespace modicum
