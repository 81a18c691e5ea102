// SPDX-License-Identifier: Apache-2.0
#include "cli/run_watch.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/format.h"
#include "base/wait.h"

namespace modicum {

void RunBudget::Settle(const Estimate<Joules>& spent) {
  before_ = before_ ? *before_ + spent : spent;
}

bool RunBudget::Check(const Estimate<Joules>& running) {
  if (!limit_) return false;
  const Estimate<Joules> all = before_ ? *before_ + running : running;
  const Joules spent = all.mid;
  const auto say = [&](std::string_view what) {
    fmt::print(stderr, "modicum: {} of {} ({}) is spent: {}\n",
               FormatEstimate(all), typed_,
               FormatWithUnit(limit_->value(), "J"), what);
  };
  if (spent > *limit_ && !said_) {
    said_ = warned_ = true;
    say("past the budget");
  } else if (spent > 0.8 * *limit_ && !warned_) {
    warned_ = true;
    say("over 80 % of the budget");
  }
  return spent > *limit_;
}

RunWatch::RunWatch(Meter& meter, Subject subject, bool live, RunBudget& budget,
                   std::function<void(Seconds)> past)
    : meter_(meter),
      subject_(subject),
      live_(live),
      budget_(budget),
      past_(std::move(past)),
      thread_([this](const std::stop_token& s) { Loop(s); }) {}

void RunWatch::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const WindowId second = meter_.Begin("live", subject_);
    WaitFor(Seconds(1), stop);
    if (const auto reading = meter_.End(second))
      if (!stop.stop_requested()) Add(*reading);
  }
  if (shown_) std::fputs("\r\x1b[K", stderr);
}

void RunWatch::Add(const WindowReading& reading) {
  wall_ += reading.wall;
  const Estimate<Joules> own = reading.split.own();
  energy_ = energy_ ? *energy_ + own : own;
  if (live_) Show(reading);
  if (!budget_.Check(*energy_) || !past_) return;
  if (!passed_at_) passed_at_ = wall_;
  past_(wall_ - *passed_at_);
}

void RunWatch::Show(const WindowReading& reading) {
  shown_ = true;
  const Estimate<Watts> power = reading.split.own() / reading.wall;
  fmt::print(stderr, "\r\x1b[K  {}  {}  {}  {} CPUs", FormatDuration(wall_),
             FormatEstimate(*energy_), FormatEstimate(power),
             FormatNumber(reading.cpu / reading.wall));
  std::fflush(stderr);
}

}  // namespace modicum
