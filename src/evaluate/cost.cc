// SPDX-License-Identifier: Apache-2.0
#include "evaluate/cost.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/remote_use.h"
#include "base/rng.h"
#include "base/statistics.h"
#include "evaluate/phase_clock.h"

namespace modicum {
namespace {

// Tells the kernel to forget the process's peak (proc(5), clear_refs).
void ResetPeakMemory() {
  const int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, "5", 1) != 1) {
    // Not allowed here: the peak then covers the whole process, still true.
  }
  close(fd);
}

std::optional<Bytes> PeakMemory(const RootFs& fs) {
  const auto status = fs.Read("/proc/self/status");
  if (!status) return std::nullopt;
  constexpr std::string_view kKey = "VmHWM:";
  const size_t at = status->find(kKey);
  if (at == std::string::npos) return std::nullopt;
  const size_t digits = status->find_first_of("0123456789", at);
  if (digits == std::string::npos) return std::nullopt;
  double kibibytes = 0;
  std::from_chars(status->data() + digits, status->data() + status->size(),
                  kibibytes);
  return Bytes(kibibytes * 1024);
}

// Items that a figure is of, at least.
constexpr size_t kFewest = 16;

// One subject's state through the rounds.
struct Track {
  size_t items = 0;     // of a pass: the first of the shuffled ones
  uint64_t passes = 1;  // over them, in one repeat
  ConfidenceSequence cpu_per_prediction;
  int accepted = 0;
  CostSamples samples;

  bool Done(const CostOptions& options) const {
    if (static_cast<int>(samples.repeats.size()) >= options.max_repeats)
      return true;
    if (accepted < options.min_repeats) return false;
    const auto interval = cpu_per_prediction.interval();
    return interval && (interval->high - interval->low) / 2 <=
                           options.relative_width * cpu_per_prediction.mean();
  }
};

class CostMeasurement {
 public:
  CostMeasurement(std::span<const Item> items, const CostOptions& options,
                  Meter& meter, Clock& clock, std::stop_token stop)
      : items_(items.begin(), items.end()),
        options_(options),
        meter_(meter),
        clock_(clock) {
    Rng(1).Shuffle(items_);
    call_.stop = std::move(stop);
  }

  Status WarmUp(Model& model, Track& track);
  Status Latency(Model& model, Track& track);
  Status OneRepeat(const CostSubject& subject, Track& track);

 private:
  // The wall time of asking about some of the items.
  Result<Seconds> Time(Model& model, std::span<const Item> items);

  std::vector<Item> items_;  // shuffled: any first ones are a fair part
  const CostOptions& options_;
  Meter& meter_;
  Clock& clock_;
  CallOptions call_;
};

Result<Seconds> CostMeasurement::Time(Model& model,
                                      std::span<const Item> items) {
  NullSink sink;
  const MonotonicTime begin = clock_.Now();
  MODICUM_TRY(const auto outputs, model.Predict(items, call_, sink));
  MODICUM_CHECK(outputs.size() == items.size());
  if (call_.stop.stop_requested())
    return Fail(ErrorCode::kInterrupted, "interrupted while measuring");
  return clock_.Now() - begin;
}

// Also finds how many items, and passes over them, make a repeat neither too
// short nor too long. Asks about more and more at a time: a slow model is not
// asked about all.
Status CostMeasurement::WarmUp(Model& model, Track& track) {
  Seconds spent;
  for (size_t next = kFewest; track.items < items_.size(); next *= 2) {
    const size_t count = std::min(next, items_.size() - track.items);
    MODICUM_TRY(const Seconds took,
                Time(model, std::span(items_).subspan(track.items, count)));
    spent += took;
    track.items += count;
    if (spent > options_.longest_repeat) break;
  }
  for (; spent < options_.repeat_wall; ++track.passes) {
    MODICUM_TRY(const Seconds took, Time(model, items_));
    spent += took;
  }
  return {};
}

