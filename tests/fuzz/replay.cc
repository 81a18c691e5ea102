// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: over every file of its corpus, and
// over seeded mutations of each, so that the ordinary tests exercise it. All
// targets are in one program, each under its own name.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/rng.h"

using FuzzTarget = int(const uint8_t* data, size_t size);

#define FUZZ(what) extern "C" FuzzTarget fuzz_##what;
#include "fuzz_targets.inc"
#undef FUZZ

namespace {

struct NamedTarget {
  std::string_view name;
  FuzzTarget* run = nullptr;
};

constexpr NamedTarget kTargets[] = {
#define FUZZ(what) {#what, fuzz_##what},
#include "fuzz_targets.inc"
#undef FUZZ
};

constexpr int kMutations = 200;  // of each file

void RunOne(FuzzTarget* target, const std::string& bytes) {
  target(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

// A few bytes changed, removed or doubled, or the end cut off.
std::string Mutated(std::string bytes, modicum::Rng& rng) {
  for (uint32_t edits = 1 + rng.Below(4); edits > 0 && !bytes.empty();
       --edits) {
    const uint32_t at = rng.Below(static_cast<uint32_t>(bytes.size()));
    switch (rng.Below(4)) {
      case 0:
        bytes[at] = static_cast<char>(rng.Below(256));
        break;
      case 1:
        bytes.erase(at, 1 + rng.Below(8));
        break;
      case 2:
        bytes.insert(at, bytes.substr(at, 1 + rng.Below(16)));
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s TARGET CORPUS-FOLDER\n", argv[0]);
    return 2;
  }
  const auto* const target = std::ranges::find(
      kTargets, std::string_view(argv[1]), &NamedTarget::name);
  if (target == std::end(kTargets)) {
    std::fprintf(stderr, "no target %s\n", argv[1]);
    return 2;
  }
  modicum::Rng rng(1);
  size_t files = 0;
  RunOne(target->run, "");
  for (const auto& entry : std::filesystem::directory_iterator(argv[2])) {
    const auto bytes = modicum::ReadFile(entry.path().string());
    if (!bytes) continue;
    ++files;
    RunOne(target->run, *bytes);
    for (int i = 0; i < kMutations; ++i)
      RunOne(target->run, Mutated(*bytes, rng));
  }
  if (files == 0) {
    std::fprintf(stderr, "no corpus in %s\n", argv[2]);
    return 1;
  }
  return 0;
}
