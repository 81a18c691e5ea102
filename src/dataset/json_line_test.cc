// SPDX-License-Identifier: Apache-2.0
#include "dataset/json_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/rng.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Pair {
  std::optional<std::string> text, label;
};

Result<Pair> ReadPair(JsonLineReader& reader, std::string_view line) {
  const std::string_view keys[] = {"text", "label"};
  std::optional<std::string> values[2];
  MODICUM_RETURN_IF_ERROR(reader.Read(line, keys, values));
  return Pair{values[0], values[1]};
}

Result<Pair> ReadPair(std::string_view line) {
  JsonLineReader reader;
  return ReadPair(reader, line);
}

TEST(JsonLine, ReadsStringsNumbersAndBooleansAsWritten) {
  const auto pair = ReadPair(R"( {"label" : 1.50 , "x":[1,{"y":null}],)"
                             R"("text":"a\n\"b\" \u00e9\ud83d\ude00"} )");
  ASSERT_TRUE(pair.has_value()) << pair.error().message;
  EXPECT_EQ(pair->text, "a\n\"b\" \xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(pair->label, "1.50");
  EXPECT_EQ(ReadPair(R"({"label":true})")->label, "true");
  EXPECT_EQ(ReadPair(R"({"label":12345678901234567890123})")->label,
            "12345678901234567890123");
}

TEST(JsonLine, AbsentAndNullAreNoValueAlsoAfterALineThatHadOne) {
  JsonLineReader reader;
  const std::string_view keys[] = {"text"};
  std::optional<std::string> values[] = {"old"};
  ASSERT_TRUE(reader.Read(R"({"text":null})", keys, values).has_value());
  EXPECT_EQ(values[0], std::nullopt);
  values[0] = "old";
  ASSERT_TRUE(reader.Read(R"({})", keys, values).has_value());
  EXPECT_EQ(values[0], std::nullopt);
}

TEST(JsonLine, EscapedAndRepeatedKeys) {
  EXPECT_EQ(ReadPair(R"({"te\u0078t":"a"})")->text, "a");
  EXPECT_EQ(ReadPair(R"({"text":"a","text":"b"})")->text, "b");
}

TEST(JsonLine, ListsKeysInOrder) {
  JsonLineReader reader;
  EXPECT_THAT(*reader.Keys(R"({"b":1,"a":{"c":2}})"), ElementsAre("b", "a"));
}

TEST(JsonLine, SaysWhatIsWrongAndWhere) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "an empty line, not a JSON object"},
      {"[1]", "not a JSON object: the line does not begin with '{'"},
      {R"({"text":"abc})",
       "not valid JSON at byte 8: a string is never closed"},
      {"{\"text\":\"a\tb\"}",
       "not valid JSON at byte 10: a control character stands unescaped in a "
       "string"},
      {"{\"text\":\"a\xE9 b\"}", "not valid JSON at byte 10: invalid UTF-8"},
      {R"({"text":{"a":1}})",
       "the value of 'text' is an array or object, not text"},
      {R"({"text":"a"} x)",
       "not valid JSON at byte 13: the line does not end with '}'"},
      {R"({"text":"a"} {})",
       "not valid JSON at byte 13: text follows the object"},
      {R"({"text":"a","label":tru})",
       "not valid JSON at byte 20: a word that is not true, false or null"},
  };
  for (const auto& [line, message] : cases) {
    const auto pair = ReadPair(line);
    ASSERT_FALSE(pair.has_value()) << line;
    EXPECT_EQ(pair.error().code, ErrorCode::kInvalidInput);
    EXPECT_EQ(pair.error().message, message);
  }
}

TEST(JsonLine, DeepNestingIsRefusedNotFollowed) {
  const std::string line = "{\"x\":" + std::string(100000, '[');
  EXPECT_FALSE(ReadPair(line).has_value());
  const std::string deep =
      "{\"x\":" + std::string(600, '[') + std::string(600, ']') + "}";
  EXPECT_THAT(ReadPair(deep).error().message, HasSubstr("512 levels"));
}

TEST(JsonLine, JsonStringIsReadBackUnchanged) {
  std::string all;
  for (char c = 1; c < 127; ++c) all += c;
  all += "\xC3\xA9";
  EXPECT_EQ(ReadPair("{\"text\":" + JsonString(all) + "}")->text, all);
}

// Every line is judged as an independent parser judges it, and read alike.
TEST(JsonLine, AgreesWithAnotherParserOnDamagedLines) {
  const std::string seeds[] = {
      R"({"text":"a\n\u00e9\ud83d\ude00","label":-1.5e+3,"x":[true,false,)"
      R"(null,{"y":{}},[]],"z":"\\\"\/\b"})",
      R"({ "label" : 0 , "text" : "" , "n" : [ 1 , 2.0 , -0 , 1E5 ] })",
  };
  constexpr std::string_view kBytes =
      "{}[]\",:\\ 0123456789.eE+-truefalsn\t\x01\xC3\xA9\xFF";
  JsonLineReader reader;
  Rng rng(7);
  for (int round = 0; round < 40000; ++round) {
    std::string line = seeds[round % 2];
    for (uint32_t edits = 1 + rng.Below(3); edits > 0; --edits) {
      const size_t at = rng.Below(static_cast<uint32_t>(line.size()));
      const char byte = kBytes[rng.Below(kBytes.size())];
      switch (rng.Below(3)) {
        case 0:
          line[at] = byte;
          break;
        case 1:
          line.insert(at, 1, byte);
          break;
        default:
          line.erase(at, 1);
      }
    }
    const auto json = nlohmann::json::parse(line, nullptr, false);
    const auto pair = ReadPair(reader, line);
    if (json.is_discarded() || !json.is_object()) {
      EXPECT_FALSE(pair.has_value()) << line;
      continue;
    }
    const auto text = json.find("text");
    if (text != json.end() && text->is_structured()) continue;
    const auto label = json.find("label");
    if (label != json.end() && label->is_structured()) continue;
    ASSERT_TRUE(pair.has_value()) << line << "\n" << pair.error().message;
    const bool is_string = text != json.end() && text->is_string();
    const bool is_none = text == json.end() || text->is_null();
    EXPECT_EQ(pair->text.has_value(), !is_none) << line;
    if (is_string) {
      EXPECT_EQ(pair->text, text->get<std::string>());
    }
  }
}

}  // namespace
}  // namespace modicum
