// SPDX-License-Identifier: Apache-2.0
// Activations: Korthikanti et al. 2022, "Reducing Activation Recomputation in
// Large Transformer Models", equations 2 to 6, 16 bits, sequence parallelism
// beside tensor parallelism. States: Rajbhandari et al. 2020, ZeRO, figure 1.
#include "plan/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/suggest.h"

namespace modicum {
namespace {

// CUDA context, communication and math libraries. Typical 0.3 to 2 GB.
constexpr double kRuntimeBytes = 1e9;
// What an allocator cannot hand out, of all it has: published 5 to 20 %.
constexpr double kFragmentation = 0.08;
// Logits in 16 bits, their gradient and an fp32 softmax.
constexpr double kLogitBytes = 6;
// Deeper pipelines have not been published.
constexpr int kMostStages = 64;
// Tokens per step of models of this kind, to count micro-batches: 4 M.
constexpr double kTokensPerStep = 4e6;

constexpr std::array<Recompute, 3> kLevels{
    Recompute::kNone, Recompute::kSelective, Recompute::kFull};

double LayerActivations(const Architecture& model, const TrainSetup& setup,
                        const Parallelism& parallel) {
  const double s = setup.sequence;
  const double sbh = s * setup.micro_batch * model.hidden;
  const double t = parallel.tensor;
  if (parallel.recompute == Recompute::kFull) return 2 * sbh / t;
  if (parallel.recompute == Recompute::kSelective) return 34 * sbh / t;
  return sbh * (34 + 5 * model.heads * s / model.hidden) / t;
}

double Activations(const Architecture& model, const TrainSetup& setup,
                   const Parallelism& parallel) {
  // The first of p stages keeps p micro-batches of layers / p: all layers'.
  const int stage = (model.layers + parallel.pipeline - 1) / parallel.pipeline;
  const double kept = static_cast<double>(stage) * parallel.pipeline *
                      LayerActivations(model, setup, parallel);
  if (parallel.recompute != Recompute::kFull) return kept;
  Parallelism whole = parallel;
  whole.recompute = Recompute::kSelective;  // one layer at a time comes back
  return kept + LayerActivations(model, setup, whole);
}

struct Held {
  double dense = 0;
  double experts = 0;
};

// Parameters of one model-parallel part. Tables stand on the first and last
// stage: the fullest has one.
Held HeldBy(const Architecture& model, const Parallelism& parallel) {
  const double t = parallel.tensor;
  const double tables = std::min(model.embedding, model.parameters);
  const double layers = model.parameters - model.expert_parameters - tables;
  const double p = parallel.pipeline;
  return {(std::max(layers, 0.0) / p + tables) / t,
          model.expert_parameters / (t * p * parallel.expert)};
}

// Bytes of a thing of `each` bytes per parameter, spread over data parallel
// replicas where ZeRO does so. Experts have fewer replicas.
double BytesOf(const Held& held, double each, bool sharded,
               const Parallelism& parallel) {
  if (!sharded) return (held.dense + held.experts) * each;
  const double replicas = parallel.data;
  return held.dense * each / replicas +
         held.experts * each * parallel.expert / replicas;
}

// Work and waiting that a layout adds, as a factor on the time: only to choose
// between layouts. Full recomputation: a forward pass more, 4/3. The bubble:
// (p - 1) of m micro-batches. The rest assumed, in the order that practice has.
double Overhead(const TrainSetup& setup, const Parallelism& parallel) {
  double factor = parallel.recompute == Recompute::kFull        ? 4.0 / 3
                  : parallel.recompute == Recompute::kSelective ? 1.02
                                                                : 1;
  factor *= 1 + 0.04 * std::log2(parallel.tensor);
  factor *= 1 + 0.03 * std::log2(parallel.expert);
  factor *= parallel.zero == 3 ? 1.08 : 1 + 0.005 * parallel.zero;
  const double tokens =
      static_cast<double>(parallel.data) * setup.micro_batch * setup.sequence;
  const double batches = std::max(1.0, kTokensPerStep / tokens);
  return factor * (1 + (parallel.pipeline - 1) / batches);
}

// Calls `visit` with every layout of `devices`.
template <class Visit>
void ForEachLayout(const Architecture& model, const Accelerator& chip,
                   int devices, Visit visit) {
  for (int t = 1; t <= chip.per_node && t <= model.heads; t *= 2) {
    if (devices % t != 0) break;
    const int rest = devices / t;
    for (int p = 1; p <= std::min({rest, model.layers, kMostStages}); ++p) {
      if (rest % p != 0) continue;
      const int data = rest / p;
      for (int e = 1; e <= std::max(1, std::min(model.experts, data)); e *= 2) {
        if (data % e != 0 || (model.experts > 0 && model.experts % e != 0))
          continue;
        for (int zero = 0; zero <= (data > 1 ? 3 : 0); ++zero) {
          if (zero > 1 && p > 1) continue;  // gradients live across stages
          for (const Recompute level : kLevels)
            visit(Parallelism{data, t, p, e, zero, level});
        }
      }
    }
  }
}

}  // namespace

std::string_view RecomputeName(Recompute level) {
  constexpr std::array<std::string_view, 3> kNames{"none", "selective", "full"};
  return kNames[static_cast<size_t>(level)];
}

Result<TrainFormat> FindTrainFormat(std::string_view name) {
  static const std::array<std::pair<std::string_view, TrainFormat>, 4> kFormats{
      {{"mixed", {"bf16 with fp32 Adam", 2, 2, 12}},
       {"fp32", {"fp32 Adam", 4, 4, 8}},
       {"adam8bit", {"bf16 with 8-bit Adam", 2, 2, 6}},
       {"sgd", {"bf16 with fp32 SGD", 2, 2, 4}}}};
  std::vector<std::string_view> names;
  for (const auto& [id, format] : kFormats) {
    if (id == name) return format;
    names.push_back(id);
  }
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("unknown training format '{}'{}", name,
                          DidYouMean(name, names)),
              "mixed, fp32, adam8bit or sgd");
}

