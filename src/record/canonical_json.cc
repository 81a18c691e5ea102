// SPDX-License-Identifier: Apache-2.0
// The JSON Canonicalization Scheme (RFC 8785): one text for one value, so
// that its hash means something.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "record/receipt.h"

namespace modicum {
namespace {

using nlohmann::json;

// ECMAScript's Number::toString: `digits` without a point, the value being
// 0.digits * 10^exponent.
void AppendDecimal(std::string_view digits, int exponent, std::string& out) {
  const int count = static_cast<int>(digits.size());
  if (exponent > 21 || exponent < -5) {
    out += digits[0];
    if (count > 1) (out += '.') += digits.substr(1);
    (out += 'e') += exponent > 0 ? "+" : "";
    out += std::to_string(exponent - 1);
  } else if (exponent <= 0) {
    out += "0.";
    out.append(static_cast<size_t>(-exponent), '0') += digits;
  } else if (exponent >= count) {
    out += digits;
    out.append(static_cast<size_t>(exponent - count), '0');
  } else {
    const auto point = static_cast<size_t>(exponent);
    ((out += digits.substr(0, point)) += '.') += digits.substr(point);
  }
}

// `value` is finite: JSON text has no other numbers.
void AppendNumber(double value, std::string& out) {
  MODICUM_CHECK(value - value == 0);
  if (value == 0) {
    out += '0';  // minus zero too
    return;
  }
  // The shortest digits that read back, of these the closest: d.ddde[+-]dd.
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value,
                                 std::chars_format::scientific)
                       .ptr;
  const char* at = text;
  if (*at == '-') out += *at++;
  const char* const e = std::find(at, const_cast<const char*>(end), 'e');
  std::string digits(1, *at);
  if (e - at > 2) digits.append(at + 2, e);
  int exponent = 0;
  std::from_chars(e + (e[1] == '+' ? 2 : 1), end, exponent);
  AppendDecimal(digits, exponent + 1, out);
}

void AppendWhole(const json& number, std::string& out) {
  // Beyond 2^53 RFC 8785 has the nearest double.
  constexpr int64_t kExact = int64_t{1} << 53;
  if (number.is_number_unsigned()
          ? std::cmp_less_equal(number.get<uint64_t>(), kExact)
          : number.get<int64_t>() >= -kExact) {
    char text[24];
    out.append(
        text,
        std::to_chars(text, text + sizeof(text), number.get<int64_t>()).ptr);
  } else {
    AppendNumber(number.get<double>(), out);
  }
}

// Bytes of the valid UTF-8 sequence at the front; 0 where there is none.
size_t SequenceLength(std::string_view text) {
  const auto byte = [text](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = lead == 0xED && byte(1) > 0x9F;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool overlong = lead == 0xF0 && byte(1) < 0x90;
    const bool beyond = lead == 0xF4 && byte(1) > 0x8F;
    const bool whole = follows(1) && follows(2) && follows(3);
    return whole && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

void AppendControl(char c, std::string& out) {
  constexpr std::string_view kPlain = "\b\t\n\f\r\"\\";
  constexpr std::string_view kShort = "btnfr\"\\";
  out += '\\';
  if (const size_t i = kPlain.find(c); i != std::string_view::npos) {
    out += kShort[i];
    return;
  }
  constexpr char kDigits[] = "0123456789abcdef";
  const auto code = static_cast<unsigned char>(c);
  ((out += "u00") += kDigits[code >> 4]) += kDigits[code & 15];
}

// Bytes that are not UTF-8 become U+FFFD, as everywhere in the record.
void AppendString(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const char c = text[0];
    const size_t length = SequenceLength(text);
    if (length == 0) {
      out += "\uFFFD";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') {
      AppendControl(c, out);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  out += '"';
}

// The order of UTF-16 code units. It is that of the UTF-8 bytes, but that
// U+E000 to U+FFFF (lead bytes EE, EF) come after all longer sequences.
bool Utf16Less(std::string_view a, std::string_view b) {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (y == b.end()) return false;
  if (x == a.end()) return true;
  const auto rank = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0xEE || byte == 0xEF ? byte + 0x10 : int{byte};
  };
  return rank(*x) < rank(*y);
}

void Append(const json& value, std::string& out);

void AppendObject(const json& object, std::string& out) {
  std::vector<json::const_iterator> members;
  for (auto it = object.begin(); it != object.end(); ++it)
    members.push_back(it);
  std::sort(members.begin(), members.end(),
            [](auto a, auto b) { return Utf16Less(a.key(), b.key()); });
  out += '{';
  for (const auto& member : members) {
    if (out.back() != '{') out += ',';
    AppendString(member.key(), out);
    out += ':';
    Append(*member, out);
  }
  out += '}';
}

void Append(const json& value, std::string& out) {
  if (value.is_object()) {
    AppendObject(value, out);
  } else if (value.is_array()) {
    out += '[';
    for (const json& element : value) {
      Append(element, out);
      out += ',';
    }
    if (out.back() == ',') out.pop_back();
    out += ']';
  } else if (value.is_string()) {
    AppendString(value.get_ref<const std::string&>(), out);
  } else if (value.is_number_float()) {
    AppendNumber(value.get<double>(), out);
  } else if (value.is_number()) {
    AppendWhole(value, out);
  } else {
    out += value.is_null() ? "null" : value.get<bool>() ? "true" : "false";
  }
}

}  // namespace

std::string CanonicalJson(const json& value) {
  std::string out;
  Append(value, out);
  return out;
}

}  // namespace modicum
