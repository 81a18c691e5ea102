// SPDX-License-Identifier: Apache-2.0
// random_network llama|bert FILE: a network of more than 100 million random
// weights (F32), to measure with where none can be downloaded.
#include "model/gguf/random_network.h"

#include <cstdio>

int main(int argc, char** argv) {
  using namespace modicum;
  const std::string kind = argc == 3 ? argv[1] : "";
  RandomNetwork network{.architecture = kind,
                        .width = 768,
                        .layers = 12,
                        .heads = 12,
                        .kv_heads = 12,
                        .inner = kind == "bert" ? 3072U : 2048U,
                        .context = kind == "bert" ? 512U : 2048U,
                        .vocabulary = 32000};
  if (kind != "llama" && kind != "bert") {
    std::fputs("usage: random_network llama|bert FILE\n", stderr);
    return 2;
  }
  const Status written = WriteRandomNetwork(network, argv[2]);
  if (written) return 0;
  std::fprintf(stderr, "random_network: %s\n", written.error().message.c_str());
  return 1;
}
