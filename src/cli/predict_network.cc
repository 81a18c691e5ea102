// SPDX-License-Identifier: Apache-2.0
#include "cli/predict_network.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "base/format.h"
#include "dataset/annotated_lines.h"
#include "dataset/json_line.h"
#include "dataset/line_reader.h"
#include "dataset/utf8.h"
#include "evaluate/tag_spans.h"
#include "model/head_answers.h"
#include "model/item_reader.h"

namespace modicum {
namespace {

tl::unexpected<Error> AtLine(uint64_t number, const Error& error) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("line {} of the input: {}", number, error.message),
              error.hint);
}

// Lines of one kind: read, then answered together.
class Asking {
 public:
  Asking(HeadedEncoder& encoder, const NetworkPrediction& flags)
      : encoder_(encoder), flags_(flags) {
    items_.plain = flags.plain;
    items_.can_skip = false;
    items_.field = flags.field;
    reader_ = MakeItemReader(items_);
  }
  virtual ~Asking() = default;
  virtual bool skips_blank() const { return reader_->skips_blank(); }
  virtual Status Read(std::string_view line, uint64_t number) = 0;
  virtual size_t size() const = 0;
  // Appends a line for each that was read, and forgets them.
  virtual Status Answer(const CallOptions& call, PhaseSink& sink,
                        std::string& out) = 0;

 protected:
  Result<std::string> ReadText(std::string_view line, uint64_t number) {
    MODICUM_RETURN_IF_ERROR(reader_->Read(line, number, payload_));
    return std::get<Text>(payload_).text;
  }

  HeadedEncoder& encoder_;
  const NetworkPrediction& flags_;

 private:
  ItemReaderOptions items_;
  std::unique_ptr<ItemReader> reader_;
  Payload payload_;
};

class MaskAsking final : public Asking {
 public:
  using Asking::Asking;
  size_t size() const override { return texts_.size(); }
  Status Read(std::string_view line, uint64_t number) override {
    MODICUM_TRY(const std::string text, ReadText(line, number));
    auto asked = ReadMasked(encoder_, text);
    if (!asked) return AtLine(number, asked.error());
    texts_.push_back(*std::move(asked));
    return {};
  }
  Status Answer(const CallOptions& call, PhaseSink& sink,
                std::string& out) override {
    MODICUM_TRY(const auto logits, encoder_.Logits(texts_, call, sink));
    const size_t size = encoder_.info().vocabulary;
    for (const std::vector<float>& rows : logits) {
      out += "{\"masks\":[";
      for (size_t at = 0; at < rows.size(); at += size) {
        out += at > 0 ? ",[" : "[";
        AddTokens(std::span(rows).subspan(at, size), out);
        out += "]";
      }
      out += "]}\n";
    }
    texts_.clear();
    return {};
  }

 private:
  void AddTokens(std::span<const float> row, std::string& out) const {
    std::string_view comma;
    for (const LikelyToken& likely : LikeliestTokens(row, flags_.top)) {
      std::string piece = encoder_.Piece(likely.token);
      if (piece.starts_with(' ')) piece.erase(0, 1);
      out += fmt::format("{}{{\"token\":{},\"p\":{:.4f}}}", comma,
                         JsonString(ReplaceUnusableBytes(piece)),
                         likely.probability);
      comma = ",";
    }
  }

  std::vector<AskedText> texts_;
};

