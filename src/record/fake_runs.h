// SPDX-License-Identifier: Apache-2.0
// Made-up records for tests: one readable example and random ones in which
// every member is set to something.
#pragma once

#include <cmath>
#include <string>
#include <utility>

#include "base/rng.h"
#include "record/types.h"

namespace modicum {

// Random values, from the smallest to the largest double, awkward texts.
class FakeRecords {
 public:
  explicit FakeRecords(uint64_t seed) : rng_(seed) {}

  double Number() {
    switch (rng_.Below(8)) {
      case 0:
        return 0;
      case 1:
        return -0x1.fffffffffffffp1023;
      case 2:
        return 0x1p-1074;
      default:
        return (rng_.Unit() - 0.5) * std::pow(10, rng_.Unit() * 40 - 20);
    }
  }
  std::string Text() {
    static constexpr const char* kPieces[] = {"a",  "Z9", " ", "\"", "'",
                                              ",",  "\n", "|", "é",  "日本",
                                              "\\", "\t", "%"};
    std::string text;
    for (uint32_t n = rng_.Below(6); n > 0; --n)
      text += kPieces[rng_.Below(std::size(kPieces))];
    return text;
  }
  Uuid Id() {
    Uuid id;
    for (int i = 0; i < 36; ++i)
      id.text += i == 8 || i == 13 || i == 18 || i == 23
                     ? '-'
                     : "0123456789abcdef"[rng_.Below(16)];
    return id;
  }
  WallTime Time() {
    return {1'700'000'000'000'000 + int64_t{rng_.Next()} * 1000 +
            rng_.Below(9)};
  }
  Hash RandomHash() {
    Hash hash;
    for (uint8_t& byte : hash) byte = static_cast<uint8_t>(rng_.Below(256));
    return hash;
  }
  template <class Q>
  Estimate<Q> Value() {
    Estimate<Q> e;
    e.mid = Q(Number());
    e.own_sd = std::fabs(Number());
    e.origin = static_cast<Origin>(rng_.Below(4));
    e.scope = static_cast<Scope>(rng_.Below(6));
    e.difference = Flip();
    for (uint32_t n = rng_.Below(3); n > 0; --n)
      e.shared = internal::CombineShares(
          e.shared, 1,
          {{InternSource("source " + std::to_string(rng_.Below(9)) + Text()),
            1 + rng_.Unit()}},
          1);
    return e;
  }
  HostFacts Host() {
    HostFacts host;
    host.hostname = Text();
    host.boot = Text();
    host.os = Text();
    host.cpu_model = Text();
    host.sockets = static_cast<int>(rng_.Below(9));
    host.cores = static_cast<int>(rng_.Below(999));
    host.logical_cpus = static_cast<int>(rng_.Below(999));
    host.ram = Bytes(rng_.Next());
    host.virtual_machine = Flip();
    host.hypervisor = Text();
    for (uint32_t n = rng_.Below(3); n > 0; --n) host.gpus.push_back(Text());
    host.governor = Text();
    return host;
  }
  EnergySplit Split() {
    return {Value<Joules>(), Value<Joules>(), Value<Joules>(), Value<Joules>(),
            Value<Joules>(), Value<Joules>(), Text()};
  }
  Bill RandomBill() {
    Bill bill;
    bill.wall = Seconds(Number());
    bill.cpu = Seconds(Number());
    bill.split = Split();
    for (uint32_t n = rng_.Below(3); n > 0; --n)
      bill.lines.push_back({Text(), Text(), Value<Joules>()});
    bill.energy = Value<Joules>();
    if (Flip()) bill.network = NetworkUse{Bytes(Number()), Value<Joules>()};
    bill.operational = Value<GramsCo2e>();
    if (Flip())
      bill.intensity = PaidIntensity{
          GramsPerKilowattHour(Number()), GramsPerKilowattHour(Number()),
          GramsPerKilowattHour(Number()), rng_.Unit(), rng_.Unit()};
    if (Flip()) bill.operational_market = Value<MarketGramsCo2e>();
    if (Flip()) bill.embodied = Value<GramsCo2e>();
    bill.water = Value<Litres>();
    if (Flip()) bill.money = MoneyEstimate{Value<Amount>(), {"PLN"}};
    if (Flip())
      bill.tariff =
          PaidTariff{Number(), rng_.Unit(), {{Text(), Number(), rng_.Unit()}}};
    bill.place = Text();
    for (uint32_t n = rng_.Below(3); n > 0; --n)
      bill.factors.push_back({Text(), Number(), Text(), Text(), Text()});
    for (uint32_t n = rng_.Below(3); n > 0; --n) bill.missing.push_back(Text());
    for (uint32_t n = rng_.Below(3); n > 0; --n)
      bill.warnings.push_back(Text());
    return bill;
  }
  Run RandomRun() {
    Run run;
    run.id = Id();
    run.kind = Text();
    run.name = Text();
    run.project = Text();
    for (uint32_t n = rng_.Below(3); n > 0; --n) run.tags[Text()] = Text();
    run.started = Time();
    run.ended = Time();
    run.status = static_cast<RunStatus>(rng_.Below(4));
    run.exit_code = static_cast<int>(rng_.Below(300)) - 20;
    run.host = Host();
    if (rng_.Below(4) > 0) run.bill = RandomBill();
    run.version = Text();
    return run;
  }
  Measurement RandomMeasurement(const Uuid& run, uint64_t seq) {
    Measurement m;
    m.key = {run, "boot", "host", seq};
    m.name = Text();
    m.phase = kAllPhases[rng_.Below(std::size(kAllPhases))];
    m.domain = Text();
    m.probe = Text();
    m.at = Time();
    m.wall = Seconds(Number());
    m.cpu = Seconds(Number());
    m.energy = Value<Joules>();
    m.contended = Flip();
    return m;
  }
  Trial RandomTrial() {
    return {{RandomHash(), RandomHash(), rng_.Next()},
            Id(),
            Text(),
            Text(),
            Text(),
            Value<Joules>(),
            Seconds(Number()),
            Text()};
  }

