// SPDX-License-Identifier: Apache-2.0
// A recorded machine whose files a test may change, add to or make fail.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/root_fs.h"

namespace modicum {

class PatchedFs : public RootFs {
 public:
  using RootFs::RootFs;

  void Put(const std::string& path, const std::string& text) {
    patches.insert_or_assign(path, text);
  }
  // As the kernel says it.
  void Break(const std::string& path, ErrorCode code) {
    patches.insert_or_assign(
        path, Result<std::string>(
                  Fail(code, "cannot read " + path + ": Permission denied")));
  }

  Status ReadInto(std::string_view path, std::string& buffer) const override {
    const auto patch = patches.find(path);
    if (patch == patches.end()) return RootFs::ReadInto(path, buffer);
    if (!patch->second) {
      buffer.clear();
      return Fail(patch->second.error());
    }
    buffer = *patch->second;
    return {};
  }
  // A register of a device; without it the device fails there, as they do.
  void PutWord(const std::string& path, uint64_t offset, uint64_t word) {
    patches.try_emplace(path, std::string());
    words[{path, offset}] = word;
  }
  Result<uint64_t> ReadWord(std::string_view path,
                            uint64_t offset) const override {
    const auto patch = patches.find(path);
    if (patch == patches.end()) return RootFs::ReadWord(path, offset);
    if (!patch->second) return Fail(patch->second.error());
    const auto word = words.find({std::string(path), offset});
    if (word != words.end()) return word->second;
    return Fail(ErrorCode::kIo,
                "cannot read " + std::string(path) + ": Input/output error");
  }
  Result<std::vector<std::string>> List(std::string_view path) const override {
    auto names = RootFs::List(path);
    std::vector<std::string> all = names ? *names : std::vector<std::string>();
    const std::string folder = std::string(path) + "/";
    for (const auto& [file, text] : patches)
      if (file.starts_with(folder))
        all.push_back(file.substr(
            folder.size(), file.find('/', folder.size()) - folder.size()));
    if (all.empty()) return names;
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }

  bool Exists(std::string_view path) const override {
    const auto patch = patches.find(path);
    return patch != patches.end() || RootFs::Exists(path);
  }

  std::map<std::string, Result<std::string>, std::less<>> patches;
  std::map<std::pair<std::string, uint64_t>, uint64_t> words;
};

}  // namespace modicum
