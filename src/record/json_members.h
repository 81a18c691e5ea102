// SPDX-License-Identifier: Apache-2.0
// The writer and the reader behind record/json.h, for the files that list
// types. A type lists its members once, in Members<T>, and both walk that
// list, so what is written is what is read. Slow to include: it brings
// nlohmann/json.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/format.h"
#include "record/evidence.h"
#include "record/json.h"

namespace modicum::internal {

using nlohmann::json;

// The largest whole number that every JSON reader keeps (RFC 8785, 3.2.2.3).
inline constexpr uint64_t kMostExact = uint64_t{1} << 53;

template <class T>
struct Members;  // Of(visit, value) calls visit(name, member) for each

template <>
struct Members<Factor> {
  static void Of(auto& visit, auto& f) {
    visit("name", f.name);
    visit("value", f.value);
    visit("unit", f.unit);
    visit("source", f.source);
    visit("date", f.date);
  }
};

template <>
struct Members<MoneyEstimate> {
  static void Of(auto& visit, auto& money) {
    visit("amount", money.amount);
    visit("currency", money.currency);
  }
};

template <>
struct Members<SearchPart> {
  static void Of(auto& visit, auto& part) {
    visit("name", part.name);
    visit("joules", part.joules);
  }
};

template <>
struct Members<HostFacts> {
  static void Of(auto& visit, auto& host) {
    visit("hostname", host.hostname);
    visit("boot", host.boot);
    visit("os", host.os);
    visit("cpu_model", host.cpu_model);
    visit("sockets", host.sockets);
    visit("cores", host.cores);
    visit("logical_cpus", host.logical_cpus);
    visit("ram_bytes", host.ram);
    visit("virtual_machine", host.virtual_machine);
    visit("hypervisor", host.hypervisor);
    visit("gpus", host.gpus);
    visit("governor", host.governor);
  }
};

template <>
struct Members<QualityFigure> {
  static void Of(auto& visit, auto& figure) {
    visit("metric", figure.metric);
    visit("split", figure.split);
    visit("mid", figure.mid);
    visit("low", figure.low);
    visit("high", figure.high);
    visit("items", figure.items);
  }
};

template <>
struct Members<Repeat> {
  static void Of(auto& visit, auto& repeat) {
    visit("predictions", repeat.predictions);
    visit("wall_s", repeat.wall);
    visit("cpu_s", repeat.cpu);
    visit("energy", repeat.energy);
    visit("contended", repeat.contended);
    visit("cpu_s_by_phase", repeat.cpu_by_phase);
    visit("price", repeat.price);
    visit("currency", repeat.currency);
  }
};

template <>
struct Members<Reference> {
  static void Of(auto& visit, auto& reference) {
    visit("name", reference.name);
    visit("joules_per_1000", reference.joules_per_1000);
    visit("low", reference.low);
    visit("high", reference.high);
    visit("quality", reference.quality);
    visit("scope", reference.scope);
    visit("source", reference.source);
    visit("date", reference.date);
    visit("planned", reference.planned);
  }
};

class Writer {
 public:
  explicit Writer(JsonStyle style) : style_(style) {}

  // JSON has no infinities: they are written as text.
  json Write(double number) const {
    if (std::isnan(number)) return "nan";
    if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
    return number;
  }
  json Write(bool flag) const { return flag; }
  json Write(std::integral auto number) const {
    if (style_ == JsonStyle::kReceipt && std::cmp_greater(number, kMostExact))
      return std::to_string(number);
    return number;
  }
  json Write(const std::string& text) const { return text; }
  template <class Tag>
  json Write(Quantity<Tag> quantity) const {
    return Write(quantity.value());
  }
  json Write(WallTime time) const { return time.micros; }
  json Write(const Uuid& id) const { return id.text; }
  json Write(const Hash& hash) const { return ToHex(hash); }
  json Write(const Currency& currency) const { return currency.view(); }
  json Write(Origin origin) const { return OriginName(origin); }
  json Write(Scope scope) const { return ScopeName(scope); }
  json Write(Phase phase) const { return PhaseName(phase); }
  json Write(RunStatus status) const { return RunStatusName(status); }
  json Write(const std::map<std::string, std::string>& texts) const {
    return texts;
  }
  template <class T>
  json Write(const std::map<Phase, T>& by_phase) const {
    json out = json::object();
    for (const auto& [phase, value] : by_phase)
      out[std::string(PhaseName(phase))] = Write(value);
    return out;
  }
  template <class T>
  json Write(const std::vector<T>& values) const {
    json out = json::array();
    out.get_ref<json::array_t&>().reserve(values.size());
    for (const T& value : values) out.push_back(Write(value));
    return out;
  }
  template <class Tag>
  json Write(const Estimate<Quantity<Tag>>& e) const {
    return WriteEstimate({Scalar(e.mid.value()), e.own_sd, e.shared, e.origin,
                          e.scope, e.difference},
                         Tag::kUnit);
  }
  // Once, whatever the unit: it is much code.
  [[gnu::noinline]] json WriteEstimate(const Estimate<Scalar>& estimate,
                                       std::string_view unit) const {
    json out = {{"mid", Write(estimate.mid)},
                {"own_sd", Write(estimate.own_sd)},
                {"origin", Write(estimate.origin)},
                {"scope", Write(estimate.scope)}};
    json& shared = out["shared"] = json::object();
    for (const Share& share : estimate.shared)
      shared[SourceName(share.source)] = Write(share.delta);
    if (estimate.difference) out["difference"] = true;  // rare: else absent
    if (!readable()) return out;
    if (!unit.empty()) out["unit"] = unit;
    const Interval interval = estimate.interval();
    out["low"] = Write(interval.low);
    out["high"] = Write(interval.high);
    return out;
  }
  template <class T>
  requires requires { sizeof(Members<T>); }
  json Write(const T& value) const {
    json out = json::object();
    ObjectWriter visit{*this, out};
    Members<T>::Of(visit, value);
    return out;
  }

