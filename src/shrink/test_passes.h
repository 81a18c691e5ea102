// SPDX-License-Identifier: Apache-2.0
// Models and inputs for the tests of passes.
#pragma once

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "model/pass.h"
#include "model/test_data.h"

namespace modicum {

// Texts as natural ones are: words by Zipf's law, most of them common to all
// classes and each a little more frequent in one; some texts of few words.
inline Dataset MakeZipfTexts(size_t classes, size_t items, uint64_t seed = 1) {
  Dataset data;
  data.name = "zipf";
  Rng rng(seed);
  for (size_t c = 0; c < classes; ++c)
    data.labels.push_back("class-" + std::to_string(c));
  for (size_t i = 0; i < items; ++i) {
    const uint32_t own = rng.Below(static_cast<uint32_t>(classes));
    std::string text;
    const uint32_t words = 5 + rng.Below(60);
    while (text.size() < 5 * words) {
      const auto word = static_cast<uint64_t>(std::exp(rng.Unit() * 8.5));
      if (word % classes != own && rng.Unit() < 0.35) continue;
      text += "w" + std::to_string(word) + " ";
    }
    data.items.push_back(TextItem(text, static_cast<LabelIndex>(own)));
    data.items.back().id = data.items.back().group = i;
  }
  return data;
}

inline Params Keep(double share) { return {{"keep", share}}; }

// A trained model in a folder of its own.
class Trained {
 public:
  Trained(std::string family, const Dataset& data, Params params = {})
      : data_(data),
        rows_(AllRowsOf(data)),
        family_(std::move(family)),
        params_(std::move(params)) {
    NullSink sink;
    const auto trained = FindTrainer(family_).value()->Train(
        data_, rows_, params_, Budget{}, nullptr, folder_.path(), sink);
    MODICUM_CHECK(trained.has_value());
    files_ = trained->files;
  }
  PassInput input() const {
    return {data_, rows_, family_, params_, folder_.path(), files_};
  }
  // Before it is trained.
  PassInput planned() const { return {data_, rows_, family_, params_, "", {}}; }

 private:
  const Dataset& data_;
  const std::vector<uint32_t> rows_;
  const std::string family_;
  const Params params_;
  const TestFolder folder_;
  std::vector<std::string> files_;
};

inline std::map<std::string, std::string> FilesIn(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    files[entry.path().filename()] = *ReadFile(entry.path());
  return files;
}

inline Result<TrainedModel> ApplyInto(Pass& pass, const PassInput& input,
                                      const Params& params,
                                      const std::string& folder) {
  NullSink sink;
  return pass.Apply(input, params, Budget{}, folder, sink);
}

// The outputs of the model in `folder` on `items`.
inline std::vector<Output> Answers(const std::string& family,
                                   const std::string& folder,
                                   const Dataset& data) {
  NullSink sink;
  const auto model = LoadModel(family, folder, data.labels, sink);
  if (!model) ADD_FAILURE() << model.error().message;
  return (*model)->Predict(data.items, {}, sink).value();
}

inline double Agreement(const std::vector<Output>& a,
                        const std::vector<Output>& b) {
  size_t same = 0;
  for (size_t i = 0; i < a.size(); ++i)
    same += std::get<Label>(a[i]).index == std::get<Label>(b[i]).index ? 1 : 0;
  return static_cast<double>(same) / static_cast<double>(a.size());
}

// No file may grow beyond `bytes` while this lives: writing fails as it does
// on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    old_ = std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, old_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*old_)(int) = nullptr;
};

// What every pass over a model promises: equal input gives equal files; a
// full disk, a missing folder and a wish to stop leave nothing behind.
inline void CheckContract(Pass& pass, const PassInput& input,
                          const Params& params) {
  const auto before = FilesIn(input.directory);
  const TestFolder once, again, failed;
  const Status accepted = pass.Accepts(input);
  ASSERT_TRUE(accepted) << accepted.error().message;
  ASSERT_FALSE(pass.Space(input).empty());
  ASSERT_FALSE(pass.on_data());
  EXPECT_EQ(pass.SelectRows(input, params, Budget{}).error().message,
            "pass " + std::string(pass.name()) + " does not choose rows");
  const auto first = ApplyInto(pass, input, params, once.path());
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_TRUE(ApplyInto(pass, input, params, again.path()));
  const auto files = FilesIn(once.path());
  EXPECT_EQ(FilesIn(again.path()), files);
  EXPECT_EQ(files.size(), first->files.size());
  EXPECT_EQ(FilesIn(input.directory), before);
  {
    const FullDisk full(16);
    EXPECT_FALSE(ApplyInto(pass, input, params, failed.path()));
  }
  EXPECT_TRUE(FilesIn(failed.path()).empty());
  // The folder's place is taken by a file.
  const std::string blocked = failed.path() + "/file";
  ASSERT_TRUE(WriteFileAtomically(blocked, "x"));
  EXPECT_FALSE(ApplyInto(pass, input, params, blocked));
  EXPECT_EQ(*ReadFile(blocked), "x");
  std::filesystem::remove(blocked);
  NullSink sink;
  std::stop_source stop;
  stop.request_stop();
  Budget budget;
  budget.stop = stop.get_token();
  const auto stopped = pass.Apply(input, params, budget, failed.path(), sink);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
  EXPECT_TRUE(FilesIn(failed.path()).empty());
  EXPECT_EQ(pass.Apply(input, {{"keeep", 1.0}}, Budget{}, failed.path(), sink)
                .error()
                .code,
            ErrorCode::kInvalidInput);
  EXPECT_TRUE(FilesIn(failed.path()).empty());
  const PassForecast forecast = pass.Predict(input, params);
  EXPECT_GT(forecast.cpu_low.value(), 0);
  EXPECT_LT(forecast.cpu_low.value(), forecast.cpu.value());
  EXPECT_LT(forecast.cpu.value(), forecast.cpu_high.value());
  EXPECT_GT(forecast.memory.value(), 0);
}

}  // namespace modicum
