// SPDX-License-Identifier: Apache-2.0
#include "base/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "base/csv.h"
#include "base/environment.h"
#include "base/format.h"
#include "base/result.h"

namespace modicum {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Combining marks, joiners and direction marks (Unicode 15 general categories
// Mn, Me and Cf, the common blocks): no column.
constexpr std::array<Range, 31> kZeroWidth{
    {{0x0300, 0x036F},   {0x0483, 0x0489},   {0x0591, 0x05BD},
     {0x05BF, 0x05BF},   {0x05C1, 0x05C2},   {0x0610, 0x061A},
     {0x064B, 0x065F},   {0x0670, 0x0670},   {0x06D6, 0x06DC},
     {0x0900, 0x0902},   {0x093C, 0x093C},   {0x0941, 0x0948},
     {0x094D, 0x094D},   {0x0E31, 0x0E31},   {0x0E34, 0x0E3A},
     {0x0E47, 0x0E4E},   {0x1AB0, 0x1AFF},   {0x1DC0, 0x1DFF},
     {0x200B, 0x200F},   {0x202A, 0x202E},   {0x2060, 0x2064},
     {0x20D0, 0x20F0},   {0x302A, 0x302D},   {0x3099, 0x309A},
     {0xFE00, 0xFE0F},   {0xFE20, 0xFE2F},   {0xFEFF, 0xFEFF},
     {0x1F3FB, 0x1F3FF}, {0xE0001, 0xE0001}, {0xE0020, 0xE007F},
     {0xE0100, 0xE01EF}}};

// East Asian Wide and Fullwidth, emoji (Unicode 15 EastAsianWidth.txt, gaps of
// unassigned code points closed): two columns.
constexpr std::array<Range, 18> kWide{{{0x1100, 0x115F},
                                       {0x231A, 0x231B},
                                       {0x2329, 0x232A},
                                       {0x23E9, 0x23EC},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0x33FF},
                                       {0x3400, 0x4DBF},
                                       {0x4E00, 0x9FFF},
                                       {0xA000, 0xA4CF},
                                       {0xA960, 0xA97C},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6B},
                                       {0xFF01, 0xFF60},
                                       {0xFFE0, 0xFFE6},
                                       {0x1F300, 0x1F64F},
                                       {0x1F680, 0x1FAFF},
                                       {0x20000, 0x3FFFD}}};

template <size_t kSize>
bool Contains(const std::array<Range, kSize>& ranges, char32_t point) {
  const auto it = std::lower_bound(
      ranges.begin(), ranges.end(), point,
      [](const Range& range, char32_t p) { return range.last < p; });
  return it != ranges.end() && it->first <= point;
}

size_t PointWidth(char32_t point) {
  if (point < 0x300) return 1;
  if (Contains(kZeroWidth, point)) return 0;
  return Contains(kWide, point) ? 2 : 1;
}

// One step through a string: a colour sequence ("ESC [ 1 m", no column), a
// code point, or a byte that is neither.
struct Glyph {
  size_t bytes;
  size_t columns;
};

size_t ColourBytes(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const size_t end = text.find_first_not_of("0123456789;", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

Glyph FirstGlyph(std::string_view text) {
  if (const size_t colour = ColourBytes(text)) return {colour, 0};
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t size = lead < 0x80             ? 1
                      : (lead & 0xE0) == 0xC0 ? 2
                      : (lead & 0xF0) == 0xE0 ? 3
                      : (lead & 0xF8) == 0xF0 ? 4
                                              : 0;
  if (size == 0 || size > text.size()) return {1, 1};
  char32_t point = size == 1 ? lead : lead & (0x7FU >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0) != 0x80) return {1, 1};
    point = (point << 6) | (next & 0x3FU);
  }
  return {size, PointWidth(point)};
}

// The text on one line, without control characters that would move the
// cursor; colour sequences stay.
std::string OneLine(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const size_t bytes = FirstGlyph(text).bytes;
    const auto lead = static_cast<unsigned char>(text[0]);
    const bool control = bytes == 1 && (lead < 0x20 || lead == 0x7F);
    line += control ? " " : text.substr(0, bytes);
    text.remove_prefix(bytes);
  }
  return line;
}

// As much of the text as fits into `columns`.
std::string_view Fit(std::string_view text, size_t columns) {
  size_t at = 0;
  size_t used = 0;
  while (at < text.size()) {
    const Glyph glyph = FirstGlyph(text.substr(at));
    if (used + glyph.columns > columns) break;
    used += glyph.columns;
    at += glyph.bytes;
  }
  return text.substr(0, at);
}

void Pad(std::string& line, std::string_view cell, size_t width, Align align) {
  const std::string fill(width - std::min(width, DisplayWidth(cell)), ' ');
  if (align == Align::kRight) line += fill;
  line += cell;
  if (align == Align::kLeft) line += fill;
}

