// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace modicum {
namespace {

TEST(Sha256, PublishedVectors) {
  // FIPS 180-2, appendix B.1 to B.3, and the empty message (NIST CAVP).
  EXPECT_EQ(ToHex(Sha256Of("")),
            "e3b0c44298fc1c149afbf4c8996fb924"
            "27ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(Sha256Of("abc")),
            "ba7816bf8f01cfea414140de5dae2223"
            "b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Sha256Of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmn"
                           "lmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039"
            "a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(ToHex(Sha256Of(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67"
            "f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesHashLikeTheWhole) {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 hash;
    hash.Add(text.substr(0, cut));
    hash.Add(text.substr(cut));
    EXPECT_EQ(hash.Finish(), Sha256Of(text));
  }
}

TEST(Sha256, FieldsKeepTheirBorders) {
  auto of = [](std::string_view a, std::string_view b) {
    Sha256 hash;
    hash.AddField(a);
    hash.AddField(b);
    return hash.Finish();
  };
  EXPECT_NE(of("ab", "c"), of("a", "bc"));
  EXPECT_NE(of("", "1:x"), of("1:x", ""));
  EXPECT_EQ(of("ab", "c"), of("ab", "c"));
}

TEST(Sha256OfFile, ReadsBlocksAndNamesWhatFails) {
  const std::string path = ::testing::TempDir() + "hash_test_file";
  const std::string text(200'000, 'z');  // more than one block
  std::ofstream(path, std::ios::binary) << text;
  const auto hash = Sha256OfFile(path);
  ASSERT_TRUE(hash.has_value());
  EXPECT_EQ(*hash, Sha256Of(text));
  std::remove(path.c_str());

  const auto missing = Sha256OfFile(path);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message,
            "cannot read " + path + ": No such file or directory");
  const auto folder = Sha256OfFile(::testing::TempDir());
  ASSERT_FALSE(folder.has_value());
  EXPECT_EQ(folder.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace modicum
