// SPDX-License-Identifier: Apache-2.0
#include "model/predict_stream.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>

#include <cmath>
#include <thread>

#include "model/test_data.h"

namespace modicum {
namespace {

// Answers "long" (1) to texts of more than three bytes, else "short" (0).
class LengthModel final : public Model {
 public:
  LengthModel() { info_.labels = {"short", "lo\"ng"}; }
  const ModelInfo& info() const override { return info_; }
  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions&, PhaseSink&) override {
    largest_ = std::max(largest_, items.size());
    std::vector<Output> outputs;
    for (const Item& item : items) {
      const bool is_long = std::get<Text>(item.payload).text.size() > 3;
      outputs.emplace_back(is_long ? Label{1, {0.25F, 0.75F}, {}}
                                   : Label{0, {0.9F, 0.1F}, {}});
    }
    return outputs;
  }
  size_t largest() const { return largest_; }

 private:
  ModelInfo info_;
  size_t largest_ = 0;
};

// Answers "x" (0) or "y" (1), whichever number is larger; a missing one is
// smaller than any. Says which numbers it saw.
class LargerModel final : public Model {
 public:
  LargerModel() { info_.labels = {"x", "y"}; }
  const ModelInfo& info() const override { return info_; }
  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions& options,
                                      PhaseSink&) override {
    std::vector<Output> outputs;
    for (const Item& item : items) {
      const auto& values = std::get<Numbers>(item.payload).values;
      MODICUM_CHECK(values.size() == 2);
      Label label;
      label.index = !(values[0] >= values[1]) && !std::isnan(values[1]) ? 1 : 0;
      for (int i = 0; i < std::min(options.explain, 2); ++i)
        label.reasons.push_back({i == 0 ? "x\xFF" : "y \"q\"",
                                 double{values[static_cast<size_t>(i)]}});
      outputs.emplace_back(std::move(label));
    }
    return outputs;
  }

 private:
  ModelInfo info_;
};

struct Pipe {
  Pipe() { MODICUM_CHECK(pipe2(ends, O_CLOEXEC) == 0); }
  ~Pipe() {
    close(ends[0]);
    CloseWriter();
  }
  void Write(std::string_view text) const {
    MODICUM_CHECK(write(ends[1], text.data(), text.size()) ==
                  static_cast<ssize_t>(text.size()));
  }
  void CloseWriter() {
    if (ends[1] >= 0) close(ends[1]);
    ends[1] = -1;
  }
  std::string ReadAll() const {
    std::string all;
    char block[4096];
    ssize_t n = 0;
    while ((n = read(ends[0], block, sizeof(block))) > 0)
      all.append(block, static_cast<size_t>(n));
    return all;
  }
  int ends[2]{};
};

struct Answer {
  std::string out;
  std::string error, hint;
  StreamResult counts;
  size_t largest_batch = 0;
};

Answer PredictWith(Model& model, std::string_view input,
                   const StreamOptions& options) {
  Pipe in, out;
  in.Write(input);
  in.CloseWriter();
  NullSink sink;
  Answer answer;
  const Status status = PredictStream(model, in.ends[0], out.ends[1], options,
                                      sink, answer.counts);
  if (!status) {
    answer.error = status.error().message;
    answer.hint = status.error().hint;
  }
  out.CloseWriter();
  answer.out = out.ReadAll();
  return answer;
}

Answer Predict(std::string_view input, const StreamOptions& options = {}) {
  LengthModel model;
  Answer answer = PredictWith(model, input, options);
  answer.largest_batch = model.largest();
  return answer;
}

StreamOptions TableOptions() {
  StreamOptions options;
  options.input.columns = {"x", "y"};
  return options;
}

Answer PredictTable(std::string_view input,
                    const StreamOptions& options = TableOptions()) {
  LargerModel model;
  return PredictWith(model, input, options);
}

constexpr char kShort[] = "{\"label\":\"short\",\"p\":0.9000}\n";
constexpr char kLong[] = "{\"label\":\"lo\\\"ng\",\"p\":0.7500}\n";

TEST(PredictStream, OneLineOutPerLineInInOrder) {
  const Answer answer = Predict(
      "{\"text\":\"abcd\"}\n{\"x\":1,\"text\":\"a\"}\r\n\n{\"text\":\"\"}");
  EXPECT_EQ(answer.error, "");
  EXPECT_EQ(answer.out, std::string(kLong) + kShort + kShort);
  EXPECT_EQ(answer.counts.items, 3U);
}

TEST(PredictStream, EmptyInputIsNoError) {
  EXPECT_EQ(Predict("").out, "");
  EXPECT_EQ(Predict("\n\n").counts.items, 0U);
}

