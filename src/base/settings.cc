// SPDX-License-Identifier: Apache-2.0
#include "base/settings.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <span>

#include "base/caret.h"
#include "base/root_fs.h"
#include "base/suggest.h"
#include "base/trim.h"

namespace modicum {
namespace {

// ---- Values ---------------------------------------------------------------

struct Bounds {
  double low;
  double high;
  std::string_view unit;
  std::string_view example;
};

template <class Number>
Status ParseNumber(std::string_view text, const Bounds& bounds, Number& out) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool number = error == std::errc() && stop == end && !text.empty();
  if (number && value >= bounds.low && value <= bounds.high) {
    out = value;
    return {};
  }
  return Fail(
      ErrorCode::kInvalidInput,
      number ? fmt::format("{} is out of bounds", text)
             : fmt::format("'{}' is not a number", text),
      fmt::format("allowed: {} to {:.0f} {}, for example {}", bounds.low,
                  bounds.high, bounds.unit, bounds.example));
}

Status ParseCurrency(std::string_view text, std::string& out) {
  const bool is_code = text.size() == 3 &&
                       std::all_of(text.begin(), text.end(),
                                   [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!is_code && !text.empty())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("'{}' is not a currency code", text),
                "allowed: three capital letters (ISO 4217), for example EUR");
  out = text;
  return {};
}

Status ParseIdle(std::string_view text, std::string& out) {
  constexpr std::string_view kPolicies[] = {"marginal", "proportional", "full"};
  if (std::find(std::begin(kPolicies), std::end(kPolicies), text) ==
      std::end(kPolicies))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("'{}' is not an idle policy{}", text,
                            DidYouMean(text, kPolicies)),
                "allowed: marginal, proportional, full");
  out = text;
  return {};
}

// A kilowatt-hour is charged with the grid's average. Another kind is refused
// where it is said to be one.
Status CheckKind(std::string_view text) {
  if (text == "average") return {};
  if (text == "marginal")
    return Fail(ErrorCode::kInvalidInput,
                "a marginal intensity charges nobody: it says what one kWh "
                "more emits, and those of all users do not add up to the grid",
                "give the grid's average in --intensity; a marginal series "
                "ranks hours: `modicum plan when --series FILE`");
  if (text == "market")
    return Fail(ErrorCode::kInvalidInput,
                "a contract's intensity does not stand in for the grid's",
                "it goes in --market-intensity, beside --intensity");
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("'{}' is not a kind of intensity", text),
              "allowed: average");
}

Status ParseSwitch(std::string_view text, bool& out) {
  const bool yes = text == "yes" || text == "true" || text == "1";
  if (!yes && text != "no" && text != "false" && text != "0" && !text.empty())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("'{}' is neither yes nor no", text),
                "allowed: yes, no");
  out = yes;
  return {};
}

constexpr std::string_view kModelledParts[] = {"ram", "disk", "network"};

Status ParseModelled(std::string_view text, std::vector<std::string>& out) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    const std::string_view part = Trim(text.substr(0, end));
    if (std::find(std::begin(kModelledParts), std::end(kModelledParts), part) ==
        std::end(kModelledParts))
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("'{}' cannot be modelled{}", part,
                              DidYouMean(part, kModelledParts)),
                  "allowed: ram, disk, network, with commas between them");
    parts.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out = std::move(parts);
  return {};
}

std::string Printed(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : "";
}

// A setting that takes any text.
template <std::string Settings::*kField>
SettingRow TextRow(std::string_view key, std::string_view help,
                   bool is_path = false) {
  return {key, help,
          [](Settings& s, std::string_view text) -> Status {
            s.*kField = text;
            return {};
          },
          [](const Settings& s) { return s.*kField; }, is_path};
}

