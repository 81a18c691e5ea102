// SPDX-License-Identifier: Apache-2.0
// Modicum's C++ API: joules, carbon, water and money of pieces of your program.
//
//   modicum::Meter meter;
//   modicum::Window window = meter.Begin("train");
//   Train();
//   const modicum::Result result = window.End();
//   std::cout << result.energy().mid.value() << " J\n" << result.bill();
//
// Header-only over the C API (modicum.h), so that a program compiled once goes
// on with a newer library; C++17. What fails throws modicum::Error.
//
// Thread safety: a Meter may be used by any number of threads, a Window by one
// at a time; a Result is constant. After fork() the child makes a Meter of its
// own.
#pragma once

#include <modicum/modicum.h>

#include <cmath>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace modicum {

// what() says what failed and where, hint() what to do next.
class Error : public std::runtime_error {
 public:
  Error(modicum_status code, const std::string& message, std::string hint)
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}
  modicum_status code() const { return code_; }
  const std::string& hint() const { return hint_; }

 private:
  modicum_status code_;
  std::string hint_;
};

// A number of one unit; another unit's is another type.
template <class Unit>
class Quantity {
 public:
  Quantity() = default;
  explicit constexpr Quantity(double value) : value_(value) {}
  constexpr double value() const { return value_; }
  friend constexpr bool operator<(Quantity a, Quantity b) {
    return a.value_ < b.value_;
  }

 private:
  double value_ = 0;
};
using Seconds = Quantity<struct SecondUnit>;
using Joules = Quantity<struct JouleUnit>;
using GramsCo2e = Quantity<struct GramCo2eUnit>;
using MarketGramsCo2e = Quantity<struct MarketGramCo2eUnit>;
using Litres = Quantity<struct LitreUnit>;
using Amount = Quantity<struct CurrencyUnit>;  // of the currency beside it

enum class Origin { kCounter, kSensor, kModelled, kAssumed };
enum class Scope { kDevice, kProcess, kPackage, kHost, kWall };

// A value with its 90 % interval.
template <class Q>
struct Estimate {
  Q mid;
  Q low;
  Q high;
  Origin origin = Origin::kAssumed;
  Scope scope = Scope::kHost;
};

struct Money {
  Estimate<Amount> amount;
  std::string currency;  // ISO 4217
};

// A part of the energy; together the components are all of it.
struct Component {
  std::string component;  // "cpu", "dram", "gpu"
  std::string probe;      // "rapl", "cpu-load"
  Estimate<Joules> energy;
};

enum class Subject {
  kTree = MODICUM_SUBJECT_TREE,        // this process and all its descendants
  kProcess = MODICUM_SUBJECT_PROCESS,  // this process alone
  kMachine = MODICUM_SUBJECT_MACHINE,  // everybody, and the machine's idling
};

enum class Edge {
  kStamped = MODICUM_EDGE_STAMPED,  // the clocks alone: less than 5 us; the
                                    // energy is interpolated
  kExact = MODICUM_EDGE_EXACT,      // reads the sensors, and waits for them
};

// What is not set is taken from where the program takes it too: MODICUM_*
// variables, modicum.toml, the default.
struct Options {
  std::optional<std::string> region;       // "PL", "Poland", "US-CA", "world"
  std::optional<std::string> provider;     // "aws", "gcp", "azure", "on-prem"
  std::optional<double> intensity;         // gCO2e/kWh, the grid's
  std::optional<double> market_intensity;  // gCO2e/kWh, the contract's
  // Hours of the grid's: a CSV file, a service.
  std::optional<std::string> intensity_file;
  std::optional<double> pue;
  std::optional<double> wue;     // L/kWh
  std::optional<double> tariff;  // per kWh, in `currency`
  std::optional<std::string> currency;
  std::optional<std::string> probe;
  std::optional<std::string> idle_policy;
  std::optional<double> sample_hz;
  std::optional<std::string> project;
  std::optional<std::string> ledger;
  bool record = false;  // every ended window is a run of the ledger
  Subject subject = Subject::kTree;
};

namespace internal {

inline void Check(modicum_status status) {
  if (status != MODICUM_OK)
    throw Error(status, modicum_error_message(), modicum_error_hint());
}

template <class Q>
Estimate<Q> Of(const modicum_estimate& estimate) {
  return {Q(estimate.mid), Q(estimate.low), Q(estimate.high),
          static_cast<Origin>(estimate.origin),
          static_cast<Scope>(estimate.scope)};
}

}  // namespace internal