 private:
  bool readable() const { return style_ != JsonStyle::kStored; }

  struct ObjectWriter {
    const Writer& writer;
    json& out;
    template <class T>
    [[gnu::noinline]] void operator()(const char* name, const T& value) {
      out[name] = writer.Write(value);
    }
    void operator()(const char* name, WallTime time) {
      out[name] = writer.Write(time);
      // "started_us" is exact, "started" is for people.
      const std::string plain(name, std::strlen(name) - std::strlen("_us"));
      if (writer.readable()) out[plain] = FormatUtc(time);
    }
    template <class T>  // an absent value is an absent member
    [[gnu::noinline]] void operator()(const char* name,
                                      const std::optional<T>& value) {
      if (value) out[name] = writer.Write(*value);
    }
  };

  JsonStyle style_;
};

enum class Strictness {
  kLenient,  // members that are not known are ignored
  kReceipt,  // no others, none that contradicts another, finite numbers only
};

// Keeps the first fault and where it was found; reads on harmlessly after.
class Reader {
 public:
  // `root` begins the path in messages.
  explicit Reader(std::string_view root = {},
                  Strictness strictness = Strictness::kLenient)
      : root_(root), strict_(strictness == Strictness::kReceipt) {}

  template <class T>
  Result<T> ReadAll(const json& in) {
    T value{};
    Read(in, value);
    if (fault_.empty()) return value;
    return Fail(ErrorCode::kInvalidInput, fault_);
  }

 private:
  // Where the reader is: a member by name or an element by index.
  struct Step {
    const Step* parent;
    std::string_view name;
    size_t index;
  };

  std::string PathOf(const Step* step) const {
    if (step == nullptr) return std::string(root_);
    std::string path = PathOf(step->parent);
    if (step->name.data() == nullptr)
      return path + '[' + std::to_string(step->index) + ']';
    if (!path.empty()) path += '.';
    return path + std::string(step->name);
  }
  [[gnu::noinline]] void Fault(std::string_view what) {
    if (!fault_.empty()) return;
    const std::string path = PathOf(at_);
    fault_ = (path.empty() ? "record" : path) + ": " + std::string(what);
  }

