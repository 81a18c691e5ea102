// SPDX-License-Identifier: Apache-2.0
#include "base/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace modicum {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using Variables = std::map<std::string, std::string>;

class SettingsTest : public ::testing::Test {
 protected:
  SettingsTest() {
    std::string pattern = ::testing::TempDir() + "modicum-settings-XXXXXX";
    MODICUM_CHECK(mkdtemp(pattern.data()) != nullptr);
    dir_ = pattern;
  }
  ~SettingsTest() override { std::filesystem::remove_all(dir_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ + "/" + name) << text;
    return dir_ + "/" + name;
  }

  static SettingSources Sources(Variables variables,
                                std::vector<std::string> files = {},
                                SettingFlags flags = {}) {
    SettingSources sources;
    sources.flags = std::move(flags);
    sources.files = std::move(files);
    sources.environment =
        [variables = std::move(variables)](
            const std::string& name) -> std::optional<std::string> {
      const auto it = variables.find(name);
      if (it == variables.end()) return std::nullopt;
      return it->second;
    };
    return sources;
  }

  // The error of a file with this text, its path shown as "f".
  static Error ErrorOf(const std::string& text) {
    Settings settings;
    const Status status = ApplySettingsText(settings, {}, "f", text);
    if (status) ADD_FAILURE() << "accepted: " << text;
    return status ? Error{} : status.error();
  }

  std::string dir_;
};

TEST_F(SettingsTest, EachSettingHasFlagVariableHelpAndAPlace) {
  EXPECT_EQ(SettingFlag("sample_hz"), "--sample-hz");
  EXPECT_EQ(SettingVariable("sample_hz"), "MODICUM_SAMPLE_HZ");
  const Settings settings = *LoadSettings(Sources({}));
  for (const SettingRow& row : SettingRows()) {
    EXPECT_FALSE(row.help.empty()) << row.key;
    EXPECT_EQ(settings.origins.at(std::string(row.key)), "default");
  }
  EXPECT_EQ(settings.origins.size(), SettingRows().size());
}

TEST_F(SettingsTest, WhatARowPrintsItParses) {
  Settings one = *LoadSettings(Sources({{"HOME", "/h"}}, {},
                                       {{"region", "PL"},
                                        {"provider", "aws"},
                                        {"intensity", "0.1"},
                                        {"intensity_file", "i.csv"},
                                        {"market_intensity", "0"},
                                        {"pue", "1.0625"},
                                        {"wue", "1e-7"},
                                        {"tariff", "1234.5"},
                                        {"tariff_file", "t.toml"},
                                        {"currency", "PLN"},
                                        {"detect_region", "yes"},
                                        {"probe", "rapl"},
                                        {"modelled", "ram,network"},
                                        {"idle_policy", "full"},
                                        {"sample_hz", "0.3"},
                                        {"project", "x y"}}));
  Settings two;
  for (const SettingRow& row : SettingRows())
    ASSERT_TRUE(row.parse(two, row.print(one)).has_value()) << row.key;
  for (const SettingRow& row : SettingRows())
    EXPECT_EQ(row.print(two), row.print(one)) << row.key;
  EXPECT_EQ(two.wue, 1e-7);
}

TEST_F(SettingsTest, AnotherKindOfIntensityIsRefusedWhereItIsNamed) {
  const auto refusal = [](const std::string& kind) {
    return LoadSettings(Sources({}, {}, {{"intensity_kind", kind}}));
  };
  EXPECT_TRUE(refusal("average"));
  EXPECT_EQ(refusal("marginal").error().message,
            "--intensity-kind: a marginal intensity charges nobody: it says "
            "what one kWh more emits, and those of all users do not add up to "
            "the grid");
  EXPECT_EQ(refusal("market").error().hint,
            "it goes in --market-intensity, beside --intensity");
  EXPECT_EQ(refusal("mean").error().hint, "allowed: average");
}

TEST_F(SettingsTest, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  const std::string file = Write("modicum.toml",
                                 "project = \"file\"\n"
                                 "region = \"DE\"\n\n"
                                 "provider = \"gcp\"\n");
  const Settings settings = *LoadSettings(
      Sources({{"MODICUM_REGION", "FR"}, {"MODICUM_PROVIDER", "aws"}}, {file},
              {{"provider", "azure"}, {"provider", "on-prem"}}));
  EXPECT_EQ(settings.project, "file");
  EXPECT_EQ(settings.region, "FR");
  EXPECT_EQ(settings.provider, "on-prem");
  EXPECT_EQ(settings.sample_hz, 10);
  EXPECT_EQ(settings.origins.at("project"), "file " + file + ":1");
  EXPECT_EQ(settings.origins.at("region"), "environment MODICUM_REGION");
  EXPECT_EQ(settings.origins.at("provider"), "flag --provider");
  EXPECT_EQ(settings.origins.at("sample_hz"), "default");
}

