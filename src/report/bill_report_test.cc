// SPDX-License-Identifier: Apache-2.0
#include "report/bill_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/terminal.h"
#include "record/fake_runs.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using RunRow = Run;  // in a TEST, Run is the test's own

TEST(BillReport, EveryFigureHasUnitIntervalAndOrigin) {
  EXPECT_EQ(FormatBill(*ExampleRun().bill),
            "time      12 s wall, 20 s CPU\n"
            "energy    120 J [53, 270] modelled, cpu package (cpu-load)\n"
            "carbon    30 mgCO2e [13, 69] assumed\n"
            "water     200 µL [88, 460] assumed\n"
            "money     under 0.0001 PLN assumed, electricity\n"
            "place     Poland; [ ] are 90 % intervals\n"
            "missing   2 GPUs present, NOT COUNTED\n"
            "warning   window shorter than ten updates of the counter\n");
}

TEST(BillReport, VerboseShowsTheSplitAndEveryFactorWithSourceAndDate) {
  const std::string text =
      FormatBill(*ExampleRun().bill, {.verbose = true, .indent = "> "});
  EXPECT_THAT(
      text,
      HasSubstr(
          "> split     210 J [92, 480] modelled on this machine, of which\n"
          ">           90 J [40, 200] modelled, active, billed\n"
          ">           30 J [13, 68] modelled, idle, billed (proportional "
          "policy)\n"
          ">           60 J [26, 140] modelled, active, of others\n"
          ">           30 J [13, 68] modelled, idle, not billed\n"
          ">           0 J modelled, not attributed\n"));
  EXPECT_THAT(text,
              HasSubstr("> factor    grid intensity, Poland, 2024 average: 600 "
                        "gCO2e/kWh (Example source, 2025)\n"
                        "> factor    PUE, typical: 1.50 (Example survey, 2024)"
                        "\n"));
}

TEST(BillReport, NetworksStandApartAndSayThatTheyAreNotInTheSum) {
  Bill bill = *ExampleRun().bill;
  bill.network = NetworkUse{
      Bytes(12e6), Exactly(Joules(330), Origin::kModelled, Scope::kNetwork)
                       .WithShared(InternSource("network model"), 1.2)};
  EXPECT_THAT(FormatBill(bill),
              HasSubstr("cpu package (cpu-load)\n"
                        "network   330 J [46, 2,400] modelled, outside of the "
                        "machine, not in the sum: 12 MB in and out, of all "
                        "processes\n"
                        "carbon "));
}

TEST(BillReport, ATariffByTheHourSaysWhatWasPaidAndWhen) {
  Bill bill = *ExampleRun().bill;
  bill.tariff =
      PaidTariff{1.004, 0, {{"day", 1.2, 0.755}, {"night", 0.4, 0.245}}};
  EXPECT_THAT(FormatBill(bill),
              HasSubstr("money     under 0.0001 PLN assumed, electricity\n"
                        "          1.00 PLN/kWh on average: day 76 %, night "
                        "24 % of the energy\n"));
  bill.tariff->by_time = 0.3;
  bill.tariff->bands = {{"day", 1.2, 0.998}, {"night", 0.4, 0.002}};
  EXPECT_THAT(FormatBill(bill),
              HasSubstr("day 100 %, night under 1 % of the energy; 30 % of it "
                        "was not metered by band and is split by time\n"));
}

TEST(BillReport, AContractsCarbonIsALineOfItsOwn) {
  Bill bill = *ExampleRun().bill;
  bill.operational_market =
      Exactly(MarketGramsCo2e(0), Origin::kAssumed, Scope::kHost);
  EXPECT_THAT(FormatBill(bill),
              HasSubstr("carbon    30 mgCO2e [13, 69] assumed, location-based\n"
                        "          0 gCO2e assumed, market-based\n"
                        "water "));
}

TEST(BillReport, IntensityByTheHourSaysMeanRangeAndWhatIsNotKnown) {
  Bill bill = *ExampleRun().bill;
  bill.intensity =
      PaidIntensity{GramsPerKilowattHour(212), GramsPerKilowattHour(180),
                    GramsPerKilowattHour(260), 0, 0};
  EXPECT_THAT(FormatBill(bill),
              HasSubstr("assumed\n          212 gCO2e/kWh on average of the "
                        "energy, 180 to 260 by the hour\nwater "));
  bill.intensity->outside = 0.25;
  bill.intensity->by_time = 0.1;
  EXPECT_THAT(FormatBill(bill),
              HasSubstr("by the hour; 25 % of it is in no hour of the series: "
                        "the place's average stands in; 10 % of it was not "
                        "metered by hour and is split by time\n"));
}

TEST(BillReport, SeveralComponentsHaveALineEach) {
  Bill bill = *ExampleRun().bill;
  const Estimate<Joules> dram{
      Joules(40), 4, {}, Origin::kCounter, Scope::kPackage};
  bill.lines.push_back({"dram", "rapl", dram});
  bill.energy = bill.energy + dram;
  EXPECT_THAT(
      FormatBill(bill),
      HasSubstr("energy    160 J [86, 300] modelled, package\n"
                "          120 J [53, 270] modelled, cpu package (cpu-load)\n"
                "          40 J [34, 47] counter, dram package (rapl)\n"));
}

TEST(BillReport, WhatIsNotCountedStandsBeforeWhatIsMerelyMissing) {
  Bill bill = *ExampleRun().bill;
  bill.missing = {"network", "2 GPUs present, NOT COUNTED", "DRAM"};
  EXPECT_THAT(FormatBill(bill),
              HasSubstr("missing   2 GPUs present, NOT COUNTED\n"
                        "missing   network, DRAM\n"));
}

TEST(BillReport, UnknownPartsAreLeftOut) {
  Bill bill = *ExampleRun().bill;
  bill.money.reset();
  EXPECT_THAT(FormatBill(bill), Not(HasSubstr("money")));
  EXPECT_THAT(FormatBill(bill), Not(HasSubstr("embodied")));
  bill.embodied = bill.operational * 2;
  EXPECT_THAT(FormatBill(bill),
              HasSubstr("embodied  60 mgCO2e [26, 140] assumed, of the "
                        "hardware\n"));
}

TEST(BillReport, ARunWithoutBillSaysWhy) {
  RunRow run = ExampleRun();
  EXPECT_THAT(FormatRunBill(run),
              ::testing::StartsWith("run 0b3c1f2a  ok, exit 0\ntime "));
  run.bill.reset();
  run.status = RunStatus::kFailed;
  run.exit_code = 3;
  EXPECT_EQ(FormatRunBill(run),
            "run 0b3c1f2a  failed, exit 3\n"
            "energy    not metered: `modicum doctor` says why\n");
  run.status = RunStatus::kRunning;
  EXPECT_EQ(FormatRunBill(run),
            "run 0b3c1f2a  running\n"
            "energy    not known: the run has not ended, or was killed\n");
}

TEST(PlainText, HasNoControlCharactersAndFits) {
  EXPECT_EQ(PlainText("a\nb\x1b[31mc\t"), "a b [31mc ");
  EXPECT_EQ(PlainText("abcdef", 6), "abcdef");
  EXPECT_EQ(PlainText("abcdefg", 6), "abcde…");
  EXPECT_EQ(PlainText("żółwie", 4), "żół…");
  FakeRecords fake(4);
  for (size_t width = 1; width < 9; ++width)
    for (int i = 0; i < 100; ++i)
      EXPECT_LE(DisplayWidth(PlainText(fake.Text() + fake.Text(), width)),
                width);
}

}  // namespace
}  // namespace modicum
