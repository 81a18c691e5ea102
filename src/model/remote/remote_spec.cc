// SPDX-License-Identifier: Apache-2.0
#include "model/remote/remote_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "model/params.h"
#include "model/remote/remote_params.h"
#include "model/strict_json.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

constexpr char kFormat[] = "modicum-remote-1";

auto Wrong(std::string_view param, std::string_view what) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("remote: {} {}", param, what),
              "docs/families.md lists what [[remote]] takes");
}

// A number in [low, high]; an integer is one too.
Status ReadNumber(const Params& params, const char* name, double low,
                  double high, double& out) {
  const auto found = params.find(name);
  if (found == params.end()) return {};
  if (const auto* number = std::get_if<double>(&found->second))
    out = *number;
  else if (const auto* whole = std::get_if<int64_t>(&found->second))
    out = static_cast<double>(*whole);
  else
    return Wrong(name, "is not a number");
  if (out >= low && out <= high) return {};
  return Wrong(name,
               fmt::format("is {}, not within {} and {}", out, low, high));
}

Status ReadText(const Params& params, const char* name, std::string& out) {
  const auto found = params.find(name);
  if (found == params.end()) return {};
  const auto* text = std::get_if<std::string>(&found->second);
  if (text == nullptr) return Wrong(name, "is not text");
  out = *text;
  return {};
}

Status ReadEnergies(const Params& params, RemoteSpec& spec) {
  struct Row {
    const char* name;
    double* out;
  };
  spec.in_low = kAssumedInLow;
  spec.in_high = kAssumedInHigh;
  spec.out_low = kAssumedOutLow;
  spec.out_high = kAssumedOutHigh;
  for (const Row& row :
       {Row{kRemoteInLow, &spec.in_low}, Row{kRemoteInHigh, &spec.in_high},
        Row{kRemoteOutLow, &spec.out_low}, Row{kRemoteOutHigh, &spec.out_high}})
    MODICUM_RETURN_IF_ERROR(ReadNumber(params, row.name, 1e-9, 1e9, *row.out));
  if (spec.in_low > spec.in_high)
    return Wrong(kRemoteInLow, "is above its high");
  if (spec.out_low > spec.out_high)
    return Wrong(kRemoteOutLow, "is above its high");
  return {};
}

Status Check(const RemoteSpec& spec) {
  if (spec.name.empty()) return Wrong(kRemoteName, "is missing");
  if (spec.url.empty()) return Wrong(kRemoteUrl, "is missing");
  if (spec.model.empty()) return Wrong(kRemoteModel, "is missing");
  if (spec.currency.size() != 3)
    return Wrong(kRemoteCurrency, "is not a code like USD");
  MODICUM_RETURN_IF_ERROR(ParseEndpointUrl(spec.url, !spec.key.empty()));
  return CheckPrompt(spec.prompt);
}

Status CheckNames(const Params& params,
                  const std::vector<std::string>& labels) {
  std::vector<std::string> words;
  for (const std::string& label : labels) words.push_back(kRemoteWord + label);
  std::vector<std::string_view> known = {
      kRemoteName,    kRemoteUrl,       kRemoteModel,    kRemoteKey,
      kRemotePriceIn, kRemotePriceOut,  kRemoteCurrency, kRemoteInLow,
      kRemoteInHigh,  kRemoteOutLow,    kRemoteOutHigh,  kRemoteParallel,
      kRemoteTimeout, kRemoteMostSpent, kRemoteTemplate};
  known.insert(known.end(), words.begin(), words.end());
  return CheckParamNames(params, kRemoteFamily, known);
}

// Half the width of a 90 % interval of the logarithm is 1.645 sd.
double RelativeSd(double low, double high) {
  return std::log(high / low) / (2 * kZ90);
}

bool IsWordCharacter(std::string_view text, size_t at) {
  if (at >= text.size()) return false;
  const auto c = static_cast<unsigned char>(text[at]);
  return std::isalnum(c) != 0 || c >= 0x80;
}

// Where `word` stands as a whole word; npos.
size_t FindWord(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != text.npos;
       at = text.find(word, at + 1)) {
    const bool begins = at == 0 || !IsWordCharacter(text, at - 1);
    if (begins && !IsWordCharacter(text, at + word.size())) return at;
  }
  return text.npos;
}

}  // namespace

