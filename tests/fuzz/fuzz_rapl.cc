// SPDX-License-Identifier: Apache-2.0
// A powercap tree of any text. Each line is a file, "intel-rapl:0/name
// package-0"; a line "--" ends a state of the tree: the first is opened, the
// others are read. Energy is never negative, a gap holds none, and the
// platform is never counted beside what it contains.
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "probe/rapl.h"

namespace {

using namespace modicum;  // NOLINT(google-build-using-namespace)

constexpr std::string_view kPowercap = "/sys/class/powercap";

// The tree in memory; a file that no state names does not exist.
class TextFs final : public RootFs {
 public:
  void Put(std::string_view line) {
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) return;
    files_[std::string(kPowercap) + "/" + std::string(line.substr(0, space))] =
        line.substr(space + 1);
  }
  Status ReadInto(std::string_view path, std::string& buffer) const override {
    const auto file = files_.find(path);
    if (file == files_.end()) return Fail(ErrorCode::kNotFound, "no file");
    buffer = file->second;
    return {};
  }
  Result<std::vector<std::string>> List(std::string_view) const override {
    std::set<std::string> zones;
    for (const auto& [path, text] : files_) {
      const std::string zone = path.substr(kPowercap.size() + 1);
      zones.insert(zone.substr(0, zone.find('/')));
    }
    return std::vector<std::string>(zones.begin(), zones.end());
  }

 private:
  std::map<std::string, std::string, std::less<>> files_;
};

void CheckDomains(const Probe& probe) {
  bool platform = false;
  bool part = false;
  for (const Domain& domain : probe.domains()) {
    if (!domain.counted) continue;
    (domain.component == "platform" ? platform : part) = true;
  }
  MODICUM_CHECK(!(platform && part));
}

void CheckDeltas(const std::vector<DomainDelta>& deltas) {
  for (const DomainDelta& delta : deltas) {
    MODICUM_CHECK(delta.energy >= Joules(0));
    MODICUM_CHECK(!delta.gap || delta.energy == Joules(0));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  TextFs fs;
  MonotonicTime now;
  std::unique_ptr<Probe> probe;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    if (line != "--") {
      fs.Put(line);
      continue;
    }
    now = now + Seconds(1);
    if (probe == nullptr) {
      auto opened = OpenRapl({fs, HostFacts{}, now});
      if (!opened) return 0;
      probe = *std::move(opened);
      CheckDomains(*probe);
    } else if (const auto deltas = probe->Read(now)) {
      MODICUM_CHECK(deltas->size() == probe->domains().size());
      CheckDeltas(*deltas);
    }
  }
  return 0;
}
