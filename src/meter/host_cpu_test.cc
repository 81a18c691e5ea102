// SPDX-License-Identifier: Apache-2.0
#include "meter/host_cpu.h"

#include <gtest/gtest.h>

#include "meter/fake_machine.h"

namespace modicum {
namespace {

TEST(HostCpuReader, SumsBusyTimeWithoutIdleAndSteal) {
  MemoryFs fs;
  fs.Write("/proc/stat",
           "cpu  100 20 30 9999 888 4 6 50 7 0\ncpu0 1\ncpu1 1\nintr 5\n");
  fs.Write("/proc/pressure/cpu",
           "some avg10=1.64 avg60=0.91 avg300=0.45 total=4748437\n"
           "full avg10=0.00 avg60=0.00 avg300=0.00 total=11\n");
  HostCpuReader reader(fs);
  const auto host = reader.Read();
  ASSERT_TRUE(host);
  const double tick = HostCpuReader::Tick().value();
  EXPECT_DOUBLE_EQ(host->busy.value(), 160 * tick);
  EXPECT_DOUBLE_EQ(host->steal.value(), 50 * tick);
  EXPECT_DOUBLE_EQ(reader.ReadPressure().value(), 4.748437);
  EXPECT_EQ(reader.CountCpus(), 2);
}

TEST(HostCpuReader, WorksWithoutPressureAndSteal) {
  MemoryFs fs;
  fs.Write("/proc/stat", "cpu  100 0 0 0 0 0 0\ncpu0 1\n");
  HostCpuReader reader(fs);
  const auto host = reader.Read();
  ASSERT_TRUE(host);
  EXPECT_EQ(host->steal, Seconds(0));
  EXPECT_EQ(reader.ReadPressure(), Seconds(0));
}

TEST(HostCpuReader, RefusesWhatIsNotProcStat) {
  MemoryFs fs;
  for (const char* text : {"", "cpu", "cpu  1 2 x", "btime 17\n",
                           "cpu  99999999999999999999999 1 1 1 1 1 1\n"}) {
    fs.Write("/proc/stat", text);
    const auto host = HostCpuReader(fs).Read();
    ASSERT_FALSE(host) << text;
    EXPECT_EQ(host.error().message,
              "/proc/stat does not begin with the CPU totals");
  }
}

TEST(HostCpuReader, AMissingFileIsAnError) {
  MemoryFs fs;
  HostCpuReader reader(fs);
  EXPECT_EQ(reader.Read().error().code, ErrorCode::kNotFound);
  EXPECT_EQ(reader.CountCpus(), 0);
}

}  // namespace
}  // namespace modicum