// Words that are given, or a text that is cut into words.
class TagAsking final : public Asking {
 public:
  using Asking::Asking;
  size_t size() const override { return words_.size(); }
  Status Read(std::string_view line, uint64_t number) override {
    TaggedWords row;
    Source source;
    const Status given = ReadTaggedWords(line, "tokens", "", row);
    if (!flags_.plain && given) {
      words_.push_back({std::move(row.words)});
      sources_.push_back(std::move(source));
      return {};
    }
    auto text = ReadText(line, number);
    if (!text)
      return AtLine(number, {ErrorCode::kInvalidInput, given.error().message,
                             "each line is {\"tokens\": [...]}, or "
                             "{\"text\": ...}, which --field may name"});
    source.text = *std::move(text);
    source.ranges = BasicWords(source.text);
    Tokens words;
    for (const TextRange& range : source.ranges)
      words.words.push_back(
          source.text.substr(range.begin, range.end - range.begin));
    words_.push_back(std::move(words));
    sources_.push_back(std::move(source));
    return {};
  }
  Status Answer(const CallOptions& call, PhaseSink& sink,
                std::string& out) override {
    MODICUM_TRY(const auto tags, TagWords(encoder_, words_, call, sink));
    for (size_t i = 0; i < tags.size(); ++i) AddLine(i, tags[i], out);
    words_.clear();
    sources_.clear();
    return {};
  }

 private:
  struct Source {
    std::string text = {};               // where it is one
    std::vector<TextRange> ranges = {};  // of its words
  };

  void AddLine(size_t i, const std::vector<uint32_t>& numbers,
               std::string& out) const {
    std::vector<std::string_view> tags;
    for (const uint32_t number : numbers)
      tags.push_back(encoder_.info().labels[number]);
    out += "{";
    if (!sources_[i].ranges.empty()) {
      const auto& words = words_[i].words;
      AddList("tokens", {words.begin(), words.end()}, out);
      out += ",";
    }
    AddList("tags", tags, out);
    out += ",\"entities\":[";
    std::string_view comma;
    for (const TagSpan& span : SpansOf(tags)) {
      out += comma;
      AddEntity(i, span, out);
      comma = ",";
    }
    out += "]}\n";
  }
  static void AddList(std::string_view key,
                      const std::vector<std::string_view>& texts,
                      std::string& out) {
    out += fmt::format("\"{}\":[", key);
    for (size_t i = 0; i < texts.size(); ++i)
      out += (i > 0 ? "," : "") + JsonString(texts[i]);
    out += "]";
  }
  // Bytes of a text, numbers of words that were given.
  void AddEntity(size_t i, const TagSpan& span, std::string& out) const {
    const Source& source = sources_[i];
    const auto& words = words_[i].words;
    TextRange range{span.begin, span.end};
    std::string text;
    if (source.ranges.empty()) {
      for (uint32_t word = span.begin; word < span.end; ++word)
        text += (word > span.begin ? " " : "") + words[word];
    } else {
      range = {source.ranges[span.begin].begin,
               source.ranges[span.end - 1].end};
      text = source.text.substr(range.begin, range.end - range.begin);
    }
    out += fmt::format("{{\"tag\":{},\"begin\":{},\"end\":{},\"text\":{}}}",
                       JsonString(span.tag), range.begin, range.end,
                       JsonString(text));
  }

  std::vector<Tokens> words_;
  std::vector<Source> sources_;
};

class QuestionAsking final : public Asking {
 public:
  using Asking::Asking;
  bool skips_blank() const override { return true; }
  size_t size() const override { return questions_.size(); }
  Status Read(std::string_view line, uint64_t number) override {
    ContextQuestion row;
    if (const auto read = ReadQuestion(line, false, row); !read)
      return AtLine(number, {read.error().code, read.error().message,
                             "each line is {\"question\": ..., \"context\": "
                             "...}"});
    questions_.push_back({std::move(row.question), std::move(row.context)});
    return {};
  }
  Status Answer(const CallOptions& call, PhaseSink& sink,
                std::string& out) override {
    MODICUM_TRY(const auto answers,
                AnswerQuestions(encoder_, questions_, call, sink));
    for (size_t i = 0; i < answers.size(); ++i) {
      const TextRange& range = answers[i].range;
      out += fmt::format(
          "{{\"answer\":{},\"begin\":{},\"end\":{},\"score\":{:.4f}}}\n",
          JsonString(std::string_view(questions_[i].second)
                         .substr(range.begin, range.end - range.begin)),
          range.begin, range.end, answers[i].score);
    }
    questions_.clear();
    return {};
  }

