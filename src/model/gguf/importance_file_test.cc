// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/importance_file.h"

#include <gmock/gmock.h>

#include <cmath>

#include "dataset/temp_folder.h"
#include "model/gguf/gguf_sample.h"

namespace modicum {
namespace {

struct Numbers {
  std::string name;
  std::vector<float> values;
};

class ImportanceFile : public testing::Test {
 protected:
  Result<std::vector<Importance>> Read(const std::vector<Numbers>& all) {
    std::vector<GgufTensor> tensors;
    for (const Numbers& numbers : all)
      tensors.push_back(GgufSample::Tensor(numbers.name, GgmlType::kF32,
                                           {numbers.values.size()}));
    const std::string path = folder_.path() + "/imatrix.gguf";
    const GgufMetadata metadata = {{"general.type", std::string("imatrix")}};
    GgufWriter writer = GgufWriter::Create(path, metadata, tensors).value();
    for (const Numbers& numbers : all)
      MODICUM_CHECK(
          writer
              .Append({reinterpret_cast<const char*>(numbers.values.data()),
                       4 * numbers.values.size()})
              .has_value());
    MODICUM_CHECK(writer.Finish().has_value());
    return ReadImportance(path);
  }
  std::string ErrorOf(const std::vector<Numbers>& all) {
    const auto read = Read(all);
    if (read) return "";
    const std::string& message = read.error().message;
    return message.substr(message.find(": ") + 2);
  }
  TempFolder folder_;
};

TEST_F(ImportanceFile, IsMeansOfSums) {
  const auto read = Read({{"a.weight.in_sum2", {2, 4, 6, 8}},
                          {"a.weight.counts", {2}},
                          {"b.weight.in_sum2", {3, 6, 9, 9}},
                          {"b.weight.counts", {3, 0}}})
                        .value();
  ASSERT_THAT(read, testing::SizeIs(2));
  EXPECT_EQ(read[0].tensor, "a.weight");
  EXPECT_THAT(read[0].values, testing::ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(read[1].values, testing::ElementsAre(1, 2, 1, 1));
}

TEST_F(ImportanceFile, RefusesWhatIsNone) {
  EXPECT_EQ(ErrorOf({{"a", {1}}}), "it holds no importance of any tensor");
  EXPECT_EQ(ErrorOf({{"a.in_sum2", {1, 2, 3}}, {"a.counts", {1, 1}}}),
            "'a' has no counts that fit");
  EXPECT_EQ(ErrorOf({{"a.in_sum2", {1}}}), "'a' has no counts that fit");
  EXPECT_EQ(ErrorOf({{"a.in_sum2", {1, NAN}}, {"a.counts", {1}}}),
            "number 1 of 'a.in_sum2' is no mean square");
  EXPECT_EQ(ErrorOf({{"a.in_sum2", {-1}}, {"a.counts", {1}}}),
            "number 0 of 'a.in_sum2' is no mean square");
  EXPECT_FALSE(ReadImportance("/none"));
  EXPECT_FALSE(ReadImportance(folder_.Write("text", "some text")));
}

}  // namespace
}  // namespace modicum