Status CostMeasurement::Latency(Model& model, Track& track) {
  const size_t count =
      std::min(items_.size(), static_cast<size_t>(options_.latency_items));
  Seconds spent;
  for (size_t i = 0; i < count; ++i) {
    MODICUM_TRY(const Seconds took,
                Time(model, std::span(items_).subspan(i, 1)));
    track.samples.latencies.push_back(took);
    spent += took;
    if (i >= kFewest && spent > options_.longest_repeat * 5) break;
  }
  return {};
}

Status CostMeasurement::OneRepeat(const CostSubject& subject, Track& track) {
  PhaseClock phases;
  const RemoteUses before = RemoteUseSoFar();
  const WindowId window = meter_.Begin(subject.name);
  const auto items = std::span(items_).first(track.items);
  for (uint64_t pass = 0; pass < track.passes; ++pass) {
    auto outputs = subject.model->Predict(items, call_, phases);
    if (!outputs) {
      (void)meter_.End(window);
      return Fail(std::move(outputs).error());
    }
  }
  MODICUM_TRY(const WindowReading reading, meter_.End(window));
  Repeat repeat;
  repeat.predictions = track.passes * items.size();
  repeat.wall = reading.wall;
  repeat.cpu = reading.cpu;
  repeat.energy = OfWorkload(reading.split.own(), subject.workload);
  const RemoteUses elsewhere = RemoteUseSince(before);
  if (!elsewhere.empty()) {
    repeat.energy = WithRemote(repeat.energy, elsewhere);
    repeat.price = RemotePrice(elsewhere);
    repeat.currency = elsewhere.begin()->second.currency;
  }
  repeat.contended = reading.contended;
  repeat.cpu_by_phase = phases.Finish();
  if (!repeat.contended) {
    ++track.accepted;
    track.cpu_per_prediction.Add(repeat.cpu.value() /
                                 static_cast<double>(repeat.predictions));
  }
  track.samples.repeats.push_back(std::move(repeat));
  return {};
}

// Mean of `per_1000(repeat)` with the error of the mean; the shared parts, in
// proportion to the value, are the last repeat's.
template <class Q, class F>
Estimate<Q> MeanPer1000(const std::vector<const Repeat*>& repeats, F per_1000) {
  std::vector<double> values;
  Estimate<Q> last;
  double own = 0;
  for (const Repeat* repeat : repeats) {
    last = per_1000(*repeat);
    values.push_back(last.mid.value());
    own += last.own_sd * last.own_sd;
  }
  const auto n = static_cast<double>(values.size());
  const double mean = Mean(values);
  Estimate<Q> result = last;
  if (last.mid.value() != 0) result = last * (mean / last.mid.value());
  result.mid = Q(mean);
  result.own_sd = std::sqrt(Variance(values) / n + own / (n * n));
  return result;
}

double Thousands(const Repeat& repeat) {
  return static_cast<double>(repeat.predictions) / 1000;
}

Estimate<Joules> MeanEnergy(const std::vector<const Repeat*>& repeats) {
  return MeanPer1000<Joules>(
      repeats, [](const Repeat& r) { return r.energy / Thousands(r); });
}

// What endpoints charge, by their price lists; a price has no energy in it.
std::optional<MoneyEstimate> PricePer1000(
    const std::vector<const Repeat*>& repeats) {
  std::vector<double> prices;
  std::string currency;
  for (const Repeat* repeat : repeats) {
    if (!repeat->price) continue;
    prices.push_back(*repeat->price / Thousands(*repeat));
    currency = repeat->currency.value_or("USD");
  }
  if (prices.empty() || currency.size() != 3) return std::nullopt;
  MoneyEstimate price{
      Exactly(Amount(Mean(prices)), Origin::kAssumed, Scope::kWall), {}};
  if (prices.size() > 1)
    price.amount.own_sd =
        std::sqrt(Variance(prices) / static_cast<double>(prices.size()));
  std::copy(currency.begin(), currency.end(), price.currency.code);
  return price;
}

