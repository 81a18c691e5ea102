// SPDX-License-Identifier: Apache-2.0
#include "fit/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "fit/derive.h"
#include "record/fake_receipts.h"
#include "record/signature.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Receipt Honest(const FakeFit& fit = {}) {
  Receipt receipt;
  receipt.evidence = FakeEvidence(fit);
  auto result = Derive(receipt.evidence);
  EXPECT_TRUE(result) << result.error().message;
  receipt.result = *std::move(result);
  receipt.result.artifact = "spam.modicum";
  return receipt;
}

// Enough of everything, and quickly checked a thousand times.
FakeFit Small() {
  FakeFit fit;
  fit.test = 12;
  fit.validation = 10;
  fit.candidates = 2;
  return fit;
}

class Verify : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        ::testing::TempDir() + "modicum-verify-" + std::to_string(getpid());
    std::filesystem::create_directory(folder_);
    options_.folder = folder_;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::vector<std::string> FaultsOf(const Receipt& receipt) const {
    return VerifyReceipt(FormatReceipt(receipt), options_).faults;
  }
  // Faults of an honest receipt after this change, its hash made anew.
  std::vector<std::string> FaultsAfter(
      const std::function<void(Receipt&)>& change) const {
    Receipt receipt = Honest();
    change(receipt);
    return FaultsOf(receipt);
  }
  std::string folder_;
  VerifyOptions options_;
};

TEST_F(Verify, AnHonestReceiptPasses) {
  for (const char* metric : {"accuracy", "macro-f1", "f1:spam", "log-loss"}) {
    FakeFit fit;
    fit.metric = metric;
    const auto verified = VerifyReceipt(FormatReceipt(Honest(fit)), options_);
    EXPECT_THAT(verified.faults, IsEmpty()) << metric;
    EXPECT_TRUE(verified.ok());
    EXPECT_GT(verified.numbers, 100U);
    EXPECT_GT(verified.texts, 50U);
    EXPECT_EQ(verified.signed_by, "");
  }
}

TEST_F(Verify, ADishonestNumberIsNamedWithWhatItShouldBe) {
  Receipt receipt = Honest();
  const double honest = receipt.result.rows[1].quality->mid;
  receipt.result.rows[1].quality->mid = 0.999;
  EXPECT_THAT(FaultsOf(receipt),
              ElementsAre("result.rows[1].quality.mid: stated 0.999, "
                          "recomputed " +
                          CanonicalJson(nlohmann::json(honest))));
}

TEST_F(Verify, EveryKindOfLieIsNamed) {
  EXPECT_THAT(FaultsAfter([](Receipt& r) { r.result.chosen = "forest"; }),
              ElementsAre(HasSubstr("result.chosen: stated \"forest\", "
                                    "recomputed \"model ")));
  EXPECT_THAT(
      FaultsAfter([](Receipt& r) { r.result.rows[0].feasible ^= true; }),
      ElementsAre(HasSubstr("result.rows[0].feasible: stated ")));
  EXPECT_THAT(FaultsAfter([](Receipt& r) { r.result.rows.pop_back(); }),
              ElementsAre("result.rows: stated 4 elements, recomputed 5"));
  EXPECT_THAT(FaultsAfter([](Receipt& r) { r.result.verdict += " Buy it."; }),
              ElementsAre(HasSubstr("result.verdict: stated ")));
  EXPECT_THAT(FaultsAfter([](Receipt& r) {
                r.result.rows[1].joules_per_correct.reset();
                r.result.payback = Payback{1, 1, 1};
              }),
              ::testing::Contains(HasSubstr("result.payback")));
  // A score that was changed: what follows from them no longer does.
  EXPECT_THAT(FaultsAfter([](Receipt& r) {
                double& score = r.evidence.finals[0].scores[0];
                score = 1 - score;
              }),
              ::testing::Contains(HasSubstr(".quality.mid: stated ")));
  // Repeats that were made cheaper.
  EXPECT_THAT(FaultsAfter([](Receipt& r) {
                for (Repeat& repeat : r.evidence.finals[0].samples.repeats)
                  repeat.energy = repeat.energy * 0.5;
              }),
              ::testing::Contains(HasSubstr(".joules_per_1000.mid: stated ")));
}

TEST_F(Verify, LastBitsOfAnotherMachinePass) {
  EXPECT_THAT(FaultsAfter([](Receipt& r) {
                r.result.rows[1].quality->low *= 1 + 1e-12;
                r.result.search_joules.own_sd *= 1 - 1e-12;
              }),
              IsEmpty());
  EXPECT_THAT(FaultsAfter([](Receipt& r) {
                r.result.rows[1].quality->low *= 1 + 1e-7;
              }),
              ElementsAre(HasSubstr("result.rows[1].quality.low: stated ")));
}

