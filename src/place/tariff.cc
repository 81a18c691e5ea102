// SPDX-License-Identifier: Apache-2.0
#include "place/tariff.h"

#include <algorithm>
#include <cmath>

#include "place/tariff_calendar.h"

namespace modicum {
namespace {

constexpr int64_t kMinuteMicros = 60'000'000;
constexpr int64_t kFurthestEdge = 2 * 1440 * kMinuteMicros;
int64_t NextMinute(int64_t micros) {
  return (micros / kMinuteMicros + 1) * kMinuteMicros;
}

// Mean and standard deviation over the time, of prices by band.
struct Moments {
  double mean = 0, sd = 0;
};
Moments MomentsOf(const std::vector<Tariff::Band>& bands,
                  const std::vector<double>& shares) {
  Moments moments;
  for (size_t i = 0; i < bands.size(); ++i)
    moments.mean += shares[i] * bands[i].price;
  double variance = 0;
  for (size_t i = 0; i < bands.size(); ++i)
    variance += shares[i] * std::pow(bands[i].price - moments.mean, 2);
  moments.sd = std::sqrt(variance);
  return moments;
}

}  // namespace

size_t Tariff::IndexAt(WallTime time) const {
  const LocalMinute local = zone_.At(time);
  int weekday = local.weekday;
  if (!holidays_.empty() &&
      holidays_.contains(DayNumber(local.year, local.month, local.day)))
    weekday = kSunday;
  return calendar_[CalendarCell(local.month - 1, weekday, local.minute)];
}

WallTime Tariff::NextEdge(WallTime time) const {
  const size_t now = IndexAt(time);
  int64_t at = NextMinute(time.micros);
  while (at < time.micros + kFurthestEdge && IndexAt({at}) == now)
    at += kMinuteMicros;
  return {at};
}

std::vector<double> Tariff::SharesOver(WallTime from, Seconds duration) const {
  std::vector<double> shares(bands_.size());
  const auto whole = static_cast<int64_t>(duration.value() * 1e6);
  if (whole <= 0) {
    shares[IndexAt(from)] = 1;
    return shares;
  }
  std::vector<int64_t> micros(bands_.size());
  const int64_t end = from.micros + whole;
  for (int64_t at = from.micros; at < end;) {
    const int64_t next = std::min(NextMinute(at), end);
    micros[IndexAt({at})] += next - at;
    at = next;
  }
  for (size_t i = 0; i < shares.size(); ++i)
    shares[i] = static_cast<double>(micros[i]) / static_cast<double>(whole);
  return shares;
}

TariffPrice PriceOf(const Tariff& tariff, std::span<const EnergySlice> slices) {
  TariffPrice price;
  std::vector<double> used(tariff.bands().size());
  const std::vector<double> parts = SharesOf(slices);
  for (size_t at = 0; at < slices.size(); ++at) {
    const EnergySlice& slice = slices[at];
    const double part = parts[at];
    const auto shares = tariff.SharesOver(slice.began, slice.wall);
    for (size_t i = 0; i < used.size(); ++i) used[i] += part * shares[i];
    if (InOneHour(slice, *std::max_element(shares.begin(), shares.end())))
      continue;
    price.paid.by_time += part;
    price.sd += part * MomentsOf(tariff.bands(), shares).sd;
  }
  for (size_t i = 0; i < used.size(); ++i) {
    const Tariff::Band& band = tariff.bands()[i];
    price.paid.mean += used[i] * band.price;
    if (used[i] > 0)
      price.paid.bands.push_back({band.name, band.price, used[i]});
  }
  return price;
}

}  // namespace modicum
