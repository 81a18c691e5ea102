// SPDX-License-Identifier: Apache-2.0
#include "tune/tune.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/rng.h"
#include "base/statistics.h"
#include "evaluate/cost.h"
#include "model/neural_settings.h"

namespace modicum {

namespace {

constexpr Seconds kRepeatWall(0.2);  // shortest repeat
constexpr int kFewestPairs = 5;
constexpr int kMostPairs = 16;
constexpr int kFinalPairs = 12;
// Half-width of the logarithm of a ratio that is narrow enough.
constexpr double kNarrow = 0.01;
// A request may take this much longer than by default, where the workload
// does not say how long.
constexpr double kSlower = 1.05;
constexpr int kTextsTogether = 64;  // in one forward pass, as `embed` does

// One repeat: requests, one after the other.
struct Round {
  Estimate<Joules> energy;
  Seconds cpu, wall;
  double tokens = 0;
  std::vector<double> requests;  // wall seconds
  bool contended = false;
};

// Repeats of two settings in turn.
struct Pairs {
  std::vector<Round> first, second;  // quiet ones, pairwise
  size_t contended = 0;
};

double JoulesPerToken(const Round& repeat) {
  return repeat.energy.mid.value() / repeat.tokens;
}
double SecondsPerToken(const Round& repeat) {
  return repeat.cpu.value() / repeat.tokens;
}

// The ratio of `b` to `a`, from the pairs' logarithms.
template <class F>
Estimate<Scalar> RatioOf(const std::vector<Round>& b,
                         const std::vector<Round>& a, F per_token,
                         Origin origin) {
  std::vector<double> logs;
  for (size_t i = 0; i < a.size(); ++i)
    logs.push_back(std::log(per_token(b[i]) / per_token(a[i])));
  const double mid = std::exp(Mean(logs));
  Estimate<Scalar> ratio = Exactly(Scalar(mid), origin, a[0].energy.scope);
  ratio.own_sd =
      mid * std::sqrt(Variance(logs) / static_cast<double>(logs.size()));
  return ratio;
}

double RequestQuantile(const std::vector<Round>& repeats, double p) {
  std::vector<double> walls;
  for (const Round& repeat : repeats)
    walls.insert(walls.end(), repeat.requests.begin(), repeat.requests.end());
  return Quantile(walls, p);
}

TuneFigure FigureOf(const std::vector<Round>& repeats) {
  std::vector<double> joules;
  std::vector<double> seconds;
  double tokens = 0;
  Seconds wall;
  for (const Round& repeat : repeats) {
    joules.push_back(1000 * JoulesPerToken(repeat));
    seconds.push_back(1000 * SecondsPerToken(repeat));
    tokens += repeat.tokens;
    wall += repeat.wall;
  }
  const auto n = static_cast<double>(repeats.size());
  const Round& last = repeats.back();
  TuneFigure figure;
  // The probe's shared error is in proportion to the value.
  figure.joules_per_1000_tokens =
      last.energy * (Mean(joules) / last.energy.mid.value());
  figure.joules_per_1000_tokens.own_sd = std::sqrt(Variance(joules) / n);
  figure.cpu_per_1000_tokens =
      Exactly(Seconds(Mean(seconds)), Origin::kCounter, Scope::kProcess);
  figure.cpu_per_1000_tokens.own_sd = std::sqrt(Variance(seconds) / n);
  figure.p50 = Seconds(RequestQuantile(repeats, 0.5));
  figure.p95 = Seconds(RequestQuantile(repeats, 0.95));
  figure.tokens_per_second = tokens / wall.value();
  return figure;
}

// llama.cpp's.
NeuralSettings DefaultsFor(const TuneWorkload& workload) {
  NeuralSettings defaults;
  if (workload.kind == TuneWorkload::Kind::kEmbed) defaults.blas = "off";
  return defaults;
}

class Tuner {
 public:
  explicit Tuner(const TuneParts& parts)
      : parts_(parts),
        workload_(parts.workload),
        machine_(parts.cpus),
        best_(DefaultsFor(parts.workload)) {}