TEST_F(SettingsTest, AnEmptyVariableCountsAsNotSet) {
  const Settings settings = *LoadSettings(Sources({{"MODICUM_PUE", ""}}));
  EXPECT_EQ(settings.pue, std::nullopt);
}

TEST_F(SettingsTest, TheFirstFileThatExistsWins) {
  const std::string first = Write("1.toml", "region = \"DE\"\n");
  const std::string second =
      Write("2.toml", "region = \"FR\"\npue = 1.5\nsample_hz = 5\n");
  Settings settings = *LoadSettings(Sources({}, {first, second}));
  EXPECT_EQ(settings.region, "DE");
  EXPECT_EQ(settings.pue, std::nullopt);
  settings = *LoadSettings(Sources({}, {dir_ + "/none", second}));
  EXPECT_EQ(settings.region, "FR");
  EXPECT_EQ(settings.pue, 1.5);
  EXPECT_EQ(settings.sample_hz, 5);
}

TEST_F(SettingsTest, AFileThatTheUserNamedMustBeThere) {
  SettingSources sources = Sources({}, {dir_ + "/none"});
  sources.file_required = true;
  const auto settings = LoadSettings(sources);
  ASSERT_FALSE(settings.has_value());
  EXPECT_EQ(settings.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(settings.error().message,
            "cannot read " + dir_ + "/none: No such file or directory");
  EXPECT_EQ(settings.error().hint, "MODICUM_CONFIG names this file");
}

TEST_F(SettingsTest, DefaultPathsFollowXdgThenHomeThenTheWorkingFolder) {
  Settings settings = *LoadSettings(
      Sources({{"XDG_DATA_HOME", "/d"}, {"XDG_CACHE_HOME", "/c"}}));
  EXPECT_EQ(settings.ledger, "/d/modicum/ledger.sqlite");
  EXPECT_EQ(settings.data_dir, "/c/modicum");
  settings =
      *LoadSettings(Sources({{"XDG_DATA_HOME", "relative"}, {"HOME", "/h"}}));
  EXPECT_EQ(settings.ledger, "/h/.local/share/modicum/ledger.sqlite");
  EXPECT_EQ(settings.data_dir, "/h/.cache/modicum");
  settings = *LoadSettings(Sources({}));
  EXPECT_EQ(settings.ledger, "modicum.ledger.sqlite");
  EXPECT_EQ(settings.data_dir, "modicum-data");
}

TEST_F(SettingsTest, PathsInAFileStartAtItsFolder) {
  const std::string file =
      Write("m.toml", "ledger = \"runs.sqlite\"\ndata_dir = \"~/data\"\n");
  Settings settings = *LoadSettings(Sources({{"HOME", "/h"}}, {file}));
  EXPECT_EQ(settings.ledger, dir_ + "/runs.sqlite");
  EXPECT_EQ(settings.data_dir, "/h/data");
  settings = *LoadSettings(Sources({}, {}, {{"ledger", "runs.sqlite"}}));
  EXPECT_EQ(settings.ledger, "runs.sqlite");
}

TEST_F(SettingsTest, FlagsAreTakenFromAnywhereBeforeABareDashDash) {
  std::vector<std::string> args = {"--region", "PL",      "run",  "--pue=1.2",
                                   "--csv",    "out.csv", "--",   "prog",
                                   "--region", "x",       "--pue"};
  const auto flags = TakeSettingFlags(args);
  ASSERT_TRUE(flags.has_value());
  EXPECT_THAT(*flags, ElementsAre(Pair("region", "PL"), Pair("pue", "1.2")));
  EXPECT_THAT(args, ElementsAre("run", "--csv", "out.csv", "--", "prog",
                                "--region", "x", "--pue"));
}

TEST_F(SettingsTest, ASwitchNeedsNoValue) {
  std::vector<std::string> args = {"run", "--detect-region", "--region", "PL"};
  const auto flags = TakeSettingFlags(args);
  ASSERT_TRUE(flags.has_value());
  EXPECT_THAT(*flags,
              ElementsAre(Pair("detect_region", "yes"), Pair("region", "PL")));
  EXPECT_THAT(args, ElementsAre("run"));
  const std::string file = Write("modicum.toml", "detect_region = true\n");
  EXPECT_TRUE(LoadSettings(Sources({}, {file}))->detect_region);
  EXPECT_FALSE(LoadSettings(Sources({{"MODICUM_DETECT_REGION", "no"}}, {file}))
                   ->detect_region);
  EXPECT_EQ(LoadSettings(Sources({}, {}, {{"detect_region", "perhaps"}}))
                .error()
                .message,
            "--detect-region: 'perhaps' is neither yes nor no");
  EXPECT_EQ(ErrorOf("detect_region = [1]\n").message,
            "f:1:17: detect_region takes true or false\n"
            "    detect_region = [1]\n"
            "                    ^");
}

TEST_F(SettingsTest, AFlagWithoutValueSaysSo) {
  std::vector<std::string> last = {"doctor", "--sample-hz"};
  EXPECT_EQ(TakeSettingFlags(last).error().message,
            "--sample-hz needs a value");
  EXPECT_EQ(TakeSettingFlags(last).error().hint,
            "--sample-hz: readings of the energy source per second");
  std::vector<std::string> before_dashes = {"run", "--region", "--", "prog"};
  EXPECT_EQ(TakeSettingFlags(before_dashes).error().message,
            "--region needs a value");
  std::vector<std::string> empty = {"--region="};
  EXPECT_THAT(*TakeSettingFlags(empty), ElementsAre(Pair("region", "")));
  EXPECT_THAT(empty, IsEmpty());
}

TEST_F(SettingsTest, BadValuesNameTheFlagOrVariableAndWhatIsAllowed) {
  Error error = LoadSettings(Sources({}, {}, {{"sample_hz", "fast"}})).error();
  EXPECT_EQ(error.code, ErrorCode::kInvalidInput);
  EXPECT_EQ(error.message, "--sample-hz: 'fast' is not a number");
  EXPECT_EQ(error.hint, "allowed: 0.1 to 1000 per second, for example 10");

  error = LoadSettings(Sources({{"MODICUM_PUE", "0.9"}})).error();
  EXPECT_EQ(error.message, "MODICUM_PUE: 0.9 is out of bounds");
  EXPECT_EQ(error.hint,
            "allowed: 1 to 10 (facility / IT energy), for example 1.2");

  error = LoadSettings(Sources({}, {}, {{"idle_policy", "margnal"}})).error();
  EXPECT_EQ(error.message,
            "--idle-policy: 'margnal' is not an idle policy, did you mean "
            "'marginal'?");
  EXPECT_EQ(error.hint, "allowed: marginal, proportional, full");

  error = LoadSettings(Sources({}, {}, {{"modelled", "ram, dsk"}})).error();
  EXPECT_EQ(error.message,
            "--modelled: 'dsk' cannot be modelled, did you mean 'disk'?");
  EXPECT_EQ(error.hint,
            "allowed: ram, disk, network, with commas between them");

  error = LoadSettings(Sources({}, {}, {{"currency", "euro"}})).error();
  EXPECT_EQ(error.message, "--currency: 'euro' is not a currency code");
  EXPECT_EQ(error.hint,
            "allowed: three capital letters (ISO 4217), for example EUR");
}

TEST_F(SettingsTest, NumbersAreWholeFiniteAndInBounds) {
  for (const char* text : {"", " 1", "1 ", "1,5", "0x10", "nan", "inf", "1e999",
                           "-1", "5001", "12g"}) {
    SettingSources sources = Sources({}, {}, {{"intensity", text}});
    EXPECT_FALSE(LoadSettings(sources).has_value()) << text;
  }
  for (const char* text : {"0", "5000", "1e-3", "475.25"}) {
    SettingSources sources = Sources({}, {}, {{"intensity", text}});
    EXPECT_TRUE(LoadSettings(sources).has_value()) << text;
  }
}

TEST_F(SettingsTest, AnUnknownKeyIsRefusedWithTheNearestOne) {
  const Error error = ErrorOf("# ours\nproject = \"x\"\nregoin = \"PL\"\n");
  EXPECT_EQ(error.code, ErrorCode::kInvalidInput);
  EXPECT_EQ(error.message,
            "f:3:1: unknown setting 'regoin', did you mean 'region'?\n"
            "    regoin = \"PL\"\n"
            "    ^");
  EXPECT_EQ(error.hint, "`modicum doctor --settings` lists all settings");
  EXPECT_EQ(ErrorOf("zzzzzzzz = 1").message,
            "f:1:1: unknown setting 'zzzzzzzz'\n"
            "    zzzzzzzz = 1\n"
            "    ^");
}

TEST_F(SettingsTest, ABadValueInAFileHasItsPlace) {
  const Error error = ErrorOf("region = \"PL\"\n  pue = 0.5\n");
  EXPECT_EQ(error.message,
            "f:2:9: pue: 0.5 is out of bounds\n"
            "      pue = 0.5\n"
            "            ^");
  EXPECT_EQ(error.hint,
            "allowed: 1 to 10 (facility / IT energy), for example 1.2");
}

TEST_F(SettingsTest, ATableOrListIsNoValue) {
  EXPECT_EQ(ErrorOf("region = [\"PL\"]").message,
            "f:1:10: region takes a text or a number\n"
            "    region = [\"PL\"]\n"
            "             ^");
  EXPECT_EQ(ErrorOf("[region]\nname = \"PL\"").message,
            "f:1:1: region takes a text or a number\n"
            "    [region]\n"
            "    ^");
}

TEST_F(SettingsTest, AListIsOneInAFileToo) {
  const std::string file =
      Write("modicum.toml", "modelled = [\"ram\", \"disk\"]\n");
  EXPECT_THAT(LoadSettings(Sources({}, {file}))->modelled,
              ElementsAre("ram", "disk"));
  const std::string text = Write("modicum.toml", "modelled = \"network\"\n");
  EXPECT_THAT(LoadSettings(Sources({}, {text}))->modelled,
              ElementsAre("network"));
  EXPECT_EQ(ErrorOf("modelled = [\"ram\", 2]").message,
            "f:1:12: modelled takes a text or a list of texts\n"
            "    modelled = [\"ram\", 2]\n"
            "               ^");
}

TEST_F(SettingsTest, SyntaxErrorsShowTheirPlace) {
  EXPECT_EQ(ErrorOf("region \"PL\"\n").message,
            "f:1:8: expected '=', saw '\"'\n"
            "    region \"PL\"\n"
            "           ^");
  EXPECT_EQ(ErrorOf("pue = 1.2\npue = 1.3\n").message,
            "f:2:7: cannot redefine existing floating-point 'pue'\n"
            "    pue = 1.3\n"
            "          ^");
  EXPECT_EQ(ErrorOf("region = \"PL\n").message,
            "f:1:13: unescaped control characters other than TAB (U+0009) are "
            "explicitly prohibited\n"
            "    region = \"PL\n"
            "                ^");
  EXPECT_EQ(ErrorOf("region = ").message,
            "f:1:10: encountered end-of-file\n"
            "    region = \n"
            "             ^");
}

TEST_F(SettingsTest, BytesThatAreNoTextAreRefusedAndNotPrinted) {
  EXPECT_EQ(ErrorOf("pue = \xff\n").message,
            "f:1:6: Encountered invalid utf-8 sequence\n"
            "    pue = ?\n"
            "         ^");
  EXPECT_EQ(ErrorOf(std::string("a\0b = 1\n", 8)).message,
            "f:1:2: expected '=', saw '\\u0000'\n"
            "    a?b = 1\n"
            "     ^");
}

// Input on which toml++ 3.3's headers assert or run into unreachable code.
TEST_F(SettingsTest, InputThatTheParserOnceAbortedOnIsAnError) {
  EXPECT_EQ(ErrorOf("[= 1]\n").message,
            "f:1:2: expected bare key starting character or string delimiter, "
            "saw '='\n"
            "    [= 1]\n"
            "     ^");
  EXPECT_EQ(ErrorOf("re\u01d6 = 1\n").message,
            "f:1:3: expected '=', saw '\u01d6'\n"
            "    re\u01d6 = 1\n"
            "      ^");
  Settings settings;
  EXPECT_TRUE(
      ApplySettingsText(settings, {}, "f", "# ü\nproject = 'ö \u01d6'"));
  EXPECT_EQ(settings.project, "ö \u01d6");
}

TEST_F(SettingsTest, AnUnreadableFileIsAnErrorNotAnAbsence) {
  std::filesystem::create_directory(dir_ + "/modicum.toml");
  const auto settings = LoadSettings(Sources({}, {dir_ + "/modicum.toml"}));
  ASSERT_FALSE(settings.has_value());
  EXPECT_EQ(settings.error().message,
            "cannot read " + dir_ + "/modicum.toml: Is a directory");
  EXPECT_EQ(settings.error().hint,
            "make it readable, or set MODICUM_CONFIG to another file");
}

}  // namespace
}  // namespace modicum
