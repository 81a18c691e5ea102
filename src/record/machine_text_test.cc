// SPDX-License-Identifier: Apache-2.0
#include "record/machine_text.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

TEST(MachineText, NamesVmAndGpus) {
  HostFacts host;
  host.logical_cpus = 2;
  host.cpu_model = "AMD EPYC";
  host.virtual_machine = true;
  host.hypervisor = "KVM";
  EXPECT_EQ(MachineText(host), "2 vCPU AMD EPYC, VM (KVM), no GPU");
  host.virtual_machine = false;
  host.gpus = {"a", "b"};
  EXPECT_EQ(MachineText(host), "2 logical CPUs AMD EPYC, 2 GPUs");
}

TEST(EnergyNote, AModelledNumberDoesNotLookMeasured) {
  Estimate<Joules> energy{
      Joules(1), 0.532, {}, Origin::kModelled, Scope::kPackage};
  EXPECT_EQ(EnergyNote(energy),
            "joules MODELLED, x/÷ 2.4 (90 %), scope package");
  energy.origin = Origin::kCounter;
  energy.own_sd = 0;
  EXPECT_EQ(EnergyNote(energy), "joules counter, scope package");
}

}  // namespace
}  // namespace modicum
