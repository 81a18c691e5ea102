// SPDX-License-Identifier: Apache-2.0
#include "tune/workload.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/format.h"
#include "base/toml_section.h"
#include "model/neural_settings.h"

namespace modicum {

namespace {

constexpr int64_t kMostTokens = 1 << 20;

// Keys that the other kind has no use for.
struct KindKey {
  std::string_view key;
  bool of_embed;
};
constexpr KindKey kOfOneKind[] = {
    {"generate", false}, {"kv_types", false}, {"batch", true}};

constexpr char kExample[] =
    "for example: [workload], and below it prompt = 256 and generate = 64, or "
    "kind = \"embed\", prompt = 40 and batch = 16";

void ReadCount(TomlSection& section, std::string_view key, int64_t least,
               int& value) {
  int64_t read = value;
  section.Read(key, read);
  if (read < least || read > kMostTokens)
    section.Fault(key,
                  fmt::format("must be between {} and {}", least,
                              FormatCount(static_cast<uint64_t>(kMostTokens))));
  else
    value = static_cast<int>(read);
}

Status ReadWorkload(TomlSection& section, TuneWorkload& workload) {
  std::string kind = "generate";
  section.Read("kind", kind);
  if (std::find(std::begin(kTunedKinds), std::end(kTunedKinds), kind) ==
      std::end(kTunedKinds))
    section.Fault("kind",
                  fmt::format("'{}' is not a known kind{}", kind,
                              DidYouMean(kind, kTunedKinds)),
                  fmt::format("kinds are: {}", fmt::join(kTunedKinds, ", ")));
  workload.kind = kind == kTunedKinds[1] ? TuneWorkload::Kind::kEmbed
                                         : TuneWorkload::Kind::kGenerate;
  const bool embeds = workload.kind == TuneWorkload::Kind::kEmbed;
  for (const auto& [key, of_embed] : kOfOneKind)
    if (section.Has(key) && of_embed != embeds)
      section.Fault(key,
                    fmt::format("is of kind {}; this workload is of kind {}",
                                kTunedKinds[of_embed ? 1 : 0], kind),
                    fmt::format("leave it out, or let kind be \"{}\"",
                                kTunedKinds[of_embed ? 1 : 0]));
  ReadCount(section, "prompt", 1, workload.prompt);
  ReadCount(section, "generate", 1, workload.generate);
  ReadCount(section, "batch", 1, workload.batch);
  std::optional<double> p95;
  section.Read("p95", p95);
  if (p95 && *p95 <= 0) section.Fault("p95", "must be positive");
  if (p95) workload.p95 = Seconds(*p95);
  section.ReadStrings("kv_types", workload.kv_types);
  for (const std::string& type : workload.kv_types)
    if (std::find(std::begin(kKeyValueTypes), std::end(kKeyValueTypes), type) ==
        std::end(kKeyValueTypes))
      section.Fault(
          "kv_types",
          fmt::format("has the unknown type '{}'{}", type,
                      DidYouMean(type, kKeyValueTypes)),
          fmt::format("types are: {}", fmt::join(kKeyValueTypes, ", ")));
  return section.Finish();
}

}  // namespace

Result<TuneWorkload> ParseWorkload(std::string_view toml,
                                   const std::string& path) {
  MODICUM_TRY(const toml::table root, ParseToml(toml, path));
  if (root.empty())
    return Fail(ErrorCode::kInvalidInput, path + " is empty", kExample);
  TomlSection top(root, "", path);
  top.Allow("workload");
  top.Require("workload");
  top.RequireTable("workload");
  MODICUM_RETURN_IF_ERROR(top.Finish());
  TuneWorkload workload;
  TomlSection section(*root["workload"].as_table(), "workload", path);
  MODICUM_RETURN_IF_ERROR(ReadWorkload(section, workload));
  return workload;
}

Result<TuneWorkload> LoadWorkload(const std::string& path) {
  auto text = ReadFile(path);
  if (!text && text.error().code == ErrorCode::kNotFound)
    text.error().hint = "docs/tune.md shows what one looks like";
  if (!text) return Fail(std::move(text).error());
  return ParseWorkload(*text, path);
}

std::string ToString(const TuneWorkload& workload) {
  if (workload.kind == TuneWorkload::Kind::kEmbed)
    return fmt::format("embed {} texts of {} tokens", workload.batch,
                       workload.prompt);
  return fmt::format("generate {} tokens after {}", workload.generate,
                     workload.prompt);
}

}  // namespace modicum
