// SPDX-License-Identifier: Apache-2.0
// Each type lists its members once, in Members<T>; the writer and the reader
// both walk that list, so what is written is what is read.
#include "record/json.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/format.h"

namespace modicum {
namespace {

using nlohmann::json;

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
struct Members<BillLine> {
  static void Of(auto& visit, auto& line) {
    visit("component", line.component);
    visit("probe", line.probe);
    visit("energy", line.energy);
  }
};

template <>
struct Members<EnergySplit> {
  static void Of(auto& visit, auto& split) {
    visit("measured", split.measured);
    visit("own_active", split.own_active);
    visit("own_idle", split.own_idle);
    visit("other_active", split.other_active);
    visit("other_idle", split.other_idle);
    visit("unattributed", split.unattributed);
    visit("idle_policy", split.idle_policy);
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
struct Members<Bill> {
  static void Of(auto& visit, auto& bill) {
    visit("wall_s", bill.wall);
    visit("cpu_s", bill.cpu);
    visit("split", bill.split);
    visit("lines", bill.lines);
    visit("energy", bill.energy);
    visit("operational", bill.operational);
    visit("embodied", bill.embodied);
    visit("water", bill.water);
    visit("money", bill.money);
    visit("place", bill.place);
    visit("factors", bill.factors);
    visit("missing", bill.missing);
    visit("warnings", bill.warnings);
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
struct Members<Run> {
  static void Of(auto& visit, auto& run) {
    visit("id", run.id);
    visit("kind", run.kind);
    visit("name", run.name);
    visit("project", run.project);
    visit("tags", run.tags);
    visit("started_us", run.started);
    visit("ended_us", run.ended);
    visit("status", run.status);
    visit("exit_code", run.exit_code);
    visit("host", run.host);
    visit("bill", run.bill);
    visit("version", run.version);
  }
};

template <>
struct Members<Measurement> {
  static void Of(auto& visit, auto& m) {
    visit("run", m.key.run);
    visit("boot", m.key.boot);
    visit("device", m.key.device);
    visit("seq", m.key.seq);
    visit("name", m.name);
    visit("phase", m.phase);
    visit("domain", m.domain);
    visit("probe", m.probe);
    visit("at_us", m.at);
    visit("wall_s", m.wall);
    visit("cpu_s", m.cpu);
    visit("energy", m.energy);
    visit("contended", m.contended);
  }
};

template <>
struct Members<Trial> {
  static void Of(auto& visit, auto& trial) {
    visit("task", trial.key.task);
    visit("candidate", trial.key.candidate);
    visit("repeat", trial.key.repeat);
    visit("run", trial.run);
    visit("name", trial.name);
    visit("outcome", trial.outcome);
    visit("cause", trial.cause);
    visit("cost", trial.cost);
    visit("wall_s", trial.wall);
    visit("detail", trial.detail);
  }
};

class Writer {
 public:
  explicit Writer(JsonStyle style) : readable_(style == JsonStyle::kReadable) {}

  // JSON has no infinities: they are written as text.
  json Write(double number) const {
    if (std::isnan(number)) return "nan";
    if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
    return number;
  }
  json Write(bool flag) const { return flag; }
  json Write(std::integral auto number) const { return number; }
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
  json Write(const std::vector<T>& values) const {
    json out = json::array();
    for (const T& value : values) out.push_back(Write(value));
    return out;
  }
  template <class Tag>
  json Write(const Estimate<Quantity<Tag>>& estimate) const {
    json out = {{"mid", Write(estimate.mid)},
                {"own_sd", Write(estimate.own_sd)},
                {"origin", Write(estimate.origin)},
                {"scope", Write(estimate.scope)}};
    json& shared = out["shared"] = json::object();
    for (const Share& share : estimate.shared)
      shared[SourceName(share.source)] = Write(share.delta);
    if (estimate.difference) out["difference"] = true;  // rare: else absent
    if (!readable_) return out;
    if (!Tag::kUnit.empty()) out["unit"] = Tag::kUnit;
    out["low"] = Write(estimate.interval().low);
    out["high"] = Write(estimate.interval().high);
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
  struct ObjectWriter {
    const Writer& writer;
    json& out;
    template <class T>
    void operator()(const char* name, const T& value) {
      out[name] = writer.Write(value);
    }
    void operator()(const char* name, WallTime time) {
      out[name] = writer.Write(time);
      // "started_us" is exact, "started" is for people.
      const std::string plain(name, std::strlen(name) - std::strlen("_us"));
      if (writer.readable_) out[plain] = FormatUtc(time);
    }
    template <class T>  // an absent value is an absent member
    void operator()(const char* name, const std::optional<T>& value) {
      if (value) out[name] = writer.Write(*value);
    }
  };

  bool readable_;
};

// Keeps the first fault and where it was found; reads on harmlessly after.
class Reader {
 public:
  template <class T>
  Result<T> ReadAll(const json& in) {
    T value{};
    Read(in, value);
    if (fault_.empty()) return value;
    return Fail(ErrorCode::kInvalidInput, fault_);
  }

 private:
  void Fault(std::string_view what) {
    if (!fault_.empty()) return;
    fault_ = (path_.empty() ? "record" : path_) + ": " + std::string(what);
  }

  void Read(const json& in, double& out) {
    if (in.is_number()) {
      out = in.get<double>();
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
    if (in.is_number_unsigned() && std::in_range<T>(in.get<uint64_t>())) {
      out = in.get<T>();
    } else if (in.is_number_integer() && !in.is_number_unsigned() &&
               std::in_range<T>(in.get<int64_t>())) {
      out = in.get<T>();
    } else {
      Fault("not a whole number in range");
    }
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
    ReadName(in, out, {kDevice, kProcess, kPackage, kHost, kWall}, &ScopeName);
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
      ReadAt(it.key(), *it, out[it.key()]);
  }
  template <class T>
  void Read(const json& in, std::vector<T>& out) {
    if (!in.is_array()) return Fault("not an array");
    for (size_t i = 0; i < in.size() && fault_.empty(); ++i)
      ReadAt(std::to_string(i), in[i], out.emplace_back());
  }
  template <class Tag>
  void Read(const json& in, Estimate<Quantity<Tag>>& out) {
    if (!in.is_object()) return Fault("not an object");
    ObjectReader visit{*this, in};
    visit("mid", out.mid);
    visit("own_sd", out.own_sd);
    visit("origin", out.origin);
    visit("scope", out.scope);
    if (!(out.own_sd >= 0)) Fault("own_sd is negative");
    if (const auto it = in.find("difference"); it != in.end())
      ReadAt("difference", *it, out.difference);
    std::map<std::string, double> shared;
    visit("shared", shared);
    for (const auto& [name, delta] : shared)
      out.shared.push_back({InternSource(name), delta});
    std::sort(out.shared.begin(), out.shared.end(),
              [](Share a, Share b) { return a.source < b.source; });
  }
  template <class T>
  requires requires { sizeof(Members<T>); }
  void Read(const json& in, T& out) {
    if (!in.is_object()) return Fault("not an object");
    ObjectReader visit{*this, in};
    Members<T>::Of(visit, out);
  }

  // Reads `in` with `name` added to the path.
  template <class T>
  void ReadAt(std::string_view name, const json& in, T& out) {
    const size_t before = path_.size();
    if (!path_.empty()) path_ += '.';
    path_ += name;
    Read(in, out);
    path_.resize(before);
  }

  struct ObjectReader {
    Reader& reader;
    const json& in;
    template <class T>
    void operator()(const char* name, T& out) {
      if (const auto it = in.find(name); it != in.end())
        reader.ReadAt(name, *it, out);
      else
        reader.Fault(std::string(name) + " is missing");
    }
    template <class T>
    void operator()(const char* name, std::optional<T>& out) {
      const auto it = in.find(name);
      if (it == in.end() || it->is_null()) return;
      reader.ReadAt(name, *it, out.emplace());
    }
  };

  std::string path_;
  std::string fault_;
};

}  // namespace

template <class T>
json ToJson(const T& value, JsonStyle style) {
  return Writer(style).Write(value);
}

template <class T>
std::string ToJsonText(const T& value, JsonStyle style) {
  return ToJson(value, style)
      .dump(style == JsonStyle::kReadable ? 2 : -1, ' ', false,
            json::error_handler_t::replace);
}

template <class T>
Result<T> FromJson(const json& in) {
  return Reader().ReadAll<T>(in);
}

template <class T>
Result<T> FromJsonText(std::string_view text) {
  const json in = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (in.is_discarded())
    return Fail(ErrorCode::kInvalidInput, "record: not JSON");
  return FromJson<T>(in);
}

#define MODICUM_JSON(T)                                    \
  template json ToJson<T>(const T&, JsonStyle);            \
  template std::string ToJsonText<T>(const T&, JsonStyle); \
  template Result<T> FromJson<T>(const json&);             \
  template Result<T> FromJsonText<T>(std::string_view);
MODICUM_JSON(Estimate<Joules>)
MODICUM_JSON(Estimate<GramsCo2e>)
MODICUM_JSON(Estimate<Litres>)
MODICUM_JSON(Estimate<Amount>)
MODICUM_JSON(Estimate<Scalar>)
MODICUM_JSON(Estimate<Seconds>)
MODICUM_JSON(Bill)
MODICUM_JSON(HostFacts)
MODICUM_JSON(Run)
MODICUM_JSON(Measurement)
MODICUM_JSON(Trial)
#undef MODICUM_JSON

}  // namespace modicum
