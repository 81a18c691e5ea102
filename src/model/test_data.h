// SPDX-License-Identifier: Apache-2.0
// Small data and folders for the tests of models.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "base/phase.h"
#include "base/rng.h"
#include "dataset/dataset.h"
#include "model/model.h"

namespace modicum {

// A folder under the test's temporary one, removed at the end.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = testing::TempDir() + "/modicum-model-XXXXXX";
    MODICUM_CHECK(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string Sub(const std::string& name) const {
    std::filesystem::create_directories(path_ + "/" + name);
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

// The order of phases, repeats joined.
class PhaseList final : public PhaseSink {
 public:
  void Begin(Phase phase) override {
    if (seen.empty() || seen.back() != phase) seen.push_back(phase);
  }
  void Step(Phase, std::span<const SeqWork>) override {}
  std::vector<Phase> seen;
};

inline Item TextItem(std::string text, LabelIndex label = kUnlabelled) {
  Item item;
  item.payload = Text{std::move(text)};
  item.label = label;
  return item;
}

// `per_class` texts of each of `classes` classes: four words of the class's
// own among six that all share. Class 0 has half as many again.
inline Dataset MakeTopics(size_t classes, size_t per_class, uint64_t seed = 1) {
  Dataset data;
  data.name = "topics";
  Rng rng(seed);
  for (size_t c = 0; c < classes; ++c) {
    data.labels.push_back("class-" + std::to_string(c));
    for (size_t i = 0; i < per_class + (c == 0 ? per_class / 2 : 0); ++i) {
      std::string text;
      for (int w = 0; w < 10; ++w) {
        const std::string word = "w" + std::to_string(rng.Below(20));
        text += w < 4 ? "t" + std::to_string(c) + word + " " : word + " ";
      }
      data.items.push_back(TextItem(text, static_cast<LabelIndex>(c)));
      data.items.back().id = data.items.size() - 1;
    }
  }
  return data;
}

inline std::vector<uint32_t> AllRowsOf(const Dataset& data) {
  std::vector<uint32_t> rows(data.items.size());
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

inline double AccuracyOf(const std::vector<Output>& outputs,
                         const std::vector<Item>& items) {
  size_t right = 0;
  for (size_t i = 0; i < items.size(); ++i)
    right += std::get<Label>(outputs[i]).index == items[i].label ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(items.size());
}

}  // namespace modicum
