// SPDX-License-Identifier: Apache-2.0
#include "cli/measured_runs.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "model/gguf/gguf_file.h"

namespace modicum {
namespace {

constexpr size_t kMostRuns = 1000;

struct Shape {
  std::optional<Architecture> architecture;
  double weight_bits = 16;
};

Shape ReadShape(const std::string& path) {
  const auto file = ReadGguf(path);
  if (!file) return {};
  auto architecture = ArchitectureOf(*file);
  double bytes = 0, elements = 0;
  for (const GgufTensor& tensor : file->tensors) {
    bytes += static_cast<double>(tensor.bytes);
    elements += static_cast<double>(tensor.elements());
  }
  if (!architecture || elements <= 0) return {};
  return {*std::move(architecture), 8 * bytes / elements};
}

double NumberTag(const Run& run, const std::string& name) {
  const auto tag = run.tags.find(name);
  if (tag == run.tags.end()) return 0;
  double number = 0;
  std::from_chars(tag->second.data(), tag->second.data() + tag->second.size(),
                  number);
  return number;
}

// A phase's seconds once, its joules over all domains, and their errors as
// variances; false: contended.
bool AddPhase(const std::vector<Measurement>& rows, Phase phase,
              double& seconds, double& joules, double& own, double& shared) {
  for (const Measurement& row : rows) {
    if (row.phase != phase) continue;
    if (row.contended) return false;
    seconds = std::max(seconds, row.wall.value());
    joules += row.energy.mid.value();
    own += row.energy.own_sd * row.energy.own_sd;
    const double all = row.energy.sd() * row.energy.sd();
    // The same error in both phases: amounts add.
    shared +=
        std::sqrt(std::max(0.0, all - row.energy.own_sd * row.energy.own_sd));
  }
  return true;
}

}  // namespace

Result<std::vector<MeasuredRun>> ReadMeasuredRuns(const Ledger& ledger,
                                                  const HostFacts& host) {
  RunFilter filter;
  filter.kind = "generate";
  filter.limit = kMostRuns;
  MODICUM_TRY(const std::vector<Run> runs, ledger.Runs(filter));
  std::map<std::string, Shape> shapes;
  std::vector<MeasuredRun> measured;
  for (const Run& run : runs) {
    if (run.status != RunStatus::kOk || run.host.cpu_model != host.cpu_model)
      continue;
    MODICUM_TRY(const auto rows, ledger.Measurements(run.id));
    MeasuredRun of;
    of.model = run.name;
    of.prompt = NumberTag(run, "prompt_tokens");
    // The first token comes with the prompt.
    of.passes = NumberTag(run, "tokens") - 1;
    double own = 0, shared = 0;
    const bool quiet =
        AddPhase(rows, Phase::kPrefill, of.prefill_s, of.prefill_j, own,
                 shared) &&
        AddPhase(rows, Phase::kDecode, of.decode_s, of.decode_j, own, shared);
    const double joules = of.prefill_j + of.decode_j;
    of.own_sd = std::sqrt(own);
    of.shared_sd = joules > 0 ? shared / joules : 0;
    if (!quiet || of.prompt < 1 || of.passes < 1 || of.decode_s <= 0) continue;
    const auto [shape, is_new] = shapes.try_emplace(run.name);
    if (is_new) shape->second = ReadShape(run.name);
    of.shape = shape->second.architecture;
    of.weight_bits = shape->second.weight_bits;
    measured.push_back(std::move(of));
  }
  return measured;
}

}  // namespace modicum
