// SPDX-License-Identifier: Apache-2.0
// Product quantization and explanations of fastText models, through the
// module.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>

#include "base/file.h"
#include "model/bytes.h"
#include "model/engine.h"
#include "model/fasttext/fasttext_file.h"
#include "model/pass.h"
#include "model/test_data.h"

namespace modicum {
namespace {

constexpr char kNoFastText[] = "not a fastText model this program wrote: ";

Params Quantized(int64_t dsub, int64_t cutoff, bool qnorm = true) {
  return {{"dsub", dsub}, {"cutoff", cutoff}, {"qnorm", qnorm}};
}

Pass& Quantize() { return *(*EngineOf("fasttext"))->passes().at(0); }

// A model of 400 vectors and more, and what a pass needs to see of it.
class Small {
 public:
  explicit Small(size_t classes, Params params = {{"dim", int64_t{6}},
                                                  {"buckets", int64_t{400}}})
      : data(MakeTopics(classes, 40)), rows(AllRowsOf(data)) {
    NullSink sink;
    const auto trained =
        (*FindTrainer("fasttext"))
            ->Train(data, rows, params, {}, nullptr, folder.path(), sink);
    MODICUM_CHECK(trained.has_value());
  }
  PassInput input() const {
    return {data, rows, "fasttext", {}, folder.path(), {kFastTextFile}};
  }
  Result<TrainedModel> Apply(const Params& params,
                             const std::string& out) const {
    NullSink sink;
    return Quantize().Apply(input(), params, Budget{}, out, sink);
  }
  std::vector<Output> Answers(const std::string& from, int explain = 0) const {
    NullSink sink;
    CallOptions options;
    options.explain = explain;
    const auto model = LoadModel("fasttext", from, data.labels, sink);
    if (!model) ADD_FAILURE() << model.error().message;
    return (*model)->Predict(data.items, options, sink).value();
  }

