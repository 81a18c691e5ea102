// SPDX-License-Identifier: Apache-2.0
#include "report/board.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "record/comparable.h"
#include "record/quality_text.h"
#include "report/fit_rows.h"
#include "report/html.h"
#include "report/scatter.h"

namespace modicum {
namespace {

// Of the chosen model; nothing was chosen or measured: infinite.
double JoulesOf(const Receipt& receipt) {
  const CandidateRow* row = ChosenRowOf(receipt.result);
  return row != nullptr && row->joules_per_1000
             ? row->joules_per_1000->mid.value()
             : std::numeric_limits<double>::infinity();
}

bool IsRanked(const Receipt& receipt) {
  const CandidateRow* row = ChosenRowOf(receipt.result);
  return row != nullptr && row->quality && std::isfinite(JoulesOf(receipt));
}

char ByRank(double joules, const std::vector<double>& all) {
  const auto below =
      std::count_if(all.begin(), all.end(),
                    [joules](double other) { return other < joules; });
  return static_cast<char>('A' + 5 * below / static_cast<int64_t>(all.size()));
}

char ByWidth(double joules, double least, double most) {
  if (!(most > least)) return 'A';
  const double share = std::log(joules / least) / std::log(most / least);
  return static_cast<char>('A' + std::min(static_cast<int>(5 * share), 4));
}

std::vector<const Receipt*> Ranked(const BoardGroup& group) {
  std::vector<const Receipt*> ranked;
  for (const Receipt* receipt : group.receipts)
    if (IsRanked(*receipt)) ranked.push_back(receipt);
  return ranked;
}

// 1 for the best; equal qualities share a rank.
size_t QualityRank(const Receipt& receipt,
                   const std::vector<const Receipt*>& ranked) {
  const bool lower = LowerIsBetter(receipt.result.metric);
  const double own = ChosenRowOf(receipt.result)->quality->mid;
  size_t rank = 1;
  for (const Receipt* other : ranked) {
    const double quality = ChosenRowOf(other->result)->quality->mid;
    if (lower ? quality < own : quality > own) ++rank;
  }
  return rank;
}

std::string WhyNot(const Error& error) {
  constexpr std::string_view kPrefix = "not comparable: ";
  std::string_view message = error.message;
  if (message.starts_with(kPrefix)) message.remove_prefix(kPrefix.size());
  return std::string(message) + "; " + error.hint;
}

std::string RankedModelCell(const Receipt& receipt) {
  const FitResult& result = receipt.result;
  const CandidateRow* row = ChosenRowOf(result);
  return EscapeHtml(row == nullptr ? "no model is good enough" : row->name) +
         (row == nullptr ? "" : Element("small", row->params)) +
         Element("small", result.machine);
}

std::string ReceiptCell(const Receipt& receipt) {
  return Wrap("code", ToHex(receipt.sha256).substr(0, 8)) +
         Element("small", receipt.result.created.substr(0, 10)) +
         Element("small", receipt.signature ? "signed" : "not signed");
}

// A class is never shown without its rule and its reference set.
std::string ClassCell(char letter, ClassRule rule, const std::string& set) {
  return Element("span class=\"cls\"", std::string(1, letter)) +
         Element("small", fmt::format("{}, set {}", ClassRuleName(rule),
                                      set.substr(0, 8)));
}

std::string RankingTable(const BoardGroup& group,
                         const std::vector<const Receipt*>& ranked,
                         ClassRule rule, const std::string& set) {
  std::vector<double> joules;
  for (const Receipt* receipt : ranked) joules.push_back(JoulesOf(*receipt));
  const std::vector<char> classes = ClassesOf(joules, rule);
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < ranked.size(); ++i) {
    const CandidateRow& row = *ChosenRowOf(ranked[i]->result);
    rows.push_back(
        {RankedModelCell(*ranked[i]), fmt::format("{}", i + 1),
         TwoLines(EnergyText(row)),
         classes.empty() ? "-" : ClassCell(classes[i], rule, set),
         fmt::format("{}", QualityRank(*ranked[i], ranked)),
         TwoLines(FormatQualityFigure(*row.quality) + " " + row.quality->split),
         ReceiptCell(*ranked[i])});
  }
  for (const Receipt* receipt : group.receipts)
    if (!IsRanked(*receipt))
      rows.push_back({RankedModelCell(*receipt), "-", "not measured", "-", "-",
                      "-", ReceiptCell(*receipt)});
  return HtmlTable("Receipts, the least energy first",
                   {{"chosen model"},
                    {"rank by energy", Align::kRight},
                    {"energy per 1,000 [90 %]"},
                    {"class"},
                    {"rank by quality", Align::kRight},
                    {group.receipts[0]->result.metric + " [95 %]"},
                    {"receipt"}},
                   rows);
}

// No other receipt is both better and cheaper.
bool OnFront(const Receipt& receipt,
             const std::vector<const Receipt*>& ranked) {
  const size_t rank = QualityRank(receipt, ranked);
  return std::none_of(ranked.begin(), ranked.end(), [&](const Receipt* other) {
    const size_t other_rank = QualityRank(*other, ranked);
    return other_rank <= rank && JoulesOf(*other) <= JoulesOf(receipt) &&
           (other_rank < rank || JoulesOf(*other) < JoulesOf(receipt));
  });
}

std::string Plot(const std::vector<const Receipt*>& ranked) {
  if (ranked.size() < 2) return {};
  Scatter scatter;
  scatter.title = "Quality against joules of the chosen models";
  scatter.description = fmt::format(
      "{} receipts; up is better, left is cheaper. The table below "
      "has every figure.",
      ranked.size());
  scatter.metric = ranked[0]->result.metric;
  for (const Receipt* receipt : ranked) {
    const CandidateRow& row = *ChosenRowOf(receipt->result);
    scatter.points.push_back(
        {row.name + ", " + ToHex(receipt->sha256).substr(0, 4),
         Mark::kGoodEnough, JoulesOf(*receipt), row.joules_per_1000->interval(),
         IsMeasured(row.joules_per_1000->origin), row.quality->mid,
         Interval{row.quality->low, row.quality->high},
         OnFront(*receipt, ranked), 1});
  }
  return Figure(
      DrawScatter(scatter) + Key({LineKey("fr", "Pareto front"),
                                  LineKey("wh", "interval, measured"),
                                  LineKey("wh ds", "interval, modelled")}),
      "Each point is a receipt's chosen model, with the first digits "
      "of the receipt's hash.",
      "");
}

std::string RuleText(ClassRule rule) {
  return rule == ClassRule::kQuintile
             ? "quintile: classes by rank of energy per 1,000 predictions, a "
               "fifth of the reference set each"
             : "equal-width: five bands of the logarithm of energy per 1,000 "
               "predictions, equally wide between the least and the most of "
               "the reference set";
}

std::string AboutClasses(size_t ranked, ClassRule rule,
                         const std::string& set) {
  if (ranked < kLeastForClasses)
    return Element(
               "p class=\"mu\"",
               fmt::format("No classes: {} ranked receipt{} of the {} that "
                           "classes take at least.",
                           ranked, ranked == 1 ? "" : "s", kLeastForClasses)) +
           "\n";
  return FactList({{"class rule", EscapeHtml(RuleText(rule))},
                   {"reference set",
                    fmt::format("{} receipts, SHA-256 of their sorted hashes "
                                "<code>{}</code>",
                                ranked, set)}});
}

std::string GroupHtml(const BoardGroup& group, ClassRule rule) {
  const FitResult& first = group.receipts[0]->result;
  const std::vector<const Receipt*> ranked = Ranked(group);
  const std::string set = ToHex(ReferenceSetHash(ranked));
  std::string html = Element("h2", first.task + ", " + first.metric) + "\n";
  if (!group.apart.empty())
    html +=
        Element("p", "Not comparable with the first group: " + group.apart) +
        "\n";
  html +=
      FactList({{"data", EscapeHtml(first.data) + ", SHA-256 <code>" +
                             ToHex(first.data_hash).substr(0, 16) + "</code>"},
                {"needed", EscapeHtml(first.requirement)},
                {"energy", EscapeHtml(first.energy_note)}});
  return html + Plot(ranked) + AboutClasses(ranked.size(), rule, set) +
         RankingTable(group, ranked, rule, set);
}

}  // namespace