double AdapterParameters(const Architecture& model, int rank) {
  const double h = model.hidden;
  const double q = static_cast<double>(model.heads) * model.head_dim;
  const double kv = static_cast<double>(model.kv_heads) * model.head_dim;
  const double attention = 2 * (h + q) + 2 * (h + kv);
  const double feed_forward = 3 * (h + model.ffn);
  return rank * model.layers * (attention + feed_forward);
}

TrainMemory TrainMemoryOf(const Architecture& model, const TrainSetup& setup,
                          const Parallelism& parallel) {
  TrainMemory memory;
  const Held held = HeldBy(model, parallel);
  const TrainFormat& format = setup.format;
  Held trained = held;
  double weight = format.weight;
  if (setup.adapter.rank > 0) {
    const double own = AdapterParameters(model, setup.adapter.rank) /
                       parallel.tensor / parallel.pipeline;
    trained = {own, 0};
    weight = setup.adapter.weight_bits / 8;
    memory.weights = own * format.weight;
  }
  memory.weights += BytesOf(held, weight, parallel.zero == 3, parallel);
  if (parallel.zero == 3)  // the layer at work is gathered, the next prefetched
    memory.weights += 2 * std::min(model.largest_layer, model.parameters) *
                      weight / parallel.tensor / std::max(1, parallel.expert);
  memory.gradients =
      BytesOf(trained, format.gradient, parallel.zero >= 2, parallel);
  memory.optimizer =
      BytesOf(trained, format.states, parallel.zero >= 1, parallel);
  memory.activations = Activations(model, setup, parallel);
  memory.logits = kLogitBytes * setup.micro_batch * setup.sequence *
                  static_cast<double>(model.vocab) / parallel.tensor;
  memory.runtime = kRuntimeBytes;
  memory.fragmentation = kFragmentation * memory.total();
  return memory;
}

Layout BestLayout(const Architecture& model, const TrainSetup& setup,
                  const Accelerator& chip, int devices) {
  Layout best;
  double best_overhead = 0;
  bool first = true;
  ForEachLayout(model, chip, devices, [&](const Parallelism& parallel) {
    Layout layout{parallel, TrainMemoryOf(model, setup, parallel), false};
    layout.fits = layout.memory.total() <= chip.memory.value();
    const double overhead = Overhead(setup, parallel);
    const bool better = layout.fits != best.fits ? layout.fits
                        : layout.fits
                            ? overhead < best_overhead
                            : layout.memory.total() < best.memory.total();
    if (!first && !better) return;
    first = false;
    best = layout;
    best_overhead = overhead;
  });
  return best;
}

std::optional<Layout> FewestDevices(const Architecture& model,
                                    const TrainSetup& setup,
                                    const Accelerator& chip, int most) {
  // Whole machines, or a power of two of one machine's devices.
  const auto at = [&](int devices) {
    return BestLayout(model, setup, chip, devices);
  };
  const int node = std::max(1, chip.per_node);
  for (int devices = 1; devices <= std::min(node, most); devices *= 2)
    if (const Layout layout = at(devices); layout.fits) return layout;
  int high = 1;  // in machines
  while (high * node <= most && !at(high * node).fits) high *= 2;
  if (high * node > most) return std::nullopt;
  int low = high / 2;
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    (at(middle * node).fits ? high : low) = middle;
  }
  return at(high * node);
}

double DeepSpeedZero3(double parameters, double largest_layer, int devices) {
  return 18 * parameters / devices + 4 * largest_layer;
}

double DeepSpeedOffloadedOptimizer(double parameters, double largest_layer) {
  return 2 * parameters + 4 * largest_layer;
}

double DeepSpeedOffloaded(double largest_layer) { return 4 * largest_layer; }

}  // namespace modicum
