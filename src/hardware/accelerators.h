// SPDX-License-Identifier: Apache-2.0
// Accelerators and processors as plans see them: data/accelerators.csv.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace modicum {

struct Accelerator {
  std::string id;    // "a100-80"
  std::string name;  // "A100 80 GB"
  std::vector<std::string> aliases;
  std::string kind;  // "gpu", "tpu", "apple", "cpu"
  // Dense peaks in FLOP/s; 0: the chip has no such arithmetic.
  double fp32 = 0, tf32 = 0, fp16 = 0, bf16 = 0, fp8 = 0, int8 = 0;
  double bandwidth = 0;  // of its memory, bytes/s
  Bytes memory;
  Watts tdp;
  Watts idle;
  std::optional<double> embodied_kg;
  std::optional<double> rent_usd;  // an hour
  std::optional<double> buy_usd;
  double link = 0;   // to the others of a node, bytes/s
  int per_node = 1;  // devices in one machine
  std::string source;
  std::string price_source;

  // Of the arithmetic that a type of weights is multiplied in: formats without
  // units of their own compute in 16 bits, else in 32. 0 never.
  double Peak(std::string_view type) const;
};

const std::vector<Accelerator>& Accelerators();

// By id or alias, in any case, '_' and ' ' as '-'. kNotFound with "did you
// mean" and the way to describe one's own.
Result<const Accelerator*> FindAccelerator(std::string_view name);

// `base` with changes: "tdp=350,memory=24,bandwidth=900,bf16=100,fp8=200,
// rent=1.5,buy=8000,embodied=150,idle=30" in W, GB, GB/s, TFLOP/s, USD, kg.
Result<Accelerator> ChangedAccelerator(const Accelerator& base,
                                       std::string_view changes);

}  // namespace modicum
