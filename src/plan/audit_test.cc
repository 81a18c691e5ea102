// SPDX-License-Identifier: Apache-2.0
#include "plan/audit.h"

#include <gtest/gtest.h>

#include <string>

namespace modicum {
namespace {

const Accelerator& A100() { return **FindAccelerator("a100-80"); }

std::vector<Claim> Parsed(std::string_view text) {
  auto claims = ParseClaims(text, "test");
  EXPECT_TRUE(claims) << text;
  return claims ? *std::move(claims) : std::vector<Claim>();
}

// The verdict of one rule on the first claim; unverifiable when it is silent.
Verdict Of(std::span<const Claim> claims, std::string_view rule) {
  for (const Finding& f : AuditClaims(claims, A100()))
    if (f.rule == rule && f.claim == claims.data()) return f.verdict;
  return Verdict::kUnverifiable;
}
Verdict Of(std::string_view text, std::string_view rule) {
  return Of(Parsed(text), rule);
}

TEST(ClaimsTest, ReadsNumbersUnitsAndRanges) {
  const auto claims = Parsed(
      "7B parameters on 1.4T tokens: 2,048 A100, 21 days, 2,638 MWh, 5-10x");
  ASSERT_EQ(claims.size(), 1u);
  const Claim& claim = claims[0];
  EXPECT_EQ(claim.Find(ClaimKind::kParameters)->mid(), 7e9);
  EXPECT_EQ(claim.Find(ClaimKind::kTokens)->mid(), 1.4e12);
  EXPECT_EQ(claim.Find(ClaimKind::kGpus)->mid(), 2048);
  EXPECT_EQ(claim.Find(ClaimKind::kTime)->mid(), 504);
  EXPECT_EQ(claim.Find(ClaimKind::kEnergy)->mid(), 2638e3);
  EXPECT_EQ(claim.Find(ClaimKind::kFactor)->low, 5);
  EXPECT_EQ(claim.Find(ClaimKind::kFactor)->high, 10);
  ASSERT_NE(claim.chip, nullptr);
  EXPECT_EQ(claim.chip->id, "a100-80");
}

TEST(ClaimsTest, NamesAreNoQuantities) {
  EXPECT_FALSE(ParseClaims("GPT-3.5, Llama-2-7B and the A100", "test"));
}

TEST(ClaimsTest, MoneyKnowsWhatItIsFor) {
  const auto claims = Parsed("$700k per day or 36 cents/query, €2.41M");
  EXPECT_EQ(claims[0].Find(ClaimKind::kMoneyPerDay)->mid(), 700e3);
  EXPECT_EQ(claims[0].Find(ClaimKind::kMoneyPerQuery)->mid(), 0.36);
  EXPECT_EQ(claims[0].Find(ClaimKind::kMoney)->mid(), 2.41e6);
}

TEST(ClaimsTest, MarkdownAndCsvAreReadAlike) {
  const auto markdown = Parsed(
      "| model | parameters (B) | energy (MWh) |\n|---|---|---|\n"
      "| x | 7 | 12 |\n");
  const auto csv = Parsed("model,parameters (B),energy (MWh)\nx,7,12\n");
  for (const auto& claims : {markdown, csv}) {
    ASSERT_EQ(claims.size(), 1u);
    EXPECT_EQ(claims[0].subject, "x");
    EXPECT_EQ(claims[0].Find(ClaimKind::kParameters)->mid(), 7e9);
    EXPECT_EQ(claims[0].Find(ClaimKind::kEnergy)->mid(), 12e3);
  }
}

TEST(AuditTest, PowerThatIsEnergyIsAUnitError) {
  const std::string table =
      "| model | GPUs | days | power (kW) |\n|---|---|---|---|\n"
      "| x | 164 | 180.5 | 355,224 |\n";
  const auto claims = Parsed(table);
  EXPECT_EQ(Of(claims, "power per GPU"), Verdict::kUnitError);
  EXPECT_NE(AuditClaims(claims, A100())[0].arithmetic.find("= 500 W per GPU"),
            std::string::npos);
}

TEST(AuditTest, MoreThanThePeakIsImpossible) {
  EXPECT_EQ(
      Of("20B parameters, 300B tokens, 16 GPUs, 20.6 days", "training FLOP"),
      Verdict::kImpossible);
  EXPECT_EQ(
      Of("65B parameters, 1.4T tokens, 2,048 A100, 21 days", "training FLOP"),
      Verdict::kConsistent);
}

TEST(AuditTest, AnotherVersionIsAnotherModel) {
  EXPECT_EQ(Of("GPT-3 took 1,300 MWh", "published run"), Verdict::kConsistent);
  EXPECT_EQ(Of("GPT-3.5 took 1,300 MWh", "published run"),
            Verdict::kUnverifiable);
}

struct Scaled {
  std::string_view rule, text;
  ClaimKind kind;
};

// What was consistent is not, a hundred times as large or as small.
TEST(AuditTest, AHundredTimesAConsistentFigureIsFound) {
  const Scaled rows[] = {
      {"memory per parameter", "175B parameters, 4,200 GB", ClaimKind::kMemory},
      {"stored bytes", "7B parameters need 14 GB of storage",
       ClaimKind::kStorage},
      {"energy per GPU-hour", "100 A100, 10 days, 10 MWh", ClaimKind::kEnergy},
      {"training FLOP", "65B parameters, 1.4T tokens, 2,048 A100, 21 days",
       ClaimKind::kTokens},
      {"optimal tokens", "compute-optimal: 70B parameters, 1.4T tokens",
       ClaimKind::kOptimalTokens},
      {"price per GPU-hour", "$2M for 1M A100-hours", ClaimKind::kMoney},
      {"price per GPU", "350,000 H100 for $10B", ClaimKind::kMoney},
      {"carbon intensity", "754.66 kWh and 178.97 kg CO2e", ClaimKind::kCarbon},
      {"queries per user", "$700k/day, 0.36 cents per query, 180M users",
       ClaimKind::kMoneyPerQuery},
      {"energy of servers", "1.5M servers of 6.5 kW take 85.4 TWh",
       ClaimKind::kEnergy},
      {"phone charges", "0.012 kWh is one phone charge", ClaimKind::kEnergy},
      {"hours of streaming", "77 kWh is 1,000 hours of streaming",
       ClaimKind::kEnergy},
      {"car by distance", "1,594 g CO2e, 6.6 km", ClaimKind::kCarbon},
      {"active share", "96.6B active of 1.2T parameters, 8 %",
       ClaimKind::kActive},
      {"storage times a factor",
       "7B parameters, 28 GB of storage, training takes 4x",
       ClaimKind::kStorage},
      {"ratio of costs", "$0.004 per query on a CPU, $0.001 per query: 4x",
       ClaimKind::kFactor},
      {"energy of a task", "text generation: 0.047 kWh per 1,000 inferences",
       ClaimKind::kEnergy},
      {"published run", "GPT-3 took 1,287 MWh", ClaimKind::kEnergy}};
  for (const Scaled& row : rows) {
    std::vector<Claim> claims = Parsed(row.text);
    EXPECT_EQ(Of(claims, row.rule), Verdict::kConsistent) << row.text;
    for (const double factor : {100.0, 0.01}) {
      std::vector<Claim> scaled = claims;
      for (ClaimQuantity& q : scaled[0].quantities)
        if (q.kind == row.kind) {
          q.low *= factor;
          q.high *= factor;
        }
      const Verdict verdict = Of(scaled, row.rule);
      EXPECT_NE(verdict, Verdict::kConsistent) << row.text << " x " << factor;
      EXPECT_NE(verdict, Verdict::kUnverifiable) << row.text;
    }
  }
}

TEST(AuditTest, TwentyTimesTheFileIsTwentyBytesMisread) {
  const auto claims =
      Parsed("175B parameters, 700 GB of storage, training takes 20x");
  EXPECT_EQ(Of(claims, "storage times a factor"), Verdict::kInconsistent);
  std::string text;
  for (const Finding& f : AuditClaims(claims, A100()))
    if (f.rule == "storage times a factor") text = f.arithmetic;
  EXPECT_EQ(text,
            "20x x 700 GB = 14,000 GB = 80 bytes per parameter; training takes "
            "8 to 40; 20 bytes per parameter, not times?");
}

TEST(AuditTest, MarginsFollowFromCostAndPrice) {
  const char* const kRule = "gross margin";
  EXPECT_EQ(Of("$2 cost, $4 price: a gross margin of 50 %", kRule),
            Verdict::kConsistent);
  EXPECT_EQ(Of("$2 cost, $4 price: a gross margin of 80 %", kRule),
            Verdict::kInconsistent);
  EXPECT_EQ(Of("a gross margin of 120 %", kRule), Verdict::kImpossible);
  EXPECT_EQ(Of("a gross margin of 80 %", kRule), Verdict::kUnverifiable);
}

TEST(AuditTest, DaysThatIgnoreTheGpusAreFound) {
  const std::string head =
      "| model | parameters | GPUs | days |\n|---|---|---|---|\n";
  const auto verdict = [&](const std::string& rows) {
    const auto claims = Parsed(head + rows);
    for (const Finding& f : AuditClaims(claims, A100()))
      if (f.rule == "days by parameters") return f.verdict;
    return Verdict::kUnverifiable;
  };
  EXPECT_EQ(verdict("| a | 175B | 164 | 180.5 |\n| b | 20B | 16 | 20.6 |\n"
                    "| c | 7B | 6 | 7.2 |\n"),
            Verdict::kInconsistent);
  EXPECT_EQ(verdict("| a | 175B | 164 | 180 |\n| b | 20B | 16 | 211 |\n"
                    "| c | 7B | 6 | 197 |\n"),
            Verdict::kConsistent);
  EXPECT_EQ(verdict("| a | 175B | 8 | 180.5 |\n| b | 20B | 8 | 20.6 |\n"
                    "| c | 7B | 8 | 7.2 |\n"),
            Verdict::kUnverifiable);
}

TEST(AuditTest, EveryClaimGetsAFinding) {
  const auto claims = Parsed("7B parameters\n\n1,000 images\n");
  const auto findings = AuditClaims(claims, A100());
  ASSERT_EQ(findings.size(), 2u);
  for (const Finding& finding : findings)
    EXPECT_EQ(finding.verdict, Verdict::kUnverifiable);
}

}  // namespace
}  // namespace modicum
