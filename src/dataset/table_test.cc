// SPDX-License-Identifier: Apache-2.0
// Tables of numbers, from the file to the groups.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "dataset/dataset.h"
#include "dataset/json_line.h"
#include "dataset/table_columns.h"
#include "dataset/temp_folder.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::IsNan;
using testing::Pair;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class Table : public testing::Test {
 protected:
  Table() { options_.table = true; }

  Result<Dataset> From(const std::string& name, std::string_view content) {
    return LoadDataset(folder_.Write(name, content), options_);
  }
  // The message without the folder, and the hint.
  std::pair<std::string, std::string> ErrorOf(const std::string& name,
                                              std::string_view content) {
    const auto data = From(name, content);
    if (data) return {"no error", ""};
    EXPECT_EQ(data.error().code, ErrorCode::kInvalidInput);
    std::string message = data.error().message;
    const size_t at = message.find(folder_.path() + "/");
    if (at != std::string::npos) message.erase(at, folder_.path().size() + 1);
    return {message, data.error().hint};
  }
  std::string MessageOf(const std::string& name, std::string_view content) {
    return ErrorOf(name, content).first;
  }

  TempFolder folder_;
  LoadOptions options_;
};

const std::vector<float>& RowAt(const Dataset& data, size_t i) {
  return std::get<Numbers>(data.items[i].payload).values;
}

TEST_F(Table, EveryFormatGivesTheSameItems) {
  const std::pair<const char*, const char*> files[] = {
      {"a.csv", "x,label,y\n1,b,-2.5\n1e3,a,\n"},
      {"a.tsv", "x\tlabel\ty\n1\tb\t-2.5\n\"+1000\"\ta\tNA\n"},
      {"a.jsonl",
       "{\"x\":1,\"label\":\"b\",\"y\":-2.5}\n"
       "{\"label\":\"a\",\"x\":1000.0,\"y\":null}\n"},
      {"b.jsonl",
       "{\"x\":1,\"label\":\"b\",\"y\":-2.5}\n\n{\"x\":1e3,\"label\":\"a\"}\n"},
      {"a", "x,label,y\n1,b,-2.5\n1000,a,?\n"}};
  for (const auto& [name, content] : files) {
    const auto data = From(name, content);
    ASSERT_TRUE(data.has_value()) << name << ": " << data.error().message;
    EXPECT_THAT(data->columns, ElementsAre("x", "y")) << name;
    EXPECT_THAT(data->labels, ElementsAre("a", "b"));
    ASSERT_EQ(data->items.size(), 2U);
    EXPECT_EQ(data->items[0].label, 1);
    EXPECT_EQ(data->items[1].label, 0);
    EXPECT_THAT(RowAt(*data, 0), ElementsAre(1, -2.5));
    EXPECT_THAT(RowAt(*data, 1), ElementsAre(1000, IsNan())) << name;
  }
}

TEST_F(Table, ColumnsAreReadInTheOrderAskedFor) {
  options_.columns = {"z", "x"};
  for (const auto& [name, content] :
       {std::pair("a.csv", "x,name,z,label\n1,Ann,3,b\n"),
        std::pair("a.jsonl",
                  "{\"x\":1,\"name\":\"Ann\",\"z\":3,\"label\":\"b\"}\n")}) {
    const auto data = From(name, content);
    ASSERT_TRUE(data.has_value()) << data.error().message;
    EXPECT_THAT(data->columns, ElementsAre("z", "x"));
    EXPECT_THAT(RowAt(*data, 0), ElementsAre(3, 1));
  }
}

TEST_F(Table, UnlabelledDataIsNumbersOnly) {
  options_.label = "";
  const auto data = From("a.csv", "x,y\n1,2\n");
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_THAT(data->columns, ElementsAre("x", "y"));
  EXPECT_EQ(data->items[0].label, kUnlabelled);
  EXPECT_TRUE(data->labels.empty());
  EXPECT_TRUE(From("a.jsonl", "{\"x\":1}\n").has_value());
}

