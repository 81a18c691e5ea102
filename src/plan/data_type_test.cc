// SPDX-License-Identifier: Apache-2.0
#include "plan/data_type.h"

#include <gtest/gtest.h>

#include <set>

namespace modicum {
namespace {

TEST(DataTypeTest, IsFoundInAnyCase) {
  ASSERT_NE(FindDataType("BF16"), nullptr);
  EXPECT_EQ(FindDataType("bf16")->bits, 16);
  EXPECT_EQ(FindDataType("bf17"), nullptr);
}

TEST(DataTypeTest, NamesAreDistinctAndBitsPlausible) {
  std::set<std::string_view> names;
  for (const DataType& type : DataTypes()) {
    EXPECT_TRUE(names.insert(type.name).second) << type.name;
    EXPECT_GE(type.bits, 1) << type.name;
    EXPECT_LE(type.bits, 32) << type.name;
  }
}

}  // namespace
}  // namespace modicum
