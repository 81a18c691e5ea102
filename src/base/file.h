// SPDX-License-Identifier: Apache-2.0
// Whole files in and out. Writing is all or nothing.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace modicum {

// kNotFound, kPermission or kIo; a directory is kInvalidInput.
Result<std::string> ReadFile(const std::string& path);

// Writes a temporary file beside `path`, fsyncs it and renames it: a reader
// or a crash sees the old content or the new, never a part. The temporary
// file is removed on failure. Missing folders are created.
Status WriteFileAtomically(const std::string& path, std::string_view content);

}  // namespace modicum