TEST_F(Table, ALabelMayBeANumber) {
  const auto csv = From("a.csv", "x,label\n1,10\n2,9\n");
  ASSERT_TRUE(csv.has_value()) << csv.error().message;
  EXPECT_THAT(csv->labels, ElementsAre("10", "9"));
  const auto json = From("a.jsonl", "{\"x\":1,\"label\":10}\n");
  ASSERT_TRUE(json.has_value()) << json.error().message;
  EXPECT_THAT(json->labels, ElementsAre("10"));
}

TEST_F(Table, NamesTheCellThatIsNoNumber) {
  EXPECT_THAT(ErrorOf("a.csv", "x,name,label\n1,2,a\n\n3,Ann,b\n"),
              Pair("a.csv:4: column 'name': 'Ann' is not a number",
                   "columns = [...] in the task chooses what is read; an "
                   "empty cell, ?, NA or nan is a missing value"));
  EXPECT_THAT(
      ErrorOf("a.jsonl", "{\"x\":\"1\",\"label\":\"a\"}\n"),
      Pair("a.jsonl:1: the value of 'x' is \"1\", not a number",
           "columns = [...] in the task chooses what is read; null is a "
           "missing value"));
  EXPECT_EQ(MessageOf("a.jsonl", "{\"x\":true,\"label\":\"a\"}\n"),
            "a.jsonl:1: the value of 'x' is true, not a number");
  EXPECT_EQ(MessageOf("a.jsonl", "{\"x\":[1],\"label\":\"a\"}\n"),
            "a.jsonl:1: the value of 'x' is an array or object, not a number");
  EXPECT_EQ(MessageOf("a.csv", "x,label\n-inf,a\n"),
            "a.csv:2: column 'x': '-inf' is infinite");
  EXPECT_EQ(MessageOf("a.csv", "x,label\n1e39,a\n"),
            "a.csv:2: column 'x': '1e39' is beyond single precision");
  EXPECT_EQ(MessageOf("a.jsonl", "{\"x\":-1e39,\"label\":\"a\"}\n"),
            "a.jsonl:1: the value of 'x' is -1e39, beyond single precision");
}

TEST_F(Table, RefusesColumnsThatDoNotFit) {
  EXPECT_THAT(ErrorOf("a.csv", "label\na\n"),
              Pair("a.csv:1: no column but the label 'label'",
                   "a table needs at least one column of numbers"));
  EXPECT_THAT(ErrorOf("a.csv", "x,y,x,label\n1,2,3,a\n"),
              Pair("a.csv:1: column 'x' is named twice in the header",
                   "a name must mean one column"));
  EXPECT_EQ(MessageOf("a.csv", "x,lable\n1,a\n"),
            "a.csv:1: no column 'label' (there are: x, lable), did you mean "
            "'lable'?");
  EXPECT_EQ(MessageOf("a.csv", "x,label\n1,a\n1,2,b\n"),
            "a.csv:3: 3 fields where the header has 2");
  EXPECT_EQ(MessageOf("a.jsonl", "{\"x\":1}\n"),
            "a.jsonl:1: no label: 'label' is missing or null");
  EXPECT_EQ(MessageOf("a.jsonl",
                      "{\"x\":1,\"label\":\"a\"}\n"
                      "{\"x\":1,\"y\":2,\"label\":\"a\"}\n"),
            "a.jsonl:2: key 'y' is not in the first row");
  EXPECT_EQ(MessageOf("a.csv", ""), "a.csv: no rows: the file is empty");
  EXPECT_EQ(MessageOf("a.ft", "__label__a x\n"),
            "data format 'fasttext' has no columns of numbers");
}

