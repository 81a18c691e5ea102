// SPDX-License-Identifier: Apache-2.0
// Trees of hwmon, power supplies and perf events of any text. Each line is a
// file, "/sys/class/hwmon/hwmon0/name xe", with '|' for a line end; a line "--"
// ends a state of the tree: in the first the sources are opened, in the others
// read. "/dev/cpu/0/msr@1553 7" is a register. Energy is never negative, a gap
// holds none, and of what counts nothing lies inside another.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/result.h"
#include "meter/words.h"
#include "probe/battery.h"
#include "probe/hwmon.h"
#include "probe/patched_fs.h"
#include "probe/rapl_msr.h"
#include "probe/rapl_perf.h"

namespace {

using namespace modicum;  // NOLINT(google-build-using-namespace)

// Counts on and on.
class Counts final : public PerfCounters {
 public:
  class Reader final : public CountReader {
   public:
    Result<uint64_t> Read() override { return count_ += 1ULL << 33U; }

   private:
    uint64_t count_ = 0;
  };
  Result<std::unique_ptr<CountReader>> Open(uint32_t, uint64_t,
                                            int) const override {
    return std::unique_ptr<CountReader>(new Reader);
  }
};

void CheckDomains(const Probe& probe) {
  const auto domains = probe.domains();
  bool any = false;
  for (size_t i = 0; i < domains.size(); ++i) {
    any |= domains[i].counted;
    for (size_t j = 0; j < i; ++j) {
      MODICUM_CHECK(!domains[i].counted || !domains[j].counted ||
                    domains[i].name != domains[j].name);
      // Two packages are two; two whole machines are not.
      const bool same = domains[i].component == domains[j].component;
      MODICUM_CHECK(!domains[i].counted || !domains[j].counted || same ||
                    !Overlaps(domains[i], domains[j]));
    }
  }
  MODICUM_CHECK(any);
}

void CheckRead(Probe& probe, MonotonicTime now) {
  const auto deltas = probe.Read(now);
  if (!deltas) return;
  MODICUM_CHECK(deltas->size() == probe.domains().size());
  for (const DomainDelta& delta : *deltas) {
    MODICUM_CHECK(delta.energy >= Joules(0));
    MODICUM_CHECK(!delta.gap || delta.energy == Joules(0));
  }
  MODICUM_CHECK(probe.update_period() >= Seconds(0));
}

void Put(PatchedFs& fs, std::string_view line) {
  const std::string path(TakeUntil(line, ' '));
  std::string text(line);
  if (const size_t at = path.find('@'); at != std::string::npos)
    return fs.PutWord(path.substr(0, at),
                      std::strtoull(path.c_str() + at + 1, nullptr, 10),
                      std::strtoull(text.c_str(), nullptr, 10));
  for (char& c : text)
    if (c == '|') c = '\n';
  if (path.starts_with("/")) fs.Put(path, text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  PatchedFs fs("/nonexistent");
  const Counts counts;
  MonotonicTime now;
  std::vector<std::unique_ptr<Probe>> probes;
  bool opened = false;
  while (!text.empty()) {
    const std::string_view line = TakeUntil(text, '\n');
    if (line != "--") {
      Put(fs, line);
      continue;
    }
    now = now + Seconds(1);
    if (!opened) {
      const HostFacts host;
      const ProbeContext context{fs, host, now};
      auto hwmon = OpenHwmon(context);
      auto battery = OpenBattery(context);
      auto perf = OpenRaplPerf(context, counts);
      auto msr = OpenRaplMsr(context);
      for (auto* probe : {&hwmon, &battery, &perf, &msr})
        if (*probe) probes.push_back(*std::move(*probe));
      for (const auto& probe : probes) CheckDomains(*probe);
      opened = true;
    }
    for (const auto& probe : probes) CheckRead(*probe, now);
  }
  return 0;
}
