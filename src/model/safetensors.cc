// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/format.h"
#include "model/bytes.h"
#include "model/gguf/gguf_names.h"
#include "model/strict_json.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

constexpr char kGetAgain[] =
    "the file was cut off or altered: get it again and compare its sha256 "
    "with its publisher's";
constexpr uint64_t kMaxTensors = 1'000'000;
constexpr uint64_t kMaxIndex = 64'000'000;
constexpr size_t kMaxDimensions = 8;

struct TypeRow {
  std::string_view name;
  uint64_t bytes;
  SafeType type;
};
constexpr TypeRow kTypes[] = {
    {"F32", 4, SafeType::kF32},       {"F16", 2, SafeType::kF16},
    {"BF16", 2, SafeType::kBf16},     {"F64", 8, SafeType::kOther},
    {"I64", 8, SafeType::kOther},     {"U64", 8, SafeType::kOther},
    {"I32", 4, SafeType::kOther},     {"U32", 4, SafeType::kOther},
    {"I16", 2, SafeType::kOther},     {"U16", 2, SafeType::kOther},
    {"I8", 1, SafeType::kOther},      {"U8", 1, SafeType::kOther},
    {"BOOL", 1, SafeType::kOther},    {"F8_E4M3", 1, SafeType::kOther},
    {"F8_E5M2", 1, SafeType::kOther}, {"F8_E8M0", 1, SafeType::kOther},
};

tl::unexpected<Error> Refuse(const std::string& name, std::string_view what) {
  return Fail(ErrorCode::kInvalidInput, fmt::format("{}: {}", name, what),
              kGetAgain);
}

// One member of the header; offsets count from the end of the header.
class TensorReader {
 public:
  TensorReader(const std::string& file, const std::string& name,
               const Json& json)
      : file_(file), json_(json), what_("tensor " + Shown(name)) {
    tensor_.name = name;
  }
  Result<SafeTensor> Read() {
    if (!IsSoundName(tensor_.name))
      return Refuse(file_, what_ +
                               " has an empty name or one that is not "
                               "printable text");
    if (!json_.is_object()) return Refuse(file_, what_ + " is no object");
    MODICUM_RETURN_IF_ERROR(ReadType());
    MODICUM_RETURN_IF_ERROR(ReadShape());
    MODICUM_RETURN_IF_ERROR(ReadOffsets());
    return std::move(tensor_);
  }

 private:
  Status ReadType() {
    const auto member = json_.find("dtype");
    if (member == json_.end() || !member->is_string())
      return Refuse(file_, what_ + " has no dtype");
    tensor_.type_name = member->get<std::string>();
    const auto* row =
        std::ranges::find(kTypes, tensor_.type_name, &TypeRow::name);
    if (row == std::end(kTypes))
      return Refuse(file_, fmt::format("{} has the dtype {}, which is unknown",
                                       what_, Shown(tensor_.type_name)));
    tensor_.type = row->type;
    width_ = row->bytes;
    return {};
  }
  Status ReadShape() {
    const auto member = json_.find("shape");
    if (member == json_.end() || !member->is_array())
      return Refuse(file_, what_ + " has no shape");
    if (member->size() > kMaxDimensions)
      return Refuse(file_, fmt::format("{} has {} dimensions, at most {} are "
                                       "taken",
                                       what_, FormatCount(member->size()),
                                       kMaxDimensions));
    bytes_ = width_;
    for (const Json& size : *member) {
      if (!size.is_number_unsigned())
        return Refuse(file_,
                      what_ + " has a dimension that is no whole number");
      tensor_.shape.push_back(size.get<uint64_t>());
      if (__builtin_mul_overflow(bytes_, tensor_.shape.back(), &bytes_))
        return Refuse(file_, what_ + " takes more than 2^64 bytes");
    }
    return {};
  }
  Status ReadOffsets() {
    const auto member = json_.find("data_offsets");
    const bool two = member != json_.end() && member->is_array() &&
                     member->size() == 2 && (*member)[0].is_number_unsigned() &&
                     (*member)[1].is_number_unsigned();
    if (!two) return Refuse(file_, what_ + " has no two data_offsets");
    tensor_.offset = (*member)[0].get<uint64_t>();
    const auto end = (*member)[1].get<uint64_t>();
    if (end < tensor_.offset || end - tensor_.offset != bytes_)
      return Refuse(
          file_, fmt::format("{} has the data_offsets {} to {}, its shape {} "
                             "of {} takes {} bytes",
                             what_, FormatCount(tensor_.offset),
                             FormatCount(end), ShapeText(tensor_.shape),
                             tensor_.type_name, FormatCount(bytes_)));
    tensor_.bytes = bytes_;
    return {};
  }

