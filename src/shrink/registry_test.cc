// SPDX-License-Identifier: Apache-2.0
#include "shrink/registry.h"

#include <gmock/gmock.h>

#include <set>

namespace modicum {
namespace {

TEST(Passes, EveryPassIsFoundByItsName) {
  std::set<std::string_view> names;
  for (Pass* pass : Passes()) {
    EXPECT_TRUE(names.insert(pass->name()).second) << pass->name();
    EXPECT_EQ(*FindPass(pass->name()), pass);
    EXPECT_NE(pass->summary(), "");
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre(
                         "dedupe", "coreset", "prune", "8-bit", "fewer-trees",
                         "shallower", "precision", "quantize"));
}

TEST(Passes, DidYouMean) {
  const auto none = FindPass("quantise");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(none.error().message,
            "no pass 'quantise', did you mean 'quantize'?");
  EXPECT_EQ(none.error().hint,
            "there are: dedupe, coreset, prune, 8-bit, fewer-trees, shallower, "
            "precision, quantize");
}

}  // namespace
}  // namespace modicum
