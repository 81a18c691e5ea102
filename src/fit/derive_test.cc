// SPDX-License-Identifier: Apache-2.0
#include "fit/derive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "evaluate/cost.h"
#include "record/fake_receipts.h"
#include "record/json.h"

namespace modicum {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

FitEvidence Many() {
  FakeFit fit;
  fit.candidates = 7;
  fit.test = 400;
  fit.validation = 300;
  return FakeEvidence(fit);
}

const CandidateRow& Row(const FitResult& result, const std::string& name) {
  for (const CandidateRow& row : result.rows)
    if (row.name == name) return row;
  ADD_FAILURE() << "no row " << name;
  return result.rows.front();
}

TEST(Derive, IsAFunctionOfItsEvidence) {
  const FitEvidence evidence = Many();
  const auto a = Derive(evidence);
  const auto b = Derive(evidence);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(ToJsonText(*a), ToJsonText(*b));
}

TEST(Derive, TheSearchCostsItsTrialsFinalsAndTheRest) {
  const FitEvidence evidence = Many();
  const auto result = Derive(evidence);
  ASSERT_TRUE(result.has_value());
  Joules spent;
  for (const auto* list : {&evidence.trials, &evidence.finals})
    for (const TrialEvidence& trial : *list) spent += trial.cost.mid;
  for (const SearchPart& part : evidence.search_parts) spent += part.joules.mid;
  EXPECT_NEAR(result->search_joules.mid.value(), spent.value(), 1e-9);
  Joules shown;
  for (const CandidateRow& row : result->rows) shown += row.search_joules.mid;
  for (const SearchPart& part : result->search_parts) shown += part.joules.mid;
  EXPECT_NEAR(shown.value(), spent.value(), 1e-9);
}

TEST(Derive, NoRowOnTheFrontIsDominatedAndEveryOtherIs) {
  const FitEvidence evidence = Many();
  const auto result = Derive(evidence);
  ASSERT_TRUE(result.has_value());
  auto joules = [&](size_t i) {
    return Summarize(evidence.trials[i].samples).joules_per_1000.mid;
  };
  for (size_t i = 0; i < evidence.trials.size(); ++i) {
    const CandidateRow& row = result->rows[i];
    if (!row.validation) {
      EXPECT_FALSE(row.pareto);
      continue;
    }
    bool dominated = false;
    for (size_t k = 0; k < evidence.trials.size(); ++k) {
      const CandidateRow& other = result->rows[k];
      if (!other.validation || k == i) continue;
      dominated = dominated || (other.validation->mid >= row.validation->mid &&
                                joules(k) <= joules(i) &&
                                (other.validation->mid > row.validation->mid ||
                                 joules(k) < joules(i)));
    }
    EXPECT_EQ(row.pareto, !dominated) << row.name;
  }
}

TEST(Derive, FinalistsShowTheTestAndTheOthersValidation) {
  const FitEvidence evidence = Many();
  const auto decision = Decide(evidence);
  const auto result = Derive(evidence);
  ASSERT_TRUE(decision && result);
  EXPECT_EQ(decision->chosen, result->chosen);
  EXPECT_THAT(decision->finalists, Contains(decision->chosen));
  EXPECT_THAT(decision->finalists, Contains(decision->baseline));
  EXPECT_EQ(Row(*result, result->chosen).quality->split, "test");
  EXPECT_EQ(Row(*result, "model 0").quality->split, "validation");
  EXPECT_EQ(Row(*result, "forest").reason, "out of memory");
  EXPECT_TRUE(Row(*result, "8B LLM").reference);
}

TEST(Derive, PhaseSharesSumToOneAndIntervalsHoldTheirMiddle) {
  const auto result = Derive(Many());
  ASSERT_TRUE(result.has_value());
  for (const CandidateRow& row : result->rows) {
    if (row.reference || !row.joules_per_1000) continue;
    double sum = 0;
    for (const auto& [phase, share] : row.phase_share) sum += share;
    EXPECT_NEAR(sum, 1, 1e-9) << row.name;
    EXPECT_LE(row.joules_per_1000->low(), row.joules_per_1000->mid);
    EXPECT_GE(row.joules_per_1000->high(), row.joules_per_1000->mid);
    EXPECT_LE(row.quality->low, row.quality->mid);
    EXPECT_GE(row.quality->high, row.quality->mid);
  }
}

TEST(Derive, WithoutAnyTrialThatWorkedThereIsNoChoiceAndNoCrash) {
  FitEvidence evidence = Many();
  for (TrialEvidence& trial : evidence.trials) {
    trial.failure = "it broke";
    trial.scores.clear();
    trial.samples = {};
  }
  evidence.finals.clear();
  const auto result = Derive(evidence);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->chosen, "");
  EXPECT_THAT(result->changes, ElementsAre());
  EXPECT_EQ(result->verdict,
            "No candidate could be trained and measured; the table says why.");
}

