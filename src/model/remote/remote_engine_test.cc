// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "model/engine.h"
#include "model/remote/chat_server.h"
#include "model/remote/remote_params.h"
#include "model/remote/remote_spec.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kLabels = {"ham", "spam"};

Params ParamsAt(const std::string& name, const std::string& url) {
  return {{kRemoteName, name},
          {kRemoteUrl, url},
          {kRemoteModel, std::string("small")},
          {kRemotePriceIn, 1.0},
          {kRemotePriceOut, 10.0},
          {kRemoteParallel, int64_t{3}}};
}

class RemoteEngineTest : public testing::Test {
 protected:
  RemoteEngineTest() { std::filesystem::create_directories(folder_); }
  ~RemoteEngineTest() override { std::filesystem::remove_all(folder_); }

  Result<std::unique_ptr<Model>> Make(const Params& params) {
    MODICUM_TRY(Trainer * trainer, FindTrainer(kRemoteFamily));
    Dataset data;
    data.labels = kLabels;
    MODICUM_TRY(const TrainedModel trained,
                trainer->Train(data, {}, params, {}, nullptr, folder_, sink_));
    return LoadModel(kRemoteFamily, folder_, kLabels, sink_);
  }

  static std::vector<Item> Items(size_t count) {
    std::vector<Item> items(count);
    for (size_t i = 0; i < count; ++i)
      items[i].payload =
          Text{i % 3 == 0 ? "cheap watches" : "see you at the meeting"};
    return items;
  }

  const std::string folder_ =
      testing::TempDir() + "/remote." + std::to_string(getpid());
  NullSink sink_;
};

// Right for what it is asked.
void AnswerByWords(const httplib::Request& request,
                   httplib::Response& response) {
  const bool spam = request.body.find("watches") != std::string::npos;
  ChatServer::Answer(response, spam ? "It is **Spam**." : "ham");
}

TEST_F(RemoteEngineTest, AnswersInOrderAndCountsTokens) {
  const ChatServer server(AnswerByWords);
  const auto model = Make(ParamsAt("in order", server.url()));
  ASSERT_TRUE(model) << model.error().message;
  const auto outputs = (*model)->Predict(Items(50), {}, sink_);
  ASSERT_TRUE(outputs) << outputs.error().message;
  for (size_t i = 0; i < 50; ++i)
    EXPECT_EQ(std::get<Label>((*outputs)[i]).index, i % 3 == 0 ? 1 : 0) << i;
  EXPECT_EQ(server.requests(), 50);
  const RemoteUse use = RemoteUseSoFar().at("in order");
  EXPECT_EQ(use.tokens_in, 50U * 40);
  EXPECT_EQ(use.tokens_out, 50U * 2);
  // 40 tokens at 1, 2 at 10 a million.
  EXPECT_NEAR(use.price, 50 * 60e-6, 1e-12);
  EXPECT_GT(use.energy.value(), 0);
}

TEST_F(RemoteEngineTest, AnswersWithoutALabelAreCountedAndShown) {
  const ChatServer server([](const auto& request, auto& response) {
    const bool spam = request.body.find("watches") != std::string::npos;
    ChatServer::Answer(response, spam ? "spam" : "I am sorry,\\nI can not");
  });
  const auto model = Make(ParamsAt("evasive", server.url()));
  ASSERT_TRUE(model) << model.error().message;
  const auto outputs = (*model)->Predict(Items(9), {}, sink_);
  ASSERT_TRUE(outputs) << outputs.error().message;
  EXPECT_EQ(std::get<Label>((*outputs)[1]).index, 0);
  EXPECT_EQ(UnlabelledText(RemoteUseSoFar().at("evasive")),
            "6 of 9 answers held no label (for example: \"I am sorry, I can "
            "not\")");
}

TEST_F(RemoteEngineTest, StopsAtItsLimitOfMoney) {
  const ChatServer server(AnswerByWords);
  Params params = ParamsAt("limited", server.url());
  params[kRemoteMostSpent] = 10 * 60e-6;
  params[kRemoteParallel] = int64_t{1};
  const auto model = Make(params);
  ASSERT_TRUE(model);
  const auto outputs = (*model)->Predict(Items(50), {}, sink_);
  ASSERT_FALSE(outputs);
  EXPECT_EQ(outputs.error().message,
            "limited has cost 0.0006 USD so far, its limit is 0.0006");
  EXPECT_LE(server.requests(), 11);
}

TEST_F(RemoteEngineTest, AFailureEndsTheCall) {
  const ChatServer server(
      [](const auto&, auto& response) { response.status = 400; });
  const auto model = Make(ParamsAt("failing", server.url()));
  ASSERT_TRUE(model);
  const auto outputs = (*model)->Predict(Items(50), {}, sink_);
  ASSERT_FALSE(outputs);
  EXPECT_THAT(outputs.error().message, HasSubstr("HTTP 400"));
  EXPECT_LE(server.requests(), 3);
}

