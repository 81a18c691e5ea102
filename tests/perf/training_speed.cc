// SPDX-License-Identifier: Apache-2.0
// training_speed FILE [STEPS]: our trainer's steps on a classifier of 5
// million numbers: tokens a second, and the loss of each step. Writes into
// FILE what it begins with and what it reads, so that torch_training can do
// the same; training_speed.sh puts the two side by side.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "base/clock.h"
#include "model/ggml/adamw.h"
#include "model/ggml/encoder_graph.h"

namespace modicum {
namespace {

constexpr EncoderShape kShape{.vocabulary = 8192,
                              .labels = 2,
                              .width = 256,
                              .layers = 4,
                              .heads = 8,
                              .feed_forward = 1024,
                              .context = 64};
constexpr uint32_t kTexts = 32, kLength = 32;
constexpr double kRate = 1e-4, kClip = 1;

template <class T>
void Put(std::ofstream& out, const T* values, size_t count) {
  out.write(reinterpret_cast<const char*>(values),
            static_cast<std::streamsize>(count * sizeof(T)));
}

// Texts of one length, so that nothing fills up; the label is that of the
// first word's parity, which can be learnt.
EncoderBatch Draw(Rng& rng) {
  EncoderBatch batch;
  batch.length = kLength;
  batch.lengths.assign(kTexts, kLength);
  for (uint32_t i = 0; i < kTexts * kLength; ++i)
    batch.tokens.push_back(static_cast<int32_t>(rng.Below(kShape.vocabulary)));
  for (uint32_t i = 0; i < kTexts; ++i) {
    const bool odd = batch.tokens[i * kLength] % 2 != 0;
    batch.targets.push_back(odd ? 0 : 1);
    batch.targets.push_back(odd ? 1 : 0);
  }
  return batch;
}

int Run(const char* path, size_t steps) {
  EncoderWeights weights(kShape);
  weights.Draw(1);
  EncoderGraph graph(weights, 1, {});
  AdamW adamw(ParametersOf(kShape), {});
  Rng rng(2);
  std::ofstream out(path, std::ios::binary);
  const std::vector<float> begin = weights.Copy();
  Put(out, begin.data(), begin.size());
  std::vector<EncoderBatch> batches;
  for (size_t i = 0; i < steps; ++i) {
    batches.push_back(Draw(rng));
    Put(out, batches.back().tokens.data(), batches.back().tokens.size());
  }
  if (!out.flush()) {
    std::fprintf(stderr, "cannot write %s\n", path);
    return 1;
  }
  MonotonicTime from{};
  for (size_t i = 0; i < steps; ++i) {
    if (i == 2) from = SystemClock().Now();  // the first two warm up
    weights.ClearGradients();
    const auto loss = graph.Gradients(batches[i], {}, 1, rng);
    if (!loss) return 1;
    ClipGradients(weights.learnt(), kClip);
    adamw.Step(weights.learnt(), kRate);
    std::printf("loss %zu %.6f\n", i, *loss);
  }
  const double seconds = (SystemClock().Now() - from).value();
  std::printf("tokens/s %.1f\n",
              static_cast<double>((steps - 2) * kTexts * kLength) / seconds);
  return 0;
}

}  // namespace
}  // namespace modicum

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: training_speed FILE [STEPS]\n");
    return 2;
  }
  const int steps = argc > 2 ? std::atoi(argv[2]) : 20;
  return modicum::Run(argv[1], static_cast<size_t>(steps < 3 ? 3 : steps));
}