// What a window held.
class Result {
 public:
  // Takes over what modicum_end() and modicum_peek() give.
  explicit Result(modicum_result* result)
      : Result(std::shared_ptr<const modicum_result>(
            result, [](const modicum_result* owned) {
              modicum_result_free(const_cast<modicum_result*>(owned));
            })) {}

  std::string name() const { return Text(MODICUM_TEXT_NAME); }
  std::string run_id() const { return Text(MODICUM_TEXT_RUN_ID); }
  Seconds wall() const { return Seconds(figures_.wall_s); }
  // User + system, of the subject.
  Seconds cpu() const { return Seconds(figures_.cpu_s); }
  // The subject's, of IT equipment.
  Estimate<Joules> energy() const {
    return internal::Of<Joules>(figures_.energy_j);
  }
  // The whole machine's.
  Estimate<Joules> measured() const {
    return internal::Of<Joules>(figures_.measured_j);
  }
  std::vector<Component> components() const {
    std::vector<Component> all(modicum_result_components(get()));
    for (size_t i = 0; i < all.size(); ++i) {
      modicum_component one;
      internal::Check(modicum_result_component(get(), i, &one));
      all[i] = {one.component, one.probe, internal::Of<Joules>(one.energy_j)};
    }
    return all;
  }
  // Operational: energy x PUE x intensity.
  Estimate<GramsCo2e> carbon() const {
    return internal::Of<GramsCo2e>(figures_.carbon_g);
  }
  // By the contract's intensity instead of the grid's; absent: none is set.
  std::optional<Estimate<MarketGramsCo2e>> market_carbon() const {
    if (std::isnan(figures_.market_carbon_g.mid)) return std::nullopt;
    return internal::Of<MarketGramsCo2e>(figures_.market_carbon_g);
  }
  // Of making the hardware, by its share of time; absent: not known.
  std::optional<Estimate<GramsCo2e>> embodied() const {
    if (std::isnan(figures_.embodied_g.mid)) return std::nullopt;
    return internal::Of<GramsCo2e>(figures_.embodied_g);
  }
  Estimate<Litres> water() const {
    return internal::Of<Litres>(figures_.water_l);
  }
  // Of the electricity; absent: no tariff is known.
  std::optional<Money> money() const {
    if (std::isnan(figures_.money.mid)) return std::nullopt;
    return Money{internal::Of<Amount>(figures_.money), figures_.currency};
  }
  std::string place() const { return Text(MODICUM_TEXT_PLACE); }
  double pue() const { return figures_.pue; }
  // Others used, or the hypervisor took, too much of the machine.
  bool contended() const { return figures_.contended != 0; }
  // Fewer than ten updates of a source fell into it.
  bool short_window() const { return figures_.short_window != 0; }
  std::vector<std::string> warnings() const {
    return List(MODICUM_LIST_WARNINGS);
  }
  // What is not in the figures.
  std::vector<std::string> missing() const {
    return List(MODICUM_LIST_MISSING);
  }
  std::vector<Result> phases() const {
    std::vector<Result> all;
    for (size_t i = 0; i < modicum_result_count(get(), MODICUM_LIST_PHASES);
         ++i)
      all.push_back(Result(std::shared_ptr<const modicum_result>(
          result_, modicum_result_phase(get(), i))));
    return all;
  }
  // Why the ledger does not have it; "" when nothing failed.
  std::string record_error() const { return Text(MODICUM_TEXT_RECORD_ERROR); }
  // Lines for people, as `modicum run` prints them.
  std::string bill() const { return Text(MODICUM_TEXT_BILL); }
  // Everything, as `modicum run --json` writes it.
  std::string json() const { return Text(MODICUM_TEXT_JSON); }

  // Header and row in CodeCarbon's columns.
  std::string csv() const { return Text(MODICUM_TEXT_CSV); }
  // Appends that row to a file, with the header when it is new; `labels` are
  // columns and texts that only the caller knows.
  void AppendCsv(const std::string& path,
                 const std::vector<std::pair<std::string, std::string>>&
                     labels = {}) const {
    std::vector<const char*> pairs;
    for (const auto& [column, text] : labels) {
      pairs.push_back(column.c_str());
      pairs.push_back(text.c_str());
    }
    pairs.push_back(nullptr);
    internal::Check(
        modicum_result_append_csv(get(), path.c_str(), pairs.data()));
  }

