// SPDX-License-Identifier: Apache-2.0
// Deep equality of records for tests. Structured bindings name every member,
// so a member that is added to a type must be added here to compile.
#pragma once

#include <concepts>
#include <optional>
#include <tuple>
#include <vector>

#include "record/types.h"

namespace modicum {

template <class T>
requires std::equality_comparable<T>
bool Same(const T& a, const T& b) { return a == b; }
template <class T>
requires(!std::equality_comparable<T>) bool Same(const T& a, const T& b);
template <class T>
bool Same(const std::optional<T>& a, const std::optional<T>& b) {
  return a.has_value() == b.has_value() && (!a || Same(*a, *b));
}
template <class T>
bool Same(const std::vector<T>& a, const std::vector<T>& b) {
  bool same = a.size() == b.size();
  for (size_t i = 0; same && i < a.size(); ++i) same = Same(a[i], b[i]);
  return same;
}

namespace internal {

inline auto Tie(const Share& v) { return std::tie(v.source, v.delta); }
template <class Q>
auto Tie(const Estimate<Q>& v) {
  const auto& [a, b, c, d, e, f] = v;
  return std::tie(a, b, c, d, e, f);
}
inline auto Tie(const MoneyEstimate& v) {
  const auto& [a, b] = v;
  return std::tie(a, b);
}
inline auto Tie(const Factor& v) {
  const auto& [a, b, c, d, e] = v;
  return std::tie(a, b, c, d, e);
}
inline auto Tie(const BillLine& v) {
  const auto& [a, b, c] = v;
  return std::tie(a, b, c);
}
inline auto Tie(const EnergySplit& v) {
  const auto& [a, b, c, d, e, f, g] = v;
  return std::tie(a, b, c, d, e, f, g);
}
inline auto Tie(const PaidBand& v) {
  const auto& [a, b, c] = v;
  return std::tie(a, b, c);
}
inline auto Tie(const PaidTariff& v) {
  const auto& [a, b, c] = v;
  return std::tie(a, b, c);
}
inline auto Tie(const PaidIntensity& v) {
  const auto& [a, b, c, d, e] = v;
  return std::tie(a, b, c, d, e);
}
inline auto Tie(const NetworkUse& v) {
  const auto& [a, b] = v;
  return std::tie(a, b);
}
inline auto Tie(const Bill& v) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = v;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q);
}
inline auto Tie(const HostFacts& v) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l] = v;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k, l);
}
inline auto Tie(const Run& v) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l] = v;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k, l);
}
inline auto Tie(const RunKey& v) {
  const auto& [a, b, c, d] = v;
  return std::tie(a, b, c, d);
}
inline auto Tie(const Measurement& v) {
  const auto& [a, b, c, d, e, f, g, h, i, j] = v;
  return std::tie(a, b, c, d, e, f, g, h, i, j);
}
inline auto Tie(const TrialKey& v) {
  const auto& [a, b, c] = v;
  return std::tie(a, b, c);
}
inline auto Tie(const Trial& v) {
  const auto& [a, b, c, d, e, f, g, h] = v;
  return std::tie(a, b, c, d, e, f, g, h);
}

}  // namespace internal

template <class T>
requires(!std::equality_comparable<T>) bool Same(const T& a, const T& b) {
  const auto each = [](const auto& x, const auto& y) { return Same(x, y); };
  const auto tied_a = internal::Tie(a);
  const auto tied_b = internal::Tie(b);
  return std::apply(
      [&](const auto&... xs) {
        return std::apply(
            [&](const auto&... ys) { return (each(xs, ys) && ...); }, tied_b);
      },
      tied_a);
}

}  // namespace modicum
