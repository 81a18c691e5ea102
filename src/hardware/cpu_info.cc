// SPDX-License-Identifier: Apache-2.0
// /proc/cpuinfo, the affinity mask and the cgroup quotas.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include "base/trim.h"
#include "hardware/detect.h"

namespace modicum {
namespace {

// A machine with more CPUs than this does not exist: the list is nonsense.
constexpr int kMostCpus = 1 << 20;

std::string_view NextLine(std::string_view& rest) {
  const size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest =
      end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return line;
}

std::optional<int> ParseInt(std::string_view text) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// Arm's and Ampere's part numbers: Linux, arch/arm64/include/asm/cputype.h.
std::string ArmCore(std::string_view implementer, std::string_view part) {
  struct Part {
    std::string_view implementer, part, name;
  };
  static constexpr Part kParts[] = {
      {"0x41", "0xd03", "ARM Cortex-A53"},
      {"0x41", "0xd08", "ARM Cortex-A72"},
      {"0x41", "0xd0b", "ARM Cortex-A76"},
      {"0x41", "0xd0c", "ARM Neoverse-N1"},
      {"0x41", "0xd40", "ARM Neoverse-V1"},
      {"0x41", "0xd49", "ARM Neoverse-N2"},
      {"0x41", "0xd4f", "ARM Neoverse-V2"},
      {"0xc0", "0xac3", "AmpereOne"},
  };
  for (const Part& known : kParts)
    if (known.implementer == implementer && known.part == part)
      return std::string(known.name);
  return "ARM implementer " + std::string(implementer) + " part " +
         std::string(part);
}

bool HasWord(std::string_view words, std::string_view word) {
  const std::string padded = " " + std::string(words) + " ";
  return padded.find(" " + std::string(word) + " ") != std::string::npos;
}

// The fields of /proc/cpuinfo, collected over all processors.
class Collector {
 public:
  void Add(std::string_view key, std::string_view value) {
    if (key == "processor") {
      ++info_.logical;
    } else if (key == "model name" && info_.model.empty()) {
      info_.model = value;
    } else if (key == "cpu family") {
      family_ = value;
    } else if (key == "model") {
      model_ = value;
    } else if (key == "physical id") {
      socket_ = value;
      sockets_.emplace(value);
    } else if (key == "core id") {
      cores_.emplace(socket_, value);
    } else if (key == "flags") {
      info_.hypervisor = info_.hypervisor || HasWord(value, "hypervisor");
    } else if (key == "CPU implementer") {
      implementer_ = value;
    } else if (key == "CPU part") {
      part_ = value;
    }
  }

  CpuInfo Finish() {
    info_.sockets = static_cast<int>(sockets_.size());
    info_.cores = static_cast<int>(cores_.size());
    info_.arm = !implementer_.empty();
    if (info_.arm) info_.model = ArmCore(implementer_, part_);
    if (!family_.empty() && !model_.empty())
      info_.id = "family " + family_ + " model " + model_;
    return std::move(info_);
  }

 private:
  CpuInfo info_;
  std::string family_, model_, socket_, implementer_, part_;
  std::set<std::string> sockets_;
  std::set<std::pair<std::string, std::string>> cores_;
};

// The last path of the controller in /proc/self/cgroup: "0::/a/b" (v2, with an
// empty controller) or "4:cpu,cpuacct:/a/b" (v1).
std::string CgroupPath(std::string_view text, std::string_view controller) {
  while (!text.empty()) {
    const std::string_view line = NextLine(text);
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos)
      continue;
    std::string names(line.substr(first + 1, second - first - 1));
    std::ranges::replace(names, ',', ' ');
    if (controller.empty() ? names.empty() : HasWord(names, controller))
      return std::string(line.substr(second + 1));
  }
  return "/";
}

// "max 100000" or "150000 100000": CPUs; nullopt: no limit.
std::optional<double> ParseQuota(std::string_view quota,
                                 std::string_view period) {
  const auto q = ParseInt(Trim(quota));
  const auto p = ParseInt(Trim(period));
  if (!q || !p || *q <= 0 || *p <= 0) return std::nullopt;
  return static_cast<double>(*q) / *p;
}

std::optional<double> QuotaV2(const RootFs& fs, const std::string& folder) {
  const auto text = ReadTrimmed(fs, folder + "/cpu.max");
  if (!text) return std::nullopt;
  const size_t space = text->find(' ');
  if (space == std::string::npos) return std::nullopt;
  return ParseQuota(std::string_view(*text).substr(0, space),
                    std::string_view(*text).substr(space));
}

std::optional<double> QuotaV1(const RootFs& fs, const std::string& folder) {
  const auto quota = ReadTrimmed(fs, folder + "/cpu.cfs_quota_us");
  const auto period = ReadTrimmed(fs, folder + "/cpu.cfs_period_us");
  if (!quota || !period) return std::nullopt;
  return ParseQuota(*quota, *period);
}

// The tightest quota from the process's own group up to the root.
template <class ReadQuota>
double TightestQuota(const RootFs& fs, const std::string& mount,
                     std::string path, ReadQuota read) {
  double least = kMostCpus;
  while (true) {
    if (path == "/") path.clear();
    if (const auto quota = read(fs, mount + path))
      least = std::min(least, *quota);
    if (path.empty()) return least;
    path.resize(path.find_last_of('/') == std::string::npos
                    ? 0
                    : path.find_last_of('/'));
  }
}

double CgroupCpus(const RootFs& fs) {
  const auto text = fs.Read("/proc/self/cgroup");
  if (!text) return kMostCpus;
  return std::min(
      TightestQuota(fs, "/sys/fs/cgroup", CgroupPath(*text, ""), QuotaV2),
      TightestQuota(fs, "/sys/fs/cgroup/cpu", CgroupPath(*text, "cpu"),
                    QuotaV1));
}

int AffinityCpus(const RootFs& fs) {
  const auto status = fs.Read("/proc/self/status");
  if (!status) return kMostCpus;
  constexpr std::string_view kKey = "Cpus_allowed_list:";
  std::string_view rest = *status;
  while (!rest.empty()) {
    const std::string_view line = NextLine(rest);
    if (line.starts_with(kKey))
      return CountCpuList(Trim(line.substr(kKey.size()))).value_or(kMostCpus);
  }
  return kMostCpus;
}

}  // namespace

CpuInfo ParseCpuInfo(std::string_view text) {
  Collector collector;
  while (!text.empty()) {
    const std::string_view line = NextLine(text);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    collector.Add(Trim(line.substr(0, colon)), Trim(line.substr(colon + 1)));
  }
  return collector.Finish();
}

std::optional<int> CountCpuList(std::string_view list) {
  int count = 0;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view range = list.substr(0, comma);
    list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
    const size_t dash = range.find('-');
    const auto first = ParseInt(range.substr(0, dash));
    const auto last = dash == std::string_view::npos
                          ? first
                          : ParseInt(range.substr(dash + 1));
    if (!first || !last || *first < 0 || *last < *first || *last >= kMostCpus)
      return std::nullopt;
    count += *last - *first + 1;
    if (count > kMostCpus) return std::nullopt;
  }
  if (count == 0) return std::nullopt;
  return count;
}

int UsableCpus(const RootFs& fs, int online) {
  const int quota = static_cast<int>(std::ceil(CgroupCpus(fs)));
  return std::max(1, std::min({online, AffinityCpus(fs), quota}));
}

}  // namespace modicum
