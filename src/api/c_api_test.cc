// SPDX-License-Identifier: Apache-2.0
// The C API as a program has it: the header and libmodicum.so.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <modicum/modicum.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <ctime>
#include <thread>
#include <vector>

#include "api/recorded_machine.h"

namespace modicum_test {
namespace {

using testing::HasSubstr;
using testing::StrEq;

// Long enough for what is drawn in it to be physically possible.
void Wait() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

class CApi : public RecordedMachine {
 protected:
  CApi() {
    modicum_options_init(&options_, sizeof options_);
    options_.subject = MODICUM_SUBJECT_MACHINE;
  }
  ~CApi() override { modicum_close(meter_); }

  void Open() {
    ASSERT_EQ(modicum_open(&options_, &meter_), MODICUM_OK)
        << modicum_error_message();
  }
  // A look at it fixes its beginning: between two samples it is interpolated.
  modicum_window Begin(modicum_edge edge = MODICUM_EDGE_EXACT) {
    modicum_window window = 0;
    EXPECT_EQ(modicum_begin(meter_, "train", edge, &window), MODICUM_OK);
    modicum_result* so_far = nullptr;
    EXPECT_EQ(modicum_peek(meter_, window, &so_far), MODICUM_OK);
    modicum_result_free(so_far);
    return window;
  }
  modicum_figures End(modicum_window window) {
    modicum_result* result = nullptr;
    EXPECT_EQ(modicum_end(meter_, window, 0, &result), MODICUM_OK)
        << modicum_error_message();
    modicum_figures figures{};
    EXPECT_EQ(modicum_result_figures(result, &figures, sizeof figures),
              MODICUM_OK);
    modicum_result_free(result);
    return figures;
  }
  // Of a window in which one was drawn.
  modicum_figures OfOneJoule() {
    const modicum_window window = Begin();
    Draw(1'000'000);
    Wait();
    return End(window);
  }
  void ExpectError(modicum_status status, modicum_status expected,
                   const std::string& message) {
    EXPECT_EQ(status, expected);
    EXPECT_THAT(modicum_error_message(), HasSubstr(message));
    EXPECT_THAT(modicum_error_hint(), testing::Not(StrEq("")));
  }