  Result<TuneResult> Run();

 private:
  Status OpenDefaults();
  void CountGpuLayers(const NeuralInfo& info);
  Status TryAxis(size_t axis);
  Status Try(const Change& change);
  Status Compare();
  Error WithSoFar(Error error) const;
  Result<Pairs> Measure(NeuralModel& first, NeuralModel& second, int fewest,
                        int most);
  Result<Round> OneRound(NeuralModel& model);
  Result<double> OneRequest(NeuralModel& model);
  Result<std::unique_ptr<NeuralModel>> Open(const NeuralSettings& settings);
  void Say(std::string_view what) const {
    if (parts_.progress) parts_.progress(what);
  }

  const TuneParts& parts_;
  const TuneWorkload& workload_;
  TuneMachine machine_;
  NeuralSettings best_;
  std::unique_ptr<NeuralModel> model_;  // of best_
  std::vector<TokenIds> texts_;
  TuneResult r_;
};

// Tokens drawn by a seed: what they are does not change the work.
std::vector<TokenIds> DrawTexts(const NeuralInfo& info, size_t texts,
                                size_t tokens) {
  Rng rng(1);
  std::vector<TokenIds> drawn(texts);
  for (TokenIds& text : drawn)
    while (text.size() < tokens) {
      const auto token = static_cast<TokenId>(rng.Below(info.vocabulary));
      if (token != info.end && token != info.beginning) text.push_back(token);
    }
  return drawn;
}

Status CheckFits(const TuneWorkload& workload, const NeuralInfo& info) {
  const bool generates = workload.kind == TuneWorkload::Kind::kGenerate;
  if (generates && !info.generates)
    return Fail(ErrorCode::kInvalidInput, info.path + " does not generate text",
                "let the workload's kind be \"embed\"");
  const int tokens = workload.prompt + (generates ? workload.generate : 0);
  // It was opened with room for a request, whatever it was trained with.
  const uint32_t holds = info.context_trained > 0
                             ? std::min(info.context, info.context_trained)
                             : info.context;
  if (tokens > static_cast<int>(holds))
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("a request of the workload has {} tokens, the "
                    "context of {} holds {}",
                    tokens, info.path, holds),
        fmt::format("let {} of the workload be {} or less",
                    generates ? "prompt and generate together" : "prompt",
                    holds));
  return {};
}

// As the workload uses it: room for a request and no more, whatever the network
// was trained with; texts to embed go through it together.
Result<std::unique_ptr<NeuralModel>> Tuner::Open(
    const NeuralSettings& settings) {
  NeuralSettings sized = settings;
  if (workload_.kind == TuneWorkload::Kind::kGenerate) {
    sized.context = workload_.prompt + workload_.generate;
  } else {
    sized.vectors = true;
    sized.sequences = std::min(workload_.batch, kTextsTogether);
  }
  return parts_.open(sized);
}

// What a GPU takes over looks free where nobody counts its joules.
void Tuner::CountGpuLayers(const NeuralInfo& info) {
  if (info.gpus.empty()) return;
  const auto counted = parts_.meter.components();
  if (std::ranges::find(counted, "gpu") != counted.end()) {
    machine_.gpu_layers = static_cast<int>(info.layers);
    return;
  }
  TuneTrial& trial = r_.trials.emplace_back();
  trial.change = "gpu layers 0";
  trial.reason = "not tried: the GPU's joules are not counted here";
}

Status Tuner::OpenDefaults() {
  MODICUM_TRY(model_, Open(best_));
  MODICUM_RETURN_IF_ERROR(CheckFits(workload_, model_->info()));
  CountGpuLayers(model_->info());
  const bool generates = workload_.kind == TuneWorkload::Kind::kGenerate;
  texts_ = DrawTexts(model_->info(),
                     generates ? 1 : static_cast<size_t>(workload_.batch),
                     static_cast<size_t>(workload_.prompt));
  return {};
}

// Its tokens.
Result<double> Tuner::OneRequest(NeuralModel& model) {
  NullSink sink;
  if (workload_.kind == TuneWorkload::Kind::kEmbed) {
    CallOptions call;
    call.stop = parts_.stop;
    MODICUM_TRY(const auto vectors, model.Embed(texts_, true, call, sink));
    return static_cast<double>(vectors.size()) * workload_.prompt;
  }
  GenerateOptions options;
  options.max_tokens = static_cast<uint32_t>(workload_.generate);
  options.ignore_end = true;
  options.call.stop = parts_.stop;
  MODICUM_TRY(const Generation made,
              model.Generate(texts_.front(), options, {}, sink));
  if (made.end == Generation::End::kStopped)
    return Fail(ErrorCode::kInterrupted, "tuning interrupted");
  return workload_.prompt + static_cast<double>(made.tokens.size());
}

Result<Round> Tuner::OneRound(NeuralModel& model) {
  Round repeat;
  const WindowId window = parts_.meter.Begin("tune");
  Status asked;
  while (asked && repeat.wall < kRepeatWall) {
    const MonotonicTime begin = parts_.clock.Now();
    const auto tokens = OneRequest(model);
    if (!tokens) {
      asked = Fail(tokens.error());
      break;
    }
    const Seconds took = parts_.clock.Now() - begin;
    repeat.tokens += *tokens;
    repeat.wall += took;
    repeat.requests.push_back(took.value());
  }
  MODICUM_TRY(const WindowReading reading, parts_.meter.End(window));
  MODICUM_RETURN_IF_ERROR(asked);
  if (parts_.stop.stop_requested())
    return Fail(ErrorCode::kInterrupted, "tuning interrupted");
  repeat.energy = OfWorkload(reading.split.own(), "network");
  repeat.cpu = reading.cpu;
  repeat.contended = reading.contended;
  return repeat;
}

// A pair of which one repeat was contended is set aside whole, by the meter's
// rule and never by its result; without a quiet pair they are all there is.
Result<Pairs> Tuner::Measure(NeuralModel& first, NeuralModel& second,
                             int fewest, int most) {
  for (NeuralModel* model : {&first, &second}) {  // warm-up
    MODICUM_TRY(const double tokens, OneRequest(*model));
    static_cast<void>(tokens);
  }
  Pairs quiet;
  Pairs all;
  ConfidenceSequence logs(0.9, fewest);
  for (int pair = 0; pair < most; ++pair) {
    // Who goes first alternates, as a drift would favour it.
    const bool swap = pair % 2 == 1;
    MODICUM_TRY(Round one, OneRound(swap ? second : first));
    MODICUM_TRY(Round two, OneRound(swap ? first : second));
    if (swap) std::swap(one, two);
    all.first.push_back(one);
    all.second.push_back(two);
    if (one.contended || two.contended) {
      ++quiet.contended;
      continue;
    }
    logs.Add(std::log(JoulesPerToken(two) / JoulesPerToken(one)));
    quiet.first.push_back(std::move(one));
    quiet.second.push_back(std::move(two));
    const auto interval = logs.interval();
    if (static_cast<int>(quiet.first.size()) < fewest || !interval) continue;
    if (interval->low > 0 || interval->high < 0 ||
        interval->high - interval->low < 2 * kNarrow)
      break;
  }
  r_.contended += quiet.contended;
  if (quiet.first.size() >= 2) return quiet;
  all.contended = quiet.contended;
  return all;
}

Status Tuner::Try(const Change& change) {
  TuneTrial trial;
  trial.change = ToString(change);
  Say(trial.change);
  auto texts = ToTexts(best_);
  for (const auto& [name, value] : change) texts[name] = value;
  MODICUM_TRY(const NeuralSettings settings, SettingsOf(texts));
  auto opened = Open(settings);
  if (!opened) {
    if (opened.error().code == ErrorCode::kInterrupted)
      return Fail(std::move(opened).error());
    trial.reason = opened.error().message;
    // Where BLAS cannot compute it, off is what auto comes to.
    if (change.size() == 1 && change.begin()->first == "blas")
      best_.blas = NeuralSettings().blas;
    r_.trials.push_back(std::move(trial));
    return {};
  }
  MODICUM_TRY(const Pairs pairs,
              Measure(*model_, **opened, kFewestPairs, kMostPairs));
  trial.ratio = RatioOf(pairs.second, pairs.first, JoulesPerToken,
                        pairs.first[0].energy.origin);
  trial.p95 = Seconds(RequestQuantile(pairs.second, 0.95));
  trial.pairs = static_cast<int>(pairs.first.size());
  if (trial.ratio->interval().high >= 1)
    trial.reason = "not cheaper beyond doubt";
  else if (trial.p95 > r_.p95_limit)
    trial.reason = "a request takes too long";
  trial.kept = trial.reason.empty();
  if (trial.kept) {
    best_ = settings;
    model_ = *std::move(opened);
  }
  r_.trials.push_back(std::move(trial));
  return {};
}

Status Tuner::TryAxis(size_t axis) {
  for (const Change& change : ChangesOf(axis, best_, workload_, machine_))
    MODICUM_RETURN_IF_ERROR(Try(change));
  return {};
}

// The defaults against what was found, anew: the trials' own ratios are of
// what happened to look good.
Status Tuner::Compare() {
  MODICUM_TRY(const auto defaults, Open(DefaultsFor(workload_)));
  MODICUM_TRY(const Pairs pairs,
              Measure(*defaults, *model_, kFinalPairs, kFinalPairs));
  r_.before = FigureOf(pairs.first);
  r_.after = FigureOf(pairs.second);
  r_.energy_ratio = RatioOf(pairs.first, pairs.second, JoulesPerToken,
                            pairs.first[0].energy.origin);
  r_.speed_per_cpu =
      RatioOf(pairs.first, pairs.second, SecondsPerToken, Origin::kCounter);
  return {};
}

// What a stop need not throw away: a setting can be given as a flag.
Error Tuner::WithSoFar(Error error) const {
  if (error.code != ErrorCode::kInterrupted) return error;
  std::string kept;
  for (const TuneTrial& trial : r_.trials)
    if (trial.kept) kept += (kept.empty() ? "" : ", ") + trial.change;
  error.message =
      fmt::format("tuning interrupted after {} trial{}; {}", r_.trials.size(),
                  r_.trials.size() == 1 ? "" : "s",
                  kept.empty() ? "none was cheaper" : "cheaper were: " + kept);
  error.hint = "only what a whole tuning finds is kept: run it again";
  return error;
}

Result<TuneResult> Tuner::Run() {
  const MonotonicTime began = parts_.clock.Now();
  const WindowId window = parts_.meter.Begin("tuning");
  auto steps = [this]() -> Status {
    Say("the defaults");
    MODICUM_RETURN_IF_ERROR(OpenDefaults());
    std::vector<double> walls;
    for (int i = 0; i < 3; ++i) {
      MODICUM_TRY(const Round repeat, OneRound(*model_));
      if (i > 0)
        walls.insert(walls.end(), repeat.requests.begin(),
                     repeat.requests.end());
    }
    r_.p95_limit =
        workload_.p95.value_or(Seconds(Quantile(walls, 0.95) * kSlower));
    for (size_t axis = 0; axis < AxisCount(); ++axis)
      MODICUM_RETURN_IF_ERROR(TryAxis(axis));
    Say("what was found against the defaults");
    return Compare();
  };
  const Status status = steps();
  MODICUM_TRY(const WindowReading reading, parts_.meter.End(window));
  if (!status) return Fail(WithSoFar(status.error()));
  r_.workload = ToString(workload_);
  r_.settings = ToTexts(best_);
  r_.spent = OfWorkload(reading.split.own(), "network");
  r_.wall = parts_.clock.Now() - began;
  return std::move(r_);
}

}  // namespace

Result<TuneResult> Tune(const TuneParts& parts) { return Tuner(parts).Run(); }

}  // namespace modicum
