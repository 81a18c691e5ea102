// SPDX-License-Identifier: Apache-2.0
// The whole job with endpoints among the candidates: one on loopback that
// answers as it is told, and others that do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "fit/derive.h"
#include "fit/fit.h"
#include "meter/fake_meter.h"
#include "model/remote/chat_server.h"
#include "record/json.h"

namespace modicum {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class FitRemoteTest : public ::testing::Test {
 protected:
  FitRemoteTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    place_ = *FindPlace({});
    host_.boot = "boot";
    host_.logical_cpus = 2;
    std::string text;
    for (int i = 0; i < 120; ++i)
      text += i % 3 == 0 ? R"({"text": "watches )" + std::to_string(i) +
                               R"(", "label": "spam"})" + "\n"
                         : R"({"text": "meeting )" + std::to_string(i) +
                               R"(", "label": "ham"})" + "\n";
    EXPECT_TRUE(WriteFileAtomically(folder_ + "/data.jsonl", text));
  }
  ~FitRemoteTest() override { fs::remove_all(folder_); }

  // An endpoint's table in the task file.
  static std::string Remote(const std::string& name, const std::string& url,
                            const std::string& more = "") {
    return "[[remote]]\nname = \"" + name + "\"\nurl = \"" + url +
           "\"\nmodel = \"small\"\nparallel = 1\n" + more;
  }

  Result<FitResult> RunFit(const std::string& families,
                           const std::string& remotes) {
    const auto task = ParseTask(
        "[task]\nname = \"t\"\nkind = \"text-classification\"\n"
        "data = \"data.jsonl\"\npublished = false\nfamilies = " +
            families + "\n" + remotes,
        folder_ + "/task.toml");
    if (!task) return Fail(task.error());
    const auto ledger = *Ledger::Open(folder_ + "/ledger.db");
    const FitParts parts{*ledger,       meter_,    place_,   host_, root_,
                         SystemClock(), {},        folder_,  "",    "test",
                         "fake",        NewUuid(), progress_};
    MODICUM_TRY(FitReport report, Fit(*task, parts));
    evidence_ = std::move(report.evidence);
    return std::move(report.result);
  }

  const std::string folder_ =
      ::testing::TempDir() + "modicum-fit-remote-test-" +
      ::testing::UnitTest::GetInstance()->current_test_info()->name();
  Place place_;
  HostFacts host_;
  RootFs root_;
  FakeMeter meter_{SystemClock()};
  FitEvidence evidence_;
  std::function<void(uint64_t, uint64_t, std::string_view)> progress_;
};

// Right for what it is asked.
std::string WordFor(const httplib::Request& request) {
  return request.body.find("watches") == std::string::npos ? "ham" : "spam";
}

TEST_F(FitRemoteTest, AnEndpointThatRefusesIsARowAndTheOthersGoOn) {
  const ChatServer refusing(
      [](const auto&, auto& response) { response.status = 401; });
  const ChatServer without(
      [](const auto&, auto& response) { response.status = 404; });
  const auto result = RunFit(
      "[\"majority\", \"remote\"]",
      Remote("refusing", refusing.url()) + Remote("without", without.url()) +
          Remote("keyless", "https://127.0.0.1:1/v1",
                 "key = \"MODICUM_TEST_NO_SUCH_KEY\"\n"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->chosen, "majority");
  EXPECT_EQ(FindRow(*result, "remote, refusing")->reason,
            refusing.url() +
                "/chat/completions answered HTTP 401; no key was sent: key in "
                "[[remote]] names the environment variable that holds one");
  EXPECT_EQ(FindRow(*result, "remote, without")->reason,
            without.url() +
                "/chat/completions answered HTTP 404; is there a model "
                "'small', and is the url complete (.../v1)?");
  EXPECT_EQ(FindRow(*result, "remote, keyless")->reason,
            "keyless: the environment has no MODICUM_TEST_NO_SUCH_KEY; set it "
            "to the endpoint's key");
}

TEST_F(FitRemoteTest, WhereEveryCandidateFailsOneErrorNamesEachReason) {
  const ChatServer refusing(
      [](const auto&, auto& response) { response.status = 403; });
  const auto result = RunFit(
      "[\"remote\"]", Remote("refusing", refusing.url()) +
                          Remote("keyless", "https://127.0.0.1:1/v1",
                                 "key = \"MODICUM_TEST_NO_SUCH_KEY\"\n"));
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message,
              StartsWith("no candidate has a result:\n  remote, refusing: "
                         "http://127.0.0.1:"));
  EXPECT_THAT(result.error().message,
              HasSubstr("\n  remote, keyless: keyless: the environment has no "
                        "MODICUM_TEST_NO_SUCH_KEY"));
}

TEST_F(FitRemoteTest, AnswersWithoutALabelAreTheRowsReason) {
  const ChatServer server([](const auto&, auto& response) {
    ChatServer::Answer(response, "Sure! Here you go");
  });
  const auto result =
      RunFit("[\"majority\", \"remote\"]", Remote("chatty", server.url()));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(FindRow(*result, "remote, chatty")->reason,
            "18 of 18 answers held no label (for example: \"Sure! Here you "
            "go\"); [prompt] in the task words the question and the labels");
  EXPECT_EQ(server.requests(), 18) << "nothing is measured of it";
}

TEST_F(FitRemoteTest, AFewAnswersWithoutALabelAreNoted) {
  std::atomic<int> asked = 0;
  const ChatServer server([&](const auto& request, auto& response) {
    ChatServer::Answer(response,
                       ++asked == 1 ? "I am not sure" : WordFor(request));
  });
  const auto result =
      RunFit("[\"majority\", \"remote\"]", Remote("unsure", server.url()));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(FindRow(*result, "remote, unsure")->validation);
  EXPECT_THAT(result->notes,
              Contains("remote, unsure: 1 of 18 answers held no label (for "
                       "example: \"I am not sure\")"));
  // The receipt says it too.
  const auto again = Derive(*FromJson<FitEvidence>(ToJson(evidence_)));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->notes, result->notes);
}

TEST_F(FitRemoteTest, OneThatFailsAfterItsTrialIsARowToo) {
  std::atomic<bool> spent = false;
  const ChatServer server([&](const auto& request, auto& response) {
    if (spent)
      response.status = 402;
    else
      ChatServer::Answer(response, WordFor(request));
  });
  for (const std::string step :
       {"measuring the cost of those that matter", "refitting remote, spent",
        "measuring the finalists"}) {
    spent = false;
    progress_ = [&](uint64_t, uint64_t, std::string_view what) {
      if (what == step) spent = true;
    };
    const auto result =
        RunFit("[\"majority\", \"remote\"]", Remote("spent", server.url()));
    ASSERT_TRUE(result) << step << ": " << result.error().message;
    EXPECT_TRUE(spent) << step;
    EXPECT_EQ(result->chosen, "majority") << step;
    EXPECT_THAT(FindRow(*result, "remote, spent")->reason,
                HasSubstr("/chat/completions answered HTTP 402"))
        << step;
    fs::remove(folder_ + "/ledger.db");  // nothing is resumed
  }
}

}  // namespace
}  // namespace modicum
