// SPDX-License-Identifier: Apache-2.0
#include "cli/work_count.h"

#include <regex.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace modicum {
namespace {

// Above it a double does not hold each whole number: nothing counts so far.
constexpr double kMostCounted = 9007199254740992;  // 2^53

// Takes the number that `text` begins with, blanks aside. Not negative.
std::optional<double> TakeNumber(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  double value = 0;
  const auto parsed =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || !(value >= 0 && value <= kMostCounted))
    return std::nullopt;
  text.remove_prefix(static_cast<size_t>(parsed.ptr - text.data()));
  return value;
}

std::optional<double> NumberAt(std::string_view text) {
  return TakeNumber(text);
}

// The same as tqdm's unit_scale writes it, with three digits before a suffix:
// 1.20k, 12.0M, 120G. "37Epochs" are 37.
std::optional<double> ScaledNumberAt(std::string_view text) {
  const std::string_view begin = text;
  const auto number = TakeNumber(text);
  if (!number || text.empty()) return number;
  const std::string_view digits = begin.substr(0, begin.size() - text.size());
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const size_t power = std::string_view("kMGTPE").find(text.front());
  if (power == std::string_view::npos ||
      std::ranges::count_if(digits, is_digit) != 3)
    return number;
  const double scaled = *number * std::pow(1000, power + 1);
  if (scaled > kMostCounted) return std::nullopt;
  return std::round(scaled);
}

class LlamaTokens final : public WorkCount {
 public:
  void Line(std::string_view line) override {
    const size_t at = line.find("eval time =");
    if (at == std::string_view::npos) return;
    // What was read, not written.
    if (line.substr(0, at).ends_with("prompt ")) return;
    const size_t slash = line.find('/', at);
    if (slash == std::string_view::npos) return;
    if (const auto tokens = NumberAt(line.substr(slash + 1))) total_ += *tokens;
  }
  double total() const override { return total_; }
  std::string_view unit() const override { return "token"; }

 private:
  double total_ = 0;
};

class TqdmItems final : public WorkCount {
 public:
  void Line(std::string_view line) override {
    // " 40%|####      | 20/50 [00:04<00:06,  4.9it/s]", or of an unknown total
    // "cats: 37it [00:00, 100.0it/s]"
    const size_t clock = line.rfind(" [");
    if (clock == std::string_view::npos) return;
    const std::string_view times = line.substr(clock + 2);
    std::string_view counts = line.substr(0, clock);
    const size_t bar = counts.rfind('|');
    if (bar != std::string_view::npos) {
      counts.remove_prefix(bar + 1);
      if (counts.find('/') == std::string_view::npos) return;
    } else {
      const size_t comma = times.find(',');
      if (comma == std::string_view::npos || !IsClock(times.substr(0, comma)))
        return;
      const size_t name = counts.rfind(": ");
      if (name != std::string_view::npos) counts.remove_prefix(name + 2);
    }
    const auto done = ScaledNumberAt(counts);
    if (!done) return;
    if (*done < current_) ended_ += current_;  // another bar
    current_ = *done;
  }
  double total() const override { return ended_ + current_; }
  std::string_view unit() const override { return "image"; }

 private:
  // "00:04", "1:00:04".
  static bool IsClock(std::string_view text) {
    return text.find(':') != std::string_view::npos &&
           text.find_first_not_of("0123456789:") == std::string_view::npos;
  }

  double ended_ = 0;
  double current_ = 0;
};

class Matches final : public WorkCount {
 public:
  Matches() = default;
  ~Matches() override {
    if (compiled_) regfree(&regex_);
  }
  Matches(const Matches&) = delete;
  Matches& operator=(const Matches&) = delete;

  Status Compile(const std::string& pattern) {
    const int error = regcomp(&regex_, pattern.c_str(), REG_EXTENDED);
    compiled_ = error == 0;
    if (compiled_) return {};
    char text[200];
    regerror(error, &regex_, text, sizeof text);
    return Fail(ErrorCode::kInvalidInput,
                "--per '" + pattern + "': " + std::string(text),
                "token, image, or a POSIX extended regular expression such as "
                "'done: ([0-9]+) rows'");
  }

  void Line(std::string_view line) override {
    regmatch_t found[2];
    found[0].rm_so = 0;
    found[0].rm_eo = static_cast<regoff_t>(line.size());
    if (regexec(&regex_, line.data(), 2, found, REG_STARTEND) != 0) return;
    if (regex_.re_nsub == 0) {
      total_ += 1;
      return;
    }
    if (found[1].rm_so < 0) return;
    const auto begin = static_cast<size_t>(found[1].rm_so);
    const auto end = static_cast<size_t>(found[1].rm_eo);
    if (const auto number = NumberAt(line.substr(begin, end - begin)))
      total_ += *number;
  }
  double total() const override { return total_; }
  std::string_view unit() const override { return "unit"; }

 private:
  regex_t regex_{};
  bool compiled_ = false;
  double total_ = 0;
};

}  // namespace

Result<std::unique_ptr<WorkCount>> MakeWorkCount(const std::string& spec) {
  if (spec == "token") return std::make_unique<LlamaTokens>();
  if (spec == "image") return std::make_unique<TqdmItems>();
  auto matches = std::make_unique<Matches>();
  MODICUM_RETURN_IF_ERROR(matches->Compile(spec));
  return matches;
}

}  // namespace modicum
