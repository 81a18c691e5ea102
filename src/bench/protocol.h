// SPDX-License-Identifier: Apache-2.0
// How models are measured: loading, the first inference and the steady state
// apart; then, after a warm-up, runs in turn (A B C A B C ...), one window a
// run, until the energy's confidence sequence is narrow enough.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "bench/task.h"
#include "meter/meter.h"
#include "record/bench_result.h"

namespace modicum {

// One model of a workload. What it shows goes into `row`.
struct BenchEntry {
  BenchRow* row = nullptr;
  std::function<Result<std::unique_ptr<BenchSubject>>(const CallOptions&,
                                                      PhaseSink&)>
      open;
};

struct ProtocolParts {
  Meter& meter;
  Clock& clock;
  std::stop_token stop;
  // Every reading of a row: what it is of ("load", "run 3, 1,000 inferences").
  std::function<Status(const BenchRow&, std::string_view what, Phase phase,
                       const WindowReading&)>
      record;
  // Before each reading; may be empty.
  std::function<void(std::string_view what)> progress;
};

// Measures all entries on one workload; all are loaded at the same time. An
// entry that fails has its cause in its row, the others go on. kInterrupted
// when stopped: rows then keep the runs that were finished. Other errors are
// those of meter and record.
Status MeasureInTurn(const Workload& workload,
                     std::span<const BenchEntry> entries,
                     const BenchProtocol& protocol, const ProtocolParts& parts);

}  // namespace modicum