  const modicum_result* get() const { return result_.get(); }

 private:
  explicit Result(std::shared_ptr<const modicum_result> result)
      : result_(std::move(result)) {
    internal::Check(modicum_result_figures(get(), &figures_, sizeof figures_));
  }
  std::string Text(modicum_text text) const {
    const char* found = modicum_result_text(get(), text);
    return found == nullptr ? "" : found;
  }
  std::vector<std::string> List(modicum_list list) const {
    std::vector<std::string> items(modicum_result_count(get(), list));
    for (size_t i = 0; i < items.size(); ++i)
      items[i] = modicum_result_item(get(), list, i);
    return items;
  }

  std::shared_ptr<const modicum_result> result_;
  modicum_figures figures_{};
};

// Open from its making to End(), or to its destruction.
class Window {
 public:
  Window(Window&& other) noexcept = default;
  Window& operator=(Window&&) = delete;
  // Left open, it ends here: with exit code 1 where an exception is why.
  ~Window() {
    if (meter_)
      modicum_end(meter_.get(), window_,
                  std::uncaught_exceptions() > exceptions_ ? 1 : 0, nullptr);
  }

  // The current phase ends, one called `name` begins.
  void Phase(const std::string& name) {
    internal::Check(modicum_phase(Open(), window_, name.c_str()));
  }
  void EndPhase() { internal::Check(modicum_phase(Open(), window_, nullptr)); }

  // What it holds so far, without its phases; it goes on.
  Result Peek() const {
    modicum_result* result = nullptr;
    internal::Check(modicum_peek(Open(), window_, &result));
    return Result(result);
  }

  // `exit_code` is recorded. Where only that failed, Result::record_error()
  // says so.
  Result End(int exit_code = 0) {
    modicum_result* result = nullptr;
    const modicum_status status =
        modicum_end(Open(), window_, exit_code, &result);
    meter_.reset();
    if (result == nullptr) internal::Check(status);
    return Result(result);
  }

 private:
  friend class Meter;
  Window(std::shared_ptr<modicum_meter> meter, modicum_window window)
      : meter_(std::move(meter)), window_(window) {}
  modicum_meter* Open() const {
    if (!meter_)
      throw Error(MODICUM_NOT_FOUND, "the window was ended already",
                  "each window is ended once");
    return meter_.get();
  }

  std::shared_ptr<modicum_meter> meter_;  // null: ended, or moved from
  modicum_window window_;
  int exceptions_ = std::uncaught_exceptions();
};

// One thread takes the samples: make one Meter and keep it. Windows may outlive
// it.
class Meter {
 public:
  explicit Meter(const Options& options = {}) {
    modicum_options plain;
    modicum_options_init(&plain, sizeof plain);
    const auto text = [](const std::optional<std::string>& value) {
      return value ? value->c_str() : nullptr;
    };
    plain.region = text(options.region);
    plain.provider = text(options.provider);
    plain.intensity_g_per_kwh = options.intensity.value_or(NAN);
    plain.market_intensity_g_per_kwh = options.market_intensity.value_or(NAN);
    plain.intensity_file = text(options.intensity_file);
    plain.pue = options.pue.value_or(NAN);
    plain.wue_l_per_kwh = options.wue.value_or(NAN);
    plain.tariff_per_kwh = options.tariff.value_or(NAN);
    plain.currency = text(options.currency);
    plain.probe = text(options.probe);
    plain.idle_policy = text(options.idle_policy);
    plain.sample_hz = options.sample_hz.value_or(NAN);
    plain.project = text(options.project);
    plain.ledger = text(options.ledger);
    plain.record = options.record ? 1 : 0;
    plain.subject = static_cast<int>(options.subject);
    modicum_meter* meter = nullptr;
    internal::Check(modicum_open(&plain, &meter));
    meter_.reset(meter, modicum_close);
  }

  // Windows nest and overlap freely.
  [[nodiscard]] Window Begin(const std::string& name,
                             Edge edge = Edge::kStamped) const {
    modicum_window window = 0;
    internal::Check(modicum_begin(meter_.get(), name.c_str(),
                                  static_cast<modicum_edge>(edge), &window));
    return Window(meter_, window);
  }

 private:
  std::shared_ptr<modicum_meter> meter_;
};

}  // namespace modicum
