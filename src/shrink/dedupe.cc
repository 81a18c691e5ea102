// SPDX-License-Identifier: Apache-2.0
// Dedupe: of near-duplicates (Item::group) and of exact copies, one row per
// label is trained on; copies of a text with different labels are kept, for
// they say how sure the labels are. Less to train on loses nothing and often
// helps (Lee et al., Deduplicating Training Data Makes Language Models Better,
// ACL 2022).
#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "shrink/pass_support.h"
#include "shrink/passes.h"

namespace modicum {

namespace {

// The first row of each kind, in the order given, sorted.
std::vector<uint32_t> FirstOfEach(const PassInput& input) {
  std::set<std::pair<uint64_t, LabelIndex>> groups;
  std::set<std::pair<std::string_view, LabelIndex>> contents;
  std::vector<uint32_t> rows(input.rows.begin(), input.rows.end());
  std::sort(rows.begin(), rows.end());
  std::erase_if(rows, [&](uint32_t row) {
    const Item& item = input.data.items[row];
    if (!groups.emplace(item.group, item.label).second) return true;
    const std::string_view bytes = BytesOf(item.payload);
    return !bytes.empty() && !contents.emplace(bytes, item.label).second;
  });
  return rows;
}

class Dedupe final : public Pass {
 public:
  std::string_view name() const override { return "dedupe"; }
  std::string_view summary() const override {
    return "trains on one of each group of near-duplicates";
  }
  Needs needs() const override { return Needs::kArithmetic; }
  bool on_data() const override { return true; }

  Status Accepts(const PassInput& input) const override {
    if (FirstOfEach(input).size() < input.rows.size()) return {};
    return Fail(ErrorCode::kUnavailable, "no two of the " +
                                             std::to_string(input.rows.size()) +
                                             " rows are near-duplicates");
  }
  std::vector<Params> Space(const PassInput&) const override { return {{}}; }

  PassForecast Predict(const PassInput& input, const Params&) const override {
    const auto rows = static_cast<double>(input.rows.size());
    return Forecast(1e-4 + 1e-6 * rows, 150 * rows);
  }

  Result<std::vector<uint32_t>> SelectRows(const PassInput& input,
                                           const Params& params,
                                           const Budget& budget) override {
    MODICUM_RETURN_IF_ERROR(CheckPassParams(params, name(), {}));
    if (budget.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "dedupe interrupted");
    return FirstOfEach(input);
  }
};

}  // namespace

Pass& DedupePass() {
  static Dedupe pass;
  return pass;
}

}  // namespace modicum
