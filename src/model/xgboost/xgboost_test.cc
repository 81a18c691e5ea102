// SPDX-License-Identifier: Apache-2.0
// The module's training, and our prediction against the library's own.
#include <gmock/gmock.h>
#include <xgboost/c_api.h>

#include <cmath>

#include "model/bytes.h"
#include "model/engine.h"
#include "model/test_data.h"
#include "model/test_tables.h"
#include "model/tree_model.h"
#include "model/xgboost/booster.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kNormal = 0;
constexpr int kApproximateContributions = 3;

CsrMatrix MatrixOf(const Dataset& data) {
  CsrMatrix matrix;
  matrix.width = data.columns.size();
  for (const Item& item : data.items) {
    const auto& values = std::get<Numbers>(item.payload).values;
    for (uint32_t c = 0; c < values.size(); ++c)
      if (!std::isnan(values[c])) matrix.Add(c, values[c]);
    matrix.EndRow();
  }
  return matrix;
}

// A booster trained on the data, and the library's own answers.
class Reference {
 public:
  Reference(const Dataset& data, const XgboostParams& more, int rounds)
      : xgboost_data_(MakeData(data)),
        booster_(Booster::Make(xgboost_data_, ParamsFor(data, more)).value()) {
    SilenceXgboost();
    for (int round = 0; round < rounds; ++round)
      MODICUM_CHECK(booster_.Update(round, xgboost_data_).has_value());
    weights_.classes = static_cast<uint32_t>(data.labels.size());
    weights_.config = {{0, 0}, {0, 0}};
    weights_.columns = data.columns;
    MODICUM_CHECK(AppendTrees(booster_.Save().value(), 1, weights_));
  }

  std::vector<float> Predict(int type) const {
    const std::string config =
        R"({"training": false, "iteration_begin": 0, "iteration_end": 0,)"
        R"( "strict_shape": true, "type": )" +
        std::to_string(type) + "}";
    const bst_ulong* shape = nullptr;
    bst_ulong dimensions = 0;
    const float* result = nullptr;
    MODICUM_CHECK(XGBoosterPredictFromDMatrix(
                      booster_.handle(), xgboost_data_.handle(), config.c_str(),
                      &shape, &dimensions, &result) == 0);
    size_t size = 1;
    for (bst_ulong d = 0; d < dimensions; ++d) size *= shape[d];
    return {result, result + size};
  }
  const TreeWeights& weights() const { return weights_; }

 private:
  static XgboostData MakeData(const Dataset& data) {
    std::vector<float> labels;
    for (const Item& item : data.items)
      labels.push_back(static_cast<float>(item.label));
    return XgboostData::Make(MatrixOf(data), labels).value();
  }
  static XgboostParams ParamsFor(const Dataset& data,
                                 const XgboostParams& more) {
    XgboostParams params{{"tree_method", "hist"},
                         {"verbosity", "0"},
                         {"nthread", "1"},
                         {"base_score", "0.5"}};
    const size_t classes = data.labels.size();
    params.emplace_back("objective",
                        classes == 2 ? "binary:logistic" : "multi:softprob");
    if (classes > 2) params.emplace_back("num_class", std::to_string(classes));
    params.insert(params.end(), more.begin(), more.end());
    return params;
  }

  XgboostData xgboost_data_;
  Booster booster_;
  TreeWeights weights_;
};

std::vector<Output> PredictAll(const TreeWeights& weights, const Dataset& data,
                               int explain = 0) {
  auto model = MakeTreeModel(EncodeTrees(weights), data.labels);
  MODICUM_CHECK(model.has_value());
  NullSink sink;
  CallOptions options;
  options.explain = explain;
  return (*model)->Predict(data.items, options, sink).value();
}

struct Shape {
  size_t classes, rows, columns;
  double missing;
  XgboostParams params;
  int rounds;
};

std::vector<Shape> Shapes() {
  return {
      {2, 100, 5, 0, {{"max_depth", "4"}}, 20},
      {2, 100, 5, 0.3, {{"max_depth", "6"}}, 20},
      {2, 60, 3, 0.95, {{"max_depth", "3"}}, 5},
      {5, 60, 4, 0.1, {{"max_depth", "5"}}, 10},
      {26, 20, 8, 0.1, {{"max_depth", "6"}}, 4},
      {2,
       150,
       6,
       0.1,
       {{"max_depth", "12"},
        {"num_parallel_tree", "9"},
        {"subsample", "0.6"},
        {"lambda", "1e-5"},
        {"min_child_weight", "0"},
        {"eta", "1"}},
       1},
      {7,
       40,
       6,
       0.1,
       {{"max_depth", "8"},
        {"num_parallel_tree", "5"},
        {"colsample_bynode", "0.5"},
        {"eta", "1"}},
       1},
  };
}

