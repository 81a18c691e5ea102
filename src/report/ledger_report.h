// SPDX-License-Identifier: Apache-2.0
// Runs of the ledger as tables for people and as files for programs.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/types.h"

namespace modicum {

// One line per run: id, start, kind, status, time, energy, carbon, name.
// Figures have their 90 % interval and origin. No runs: no text.
std::string FormatRunsTable(std::span<const Run> runs);
std::string FormatRunsMarkdown(std::span<const Run> runs);
// Every figure exactly, in base units, with its interval and origin.
std::string FormatRunsCsv(std::span<const Run> runs);
// CodeCarbon's columns, then ours: see report/emissions.h.
std::string FormatRunsCodeCarbon(std::span<const Run> runs);
// An array of runs, lossless: see record/json.h.
std::string FormatRunsJson(std::span<const Run> runs);

// A run with the evidence under its bill.
struct RunRecord {
  Run run;
  std::vector<Measurement> measurements;
  std::vector<Trial> trials;
};
// {"run": ..., "measurements": [...], "trials": [...]}, lossless; and an array
// of these.
std::string FormatRecordJson(const RunRecord& record);
std::string FormatRecordsJson(std::span<const RunRecord> records);
// The run, its machine, its bill with every factor, and its evidence.
std::string FormatRecordText(const RunRecord& record);

}  // namespace modicum
