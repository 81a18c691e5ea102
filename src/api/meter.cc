// SPDX-License-Identifier: Apache-2.0
// Meters and windows of the C API.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <unordered_map>

#include "api/call.h"
#include "api/result.h"
#include "meter/instruments.h"
#include "place/place_settings.h"
#include "record/ledger.h"
#include "record/start_run.h"

namespace modicum::internal {
namespace {

// For tests: a recorded machine instead of this one's /sys and /proc.
std::string Root() {
  const char* root = std::getenv("MODICUM_ROOT");
  return root == nullptr ? "" : root;
}

// What the caller's struct holds, in a struct of ours; NULL gives the defaults.
Result<modicum_options> Taken(const modicum_options* given) {
  modicum_options options;
  modicum_options_init(&options, sizeof options);
  if (given == nullptr) return options;
  if (given->size < sizeof(size_t))
    return Fail(ErrorCode::kInvalidInput, "modicum_options.size is not set",
                "call modicum_options_init() first");
  const auto* bytes = reinterpret_cast<const char*>(given);
  for (size_t i = sizeof options; i < given->size; ++i)
    if (bytes[i] != 0)
      return Fail(ErrorCode::kInvalidInput,
                  "modicum_options is of a newer version, and an option is set "
                  "that this library does not have",
                  "install the library of the header that was compiled with");
  std::memcpy(&options, given, std::min(given->size, sizeof options));
  return options;
}

SettingFlags FlagsOf(const modicum_options& options) {
  SettingFlags flags;
  const auto text = [&flags](const char* key, const char* value) {
    if (value != nullptr) flags.emplace_back(key, value);
  };
  const auto number = [&flags](const char* key, double value) {
    if (!std::isnan(value)) flags.emplace_back(key, fmt::format("{}", value));
  };
  text("region", options.region);
  text("provider", options.provider);
  number("intensity", options.intensity_g_per_kwh);
  number("market_intensity", options.market_intensity_g_per_kwh);
  text("intensity_file", options.intensity_file);
  number("pue", options.pue);
  number("wue", options.wue_l_per_kwh);
  number("tariff", options.tariff_per_kwh);
  text("currency", options.currency);
  text("probe", options.probe);
  text("idle_policy", options.idle_policy);
  number("sample_hz", options.sample_hz);
  text("project", options.project);
  text("ledger", options.ledger);
  return flags;
}

// An option's error names the option, not a flag that the caller never gave.
Error AsOption(Error error) {
  if (error.message.starts_with("--")) error.message.erase(0, 2);
  return error;
}

Result<Settings> SettingsOf(const modicum_options& options) {
  SettingSources sources = DefaultSettingSources();
  sources.flags = FlagsOf(options);
  return Result<Settings>(LoadSettings(sources).map_error(AsOption));
}

Result<Subject> SubjectOf(int subject) {
  switch (subject) {
    case MODICUM_SUBJECT_TREE:
      return Subject{Subject::Kind::kThisTree};
    case MODICUM_SUBJECT_PROCESS:
      return Subject{Subject::Kind::kThisProcess};
    case MODICUM_SUBJECT_MACHINE:
      return Subject{Subject::Kind::kMachine};
    default:
      return Fail(ErrorCode::kInvalidInput,
                  "subject " + std::to_string(subject) + " is none",
                  "use MODICUM_SUBJECT_TREE, _PROCESS or _MACHINE");
  }
}

Result<Edge> EdgeOf(modicum_edge edge) {
  if (edge == MODICUM_EDGE_STAMPED) return Edge::kStamped;
  if (edge == MODICUM_EDGE_EXACT) return Edge::kExact;
  return Fail(ErrorCode::kInvalidInput,
              "edge " + std::to_string(static_cast<int>(edge)) + " is none",
              "use MODICUM_EDGE_STAMPED or MODICUM_EDGE_EXACT");
}

tl::unexpected<Error> EndedAlready() {
  return Fail(ErrorCode::kNotFound, "the window was ended already",
              "each window of modicum_begin() is ended once");
}

// A window that is open, with the phase that it is in.
struct OpenWindow {
  std::optional<WindowId> phase;
  std::vector<WindowId> phases;  // stopped, until the window ends
  std::string run;               // its id, once one inside of it has told it
  std::string inside = {};       // the id of the one around it
};

// What a window was when it ended.
struct ClosedWindow {
  WindowReading reading;
  std::vector<WindowReading> phases;
  OpenWindow window;
};

}  // namespace
}  // namespace modicum::internal

