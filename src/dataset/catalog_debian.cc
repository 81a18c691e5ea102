// SPDX-License-Identifier: Apache-2.0
// Manual pages and R's tables out of Debian packages. A point release changes
// a package's version and hash, so what counts is what is made of it.
#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "dataset/catalog_job.h"
#include "dataset/debian.h"
#include "dataset/json_line.h"
#include "dataset/payload_text.h"

namespace modicum {
namespace {

namespace fs = std::filesystem;

// The frame of R that is read, and its answer column.
constexpr char kFrameFolder[] = "usr/lib/R/site-library/mlbench/data";
constexpr char kFrame[] = "LetterRecognition";
constexpr char kFrameLabel[] = "lettr";

// The archive of `package` in `folder`, whatever its version; "" if none.
fs::path ArchiveOf(const fs::path& folder, std::string_view package) {
  fs::path newest;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (name.ends_with(".deb") && name.starts_with(package) &&
        name.substr(package.size()).starts_with('_'))
      newest = std::max(newest, at->path());
  }
  return newest;
}

std::string ByHand(const CatalogJob& job) {
  return fmt::format("or put the .deb files of {} into {}",
                     fmt::join(SplitWords(job.entry.packages), ", "),
                     job.folder.string());
}

// One archive for each package; those in the entry's folder, put there by
// hand, come first.
Result<std::vector<fs::path>> ObtainPackages(const CatalogJob& job) {
  std::vector<fs::path> archives;
  std::vector<std::string> missing;
  for (const std::string_view package : SplitWords(job.entry.packages)) {
    fs::path archive = ArchiveOf(job.folder, package);
    if (archive.empty())
      missing.emplace_back(package);
    else
      archives.push_back(std::move(archive));
  }
  if (missing.empty()) return archives;
  MODICUM_RETURN_IF_ERROR(job.Download(
      job.options.apt_command, missing, "Debian and its kin have apt-get",
      "check the network, run apt-get update", ByHand(job)));
  for (const std::string& package : missing) {
    archives.push_back(ArchiveOf(job.work(), package));
    if (archives.back().empty())
      return Fail(ErrorCode::kInternal,
                  fmt::format("{} did not write an archive of {}",
                              job.options.apt_command[0], package));
  }
  return archives;
}

// All packages into one folder.
Result<fs::path> Unpack(const CatalogJob& job,
                        const std::vector<fs::path>& archives) {
  job.Say("unpacking");
  const fs::path folder = job.work() / "unpacked";
  MODICUM_RETURN_IF_ERROR(MakeFolder(folder));
  for (const fs::path& archive : archives)
    MODICUM_RETURN_IF_ERROR(
        job.Run({"dpkg-deb", "-x", fs::absolute(archive).string(), "."}, folder,
                "remove a broken archive; check that the disk is not full"));
  return folder;
}

Result<fs::path> Unpacked(const CatalogJob& job) {
  MODICUM_TRY(const std::vector<fs::path> archives, ObtainPackages(job));
  return Unpack(job, archives);
}

Status CheckContent(const CatalogJob& job, std::string_view content) {
  const std::string hash = ToHex(Sha256Of(content));
  if (hash == job.entry.sha256) return {};
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("{} is not the expected data: its SHA-256 is {}, not {}",
                  job.entry.file, hash, job.entry.sha256),
      fmt::format("the packages differ from those of {}; put those into {}",
                  job.entry.origin, job.folder.string()));
}

std::string JsonLineOf(const Paragraph& paragraph) {
  return fmt::format("{{\"text\":{},\"label\":{},\"group\":{},\"id\":{}}}\n",
                     JsonString(paragraph.text), JsonString(paragraph.language),
                     JsonString(paragraph.page),
                     JsonString(fmt::format("{}/{}:{}", paragraph.language,
                                            paragraph.page, paragraph.number)));
}

}  // namespace

Result<std::string> MakeManPages(const CatalogJob& job) {
  MODICUM_TRY(const DebianReader* reader, FindDebianReader());
  MODICUM_TRY(const fs::path folder, Unpacked(job));
  MODICUM_RETURN_IF_ERROR(job.Run({"find", ".", "-type", "f", "-name", "*.gz",
                                   "-exec", "gzip", "-d", "{}", "+"},
                                  folder, "check that the disk is not full"));
  MODICUM_TRY(const std::vector<Paragraph> paragraphs,
              reader->Languages(folder.string(), [&](size_t page, size_t all) {
                return job.ReadStep(page, all, "manual pages");
              }));
  std::string lines;
  for (const Paragraph& paragraph : paragraphs) lines += JsonLineOf(paragraph);
  MODICUM_RETURN_IF_ERROR(CheckContent(job, lines));
  return lines;
}

Result<std::string> MakeRTable(const CatalogJob& job) {
  MODICUM_TRY(const DebianReader* reader, FindDebianReader());
  MODICUM_TRY(const fs::path folder, Unpacked(job));
  const fs::path data = folder / kFrameFolder;
  const std::string file = std::string(kFrame) + ".rda";
  if (!fs::exists(data / file))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("the archive of {} has no {}/{}",
                            job.entry.packages, kFrameFolder, file),
                fmt::format("put that of {} into {}", job.entry.origin,
                            job.folder.string()));
  MODICUM_RETURN_IF_ERROR(job.Run({"xz", "-d", "--suffix=.rda", file}, data,
                                  "check that the disk is not full"));
  MODICUM_TRY(const std::string frame, ReadFile((data / kFrame).string()));
  MODICUM_TRY(std::string table, reader->Table(frame, kFrameLabel));
  MODICUM_RETURN_IF_ERROR(CheckContent(job, table));
  return table;
}

}  // namespace modicum