TEST(PredictStream, Formats) {
  StreamOptions options;
  options.input.plain = true;
  EXPECT_EQ(Predict("abcd\n\nab\n", options).out,
            std::string(kLong) + kShort + kShort);
  options.labels_only = true;
  EXPECT_EQ(Predict("abcd\nab", options).out, "lo\"ng\nshort\n");
  options.labels_only = false;
  options.probabilities = true;
  EXPECT_EQ(Predict("ab\n", options).out,
            "{\"label\":\"short\",\"p\":0.9000,\"probabilities\":"
            "{\"short\":0.9000,\"lo\\\"ng\":0.1000}}\n");
}

TEST(PredictStream, BatchesAreBounded) {
  StreamOptions options;
  options.input.plain = true;
  options.batch = 3;
  std::string input, expected;
  for (int i = 0; i < 100; ++i) {
    input += i % 2 == 0 ? "abcd\n" : "a\n";
    expected += i % 2 == 0 ? kLong : kShort;
  }
  const Answer answer = Predict(input, options);
  EXPECT_EQ(answer.out, expected);
  EXPECT_EQ(answer.largest_batch, 3U);
}

TEST(PredictStream, ABadLineIsNamedAfterTheGoodOnes) {
  const Answer answer =
      Predict("{\"text\":\"a\"}\n{\"text\": \n{\"text\":\"b\"}\n");
  EXPECT_EQ(answer.out, kShort);
  EXPECT_THAT(answer.error, testing::StartsWith("line 2 of the input: "));
  EXPECT_EQ(answer.counts.items, 1U);
}

TEST(PredictStream, AMissingFieldListsWhatThereIs) {
  const Answer answer = Predict("{\"body\":\"a\",\"id\":4}\n");
  EXPECT_EQ(answer.error, "line 1 of the input has no 'text'");
  EXPECT_EQ(answer.hint, "it has: body, id; --field names the one to read");
  StreamOptions options;
  options.input.field = "body";
  EXPECT_EQ(Predict("{\"body\":\"a\",\"id\":4}\n", options).out, kShort);
}

TEST(PredictStream, BadLinesCanBeSkipped) {
  StreamOptions options;
  options.skip_errors = true;
  const Answer answer =
      Predict("{\"text\":\"a\"}\n{}\n{\"text\":\"abcd\"}\n", options);
  EXPECT_EQ(answer.error, "");
  EXPECT_EQ(answer.out,
            std::string(kShort) +
                "{\"error\":\"line 2 of the input has no 'text'\"}\n" + kLong);
  EXPECT_EQ(answer.counts.items, 2U);
  EXPECT_EQ(answer.counts.skipped, 1U);
}

constexpr char kX[] = "{\"label\":\"x\"}\n";
constexpr char kY[] = "{\"label\":\"y\"}\n";

TEST(PredictTable, ReadsColumnsInAnyOrderAndMissingOnes) {
  const Answer answer = PredictTable(
      "{\"x\":1,\"y\":2}\n\n{\"y\":-1,\"id\":\"a\",\"x\":0.5}\n"
      "{\"y\":1}\n{\"y\":null,\"x\":1}\n{\"x\":null}\n");
  EXPECT_EQ(answer.error, "");
  EXPECT_EQ(answer.out, std::string(kY) + kX + kY + kX + kX);
  EXPECT_EQ(answer.counts.items, 5U);
}

TEST(PredictTable, NamesLineAndColumnOfWhatIsNoNumber) {
  const Answer text = PredictTable("{\"x\":1,\"y\":2}\n{\"x\":\"1\"}\n");
  EXPECT_EQ(text.out, kY);
  EXPECT_EQ(text.error,
            "line 2 of the input: the value of 'x' is \"1\", not a number");
  EXPECT_EQ(text.hint,
            "each line must be a JSON object of numbers, null where one is "
            "missing; --plain reads CSV, --on-error skip goes on");
  const Answer other = PredictTable("{\"text\":\"hello\"}\n");
  EXPECT_EQ(other.error, "line 1 of the input has none of the model's columns");
  EXPECT_EQ(other.hint, "it has: text; the model reads: x, y");
}