 private:
  bool Flip() { return rng_.Below(2) == 1; }
  Rng rng_;
};

// A command metered on a virtual machine in Poland; figures are made up.
inline Run ExampleRun() {
  const SourceId model = InternSource("cpu-load model");
  const SourceId grid = InternSource("grid intensity: Poland");
  Run run;
  run.id = {"0b3c1f2a-5d6e-4f70-8a91-b2c3d4e5f607"};
  run.kind = "run";
  run.name = "python3 train.py --epochs 3";
  run.project = "search";
  run.tags = {{"team", "search"}};
  run.started = {1'767'225'600'000'000};
  run.ended = {1'767'225'612'500'000};
  run.status = RunStatus::kOk;
  run.host.hostname = "node7";
  run.host.boot = "boot-1";
  run.host.os = "Linux-6.1.0-x86_64";
  run.host.cpu_model = "AMD EPYC 7763";
  run.host.cores = 1;
  run.host.logical_cpus = 2;
  run.host.ram = Bytes(8e9);
  run.host.virtual_machine = true;
  run.host.hypervisor = "KVM";
  run.host.gpus = {"H100", "H100"};
  run.version = "0.1.0";

  Bill bill;
  bill.wall = Seconds(12.5);
  bill.cpu = Seconds(20);
  bill.energy = {Joules(120), 0, {}, Origin::kModelled, Scope::kPackage};
  bill.energy.WithShared(model, 0.5);
  bill.split.own_active = bill.energy * 0.75;
  bill.split.own_idle = bill.energy * 0.25;
  bill.split.other_active = bill.energy * 0.5;
  bill.split.other_idle = bill.energy * 0.25;
  bill.split.unattributed = bill.energy * 0;
  bill.split.measured = bill.energy * 1.75;
  bill.split.idle_policy = "proportional";
  bill.lines = {{"cpu", "cpu-load", bill.energy}};
  Estimate<GramsPerKilowattHour> intensity =
      Exactly(GramsPerKilowattHour(600), Origin::kAssumed, Scope::kHost);
  intensity.WithShared(grid, 0.1);
  bill.operational = bill.energy * intensity * 1.5;
  bill.water = {Litres(0.0002), 0.0001, {}, Origin::kAssumed, Scope::kPackage};
  bill.money = MoneyEstimate{
      {Amount(1.1e-5), 1e-6, {}, Origin::kAssumed, Scope::kPackage}, {"PLN"}};
  bill.place = "Poland";
  bill.factors = {{"grid intensity, Poland, 2024 average", 600, "gCO2e/kWh",
                   "Example source", "2025"},
                  {"PUE, typical", 1.5, "", "Example survey", "2024"}};
  bill.missing = {"2 GPUs present, NOT COUNTED"};
  bill.warnings = {"window shorter than ten updates of the counter"};
  run.bill = bill;
  return run;
}

}  // namespace modicum
