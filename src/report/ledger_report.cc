// SPDX-License-Identifier: Apache-2.0
#include "report/ledger_report.h"

#include <fmt/format.h>

#include "base/format.h"
#include "base/terminal.h"
#include "record/json.h"
#include "report/bill_report.h"
#include "report/columns.h"
#include "report/emissions.h"

namespace modicum {
namespace {

// The columns of an estimate in base units; `of` points to it, or nowhere.
#define ESTIMATE_COLUMNS(name, unit, of)                             \
  FIGURE(name unit, of, ExactNumber(e->mid.value())),                \
      FIGURE(name "low_" unit, of, ExactNumber(e->low().value())),   \
      FIGURE(name "high_" unit, of, ExactNumber(e->high().value())), \
      FIGURE(name "origin", of, std::string(OriginName(e->origin)))
#define FIGURE(name, of, text)                        \
  RunColumn {                                         \
    name, nullptr, [](const Bill& b) -> std::string { \
      const auto* e = of;                             \
      return e == nullptr ? "" : text;                \
    }                                                 \
  }

constexpr RunColumn kColumns[] = {
    {"id", [](const Run& r) { return r.id.text; }},
    {"kind", [](const Run& r) { return r.kind; }},
    {"name", [](const Run& r) { return r.name; }},
    {"project", [](const Run& r) { return r.project; }},
    {"tags", [](const Run& r) { return JoinTags(r.tags); }},
    {"started", [](const Run& r) { return FormatUtc(r.started); }},
    {"ended", [](const Run& r) { return FormatUtc(r.ended); }},
    {"status",
     [](const Run& r) { return std::string(RunStatusName(r.status)); }},
    {"exit_code", [](const Run& r) { return std::to_string(r.exit_code); }},
    {"host", [](const Run& r) { return r.host.hostname; }},
    {"cpu_model", [](const Run& r) { return r.host.cpu_model; }},
    {"wall_s", {}, [](const Bill& b) { return ExactNumber(b.wall.value()); }},
    {"cpu_s", {}, [](const Bill& b) { return ExactNumber(b.cpu.value()); }},
    ESTIMATE_COLUMNS("energy_", "j", &b.energy),
    {"energy_scope",
     {},
     [](const Bill& b) { return std::string(ScopeName(b.energy.scope)); }},
    ESTIMATE_COLUMNS("carbon_", "g", &b.operational),
    ESTIMATE_COLUMNS("carbon_market_", "g",
                     b.operational_market ? &*b.operational_market : nullptr),
    ESTIMATE_COLUMNS("embodied_", "g", b.embodied ? &*b.embodied : nullptr),
    ESTIMATE_COLUMNS("water_", "l", &b.water),
    ESTIMATE_COLUMNS("money_", "amount", b.money ? &b.money->amount : nullptr),
    {"currency",
     {},
     [](const Bill& b) {
       return std::string(b.money ? b.money->currency.view() : "");
     }},
    {"place", {}, [](const Bill& b) { return b.place; }},
    {"missing", {}, [](const Bill& b) { return JoinTexts(b.missing); }},
    {"warnings", {}, [](const Bill& b) { return JoinTexts(b.warnings); }},
    {"version", [](const Run& r) { return r.version; }},
};
#undef ESTIMATE_COLUMNS
#undef FIGURE

constexpr size_t kRunNameColumns = 40;

Table RunsTextTable(std::span<const Run> runs) {
  Table table({{"run", Align::kLeft},
               {"started (UTC)", Align::kLeft},
               {"kind", Align::kLeft},
               {"status", Align::kLeft},
               {"time", Align::kRight},
               {"energy [90 %]", Align::kLeft},
               {"carbon [90 %]", Align::kLeft},
               {"name", Align::kLeft}});
  for (const Run& run : runs) {
    const std::string started = FormatUtc(run.started);
    table.AddRow({run.id.text.substr(0, 8),
                  started.substr(0, 10) + " " + started.substr(11, 5),
                  PlainText(run.kind), std::string(RunStatusName(run.status)),
                  run.bill ? FormatDuration(run.bill->wall) : "-",
                  run.bill ? FormatEstimate(run.bill->energy) : "-",
                  run.bill ? FormatEstimate(run.bill->operational) : "-",
                  PlainText(run.name, kRunNameColumns)});
  }
  return table;
}

template <class T>
std::string JsonArray(std::span<const T> values,
                      std::string (*format)(const T&)) {
  std::string text = "[";
  for (const T& value : values) {
    text += text.size() > 1 ? ",\n" : "\n";
    text += format(value);
  }
  return text + "\n]";
}

template <class T>
std::string Readable(const T& value) {
  return ToJsonText(value, JsonStyle::kReadable);
}

std::string CsvOf(std::span<const RunColumn> columns,
                  std::span<const Run> runs) {
  std::string text = CsvHeader(columns) + "\n";
  for (const Run& run : runs) text += CsvRow(columns, run) + "\n";
  return text;
}

std::string HostText(const HostFacts& host) {
  std::string text = fmt::format(
      "{}, {}, {} logical CPUs, {} RAM, {}", host.hostname, host.cpu_model,
      host.logical_cpus, FormatBytes(host.ram), host.os);
  if (host.virtual_machine)
    text += fmt::format(", virtual machine {}", host.hypervisor);
  for (const std::string& gpu : host.gpus) text += ", " + gpu;
  return PlainText(text);
}

std::string MeasurementsText(std::span<const Measurement> measurements) {
  Table table({{"measurement", Align::kLeft},
               {"phase", Align::kLeft},
               {"domain", Align::kLeft},
               {"probe", Align::kLeft},
               {"wall", Align::kRight},
               {"CPU", Align::kRight},
               {"whole machine's energy [90 %]", Align::kLeft},
               {"contended", Align::kLeft}});
  for (const Measurement& m : measurements)
    table.AddRow(
        {PlainText(m.name, kRunNameColumns),
         m.phase == Phase::kIdle ? "-" : std::string(PhaseName(m.phase)),
         PlainText(m.domain), PlainText(m.probe), FormatDuration(m.wall),
         FormatDuration(m.cpu), FormatEstimate(m.energy),
         m.contended ? "yes" : "no"});
  return table.Text();
}

std::string TrialsText(std::span<const Trial> trials) {
  Table table({{"trial", Align::kLeft},
               {"repeat", Align::kRight},
               {"wall", Align::kRight},
               {"cost [90 %]", Align::kLeft},
               {"outcome", Align::kLeft}});
  for (const Trial& trial : trials)
    table.AddRow(
        {PlainText(trial.name, kRunNameColumns),
         std::to_string(trial.key.repeat), FormatDuration(trial.wall),
         FormatEstimate(trial.cost),
         PlainText(trial.cause.empty() ? trial.outcome
                                       : trial.outcome + ": " + trial.cause)});
  return table.Text();
}

}  // namespace

std::string FormatRunsTable(std::span<const Run> runs) {
  return RunsTextTable(runs).Text();
}

std::string FormatRunsMarkdown(std::span<const Run> runs) {
  return RunsTextTable(runs).Markdown();
}

std::string FormatRunsCsv(std::span<const Run> runs) {
  return CsvOf(kColumns, runs);
}

std::string FormatRunsCodeCarbon(std::span<const Run> runs) {
  constexpr auto kColumnSet = EmissionsColumns::kWithOurs;
  std::string text = EmissionsHeader(kColumnSet) + "\n";
  for (const Run& run : runs) text += EmissionsRow(run, kColumnSet) + "\n";
  return text;
}

std::string FormatRunsJson(std::span<const Run> runs) {
  return JsonArray<Run>(runs, &Readable<Run>) + "\n";
}

std::string FormatRecordJson(const RunRecord& record) {
  return "{\"run\": " + Readable(record.run) + ",\n\"measurements\": " +
         JsonArray<Measurement>(record.measurements, &Readable<Measurement>) +
         ",\n\"trials\": " + JsonArray<Trial>(record.trials, &Readable<Trial>) +
         "}";
}

std::string FormatRecordsJson(std::span<const RunRecord> records) {
  return JsonArray<RunRecord>(records, &FormatRecordJson) + "\n";
}

std::string FormatRecordText(const RunRecord& record) {
  const Run& run = record.run;
  std::string text = fmt::format("id        {}\nname      {}\n", run.id.text,
                                 PlainText(run.name));
  if (!run.project.empty())
    text += fmt::format("project   {}\n", PlainText(run.project));
  if (!run.tags.empty())
    text += fmt::format("tags      {}\n", PlainText(JoinTags(run.tags)));
  text += fmt::format("started   {}\n", FormatUtc(run.started));
  if (run.status != RunStatus::kRunning)
    text += fmt::format("ended     {}\n", FormatUtc(run.ended));
  text += fmt::format("machine   {}\n", HostText(run.host));
  text += FormatRunBill(run, {.verbose = true, .indent = ""});
  if (!record.measurements.empty())
    text += "\n" + MeasurementsText(record.measurements);
  if (!record.trials.empty()) text += "\n" + TrialsText(record.trials);
  return text;
}

}  // namespace modicum
