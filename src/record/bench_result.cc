// SPDX-License-Identifier: Apache-2.0
#include "record/bench_result.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "record/json.h"

namespace modicum {
namespace {

using nlohmann::json;

tl::unexpected<Error> NoBench(std::string message, std::string hint = {}) {
  return Fail(ErrorCode::kInvalidInput, std::move(message), std::move(hint));
}

json ParseBenchJson(std::string_view text) {
  return json::parse(text, nullptr, /*allow_exceptions=*/false);
}

// What the figures are computed from must be able to have happened.
Status CheckRun(const BenchRun& run, const std::string& path) {
  if (run.repeat.predictions == 0)
    return NoBench(path + ".repeat.predictions: none");
  for (const auto& [name, seconds] : {std::pair("wall_s", run.repeat.wall),
                                      std::pair("cpu_s", run.repeat.cpu)})
    if (!(seconds >= Seconds(0)) || std::isinf(seconds.value()))
      return NoBench(fmt::format("{}.repeat.{}: {} is no time", path, name,
                                 seconds.value()));
  return {};
}

Status CheckRow(const BenchRow& row, const std::string& path) {
  for (size_t i = 0; i < row.runs.size(); ++i)
    MODICUM_RETURN_IF_ERROR(
        CheckRun(row.runs[i], fmt::format("{}.runs[{}]", path, i)));
  for (const auto& stars : {row.stars_equal_width, row.stars_quintile})
    if (stars && (*stars < 1 || *stars > 5))
      return NoBench(
          fmt::format("{}: {} stars: they are 1 to 5", path, *stars));
  return {};
}

}  // namespace

std::string RowName(const BenchRow& row) {
  std::string name = row.model;
  if (row.batch != 1) name += fmt::format(", batch {}", row.batch);
  if (row.length != 0) name += fmt::format(", {} words", row.length);
  return name;
}

bool IsBenchResult(std::string_view text) {
  const json parsed = ParseBenchJson(text);
  if (!parsed.is_object()) return false;
  const auto schema = parsed.find("schema");
  return schema != parsed.end() && schema->is_string() &&
         schema->get_ref<const std::string&>().starts_with("modicum-bench-");
}

Result<BenchResult> ParseBenchResult(std::string_view text) {
  const json parsed = ParseBenchJson(text);
  if (parsed.is_discarded())
    return NoBench("not JSON",
                   "is the file whole? `modicum bench --save FILE` "
                   "writes one");
  if (!IsBenchResult(text))
    return NoBench("not a result of modicum bench",
                   "`modicum bench --save FILE` writes one");
  if (parsed["schema"] != kBenchSchema)
    return NoBench(
        fmt::format("schema {} is not known here; this modicum reads \"{}\"",
                    parsed["schema"].dump(), kBenchSchema),
        "use the version of modicum that wrote it");
  MODICUM_TRY(BenchResult result, FromJson<BenchResult>(parsed));
  for (size_t i = 0; i < result.rows.size(); ++i)
    MODICUM_RETURN_IF_ERROR(
        CheckRow(result.rows[i], fmt::format("rows[{}]", i)));
  return result;
}

std::string FormatBenchJson(const BenchResult& result) {
  return ToJsonText(result, JsonStyle::kReadable) + '\n';
}

}  // namespace modicum
