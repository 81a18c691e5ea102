// SPDX-License-Identifier: Apache-2.0
#include "plan/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/csv.h"
#include "base/trim.h"
#include "plan/claims_scan.h"

namespace modicum {
namespace {

using enum ClaimKind;

constexpr std::array<std::string_view, 24> kKindNames{"parameters",
                                                      "active parameters",
                                                      "tokens",
                                                      "optimal tokens",
                                                      "GPUs",
                                                      "GPU-hours",
                                                      "time",
                                                      "energy",
                                                      "power",
                                                      "CO2e",
                                                      "memory",
                                                      "storage",
                                                      "money",
                                                      "money per day",
                                                      "money per query",
                                                      "users",
                                                      "servers",
                                                      "items",
                                                      "percent",
                                                      "factor",
                                                      "phone charges",
                                                      "streaming hours",
                                                      "household days",
                                                      "distance"};

// The first row whose words are all in the header decides.
constexpr std::array<ClaimColumn, 26> kColumns{{
    {"active", kActive},
    {"optimal token", kOptimalTokens},
    {"token", kTokens},
    {"param", kParameters},
    {"model size", kParameters},
    {"gpu hours", kGpuHours},
    {"gpu-hours", kGpuHours},
    {"gpu-h", kGpuHours},
    {"memory", kMemory},
    {"vram", kMemory},
    {"storage", kStorage},
    {"file size", kStorage},
    {"day", kTime},
    {"hours", kTime},
    {"time", kTime},
    {"duration", kTime},
    {"power", kPower},
    {"energy", kEnergy},
    {"electricity", kEnergy},
    {"co2", kCarbon},
    {"carbon", kCarbon},
    {"emission", kCarbon},
    {"per query", kMoneyPerQuery},
    {"cost", kMoney},
    {"price", kMoney},
    {"gpu", kGpus},
}};

bool HasWords(const std::string& header, std::string_view words) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (header.find(words.substr(0, end)) == std::string::npos) return false;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return true;
}

// A column of a table that is understood.
struct Column {
  size_t at = 0;
  ClaimKind kind{};
  double scale = 1;
  std::string unit;  // to show behind the cell
};

// A unit's word as it is printed.
std::string Shown(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kShown{
      {{"kw", "kW"},
       {"mw", "MW"},
       {"w", "W"},
       {"kwh", "kWh"},
       {"mwh", "MWh"},
       {"gwh", "GWh"},
       {"twh", "TWh"},
       {"gb", "GB"},
       {"tb", "TB"}}};
  for (const auto& [lower, shown] : kShown)
    if (lower == word) return std::string(shown);
  return std::string(word);
}

// The unit that the header gives, "(kW)" or "billions".
void SetUnit(const std::string& header, Column& column) {
  std::string word;
  const auto take = [&] {
    if (column.unit.empty()) {
      const auto* unit = internal::FindClaimUnit(word);
      if (unit != nullptr &&
          (unit->kind == column.kind ||
           (unit->kind == kMemory && column.kind == kStorage))) {
        column.scale = unit->scale;
        column.unit = Shown(unit->word);
      }
    }
    if (word == "billions" || word == "b") column.scale = 1e9;
    word.clear();
  };
  for (const char c : header + " ") {
    const bool part = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (part)
      word += c;
    else
      take();
  }
}

std::vector<Column> ColumnsOf(const std::vector<std::string>& header) {
  std::vector<Column> columns;
  for (size_t i = 0; i < header.size(); ++i) {
    const std::string name = LowerAscii(header[i]);
    const auto found = std::ranges::find_if(
        kColumns,
        [&](const ClaimColumn& c) { return HasWords(name, c.words); });
    if (found == kColumns.end() || name.size() > 60) continue;
    Column column{i, found->kind, 1, {}};
    SetUnit(name, column);
    columns.push_back(std::move(column));
  }
  return columns;
}

// A cell with a unit of the column's kind has its own scale.
std::optional<ClaimQuantity> CellQuantity(std::string_view cell,
                                          const Column& column, Claim& claim) {
  Claim scanned;
  internal::ScanLine(cell, scanned);
  if (claim.chip == nullptr) claim.chip = scanned.chip;
  for (ClaimQuantity& q : scanned.quantities)
    if (q.kind == column.kind ||
        (q.kind == kMemory && column.kind == kStorage)) {
      q.kind = column.kind;
      return q;
    }
  const auto number = internal::ScanNumber(cell, 0);
  if (!number) return std::nullopt;
  std::string text(cell);
  if (!column.unit.empty()) text += " " + column.unit;
  return ClaimQuantity{column.kind, number->low * column.scale,
                       number->high * column.scale, std::move(text)};
}

Claim RowClaim(const std::vector<std::string>& cells,
               const std::vector<Column>& columns, size_t line, size_t table) {
  Claim claim;
  claim.line = line;
  claim.table = table;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string_view cell = Trim(cells[i]);
    const auto column = std::ranges::find(columns, i, &Column::at);
    if (column == columns.end()) {
      if (claim.subject.empty()) claim.subject = cell;
      if (claim.chip == nullptr) {
        const auto chip = FindAccelerator(cell);
        if (chip) claim.chip = *chip;
      }
      continue;
    }
    if (auto quantity = CellQuantity(cell, *column, claim))
      claim.quantities.push_back(*std::move(quantity));
  }
  if (claim.subject.empty() && !cells.empty()) claim.subject = cells[0];
  return claim;
}