TEST_F(RemoteEngineTest, AMissingKeyIsNamed) {
  Params params = ParamsAt("keyed", "https://127.0.0.1:1/v1");
  params[kRemoteKey] = std::string("MODICUM_TEST_NO_SUCH_KEY");
  const auto model = Make(params);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().message,
            "keyed: the environment has no MODICUM_TEST_NO_SUCH_KEY");
}

TEST_F(RemoteEngineTest, TheKeyIsSentAndNeverWritten) {
  setenv("MODICUM_TEST_KEY", "s3cret", 1);
  std::string header;
  const ChatServer server([&](const auto& request, auto& response) {
    header = request.get_header_value("Authorization");
    ChatServer::Answer(response, "ham");
  });
  Params params = ParamsAt("secret", server.url());
  params[kRemoteKey] = std::string("MODICUM_TEST_KEY");
  const auto model = Make(params);
  unsetenv("MODICUM_TEST_KEY");
  ASSERT_TRUE(model) << model.error().message;
  ASSERT_TRUE((*model)->Predict(Items(1), {}, sink_));
  EXPECT_EQ(header, "Bearer s3cret");
  std::ifstream file(folder_ + "/" + kRemoteFile);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(text, testing::Not(HasSubstr("s3cret")));
}

TEST(RemoteSpecTest, IsReadAsItWasWritten) {
  Params params = ParamsAt("a", "https://a.example/v1");
  params[kRemoteOutLow] = 0.5;
  params[kRemoteOutHigh] = 2.0;
  params["word:ham"] = std::string("wanted");
  const auto spec = RemoteSpecOf(params, kLabels);
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->prompt.words[0], "wanted");
  const auto again = DecodeRemote(EncodeRemote(*spec));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, *spec);
}

TEST(RemoteSpecTest, UnknownParametersAreRefused) {
  Params params = ParamsAt("a", "https://a.example/v1");
  params["prise_in"] = 1.0;
  const auto spec = RemoteSpecOf(params, kLabels);
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().message,
            "family remote has no parameter 'prise_in', did you mean "
            "'price_in'?");
  EXPECT_FALSE(DecodeRemote(R"({"format": "modicum-remote-1", "name": "a",
      "url": "https://a.example/v1", "model": "m", "odd": 1,
      "words": ["ham", "spam"]})"));
}

TEST(RemoteSpecTest, WrongParametersAreNamed) {
  const auto fault = [](const char* name, ParamValue value) {
    Params params = ParamsAt("a", "https://a.example/v1");
    params[name] = std::move(value);
    const auto spec = RemoteSpecOf(params, kLabels);
    return spec ? std::string() : spec.error().message;
  };
  EXPECT_EQ(fault(kRemoteName, std::string()), "remote: name is missing");
  EXPECT_EQ(fault(kRemotePriceIn, -1.0),
            "remote: price_in is -1, not within 0 and 1000000");
  EXPECT_EQ(fault(kRemoteUrl, std::string("a.example")),
            "url 'a.example' does not begin with http:// or https://");
  EXPECT_EQ(fault(kRemoteCurrency, std::string("dollars")),
            "remote: currency is not a code like USD");
  EXPECT_EQ(fault(kRemoteOutLow, 100.0),
            "remote: joules_out_low is above its high");
}

TEST(RemoteSpecTest, EnergyIsTheMiddleOfItsInterval) {
  Params params = ParamsAt("a", "https://a.example/v1");
  params[kRemoteInLow] = params[kRemoteInHigh] = 0.5;
  params[kRemoteOutLow] = 1.0;
  params[kRemoteOutHigh] = 4.0;
  const auto spec = RemoteSpecOf(params, kLabels);
  ASSERT_TRUE(spec);
  const RemoteUse use = UseOf(*spec, {"ham", 100, 10});
  EXPECT_DOUBLE_EQ(use.energy.value(), 100 * 0.5 + 10 * 2.0);
  // Of 20 J alone, 90 % of the interval would be 10 to 40 J.
  EXPECT_NEAR(std::exp(kZ90 * use.energy_rel_sd), 2, 1e-12);
}

TEST(LabelInTest, IsTheFirstWholeWord) {
  EXPECT_EQ(LabelIn("Spam.", kLabels), 1U);
  EXPECT_EQ(LabelIn("Label: HAM", kLabels), 0U);
  EXPECT_EQ(LabelIn("not ham but spam", kLabels), 0U);
  EXPECT_EQ(LabelIn("spammer? ham", kLabels), 0U);
  EXPECT_EQ(LabelIn("shame", {"x", "ham"}), std::nullopt);
  EXPECT_EQ(LabelIn("", kLabels), std::nullopt);
  EXPECT_EQ(LabelIn("not funny", {"not", "not funny"}), 1U);
}

}  // namespace
}  // namespace modicum
