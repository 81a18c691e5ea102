// SPDX-License-Identifier: Apache-2.0
// Finds the run settings with which a network does a workload for the fewest
// joules: one axis at a time from the defaults, each value measured in turn
// with the best so far, kept only when it is cheaper beyond doubt and a
// request takes no longer than it may.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "meter/meter.h"
#include "model/neural.h"
#include "record/tune_result.h"
#include "tune/axes.h"
#include "tune/workload.h"

namespace modicum {

struct TuneParts {
  const TuneWorkload& workload;
  TuneMachine cpus;
  Meter& meter;
  Clock& clock;
  std::stop_token stop;
  std::function<Result<std::unique_ptr<NeuralModel>>(const NeuralSettings&)>
      open;
  std::function<void(std::string_view)> progress;  // may be empty
};

// Everything but network, host and missing, which are the caller's. Settings
// that cannot be opened are trials with a reason; the defaults must open.
// kInvalidInput when the workload does not fit the network.
Result<TuneResult> Tune(const TuneParts& parts);

}  // namespace modicum