  void Read(const json& in, double& out) {
    if (in.is_number()) {
      out = in.get<double>();
    } else if (strict_) {
      Fault(in.is_string() ? "not a finite number" : "not a number");
    } else if (in == "nan") {
      out = std::numeric_limits<double>::quiet_NaN();
    } else if (in == "inf") {
      out = std::numeric_limits<double>::infinity();
    } else if (in == "-inf") {
      out = -std::numeric_limits<double>::infinity();
    } else {
      Fault("not a number");
    }
  }
  void Read(const json& in, bool& out) {
    if (!in.is_boolean()) return Fault("not true or false");
    out = in.get<bool>();
  }
  template <std::integral T>
  void Read(const json& in, T& out) {
    if (strict_ && in.is_string()) return ReadLong(in, out);
    if (in.is_number_unsigned() && std::in_range<T>(in.get<uint64_t>())) {
      out = in.get<T>();
    } else if (in.is_number_integer() && !in.is_number_unsigned() &&
               std::in_range<T>(in.get<int64_t>())) {
      out = in.get<T>();
    } else {
      Fault("not a whole number in range");
    }
  }
  // As the writer writes what is too large for a JSON number.
  template <std::integral T>
  void ReadLong(const json& in, T& out) {
    const auto& text = in.get_ref<const std::string&>();
    const json number = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!number.is_number_unsigned() ||
        std::to_string(number.get<uint64_t>()) != text ||
        number.get<uint64_t>() <= kMostExact ||
        !std::in_range<T>(number.get<uint64_t>()))
      return Fault("not a whole number in range");
    out = number.get<T>();
  }
  void Read(const json& in, std::string& out) {
    if (!in.is_string()) return Fault("not text");
    out = in.get<std::string>();
  }
  template <class Tag>
  void Read(const json& in, Quantity<Tag>& out) {
    double value = 0;
    Read(in, value);
    out = Quantity<Tag>(value);
  }
  void Read(const json& in, WallTime& out) { Read(in, out.micros); }
  void Read(const json& in, Uuid& out) {
    Read(in, out.text);
    const bool valid =
        out.text.size() == 36 &&
        out.text.find_first_not_of("0123456789abcdef-") == std::string::npos;
    if (!valid) Fault("not a UUID of 36 lower-case characters");
  }
  void Read(const json& in, Hash& out) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    Read(in, text);
    if (text.size() != 2 * out.size() ||
        text.find_first_not_of(kDigits) != std::string::npos)
      return Fault("not a hash of 64 lower-case hexadecimal digits");
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<uint8_t>(kDigits.find(text[2 * i]) * 16 +
                                    kDigits.find(text[2 * i + 1]));
  }
  void Read(const json& in, Currency& out) {
    std::string text;
    Read(in, text);
    const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (text.size() != 3 || !std::all_of(text.begin(), text.end(), is_capital))
      return Fault("not a currency code such as EUR");
    std::copy(text.begin(), text.end(), out.code);
  }
  template <class Enum, size_t kCount>
  void ReadName(const json& in, Enum& out, const Enum (&all)[kCount],
                std::string_view (*name)(Enum)) {
    for (const Enum value : all) {
      if (in != name(value)) continue;
      out = value;
      return;
    }
    Fault("unknown name");
  }
  void Read(const json& in, Origin& out) {
    using enum Origin;
    ReadName(in, out, {kCounter, kSensor, kModelled, kAssumed}, &OriginName);
  }
  void Read(const json& in, Scope& out) {
    using enum Scope;
    ReadName(in, out, {kDevice, kProcess, kPackage, kHost, kWall, kNetwork},
             &ScopeName);
  }
  void Read(const json& in, Phase& out) {
    ReadName(in, out, kAllPhases, &PhaseName);
  }
  void Read(const json& in, RunStatus& out) {
    using enum RunStatus;
    ReadName(in, out, {kRunning, kOk, kFailed, kInterrupted}, &RunStatusName);
  }
  template <class T>
  void Read(const json& in, std::map<std::string, T>& out) {
    if (!in.is_object()) return Fault("not an object");
    for (auto it = in.begin(); it != in.end(); ++it)
      ReadAt({at_, it.key(), 0}, *it, out[it.key()]);
  }
  template <class T>
  void Read(const json& in, std::map<Phase, T>& out) {
    if (!in.is_object()) return Fault("not an object");
    for (auto it = in.begin(); it != in.end(); ++it) {
      Phase phase{};
      ReadAt({at_, it.key(), 0}, json(it.key()), phase);
      ReadAt({at_, it.key(), 0}, *it, out[phase]);
    }
  }
  template <class T>
  void Read(const json& in, std::vector<T>& out) {
    if (!in.is_array()) return Fault("not an array");
    out.reserve(in.size());
    for (size_t i = 0; i < in.size() && fault_.empty(); ++i)
      ReadAt({at_, {}, i}, in[i], out.emplace_back());
  }
  template <class Tag>
  void Read(const json& in, Estimate<Quantity<Tag>>& out) {
    Estimate<Scalar> plain;
    ReadEstimate(in, plain, Tag::kUnit);
    out = {Quantity<Tag>(plain.mid.value()),
           plain.own_sd,
           std::move(plain.shared),
           plain.origin,
           plain.scope,
           plain.difference};
  }
  [[gnu::noinline]] void ReadEstimate(const json& in, Estimate<Scalar>& out,
                                      std::string_view unit) {
    if (!in.is_object()) return Fault("not an object");
    ObjectReader visit{*this, in};
    visit("mid", out.mid);
    visit("own_sd", out.own_sd);
    visit("origin", out.origin);
    visit("scope", out.scope);
    if (!(out.own_sd >= 0)) Fault("own_sd is negative");
    if (const auto it = in.find("difference"); it != in.end())
      visit("difference", out.difference);
    std::map<std::string, double> shared;
    visit("shared", shared);
    for (const auto& [name, delta] : shared)
      out.shared.push_back({InternSource(name), delta});
    std::sort(out.shared.begin(), out.shared.end(),
              [](Share a, Share b) { return a.source < b.source; });
    if (strict_) CheckDerived(visit, unit, out.interval());
  }
  template <class T>
  requires requires { sizeof(Members<T>); }
  void Read(const json& in, T& out) {
    if (!in.is_object()) return Fault("not an object");
    ObjectReader visit{*this, in};
    Members<T>::Of(visit, out);
    if (strict_ && visit.known != in.size()) FaultUnknown(in, out);
  }

  // Reads `in` as what is at `step`.
  template <class T>
  void ReadAt(const Step& step, const json& in, T& out) {
    const Step* const before = at_;
    at_ = &step;
    Read(in, out);
    at_ = before;
  }

  struct ObjectReader {
    Reader& reader;
    const json& in;
    size_t known = 0;  // members that were there
    template <class T>
    [[gnu::noinline]] void operator()(const char* name, T& out) {
      const auto it = in.find(name);
      if (it == in.end())
        return reader.Fault(std::string(name) + " is missing");
      ++known;
      reader.ReadAt({reader.at_, name, 0}, *it, out);
    }
    template <class T>
    [[gnu::noinline]] void operator()(const char* name, std::optional<T>& out) {
      const auto it = in.find(name);
      if (it == in.end()) return;
      ++known;
      if (it->is_null() && !reader.strict_) return;
      reader.ReadAt({reader.at_, name, 0}, *it, out.emplace());
    }
  };

  // What a reader of the file sees beside the estimate's own parts.
  void CheckDerived(ObjectReader& visit, std::string_view unit,
                    const Interval& interval) {
    double low = 0;
    double high = 0;
    visit("low", low);
    visit("high", high);
    if (!Close(low, interval.low) || !Close(high, interval.high))
      Fault("low and high are not those of mid and its errors");
    if (!unit.empty()) {
      std::string stated;
      visit("unit", stated);
      if (stated != unit) Fault("unit is not " + std::string(unit));
    }
    if (visit.known != visit.in.size()) Fault("has a member it cannot have");
  }
  // Another machine's logarithm may differ in the last bits.
  static bool Close(double a, double b) {
    return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
  }

  struct NameCollector {
    std::vector<std::string_view> names;
    void operator()(const char* name, const auto&) { names.push_back(name); }
  };
  template <class T>
  [[gnu::noinline]] void FaultUnknown(const json& in, const T& value) {
    NameCollector known;
    Members<T>::Of(known, value);
    for (auto it = in.begin(); it != in.end(); ++it)
      if (std::find(known.names.begin(), known.names.end(), it.key()) ==
          known.names.end())
        return Fault("has an unknown member \"" + it.key() + '"');
  }

  std::string_view root_;
  bool strict_;
  const Step* at_ = nullptr;
  std::string fault_;
};

}  // namespace modicum::internal

