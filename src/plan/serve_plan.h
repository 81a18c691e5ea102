// SPDX-License-Identifier: Apache-2.0
// `modicum plan serve`: how many devices answer so many queries a second in
// time, and what one answer costs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "plan/measured_serving.h"
#include "plan/serving.h"
#include "plan/train_plan.h"
#include "record/plan.h"

namespace modicum {

struct ServeQuery {
  Architecture model;
  Accelerator chip;
  Place place;
  std::string weights = "bf16";  // names of data_type.h
  std::string cache = "bf16";
  double qps = 1;
  double prompt = 0;                // tokens
  double output = 0;                // tokens
  double cached = 0;                // of the prompt: tokens whose cache is kept
  std::optional<double> p95;        // s, whole answer
  std::optional<double> ttft;       // s, 95th percentile to the first token
  std::optional<int> tensor;        // devices of one replica; nullopt: chosen
  double busy_hours = 24;           // a day with this traffic; idle the rest
  std::optional<double> price;      // USD per query
  std::optional<double> api_input;  // USD per million tokens elsewhere
  std::optional<double> api_output;
  std::optional<double> rent_usd;
  // Measured on the machine that `machine` names.
  std::vector<MeasuredModel> measured;
  std::string machine;
  std::optional<double> machine_rent;  // USD an hour
  std::optional<ServingFit> fit;       // of the chip
};

// One way to serve: replicas of some devices at a batch that the traffic gives.
struct ServePoint {
  int devices = 1;  // of a replica
  int replicas = 1;
  double batch = 0;  // sequences in flight per replica, mean
  double most = 0;   // that the cache holds
  double ttft = 0;   // s, mean
  double tpot = 0;   // s per output token, others' prefills included
  double p95 = 0;    // s, whole answer
  double p95_ttft = 0;
  Iteration decode;   // at `batch`
  Iteration prefill;  // of one prompt

  int gpus() const { return devices * replicas; }
};

// The fewest devices that meet the query's targets; nullopt: none do, and
// `why` says what stands in the way.
std::optional<ServePoint> ChooseServing(const ServeQuery& query,
                                        std::string* why);

// kInvalidInput: contradictory or absurd queries.
Result<Plan> PlanServing(const ServeQuery& query);

}  // namespace modicum