struct modicum_meter {
  modicum::Settings settings;
  modicum::RootFs fs;
  modicum::Instruments instruments;
  modicum::Subject subject;
  std::unique_ptr<modicum::Ledger> ledger;  // null: nothing is recorded
  pid_t owner;
  std::mutex mutex;  // never held while a source is read
  std::unordered_map<modicum_window, modicum::internal::OpenWindow> windows;
};

namespace modicum::internal {
namespace {

// The thread that samples, and what it may have locked, stays in the parent.
Status CheckOwner(const modicum_meter* meter) {
  if (meter == nullptr) return NullArgument("meter");
  if (meter->owner == getpid()) return {};
  return Fail(ErrorCode::kUnavailable,
              "this meter belongs to process " + std::to_string(meter->owner) +
                  ", not to " + std::to_string(getpid()),
              "open a meter after fork()");
}

// A call that only the process of `meter` may make.
template <class Call>
modicum_status Owned(const modicum_meter* meter, Call call) noexcept {
  return Guarded([&]() -> Status {
    Status owner = CheckOwner(meter);
    return owner ? call() : owner;
  });
}

Result<std::unique_ptr<modicum_meter>> OpenMeter(
    const modicum_options& options) {
  MODICUM_TRY(Settings settings, SettingsOf(options));
  MODICUM_TRY(const Subject subject, SubjectOf(options.subject));
  auto meter = std::unique_ptr<modicum_meter>(
      new modicum_meter{.settings = std::move(settings),
                        .fs = RootFs(Root()),
                        .instruments = {},
                        .subject = subject,
                        .ledger = {},
                        .owner = getpid(),
                        .mutex = {},
                        .windows = {}});
  MODICUM_TRY(meter->instruments,
              OpenInstruments(meter->settings, PlaceQueryOf(meter->settings),
                              meter->fs, SystemClock(), true));
  if (options.record != 0) {
    MODICUM_TRY(meter->ledger, Ledger::Open(meter->settings.ledger));
  }
  return meter;
}

modicum_result ResultOf(const modicum_meter& meter, WindowReading reading,
                        int exit_code) {
  modicum_result result;
  Run& run = result.run;
  run = StartRun("window", reading.name, meter.settings.project,
                 meter.instruments.host, reading.began);
  // The command that started us does not hold what others here used.
  if (meter.subject.kind == Subject::Kind::kMachine) run.tags.clear();
  run.ended = run.started + reading.wall;
  run.status = exit_code == 0 ? RunStatus::kOk : RunStatus::kFailed;
  run.exit_code = exit_code;
  run.bill = meter.instruments.BillOf(reading);
  result.contended = reading.contended;
  result.short_window = reading.short_window;
  return result;
}

// Ends the phase that `window` is in, and begins `next`, if there is one.
Status ChangePhase(modicum_meter& meter, modicum_window window,
                   const char* next) {
  Meter& core = *meter.instruments.meter;
  std::optional<WindowId> old;
  {
    const std::lock_guard lock(meter.mutex);
    const auto found = meter.windows.find(window);
    if (found == meter.windows.end()) return EndedAlready();
    old = std::exchange(found->second.phase, std::nullopt);
  }
  if (old) {
    MODICUM_RETURN_IF_ERROR(core.Stop(*old));
  }
  std::optional<WindowId> begun;
  if (next != nullptr) begun = core.Begin(next, meter.subject, Edge::kStamped);
  {
    const std::lock_guard lock(meter.mutex);
    const auto found = meter.windows.find(window);
    if (found != meter.windows.end()) {
      if (old) found->second.phases.push_back(*std::exchange(old, {}));
      if (!found->second.phase) std::swap(found->second.phase, begun);
    }
  }
  // Another thread ended the window, or changed its phase, meanwhile.
  for (const auto& late : {old, begun})
    if (late) static_cast<void>(core.End(*late));
  return {};
}

// The window that was begun last of those that were open before `window` was,
// and still are: it holds all that `window` does.
OpenWindow* Around(modicum_meter& meter, modicum_window window) {
  modicum_window around = 0;
  OpenWindow* found = nullptr;
  for (auto& [id, open] : meter.windows)
    if (id < window && (found == nullptr || id > around)) {
      around = id;
      found = &open;
    }
  return found;
}

// `window` with its phases; it is then gone.
Result<ClosedWindow> Close(modicum_meter& meter, modicum_window window) {
  OpenWindow open;
  {
    const std::lock_guard lock(meter.mutex);
    const auto found = meter.windows.find(window);
    if (found == meter.windows.end()) return EndedAlready();
    open = std::move(found->second);
    meter.windows.erase(found);
    if (OpenWindow* const around = Around(meter, window)) {
      if (around->run.empty()) around->run = NewUuid().text;
      open.inside = around->run;
    }
  }
  Meter& core = *meter.instruments.meter;
  if (open.phase) {
    MODICUM_RETURN_IF_ERROR(core.Stop(*open.phase));
    open.phases.push_back(*open.phase);
  }
  ClosedWindow closed;
  MODICUM_TRY(closed.reading, core.End(WindowId{window}));
  for (const WindowId phase : open.phases) {
    MODICUM_TRY(auto reading, core.End(phase));
    closed.phases.push_back(std::move(reading));
  }
  closed.window = std::move(open);
  return closed;
}

Status EndWindow(modicum_meter& meter, modicum_window window, int exit_code,
                 modicum_result** out) {
  MODICUM_TRY(ClosedWindow closed, Close(meter, window));
  auto result = std::make_unique<modicum_result>(
      ResultOf(meter, closed.reading, exit_code));
  if (!closed.window.run.empty()) result->run.id.text = closed.window.run;
  if (!closed.window.inside.empty())
    result->run.tags[kInsideTag] = closed.window.inside;
  for (WindowReading& phase : closed.phases)
    result->phases.push_back(ResultOf(meter, std::move(phase), exit_code));
  Status recorded;
  if (meter.ledger)
    recorded = meter.ledger->Put(
        result->run, MeasurementsOf(result->run, closed.reading, "window"));
  if (!recorded) result->record_error = recorded.error().message;
  if (out != nullptr) *out = result.release();
  return recorded;
}

}  // namespace
}  // namespace modicum::internal

