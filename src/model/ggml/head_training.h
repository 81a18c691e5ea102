// SPDX-License-Identifier: Apache-2.0
// Trains a head, with its body or on one that stays as it is: tags of words
// by the cross-entropy over each word's first piece, answers by the mean of
// that of where they begin and where they end within a window (Devlin et al.
// 2019, sections 4.2 and 5.3).
#pragma once

#include "base/phase.h"
#include "base/result.h"
#include "model/ggml/encoder_base.h"
#include "model/head_job.h"

namespace modicum {

// Writes the body to job.path and the head beside it, both or none. `base` is
// null where the body is drawn. Reports kPrepare and kTrain, the judge its own
// phases. kInvalidInput: nothing to learn from; kUnavailable: not enough time
// or memory; kInterrupted: the checkpoint has the state.
Status TrainHeadOn(const EncoderBase* base, const HeadJob& job,
                   PhaseSink& sink);

}  // namespace modicum
