// SPDX-License-Identifier: Apache-2.0
#include "report/emissions.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "base/csv.h"
#include "base/file.h"
#include "record/fake_runs.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;
using RunRow = Run;  // in a TEST, Run is the test's own

// The columns that CodeCarbon 3 writes, in its order.
constexpr std::string_view kCodeCarbon =
    "timestamp,project_name,run_id,experiment_id,duration,emissions,"
    "emissions_rate,cpu_power,gpu_power,ram_power,cpu_energy,gpu_energy,"
    "ram_energy,energy_consumed,water_consumed,country_name,country_iso_code,"
    "region,cloud_provider,cloud_region,os,python_version,codecarbon_version,"
    "cpu_count,cpu_model,gpu_count,gpu_model,longitude,latitude,"
    "ram_total_size,tracking_mode,cpu_utilization_percent,"
    "gpu_utilization_percent,ram_utilization_percent,ram_used_gb,on_cloud,pue,"
    "wue";

class EmissionsTest : public ::testing::Test {
 protected:
  EmissionsTest() {
    setenv("TZ", "UTC", 1);
    tzset();
    std::string name = "/tmp/modicum-emissions-XXXXXX";
    MODICUM_CHECK(mkdtemp(name.data()) != nullptr);
    folder_ = name;
    path_ = folder_ + "/emissions.csv";
  }
  ~EmissionsTest() override { std::filesystem::remove_all(folder_); }

  void Write(std::string_view text) const { std::ofstream(path_) << text; }
  std::string folder_;
  std::string path_;
};

// Every record of a CSV text.
std::vector<std::vector<std::string>> Records(const std::string& text) {
  CsvReader reader(text);
  std::vector<std::vector<std::string>> records;
  while (true) {
    auto record = reader.Next();
    EXPECT_TRUE(record) << record.error().message;
    if (!record || !*record) return records;
    records.push_back(**std::move(record));
  }
}

// A run's row by column name.
std::map<std::string, std::string> Row(const RunRow& run) {
  const auto records =
      Records(EmissionsHeader(EmissionsColumns::kWithOurs) + "\n" +
              EmissionsRow(run, EmissionsColumns::kWithOurs) + "\n");
  EXPECT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].size(), records[1].size());
  std::map<std::string, std::string> row;
  for (size_t i = 0; i < records[0].size(); ++i)
    row[records[0][i]] = records[1][i];
  return row;
}

TEST_F(EmissionsTest, ColumnsAreCodeCarbonsAndOursFollow) {
  EXPECT_EQ(EmissionsHeader(EmissionsColumns::kCodeCarbon), kCodeCarbon);
  const std::string all = EmissionsHeader(EmissionsColumns::kWithOurs);
  EXPECT_THAT(
      all, ::testing::StartsWith(std::string(kCodeCarbon) + ",modicum_kind,"));
}

TEST_F(EmissionsTest, FiguresAreInCodeCarbonsUnits) {
  auto row = Row(ExampleRun());
  EXPECT_EQ(row["timestamp"], "2026-01-01T00:00:12");
  EXPECT_EQ(row["duration"], "12.5");
  EXPECT_NEAR(std::stod(row["emissions"]), 30e-6, 1e-12);  // kg
  EXPECT_NEAR(std::stod(row["emissions_rate"]), 30e-6 / 12.5, 1e-12);
  EXPECT_EQ(row["cpu_power"], "9.6");  // W
  EXPECT_EQ(row["gpu_power"], "0");
  // kWh at the meter of the building: 120 J x PUE 1.5.
  EXPECT_EQ(row["cpu_energy"], "5e-05");
  EXPECT_EQ(row["energy_consumed"], "5e-05");
  EXPECT_EQ(row["water_consumed"], "0.0002");  // L
  EXPECT_EQ(row["pue"], "1.5");
  EXPECT_EQ(row["gpu_model"], "2 x H100");
  EXPECT_EQ(row["gpu_count"], "2");
  EXPECT_NEAR(std::stod(row["ram_total_size"]), 8e9 / (1ULL << 30), 1e-9);
  EXPECT_EQ(row["modicum_energy_origin"], "modelled");
  EXPECT_EQ(row["modicum_missing"], "2 GPUs present, NOT COUNTED");
}

