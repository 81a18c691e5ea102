// SPDX-License-Identifier: Apache-2.0
#include "probe/agent_message.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

namespace modicum {
namespace {

constexpr std::string_view kVersionKey = "modicum_agent";
constexpr int kVersion = 1;

tl::unexpected<Error> Wrong(const std::string& what) {
  return Fail(ErrorCode::kInvalidInput, "the agent's answer: " + what);
}

nlohmann::json ToJson(const DomainCounter& counter) {
  nlohmann::json errors = nlohmann::json::object();
  for (const Share& error : counter.relative_errors)
    errors[SourceName(error.source)] = error.delta;
  return {{"name", counter.domain.name},
          {"component", counter.domain.component},
          {"scope", ScopeName(counter.domain.scope)},
          {"origin", OriginName(counter.domain.origin)},
          {"counted", counter.domain.counted},
          {"probe", counter.probe},
          {"update_period_s", counter.update_period.value()},
          {"relative_errors", std::move(errors)},
          {"energy_j", counter.energy.value()},
          {"gaps", counter.gaps},
          {"failing", counter.failing}};
}

// Members of one object, with the first that is missing or of another type.
class Members {
 public:
  explicit Members(const nlohmann::json& object) : object_(object) {}

  std::string Text(const char* key) {
    const nlohmann::json* value = Find(key);
    if (value != nullptr && value->is_string())
      return value->get<std::string>();
    wrong_ = key;
    return "";
  }
  bool Flag(const char* key) {
    const nlohmann::json* value = Find(key);
    if (value != nullptr && value->is_boolean()) return value->get<bool>();
    wrong_ = key;
    return false;
  }
  // Finite, and not negative.
  double Number(const char* key) {
    const nlohmann::json* value = Find(key);
    const double number =
        value != nullptr && value->is_number() ? value->get<double>() : -1;
    if (std::isfinite(number) && number >= 0) return number;
    wrong_ = key;
    return 0;
  }
  // The enumerator, of `count` from 0, that `name_of` gives that name.
  template <class Enum>
  Enum OneOf(const char* key, int count, std::string_view (*name_of)(Enum)) {
    const std::string name = Text(key);
    for (int i = 0; i < count; ++i)
      if (name_of(static_cast<Enum>(i)) == name) return static_cast<Enum>(i);
    wrong_ = key;
    return Enum{};
  }
  std::vector<Share> Errors(const char* key) {
    std::vector<Share> errors;
    const nlohmann::json* value = Find(key);
    if (value == nullptr || !value->is_object()) {
      wrong_ = key;
      return errors;
    }
    Members members(*value);
    for (const auto& [source, delta] : value->items())
      errors.push_back({InternSource(source), members.Number(source.c_str())});
    if (!members.wrong().empty()) wrong_ = key;
    return errors;
  }

  const std::string& wrong() const { return wrong_; }

 private:
  const nlohmann::json* Find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  const nlohmann::json& object_;
  std::string wrong_;
};

Result<DomainCounter> CounterOf(const nlohmann::json& json) {
  if (!json.is_object()) return Wrong("a domain is no object");
  constexpr int kOrigins = static_cast<int>(Origin::kAssumed) + 1;
  constexpr int kScopes = static_cast<int>(Scope::kNetwork) + 1;
  constexpr double kMostGaps = 1e9;
  Members members(json);
  DomainCounter counter;
  counter.domain.name = members.Text("name");
  counter.domain.component = members.Text("component");
  counter.domain.scope = members.OneOf("scope", kScopes, ScopeName);
  counter.domain.origin = members.OneOf("origin", kOrigins, OriginName);
  counter.domain.counted = members.Flag("counted");
  counter.probe = members.Text("probe");
  counter.update_period = Seconds(members.Number("update_period_s"));
  counter.relative_errors = members.Errors("relative_errors");
  counter.energy = Joules(members.Number("energy_j"));
  counter.gaps = static_cast<int>(std::min(members.Number("gaps"), kMostGaps));
  counter.failing = members.Flag("failing");
  if (!members.wrong().empty())
    return Wrong("a domain has no usable '" + members.wrong() + "'");
  return counter;
}

}  // namespace

std::string WriteAgentMessage(const AgentMessage& message) {
  nlohmann::json domains = nlohmann::json::array();
  for (const DomainCounter& counter : message.counters)
    domains.push_back(ToJson(counter));
  return nlohmann::json{{kVersionKey, kVersion},
                        {"instance", message.instance},
                        {"domains", std::move(domains)}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<AgentMessage> ParseAgentMessage(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return Wrong("no JSON object");
  Members members(json);
  if (members.Number(kVersionKey.data()) != kVersion)
    return Wrong("not of version " + std::to_string(kVersion));
  AgentMessage message;
  message.instance = members.Text("instance");
  if (!members.wrong().empty()) return Wrong("no 'instance'");
  const auto domains = json.find("domains");
  if (domains == json.end() || !domains->is_array())
    return Wrong("no 'domains'");
  for (const auto& domain : *domains) {
    MODICUM_TRY(message.counters.emplace_back(), CounterOf(domain));
  }
  return message;
}

}  // namespace modicum
