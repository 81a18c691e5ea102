// SPDX-License-Identifier: Apache-2.0
// How good a head is on a data set, alone and beside what costs nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/phase.h"
#include "base/result.h"
#include "evaluate/ratio_metric.h"
#include "model/neural.h"
#include "record/train_result.h"
#include "train/head_data.h"

namespace modicum {

// Lifetime: the data outlives it.
class HeadScores {
 public:
  explicit HeadScores(const HeadData& data) : data_(data) {}
  virtual ~HeadScores() = default;
  // What costs nothing, in words.
  virtual std::string BaselineName() const = 0;

  // By the data's metric.
  Result<double> QualityOn(const Dataset& items, HeadedEncoder& encoder,
                           const CallOptions& call, PhaseSink& sink);
  // The same with its interval by groups of items, paired with the baseline's.
  Result<TrainFigure> FigureOn(const Dataset& items, std::string_view split,
                               HeadedEncoder& encoder, const CallOptions& call,
                               PhaseSink& sink);

 protected:
  // Of each item; none where it asks nothing.
  using Ratios = std::vector<std::optional<Fraction>>;
  virtual Result<Ratios> OfNetwork(const Dataset& items, HeadedEncoder& encoder,
                                   const CallOptions& call,
                                   PhaseSink& sink) = 0;
  virtual Result<Ratios> OfBaseline(const Dataset& items,
                                    HeadedEncoder& encoder) = 0;
  // Whether every item is right or wrong as a whole.
  virtual bool IsProportion() const = 0;

  const HeadData& data_;

 private:
  RatioMetric Metric() const;
  static std::vector<ItemScore> ScoresOf(const Dataset& items,
                                         const Ratios& ratios,
                                         RatioMetric& metric);
};

std::unique_ptr<HeadScores> MakeHeadScores(const HeadData& data);

}  // namespace modicum
