// SPDX-License-Identifier: Apache-2.0
// Public data sets that `modicum data get` obtains, checks and keeps.
#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace modicum {

// What names the data of the catalog in place of a path: "catalog:sms-spam".
inline constexpr std::string_view kCatalogPrefix = "catalog:";

// Where an entry comes from and what is read.
enum class CatalogKind {
  kMails,     // an npm package of raw mails: data/<group>/<id>.<md5>.txt
  kManPages,  // Debian packages of translated manual pages
  kRTable,    // a Debian package of R with a data frame
};

struct CatalogEntry {
  std::string_view name;     // "spam-assassin"
  std::string_view summary;  // one line for `data list`
  CatalogKind kind = CatalogKind::kMails;
  // As npm names it, with version; or Debian's names, spaces between: any
  // version is taken of which the same is made.
  std::string_view packages;
  std::string_view archive;  // npm: the file that `npm pack` writes
  std::string_view sha256;   // npm: of that file; Debian: of `file`
  std::string_view licence;
  std::string_view origin;  // where the packages had the data from
  std::string_view file;    // what is made of it, e.g. "spam.jsonl"
  size_t items = 0;
};
std::span<const CatalogEntry> Catalog();

struct GetDataOptions {
  // Called with each step: "downloading ...", "reading 3,000 of 6,046 mails".
  std::function<void(std::string_view)> progress;
  std::stop_token stop;
  // Run with the packages' names as last arguments, in the folder where the
  // archives must appear. Offline, npm's own retries would take minutes.
  std::vector<std::string> pack_command = {"npm",
                                           "pack",
                                           "--loglevel=error",
                                           "--no-update-notifier",
                                           "--fetch-retry-mintimeout=1000",
                                           "--fetch-retry-maxtimeout=5000",
                                           "--ignore-scripts",
                                           "--pack-destination=."};
  std::vector<std::string> apt_command = {
      "apt-get", "-qq", "-o", "Acquire::http::Timeout=20", "download"};
};

// The path of the entry's file, made in <data_dir>/<name> unless it is there,
// whole and unaltered: JSONL with the keys text, label, group and id, or CSV
// with the label first. Archives put there by hand are used instead of a
// download. A second process waits for the first. Nothing half-written stays;
// kInterrupted when asked to stop.
// kNotFound for an unknown name, with "did you mean"; kUnavailable without
// npm, apt-get, a tool to unpack or the module that reads; kRetry when npm or
// apt-get fails (offline); kInvalidInput when a hash is wrong.
Result<std::string> GetData(std::string_view name, const std::string& data_dir,
                            const GetDataOptions& options = {});
// The same for an entry that need not be in the catalog.
Result<std::string> GetData(const CatalogEntry& entry,
                            const std::string& data_dir,
                            const GetDataOptions& options);

}  // namespace modicum