std::vector<SettingRow> MakeRows() {
  return {
      TextRow<&Settings::ledger>("ledger", "file that keeps every run", true),
      TextRow<&Settings::data_dir>("data_dir", "folder for downloaded data",
                                   true),
      TextRow<&Settings::project>("project", "name put on every run"),
      TextRow<&Settings::region>(
          "region", "country, US state or world: PL, Poland, US-CA"),
      TextRow<&Settings::provider>("provider",
                                   "who runs the machine: aws, gcp, on-prem"),
      {"detect_region", "ask the cloud where this machine stands: yes, no",
       [](Settings& s, std::string_view text) {
         return ParseSwitch(text, s.detect_region);
       },
       [](const Settings& s) {
         return std::string(s.detect_region ? "yes" : "no");
       },
       /*is_path=*/false, /*is_switch=*/true},
      {"intensity", "carbon of the grid, on average, gCO2e/kWh",
       [](Settings& s, std::string_view text) {
         return ParseNumber(text, {0, 5000, "gCO2e/kWh", "56"}, s.intensity);
       },
       [](const Settings& s) { return Printed(s.intensity); }},
      TextRow<&Settings::intensity_file>(
          "intensity_file", "the same by the hour: CSV file or service", true),
      {"intensity_kind", "what `intensity` is: average, no other",
       [](Settings&, std::string_view text) { return CheckKind(text); },
       [](const Settings&) { return std::string("average"); }},
      {"market_intensity", "carbon of the electricity contract, gCO2e/kWh",
       [](Settings& s, std::string_view text) {
         return ParseNumber(text, {0, 3000, "gCO2e/kWh", "0"},
                            s.market_intensity);
       },
       [](const Settings& s) { return Printed(s.market_intensity); }},
      {"pue", "facility energy per IT energy",
       [](Settings& s, std::string_view text) {
         return ParseNumber(text, {1, 10, "(facility / IT energy)", "1.2"},
                            s.pue);
       },
       [](const Settings& s) { return Printed(s.pue); }},
      {"wue", "water used on site, L/kWh",
       [](Settings& s, std::string_view text) {
         return ParseNumber(text, {0, 100, "L/kWh", "0.3"}, s.wue);
       },
       [](const Settings& s) { return Printed(s.wue); }},
      {"tariff", "price of a kWh, in `currency`",
       [](Settings& s, std::string_view text) {
         return ParseNumber(text, {0, 1e6, "per kWh", "0.25"}, s.tariff);
       },
       [](const Settings& s) { return Printed(s.tariff); }},
      TextRow<&Settings::tariff_file>(
          "tariff_file", "prices by month, weekday and hour", true),
      {"currency", "ISO 4217 code of the tariff",
       [](Settings& s, std::string_view text) {
         return ParseCurrency(text, s.currency);
       },
       [](const Settings& s) { return s.currency; }},
      TextRow<&Settings::probe>("probe",
                                "energy source; default: the best usable"),
      {"modelled", "what no sensor shows, as a model: ram,disk,network",
       [](Settings& s, std::string_view text) {
         return ParseModelled(text, s.modelled);
       },
       [](const Settings& s) {
         return fmt::format("{}", fmt::join(s.modelled, ","));
       },
       /*is_path=*/false, /*is_switch=*/false, /*is_list=*/true},
      {"idle_policy", "who pays idle power: marginal, proportional, full",
       [](Settings& s, std::string_view text) {
         return ParseIdle(text, s.idle_policy);
       },
       [](const Settings& s) { return s.idle_policy; }},
      {"sample_hz", "readings of the energy source per second",
       [](Settings& s, std::string_view text) {
         return ParseNumber(text, {0.1, 1000, "per second", "10"}, s.sample_hz);
       },
       [](const Settings& s) { return Printed(s.sample_hz); }},
      TextRow<&Settings::calibration>(
          "calibration", "file of what machines were learned to draw", true),
      TextRow<&Settings::charge_rules>(
          "charge_rules", "table: whom processes are charged to", true),
  };
}

const SettingRow* FindRow(std::string_view key) {
  for (const SettingRow& row : SettingRows())
    if (row.key == key) return &row;
  return nullptr;
}

// ---- Where values come from ------------------------------------------------

std::optional<std::string> Variable(const SettingSources& sources,
                                    const std::string& name) {
  if (!sources.environment) return std::nullopt;
  auto value = sources.environment(name);
  return value && !value->empty() ? value : std::nullopt;
}

// Sets one value and notes where it came from.
Status Apply(Settings& settings, const SettingRow& row, std::string_view text,
             const std::string& where, std::string origin) {
  if (Status parsed = row.parse(settings, text); !parsed) {
    Error error = std::move(parsed).error();
    error.message = where + ": " + error.message;
    return Fail(std::move(error));
  }
  settings.origins[std::string(row.key)] = std::move(origin);
  return {};
}

// $name, or $HOME/fallback; "" when neither is an absolute path (the XDG
// specification has relative ones ignored).
std::string BaseFolder(const SettingSources& sources, const std::string& name,
                       std::string_view fallback) {
  if (auto folder = Variable(sources, name); folder && folder->front() == '/')
    return *folder;
  if (auto home = Variable(sources, "HOME"); home && home->front() == '/')
    return fmt::format("{}/{}", *home, fallback);
  return "";
}

