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
// What a symbolic link names is written, not the link; a device or a pipe is
// written to and never replaced.
Status WriteFileAtomically(const std::string& path, std::string_view content);

// Puts the folder `from` at `to` in one step; a folder that was there ends up
// at `from`, or is removed where the file system cannot swap the two.
Status MoveFolder(const std::string& from, const std::string& to);

}  // namespace modicum
