// SPDX-License-Identifier: Apache-2.0
// What every run of the ledger begins with, and which run it is inside of.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "record/types.h"

namespace modicum {

// `modicum run` tells its command its own id in this variable.
inline constexpr char kRunVariable[] = "MODICUM_RUN";
// The tag of a run whose energy another one of this machine holds, too: the
// other's id.
inline constexpr char kInsideTag[] = "inside";

// The kind of runs that lie side by side: rows of one watch, which together are
// a machine.
inline constexpr char kWatchKind[] = "watch";

// Every kind of run that is written.
inline constexpr std::string_view kRunKinds[] = {
    "run",   "fit",    "predict",    "bench",    "tune",   "train",
    "embed", "shrink", "perplexity", "generate", "window", kWatchKind};

// `kind` is one of kRunKinds. A new id, of this version; inside the run that
// started this process, if there is one. It ends where it starts until its end
// is known.
Run StartRun(std::string kind, std::string name, std::string project,
             const HostFacts& host, WallTime started);

// The tag of a row in the ledger that has not ended: whose process could end
// it, "1234 pid:[4026531836]", a number of that namespace.
inline constexpr char kProcessTag[] = "process";
std::string ThisProcess();
// Takes that tag away. Where the process is gone, the run is interrupted: it
// was killed, or the machine was started again since. Who is of another
// machine or namespace is left alone.
void EndIfLost(Run& run);

// By id, those that are inside another of `runs`, which holds their energy: no
// sum may have both. One that outlived the other, or is of another machine (a
// job's environment goes where the job goes), is none.
using RunsInside = std::map<std::string, const Run*>;
RunsInside FindInside(std::span<const Run> runs);

}  // namespace modicum