TEST(TreeParity, ProbabilitiesAreTheLibrarys) {
  for (const Shape& shape : Shapes()) {
    const Dataset data =
        MakeTable(shape.classes, shape.rows, shape.columns, 0.3, shape.missing);
    const Reference reference(data, shape.params, shape.rounds);
    const std::vector<float> theirs = reference.Predict(kNormal);
    const auto ours = PredictAll(reference.weights(), data);
    const size_t width = shape.classes == 2 ? 1 : shape.classes;
    ASSERT_EQ(theirs.size(), ours.size() * width);
    for (size_t i = 0; i < ours.size(); ++i) {
      const auto& p = std::get<Label>(ours[i]).probabilities;
      for (size_t c = 0; c < width; ++c)
        ASSERT_NEAR(p[width == 1 ? 1 : c], theirs[i * width + c], 1e-6);
    }
  }
}

// The library's own path attribution, feature by feature.
TEST(TreeParity, ReasonsAreTheLibrarysApproximateContributions) {
  for (const Shape& shape : Shapes()) {
    const Dataset data =
        MakeTable(shape.classes, shape.rows, shape.columns, 0.3, shape.missing);
    const Reference reference(data, shape.params, shape.rounds);
    const auto theirs = reference.Predict(kApproximateContributions);
    const auto ours = PredictAll(reference.weights(), data, 1000);
    const size_t groups = shape.classes == 2 ? 1 : shape.classes;
    const size_t width = shape.columns + 1;  // the bias is last
    ASSERT_EQ(theirs.size(), ours.size() * groups * width);
    for (size_t i = 0; i < ours.size(); ++i) {
      const auto& label = std::get<Label>(ours[i]);
      const auto answer = static_cast<size_t>(label.index);
      const size_t group = groups == 1 ? 0 : answer;
      const float sign = groups == 1 && answer == 0 ? -1 : 1;
      std::map<std::string, double> effects;
      for (const Reason& reason : label.reasons)
        effects[reason.feature.substr(0, reason.feature.find(' '))] =
            reason.effect;
      for (size_t c = 0; c < shape.columns; ++c)
        ASSERT_NEAR(effects[data.columns[c]],
                    sign * theirs[(i * groups + group) * width + c], 2e-5);
    }
  }
}

TEST(AppendTrees, RefusesWhatIsNoModel) {
  TreeWeights weights;
  weights.columns = {"a"};
  weights.config = {{0, 0}, {0, 0}};
  EXPECT_EQ(AppendTrees("{", 1, weights).error().message,
            "XGBoost saved an unexpected model: not Universal Binary JSON");
}

TEST(Booster, NamesTheLibrarysOwnError) {
  SilenceXgboost();
  const Dataset data = MakeTable(2, 5, 2);
  CsrMatrix matrix = MatrixOf(data);
  matrix.values[0] = INFINITY;
  const auto made = XgboostData::Make(matrix, std::vector<float>(10));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, testing::StartsWith("XGBoost: "));
  EXPECT_THAT(made.error().message, testing::Not(HasSubstr("\n")));
}

Result<std::string> TrainBytes(std::string_view family, const Dataset& data,
                               const Params& params, Budget budget = {}) {
  const TestFolder folder;
  MODICUM_TRY(Trainer * trainer, FindTrainer(family));
  MODICUM_RETURN_IF_ERROR(trainer->Accepts(data));
  NullSink sink;
  MODICUM_TRY(const TrainedModel trained,
              trainer->Train(data, AllRowsOf(data), params, budget, nullptr,
                             folder.path(), sink));
  EXPECT_THAT(trained.files, ElementsAre(kTreeFile));
  return ReadWholeFile(folder.path() + "/" + kTreeFile, 1 << 28);
}