std::string_view ClassRuleName(ClassRule rule) {
  return rule == ClassRule::kQuintile ? "quintile" : "equal-width";
}

Result<ClassRule> ParseClassRule(std::string_view name) {
  for (const ClassRule rule : {ClassRule::kQuintile, ClassRule::kEqualWidth})
    if (name == ClassRuleName(rule)) return rule;
  return Fail(ErrorCode::kInvalidInput,
              "unknown class rule '" + std::string(name) + "'",
              "the rules are quintile and equal-width");
}

std::vector<char> ClassesOf(const std::vector<double>& joules, ClassRule rule) {
  if (joules.size() < kLeastForClasses) return {};
  const auto [least, most] = std::minmax_element(joules.begin(), joules.end());
  std::vector<char> classes;
  for (const double value : joules)
    classes.push_back(rule == ClassRule::kQuintile
                          ? ByRank(value, joules)
                          : ByWidth(value, *least, *most));
  return classes;
}

Hash ReferenceSetHash(const std::vector<const Receipt*>& receipts) {
  std::vector<std::string> lines;
  for (const Receipt* receipt : receipts)
    lines.push_back(ToHex(receipt->sha256));
  std::sort(lines.begin(), lines.end());
  Sha256 hash;
  for (const std::string& line : lines) hash.Add(line + "\n");
  return hash.Finish();
}

std::vector<BoardGroup> GroupReceipts(std::span<const Receipt> receipts) {
  std::vector<BoardGroup> groups;
  for (const Receipt& receipt : receipts) {
    std::string why;
    BoardGroup* home = nullptr;
    for (BoardGroup& group : groups) {
      const Status comparable = Comparable(*group.receipts[0], receipt);
      if (comparable) {
        home = &group;
        break;
      }
      if (why.empty()) why = WhyNot(comparable.error());
    }
    if (home == nullptr) {
      groups.push_back({{}, why});
      home = &groups.back();
    }
    home->receipts.push_back(&receipt);
  }
  for (BoardGroup& group : groups)
    std::stable_sort(group.receipts.begin(), group.receipts.end(),
                     [](const Receipt* a, const Receipt* b) {
                       return JoulesOf(*a) < JoulesOf(*b);
                     });
  return groups;
}

std::string FormatBoardHtml(std::span<const Receipt> receipts, ClassRule rule) {
  std::string main =
      Element("p class=\"kick\"", "Just enough AI") + "\n" +
      Element("h1", "Board of receipts") + "\n" +
      Element("p",
              "What each fit chose, ranked by energy and "
              "by quality. Only receipts of one task, one "
              "data set and one scope are ranked "
              "together. Ranks go by the middle of the interval: "
              "where intervals overlap, the order may be the other.") +
      "\n";
  for (const BoardGroup& group : GroupReceipts(receipts))
    main += GroupHtml(group, rule);
  main += Wrap("footer class=\"mu\"",
               "Check any receipt with <code>modicum verify</code>. Classes "
               "belong to their rule and reference set and change with them.");
  return HtmlPage("Board of receipts", main);
}

}  // namespace modicum
