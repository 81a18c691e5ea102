// SPDX-License-Identifier: Apache-2.0
#include "record/signature.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>

#include "base/file.h"
#include "base/module_library.h"
#include "record/sign/sign.h"

namespace modicum {
namespace {

constexpr std::string_view kPrivate = "modicum-private-key ";
constexpr std::string_view kPublic = "modicum-public-key ";

std::string Hex(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

template <size_t kSize>
std::optional<std::array<uint8_t, kSize>> FromHex(std::string_view hex) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<uint8_t, kSize> bytes{};
  if (hex.size() != 2 * kSize ||
      hex.find_first_not_of(kDigits) != std::string_view::npos)
    return std::nullopt;
  for (size_t i = 0; i < kSize; ++i)
    bytes[i] = static_cast<uint8_t>(kDigits.find(hex[2 * i]) * 16 +
                                    kDigits.find(hex[2 * i + 1]));
  return bytes;
}

Result<const SignModule*> Module() {
  MODICUM_TRY(const ModuleLibrary library,
              ModuleLibrary::Open("sign", ModuleFolders(),
                                  "it makes and checks signatures"));
  if (const auto factory = library.Symbol<SignFactory>(kSignModule))
    return factory();
  return Fail(ErrorCode::kUnavailable,
              library.path() + " is not the signing module of this modicum",
              kModuleCure);
}

const uint8_t* Bytes8(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

tl::unexpected<Error> CannotMake(const std::string& path) {
  const int error = errno;
  if (error == EEXIST)
    return Fail(ErrorCode::kInvalidInput,
                path + " is there already; a key is never overwritten",
                "name another file with -o");
  return Fail(error == EACCES ? ErrorCode::kPermission : ErrorCode::kIo,
              "cannot write " + path + ": " + std::strerror(error));
}

// A file that was not there, with its mode from the first moment on; removed
// again when it cannot be written whole.
Status WriteNew(const std::string& path, const std::string& text, mode_t mode) {
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return CannotMake(path);
  const ssize_t n = write(fd, text.data(), text.size());
  if (n >= 0 && n < static_cast<ssize_t>(text.size())) errno = ENOSPC;
  const bool written = n == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  const int error = errno;
  close(fd);
  if (written) return {};
  unlink(path.c_str());
  errno = error;
  return CannotMake(path);
}

// The key on a file's one line, or nothing.
std::optional<std::array<uint8_t, 32>> KeyOnLine(std::string_view text,
                                                 std::string_view word) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (!text.starts_with(word)) return std::nullopt;
  return FromHex<32>(text.substr(word.size()));
}

}  // namespace

Result<PublicKey> PublicKeyOf(const PrivateKey& key) {
  MODICUM_TRY(const SignModule* const module, Module());
  PublicKey result{};
  module->public_key(result.data(), key.data());
  return result;
}

Result<std::array<uint8_t, 64>> SignBytes(std::string_view message,
                                          const PrivateKey& key) {
  MODICUM_TRY(const SignModule* const module, Module());
  MODICUM_TRY(const PublicKey own, PublicKeyOf(key));
  std::array<uint8_t, 64> signature{};
  module->sign(own.data(), key.data(), message.size(), Bytes8(message),
               signature.data());
  return signature;
}

Result<std::string> MakeKeyFiles(const std::string& path) {
  PrivateKey key{};
  if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
    return Fail(ErrorCode::kIo, "the system gives no random bytes");
  MODICUM_TRY(const PublicKey own, PublicKeyOf(key));
  const std::string hex = Hex(own);
  const std::string shown = path + ".pub";
  MODICUM_RETURN_IF_ERROR(
      WriteNew(shown, std::string(kPublic) + hex + '\n', 0644));
  if (auto written =
          WriteNew(path, std::string(kPrivate) + Hex(key) + '\n', 0600);
      !written) {
    unlink(shown.c_str());  // alone it would be of no key
    return Fail(written.error());
  }
  return hex;
}

Result<PrivateKey> ReadPrivateKey(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
      (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return Fail(ErrorCode::kInvalidInput,
                "private key " + path + " can be read by other users",
                "chmod 600 " + path);
  MODICUM_TRY(const std::string text, ReadFile(path));
  const auto key = KeyOnLine(text, kPrivate);
  if (key) return *key;
  if (text.starts_with(kPublic))
    return Fail(ErrorCode::kInvalidInput,
                path + " is a public key: signing takes the private one",
                "it is in the file of that name without .pub");
  return Fail(ErrorCode::kInvalidInput,
              path + " is not a private key: '" + std::string(kPrivate) +
                  "' and 64 hexadecimal digits are expected",
              "`modicum keygen` makes one");
}

Result<std::string> ReadPublicKey(const std::string& text_or_path) {
  if (FromHex<32>(text_or_path)) return text_or_path;
  MODICUM_TRY(const std::string text, ReadFile(text_or_path));
  const auto key = KeyOnLine(text, kPublic);
  if (key) return Hex(*key);
  return Fail(ErrorCode::kInvalidInput,
              text_or_path + " is not a public key: '" + std::string(kPublic) +
                  "' and 64 hexadecimal digits are expected",
              "`modicum keygen` writes one beside the private key, as .pub");
}

Result<Signature> Sign(const Hash& hash, const std::string& key_file) {
  MODICUM_TRY(const PrivateKey key, ReadPrivateKey(key_file));
  MODICUM_TRY(const PublicKey own, PublicKeyOf(key));
  const std::string_view message(reinterpret_cast<const char*>(hash.data()),
                                 hash.size());
  MODICUM_TRY(const auto signature, SignBytes(message, key));
  return Signature{Hex(own), Hex(signature)};
}

Status CheckSignature(const Hash& hash, const Signature& signature) {
  const auto key = FromHex<32>(signature.public_key);
  const auto bytes = FromHex<64>(signature.signature);
  if (!key || !bytes)
    return Fail(ErrorCode::kInvalidInput,
                "signature: not 64 and 128 hexadecimal digits");
  MODICUM_TRY(const SignModule* const module, Module());
  if (module->verify(key->data(), hash.size(), hash.data(), bytes->data()) == 1)
    return {};
  return Fail(ErrorCode::kInvalidInput,
              "signature: not of this receipt by key " + signature.public_key,
              "the receipt or the signature was altered");
}

}  // namespace modicum
