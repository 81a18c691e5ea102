// SPDX-License-Identifier: Apache-2.0
#include "plan/claims_scan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/ascii.h"
#include "base/trim.h"

namespace modicum::internal {
namespace {

using enum ClaimKind;

constexpr double kLargestNumber = 1e30;

constexpr std::array<ClaimUnit, 73> kUnits{{
    {"parameters", kParameters, 1},
    {"params", kParameters, 1},
    {"active", kActive, 1},
    {"tokens", kTokens, 1},
    {"gpus", kGpus, 1},
    {"gpu", kGpus, 1},
    {"tpus", kGpus, 1},
    {"accelerators", kGpus, 1},
    {"chips", kGpus, 1},
    {"computers", kGpus, 1},
    {"gpu-hours", kGpuHours, 1},
    {"gpu-hour", kGpuHours, 1},
    {"gpu-h", kGpuHours, 1},
    {"h", kTime, 1},
    {"hours", kTime, 1},
    {"hour", kTime, 1},
    {"d", kTime, 24},
    {"days", kTime, 24},
    {"day", kTime, 24},
    {"weeks", kTime, 168},
    {"months", kTime, 730.5},
    {"month", kTime, 730.5},
    {"years", kTime, 8766},
    {"year", kTime, 8766},
    {"wh", kEnergy, 1e-3},
    {"kwh", kEnergy, 1},
    {"mwh", kEnergy, 1e3},
    {"gwh", kEnergy, 1e6},
    {"twh", kEnergy, 1e9},
    {"w", kPower, 1e-3},
    {"kw", kPower, 1},
    {"mw", kPower, 1e3},
    {"gw", kPower, 1e6},
    {"g", kCarbon, 1e-3},
    {"gco2e", kCarbon, 1e-3},
    {"gco2", kCarbon, 1e-3},
    {"kg", kCarbon, 1},
    {"kgco2e", kCarbon, 1},
    {"kgco2", kCarbon, 1},
    {"t", kCarbon, 1e3},
    {"tonnes", kCarbon, 1e3},
    {"tons", kCarbon, 1e3},
    {"tco2e", kCarbon, 1e3},
    {"tco2", kCarbon, 1e3},
    {"mb", kMemory, 1e-3},
    {"gb", kMemory, 1},
    {"gib", kMemory, 1.073741824},
    {"tb", kMemory, 1e3},
    {"tib", kMemory, 1099.511627776},
    {"cents", kMoney, 0.01},
    {"cent", kMoney, 0.01},
    {"usd", kMoney, 1},
    {"dollars", kMoney, 1},
    {"eur", kMoney, 1},
    {"euros", kMoney, 1},
    {"users", kUsers, 1},
    {"servers", kServers, 1},
    {"images", kItems, 1},
    {"image", kItems, 1},
    {"inferences", kItems, 1},
    {"queries", kItems, 1},
    {"requests", kItems, 1},
    {"prompts", kItems, 1},
    {"%", kPercent, 1},
    {"percent", kPercent, 1},
    {"x", kFactor, 1},
    {"times", kFactor, 1},
    {"phone", kPhoneCharges, 1},
    {"smartphone", kPhoneCharges, 1},
    {"household", kHouseholdDays, 1},
    {"streaming", kStreamingHours, 1},
    {"km", kDistance, 1},
    {"kilometres", kDistance, 1},
}};

struct Multiplier {
  std::string_view word;
  double scale;
};
constexpr std::array<Multiplier, 12> kMultipliers{{{"k", 1e3},
                                                   {"m", 1e6},
                                                   {"b", 1e9},
                                                   {"bn", 1e9},
                                                   {"t", 1e12},
                                                   {"thousand", 1e3},
                                                   {"million", 1e6},
                                                   {"billion", 1e9},
                                                   {"trillion", 1e12},
                                                   {"millions", 1e6},
                                                   {"billions", 1e9},
                                                   {"trillions", 1e12}}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsWord(char c) { return IsDigit(c) || IsLetter(c); }

bool StartsAt(std::string_view text, size_t at, std::string_view what) {
  return at <= text.size() && text.substr(at).starts_with(what);
}

size_t SkipSpaces(std::string_view text, size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  return at;
}

// Letters and digits, with inner hyphens; "%" and "×" are words of their own.
std::string_view WordAt(std::string_view text, size_t at) {
  if (StartsAt(text, at, "%")) return text.substr(at, 1);
  size_t end = at;
  while (
      end < text.size() &&
      (IsWord(text[end]) || (text[end] == '-' && end > at &&
                             end + 1 < text.size() && IsWord(text[end + 1]))))
    ++end;
  return text.substr(at, end - at);
}

// "1,300", "355224.5", "1e21" from `at`, which is moved behind it.
std::optional<double> Digits(std::string_view text, size_t& at) {
  std::string plain;
  size_t i = at;
  const auto group = [&] {
    return text[i] == ',' && i + 3 < text.size() && IsDigit(text[i + 1]) &&
           IsDigit(text[i + 2]) && IsDigit(text[i + 3]) &&
           (i + 4 >= text.size() || !IsDigit(text[i + 4]));
  };
  while (i < text.size() && (IsDigit(text[i]) || group())) {
    if (text[i] != ',') plain += text[i];
    ++i;
  }
  if (i + 1 < text.size() && text[i] == '.' && IsDigit(text[i + 1])) {
    plain += text[i++];
    while (i < text.size() && IsDigit(text[i])) plain += text[i++];
  }
  if (i + 1 < text.size() && (text[i] == 'e' || text[i] == 'E') &&
      IsDigit(text[i + 1])) {
    plain += text[i++];
    while (i < text.size() && IsDigit(text[i])) plain += text[i++];
  }
  double value = 0;
  const auto [end, error] =
      std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (plain.empty() || error != std::errc()) return std::nullopt;
  at = i;
  return value;
}

// 1 when there is none; `at` is moved behind it. A bare letter must touch the
// number ("7B", not "7 b"), and "t" alone is taken for tonnes.
double MultiplierAt(std::string_view text, size_t& at) {
  const size_t begin = SkipSpaces(text, at);
  const std::string word = LowerAscii(WordAt(text, begin));
  const auto found = std::ranges::find(kMultipliers, word, &Multiplier::word);
  if (found == kMultipliers.end()) return 1;
  if (word.size() < 3 && (begin != at || text[begin] == 't')) return 1;
  at = begin + word.size();
  return found->scale;
}

// Behind "-", "–" or "to"; npos when no second number follows.
size_t SecondOfRange(std::string_view text, size_t at) {
  size_t next = at;
  if (StartsAt(text, at, "-")) {
    next = at + 1;
  } else if (StartsAt(text, at, "\xE2\x80\x93")) {
    next = at + 3;
  } else if (StartsAt(text, at, " to ")) {
    next = at + 4;
  } else {
    return std::string_view::npos;
  }
  return next < text.size() && IsDigit(text[next]) ? next
                                                   : std::string_view::npos;
}

// Behind the currency sign, if there is one.
size_t SkipCurrency(std::string_view text, size_t at) {
  if (StartsAt(text, at, "$")) return at + 1;
  return StartsAt(text, at, "\xE2\x82\xAC") ? at + 3 : at;
}

// Part of a name such as GPT-3.5, A100 or Llama-2-7B.
bool InsideWord(std::string_view text, size_t at) {
  if (at == 0) return false;
  const char before = text[at - 1];
  if (IsWord(before) || before == '.' || before == '_') return true;
  return before == '-' && at >= 2 && IsWord(text[at - 2]);
}

// "per query", "/day", "a day" behind `at`; the word or "".
std::string PerWord(std::string_view text, size_t at) {
  const size_t begin = SkipSpaces(text, at);
  if (StartsAt(text, begin, "/"))
    return LowerAscii(WordAt(text, SkipSpaces(text, begin + 1)));
  const std::string word = LowerAscii(WordAt(text, begin));
  if (word != "per" && word != "a" && word != "an") return {};
  return LowerAscii(WordAt(text, SkipSpaces(text, begin + word.size())));
}

ClaimKind MoneyKind(std::string_view text, size_t at) {
  const std::string per = PerWord(text, at);
  if (per == "day") return kMoneyPerDay;
  if (per == "query" || per == "request" || per == "prompt" ||
      per == "question")
    return kMoneyPerQuery;
  return kMoney;
}

const Accelerator* ChipNamed(std::string_view word) {
  if (word.size() < 2) return nullptr;
  if (word.back() == 's' || word.back() == 'S') word.remove_suffix(1);
  const auto chip = FindAccelerator(word);
  return chip ? *chip : nullptr;
}

bool Mentions(const std::string& line, std::string_view word) {
  return line.find(word) != std::string::npos;
}

// What the line as a whole says of a kind.
ClaimKind InContext(ClaimKind kind, const std::string& line,
                    const std::string& after) {
  if (kind == kTokens &&
      (Mentions(line, "optimal") || Mentions(line, "chinchilla")))
    return kOptimalTokens;
  if (kind == kMemory &&
      (Mentions(line, "store") || Mentions(line, "storage") ||
       Mentions(line, "unquantised") || Mentions(line, "unquantized")))
    return kStorage;
  if (kind == kTime &&
      (after.starts_with("of netflix") || after.starts_with("of streaming") ||
       after.starts_with("of video")))
    return kStreamingHours;
  return kind;
}

// The unit behind a number; nullopt for a bare one.
std::optional<ClaimQuantity> WithUnit(std::string_view line,
                                      const ScannedNumber& number, size_t begin,
                                      const std::string& lower, Claim& claim,
                                      size_t& end) {
  ClaimQuantity quantity{kMoney, number.low, number.high, {}};
  const size_t at = SkipSpaces(line, number.end);
  const std::string word = LowerAscii(WordAt(line, at));
  end = number.end;
  if (StartsAt(line, at, "\xC3\x97")) {
    quantity.kind = kFactor;
    end = at + 2;
  } else if (number.money) {
    quantity.kind = MoneyKind(line, number.end);
  } else if (const ClaimUnit* unit = FindClaimUnit(word)) {
    end = at + word.size();
    const size_t next = SkipSpaces(line, end);
    quantity.kind = unit->kind == kMoney
                        ? MoneyKind(line, end)
                        : InContext(unit->kind, lower, lower.substr(next));
    quantity.low *= unit->scale;
    quantity.high *= unit->scale;
  } else if (const size_t hours = word.rfind("-h");
             hours != std::string::npos && ChipNamed(word.substr(0, hours))) {
    claim.chip = ChipNamed(word.substr(0, hours));
    quantity.kind = kGpuHours;
    end = at + word.size();
  } else if (ChipNamed(word)) {
    quantity.kind = kGpus;
    end = at;  // the chip is read next
  } else {
    return std::nullopt;
  }
  quantity.text =
      Trim(line.substr(begin, std::max(end, at + word.size()) - begin));
  if (number.money)
    quantity.text = Trim(line.substr(begin, number.end - begin));
  return quantity;
}

bool Usable(const ClaimQuantity& quantity) {
  return quantity.low > 0 && quantity.high >= quantity.low &&
         quantity.high < kLargestNumber;
}

}  // namespace

const ClaimUnit* FindClaimUnit(std::string_view word) {
  const auto found = std::ranges::find(kUnits, word, &ClaimUnit::word);
  return found == kUnits.end() ? nullptr : &*found;
}

std::optional<ScannedNumber> ScanNumber(std::string_view text, size_t at) {
  ScannedNumber number;
  size_t end = SkipCurrency(text, at);
  number.money = end != at;
  const auto first = Digits(text, end);
  if (!first) return std::nullopt;
  const double scale = MultiplierAt(text, end);
  number.low = number.high = *first * scale;
  if (size_t next = SecondOfRange(text, end); next != std::string_view::npos) {
    if (const auto second = Digits(text, next)) {
      const double both = MultiplierAt(text, next);
      number.low = *first * (scale == 1 ? both : scale);
      number.high = *second * both;
      end = next;
    }
  }
  number.end = end;
  if (!(number.low > 0) || !(number.high < kLargestNumber)) return std::nullopt;
  return number;
}

void ScanLine(std::string_view line, Claim& claim) {
  const std::string lower = LowerAscii(line);
  size_t at = 0;
  while (at < line.size()) {
    size_t end = at + 1;
    const std::string_view word = WordAt(line, at);
    const bool inside = InsideWord(line, at);
    if (const auto number = inside ? std::nullopt : ScanNumber(line, at)) {
      const auto quantity = WithUnit(line, *number, at, lower, claim, end);
      if (quantity && Usable(*quantity)) claim.quantities.push_back(*quantity);
    } else if (!inside && IsLetter(line[at])) {
      const std::string name = LowerAscii(word);
      end = at + word.size();
      if (claim.chip == nullptr) claim.chip = ChipNamed(word);
      if (name == "a" || name == "one") {
        const size_t next = SkipSpaces(line, end);
        const auto* unit = FindClaimUnit(LowerAscii(WordAt(line, next)));
        if (unit != nullptr &&
            (unit->kind == kPhoneCharges ||
             (name == "one" && (unit->kind == kTime || unit->kind == kItems))))
          claim.quantities.push_back(
              {unit->kind, unit->scale, unit->scale,
               std::string(line.substr(at, next - at)) +
                   std::string(unit->kind == kPhoneCharges ? "phone charge"
                                                           : unit->word)});
      }
    }
    at = std::max(end, at + 1);
  }
}

}  // namespace modicum::internal
