// SPDX-License-Identifier: Apache-2.0
// The GGUF file that a neural family's model stands on: in a candidate's
// parameters while it is made, beside its other files afterwards.
#pragma once

#include <memory>
#include <string>

#include "base/phase.h"
#include "base/result.h"
#include "model/engine.h"
#include "model/neural.h"

namespace modicum {

// In a model's folder.
inline constexpr char kNetworkFile[] = "model.gguf";

// Whether the family's models run a network: they use every CPU by themselves.
bool RunsNetwork(std::string_view family);

// Parameters of every family that stands on a network: its path, and the
// SHA-256 it had when it was chosen (hex), so that equal parameters make equal
// models.
inline constexpr char kNetworkParam[] = "model";
inline constexpr char kNetworkHashParam[] = "sha256";

// Of family encoder on a network: whether the body stays as it is.
inline constexpr char kFrozenParam[] = "frozen";

// The path in `params`; kInvalidInput when it has none, or the file is not
// what it was.
Result<std::string> NetworkOf(const Params& params, std::string_view family);

// Puts the network into `directory` as kNetworkFile: a link where the file
// system can, else a copy.
Status PlaceNetwork(const std::string& path, const std::string& directory);

// What a network is opened for: Embed and Classify, or text.
enum class OpenFor { kVectors, kText };
// Opens it on every CPU this process may use. Reports kLoad.
Result<std::unique_ptr<NeuralModel>> OpenNetwork(const std::string& path,
                                                 OpenFor use,
                                                 const std::stop_token& stop,
                                                 PhaseSink& sink);

// What a family that stands on `network` says of itself, its own parameters
// and bytes not yet counted.
ModelInfo InfoOn(const NeuralModel& network, std::string_view family,
                 const std::vector<std::string>& labels);

// kUnavailable: these families have no features to name.
Status CheckNotExplained(const CallOptions& options, std::string_view family);

}  // namespace modicum
