// SPDX-License-Identifier: Apache-2.0
// Objects are read in place; what a length promises must be there before
// anything is allocated for it, and nesting is bounded.
#include "dataset/debian/r_frame.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <utility>

#include "base/csv.h"

namespace modicum {
namespace {

// R Internals, 1.1.1 "SEXPTYPEs", and the codes of serialize.c.
enum Kind : uint32_t {
  kSymbol = 1,
  kPairs = 2,
  kCharacterString = 9,
  kLogical = 10,
  kInteger = 13,
  kReal = 14,
  kStrings = 16,
  kList = 19,
  kNil = 254,
  kReference = 255,
};
constexpr uint32_t kHasAttributes = 1U << 9;
constexpr uint32_t kHasTag = 1U << 10;
constexpr int32_t kNaInteger = std::numeric_limits<int32_t>::min();
constexpr int kMaxDepth = 16;

// The flags of other kinds mean other things.
bool IsVector(uint32_t kind) {
  return kind == kLogical || kind == kInteger || kind == kReal ||
         kind == kStrings || kind == kList;
}

// One value; of what a frame is made of, and no more.
struct Object {
  std::vector<double> numbers;
  std::vector<std::string> strings;
  std::vector<Object> parts;       // of a list, or the values of pairs
  std::vector<std::string> tags;   // of pairs
  std::vector<Object> attributes;  // none, or one: pairs

