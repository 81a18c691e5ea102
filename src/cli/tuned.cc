// SPDX-License-Identifier: Apache-2.0
#include "cli/tuned.h"

#include <fmt/format.h>

#include "model/gguf/gguf_file.h"
#include "model/neural_settings.h"

namespace modicum {

Result<TunedChoice> TunedUnder(const NeuralSettings& flags,
                               const std::string& path,
                               const Settings& settings,
                               const HostFacts& host) {
  TunedChoice choice{flags, {}};
  MODICUM_TRY(const GgufFile file, ReadGguf(path, GgufCheck::kStructure));
  MODICUM_TRY(const std::string network, NetworkIdentity(file));
  const std::string_view kind = kTunedKinds[flags.vectors ? 1 : 0];
  MODICUM_TRY(const auto tuned, FindTuned(settings.data_dir, network, kind));
  if (!tuned) return choice;
  if (!IsTunedFor(kind, *tuned)) {
    choice.note = fmt::format(
        "tuned settings are for '{}' and not used: 'modicum tune {}' finds "
        "those to {}",
        tuned->workload, path, kind);
    return choice;
  }
  if (tuned->host != HostIdentity(host)) {
    choice.note = fmt::format(
        "tuned settings are of another machine ({}) and not used: 'modicum "
        "tune {}' finds this one's",
        tuned->host, path);
    return choice;
  }
  auto texts = ToTexts(tuned->settings);
  // It is of the network as it is.
  if (!flags.lora.empty()) texts.erase("blas");
  std::string found;
  for (const auto& [name, value] : texts)
    found += fmt::format("{}{} {}", found.empty() ? "" : ", ", name, value);
  for (const auto& [name, value] : ToTexts(flags)) texts[name] = value;
  MODICUM_TRY(choice.settings, SettingsOf(texts));
  // What changes answers, or what will be called, is no run setting.
  choice.settings.lora = flags.lora;
  choice.settings.vectors = flags.vectors;
  choice.note =
      fmt::format("{} (tuned: {}, {})", found.empty() ? "the defaults" : found,
                  tuned->workload, tuned->created.substr(0, 10));
  return choice;
}

}  // namespace modicum
