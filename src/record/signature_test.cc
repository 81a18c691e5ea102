// SPDX-License-Identifier: Apache-2.0
#include "record/signature.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/rng.h"

namespace modicum {
namespace {

std::string Bytes(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(
        std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

template <size_t kSize>
std::string Hex(const std::array<uint8_t, kSize>& bytes) {
  std::string hex;
  for (const uint8_t byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

class Keys : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "modicum-keys-" + std::to_string(getpid());
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string At(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text, mode_t mode) {
    std::ofstream(At(name)) << text;
    chmod(At(name).c_str(), mode);
  }
  std::string folder_;
};

struct Vector {
  const char* secret;
  const char* open;
  const char* message;
  const char* signature;
};
// RFC 8032, section 7.1, tests 1 to 3 and "SHA(abc)".
constexpr Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb882159"
     "0"
     "a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43"
     "e"
     "15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538"
     "d"
     "16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9a"
     "c"
     "90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
};

TEST_F(Keys, VectorsOfRfc8032) {
  for (const Vector& vector : kVectors) {
    PrivateKey key{};
    const std::string secret = Bytes(vector.secret);
    std::copy(secret.begin(), secret.end(), key.begin());
    EXPECT_EQ(Hex(PublicKeyOf(key).value()), vector.open);
    EXPECT_EQ(Hex(SignBytes(Bytes(vector.message), key).value()),
              vector.signature);
  }
}

TEST_F(Keys, WhatIsSignedIsVerifiedAndNothingElse) {
  const std::string path = At("key");
  const std::string open = MakeKeyFiles(path).value();
  const Hash hash = Sha256Of("receipt");
  const Signature signature = Sign(hash, path).value();
  EXPECT_EQ(signature.public_key, open);
  EXPECT_TRUE(CheckSignature(hash, signature));
  EXPECT_FALSE(CheckSignature(Sha256Of("other"), signature));
  Rng rng(3);
  for (int i = 0; i < 200; ++i) {
    Signature changed = signature;
    std::string& text = i % 2 == 0 ? changed.signature : changed.public_key;
    char& digit = text[rng.Below(static_cast<uint32_t>(text.size()))];
    digit = digit == '0' ? '1' : '0';
    const auto status = CheckSignature(hash, changed);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message,
              "signature: not of this receipt by key " + changed.public_key);
  }
}

TEST_F(Keys, FilesArePrivateAndNeverOverwritten) {
  const std::string path = At("key");
  const std::string open = MakeKeyFiles(path).value();
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(ReadFile(path + ".pub").value(),
            "modicum-public-key " + open + "\n");
  EXPECT_EQ(ReadPublicKey(path + ".pub").value(), open);
  EXPECT_EQ(ReadPublicKey(open).value(), open);
  const std::string before = ReadFile(path).value();
  EXPECT_EQ(MakeKeyFiles(path).error().message,
            path + ".pub is there already; a key is never overwritten");
  std::filesystem::remove(path + ".pub");
  EXPECT_EQ(MakeKeyFiles(path).error().message,
            path + " is there already; a key is never overwritten");
  EXPECT_EQ(ReadFile(path).value(), before);
  EXPECT_FALSE(std::filesystem::exists(path + ".pub"));
  EXPECT_NE(MakeKeyFiles(At("other")).value(), open);
}

TEST_F(Keys, WhatIsNoKeyIsSaid) {
  const Hash hash{};
  EXPECT_EQ(Sign(hash, At("absent")).error().code, ErrorCode::kNotFound);
  const std::string expected =
      " is not a private key: 'modicum-private-key ' and 64 hexadecimal digits "
      "are expected";
  for (const char* text :
       {"", "modicum-private-key 12\n", "-----BEGIN PRIVATE KEY-----\n",
        "modicum-private-key "
        "9D61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60\n",
        "modicum-private-key "
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f6011"
        "\n"}) {
    Write("bad", text, 0600);
    EXPECT_EQ(Sign(hash, At("bad")).error().message, At("bad") + expected);
  }
  ASSERT_TRUE(MakeKeyFiles(At("key")));
  chmod(At("key.pub").c_str(), 0600);
  EXPECT_EQ(Sign(hash, At("key.pub")).error().message,
            At("key.pub") + " is a public key: signing takes the private one");
  EXPECT_EQ(ReadPublicKey(At("key")).error().message,
            At("key") +
                " is not a public key: 'modicum-public-key ' and 64 "
                "hexadecimal digits are expected");
  chmod(At("key").c_str(), 0640);
  EXPECT_EQ(Sign(hash, At("key")).error().message,
            "private key " + At("key") + " can be read by other users");
  EXPECT_EQ(Sign(hash, At("key")).error().hint, "chmod 600 " + At("key"));
}

TEST_F(Keys, AFullDiskLeavesNoHalfKey) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  for (const rlim_t limit : {rlim_t{0}, rlim_t{20}}) {
    const rlimit small{limit, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    const auto made = MakeKeyFiles(At("key"));
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_FALSE(made);
    EXPECT_TRUE(std::filesystem::is_empty(folder_)) << limit;
  }
  EXPECT_FALSE(MakeKeyFiles(At("absent/key")));
}

TEST_F(Keys, WithoutTheModuleItIsSaidWhatIsMissing) {
  setenv("MODICUM_MODULES", folder_.c_str(), 1);
  const auto made = MakeKeyFiles(At("key"));
  unsetenv("MODICUM_MODULES");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(made.error().message,
            "module libmodicum-sign.so is not installed (searched " + folder_ +
                "): it makes and checks signatures");
  EXPECT_FALSE(std::filesystem::exists(At("key")));
}

}  // namespace
}  // namespace modicum
