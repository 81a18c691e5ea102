// SPDX-License-Identifier: Apache-2.0
// What a paper states about its energy: a paragraph for the methods section, a
// LaTeX table (booktabs) and BibTeX. Every run counts, failed ones too.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "record/receipt.h"
#include "record/types.h"

namespace modicum {

struct PaperInput {
  std::span<const Run> runs;
  std::span<const Receipt> receipts;
  std::string selection;  // "project p"; "" when all runs of the ledger
  std::string version;    // of modicum
};
// LaTeX, the BibTeX at the end after a comment line.
std::string FormatPaper(const PaperInput& input);

// So that LaTeX prints `text` as it is.
std::string EscapeLatex(std::string_view text);

}  // namespace modicum
