// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: over every file of its corpus, and
// over seeded mutations of each, so that the ordinary tests exercise it.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/rng.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutations = 200;  // of each file

void RunOne(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()),
                         bytes.size());
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
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
    return 2;
  }
  modicum::Rng rng(1);
  size_t files = 0;
  RunOne("");
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    const auto bytes = modicum::ReadFile(entry.path().string());
    if (!bytes) continue;
    ++files;
    RunOne(*bytes);
    for (int i = 0; i < kMutations; ++i) RunOne(Mutated(*bytes, rng));
  }
  if (files == 0) {
    std::fprintf(stderr, "no corpus in %s\n", argv[1]);
    return 1;
  }
  return 0;
}
