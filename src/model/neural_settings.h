// SPDX-License-Identifier: Apache-2.0
// Run settings of networks by name, as reports and files hold them, and the
// ones that tuning found for a network on this machine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/gguf/gguf_file.h"
#include "model/neural.h"
#include "record/types.h"

namespace modicum {

// "threads" -> "2"; only what differs from NeuralSettings{}.
std::map<std::string, std::string> ToTexts(const NeuralSettings& settings);
// kInvalidInput names an unknown setting or a value out of range.
Result<NeuralSettings> SettingsOf(
    const std::map<std::string, std::string>& texts);

// Kinds of workload that a network is tuned for, each apart: what is cheapest
// for one says nothing of the other.
inline constexpr std::string_view kTunedKinds[] = {"generate", "embed"};

// What tuning found, as kept under the data folder.
struct TunedSettings {
  NeuralSettings settings;
  std::string host;      // see HostIdentity
  std::string workload;  // "generate 64 tokens after 256": its kind first
  std::string created;   // ISO 8601 UTC
};
// Whether it was found for a workload of this kind.
bool IsTunedFor(std::string_view kind, const TunedSettings& tuned);

// The network, by its header and length: reading all of a large file to name
// it would cost more than the settings save.
Result<std::string> NetworkIdentity(const GgufFile& file);
// What a tuned setting depends on of the machine.
std::string HostIdentity(const HostFacts& host);

// Beside those of other kinds, whose name the workload begins with.
Status KeepTuned(const std::string& data_dir, const std::string& network,
                 const TunedSettings& tuned);
// nullopt where there is none. One that was made on another machine is
// returned too, see TunedSettings::host, and so is one of another kind that was
// kept before kinds were told apart, see IsTunedFor.
Result<std::optional<TunedSettings>> FindTuned(const std::string& data_dir,
                                               const std::string& network,
                                               std::string_view kind);

}  // namespace modicum
