// SPDX-License-Identifier: Apache-2.0
// Whether data is text or a table, for trainers that take only one of them,
// the numbers of a table's row, and how a reason for an answer names them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataset/dataset.h"
#include "dataset/item.h"
#include "model/model.h"

namespace modicum {

inline bool IsTable(const Dataset& data) { return !data.columns.empty(); }

// kUnavailable when `data` is a table and `family` reads only text.
Status CheckIsText(const Dataset& data, std::string_view family);

// The item's numbers; kInvalidInput when it has others than `columns` of them.
Result<std::span<const float>> NumbersOf(const Item& item, size_t columns);

// Every one of `rows` has its columns and no number is infinite.
Status CheckTableRows(const Dataset& data, std::span<const uint32_t> rows);

// The label of every one of `rows`, in their order; all are labelled.
std::vector<uint32_t> ClassesOf(const Dataset& data,
                                std::span<const uint32_t> rows);

// "x-box = 7", "x-box is missing".
std::string ColumnText(std::string_view column, float value);

// Keeps the `count` reasons of greatest size, strongest first, ties by name.
void KeepStrongest(std::vector<Reason>& reasons, int count);

}  // namespace modicum