// Speed and the share of each phase in the CPU time.
void SummarizePhases(const std::vector<const Repeat*>& repeats,
                     CostFigure& figure) {
  Seconds wall;
  Seconds cpu;
  double predictions = 0;
  std::map<Phase, Seconds> by_phase;
  for (const Repeat* repeat : repeats) {
    wall += repeat->wall;
    predictions += static_cast<double>(repeat->predictions);
    for (const auto& [phase, seconds] : repeat->cpu_by_phase) {
      by_phase[phase] += seconds;
      cpu += seconds;
    }
  }
  figure.predictions_per_second = predictions / wall.value();
  for (const auto& [phase, seconds] : by_phase)
    figure.phase_share[phase] = cpu > Seconds(0) ? seconds / cpu : 0;
}

}  // namespace

CostFigure Summarize(const CostSamples& samples) {
  CostFigure figure;
  std::vector<const Repeat*> all;
  std::vector<const Repeat*> quiet;
  for (const Repeat& repeat : samples.repeats) {
    all.push_back(&repeat);
    if (!repeat.contended) quiet.push_back(&repeat);
  }
  figure.repeats = all.size();
  figure.contended = all.size() - quiet.size();
  figure.peak_memory = samples.peak_memory;
  std::vector<double> walls;
  for (const Seconds wall : samples.latencies) walls.push_back(wall.value());
  if (!walls.empty()) {
    figure.latency_p50 = Seconds(Quantile(walls, 0.5));
    figure.latency_p95 = Seconds(Quantile(walls, 0.95));
  }
  if (all.empty()) return figure;
  // A machine that is never quiet still gets a figure; `contended` equal to
  // the number of repeats says what it is worth.
  if (quiet.empty()) quiet = all;
  figure.joules_per_1000 = MeanEnergy(quiet);
  figure.joules_per_1000_all = MeanEnergy(all);
  figure.cpu_per_1000 = MeanPer1000<Seconds>(quiet, [](const Repeat& r) {
    return Exactly(r.cpu, Origin::kCounter, Scope::kProcess) / Thousands(r);
  });
  figure.price_per_1000 = PricePer1000(quiet);
  SummarizePhases(quiet, figure);
  return figure;
}

Estimate<Joules> OfWorkload(Estimate<Joules> energy,
                            std::string_view workload) {
  const SourceId generic = InternSource(kWorkloadSource);
  const SourceId own =
      InternSource(std::string(kWorkloadSource) + ": " + std::string(workload));
  std::vector<Share> others;
  std::vector<Share> renamed;
  for (const Share& share : energy.shared) {
    if (share.source == generic)
      renamed.push_back({own, share.delta});
    else
      others.push_back(share);
  }
  energy.shared = internal::CombineShares(others, 1, renamed, 1);
  return energy;
}

Result<std::vector<CostSamples>> MeasureCosts(
    std::span<const CostSubject> subjects, std::span<const Item> items,
    const CostOptions& options, Meter& meter, const RootFs& fs, Clock& clock,
    const std::stop_token& stop, size_t* at) {
  MODICUM_CHECK(!items.empty());
  size_t unasked = 0;
  size_t& i = at == nullptr ? unasked : *at;
  CostMeasurement measurement(items, options, meter, clock, stop);
  std::vector<Track> tracks(subjects.size());

  // Warm-up, latency and memory of each on its own.
  for (i = 0; i < subjects.size(); ++i) {
    ResetPeakMemory();
    MODICUM_RETURN_IF_ERROR(measurement.WarmUp(*subjects[i].model, tracks[i]));
    tracks[i].samples.peak_memory = PeakMemory(fs);
    MODICUM_RETURN_IF_ERROR(measurement.Latency(*subjects[i].model, tracks[i]));
  }

  // Rounds over those not done, each round from another start.
  for (size_t round = 0;; ++round) {
    bool any = false;
    for (size_t k = 0; k < subjects.size(); ++k) {
      i = (round + k) % subjects.size();
      if (tracks[i].Done(options)) continue;
      any = true;
      if (stop.stop_requested())
        return Fail(ErrorCode::kInterrupted, "interrupted while measuring");
      MODICUM_RETURN_IF_ERROR(measurement.OneRepeat(subjects[i], tracks[i]));
    }
    if (!any) break;
  }

  std::vector<CostSamples> samples;
  for (Track& track : tracks) samples.push_back(std::move(track.samples));
  return samples;
}

}  // namespace modicum
