// SPDX-License-Identifier: Apache-2.0
// Memory, disks and networks as models, in windows of the meter: who is billed
// for them, and that shares, idle and unattributed sum to what was modelled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "meter/fake_machine.h"
#include "probe/disk_model.h"
#include "probe/network_model.h"
#include "probe/ram_model.h"

namespace modicum {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr pid_t kOwn = FakeMachine::kOwn;
constexpr Bytes kInstalled(8.0 * 1024 * 1024 * 1024);
constexpr double kSectorBytes = 512;

// Two CPUs without a source of their own, 8 GB, one SATA SSD, one interface.
class ModelledMachine {
 public:
  explicit ModelledMachine(std::vector<std::string> parts,
                           IdlePolicy policy = IdlePolicy::kProportional) {
    fs.Write("/proc/stat", "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0\ncpu1 0\n");
    fs.Write("/sys/block/sda/device", "");
    fs.Write("/sys/block/sda/queue/rotational", "0\n");
    fs.Write("/sys/class/net/eth0/device", "");
    Show();
    HostFacts host;
    host.ram = kInstalled;
    const ProbeContext context{fs, host, clock.Now()};
    std::vector<std::unique_ptr<Probe>> probes;
    for (const std::string& part : parts)
      for (const ModelKind& model : ModelKinds())
        if (model.part == part) {
          auto probe = model.kind.open(context);
          EXPECT_TRUE(probe.has_value()) << probe.error().message;
          powers.push_back((*probe)->idle_power()->mid);
          probes.push_back(*std::move(probe));
        }
    MeterOptions options;
    options.idle_policy = policy;
    core = std::make_unique<MeterCore>(options, std::move(probes), fs, host,
                                       clock, subjects);
  }

  // In `wall` the subject moves `own` bytes of `all`, the disk is busy for a
  // part of it, and `network` bytes pass.
  void Pass(Seconds wall, Bytes own = {}, Bytes all = {}, double busy = 0,
            Bytes network = {}) {
    clock.Tick(wall);
    subjects.disk_bytes[kOwn] += own;
    disk += all;
    busy_ms += busy * wall.value() * 1000;
    net += network;
    Show();
    core->Step();
  }
  WindowId Begin(Subject::Kind kind = Subject::Kind::kTree) {
    return core->Begin("window", {kind, kOwn});
  }
  WindowReading End(WindowId window) {
    auto reading = core->End(window);
    EXPECT_TRUE(reading.has_value());
    const double measured = reading->split.measured.mid.value();
    EXPECT_NEAR(SumOfParts(reading->split).value(), measured, 1e-9 * measured);
    Joules lines;
    for (const BillLine& line : reading->lines) lines += line.energy.mid;
    EXPECT_NEAR(lines.value(), reading->split.own().mid.value(),
                1e-9 * measured);
    return *std::move(reading);
  }

  FakeClock clock;
  MemoryFs fs;
  FakeSubjects subjects;
  std::vector<Watts> powers;  // idle, by part
  Bytes disk, net;
  double busy_ms = 0;
  std::unique_ptr<MeterCore> core;

