// SPDX-License-Identifier: Apache-2.0
#include "meter/meter_core.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "meter/warnings.h"

namespace modicum {
namespace {

// The two clocks that tell of it are not read at the same moment.
constexpr Seconds kNoticedSleep{0.5};

int CountCpus(const RootFs& fs, const HostFacts& host) {
  const int counted = HostCpuReader(fs).CountCpus();
  return std::max(1, counted > 0 ? counted : host.logical_cpus);
}

std::vector<Share> Sorted(std::vector<Share> shares) {
  std::sort(shares.begin(), shares.end(),
            [](const Share& a, const Share& b) { return a.source < b.source; });
  return shares;
}

// Counters of the kernel may step back (CPU hotplug); time spent does not.
Seconds Spent(Seconds from, Seconds to) {
  return std::max(Seconds(0), to - from);
}

template <class Q>
Q Between(Q a, Q b, double part) {
  return a + (b - a) * part;
}

// Where between two samples `at` lies, from 0 to 1.
double PartOf(MonotonicTime a, MonotonicTime b, MonotonicTime at) {
  const Seconds span = b - a;
  return span > Seconds(0) ? std::clamp((at - a) / span, 0.0, 1.0) : 0;
}

HostCpu Between(const HostCpu& a, const HostCpu& b, double part) {
  return {Between(a.busy, b.busy, part), Between(a.steal, b.steal, part)};
}

Observed Between(const Observed& a, const Observed& b, double part) {
  return {b.memory, Between(a.bytes, b.bytes, part),
          Between(a.busy, b.busy, part), b.devices};
}

bool IsEnergy(const DomainDelta& delta) {
  return !delta.gap && std::isfinite(delta.energy.value()) &&
         delta.energy >= Joules(0);
}

}  // namespace

MeterCore::MeterCore(const MeterOptions& options,
                     std::vector<std::unique_ptr<Probe>> probes,
                     const RootFs& fs, const HostFacts& host, Clock& clock,
                     SubjectCpu& subjects)
    : options_(options),
      clock_(clock),
      subjects_(subjects),
      cpus_(CountCpus(fs, host)),
      shortest_update_(options.period),
      host_reader_(fs) {
  for (auto& probe : probes) {
    Source source;
    source.first = baselines_.size();
    source.errors = Sorted(probe->relative_errors());
    source.idle = probe->idle_power();
    if (source.idle && probe->domains().size() == 1)
      source.per_cpu = probe->active_power_per_cpu();
    learns_idle_ |= !source.idle;
    shortest_update_ = std::min(shortest_update_, probe->update_period());
    for (const Domain& domain : probe->domains()) {
      baselines_.emplace_back(probe->update_period());
      has_memory_ |= domain.shared_by == SharedBy::kMemory;
      has_disks_ |= domain.shared_by == SharedBy::kTraffic;
      if (domain.shared_by != SharedBy::kUsual ||
          domain.scope == Scope::kNetwork)
        last_.observed.resize(probes.size());
    }
    source.probe = std::move(probe);
    sources_.push_back(std::move(source));
  }
  last_.at = clock_.Now();
  last_.energy.resize(baselines_.size());
  last_.gaps.resize(baselines_.size());
  in_gap_.resize(baselines_.size());
  last_use_.resize(baselines_.size());
  ReadHost(true);
}

void MeterCore::Step() {
  const std::lock_guard lock(mutex_);
  StepLocked(false);
}

// To learn what the machine draws while quiet, and to fix the beginning of a
// window by interpolation: one that is only stamped may come at any moment.
bool MeterCore::NeedsHost() const {
  return learns_idle_ || options_.stamps ||
         std::any_of(windows_.begin(), windows_.end(),
                     [](const auto& window) { return !window.second.base; });
}

MonotonicTime MeterCore::Admit() {
  std::vector<std::pair<WindowId, Window>> opened;
  MonotonicTime now;
  {
    const std::lock_guard lock(opened_mutex_);
    opened.swap(opened_);
    now = clock_.Now();
  }
  for (auto& [id, window] : opened) {
    window.began = std::max(window.began, last_.at);
    if (has_disks_ && !window.moved_begin)
      window.moved_begin = subjects_.DiskBytes(window.subject);
    windows_.emplace(id, std::move(window));
  }
  return now;
}

void MeterCore::StepLocked(bool edge) {
  const Totals before = last_;
  const MonotonicTime now = Admit();
  if (now < last_.at) return;
  last_.at = now;
  for (Source& source : sources_) ReadSource(source, now);
  for (size_t i = 0; i < last_.observed.size(); ++i)
    last_.observed[i] = sources_[i].probe->observed();
  if (edge || NeedsHost()) ReadHost(edge || TreeHasStrangers());
  if (learns_idle_) LearnIdle(before);
  for (auto& [id, window] : windows_) {
    if (window.end) continue;
    if (!window.base) window.base = Interpolate(before, last_, window.began);
    if (window.subject.kind == Subject::Kind::kTree) {
      window.cpu_latest = subjects_.Read(window.subject, HasStrangers(window));
      window.weighed_latest = subjects_.Weighed(window.subject);
      window.living_latest = subjects_.Living(window.subject);
    }
    AddDeviceUse(window, before);
    if (has_memory_) AddMemory(window, before);
  }
}

// The part of the time since `before` in which nothing was seen of it, before
// its first process and after its last, says nothing of what it held.
void MeterCore::AddMemory(Window& window, const Totals& before) {
  if (window.subject.kind == Subject::Kind::kMachine) return;
  const Bytes held = subjects_.Memory(window.subject);
  if (held <= Bytes(0)) return;
  const Seconds span = std::min(last_.at - before.at, last_.at - window.began);
  if (span <= Seconds(0)) return;
  window.byte_seconds += held.value() * span.value();
  window.held_for += span;
}

// Whether a process is on a device that was on none before: it may be one of
// the subject's that was not looked for yet.
bool MeterCore::HasStrangers(const Window& window) const {
  for (const Source& source : sources_) {
    const auto uses = source.probe->device_use();
    for (size_t i = 0; i < uses.size(); ++i) {
      const auto known = window.devices.find(source.first + i);
      const auto stranger = [&](pid_t pid) {
        return known == window.devices.end() || !known->second.Knows(pid);
      };
      if (uses[i].present && std::any_of(uses[i].present->begin(),
                                         uses[i].present->end(), stranger))
        return true;
    }
  }
  return false;
}

bool MeterCore::TreeHasStrangers() const {
  return std::any_of(
      windows_.begin(), windows_.end(), [this](const auto& entry) {
        const Window& window = entry.second;
        return !window.end && window.subject.kind == Subject::Kind::kThisTree &&
               HasStrangers(window);
      });
}

void MeterCore::AddDeviceUse(Window& window, const Totals& before) {
  const Seconds span = last_.at - before.at;
  const Seconds inside = std::clamp(last_.at - window.began, Seconds(0), span);
  const double part = span > Seconds(0) ? inside / span : 1;
  for (const Source& source : sources_) {
    const auto uses = source.probe->device_use();
    for (size_t i = 0; i < uses.size(); ++i) {
      DeviceUseTotals& device = window.devices[source.first + i];
      if (!source.failure) device.Add(uses[i], part);
      device.Claim([this, &window](pid_t pid) {
        return subjects_.Has(window.subject, pid);
      });
    }
  }
}

// A failing source, or domain, is one gap from its first failure to its next
// success.
void MeterCore::ReadSource(Source& source, MonotonicTime now) {
  const auto deltas = source.probe->Read(now);
  const size_t count = source.probe->domains().size();
  if (!deltas || deltas->size() != count) {
    source.failure =
        deltas ? Error{ErrorCode::kInternal, "wrong size", {}} : deltas.error();
    for (size_t i = 0; i < count; ++i) Miss(source.first + i);
    return;
  }
  source.failure.reset();
  const auto uses = source.probe->device_use();
  for (size_t i = 0; i < uses.size(); ++i)
    if (uses[i].asked) last_use_[source.first + i] = uses[i];
  for (size_t i = 0; i < count; ++i) {
    const DomainDelta& delta = (*deltas)[i];
    const size_t domain = source.first + i;
    if (!IsEnergy(delta)) {
      Miss(domain);
      continue;
    }
    in_gap_[domain] = false;
    last_.energy[domain] += delta.energy;
  }
}

void MeterCore::Miss(size_t domain) {
  if (!in_gap_[domain]) ++last_.gaps[domain];
  in_gap_[domain] = true;
}

// `thorough`: look for new descendants.
void MeterCore::ReadHost(bool thorough) {
  last_.host_at = last_.at;
  last_.pressure = host_reader_.ReadPressure();
  if (options_.stamps)
    last_.descendants = subjects_.Read({Subject::Kind::kTree, 0}, thorough);
  auto host = host_reader_.Read();
  host_failure_.reset();
  if (host)
    last_.host = *host;
  else
    host_failure_ = std::move(host).error();
}

void MeterCore::LearnIdle(const Totals& before) {
  const Seconds wall = last_.at - before.at;
  if (wall <= Seconds(0) || host_failure_) return;
  const double load = Spent(before.host.busy, last_.host.busy) / (wall * cpus_);
  for (size_t i = 0; i < baselines_.size(); ++i)
    baselines_[i].Observe(last_.energy[i] - before.energy[i], wall,
                          LoadOf(i, load),
                          last_.gaps[i] == before.gaps[i] && !in_gap_[i]);
}

// A device is quiet when no process holds it and nothing ran on it, as far as
// either is known.
double MeterCore::LoadOf(size_t domain, double cpu_load) const {
  const DeviceUse& use = last_use_[domain];
  if (!use.asked) return cpu_load;
  const bool known = use.busy || use.present;
  const bool quiet = (!use.busy || *use.busy == Seconds(0)) &&
                     (!use.present || use.present->empty());
  return known && quiet ? 0 : 1;
}

// A gap between the two samples counts for a window that begins there.
MeterCore::Totals MeterCore::Interpolate(const Totals& a, const Totals& b,
                                         MonotonicTime at) {
  const double part = PartOf(a.at, b.at, at);
  const double host_part = PartOf(a.host_at, b.host_at, at);
  Totals totals = a;
  totals.at = at;
  totals.host = Between(a.host, b.host, host_part);
  totals.pressure = Between(a.pressure, b.pressure, host_part);
  totals.descendants = Between(a.descendants, b.descendants, host_part);
  for (size_t i = 0; i < a.energy.size(); ++i)
    totals.energy[i] = Between(a.energy[i], b.energy[i], part);
  for (size_t i = 0; i < a.observed.size(); ++i)
    totals.observed[i] = Between(a.observed[i], b.observed[i], part);
  return totals;
}

WindowId MeterCore::Begin(std::string name, Subject subject, Edge edge) {
  Window window;
  window.name = std::move(name);
  window.subject = subject;
  const bool tree = subject.kind == Subject::Kind::kTree;
  MODICUM_CHECK(edge == Edge::kExact || (options_.stamps && !tree));
  MODICUM_CHECK(subject.kind != Subject::Kind::kThisTree || options_.stamps);
  if (edge == Edge::kStamped) return Open(std::move(window));

  const std::lock_guard lock(mutex_);
  // An old sample would smear the window's first moments over the time before
  // it; a source that cannot have changed since need not be read again.
  if (clock_.Now() - last_.host_at > shortest_update_) StepLocked(true);
  if (tree) {
    window.cpu_begin = subjects_.Read(subject, true);
    window.weighed_begin = window.weighed_latest = subjects_.Weighed(subject);
    window.living_begin = window.living_latest = subjects_.Living(subject);
  }
  if (has_disks_) window.moved_begin = subjects_.DiskBytes(subject);
  return Open(std::move(window));
}

// The clocks are read under the lock: a window that a sample does not find was
// opened after it.
WindowId MeterCore::Open(Window window) {
  const std::lock_guard lock(opened_mutex_);
  window.began = clock_.Now();
  window.began_wall = clock_.WallNow();
  window.suspended_begin = clock_.Suspended();
  if (window.subject.kind != Subject::Kind::kTree)
    window.cpu_begin = subjects_.Read({Subject::Kind::kThisProcess}, false);
  window.cpu_latest = window.cpu_begin;
  const WindowId id{next_window_++};
  opened_.emplace_back(id, std::move(window));
  return id;
}

Result<WindowReading> MeterCore::Peek(WindowId id) {
  const std::lock_guard lock(mutex_);
  MODICUM_TRY(const Window* const window, Latest(id));
  return ReadingOf(*window);
}

Status MeterCore::Stop(WindowId id) {
  const std::lock_guard lock(mutex_);
  MODICUM_TRY(Window* const window, Latest(id));
  if (window->end) return {};
  for (auto& [domain, device] : window->devices)
    AskDevice(domain, *window, device);
  Ending end{last_, SuspendedIn(*window)};
  for (size_t i = 0; i < in_gap_.size(); ++i)
    if (in_gap_[i])
      end.totals.gaps[i] =
          std::max(end.totals.gaps[i], window->base->gaps[i] + 1);
  window->end = std::move(end);
  return {};
}

Result<WindowReading> MeterCore::End(WindowId id) {
  const std::lock_guard lock(mutex_);
  MODICUM_TRY(const Window* const window, Latest(id));
  auto reading = ReadingOf(*window);
  windows_.erase(id);
  return reading;
}

Result<MeterCore::Window*> MeterCore::Latest(WindowId id) {
  Admit();
  const auto found = windows_.find(id);
  if (found == windows_.end())
    return Fail(ErrorCode::kNotFound, "the window was ended already");
  Window& window = found->second;
  if (window.end) return &window;
  const bool tree = window.subject.kind == Subject::Kind::kTree;
  const Seconds cpu =
      tree ? subjects_.Read(window.subject, true)
           : subjects_.Read({Subject::Kind::kThisProcess}, false);
  StepLocked(true);
  if (has_disks_) window.moved_latest = subjects_.DiskBytes(window.subject);
  window.cpu_latest = std::max(window.cpu_latest, cpu);
  // Only a clock that went back leaves a window without a sample.
  if (!window.base) window.base = last_;
  return &window;
}

// Of the subject, in the window.
Seconds MeterCore::CpuOf(const Window& window) const {
  const Totals& base = *window.base;
  const Seconds own = Spent(window.cpu_begin, window.cpu_latest);
  switch (window.subject.kind) {
    case Subject::Kind::kThisTree:
      return own + Spent(base.descendants, EndOf(window).descendants);
    case Subject::Kind::kMachine:
      return std::max(own, Spent(base.host.busy, EndOf(window).host.busy));
    default:
      return own;
  }
}

Seconds MeterCore::SuspendedIn(const Window& window) const {
  return window.end ? window.end->suspended
                    : clock_.Suspended() - window.suspended_begin;
}

IdlePolicy MeterCore::PolicyOf(const Window& window) const {
  return window.subject.kind == Subject::Kind::kMachine ? IdlePolicy::kFull
                                                        : options_.idle_policy;
}

WindowReading MeterCore::ReadingOf(const Window& window) const {
  const Totals& base = *window.base;
  const Totals& end = EndOf(window);
  WindowReading reading;
  reading.name = window.name;
  reading.began = window.began_wall;
  reading.wall = Spent(Seconds(0), end.at - window.began);
  reading.suspended = SuspendedIn(window);
  if (reading.suspended >= kNoticedSleep)
    reading.warnings.push_back(SuspendedWarning(reading.suspended));
  else
    reading.suspended = Seconds(0);
  reading.capacity = reading.wall * cpus_;
  reading.cpu = CpuOf(window);
  reading.host_busy = Spent(base.host.busy, end.host.busy);
  reading.steal = Spent(base.host.steal, end.host.steal);
  if (reading.wall > Seconds(0))
    reading.pressure =
        std::min(1.0, Spent(base.pressure, end.pressure) / reading.wall);
  for (const Source& source : sources_) {
    if (source.failure)
      reading.warnings.push_back(
          ProbeFailedWarning(source.probe->name(), source.failure->message));
  }
  if (host_failure_)
    reading.warnings.push_back(NoHostCpuWarning(host_failure_->message));
  for (const Source& source : sources_)
    std::ranges::move(source.probe->factors(),
                      std::back_inserter(reading.factors));
  const CpuUse use = CpuUseOf(window, reading);
  Attribute(DomainUses(window), use, PolicyOf(window), reading);
  return reading;
}

CpuUse MeterCore::CpuUseOf(const Window& window,
                           const WindowReading& reading) const {
  CpuUse use;
  use.own = reading.cpu;
  use.busy = host_failure_ ? reading.cpu : reading.host_busy;
  use.capacity = reading.capacity;
  // Each CPU's count begins and ends somewhere inside a tick.
  use.busy_sd = HostCpuReader::Tick() * std::sqrt(static_cast<double>(cpus_));
  // Of the living user and system time are each told in whole ticks.
  use.own_sd =
      HostCpuReader::Tick() *
      std::sqrt(
          static_cast<double>(window.living_begin + window.living_latest) / 6);
  use.everybody = window.subject.kind == Subject::Kind::kMachine;
  // The part of which it is told stands for all.
  const auto& [cpu, weighed] = window.weighed_latest;
  if (cpu > window.weighed_begin.cpu)
    use.weight = (weighed - window.weighed_begin.weighed) /
                 (cpu - window.weighed_begin.cpu);
  return use;
}

std::vector<DomainUse> MeterCore::DomainUses(const Window& window) const {
  std::vector<DomainUse> uses;
  for (const Source& source : sources_) {
    const auto domains = source.probe->domains();
    Joules counted;
    for (size_t i = 0; i < domains.size(); ++i) {
      uses.push_back(UseOf(source, source.first + i, window));
      if (domains[i].counted) counted += uses.back().energy;
    }
    for (size_t i = source.first; i < uses.size(); ++i) {
      const double part = counted > Joules(0) ? uses[i].energy / counted : 0;
      uses[i].idle = DomainIdle(source, i, part);
    }
  }
  return uses;
}

DomainUse MeterCore::UseOf(const Source& source, size_t domain,
                           const Window& window) const {
  const Totals& base = *window.base;
  const Totals& end = EndOf(window);
  DomainUse use;
  use.domain = source.probe->domains()[domain - source.first];
  use.probe = source.probe->name();
  use.update_period = source.probe->update_period();
  use.relative_errors = source.errors;
  use.energy = std::max(Joules(0), end.energy[domain] - base.energy[domain]);
  // A gap that began before the window and lasts is also one of its own.
  use.gaps = std::max(end.gaps[domain] - base.gaps[domain],
                      !window.end && in_gap_[domain] ? 1 : 0);
  use.per_cpu = source.per_cpu;
  use.device = DeviceShareOf(domain, window);
  if (end.observed.empty()) return use;
  const auto at = static_cast<size_t>(&source - sources_.data());
  const Observed& before = base.observed[at];
  const Observed& after = end.observed[at];
  use.passed = std::max(Bytes(0), after.bytes - before.bytes);
  if (use.domain.shared_by == SharedBy::kMemory)
    use.model = MemoryUse(window, after.memory);
  if (use.domain.shared_by == SharedBy::kTraffic)
    use.model = DiskUse(window, before, after);
  return use;
}

// Memory draws the same whatever runs: by what was held of it, over the window.
std::optional<CpuUse> MeterCore::MemoryUse(const Window& window,
                                           Bytes installed) const {
  if (window.held_for <= Seconds(0) || installed <= Bytes(0))
    return std::nullopt;
  const double held =
      window.byte_seconds / window.held_for.value() / installed.value();
  CpuUse use;
  use.capacity = use.busy = EndOf(window).at - window.began;
  use.own = use.capacity * std::min(1.0, held);
  return use;
}

// The time that the disks were busy, by bytes. What the subject wrote may
// reach them later, so that all is never less than its part.
std::optional<CpuUse> MeterCore::DiskUse(const Window& window,
                                         const Observed& begin,
                                         const Observed& end) const {
  if (!window.moved_begin || !window.moved_latest) return std::nullopt;
  const Bytes own =
      std::max(Bytes(0), *window.moved_latest - *window.moved_begin);
  const Bytes all = std::max(Bytes(0), end.bytes - begin.bytes);
  CpuUse use;
  use.capacity = (EndOf(window).at - window.began) * std::max(1, end.devices);
  // Some kernels do not count it: then as if for a moment.
  use.busy = std::max(Spent(begin.busy, end.busy), Milliseconds(0.001));
  if (all > Bytes(0)) use.own = use.busy * std::min(1.0, own / all);
  return use;
}

// In a window too short to be asked in, it is as it was before.
void MeterCore::AskDevice(size_t domain, const Window& window,
                          DeviceUseTotals& device) const {
  if (device.asked()) return;
  device.Add(last_use_[domain], 1);
  device.Claim([this, &window](pid_t pid) {
    return subjects_.Has(window.subject, pid);
  });
}

std::optional<DeviceShare> MeterCore::DeviceShareOf(
    size_t domain, const Window& window) const {
  const auto found = window.devices.find(domain);
  if (found == window.devices.end()) return std::nullopt;
  DeviceUseTotals device = found->second;
  if (!window.end) AskDevice(domain, window, device);
  return device.Share(EndOf(window).at - window.began);
}

// A probe that knows its idle power knows it for all its domains together:
// `part` of that belongs to this one.
std::optional<Estimate<Watts>> MeterCore::DomainIdle(const Source& source,
                                                     size_t domain,
                                                     double part) const {
  if (source.idle) return *source.idle * part;
  const auto idle = baselines_[domain].idle();
  if (!idle) return std::nullopt;
  const Domain& info = source.probe->domains()[domain - source.first];
  auto estimate = Exactly(*idle, info.origin, info.scope);
  for (const Share& error : source.errors)
    estimate.WithShared(error.source, error.delta);
  return estimate;
}

std::vector<DomainCounter> MeterCore::Counters(Seconds oldest) {
  const std::lock_guard lock(mutex_);
  if (clock_.Now() - last_.at > oldest) StepLocked(false);
  std::vector<DomainCounter> counters;
  for (const Source& source : sources_) {
    const auto domains = source.probe->domains();
    for (size_t i = 0; i < domains.size(); ++i) {
      const size_t at = source.first + i;
      counters.push_back({domains[i], std::string(source.probe->name()),
                          source.probe->update_period(), source.errors,
                          last_.energy[at], last_.gaps[at], in_gap_[at]});
    }
  }
  return counters;
}

Estimate<Watts> MeterCore::idle_power() const {
  const std::lock_guard lock(mutex_);
  std::optional<Estimate<Watts>> total;
  const auto add = [&total](const Estimate<Watts>& idle) {
    total = total ? *total + idle : idle;
  };
  for (const Source& source : sources_) {
    if (source.idle) {
      if (source.idle->scope != Scope::kNetwork) add(*source.idle);
      continue;
    }
    for (size_t i = 0; i < source.probe->domains().size(); ++i) {
      if (!source.probe->domains()[i].counted) continue;
      if (const auto idle = DomainIdle(source, source.first + i, 1)) add(*idle);
    }
  }
  return total.value_or(Exactly(Watts(0), Origin::kAssumed, Scope::kHost));
}

std::vector<std::string> MeterCore::components() const {
  std::vector<std::string> components;
  for (const Source& source : sources_) {
    for (const Domain& domain : source.probe->domains()) {
      if (domain.counted) components.push_back(domain.component);
    }
  }
  return components;
}

}  // namespace modicum