class TreeFamilies : public testing::TestWithParam<const char*> {
 protected:
  static Params Few() { return {{"trees", int64_t{20}}}; }
  static Dataset Table(size_t classes, uint64_t seed = 1) {
    return MakeTable(classes, 60, 8, 2, 0.02, seed);
  }
  Result<std::string> Train(const Dataset& data, const Params& params) {
    return TrainBytes(GetParam(), data, params);
  }
  static std::vector<Output> Predict(const std::string& bytes,
                                     const Dataset& data) {
    NullSink sink;
    return (*MakeTreeModel(bytes, data.labels).value())
        .Predict(data.items, {}, sink)
        .value();
  }
};
INSTANTIATE_TEST_SUITE_P(Both, TreeFamilies,
                         testing::Values("forest", "boosted"));

TEST_P(TreeFamilies, LearnTablesOfTwoAndManyClasses) {
  for (const size_t classes : {2U, 3U, 26U}) {
    const auto bytes = Train(Table(classes), Few());
    ASSERT_TRUE(bytes) << bytes.error().message;
    const Dataset test = Table(classes, 2);
    const auto outputs = Predict(*bytes, test);
    EXPECT_GE(AccuracyOf(outputs, test.items), 0.9) << classes;
    for (const Output& output : outputs) {
      const auto& p = std::get<Label>(output).probabilities;
      EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-5);
    }
    const auto weights = DecodeTrees(*bytes);
    EXPECT_EQ(weights->trees.size(), 20 * weights->groups());
    EXPECT_EQ(weights->forest, GetParam() == std::string("forest"));
    EXPECT_EQ(weights->columns, test.columns);
  }
}

TEST_P(TreeFamilies, LearnTexts) {
  for (const size_t classes : {2U, 5U}) {
    const Dataset test = MakeTopics(classes, 40, 2);
    const auto bytes = Train(MakeTopics(classes, 100, 1),
                             {{"trees", int64_t{60}},
                              {"features", int64_t{200}},
                              {"word_ngrams", std::string("1-2")}});
    ASSERT_TRUE(bytes) << bytes.error().message;
    EXPECT_GE(AccuracyOf(Predict(*bytes, test), test.items), 0.9) << classes;
    EXPECT_EQ(DecodeTrees(*bytes)->hashes.size(), 200U);
  }
}

TEST_P(TreeFamilies, EqualSeedsGiveEqualBytes) {
  const Dataset data = Table(3);
  Budget budget;
  budget.seed = 7;
  const auto once = TrainBytes(GetParam(), data, Few(), budget);
  ASSERT_TRUE(once);
  std::srand(12345);
  EXPECT_EQ(*TrainBytes(GetParam(), data, Few(), budget), *once);
  budget.threads = 2;
  EXPECT_EQ(*TrainBytes(GetParam(), data, Few(), budget), *once);
  budget.seed = 8;
  const bool draws = GetParam() == std::string("forest");
  EXPECT_EQ(*TrainBytes(GetParam(), data, Few(), budget) != *once, draws);
}

// The first trees are the same however many follow.
TEST_P(TreeFamilies, MoreTreesContinueFewer) {
  const Dataset data = Table(3);
  const auto few = DecodeTrees(*Train(data, {{"trees", int64_t{8}}}));
  const auto more = DecodeTrees(*Train(data, {{"trees", int64_t{24}}}));
  ASSERT_EQ(few->trees.size() * 3, more->trees.size());
  for (size_t t = 0; t < few->trees.size(); ++t) {
    ASSERT_EQ(few->trees[t].size(), more->trees[t].size());
    for (size_t i = 0; i < few->trees[t].size(); ++i) {
      EXPECT_EQ(few->trees[t][i].feature, more->trees[t][i].feature);
      EXPECT_EQ(few->trees[t][i].threshold, more->trees[t][i].threshold);
    }
  }
}

TEST_P(TreeFamilies, KeepTheDepth) {
  for (const int64_t depth : {1, 3}) {
    const auto weights = DecodeTrees(*Train(
        MakeTable(3, 60, 8, 0.1), {{"trees", int64_t{5}}, {"depth", depth}}));
    size_t largest = 0;
    for (const Tree& tree : weights->trees)
      largest = std::max(largest, tree.size());
    EXPECT_LE(largest, (size_t{2} << depth) - 1);
    EXPECT_GT(largest, (size_t{2} << (depth - 1)) - 1);
  }
}

TEST_P(TreeFamilies, ColumnsThatTellNothingDoNoHarm) {
  Dataset data = MakeTable(2, 50, 3, 1);
  for (Item& item : data.items) {
    auto& values = std::get<Numbers>(item.payload).values;
    values[1] = 7;
    values[2] = kNan;
  }
  const auto bytes = Train(data, Few());
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_GE(AccuracyOf(Predict(*bytes, data), data.items), 0.9);
}

