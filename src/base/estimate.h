// SPDX-License-Identifier: Apache-2.0
// Estimate<Q>: a quantity with its error, its origin and its scope.
//
// The error has an independent part (own_sd) and shared parts, each named by
// its source. Two estimates that share a source (the same power model, the
// same grid factor) err together: the common part of their difference or
// ratio cancels, while independent parts add in quadrature. First-order
// (delta method) propagation throughout.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

namespace modicum {

// Where a number comes from, best first; a combination has the worst.
enum class Origin { kCounter, kSensor, kModelled, kAssumed };
// A counter or a sensor, not a model or a constant.
constexpr bool IsMeasured(Origin origin) { return origin <= Origin::kSensor; }

// What a number covers, narrowest first; a combination has the narrowest.
// kNetwork is outside of the machine, and is not added to what is inside.
enum class Scope { kDevice, kProcess, kPackage, kHost, kWall, kNetwork };

std::string_view OriginName(Origin origin);  // "counter", "sensor", ...
std::string_view ScopeName(Scope scope);     // "device", "process", ...

// A named source of shared error, interned for the life of the process.
enum class SourceId : uint32_t {};
// Thread-safe. The same name always gives the same id.
SourceId InternSource(std::string_view name);
std::string SourceName(SourceId id);

// The signed effect of one standard deviation of `source`, in Q's unit.
struct Share {
  SourceId source;
  double delta;
};

// z of a two-sided 90 % interval, the one printed everywhere.
inline constexpr double kZ90 = 1.6448536269514722;

struct Interval {
  double low = 0;
  double high = 0;
};

namespace internal {
// a*ka + b*kb, merged by source and sorted by it.
std::vector<Share> CombineShares(const std::vector<Share>& a, double ka,
                                 const std::vector<Share>& b, double kb);
double TotalSd(double own_sd, const std::vector<Share>& shared);
// The 90 % interval. Of a quantity that cannot change its sign, on a log
// scale: sd / mid is then the standard deviation of its logarithm. Where that
// is much, an error of its own was added (a tick in a short interval): then no
// more than lies above any quantity of this sd. What is shared multiplies, and
// may spread widely. Of a difference, linear unless it is more than two sd from
// zero.
Interval Interval90(double mid, double own_sd, double shared_sd,
                    bool difference);
}  // namespace internal

template <class Q>
struct Estimate {
  Q mid;
  double own_sd = 0;          // in Q's unit
  std::vector<Share> shared;  // sorted by source, one entry each
  Origin origin = Origin::kAssumed;
  Scope scope = Scope::kHost;
  // Made by subtracting: may have either sign. Energies and costs have not.
  bool difference = false;

  // One standard deviation, all parts together, in Q's unit.
  double sd() const { return internal::TotalSd(own_sd, shared); }
  Interval interval() const {
    return internal::Interval90(mid.value(), own_sd,
                                internal::TotalSd(0, shared), difference);
  }
  Q low() const { return Q(interval().low); }
  Q high() const { return Q(interval().high); }

  // Adds an error of `relative` (1 sd, as a fraction of mid) from `source`.
  Estimate& WithShared(SourceId source, double relative) {
    shared = internal::CombineShares(
        shared, 1, {Share{source, relative * mid.value()}}, 1);
    return *this;
  }
  Estimate& WithScope(Scope s) {
    scope = s;
    return *this;
  }
};

// An exact value: no error, the stated origin and scope.
template <class Q>
Estimate<Q> Exactly(Q value, Origin origin, Scope scope) {
  return Estimate<Q>{value, 0, {}, origin, scope};
}

namespace internal {

// value, with d(value) = ka*d(a) + kb*d(b).
template <class R, class A, class B>
Estimate<R> Propagate(R value, const Estimate<A>& a, double ka,
                      const Estimate<B>& b, double kb) {
  return Estimate<R>{value,
                     std::hypot(ka * a.own_sd, kb * b.own_sd),
                     CombineShares(a.shared, ka, b.shared, kb),
                     std::max(a.origin, b.origin),
                     std::min(a.scope, b.scope),
                     a.difference || b.difference};
}

}  // namespace internal

template <class Q>
Estimate<Q> operator+(const Estimate<Q>& a, const Estimate<Q>& b) {
  return internal::Propagate(a.mid + b.mid, a, 1, b, 1);
}
template <class Q>
Estimate<Q> operator-(const Estimate<Q>& a, const Estimate<Q>& b) {
  Estimate<Q> result = internal::Propagate(a.mid - b.mid, a, 1, b, -1);
  result.difference = true;
  return result;
}
template <class Q>
Estimate<Q> operator*(const Estimate<Q>& a, double k) {
  return internal::Propagate(a.mid * k, a, k, a, 0);
}
template <class Q>
Estimate<Q> operator/(const Estimate<Q>& a, double k) {
  return a * (1 / k);
}
// Products with a meaning for the units (Watts * Seconds, ...).
template <class A, class B>
auto operator*(const Estimate<A>& a, const Estimate<B>& b)
    -> Estimate<decltype(a.mid * b.mid)> {
  // The unit product is linear in each factor: its partial derivatives are
  // the product with the other factor's mid and a unit first factor.
  const double ka = (A(1) * b.mid).value();
  const double kb = (a.mid * B(1)).value();
  return internal::Propagate(a.mid * b.mid, a, ka, b, kb);
}
// The mean power over a time that is known exactly, and its like.
template <class Q>
auto operator/(const Estimate<Q>& a, Seconds time)
    -> Estimate<decltype(a.mid / time)> {
  const auto mid = a.mid / time;
  return internal::Propagate(mid, a, 1 / time.value(), a, 0);
}
// The dimensionless ratio of two like quantities.
template <class Q>
Estimate<Scalar> Ratio(const Estimate<Q>& a, const Estimate<Q>& b) {
  const double r = a.mid / b.mid;
  return internal::Propagate(Scalar(r), a, 1 / b.mid.value(), b,
                             -r / b.mid.value());
}

// Money with its currency: an expected cost, not a posted sum.
struct MoneyEstimate {
  Estimate<Amount> amount;
  Currency currency;
};

}  // namespace modicum
