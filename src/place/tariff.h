// SPDX-License-Identifier: Apache-2.0
// A price of electricity that goes by month, weekday and hour, and what energy
// cost that was used when.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/estimate.h"
#include "base/result.h"
#include "place/energy_slices.h"
#include "place/time_zone.h"
#include "record/types.h"

namespace modicum {

// Thread-safe.
class Tariff {
 public:
  struct Band {
    std::string name;
    double price = 0;  // per kWh
  };

  // TOML: `currency`, `zone`, a table [[band]] for each price. Every minute of
  // the year is in one band. kInvalidInput names file, line and fault: a gap
  // and an overlap with the hours where they are.
  static Result<Tariff> Parse(std::string_view toml, const std::string& file);
  static Result<Tariff> Read(const std::string& file);

  const std::vector<Band>& bands() const { return bands_; }
  const Currency& currency() const { return currency_; }
  const std::string& source() const { return source_; }  // the file's own words
  const std::string& date() const { return date_; }      // "" or of the prices
  const std::string& zone() const { return zone_.name(); }

  const Band& At(WallTime time) const { return bands_[IndexAt(time)]; }
  // When the band changes next; where it does not for two days, a moment then.
  WallTime NextEdge(WallTime time) const;
  // Shares of the time by band, together 1.
  std::vector<double> SharesOver(WallTime from, Seconds duration) const;
  // Of all hours of a year alike, holidays left out; sd: of an hour chosen at
  // random.
  double mean() const { return mean_; }
  double sd() const { return sd_; }

 private:
  friend class TariffReader;
  explicit Tariff(TimeZone zone) : zone_(std::move(zone)) {}
  size_t IndexAt(WallTime time) const;

  TimeZone zone_;
  std::vector<Band> bands_;
  // By month, weekday and minute: the band.
  std::vector<uint8_t> calendar_;
  std::set<int> holidays_;  // see DayNumber(): priced as Sundays
  Currency currency_;
  std::string source_, date_;
  double mean_ = 0, sd_ = 0;
};

// What `slices` cost a kWh on average, and in which bands. A slice that lies in
// several bands is split by time: `sd` is how far off that may be.
struct TariffPrice {
  PaidTariff paid;
  double sd = 0;
};
TariffPrice PriceOf(const Tariff& tariff, std::span<const EnergySlice> slices);

}  // namespace modicum