TEST_F(Verify, OneChangedDigitAnywhereNeverPasses) {
  const std::string key = folder_ + "/key";
  ASSERT_TRUE(MakeKeyFiles(key));
  Receipt receipt = Honest(Small());
  receipt.signature = Sign(ReceiptHash(receipt), key).value();
  const std::string text = FormatReceipt(receipt);
  ASSERT_TRUE(VerifyReceipt(text, options_).ok());
  std::vector<size_t> digits;
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] >= '0' && text[i] <= '9') digits.push_back(i);
  const size_t tail = text.rfind("\"sha256\"");
  Rng rng(9);
  for (int i = 0; i < 1000; ++i) {
    size_t at = digits[rng.Below(static_cast<uint32_t>(digits.size()))];
    if (i % 4 == 0)  // hash and signature are a small part of the file
      do at = tail + rng.Below(static_cast<uint32_t>(text.size() - tail));
      while (text[at] < '0' || text[at] > '9');
    std::string changed = text;
    changed[at] = static_cast<char>(
        '0' + (text[at] - '0' + 1 + static_cast<int>(rng.Below(9))) % 10);
    if (changed[at] == text[at]) continue;
    const auto verified = VerifyReceipt(changed, options_);
    EXPECT_FALSE(verified.ok()) << "byte " << at;
    EXPECT_FALSE(verified.faults.empty());
  }
}

TEST_F(Verify, ForgedNumbersWithANewHashNeverPass) {
  // A forger who can hash: one number of the result is changed and the hash
  // made to fit.
  const Receipt honest = Honest(Small());
  const nlohmann::json file = nlohmann::json::parse(FormatReceipt(honest));
  const nlohmann::json flat = file["receipt"]["result"].flatten();
  int forged = 0;
  for (auto it = flat.begin(); it != flat.end(); ++it) {
    if (!it->is_number()) continue;
    nlohmann::json copy = file;
    const double value = it->get<double>();
    copy["receipt"]["result"][nlohmann::json::json_pointer(it.key())] =
        it->is_number_float() ? nlohmann::json(value * 1.001 + 0.001)
                              : nlohmann::json(it->get<int64_t>() + 1);
    copy["sha256"] = ToHex(Sha256Of(CanonicalJson(copy["receipt"])));
    const auto verified = VerifyReceipt(CanonicalJson(copy) + '\n', options_);
    EXPECT_FALSE(verified.ok()) << it.key();
    ++forged;
  }
  EXPECT_GT(forged, 100);
}

TEST_F(Verify, Signatures) {
  const std::string key = folder_ + "/key";
  const std::string own = MakeKeyFiles(key).value();
  const std::string other = MakeKeyFiles(folder_ + "/other").value();
  Receipt receipt = Honest();
  options_.trusted = own;
  EXPECT_THAT(FaultsOf(receipt),
              ElementsAre("signature: there is none, and key " + own +
                          " must have signed"));
  receipt.signature = Sign(ReceiptHash(receipt), key).value();
  EXPECT_EQ(VerifyReceipt(FormatReceipt(receipt), options_).signed_by, own);
  options_.trusted = other;
  EXPECT_THAT(FaultsOf(receipt), ElementsAre("signature: by the foreign key " +
                                             own + ", not by " + other));
  options_.trusted = "";
  receipt.result.rows[0].reason += "!";  // signed before the change
  EXPECT_THAT(FaultsOf(receipt),
              ElementsAre("signature: not of this receipt by key " + own,
                          HasSubstr("result.rows[0].reason: stated ")));
}

TEST_F(Verify, FilesAreNamed) {
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/a/model.bin", "weights"));
  Receipt receipt = Honest();
  receipt.files = {{"a/model.bin", ToHex(Sha256Of("weights"))}};
  const auto verified = VerifyReceipt(FormatReceipt(receipt), options_);
  EXPECT_TRUE(verified.ok());
  EXPECT_EQ(verified.files, 1U);
  receipt.files["a/gone.bin"] = std::string(64, '0');
  receipt.files["../etc/passwd"] = std::string(64, '0');
  receipt.files["/etc/passwd"] = std::string(64, '0');
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/a/model.bin", "other"));
  EXPECT_THAT(FaultsOf(receipt),
              ElementsAre("file ../etc/passwd: not below the receipt's folder",
                          "file /etc/passwd: not below the receipt's folder",
                          "file a/gone.bin: missing",
                          "file a/model.bin: altered; its SHA-256 is " +
                              ToHex(Sha256Of("other")) + ", stated " +
                              ToHex(Sha256Of("weights"))));
  options_.files = false;
  EXPECT_THAT(FaultsOf(receipt), IsEmpty());
}

