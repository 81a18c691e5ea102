// SPDX-License-Identifier: Apache-2.0
// A cascade answers with its cheapest model where that is sure enough and
// asks the next one else (Viola & Jones 2001; for text, FrugalGPT, Chen et al.
// 2023). "Sure" is the probability of the answer against a threshold.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/model.h"

namespace modicum {

inline constexpr char kCascadeFamily[] = "cascade";
inline constexpr char kCascadeFile[] = "cascade.json";

struct CascadeStage {
  std::string family;
  std::string folder;  // below the cascade's, holds the stage's files
  // Answers whose probability is at least this are final; the last stage's
  // always are.
  double threshold = 0;
};

// cascade.json.
std::string EncodeCascade(const std::vector<CascadeStage>& stages);
// kInvalidInput for anything EncodeCascade cannot have written: fewer than two
// stages, a cascade within, a folder outside, a threshold outside [0, 1].
Result<std::vector<CascadeStage>> DecodeCascade(std::string_view json);

// Reads `directory`/cascade.json and every stage below it. Reports kLoad.
Result<std::unique_ptr<Model>> LoadCascade(
    const std::string& directory, const std::vector<std::string>& labels,
    PhaseSink& sink);

// The same of models that are open already; one per stage. `stages` and
// `models` are of the same length, at least two.
std::unique_ptr<Model> MakeCascade(std::vector<CascadeStage> stages,
                                   std::vector<std::unique_ptr<Model>> models);

}  // namespace modicum
