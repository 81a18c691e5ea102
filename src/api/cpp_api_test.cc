// SPDX-License-Identifier: Apache-2.0
// The C++ API as a program has it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <modicum/meter.hpp>
#include <thread>

#include "api/recorded_machine.h"

namespace modicum_test {
namespace {

using modicum::Edge;
using modicum::Meter;
using modicum::Options;
using modicum::Result;
using modicum::Window;
using testing::HasSubstr;

class CppApi : public RecordedMachine {
 protected:
  static Options Machine() {
    Options options;
    options.subject = modicum::Subject::kMachine;
    return options;
  }
  // "name: status exit-code" of every run in the ledger.
  std::vector<std::string> Recorded() const {
    return Select("SELECT name || ': ' || status || ' ' || exit_code FROM run");
  }
  // "inner in outer" of each window that is known to be inside of another.
  std::vector<std::string> Inside() const {
    return Select(
        "SELECT inner.name || ' in ' || outer.name FROM run_tag "
        "JOIN run AS inner ON inner.id = run_tag.run "
        "JOIN run AS outer ON outer.id = run_tag.value "
        "WHERE run_tag.key = 'inside' ORDER BY inner.name");
  }
  // The first column, of the ledger.
  std::vector<std::string> Select(const char* query) const {
    sqlite3* ledger = nullptr;
    EXPECT_EQ(sqlite3_open((folder_ + "/ledger.sqlite").c_str(), &ledger), 0);
    std::vector<std::string> rows;
    const auto add = [](void* to, int, char** row, char**) {
      static_cast<std::vector<std::string>*>(to)->emplace_back(row[0]);
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(ledger, query, add, &rows, nullptr), 0);
    sqlite3_close(ledger);
    return rows;
  }
  // `joules` drawn in `window`, over a time in which that is possible.
  void Work(const Window& window, int joules) const {
    window.Peek();  // which fixes its beginning
    Draw(joules * 1'000'000);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
};

TEST_F(CppApi, AWindowEndsWithItsResult) {
  const Meter meter(Machine());
  Window window = meter.Begin("train", Edge::kExact);
  Work(window, 2);
  const Result result = window.End();
  EXPECT_EQ(result.name(), "train");
  EXPECT_NEAR(result.energy().mid.value(), 2, 1e-9);
  EXPECT_EQ(result.energy().origin, modicum::Origin::kCounter);
  EXPECT_LT(result.energy().low, result.energy().high);
  EXPECT_EQ(result.place(), "Poland");
  ASSERT_TRUE(result.money());
  EXPECT_EQ(result.money()->currency, "EUR");
  EXPECT_THAT(result.bill(), HasSubstr("carbon"));
  double sum = 0;
  for (const modicum::Component& part : result.components())
    sum += part.energy.mid.value();
  EXPECT_NEAR(sum, 2, 1e-9);
}

TEST_F(CppApi, PhasesOutliveTheirWindowsResult) {
  const Meter meter(Machine());
  Window window = meter.Begin("job");
  window.Phase("load");
  Work(window, 1);
  window.Phase("compute");
  Work(window, 1);
  const Result whole = window.End();
  const std::vector<Result> phases = whole.phases();
  ASSERT_EQ(phases.size(), 2U);
  EXPECT_EQ(phases[1].name(), "compute");
  EXPECT_GE(phases[1].wall().value(), 0.02);
  double sum = 0;
  for (const Result& phase : phases) sum += phase.energy().mid.value();
  EXPECT_NEAR(sum, whole.energy().mid.value(), 0.05 * sum);
  EXPECT_THAT(whole.json(), HasSubstr("\"name\": \"compute\""));
}

TEST_F(CppApi, AWindowMayOutliveItsMeter) {
  auto meter = std::make_unique<Meter>(Machine());
  Window window = meter->Begin("w", Edge::kExact);
  meter.reset();
  Work(window, 1);
  EXPECT_NEAR(window.Peek().energy().mid.value(), 1, 1e-9);
  EXPECT_NEAR(window.End().energy().mid.value(), 1, 1e-9);
}

TEST_F(CppApi, EndingTwiceThrows) {
  const Meter meter;
  Window window = meter.Begin("w");
  window.End();
  try {
    window.End();
    FAIL() << "no error";
  } catch (const modicum::Error& error) {
    EXPECT_EQ(error.code(), MODICUM_NOT_FOUND);
    EXPECT_STREQ(error.what(), "the window was ended already");
    EXPECT_EQ(error.hint(), "each window is ended once");
  }
}

// A window that an exception leaves is recorded as failed.
TEST_F(CppApi, LeavingAScopeEndsItsWindow) {
  Options options = Machine();
  options.record = true;
  const Meter meter(options);
  { const Window window = meter.Begin("left"); }
  try {
    const Window window = meter.Begin("thrown");
    throw std::runtime_error("work failed");
  } catch (const std::runtime_error&) {
  }
  EXPECT_THAT(Recorded(),
              testing::UnorderedElementsAre("left: ok 0", "thrown: failed 1"));
}

// What an outer window holds, an inner one's run is not to be added to.
TEST_F(CppApi, ARecordedWindowSaysWhichOneItIsInside) {
  Options options = Machine();
  options.record = true;
  const Meter meter(options);
  Window early = meter.Begin("early");
  Window outer = meter.Begin("outer");
  Window inner = meter.Begin("inner");
  early.End();
  Window late = meter.Begin("late");
  inner.End();
  outer.End();
  late.End();
  EXPECT_THAT(Inside(), testing::ElementsAre("inner in outer"));
}

TEST_F(CppApi, AnErrorHasItsHint) {
  Options options;
  options.region = "Atlantis";
  try {
    const Meter meter(options);
    FAIL() << "no error";
  } catch (const modicum::Error& error) {
    EXPECT_EQ(error.code(), MODICUM_NOT_FOUND);
    EXPECT_STREQ(error.what(), "unknown region 'Atlantis'");
    EXPECT_THAT(error.hint(), HasSubstr("name a country"));
  }
}

}  // namespace
}  // namespace modicum_test