TEST_F(Verify, EvidenceThatContradictsItselfIsNamed) {
  const auto fault = [](const std::function<void(FitEvidence&)>& change) {
    FitEvidence evidence = FakeEvidence({});
    change(evidence);
    const auto status = CheckEvidence(evidence);
    return status ? "" : status.error().message;
  };
  EXPECT_EQ(fault([](FitEvidence&) {}), "");
  EXPECT_EQ(fault([](FitEvidence& e) { e.trials[1].scores.pop_back(); }),
            "evidence.trials[1].scores: 39 for 40 items");
  EXPECT_EQ(fault([](FitEvidence& e) { e.trials[1].scores[7] = 0.5; }),
            "evidence.trials[1].scores[7]: 0.5 is no score of accuracy");
  EXPECT_EQ(fault([](FitEvidence& e) { e.trials[1].name = "model 0"; }),
            "evidence.trials[1].name: another trial has it too");
  EXPECT_EQ(fault([](FitEvidence& e) { e.finals[0].name = "model 9"; }),
            "evidence.finals[0].name: not of one trial");
  EXPECT_EQ(fault([](FitEvidence& e) { e.finals[0].samples = {}; }),
            "evidence.finals[0]: no repeats");
  EXPECT_EQ(fault([](FitEvidence& e) { e.test.groups.clear(); }),
            "evidence.test: 60 ids and 0 groups");
  EXPECT_EQ(fault([](FitEvidence& e) { e.within = -0.1; }),
            "evidence.within: -0.1 is no accuracy");
  EXPECT_EQ(fault([](FitEvidence& e) { e.within.reset(); }),
            "evidence: neither within nor floor is there");
  EXPECT_EQ(fault([](FitEvidence& e) {
              e.trials[0].samples.repeats[2].predictions = 0;
            }),
            "evidence.trials[0].samples.repeats[2].predictions: none");
  EXPECT_THAT(fault([](FitEvidence& e) { e.metric = "acuracy"; }),
              HasSubstr("unknown metric 'acuracy'"));
}

TEST_F(Verify, WhatIsNoReceiptIsSaid) {
  const auto verified = VerifyReceipt("{}", options_);
  EXPECT_FALSE(verified.readable);
  EXPECT_THAT(verified.faults,
              ElementsAre("receipt: not a receipt of modicum"));
}

std::string VerdictOf(const std::vector<Agreement>& list,
                      const std::string& figure) {
  for (const Agreement& one : list)
    if (one.figure == figure) return one.verdict;
  return "none";
}

TEST(CompareWithRerun, TellsQualitiesFromTimesAndJoules) {
  const FitResult result = Honest(Small()).result;
  for (const Agreement& one : CompareWithRerun(result, result))
    EXPECT_EQ(one.is_quality, one.figure.find("accuracy") != std::string::npos)
        << one.figure;
}

TEST(CompareWithRerun, SaysFigureByFigure) {
  const FitResult stated = Honest().result;
  FitResult here = stated;
  const auto same = CompareWithRerun(stated, here);
  EXPECT_EQ(VerdictOf(same, "chosen"), "agrees");
  EXPECT_EQ(VerdictOf(same, "model 1: accuracy (validation)"),
            "agrees exactly");
  EXPECT_EQ(VerdictOf(same, "model 1: joules per 1,000"), "agrees");

  here.rows[1].joules_per_1000->origin = Origin::kCounter;
  here.rows[1].cpu_seconds_per_1000->mid = Seconds(1000);
  here.rows[1].validation->mid -= 0.001;
  here.rows[2].joules_per_1000.reset();
  here.rows[0].name = "another";
  here.rows[2].quality->split = "validation";
  const auto changed = CompareWithRerun(stated, here);
  EXPECT_EQ(VerdictOf(changed, "model 1: joules per 1,000"), "another scope");
  EXPECT_EQ(VerdictOf(changed, "model 1: CPU time per 1,000"), "differs");
  EXPECT_EQ(VerdictOf(changed, "model 1: accuracy (validation)"), "agrees");
  EXPECT_EQ(VerdictOf(changed, "model 2: joules per 1,000"), "missing here");
  EXPECT_EQ(VerdictOf(changed, "other candidates"), "missing here");
  EXPECT_EQ(VerdictOf(changed, "model 2: accuracy (test)"), "not tested here");

  here.machine = "another";
  here.rows[1].validation->mid = here.rows[1].validation->high = 0.2;
  here.rows[1].validation->low = 0.1;
  const auto elsewhere = CompareWithRerun(stated, here);
  EXPECT_EQ(VerdictOf(elsewhere, "model 1: CPU time per 1,000"),
            "another machine");
  EXPECT_EQ(VerdictOf(elsewhere, "model 1: accuracy (validation)"), "differs");
}

}  // namespace
}  // namespace modicum
