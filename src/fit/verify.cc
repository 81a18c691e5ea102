// SPDX-License-Identifier: Apache-2.0
#include "fit/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/format.h"
#include "evaluate/metric.h"
#include "fit/derive.h"
#include "record/json.h"
#include "record/quality_text.h"
#include "record/signature.h"

namespace modicum {
namespace {

using nlohmann::json;

tl::unexpected<Error> Contradiction(std::string message) {
  return Fail(ErrorCode::kInvalidInput, std::move(message));
}

Status CheckItems(const SplitItems& items, const char* split) {
  if (items.ids.size() == items.groups.size()) return {};
  return Contradiction(fmt::format("evidence.{}: {} ids and {} groups", split,
                                   items.ids.size(), items.groups.size()));
}

// A trial that did not fail has a score for each item.
Status CheckTrial(const TrialEvidence& trial, const std::string& path,
                  const SplitItems& items, const Metric& metric) {
  for (size_t i = 0; i < trial.samples.repeats.size(); ++i)
    if (trial.samples.repeats[i].predictions == 0)
      return Contradiction(
          fmt::format("{}.samples.repeats[{}].predictions: none", path, i));
  if (!trial.failure.empty()) return {};
  if (items.ids.empty() || trial.scores.size() != items.ids.size())
    return Contradiction(fmt::format("{}.scores: {} for {} items", path,
                                     trial.scores.size(), items.ids.size()));
  for (size_t i = 0; i < trial.scores.size(); ++i)
    if (!metric.IsScore(trial.scores[i]))
      return Contradiction(fmt::format("{}.scores[{}]: {} is no score of {}",
                                       path, i, trial.scores[i],
                                       metric.name()));
  return {};
}

Status CheckRequirement(const FitEvidence& e) {
  if (!e.within && !e.floor)
    return Contradiction("evidence: neither within nor floor is there");
  for (const auto& [name, bound] :
       {std::pair("within", e.within), std::pair("floor", e.floor)})
    if (bound && !(*bound >= 0 && (*bound <= 1 || e.metric == "log-loss")))
      return Contradiction(
          fmt::format("evidence.{}: {} is no {}", name, *bound, e.metric));
  return {};
}

bool SameNumber(double a, double b) {
  constexpr double kRelative = 1e-9;
  constexpr double kRounding = 1e-15;  // where terms cancel to nothing
  const double most = std::max(std::abs(a), std::abs(b));
  return std::abs(a - b) <= std::max(kRelative * most, kRounding);
}

// Walks what is stated beside what is recomputed and keeps what differs.
class Comparer {
 public:
  explicit Comparer(Verification& verification) : out_(verification) {}

  void Compare(const json& stated, const json& derived,
               const std::string& path) {
    if (stated.is_object() && derived.is_object())
      return CompareObjects(stated, derived, path);
    if (stated.is_array() && derived.is_array())
      return CompareArrays(stated, derived, path);
    const bool numbers = stated.is_number() && derived.is_number();
    ++(numbers ? out_.numbers : out_.texts);
    if (numbers ? !SameNumber(stated.get<double>(), derived.get<double>())
                : stated != derived)
      Differ(path, Shown(stated), Shown(derived));
  }

 private:
  static std::string Shown(const json& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return "a list";
    return CanonicalJson(value);
  }
  void Differ(const std::string& path, const std::string& stated,
              const std::string& derived) {
    out_.faults.push_back(
        fmt::format("{}: stated {}, recomputed {}", path, stated, derived));
  }
  void CompareObjects(const json& stated, const json& derived,
                      const std::string& path) {
    for (auto it = stated.begin(); it != stated.end(); ++it) {
      const std::string at = path + '.' + it.key();
      if (const auto other = derived.find(it.key()); other != derived.end())
        Compare(*it, *other, at);
      else
        Differ(at, Shown(*it), "nothing");
    }
    for (auto it = derived.begin(); it != derived.end(); ++it)
      if (!stated.contains(it.key()))
        Differ(path + '.' + it.key(), "nothing", Shown(*it));
  }
  void CompareArrays(const json& stated, const json& derived,
                     const std::string& path) {
    if (stated.size() != derived.size())
      return Differ(path, fmt::format("{} elements", stated.size()),
                    fmt::format("{}", derived.size()));
    for (size_t i = 0; i < stated.size(); ++i)
      Compare(stated[i], derived[i], fmt::format("{}[{}]", path, i));
  }

