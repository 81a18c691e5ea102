// SPDX-License-Identifier: Apache-2.0
// The machine and its energies in a line each, as every report begins.
#pragma once

#include <string>

#include "record/types.h"

namespace modicum {

// "2 vCPU Intel Xeon VM (KVM), no GPU".
std::string MachineText(const HostFacts& host);

// "joules MODELLED, x/÷ 2.4 (90 %), cpu package": origin, width and scope of
// the energies, said once above the table.
std::string EnergyNote(const Estimate<Joules>& example);

}  // namespace modicum
