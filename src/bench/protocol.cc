// SPDX-License-Identifier: Apache-2.0
#include "bench/protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/format.h"
#include "base/statistics.h"
#include "evaluate/cost.h"

namespace modicum {
namespace {

constexpr double kConfidence = 0.90;  // of the stop rule

// Wall time by phase. A read of this clock costs tens of nanoseconds, one of
// the process's CPU time a system call: too much beside a model that answers
// in less than a microsecond.
class WallPhases final : public PhaseSink {
 public:
  explicit WallPhases(Clock& clock) : clock_(clock) {}
  void Begin(Phase phase) override {
    const MonotonicTime now = clock_.Now();
    if (open_) spent_[static_cast<size_t>(phase_)] += now - since_;
    open_ = true;
    phase_ = phase;
    since_ = now;
  }
  void Step(Phase, std::span<const SeqWork>) override {}
  // Ends the current phase; `cpu` split as the wall time was.
  std::map<Phase, Seconds> Split(Seconds cpu) {
    if (open_) Begin(phase_);
    Seconds all;
    for (const Seconds spent : spent_) all += spent;
    std::map<Phase, Seconds> by_phase;
    for (const Phase phase : kAllPhases)
      if (const Seconds spent = spent_[static_cast<size_t>(phase)];
          spent > Seconds(0))
        by_phase[phase] = cpu * (spent / all);
    return by_phase;
  }

 private:
  Clock& clock_;
  bool open_ = false;
  Phase phase_ = Phase::kIdle;
  MonotonicTime since_;
  std::array<Seconds, std::size(kAllPhases)> spent_;
};

// One entry's state through the rounds.
struct Track {
  const BenchEntry* entry = nullptr;
  std::unique_ptr<BenchSubject> subject;
  uint64_t inferences = 0;  // of one pass
  uint64_t passes = 1;      // of one run
  ConfidenceSequence energy{kConfidence};
  uint64_t quiet = 0;
  std::vector<double> latencies;  // of the calls of every run's first pass
  std::vector<Output> outputs;    // of the first pass of all

  BenchRow& row() const { return *entry->row; }
  bool failed() const { return !row().failure.empty(); }

  // The warm-up may have promised too much. Two runs say how far they differ.
  bool OverTime(const BenchProtocol& protocol) const {
    Seconds spent;
    for (const BenchRun& run : row().runs) spent += run.repeat.wall;
    return row().runs.size() >= 2 && spent > protocol.longest;
  }
  bool Done(const BenchProtocol& protocol) const {
    if (failed() || row().runs.size() >= protocol.runs) return true;
    if (protocol.exact_runs) return false;
    if (OverTime(protocol)) return true;
    if (quiet < protocol.least_runs) return false;
    const auto interval = energy.interval();
    return interval && (interval->high - interval->low) / 2 <=
                           protocol.width * energy.mean();
  }
};

class Session {
 public:
  Session(const Workload& workload, const BenchProtocol& protocol,
          const ProtocolParts& parts)
      : workload_(workload), protocol_(protocol), parts_(parts) {
    call_.stop = parts.stop;
    call_.seed = protocol.seed;
  }

  // Loads, infers once, warms up and plans the runs.
  Status Prepare(Track& track);
  Status OneRun(Track& track);
  Status Score(Track& track);

 private:
  bool stopped() const { return parts_.stop.stop_requested(); }
  void Progress(const Track& track, std::string_view what) const {
    if (parts_.progress)
      parts_.progress(fmt::format("{}: {}", RowName(track.row()), what));
  }
  // Runs `work` inside a window. An error of the model is kept in the row and
  // leaves no reading.
  Result<std::optional<WindowReading>> Metered(
      Track& track, std::string_view what, Phase phase,
      const std::function<Status()>& work);
  Result<std::optional<BenchOnce>> Once(Track& track, std::string_view what,
                                        Phase phase,
                                        const std::function<Status()>& work);
  Status WarmUp(Track& track);
  void Plan(Track& track, Seconds each) const;
  Status Call(Track& track, uint64_t at, uint64_t count, PhaseSink& sink,
              Work& work, std::vector<Output>* outputs);
  Status Pass(Track& track, PhaseSink& sink, Work& work, bool first);
  void Keep(Track& track, const WindowReading& reading, const Work& work,
            std::map<Phase, Seconds> by_phase);