using modicum::Status;
using modicum::WindowId;
using modicum::internal::Guarded;
using modicum::internal::NullArgument;
using modicum::internal::Owned;

void modicum_options_init(modicum_options* options, size_t size) {
  if (options == nullptr) return;
  modicum_options defaults{};
  defaults.size = size;
  defaults.intensity_g_per_kwh = defaults.pue = defaults.wue_l_per_kwh =
      defaults.tariff_per_kwh = defaults.sample_hz =
          defaults.market_intensity_g_per_kwh = NAN;
  std::memset(options, 0, size);
  std::memcpy(options, &defaults, std::min(size, sizeof defaults));
}

modicum_status modicum_open(const modicum_options* options,
                            modicum_meter** meter) {
  return Guarded([&]() -> Status {
    if (meter == nullptr) return NullArgument("meter");
    *meter = nullptr;
    MODICUM_TRY(const modicum_options taken, modicum::internal::Taken(options));
    MODICUM_TRY(auto opened, modicum::internal::OpenMeter(taken));
    *meter = opened.release();
    return {};
  });
}

void modicum_close(modicum_meter* meter) {
  // In a forked child there is no thread to wait for: the copy is left alone.
  if (meter != nullptr && meter->owner == getpid()) delete meter;
}

modicum_status modicum_begin(modicum_meter* meter, const char* name,
                             modicum_edge edge, modicum_window* window) {
  return Owned(meter, [&]() -> Status {
    if (window == nullptr) return NullArgument("window");
    MODICUM_TRY(const modicum::Edge how, modicum::internal::EdgeOf(edge));
    const WindowId id = meter->instruments.meter->Begin(
        name == nullptr ? "" : name, meter->subject, how);
    *window = static_cast<modicum_window>(id);
    const std::lock_guard lock(meter->mutex);
    meter->windows.emplace(*window, modicum::internal::OpenWindow{});
    return {};
  });
}

modicum_status modicum_phase(modicum_meter* meter, modicum_window window,
                             const char* name) {
  return Owned(meter, [&]() -> Status {
    return modicum::internal::ChangePhase(*meter, window, name);
  });
}

modicum_status modicum_peek(modicum_meter* meter, modicum_window window,
                            modicum_result** result) {
  return Owned(meter, [&]() -> Status {
    if (result == nullptr) return NullArgument("result");
    MODICUM_TRY(auto reading, meter->instruments.meter->Peek(WindowId{window}));
    *result = new modicum_result(
        modicum::internal::ResultOf(*meter, std::move(reading), 0));
    return {};
  });
}

modicum_status modicum_end(modicum_meter* meter, modicum_window window,
                           int exit_code, modicum_result** result) {
  if (result != nullptr) *result = nullptr;
  return Owned(meter, [&]() -> Status {
    return modicum::internal::EndWindow(*meter, window, exit_code, result);
  });
}
