// SPDX-License-Identifier: Apache-2.0
// A recorded machine for the API's tests, with counters that they move.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace modicum_test {

namespace fs = std::filesystem;

// The library sees this machine while the fixture lives, no settings of the
// user's, and a ledger of its own.
class RecordedMachine : public testing::Test {
 protected:
  RecordedMachine() {
    std::string name = "/tmp/modicum-api-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    Take("xeon-2s-rapl-dram");
    setenv("MODICUM_ROOT", (folder_ + "/root").c_str(), 1);
    setenv("MODICUM_LEDGER", (folder_ + "/ledger.sqlite").c_str(), 1);
    setenv("MODICUM_REGION", "PL", 1);
    setenv("XDG_CONFIG_HOME", folder_.c_str(), 1);
  }
  ~RecordedMachine() override { fs::remove_all(folder_); }

  // Another machine of tests/roots.
  void Take(const std::string& machine) {
    fs::remove_all(folder_ + "/root");
    fs::copy(MODICUM_SOURCE_DIR "/tests/roots/" + machine, folder_ + "/root",
             fs::copy_options::recursive);
  }

  // What a package drew since, in microjoules.
  void Draw(int64_t microjoules) const {
    const std::string path =
        folder_ + "/root/sys/class/powercap/intel-rapl:0/energy_uj";
    std::fstream file(path);
    int64_t counter = 0;
    file >> counter;
    // Of as many digits, into the same file: the meter keeps it open.
    file.seekp(0);
    file << counter + microjoules << std::flush;
  }

  std::string folder_;
};

}  // namespace modicum_test