  Verification& out_;
};

void VerifyResult(const Receipt& receipt, Verification& out) {
  if (const auto status = CheckEvidence(receipt.evidence); !status) {
    out.faults.push_back(status.error().message);
    return;
  }
  auto derived = Derive(receipt.evidence);
  if (!derived) {
    out.faults.push_back("evidence: " + derived.error().message);
    return;
  }
  // Where the artifact was written follows from nothing.
  derived->artifact = receipt.result.artifact;
  Comparer(out).Compare(ToJson(receipt.result, JsonStyle::kReceipt),
                        ToJson(*derived, JsonStyle::kReceipt), "result");
}

void VerifySignature(const Receipt& receipt, const std::string& trusted,
                     Verification& out) {
  if (!receipt.signature) {
    if (!trusted.empty())
      out.faults.push_back("signature: there is none, and key " + trusted +
                           " must have signed");
    return;
  }
  const Signature& signature = *receipt.signature;
  if (const auto status = CheckSignature(receipt.sha256, signature); !status) {
    out.faults.push_back(status.error().message);
    return;
  }
  out.signed_by = signature.public_key;
  if (!trusted.empty() && trusted != signature.public_key)
    out.faults.push_back("signature: by the foreign key " +
                         signature.public_key + ", not by " + trusted);
}

// A receipt names files beside and below itself, nowhere else.
bool StaysBelow(const std::filesystem::path& path) {
  return !path.empty() && path.is_relative() &&
         std::none_of(path.begin(), path.end(),
                      [](const auto& part) { return part == ".."; });
}

void VerifyFiles(const Receipt& receipt, const std::string& folder,
                 Verification& out) {
  for (const auto& [name, stated] : receipt.files) {
    if (!StaysBelow(name)) {
      out.faults.push_back("file " + name + ": not below the receipt's folder");
      continue;
    }
    const std::string path = (std::filesystem::path(folder) / name).string();
    const auto hash = Sha256OfFile(path);
    if (!hash && hash.error().code == ErrorCode::kNotFound)
      out.faults.push_back("file " + name + ": missing");
    else if (!hash)
      out.faults.push_back("file " + name + ": " + hash.error().message);
    else if (ToHex(*hash) != stated)
      out.faults.push_back("file " + name + ": altered; its SHA-256 is " +
                           ToHex(*hash) + ", stated " + stated);
    else
      ++out.files;
  }
}

std::string OverlapVerdict(const Interval& a, const Interval& b) {
  return a.low <= b.high && b.low <= a.high ? "agrees" : "differs";
}

Agreement OfQuality(const std::string& name, const QualityFigure& stated,
                    const QualityFigure& here) {
  Agreement agreement{name + ": " + stated.metric + " (" + stated.split + ")",
                      FormatQualityFigure(stated),
                      FormatQualityFigure(here),
                      {},
                      true};
  if (stated.split != here.split)  // another model was chosen and tested
    agreement.verdict = "not tested here";
  else if (stated.mid == here.mid)
    agreement.verdict = "agrees exactly";
  else
    agreement.verdict =
        OverlapVerdict({stated.low, stated.high}, {here.low, here.high});
  return agreement;
}

// Compares two results' figures one by one and keeps the verdicts.
class RerunComparer {
 public:
  RerunComparer(const FitResult& stated, const FitResult& here)
      : same_machine_(stated.machine == here.machine) {}

  void Text(const std::string& figure, const std::string& stated,
            const std::string& here, const std::string& verdict) {
    list.push_back({figure, stated, here, verdict, false});
  }
  void Quality(const std::string& name,
               const std::optional<QualityFigure>& stated,
               const std::optional<QualityFigure>& here) {
    if (stated && here) list.push_back(OfQuality(name, *stated, *here));
  }
  template <class Q>
  void Figure(const std::string& figure,
              const std::optional<Estimate<Q>>& stated,
              const std::optional<Estimate<Q>>& here) {
    if (!stated) return;
    if (!here) return Text(figure, FormatEstimate(*stated), "-", kMissing);
    Text(figure, FormatEstimate(*stated), FormatEstimate(*here),
         Verdict(*stated, *here));
  }
  void Row(const CandidateRow& stated, const CandidateRow& here) {
    Quality(stated.name, stated.validation, here.validation);
    if (stated.quality && stated.quality->split != "validation")
      Quality(stated.name, stated.quality, here.quality);
    Figure(stated.name + ": CPU time per 1,000", stated.cpu_seconds_per_1000,
           here.cpu_seconds_per_1000);
    Figure(stated.name + ": joules per 1,000", stated.joules_per_1000,
           here.joules_per_1000);
  }

