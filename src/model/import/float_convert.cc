// SPDX-License-Identifier: Apache-2.0
#include "model/import/float_convert.h"

#include <bit>
#include <cstring>

#include "base/result.h"

namespace modicum {
namespace {

template <class T>
T At(const char* in, size_t i) {
  T value;
  std::memcpy(&value, in + i * sizeof(T), sizeof(T));
  return value;
}
template <class T>
void Put(char* out, size_t i, T value) {
  std::memcpy(out + i * sizeof(T), &value, sizeof(T));
}

constexpr uint32_t kExponent = 0x7F800000;

struct FromF32 {
  static float Get(const char* in, size_t i) { return At<float>(in, i); }
};
struct FromF16 {
  static float Get(const char* in, size_t i) {
    return OfHalf(At<uint16_t>(in, i));
  }
};
struct FromBf16 {
  static float Get(const char* in, size_t i) {
    return OfBrain(At<uint16_t>(in, i));
  }
};

struct ToF32 {
  static bool Set(char* out, size_t i, float value) {
    Put(out, i, value);
    return (std::bit_cast<uint32_t>(value) & kExponent) == kExponent;
  }
};
struct ToF16 {
  static bool Set(char* out, size_t i, float value) {
    const uint16_t half = HalfOf(value);
    Put(out, i, half);
    return (half & 0x7C00) == 0x7C00;
  }
};
struct ToBf16 {
  static bool Set(char* out, size_t i, float value) {
    const uint16_t brain = BrainOf(value);
    Put(out, i, brain);
    return (brain & 0x7F80) == 0x7F80;
  }
};

template <class From, class To>
std::optional<size_t> Convert(const char* in, size_t count, char* out) {
  bool bad = false;
  for (size_t i = 0; i < count; ++i) bad |= To::Set(out, i, From::Get(in, i));
  for (size_t i = 0; bad && i < count; ++i)
    if (To::Set(out, i, From::Get(in, i))) return i;
  return std::nullopt;
}

template <class From>
std::optional<size_t> ConvertFrom(const char* in, size_t count, GgmlType to,
                                  char* out) {
  switch (to) {
    case GgmlType::kF32:
      return Convert<From, ToF32>(in, count, out);
    case GgmlType::kF16:
      return Convert<From, ToF16>(in, count, out);
    default:
      MODICUM_CHECK(to == GgmlType::kBf16);
      return Convert<From, ToBf16>(in, count, out);
  }
}

}  // namespace

// Without a branch in the common case: scaled so that the hardware's own
// rounding falls where the half's last bit is.
uint16_t HalfOf(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16U) & 0x8000U;
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > kExponent) return static_cast<uint16_t>(sign | 0x7E00U);
  if (magnitude >= 0x477FF000U)  // 65,520: half way to what is no half
    return static_cast<uint16_t>(sign | 0x7C00U);
  if (magnitude < 0x38800000U) {  // below 2^-14: a multiple of 2^-24
    const float sum = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<uint16_t>(sign |
                                 (std::bit_cast<uint32_t>(sum) - 0x3F000000U));
  }
  const uint32_t odd = (magnitude >> 13U) & 1U;
  const uint32_t rounded = magnitude + 0xFFFU + odd;
  return static_cast<uint16_t>(sign | ((rounded >> 13U) - (112U << 10U)));
}

float OfHalf(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000U) << 16U;
  const uint32_t magnitude = half & 0x7FFFU;
  if (magnitude >= 0x7C00U)
    return std::bit_cast<float>(sign | kExponent | (magnitude & 0x3FFU) << 13U);
  if (magnitude < 0x400U) {
    const float value = static_cast<float>(magnitude) * 0x1p-24F;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(value));
  }
  return std::bit_cast<float>(sign | ((magnitude << 13U) + (112U << 23U)));
}

uint16_t BrainOf(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > kExponent)
    return static_cast<uint16_t>((bits >> 16U) | 0x40U);
  return static_cast<uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

float OfBrain(uint16_t brain) {
  return std::bit_cast<float>(static_cast<uint32_t>(brain) << 16U);
}

std::optional<size_t> ConvertFloats(SafeType from, const char* in, size_t count,
                                    GgmlType to, char* out) {
  switch (from) {
    case SafeType::kF32:
      return ConvertFrom<FromF32>(in, count, to, out);
    case SafeType::kF16:
      return ConvertFrom<FromF16>(in, count, to, out);
    case SafeType::kBf16:
      return ConvertFrom<FromBf16>(in, count, to, out);
    case SafeType::kOther:
      break;
  }
  CheckFailed("a floating-point type", __FILE__, __LINE__);
}

}  // namespace modicum