TEST(PredictTable, ReadsCsvWithAHeader) {
  StreamOptions options = TableOptions();
  options.input.plain = true;
  const Answer answer = PredictTable(
      "\xEF\xBB\xBFid,y,\"x\"\r\na,2,1\r\n\nb,-1,0.5\nc,,NA\n", options);
  EXPECT_EQ(answer.error, "");
  EXPECT_EQ(answer.out, std::string(kY) + kX + kX);
  EXPECT_EQ(PredictTable("y,z\n1,2\n", options).error,
            "line 1 of the input: no column 'x' (there are: y, z), did you "
            "mean 'y'?");
  EXPECT_EQ(PredictTable("x,y,x\n1,2,3\n", options).error,
            "line 1 of the input: column 'x' is named twice in the header");
  EXPECT_EQ(PredictTable("x,y\n1,two\n", options).error,
            "line 2 of the input: column 'y': 'two' is not a number");
}

TEST(PredictTable, SaysWhatToDoAboutAnOpenQuote) {
  StreamOptions options = TableOptions();
  options.input.plain = true;
  const Answer answer = PredictTable("x,y\n1,\"2\n", options);
  EXPECT_EQ(answer.error, "line 2 of the input: quote is never closed");
  EXPECT_EQ(answer.hint,
            "a quoted field ends on its line, quotes inside it are doubled; "
            "--on-error skip goes on");
}

TEST(PredictTable, ABadRowCanBeSkippedABadHeaderCannot) {
  StreamOptions options = TableOptions();
  options.input.plain = true;
  options.skip_errors = true;
  const Answer answer = PredictTable("x,y\n1,2,3\n1,2\n", options);
  EXPECT_EQ(answer.out,
            std::string("{\"error\":\"line 2 of the input has 3 fields where "
                        "the header has 2\"}\n") +
                kY);
  EXPECT_EQ(answer.counts.skipped, 1U);
  EXPECT_NE(PredictTable("a,b\n1,2\n", options).error, "");
}

TEST(PredictTable, SaysWhy) {
  StreamOptions options = TableOptions();
  options.call.explain = 2;
  EXPECT_EQ(PredictTable("{\"x\":1.25}\n", options).out,
            "{\"label\":\"x\",\"because\":[{\"feature\":\"x\xEF\xBF\xBD\","
            "\"effect\":1.2500},{\"feature\":\"y \\\"q\\\"\",\"effect\":null}"
            "]}\n");
  options.call.explain = 1;
  EXPECT_EQ(PredictTable("{\"x\":2,\"y\":1}\n", options).out,
            "{\"label\":\"x\",\"because\":[{\"feature\":\"x\xEF\xBF\xBD\","
            "\"effect\":2.0000}]}\n");
}

TEST(PredictStream, AnEndlessLineIsRefused) {
  StreamOptions options;
  options.max_line_bytes = 1000;
  const Answer answer =
      Predict("{\"text\":\"a\"}\n" + std::string(5000, 'x'), options);
  EXPECT_EQ(answer.out, kShort);
  EXPECT_EQ(answer.error, "line 2 of the input is longer than 1000 bytes");
}

// The answer to the first line comes while the input is still open.
TEST(PredictStream, AnswersBeforeTheInputEnds) {
  Pipe in, out;
  LengthModel model;
  StreamResult counts;
  std::jthread worker([&] {
    NullSink sink;
    EXPECT_TRUE(
        PredictStream(model, in.ends[0], out.ends[1], {}, sink, counts));
  });
  in.Write("{\"text\":\"a\"}\n{\"te");
  pollfd ready{out.ends[0], POLLIN, 0};
  EXPECT_EQ(poll(&ready, 1, 60000), 1);
  in.Write("xt\":\"abcd\"}\n");
  in.CloseWriter();
  worker.join();
  out.CloseWriter();
  EXPECT_EQ(out.ReadAll(), std::string(kShort) + kLong);
}

TEST(PredictStream, AClosedOutputIsAnError) {
  Pipe in;
  in.Write("{\"text\":\"a\"}\n");
  in.CloseWriter();
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  LengthModel model;
  NullSink sink;
  StreamResult counts;
  const Status status =
      PredictStream(model, in.ends[0], full, {}, sink, counts);
  close(full);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            "cannot write the output: No space left on device");
}

// The stop comes while it waits for a line that never does, and no signal
// interrupts the wait.
TEST(PredictStreamStop, EndsAWaitForInput) {
  const Pipe in;
  const Pipe out;
  LengthModel model;
  StreamOptions options;
  options.input.plain = true;
  std::stop_source stop;
  options.call.stop = stop.get_token();
  NullSink sink;
  StreamResult result;
  Status status;
  std::thread worker([&] {
    status =
        PredictStream(model, in.ends[0], out.ends[1], options, sink, result);
  });
  in.Write("a line\n");
  char answer = 0;
  EXPECT_EQ(read(out.ends[0], &answer, 1), 1);  // it is waiting, or soon
  stop.request_stop();
  worker.join();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(result.items, 1U);
}

}  // namespace
}  // namespace modicum
