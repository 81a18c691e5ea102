// SPDX-License-Identifier: Apache-2.0
// Results of the C API: figures, texts, lists.
#include "api/result.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "api/call.h"
#include "record/json.h"
#include "report/bill_report.h"
#include "report/emissions.h"

namespace modicum::internal {
namespace {

static_assert(MODICUM_ORIGIN_ASSUMED == static_cast<int>(Origin::kAssumed));
static_assert(MODICUM_SCOPE_WALL == static_cast<int>(Scope::kWall));

constexpr modicum_estimate kUnknown{NAN, NAN, NAN, MODICUM_ORIGIN_ASSUMED,
                                    MODICUM_SCOPE_HOST};

template <class Q>
modicum_estimate Of(const Estimate<Q>& estimate) {
  const Interval interval = estimate.interval();
  return {estimate.mid.value(), interval.low, interval.high,
          static_cast<int>(estimate.origin), static_cast<int>(estimate.scope)};
}

double PueOf(const Bill& bill) {
  for (const Factor& factor : bill.factors)
    if (factor.name.starts_with("PUE")) return factor.value;
  return 1;
}

modicum_figures FiguresOf(const modicum_result& result) {
  const Bill& bill = *result.run.bill;
  modicum_figures figures{};
  figures.started_unix_s = static_cast<double>(result.run.started.micros) / 1e6;
  figures.wall_s = bill.wall.value();
  figures.cpu_s = bill.cpu.value();
  figures.energy_j = Of(bill.energy);
  figures.measured_j = Of(bill.split.measured);
  figures.carbon_g = Of(bill.operational);
  figures.market_carbon_g =
      bill.operational_market ? Of(*bill.operational_market) : kUnknown;
  figures.embodied_g = bill.embodied ? Of(*bill.embodied) : kUnknown;
  figures.water_l = Of(bill.water);
  figures.money = kUnknown;
  if (bill.money) {
    figures.money = Of(bill.money->amount);
    bill.money->currency.view().copy(figures.currency, 3);
  }
  figures.exit_code = result.run.exit_code;
  figures.pue = PueOf(bill);
  figures.contended = result.contended ? 1 : 0;
  figures.short_window = result.short_window ? 1 : 0;
  return figures;
}

// As `modicum run --json` has it, each phase by itself.
std::string JsonOf(const modicum_result& result) {
  nlohmann::json json = ToJson(result.run, JsonStyle::kReadable);
  for (const auto& phase : result.phases) {
    const Bill& bill = *phase.run.bill;
    json["phases"].push_back(
        {{"name", phase.run.name},
         {"times", 1},
         {"wall_s", bill.wall.value()},
         {"cpu_s", bill.cpu.value()},
         {"energy", ToJson(bill.energy, JsonStyle::kReadable)}});
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

const std::string* TextOf(const modicum_result& result, modicum_text text) {
  modicum_result::Texts& texts = *result.texts;
  const std::lock_guard lock(texts.mutex);
  switch (text) {
    case MODICUM_TEXT_NAME:
      return &result.run.name;
    case MODICUM_TEXT_RUN_ID:
      return &result.run.id.text;
    case MODICUM_TEXT_PLACE:
      return &result.run.bill->place;
    case MODICUM_TEXT_BILL:
      if (texts.bill.empty()) texts.bill = FormatRunBill(result.run);
      return &texts.bill;
    case MODICUM_TEXT_JSON:
      if (texts.json.empty()) texts.json = JsonOf(result);
      return &texts.json;
    case MODICUM_TEXT_RECORD_ERROR:
      return &result.record_error;
    case MODICUM_TEXT_CSV:
      if (texts.csv.empty())
        texts.csv = EmissionsHeader(EmissionsColumns::kWithOurs) + "\n" +
                    EmissionsRow(result.run, EmissionsColumns::kWithOurs) +
                    "\n";
      return &texts.csv;
  }
  return nullptr;
}

const std::string* ItemOf(const modicum_result& result, modicum_list list,
                          size_t index) {
  const Bill& bill = *result.run.bill;
  const auto of = [index](const std::vector<std::string>& texts) {
    return index < texts.size() ? &texts[index] : nullptr;
  };
  switch (list) {
    case MODICUM_LIST_WARNINGS:
      return of(bill.warnings);
    case MODICUM_LIST_MISSING:
      return of(bill.missing);
    case MODICUM_LIST_PHASES:
      return index < result.phases.size() ? &result.phases[index].run.name
                                          : nullptr;
  }
  return nullptr;
}

Result<EmissionsLabels> LabelsOf(const char* const* labels) {
  EmissionsLabels result;
  for (; labels != nullptr && *labels != nullptr; labels += 2) {
    if (labels[1] == nullptr)
      return Fail(ErrorCode::kInvalidInput,
                  "label '" + std::string(labels[0]) + "' has no text",
                  "labels are pairs of column and text, NULL after the last");
    result[labels[0]] = labels[1];
  }
  return result;
}

}  // namespace
}  // namespace modicum::internal

using modicum::ErrorCode;
using modicum::Fail;
using modicum::Status;
using modicum::internal::Guarded;
using modicum::internal::NullArgument;

void modicum_result_free(modicum_result* result) { delete result; }

modicum_status modicum_result_figures(const modicum_result* result,
                                      modicum_figures* figures, size_t size) {
  return Guarded([&]() -> Status {
    if (result == nullptr) return NullArgument("result");
    if (figures == nullptr) return NullArgument("figures");
    if (size < sizeof(size_t))
      return Fail(ErrorCode::kInvalidInput, "size is too small",
                  "give sizeof(modicum_figures)");
    modicum_figures all = modicum::internal::FiguresOf(*result);
    all.size = size;
    std::memset(figures, 0, size);
    std::memcpy(figures, &all, std::min(size, sizeof all));
    return {};
  });
}

const char* modicum_result_text(const modicum_result* result,
                                modicum_text text) {
  const std::string* found = nullptr;
  const modicum_status status = Guarded([&]() -> Status {
    if (result == nullptr) return NullArgument("result");
    found = modicum::internal::TextOf(*result, text);
    return {};
  });
  return status == MODICUM_OK && found != nullptr ? found->c_str() : nullptr;
}

size_t modicum_result_count(const modicum_result* result, modicum_list list) {
  size_t count = 0;
  if (result == nullptr) return 0;
  while (modicum::internal::ItemOf(*result, list, count) != nullptr) ++count;
  return count;
}

const char* modicum_result_item(const modicum_result* result, modicum_list list,
                                size_t index) {
  if (result == nullptr) return nullptr;
  const std::string* item = modicum::internal::ItemOf(*result, list, index);
  return item == nullptr ? nullptr : item->c_str();
}

const modicum_result* modicum_result_phase(const modicum_result* result,
                                           size_t index) {
  if (result == nullptr || index >= result->phases.size()) return nullptr;
  return &result->phases[index];
}

size_t modicum_result_components(const modicum_result* result) {
  return result == nullptr ? 0 : result->run.bill->lines.size();
}

modicum_status modicum_result_component(const modicum_result* result,
                                        size_t index,
                                        modicum_component* component) {
  return Guarded([&]() -> Status {
    if (result == nullptr) return NullArgument("result");
    if (component == nullptr) return NullArgument("component");
    const auto& lines = result->run.bill->lines;
    if (index >= lines.size())
      return Fail(ErrorCode::kNotFound, "there is no such component",
                  "modicum_result_components() counts them");
    const modicum::BillLine& line = lines[index];
    *component = {line.component.c_str(), line.probe.c_str(),
                  modicum::internal::Of(line.energy)};
    return {};
  });
}

modicum_status modicum_result_append_csv(const modicum_result* result,
                                         const char* path,
                                         const char* const* labels) {
  return Guarded([&]() -> Status {
    if (result == nullptr) return NullArgument("result");
    if (path == nullptr) return NullArgument("path");
    MODICUM_TRY(const auto given, modicum::internal::LabelsOf(labels));
    return modicum::AppendEmissionsRow(path, result->run, given);
  });
}
