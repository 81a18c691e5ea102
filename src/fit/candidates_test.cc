// SPDX-License-Identifier: Apache-2.0
#include "fit/candidates.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>
#include <span>

namespace modicum {
namespace {

constexpr std::string_view kText = "text-classification";

class EveryKind : public ::testing::TestWithParam<std::string_view> {};
INSTANTIATE_TEST_SUITE_P(Candidates, EveryKind,
                         ::testing::Values(kText, "tabular-classification"));

TEST_P(EveryKind, IsHumblestFirstWithUniqueNamesAndHashes) {
  const auto candidates = EnumerateCandidates(GetParam(), {});
  ASSERT_TRUE(candidates.has_value());
  std::set<std::string> names;
  std::set<Hash> hashes;
  std::set<std::string> families;
  for (const Candidate& candidate : *candidates) {
    EXPECT_TRUE(names.insert(candidate.name).second) << candidate.name;
    EXPECT_TRUE(hashes.insert(HashOf(candidate)).second) << candidate.name;
    EXPECT_EQ(candidate.first_of_family,
              families.insert(candidate.family).second);
  }
  EXPECT_EQ(candidates->front().family, "majority");
  // Encoders are tried when named; fastText reads text alone; there is no
  // network and no endpoint.
  EXPECT_EQ(families.size(), Families().size() - 4 - (GetParam() != kText));
  EXPECT_FALSE(families.contains("encoder"));
}

TEST(Candidates, OnlyTheFamiliesAskedFor) {
  const auto candidates = EnumerateCandidates(kText, {"fasttext"});
  ASSERT_TRUE(candidates.has_value());
  for (const Candidate& candidate : *candidates)
    EXPECT_EQ(candidate.family, "fasttext");
}

TEST(Candidates, OneMayBeAskedForByName) {
  const auto candidates = EnumerateCandidates(kText, {"linear, characters"});
  ASSERT_TRUE(candidates.has_value());
  ASSERT_EQ(candidates->size(), 1U);
  EXPECT_EQ(candidates->front().name, "linear, characters");
  EXPECT_TRUE(candidates->front().first_of_family);
}

// Before the module is opened, which is done once.
TEST(Candidates, AMissingModuleIsAnErrorWhenNamed) {
  ASSERT_EQ(setenv("MODICUM_MODULES", "/nonexistent", 1), 0);
  const auto candidates = EnumerateCandidates(kText, {"linear", "encoder"});
  EXPECT_TRUE(EnumerateCandidates(kText, {}));
  unsetenv("MODICUM_MODULES");
  ASSERT_FALSE(candidates);
  EXPECT_EQ(candidates.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(candidates.error().message,
            "module libmodicum-ggml.so is not installed (searched "
            "/nonexistent)");
  EXPECT_EQ(candidates.error().hint,
            "install the package modicum-engines, or build it: tools/llama && "
            "cmake --preset release && cmake --build build/release");
}

TEST(Candidates, EncodersWhenNamed) {
  const auto candidates = EnumerateCandidates(kText, {"linear", "encoder"});
  if (!candidates) {  // built without llama.cpp
    EXPECT_EQ(candidates.error().code, ErrorCode::kUnavailable);
    GTEST_SKIP() << candidates.error().message;
  }
  ASSERT_GT(candidates->size(), 3U);
  const auto encoders = std::span(*candidates).last(3);
  EXPECT_EQ(encoders[0].name, "encoder, 1 layer of 64");
  EXPECT_TRUE(encoders[0].first_of_family);
  EXPECT_EQ(encoders[1].name, "encoder, 2 layers of 128");
  EXPECT_EQ(encoders[2].name, "encoder, 4 layers of 256");
  EXPECT_FALSE(EnumerateCandidates("tabular-classification", {"encoder"}));
}

TEST(Candidates, AnUnknownFamilyIsRefusedWithAHint) {
  const auto candidates = EnumerateCandidates(kText, {"liner"});
  ASSERT_FALSE(candidates.has_value());
  EXPECT_EQ(candidates.error().message,
            "families: unknown family 'liner', did you mean 'linear'?");
  EXPECT_EQ(
      candidates.error().hint,
      "families are: majority, linear, fasttext, forest, boosted, encoder");
  EXPECT_FALSE(EnumerateCandidates("tabular-classification", {"fasttext"}));
}

Networks TwoNetworks() {
  return {{{"m/small.gguf", "small", "00", true},
           {"m/encoder.gguf", "encoder", "11", false}},
          {{"template", std::string("{text} {label}")}}};
}

TEST(Candidates, EveryNetworkIsTriedAndOnlyDecodersArePrompted) {
  const auto candidates = EnumerateCandidates(kText, {}, TwoNetworks());
  ASSERT_TRUE(candidates.has_value());
  std::map<std::string, int> first;
  std::vector<std::string> families;
  for (const Candidate& candidate : *candidates) {
    if (candidate.first_of_family) ++first[candidate.family];
    if (families.empty() || families.back() != candidate.family)
      families.push_back(candidate.family);
    if (candidate.family != "prompt") continue;
    EXPECT_EQ(Get(candidate.params, "model", std::string()), "m/small.gguf");
    EXPECT_EQ(Get(candidate.params, "template", std::string()),
              "{text} {label}");
  }
  EXPECT_EQ(first["embed+linear"], 2);
  EXPECT_EQ(first["prompt"], 1);
  std::vector<std::string> all(Families().begin(), Families().end());
  std::erase(all, "encoder");  // only when named
  std::erase(all, "remote");   // there is no endpoint
  EXPECT_EQ(families, all);
}

// As soon as the task names one; frozen or not is two candidates unless it is
// said.
TEST(Candidates, ABaseIsTriedFrozenAndNot) {
  Networks networks;
  networks.bases = {{"m/bert.gguf", "bert", "11", false}};
  const auto named = [&] {
    std::vector<std::string> names;
    const auto candidates = EnumerateCandidates(kText, {}, networks);
    EXPECT_TRUE(candidates.has_value());
    for (const Candidate& candidate : *candidates) {
      if (candidate.family != "encoder") continue;
      names.push_back(candidate.name);
      EXPECT_EQ(candidate.first_of_family, names.size() == 1);
      EXPECT_EQ(Get(candidate.params, "model", std::string()), "m/bert.gguf");
      EXPECT_EQ(Get(candidate.params, "frozen", false),
                candidate.name.ends_with("frozen"));
    }
    return names;
  };
  EXPECT_EQ(named(), (std::vector<std::string>{"encoder, bert, frozen",
                                               "encoder, bert"}));
  networks.frozen = false;
  EXPECT_EQ(named(), std::vector<std::string>{"encoder, bert"});
  networks.frozen = true;
  EXPECT_EQ(named(), std::vector<std::string>{"encoder, bert, frozen"});
}

// Every encoder whose body learns, and no other candidate.
TEST(Candidates, PretrainingIsOfEncodersAlone) {
  Networks networks;
  networks.bases = {{"m/bert.gguf", "bert", "11", false}};
  networks.pretraining = {{"pretrain", int64_t{5}}};
  const auto candidates =
      EnumerateCandidates(kText, {"linear", "encoder"}, networks);
  ASSERT_TRUE(candidates.has_value());
  size_t pretrained = 0;
  for (const Candidate& candidate : *candidates) {
    const bool wanted = candidate.family == "encoder" &&
                        !Get(candidate.params, "frozen", false);
    EXPECT_EQ(candidate.params.contains("pretrain"), wanted) << candidate.name;
    pretrained += wanted ? 1 : 0;
  }
  EXPECT_EQ(pretrained, 4U);
  networks.bases.clear();
  EXPECT_EQ(EnumerateCandidates(kText, {"linear"}, networks).error().message,
            "encoder.pretrain: no encoder is tried that could be pretrained");
}

TEST(Candidates, FamiliesMustNotLeaveOutWhatTheTaskNames) {
  const auto refusal = [](const Networks& networks) {
    const auto candidates = EnumerateCandidates(kText, {"linear"}, networks);
    EXPECT_FALSE(candidates);
    return candidates ? "" : candidates.error().message;
  };
  Networks networks = TwoNetworks();
  EXPECT_EQ(refusal(networks),
            "families leaves out 'embed+linear, small', which models names");
  // One of them is enough.
  EXPECT_TRUE(EnumerateCandidates(kText, {"linear", "prompt"}, networks));
  networks = {};
  networks.remotes = {{{"name", std::string("far")}}};
  EXPECT_EQ(refusal(networks),
            "families leaves out 'remote, far', which [[remote]] names");
  networks = {};
  networks.bases = {{"m/bert.gguf", "bert", "11", false}};
  EXPECT_EQ(
      refusal(networks),
      "families leaves out 'encoder, bert, frozen', which encoder.base names");
}

TEST(Candidates, AnotherFileOfTheSameNameIsAnotherModel) {
  Networks networks = TwoNetworks();
  const auto before = EnumerateCandidates(kText, {"prompt, small"}, networks);
  networks.files[0].sha256 = "22";
  const auto after = EnumerateCandidates(kText, {"prompt, small"}, networks);
  ASSERT_TRUE(before && after);
  EXPECT_NE(HashOf(before->front()), HashOf(after->front()));
}

TEST(Candidates, AFamilyThatNeedsANetworkSaysSo) {
  const auto candidates = EnumerateCandidates(kText, {"prompt"});
  ASSERT_FALSE(candidates.has_value());
  EXPECT_EQ(candidates.error().message,
            "families: 'prompt' needs a network to run");
}

// Reads text of two words; only what passes ask of the data matters.
TEST(PassesOver, GivesEveryPassOnceMildestFirst) {
  Dataset data;
  data.labels = {"a", "b"};
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < 200; ++i) {
    Item item;
    item.id = i;
    item.group = i / 4;
    item.payload = Text{"word" + std::to_string(i)};
    item.label = static_cast<LabelIndex>(i % 2);
    data.items.push_back(item);
    rows.push_back(i);
  }
  const auto candidates = EnumerateCandidates(kText, {"linear"});
  ASSERT_TRUE(candidates.has_value());
  const Candidate& linear = candidates->front();
  std::set<std::string> passes;
  for (const auto& list : PassesOver(linear, data, rows, 2)) {
    ASSERT_FALSE(list.empty());
    for (const Candidate& variant : list) {
      EXPECT_EQ(variant.passes.size(), 1U);
      EXPECT_EQ(variant.passes[0].pass, list[0].passes[0].pass);
      EXPECT_NE(HashOf(variant), HashOf(linear));
      EXPECT_FALSE(variant.first_of_family);
    }
    EXPECT_TRUE(passes.insert(list[0].passes[0].pass).second);
    // A pass is not done twice, and data comes before the training.
    for (const auto& next : PassesOver(list[0], data, rows, 2))
      EXPECT_NE(next[0].passes[1].pass, list[0].passes[0].pass);
  }
  EXPECT_TRUE(passes.contains("prune"));
  EXPECT_TRUE(passes.contains("dedupe"));
  EXPECT_TRUE(passes.contains("run"));
  EXPECT_TRUE(
      PassesOver(WithPass(linear, {kRunStep, {}}), data, rows, 2).empty());
  const Candidate pruned = WithPass(linear, {"prune", {{"keep", 0.5}}});
  EXPECT_EQ(pruned.name, "linear; prune keep=0.5");
  for (const auto& next : PassesOver(pruned, data, rows, 2))
    EXPECT_NE(next[0].passes[1].pass, "dedupe");
}

TEST(Candidates, AnEndpointIsOneAndGoesThroughNoPass) {
  Networks networks;
  networks.remotes = {{{"name", std::string("small-api")},
                       {"url", std::string("https://api.example.com/v1")},
                       {"model", std::string("small-1")}}};
  const auto candidates =
      EnumerateCandidates("text-classification", {"remote"}, networks);
  ASSERT_TRUE(candidates) << candidates.error().message;
  ASSERT_EQ(candidates->size(), 1U);
  EXPECT_EQ(candidates->front().name, "remote, small-api");
  EXPECT_TRUE(PassesOver(candidates->front(), {}, {}, 2).empty());
  const auto none = EnumerateCandidates("text-classification", {"remote"}, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message,
            "families: 'remote' needs an endpoint to ask");
}

}  // namespace
}  // namespace modicum
