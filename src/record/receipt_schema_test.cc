// SPDX-License-Identifier: Apache-2.0
// The published schema describes what is written: a receipt in which every
// member is set satisfies it, and uses every property that it names.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "record/fake_receipts.h"

namespace modicum {
namespace {

using nlohmann::json;

// The keywords of the schema's own dialect, as far as ours uses them.
class Checker {
 public:
  explicit Checker(const json& schema) : root_(schema) {}

  // Empty, or the first place where `value` does not satisfy `schema`.
  std::string Check(const json& value, const json& schema,
                    const std::string& path) {
    if (schema.contains("$ref")) {
      const std::string pointer =
          schema["$ref"].get<std::string>().substr(1);  // "#/$defs/x"
      return Check(value, root_.at(json::json_pointer(pointer)), path);
    }
    if (schema.contains("const") && value != schema["const"])
      return path + ": const";
    if (schema.contains("enum") &&
        std::find(schema["enum"].begin(), schema["enum"].end(), value) ==
            schema["enum"].end())
      return path + ": enum";
    if (schema.contains("anyOf")) return CheckAny(value, schema, path);
    if (schema.contains("type") && !HasType(value, schema["type"]))
      return path + ": not " + schema["type"].get<std::string>();
    if (value.is_object()) return CheckObject(value, schema, path);
    if (value.is_array())
      for (size_t i = 0; i < value.size(); ++i)
        if (auto fault = Check(value[i], schema.at("items"),
                               path + '[' + std::to_string(i) + ']');
            !fault.empty())
          return fault;
    return "";
  }

  // Properties that values had: the object that names them, and the name.
  std::set<std::pair<const json*, std::string>> used;

 private:
  static bool HasType(const json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    return type == "number" && value.is_number();
  }
  std::string CheckAny(const json& value, const json& schema,
                       const std::string& path) {
    for (const json& one : schema["anyOf"])
      if (Check(value, one, path).empty()) return "";
    return path + ": none of anyOf";
  }
  std::string CheckObject(const json& value, const json& schema,
                          const std::string& path) {
    if (schema.contains("required"))
      for (const json& name : schema["required"])
        if (!value.contains(name.get<std::string>()))
          return path + ": " + name.get<std::string>() + " is missing";
    for (auto it = value.begin(); it != value.end(); ++it) {
      const std::string at = path + '.' + it.key();
      const json* rule = &schema.at("additionalProperties");
      if (schema.contains("properties") &&
          schema["properties"].contains(it.key())) {
        rule = &schema["properties"][it.key()];
        used.insert({&schema["properties"], it.key()});
      }
      if (*rule == false) return at + ": not in the schema";
      if (auto fault = Check(*it, *rule, at); !fault.empty()) return fault;
    }
    return "";
  }

  const json& root_;
};

// Properties named anywhere in the schema that no value had.
void CollectUnused(const json& schema, const Checker& checker,
                   const std::string& path, std::vector<std::string>& unused) {
  if (!schema.is_structured()) return;
  if (schema.is_object() && schema.contains("properties"))
    for (auto it = schema["properties"].begin();
         it != schema["properties"].end(); ++it)
      if (!checker.used.contains({&schema["properties"], it.key()}))
        unused.push_back(path + '/' + it.key());
  for (auto it = schema.begin(); it != schema.end(); ++it)
    CollectUnused(*it, checker,
                  schema.is_object() ? path + '/' + it.key() : path, unused);
}

Receipt Everything() {
  Receipt receipt;
  receipt.evidence = FakeEvidence({});
  receipt.evidence.floor = 0.9;
  receipt.evidence.seed = UINT64_MAX;
  receipt.evidence.trials[0].cost.difference = true;
  receipt.evidence.trials[0].samples.repeats[0].price = 0.5;
  receipt.evidence.trials[0].samples.repeats[0].currency = "USD";
  receipt.evidence.search_price = 2;
  receipt.evidence.search_currency = "USD";
  receipt.evidence.trials[0].note = "1 of 2 answers held no label";
  const Estimate<Joules> joules = internal::FakeJoules(1);
  const Estimate<Scalar> ratio = Ratio(joules, joules);
  CandidateRow row;
  row.quality = row.validation =
      QualityFigure{"accuracy", "test", 0.9, 0.8, 1, 60};
  row.joules_per_1000 = row.joules_per_1000_all = joules;
  row.joules_per_correct = row.train_joules = joules;
  row.cpu_seconds_per_1000 =
      Exactly(Seconds(1), Origin::kCounter, Scope::kProcess);
  row.g_co2e_per_1000 =
      Exactly(GramsCo2e(1), Origin::kModelled, Scope::kPackage);
  row.money_per_1000 = MoneyEstimate{
      Exactly(Amount(1), Origin::kAssumed, Scope::kHost), {"EUR"}};
  row.price_per_1000 = row.money_per_1000;
  row.phase_share = {{Phase::kDecode, 1}};
  row.peak_memory = Bytes(1);
  receipt.result.rows = {row};
  receipt.result.run = receipt.evidence.run;
  receipt.result.search_parts = receipt.evidence.search_parts;
  receipt.result.payback = Payback{2, 1, 3};
  receipt.result.cpu_ratio = receipt.result.energy_ratio = ratio;
  receipt.result.idle_month = receipt.result.predict_month = joules;
  receipt.result.factors = receipt.evidence.place.factors;
  receipt.files = {{"a", std::string(64, '0')}};
  receipt.signature = Signature{std::string(64, '1'), std::string(128, '2')};
  return receipt;
}

TEST(ReceiptSchema, DescribesWhatIsWrittenAndNothingElse) {
  const std::string path =
      std::string(MODICUM_SOURCE_DIR) + "/docs/receipt.schema.json";
  const json schema = json::parse(ReadFile(path).value());
  Checker checker(schema);
  Receipt plain;
  plain.evidence = FakeEvidence({});
  plain.result.run = plain.evidence.run;
  for (const Receipt& receipt : {Everything(), plain})
    EXPECT_EQ(checker.Check(json::parse(FormatReceipt(receipt)), schema, ""),
              "");
  std::vector<std::string> unused;
  CollectUnused(schema, checker, "", unused);
  for (const std::string& one : unused) ADD_FAILURE() << one;
}

TEST(ReceiptSchema, TheCheckerSeesFaults) {
  const json schema = json::parse(R"({"type": "object", "required": ["a"],
      "properties": {"a": {"type": "integer"}, "b": {"enum": ["x"]}},
      "additionalProperties": false})");
  Checker checker(schema);
  const auto fault = [&](const char* text) {
    return checker.Check(json::parse(text), schema, "");
  };
  EXPECT_EQ(fault(R"({"a": 1, "b": "x"})"), "");
  EXPECT_EQ(fault(R"({"b": "x"})"), ": a is missing");
  EXPECT_EQ(fault(R"({"a": "1"})"), ".a: not integer");
  EXPECT_EQ(fault(R"({"a": 1, "b": "y"})"), ".b: enum");
  EXPECT_EQ(fault(R"({"a": 1, "c": 1})"), ".c: not in the schema");
}

}  // namespace
}  // namespace modicum
