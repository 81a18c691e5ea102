// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/dataset.h"
#include "dataset/row_reader.h"
#include "dataset/temp_folder.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// Label and text of every item.
using Pairs = std::vector<std::pair<std::string, std::string>>;

class Load : public testing::Test {
 protected:
  Result<Dataset> From(const std::string& name, std::string_view content,
                       const LoadOptions& options = {}) {
    path_ = folder_.Write(name, content);
    return LoadDataset(path_, options);
  }

  Pairs PairsOf(const std::string& name, std::string_view content,
                const LoadOptions& options = {}) {
    const auto data = From(name, content, options);
    if (!data) return {{"error", data.error().message}};
    Pairs pairs;
    for (const Item& item : data->items)
      pairs.emplace_back(item.label == kUnlabelled
                             ? "-"
                             : data->labels[static_cast<size_t>(item.label)],
                         std::get<Text>(item.payload).text);
    return pairs;
  }

  // The message without the folder, and the hint.
  std::pair<std::string, std::string> ErrorOf(const std::string& name,
                                              std::string_view content,
                                              const LoadOptions& options = {}) {
    const auto data = From(name, content, options);
    if (data) return {"no error", ""};
    EXPECT_EQ(data.error().code, ErrorCode::kInvalidInput);
    std::string message = data.error().message;
    const size_t at = message.find(folder_.path() + "/");
    if (at != std::string::npos) message.erase(at, folder_.path().size() + 1);
    return {message, data.error().hint};
  }

  TempFolder folder_;
  std::string path_;
};

const Pairs kTwo = {{"ham", "hello, you"}, {"spam", "buy \"now\""}};

TEST_F(Load, EveryFormatGivesTheSameItems) {
  EXPECT_EQ(
      PairsOf("a.jsonl",
              "{\"text\":\"hello, you\",\"label\":\"ham\"}\n\n"
              "{\"label\":\"spam\",\"x\":1,\"text\":\"buy \\\"now\\\"\"}"),
      kTwo);
  EXPECT_EQ(PairsOf("a.csv",
                    "label,text\r\nham,\"hello, you\"\r\n"
                    "spam,\"buy \"\"now\"\"\"\r\n"),
            kTwo);
  EXPECT_EQ(
      PairsOf("a.tsv", "text\tlabel\nhello, you\tham\nbuy \"now\"\tspam\n"),
      kTwo);
  EXPECT_EQ(
      PairsOf("a.ft", "__label__ham hello, you\n__label__spam\tbuy \"now\""),
      kTwo);
  EXPECT_EQ(PairsOf("a.txt", "ham hello, you\nspam\tbuy \"now\"\n"), kTwo);
}

TEST_F(Load, FormatByLookWhereTheNameSaysNothing) {
  const LoadOptions options;
  EXPECT_EQ(GuessFormat("x", " {\"text\":1}", options), "jsonl");
  EXPECT_EQ(GuessFormat("x", "__label__a b", options), "fasttext");
  EXPECT_EQ(GuessFormat("x", "id\ttext\tlabel", options), "tsv");
  EXPECT_EQ(GuessFormat("x", "id,\"text\",label", options), "csv");
  EXPECT_EQ(GuessFormat("x", "ham some text, here", options), "labelled");
  EXPECT_EQ(GuessFormat("x.CSV", "{", options), "csv");
}

TEST_F(Load, LabelsAreSortedAndNumbersStayText) {
  const auto data = From("a.jsonl",
                         "{\"text\":\"a\",\"label\":\"1\"}\n"
                         "{\"text\":\"b\",\"label\":0}\n"
                         "{\"text\":\"c\",\"label\":1}\n");
  ASSERT_TRUE(data.has_value());
  EXPECT_THAT(data->labels, ElementsAre("0", "1"));
  EXPECT_EQ(data->items[0].label, data->items[2].label);
  EXPECT_EQ(data->name, "a");
  EXPECT_EQ(data->hash, *Sha256OfFile(path_));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(data->items[i].id, i);
    EXPECT_EQ(data->items[i].group, i);
  }
}

