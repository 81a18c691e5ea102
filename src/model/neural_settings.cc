// SPDX-License-Identifier: Apache-2.0
#include "model/neural_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/hash.h"
#include "base/suggest.h"

namespace modicum {

namespace {

using Json = nlohmann::json;
using Texts = std::map<std::string, std::string>;

constexpr char kTunedFormat[] = "modicum-tuned-1";

struct NumberRow {
  std::string_view name;
  int NeuralSettings::*member;
  int low, high;
};
constexpr NumberRow kNumbers[] = {
    {"threads", &NeuralSettings::threads, 0, 4096},
    {"batch_threads", &NeuralSettings::batch_threads, 0, 4096},
    {"context", &NeuralSettings::context, 0, 1 << 30},
    {"sequences", &NeuralSettings::sequences, 1, 256},
    {"batch", &NeuralSettings::batch, 1, 1 << 20},
    {"micro_batch", &NeuralSettings::micro_batch, 1, 1 << 20},
    {"poll", &NeuralSettings::poll, 0, 100},
    {"gpu_layers", &NeuralSettings::gpu_layers, -1, 4096},
};

struct TextRow {
  std::string_view name;
  std::string NeuralSettings::*member;
};
constexpr TextRow kTexts[] = {
    {"kv_type", &NeuralSettings::kv_type},
    {"flash_attention", &NeuralSettings::flash_attention},
    {"blas", &NeuralSettings::blas},
    {"cpus", &NeuralSettings::cpus},
};
constexpr std::string_view kRepack = "repack";

Status Unknown(std::string_view name) {
  std::vector<std::string_view> known = {kRepack};
  for (const NumberRow& row : kNumbers) known.push_back(row.name);
  for (const TextRow& row : kTexts) known.push_back(row.name);
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("no run setting '{}'{}", name, DidYouMean(name, known)),
      fmt::format("there are: {}", fmt::join(known, ", ")));
}

Status SetNumber(const NumberRow& row, std::string_view text,
                 NeuralSettings& settings) {
  int value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() ||
      value < row.low || value > row.high)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("run setting {} = {}: a whole number from {} to {} "
                            "expected",
                            row.name, text, row.low, row.high));
  settings.*row.member = value;
  return {};
}

Status Set(std::string_view name, const std::string& text,
           NeuralSettings& settings) {
  for (const NumberRow& row : kNumbers)
    if (row.name == name) return SetNumber(row, text, settings);
  for (const TextRow& row : kTexts)
    if (row.name == name) {
      settings.*row.member = text;
      return {};
    }
  if (name != kRepack) return Unknown(name);
  if (text != "true" && text != "false")
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("run setting repack = {}: true or false expected", text));
  settings.repack = text == "true";
  return {};
}

// "generate" of "generate 64 tokens after 256".
std::string_view KindOf(std::string_view workload) {
  return workload.substr(0, workload.find(' '));
}

// Without a kind, where all were one.
std::string PathOf(const std::string& data_dir, const std::string& network,
                   std::string_view kind) {
  return fmt::format("{}/tuned/{}{}{}.json", data_dir, network.substr(0, 32),
                     kind.empty() ? "" : "-", kind);
}

}  // namespace

Texts ToTexts(const NeuralSettings& settings) {
  const NeuralSettings fallback;
  Texts texts;
  for (const NumberRow& row : kNumbers)
    if (settings.*row.member != fallback.*row.member)
      texts.emplace(row.name, std::to_string(settings.*row.member));
  for (const TextRow& row : kTexts)
    if (settings.*row.member != fallback.*row.member)
      texts.emplace(row.name, settings.*row.member);
  if (settings.repack != fallback.repack)
    texts.emplace(kRepack, settings.repack ? "true" : "false");
  return texts;
}

Result<NeuralSettings> SettingsOf(const Texts& texts) {
  NeuralSettings settings;
  for (const auto& [name, text] : texts)
    MODICUM_RETURN_IF_ERROR(Set(name, text, settings));
  return settings;
}

Result<std::string> NetworkIdentity(const GgufFile& file) {
  std::ifstream in(file.name, std::ios::binary);
  // A file without tensors may end before they would begin.
  std::string head(std::min(file.data_offset, file.file_bytes), '\0');
  if (!in.read(head.data(), static_cast<std::streamsize>(head.size())))
    return Fail(ErrorCode::kIo, "cannot read " + file.name);
  Sha256 hash;
  hash.AddField(head);
  hash.AddField(std::to_string(file.file_bytes));
  return ToHex(hash.Finish());
}

std::string HostIdentity(const HostFacts& host) {
  return fmt::format("{}, {} CPUs, {}", host.cpu_model, host.logical_cpus,
                     host.governor.empty() ? "no governor" : host.governor);
}

Status KeepTuned(const std::string& data_dir, const std::string& network,
                 const TunedSettings& tuned) {
  const Json json = {{"format", kTunedFormat},
                     {"network", network},
                     {"settings", ToTexts(tuned.settings)},
                     {"host", tuned.host},
                     {"workload", tuned.workload},
                     {"created", tuned.created}};
  return WriteFileAtomically(PathOf(data_dir, network, KindOf(tuned.workload)),
                             json.dump(2) + "\n");
}

bool IsTunedFor(std::string_view kind, const TunedSettings& tuned) {
  return KindOf(tuned.workload) == kind;
}

Result<std::optional<TunedSettings>> FindTuned(const std::string& data_dir,
                                               const std::string& network,
                                               std::string_view kind) {
  std::string path = PathOf(data_dir, network, kind);
  auto text = ReadFile(path);
  if (!text && text.error().code == ErrorCode::kNotFound) {
    path = PathOf(data_dir, network, "");
    text = ReadFile(path);
  }
  if (!text && text.error().code == ErrorCode::kNotFound)
    return std::optional<TunedSettings>();
  if (!text) return Fail(std::move(text).error());
  const Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  try {
    if (!json.is_object() || json.at("format") != kTunedFormat)
      return Fail(ErrorCode::kInvalidInput, path + " holds no tuned settings",
                  "remove it, or run 'modicum tune' again");
    MODICUM_TRY(const NeuralSettings settings,
                SettingsOf(json.at("settings").get<Texts>()));
    return std::optional(TunedSettings{
        settings, json.at("host"), json.at("workload"), json.at("created")});
  } catch (const Json::exception&) {
    return Fail(ErrorCode::kInvalidInput, path + " is not as written",
                "remove it, or run 'modicum tune' again");
  }
}

}  // namespace modicum
