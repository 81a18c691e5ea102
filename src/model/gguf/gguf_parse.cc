// SPDX-License-Identifier: Apache-2.0
// Reads a GGUF header. The bytes may be anyone's: a count is compared with
// what the file can hold before it is believed, sums are checked, and the
// first thing that is wrong is named and ends it.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "base/file.h"
#include "base/format.h"
#include "model/bytes.h"
#include "model/gguf/gguf_check.h"
#include "model/gguf/gguf_file.h"
#include "model/gguf/gguf_names.h"

namespace modicum {
namespace {

constexpr char kGetAgain[] =
    "the file was cut off or altered: get it again and compare its sha256 "
    "with its publisher's";

// Fixed-width types' bytes; 0 for strings, arrays and what is no type.
uint64_t WidthOf(uint32_t type) {
  constexpr uint8_t kWidths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return type < std::size(kWidths) ? kWidths[type] : 0;
}

// What people mistake for a model, by its first bytes.
std::string_view KnownMistake(std::string_view head) {
  constexpr std::pair<std::string_view, std::string_view> kMistakes[] = {
      {"version https://git-lfs",
       "this is a Git LFS pointer and not the model: run `git lfs pull`"},
      {"<", "this is a web page: download the file itself"},
      {"{", "this is JSON: name the model file beside it"},
      {"PK",
       "this is a PyTorch or zip archive: save the model as safetensors "
       "and use `modicum import`"},
      {"lmgg", "this is the format before GGUF: get the model as GGUF"},
      {"fmgg", "this is the format before GGUF: get the model as GGUF"},
      {"tjgg", "this is the format before GGUF: get the model as GGUF"},
  };
  for (const auto& [start, advice] : kMistakes)
    if (head.starts_with(start)) return advice;
  // safetensors: a length below 2^32 and the JSON it counts.
  if (head.size() > 9 && head.substr(4, 4) == std::string_view("\0\0\0\0", 4) &&
      head[8] == '{')
    return "this is a safetensors file: `modicum import` makes a GGUF file of "
           "its folder";
  return "name a GGUF file, or the folder of a Hugging Face model in `modicum "
         "import`";
}

class Parser {
 public:
  Parser(std::string_view head, uint64_t file_length, const std::string& name)
      : head_(head), in_(head) {
    file_.name = name;
    file_.file_bytes = file_length;
  }

  Result<GgufFile> Parse();
  // After a failure: the header goes on beyond the bytes that were given.
  bool wants_more() const { return wants_more_; }

 private:
  tl::unexpected<Error> Refuse(std::string_view what,
                               std::string_view hint = kGetAgain) const {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: {}", file_.name, what), std::string(hint));
  }
  // Where a read has failed.
  tl::unexpected<Error> Ended(std::string_view in_what) {
    wants_more_ = head_.size() < file_.file_bytes;
    if (wants_more_)
      return Refuse(
          fmt::format("the header is longer than {}",
                      FormatBytes(Bytes(static_cast<double>(head_.size())))),
          "no model that is known needs so much");
    return Refuse(fmt::format("the file ends in {}, at byte {}", in_what,
                              FormatCount(file_.file_bytes)));
  }
  uint64_t position() const { return head_.size() - in_.left(); }
  uint64_t left() const { return file_.file_bytes - position(); }

  Status ReadPreamble();
  Result<uint64_t> ReadCount(std::string_view what, uint64_t smallest);
  Result<std::string> ReadString(std::string_view what);
  Status ReadKeys(uint64_t count);
  Result<GgufValue> ReadValue(const std::string& what);
  template <class T>
  Result<GgufValue> ReadScalar(const std::string& what);
  Result<GgufValue> ReadArray(const std::string& what);
  Status TakeAlignment();
  Status ReadTensors(uint64_t count);
  Result<GgufTensor> ReadTensor(uint64_t number);
  Status ReadShape(const std::string& what, GgufTensor& tensor);
  Status TakeType(uint32_t id, const std::string& what, GgufTensor& tensor);
  Status CheckOffsets() const;