  const std::string& file_;
  const Json& json_;
  std::string what_;
  SafeTensor tensor_;
  uint64_t width_ = 0;
  uint64_t bytes_ = 0;
};

// The tensors, in the order of their data, cover all of it and nothing twice.
Status CheckCover(const std::vector<SafeTensor>& tensors, uint64_t data_bytes,
                  const std::string& name) {
  uint64_t end = 0;
  const SafeTensor* before = nullptr;
  for (const SafeTensor& tensor : tensors) {
    if (tensor.offset < end)
      return Refuse(name, fmt::format("tensor {} overlaps tensor {}",
                                      Shown(tensor.name), Shown(before->name)));
    if (tensor.offset > end)
      return Refuse(name, fmt::format("a hole of {} bytes before tensor {}",
                                      FormatCount(tensor.offset - end),
                                      Shown(tensor.name)));
    end = tensor.offset + tensor.bytes;
    before = &tensor;
  }
  if (end > data_bytes)
    return Refuse(name, fmt::format("{} bytes are missing at the end",
                                    FormatCount(end - data_bytes)));
  if (end < data_bytes)
    return Refuse(name, fmt::format("{} bytes after the last tensor",
                                    FormatCount(data_bytes - end)));
  return {};
}

// How long the header is: between 2 bytes and what the file has.
Result<uint64_t> HeaderLength(std::string_view head, uint64_t file_length,
                              const std::string& name) {
  ByteReader in(head);
  const auto length = in.Get<uint64_t>();
  if (!in.ok()) return Refuse(name, "the file is shorter than 8 bytes");
  if (length > file_length - sizeof(uint64_t))
    return Refuse(
        name, fmt::format("the header is said to have {} bytes, {} "
                          "are left in the file",
                          FormatCount(length), FormatCount(file_length - 8)));
  if (length < 2 || length > kMaxSafetensorsHeader)
    return Refuse(name, fmt::format("a header of {} bytes, 2 to {} are taken",
                                    FormatCount(length),
                                    FormatCount(kMaxSafetensorsHeader)));
  return length;
}

}  // namespace

uint64_t SafeTensor::elements() const {
  uint64_t product = 1;
  for (const uint64_t size : shape) product *= size;
  return product;
}

