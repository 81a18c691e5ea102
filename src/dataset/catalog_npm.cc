// SPDX-License-Identifier: Apache-2.0
// Mails out of an npm package.
#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "dataset/catalog_job.h"
#include "dataset/json_line.h"
#include "dataset/mail.h"

namespace modicum {
namespace {

namespace fs = std::filesystem;

// The archive in the work folder.
Result<fs::path> Download(const CatalogJob& job) {
  MODICUM_RETURN_IF_ERROR(
      job.Download(job.options.pack_command, {std::string(job.entry.packages)},
                   "install npm (Debian: apt install npm)",
                   "check the network and npm's registry setting",
                   fmt::format("or put {} into {}", job.entry.archive,
                               job.folder.string())));
  const fs::path archive = job.work() / job.entry.archive;
  if (fs::exists(archive)) return archive;
  return Fail(ErrorCode::kInternal,
              fmt::format("{} did not write {}", job.options.pack_command[0],
                          archive.string()));
}

Result<fs::path> ObtainArchive(const CatalogJob& job) {
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
Result<fs::path> Unpack(const CatalogJob& job, const fs::path& archive) {
  job.Say("unpacking");
  const fs::path folder = job.work() / "unpacked";
  MODICUM_RETURN_IF_ERROR(MakeFolder(folder));
  MODICUM_RETURN_IF_ERROR(job.Run(
      {"tar", "-xzf", fs::absolute(archive).string(), "--no-same-owner"},
      folder, "check that the disk is not full"));
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

}  // namespace

Result<std::string> MakeMails(const CatalogJob& job) {
  MODICUM_TRY(const fs::path archive, ObtainArchive(job));
  MODICUM_TRY(const fs::path data, Unpack(job, archive));
  MODICUM_TRY(const MailParser* parser, FindMailParser());
  MODICUM_TRY(const std::vector<fs::path> files, MailFiles(data));
  if (files.size() != job.entry.items)
    return Fail(ErrorCode::kInternal,
                fmt::format("{} holds {} mails, not {}", job.entry.archive,
                            files.size(), job.entry.items));
  std::string lines;
  for (size_t i = 0; i < files.size(); ++i) {
    MODICUM_RETURN_IF_ERROR(job.ReadStep(i, files.size(), "mails"));
    MODICUM_TRY(const std::string line, JsonLineOf(files[i], *parser));
    lines += line;
  }
  return lines;
}

}  // namespace modicum
