// SPDX-License-Identifier: Apache-2.0
// How fast lines of JSON become text, and texts become groups.
#include <benchmark/benchmark.h>

#include <string>

#include "base/rng.h"
#include "dataset/dataset.h"
#include "dataset/json_line.h"

namespace modicum {
namespace {

// Words as mails have them, with a line end now and then to unescape.
std::string TextOfWords(Rng& rng, int64_t words) {
  std::string text;
  for (int64_t i = 0; i < words; ++i) {
    text += "word" + std::to_string(rng.Below(5000));
    text += i % 12 == 11 ? '\n' : ' ';
  }
  return text;
}

void JsonLines(benchmark::State& state) {
  Rng rng(1);
  const std::string line =
      "{\"text\":" + JsonString(TextOfWords(rng, state.range(0))) +
      ",\"label\":\"ham\",\"group\":\"easy\",\"id\":7}";
  const std::string_view keys[] = {"text"};
  std::optional<std::string> values[1];
  JsonLineReader reader;
  for (auto _ : state) {
    if (!reader.Read(line, keys, values)) state.SkipWithError("refused");
    benchmark::DoNotOptimize(values[0]);
  }
  state.SetBytesProcessed(static_cast<int64_t>(line.size()) *
                          state.iterations());
}
BENCHMARK(JsonLines)->Arg(10)->Arg(300)->Arg(10000);

void NearDuplicates(benchmark::State& state) {
  Rng rng(1);
  Dataset data;
  for (int64_t i = 0; i < state.range(0); ++i) {
    Item item;
    item.payload = Text{TextOfWords(rng, 300)};
    data.items.push_back(std::move(item));
  }
  for (auto _ : state) benchmark::DoNotOptimize(GroupNearDuplicates(data));
  state.SetItemsProcessed(state.range(0) * state.iterations());
}
BENCHMARK(NearDuplicates)->Arg(6000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace modicum
