// SPDX-License-Identifier: Apache-2.0
// What training a head came to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/estimate.h"
#include "record/types.h"

namespace modicum {

// One data set: the network beside what costs nothing, on the same items.
struct TrainFigure {
  QualityFigure network, baseline;
  double difference = 0;
  Interval interval;  // of the difference, 90 %

  // Beyond doubt.
  bool beats_baseline() const { return interval.low > 0; }
};

struct TrainEpoch {
  uint32_t number = 0;  // from 1
  double loss = 0;      // mean of its steps
  double quality = 0;   // on the validation data
};

struct TrainResult {
  std::string name;
  std::string kind;           // "token-classification"
  std::string network, head;  // the files written
  std::string base;           // whose body it began with; "": drawn
  bool frozen = false;
  uint64_t parameters = 0;  // of body and head
  size_t labels = 0;        // tags
  size_t examples = 0;      // learned from
  std::string baseline;     // in words
  std::string metric;
  std::vector<TrainEpoch> epochs;  // of this run, not of one it went on from
  TrainFigure validation;
  std::optional<TrainFigure> test;
  std::vector<std::string> notes;
};

}  // namespace modicum