TEST(Derive, EvidenceThatContradictsItselfIsRefused) {
  FitEvidence missing = Many();
  missing.trials[1].scores.pop_back();
  EXPECT_EQ(Derive(missing).error().message,
            "model 1: 299 scores for 300 items of 300 groups");
  FitEvidence unknown = Many();
  unknown.finals[0].name = "ghost";
  EXPECT_EQ(Derive(unknown).error().message,
            "ghost was tested but never tried");
  FitEvidence metric = Many();
  metric.metric = "acuracy";
  EXPECT_THAT(Derive(metric).error().message,
              HasSubstr("did you mean 'accuracy'?"));
}

// Each kind of sentence, word for word.
class Changes : public ::testing::Test {
 protected:
  std::string Sentence(std::string_view start) {
    auto result = Derive(evidence_);
    EXPECT_TRUE(result.has_value());
    for (const std::string& sentence : result->changes)
      if (sentence.starts_with(start)) return sentence;
    return {};
  }
  // Right on the first `right` items, at `joules` per 1,000.
  static TrialEvidence Make(const char* name, size_t right, size_t items,
                            double joules) {
    TrialEvidence trial;
    trial.name = trial.family = name;
    for (size_t i = 0; i < items; ++i)
      trial.scores.push_back(i < right ? 1 : 0);
    for (int i = 0; i < 5; ++i)
      trial.samples.repeats.push_back(
          {1000,
           Seconds(0.05),
           Seconds(joules / 10),
           Exactly(Joules(joules), Origin::kModelled, Scope::kPackage),
           false,
           {}});
    trial.cost = Exactly(Joules(50), Origin::kModelled, Scope::kPackage);
    return trial;
  }
  Changes() : evidence_(FakeEvidence({})) {
    evidence_.references.clear();
    evidence_.within = 0.01;
    evidence_.volume = 1e5;
    SetItems(1000);
    evidence_.trials = {Make("tiny", 985, 1000, 0.1),
                        Make("small", 992, 1000, 1),
                        Make("big", 995, 1000, 10)};
    evidence_.finals = {Make("small", 992, 1000, 1),
                        Make("big", 995, 1000, 10)};
  }
  void SetItems(size_t count) {
    SplitItems items;
    for (uint64_t i = 0; i < count; ++i) {
      items.ids.push_back(i);
      items.groups.push_back(i);
    }
    evidence_.validation = evidence_.test = items;
    evidence_.items = 4 * count;
  }
  FitEvidence evidence_;
};

TEST_F(Changes, AtTenTimesTheVolume) {
  EXPECT_EQ(Sentence("at ten times"),
            "at ten times the volume the search is repaid in 21 h 1 min "
            "instead of 8 d 18 h; the choice, which is by joules per "
            "prediction, stays");
}

TEST_F(Changes, WhereIdleStopsDominating) {
  EXPECT_EQ(Sentence("from about"),
            "from about 53,000,000,000 predictions a month they cost more than "
            "a machine kept alive for them; below that, sharing or batching "
            "saves more than any smaller model");
}

TEST_F(Changes, MoreLabelsWhereTheMarginIsNotEstablished) {
  EXPECT_EQ(Sentence("with about"), "") << "it is established";
  SetItems(200);
  evidence_.trials = {Make("small", 196, 200, 1), Make("big", 197, 200, 10)};
  evidence_.finals = evidence_.trials;
  EXPECT_EQ(Sentence("with about"),
            "with about 1,700 more labelled items (420 of them for the test) "
            "a margin of 1.0 pt could be established");
}

TEST_F(Changes, AnotherMargin) {
  EXPECT_EQ(Sentence("with a margin"),
            "with a margin of 2.0 pt instead of 1.0 pt it would be tiny, at "
            "0.10x of the energy per prediction (modelled)");
}

TEST_F(Changes, AnotherPlace) {
  EXPECT_THAT(Sentence("in Sweden"),
              HasSubstr("in Sweden instead of Poland 1,000 predictions emit "));
  evidence_.place.intensity.mid = GramsPerKilowattHour(20);
  evidence_.place.id = "SE";
  evidence_.place.name = "Sweden";
  EXPECT_THAT(Sentence("in Poland"),
              HasSubstr("in Poland instead of Sweden 1,000 predictions emit "));
}

}  // namespace
}  // namespace modicum
