// SPDX-License-Identifier: Apache-2.0
#include "model/checkpoint.h"

#include <unistd.h>

#include "base/file.h"
#include "model/bytes.h"

namespace modicum {

namespace {

constexpr std::string_view kMagic = "modicum checkpoint 1\n";

std::string_view BytesOf(const Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace

Checkpoint::Checkpoint(std::string path, Seconds every, Clock& clock)
    : path_(std::move(path)),
      every_(every),
      clock_(clock),
      saved_(clock.Now()) {}

std::string EncodeCheckpoint(const Hash& key, std::string_view state) {
  std::string bytes(kMagic);
  bytes += BytesOf(key);
  bytes += BytesOf(Sha256Of(state));
  bytes += state;
  return bytes;
}

Result<std::optional<std::string_view>> ParseCheckpoint(std::string_view bytes,
                                                        const Hash& key) {
  const size_t head = kMagic.size() + 2 * key.size();
  if (bytes.size() < head || !bytes.starts_with(kMagic))
    return Fail(ErrorCode::kInvalidInput, "not a checkpoint",
                "remove it to train from the start");
  const std::string_view state = bytes.substr(head);
  if (bytes.substr(kMagic.size() + key.size(), key.size()) !=
      BytesOf(Sha256Of(state)))
    return Fail(ErrorCode::kInvalidInput, "a damaged checkpoint",
                "remove it to train from the start");
  if (bytes.substr(kMagic.size(), key.size()) != BytesOf(key))
    return std::optional<std::string_view>();
  return std::optional(state);
}

Result<std::optional<std::string>> Checkpoint::Load(const Hash& key) const {
  auto bytes = ReadWholeFile(path_, kMaxModelFile);
  if (!bytes) {
    if (bytes.error().code == ErrorCode::kNotFound)
      return std::optional<std::string>();
    return Fail(std::move(bytes).error());
  }
  auto state = ParseCheckpoint(*bytes, key);
  if (!state)
    return Fail(state.error().code, path_ + ": " + state.error().message,
                state.error().hint);
  if (!*state) return std::optional<std::string>();
  return std::optional(std::string(**state));
}

bool Checkpoint::Due() const { return clock_.Now() - saved_ >= every_; }

Status Checkpoint::Save(const Hash& key, std::string_view state) {
  MODICUM_RETURN_IF_ERROR(
      WriteFileAtomically(path_, EncodeCheckpoint(key, state)));
  saved_ = clock_.Now();
  return {};
}

void Checkpoint::Remove() const { unlink(path_.c_str()); }

}  // namespace modicum
