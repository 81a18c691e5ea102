// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <numeric>

#include "base/format.h"
#include "base/rng.h"
#include "bench/figures.h"
#include "bench/protocol.h"
#include "dataset/catalog.h"
#include "hardware/machine.h"
#include "place/references.h"
#include "record/machine_text.h"

namespace modicum {
namespace {

namespace fs = std::filesystem;

// Of the machine's memory, what models that are measured in turn may take
// together: each is loaded as long as the others are measured.
constexpr double kMemoryShare = 0.4;

// A row to come, and where its model is.
struct Planned {
  BenchRow row;
  std::string path;
};

// Rows on one workload, in the order of the report.
struct PlannedWorkload {
  const TaskSettings* settings = nullptr;
  std::string data;  // as the user names it
  uint64_t batch = 1;
  uint64_t length = 0;
  std::vector<Planned> rows;
};

Bytes SizeOf(const std::string& path) {
  std::error_code error;
  double bytes = 0;
  if (!fs::is_directory(path, error))
    bytes = static_cast<double>(fs::file_size(path, error));
  else
    for (const auto& entry : fs::recursive_directory_iterator(path, error))
      if (entry.is_regular_file(error))
        bytes += static_cast<double>(entry.file_size(error));
  return Bytes(error ? 0 : bytes);
}

// File names; whole paths where two files have one name.
std::vector<std::string> NamesOf(const std::vector<std::string>& paths) {
  std::vector<std::string> names;
  for (const std::string& path : paths)
    names.push_back(fs::path(path).filename().string());
  for (size_t i = 0; i < paths.size(); ++i)
    if (std::count_if(paths.begin(), paths.end(), [&](const std::string& p) {
          return fs::path(p).filename() == fs::path(paths[i]).filename();
        }) > 1)
      names[i] = paths[i];
  return names;
}

bool InShard(const BenchRow& row, const Shard& shard) {
  Sha256 hash;
  for (const std::string& field :
       {row.task, row.model, row.data, std::to_string(row.batch),
        std::to_string(row.length)})
    hash.AddField(field);
  const Hash digest = hash.Finish();
  uint64_t number = 0;
  for (size_t i = 0; i < 8; ++i) number = number << 8 | digest[i];
  return number % shard.of == shard.index;
}

class BenchJob {
 public:
  BenchJob(const BenchConfig& config, const BenchParts& parts)
      : config_(config), parts_(parts) {}

  Result<BenchResult> Run();

 private:
  Status Plan();
  void PlanWorkload(const TaskSettings& settings, const std::string& data,
                    const std::vector<std::string>& models, uint64_t batch,
                    uint64_t length);
  Result<const Dataset*> Load(const TaskSettings& settings,
                              const std::string& data);
  Result<Workload> Draw(const PlannedWorkload& planned);
  Status Measure(PlannedWorkload& planned);
  Status MeasureGroup(const Workload& workload, std::span<Planned> group);
  size_t EndOfGroup(const std::vector<Planned>& rows, size_t begin) const;
  Status Record(const BenchRow& row, std::string_view what, Phase phase,
                const WindowReading& reading);
  void Finish();
  void NoteContention();
  void Progress(std::string_view what) const {
    if (parts_.progress) parts_.progress(done_, total_, what);
  }

