// SPDX-License-Identifier: Apache-2.0
// The settings file of `modicum train`: which head, learned from what, how.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "model/head_job.h"

namespace modicum {

struct HeadTask {
  std::string file;  // the settings file's path
  std::string name;  // of the model's files; default: the file's name
  HeadKind kind = HeadKind::kTokenClassification;
  // Data files, relative to the settings file; `test` may be "".
  std::string train, validation, test;
  // The members of a line: of tags both, of fill-mask "text" alone.
  std::string text = "tokens", label = "tags";
  std::string metric;  // "": by the kind and the tags
  HeadSettings encoder;
  uint64_t seed = 1;
  Seconds time{3600};
  Bytes memory{4e9};
};

// kInvalidInput names file, line and cure.
Result<HeadTask> LoadHeadTask(const std::string& path);
// The same from text; `path` is for messages and relative paths.
Result<HeadTask> ParseHeadTask(std::string_view toml, const std::string& path);

}  // namespace modicum
