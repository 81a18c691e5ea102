// SPDX-License-Identifier: Apache-2.0
#include "plan/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/format.h"
#include "plan/audit_rules.h"

namespace modicum {
namespace {

using enum ClaimKind;
using enum Verdict;
using StatedQuantity = ClaimQuantity;

std::string Num(double value) { return FormatNumber(value, 4); }

constexpr AuditRuleRow kOneMemory{
    "one GPU memory", "a table's memory and GPUs, two rows or more",
    "a size m with ceil(memory / m) = GPUs in every row", "arithmetic"};

// One memory size must give every row's count of GPUs.
void CheckOneMemory(std::span<const Claim> claims, size_t first, size_t last,
                    std::vector<Finding>& findings) {
  double low = 0, high = INFINITY;
  std::string text;
  size_t rows = 0;
  for (size_t i = first; i < last; ++i) {
    const StatedQuantity* memory = claims[i].Find(kMemory);
    const StatedQuantity* gpus = claims[i].Find(kGpus);
    if (memory == nullptr || gpus == nullptr) continue;
    const double least = memory->mid() / gpus->mid();
    const double below =
        gpus->mid() > 1 ? memory->mid() / (gpus->mid() - 1) : INFINITY;
    low = std::max(low, least);
    high = std::min(high, below);
    text +=
        fmt::format("{}[{}, {})", rows++ ? ", " : "", Num(least), Num(below));
  }
  if (rows < 2) return;
  findings.push_back(
      {&claims[last - 1], kOneMemory.name,
       low < high ? kConsistent : kInconsistent,
       fmt::format("GB per GPU that give each row's count: {}{}", text,
                   low < high ? "" : "; no size is in all of them")});
}

constexpr AuditRuleRow kDaysByParameters{
    "days by parameters", "a table's parameters, days and GPUs, three rows",
    "days / N is not the same to 3 % where GPUs differ by half", "arithmetic"};

// Days that follow the parameters alone were not computed with the GPUs of the
// same rows.
void CheckDays(std::span<const Claim> claims, size_t first, size_t last,
               std::vector<Finding>& findings) {
  double least = INFINITY, most = 0, few = INFINITY, many = 0;
  size_t rows = 0;
  for (size_t i = first; i < last; ++i) {
    const StatedQuantity* n = claims[i].Find(kParameters);
    const StatedQuantity* time = claims[i].Find(kTime);
    const StatedQuantity* gpus = claims[i].Find(kGpus);
    if (n == nullptr || time == nullptr || gpus == nullptr) continue;
    const double days = time->mid() / 24 / (n->mid() / 1e9);
    least = std::min(least, days);
    most = std::max(most, days);
    few = std::min(few, gpus->mid());
    many = std::max(many, gpus->mid());
    ++rows;
  }
  if (rows < 3 || many < 1.5 * few) return;
  findings.push_back(
      {&claims[last - 1], kDaysByParameters.name,
       most > 1.03 * least ? kConsistent : kInconsistent,
       fmt::format("days per billion parameters: {} to {}, on {} to {} GPUs{}",
                   Num(least), Num(most), Num(few), Num(many),
                   most > 1.03 * least ? "" : ": the GPUs do not count")});
}

std::string Kinds(const Claim& claim) {
  std::string text;
  for (const StatedQuantity& q : claim.quantities)
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ",
                        ClaimKindName(q.kind), q.text);
  return text;
}

void CheckClaim(const Claim& claim, const Accelerator& chip,
                std::vector<Finding>& findings) {
  const size_t before = findings.size();
  for (const internal::AuditRule& rule : internal::ClaimRules())
    if (auto said = rule.check(claim, chip))
      findings.push_back(
          {&claim, rule.row.name, said->verdict, std::move(said->arithmetic)});
  if (findings.size() == before)
    findings.push_back(
        {&claim, "", kUnverifiable, "no rule has enough with " + Kinds(claim)});
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  constexpr std::array<std::string_view, 5> kNames{
      "consistent", "inconsistent", "impossible", "unit error", "unverifiable"};
  return kNames[static_cast<size_t>(verdict)];
}

std::vector<AuditRuleRow> AuditRules() {
  std::vector<AuditRuleRow> rows;
  for (const internal::AuditRule& rule : internal::ClaimRules())
    rows.push_back(rule.row);
  rows.push_back(kOneMemory);
  rows.push_back(kDaysByParameters);
  return rows;
}

std::vector<Finding> AuditClaims(std::span<const Claim> claims,
                                 const Accelerator& chip) {
  std::vector<Finding> findings;
  size_t first = 0;
  for (size_t i = 0; i < claims.size(); ++i) {
    CheckClaim(claims[i], chip, findings);
    const bool ends =
        i + 1 == claims.size() || claims[i + 1].table != claims[i].table;
    if (!ends) continue;
    if (claims[i].table != 0) {
      CheckOneMemory(claims, first, i + 1, findings);
      CheckDays(claims, first, i + 1, findings);
    }
    first = i + 1;
  }
  return findings;
}

Plan AuditPlan(std::span<const Finding> findings, const Accelerator& chip) {
  Plan plan;
  plan.verb = "audit";
  plan.title = "audit of published claims";
  plan.inputs = {{"chip where none is named", chip.name}};
  std::array<size_t, 5> counts{};
  PlanTable table{"", {"line", "claim", "verdict", "rule", "arithmetic"}, {}};
  for (const Finding& finding : findings) {
    ++counts[static_cast<size_t>(finding.verdict)];
    table.rows.push_back({std::to_string(finding.claim->line),
                          finding.claim->table ? finding.claim->subject : "",
                          std::string(VerdictName(finding.verdict)),
                          std::string(finding.rule), finding.arithmetic});
  }
  for (size_t i = 0; i < counts.size(); ++i)
    plan.verdict += fmt::format("{}{} {}", i ? ", " : "", counts[i],
                                VerdictName(static_cast<Verdict>(i)));
  plan.tables.push_back(std::move(table));
  plan.notes.push_back(
      "consistent: the figures agree with each other and with bounds; it is "
      "no proof that they are true");
  return plan;
}

}  // namespace modicum
