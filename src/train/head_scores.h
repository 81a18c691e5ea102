// SPDX-License-Identifier: Apache-2.0
// How good a head is on a data set, alone and beside what costs nothing.
#pragma once

#include <string_view>

#include "base/phase.h"
#include "base/result.h"
#include "model/neural.h"
#include "record/train_result.h"
#include "train/head_data.h"

namespace modicum {

// By the data's metric.
Result<double> QualityOn(const Dataset& items, const HeadData& data,
                         HeadedEncoder& encoder, const CallOptions& call,
                         PhaseSink& sink);

// The same with its interval by groups of items, paired with the baseline's.
Result<TrainFigure> FigureOn(const Dataset& items, const HeadData& data,
                             std::string_view split, HeadedEncoder& encoder,
                             const CallOptions& call, PhaseSink& sink);

// Of this kind of data, in words.
std::string BaselineName(const HeadData& data);

}  // namespace modicum