TEST_F(EmissionsTest, ComponentsAreToldApart) {
  RunRow run = ExampleRun();
  const Estimate<Joules> part{
      Joules(36), 0, {}, Origin::kCounter, Scope::kPackage};
  run.bill->lines = {{"cpu", "rapl", part},
                     {"cpu", "rapl", part},
                     {"dram", "rapl", part * 2},
                     {"gpu", "nvml", part * 3}};
  run.bill->energy = part * 7;
  auto row = Row(run);
  const double kwh = 36 / 3.6e6 * 1.5;
  EXPECT_DOUBLE_EQ(std::stod(row["cpu_energy"]), 2 * kwh);
  EXPECT_DOUBLE_EQ(std::stod(row["ram_energy"]), 2 * kwh);
  EXPECT_DOUBLE_EQ(std::stod(row["gpu_energy"]), 3 * kwh);
  EXPECT_DOUBLE_EQ(std::stod(row["energy_consumed"]), 7 * kwh);
}

TEST_F(EmissionsTest, WithoutABillTheFiguresAreEmptyNotZero) {
  RunRow run = ExampleRun();
  run.bill.reset();
  auto row = Row(run);
  EXPECT_EQ(row["emissions"], "");
  EXPECT_EQ(row["energy_consumed"], "");
  EXPECT_EQ(row["run_id"], run.id.text);
}

TEST_F(EmissionsTest, AnyTextStaysInItsCell) {
  FakeRecords fake(12);
  for (int i = 0; i < 200; ++i) {
    const RunRow run = fake.RandomRun();
    auto row = Row(run);
    EXPECT_EQ(row["modicum_name"], run.name);
    EXPECT_EQ(row["cpu_model"], run.host.cpu_model);
  }
}

TEST_F(EmissionsTest, AppendingWritesTheHeaderOnce) {
  const std::string row =
      EmissionsRow(ExampleRun(), EmissionsColumns::kWithOurs) + "\n";
  const std::string header =
      EmissionsHeader(EmissionsColumns::kWithOurs) + "\n";
  ASSERT_TRUE(AppendEmissionsRow(path_, ExampleRun()));
  EXPECT_EQ(*ReadFile(path_), header + row);
  ASSERT_TRUE(AppendEmissionsRow(path_, ExampleRun()));
  EXPECT_EQ(*ReadFile(path_), header + row + row);
}

TEST_F(EmissionsTest, AFileThatCanBeAppendedToPassesTheCheckAndIsNotMade) {
  EXPECT_TRUE(CheckEmissionsFile(path_));
  EXPECT_FALSE(std::filesystem::exists(path_));
  ASSERT_TRUE(AppendEmissionsRow(path_, ExampleRun()));
  EXPECT_TRUE(CheckEmissionsFile(path_));
  EXPECT_EQ(CheckEmissionsFile(path_ + ".d/e.csv").error().message,
            "cannot write " + path_ + ".d/e.csv: No such file or directory");
}

TEST_F(EmissionsTest, AFileOfCodeCarbonsKeepsItsColumns) {
  // Its last line has lost its end, as a killed writer leaves it.
  Write(std::string(kCodeCarbon) + "\r\nold,row");
  ASSERT_TRUE(AppendEmissionsRow(path_, ExampleRun()));
  EXPECT_EQ(*ReadFile(path_),
            std::string(kCodeCarbon) + "\r\nold,row\n" +
                EmissionsRow(ExampleRun(), EmissionsColumns::kCodeCarbon) +
                "\n");
}

TEST_F(EmissionsTest, AFileOfAVersionBeforeKeepsItsColumns) {
  const std::string header = EmissionsHeader(EmissionsColumns::kWithOurs);
  const std::string before = header.substr(0, header.rfind(','));
  Write(before + "\n");
  ASSERT_TRUE(AppendEmissionsRow(path_, ExampleRun()));
  const std::string row =
      EmissionsRow(ExampleRun(), EmissionsColumns::kWithOurs);
  EXPECT_EQ(*ReadFile(path_),
            before + "\n" + row.substr(0, row.rfind(',')) + "\n");
}

