// SPDX-License-Identifier: Apache-2.0
#include "base/estimate.h"

#include <map>
#include <mutex>

#include "base/result.h"

namespace modicum {
namespace {

struct SourceTable {
  std::mutex mutex;
  std::map<std::string, uint32_t, std::less<>> ids;
  std::vector<std::string> names;
};

SourceTable& Sources() {
  static SourceTable* table = new SourceTable;  // never destroyed, on purpose
  return *table;
}

// Cantelli's inequality: whatever a quantity's distribution, at most 5 % of it
// lies more than this many standard deviations above its mean, sqrt(0.95/0.05).
constexpr double kCantelli = 4.358898943540674;
// No published figure spreads wider than x/÷ 27 (a gigabyte on the network:
// x/÷ 8): beyond it an error is one that was added.
constexpr double kWidest = 2;  // of the logarithm

// How far the interval reaches, in logarithms, where sd / mid is `relative`:
// no further than `times` standard deviations.
double Reach(double relative, double times) {
  return std::min(kZ90 * relative, std::log1p(times * relative));
}

}  // namespace

std::string_view OriginName(Origin origin) {
  switch (origin) {
    case Origin::kCounter:
      return "counter";
    case Origin::kSensor:
      return "sensor";
    case Origin::kModelled:
      return "modelled";
    case Origin::kAssumed:
      return "assumed";
  }
  return "?";
}

std::string_view ScopeName(Scope scope) {
  switch (scope) {
    case Scope::kDevice:
      return "device";
    case Scope::kProcess:
      return "process";
    case Scope::kPackage:
      return "package";
    case Scope::kHost:
      return "host";
    case Scope::kWall:
      return "wall";
    case Scope::kNetwork:
      return "network";
  }
  return "?";
}

SourceId InternSource(std::string_view name) {
  SourceTable& table = Sources();
  const std::lock_guard lock(table.mutex);
  if (auto it = table.ids.find(name); it != table.ids.end())
    return SourceId{it->second};
  const auto id = static_cast<uint32_t>(table.names.size());
  table.names.emplace_back(name);
  table.ids.emplace(std::string(name), id);
  return SourceId{id};
}

std::string SourceName(SourceId id) {
  SourceTable& table = Sources();
  const std::lock_guard lock(table.mutex);
  const auto index = static_cast<size_t>(id);
  MODICUM_CHECK(index < table.names.size());
  return table.names[index];
}

namespace internal {

std::vector<Share> CombineShares(const std::vector<Share>& a, double ka,
                                 const std::vector<Share>& b, double kb) {
  std::vector<Share> out;
  out.reserve(a.size() + b.size());
  auto add = [&out](SourceId source, double delta) {
    if (delta != 0) out.push_back(Share{source, delta});
  };
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (j == b.size() || (i < a.size() && a[i].source < b[j].source)) {
      add(a[i].source, ka * a[i].delta);
      ++i;
    } else if (i == a.size() || b[j].source < a[i].source) {
      add(b[j].source, kb * b[j].delta);
      ++j;
    } else {
      add(a[i].source, ka * a[i].delta + kb * b[j].delta);
      ++i;
      ++j;
    }
  }
  return out;
}

double TotalSd(double own_sd, const std::vector<Share>& shared) {
  double sum = own_sd * own_sd;
  for (const Share& share : shared) sum += share.delta * share.delta;
  return std::sqrt(sum);
}

Interval Interval90(double mid, double own_sd, double shared_sd,
                    bool difference) {
  const double sd = std::hypot(own_sd, shared_sd);
  const double half = kZ90 * sd;
  if (difference && std::abs(mid) <= 2 * sd) return {mid - half, mid + half};
  if (mid == 0) return {0, kCantelli * sd};
  const double widest = std::expm1(kZ90 * kWidest) / kWidest;
  const double reach = std::hypot(Reach(own_sd / std::abs(mid), kCantelli),
                                  Reach(shared_sd / std::abs(mid), widest));
  // Where nothing is cut, as it always was, to the last bit.
  const double plain = half / std::abs(mid);
  const double factor = std::exp(reach < plain * (1 - 1e-9) ? reach : plain);
  return mid > 0 ? Interval{mid / factor, mid * factor}
                 : Interval{mid * factor, mid / factor};
}

}  // namespace internal
}  // namespace modicum