 private:
  void Show() {
    const auto text = [](double number) {
      return std::to_string(static_cast<uint64_t>(number + 0.5));
    };
    fs.Write("/proc/diskstats", " 8 0 sda 1 0 " +
                                    text(disk.value() / kSectorBytes) +
                                    " 0 0 0 0 0 0 " + text(busy_ms) + " 0\n");
    fs.Write("/proc/net/dev",
             "eth0: " + text(net.value()) + " 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0\n");
  }
};

// A quarter of the memory is held: a quarter of its power is billed.
TEST(ModelledMemory, IsBilledByWhatWasHeldOfIt) {
  ModelledMachine machine({"ram"});
  machine.subjects.memory[kOwn] = kInstalled / 4;
  const WindowId window = machine.Begin();
  for (int i = 0; i < 10; ++i) machine.Pass(Seconds(1));
  const WindowReading reading = machine.End(window);
  const double joules = machine.powers[0].value() * 10;
  EXPECT_NEAR(reading.split.measured.mid.value(), joules, 1e-9 * joules);
  EXPECT_NEAR(reading.split.own_idle.mid.value(), joules / 4, 1e-9 * joules);
  EXPECT_NEAR(reading.split.other_idle.mid.value(), joules * 3 / 4,
              1e-9 * joules);
  ASSERT_EQ(reading.lines.size(), 1u);
  EXPECT_EQ(reading.lines[0].component, "dram");
  EXPECT_EQ(reading.lines[0].probe, "ram-model");
  EXPECT_EQ(reading.lines[0].energy.origin, Origin::kModelled);
  EXPECT_EQ(reading.factors.size(), 5u);
  EXPECT_THAT(reading.warnings, IsEmpty());
}

TEST(ModelledMemory, IsIdlePowerAndFollowsThePolicy) {
  for (const auto& [policy, share] : {std::pair(IdlePolicy::kMarginal, 0.0),
                                      std::pair(IdlePolicy::kProportional, 0.5),
                                      std::pair(IdlePolicy::kFull, 1.0)}) {
    SCOPED_TRACE(IdlePolicyName(policy));
    ModelledMachine machine({"ram"}, policy);
    machine.subjects.memory[kOwn] = kInstalled / 2;
    const WindowId window = machine.Begin();
    machine.Pass(Seconds(1));
    const WindowReading reading = machine.End(window);
    EXPECT_NEAR(reading.split.own().mid.value(),
                share * machine.powers[0].value(), 1e-9);
  }
}

// The last sample finds the tree gone, which says nothing of what it held.
TEST(ModelledMemory, IsTheMeanWhileAnyWasSeen) {
  ModelledMachine machine({"ram"});
  const WindowId window = machine.Begin();
  machine.subjects.memory[kOwn] = kInstalled * 0.2;
  machine.Pass(Seconds(1));
  machine.subjects.memory[kOwn] = kInstalled * 0.4;
  machine.Pass(Seconds(3));
  machine.subjects.memory[kOwn] = Bytes(0);
  machine.Pass(Seconds(1));
  const WindowReading reading = machine.End(window);
  EXPECT_NEAR(reading.split.own().mid.value(),
              machine.powers[0].value() * 5 * 0.35, 1e-9);
}

// Pages that several processes share count for each: never more than there is.
TEST(ModelledMemory, IsNeverMoreThanAll) {
  ModelledMachine machine({"ram"});
  machine.subjects.memory[kOwn] = kInstalled * 3;
  const WindowId window = machine.Begin();
  machine.Pass(Seconds(1));
  const WindowReading reading = machine.End(window);
  EXPECT_NEAR(reading.split.own().mid.value(), machine.powers[0].value(), 1e-9);
}

// A command that lived between two samples: by CPU time, as a counter's DRAM.
TEST(ModelledMemory, OfACommandThatNoSampleSawGoesByCpuTime) {
  ModelledMachine machine({"ram"});
  const WindowId window = machine.Begin();
  machine.clock.Tick(Seconds(0.05));
  machine.subjects.cpu[kOwn] += Seconds(0.05);
  const WindowReading reading = machine.End(window);
  EXPECT_NEAR(reading.split.own_idle.mid.value(),
              machine.powers[0].value() * 0.05 / 2, 1e-9);
}

TEST(ModelledDisks, AreBilledByBytesAndTheTimeTheyWereBusy) {
  ModelledMachine machine({"disk"});
  const WindowId window = machine.Begin();
  machine.Pass(Seconds(10), Bytes(512e6), Bytes(2048e6), 0.5);
  const WindowReading reading = machine.End(window);
  const double idle = machine.powers[0].value() * 10;
  const double active = reading.split.measured.mid.value() - idle;
  EXPECT_GT(active, 1);
  EXPECT_NEAR(reading.split.own_active.mid.value(), active / 4, 1e-6);
  EXPECT_NEAR(reading.split.other_active.mid.value(), active * 3 / 4, 1e-6);
  // A quarter of the half of the time in which the disk was busy.
  EXPECT_NEAR(reading.split.own_idle.mid.value(), idle / 8, 1e-6);
  EXPECT_EQ(reading.lines[0].component, "disk");
  EXPECT_THAT(reading.warnings, IsEmpty());
}

// What it wrote may reach the disk after the window: its part is never more
// than all.
TEST(ModelledDisks, APartIsNeverMoreThanAll) {
  ModelledMachine machine({"disk"});
  const WindowId window = machine.Begin();
  machine.Pass(Seconds(1), Bytes(4096e3), Bytes(1024e3), 0.1);
  const WindowReading reading = machine.End(window);
  EXPECT_EQ(reading.split.other_active.mid, Joules(0));
  EXPECT_GT(reading.split.own_active.mid, Joules(0));
}

TEST(ModelledDisks, WhoMovedWhatIsNotKnownStaysUnattributed) {
  ModelledMachine machine({"disk"});
  machine.subjects.disk_unknown = true;
  const WindowId window = machine.Begin();
  machine.Pass(Seconds(1), Bytes(512e6), Bytes(512e6), 0.5);
  const WindowReading reading = machine.End(window);
  EXPECT_EQ(reading.split.unattributed.mid, reading.split.measured.mid);
  EXPECT_THAT(reading.warnings,
              testing::ElementsAre(
                  "what was read and written here is not known (/proc/PID/io "
                  "cannot be read): the disks' energy stays unattributed"));
}

TEST(ModelledDisks, OfTheWholeMachineAreAllItsOwn) {
  ModelledMachine machine({"ram", "disk"});
  const WindowId window = machine.Begin(Subject::Kind::kMachine);
  machine.Pass(Seconds(1), Bytes(0), Bytes(512e6), 0.5);
  const WindowReading reading = machine.End(window);
  EXPECT_NEAR(reading.split.own().mid.value(),
              reading.split.measured.mid.value(), 1e-9);
  EXPECT_THAT(reading.warnings, IsEmpty());
}

TEST(ModelledNetworks, StandBesideTheEnergyAndNotInIt) {
  ModelledMachine machine({"ram", "network"});
  const WindowId window = machine.Begin();
  machine.Pass(Seconds(1), {}, {}, 0, Bytes(1e6));
  const WindowReading reading = machine.End(window);
  ASSERT_TRUE(reading.network.has_value());
  EXPECT_EQ(reading.network->bytes, Bytes(1e6));
  EXPECT_GT(reading.network->energy.mid, Joules(1));
  EXPECT_EQ(reading.network->energy.scope, Scope::kNetwork);
  EXPECT_NEAR(reading.split.measured.mid.value(), machine.powers[0].value(),
              1e-9);
  EXPECT_EQ(reading.split.measured.scope, Scope::kPackage);
  EXPECT_THAT(machine.core->components(), testing::ElementsAre("dram"));
  EXPECT_EQ(machine.core->idle_power().mid, machine.powers[0]);
}

TEST(ModelledNetworks, AGapIsSaid) {
  ModelledMachine machine({"network"});
  const WindowId window = machine.Begin();
  machine.Pass(Seconds(1), {}, {}, 0, Bytes(1e6));
  machine.fs.Write("/proc/net/dev", "eth0: 12");
  machine.clock.Tick(Seconds(1));
  machine.core->Step();
  machine.Pass(Seconds(1), {}, {}, 0, Bytes(1e6));
  const WindowReading reading = machine.End(window);
  EXPECT_EQ(reading.network->bytes, Bytes(1e6));
  EXPECT_THAT(reading.warnings,
              Contains(HasSubstr("1 gap in network: the energy in between is "
                                 "missing, not guessed")));
}

// Whatever is held and moved, by whatever policy: checked in End().
TEST(ModelledParts, AreConserved) {
  Rng rng(11);
  for (int trial = 0; trial < 500; ++trial) {
    const auto policy = static_cast<IdlePolicy>(rng.Below(3));
    ModelledMachine machine({"ram", "disk", "network"}, policy);
    const WindowId window = machine.Begin();
    for (uint32_t step = rng.Below(6); step > 0; --step) {
      machine.subjects.memory[kOwn] = kInstalled * (rng.Unit() * 1.2);
      machine.subjects.cpu[kOwn] += Seconds(rng.Unit());
      machine.subjects.disk_unknown = rng.Below(8) == 0;
      machine.Pass(Seconds(rng.Unit()), Bytes(rng.Unit() * 1e8),
                   Bytes(rng.Unit() * 1e8), rng.Unit(),
                   Bytes(rng.Unit() * 1e8));
    }
    machine.End(window);
  }
}

}  // namespace
}  // namespace modicum