  const BenchConfig& config_;
  const BenchParts& parts_;
  std::vector<PlannedWorkload> workloads_;
  uint64_t done_ = 0, total_ = 0;
  uint64_t next_measurement_ = 0;
  // The last that was loaded: workloads of one data set follow each other.
  std::string loaded_;
  const TaskSettings* loaded_for_ = nullptr;
  Dataset data_;
  BenchResult result_;
};

void BenchJob::PlanWorkload(const TaskSettings& settings,
                            const std::string& data,
                            const std::vector<std::string>& models,
                            uint64_t batch, uint64_t length) {
  PlannedWorkload planned{&settings, data, batch, length, {}};
  const std::vector<std::string> names = NamesOf(models);
  for (size_t i = 0; i < models.size(); ++i) {
    BenchRow row;
    row.task = settings.task->name;
    row.data = data.starts_with(kCatalogPrefix)
                   ? data
                   : fs::path(data).filename().string();
    row.batch = batch;
    row.length = length;
    row.new_tokens = settings.task->generates ? settings.new_tokens : 0;
    row.asked = config_.protocol.inferences;
    row.model = names[i];
    row.machine = MachineText(parts_.host);
    ++total_;
    if (InShard(row, parts_.shard))
      planned.rows.push_back({std::move(row), models[i]});
  }
  if (!planned.rows.empty()) workloads_.push_back(std::move(planned));
}

Status BenchJob::Plan() {
  for (const TaskSettings& settings : config_.tasks) {
    MODICUM_TRY(const auto models, FindModels(settings.models));
    std::vector<uint64_t> lengths = settings.lengths;
    if (lengths.empty()) lengths = {settings.task->words};
    for (const std::string& data : settings.data)
      for (const uint64_t length : lengths)
        for (const uint64_t batch : settings.batches)
          PlanWorkload(settings, data, models, batch, length);
  }
  const uint64_t all = total_;
  total_ = 0;
  for (const PlannedWorkload& planned : workloads_)
    total_ += planned.rows.size();
  if (total_ == 0)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("none of the {} rows is in shard {}/{}", all,
                            parts_.shard.index, parts_.shard.of),
                "use fewer shards");
  return {};
}

Result<const Dataset*> BenchJob::Load(const TaskSettings& settings,
                                      const std::string& data) {
  if (loaded_ == data && loaded_for_ == &settings) return &data_;
  Progress("loading " + data);
  std::string path = data;
  if (data.starts_with(kCatalogPrefix)) {
    GetDataOptions options;
    options.stop = parts_.stop;
    options.progress = [this](std::string_view step) { Progress(step); };
    MODICUM_TRY(path, GetData(data.substr(kCatalogPrefix.size()),
                              parts_.data_dir, options));
  }
  MODICUM_TRY(data_, settings.task->load(path, settings));
  loaded_ = data;
  loaded_for_ = &settings;
  return &data_;
}

// A run's items: as many as it has inferences, drawn once by the seed, the
// same for every model; all of them where there are fewer.
Result<Workload> BenchJob::Draw(const PlannedWorkload& planned) {
  MODICUM_TRY(const Dataset* const data, Load(*planned.settings, planned.data));
  std::vector<uint32_t> order(data->items.size());
  std::iota(order.begin(), order.end(), 0U);
  Rng(config_.protocol.seed).Shuffle(order);
  order.resize(std::min<uint64_t>(order.size(), config_.protocol.inferences));
  Dataset drawn;
  for (const uint32_t row : order) drawn.items.push_back(data->items[row]);
  if (!data->labels.empty()) GroupNearDuplicates(drawn);
  Workload workload{planned.settings,
                    planned.rows[0].row.data,
                    data->hash,
                    data->labels,
                    {},
                    planned.batch,
                    planned.length};
  for (Item& item : drawn.items)
    planned.settings->task->shape(item, planned.length);
  workload.items = std::move(drawn.items);
  return workload;
}

Status BenchJob::Record(const BenchRow& row, std::string_view what, Phase phase,
                        const WindowReading& reading) {
  if (parts_.ledger == nullptr) return {};
  Measurement measurement;
  measurement.key = {parts_.run, parts_.host.boot, "host", next_measurement_++};
  measurement.name =
      fmt::format("{}, {}, {}: {}", row.task, row.data, RowName(row), what);
  measurement.phase = phase;
  measurement.domain = "process";
  measurement.probe = "meter";
  measurement.at = reading.began;
  measurement.wall = reading.wall;
  measurement.cpu = reading.cpu;
  measurement.energy = reading.split.own();
  measurement.contended = reading.contended;
  return parts_.ledger->Put(std::span(&measurement, 1));
}

// As many rows as fit into memory together, one at least.
size_t BenchJob::EndOfGroup(const std::vector<Planned>& rows,
                            size_t begin) const {
  Bytes sum;
  size_t end = begin;
  for (; end < rows.size(); ++end) {
    sum += SizeOf(rows[end].path);
    if (end > begin && parts_.host.ram > Bytes(0) &&
        sum > parts_.host.ram * kMemoryShare)
      break;
  }
  return end;
}

Status BenchJob::MeasureGroup(const Workload& workload,
                              std::span<Planned> group) {
  std::vector<BenchEntry> entries;
  for (Planned& planned : group) {
    planned.row.data_hash = workload.data_hash;
    // Outside of the window of loading, which then finds the file in memory,
    // for every model alike.
    if (std::error_code ignored; fs::is_regular_file(planned.path, ignored))
      if (const auto hash = Sha256OfFile(planned.path))
        planned.row.model_hash = *hash;
    entries.push_back(
        {&planned.row, [&workload, path = planned.path](const CallOptions& call,
                                                        PhaseSink& sink) {
           return workload.settings->task->open(path, workload, call, sink);
         }});
  }
  const ProtocolParts protocol{
      parts_.meter, parts_.clock, parts_.stop,
      [this](const BenchRow& row, std::string_view what, Phase phase,
             const WindowReading& reading) {
        return Record(row, what, phase, reading);
      },
      [this](std::string_view what) { Progress(what); }};
  const Status measured =
      MeasureInTurn(workload, entries, config_.protocol, protocol);
  for (Planned& planned : group) {
    BenchRow& row = planned.row;
    FillFigures(row, workload.settings->task->unit, parts_.place);
    // What an interrupt left without a run was not measured.
    if (measured || !row.runs.empty() || !row.failure.empty())
      result_.rows.push_back(std::move(row));
  }
  done_ += group.size();
  return measured;
}

Status BenchJob::Measure(PlannedWorkload& planned) {
  MODICUM_TRY(const Workload workload, Draw(planned));
  size_t groups = 0;
  for (size_t begin = 0; begin < planned.rows.size(); ++groups) {
    const size_t end = EndOfGroup(planned.rows, begin);
    MODICUM_RETURN_IF_ERROR(MeasureGroup(
        workload, std::span(planned.rows).subspan(begin, end - begin)));
    begin = end;
  }
  if (groups > 1)
    result_.notes.push_back(fmt::format(
        "{} on {}: the models do not fit into memory together and were "
        "measured in {} groups, one after the other",
        planned.rows[0].row.task, workload.data, groups));
  return {};
}

void BenchJob::NoteContention() {
  const auto measured = [](const BenchRow& row) { return !row.runs.empty(); };
  const auto never_quiet = [](const BenchRow& row) {
    return !row.runs.empty() && row.contended == row.runs.size();
  };
  const auto& rows = result_.rows;
  const auto count = std::count_if(rows.begin(), rows.end(), never_quiet);
  if (count == 0) return;
  result_.notes.push_back(fmt::format(
      "the machine was never quiet while {} of {} rows were measured: every "
      "run of theirs is contended, the figures are with them",
      count, std::count_if(rows.begin(), rows.end(), measured)));
}

void BenchJob::Finish() {
  result_.name = config_.name;
  result_.protocol = config_.protocol;
  if (parts_.shard.of > 1)
    result_.protocol.shard =
        fmt::format("{}/{}", parts_.shard.index, parts_.shard.of);
  result_.place = parts_.place.name;
  result_.created = FormatUtc(parts_.clock.WallNow());
  result_.version = parts_.version;
  result_.run = parts_.run;
  result_.missing = NotCounted(parts_.host, parts_.meter.components());
  result_.factors = parts_.place.factors;
  for (Factor& factor : EverydayFactors())
    result_.factors.push_back(std::move(factor));
  std::vector<const BenchTask*> seen;
  for (const TaskSettings& settings : config_.tasks) {
    const BenchTask* task = settings.task;
    if (task->published.empty() ||
        std::find(seen.begin(), seen.end(), task) != seen.end())
      continue;
    seen.push_back(task);
    for (Reference& figure : ReferencesFor(task->published)) {
      result_.factors.push_back({figure.name, figure.joules_per_1000,
                                 "J per 1,000", figure.source, figure.date});
      result_.published.push_back({std::string(task->name), std::move(figure)});
    }
  }
  NoteContention();
  RateRows(result_, parts_.reference);
}

Result<BenchResult> BenchJob::Run() {
  MODICUM_RETURN_IF_ERROR(CheckBenchConfig(config_));
  MODICUM_RETURN_IF_ERROR(Plan());
  for (PlannedWorkload& planned : workloads_) {
    const Status measured = Measure(planned);
    if (measured) continue;
    if (measured.error().code != ErrorCode::kInterrupted)
      return Fail(measured.error());
    result_.interrupted = true;
    break;
  }
  if (result_.interrupted)
    result_.notes.push_back(fmt::format("interrupted: {} of {} rows are here",
                                        result_.rows.size(), total_));
  Finish();
  return std::move(result_);
}

}  // namespace

Result<Shard> ParseShard(std::string_view text) {
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto index = std::from_chars(text.data(), end, shard.index);
  if (index.ec == std::errc() && index.ptr != end && *index.ptr == '/') {
    const auto of = std::from_chars(index.ptr + 1, end, shard.of);
    if (of.ec == std::errc() && of.ptr == end && shard.index < shard.of)
      return shard;
  }
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("--shard '{}' is not i/N", text),
              "with N shards, i goes from 0 to N - 1: 0/8, 1/8, ..., 7/8");
}

Result<BenchResult> RunBench(const BenchConfig& config,
                             const BenchParts& parts) {
  return BenchJob(config, parts).Run();
}

}  // namespace modicum
