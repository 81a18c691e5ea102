// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "model/bytes.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string File(std::string_view json, size_t data_bytes) {
  ByteWriter out;
  out.Put<uint64_t>(json.size());
  out.PutText(json);
  std::string bytes = out.Take();
  bytes.resize(bytes.size() + data_bytes);
  return bytes;
}
std::string Refusal(std::string_view bytes) {
  const auto tensors = ParseSafetensors(bytes, bytes.size(), "m");
  return tensors ? "accepted" : tensors.error().message;
}
std::string Refusal(std::string_view json, size_t data_bytes) {
  return Refusal(File(json, data_bytes));
}

constexpr char kTwo[] =
    R"({"__metadata__":{"format":"pt"},)"
    R"("b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},)"
    R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}  )";

TEST(SafetensorsTest, ReadsASoundFile) {
  const std::string bytes = File(kTwo, 16);
  const auto tensors = ParseSafetensors(bytes, bytes.size(), "m");
  ASSERT_TRUE(tensors.has_value()) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 2U);
  EXPECT_EQ((*tensors)[0].name, "a");
  EXPECT_EQ((*tensors)[0].elements(), 1U);
  EXPECT_EQ((*tensors)[1].type, SafeType::kBf16);
  EXPECT_EQ((*tensors)[1].elements(), 6U);
  EXPECT_EQ((*tensors)[1].offset, bytes.size() - 12);
  EXPECT_EQ(ShapeText((*tensors)[1].shape), "[2, 3]");
}

TEST(SafetensorsTest, RefusesEveryTruncationAndAddition) {
  const std::string bytes = File(kTwo, 16);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    EXPECT_NE(Refusal(cut), "accepted") << size;
  }
  EXPECT_EQ(Refusal(bytes.substr(0, bytes.size() - 3)),
            "m: 3 bytes are missing at the end");
  EXPECT_EQ(Refusal(bytes + "x"), "m: 1 bytes after the last tensor");
}

TEST(SafetensorsTest, BelievesNoLength) {
  EXPECT_EQ(Refusal("1234567"), "m: the file is shorter than 8 bytes");
  std::string bytes = File("{}", 0);
  bytes[7] = '\x7F';
  EXPECT_THAT(Refusal(bytes), HasSubstr("bytes, 2 are left in the file"));
  EXPECT_EQ(Refusal("", 0),
            "m: a header of 0 bytes, 2 to 100,000,000 are taken");
  EXPECT_EQ(Refusal("[1]", 0),
            "m: not a safetensors file: its header is no JSON object");
  EXPECT_EQ(Refusal("{\"a\":", 0), "m: not JSON at byte 6");
  EXPECT_EQ(Refusal(R"({"a":[[[[[]]]]]})", 0),
            "m: it is nested deeper than 4 levels");
}

std::string One(std::string_view members) {
  return fmt::format(R"({{"w":{{{}}}}})", members);
}

