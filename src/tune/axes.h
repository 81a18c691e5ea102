// SPDX-License-Identifier: Apache-2.0
// Which run settings are worth trying, one axis at a time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/neural.h"
#include "tune/workload.h"

namespace modicum {

// The CPUs this process may use, and one of each physical core among them.
struct TuneMachine {
  std::vector<int> all;
  std::vector<int> one_a_core;
  // Of the network, that GPUs hold where nothing is said.
  int gpu_layers = 0;
};

// Settings by name and new value: "threads" -> "1".
using Change = std::map<std::string, std::string>;

// The axes in the order in which they are tried: what saves most first.
size_t AxisCount();
// The values of one axis that differ from `best`; may be empty.
std::vector<Change> ChangesOf(size_t axis, const NeuralSettings& best,
                              const TuneWorkload& workload,
                              const TuneMachine& cpus);

// "threads 1, poll 0".
std::string ToString(const Change& change);
// "0-1,3".
std::string CpuList(const std::vector<int>& cpus);

}  // namespace modicum
