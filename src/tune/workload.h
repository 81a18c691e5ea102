// SPDX-License-Identifier: Apache-2.0
// What a network is asked while it is tuned: the work that it is tuned for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace modicum {

struct TuneWorkload {
  enum class Kind { kGenerate, kEmbed } kind = Kind::kGenerate;
  int prompt = 256;   // tokens of a prompt, or of a text to embed
  int generate = 64;  // tokens that follow it
  int batch = 16;     // texts in one request to embed
  // Of a request, at most. Absent: 5 % above what the defaults take.
  std::optional<Seconds> p95;
  // Types of keys and values that may be tried: they change answers slightly.
  std::vector<std::string> kv_types;
};

// kInvalidInput names file, line and cure.
Result<TuneWorkload> LoadWorkload(const std::string& path);
Result<TuneWorkload> ParseWorkload(std::string_view toml,
                                   const std::string& path);

// "generate 64 tokens after 256".
std::string ToString(const TuneWorkload& workload);

}  // namespace modicum
