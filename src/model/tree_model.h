// SPDX-License-Identifier: Apache-2.0
// Prediction with a forest or boosted trees. Part of the program: only
// training needs the xgboost module.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/model.h"
#include "model/tree_weights.h"

namespace modicum {

// From the file's bytes; kInvalidInput when they do not fit the labels.
//
// An item's score is base plus the sum of the leaves it reaches, per group;
// the logistic function (two classes) or softmax makes it probabilities.
// CallOptions::explain: each split on an item's path changes the expected
// value from the node's mean to the child's, and the change is credited to the
// split's feature (the path attribution of Saabas, "Interpreting random
// forests", 2014; XGBoost's approximate contributions). What all reasons and
// the roots' means sum up to is the score.
Result<std::unique_ptr<Model>> MakeTreeModel(
    std::string_view bytes, const std::vector<std::string>& labels);

// Reads `directory`/trees.bin. Reports kLoad.
Result<std::unique_ptr<Model>> LoadTreeModel(
    const std::string& directory, const std::vector<std::string>& labels,
    PhaseSink& sink);

}  // namespace modicum
