// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/reference_encoder.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace modicum {

namespace {

using Rows = ReferenceEncoder::Rows;

Rows Sum(const Rows& a, const Rows& b) {
  Rows sum = a;
  for (size_t t = 0; t < a.size(); ++t)
    for (size_t i = 0; i < a[t].size(); ++i) sum[t][i] += b[t][i];
  return sum;
}

double GeluByErf(double x) {
  return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
}

double TanhGelu(double x) {
  const double u = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1 + std::tanh(u));
}

template <class Function>
Rows Mapped(Rows x, Function function) {
  for (auto& row : x)
    for (double& value : row) value = function(value);
  return x;
}

void Softmax(std::vector<double>& values) {
  const double most = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (double& value : values) sum += value = std::exp(value - most);
  for (double& value : values) value /= sum;
}

}  // namespace

ReferenceEncoder::ReferenceEncoder(const EncoderWeights& weights,
                                   Activation activation)
    : shape_(weights.shape()), activation_(activation) {
  for (const Parameter& parameter : weights.parameters())
    values_[parameter.value->name] = {parameter.values().begin(),
                                      parameter.values().end()};
}

Rows ReferenceEncoder::Linear(const std::string& name, const Rows& x,
                              bool bias) const {
  const std::vector<double>& matrix = values_.at(name + ".weight");
  const double* biases = bias ? values_.at(name + ".bias").data() : nullptr;
  const size_t inputs = x.front().size();
  Rows y(x.size(), std::vector<double>(matrix.size() / inputs));
  for (size_t t = 0; t < x.size(); ++t)
    for (size_t o = 0; o < y[t].size(); ++o) {
      if (bias) y[t][o] = biases[o];
      for (size_t i = 0; i < inputs; ++i)
        y[t][o] += matrix[o * inputs + i] * x[t][i];
    }
  return y;
}

Rows ReferenceEncoder::Norm(const std::string& name, const Rows& x) const {
  const std::vector<double>& gain = values_.at(name + ".weight");
  const std::vector<double>& bias = values_.at(name + ".bias");
  Rows y = x;
  for (auto& row : y) {
    const auto size = static_cast<double>(row.size());
    double mean = 0, variance = 0;
    for (const double value : row) mean += value / size;
    for (const double value : row) variance += (value - mean) * (value - mean);
    const double scale =
        1 / std::sqrt(variance / size + double{shape_.epsilon});
    for (size_t i = 0; i < row.size(); ++i)
      row[i] = (row[i] - mean) * scale * gain[i] + bias[i];
  }
  return y;
}

Rows ReferenceEncoder::Attend(const std::string& prefix, const Rows& x) const {
  const Rows q = Linear(prefix + "attn_q", x);
  const Rows k = Linear(prefix + "attn_k", x, shape_.key_bias);
  const Rows v = Linear(prefix + "attn_v", x);
  const size_t size = shape_.width / shape_.heads;
  Rows gathered(x.size(), std::vector<double>(shape_.width));
  for (size_t h = 0; h < shape_.heads; ++h)
    for (size_t t = 0; t < x.size(); ++t) {
      std::vector<double> weight(x.size());
      for (size_t s = 0; s < x.size(); ++s)
        for (size_t i = h * size; i < (h + 1) * size; ++i)
          weight[s] += q[t][i] * k[s][i] / std::sqrt(static_cast<double>(size));
      Softmax(weight);
      for (size_t s = 0; s < x.size(); ++s)
        for (size_t i = h * size; i < (h + 1) * size; ++i)
          gathered[t][i] += weight[s] * v[s][i];
    }
  return Linear(prefix + "attn_output", gathered);
}

Rows ReferenceEncoder::Activate(Rows x) const {
  return Mapped(std::move(x),
                activation_ == Activation::kErf ? GeluByErf : TanhGelu);
}