TEST_P(TreeFamilies, NothingToSplitOnGivesThePrior) {
  Dataset data = MakeTable(2, 30, 1);
  for (Item& item : data.items) item.payload = Numbers{{1}};
  data.items.resize(50);
  for (size_t i = 0; i < 50; ++i) data.items[i].label = i < 40 ? 1 : 0;
  const auto bytes = Train(data, Few());
  ASSERT_TRUE(bytes) << bytes.error().message;
  for (const Output& output : Predict(*bytes, data))
    EXPECT_EQ(std::get<Label>(output).index, 1);
}

TEST_P(TreeFamilies, AClassWithoutTrainingRowsIsNeverAnswered) {
  const TestFolder folder;
  const Dataset data = Table(4);
  std::vector<uint32_t> rows;
  for (const uint32_t row : AllRowsOf(data))
    if (data.items[row].label != 3) rows.push_back(row);
  NullSink sink;
  const auto trained =
      (*FindTrainer(GetParam()))
          ->Train(data, rows, Few(), {}, nullptr, folder.path(), sink);
  ASSERT_TRUE(trained) << trained.error().message;
  const auto model =
      LoadModel(GetParam(), folder.path(), data.labels, sink).value();
  const auto outputs = model->Predict(data.items, {}, sink).value();
  for (const Output& output : outputs)
    EXPECT_NE(std::get<Label>(output).index, 3);
}

TEST_P(TreeFamilies, RefuseBadParametersAndData) {
  const std::string family = GetParam();
  const Dataset table = MakeTable(2, 5, 2);
  const Dataset texts = MakeTopics(2, 5);
  const auto message = [&](const Dataset& data, const Params& params) {
    const auto trained = Train(data, params);
    return trained ? "" : trained.error().message;
  };
  EXPECT_EQ(
      message(texts, {{"tree", int64_t{1}}}),
      "family " + family + " has no parameter 'tree', did you mean 'trees'?");
  EXPECT_EQ(message(table, {{"features", int64_t{1}}}),
            "family " + family + " on a table has no parameter 'features'");
  EXPECT_EQ(message(table, {{"depth", int64_t{25}}}),
            "parameter depth = 25: a whole number from 1 to 24 expected");
  EXPECT_EQ(message(texts, {{"word_ngrams", std::string("none")}}),
            "word_ngrams and char_ngrams are both 'none'");
  Dataset infinite = table;
  std::get<Numbers>(infinite.items[3].payload).values[1] = INFINITY;
  EXPECT_EQ(message(infinite, {}), "row 4 of table: column 'x1' is infinite");
  Dataset unique;
  unique.name = "unique";
  unique.labels = {"a", "b"};
  unique.items = {TextItem("one", 0), TextItem("two", 1)};
  EXPECT_EQ(message(unique, {}),
            "no n-gram is in two of the training texts of unique");
}

TEST_P(TreeFamilies, StopAndKeepTheMemoryBudget) {
  const Dataset data = Table(2);
  Budget small;
  small.memory = Bytes(1000);
  EXPECT_THAT(TrainBytes(GetParam(), data, Few(), small).error().message,
              testing::StartsWith("training needs some"));
  std::stop_source stop;
  stop.request_stop();
  Budget stopped;
  stopped.stop = stop.get_token();
  EXPECT_EQ(TrainBytes(GetParam(), data, Few(), stopped).error().code,
            ErrorCode::kInterrupted);
}

TEST_P(TreeFamilies, TrainQuietlyAndReportPhases) {
  const TestFolder folder;
  const Dataset data = Table(2);
  PhaseList phases;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const auto trained = (*FindTrainer(GetParam()))
                           ->Train(data, AllRowsOf(data), Few(), {}, nullptr,
                                   folder.path(), phases);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(trained);
  EXPECT_EQ(phases.seen, (std::vector{Phase::kPrepare, Phase::kTrain}));
}

TEST(TreeTrain, AFolderThatIsNotThereIsAnError) {
  const Dataset data = MakeTable(2, 5, 2);
  NullSink sink;
  const auto trained =
      (*FindTrainer("boosted"))
          ->Train(data, AllRowsOf(data), {{"trees", int64_t{1}}}, {}, nullptr,
                  "/dev/null/no", sink);
  EXPECT_FALSE(trained);
}

}  // namespace
}  // namespace modicum
