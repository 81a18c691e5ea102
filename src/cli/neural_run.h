// SPDX-License-Identifier: Apache-2.0
// What commands that run a neural network share: its flags, and a run of which
// every phase is billed apart.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/instruments.h"
#include "dataset/line_reader.h"
#include "evaluate/phase_costs.h"
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
  bool no_tuned = false;
  bool quiet = false;
  bool no_ledger = false;
};

// --model, --lora and AddNeuralSettings.
void AddNeuralFlags(CLI::App& app, NeuralFlags& flags);
// How it is run, --quiet and --no-ledger.
void AddNeuralSettings(CLI::App& app, NeuralFlags& flags);
// Where no --context is given: `tokens`, or as trained if that is less. Errors
// are those of the model's file.
Status SetContext(uint64_t tokens, NeuralFlags& flags);

// "prefill   5 tokens at 62 mJ [26, 150] modelled; 210 tokens/s; ...".
std::string FormatPhases(const std::vector<PhaseCost>& phases);
nlohmann::json PhasesJson(const std::vector<PhaseCost>& phases);

// The text in a file; "-" is stdin. Read before the meter's window opens: who
// waits for a text does no work.
Result<std::string> ReadText(const std::string& path);

struct NumberedLine {
  size_t number = 0;  // in its file, from 1
  std::string text = {};
};

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

  // Loads the network at `path`, with progress on a terminal; `adapted`: with
  // the adapters of --lora.
  Result<std::unique_ptr<NeuralModel>> Open(const std::string& path,
                                            bool adapted = true);

  // The same of an encoder with the head beside it.
  Result<std::unique_ptr<HeadedEncoder>> OpenHeaded(const std::string& path);

  // Up to `count` lines; less at the end of the input or with the error that
  // ends it. To wait for them is a phase of its own.
  Status ReadLines(LineReader& from, size_t count, bool skips_blank,
                   std::vector<NumberedLine>& lines);

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
