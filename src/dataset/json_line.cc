// SPDX-License-Identifier: Apache-2.0
// simdjson's on-demand parser only checks what it is asked for, so every
// value is walked: a line is accepted if and only if it is valid JSON.
#include "dataset/json_line.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "dataset/utf8.h"

namespace modicum {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

constexpr int kMaxDepth = 512;  // simdjson allocates for 1,024

// Ours: a wanted member is of the wrong kind, State::fault says how. The
// parser reports this code for look-ups by name only, of which there are none
// here.
constexpr error_code kWrongKind = simdjson::NO_SUCH_FIELD;
constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
// Of a value in a message.
constexpr size_t kShownBytes = 40;

constexpr bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view TrimRight(std::string_view text) {
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view Explain(error_code error) {
  switch (error) {
    case simdjson::UNCLOSED_STRING:
      return "a string is never closed";
    case simdjson::UNESCAPED_CHARS:
      return "a control character stands unescaped in a string";
    case simdjson::UTF8_ERROR:
      return "invalid UTF-8";
    case simdjson::STRING_ERROR:
      return "a bad escape in a string";
    case simdjson::NUMBER_ERROR:
      return "a bad number, or one beyond double precision's range";
    case simdjson::INCORRECT_TYPE:
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return "a word that is not true, false or null";
    case simdjson::DEPTH_ERROR:
      return "nested deeper than 512 levels";
    case simdjson::TRAILING_CONTENT:
      return "text follows the object";
    case simdjson::MEMALLOC:
    case simdjson::CAPACITY:
      return "the line is too long for the memory there is";
    default:
      return "a comma, colon, quote or bracket is missing or too many";
  }
}

tl::unexpected<Error> BadJson(size_t offset, std::string_view what) {
  return Fail(ErrorCode::kInvalidInput, "not valid JSON at byte " +
                                            std::to_string(offset) + ": " +
                                            std::string(what));
}

// Where the first pass, which has no position, saw its fault.
size_t StringFault(std::string_view line, error_code error) {
  size_t opened = std::string_view::npos;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool inside = opened != std::string_view::npos;
    if (line[i] == '\\' && inside) {
      ++i;
    } else if (line[i] == '"') {
      opened = inside ? std::string_view::npos : i;
    } else if (inside && static_cast<unsigned char>(line[i]) < 0x20 &&
               error == simdjson::UNESCAPED_CHARS) {
      return i;
    }
  }
  return std::min(opened, line.size());
}

size_t FirstPassOffset(std::string_view line, error_code error) {
  if (error == simdjson::UTF8_ERROR)
    return std::min(FirstBadByte(line), line.size());
  if (error == simdjson::UNCLOSED_STRING || error == simdjson::UNESCAPED_CHARS)
    return StringFault(line, error);
  return line.size();
}

template <class T, class Value>
error_code Consume(Value&& value) {
  T ignored;
  return std::forward<Value>(value).get(ignored);
}

error_code Check(ondemand::value value, int depth);

error_code CheckArray(ondemand::value value, int depth) {
  ondemand::array array;
  if (const auto error = value.get(array)) return error;
  for (auto element : array) {
    ondemand::value inner;
    // get() is for rvalues only. NOLINTNEXTLINE(performance-move-const-arg)
    if (const auto error = std::move(element).get(inner)) return error;
    if (const auto error = Check(inner, depth)) return error;
  }
  return simdjson::SUCCESS;
}

error_code CheckObject(ondemand::value value, int depth) {
  ondemand::object object;
  if (const auto error = value.get(object)) return error;
  for (auto field : object) {
    if (const auto error = Consume<std::string_view>(field.unescaped_key()))
      return error;
    if (const auto error = Check(field.value().value_unsafe(), depth))
      return error;
  }
  return simdjson::SUCCESS;
}

// Walks a value nobody asked for.
error_code Check(ondemand::value value, int depth) {
  if (depth > kMaxDepth) return simdjson::DEPTH_ERROR;
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return error;
  switch (type) {
    case ondemand::json_type::array:
      return CheckArray(value, depth + 1);
    case ondemand::json_type::object:
      return CheckObject(value, depth + 1);
    case ondemand::json_type::string:
      return Consume<std::string_view>(value);
    case ondemand::json_type::number:
      return Consume<double>(value);
    case ondemand::json_type::boolean:
      return Consume<bool>(value);
    case ondemand::json_type::null:
      break;
  }
  bool null = false;
  if (const auto error = value.is_null().get(null)) return error;
  return null ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
}

// Reuses the memory of the value before.
void Assign(std::optional<std::string>& slot, std::string_view text) {
  if (!slot) slot.emplace();
  slot->assign(text);
}

bool IsNested(ondemand::json_type type) {
  return type == ondemand::json_type::array ||
         type == ondemand::json_type::object;
}

error_code Take(ondemand::value value, std::optional<std::string>& slot,
                std::string& fault) {
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return error;
  if (type == ondemand::json_type::string) {
    std::string_view text;
    if (const auto error = value.get(text)) return error;
    Assign(slot, text);
    return simdjson::SUCCESS;
  }
  if (IsNested(type)) {
    fault = "an array or object, not text";
    return kWrongKind;
  }
  if (type == ondemand::json_type::null)
    slot.reset();
  else
    Assign(slot, TrimRight(value.raw_json_token()));
  return Check(value, 1);
}

error_code TakeNumber(ondemand::value value, float& slot, std::string& fault) {
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return error;
  slot = kMissing;
  if (type == ondemand::json_type::null) return Check(value, 1);
  const std::string_view token = TrimRight(value.raw_json_token());
  double number = 0;
  if (type == ondemand::json_type::number) {
    if (const auto error = value.get(number)) return error;
    if (std::abs(number) <= std::numeric_limits<float>::max()) {
      slot = static_cast<float>(number);
      return simdjson::SUCCESS;
    }
  }
  fault = IsNested(type) ? "an array or object"
                         : std::string(CutUtf8(token, kShownBytes));
  fault += type == ondemand::json_type::number ? ", beyond single precision"
                                               : ", not a number";
  return kWrongKind;
}

// Rows repeat their keys in one order: the next is most often the one after
// the last. keys.size() when it is not among them.
size_t FindKey(std::span<const std::string_view> keys, std::string_view key,
               size_t& next) {
  if (next >= keys.size() || keys[next] != key)
    next = static_cast<size_t>(std::find(keys.begin(), keys.end(), key) -
                               keys.begin());
  return next < keys.size() ? next++ : keys.size();
}

}  // namespace