std::string ShapeText(const std::vector<uint64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<std::vector<SafeTensor>> ParseSafetensors(std::string_view head,
                                                 uint64_t file_length,
                                                 const std::string& name) {
  MODICUM_TRY(const uint64_t length, HeaderLength(head, file_length, name));
  const uint64_t begin = sizeof(uint64_t) + length;
  if (head.size() < begin) return Refuse(name, "the file ends in its header");
  if (head[8] != '{')
    return Refuse(name, "not a safetensors file: its header is no JSON object");
  MODICUM_TRY(const Json json,
              ParseStrictJson(head.substr(8, length), name, 4));
  if (json.size() > kMaxTensors)
    return Refuse(
        name, fmt::format("{} tensors, at most {} are taken",
                          FormatCount(json.size()), FormatCount(kMaxTensors)));
  std::vector<SafeTensor> tensors;
  for (const auto& [key, value] : json.items()) {
    if (key == "__metadata__") continue;
    MODICUM_TRY(SafeTensor tensor, TensorReader(name, key, value).Read());
    tensors.push_back(std::move(tensor));
  }
  std::ranges::stable_sort(tensors, [](const auto& a, const auto& b) {
    return std::pair(a.offset, a.bytes) < std::pair(b.offset, b.bytes);
  });
  MODICUM_RETURN_IF_ERROR(CheckCover(tensors, file_length - begin, name));
  for (SafeTensor& tensor : tensors) tensor.offset += begin;
  return tensors;
}

Result<SafetensorsSet> SafetensorsSet::Open(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return Fail(ErrorCode::kNotFound, "no folder " + folder, "check the path");
  SafetensorsSet set;
  if (fs::exists(folder + "/model.safetensors.index.json", error)) {
    MODICUM_RETURN_IF_ERROR(set.CheckIndex(folder));
  } else if (fs::exists(folder + "/model.safetensors", error)) {
    MODICUM_RETURN_IF_ERROR(set.Add(folder + "/model.safetensors"));
  } else {
    const bool pickled =
        fs::exists(folder + "/pytorch_model.bin", error) ||
        fs::exists(folder + "/pytorch_model.bin.index.json", error);
    return Fail(ErrorCode::kNotFound,
                folder +
                    " has neither model.safetensors nor "
                    "model.safetensors.index.json",
                pickled ? "pytorch_model.bin can hold any program and is not "
                          "read: get the model's safetensors files"
                        : "name the folder that has config.json and the "
                          "weights");
  }
  std::ranges::sort(set.tensors_, {}, &SafeTensor::name);
  const auto twice =
      std::ranges::adjacent_find(set.tensors_, {}, &SafeTensor::name);
  if (twice != set.tensors_.end())
    return Refuse(
        folder, fmt::format("tensor {} is in {} and in {}", Shown(twice->name),
                            set.PathOf(*twice), set.PathOf(*std::next(twice))));
  return set;
}

Status SafetensorsSet::Add(const std::string& path) {
  MODICUM_TRY(RandomAccessFile file, RandomAccessFile::Open(path));
  const uint64_t size = file.size();
  MODICUM_TRY(std::string head, file.Read(0, std::min<uint64_t>(size, 8)));
  MODICUM_TRY(const uint64_t length, HeaderLength(head, size, path));
  MODICUM_TRY(head, file.Read(0, 8 + length));
  MODICUM_TRY(std::vector<SafeTensor> tensors,
              ParseSafetensors(head, size, path));
  for (SafeTensor& tensor : tensors) {
    tensor.file = files_.size();
    tensors_.push_back(std::move(tensor));
  }
  files_.push_back(std::move(file));
  return {};
}

// Opens every shard; what they hold is what the index says.
Status SafetensorsSet::CheckIndex(const std::string& folder) {
  const std::string path = folder + "/model.safetensors.index.json";
  MODICUM_TRY(const Json json, ReadStrictJson(path, kMaxIndex));
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (!json.is_object() || map == json.end() || !map->is_object() ||
      map->empty())
    return Refuse(path, "it has no weight_map");
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : map->items()) {
    const std::string file =
        shard.is_string() ? shard.get<std::string>() : std::string();
    // A name and no path: the file lies in this folder.
    if (!IsSoundName(file) || !file.ends_with(".safetensors") ||
        file.find('/') != std::string::npos)
      return Refuse(path, fmt::format("tensor {} is in {}, no name of a "
                                      "safetensors file in this folder",
                                      Shown(tensor), Shown(file)));
    shards.insert(file);
  }
  for (const std::string& shard : shards)
    MODICUM_RETURN_IF_ERROR(Add(folder + "/" + shard));
  std::map<std::string_view, std::string_view> held;
  for (const SafeTensor& tensor : tensors_)
    held[tensor.name] =
        std::string_view(PathOf(tensor)).substr(folder.size() + 1);
  for (const auto& [tensor, shard] : map->items()) {
    const auto found = held.find(tensor);
    if (found == held.end() ||
        found->second != shard.get_ref<const std::string&>())
      return Refuse(path, fmt::format("tensor {} is not in {}, where the index "
                                      "has it",
                                      Shown(tensor),
                                      shard.get_ref<const std::string&>()));
  }
  for (const auto& [tensor, shard] : held)
    if (!map->contains(tensor))
      return Refuse(path, fmt::format("tensor {} of {} is not in the index",
                                      Shown(tensor), shard));
  return {};
}

const SafeTensor* SafetensorsSet::Find(std::string_view name) const {
  const auto found =
      std::ranges::lower_bound(tensors_, name, {}, &SafeTensor::name);
  return found == tensors_.end() || found->name != name ? nullptr : &*found;
}

Status SafetensorsSet::ReadInto(const SafeTensor& tensor, uint64_t at,
                                char* buffer, size_t size) const {
  return files_[tensor.file].ReadInto(tensor.offset + at, buffer, size);
}

}  // namespace modicum