namespace modicum {

template <class T>
nlohmann::json ToJson(const T& value, JsonStyle style) {
  return internal::Writer(style).Write(value);
}

template <class T>
std::string ToJsonText(const T& value, JsonStyle style) {
  return ToJson(value, style)
      .dump(style == JsonStyle::kReadable ? 2 : -1, ' ', false,
            nlohmann::json::error_handler_t::replace);
}

template <class T>
Result<T> FromJson(const nlohmann::json& in) {
  return internal::Reader().ReadAll<T>(in);
}

template <class T>
Result<T> FromJsonText(std::string_view text) {
  const auto in =
      nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (in.is_discarded())
    return Fail(ErrorCode::kInvalidInput, "record: not JSON");
  return FromJson<T>(in);
}

template <class T>
Result<T> FromReceiptJson(const nlohmann::json& in, std::string_view path) {
  return internal::Reader(path, internal::Strictness::kReceipt).ReadAll<T>(in);
}

}  // namespace modicum

// Once per type that a file lists, in namespace modicum.
#define MODICUM_JSON(T)                                    \
  template nlohmann::json ToJson<T>(const T&, JsonStyle);  \
  template std::string ToJsonText<T>(const T&, JsonStyle); \
  template Result<T> FromJson<T>(const nlohmann::json&);   \
  template Result<T> FromJsonText<T>(std::string_view);