  const Workload& workload_;
  const BenchProtocol& protocol_;
  const ProtocolParts& parts_;
  CallOptions call_;
  std::vector<Item> wrapped_;  // of a call that begins anew at the first item
};

Result<std::optional<WindowReading>> Session::Metered(
    Track& track, std::string_view what, Phase phase,
    const std::function<Status()>& work) {
  Progress(track, what);
  const WindowId window =
      parts_.meter.Begin(fmt::format("{}: {}", RowName(track.row()), what));
  const Status status = work();
  MODICUM_TRY(WindowReading reading, parts_.meter.End(window));
  if (!status && (stopped() || status.error().code == ErrorCode::kInterrupted))
    return Fail(ErrorCode::kInterrupted, "interrupted while measuring");
  if (!status) {
    track.row().failure = status.error().message;
    track.row().runs.clear();
    track.subject.reset();
    return std::optional<WindowReading>();
  }
  MODICUM_RETURN_IF_ERROR(parts_.record(track.row(), what, phase, reading));
  return std::optional(std::move(reading));
}

Result<std::optional<BenchOnce>> Session::Once(
    Track& track, std::string_view what, Phase phase,
    const std::function<Status()>& work) {
  MODICUM_TRY(const auto reading, Metered(track, what, phase, work));
  if (!reading) return std::optional<BenchOnce>();
  return std::optional(BenchOnce{
      OfWorkload(reading->split.own(), track.row().family), reading->wall,
      reading->cpu, reading->contended, reading->short_window});
}

// `count` items from `at` on, as one call; past the last item the first
// follows.
Status Session::Call(Track& track, uint64_t at, uint64_t count, PhaseSink& sink,
                     Work& work, std::vector<Output>* outputs) {
  if (stopped()) return Fail(ErrorCode::kInterrupted, "interrupted");
  const std::span<const Item> all = workload_.items;
  at %= all.size();
  std::span<const Item> items =
      all.subspan(at, std::min<uint64_t>(count, all.size() - at));
  if (items.size() < count) {
    wrapped_.clear();
    for (uint64_t i = 0; i < count; ++i)
      wrapped_.push_back(all[(at + i) % all.size()]);
    items = wrapped_;
  }
  MODICUM_TRY(auto answers, track.subject->Infer(items, call_, sink, work));
  if (answers.size() != items.size())
    return Fail(
        ErrorCode::kInternal,
        fmt::format("{} answers to {} items", answers.size(), items.size()));
  if (outputs != nullptr)
    std::move(answers.begin(), answers.end(), std::back_inserter(*outputs));
  return {};
}

Status Session::WarmUp(Track& track) {
  Progress(track, "warm-up");
  NullSink sink;
  Work work;
  uint64_t done = 0;
  const MonotonicTime begin = parts_.clock.Now();
  const auto spent = [&] { return parts_.clock.Now() - begin; };
  const Seconds enough = std::max(protocol_.shortest, Milliseconds(100));
  for (int calls = 0;
       calls < 2 || (done < protocol_.inferences && spent() < enough);
       ++calls) {
    const auto status = Call(track, done, workload_.batch, sink, work, nullptr);
    if (!status) {
      if (stopped() || status.error().code == ErrorCode::kInterrupted)
        return Fail(ErrorCode::kInterrupted, "interrupted while warming up");
      track.row().failure = status.error().message;
      track.subject.reset();
      return {};
    }
    done += workload_.batch;
  }
  track.row().warm_up = done;
  Plan(track, spent() / static_cast<double>(done));
  return {};
}

// How many inferences make a run, when one takes `each`: fewer where all runs
// would take too long, several passes where one would be too short to meter.
void Session::Plan(Track& track, Seconds each) const {
  BenchRow& row = track.row();
  track.inferences = protocol_.inferences;
  const Seconds pass = each * static_cast<double>(protocol_.inferences);
  const Seconds room = protocol_.longest / protocol_.runs;
  if (pass > room) {
    const auto fitting = static_cast<uint64_t>(room / each);
    track.inferences = std::max(fitting, workload_.batch);
    row.notes.push_back(fmt::format(
        "runs of {} inferences: {} would take {} each, {} runs may take {}",
        FormatCount(track.inferences), FormatCount(protocol_.inferences),
        FormatDuration(pass), protocol_.runs,
        FormatDuration(protocol_.longest)));
  } else if (pass > Seconds(0)) {
    const Seconds least = std::min(protocol_.shortest, room);
    track.passes =
        static_cast<uint64_t>(std::ceil(std::max(1.0, least / pass)));
  }
  row.items = std::min<uint64_t>(track.inferences, workload_.items.size());
}

Status Session::Prepare(Track& track) {
  NullSink sink;
  MODICUM_TRY(track.row().load,
              Once(track, "load", Phase::kLoad, [&]() -> Status {
                MODICUM_TRY(track.subject, track.entry->open(call_, sink));
                return {};
              }));
  if (track.failed()) return {};
  const SubjectFacts& facts = track.subject->facts();
  BenchRow& row = track.row();
  row.family = facts.family;
  row.engine = facts.engine;
  row.parameters = facts.parameters;
  row.bytes = facts.bytes;
  if (row.model_hash == Hash{}) row.model_hash = facts.hash;
  MODICUM_TRY(row.first, Once(track, "first inference", Phase::kWarmUp, [&] {
                Work work;
                return Call(track, 0, 1, sink, work, nullptr);
              }));
  return track.failed() ? Status{} : WarmUp(track);
}

// All inferences of a run once; the last call may have fewer items. `first`:
// of a run, whose calls are timed.
Status Session::Pass(Track& track, PhaseSink& sink, Work& work, bool first) {
  std::vector<Output>* const outputs =
      first && track.row().runs.empty() ? &track.outputs : nullptr;
  for (uint64_t at = 0; at < track.inferences; at += workload_.batch) {
    const MonotonicTime begin = parts_.clock.Now();
    MODICUM_RETURN_IF_ERROR(
        Call(track, at, std::min(workload_.batch, track.inferences - at), sink,
             work, outputs));
    if (first) track.latencies.push_back((parts_.clock.Now() - begin).value());
  }
  return {};
}

void Session::Keep(Track& track, const WindowReading& reading, const Work& work,
                   std::map<Phase, Seconds> by_phase) {
  const std::string& family = track.row().family;
  BenchRun run;
  run.repeat.predictions = track.inferences * track.passes;
  run.repeat.wall = reading.wall;
  run.repeat.cpu = reading.cpu;
  run.repeat.energy = OfWorkload(reading.split.own(), family);
  run.repeat.contended = reading.contended;
  run.repeat.cpu_by_phase = std::move(by_phase);
  run.idle = OfWorkload(reading.split.own_idle, family);
  run.machine = OfWorkload(reading.split.measured, family);
  run.tokens_in = work.tokens_in;
  run.tokens_out = work.tokens_out;
  run.short_window = reading.short_window;
  if (!run.repeat.contended) {
    ++track.quiet;
    track.energy.Add(run.repeat.energy.mid.value() /
                     static_cast<double>(run.repeat.predictions));
  }
  track.row().idle_policy = reading.split.idle_policy;
  track.row().runs.push_back(std::move(run));
}

Status Session::OneRun(Track& track) {
  Work work;
  WallPhases phases(parts_.clock);
  if (track.row().runs.empty()) track.outputs.clear();
  const std::string what =
      fmt::format("run {}, {} inferences", track.row().runs.size() + 1,
                  FormatCount(track.inferences * track.passes));
  MODICUM_TRY(const auto reading,
              Metered(track, what, Phase::kPrefill, [&]() -> Status {
                for (uint64_t pass = 0; pass < track.passes; ++pass)
                  MODICUM_RETURN_IF_ERROR(Pass(track, phases, work, pass == 0));
                return {};
              }));
  if (reading) Keep(track, *reading, work, phases.Split(reading->cpu));
  return {};
}

// On the answers of the first run, outside of every window.
Status Session::Score(Track& track) {
  BenchRow& row = track.row();
  if (track.failed() || row.runs.empty()) return {};
  if (!protocol_.exact_runs && row.runs.size() < protocol_.least_runs &&
      track.OverTime(protocol_))
    row.notes.push_back(fmt::format("only {} runs: they took more than {}",
                                    row.runs.size(),
                                    FormatDuration(protocol_.longest)));
  row.latency_p50 = Seconds(Quantile(track.latencies, 0.5));
  row.latency_p95 = Seconds(Quantile(track.latencies, 0.95));
  const auto score = workload_.settings->task->score;
  if (score == nullptr) return {};
  Progress(track, "quality");
  const auto scored = score(*track.subject, workload_,
                            std::span(workload_.items).first(row.items),
                            std::span(track.outputs).first(row.items), call_);
  if (!scored) {
    if (scored.error().code == ErrorCode::kInterrupted)
      return Fail(scored.error());
    row.notes.push_back("not scored: " + scored.error().message);
    return {};
  }
  row.quality = scored->figure;
  const Hash& trained_on = track.subject->facts().trained_on;
  if (row.quality && trained_on != Hash{} && trained_on == workload_.data_hash)
    row.notes.emplace_back(
        "it was trained on items of this very file: its quality is not that "
        "of new ones");
  row.correct_share = scored->correct_share;
  row.above_floor = scored->above_floor;
  if (!scored->note.empty()) row.notes.push_back(scored->note);
  return {};
}

// Rounds over those not done, each round from another start.
Status RunRounds(Session& session, const BenchProtocol& protocol,
                 std::span<Track> tracks) {
  for (size_t round = 0;; ++round) {
    bool any = false;
    for (size_t k = 0; k < tracks.size(); ++k) {
      Track& track = tracks[(round + k) % tracks.size()];
      if (track.Done(protocol)) continue;
      any = true;
      MODICUM_RETURN_IF_ERROR(session.OneRun(track));
    }
    if (!any) return {};
  }
}

}  // namespace

Status MeasureInTurn(const Workload& workload,
                     std::span<const BenchEntry> entries,
                     const BenchProtocol& protocol,
                     const ProtocolParts& parts) {
  MODICUM_CHECK(!workload.items.empty());
  Session session(workload, protocol, parts);
  std::vector<Track> tracks(entries.size());
  const auto measure = [&]() -> Status {
    for (size_t i = 0; i < entries.size(); ++i) {
      tracks[i].entry = &entries[i];
      MODICUM_RETURN_IF_ERROR(session.Prepare(tracks[i]));
    }
    return RunRounds(session, protocol, tracks);
  };
  const Status measured = measure();
  if (!measured && measured.error().code != ErrorCode::kInterrupted)
    return measured;
  for (Track& track : tracks)
    if (track.entry != nullptr && (measured || !track.row().runs.empty())) {
      if (const auto scored = session.Score(track); !scored && measured)
        return scored;
    }
  if (!measured)
    for (Track& track : tracks)
      if (track.entry != nullptr && !track.Done(protocol) &&
          !track.row().runs.empty())
        track.row().notes.push_back(
            fmt::format("interrupted after {} of {} runs",
                        track.row().runs.size(), protocol.runs));
  return measured;
}

}  // namespace modicum