  modicum_options options_;
  modicum_meter* meter_ = nullptr;
};

TEST_F(CApi, AWindowHoldsWhatTheCounterSays) {
  Open();
  Draw(3'000'000);
  Wait();
  const modicum_window window = Begin();
  Draw(2'000'000);
  Wait();
  const modicum_figures figures = End(window);
  EXPECT_NEAR(figures.energy_j.mid, 2, 1e-9);
  EXPECT_NEAR(figures.measured_j.mid, 2, 1e-9);
  EXPECT_LT(figures.energy_j.low, 2);
  EXPECT_GT(figures.energy_j.high, 2);
  EXPECT_EQ(figures.energy_j.origin, MODICUM_ORIGIN_COUNTER);
  EXPECT_GE(figures.wall_s, 0.02);
  EXPECT_GT(figures.started_unix_s, 1e9);
  EXPECT_GT(figures.carbon_g.mid, 0);
  EXPECT_GT(figures.water_l.mid, 0);
  EXPECT_EQ(figures.short_window, 0);
  EXPECT_GE(figures.pue, 1);
}

TEST_F(CApi, AWindowOfFewUpdatesIsFlagged) {
  Open();
  modicum_window window = 0;
  ASSERT_EQ(modicum_begin(meter_, nullptr, MODICUM_EDGE_STAMPED, &window),
            MODICUM_OK);
  EXPECT_EQ(End(window).short_window, 1);
}

TEST_F(CApi, WindowsNestAndOverlap) {
  Open();
  const modicum_window outer = Begin();
  Draw(1'000'000);
  Wait();
  const modicum_window inner = Begin();
  Draw(1'000'000);
  Wait();
  const modicum_window late = Begin();
  Draw(1'000'000);
  Wait();
  EXPECT_NEAR(End(inner).energy_j.mid, 2, 1e-9);
  Draw(1'000'000);
  Wait();
  EXPECT_NEAR(End(outer).energy_j.mid, 4, 1e-9);
  EXPECT_NEAR(End(late).energy_j.mid, 2, 1e-9);
}

TEST_F(CApi, AModelledMachineBillsTheProcessForItsCpuTime) {
  Take("epyc-no-rapl-vm");
  options_.subject = MODICUM_SUBJECT_TREE;
  Open();
  const modicum_window window = Begin(MODICUM_EDGE_STAMPED);
  const clock_t until = clock() + CLOCKS_PER_SEC / 50;
  while (clock() < until) {
  }
  const modicum_figures figures = End(window);
  EXPECT_GE(figures.cpu_s, 0.019);
  EXPECT_GT(figures.energy_j.mid, 0);
  EXPECT_EQ(figures.energy_j.origin, MODICUM_ORIGIN_MODELLED);
}

TEST_F(CApi, PhasesAreResultsOfTheirOwn) {
  Open();
  const modicum_window window = Begin();
  EXPECT_EQ(modicum_phase(meter_, window, "load"), MODICUM_OK);
  Wait();
  EXPECT_EQ(modicum_phase(meter_, window, "compute"), MODICUM_OK);
  Wait();
  EXPECT_EQ(modicum_phase(meter_, window, nullptr), MODICUM_OK);
  modicum_result* result = nullptr;
  ASSERT_EQ(modicum_end(meter_, window, 0, &result), MODICUM_OK);
  ASSERT_EQ(modicum_result_count(result, MODICUM_LIST_PHASES), 2U);
  EXPECT_THAT(modicum_result_item(result, MODICUM_LIST_PHASES, 1),
              StrEq("compute"));
  modicum_figures all{};
  modicum_figures load{};
  modicum_result_figures(result, &all, sizeof all);
  modicum_result_figures(modicum_result_phase(result, 0), &load, sizeof load);
  EXPECT_GE(load.wall_s, 0.02);
  EXPECT_GE(all.wall_s, 2 * 0.02);
  EXPECT_EQ(modicum_result_phase(result, 2), nullptr);
  modicum_result_free(result);
}

TEST_F(CApi, APeekShowsTheWindowSoFar) {
  Open();
  const modicum_window window = Begin();
  Draw(1'000'000);
  Wait();
  modicum_result* so_far = nullptr;
  ASSERT_EQ(modicum_peek(meter_, window, &so_far), MODICUM_OK);
  modicum_figures figures{};
  modicum_result_figures(so_far, &figures, sizeof figures);
  EXPECT_NEAR(figures.energy_j.mid, 1, 1e-9);
  modicum_result_free(so_far);
  Draw(1'000'000);
  Wait();
  EXPECT_NEAR(End(window).energy_j.mid, 2, 1e-9);
}

TEST_F(CApi, ComponentsAreTheEnergy) {
  Open();
  const modicum_window window = Begin();
  Draw(2'000'000);
  Wait();
  modicum_result* result = nullptr;
  ASSERT_EQ(modicum_end(meter_, window, 0, &result), MODICUM_OK);
  double sum = 0;
  for (size_t i = 0; i < modicum_result_components(result); ++i) {
    modicum_component component{};
    ASSERT_EQ(modicum_result_component(result, i, &component), MODICUM_OK);
    EXPECT_THAT(component.probe, StrEq("rapl"));
    sum += component.energy_j.mid;
  }
  EXPECT_NEAR(sum, 2, 1e-9);
  modicum_component none{};
  ExpectError(modicum_result_component(result, 99, &none), MODICUM_NOT_FOUND,
              "no such component");
  modicum_result_free(result);
}

TEST_F(CApi, TextsAreThoseOfTheProgram) {
  Open();
  modicum_result* result = nullptr;
  ASSERT_EQ(modicum_end(meter_, Begin(), 0, &result), MODICUM_OK);
  EXPECT_THAT(modicum_result_text(result, MODICUM_TEXT_NAME), StrEq("train"));
  EXPECT_EQ(std::strlen(modicum_result_text(result, MODICUM_TEXT_RUN_ID)), 36U);
  EXPECT_THAT(modicum_result_text(result, MODICUM_TEXT_PLACE), StrEq("Poland"));
  EXPECT_THAT(modicum_result_text(result, MODICUM_TEXT_BILL),
              HasSubstr("energy"));
  EXPECT_THAT(modicum_result_text(result, MODICUM_TEXT_JSON),
              HasSubstr("\"kind\": \"window\""));
  EXPECT_THAT(modicum_result_text(result, MODICUM_TEXT_RECORD_ERROR),
              StrEq(""));
  EXPECT_GT(modicum_result_count(result, MODICUM_LIST_MISSING), 0U);
  EXPECT_EQ(modicum_result_item(result, MODICUM_LIST_MISSING, 99), nullptr);
  modicum_result_free(result);
}

TEST_F(CApi, OptionsComeBeforeTheEnvironment) {
  options_.region = "Sweden";
  options_.pue = 1.5;
  options_.intensity_g_per_kwh = 360;
  Open();
  const modicum_figures figures = OfOneJoule();
  EXPECT_DOUBLE_EQ(figures.pue, 1.5);
  // 1 J = 1 / 3.6e6 kWh
  EXPECT_NEAR(figures.carbon_g.mid, 1.5 * 360 / 3.6e6, 1e-12);
}

TEST_F(CApi, TheContractsCarbonStandsBesideTheGrids) {
  Open();
  EXPECT_TRUE(std::isnan(End(Begin()).market_carbon_g.mid));
  modicum_close(meter_);
  options_.pue = 1.5;
  options_.intensity_g_per_kwh = 360;
  options_.market_intensity_g_per_kwh = 36;
  Open();
  const modicum_figures figures = OfOneJoule();
  EXPECT_NEAR(figures.carbon_g.mid, 1.5 * 360 / 3.6e6, 1e-12);
  EXPECT_NEAR(figures.market_carbon_g.mid, 1.5 * 36 / 3.6e6, 1e-12);
}

TEST_F(CApi, AFileOfHoursThatIsNotThereIsNamed) {
  const std::string path = folder_ + "/hours.csv";
  options_.intensity_file = path.c_str();
  modicum_meter* meter = nullptr;
  ExpectError(modicum_open(&options_, &meter), MODICUM_NOT_FOUND, path.c_str());
}

TEST_F(CApi, ARunIsRecordedWhereThatIsAsked) {
  const std::string ledger = folder_ + "/own.sqlite";
  options_.ledger = ledger.c_str();
  options_.record = 1;
  Open();
  End(Begin());
  EXPECT_TRUE(fs::exists(ledger));
}

TEST_F(CApi, NothingIsRecordedUnasked) {
  Open();
  End(Begin());
  EXPECT_FALSE(fs::exists(folder_ + "/ledger.sqlite"));
}

// As on a full disk: no file can grow.
TEST_F(CApi, AResultOutlivesALedgerThatFails) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    options_.record = 1;
    Open();
    const modicum_window window = Begin();
    const rlimit none{1, 1};
    modicum_result* result = nullptr;
    const bool kept =
        setrlimit(RLIMIT_FSIZE, &none) == 0 &&
        modicum_end(meter_, window, 0, &result) != MODICUM_OK &&
        result != nullptr &&
        *modicum_result_text(result, MODICUM_TEXT_RECORD_ERROR) != '\0';
    _exit(kept ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(CApi, ARowIsAppendedWithTheCallersLabels) {
  Open();
  modicum_result* result = nullptr;
  ASSERT_EQ(modicum_end(meter_, Begin(), 0, &result), MODICUM_OK);
  const std::string path = folder_ + "/emissions.csv";
  const char* labels[] = {"experiment_id", "e-1", nullptr};
  EXPECT_EQ(modicum_result_append_csv(result, path.c_str(), labels),
            MODICUM_OK);
  std::ifstream file(path);
  std::string header;
  std::string row;
  std::getline(file, header);
  std::getline(file, row);
  EXPECT_THAT(header, testing::StartsWith("timestamp,project_name,run_id,"));
  EXPECT_THAT(row, HasSubstr(",e-1,"));
  const char* odd[] = {"experiment_id", nullptr};
  ExpectError(modicum_result_append_csv(result, path.c_str(), odd),
              MODICUM_INVALID_INPUT, "label 'experiment_id' has no text");
  modicum_result_free(result);
}

TEST_F(CApi, WhatIsWrongIsNamedWithWhatToDo) {
  options_.region = "Polnd";
  ExpectError(modicum_open(&options_, &meter_), MODICUM_NOT_FOUND,
              "unknown region 'Polnd', did you mean 'Poland'?");
  EXPECT_EQ(meter_, nullptr);
  options_.region = nullptr;
  options_.pue = 0.5;
  ExpectError(modicum_open(&options_, &meter_), MODICUM_INVALID_INPUT,
              "pue: 0.5 is out of bounds");
  options_.pue = NAN;
  options_.subject = 9;
  ExpectError(modicum_open(&options_, &meter_), MODICUM_INVALID_INPUT,
              "subject 9 is none");
  options_.subject = MODICUM_SUBJECT_TREE;
  options_.size = 0;
  ExpectError(modicum_open(&options_, &meter_), MODICUM_INVALID_INPUT,
              "modicum_options.size is not set");
  ExpectError(modicum_open(&options_, nullptr), MODICUM_INVALID_INPUT,
              "meter is NULL");
  ExpectError(modicum_end(nullptr, 1, 0, nullptr), MODICUM_INVALID_INPUT,
              "meter is NULL");
}

TEST_F(CApi, AWindowEndsOnce) {
  Open();
  const modicum_window window = Begin();
  End(window);
  ExpectError(modicum_end(meter_, window, 0, nullptr), MODICUM_NOT_FOUND,
              "the window was ended already");
  ExpectError(modicum_phase(meter_, window, "late"), MODICUM_NOT_FOUND,
              "the window was ended already");
}

// A program that was compiled with an older or a newer header.
TEST_F(CApi, StructsOfOtherVersionsAreTaken) {
  options_.size = offsetof(modicum_options, wue_l_per_kwh);
  options_.pue = 1.25;
  Open();
  modicum_result* result = nullptr;
  ASSERT_EQ(modicum_end(meter_, Begin(), 0, &result), MODICUM_OK);
  modicum_figures old{};
  old.pue = 77;
  EXPECT_EQ(
      modicum_result_figures(result, &old, offsetof(modicum_figures, carbon_g)),
      MODICUM_OK);
  EXPECT_GT(old.wall_s, 0);
  EXPECT_EQ(old.pue, 77);  // not ours to write
  struct {
    modicum_figures known;
    double later = 1;
  } wider;
  EXPECT_EQ(modicum_result_figures(result, &wider.known, sizeof wider),
            MODICUM_OK);
  EXPECT_EQ(wider.known.pue, 1.25);
  EXPECT_EQ(wider.later, 0);
  modicum_result_free(result);
}

TEST_F(CApi, AnOptionOfANewerHeaderIsRefusedOnlyWhenSet) {
  struct {
    modicum_options known;
    double later;
  } wider;
  modicum_options_init(&wider.known, sizeof wider);
  EXPECT_EQ(modicum_open(&wider.known, &meter_), MODICUM_OK);
  modicum_close(meter_);
  meter_ = nullptr;
  wider.later = 3;
  ExpectError(modicum_open(&wider.known, &meter_), MODICUM_INVALID_INPUT,
              "modicum_options is of a newer version");
}

TEST_F(CApi, ThreadsShareAMeterAndKeepTheirOwnErrors) {
  Open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([this, t] {
      for (int i = 0; i < 30; ++i) {
        const modicum_window window = Begin(MODICUM_EDGE_STAMPED);
        EXPECT_EQ(modicum_phase(meter_, window, "p"), MODICUM_OK);
        End(window);
        const std::string region = "x" + std::to_string(t);
        modicum_options options;
        modicum_options_init(&options, sizeof options);
        options.region = region.c_str();
        modicum_meter* none = nullptr;
        ExpectError(modicum_open(&options, &none), MODICUM_NOT_FOUND,
                    "unknown region '" + region + "'");
      }
    });
  for (std::thread& thread : threads) thread.join();
}

TEST_F(CApi, AForkedChildIsToldToOpenItsOwn) {
  Open();
  const modicum_window window = Begin();
  const pid_t child = fork();
  if (child == 0) {
    const bool refused =
        modicum_end(meter_, window, 0, nullptr) == MODICUM_UNAVAILABLE;
    modicum_close(meter_);  // returns: there is no thread to wait for
    _exit(refused ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  End(window);
}

TEST(Library, ExportsTheCApiAlone) {
  void* library = dlopen(MODICUM_LIBRARY, RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(library, nullptr);
  EXPECT_NE(dlsym(library, "modicum_open"), nullptr);
  // A function of ours that the library has inside.
  EXPECT_EQ(dlsym(library, "_ZN7modicum7VersionEv"), nullptr);
  dlclose(library);
}

TEST(Library, TellsItsVersion) {
  EXPECT_THAT(modicum_version(), testing::MatchesRegex("[0-9]+.[0-9]+.[0-9]+"));
}

}  // namespace
}  // namespace modicum_test
