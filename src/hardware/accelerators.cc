// SPDX-License-Identifier: Apache-2.0
#include "hardware/accelerators.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/ascii.h"
#include "base/csv.h"
#include "base/suggest.h"
#include "data/accelerators.h"

namespace modicum {
namespace {

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::vector<Accelerator> ReadAccelerators() {
  const EmbeddedTable table(kAcceleratorsCsv);
  std::vector<Accelerator> chips;
  for (size_t row = 0; row < table.size(); ++row) {
    const auto number = [&](std::string_view column) {
      return table.number(row, column).value_or(0);
    };
    Accelerator chip;
    chip.id = table.at(row, "id");
    chip.name = table.at(row, "name");
    chip.aliases = Split(table.at(row, "aliases"), ';');
    chip.kind = table.at(row, "kind");
    chip.fp32 = number("fp32") * 1e12;
    chip.tf32 = number("tf32") * 1e12;
    chip.fp16 = number("fp16") * 1e12;
    chip.bf16 = number("bf16") * 1e12;
    chip.fp8 = number("fp8") * 1e12;
    chip.int8 = number("int8") * 1e12;
    chip.bandwidth = number("bandwidth") * 1e9;
    chip.memory = Bytes(number("memory") * 1e9);
    chip.tdp = Watts(number("tdp_w"));
    chip.idle = Watts(number("idle_w"));
    chip.embodied_kg = table.number(row, "embodied_kg");
    chip.rent_usd = table.number(row, "rent_usd");
    chip.buy_usd = table.number(row, "buy_usd");
    chip.link = number("link_gbs") * 1e9;
    chip.per_node = static_cast<int>(number("per_node"));
    chip.source = table.at(row, "source");
    chip.price_source = table.at(row, "price_source");
    chips.push_back(std::move(chip));
  }
  return chips;
}

std::string Normal(std::string_view name) {
  std::string text = LowerAscii(name);
  for (char& c : text)
    if (c == '_' || c == ' ') c = '-';
  return text;
}

// The field that a name of ChangedAccelerator() sets, and what one unit of it
// is.
Status Change(Accelerator& chip, std::string_view name, double value) {
  struct Field {
    std::string_view name;
    double* target;
    double unit;
  };
  double memory = 0, tdp = 0, idle = -1, rent = 0, buy = 0, embodied = -1;
  const std::array<Field, 13> fields{{{"fp32", &chip.fp32, 1e12},
                                      {"tf32", &chip.tf32, 1e12},
                                      {"fp16", &chip.fp16, 1e12},
                                      {"bf16", &chip.bf16, 1e12},
                                      {"fp8", &chip.fp8, 1e12},
                                      {"int8", &chip.int8, 1e12},
                                      {"bandwidth", &chip.bandwidth, 1e9},
                                      {"memory", &memory, 1e9},
                                      {"tdp", &tdp, 1},
                                      {"idle", &idle, 1},
                                      {"rent", &rent, 1},
                                      {"buy", &buy, 1},
                                      {"embodied", &embodied, 1}}};
  std::vector<std::string_view> names;
  for (const Field& field : fields) names.push_back(field.name);
  const auto found = std::ranges::find(fields, name, &Field::name);
  if (found == fields.end())
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("a chip has no '{}'{}", name, DidYouMean(name, names)),
        "--chip takes fp32, tf32, fp16, bf16, fp8, int8 (dense "
        "TFLOP/s), bandwidth (GB/s), memory (GB), tdp, idle (W), rent "
        "(USD/h), buy (USD) and embodied (kg)");
  *found->target = value * found->unit;
  if (memory > 0) chip.memory = Bytes(memory);
  if (tdp > 0) chip.tdp = Watts(tdp);
  if (idle >= 0) chip.idle = Watts(idle);
  if (rent > 0) chip.rent_usd = rent;
  if (buy > 0) chip.buy_usd = buy;
  if (embodied >= 0) chip.embodied_kg = embodied;
  return {};
}

}  // namespace

double Accelerator::Peak(std::string_view type) const {
  const double half = std::max(bf16, fp16);
  const double wide = std::max(fp32, tf32);
  if (type == "fp32") return fp32 > 0 ? fp32 : half / 2;
  if (type == "tf32") return tf32 > 0 ? tf32 : std::max(fp32, half / 2);
  if (type == "fp8" && fp8 > 0) return fp8;
  if (type == "int8" && int8 > 0) return int8;
  return half > 0 ? half : wide;
}

const std::vector<Accelerator>& Accelerators() {
  static const std::vector<Accelerator> chips = ReadAccelerators();
  return chips;
}

Result<const Accelerator*> FindAccelerator(std::string_view name) {
  const std::string normal = Normal(name);
  std::vector<std::string_view> names;
  for (const Accelerator& chip : Accelerators()) {
    if (chip.id == normal || Normal(chip.name) == normal) return &chip;
    names.push_back(chip.id);
    for (const std::string& alias : chip.aliases) {
      if (alias == normal) return &chip;
      names.push_back(alias);
    }
  }
  return Fail(
      ErrorCode::kNotFound,
      fmt::format("unknown chip '{}'{}", name, DidYouMean(normal, names)),
      "`modicum plan chips` lists them; your own: --gpu a100-80 --chip "
      "memory=48,bandwidth=900,bf16=180,tdp=350");
}

Result<Accelerator> ChangedAccelerator(const Accelerator& base,
                                       std::string_view changes) {
  Accelerator chip = base;
  for (const std::string& change : Split(changes, ',')) {
    const size_t equals = change.find('=');
    double value = 0;
    const char* end = change.data() + change.size();
    const bool number =
        equals != std::string::npos &&
        std::from_chars(change.data() + equals + 1, end, value).ptr == end;
    if (!number || !(value > 0) || !(value < 1e9))
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("'{}' does not change a chip", change),
                  "a name and a number above zero: --chip tdp=350,memory=24");
    MODICUM_RETURN_IF_ERROR(
        Change(chip, std::string_view(change).substr(0, equals), value));
  }
  chip.name += " (changed: " + std::string(changes) + ")";
  return chip;
}

}  // namespace modicum