TEST_F(Load, OtherColumnsAndUnlabelledData) {
  LoadOptions options;
  options.text = "body";
  options.label = "class";
  EXPECT_THAT(PairsOf("a.csv", "class,body\nx,y\n", options),
              ElementsAre(Pair("x", "y")));
  options.label = "";
  EXPECT_THAT(PairsOf("a.csv", "class,body\n,y\n", options),
              ElementsAre(Pair("-", "y")));
  EXPECT_THAT(PairsOf("a.jsonl", "{\"body\":\"y\"}", options),
              ElementsAre(Pair("-", "y")));
  EXPECT_THAT(PairsOf("a.txt", "whole line", options),
              ElementsAre(Pair("-", "whole line")));
  EXPECT_THAT(PairsOf("a.ft", "__label__x y", options),
              ElementsAre(Pair("-", "y")));
}

TEST_F(Load, CsvFieldsOverSeveralLines) {
  EXPECT_THAT(
      PairsOf("a.csv", "text,label\n\"one\r\n\r\n\"\"two\"\"\",x\nb,y\n"),
      ElementsAre(Pair("x", "one\n\n\"two\""), Pair("y", "b")));
  EXPECT_THAT(PairsOf("a.csv", "text,label\n5\" disk,x\n"),
              ElementsAre(Pair("x", "5\" disk")));
}

TEST_F(Load, TsvQuotesAreOrdinaryUnlessTheyHoldTheWholeField) {
  EXPECT_THAT(PairsOf("a.tsv",
                      "text\tlabel\n\"Hi\" he said\tx\n\"a \"\"b\"\"\"\ty\n"
                      "\"a\" or \"b\"\tz\n"),
              ElementsAre(Pair("x", "\"Hi\" he said"), Pair("y", "a \"b\""),
                          Pair("z", "\"a\" or \"b\"")));
}

TEST_F(Load, BadBytesNameLineAndByte) {
  const auto [message, hint] =
      ErrorOf("a.txt", "ham good\nham caf\xE9 au lait\n");
  EXPECT_EQ(message, "a.txt:2: byte 7 is not valid UTF-8 (0xE9)");
  EXPECT_EQ(hint,
            "convert the file with iconv -f WINDOWS-1252 -t UTF-8, or set "
            "bad_bytes=replace");
  EXPECT_EQ(ErrorOf("a.txt", std::string_view("ham a\0b", 7)).first,
            "a.txt:1: byte 5 is NUL, which no text has");
  EXPECT_EQ(ErrorOf("a.jsonl", "{\"text\":\"a\\u0000\",\"label\":\"x\"}").first,
            "a.jsonl:1: byte 1 is NUL, which no text has");
  EXPECT_EQ(ErrorOf("a.csv", std::string_view("\xFF\xFEt\0e\0", 6)),
            std::pair(std::string("a.csv:1: the file is UTF-16, not UTF-8"),
                      std::string("convert it with iconv -f UTF-16 -t UTF-8")));
}

TEST_F(Load, BadBytesAreReplacedWhenAsked) {
  LoadOptions options;
  options.bad_bytes = BadBytes::kReplace;
  EXPECT_THAT(PairsOf("a.txt", "ham caf\xE9 au\n", options),
              ElementsAre(Pair("ham", "caf\xEF\xBF\xBD au")));
  EXPECT_THAT(
      PairsOf("a.jsonl", "{\"text\":\"\xE9\\u0000\",\"label\":\"x\"}", options),
      ElementsAre(Pair("x", "\xEF\xBF\xBD\xEF\xBF\xBD")));
}

