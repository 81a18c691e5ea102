// SPDX-License-Identifier: Apache-2.0
// For tests: a data frame as R's serialize() lays it out.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace modicum {

class RWriter {
 public:
  std::string Take() { return std::move(out_); }
  RWriter& Raw(std::string_view bytes) {
    out_ += bytes;
    return *this;
  }
  RWriter& Word(uint32_t word) {
    for (int shift = 24; shift >= 0; shift -= 8)
      out_ += static_cast<char>(word >> shift & 0xFFU);
    return *this;
  }
  RWriter& String(std::string_view text) {
    return Word(0x40009).Word(static_cast<uint32_t>(text.size())).Raw(text);
  }
  RWriter& Tag(std::string_view name) {  // of a pair; a new symbol
    return Word(0x402).Word(1).String(name);
  }
  RWriter& Integers(uint32_t flags, const std::vector<int32_t>& values) {
    Word(flags).Word(static_cast<uint32_t>(values.size()));
    for (const int32_t value : values) Word(static_cast<uint32_t>(value));
    return *this;
  }
  RWriter& Reals(const std::vector<double>& values) {
    Word(14).Word(static_cast<uint32_t>(values.size()));
    for (const double value : values) {
      const auto bits = std::bit_cast<uint64_t>(value);
      Word(static_cast<uint32_t>(bits >> 32U))
          .Word(static_cast<uint32_t>(bits));
    }
    return *this;
  }
  RWriter& Strings(const std::vector<std::string>& values) {
    Word(16).Word(static_cast<uint32_t>(values.size()));
    for (const std::string& value : values) String(value);
    return *this;
  }

 private:
  std::string out_;
};

// "data": the factor `label` = B,C A B,C; x.box = 1.5 -2 1e6; y = 7 NA 9.
inline std::string SampleFrame(const std::string& label = "class") {
  constexpr uint32_t kNil = 254;
  RWriter out;
  out.Raw("RDX2\nX\n").Word(2).Word(0x20A01).Word(0x20300);
  out.Tag("data").Word(0x313).Word(3);
  out.Integers(0x30D, {2, 1, 2});
  out.Tag("levels").Strings({"A", "B,C"});
  out.Tag("class").Strings({"factor"}).Word(kNil);
  out.Reals({1.5, -2, 1e6});
  out.Integers(13, {7, INT32_MIN, 9});
  out.Tag("names").Strings({label, "x.box", "y"});
  // The symbol "class" again, by its number, the third.
  out.Word(0x402).Word(3U << 8U | 255U).Strings({"data.frame"});
  out.Tag("row.names").Integers(13, {INT32_MIN, -3}).Word(kNil);
  out.Word(kNil);
  return out.Take();
}

}  // namespace modicum