void ApplyDefaults(Settings& settings, const SettingSources& sources) {
  const std::string data = BaseFolder(sources, "XDG_DATA_HOME", ".local/share");
  const std::string cache = BaseFolder(sources, "XDG_CACHE_HOME", ".cache");
  settings.ledger =
      data.empty() ? "modicum.ledger.sqlite" : data + "/modicum/ledger.sqlite";
  settings.calibration = data.empty() ? "modicum.calibration.csv"
                                      : data + "/modicum/calibration.csv";
  settings.data_dir = cache.empty() ? "modicum-data" : cache + "/modicum";
  for (const SettingRow& row : SettingRows())
    settings.origins[std::string(row.key)] = "default";
}

// ---- The file ---------------------------------------------------------------

struct ConfigFile {
  const std::string& path;
  const std::string& text;
};

TextPlace PlaceOf(const toml::source_position& position) {
  return {position.line, position.column};
}

// toml++ says "Error while parsing string: what"; the place tells the rest.
std::string_view ProblemOf(const toml::parse_error& error) {
  const std::string_view text = error.description();
  const size_t colon = text.find(": ");
  if (!text.starts_with("Error while ") || colon == std::string_view::npos)
    return text;
  return text.substr(colon + 2);
}

Result<toml::table> ParseToml(const ConfigFile& file) {
  try {
    return toml::parse(file.text, file.path);
  } catch (const toml::parse_error& error) {
    return Fail(ErrorAt(file.path, file.text, PlaceOf(error.source().begin),
                        ProblemOf(error),
                        "a line is such as region = \"PL\", texts in quotes"));
  }
}

tl::unexpected<Error> UnknownKey(const ConfigFile& file, const toml::key& key) {
  std::vector<std::string_view> keys;
  for (const SettingRow& row : SettingRows()) keys.push_back(row.key);
  return Fail(ErrorAt(file.path, file.text, PlaceOf(key.source().begin),
                      fmt::format("unknown setting '{}'{}", key.str(),
                                  DidYouMean(key.str(), keys)),
                      "`modicum doctor --settings` lists all settings"));
}

// Texts with commas between them; nullopt where one is none.
std::optional<std::string> ListText(const toml::array& list) {
  std::string joined;
  for (const toml::node& node : list) {
    const auto* text = node.as_string();
    if (text == nullptr) return std::nullopt;
    joined += (joined.empty() ? "" : ",") + text->get();
  }
  return joined;
}

// A string as it is, a number as TOML prints it, true or false of a switch, a
// list's texts; nullopt for all else.
std::optional<std::string> TextOf(const toml::node& node,
                                  const SettingRow& row) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* list = node.as_array(); list != nullptr && row.is_list)
    return ListText(*list);
  if (const auto* whole = node.as_integer())
    return fmt::format("{}", whole->get());
  if (const auto* real = node.as_floating_point())
    return fmt::format("{}", real->get());
  const auto* flag = node.as_boolean();
  if (row.is_switch && flag != nullptr) return flag->get() ? "true" : "false";
  return std::nullopt;
}

std::string ResolvedPath(const std::string& text, const ConfigFile& file,
                         const SettingSources& sources) {
  if (text.empty() || text.front() == '/') return text;
  if (text.compare(0, 2, "~/") == 0)
    return Variable(sources, "HOME").value_or("") + text.substr(1);
  const size_t slash = file.path.rfind('/');
  return slash == std::string::npos ? text
                                    : file.path.substr(0, slash + 1) + text;
}

Status ApplyNode(Settings& settings, const SettingSources& sources,
                 const ConfigFile& file, const SettingRow& row,
                 const toml::node& node) {
  const TextPlace place = PlaceOf(node.source().begin);
  std::optional<std::string> text = TextOf(node, row);
  if (!text)
    return Fail(ErrorAt(file.path, file.text, place,
                        fmt::format("{} takes {}", row.key,
                                    row.is_switch ? "true or false"
                                    : row.is_list ? "a text or a list of texts"
                                                  : "a text or a number")));
  if (row.is_path) text = ResolvedPath(*text, file, sources);
  if (Status parsed = row.parse(settings, *text); !parsed)
    return Fail(ErrorAt(file.path, file.text, place,
                        fmt::format("{}: {}", row.key, parsed.error().message),
                        parsed.error().hint));
  settings.origins[std::string(row.key)] =
      fmt::format("file {}:{}", file.path, place.line);
  return {};
}

