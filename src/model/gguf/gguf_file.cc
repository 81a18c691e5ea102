// SPDX-License-Identifier: Apache-2.0
// The values of a header and how they are looked up; gguf_parse.cc reads them.
#include "model/gguf/gguf_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace modicum {
namespace {

template <class T>
GgufArray ArrayOf(GgufType type, const std::vector<T>& numbers) {
  GgufArray array{type, numbers.size()};
  array.bytes.assign(reinterpret_cast<const char*>(numbers.data()),
                     numbers.size() * sizeof(T));
  return array;
}

template <class T>
double ElementAt(const GgufArray& array, uint64_t i) {
  T value{};
  std::memcpy(&value, array.bytes.data() + i * sizeof(T), sizeof(T));
  return static_cast<double>(value);
}

template <class T>
constexpr bool kIsInteger = std::is_integral_v<T> && !std::is_same_v<T, bool>;

}  // namespace

std::string_view GgufTypeName(GgufType type) {
  constexpr std::string_view kNames[] = {
      "u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
      "bool", "string", "array", "u64", "i64", "f64"};
  return kNames[static_cast<size_t>(type)];
}

GgufArray GgufArray::Of(std::vector<std::string> texts) {
  const uint64_t size = texts.size();
  return {GgufType::kString, size, "", std::move(texts)};
}
GgufArray GgufArray::Of(const std::vector<int32_t>& numbers) {
  return ArrayOf(GgufType::kInt32, numbers);
}
GgufArray GgufArray::Of(const std::vector<uint32_t>& numbers) {
  return ArrayOf(GgufType::kUint32, numbers);
}
GgufArray GgufArray::Of(const std::vector<float>& numbers) {
  return ArrayOf(GgufType::kFloat32, numbers);
}

double GgufArray::Number(uint64_t i) const {
  MODICUM_CHECK(i < size);
  switch (type) {
    case GgufType::kUint8:
    case GgufType::kBool:
      return ElementAt<uint8_t>(*this, i);
    case GgufType::kInt8:
      return ElementAt<int8_t>(*this, i);
    case GgufType::kUint16:
      return ElementAt<uint16_t>(*this, i);
    case GgufType::kInt16:
      return ElementAt<int16_t>(*this, i);
    case GgufType::kUint32:
      return ElementAt<uint32_t>(*this, i);
    case GgufType::kInt32:
      return ElementAt<int32_t>(*this, i);
    case GgufType::kUint64:
      return ElementAt<uint64_t>(*this, i);
    case GgufType::kInt64:
      return ElementAt<int64_t>(*this, i);
    case GgufType::kFloat32:
      return ElementAt<float>(*this, i);
    case GgufType::kFloat64:
      return ElementAt<double>(*this, i);
    case GgufType::kString:
    case GgufType::kArray:
      break;
  }
  CheckFailed("an array of numbers", __FILE__, __LINE__);
}

const GgufValue* GgufFile::Find(std::string_view key) const {
  const auto found = std::ranges::find(
      metadata, key, &std::pair<std::string, GgufValue>::first);
  return found == metadata.end() ? nullptr : &found->second;
}

const GgufTensor* GgufFile::FindTensor(std::string_view tensor) const {
  const auto found = std::ranges::find(tensors, tensor, &GgufTensor::name);
  return found == tensors.end() ? nullptr : &*found;
}

std::optional<uint64_t> GgufFile::Unsigned(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [](const auto& v) -> std::optional<uint64_t> {
        using T = std::decay_t<decltype(v)>;
        if constexpr (kIsInteger<T>) {
          if (v >= T{0}) return static_cast<uint64_t>(v);
        }
        return std::nullopt;
      },
      *value);
}

std::optional<double> GgufFile::Number(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [](const auto& v) -> std::optional<double> {
        using T = std::decay_t<decltype(v)>;
        if constexpr (kIsInteger<T> || std::is_floating_point_v<T>)
          return static_cast<double>(v);
        return std::nullopt;
      },
      *value);
}

std::optional<bool> GgufFile::Flag(std::string_view key) const {
  const GgufValue* value = Find(key);
  const bool* flag = value == nullptr ? nullptr : std::get_if<bool>(value);
  return flag == nullptr ? std::nullopt : std::optional(*flag);
}

std::optional<std::string_view> GgufFile::Text(std::string_view key) const {
  const GgufValue* value = Find(key);
  const auto* text =
      value == nullptr ? nullptr : std::get_if<std::string>(value);
  if (text == nullptr) return std::nullopt;
  return *text;
}

const GgufArray* GgufFile::Array(std::string_view key) const {
  const GgufValue* value = Find(key);
  return value == nullptr ? nullptr : std::get_if<GgufArray>(value);
}

std::string_view GgufFile::architecture() const {
  return Text("general.architecture").value_or("");
}

std::string GgufFile::ArchitectureKey(std::string_view key) const {
  return std::string(architecture()) + "." + std::string(key);
}

uint64_t GgufFile::parameters() const {
  uint64_t sum = 0;
  for (const GgufTensor& tensor : tensors) sum += tensor.elements();
  return sum;
}

Bytes GgufFile::bytes() const {
  double sum = 0;
  for (const GgufTensor& tensor : tensors)
    sum += static_cast<double>(tensor.bytes);
  return Bytes(sum);
}

}  // namespace modicum
