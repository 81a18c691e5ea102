// SPDX-License-Identifier: Apache-2.0
#include "record/start_run.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/environment.h"
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

}  // namespace

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