bool IsMarkdownRow(std::string_view line) { return line.starts_with('|'); }

bool IsRule(std::string_view line) {
  return IsMarkdownRow(line) &&
         line.find_first_not_of("|-: \t") == std::string_view::npos;
}

std::vector<std::string> MarkdownCells(std::string_view line) {
  std::vector<std::string> cells;
  line = Trim(line).substr(1);
  while (!line.empty()) {
    const size_t end = std::min(line.find('|'), line.size());
    cells.emplace_back(Trim(line.substr(0, end)));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return cells;
}

std::vector<std::string> CsvCells(std::string_view line) {
  CsvReader reader(line);
  auto record = reader.Next();
  if (!record || !*record) return {};
  return **std::move(record);
}

// Names of columns, two of them known, and no number.
bool IsCsvHeader(std::string_view line) {
  if (line.find(',') == std::string_view::npos ||
      line.find(". ") != std::string_view::npos)
    return false;
  const auto cells = CsvCells(line);
  const auto holds_number = [](const std::string& cell) {
    const std::string_view name = Trim(cell);
    bool begins = true;  // of a word
    for (const char c : name) {
      if (begins && c >= '0' && c <= '9') return true;
      begins = c == ' ' || c == '(';
    }
    return name.empty() || name.size() > 40;
  };
  return std::ranges::none_of(cells, holds_number) &&
         ColumnsOf(cells).size() >= 2;
}

// Reads line by line; a table ends where a line is of another form.
class ClaimReader {
 public:
  void Line(std::string_view line, size_t number) {
    line = Trim(line);
    if (line.empty()) return End();
    if (line.starts_with('#')) return;
    if (IsMarkdownRow(line)) return Row(line, number, true);
    if (form_ == Form::kMarkdown) End();
    if (form_ == Form::kCsv) return Row(line, number, false);
    if (IsCsvHeader(line)) return Row(line, number, false);
    Text(line, number);
  }
  std::vector<Claim> Take() { return std::move(claims_); }

 private:
  enum class Form { kText, kMarkdown, kCsv };

  void End() { form_ = Form::kText; }

  void Row(std::string_view line, size_t number, bool markdown) {
    if (markdown && IsRule(line)) return;
    const auto cells = markdown ? MarkdownCells(line) : CsvCells(line);
    if (form_ == Form::kText) {
      form_ = markdown ? Form::kMarkdown : Form::kCsv;
      columns_ = ColumnsOf(cells);
      ++table_;
      return;
    }
    Claim claim = RowClaim(cells, columns_, number, table_);
    if (!claim.quantities.empty()) claims_.push_back(std::move(claim));
  }

  void Text(std::string_view line, size_t number) {
    Claim claim;
    claim.line = number;
    claim.subject = line;
    internal::ScanLine(line, claim);
    if (!claim.quantities.empty()) claims_.push_back(std::move(claim));
  }

  Form form_ = Form::kText;
  std::vector<Column> columns_;
  size_t table_ = 0;
  std::vector<Claim> claims_;
};

}  // namespace

std::string_view ClaimKindName(ClaimKind kind) {
  return kKindNames[static_cast<size_t>(kind)];
}

const ClaimQuantity* Claim::Find(ClaimKind kind) const {
  const auto found = std::ranges::find(quantities, kind, &ClaimQuantity::kind);
  return found == quantities.end() ? nullptr : &*found;
}

std::span<const ClaimColumn> ClaimColumns() { return kColumns; }

Result<std::vector<Claim>> ParseClaims(std::string_view text,
                                       std::string_view name) {
  if (text.size() > kLargestClaimsFile)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: larger than 4 MiB", name),
                "audit the tables and the sentences with figures alone");
  if (text.find('\0') != std::string_view::npos)
    return Fail(ErrorCode::kInvalidInput, fmt::format("{}: not a text", name),
                "a Markdown or CSV table, or lines of text");
  ClaimReader reader;
  size_t line = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    reader.Line(text.substr(0, end), ++line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::vector<Claim> claims = reader.Take();
  if (claims.empty())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: no quantity that is known", name),
                "a table with columns such as parameters, GPUs, days, kWh, or "
                "sentences such as '7B parameters, 2T tokens, 184,320 "
                "GPU-hours'; docs/audit.md lists the patterns");
  return claims;
}

}  // namespace modicum
