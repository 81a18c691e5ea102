// SPDX-License-Identifier: Apache-2.0
// random_network llama|bert FILE [TEXTS]: a network of more than 100 million
// random weights (F32), to measure with where none can be downloaded. With
// TEXTS, lines of text, a bert's vocabulary is learned from them, so that they
// become as many tokens as texts do.
#include "model/gguf/random_network.h"

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "model/ggml/vocabulary.h"

namespace modicum {
namespace {

Status Write(const std::string& kind, const std::string& path,
             const char* texts) {
  RandomNetwork network{.architecture = kind,
                        .width = 768,
                        .layers = 12,
                        .heads = 12,
                        .kv_heads = 12,
                        .inner = kind == "bert" ? 3072U : 2048U,
                        .context = kind == "bert" ? 512U : 2048U,
                        .vocabulary = 32000};
  if (texts != nullptr) {
    std::ifstream in(texts);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    if (lines.empty())
      return Fail(ErrorCode::kIo, std::string("no lines in ") + texts);
    const std::vector<std::string_view> views(lines.begin(), lines.end());
    MODICUM_TRY(network.tokens, LearnVocabulary(views, network.vocabulary, {}));
  }
  return WriteRandomNetwork(network, path);
}

}  // namespace
}  // namespace modicum

int main(int argc, char** argv) {
  const std::string kind = argc >= 3 && argc <= 4 ? argv[1] : "";
  if (kind != "bert" && (kind != "llama" || argc == 4)) {
    std::fputs("usage: random_network llama FILE | bert FILE [TEXTS]\n",
               stderr);
    return 2;
  }
  const auto written =
      modicum::Write(kind, argv[2], argc == 4 ? argv[3] : nullptr);
  if (written) return 0;
  std::fprintf(stderr, "random_network: %s\n", written.error().message.c_str());
  return 1;
}
