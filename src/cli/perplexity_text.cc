// SPDX-License-Identifier: Apache-2.0
#include "cli/perplexity_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"

namespace modicum {
namespace {

std::string Line(std::string_view label, const std::string& text) {
  return fmt::format("{:<11} {}\n", label, text);
}

nlohmann::json MeanJson(const MeanFigure& figure) {
  return {{"mid", figure.mid}, {"standard_error", figure.error}};
}

}  // namespace

std::string FormatMean(const MeanFigure& figure) {
  return fmt::format("{:.4f} ± {:.4f}", figure.mid, figure.error);
}

std::string FormatPerplexity(const PerplexityFigure& figure) {
  std::string text = Line("perplexity", FormatMean(figure.perplexity));
  if (const auto& divergence = figure.divergence) {
    text += Line("of the base", FormatMean(divergence->base_perplexity));
    text += Line("ratio", FormatMean(divergence->ratio));
    text += Line("divergence",
                 fmt::format("{:.5f} ± {:.5f} nats a token (KL)",
                             std::max(0.0, divergence->kl.mid),  // rounding
                             divergence->kl.error));
    text += Line("same first", fmt::format("{:.2f} % ± {:.2f} % of tokens",
                                           100 * divergence->same_top.mid,
                                           100 * divergence->same_top.error));
  }
  return text + Line("over", fmt::format("{} tokens in {} chunk{}; ± is one "
                                         "standard error",
                                         FormatCount(figure.tokens),
                                         FormatCount(figure.chunks),
                                         figure.chunks == 1 ? "" : "s"));
}

nlohmann::json PerplexityJson(const PerplexityFigure& figure) {
  nlohmann::json json;
  json["perplexity"] = MeanJson(figure.perplexity);
  json["scored_tokens"] = figure.tokens;
  json["chunks"] = figure.chunks;
  if (const auto& divergence = figure.divergence) {
    json["base_perplexity"] = MeanJson(divergence->base_perplexity);
    json["perplexity_ratio"] = MeanJson(divergence->ratio);
    json["kl_nats"] = MeanJson(divergence->kl);
    json["same_top"] = MeanJson(divergence->same_top);
  }
  return json;
}

}  // namespace modicum
