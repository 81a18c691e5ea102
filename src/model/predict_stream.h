// SPDX-License-Identifier: Apache-2.0
// Predictions line by line: one line out for one line in, in order. Reads
// what is available and answers it at once, so that a pipe never waits for a
// full block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/phase.h"
#include "base/result.h"
#include "model/item_reader.h"
#include "model/model.h"

namespace modicum {

struct StreamOptions {
  ItemReaderOptions input;
  size_t batch = 256;          // items per call of the model
  bool probabilities = false;  // of every label
  bool labels_only = false;    // the bare label instead of JSON
  bool skip_errors = false;    // {"error": ...} for a bad line, and go on
  size_t max_line_bytes = size_t{64} << 20;
  CallOptions call;
};

struct StreamResult {
  uint64_t items = 0;
  uint64_t skipped = 0;  // bad lines
};

// From descriptor `in` to `out` until the end of input. A bad line is
// kInvalidInput that names it; all lines before it are answered. A blank line
// of JSON or CSV is passed over. With call.explain every answer says
// "because": [{"feature": ..., "effect": ...}, ...], strongest first. `result`
// counts what was answered, on failure too.
Status PredictStream(Model& model, int in, int out,
                     const StreamOptions& options, PhaseSink& sink,
                     StreamResult& result);

}  // namespace modicum
