// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "model/artifact.h"

namespace modicum {
namespace {

using testing::HasSubstr;

Card FullCard() {
  Card card;
  card.name = "spam";
  card.kind = "text-classification";
  card.family = "linear";
  card.params = {{"C", 30.0},
                 {"char_ngrams", std::string("3-5")},
                 {"min_documents", int64_t{2}},
                 {"flag", true}};
  card.passes = {"prune"};
  card.labels = {"ham", "späm \"x\""};
  card.engine = "liblinear";
  card.engine_version = "2.30";
  card.text_field = "body";
  card.columns = {"x-box", "y|box"};
  card.run = {3, 64};
  card.data = Sha256Of("data");
  card.artifact = Sha256Of("artifact");
  card.train_items = 4230;
  card.seed = 7;
  card.parameters = 347605;
  card.quality = {{"accuracy", "test", 0.9906, 0.985, 0.994, 1816}};
  card.joules_per_1000 =
      Exactly(Joules(0.61), Origin::kModelled, Scope::kPackage);
  card.joules_per_1000->own_sd = 0.01;
  card.joules_per_1000->WithShared(InternSource("cpu model"), 0.5);
  card.train_joules = Exactly(Joules(12), Origin::kCounter, Scope::kPackage);
  card.cpu_seconds_per_1000 = 0.14;
  card.machine = "2 vCPU";
  card.place = "Poland";
  card.created = "2026-01-01T00:00:00Z";
  card.modicum_version = "0.1.0";
  card.files = {{"linear.bin", ToHex(Sha256Of("model"))}};
  card.sizes = {{"linear.bin", 2085664}};
  return card;
}

std::string Altered(std::string_view from, std::string_view to) {
  std::string text = FormatCard(FullCard());
  const size_t at = text.find(from);
  MODICUM_CHECK(at != text.npos);
  return text.replace(at, from.size(), to);
}

std::string Fault(std::string_view json) {
  const auto card = ParseCard(json);
  if (card) return "accepted";
  EXPECT_EQ(card.error().code, ErrorCode::kInvalidInput);
  return card.error().message;
}

TEST(Card, RoundTripLosesNothing) {
  const Card card = FullCard();
  const std::string text = FormatCard(card);
  const auto parsed = ParseCard(text);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(FormatCard(*parsed), text);
  EXPECT_EQ(parsed->labels, card.labels);
  EXPECT_EQ(parsed->columns, card.columns);
  EXPECT_EQ(parsed->run.threads, 3);
  EXPECT_EQ(parsed->run.batch, 64);
  EXPECT_EQ(parsed->params, card.params);
  EXPECT_EQ(parsed->data, card.data);
  EXPECT_EQ(parsed->sizes, card.sizes);
  EXPECT_EQ(parsed->joules_per_1000->interval().low,
            card.joules_per_1000->interval().low);
}

TEST(Card, AnEmptyOptionalStaysEmpty) {
  Card card = FullCard();
  card.joules_per_1000.reset();
  card.train_joules.reset();
  card.quality.clear();
  const auto parsed = ParseCard(FormatCard(card));
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->joules_per_1000);
  EXPECT_FALSE(parsed->train_joules);
}

TEST(Card, MembersOfALaterVersionAreIgnored) {
  EXPECT_EQ(Fault(Altered("{\n", "{\n  \"novel\": [1, {\"a\": null}],\n")),
            "accepted");
}

TEST(Card, WrongTypesNameTheMember) {
  EXPECT_EQ(Fault(Altered("\"seed\": 7", "\"seed\": \"7\"")),
            "card.json: seed: not a count");
  EXPECT_EQ(Fault(Altered("\"seed\": 7", "\"seed\": -7")),
            "card.json: seed: not a count");
  EXPECT_EQ(Fault(Altered("\"family\": \"linear\"", "\"family\": 3")),
            "card.json: family: not text");
  EXPECT_EQ(Fault(Altered("\"family\": \"linear\",", "")),
            "card.json: family: missing");
  EXPECT_EQ(Fault(Altered("\"ham\"", "5")),
            "card.json: labels: an entry is not text");
  EXPECT_EQ(Fault(Altered("\"C\": 30.0", "\"C\": null")),
            "card.json: params: 'C' is not a number, text, true or false");
  EXPECT_EQ(Fault(Altered("\"items\": 1816", "\"items\": 1.5")),
            "card.json: quality: an entry is not a quality figure");
  EXPECT_EQ(Fault(Altered("\"bytes\": 2085664", "\"bytes\": -1")),
            "card.json: files: 'linear.bin' is not a size with a sha256");
  EXPECT_THAT(Fault(Altered("\"own_sd\": 0.01", "\"own_sd\": \"x\"")),
              HasSubstr("card.json: joules_per_1000: "));
}

TEST(Card, RunSettingsAreBounded) {
  constexpr char kFault[] =
      "card.json: run: not threads (1 to 1024) and batch (1 to 1000000)";
  EXPECT_EQ(Fault(Altered("\"threads\": 3", "\"threads\": 0")), kFault);
  EXPECT_EQ(Fault(Altered("\"threads\": 3", "\"threads\": 1025")), kFault);
  EXPECT_EQ(Fault(Altered("\"threads\": 3", "\"threads\": 1024")), "accepted");
  EXPECT_EQ(Fault(Altered("\"batch\": 64", "\"batch\": 4294967297")), kFault);
  EXPECT_EQ(Fault(Altered("\"batch\": 64", "\"batch\": \"64\"")), kFault);
}

// As cards were before they had columns and settings.
TEST(Card, WithoutColumnsAndSettingsItIsTextOnOneThread) {
  std::string text = FormatCard(FullCard());
  const auto drop = [&text](std::string_view begin, std::string_view end) {
    const size_t at = text.find(begin);
    text.erase(at, text.find(end, at) + end.size() - at);
  };
  drop("\"columns\"", "],");
  drop("\"run\"", "},");
  const auto card = ParseCard(text);
  ASSERT_TRUE(card) << card.error().message;
  EXPECT_TRUE(card->columns.empty());
  EXPECT_EQ(card->run.threads, 1);
  EXPECT_EQ(card->run.batch, 256);
}

TEST(Card, OnlyPlainFileNames) {
  for (const char* name :
       {"../x", "a/b", "/etc/passwd", "..", ".", ".hidden", "", "card.json",
        "CARD.md", "a\\\\b", "a\\u0000b", "1/../x", "1/2/x", "1/", "/1/x"}) {
    EXPECT_THAT(
        Fault(Altered("\"linear.bin\"", "\"" + std::string(name) + "\"")),
        HasSubstr("is not a plain file name"))
        << name;
  }
}

TEST(Card, ForeignAndLaterFilesAreRefused) {
  EXPECT_EQ(Fault(""), "card.json: not valid JSON");
  EXPECT_EQ(Fault("{"), "card.json: not valid JSON");
  EXPECT_EQ(Fault("[]"), "card.json: not a modicum artifact");
  EXPECT_EQ(Fault("{\"format\": \"other\"}"),
            "card.json: not a modicum artifact");
  EXPECT_EQ(Fault(Altered("\"version\": 1", "\"version\": 2")),
            "card.json: version 2, this program reads up to 1");
  EXPECT_EQ(Fault(Altered("\"version\": 1", "\"version\": []")),
            "card.json: version: not a count");
  EXPECT_EQ(Fault(std::string(100000, '[')), "card.json: nested too deeply");
}

TEST(Card, EveryTruncationIsRefused) {
  const std::string text = FormatCard(FullCard());
  for (size_t n = 0; n + 2 < text.size(); ++n)
    ASSERT_FALSE(ParseCard(std::string_view(text).substr(0, n))) << n;
}

TEST(CardMarkdown, SaysWhatAPersonWants) {
  Card card = FullCard();
  EXPECT_THAT(FormatCardMarkdown(card),
              HasSubstr("| reads | the numbers in x-box, y\\|box |\n"
                        "| run with | 3 threads, 64 items a call |\n"));
  card.columns.clear();
  const std::string text = FormatCardMarkdown(card);
  EXPECT_THAT(text, testing::StartsWith("# spam\n\nA linear model for "
                                        "text-classification"));
  EXPECT_THAT(text, HasSubstr("| accuracy | 0.9906 [0.9850, 0.9940] (95 %), "
                              "1816 items of the test split |\n"));
  EXPECT_THAT(text, HasSubstr("| energy per 1,000 predictions | "));
  EXPECT_THAT(text, HasSubstr("modelled"));
  EXPECT_THAT(text, HasSubstr("| reads | the text in 'body' |\n"));
}

}  // namespace
}  // namespace modicum