Status ApplyFirstFile(Settings& settings, const SettingSources& sources) {
  const RootFs fs;
  for (const std::string& path : sources.files) {
    if (!sources.file_required && !fs.Exists(path)) continue;
    const Result<std::string> text = fs.Read(path);
    if (!text)
      return Fail(text.error().code, text.error().message,
                  sources.file_required ? "MODICUM_CONFIG names this file"
                                        : "make it readable, or set "
                                          "MODICUM_CONFIG to another file");
    return ApplySettingsText(settings, sources, path, *text);
  }
  return {};
}

Status ApplyEnvironment(Settings& settings, const SettingSources& sources) {
  for (const SettingRow& row : SettingRows()) {
    const std::string name = SettingVariable(row.key);
    if (const auto text = Variable(sources, name))
      MODICUM_RETURN_IF_ERROR(
          Apply(settings, row, *text, name, "environment " + name));
  }
  return {};
}

Status ApplyFlags(Settings& settings, const SettingSources& sources) {
  for (const auto& [key, text] : sources.flags) {
    const SettingRow* row = FindRow(key);
    MODICUM_CHECK(row != nullptr);
    const std::string flag = SettingFlag(key);
    MODICUM_RETURN_IF_ERROR(Apply(settings, *row, text, flag, "flag " + flag));
  }
  return {};
}

std::optional<std::string> FromEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace

const std::vector<SettingRow>& SettingRows() {
  static const std::vector<SettingRow> rows = MakeRows();
  return rows;
}

std::string SettingFlag(std::string_view key) {
  std::string flag = "--" + std::string(key);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string SettingVariable(std::string_view key) {
  std::string name = "MODICUM_" + std::string(key);
  for (char& c : name)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return name;
}

Result<SettingFlags> TakeSettingFlags(std::vector<std::string>& args) {
  SettingFlags flags;
  for (auto at = args.begin(); at != args.end() && *at != "--";) {
    const size_t equals = at->find('=');
    const std::string flag = at->substr(0, equals);
    const auto& rows = SettingRows();
    const auto row = std::find_if(
        rows.begin(), rows.end(),
        [&](const SettingRow& r) { return SettingFlag(r.key) == flag; });
    if (row == rows.end()) {
      ++at;
    } else if (equals != std::string::npos) {
      flags.emplace_back(row->key, at->substr(equals + 1));
      at = args.erase(at);
    } else if (row->is_switch) {
      flags.emplace_back(row->key, "yes");
      at = args.erase(at);
    } else if (std::next(at) == args.end() || *std::next(at) == "--") {
      return Fail(ErrorCode::kInvalidInput, flag + " needs a value",
                  fmt::format("{}: {}", flag, row->help));
    } else {
      flags.emplace_back(row->key, *std::next(at));
      at = args.erase(at, at + 2);
    }
  }
  return flags;
}

SettingSources DefaultSettingSources() {
  SettingSources sources;
  sources.environment = FromEnvironment;
  if (const auto file = Variable(sources, "MODICUM_CONFIG")) {
    sources.files = {*file};
    sources.file_required = true;
    return sources;
  }
  sources.files = {"modicum.toml"};
  const std::string folder = BaseFolder(sources, "XDG_CONFIG_HOME", ".config");
  if (!folder.empty())
    sources.files.push_back(folder + "/modicum/modicum.toml");
  return sources;
}

Status ApplySettingsText(Settings& settings, const SettingSources& sources,
                         const std::string& path, const std::string& text) {
  const ConfigFile file{path, text};
  MODICUM_TRY(const toml::table table, ParseToml(file));
  for (const auto& [key, node] : table) {
    const SettingRow* row = FindRow(key.str());
    if (row == nullptr) return UnknownKey(file, key);
    MODICUM_RETURN_IF_ERROR(ApplyNode(settings, sources, file, *row, node));
  }
  return {};
}

Result<Settings> LoadSettings(const SettingSources& sources) {
  Settings settings;
  ApplyDefaults(settings, sources);
  MODICUM_RETURN_IF_ERROR(ApplyFirstFile(settings, sources));
  MODICUM_RETURN_IF_ERROR(ApplyEnvironment(settings, sources));
  MODICUM_RETURN_IF_ERROR(ApplyFlags(settings, sources));
  return settings;
}

}  // namespace modicum
