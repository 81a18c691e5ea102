// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/gguf_weights.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "model/gguf/gguf_sample.h"

namespace modicum {
namespace {

class GgufWeightsTest : public ::testing::Test {
 protected:
  GgufWeightsTest()
      : path_(::testing::TempDir() + "modicum-weights-" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name() +
              ".gguf") {}
  ~GgufWeightsTest() override { std::filesystem::remove(path_); }

  // One tensor of a type, four blocks, with `patch` at byte `at` of its data.
  std::string Check(const GgmlTypeInfo& info, size_t at,
                    const std::string& patch) {
    GgufSample sample;
    sample.tensors = {GgufSample::Tensor("w", info.type, {info.block, 4})};
    std::string bytes = sample.File();
    const size_t data = bytes.size() - 4 * info.bytes;
    bytes.replace(data + at, patch.size(), patch);
    MODICUM_CHECK(WriteFileAtomically(path_, bytes).has_value());
    const auto file = ReadGguf(path_, GgufCheck::kStructure);
    MODICUM_CHECK(file.has_value());
    const Status status = CheckWeights(*file);
    return status ? "sound" : status.error().message;
  }
  std::string Bad(uint64_t index) const {
    return fmt::format("{}: tensor 'w' has a NaN or an infinity at index {}",
                       path_, index);
  }

  std::string path_;
};

template <class T>
std::string Bytes2(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(T));
}

TEST_F(GgufWeightsTest, FindsWhatIsNoNumberInEveryType) {
  for (const GgmlTypeInfo& info : GgmlTypes()) {
    SCOPED_TRACE(info.name);
    EXPECT_EQ(Check(info, 0, ""), "sound");
    std::string bad;  // one scale
    switch (info.scale) {
      case ScaleKind::kNone:
        EXPECT_EQ(Check(info, 0, "\xFF"), "sound");
        continue;
      case ScaleKind::kF16:
        bad = Bytes2<uint16_t>(0xFC00);
        break;
      case ScaleKind::kF16Split:
        bad = Bytes2<uint64_t>(0x7000C00000000000);  // 0x7C.. in nibbles
        break;
      case ScaleKind::kBf16:
        bad = Bytes2<uint16_t>(0x7FC0);
        break;
      case ScaleKind::kF32:
        bad = Bytes2<uint32_t>(0x7FC00000);
        break;
      case ScaleKind::kF64:
        bad = Bytes2<uint64_t>(0xFFF0000000000000);
        break;
      case ScaleKind::kE8m0:
        bad = "\xFF";
        break;
      case ScaleKind::kUe4m3:
        bad = "\x7F";
        break;
    }
    for (uint32_t i = 0; i < info.scales; ++i)
      EXPECT_EQ(Check(info, 2 * info.bytes + info.at + i * bad.size(), bad),
                Bad(uint64_t{2} * info.block));
  }
}

TEST_F(GgufWeightsTest, TheLargestNumbersAreNumbers) {
  EXPECT_EQ(Check(InfoOf(GgmlType::kF32), 4, Bytes2<uint32_t>(0x7F7FFFFF)),
            "sound");
  EXPECT_EQ(Check(InfoOf(GgmlType::kF16), 2, Bytes2<uint16_t>(0xFBFF)),
            "sound");
  EXPECT_EQ(Check(InfoOf(GgmlType::kBf16), 2, Bytes2<uint16_t>(0x7F7F)),
            "sound");
}

TEST_F(GgufWeightsTest, StopsAndReportsProgress) {
  ASSERT_TRUE(WriteFileAtomically(path_, GgufSample().File()).has_value());
  const auto file = ReadGguf(path_);
  ASSERT_TRUE(file.has_value());
  uint64_t done = 0;
  WeightCheckOptions options;
  options.progress = [&](uint64_t bytes) { done = bytes; };
  EXPECT_TRUE(CheckWeights(*file, options).has_value());
  EXPECT_EQ(static_cast<double>(done), file->bytes().value());
  std::stop_source stop;
  stop.request_stop();
  options.stop = stop.get_token();
  EXPECT_EQ(CheckWeights(*file, options).error().code, ErrorCode::kInterrupted);
}

TEST_F(GgufWeightsTest, CountsACopiedOutputMatrixOnce) {
  GgufSample sample;
  sample.tensors[2].type = GgmlType::kF32;
  std::string bytes = sample.File();
  ASSERT_TRUE(WriteFileAtomically(path_, bytes).has_value());
  EXPECT_EQ(*CountParameters(*ReadGguf(path_)), 260U * 8 + 8);
  bytes.back() = 1;
  ASSERT_TRUE(WriteFileAtomically(path_, bytes).has_value());
  EXPECT_EQ(*CountParameters(*ReadGguf(path_)), 2 * 260U * 8 + 8);
}

TEST_F(GgufWeightsTest, SaysWhereTheFileBecameShorter) {
  ASSERT_TRUE(WriteFileAtomically(path_, GgufSample().File()).has_value());
  const auto file = ReadGguf(path_);
  ASSERT_TRUE(file.has_value());
  std::filesystem::resize_file(path_, file->data_offset + 10);
  EXPECT_EQ(CheckWeights(*file).error().message,
            path_ + " became shorter while it was read");
}

}  // namespace
}  // namespace modicum
