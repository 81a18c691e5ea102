// SPDX-License-Identifier: Apache-2.0
// The bill: a reading's energy times the factors of its place, the share of
// the machine's manufacture, and by name everything that is not in it.
#include <fmt/format.h>

#include <algorithm>

#include "hardware/machine.h"
#include "meter/meter.h"
#include "place/embodied.h"

namespace modicum {
namespace {

// Hardware threads of the machine that `device`'s figure is for. A virtual
// machine sees only its own; its host is taken as a full one of such packages.
double MachineThreads(const HostFacts& host, const EmbodiedDevice& device) {
  const int seen = std::max(host.logical_cpus, 1);
  if (!host.virtual_machine) return seen;
  return std::max(seen, device.sockets * PowerOf(host).package_threads);
}

// Time of the whole machine that this reading used up. Its CPU time, spread
// over all threads; when the idle policy charges the whole window, all of the
// window on the threads that are ours.
Seconds MachineTime(const WindowReading& reading, const HostFacts& host,
                    double threads) {
  const Seconds thread_time =
      reading.split.idle_policy == IdlePolicyName(IdlePolicy::kFull)
          ? reading.wall * std::max(host.logical_cpus, 1)
          : reading.cpu;
  return thread_time / threads;
}

// `used`: time of it.
void Add(const EmbodiedDevice& device, Seconds used, Bill& bill) {
  Estimate<GramsCo2e> carbon = device.carbon * (used / device.life);
  if (bill.embodied) carbon = *bill.embodied + carbon;
  bill.embodied = carbon.WithScope(Scope::kHost);
  bill.factors.insert(bill.factors.end(), device.factors.begin(),
                      device.factors.end());
}

// Time of GPUs that this reading used up, by the same rule: how long they were
// busy for it, or all of the window. nullopt: not known.
std::optional<Seconds> GpuTime(const WindowReading& reading) {
  const bool full =
      reading.split.idle_policy == IdlePolicyName(IdlePolicy::kFull);
  std::optional<Seconds> used;
  for (const DomainEnergy& domain : reading.domains) {
    if (!domain.device || !domain.domain.counted) continue;
    if (!full && !domain.device->own) return std::nullopt;
    used =
        used.value_or(Seconds(0)) + (full ? reading.wall : *domain.device->own);
  }
  return used;
}

// Which of several kinds a domain is of is not told.
std::string_view OnlyGpu(const HostFacts& host) {
  const auto& gpus = host.gpus;
  return !gpus.empty() && std::ranges::count(gpus, gpus[0]) ==
                              static_cast<std::ptrdiff_t>(gpus.size())
             ? gpus[0]
             : std::string_view();
}

void AddGpus(Bill& bill, const WindowReading& reading, const HostFacts& host) {
  const auto device = FindEmbodiedGpu(OnlyGpu(host));
  const auto used = GpuTime(reading);
  if (device && used)
    Add(*device, *used, bill);
  else
    bill.missing.emplace_back("manufacture of the GPUs");
}

void AddEmbodied(Bill& bill, const WindowReading& reading,
                 const HostFacts& host) {
  const auto device =
      FindEmbodied(DeviceClass(host.cpu_model, host.virtual_machine));
  if (!device) {
    bill.missing.push_back("manufacture of this machine");
    return;
  }
  Add(*device, MachineTime(reading, host, MachineThreads(host, *device)), bill);
}

// What was used when; one stretch where nothing was cut.
std::vector<EnergySlice> SlicesOf(const WindowReading& reading) {
  if (!reading.slices.empty()) return reading.slices;
  return {{reading.began, reading.wall, reading.split.own().mid}};
}

// The bands that were used, instead of the mean of all hours.
void ListBands(Bill& bill, const Place& place, const Tariff& tariff) {
  std::erase_if(bill.factors, IsTariff);
  for (const PaidBand& band : bill.tariff->bands)
    bill.factors.push_back(
        {TariffName(place, fmt::format(", {} ({})", band.name, tariff.zone())),
         band.price, std::string(tariff.currency().view()) + "/kWh",
         tariff.source(), tariff.date()});
}

// `place` takes the price that `reading` paid on average.
void PayTariff(Bill& bill, const WindowReading& reading, const Tariff& tariff,
               Place& place) {
  const TariffPrice price = PriceOf(tariff, SlicesOf(reading));
  bill.tariff = price.paid;
  place.tariff = Exactly(AmountPerKilowattHour(price.paid.mean),
                         Origin::kAssumed, Scope::kWall);
  place.tariff->own_sd = price.sd;
  ListBands(bill, place, tariff);
}

// `place` takes the intensity that `reading` met on average.
void PayIntensity(Bill& bill, const WindowReading& reading,
                  const HourlyIntensity& hourly, Place& place) {
  const auto paid = hourly.PaidFor(SlicesOf(reading), place.intensity);
  bill.intensity = paid.figures;
  place.intensity = paid.mean;
  if (paid.figures.outside == 0) std::erase_if(bill.factors, IsIntensity);
  if (paid.factor) bill.factors.push_back(*paid.factor);
  if (!hourly.note().empty()) bill.warnings.push_back(hourly.note());
}

void AddMoney(Bill& bill, const Place& place) {
  bill.money = ElectricityCost(bill.energy, place);
  if (!bill.money)
    bill.missing.push_back(
        fmt::format("money: no electricity price is known for {}; "
                    "--tariff and --currency give one",
                    place.name));
  // The electricity is part of what a cloud charges: never the two together.
  if (place.rented)
    bill.missing.push_back(
        bill.money ? "rent of the machine, which includes the electricity "
                     "priced here"
                   : "rent of the machine");
}

}  // namespace

Bill MakeBill(const WindowReading& reading, const Place& average,
              const HostFacts& host,
              const std::vector<std::string>& metered_components,
              const Hourly& hourly) {
  Bill bill;
  bill.wall = reading.wall;
  bill.cpu = reading.cpu;
  bill.split = reading.split;
  bill.lines = reading.lines;
  bill.energy = reading.split.own();
  bill.network = reading.network;
  bill.factors = average.factors;
  bill.warnings = reading.warnings;
  Place place = average;  // as it was in these hours
  if (hourly.tariff) PayTariff(bill, reading, *hourly.tariff, place);
  if (hourly.intensity) PayIntensity(bill, reading, *hourly.intensity, place);
  bill.operational = OperationalCarbon(bill.energy, place);
  bill.operational_market = MarketCarbon(bill.energy, place);
  bill.water = WaterUse(bill.energy, place);
  bill.place = place.name;
  bill.factors.insert(bill.factors.end(), reading.factors.begin(),
                      reading.factors.end());
  bill.missing = NotCounted(host, metered_components);
  AddEmbodied(bill, reading, host);
  if (std::find(metered_components.begin(), metered_components.end(), "gpu") !=
      metered_components.end())
    AddGpus(bill, reading, host);
  AddMoney(bill, place);
  if (place.assumed)
    bill.warnings.push_back(
        "no place is set, so the world average is assumed (--region names it)");
  return bill;
}

void AddDomains(const std::vector<DomainEnergy>& more,
                std::vector<DomainEnergy>& sums) {
  for (const DomainEnergy& domain : more) {
    const auto same = std::ranges::find_if(sums, [&](const DomainEnergy& sum) {
      return sum.domain.name == domain.domain.name && sum.probe == domain.probe;
    });
    if (same == sums.end()) {
      sums.push_back(domain);
      continue;
    }
    same->energy = same->energy + domain.energy;
    same->gaps += domain.gaps;
  }
}

std::vector<Measurement> MeasurementsOf(const Run& run,
                                        const WindowReading& reading,
                                        std::string_view name) {
  std::vector<Measurement> rows;
  AppendMeasurements(run, reading, name, Phase::kIdle, rows);
  return rows;
}

}  // namespace modicum