  std::string_view head_;
  ByteReader in_;
  GgufFile file_;
  bool wants_more_ = false;
};

Result<GgufFile> Parser::Parse() {
  MODICUM_RETURN_IF_ERROR(ReadPreamble());
  // A tensor is at least its name's length, a name, a dimension, a type and
  // an offset; a key its length, a name, a type and a value.
  MODICUM_TRY(const uint64_t tensors, ReadCount("tensors", 8 + 1 + 4 + 8 + 12));
  MODICUM_TRY(const uint64_t keys, ReadCount("metadata keys", 8 + 1 + 4 + 1));
  MODICUM_RETURN_IF_ERROR(ReadKeys(keys));
  MODICUM_RETURN_IF_ERROR(TakeAlignment());
  MODICUM_RETURN_IF_ERROR(ReadTensors(tensors));
  const uint64_t mask = file_.alignment - 1;
  file_.data_offset = (position() + mask) & ~mask;
  MODICUM_RETURN_IF_ERROR(CheckOffsets());
  return std::move(file_);
}

Status Parser::ReadPreamble() {
  if (file_.file_bytes == 0) return Refuse("the file is empty");
  const std::string_view magic = in_.GetText(4);
  if (!in_.ok() || magic != "GGUF")
    return Refuse("not a GGUF file: its first bytes are not 'GGUF'",
                  KnownMistake(head_));
  file_.version = in_.Get<uint32_t>();
  if (!in_.ok()) return Ended("the version");
  if (file_.version != 0 && (file_.version & 0xFFFF) == 0)
    return Refuse("a big-endian GGUF file, little-endian ones are read",
                  "get the model for this machine's byte order");
  if (file_.version != 2 && file_.version != 3)
    return Refuse(
        fmt::format("GGUF version {}; 2 and 3 are read",
                    FormatCount(file_.version)),
        file_.version == 1 ? "get a newer file of the same model" : kGetAgain);
  return {};
}

// Of things that take at least `smallest` bytes each.
Result<uint64_t> Parser::ReadCount(std::string_view what, uint64_t smallest) {
  const auto count = in_.Get<uint64_t>();
  if (!in_.ok()) return Ended(fmt::format("the number of {}", what));
  if (count > left() / smallest)
    return Refuse(fmt::format("the header says {} {}, the file has room for {}",
                              FormatCount(count), what,
                              FormatCount(left() / smallest)));
  if (count > kMaxGgufEntries)
    return Refuse(fmt::format("{} {}, at most {} are taken", FormatCount(count),
                              what, FormatCount(kMaxGgufEntries)),
                  "no model that is known has so many");
  return count;
}

Result<std::string> Parser::ReadString(std::string_view what) {
  const auto length = in_.Get<uint64_t>();
  if (!in_.ok()) return Ended(what);
  if (length > kMaxGgufString)
    return Refuse(fmt::format("{}: a string of {} bytes, at most {} are taken",
                              what, FormatCount(length),
                              FormatCount(kMaxGgufString)));
  if (length > left())
    return Refuse(
        fmt::format("{}: a string of {} bytes, {} are left in the file", what,
                    FormatCount(length), FormatCount(left())));
  const std::string_view text = in_.GetText(length);
  if (!in_.ok()) return Ended(what);
  return std::string(text);
}

Status Parser::ReadKeys(uint64_t count) {
  std::unordered_set<std::string> seen;
  for (uint64_t i = 0; i < count; ++i) {
    MODICUM_TRY(std::string key, ReadString(fmt::format("key {}", i + 1)));
    if (!IsSoundName(key))
      return Refuse(fmt::format("key {} is {}: empty, or not printable text",
                                i + 1, Shown(key)));
    if (!seen.insert(key).second)
      return Refuse(fmt::format("key {} is there twice", Shown(key)));
    MODICUM_TRY(GgufValue value,
                ReadValue(fmt::format("the value of {}", Shown(key))));
    file_.metadata.emplace_back(std::move(key), std::move(value));
  }
  return {};
}

template <class T>
Result<GgufValue> Parser::ReadScalar(const std::string& what) {
  const T value = in_.Get<T>();
  if (!in_.ok()) return Ended(what);
  return GgufValue(std::in_place_type<T>, value);
}

Result<GgufValue> Parser::ReadValue(const std::string& what) {
  const auto type = in_.Get<uint32_t>();
  if (!in_.ok()) return Ended(what);
  switch (static_cast<GgufType>(type)) {
    case GgufType::kUint8:
      return ReadScalar<uint8_t>(what);
    case GgufType::kInt8:
      return ReadScalar<int8_t>(what);
    case GgufType::kUint16:
      return ReadScalar<uint16_t>(what);
    case GgufType::kInt16:
      return ReadScalar<int16_t>(what);
    case GgufType::kUint32:
      return ReadScalar<uint32_t>(what);
    case GgufType::kInt32:
      return ReadScalar<int32_t>(what);
    case GgufType::kFloat32:
      return ReadScalar<float>(what);
    case GgufType::kUint64:
      return ReadScalar<uint64_t>(what);
    case GgufType::kInt64:
      return ReadScalar<int64_t>(what);
    case GgufType::kFloat64:
      return ReadScalar<double>(what);
    case GgufType::kBool: {
      const auto byte = in_.Get<uint8_t>();
      if (!in_.ok()) return Ended(what);
      if (byte > 1)
        return Refuse(
            fmt::format("{} is a bool of {}, not 0 or 1", what, byte));
      return GgufValue(byte == 1);
    }
    case GgufType::kString: {
      MODICUM_TRY(std::string text, ReadString(what));
      return GgufValue(std::move(text));
    }
    case GgufType::kArray:
      return ReadArray(what);
  }
  return Refuse(fmt::format("{} has the type {}; there are 0 to 12", what,
                            FormatCount(type)));
}

Result<GgufValue> Parser::ReadArray(const std::string& what) {
  const auto type = in_.Get<uint32_t>();
  const auto size = in_.Get<uint64_t>();
  if (!in_.ok()) return Ended(what);
  if (type == static_cast<uint32_t>(GgufType::kArray))
    return Refuse(fmt::format("{} is an array of arrays", what),
                  "no model that is known needs one");
  const bool texts = type == static_cast<uint32_t>(GgufType::kString);
  const uint64_t width = texts ? sizeof(uint64_t) : WidthOf(type);
  if (width == 0)
    return Refuse(fmt::format("{} is an array of type {}; there are 0 to 12",
                              what, FormatCount(type)));
  if (size > left() / width)
    return Refuse(
        fmt::format("{} is an array of {} elements, the file has room for {}",
                    what, FormatCount(size), FormatCount(left() / width)));
  GgufArray array{static_cast<GgufType>(type), size};
  if (!texts) {
    array.bytes = in_.GetText(size * width);
    if (!in_.ok()) return Ended(what);
    if (array.type == GgufType::kBool &&
        std::ranges::any_of(array.bytes, [](char c) { return c > 1 || c < 0; }))
      return Refuse(fmt::format("{} has a bool that is not 0 or 1", what));
    return GgufValue(std::move(array));
  }
  // Not believed before the bytes are there: a string takes four times the
  // memory of its length field.
  if (size > in_.left() / width) return Ended(what);
  array.texts.reserve(size);
  for (uint64_t i = 0; i < size; ++i) {
    const ByteReader before = in_;
    const auto length = in_.Get<uint64_t>();
    if (in_.ok() && length <= kMaxGgufString && length <= in_.left()) {
      array.texts.emplace_back(in_.GetText(length));
      continue;
    }
    in_ = before;  // read once more, to say what is wrong with it
    const auto wrong = ReadString(fmt::format("{}, element {}", what, i));
    return Fail(wrong.error());
  }
  return GgufValue(std::move(array));
}

Status Parser::TakeAlignment() {
  constexpr std::string_view kKey = "general.alignment";
  const GgufValue* value = file_.Find(kKey);
  if (value == nullptr) return {};
  const auto* alignment = std::get_if<uint32_t>(value);
  if (alignment == nullptr)
    return Refuse(
        fmt::format("'{}' is of type {}, not u32", kKey,
                    GgufTypeName(static_cast<GgufType>(value->index()))));
  if (!std::has_single_bit(*alignment) || *alignment > kMaxGgufAlignment)
    return Refuse(fmt::format("'{}' is {}, not a power of two up to {}", kKey,
                              FormatCount(*alignment),
                              FormatCount(kMaxGgufAlignment)));
  file_.alignment = *alignment;
  return {};
}

Status Parser::ReadTensors(uint64_t count) {
  std::unordered_set<std::string> seen;
  file_.tensors.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    MODICUM_TRY(GgufTensor tensor, ReadTensor(i + 1));
    if (!seen.insert(tensor.name).second)
      return Refuse(
          fmt::format("tensor {} is there twice", Shown(tensor.name)));
    file_.tensors.push_back(std::move(tensor));
  }
  return {};
}

Result<GgufTensor> Parser::ReadTensor(uint64_t number) {
  GgufTensor tensor;
  MODICUM_TRY(tensor.name,
              ReadString(fmt::format("the name of tensor {}", number)));
  if (!IsSoundName(tensor.name))
    return Refuse(
        fmt::format("the name of tensor {} is {}: empty, or not "
                    "printable text",
                    number, Shown(tensor.name)));
  const std::string what = "tensor " + Shown(tensor.name);
  if (tensor.name.size() > kMaxGgufName)
    return Refuse(fmt::format("{} has a name of {} bytes, at most {} are taken",
                              what, tensor.name.size(), kMaxGgufName));
  MODICUM_RETURN_IF_ERROR(ReadShape(what, tensor));
  const auto type = in_.Get<uint32_t>();
  tensor.offset = in_.Get<uint64_t>();
  if (!in_.ok()) return Ended(what);
  MODICUM_RETURN_IF_ERROR(TakeType(type, what, tensor));
  return tensor;
}

Status Parser::ReadShape(const std::string& what, GgufTensor& tensor) {
  tensor.dimensions = in_.Get<uint32_t>();
  if (!in_.ok()) return Ended(what);
  if (tensor.dimensions < 1 || tensor.dimensions > tensor.shape.size())
    return Refuse(fmt::format("{} has {} dimensions, 1 to {} are taken", what,
                              FormatCount(tensor.dimensions),
                              tensor.shape.size()));
  uint64_t elements = 1;
  for (uint32_t i = 0; i < tensor.dimensions; ++i) {
    tensor.shape[i] = in_.Get<uint64_t>();
    if (!in_.ok()) return Ended(what);
    if (tensor.shape[i] == 0)
      return Refuse(fmt::format("{} has a dimension of 0", what));
    if (__builtin_mul_overflow(elements, tensor.shape[i], &elements) ||
        elements >> 63 != 0)
      return Refuse(fmt::format("{} has more than 2^63 elements", what));
  }
  return {};
}

Status Parser::TakeType(uint32_t id, const std::string& what,
                        GgufTensor& tensor) {
  const GgmlTypeInfo* info = FindGgmlType(id);
  if (info == nullptr)
    return Refuse(fmt::format("{} has the type {}, which is unknown or was "
                              "removed from the format",
                              what, FormatCount(id)),
                  "quantize the model again to a type of today, such as q4_k_m "
                  "or q8_0");
  tensor.type = info->type;
  if (tensor.shape[0] % info->block != 0)
    return Refuse(fmt::format(
        "{} has rows of {} elements, type {} needs a "
        "multiple of {}",
        what, FormatCount(tensor.shape[0]), info->name, info->block));
  const auto bytes = BytesOf(info->type, tensor.elements());
  if (!bytes) return Refuse(fmt::format("{} takes more than 2^63 bytes", what));
  tensor.bytes = *bytes;
  return {};
}

// In order, aligned, without overlap or hole, inside the file.
Status Parser::CheckOffsets() const {
  if (file_.tensors.empty()) return {};
  const uint64_t mask = file_.alignment - 1;
  uint64_t end = 0;  // of the tensors so far
  const GgufTensor* before = nullptr;
  const GgufTensor* cut = nullptr;  // first that is not all there
  for (const GgufTensor& tensor : file_.tensors) {
    const std::string what = "tensor " + Shown(tensor.name);
    if ((tensor.offset & mask) != 0)
      return Refuse(
          fmt::format("{} has the offset {}, not a multiple of the "
                      "alignment {}",
                      what, FormatCount(tensor.offset), file_.alignment));
    if (tensor.offset < end)
      return Refuse(fmt::format("{} overlaps or precedes tensor {}", what,
                                Shown(before->name)));
    if (tensor.offset != ((end + mask) & ~mask))
      return Refuse(fmt::format(
          "{} has the offset {}, {} is where the data "
          "before it ends",
          what, FormatCount(tensor.offset), FormatCount((end + mask) & ~mask)));
    if (__builtin_add_overflow(tensor.offset, tensor.bytes, &end) ||
        end > uint64_t{1} << 62)
      return Refuse(fmt::format("{} ends beyond 2^62 bytes", what));
    before = &tensor;
    if (cut == nullptr && file_.data_offset + end > file_.file_bytes)
      cut = &tensor;
  }
  if (cut == nullptr) return {};
  return Refuse(fmt::format(
      "{} bytes are missing, from tensor {} on: the file has {}, its header "
      "promises {}",
      FormatCount(file_.data_offset + end - file_.file_bytes), Shown(cut->name),
      FormatCount(file_.file_bytes), FormatCount(file_.data_offset + end)));
}

Result<GgufFile> Checked(Result<GgufFile> file, GgufCheck check) {
  if (file && check == GgufCheck::kModel)
    MODICUM_RETURN_IF_ERROR(CheckGgufModel(*file));
  return file;
}

}  // namespace

Result<GgufFile> ParseGguf(std::string_view head, uint64_t file_length,
                           const std::string& name, GgufCheck check) {
  Parser parser(head.substr(0, file_length), file_length, name);
  return Checked(parser.Parse(), check);
}

Result<GgufFile> ReadGguf(const std::string& path, GgufCheck check) {
  MODICUM_TRY(const RandomAccessFile file, RandomAccessFile::Open(path));
  // Most headers are small; a vocabulary of 256,000 tokens takes some 10 MB.
  for (uint64_t size = uint64_t{1} << 20;; size *= 4) {
    MODICUM_TRY(const std::string head,
                file.Read(0, std::min(size, file.size())));
    Parser parser(head, file.size(), path);
    Result<GgufFile> parsed = parser.Parse();
    if (parsed || !parser.wants_more() || size >= kMaxGgufHeader)
      return Checked(std::move(parsed), check);
  }
}

}  // namespace modicum