TEST_F(Table, RefusesColumnsAskedForThatAreNotThere) {
  options_.columns = {"hight"};
  EXPECT_THAT(ErrorOf("a.csv", "height,label\n1,a\n"),
              Pair("a.csv:1: no column 'hight' (there are: height, label), "
                   "did you mean 'height'?",
                   "columns = [...] in the task chooses what is read"));
  options_.columns = {"label"};
  EXPECT_EQ(MessageOf("a.csv", "x,label\n1,a\n"),
            "a.csv:1: column 'label' is the label: a model may not read its "
            "answer");
  options_.columns = {"x", "x"};
  EXPECT_EQ(MessageOf("a.jsonl", "{\"x\":1,\"label\":\"a\"}\n"),
            "a.jsonl:1: column 'x' is named twice among the columns to read");
}

TEST(ParseCell, ReadsWhatIsANumberAndNothingElse) {
  const std::pair<const char*, float> numbers[] = {
      {" 1.5 ", 1.5F}, {"+2", 2}, {"-.5", -.5F}, {"1e-3", 1e-3F}};
  for (const auto& [text, number] : numbers)
    EXPECT_THAT(*ParseCell(text), FloatEq(number));
  for (const char* text : {"", " ", "?", "NA", "na", "NaN", "nan"})
    EXPECT_THAT(*ParseCell(text), IsNan()) << text;
  for (const char* text :
       {"1,5", "+-1", "+", "1 2", "0x10", "n/a", "nan(1)", "1.", "--1"})
    EXPECT_EQ(ParseCell(text).has_value(), std::string_view(text) == "1.")
        << text;
}

// Whatever the order of the keys, and with keys nobody asked for.
TEST(JsonReadRow, FindsColumnsInAnyOrder) {
  JsonLineReader reader;
  const std::string_view columns[] = {"a", "b", "c"};
  const std::string_view keys[] = {"label"};
  std::optional<std::string> label[1];
  float numbers[3];
  for (const char* line :
       {"{\"a\":1,\"b\":2,\"label\":\"x\",\"c\":3}",
        "{\"c\":3,\"z\":[{}],\"b\":2,\"a\":1,\"label\":\"x\"}",
        "{\"a\":9,\"a\":1,\"label\":\"x\",\"b\":2,\"c\":3}"}) {
    ASSERT_TRUE(reader.ReadRow(line, columns, numbers, keys, label)) << line;
    EXPECT_THAT(numbers, ElementsAre(1, 2, 3)) << line;
    EXPECT_EQ(label[0], "x");
  }
  ASSERT_TRUE(reader.ReadRow("{\"b\":null}", columns, numbers, keys, label));
  EXPECT_THAT(numbers, ElementsAre(IsNan(), IsNan(), IsNan()));
  EXPECT_EQ(label[0], std::nullopt);
}

Dataset RowsOf(const std::vector<std::vector<float>>& rows) {
  Dataset data;
  data.columns = {"x", "y"};
  for (const std::vector<float>& row : rows) {
    Item item;
    item.id = item.group = data.items.size();
    item.payload = Numbers{row};
    data.items.push_back(std::move(item));
  }
  return data;
}

TEST(GroupTables, EqualRowsShareAGroup) {
  Dataset data = RowsOf(
      {{1, 2}, {2, 1}, {0, kNan}, {1, 2}, {-0.F, -kNan}, {1, 2}, {1, kNan}});
  EXPECT_EQ(GroupNearDuplicates(data), 5U);
  std::vector<uint64_t> groups;
  for (const Item& item : data.items) groups.push_back(item.group);
  EXPECT_THAT(groups, ElementsAre(0, 1, 2, 0, 2, 0, 6));
  const DatasetSummary summary = Summarize(data);
  EXPECT_EQ(summary.near_duplicates, 5U);
  EXPECT_EQ(summary.words_max, 0U);
  EXPECT_EQ(summary.bytes, 7U * 2 * 4);
}

}  // namespace
}  // namespace modicum
