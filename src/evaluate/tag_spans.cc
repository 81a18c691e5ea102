// SPDX-License-Identifier: Apache-2.0
#include "evaluate/tag_spans.h"

#include <algorithm>

namespace modicum {
namespace {

bool SameSpan(const TagSpan& a, const TagSpan& b) {
  return a.begin == b.begin && a.end == b.end && a.tag == b.tag;
}

}  // namespace

std::vector<TagSpan> SpansOf(std::span<const std::string_view> tags) {
  std::vector<TagSpan> spans;
  bool open = false;
  for (uint32_t i = 0; i < tags.size(); ++i) {
    const std::string_view tag = tags[i];
    const bool begins = tag.starts_with("B-");
    if (!begins && !tag.starts_with("I-")) {
      open = false;
      continue;
    }
    const std::string_view type = tag.substr(2);
    if (begins || !open || spans.back().tag != type)
      spans.push_back({i, i, std::string(type)});
    spans.back().end = i + 1;
    open = true;
  }
  return spans;
}

Fraction EntityRatio(std::span<const TagSpan> wanted,
                     std::span<const TagSpan> answered) {
  const auto right = std::ranges::count_if(answered, [&](const TagSpan& span) {
    return std::ranges::any_of(
        wanted, [&](const TagSpan& other) { return SameSpan(span, other); });
  });
  return {2 * static_cast<double>(right),
          static_cast<double>(wanted.size() + answered.size())};
}

Fraction WordRatio(std::span<const std::string_view> wanted,
                   std::span<const std::string_view> answered) {
  Fraction ratio{0, static_cast<double>(wanted.size())};
  for (size_t i = 0; i < wanted.size(); ++i)
    ratio.above += wanted[i] == answered[i] ? 1 : 0;
  return ratio;
}

Fraction TagRatio(std::string_view metric,
                  std::span<const std::string_view> wanted,
                  std::span<const std::string_view> answered) {
  return metric == "f1" ? EntityRatio(SpansOf(wanted), SpansOf(answered))
                        : WordRatio(wanted, answered);
}

}  // namespace modicum