  const Dataset data;
  const std::vector<uint32_t> rows;
  const TestFolder folder;
};

std::string BytesIn(const TestFolder& folder) {
  return *ReadWholeFile(folder.path() + "/" + kFastTextFile, 1 << 24);
}

TEST(Quantize, SmallerAndAgreesAndEqualBytesAgain) {
  const Small model(3);
  for (const int64_t dsub : {2, 4}) {
    {
      const bool qnorm = dsub == 2;
      const TestFolder once, again;
      const auto params = Quantized(dsub, 0, qnorm);
      const auto files = model.Apply(params, once.path());
      ASSERT_TRUE(files) << files.error().message;
      EXPECT_EQ(files->files, std::vector<std::string>{kFastTextFile});
      ASSERT_TRUE(model.Apply(params, again.path()));
      EXPECT_EQ(BytesIn(once), BytesIn(again));
      const auto shape = CheckFastTextFile(BytesIn(once), 3);
      ASSERT_TRUE(shape) << shape.error().message;
      EXPECT_TRUE(shape->quantised);
      // Codes, lengths, 256 centroids, and the output matrix.
      const uint64_t rows = shape->words + 400;
      EXPECT_EQ(shape->parameters,
                rows * static_cast<uint64_t>((6 + dsub - 1) / dsub) +
                    (qnorm ? rows : 0) + 256 * 6 + 3 * 6);
      EXPECT_GE(AccuracyOf(model.Answers(once.path()), model.data.items), 0.9);
    }
  }
}

TEST(Quantize, CutoffKeepsTheLongestVectors) {
  const Small model(2);
  const TestFolder cut;
  ASSERT_TRUE(model.Apply(Quantized(2, 300), cut.path()));
  const auto shape = CheckFastTextFile(BytesIn(cut), 2);
  ASSERT_TRUE(shape) << shape.error().message;
  EXPECT_EQ(shape->words + shape->buckets, 300U);
  EXPECT_GE(AccuracyOf(model.Answers(cut.path()), model.data.items), 0.9);
  // Quantised once is enough.
  PassInput input = model.input();
  input.directory = cut.path();
  EXPECT_EQ(Quantize().Accepts(input).error().message,
            "it is quantised already");
}

TEST(Quantize, SaysWhyNot) {
  const Small model(2, {{"dim", int64_t{6}}, {"buckets", int64_t{20}}});
  EXPECT_THAT(Quantize().Accepts(model.input()).error().message,
              testing::StartsWith("quantize needs 256 vectors, it has "));
  PassInput planned = model.input();
  planned.directory.clear();
  EXPECT_TRUE(Quantize().Accepts(planned));
  planned.family = "linear";
  EXPECT_EQ(Quantize().Accepts(planned).error().message,
            "quantize is for fastText models, not linear");
  const Small good(2);
  const TestFolder out;
  const auto message = [&](Params params) {
    return good.Apply(params, out.path()).error().message;
  };
  EXPECT_EQ(message(Quantized(2, 100)),
            "parameter cutoff = 100: 0 or at least 256 expected");
  EXPECT_EQ(message(Quantized(0, 0)),
            "parameter dsub = 0: a whole number from 1 to 100 expected");
  EXPECT_EQ(message({{"dsub", int64_t{2}}}),
            "pass quantize needs all its parameters");
  Params wrong = Quantized(2, 0);
  wrong["qnorm"] = int64_t{1};
  EXPECT_EQ(message(wrong), "parameter qnorm: true or false expected");
  EXPECT_TRUE(std::filesystem::is_empty(out.path()));
}

// The library itself does not notice a full disk.
TEST(Quantize, AFullDiskLeavesNothing) {
  const Small model(2);
  const TestFolder out;
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit = before;
  limit.rlim_cur = 3000;
  setrlimit(RLIMIT_FSIZE, &limit);
  const auto failed = model.Apply(Quantized(2, 0), out.path());
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message,
            "cannot write " + out.path() + "/" + kFastTextFile);
  EXPECT_EQ(failed.error().hint, "is the disk full?");
  EXPECT_TRUE(std::filesystem::is_empty(out.path()));
}

TEST(Quantize, StopsBeforeItBegins) {
  const Small model(2);
  const TestFolder out;
  NullSink sink;
  std::stop_source stop;
  stop.request_stop();
  Budget budget;
  budget.stop = stop.get_token();
  const auto stopped = Quantize().Apply(model.input(), Quantized(2, 0), budget,
                                        out.path(), sink);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
  EXPECT_TRUE(std::filesystem::is_empty(out.path()));
}

TEST(FastTextFile, QuantisedFilesAreCheckedToTheByte) {
  const Small model(2);
  const TestFolder cut;
  ASSERT_TRUE(model.Apply(Quantized(4, 300), cut.path()));
  const std::string bytes = BytesIn(cut);
  for (size_t n = 0; n < bytes.size(); ++n)
    ASSERT_FALSE(CheckFastTextFile(std::string_view(bytes).substr(0, n), 2))
        << n;
  EXPECT_EQ(CheckFastTextFile(bytes + "x", 2).error().message,
            std::string(kNoFastText) + "it is longer than its header says");
  // From the end: the output (flag, 2 sizes, 2 x 6 floats), the quantizer of
  // lengths (4 sizes, 256 floats), 300 lengths, the quantizer of parts (4
  // sizes, 256 x 6 floats), 300 x 2 codes, their count, 2 sizes, 2 flags.
  const size_t output = bytes.size() - (1 + 16 + 48);
  const size_t norms = output - (16 + 1024) - 300;
  const size_t parts = norms - (16 + 4 * 256 * 6);
  const size_t codes = parts - 600 - 4;
  const size_t begin = codes - 16 - 2;
  const auto altered = [&](size_t at, char value) {
    std::string copy = bytes;
    copy[at] = value;
    const auto shape = CheckFastTextFile(copy, 2);
    return shape ? "accepted" : shape.error().message.substr(41);
  };
  EXPECT_EQ(altered(begin, 2), "a matrix has a flag out of range");
  EXPECT_EQ(altered(begin, 0),
            "its n-grams are pruned and its matrix is not quantised");
  EXPECT_EQ(altered(begin + 1, 2), "a matrix has a flag out of range");
  EXPECT_EQ(altered(begin + 2, 1), "a matrix does not fit its dictionary");
  EXPECT_EQ(altered(codes, 1), "a quantizer does not fit its matrix");
  EXPECT_EQ(altered(codes + 3, '\x80'), "a matrix has sizes out of range");
  for (const size_t field : {0U, 4U, 8U, 12U})
    EXPECT_EQ(altered(parts + field, 5), "a quantizer does not fit its matrix");
  EXPECT_EQ(altered(output, 1), "its output is quantised");
}

TEST(FastTextFile, PrunedNgramsHaveRows) {
  const Small model(2);
  const TestFolder cut;
  ASSERT_TRUE(model.Apply(Quantized(2, 300), cut.path()));
  std::string bytes = BytesIn(cut);
  const auto shape = CheckFastTextFile(bytes, 2);
  ASSERT_TRUE(shape);
  ASSERT_GT(shape->buckets, 0U);
  // The last pair's row, before two flags of the matrix that follows.
  const size_t codes = 300 * 3, lengths = 300;
  const size_t at = bytes.size() - (1 + 16 + 48) - (16 + 1024) - lengths -
                    (16 + 4 * 256 * 6) - codes - 4 - 16 - 2 - 4;
  bytes[at + 3] = 1;
  EXPECT_EQ(CheckFastTextFile(bytes, 2).error().message,
            std::string(kNoFastText) + "a pruned n-gram has no row");
}

// For two classes the effects of all words and n-grams are the log-odds, for
// more the mean log-odds against the others; quantised and pruned as well.
TEST(ExplainFastText, EffectsSumToTheScore) {
  struct Case {
    size_t classes;
    int64_t words;
    std::string chars;
  };
  for (const auto& [classes, words, chars] :
       {Case{2, 2, "none"}, Case{4, 3, "3-4"}}) {
    const Small model(classes, {{"dim", int64_t{6}},
                                {"buckets", int64_t{400}},
                                {"epochs", int64_t{5}},
                                {"word_ngrams", words},
                                {"char_ngrams", chars}});
    const TestFolder cut;
    ASSERT_TRUE(model.Apply(Quantized(2, 300), cut.path()));
    for (const auto& from : {model.folder.path(), cut.path()}) {
      for (const Output& output : model.Answers(from, 1000)) {
        const auto& label = std::get<Label>(output);
        const auto own = static_cast<size_t>(label.index);
        double score = 0, sum = 0;
        for (size_t i = 0; i < classes; ++i)
          if (i != own)
            score +=
                std::log(label.probabilities[own] / label.probabilities[i]) /
                static_cast<double>(classes - 1);
        for (const Reason& reason : label.reasons) sum += reason.effect;
        // The library adds 1e-5 to probabilities.
        ASSERT_NEAR(sum, score, 0.02 * std::max(1.0, std::abs(score)))
            << classes << " classes";
      }
    }
  }
}

TEST(ExplainFastText, NamesWordsAndPairsStrongestFirst) {
  const Small model(2);
  const auto outputs = model.Answers(model.folder.path(), 5);
  const auto plain = model.Answers(model.folder.path());
  std::set<std::string> names;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const auto& label = std::get<Label>(outputs[i]);
    EXPECT_EQ(label.probabilities, std::get<Label>(plain[i]).probabilities);
    EXPECT_TRUE(std::get<Label>(plain[i]).reasons.empty());
    ASSERT_LE(label.reasons.size(), 5U);
    for (size_t r = 0; r < label.reasons.size(); ++r) {
      names.insert(label.reasons[r].feature);
      if (r > 0) {
        EXPECT_LE(std::abs(label.reasons[r].effect),
                  std::abs(label.reasons[r - 1].effect));
      }
    }
  }
  // The words of the topics speak for the answer, taken together.
  for (const Output& output : model.Answers(model.folder.path(), 1000)) {
    double topics = 0;
    for (const Reason& reason : std::get<Label>(output).reasons)
      if (reason.feature.find('t') != std::string::npos)
        topics += reason.effect;
    EXPECT_GT(topics, 0);
  }
  EXPECT_THAT(names, testing::Contains(testing::HasSubstr(" ")));
  NullSink sink;
  CallOptions options;
  options.explain = 3;
  const auto loaded =
      LoadModel("fasttext", model.folder.path(), model.data.labels, sink);
  const std::vector<Item> empty{TextItem("")};
  const auto answer = (*loaded)->Predict(empty, options, sink);
  ASSERT_TRUE(answer) << answer.error().message;
}

}  // namespace
}  // namespace modicum
