// SPDX-License-Identifier: Apache-2.0
// neural_speed MODEL THREADS PROMPT GENERATE: tokens a second after a warm-up,
// as llama-bench takes them: "prefill N" and "decode N", or with GENERATE 0 of
// an encoder "embed N". generate_bench.sh puts the two side by side.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "model/neural.h"

namespace modicum {
namespace {

struct Options {
  std::string path;
  int threads = 1;
  uint32_t prompt = 512, generate = 64;
};

// Seconds of the phase that was begun last, and of the one before.
class Stopwatch final : public PhaseSink {
 public:
  void Begin(Phase) override {
    previous = SystemClock().Now() - begun;
    begun = SystemClock().Now();
  }
  void Step(Phase, std::span<const SeqWork>) override {
    last = SystemClock().Now() - begun;
  }
  MonotonicTime begun = SystemClock().Now();
  Seconds previous, last;
};

Status Run(const Options& options) {
  MODICUM_TRY(NeuralEngine* const engine, FindNeuralEngine());
  NeuralSettings settings;
  settings.threads = options.threads;
  settings.context = static_cast<int>(options.prompt + options.generate);
  settings.vectors = options.generate == 0;
  Stopwatch watch;
  MODICUM_TRY(const auto network,
              engine->Open(options.path, settings, {}, {}, watch));
  const TokenIds prompt(options.prompt, 300);
  const auto rate = [](uint32_t tokens, Seconds seconds) {
    return static_cast<double>(tokens) / seconds.value();
  };
  if (!network->info().generates) {
    for (int pass = 0; pass < 2; ++pass)
      MODICUM_RETURN_IF_ERROR(
          network->Embed({{prompt}}, true, {}, watch).map([](auto) {}));
    std::printf("embed %.3f\n", rate(options.prompt, watch.last));
    return {};
  }
  GenerateOptions generate;
  generate.ignore_end = true;
  for (const uint32_t tokens : {2U, options.generate + 1}) {
    generate.max_tokens = tokens;
    MODICUM_RETURN_IF_ERROR(
        network->Generate(prompt, generate, {}, watch).map([](auto) {}));
  }
  std::printf("prefill %.3f\ndecode %.3f\n",
              rate(options.prompt, watch.previous),
              rate(options.generate, watch.last));
  return {};
}

}  // namespace
}  // namespace modicum

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: neural_speed MODEL THREADS PROMPT GENERATE\n", stderr);
    return 2;
  }
  const modicum::Status run = modicum::Run(
      {argv[1], std::atoi(argv[2]), static_cast<uint32_t>(std::atoi(argv[3])),
       static_cast<uint32_t>(std::atoi(argv[4]))});
  if (run) return 0;
  std::fprintf(stderr, "neural_speed: %s\n", run.error().message.c_str());
  return 1;
}