  const Object* Attribute(std::string_view name) const {
    for (const Object& pairs : attributes)
      for (size_t i = 0; i < pairs.tags.size(); ++i)
        if (pairs.tags[i] == name) return &pairs.parts[i];
    return nullptr;
  }
};

tl::unexpected<Error> Bad(const std::string& what) {
  return Fail(ErrorCode::kInvalidInput, "not a readable R data file: " + what);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  Status Header() {
    if (!bytes_.starts_with("RDX2\nX\n") && !bytes_.starts_with("RDX3\nX\n"))
      return Bad("it does not begin as one");
    const bool third = bytes_[3] == '3';
    at_ = 7 + 3 * sizeof(uint32_t);  // the versions of format and writer
    if (!third) return {};
    MODICUM_TRY(const uint32_t length, Word());  // of the encoding's name
    return Skip(length);
  }

  Result<Object> Next(int depth) {
    if (depth > kMaxDepth) return Bad("nested too deeply");
    MODICUM_TRY(const uint32_t flags, Word());
    Object object;
    const uint32_t kind = flags & 0xFF;
    if (kind == kPairs) {
      MODICUM_RETURN_IF_ERROR(Pairs(flags, object, depth));
      return object;
    }
    MODICUM_RETURN_IF_ERROR(Value(kind, flags, object, depth));
    if ((flags & kHasAttributes) == 0 || !IsVector(kind)) return object;
    MODICUM_TRY(Object pairs, Next(depth + 1));
    object.attributes.push_back(std::move(pairs));
    return object;
  }

 private:
  Status Skip(size_t length) {
    if (at_ > bytes_.size() || length > bytes_.size() - at_)
      return Bad("it ends too early");
    at_ += length;
    return {};
  }

  Result<uint64_t> BigEndian(size_t width) {
    const size_t begin = at_;
    MODICUM_RETURN_IF_ERROR(Skip(width));
    uint64_t value = 0;
    for (size_t i = 0; i < width; ++i)
      value = value << 8U | static_cast<unsigned char>(bytes_[begin + i]);
    return value;
  }

  Result<uint32_t> Word() {
    MODICUM_TRY(const uint64_t value, BigEndian(4));
    return static_cast<uint32_t>(value);
  }

  // The length of a vector, each element of which takes `width` bytes.
  Result<size_t> Length(size_t width) {
    MODICUM_TRY(const uint32_t length, Word());
    if (length > (bytes_.size() - at_) / width)
      return Bad("a length is beyond its end");
    return size_t{length};
  }

  Status Value(uint32_t kind, uint32_t flags, Object& object, int depth) {
    switch (kind) {
      case kNil:
        return {};
      case kLogical:
      case kInteger:
        return Integers(object);
      case kReal:
        return Reals(object);
      case kCharacterString:
        return Characters(object);
      case kStrings:
      case kList:
        return Elements(kind, object, depth);
      case kSymbol:
        return Symbol(object, depth);
      case kReference:
        return Reference(flags, object);
      default:
        return Bad("it holds an object of kind " + std::to_string(kind));
    }
  }

  Status Integers(Object& object) {
    MODICUM_TRY(const size_t length, Length(4));
    object.numbers.reserve(length);
    for (size_t i = 0; i < length; ++i) {
      MODICUM_TRY(const uint32_t word, Word());
      const auto value = static_cast<int32_t>(word);
      object.numbers.push_back(value == kNaInteger
                                   ? std::numeric_limits<double>::quiet_NaN()
                                   : value);
    }
    return {};
  }

  Status Reals(Object& object) {
    MODICUM_TRY(const size_t length, Length(8));
    object.numbers.reserve(length);
    for (size_t i = 0; i < length; ++i) {
      MODICUM_TRY(const uint64_t bits, BigEndian(8));
      object.numbers.push_back(std::bit_cast<double>(bits));
    }
    return {};
  }

  // NA has the length -1.
  Status Characters(Object& object) {
    MODICUM_TRY(const uint32_t length, Word());
    const size_t begin = at_;
    const bool missing = length == ~uint32_t{0};
    MODICUM_RETURN_IF_ERROR(Skip(missing ? 0 : length));
    object.strings.emplace_back(bytes_.substr(begin, at_ - begin));
    return {};
  }

  Status Elements(uint32_t kind, Object& object, int depth) {
    MODICUM_TRY(const size_t length, Length(4));
    for (size_t i = 0; i < length; ++i) {
      MODICUM_TRY(Object element, Next(depth + 1));
      if (kind == kList)
        object.parts.push_back(std::move(element));
      else if (element.strings.size() == 1)
        object.strings.push_back(std::move(element.strings[0]));
      else
        return Bad("a string is none");
    }
    return {};
  }

  Status Symbol(Object& object, int depth) {
    MODICUM_TRY(Object name, Next(depth + 1));
    if (name.strings.size() != 1) return Bad("a symbol has no name");
    symbols_.push_back(name.strings[0]);
    object.strings = std::move(name.strings);
    return {};
  }

  // Only symbols are referred to here.
  Status Reference(uint32_t flags, Object& object) {
    uint32_t index = flags >> 8U;
    if (index == 0) {
      MODICUM_TRY(index, Word());
    }
    if (index == 0 || index > symbols_.size())
      return Bad("a reference leads nowhere");
    object.strings = {symbols_[index - 1]};
    return {};
  }

  // A list of tag and value, in a loop, for R writes it as nested pairs.
  Status Pairs(uint32_t flags, Object& object, int depth) {
    while ((flags & 0xFF) == kPairs) {
      if ((flags & kHasAttributes) != 0) {
        MODICUM_TRY([[maybe_unused]] const Object ignored, Next(depth + 1));
      }
      if ((flags & kHasTag) == 0) return Bad("a value has no name");
      MODICUM_TRY(Object tag, Next(depth + 1));
      if (tag.strings.size() != 1) return Bad("a name is none");
      object.tags.push_back(std::move(tag.strings[0]));
      MODICUM_TRY(Object value, Next(depth + 1));
      object.parts.push_back(std::move(value));
      MODICUM_TRY(flags, Word());
    }
    return (flags & 0xFF) == kNil ? Status() : Bad("a list has no end");
  }

  std::string_view bytes_;
  size_t at_ = 0;
  std::vector<std::string> symbols_;
};

Status CheckCodes(const RColumn& column) {
  if (column.levels.empty()) return {};
  const auto levels = static_cast<double>(column.levels.size());
  for (const double code : column.values)
    if (!std::isnan(code) && (code < 1 || code > levels))
      return Bad("column '" + column.name + "' has a code without a level");
  return {};
}

Result<RColumn> ColumnOf(std::string name, Object object) {
  RColumn column{std::move(name), std::move(object.numbers), {}};
  if (const Object* levels = object.Attribute("levels"))
    column.levels = levels->strings;
  MODICUM_RETURN_IF_ERROR(CheckCodes(column));
  return column;
}

// Numbers as a reader would write them; nothing for a missing one.
std::string CellOf(double value) {
  if (std::isnan(value)) return {};
  char text[32];
  // The shortest that reads back the same in single precision, at most.
  std::snprintf(text, sizeof(text), "%.9g", value);
  return text;
}

std::string HeaderOf(std::string name) {
  for (char& c : name)
    if (c == '.') c = '-';
  return CsvField(name);
}

}  // namespace

Result<std::vector<RColumn>> ReadRFrame(std::string_view bytes) {
  Reader reader(bytes);
  MODICUM_RETURN_IF_ERROR(reader.Header());
  MODICUM_TRY(Object file, reader.Next(0));
  if (file.parts.empty()) return Bad("it holds no object");
  Object& frame = file.parts[0];
  const Object* names = frame.Attribute("names");
  if (names == nullptr || frame.parts.empty() ||
      names->strings.size() != frame.parts.size())
    return Bad("its object is no data frame");
  std::vector<RColumn> columns;
  for (size_t i = 0; i < frame.parts.size(); ++i) {
    MODICUM_TRY(RColumn column,
                ColumnOf(names->strings[i], std::move(frame.parts[i])));
    if (i > 0 && column.values.size() != columns[0].values.size())
      return Bad("its columns differ in length");
    columns.push_back(std::move(column));
  }
  return columns;
}

Result<std::string> TableOfFrame(const std::vector<RColumn>& frame,
                                 std::string_view label) {
  const RColumn* answer = nullptr;
  std::string text = "label";
  for (const RColumn& column : frame) {
    if (column.name == label)
      answer = &column;
    else if (!column.levels.empty())
      return Bad("column '" + column.name + "' is a factor, not numbers");
    else
      text += ',' + HeaderOf(column.name);
  }
  if (answer == nullptr || answer->levels.empty())
    return Bad("it has no factor '" + std::string(label) + "'");
  text += '\n';
  for (size_t row = 0; row < answer->values.size(); ++row) {
    if (const double code = answer->values[row]; !std::isnan(code))
      text += CsvField(answer->levels[static_cast<size_t>(code) - 1]);
    for (const RColumn& column : frame)
      if (&column != answer) text += ',' + CellOf(column.values[row]);
    text += '\n';
  }
  return text;
}

}  // namespace modicum
