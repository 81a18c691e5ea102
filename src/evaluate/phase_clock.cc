// SPDX-License-Identifier: Apache-2.0
#include "evaluate/phase_clock.h"

#include <ctime>

namespace modicum {

Seconds ProcessCpuTime() {
  timespec ts{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return Seconds(static_cast<double>(ts.tv_sec) +
                 static_cast<double>(ts.tv_nsec) / 1e9);
}

void PhaseClock::Close() {
  if (open_) spent_[phase_] += ProcessCpuTime() - since_;
  open_ = false;
}

void PhaseClock::Begin(Phase phase) {
  Close();
  open_ = true;
  phase_ = phase;
  since_ = ProcessCpuTime();
}

std::map<Phase, Seconds> PhaseClock::Finish() {
  Close();
  return spent_;
}

}  // namespace modicum
