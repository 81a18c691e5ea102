// SPDX-License-Identifier: Apache-2.0
#include "record/machine_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/format.h"

namespace modicum {

std::string MachineText(const HostFacts& host) {
  std::string text =
      fmt::format("{} {} {}", host.logical_cpus,
                  host.virtual_machine ? "vCPU" : "logical CPUs",
                  host.cpu_model.empty() ? "unknown CPU" : host.cpu_model);
  if (host.virtual_machine)
    text += fmt::format(
        ", VM{}", host.hypervisor.empty() ? "" : " (" + host.hypervisor + ")");
  if (host.gpus.empty()) return text + ", no GPU";
  return text + fmt::format(", {} GPU{}", host.gpus.size(),
                            host.gpus.size() == 1 ? "" : "s");
}

std::string EnergyNote(const Estimate<Joules>& example) {
  std::string origin(OriginName(example.origin));
  // A modelled number must never look like a measured one.
  if (!IsMeasured(example.origin))
    std::transform(origin.begin(), origin.end(), origin.begin(),
                   [](unsigned char c) { return std::toupper(c); });
  const std::string factor =
      FormatFactor(example.interval(), example.mid.value());
  return fmt::format("joules {}{}, scope {}", origin,
                     factor.empty() ? "" : ", " + factor + " (90 %)",
                     ScopeName(example.scope));
}

}  // namespace modicum
