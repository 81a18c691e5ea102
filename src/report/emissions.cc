// SPDX-License-Identifier: Apache-2.0
#include "report/emissions.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <optional>
#include <utility>

#include "base/csv.h"
#include "base/format.h"
#include "base/suggest.h"
#include "report/columns.h"

namespace modicum {
namespace {

// The value of the first factor whose name begins with `name`.
double FactorOr(const Bill& bill, std::string_view name, double otherwise) {
  for (const Factor& factor : bill.factors)
    if (factor.name.starts_with(name)) return factor.value;
  return otherwise;
}

double Pue(const Bill& bill) { return FactorOr(bill, "PUE", 1); }

Joules EnergyOf(const Bill& bill, std::string_view component) {
  Joules sum;
  for (const BillLine& line : bill.lines)
    if (line.component == component) sum += line.energy.mid;
  return sum;
}

// CodeCarbon's energies include the PUE, its powers do not.
std::string FacilityEnergy(const Bill& bill, Joules it_energy) {
  return ExactNumber(InKilowattHours(it_energy) * Pue(bill));
}
std::string PowerOf(const Bill& bill, std::string_view component) {
  if (bill.wall <= Seconds(0)) return "0";
  return ExactNumber((EnergyOf(bill, component) / bill.wall).value());
}
std::string Kilograms(double grams) { return ExactNumber(grams / 1000); }
std::string KilowattHoursOf(double joules) {
  return ExactNumber(InKilowattHours(Joules(joules)));
}

// As CodeCarbon writes it: this machine's time, without a zone.
std::string LocalTime(WallTime time) {
  const time_t seconds = time.micros / 1'000'000;
  tm parts{};
  localtime_r(&seconds, &parts);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  return text;
}

// "2 x H100": the first model, as CodeCarbon has it for equal ones.
std::string GpuModels(const HostFacts& host) {
  std::string text;
  for (size_t i = 0; i < host.gpus.size();) {
    size_t end = i;
    while (end < host.gpus.size() && host.gpus[end] == host.gpus[i]) ++end;
    text += std::to_string(end - i) + " x " + host.gpus[i];
    i = end;
  }
  return text;
}

constexpr double kBytesPerGibibyte = 1024.0 * 1024 * 1024;

std::string Empty(const Run&) { return ""; }

// CodeCarbon 3's columns in its order, then ours.
constexpr size_t kTheirs = 38;
constexpr RunColumn kEmissionsColumns[] = {
    {"timestamp", [](const Run& r) { return LocalTime(r.ended); }},
    {"project_name", [](const Run& r) { return r.project; }},
    {"run_id", [](const Run& r) { return r.id.text; }},
    {"experiment_id", Empty},
    {"duration", {}, [](const Bill& b) { return ExactNumber(b.wall.value()); }},
    {"emissions",
     {},
     [](const Bill& b) { return Kilograms(b.operational.mid.value()); }},
    {"emissions_rate",
     {},
     [](const Bill& b) {
       if (b.wall <= Seconds(0)) return std::string("0");
       return Kilograms(b.operational.mid.value() / b.wall.value());
     }},
    {"cpu_power", {}, [](const Bill& b) { return PowerOf(b, "cpu"); }},
    {"gpu_power", {}, [](const Bill& b) { return PowerOf(b, "gpu"); }},
    {"ram_power", {}, [](const Bill& b) { return PowerOf(b, "dram"); }},
    {"cpu_energy",
     {},
     [](const Bill& b) { return FacilityEnergy(b, EnergyOf(b, "cpu")); }},
    {"gpu_energy",
     {},
     [](const Bill& b) { return FacilityEnergy(b, EnergyOf(b, "gpu")); }},
    {"ram_energy",
     {},
     [](const Bill& b) { return FacilityEnergy(b, EnergyOf(b, "dram")); }},
    {"energy_consumed",
     {},
     [](const Bill& b) { return FacilityEnergy(b, b.energy.mid); }},
    {"water_consumed",
     {},
     [](const Bill& b) { return ExactNumber(b.water.mid.value()); }},
    {"country_name", {}, [](const Bill& b) { return b.place; }},
    {"country_iso_code", Empty},
    {"region", Empty},
    {"cloud_provider", Empty},
    {"cloud_region", Empty},
    {"os", [](const Run& r) { return r.host.os; }},
    {"python_version", Empty},
    {"codecarbon_version", Empty},
    {"cpu_count",
     [](const Run& r) { return std::to_string(r.host.logical_cpus); }},
    {"cpu_model", [](const Run& r) { return r.host.cpu_model; }},
    {"gpu_count",
     [](const Run& r) {
       return r.host.gpus.empty() ? "" : std::to_string(r.host.gpus.size());
     }},
    {"gpu_model", [](const Run& r) { return GpuModels(r.host); }},
    {"longitude", Empty},
    {"latitude", Empty},
    {"ram_total_size",
     [](const Run& r) {
       return ExactNumber(r.host.ram.value() / kBytesPerGibibyte);
     }},
    {"tracking_mode", [](const Run&) { return std::string("process"); }},
    {"cpu_utilization_percent", Empty},
    {"gpu_utilization_percent", Empty},
    {"ram_utilization_percent", Empty},
    {"ram_used_gb", Empty},
    {"on_cloud", [](const Run&) { return std::string("N"); }},
    {"pue", {}, [](const Bill& b) { return ExactNumber(Pue(b)); }},
    {"wue",
     {},
     [](const Bill& b) { return ExactNumber(FactorOr(b, "WUE", 0)); }},

    {"modicum_kind", [](const Run& r) { return r.kind; }},
    {"modicum_name", [](const Run& r) { return r.name; }},
    {"modicum_tags", [](const Run& r) { return JoinTags(r.tags); }},
    {"modicum_status",
     [](const Run& r) { return std::string(RunStatusName(r.status)); }},
    {"modicum_exit_code",
     [](const Run& r) { return std::to_string(r.exit_code); }},
    {"modicum_started_utc", [](const Run& r) { return FormatUtc(r.started); }},
    {"modicum_cpu_seconds",
     {},
     [](const Bill& b) { return ExactNumber(b.cpu.value()); }},
    {"modicum_it_energy_kwh",
     {},
     [](const Bill& b) { return KilowattHoursOf(b.energy.mid.value()); }},
    {"modicum_it_energy_low_kwh",
     {},
     [](const Bill& b) { return KilowattHoursOf(b.energy.low().value()); }},
    {"modicum_it_energy_high_kwh",
     {},
     [](const Bill& b) { return KilowattHoursOf(b.energy.high().value()); }},
    {"modicum_energy_origin",
     {},
     [](const Bill& b) { return std::string(OriginName(b.energy.origin)); }},
    {"modicum_energy_scope",
     {},
     [](const Bill& b) { return std::string(ScopeName(b.energy.scope)); }},
    {"modicum_emissions_low_kg",
     {},
     [](const Bill& b) { return Kilograms(b.operational.low().value()); }},
    {"modicum_emissions_high_kg",
     {},
     [](const Bill& b) { return Kilograms(b.operational.high().value()); }},
    {"modicum_embodied_kg",
     {},
     [](const Bill& b) {
       return b.embodied ? Kilograms(b.embodied->mid.value()) : "";
     }},
    {"modicum_cost",
     {},
     [](const Bill& b) {
       return b.money ? ExactNumber(b.money->amount.mid.value()) : "";
     }},
    {"modicum_currency",
     {},
     [](const Bill& b) {
       return std::string(b.money ? b.money->currency.view() : "");
     }},
    {"modicum_missing", {}, [](const Bill& b) { return JoinTexts(b.missing); }},
    {"modicum_version", [](const Run& r) { return r.version; }},
    {"modicum_disk_energy_kwh",
     {},
     [](const Bill& b) {
       return KilowattHoursOf(EnergyOf(b, "disk").value());
     }},
    {"modicum_network_energy_kwh",
     {},
     [](const Bill& b) {
       return b.network ? KilowattHoursOf(b.network->energy.mid.value()) : "";
     }},
    {"modicum_emissions_market_kg",
     {},
     [](const Bill& b) {
       return b.operational_market
                  ? Kilograms(b.operational_market->mid.value())
                  : "";
     }},
};

std::span<const RunColumn> ColumnsOf(EmissionsColumns columns) {
  const std::span<const RunColumn> all(kEmissionsColumns);
  return columns == EmissionsColumns::kCodeCarbon ? all.first(kTheirs) : all;
}

// Columns that say what a run was, not what it took.
constexpr std::string_view kLabels[] = {
    "project_name",
    "run_id",
    "experiment_id",
    "country_name",
    "country_iso_code",
    "region",
    "cloud_provider",
    "cloud_region",
    "python_version",
    "codecarbon_version",
    "longitude",
    "latitude",
    "tracking_mode",
    "cpu_utilization_percent",
    "gpu_utilization_percent",
    "ram_utilization_percent",
    "ram_used_gb",
    "on_cloud",
};

Status CheckLabels(const EmissionsLabels& labels) {
  for (const auto& [column, text] : labels)
    if (std::find(std::begin(kLabels), std::end(kLabels), column) ==
        std::end(kLabels))
      return Fail(ErrorCode::kInvalidInput,
                  "column '" + column + "' cannot be given" +
                      DidYouMean(column, kLabels),
                  "labels are texts such as experiment_id or python_version; "
                  "figures are measured");
  return {};
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);  // which also unlocks it
  }
  FileDescriptor(FileDescriptor&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> CannotWrite(const std::string& path, int error) {
  const bool denied = error == EACCES || error == EPERM || error == EROFS;
  return Fail(denied ? ErrorCode::kPermission : ErrorCode::kIo,
              "cannot write " + path + ": " + std::strerror(error),
              error == ENOSPC ? "free some space, or name a file elsewhere"
                              : "check that its folder exists and is writable");
}

// How the file ends and begins, as far as appending needs to know.
struct CsvFile {
  off_t size = 0;
  std::string first_line;
  bool ends_with_line_end = true;
};

Result<CsvFile> Inspect(int fd, const std::string& path) {
  struct stat facts {};
  if (fstat(fd, &facts) != 0) return CannotWrite(path, errno);
  CsvFile file{facts.st_size, {}, true};
  if (file.size == 0) return file;
  constexpr size_t kLongestHeader = 64 * 1024;
  file.first_line.resize(kLongestHeader);
  const ssize_t got = pread(fd, file.first_line.data(), kLongestHeader, 0);
  char last = '\n';
  if (got < 0 || pread(fd, &last, 1, file.size - 1) != 1)
    return CannotWrite(path, errno);
  file.first_line.resize(static_cast<size_t>(got));
  file.first_line.resize(
      std::min(file.first_line.find('\n'), file.first_line.size()));
  file.ends_with_line_end = last == '\n';
  return file;
}

tl::unexpected<Error> OtherColumns(const std::string& path, size_t at,
                                   const std::vector<std::string>& found) {
  const auto all = ColumnsOf(EmissionsColumns::kWithOurs);
  const std::string place = path + ": column " + std::to_string(at + 1);
  const std::string has =
      at < found.size() ? "is '" + found[at] + "'" : std::string("is missing");
  const std::string wanted =
      at < all.size() ? "expected '" + std::string(all[at].name) + "'"
                      : "expected no more columns";
  return Fail(ErrorCode::kInvalidInput, place + " " + has + ", " + wanted,
              "name another file, or move this one away; the columns are "
              "CodeCarbon 3's, with or without Modicum's after");
}

// How many of ours, from the first: all of CodeCarbon's at least. A version of
// before had fewer.
Result<size_t> ColumnsInFile(const std::string& path,
                             const std::string& header) {
  CsvReader reader(header);
  MODICUM_TRY(const auto record, reader.Next());
  const std::vector<std::string> found =
      record.value_or(std::vector<std::string>{});
  const auto all = ColumnsOf(EmissionsColumns::kWithOurs);
  size_t same = 0;
  while (same < std::min(found.size(), all.size()) &&
         found[same] == all[same].name)
    ++same;
  if (same == found.size() && same >= kTheirs) return same;
  return OtherColumns(path, same, found);
}

// For appending, while nobody else does. Who had it before and could not write
// may have removed it: what is at `path` then is another file.
Result<FileDescriptor> OpenAlone(const std::string& path) {
  constexpr int kMostTries = 100;  // a file system may have no fixed inodes
  for (int tries = 1;; ++tries) {
    FileDescriptor file(
        open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
    if (file.get() < 0) return CannotWrite(path, errno);
    while (flock(file.get(), LOCK_EX) != 0)
      if (errno != EINTR) return CannotWrite(path, errno);
    struct stat ours {};
    struct stat there {};
    if (fstat(file.get(), &ours) != 0) return CannotWrite(path, errno);
    if (tries == kMostTries ||
        (stat(path.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino))
      return file;
  }
}

// All of `text` or nothing: a part, as a full disk leaves it, is taken back.
Status AppendWhole(int fd, const std::string& path, const std::string& text,
                   off_t size) {
  const ssize_t wrote = write(fd, text.data(), text.size());
  if (wrote == static_cast<ssize_t>(text.size())) return {};
  const int error = wrote < 0 ? errno : ENOSPC;
  if (wrote > 0 && ftruncate(fd, size) != 0) return CannotWrite(path, errno);
  return CannotWrite(path, error);
}

}  // namespace

std::string EmissionsHeader(EmissionsColumns columns) {
  return CsvHeader(ColumnsOf(columns));
}

std::string EmissionsRow(const Run& run, EmissionsColumns columns,
                         const EmissionsLabels& labels) {
  return CsvRow(ColumnsOf(columns), run, labels);
}

Status CheckEmissionsFile(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0) {
    const std::string folder =
        std::filesystem::absolute(path).parent_path().string();
    const bool new_file = errno == ENOENT && access(folder.c_str(), W_OK) == 0;
    return new_file ? Status() : CannotWrite(path, errno);
  }
  MODICUM_TRY(const CsvFile found, Inspect(file.get(), path));
  if (found.size == 0) return {};
  const auto columns = ColumnsInFile(path, found.first_line);
  return columns ? Status() : Fail(columns.error());
}

Status AppendEmissionsRow(const std::string& path, const Run& run,
                          const EmissionsLabels& labels) {
  MODICUM_RETURN_IF_ERROR(CheckLabels(labels));
  const bool is_new = access(path.c_str(), F_OK) != 0;
  MODICUM_TRY(const FileDescriptor file, OpenAlone(path));
  MODICUM_TRY(const CsvFile before, Inspect(file.get(), path));
  const auto all = ColumnsOf(EmissionsColumns::kWithOurs);
  size_t columns = all.size();
  std::string text;
  if (before.size == 0) {
    text = CsvHeader(all) + "\n";
  } else {
    MODICUM_TRY(columns, ColumnsInFile(path, before.first_line));
    if (!before.ends_with_line_end) text = "\n";
  }
  text += CsvRow(all.first(columns), run, labels) + "\n";
  const Status appended = AppendWhole(file.get(), path, text, before.size);
  if (!appended && is_new && before.size == 0) unlink(path.c_str());
  return appended;
}

}  // namespace modicum
