// SPDX-License-Identifier: Apache-2.0
// What machine this is, and what is known of its chips' power.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/root_fs.h"
#include "base/units.h"
#include "record/types.h"

namespace modicum {

// One row of data/cpus.csv. Powers are of one whole package, all cores.
struct CpuChip {
  std::string name;        // as vendors write it: "AMD EPYC 7763"
  std::string match;       // lower-case words the model name must contain
  std::string generation;  // "Milan"
  std::string kind;        // "server", "desktop", "mobile"
  int cores = 0;
  int threads = 0;
  Watts tdp;
  std::optional<Watts> idle;  // measured package idle, where a source has it
  std::optional<Watts> full;  // measured package power at full load
  std::string source;
  std::string date;
};

// A power range for the whole package this machine (or its host) has.
struct CpuPower {
  std::string chip;  // name of the row, or "Rome, average of 14 chips"
  Watts idle;        // whole package: measured, else the load curve's
  Watts full;
  int package_threads = 0;
  bool chip_known = false;  // false: a class average; wider error
  double relative_sd = 0;   // of the range itself (ln scale), beside the curve
  std::string source;
  std::string date;
};

// Reads /proc and /sys; never fails: what cannot be read keeps its default.
// Where the model name names no known chip (cloud guests see "Intel(R) Xeon(R)
// Processor"), cpu_model gets the CPUID family and model appended, so that the
// name alone tells as much as is known: "... (family 6 model 143)".
HostFacts DetectHost(const RootFs& fs);

// The chip whose pattern matches `cpu_model` best; nullopt when none does.
std::optional<CpuChip> FindChip(std::string_view cpu_model);

// Never fails: an unknown model gets the class average of its kind.
CpuPower PowerOf(const HostFacts& host);

// Whether there is a GPU outside of the CPU's package.
bool HasCards(const HostFacts& host);

// Devices that use power here but that no usable probe meters, as sentences
// for a bill: "8 GPUs present, NOT COUNTED". `metered` lists components, "gpu"
// once for each GPU.
std::vector<std::string> NotCounted(const HostFacts& host,
                                    const std::vector<std::string>& metered);

}  // namespace modicum
