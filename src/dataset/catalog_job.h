// SPDX-License-Identifier: Apache-2.0
// One run of `modicum data get`, shared by the kinds of catalog entries.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataset/catalog.h"

namespace modicum {

// All paths of the work are below `folder`.
struct CatalogJob {
  const CatalogEntry& entry;
  const GetDataOptions& options;
  std::filesystem::path folder;

  std::filesystem::path file() const { return folder / entry.file; }
  std::filesystem::path stamp() const { return folder / "stamp"; }
  std::filesystem::path work() const { return folder / ".work"; }
  std::filesystem::path lock() const { return folder / ".lock"; }

  void Say(std::string_view what) const {
    if (options.progress) options.progress(what);
  }
  Status CheckStop() const;
  // "... 500 of 6,046 <things>", now and then; fails when asked to stop.
  Status ReadStep(size_t done, size_t all, std::string_view things) const;
  // Runs `argv` in `where`. kIo that quotes it when it fails, with `hint`.
  Status Run(const std::vector<std::string>& argv,
             const std::filesystem::path& where, const std::string& hint) const;
  // Runs a command that downloads into work(). kRetry when it fails;
  // `install` is the hint where there is no such command, `check` where it
  // fails, each before what to do by hand.
  Status Download(std::vector<std::string> command,
                  const std::vector<std::string>& packages,
                  const std::string& install, const std::string& check,
                  const std::string& by_hand) const;
};

Status MakeFolder(const std::filesystem::path& folder);

// The content of the entry's file; the work folder is there and empty.
Result<std::string> MakeMails(const CatalogJob& job);     // catalog_npm.cc
Result<std::string> MakeManPages(const CatalogJob& job);  // catalog_debian.cc
Result<std::string> MakeRTable(const CatalogJob& job);

}  // namespace modicum
