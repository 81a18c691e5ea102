// SPDX-License-Identifier: Apache-2.0
// Pages that stand alone: one file, no script, nothing fetched; light, dark,
// on a phone and on paper.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/terminal.h"
#include "record/types.h"

namespace modicum {

// For text and for attributes in double quotes; control characters become
// spaces.
std::string EscapeHtml(std::string_view text);

// <tag>escaped text</tag>; `tag` may carry attributes: "p class=mu".
std::string Element(std::string_view tag, std::string_view text);
// The same around what is HTML already.
std::string Wrap(std::string_view tag, std::string_view html);

// A list of facts: names and what is HTML already.
using Facts = std::vector<std::pair<std::string, std::string>>;
std::string FactList(const Facts& facts);

// "43 mJ [18, 100] modelled" on two lines: the figure, then its interval and
// origin.
std::string TwoLines(const std::string& text);

// Items as text; nothing when there are none.
std::string BulletList(const std::vector<std::string>& items);

struct HtmlColumn {
  std::string name;
  Align align = Align::kLeft;
};
// Cells are HTML already. A wide table scrolls inside its own frame; the
// first cell of a row is its header.
std::string HtmlTable(std::string_view caption,
                      const std::vector<HtmlColumn>& columns,
                      const std::vector<std::vector<std::string>>& rows);

// Every factor that entered a number, under a heading; nothing for none.
std::string FactorTable(const std::vector<Factor>& factors);

// What lies behind a plot, folded: "as a table".
std::string Folded(std::string_view summary, std::string_view html);

// A plot with its caption (text) and the table behind it (HTML).
std::string Figure(std::string_view svg, std::string_view caption,
                   std::string_view table);

// The whole file around <main>'s content.
std::string HtmlPage(std::string_view title, std::string_view main);

}  // namespace modicum