TEST(SafetensorsTest, RefusesTensors) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"w":1})", "m: tensor 'w' is no object"},
      {R"({"\u0007":{}})",
       "m: tensor ' ' has an empty name or one that is not printable text"},
      {One(R"("shape":[],"data_offsets":[0,4])"), "m: tensor 'w' has no dtype"},
      {One(R"("dtype":"F99","shape":[],"data_offsets":[0,4])"),
       "m: tensor 'w' has the dtype 'F99', which is unknown"},
      {One(R"("dtype":"F32","data_offsets":[0,4])"),
       "m: tensor 'w' has no shape"},
      {One(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"),
       "m: tensor 'w' has a dimension that is no whole number"},
      {One(R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4])"),
       "m: tensor 'w' has 9 dimensions, at most 8 are taken"},
      {One(R"("dtype":"F32","shape":[9223372036854775808,2],)"
           R"("data_offsets":[0,4])"),
       "m: tensor 'w' takes more than 2^64 bytes"},
      {One(R"("dtype":"F32","shape":[1])"),
       "m: tensor 'w' has no two data_offsets"},
      {One(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"),
       "m: tensor 'w' has the data_offsets 0 to 4, its shape [2] of F32 takes "
       "8 bytes"},
      {One(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"),
       "m: tensor 'w' has the data_offsets 4 to 0, its shape [1] of F32 takes "
       "4 bytes"},
      {One(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"),
       "m: a hole of 4 bytes before tensor 'w'"},
      {R"({"w":{},"w":{}})", "m: 'w' is there twice"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
       R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       "m: tensor 'b' overlaps tensor 'a'"},
  };
  for (const auto& [json, message] : cases)
    EXPECT_EQ(Refusal(json, 8), message);
}

class SafetensorsSetTest : public ::testing::Test {
 protected:
  SafetensorsSetTest()
      : folder_(
            ::testing::TempDir() + "modicum-shards-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  ~SafetensorsSetTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& bytes) const {
    ASSERT_TRUE(WriteFileAtomically(folder_ + "/" + name, bytes).has_value());
  }
  // One number, `value`, called `tensor`.
  void WriteShard(const std::string& name, std::string_view tensor,
                  float value) const {
    std::string bytes =
        File(fmt::format(R"({{"{}":{{"dtype":"F32","shape":[1],)"
                         R"("data_offsets":[0,4]}}}})",
                         tensor),
             4);
    std::memcpy(bytes.data() + bytes.size() - 4, &value, 4);
    Write(name, bytes);
  }
  void WriteIndex(const std::string& map) const {
    Write("model.safetensors.index.json", R"({"weight_map":)" + map + "}");
  }
  std::string Error() const {
    const auto set = SafetensorsSet::Open(folder_);
    if (set) return "accepted";
    std::string message = set.error().message;
    for (size_t at; (at = message.find(folder_)) != std::string::npos;)
      message.replace(at, folder_.size(), "DIR");
    return message;
  }

  std::string folder_;
};

TEST_F(SafetensorsSetTest, ReadsShards) {
  WriteShard("one.safetensors", "b", 2);
  WriteShard("two.safetensors", "a", 1);
  WriteIndex(R"({"a":"two.safetensors","b":"one.safetensors"})");
  const auto set = SafetensorsSet::Open(folder_);
  ASSERT_TRUE(set.has_value()) << set.error().message;
  ASSERT_EQ(set->tensors().size(), 2U);
  for (const auto& [name, expected] : {std::pair("a", 1.0F), {"b", 2.0F}}) {
    const SafeTensor* tensor = set->Find(name);
    ASSERT_NE(tensor, nullptr);
    float value = 0;
    ASSERT_TRUE(set->ReadInto(*tensor, 0, reinterpret_cast<char*>(&value), 4)
                    .has_value());
    EXPECT_EQ(value, expected);
  }
  EXPECT_EQ(set->Find("c"), nullptr);
}

TEST_F(SafetensorsSetTest, RefusesSetsThatAreNotWhatTheIndexSays) {
  EXPECT_EQ(Error(),
            "DIR has neither model.safetensors nor "
            "model.safetensors.index.json");
  WriteShard("one.safetensors", "a", 1);
  WriteIndex("{}");
  EXPECT_EQ(Error(), "DIR/model.safetensors.index.json: it has no weight_map");
  WriteIndex(R"({"a":"../one.safetensors"})");
  EXPECT_EQ(Error(),
            "DIR/model.safetensors.index.json: tensor 'a' is in "
            "'../one.safetensors', no name of a safetensors file in this "
            "folder");
  WriteIndex(R"({"a":"two.safetensors"})");
  EXPECT_EQ(Error(),
            "cannot read DIR/two.safetensors: No such file or "
            "directory");
  WriteIndex(R"({"a":"one.safetensors","b":"one.safetensors"})");
  EXPECT_EQ(Error(),
            "DIR/model.safetensors.index.json: tensor 'b' is not in "
            "one.safetensors, where the index has it");
  WriteIndex(R"({"b":"one.safetensors"})");
  WriteShard("one.safetensors", "a", 1);
  EXPECT_THAT(Error(), StartsWith("DIR/model.safetensors.index.json: tensor "
                                  "'b' is not in one.safetensors"));
  WriteShard("two.safetensors", "a", 1);
  WriteShard("three.safetensors", "b", 1);
  WriteIndex(R"({"a":"two.safetensors"})");
  EXPECT_EQ(Error(), "accepted");
}

TEST_F(SafetensorsSetTest, APickleIsNotRead) {
  Write("pytorch_model.bin", "PK");
  const auto set = SafetensorsSet::Open(folder_);
  ASSERT_FALSE(set.has_value());
  EXPECT_THAT(set.error().hint, StartsWith("pytorch_model.bin can hold any "
                                           "program and is not read"));
}

}  // namespace
}  // namespace modicum
