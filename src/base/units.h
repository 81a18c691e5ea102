// SPDX-License-Identifier: Apache-2.0
// Physical units as types: a bare double energy does not exist in an interface.
//
// Every type holds SI or the named unit; only meaningful operators exist
// (Watts * Seconds gives Joules, Joules * GramsPerKilowattHour gives
// GramsCo2e). Factory functions convert from other units.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace modicum {

// A double tagged with its unit. Regular, totally ordered but for NaN.
template <class Tag>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(double value) : value_(value) {}

  constexpr double value() const { return value_; }

  constexpr Quantity operator-() const { return Quantity(-value_); }
  constexpr Quantity& operator+=(Quantity other) {
    value_ += other.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    value_ -= other.value_;
    return *this;
  }
  constexpr Quantity& operator*=(double factor) {
    value_ *= factor;
    return *this;
  }

  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return Quantity(a.value_ + b.value_);
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity(a.value_ - b.value_);
  }
  friend constexpr Quantity operator*(Quantity a, double k) {
    return Quantity(a.value_ * k);
  }
  friend constexpr Quantity operator*(double k, Quantity a) { return a * k; }
  friend constexpr Quantity operator/(Quantity a, double k) {
    return Quantity(a.value_ / k);
  }
  friend constexpr double operator/(Quantity a, Quantity b) {
    return a.value_ / b.value_;
  }
  friend constexpr auto operator<=>(Quantity, Quantity) = default;

 private:
  double value_ = 0;
};

// kUnit is the symbol printed after the number.
struct JoulesTag {
  static constexpr std::string_view kUnit = "J";
};
struct WattsTag {
  static constexpr std::string_view kUnit = "W";
};
struct SecondsTag {
  static constexpr std::string_view kUnit = "s";
};
struct GramsCo2eTag {
  static constexpr std::string_view kUnit = "gCO2e";
};
struct GramsPerKilowattHourTag {
  static constexpr std::string_view kUnit = "gCO2e/kWh";
};
// Of electricity contracts (GHG Protocol, Scope 2: market-based). Types of
// their own: never in the place of the location-based ones, never summed with
// them.
struct MarketGramsCo2eTag {
  static constexpr std::string_view kUnit = "gCO2e";
};
struct MarketGramsPerKilowattHourTag {
  static constexpr std::string_view kUnit = "gCO2e/kWh";
};
struct LitresTag {
  static constexpr std::string_view kUnit = "L";
};
struct LitresPerKilowattHourTag {
  static constexpr std::string_view kUnit = "L/kWh";
};
// Expected cost in major units (euros, dollars) of the currency named beside
// it. Money (below) is the exact posted sum; a thousandth of a micro-euro,
// as one prediction costs, only exists as an Amount.
struct AmountTag {
  static constexpr std::string_view kUnit = "";
};
struct AmountPerKilowattHourTag {
  static constexpr std::string_view kUnit = "/kWh";
};
struct BytesTag {
  static constexpr std::string_view kUnit = "B";
};
struct FlopsTag {
  static constexpr std::string_view kUnit = "FLOP";
};
struct ScalarTag {
  static constexpr std::string_view kUnit = "";
};

using Joules = Quantity<JoulesTag>;
using Watts = Quantity<WattsTag>;
using Seconds = Quantity<SecondsTag>;
using GramsCo2e = Quantity<GramsCo2eTag>;
using GramsPerKilowattHour = Quantity<GramsPerKilowattHourTag>;
using MarketGramsCo2e = Quantity<MarketGramsCo2eTag>;
using MarketGramsPerKilowattHour = Quantity<MarketGramsPerKilowattHourTag>;
using Litres = Quantity<LitresTag>;
using LitresPerKilowattHour = Quantity<LitresPerKilowattHourTag>;
using Amount = Quantity<AmountTag>;
using AmountPerKilowattHour = Quantity<AmountPerKilowattHourTag>;
using Bytes = Quantity<BytesTag>;
using Flops = Quantity<FlopsTag>;
using Scalar = Quantity<ScalarTag>;  // dimensionless: a ratio, PUE, a count

inline constexpr double kJoulesPerKilowattHour = 3.6e6;

constexpr Joules KilowattHours(double kwh) {
  return Joules(kwh * kJoulesPerKilowattHour);
}
constexpr double InKilowattHours(Joules energy) {
  return energy.value() / kJoulesPerKilowattHour;
}
constexpr Seconds Milliseconds(double ms) { return Seconds(ms / 1e3); }
constexpr Seconds Hours(double h) { return Seconds(h * 3600); }
inline constexpr Seconds kMonth = Hours(730.5);  // 365.25 days / 12

// Scalars multiply and divide every quantity.
template <class Tag>
constexpr Quantity<Tag> operator*(Quantity<Tag> a, Scalar k) {
  return a * k.value();
}
template <class Tag>
constexpr Quantity<Tag> operator/(Quantity<Tag> a, Scalar k) {
  return a / k.value();
}

constexpr Joules operator*(Watts p, Seconds t) {
  return Joules(p.value() * t.value());
}
constexpr Joules operator*(Seconds t, Watts p) { return p * t; }
constexpr Watts operator/(Joules e, Seconds t) {
  return Watts(e.value() / t.value());
}
constexpr Seconds operator/(Joules e, Watts p) {
  return Seconds(e.value() / p.value());
}
constexpr GramsCo2e operator*(Joules e, GramsPerKilowattHour i) {
  return GramsCo2e(InKilowattHours(e) * i.value());
}
constexpr MarketGramsCo2e operator*(Joules e, MarketGramsPerKilowattHour i) {
  return MarketGramsCo2e(InKilowattHours(e) * i.value());
}
constexpr Litres operator*(Joules e, LitresPerKilowattHour w) {
  return Litres(InKilowattHours(e) * w.value());
}
constexpr Amount operator*(Joules e, AmountPerKilowattHour tariff) {
  return Amount(InKilowattHours(e) * tariff.value());
}

// ISO 4217 code, e.g. {'E','U','R'}.
struct Currency {
  char code[4] = "EUR";
  std::string_view view() const { return {code, 3}; }
  friend bool operator==(const Currency& a, const Currency& b) {
    return a.view() == b.view();
  }
};

// An exact sum. No implicit exchange: adding two currencies is a bug.
struct Money {
  int64_t micros = 0;  // millionths of the major unit
  Currency currency;
};

}  // namespace modicum
