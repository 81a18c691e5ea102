// SPDX-License-Identifier: Apache-2.0
#include "record/start_run.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/environment.h"
#include "base/file.h"
#include "base/trim.h"
#include "base/version.h"

namespace modicum {
namespace {

constexpr size_t kUuidLength = 36;
// A command's end is seen by itself a moment before, and after, it is by us.
constexpr int64_t kSlackMicros = 1'000'000;

bool IsUuid(std::string_view text) {
  return text.size() == kUuidLength &&
         text.find_first_not_of("0123456789abcdef-") == text.npos;
}

bool Holds(const Run& outer, const Run& inner) {
  return outer.bill && outer.status != RunStatus::kRunning &&
         outer.id != inner.id && outer.host.boot == inner.host.boot &&
         outer.started.micros <= inner.started.micros + kSlackMicros &&
         inner.ended.micros <= outer.ended.micros + kSlackMicros;
}

// "pid:[4026531836]"; "" where /proc is not to be read.
std::string PidNamespace() {
  std::array<char, 64> text{};
  const ssize_t length =
      readlink("/proc/self/ns/pid", text.data(), text.size());
  return length > 0 ? std::string(text.data(), static_cast<size_t>(length))
                    : "";
}

bool StartedSince(const HostFacts& host, std::string_view boot) {
  std::array<char, 256> name{};
  return !host.boot.empty() && host.boot != boot &&
         gethostname(name.data(), name.size() - 1) == 0 &&
         host.hostname == name.data();
}

bool IsGone(std::string_view process) {
  const size_t space = process.find(' ');
  pid_t pid = 0;
  std::from_chars(process.data(), process.data() + process.size(), pid);
  return space != process.npos && pid > 0 &&
         process.substr(space + 1) == PidNamespace() && kill(pid, 0) != 0 &&
         errno == ESRCH;
}

}  // namespace

std::string ThisProcess() {
  return std::to_string(getpid()) + " " + PidNamespace();
}

void EndIfLost(Run& run) {
  const auto tag = run.tags.find(kProcessTag);
  if (tag == run.tags.end()) return;
  const std::string process = tag->second;
  run.tags.erase(tag);
  const auto text = ReadFile("/proc/sys/kernel/random/boot_id");
  if (run.status != RunStatus::kRunning || !text) return;
  const std::string_view boot = Trim(*text);
  if (StartedSince(run.host, boot) ||
      (run.host.boot == boot && IsGone(process)))
    run.status = RunStatus::kInterrupted;
}

Run StartRun(std::string kind, std::string name, std::string project,
             const HostFacts& host, WallTime started) {
  MODICUM_CHECK(std::ranges::find(kRunKinds, kind) != std::end(kRunKinds));
  Run run;
  run.id = NewUuid();
  run.kind = std::move(kind);
  run.name = std::move(name);
  run.project = std::move(project);
  run.started = run.ended = started;
  run.host = host;
  run.version = Version();
  const auto outer = EnvironmentText(kRunVariable);
  if (outer && IsUuid(*outer)) run.tags[kInsideTag] = *outer;
  return run;
}

RunsInside FindInside(std::span<const Run> runs) {
  std::map<std::string_view, const Run*> by_id;
  for (const Run& run : runs) by_id.emplace(run.id.text, &run);
  RunsInside inside;
  for (const Run& run : runs) {
    const auto tag = run.tags.find(kInsideTag);
    if (tag == run.tags.end()) continue;
    const auto outer = by_id.find(tag->second);
    if (outer != by_id.end() && Holds(*outer->second, run))
      inside.emplace(run.id.text, outer->second);
  }
  return inside;
}

}  // namespace modicum
