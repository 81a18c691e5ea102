// SPDX-License-Identifier: Apache-2.0
// What can be benchmarked. A task is one row of an explicit registry: how its
// items are read, how one inference is done, how answers are scored, what a
// unit of work is. All else (the protocol, the figures, the reports) is the
// same for every task.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/phase.h"
#include "base/result.h"
#include "dataset/dataset.h"
#include "model/model.h"
#include "record/types.h"

namespace modicum {

class NeuralModel;
struct BenchTask;

// One task of a benchmark, as the user asked for it.
struct TaskSettings {
  const BenchTask* task = nullptr;
  std::vector<std::string> models;  // paths, or patterns such as "*.gguf"
  std::vector<std::string> data;    // paths, or "catalog:NAME"
  std::string format;               // see LoadOptions
  std::string text;  // key of what is read; "": as the task has it
  std::optional<std::string> label;     // "": none; absent: as the task has it
  std::string metric;                   // "": the task's first
  std::optional<double> floor;          // of the quality
  std::vector<uint64_t> batches = {1};  // items a call
  std::vector<uint64_t> lengths;  // words of a text; 0: all; empty: the task's
  uint64_t new_tokens = 10;       // of a task that generates, at most
  int threads = 0;                // of a network; 0: every CPU
  int context = 0;                // of a network; 0: what the task needs
  // What a model's labels are called in the data: {"LABEL_1", "spam"}.
  std::map<std::string, std::string> answers;
};

// A task on one data set in one shape: what models are compared on.
struct Workload {
  const TaskSettings* settings = nullptr;
  std::string data;  // its name
  Hash data_hash{};
  std::vector<std::string> labels;  // of the data
  std::vector<Item> items;          // drawn and cut
  uint64_t batch = 1;
  uint64_t length = 0;
};

struct SubjectFacts {
  std::string family;  // "linear", "llama"
  std::string engine;  // "liblinear 2.43"
  uint64_t parameters = 0;
  Bytes bytes;
  Hash hash{};
  std::vector<std::string> labels;  // that it answers; empty: none
  Hash trained_on{};                // data file; zero: not known
};

struct Work {
  uint64_t tokens_in = 0, tokens_out = 0;
};

// A model that was opened for a workload. Not thread-safe.
class BenchSubject {
 public:
  virtual ~BenchSubject() = default;
  virtual const SubjectFacts& facts() const = 0;
  // One call: one output an item. Adds what it read and wrote to `work`.
  virtual Result<std::vector<Output>> Infer(std::span<const Item> items,
                                            const CallOptions& call,
                                            PhaseSink& sink, Work& work) = 0;
  // The network behind it, where there is one.
  virtual NeuralModel* network() { return nullptr; }
};

struct Scored {
  std::optional<QualityFigure> figure;
  std::optional<double> correct_share;
  bool above_floor = false;  // a floor was given and is met
  std::string note;          // why there is no figure
};

struct BenchTask {
  std::string_view name;
  std::string_view about;      // for --help and docs
  std::string_view unit;       // of work, "token read"; "": an item
  std::string_view published;  // the study's name of it; "": not studied
  uint64_t words = 0;          // of a text that are read by default; 0: all
  bool batches = true;         // takes several items a call
  bool generates = false;
  // The data as items that are all as long as the workload wants.
  Result<Dataset> (*load)(const std::string& path, const TaskSettings&);
  void (*shape)(Item& item, uint64_t length);
  Result<std::unique_ptr<BenchSubject>> (*open)(const std::string& path,
                                                const Workload& workload,
                                                const CallOptions& call,
                                                PhaseSink& sink);
  // Of one output per item; null: quality is not defined.
  Result<Scored> (*score)(BenchSubject& subject, const Workload& workload,
                          std::span<const Item> items,
                          std::span<const Output> outputs,
                          const CallOptions& call);
  // That it can be scored by, the default first; empty: accuracy, and what
  // classifiers have (evaluate/metric.h).
  std::span<const std::string_view> metrics = {};
};
// Of the settings, or the task's first.
std::string_view MetricOf(const TaskSettings& settings);

std::span<const BenchTask> BenchTasks();
// kNotFound with "did you mean".
Result<const BenchTask*> FindBenchTask(std::string_view name);

}  // namespace modicum
