// SPDX-License-Identifier: Apache-2.0
// What making a machine or a GPU emitted: data/embodied.csv.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/estimate.h"
#include "record/types.h"

namespace modicum {

// A class of machine. The figure is the class's, not this machine's.
struct EmbodiedDevice {
  Estimate<GramsCo2e> carbon;  // of one whole machine, or GPU
  Seconds life;                // over which it is spread
  int sockets = 1;             // of the machine the figure is for
  std::vector<Factor> factors;
};

// "server", "desktop" or "laptop"; nullopt for a class without a figure.
std::optional<EmbodiedDevice> FindEmbodied(std::string_view device_class);

// Of a GPU by the driver's name: "NVIDIA A100-SXM4-40GB".
std::optional<EmbodiedDevice> FindEmbodiedGpu(std::string_view name);

// The class as far as the processor tells it: "server" for server chips and
// virtual machines, "laptop" for mobile chips, "desktop" for the other Core and
// Ryzen, "" when it could be anything.
std::string_view DeviceClass(std::string_view cpu_model, bool virtual_machine);

}  // namespace modicum
