// SPDX-License-Identifier: Apache-2.0
// The ledger's records as JSON: runs, bills, measurements, trials.
#include "record/json.h"

#include "record/json_members.h"

namespace modicum {
namespace internal {

template <>
struct Members<BillLine> {
  static void Of(auto& visit, auto& line) {
    visit("component", line.component);
    visit("probe", line.probe);
    visit("energy", line.energy);
  }
};

template <>
struct Members<EnergySplit> {
  static void Of(auto& visit, auto& split) {
    visit("measured", split.measured);
    visit("own_active", split.own_active);
    visit("own_idle", split.own_idle);
    visit("other_active", split.other_active);
    visit("other_idle", split.other_idle);
    visit("unattributed", split.unattributed);
    visit("idle_policy", split.idle_policy);
  }
};

template <>
struct Members<NetworkUse> {
  static void Of(auto& visit, auto& network) {
    visit("bytes", network.bytes);
    visit("energy", network.energy);
  }
};

template <>
struct Members<PaidBand> {
  static void Of(auto& visit, auto& band) {
    visit("name", band.name);
    visit("price", band.price);
    visit("share", band.share);
  }
};

template <>
struct Members<PaidTariff> {
  static void Of(auto& visit, auto& tariff) {
    visit("mean", tariff.mean);
    visit("by_time", tariff.by_time);
    visit("bands", tariff.bands);
  }
};

template <>
struct Members<PaidIntensity> {
  static void Of(auto& visit, auto& intensity) {
    visit("mean_g_per_kwh", intensity.mean);
    visit("low_g_per_kwh", intensity.low);
    visit("high_g_per_kwh", intensity.high);
    visit("outside", intensity.outside);
    visit("by_time", intensity.by_time);
  }
};

template <>
struct Members<Bill> {
  static void Of(auto& visit, auto& bill) {
    visit("wall_s", bill.wall);
    visit("cpu_s", bill.cpu);
    visit("split", bill.split);
    visit("lines", bill.lines);
    visit("energy", bill.energy);
    visit("network", bill.network);
    visit("operational", bill.operational);
    visit("intensity", bill.intensity);
    visit("operational_market", bill.operational_market);
    visit("embodied", bill.embodied);
    visit("water", bill.water);
    visit("money", bill.money);
    visit("tariff", bill.tariff);
    visit("place", bill.place);
    visit("factors", bill.factors);
    visit("missing", bill.missing);
    visit("warnings", bill.warnings);
  }
};

template <>
struct Members<Run> {
  static void Of(auto& visit, auto& run) {
    visit("id", run.id);
    visit("kind", run.kind);
    visit("name", run.name);
    visit("project", run.project);
    visit("tags", run.tags);
    visit("started_us", run.started);
    visit("ended_us", run.ended);
    visit("status", run.status);
    visit("exit_code", run.exit_code);
    visit("host", run.host);
    visit("bill", run.bill);
    visit("version", run.version);
  }
};

template <>
struct Members<Measurement> {
  static void Of(auto& visit, auto& m) {
    visit("run", m.key.run);
    visit("boot", m.key.boot);
    visit("device", m.key.device);
    visit("seq", m.key.seq);
    visit("name", m.name);
    visit("phase", m.phase);
    visit("domain", m.domain);
    visit("probe", m.probe);
    visit("at_us", m.at);
    visit("wall_s", m.wall);
    visit("cpu_s", m.cpu);
    visit("energy", m.energy);
    visit("contended", m.contended);
  }
};

template <>
struct Members<Trial> {
  static void Of(auto& visit, auto& trial) {
    visit("task", trial.key.task);
    visit("candidate", trial.key.candidate);
    visit("repeat", trial.key.repeat);
    visit("run", trial.run);
    visit("name", trial.name);
    visit("outcome", trial.outcome);
    visit("cause", trial.cause);
    visit("cost", trial.cost);
    visit("wall_s", trial.wall);
    visit("detail", trial.detail);
  }
};

}  // namespace internal

std::string ReadableText(const nlohmann::json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
         '\n';
}

MODICUM_JSON(Estimate<Joules>)
MODICUM_JSON(Estimate<GramsCo2e>)
MODICUM_JSON(Estimate<MarketGramsCo2e>)
MODICUM_JSON(Estimate<Litres>)
MODICUM_JSON(Estimate<Amount>)
MODICUM_JSON(Estimate<Scalar>)
MODICUM_JSON(Estimate<Seconds>)
MODICUM_JSON(Bill)
MODICUM_JSON(HostFacts)
MODICUM_JSON(Run)
MODICUM_JSON(Measurement)
MODICUM_JSON(Trial)

}  // namespace modicum
