// SPDX-License-Identifier: Apache-2.0
#include "report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/html.h"

namespace modicum {
namespace {

// Two decimals are a hundredth of a pixel; trailing zeros go.
std::string Position(double value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string Across(double value) { return Position(value) + "%"; }

// The least of 1, 2 and 5 times a power of ten that is not below `least`.
double NiceStep(double least) {
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

std::string Sample(std::string_view inner) {
  return "<svg viewBox=\"0 0 24 16\" aria-hidden=\"true\">" +
         std::string(inner) + "</svg>";
}

}  // namespace

Scale::Scale(bool log, double low, double high, double from, double to)
    : log_(log), low_(low), high_(high), from_(from), to_(to) {}

Scale Scale::Linear(double low, double high, double from, double to) {
  if (!(high > low)) {
    const double half = low == 0 ? 1 : std::abs(low) / 20;
    low -= half;
    high += half;
  }
  return Scale(false, low, high, from, to);
}

Scale Scale::Log(double low, double high, double from, double to) {
  const double first = std::log10(low);
  const double last = std::log10(high);
  const double pad = std::max(0.04 * (last - first), (1 - last + first) / 2);
  return Scale(true, first - pad, last + pad, from, to);
}

double Scale::operator()(double value) const {
  double at = low_;
  if (!log_)
    at = value;
  else if (value > 0)
    at = std::log10(value);
  const double share = (std::clamp(at, low_, high_) - low_) / (high_ - low_);
  return from_ + share * (to_ - from_);
}

double Scale::low() const { return log_ ? std::pow(10.0, low_) : low_; }
double Scale::high() const { return log_ ? std::pow(10.0, high_) : high_; }

std::vector<double> Scale::Ticks(int count) const {
  if (log_ && high_ - low_ < 2.5) return FineTicks(count);
  std::vector<double> ticks;
  const double span = high_ - low_;
  const double step = log_ ? std::max(1.0, std::ceil(span / count))
                           : NiceStep(span / std::max(count, 1));
  for (double i = std::ceil(low_ / step - 1e-9);
       i * step <= high_ + 1e-9 * step; ++i)
    ticks.push_back(log_ ? std::pow(10.0, i * step) : i * step);
  return ticks;
}

// Within few decades: their multiples too, as many as there is room for.
std::vector<double> Scale::FineTicks(int count) const {
  std::vector<double> ticks;
  for (const auto& factors :
       {std::vector<double>{1, 2, 5}, std::vector<double>{1, 3}, {1}}) {
    ticks.clear();
    for (double decade = std::floor(low_); decade <= high_; ++decade)
      for (const double factor : factors)
        if (const double at = decade + std::log10(factor);
            at >= low_ && at <= high_)
          ticks.push_back(factor * std::pow(10.0, decade));
    if (ticks.size() <= static_cast<size_t>(count)) break;
  }
  return ticks;
}

Svg::Svg(std::string_view title, std::string_view description, double height)
    : head_(fmt::format("<svg role=\"img\" height=\"{0}\" "
                        "style=\"height:{0}px\">{1}{2}\n",
                        Position(height), Element("title", title),
                        Element("desc", description))) {}

void Svg::Line(double x1, double y1, double x2, double y2,
               std::string_view css) {
  body_ += fmt::format(
      "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" class=\"{}\"/>\n",
      Across(x1), Position(y1), Across(x2), Position(y2), css);
}

void Svg::Bar(double x, double y, double width, double height,
              std::string_view css) {
  body_ += fmt::format(
      "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"{}\"/>\n",
      Across(x), Position(y), Across(width), Position(height), css);
}

void Svg::Text(double x, double y, std::string_view css, std::string_view text,
               double dx) {
  body_ += fmt::format("<text x=\"{}\" y=\"{}\"{} class=\"{}\">{}</text>\n",
                       Across(x), Position(y),
                       dx == 0 ? "" : " dx=\"" + Position(dx) + "\"", css,
                       EscapeHtml(text));
}

void Svg::Texts(double x, double y, std::string_view css, std::string_view wide,
                std::string_view narrow, double dx) {
  if (wide == narrow) return Text(x, y, css, wide, dx);
  if (!wide.empty()) Text(x, y, std::string(css) + " w", wide, dx);
  if (!narrow.empty()) Text(x, y, std::string(css) + " n", narrow, dx);
}

void Svg::Put(Mark mark, double x, double y, std::string_view tip) {
  body_ += fmt::format("<g>{}<use href=\"#m{}\" x=\"{}\" y=\"{}\"/></g>\n",
                       Element("title", tip), static_cast<int>(mark), Across(x),
                       Position(y));
}

std::string Svg::Finish() const { return head_ + body_ + "</svg>\n"; }

KeyEntry MarkKey(Mark mark, std::string_view meaning) {
  return {Sample(fmt::format("<use href=\"#m{}\" x=\"12\" y=\"8\"/>",
                             static_cast<int>(mark))),
          std::string(meaning)};
}

KeyEntry LineKey(std::string_view css, std::string_view meaning) {
  return {
      Sample(fmt::format(
          "<line x1=\"1\" y1=\"8\" x2=\"23\" y2=\"8\" class=\"{}\"/>", css)),
      std::string(meaning)};
}

KeyEntry BarKey(std::string_view css, std::string_view meaning) {
  return {Sample(fmt::format("<rect x=\"1\" y=\"3\" width=\"22\" "
                             "height=\"10\" class=\"{}\"/>",
                             css)),
          std::string(meaning)};
}

std::string Key(const std::vector<KeyEntry>& entries) {
  std::string items;
  for (const KeyEntry& entry : entries)
    items += Wrap("li", entry.svg + EscapeHtml(entry.meaning)) + "\n";
  return Wrap("ul class=\"key\"", items) + "\n";
}

}  // namespace modicum