std::string MarkdownCell(std::string_view cell) {
  std::string escaped;
  for (const char c : OneLine(cell)) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

bool IsDumb() { return EnvironmentText("TERM").value_or("") == "dumb"; }

size_t TerminalColumns(std::FILE* file) {
  winsize size{};
  if (ioctl(fileno(file), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return 80;
  return size.ws_col;
}

}  // namespace

Table::Table(std::vector<std::pair<std::string, Align>> columns)
    : columns_(std::move(columns)) {}

void Table::AddRow(std::vector<std::string> cells) {
  MODICUM_CHECK(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::Text(std::string_view indent) const {
  if (rows_.empty()) return "";
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& column : columns_) lines[0].push_back(OneLine(column.first));
  for (const auto& row : rows_) {
    auto& line = lines.emplace_back();
    for (const std::string& cell : row) line.push_back(OneLine(cell));
  }
  std::vector<size_t> widths(columns_.size());
  for (const auto& line : lines)
    for (size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], DisplayWidth(line[i]));
  std::string text;
  for (const auto& cells : lines) {
    std::string line(indent);
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) line += "  ";
      Pad(line, cells[i], widths[i], columns_[i].second);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string Table::Markdown() const {
  if (rows_.empty()) return "";
  std::string head = "|";
  std::string rule = "|";
  for (const auto& [name, align] : columns_) {
    head += " " + MarkdownCell(name) + " |";
    rule += align == Align::kRight ? " ---: |" : " --- |";
  }
  std::string text = head + '\n' + rule + '\n';
  for (const auto& row : rows_) {
    text += '|';
    for (const std::string& cell : row) text += " " + MarkdownCell(cell) + " |";
    text += '\n';
  }
  return text;
}

std::string Table::Csv() const {
  if (rows_.empty()) return "";
  std::string text;
  for (size_t i = 0; i < columns_.size(); ++i)
    text += (i > 0 ? "," : "") + CsvField(columns_[i].first);
  text += '\n';
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i)
      text += (i > 0 ? "," : "") + CsvField(row[i]);
    text += '\n';
  }
  return text;
}

size_t DisplayWidth(std::string_view utf8) {
  size_t columns = 0;
  while (!utf8.empty()) {
    const Glyph glyph = FirstGlyph(utf8);
    columns += glyph.columns;
    utf8.remove_prefix(glyph.bytes);
  }
  return columns;
}

bool IsTerminal(std::FILE* file) { return isatty(fileno(file)) == 1; }

bool UseColour(std::FILE* file) {
  if (const auto force = EnvironmentText("FORCE_COLOR")) return *force != "0";
  return !EnvironmentText("NO_COLOR") && !IsDumb() && IsTerminal(file);
}

struct Progress::State {
  std::FILE* file;
  std::string what;
  uint64_t total;
  Clock& clock;
  bool active;
  MonotonicTime start;
  std::mutex mutex;
  std::optional<MonotonicTime> drawn_at{};
  std::string line{};

  std::string Describe(uint64_t done, std::string_view detail,
                       MonotonicTime now) const;
  void Draw() const;
  void Clear() const;
};

std::string Progress::State::Describe(uint64_t done, std::string_view detail,
                                      MonotonicTime now) const {
  std::string text = fmt::format("  {}  {}", what, done);
  if (total > 0) text += fmt::format("/{}", total);
  if (!detail.empty()) text += fmt::format("  {}", OneLine(detail));
  const double elapsed = (now - start).value();
  if (done == 0 || elapsed <= 0) return text;
  const double rate = static_cast<double>(done) / elapsed;
  text += "   " + FormatWithUnit(rate, "/s");
  if (done >= total) return text;
  const Seconds left(static_cast<double>(total - done) / rate);
  return text + fmt::format("  ETA {}", FormatDuration(left));
}

// Written with fputs, since a terminal that has gone away is no reason to
// throw.
void Progress::State::Draw() const {
  // A line as wide as the terminal would wrap and could not be redrawn.
  const std::string_view shown = Fit(line, TerminalColumns(file) - 1);
  std::fputs(fmt::format("\r{}\x1b[K", shown).c_str(), file);
  std::fflush(file);
}

void Progress::State::Clear() const {
  if (!line.empty()) std::fputs("\r\x1b[K", file);
}

Progress::Progress(std::FILE* file, std::string what, uint64_t total,
                   Clock& clock)
    : state_(new State{file,
                       std::move(what),
                       total,
                       clock,
                       IsTerminal(file) && !IsDumb(),
                       clock.Now(),
                       {}}) {}

Progress::~Progress() {
  state_->Clear();
  std::fflush(state_->file);
  delete state_;
}

void Progress::Update(uint64_t done, std::string_view detail) {
  if (!state_->active) return;
  const MonotonicTime now = state_->clock.Now();
  const std::lock_guard lock(state_->mutex);
  const bool due =
      !state_->drawn_at || (now - *state_->drawn_at).value() >= 0.1;
  if (!due) return;
  state_->drawn_at = now;
  state_->line = state_->Describe(done, detail, now);
  state_->Draw();
}

void Progress::Line(std::string_view text) {
  const std::lock_guard lock(state_->mutex);
  state_->Clear();
  std::fputs(fmt::format("{}\n", text).c_str(), state_->file);
  if (!state_->line.empty()) state_->Draw();
  std::fflush(state_->file);
}

}  // namespace modicum