  static constexpr char kMissing[] = "missing here";
  std::vector<Agreement> list;

 private:
  template <class Q>
  std::string Verdict(const Estimate<Q>& stated,
                      const Estimate<Q>& here) const {
    const bool same_scope =
        stated.scope == here.scope &&
        IsMeasured(stated.origin) == IsMeasured(here.origin);
    if (!same_scope) return "another scope";
    std::string verdict = OverlapVerdict(stated.interval(), here.interval());
    return verdict == "differs" && !same_machine_ ? "another machine" : verdict;
  }

  bool same_machine_;
};

}  // namespace

Status CheckEvidence(const FitEvidence& e) {
  MODICUM_TRY(const auto metric, MakeMetric(e.metric, e.labels));
  MODICUM_RETURN_IF_ERROR(CheckRequirement(e));
  MODICUM_RETURN_IF_ERROR(CheckItems(e.validation, "validation"));
  MODICUM_RETURN_IF_ERROR(CheckItems(e.test, "test"));
  std::set<std::string_view> tried;
  for (size_t i = 0; i < e.trials.size(); ++i) {
    const std::string path = fmt::format("evidence.trials[{}]", i);
    if (!tried.insert(e.trials[i].name).second)
      return Contradiction(path + ".name: another trial has it too");
    MODICUM_RETURN_IF_ERROR(
        CheckTrial(e.trials[i], path, e.validation, *metric));
  }
  std::set<std::string_view> tested;
  for (size_t i = 0; i < e.finals.size(); ++i) {
    const std::string path = fmt::format("evidence.finals[{}]", i);
    const TrialEvidence& trial = e.finals[i];
    if (!tested.insert(trial.name).second || !tried.contains(trial.name))
      return Contradiction(path + ".name: not of one trial");
    MODICUM_RETURN_IF_ERROR(CheckTrial(trial, path, e.test, *metric));
    if (!trial.failure.empty() || trial.samples.repeats.empty())
      return Contradiction(path + ": no repeats");
  }
  return {};
}

Verification VerifyReceipt(std::string_view text,
                           const VerifyOptions& options) {
  Verification verification;
  const auto receipt = ParseReceipt(text);
  if (!receipt) {
    verification.faults.push_back(receipt.error().message);
    return verification;
  }
  verification.readable = true;
  verification.sha256 = receipt->sha256;
  VerifySignature(*receipt, options.trusted, verification);
  VerifyResult(*receipt, verification);
  if (options.files) VerifyFiles(*receipt, options.folder, verification);
  return verification;
}

std::vector<Agreement> CompareWithRerun(const FitResult& stated,
                                        const FitResult& here) {
  RerunComparer comparer(stated, here);
  comparer.Text("chosen", stated.chosen, here.chosen,
                stated.chosen == here.chosen ? "agrees" : "differs");
  size_t not_tried = 0;
  for (const CandidateRow& row : stated.rows) {
    if (row.reference) continue;
    if (const CandidateRow* other = FindRow(here, row.name))
      comparer.Row(row, *other);
    else if (row.name == stated.chosen || row.name == stated.baseline)
      comparer.Text(row.name, "tried", "-", comparer.kMissing);
    else
      ++not_tried;
  }
  if (not_tried > 0)  // what is tried next depends on what was measured
    comparer.Text("other candidates", fmt::format("{} tried", not_tried), "-",
                  comparer.kMissing);
  comparer.Figure("joules of the search", std::optional(stated.search_joules),
                  std::optional(here.search_joules));
  comparer.Figure("baseline / chosen, CPU time", stated.cpu_ratio,
                  here.cpu_ratio);
  comparer.Figure("baseline / chosen, joules", stated.energy_ratio,
                  here.energy_ratio);
  return std::move(comparer.list);
}

}  // namespace modicum
