// SPDX-License-Identifier: Apache-2.0
// Training state kept on disk, so that a long training that was interrupted
// goes on where it was.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"

namespace modicum {

// Not thread-safe. One training at a time has a path.
class Checkpoint {
 public:
  // At most one Save every `every`, so that saving costs little.
  explicit Checkpoint(std::string path, Seconds every = Seconds(60),
                      Clock& clock = SystemClock());

  // The state that a training with this key saved last; none where there is
  // no file or it is another training's. kInvalidInput when it is damaged.
  Result<std::optional<std::string>> Load(const Hash& key) const;
  bool Due() const;  // time for the next Save
  // Replaces what was there, whole or not at all.
  Status Save(const Hash& key, std::string_view state);
  void Remove() const;  // when the training is done

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  const Seconds every_;
  Clock& clock_;
  MonotonicTime saved_;
};

// The state in a checkpoint's bytes, for Load and the fuzzer.
Result<std::optional<std::string_view>> ParseCheckpoint(std::string_view bytes,
                                                        const Hash& key);
std::string EncodeCheckpoint(const Hash& key, std::string_view state);

}  // namespace modicum
