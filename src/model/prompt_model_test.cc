// SPDX-License-Identifier: Apache-2.0
#include "model/prompt_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "model/letter_network.h"
#include "model/test_data.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;

PromptSpec Spec() {
  PromptSpec spec;
  spec.words = {"aaaa", "zzzz"};
  return spec;
}

struct Asked {
  LetterNetwork* network;
  std::unique_ptr<Model> model;
};

Asked Make(PromptSpec spec, uint32_t context = 4096) {
  auto network = std::make_unique<LetterNetwork>(true, context);
  LetterNetwork* raw = network.get();
  auto model = MakePromptModel(std::move(network), std::move(spec), {"a", "z"});
  if (!model) return {nullptr, nullptr};
  return {raw, *std::move(model)};
}

TEST(Prompt, AnswersTheLikelierLabelWithProbabilitiesThatSumToOne) {
  const Asked asked = Make(Spec());
  ASSERT_NE(asked.model, nullptr);
  const Item items[] = {TextItem("aardvark"), TextItem("zzz pizza")};
  NullSink sink;
  const auto outputs = asked.model->Predict(items, {}, sink);
  ASSERT_TRUE(outputs) << outputs.error().message;
  for (size_t i = 0; i < 2; ++i) {
    const auto& label = std::get<Label>((*outputs)[i]);
    EXPECT_EQ(label.index, static_cast<LabelIndex>(i));
    EXPECT_NEAR(label.probabilities[0] + label.probabilities[1], 1, 1e-6);
  }
}

TEST(Prompt, AWordThatIsLikelyAnywayIsNotPreferred) {
  PromptSpec spec = Spec();
  spec.words = {"a", "zzzzzzzz"};
  spec.prior = {-10, -2};
  const Asked biased = Make(spec);
  ASSERT_NE(biased.model, nullptr);
  biased.network->bias = 1;  // a longer word gains 7
  const Item item = TextItem("banana");
  NullSink sink;
  const auto output = biased.model->Predict({&item, 1}, {}, sink);
  ASSERT_TRUE(output);
  EXPECT_EQ(std::get<Label>(output->front()).index, 0);
}

TEST(Prompt, ATextThatDoesNotFitIsCutBetweenCharacters) {
  PromptSpec spec = Spec();
  const Asked asked = Make(spec, 60);
  ASSERT_NE(asked.model, nullptr);
  std::string text;
  for (int i = 0; i < 400; ++i) text += "ä";
  const Item item = TextItem(text);
  NullSink sink;
  ASSERT_TRUE(asked.model->Predict({&item, 1}, {}, sink));
  const TokenIds& prompt = asked.network->asked().back();
  EXPECT_LE(prompt.size() + 5, 60U);
  EXPECT_GT(prompt.size(), 40U);  // not cut more than needed
  std::string bytes;
  for (const TokenId token : prompt) bytes += asked.network->Piece(token);
  const size_t begin = bytes.find("\xc3");
  const size_t end = bytes.find('\n');
  EXPECT_EQ((end - begin) % 2, 0U);
}

TEST(Prompt, APromptThatCannotFitIsRefusedAtOnce) {
  PromptSpec spec = Spec();
  spec.examples = {{std::string(100, 'x'), 0}};
  const auto model = MakePromptModel(std::make_unique<LetterNetwork>(true, 60),
                                     spec, {"a", "z"});
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message,
              HasSubstr("the context of fake.gguf holds 60"));
  EXPECT_THAT(model.error().hint, HasSubstr("fewer examples"));
}

TEST(Prompt, AnEncoderIsRefused) {
  const auto model = MakePromptModel(std::make_unique<LetterNetwork>(false),
                                     Spec(), {"a", "z"});
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().message, "fake.gguf does not generate text");
}

TEST(Prompt, StopsWhenAsked) {
  const Asked asked = Make(Spec());
  ASSERT_NE(asked.model, nullptr);
  std::stop_source source;
  source.request_stop();
  CallOptions call;
  call.stop = source.get_token();
  const Item item = TextItem("a");
  NullSink sink;
  const auto output = asked.model->Predict({&item, 1}, call, sink);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, ErrorCode::kInterrupted);
}

TEST(Prompt, CannotExplainAndSaysSo) {
  const Asked asked = Make(Spec());
  ASSERT_NE(asked.model, nullptr);
  CallOptions call;
  call.explain = 3;
  const Item item = TextItem("a");
  NullSink sink;
  const auto output = asked.model->Predict({&item, 1}, call, sink);
  ASSERT_FALSE(output);
  EXPECT_THAT(output.error().message, HasSubstr("cannot explain"));
}

TEST(PromptSpec, ExamplesComeFirstAndTheLabelsSpaceIsTheLabels) {
  PromptSpec spec = Spec();
  spec.examples = {{"one", 1}};
  EXPECT_EQ(PromptFor(spec, "two"),
            "Text: one\nLabel: zzzz\n\nText: two\nLabel:");
  EXPECT_EQ(LabelText(spec, 0), " aaaa");
}

TEST(PromptSpec, WhatIsInATextIsNotReadAsATemplate) {
  const PromptSpec spec = Spec();
  EXPECT_EQ(PromptFor(spec, "{label} {text} {}"),
            "Text: {label} {text} {}\nLabel:");
}

TEST(PromptSpec, SurvivesItsFile) {
  PromptSpec spec = Spec();
  spec.examples = {{"one \"x\"\n", 1}};
  spec.prior = {-1.5, -0.25};
  const auto read = DecodePrompt(EncodePrompt(spec));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, spec);
}

TEST(PromptSpec, RefusesWhatItDidNotWrite) {
  EXPECT_FALSE(DecodePrompt(""));
  EXPECT_FALSE(DecodePrompt("{}"));
  const std::string good = EncodePrompt(Spec());
  for (size_t length = 0; length + 2 < good.size(); ++length)
    EXPECT_FALSE(DecodePrompt(std::string_view(good).substr(0, length)));
  PromptSpec bad = Spec();
  bad.prior = {1};
  EXPECT_FALSE(DecodePrompt(EncodePrompt(bad)));
  bad = Spec();
  bad.examples = {{"x", 2}};
  EXPECT_FALSE(DecodePrompt(EncodePrompt(bad)));
  bad = Spec();
  bad.form = "{label} {text}";
  EXPECT_FALSE(DecodePrompt(EncodePrompt(bad)));
}

TEST(PromptSpec, ATemplateWithoutItsPartsIsNamed) {
  PromptSpec spec = Spec();
  spec.form = "Is this spam? {label}";
  const Status checked = CheckPrompt(spec);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message,
            "the prompt template \"Is this spam? {label}\" must have {text} "
            "once, and after it {label} once");
  spec.form = kPromptTemplate;
  spec.words = {"same", "same"};
  EXPECT_FALSE(CheckPrompt(spec));
  spec.words = {"same", " "};
  EXPECT_FALSE(CheckPrompt(spec));
}

}  // namespace
}  // namespace modicum
