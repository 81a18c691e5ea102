// SPDX-License-Identifier: Apache-2.0
// Threads and batch size of prediction: the passes that change no number.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "model/model.h"

namespace modicum {

// A model that answers with all `instances`, one thread each, handing `batch`
// items at a time to whichever is free. The outputs are those of a single
// instance, in order; a call of no more than `batch` items starts no thread,
// so hand over instances * batch items or more.
// The first failure in the items' order is returned, and no further batch is
// begun. The caller's thread works too; it alone reports phases.
// `instances` are equal models, at least one; `batch` is 1 or more: else
// kInvalidInput.
Result<std::unique_ptr<Model>> WithRunSettings(
    std::vector<std::unique_ptr<Model>> instances, int batch);

}  // namespace modicum