Result<RemoteSpec> RemoteSpecOf(const Params& params,
                                const std::vector<std::string>& labels) {
  RemoteSpec spec;
  MODICUM_RETURN_IF_ERROR(CheckNames(params, labels));
  for (const auto& [name, out] : {std::pair{kRemoteName, &spec.name},
                                  {kRemoteUrl, &spec.url},
                                  {kRemoteModel, &spec.model},
                                  {kRemoteKey, &spec.key},
                                  {kRemoteCurrency, &spec.currency},
                                  {kRemoteTemplate, &spec.prompt.form}})
    MODICUM_RETURN_IF_ERROR(ReadText(params, name, *out));
  MODICUM_RETURN_IF_ERROR(
      ReadNumber(params, kRemotePriceIn, 0, 1e6, spec.price_in));
  MODICUM_RETURN_IF_ERROR(
      ReadNumber(params, kRemotePriceOut, 0, 1e6, spec.price_out));
  MODICUM_RETURN_IF_ERROR(
      ReadNumber(params, kRemoteTimeout, 0.01, 3600, spec.timeout_s));
  MODICUM_RETURN_IF_ERROR(
      ReadNumber(params, kRemoteMostSpent, 0, 1e6, spec.most_spent));
  double parallel = 4;
  MODICUM_RETURN_IF_ERROR(ReadNumber(params, kRemoteParallel, 1, 64, parallel));
  spec.parallel = static_cast<int64_t>(parallel);
  MODICUM_RETURN_IF_ERROR(ReadEnergies(params, spec));
  for (const std::string& label : labels) {
    std::string word = label;
    const std::string param = kRemoteWord + label;
    MODICUM_RETURN_IF_ERROR(ReadText(params, param.c_str(), word));
    spec.prompt.words.push_back(std::move(word));
  }
  MODICUM_RETURN_IF_ERROR(Check(spec));
  return spec;
}

std::string EncodeRemote(const RemoteSpec& spec) {
  return Json{{"format", kFormat},
              {kRemoteName, spec.name},
              {kRemoteUrl, spec.url},
              {kRemoteModel, spec.model},
              {kRemoteKey, spec.key},
              {kRemotePriceIn, spec.price_in},
              {kRemotePriceOut, spec.price_out},
              {kRemoteCurrency, spec.currency},
              {kRemoteInLow, spec.in_low},
              {kRemoteInHigh, spec.in_high},
              {kRemoteOutLow, spec.out_low},
              {kRemoteOutHigh, spec.out_high},
              {kRemoteParallel, spec.parallel},
              {kRemoteTimeout, spec.timeout_s},
              {kRemoteMostSpent, spec.most_spent},
              {kRemoteTemplate, spec.prompt.form},
              {"words", spec.prompt.words}}
             .dump(2) +
         "\n";
}

Result<RemoteSpec> DecodeRemote(std::string_view text) {
  MODICUM_TRY(const Json json, ParseStrictJson(text, kRemoteFile, 4));
  const auto refuse = [](std::string_view what) {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: {}", kRemoteFile, what),
                "'modicum fit' writes it; make the artifact again");
  };
  if (!json.is_object() || json.value("format", Json()) != kFormat)
    return refuse(fmt::format("is no {}", kFormat));
  Params params;
  std::vector<std::string> words;
  for (const auto& [name, value] : json.items()) {
    if (name == "format") continue;
    if (name == "words") {
      if (!value.is_array() || value.size() > 10000)
        return refuse("words are no list");
      for (const Json& word : value) {
        if (!word.is_string()) return refuse("a word is no text");
        words.push_back(word.get<std::string>());
      }
    } else if (value.is_string()) {
      params[name] = value.get<std::string>();
    } else if (value.is_number()) {
      params[name] = value.get<double>();
    } else {
      return refuse(fmt::format("{} is neither text nor a number", name));
    }
  }
  return RemoteSpecOf(params, words);
}

std::string RemoteQuestion(const RemoteSpec& spec, std::string_view text) {
  return fmt::format("Answer with exactly one of these labels: {}.\n\n{}",
                     fmt::join(spec.prompt.words, ", "),
                     PromptFor(spec.prompt, text));
}

std::optional<size_t> LabelIn(std::string_view answer,
                              const std::vector<std::string>& words) {
  const std::string text = LowerAscii(answer);
  size_t best = 0;
  size_t first = text.npos;
  for (size_t i = 0; i < words.size(); ++i) {
    const size_t at = FindWord(text, LowerAscii(words[i]));
    const bool longer = at == first && words[i].size() > words[best].size();
    if (at == text.npos || (at > first) || (at == first && !longer)) continue;
    first = at;
    best = i;
  }
  if (first == text.npos) return std::nullopt;
  return best;
}

RemoteUse UseOf(const RemoteSpec& spec, const ChatReply& reply) {
  constexpr double kMillion = 1e6;
  const auto in = static_cast<double>(reply.tokens_in);
  const auto out = static_cast<double>(reply.tokens_out);
  RemoteUse use;
  use.requests = 1;
  use.tokens_in = reply.tokens_in;
  use.tokens_out = reply.tokens_out;
  use.price = (in * spec.price_in + out * spec.price_out) / kMillion;
  use.currency = spec.currency;
  use.energy = Joules(in * std::sqrt(spec.in_low * spec.in_high) +
                      out * std::sqrt(spec.out_low * spec.out_high));
  // Both err alike: it is one machine that is not known.
  use.energy_rel_sd = std::max(RelativeSd(spec.in_low, spec.in_high),
                               RelativeSd(spec.out_low, spec.out_high));
  return use;
}

}  // namespace modicum