TEST_F(Load, MissingColumnsAreNamedWithThoseThereAre) {
  EXPECT_EQ(ErrorOf("a.csv", "text,lable\na,b\n").first,
            "a.csv:1: no column 'label' (there are: text, lable), did you mean "
            "'lable'?");
  EXPECT_EQ(ErrorOf("a.tsv", "x\ty\n1\t2\n").first,
            "a.tsv:1: no column 'text' (there are: x, y)");
  EXPECT_EQ(
      ErrorOf("a.jsonl", "{\"text\":\"a\",\"label\":\"b\"}\n{\"txt\":\"a\"}\n"),
      std::pair(std::string("a.jsonl:2: no key 'text' (there are: txt), "
                            "did you mean 'txt'?"),
                std::string("name the keys that hold text and label")));
  EXPECT_EQ(ErrorOf("a.jsonl", "{\"text\":null,\"label\":\"b\"}").first,
            "a.jsonl:1: the value of 'text' is null");
}

TEST_F(Load, EmptyFilesAndBlankLabels) {
  for (const char* name : {"a.jsonl", "a.csv", "a.tsv", "a.ft", "a.txt"})
    EXPECT_EQ(ErrorOf(name, "").first,
              std::string(name) + ": no rows: the file is empty");
  EXPECT_EQ(ErrorOf("a.csv", "text,label\n").first,
            "a.csv: no rows: the file is empty");
  EXPECT_EQ(ErrorOf("a.csv", "text,label\nx, \n"),
            std::pair(std::string("a.csv:2: the label is blank"),
                      std::string("give the row a label or remove it")));
  EXPECT_EQ(ErrorOf("a.txt", " x\n").first, "a.txt:1: the label is blank");
  EXPECT_EQ(ErrorOf("a.ft", "__label__a x\ny\n").first,
            "a.ft:2: the line does not begin with '__label__NAME'");
}

TEST_F(Load, MalformedRowsNameTheirLine) {
  EXPECT_EQ(ErrorOf("a.csv", "text,label\na,b\na,b,c\n").first,
            "a.csv:3: 3 fields where the header has 2");
  EXPECT_EQ(ErrorOf("a.csv", "text,label\na,b\n\"a,b\nc,d\n").first,
            "a.csv:3: a quote in this record is never closed");
  EXPECT_EQ(ErrorOf("a.csv", "text,label\n\"a\"b,c\n").first,
            "a.csv:2: text follows a closing quote");
  EXPECT_EQ(ErrorOf("a.ft", "__label__a __label__b text\n").first,
            "a.ft:1: more than one label");
  EXPECT_EQ(ErrorOf("a.json", "[\n{}\n]\n"),
            std::pair(std::string("a.json:1: not a JSON object: the line does "
                                  "not begin with '{'"),
                      std::string("one JSON object a line is expected; jq -c . "
                                  "writes it so")));
}

TEST_F(Load, LimitsTheLineAndTheRecord) {
  LoadOptions options;
  options.max_line_bytes = 20;
  EXPECT_EQ(
      ErrorOf("a.txt", "ham ok\nham " + std::string(30, 'x'), options).first,
      "a.txt:2: the line is longer than 20 bytes");
  EXPECT_EQ(
      ErrorOf("a.csv", "text,label\n\"" + std::string(99, '\n'), options).first,
      "a.csv:2: a quote in this record is never closed");
}

TEST_F(Load, UnknownFormatListsThose) {
  LoadOptions options;
  options.format = "parquet";
  EXPECT_EQ(ErrorOf("a.x", "a b", options),
            std::pair(std::string("unknown data format 'parquet'"),
                      std::string("use one of jsonl, csv, tsv, fasttext, "
                                  "labelled")));
}

TEST_F(Load, TellsAMissingFileFromAFolder) {
  const auto missing = LoadDataset(folder_.path() + "/no.jsonl", {});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(LoadDataset(folder_.path(), {}).error().message,
              HasSubstr("is a directory"));
}

}  // namespace
}  // namespace modicum
