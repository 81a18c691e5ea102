// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_record.h"

#include "record/start_run.h"
#include "report/bill_report.h"

namespace modicum {
namespace {

constexpr int64_t kSecond = 1'000'000;  // in microseconds
constexpr int64_t kHour = 3600 * kSecond;
constexpr int64_t kWriteEvery = 60 * kSecond;

// Nobody's: no process has such a name.
constexpr std::string_view kIdle = "(idle)";
constexpr std::string_view kUnattributed = "(unattributed)";

// The part of `whole` that is left; rounding makes it no debt.
Estimate<Joules> Rest(const Estimate<Joules>& whole,
                      const Estimate<Joules>& part) {
  Estimate<Joules> rest = whole - part;
  rest.difference = false;
  rest.mid = std::max(Joules(0), rest.mid);
  return rest;
}

// The probe of the first counted domain of that sort.
std::string ProbeOf(const WatchFrame& frame, bool device) {
  for (const DomainEnergy& domain : frame.domains)
    if (domain.domain.counted && domain.device.has_value() == device)
      return domain.probe;
  return "";
}

}  // namespace

Status WatchRecorder::Add(const WatchFrame& frame, const WatchBy& by) {
  const int64_t hour = frame.at.micros / kHour;
  // What cannot be written now goes on, and is written later.
  if (hour != hour_ && Finish()) hour_ = hour;
  last_ = frame.at;
  cpu_probe_ = ProbeOf(frame, false);
  device_probe_ = ProbeOf(frame, true);
  const Estimate<Joules> none = frame.measured * 0;
  for (const WatchRow& row : frame.rows) {
    ChargeTags tags = row.tags;
    if (by.kind() == WatchBy::kTag) {
      // The row has processes of several rules: only what makes it one.
      const auto tag = row.tags.find(std::string(by.name()));
      tags = tag == row.tags.end() ? ChargeTags() : ChargeTags{*tag};
    }
    AddTo(row.name, frame, tags, row.cpu, row.energy);
  }
  AddTo(std::string(kIdle), frame, {}, Seconds(0), {none, frame.idle, none});
  AddTo(std::string(kUnattributed), frame, {}, Seconds(0),
        {frame.unattributed, none, none});
  if (hour != hour_ || frame.at.micros - written_.micros < kWriteEvery)
    return last_write_;
  written_ = frame.at;
  return Write(RunStatus::kRunning);
}

void WatchRecorder::AddTo(const std::string& name, const WatchFrame& frame,
                          const ChargeTags& tags, Seconds cpu,
                          const ConsumerEnergy& energy) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    const auto made = entries_.emplace(name, Entry{NewRun(name, frame, tags),
                                                   frame.wall,
                                                   cpu,
                                                   energy,
                                                   frame.measured,
                                                   frame.idle,
                                                   frame.unattributed,
                                                   {},
                                                   frame.weighed});
    Slice(frame, energy.own().mid, made.first->second);
    return;
  }
  Entry& entry = found->second;
  entry.wall += frame.wall;
  entry.cpu += cpu;
  entry.energy = entry.energy + energy;
  entry.measured = entry.measured + frame.measured;
  entry.idle = entry.idle + frame.idle;
  entry.unattributed = entry.unattributed + frame.unattributed;
  Slice(frame, energy.own().mid, entry);
}

// An interval in which a price or an intensity changed is cut as the machine's
// energy was.
void WatchRecorder::Slice(const WatchFrame& frame, Joules energy,
                          Entry& entry) const {
  if (!instruments_.hourly.any()) return;
  std::vector<EnergySlice> slices = frame.used();
  const std::vector<double> shares = SharesOf(slices);
  for (size_t i = 0; i < slices.size(); ++i) {
    slices[i].energy = energy * shares[i];
    AddSlice(instruments_.hourly, slices[i], entry.slices);
  }
}

Run WatchRecorder::NewRun(const std::string& name, const WatchFrame& frame,
                          const ChargeTags& tags) const {
  Run run = StartRun(kWatchKind, PlainText(name), project_, instruments_.host,
                     frame.began());
  run.tags = tags;  // it is of the machine, whoever started it
  return run;
}

Bill WatchRecorder::BillOf(const Entry& entry) const {
  const bool is_idle = entry.run.name == kIdle;
  const bool is_unattributed = entry.run.name == kUnattributed;
  const Estimate<Joules> none = entry.measured * 0;
  WindowReading reading;
  reading.wall = entry.wall;
  reading.cpu = entry.cpu;
  EnergySplit& split = reading.split;
  split.measured = entry.measured;
  split.own_active = entry.energy.active;
  split.own_idle = entry.energy.idle;
  split.other_idle = is_idle ? none : entry.idle;
  split.unattributed = is_unattributed ? none : entry.unattributed;
  split.other_active =
      Rest(Rest(Rest(entry.measured, entry.energy.own()), split.other_idle),
           split.unattributed);
  split.idle_policy = IdlePolicyName(policy_);
  reading.began = entry.run.started;
  reading.slices = entry.slices;
  if (entry.weighed) reading.factors.push_back(SharedCoreFactor());
  reading.lines.push_back(
      {"cpu", cpu_probe_, Rest(entry.energy.own(), entry.energy.of_devices)});
  if (entry.energy.of_devices.mid > Joules(0))
    reading.lines.push_back({"gpu", device_probe_, entry.energy.of_devices});
  return instruments_.BillOf(reading);
}

Status WatchRecorder::Write(RunStatus status) {
  for (auto& [name, entry] : entries_) {
    entry.run.ended = last_;
    entry.run.status = status;
    entry.run.bill = BillOf(entry);
    last_write_ = ledger_->Put(entry.run);
    if (!last_write_) break;
  }
  return last_write_;
}

Status WatchRecorder::Finish() {
  MODICUM_RETURN_IF_ERROR(Write(RunStatus::kOk));
  entries_.clear();
  return {};
}

}  // namespace modicum