struct JsonLineReader::State {
  ondemand::parser parser;
  std::vector<char> buffer;  // the line and simdjson's padding
  ondemand::document document;
  std::vector<bool> found;  // of the keys
  std::string fault;

  // `visit` gets each top-level key and value; its error ends the walk.
  template <class Visit>
  Status Walk(std::string_view line, Visit visit);
  Status Open(std::string_view line);
  tl::unexpected<Error> BadHere(std::string_view line, error_code error);
};

Status JsonLineReader::State::Open(std::string_view line) {
  const auto* first = std::find_if_not(line.begin(), line.end(), IsSpace);
  if (first == line.end())
    return Fail(ErrorCode::kInvalidInput, "an empty line, not a JSON object");
  if (*first != '{')
    return Fail(ErrorCode::kInvalidInput,
                "not a JSON object: the line does not begin with '{'");
  const size_t needed = line.size() + simdjson::SIMDJSON_PADDING;
  if (buffer.size() < needed) buffer.resize(needed);
  std::memcpy(buffer.data(), line.data(), line.size());
  std::memset(buffer.data() + line.size(), ' ', simdjson::SIMDJSON_PADDING);
  const auto error =
      parser.iterate(buffer.data(), line.size(), needed).get(document);
  if (error) return BadJson(FirstPassOffset(line, error), Explain(error));
  const size_t end = TrimRight(line).size();
  if (line[end - 1] != '}')
    return BadJson(end - 1, "the line does not end with '}'");
  return {};
}

tl::unexpected<Error> JsonLineReader::State::BadHere(std::string_view line,
                                                     error_code error) {
  const char* location = nullptr;
  size_t offset = line.size();
  if (!document.current_location().get(location))
    offset = std::min(offset, static_cast<size_t>(location - buffer.data()));
  return BadJson(offset, Explain(error));
}

template <class Visit>
Status JsonLineReader::State::Walk(std::string_view line, Visit visit) {
  MODICUM_RETURN_IF_ERROR(Open(line));
  ondemand::object object;
  if (const auto error = document.get(object)) return BadHere(line, error);
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key))
      return BadHere(line, error);
    const auto error = visit(key, field.value().value_unsafe());
    if (error == kWrongKind)
      return Fail(ErrorCode::kInvalidInput,
                  "the value of '" + std::string(key) + "' is " + fault);
    if (error) return BadHere(line, error);
  }
  const char* rest = nullptr;
  if (!document.current_location().get(rest))
    return BadHere(line, simdjson::TRAILING_CONTENT);
  return {};
}

JsonLineReader::JsonLineReader() : state_(std::make_unique<State>()) {}
JsonLineReader::~JsonLineReader() = default;

Status JsonLineReader::Read(std::string_view line,
                            std::span<const std::string_view> keys,
                            std::span<std::optional<std::string>> values) {
  return ReadRow(line, {}, {}, keys, values);
}

Status JsonLineReader::ReadRow(std::string_view line,
                               std::span<const std::string_view> columns,
                               std::span<float> numbers,
                               std::span<const std::string_view> keys,
                               std::span<std::optional<std::string>> values) {
  MODICUM_CHECK(keys.size() == values.size());
  MODICUM_CHECK(columns.size() == numbers.size());
  std::fill(numbers.begin(), numbers.end(), kMissing);
  std::vector<bool>& found = state_->found;
  found.assign(keys.size(), false);
  size_t next_column = 0;
  size_t next_key = 0;
  MODICUM_RETURN_IF_ERROR(
      state_->Walk(line, [&](std::string_view key, ondemand::value value) {
        const size_t column = FindKey(columns, key, next_column);
        if (column < columns.size())
          return TakeNumber(value, numbers[column], state_->fault);
        const size_t index = FindKey(keys, key, next_key);
        if (index == keys.size()) return Check(value, 1);
        found[index] = true;
        return Take(value, values[index], state_->fault);
      }));
  for (size_t i = 0; i < keys.size(); ++i)
    if (!found[i]) values[i].reset();
  return {};
}

Result<std::vector<std::string>> JsonLineReader::Keys(std::string_view line) {
  std::vector<std::string> keys;
  MODICUM_RETURN_IF_ERROR(
      state_->Walk(line, [&](std::string_view key, ondemand::value value) {
        keys.emplace_back(key);
        return Check(value, 1);
      }));
  return keys;
}

std::string JsonString(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string json = "\"";
  json.reserve(text.size() + text.size() / 16 + 2);
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (c == '\n') {
      json += "\\n";
    } else if (c == '\t') {
      json += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      json += "\\u00";
      json += kDigits[c >> 4];
      json += kDigits[c & 15];
    } else {
      json += c;
    }
  }
  return json + '"';
}

}  // namespace modicum
