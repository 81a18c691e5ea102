// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

TEST(PrometheusText, WritesEveryFamilyThatHasAName) {
  const std::vector<MetricFamily> families = {
      {"a_joules_total", "a", "J", "Energy.", true, {{{}, 1.5}}},
      {"", "hw.energy", "J", "not for Prometheus", true, {{{}, 7}}},
      {"b_watts",
       "b",
       "W",
       "Power.",
       false,
       {{{{"name", "x"}, {"bound", "low"}}, 0.1}, {{{"name", "y"}}, 3}}}};
  EXPECT_EQ(PrometheusText(families),
            "# HELP a_joules_total Energy.\n"
            "# TYPE a_joules_total counter\n"
            "a_joules_total 1.5\n"
            "# HELP b_watts Power.\n"
            "# TYPE b_watts gauge\n"
            "b_watts{name=\"x\",bound=\"low\"} 0.1\n"
            "b_watts{name=\"y\"} 3\n");
}

TEST(PrometheusText, EscapesWhatWouldEndALabel) {
  const std::vector<MetricFamily> families = {
      {"a", "a", "1", "A.", false, {{{{"name", "q\" b\\ n\n"}}, 1}}}};
  EXPECT_EQ(PrometheusText(families),
            "# HELP a A.\n# TYPE a gauge\na{name=\"q\\\" b\\\\ n\\n\"} 1\n");
}

}  // namespace
}  // namespace modicum
