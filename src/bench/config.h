// SPDX-License-Identifier: Apache-2.0
// The bench file: tasks, models, data sets, and how they are measured.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bench/task.h"
#include "place/place.h"
#include "record/bench_result.h"

namespace modicum {

struct BenchConfig {
  std::string name;  // of the result
  BenchProtocol protocol;
  std::vector<TaskSettings> tasks;
  PlaceQuery place;
};

// kInvalidInput names file, line and cure; unknown keys and tasks get "did
// you mean".
Result<BenchConfig> LoadBenchConfig(const std::string& path);
// The same from text; `path` is for messages, the name and relative paths.
Result<BenchConfig> ParseBenchConfig(std::string_view toml,
                                     const std::string& path);

// What no key alone can tell: a task without models, a batch that the task
// does not take, numbers out of range. For what came from flags as well.
Status CheckBenchConfig(const BenchConfig& config);

// The files that a list of paths and patterns names, sorted within a pattern,
// each once. kNotFound for a path that is not there and a pattern that none
// matches.
Result<std::vector<std::string>> FindModels(
    const std::vector<std::string>& patterns);

}  // namespace modicum
