// SPDX-License-Identifier: Apache-2.0
// Settings from one list: each has a flag, a TOML key, a MODICUM_* variable,
// a default and a help text. Precedence: flag, environment, file, default.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace modicum {

struct Settings {
  std::string ledger;    // path; default: under XDG_DATA_HOME
  std::string data_dir;  // downloaded data; default: under XDG_CACHE_HOME
  std::string project;   // name put on every run
  std::string region;    // see PlaceQuery
  std::string provider;
  bool detect_region = false;       // ask the cloud where this machine stands
  std::optional<double> intensity;  // gCO2e/kWh, the grid's average
  std::optional<double> market_intensity;  // gCO2e/kWh, of the contract
  std::string intensity_file;  // by the hour: see place/hourly_intensity.h
  std::optional<double> pue;
  std::optional<double> wue;     // L/kWh
  std::optional<double> tariff;  // per kWh
  std::string tariff_file;       // prices by the hour: see place/tariff.h
  std::string currency;
  std::string probe;                         // "" = the best usable
  std::vector<std::string> modelled;         // of ram, disk, network
  std::string idle_policy = "proportional";  // marginal, proportional, full
  double sample_hz = 10;
  std::string calibration;   // file: see hardware/calibration.h
  std::string charge_rules;  // file: whom processes are charged to

  // Where each value came from, by TOML key: "flag --region",
  // "environment MODICUM_REGION", "file /home/u/modicum.toml:3", "default".
  std::map<std::string, std::string> origins;
};

// One row of the list, for flags, help, docs and `doctor --settings`.
struct SettingRow {
  std::string_view key;  // TOML key; flag and variable follow from it:
                         // "sample_hz", --sample-hz, MODICUM_SAMPLE_HZ
  std::string_view help;
  // Sets the field from text; the error names what is allowed.
  Status (*parse)(Settings&, std::string_view text);
  std::string (*print)(const Settings&);  // "" when not set
  // In a file, a relative path starts at the file's folder and ~/ at home.
  bool is_path = false;
  // Yes or no; the flag alone means yes.
  bool is_switch = false;
  // Several words: with commas between them, in a file also as a list.
  bool is_list = false;
};
const std::vector<SettingRow>& SettingRows();
std::string SettingFlag(std::string_view key);      // "--sample-hz"
std::string SettingVariable(std::string_view key);  // "MODICUM_SAMPLE_HZ"

using SettingFlags = std::vector<std::pair<std::string, std::string>>;
// Takes `--region PL`, `--region=PL` and a switch's bare flag out of `args`,
// wherever they stand before a bare `--`. The error names the flag that has no
// value.
Result<SettingFlags> TakeSettingFlags(std::vector<std::string>& args);

// What LoadSettings reads from the outside; tests pass their own.
struct SettingSources {
  SettingFlags flags;  // key, text; the last of a key wins
  // A variable's value; an empty one counts as not set.
  std::function<std::optional<std::string>(const std::string&)> environment;
  std::vector<std::string> files;  // first that exists wins
  bool file_required = false;      // the user named it: it must be there
};
// Looks in ./modicum.toml, then $XDG_CONFIG_HOME/modicum/modicum.toml (or
// $MODICUM_CONFIG alone when set).
SettingSources DefaultSettingSources();

// Sets what the TOML `text` of the file `path` holds.
Status ApplySettingsText(Settings& settings, const SettingSources& sources,
                         const std::string& path, const std::string& text);

// kInvalidInput names flag, variable or file:line; an unknown key gets
// "did you mean".
Result<Settings> LoadSettings(const SettingSources& sources);

}  // namespace modicum
