// SPDX-License-Identifier: Apache-2.0
// The board: receipts of one task and scope ranked by quality and footprint,
// as a page that stands alone. What cannot be compared stands apart.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/receipt.h"

namespace modicum {

// How classes A to E are cut; named wherever a class is shown.
enum class ClassRule {
  kQuintile,    // by rank: a fifth of the receipts each
  kEqualWidth,  // five bands of the logarithm of energy, equally wide
};
std::string_view ClassRuleName(ClassRule rule);  // "quintile"
Result<ClassRule> ParseClassRule(std::string_view name);

// Fewer than this many tell nothing by fifths: no classes are given.
inline constexpr size_t kLeastForClasses = 5;

// 'A' (least) to 'E' for each energy; equal energies have equal classes. None
// when there are fewer than kLeastForClasses.
std::vector<char> ClassesOf(const std::vector<double>& joules, ClassRule rule);

// SHA-256 of the receipts' hashes as sorted lines of 64 hex digits, so that
// `sort | sha256sum` gives the same.
Hash ReferenceSetHash(const std::vector<const Receipt*>& receipts);

// Receipts that may be compared, and why they may not be with the first group.
struct BoardGroup {
  std::vector<const Receipt*> receipts;  // cheapest first
  std::string apart;                     // "" for the first group
};
std::vector<BoardGroup> GroupReceipts(std::span<const Receipt> receipts);

std::string FormatBoardHtml(std::span<const Receipt> receipts, ClassRule rule);

}  // namespace modicum