 private:
  std::vector<TextPair> questions_;
};

std::unique_ptr<Asking> MakeAsking(HeadedEncoder& encoder,
                                   const NetworkPrediction& flags) {
  switch (encoder.kind()) {
    case HeadKind::kFillMask:
      return std::make_unique<MaskAsking>(encoder, flags);
    case HeadKind::kTokenClassification:
      return std::make_unique<TagAsking>(encoder, flags);
    case HeadKind::kQuestionAnswering:
      break;
  }
  return std::make_unique<QuestionAsking>(encoder, flags);
}

class NetworkAnswers {
 public:
  NetworkAnswers(const Context& context, const NetworkPrediction& flags,
                 NeuralRun& run)
      : flags_(flags), run_(run) {
    call_.stop = context.stop;
  }

  // What was answered is printed by then, also where a line is bad.
  Status Do() {
    MODICUM_TRY(LineReader lines, LineReader::Open(flags_.input));
    MODICUM_TRY(encoder_, run_.OpenHeaded(flags_.network.model));
    const auto asking = MakeAsking(*encoder_, flags_);
    while (true) {
      std::vector<NumberedLine> read;
      Status status =
          run_.ReadLines(lines, flags_.lines, asking->skips_blank(), read);
      if (const Status taken = Take(read, *asking); !taken) status = taken;
      MODICUM_RETURN_IF_ERROR(Answer(*asking));
      MODICUM_RETURN_IF_ERROR(status);
      if (read.size() < flags_.lines) return {};
    }
  }

  bool loaded() const { return encoder_ != nullptr; }
  uint64_t answered() const { return answered_; }

 private:
  // Up to the first that is bad.
  static Status Take(const std::vector<NumberedLine>& lines, Asking& asking) {
    for (const auto& [number, text] : lines) {
      if (FirstUnusableByte(text) != text.npos)
        return AtLine(number, {ErrorCode::kInvalidInput,
                               "it is not valid UTF-8, or has a NUL",
                               "convert it with iconv"});
      MODICUM_RETURN_IF_ERROR(asking.Read(text, number));
    }
    return {};
  }

  Status Answer(Asking& asking) {
    const size_t count = asking.size();
    if (count == 0) return {};
    std::string out;
    MODICUM_RETURN_IF_ERROR(asking.Answer(call_, run_.phases(), out));
    run_.phases().Begin(Phase::kPrepare);
    std::fwrite(out.data(), 1, out.size(), stdout);
    answered_ += count;
    if (std::fflush(stdout) == 0) return {};
    return Fail(ErrorCode::kIo, "cannot write the output");
  }

  const NetworkPrediction& flags_;
  NeuralRun& run_;
  CallOptions call_;
  std::unique_ptr<HeadedEncoder> encoder_;
  uint64_t answered_ = 0;
};

// "items     300; 12 mJ [5, 29] modelled each, loading included".
std::string AnsweredLine(uint64_t count, const Run& run) {
  std::string line = fmt::format("items     {}", FormatCount(count));
  if (count > 0)
    line += fmt::format(
        "; {} each, loading included",
        FormatEstimate(run.bill->energy / static_cast<double>(count)));
  return line + "\n";
}

}  // namespace

Result<int> PredictWithNetwork(Context& context,
                               const NetworkPrediction& flags) {
  MODICUM_TRY(const auto run,
              NeuralRun::Start(context, "predict", flags.network));
  NetworkAnswers answers(context, flags, *run);
  const Status status = answers.Do();
  if (!answers.loaded()) return Fail(status.error());
  run->Tag("items", std::to_string(answers.answered()));
  MODICUM_TRY(const NeuralRun::Outcome outcome, run->End(status));
  run->Record(outcome);
  if (!flags.network.quiet)
    std::fputs(AnsweredLine(answers.answered(), outcome.run).c_str(), stderr);
  if (!status) return Fail(status.error());
  return kExitOk;
}

}  // namespace modicum
