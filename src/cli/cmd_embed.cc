// SPDX-License-Identifier: Apache-2.0
// `modicum embed`: a vector for each line of text, or how well each answers a
// query, with a bill at the end.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <optional>

#include "base/format.h"
#include "cli/command.h"
#include "cli/neural_run.h"
#include "cli/parse.h"
#include "dataset/line_reader.h"
#include "model/item_reader.h"

namespace modicum {
namespace {

struct EmbedFlags : NeuralFlags {
  std::string input = "-";
  ItemReaderOptions items{.can_skip = false};
  bool normalize = true;
  std::optional<std::string> query;  // to rank by
  size_t lines = 256;
};

std::optional<int> ParseFlags(const std::vector<std::string>& args,
                              EmbedFlags& flags) {
  CLI::App app(
      "A vector for each line of text, and the bill.\n\n"
      "  modicum embed -m encoder.gguf < texts.jsonl\n"
      "  modicum embed -m encoder.gguf --plain --input lines.txt\n"
      "  modicum embed -m reranker.gguf --rerank 'what is a watt' < "
      "texts.jsonl\n");
  app.name("modicum embed");
  app.add_option("--input", flags.input, "read this file, not stdin")
      ->type_name("FILE");
  app.add_option("--field", flags.items.field,
                 "member of each JSON line that has the text")
      ->capture_default_str()
      ->type_name("NAME");
  app.add_flag("--plain", flags.items.plain, "each line is the text itself");
  app.add_flag_callback(
      "--no-normalize", [&flags] { flags.normalize = false; },
      "vectors as they are, not of length 1");
  app.add_option("--rerank", flags.query,
                 "not vectors: how well each text answers this query, by a "
                 "reranker")
      ->type_name("QUERY");
  app.add_option("--batch", flags.lines,
                 "lines at a time, put together by their lengths")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str()
      ->type_name("N");
  AddNeuralFlags(app, flags);
  // Texts in one forward pass; its tokens are what bounds it.
  flags.settings.sequences = 64;
  app.add_option("--blas", flags.settings.blas,
                 "who multiplies for a bert: on (OpenBLAS, in single "
                 "precision), off (llama.cpp) or auto (on where its weights "
                 "are not quantized)")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->capture_default_str()
      ->type_name("WHO");
  flags.settings.vectors = true;
  return ParseArgs(app, args);
}

// Shortest text that reads back as the same number.
void WriteLine(const std::vector<float>& vector, bool score) {
  fmt::memory_buffer text;
  fmt::format_to(std::back_inserter(text), "{{\"{}{}{}}}\n",
                 score ? "score\":" : "embedding\":[", fmt::join(vector, ","),
                 score ? "" : "]");
  std::fwrite(text.data(), 1, text.size(), stdout);
}

class EmbedWork {
 public:
  EmbedWork(const Context& context, const EmbedFlags& flags, NeuralRun& run)
      : flags_(flags), run_(run) {
    call_.stop = context.stop;
  }

  // What was embedded is printed by then.
  Status Do() {
    MODICUM_TRY(LineReader lines, LineReader::Open(flags_.input));
    MODICUM_TRY(model_, run_.Open(flags_.model));
    const auto items = MakeItemReader(flags_.items);
    std::vector<TokenIds> texts;
    Payload payload;
    while (true) {
      std::vector<NumberedLine> read;
      MODICUM_RETURN_IF_ERROR(
          run_.ReadLines(lines, flags_.lines, items->skips_blank(), read));
      texts.clear();
      for (const NumberedLine& line : read) {
        MODICUM_RETURN_IF_ERROR(items->Read(line.text, line.number, payload));
        MODICUM_TRY(TokenIds tokens, Tokenize(std::get<Text>(payload).text));
        if (tokens.size() > model_->info().context) ++cut_;
        texts.push_back(std::move(tokens));
      }
      if (texts.empty()) return {};
      MODICUM_RETURN_IF_ERROR(Embed(texts));
    }
  }

  bool loaded() const { return model_ != nullptr; }
  void Tag() {
    run_.Tag("texts", std::to_string(texts_));
    if (cut_ > 0) run_.Tag("cut", std::to_string(cut_));
  }
  // "texts     300; 12 mJ [5, 29] modelled each, loading included".
  std::string TextsLine(const Run& run) const {
    std::string line = fmt::format("texts     {}", FormatCount(texts_));
    if (texts_ > 0)
      line += fmt::format(
          "; {} each, loading included",
          FormatEstimate(run.bill->energy / static_cast<double>(texts_)));
    if (cut_ > 0)
      line += fmt::format("; {} longer than {} tokens, cut there",
                          FormatCount(cut_), model_->info().context);
    return line + "\n";
  }

 private:
  Result<TokenIds> Tokenize(const std::string& text) const {
    return flags_.query ? model_->TokenizePair(*flags_.query, text)
                        : model_->Tokenize(text, true);
  }

  Status Embed(const std::vector<TokenIds>& texts) {
    MODICUM_TRY(const auto vectors,
                flags_.query ? model_->Classify(texts, call_, run_.phases())
                             : model_->Embed(texts, flags_.normalize, call_,
                                             run_.phases()));
    run_.phases().Begin(Phase::kPrepare);
    for (const std::vector<float>& vector : vectors)
      WriteLine(vector, flags_.query.has_value());
    texts_ += vectors.size();
    if (std::fflush(stdout) == 0) return {};
    return Fail(ErrorCode::kIo, "cannot write the output");
  }

  const EmbedFlags& flags_;
  NeuralRun& run_;
  CallOptions call_;
  std::unique_ptr<NeuralModel> model_;
  uint64_t texts_ = 0;
  uint64_t cut_ = 0;
};

}  // namespace

Result<int> CmdEmbed(Context& context, const std::vector<std::string>& args) {
  EmbedFlags flags;
  if (const auto code = ParseFlags(args, flags)) return *code;
  MODICUM_TRY(const auto run, NeuralRun::Start(context, "embed", flags));
  EmbedWork work(context, flags, *run);
  const Status status = work.Do();
  if (!work.loaded()) return Fail(status.error());
  work.Tag();
  MODICUM_TRY(const NeuralRun::Outcome outcome, run->End(status));
  run->Record(outcome);
  if (!flags.quiet) std::fputs(work.TextsLine(outcome.run).c_str(), stderr);
  if (!status) return Fail(status.error());
  return kExitOk;
}

}  // namespace modicum
