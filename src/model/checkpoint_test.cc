// SPDX-License-Identifier: Apache-2.0
#include "model/checkpoint.h"

#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "base/file.h"
#include "model/test_data.h"

namespace modicum {
namespace {

const Hash kMine = Sha256Of("mine");

TEST(Checkpoint, GivesBackWhatWasSaved) {
  const TestFolder folder;
  Checkpoint checkpoint(folder.path() + "/state");
  EXPECT_EQ(*checkpoint.Load(kMine), std::nullopt);
  ASSERT_TRUE(checkpoint.Save(kMine, "first"));
  ASSERT_TRUE(checkpoint.Save(kMine, "second"));
  EXPECT_EQ(*checkpoint.Load(kMine), "second");
  EXPECT_EQ(*checkpoint.Load(Sha256Of("another's")), std::nullopt);
  checkpoint.Remove();
  EXPECT_EQ(*checkpoint.Load(kMine), std::nullopt);
}

TEST(Checkpoint, IsDueOnceInAWhile) {
  const TestFolder folder;
  FakeClock clock;
  Checkpoint checkpoint(folder.path() + "/state", Seconds(60), clock);
  EXPECT_FALSE(checkpoint.Due());
  clock.Tick(Seconds(60));
  EXPECT_TRUE(checkpoint.Due());
  ASSERT_TRUE(checkpoint.Save(kMine, "x"));
  EXPECT_FALSE(checkpoint.Due());
}

TEST(Checkpoint, EveryDamageIsSeen) {
  const std::string whole = EncodeCheckpoint(kMine, "the state");
  ASSERT_TRUE(ParseCheckpoint(whole, kMine));
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(ParseCheckpoint(whole.substr(0, size), kMine)) << size;
  const TestFolder folder;
  const std::string path = folder.path() + "/state";
  ASSERT_TRUE(WriteFileAtomically(path, whole + "more"));
  const auto state = Checkpoint(path).Load(kMine);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(state.error().message, path + ": a damaged checkpoint");
  EXPECT_EQ(state.error().hint, "remove it to train from the start");
}

}  // namespace
}  // namespace modicum
