// SPDX-License-Identifier: Apache-2.0
// What commands that run a neural network share: its flags, and a run of which
// every phase is billed apart.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/instruments.h"
#include "meter/meter.h"
#include "model/neural.h"
#include "record/ledger.h"

namespace CLI {
class App;
}

namespace modicum {

struct NeuralFlags {
  std::string model;  // its path
  NeuralSettings settings;
  bool quiet = false;
  bool no_ledger = false;
};

// --model and how it is run, --quiet and --no-ledger.
void AddNeuralFlags(CLI::App& app, NeuralFlags& flags);

// A phase of the work, all its windows together.
struct PhaseCost {
  Phase phase{};
  WallTime began;
  Seconds wall;
  Seconds cpu;
  Estimate<Joules> energy;
  std::vector<DomainEnergy> domains;
  uint64_t tokens = 0;  // read in it; when decoding, each was generated
  bool contended = false;
};

// Adds up windows by phase, and the tokens of the steps in them.
class PhaseCosts final : public PhaseSink {
 public:
  explicit PhaseCosts(Meter& meter) : meter_(meter) {}
  void Begin(Phase phase) override;
  void Step(Phase phase, std::span<const SeqWork> work) override;
  // Ends the phase; in the order in which they began.
  Result<std::vector<PhaseCost>> Finish();
  uint64_t tokens(Phase phase) const;  // so far

 private:
  PhaseMeter meter_;
  std::map<Phase, uint64_t> tokens_;
};

// "prefill   5 tokens at 62 mJ [26, 150] modelled; 210 tokens/s; ...".
std::string FormatPhases(const std::vector<PhaseCost>& phases);
nlohmann::json PhasesJson(const std::vector<PhaseCost>& phases);

// One metered piece of work with a network. Not thread-safe.
class NeuralRun {
 public:
  // `kind` names it in the ledger. Errors are those of the settings and of a
  // ledger that cannot be opened.
  static Result<std::unique_ptr<NeuralRun>> Start(const Context& context,
                                                  std::string kind,
                                                  const NeuralFlags& flags);

  PhaseCosts& phases() { return phases_; }
  const Instruments& instruments() const { return instruments_; }

  // Loads the network at `path`, with progress on a terminal.
  Result<std::unique_ptr<NeuralModel>> Open(const std::string& path);

  // What it was about, for the ledger.
  void Tag(const std::string& key, std::string value) {
    run_.tags[key] = std::move(value);
  }

  struct Outcome {
    Run run;
    std::vector<PhaseCost> phases;
  };
  // Ends the work: it was done, or failed, or was interrupted.
  Result<Outcome> End(const Status& status);
  // The bill to stderr, the row into the ledger. What fails here is said, but
  // the work stands.
  void Record(const Outcome& outcome) const;

 private:
  NeuralRun(const Context& context, const NeuralFlags& flags,
            Instruments instruments);

  const Context& context_;
  const NeuralFlags& flags_;
  Instruments instruments_;
  std::unique_ptr<Ledger> ledger_;  // null with --no-ledger
  Run run_;
  WindowId window_{};
  PhaseCosts phases_;
};

}  // namespace modicum
