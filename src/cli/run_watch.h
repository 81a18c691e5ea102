// SPDX-License-Identifier: Apache-2.0
// What happens beside a running command: the live line and the budget.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "meter/meter.h"

namespace modicum {

// Warns once at 80 % of the budget, and once past it.
class RunBudget {
 public:
  // `typed`: the limit as the user wrote it.
  RunBudget(std::optional<Joules> limit, std::string typed)
      : limit_(limit), typed_(std::move(typed)) {}

  // Spent by ended runs before this one.
  void Settle(const Estimate<Joules>& spent);
  // `running`: what the run that goes on has spent. True once the budget is
  // passed; says so on stderr.
  bool Check(const Estimate<Joules>& running);
  bool passed() const { return limit_ && before_ && before_->mid > *limit_; }

 private:
  const std::optional<Joules> limit_;
  const std::string typed_;
  std::optional<Estimate<Joules>> before_;
  bool warned_ = false;
  bool said_ = false;
};

// Every second, while it lives: power on a line of stderr ("12 s  34 J [13,
// 90] modelled  2.9 W [1.1, 7.7] modelled  0.98 CPUs") when `live`, and the
// budget's check.
class RunWatch {
 public:
  // `past`: called each second from then on when the budget is passed, with
  // the time since.
  RunWatch(Meter& meter, Subject subject, bool live, RunBudget& budget,
           std::function<void(Seconds)> past);

 private:
  void Loop(const std::stop_token& stop);
  void Add(const WindowReading& reading);
  void Show(const WindowReading& reading);

  Meter& meter_;
  const Subject subject_;
  const bool live_;
  RunBudget& budget_;
  const std::function<void(Seconds)> past_;
  std::optional<Seconds> passed_at_;
  bool shown_ = false;
  Seconds wall_;
  std::optional<Estimate<Joules>> energy_;
  std::jthread thread_;  // last: stops first
};

}  // namespace modicum
