// SPDX-License-Identifier: Apache-2.0
// A machine in memory for the meter's tests: files of /proc, CPU times of
// subjects, one probe and a clock, all moved by hand.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fake_clock.h"
#include "base/root_fs.h"
#include "meter/meter_core.h"
#include "probe/fake.h"

namespace modicum {

// Files by path. Thread-safe.
class MemoryFs final : public RootFs {
 public:
  void Write(const std::string& path, std::string text) {
    const std::lock_guard lock(mutex_);
    files_[path] = std::move(text);
  }
  void Remove(const std::string& path) {
    const std::lock_guard lock(mutex_);
    std::erase_if(files_, [&path](const auto& file) {
      return file.first == path || file.first.starts_with(path + "/");
    });
  }

  Status ReadInto(std::string_view path, std::string& buffer) const override {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(std::string(path));
    if (found == files_.end())
      return Fail(ErrorCode::kNotFound,
                  "cannot read " + std::string(path) + ": no such file");
    buffer = found->second;
    return {};
  }
  Result<std::vector<std::string>> List(std::string_view path) const override {
    const std::lock_guard lock(mutex_);
    const std::string folder = std::string(path) + "/";
    std::vector<std::string> names;
    for (const auto& [file, text] : files_) {
      if (!file.starts_with(folder)) continue;
      const size_t end = file.find('/', folder.size());
      std::string name = file.substr(folder.size(), end - folder.size());
      if (names.empty() || names.back() != name)
        names.push_back(std::move(name));
    }
    return names;
  }
  bool Exists(std::string_view path) const override {
    const std::lock_guard lock(mutex_);
    return files_.contains(std::string(path));
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> files_;
};

// Trees by the pid of their root.
class FakeSubjects final : public SubjectCpu {
 public:
  Seconds Read(const Subject& subject, bool) override {
    if (subject.kind == Subject::Kind::kTree && subject.root == 0)
      return descendants;
    return cpu[subject.root];
  }
  bool Has(const Subject& subject, pid_t pid) override {
    return members[subject.root].contains(pid);
  }
  Bytes Memory(const Subject& subject) override { return memory[subject.root]; }
  std::optional<Bytes> DiskBytes(const Subject& subject) override {
    if (disk_unknown) return std::nullopt;
    return disk_bytes[subject.root];
  }
  WeighedCpu Weighed(const Subject& subject) override {
    return weighed[subject.root];
  }
  size_t Living(const Subject& subject) override {
    return members[subject.root].size();
  }
  std::map<pid_t, WeighedCpu> weighed;
  std::map<pid_t, Bytes> memory;
  std::map<pid_t, Bytes> disk_bytes;
  bool disk_unknown = false;
  std::map<pid_t, Seconds> cpu;  // of root 0: this process alone
  Seconds descendants;           // of this process
  std::map<pid_t, std::set<pid_t>> members;
};

// Two CPUs; idle and per-CPU power make the energy.
class FakeMachine {
 public:
  static constexpr int kCpus = 2;
  static constexpr pid_t kOwn = 1;

  explicit FakeMachine(FakeProbe::Options options = {},
                       MeterOptions meter = {}) {
    WriteProc();
    auto made = std::make_unique<FakeProbe>(std::move(options), clock.Now());
    probe = made.get();
    std::vector<std::unique_ptr<Probe>> probes;
    probes.push_back(std::move(made));
    core = std::make_unique<MeterCore>(meter, std::move(probes), fs,
                                       HostFacts{}, clock, subjects);
  }

  // For `wall`, subject kOwn uses `own` CPUs, others use `others`, and the
  // probe's first domain draws `power`.
  void Work(Seconds wall, double own, double others, Watts power) {
    probe->Draw(clock.Now(), power);
    clock.Tick(wall);
    subjects.cpu[kOwn] += wall * own;
    busy += wall * (own + others);
    WriteProc();
  }
  void WriteProc() {
    const auto ticks = [](Seconds s) {
      return std::to_string(static_cast<int64_t>(s.value() * 100 + 1e-6));
    };
    fs.Write("/proc/stat", "cpu  " + ticks(busy) + " 0 0 0 0 0 0 " +
                               ticks(steal) + " 0 0\ncpu0 0\ncpu1 0\n");
    fs.Write("/proc/pressure/cpu",
             "some avg10=0.00 avg60=0.00 avg300=0.00 total=" +
                 std::to_string(static_cast<int64_t>(pressure.value() * 1e6)) +
                 "\n");
  }
  WindowId Begin() {
    return core->Begin("window", {Subject::Kind::kTree, kOwn});
  }

  FakeClock clock;
  MemoryFs fs;
  FakeSubjects subjects;
  Seconds busy;
  Seconds steal;
  Seconds pressure;
  FakeProbe* probe = nullptr;  // owned by the core
  std::unique_ptr<MeterCore> core;
};

// The parts of a split, which must sum to what was measured.
inline Joules SumOfParts(const EnergySplit& split) {
  return split.own_active.mid + split.own_idle.mid + split.other_active.mid +
         split.other_idle.mid + split.unattributed.mid;
}

}  // namespace modicum
