// SPDX-License-Identifier: Apache-2.0
#include "cli/rerun.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/terminal.h"
#include "base/version.h"
#include "cli/instruments.h"
#include "fit/fit.h"
#include "fit/task.h"
#include "place/place_settings.h"
#include "record/ledger.h"

namespace modicum {
namespace {

// Gone at the end, with all that was written there.
class Scratch {
 public:
  static Result<std::unique_ptr<Scratch>> Make() {
    std::error_code failed;
    std::string path =
        (std::filesystem::temp_directory_path(failed) / "modicum-rerun-XXXXXX")
            .string();
    if (mkdtemp(path.data()) == nullptr)
      return Fail(ErrorCode::kIo,
                  "cannot create " + path + ": " + std::strerror(errno),
                  "TMPDIR names another place");
    return std::unique_ptr<Scratch>(new Scratch(std::move(path)));
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// The task with its data as a path.
Result<Task> TaskOf(const Context& context, const Receipt& receipt,
                    const std::string& data_folder) {
  MODICUM_TRY(Task task, ParseTask(receipt.evidence.task_file,
                                   data_folder + "/task.toml"));
  GetDataOptions get;
  get.stop = context.stop;
  MODICUM_TRY(task.data, ObtainData(task, context.settings.data_dir, get));
  return task;
}

Status CheckData(const Task& task, const FitEvidence& evidence) {
  const auto hash = Sha256OfFile(task.data);
  if (!hash)
    return Fail(hash.error().code,
                "cannot rerun: the data " + evidence.data +
                    " is not here: " + hash.error().message,
                "--data-folder names the folder that the task file's path of "
                "the data starts from");
  if (*hash == evidence.data_hash) return {};
  return Fail(ErrorCode::kInvalidInput,
              "cannot rerun: " + task.data +
                  " is other data than the receipt's: its SHA-256 is " +
                  ToHex(*hash) + ", stated " + ToHex(evidence.data_hash),
              "figures on other data would say nothing about this receipt");
}

}  // namespace

Result<FitResult> Rerun(const Context& context, const Receipt& receipt,
                        const std::string& data_folder) {
  MODICUM_TRY(const Task task, TaskOf(context, receipt, data_folder));
  MODICUM_RETURN_IF_ERROR(CheckData(task, receipt.evidence));
  MODICUM_TRY(const Instruments instruments,
              OpenInstruments(context, PlaceQueryOf(context.settings)));
  MODICUM_TRY(const auto scratch, Scratch::Make());
  MODICUM_TRY(const auto ledger,
              Ledger::Open(scratch->path() + "/ledger.sqlite"));
  FitParts parts{
      *ledger,    *instruments.meter,     instruments.place, instruments.host,
      context.fs, context.clock,          context.stop,      scratch->path(),
      "",         std::string(Version()), "rerun",           NewUuid()};
  std::optional<Progress> progress;
  uint64_t steps = 0;
  parts.progress = [&](uint64_t done, uint64_t total, std::string_view what) {
    if (total != steps) progress.emplace(stderr, "rerun", total, context.clock);
    steps = total;
    progress->Update(done, what);
  };
  MODICUM_TRY(FitReport report, Fit(task, parts));
  return std::move(report.result);
}

}  // namespace modicum
