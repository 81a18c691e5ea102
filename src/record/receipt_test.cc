// SPDX-License-Identifier: Apache-2.0
#include "record/receipt.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "record/fake_receipts.h"
#include "record/json.h"

namespace modicum {
namespace {

using nlohmann::json;

Receipt Example() {
  Receipt receipt;
  receipt.evidence = FakeEvidence({});
  FitResult& result = receipt.result;
  result.task = "spam";
  result.run = receipt.evidence.run;
  result.search_joules = receipt.evidence.trials[0].cost;
  CandidateRow row;
  row.name = "model 0";
  row.quality = QualityFigure{"accuracy", "test", 0.9, 0.8, 0.95, 60};
  row.joules_per_1000 = receipt.evidence.trials[0].cost;
  row.money_per_1000 = MoneyEstimate{
      Exactly(Amount(1e-9), Origin::kAssumed, Scope::kHost), {"PLN"}};
  row.phase_share = {{Phase::kPrepare, 0.25}, {Phase::kPrefill, 0.75}};
  row.peak_memory = Bytes(1e6);
  result.rows = {row};
  result.payback = Payback{1000, 500, 2000};
  receipt.files = {{"spam.modicum/model.bin", std::string(64, 'b')}};
  return receipt;
}

// The file with `change` made to its JSON, the hash as it must then be.
std::string Forged(const std::function<void(json&)>& change) {
  json file = json::parse(FormatReceipt(Example()));
  change(file);
  file["sha256"] = ToHex(Sha256Of(CanonicalJson(file["receipt"])));
  return CanonicalJson(file) + '\n';
}

std::string FaultOf(std::string_view text) {
  const auto receipt = ParseReceipt(text);
  return receipt ? "none" : receipt.error().message;
}

std::string FaultAt(const std::string& pointer, const json& value) {
  return FaultOf(
      Forged([&](json& file) { file[json::json_pointer(pointer)] = value; }));
}

TEST(Receipt, WhatIsWrittenIsRead) {
  Receipt receipt = Example();
  receipt.signature = Signature{std::string(64, '1'), std::string(128, '2')};
  const std::string text = FormatReceipt(receipt);
  const auto back = ParseReceipt(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(FormatReceipt(*back), text);
  EXPECT_EQ(back->sha256, ReceiptHash(receipt));
  EXPECT_EQ(back->signature->public_key, std::string(64, '1'));
  EXPECT_EQ(back->files, receipt.files);
  EXPECT_EQ(back->evidence.trials[1].scores, receipt.evidence.trials[1].scores);
  EXPECT_EQ(ToJsonText(back->evidence), ToJsonText(receipt.evidence));
  EXPECT_EQ(ToJsonText(back->result), ToJsonText(receipt.result));
}

TEST(Receipt, TheHashIsOfTheMemberReceiptAlone) {
  const std::string text = FormatReceipt(Example());
  const json file = json::parse(text);
  EXPECT_EQ(file["sha256"], ToHex(Sha256Of(CanonicalJson(file["receipt"]))));
  EXPECT_TRUE(text.starts_with(R"({"receipt":{"evidence":{"classes":)"));
  EXPECT_TRUE(text.ends_with("\"}\n"));
}

TEST(Receipt, LargeWholeNumbersKeepEveryDigit) {
  Receipt receipt = Example();
  receipt.evidence.seed = UINT64_MAX;
  receipt.evidence.validation.groups[3] = (uint64_t{1} << 53) + 1;
  const std::string text = FormatReceipt(receipt);
  EXPECT_NE(text.find(R"("seed":"18446744073709551615")"), std::string::npos);
  const auto back = ParseReceipt(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->evidence.seed, UINT64_MAX);
  EXPECT_EQ(back->evidence.validation.groups[3], 9007199254740993U);
  for (const char* text_number : {"1", "18446744073709551616", "1e99", "-1",
                                  "018446744073709551615", "", "x"})
    EXPECT_EQ(FaultAt("/receipt/evidence/seed", text_number),
              "receipt.evidence.seed: not a whole number in range");
}

TEST(Receipt, FaultsAreNamedByTheirPlace) {
  EXPECT_EQ(FaultAt("/receipt/evidence/trials/2/scores/17", "x"),
            "receipt.evidence.trials[2].scores[17]: not a finite number");
  EXPECT_EQ(FaultAt("/receipt/evidence/trials/2/scores/17", true),
            "receipt.evidence.trials[2].scores[17]: not a number");
  EXPECT_EQ(FaultAt("/receipt/evidence/validation/ids/0", -1),
            "receipt.evidence.validation.ids[0]: not a whole number in range");
  EXPECT_EQ(FaultAt("/receipt/result/rows/0/name", 3),
            "receipt.result.rows[0].name: not text");
  EXPECT_EQ(FaultAt("/receipt/result/payback", nullptr),
            "receipt.result.payback: not an object");
  EXPECT_EQ(FaultAt("/receipt/evidence/task_fiel", "x"),
            "receipt.evidence: has an unknown member \"task_fiel\"");
  EXPECT_EQ(FaultAt("/receipt/result/rows/0/phase_share/sleep", 1),
            "receipt.result.rows[0].phase_share.sleep: unknown name");
  EXPECT_EQ(FaultAt("/receipt/more", 1),
            "receipt: has an unknown member \"more\"");
  EXPECT_EQ(FaultAt("/more", 1), "file: has an unknown member \"more\"");
  EXPECT_EQ(FaultAt("/receipt/files/a", "AB"),
            "receipt.files.a: not 64 lower-case hexadecimal digits");
  EXPECT_EQ(FaultAt("/signature", json{{"public_key", "1"}}),
            "signature: signature is missing");
  EXPECT_EQ(FaultOf(Forged([](json& file) {
              file["receipt"]["evidence"].erase("labels");
            })),
            "receipt.evidence: labels is missing");
}

TEST(Receipt, AnEstimateMayNotContradictItself) {
  const std::string cost = "/receipt/evidence/trials/0/cost/";
  const std::string path = "receipt.evidence.trials[0].cost: ";
  EXPECT_EQ(FaultAt(cost + "low", 0.001),
            path + "low and high are not those of mid and its errors");
  EXPECT_EQ(FaultAt(cost + "own_sd", 4),
            path + "low and high are not those of mid and its errors");
  EXPECT_EQ(FaultAt(cost + "own_sd", -1), path + "own_sd is negative");
  EXPECT_EQ(FaultAt(cost + "unit", "kWh"), path + "unit is not J");
  EXPECT_EQ(FaultAt(cost + "note", "measured"),
            path + "has a member it cannot have");
}

TEST(Receipt, AnotherSchemaIsSaid) {
  EXPECT_EQ(FaultAt("/receipt/schema", "modicum-receipt-2"),
            "receipt.schema: \"modicum-receipt-2\" is not known here; this "
            "modicum reads \"modicum-receipt-1\"");
  EXPECT_EQ(FaultOf("{}"), "receipt: not a receipt of modicum");
  EXPECT_EQ(FaultOf("[1]"), "receipt: not a JSON object");
}

TEST(Receipt, WhatIsNotCanonicalIsRefused) {
  const std::string text = FormatReceipt(Example());
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string copy = text;
    const size_t at = copy.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return copy.replace(at, from.size(), to);
  };
  for (const std::string& bad :
       {changed("\"seed\":1,", "\"seed\":1.0,"),
        changed("\"seed\":1,", "\"seed\": 1,"),
        changed("\"seed\":1,", "\"seed\":1,\"seed\":1,"),
        // A digit beyond what a double holds.
        changed("\"joules_per_1000\":12000,",
                "\"joules_per_1000\":12000.000000000000001,"),
        changed("spam", "\\u0073pam"), text + "\n",
        text.substr(0, text.size() - 1)})
    EXPECT_TRUE(FaultOf(bad).starts_with("receipt: not in canonical form"))
        << FaultOf(bad);
  EXPECT_EQ(FaultOf(changed("\"seed\":1,", "\"seed\":1e999,")),
            "receipt: a number is out of range");
}

TEST(Receipt, DamageIsSaid) {
  const std::string text = FormatReceipt(Example());
  EXPECT_EQ(FaultOf(text.substr(0, 100)), "receipt: not JSON at byte 101");
  EXPECT_EQ(FaultOf(""), "receipt: not JSON at byte 1");
  EXPECT_EQ(FaultOf(std::string(100'000, '[')), "receipt: nested too deeply");
  std::string deep = "{\"receipt\":";
  for (int i = 0; i < 50'000; ++i) deep += "{\"\":";
  EXPECT_EQ(FaultOf(deep), "receipt: nested too deeply");
  std::string altered = text;
  altered[altered.find("spam")] = 'S';
  EXPECT_TRUE(FaultOf(altered).starts_with("sha256: stated "));
}

TEST(Receipt, EveryCutIsRefused) {
  const std::string text = FormatReceipt(Example());
  for (size_t n = 0; n < text.size(); n += 37)
    EXPECT_FALSE(ParseReceipt(text.substr(0, n))) << n;
}

TEST(Receipt, OneChangedDigitAnywhereIsCaughtByTheHash) {
  const std::string text = FormatReceipt(Example());
  std::vector<size_t> digits;
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] >= '0' && text[i] <= '9') digits.push_back(i);
  Rng rng(5);
  for (int i = 0; i < 200; ++i) {
    std::string changed = text;
    char& digit =
        changed[digits[rng.Below(static_cast<uint32_t>(digits.size()))]];
    digit = static_cast<char>(
        '0' + (digit - '0' + 1 + static_cast<int>(rng.Below(9))) % 10);
    EXPECT_FALSE(ParseReceipt(changed));
  }
}

TEST(Receipt, NumbersThatAreNotFiniteAreNeverWritten) {
  const std::string path = ::testing::TempDir() + "modicum-infinite.json";
  std::filesystem::remove(path);
  Receipt receipt = Example();
  receipt.result.rows[0].quality->high =
      std::numeric_limits<double>::infinity();
  const auto status = WriteReceipt(path, receipt);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            path +
                " would not be a valid receipt: "
                "receipt.result.rows[0].quality.high: not a finite number");
  EXPECT_FALSE(std::filesystem::exists(path));
  receipt = Example();
  receipt.evidence.volume = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(WriteReceipt(path, receipt));
}

TEST(Receipt, TextThatIsNotUtf8IsWrittenAndRead) {
  Receipt receipt = Example();
  receipt.evidence.labels[0] = "h\xff m";
  const auto back = ParseReceipt(FormatReceipt(receipt));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->evidence.labels[0], "h\uFFFD m");
  EXPECT_EQ(FormatReceipt(*back), FormatReceipt(receipt));
}

TEST(Receipt, AFullDiskLeavesTheOldFile) {
  const std::string path = ::testing::TempDir() + "modicum-full.json";
  ASSERT_TRUE(WriteFileAtomically(path, "old"));
  // As on a full disk, a write ends short: files may not grow beyond this.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const auto status = WriteReceipt(path, Example());
  setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            "cannot write " + path + ": File too large");
  EXPECT_EQ(ReadFile(path).value(), "old");
  EXPECT_TRUE(WriteReceipt(path, Example()));
  EXPECT_TRUE(ParseReceipt(ReadFile(path).value()));
}

TEST(Receipt, AFolderThatIsNotOursIsSaid) {
  const auto status = WriteReceipt("/proc/modicum.receipt.json", Example());
  ASSERT_FALSE(status);
  EXPECT_TRUE(status.error().message.starts_with(
      "cannot write /proc/modicum.receipt.json"));
}

}  // namespace
}  // namespace modicum