TEST_F(EmissionsTest, OtherColumnsAreRefusedAndTheFirstDifferenceNamed) {
  const auto fault = [this](const std::string& header) {
    Write(header + "\n");
    const Status status = AppendEmissionsRow(path_, ExampleRun());
    EXPECT_EQ(CheckEmissionsFile(path_).error().message,
              status.error().message);
    EXPECT_EQ(*ReadFile(path_), header + "\n");
    return status ? "accepted" : status.error().message.substr(path_.size());
  };
  EXPECT_EQ(fault("timestamp,project_name,run_id,duration"),
            ": column 4 is 'duration', expected 'experiment_id'");
  EXPECT_EQ(fault("timestamp,project_name"),
            ": column 3 is missing, expected 'run_id'");
  EXPECT_EQ(fault(std::string(kCodeCarbon) + ",mine"),
            ": column 39 is 'mine', expected 'modicum_kind'");
  EXPECT_EQ(fault(EmissionsHeader(EmissionsColumns::kWithOurs) + ",more"),
            ": column 61 is 'more', expected no more columns");
  EXPECT_THAT(AppendEmissionsRow(path_, ExampleRun()).error().hint,
              HasSubstr("name another file"));
}

TEST_F(EmissionsTest, LabelsTakeTheirColumns) {
  ASSERT_TRUE(
      AppendEmissionsRow(path_, ExampleRun(),
                         {{"experiment_id", "e,1"}, {"country_name", "Peru"}}));
  const auto records = Records(*ReadFile(path_));
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1][3], "e,1");
  EXPECT_EQ(records[1][15], "Peru");
  EXPECT_EQ(records[1].size(), records[0].size());
}

TEST_F(EmissionsTest, AFigureIsNoLabel) {
  const Status status =
      AppendEmissionsRow(path_, ExampleRun(), {{"emissions", "0"}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "column 'emissions' cannot be given");
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_THAT(
      AppendEmissionsRow(path_, ExampleRun(), {{"regio", ""}}).error().message,
      HasSubstr("did you mean 'region'?"));
}

TEST_F(EmissionsTest, ManyWritersLoseNoRow) {
  constexpr int kWriters = 4;
  constexpr int kRows = 25;
  for (int writer = 0; writer < kWriters; ++writer) {
    if (fork() == 0) {
      for (int i = 0; i < kRows; ++i)
        if (!AppendEmissionsRow(path_, ExampleRun())) _exit(1);
      _exit(0);
    }
  }
  for (int writer = 0; writer < kWriters; ++writer) {
    int status = 0;
    wait(&status);
    EXPECT_EQ(status, 0);
  }
  const auto records = Records(*ReadFile(path_));
  EXPECT_EQ(records.size(), 1U + kWriters * kRows);
  for (const auto& record : records)
    EXPECT_EQ(record.size(), records[0].size());
}

// As one does whose disk was full.
TEST_F(EmissionsTest, ARowIsNotWrittenIntoAFileThatAnotherRemoves) {
  const int other = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  ASSERT_EQ(flock(other, LOCK_EX), 0);
  std::thread writer(
      [&] { EXPECT_TRUE(AppendEmissionsRow(path_, ExampleRun())); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // it waits
  unlink(path_.c_str());
  close(other);
  writer.join();
  EXPECT_EQ(Records(*ReadFile(path_)).size(), 2U);
}

TEST_F(EmissionsTest, WhatCannotBeWrittenIsSaid) {
  EXPECT_EQ(AppendEmissionsRow("/dev/full", ExampleRun()).error().message,
            "cannot write /dev/full: No space left on device");
  EXPECT_EQ(
      AppendEmissionsRow(folder_ + "/no/x.csv", ExampleRun()).error().message,
      "cannot write " + folder_ + "/no/x.csv: No such file or directory");
}

TEST_F(EmissionsTest, AFileThatCannotGrowKeepsWholeRows) {
  ASSERT_TRUE(AppendEmissionsRow(path_, ExampleRun()));
  const std::string before = *ReadFile(path_);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    // Room for a part of the next row.
    const rlimit limit{before.size() + 100, before.size() + 100};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(1);
    _exit(AppendEmissionsRow(path_, ExampleRun()) ? 2 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(*ReadFile(path_), before);
}

}  // namespace
}  // namespace modicum