Rows ReferenceEncoder::Body(const std::vector<int32_t>& tokens,
                            size_t second) const {
  const size_t d = shape_.width;
  Rows x(tokens.size(), std::vector<double>(d));
  for (size_t t = 0; t < tokens.size(); ++t)
    for (size_t i = 0; i < d; ++i)
      x[t][i] =
          values_.at(
              "token_embd.weight")[static_cast<size_t>(tokens[t]) * d + i] +
          values_.at("position_embd.weight")[t * d + i] +
          (shape_.token_types > 0
               ? values_.at(
                     "token_types.weight")[(second > 0 && t >= second ? d : 0) +
                                           i]
               : 0);
  x = Norm("token_embd_norm", x);
  for (uint32_t l = 0; l < shape_.layers; ++l) {
    const std::string prefix = "blk." + std::to_string(l) + ".";
    x = Norm(prefix + "attn_output_norm", Sum(x, Attend(prefix, x)));
    const Rows up = Activate(Linear(prefix + "ffn_up", x));
    x = Norm(prefix + "layer_output_norm",
             Sum(x, Linear(prefix + "ffn_down", up)));
  }
  return x;
}

std::vector<double> ReferenceEncoder::Logits(
    const std::vector<int32_t>& tokens) const {
  const Rows x = Body(tokens, 0);
  const Rows pooled = Mapped(Linear("cls", {x.front()}),
                             [](double value) { return std::tanh(value); });
  return Linear("cls.output", pooled).front();
}

Rows ReferenceEncoder::TokenLogits(const std::vector<int32_t>& tokens,
                                   size_t second) const {
  Rows x = Body(tokens, second);
  if (shape_.head != HeadKind::kFillMask) return Linear("head.output", x);
  x = Activate(Linear("head.transform", x));
  x = Norm("head.transform_norm", x);
  const std::vector<double>& bias = values_.at("head.decoder.bias");
  const std::vector<double>& matrix =
      values_.at(shape_.tied ? "token_embd.weight" : "head.decoder.weight");
  const size_t d = shape_.width;
  Rows logits(x.size(), bias);
  for (size_t t = 0; t < x.size(); ++t)
    for (size_t token = 0; token < bias.size(); ++token)
      for (size_t i = 0; i < d; ++i)
        logits[t][token] += matrix[token * d + i] * x[t][i];
  return logits;
}

double ReferenceEncoder::AskedLoss(const EncoderBatch& batch) const {
  double loss = 0;
  for (size_t i = 0; i < batch.asked.size(); ++i) {
    const auto at = static_cast<size_t>(batch.asked[i]);
    const size_t text = at / batch.length;
    const auto from =
        batch.tokens.begin() + static_cast<int64_t>(text * batch.length);
    std::vector<double> p = TokenLogits(
        {from, from + batch.lengths[text]})[at - text * batch.length];
    Softmax(p);
    loss -= std::log(p[static_cast<size_t>(batch.wanted[i])]);
  }
  return loss / static_cast<double>(batch.asked.size());
}

double ReferenceEncoder::AnswerLoss(const EncoderBatch& batch) const {
  double loss = 0;
  for (size_t text = 0; text < batch.texts(); ++text) {
    const auto from =
        batch.tokens.begin() + static_cast<int64_t>(text * batch.length);
    const size_t second = batch.seconds[text];
    const Rows logits = TokenLogits({from, from + batch.lengths[text]}, second);
    for (size_t side = 0; side < 2; ++side) {
      std::vector<double> p;
      for (size_t t = second; t + 1 < logits.size(); ++t)
        p.push_back(logits[t][side]);
      Softmax(p);
      const auto wanted = static_cast<size_t>(batch.wanted[2 * text + side]);
      loss -= std::log(p[wanted - second]);
    }
  }
  return loss / static_cast<double>(2 * batch.texts());
}

double ReferenceEncoder::Loss(const EncoderBatch& batch) const {
  if (shape_.head == HeadKind::kQuestionAnswering) return AnswerLoss(batch);
  if (shape_.head) return AskedLoss(batch);
  double loss = 0;
  for (size_t text = 0; text < batch.texts(); ++text) {
    const auto from =
        batch.tokens.begin() + static_cast<int64_t>(text * batch.length);
    std::vector<double> p = Logits({from, from + batch.lengths[text]});
    Softmax(p);
    for (size_t label = 0; label < p.size(); ++label)
      loss -=
          double{batch.targets[text * p.size() + label]} * std::log(p[label]);
  }
  return loss / static_cast<double>(batch.texts());
}

}  // namespace modicum
