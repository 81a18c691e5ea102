// SPDX-License-Identifier: Apache-2.0
// What a remote model is made of, and its file, remote.json: the endpoint, its
// prices, its assumed energy, the question. Never the key itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/remote_use.h"
#include "base/result.h"
#include "model/engine.h"
#include "model/prompt_spec.h"
#include "model/remote/chat.h"

namespace modicum {

inline constexpr char kRemoteFile[] = "remote.json";

struct RemoteSpec {
  std::string name, url, model;
  std::string key;  // the environment variable that holds it; "": none needed
  double price_in = 0, price_out = 0;  // a million tokens
  std::string currency = "USD";
  double in_low = 0, in_high = 0;  // joules a token, 90 % interval
  double out_low = 0, out_high = 0;
  int64_t parallel = 4;
  double timeout_s = 60;
  double most_spent = 1;  // by one process, in the currency
  PromptSpec prompt;

  friend bool operator==(const RemoteSpec&, const RemoteSpec&) = default;
};

// kInvalidInput names the parameter.
Result<RemoteSpec> RemoteSpecOf(const Params& params,
                                const std::vector<std::string>& labels);

std::string EncodeRemote(const RemoteSpec& spec);
// kInvalidInput for anything EncodeRemote cannot have written.
Result<RemoteSpec> DecodeRemote(std::string_view json);

// The labels to choose from, then the text as the template shows it.
std::string RemoteQuestion(const RemoteSpec& spec, std::string_view text);
// The word that comes first in the answer, in any case and as a whole word; of
// two at one place the longer.
std::optional<size_t> LabelIn(std::string_view answer,
                              const std::vector<std::string>& words);

// One answer's tokens, their price, and their energy.
RemoteUse UseOf(const RemoteSpec& spec, const ChatReply& reply);

}  // namespace modicum
