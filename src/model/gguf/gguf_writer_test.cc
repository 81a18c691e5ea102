// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/gguf_writer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "model/gguf/gguf_sample.h"

namespace modicum {
namespace {

class GgufWriterTest : public ::testing::Test {
 protected:
  GgufWriterTest()
      : folder_(
            ::testing::TempDir() + "modicum-writer-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  ~GgufWriterTest() override { std::filesystem::remove_all(folder_); }
  bool Empty() const { return std::filesystem::is_empty(folder_); }

  std::string folder_;
};

// Every tensor's data in parts of `part` bytes: byte i of all is i % 251.
Status WriteAll(GgufWriter& writer, size_t part) {
  uint64_t n = 0;
  for (const GgufTensor& tensor : writer.tensors()) {
    std::string data(tensor.bytes, '\0');
    for (char& c : data) c = static_cast<char>(n++ % 251);
    for (size_t at = 0; at < data.size(); at += part)
      MODICUM_RETURN_IF_ERROR(writer.Append(data.substr(at, part)));
  }
  return writer.Finish();
}

TEST_F(GgufWriterTest, StreamsInAnyParts) {
  GgufSample sample;
  sample.tensors.push_back(GgufSample::Tensor("odd", GgmlType::kF16, {3}));
  sample.tensors.push_back(GgufSample::Tensor("last", GgmlType::kI8, {5, 1}));
  std::string first;
  for (const size_t part : {size_t{1}, size_t{7}, size_t{1} << 20}) {
    const std::string path = folder_ + "/m.gguf";
    auto writer = GgufWriter::Create(path, sample.metadata, sample.tensors);
    ASSERT_TRUE(writer.has_value()) << writer.error().message;
    EXPECT_FALSE(std::filesystem::exists(path));
    ASSERT_TRUE(WriteAll(*writer, part).has_value());
    const auto file = ReadGguf(path);
    ASSERT_TRUE(file.has_value()) << file.error().message;
    EXPECT_EQ(file->tensors, writer->tensors());
    const GgufTensor* odd = file->FindTensor("odd");
    const auto bytes = ReadFile(path);
    EXPECT_EQ(bytes->substr(file->data_offset + odd->offset, 3),
              std::string({static_cast<char>(12512 % 251),
                           static_cast<char>(12513 % 251),
                           static_cast<char>(12514 % 251)}));
    if (first.empty()) first = *bytes;
    EXPECT_EQ(*bytes, first);
    std::filesystem::remove(path);
  }
}

TEST_F(GgufWriterTest, LeavesNothingWhenGivenUp) {
  GgufSample sample;
  {
    auto writer = GgufWriter::Create(folder_ + "/m.gguf", sample.metadata,
                                     sample.tensors);
    ASSERT_TRUE(writer.has_value());
    ASSERT_TRUE(writer->Append("1234").has_value());
    EXPECT_FALSE(Empty());  // beside its name
  }
  EXPECT_TRUE(Empty());
}

TEST_F(GgufWriterTest, LeavesNothingWhenTheDiskIsFull) {
  GgufSample sample;
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  auto* old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = 12000;
  setrlimit(RLIMIT_FSIZE, &tight);
  Status status;
  {
    auto writer = GgufWriter::Create(folder_ + "/m.gguf", sample.metadata,
                                     sample.tensors);
    if (writer) status = WriteAll(*writer, 4096);
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().message,
            "cannot write " + folder_ + "/m.gguf: File too large");
  EXPECT_TRUE(Empty());
}

TEST_F(GgufWriterTest, RefusesWhatItWouldNotRead) {
  const auto refusal = [&](GgufTensor tensor) {
    const auto writer =
        GgufWriter::Create(folder_ + "/m.gguf", {}, {std::move(tensor)});
    return writer ? "accepted" : writer.error().message;
  };
  EXPECT_EQ(refusal(GgufSample::Tensor("w", GgmlType::kQ8_0, {33, 32})),
            "tensor 'w' has rows of 33 elements, type q8_0 needs a multiple of "
            "32");
  EXPECT_EQ(refusal(GgufSample::Tensor("a\nb", GgmlType::kF32, {1})),
            "tensor 'a b' has a name that GGUF cannot hold: at most 63 "
            "printable bytes");
  EXPECT_TRUE(Empty());
}

TEST_F(GgufWriterTest, SaysWhereItCannotWrite) {
  const auto writer = GgufWriter::Create("/none/m.gguf", {}, {});
  ASSERT_FALSE(writer.has_value());
  EXPECT_EQ(writer.error().message,
            "cannot write /none/m.gguf: No such file or directory");
  EXPECT_EQ(GgufWriter::Create("/dev/null", {}, {}).error().message,
            "cannot write /dev/null: it is no regular file");
}

}  // namespace
}  // namespace modicum
