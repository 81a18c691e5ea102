// SPDX-License-Identifier: Apache-2.0
// Shared libraries of the program's own, opened when first used, so that what
// a command does not need costs it nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace modicum {

// Folders searched for modules: $MODICUM_MODULES alone when set, else the
// program's own and ../lib/modicum beside it.
std::vector<std::string> ModuleFolders();

// What to do about a module that is missing or of another build.
inline constexpr char kModuleCure[] =
    "put the module of this very build beside the program, or name its folder "
    "in MODICUM_MODULES";

// An open module. It stays open for the life of the process.
class ModuleLibrary {
 public:
  // libmodicum-<name>.so from the first folder that has it. kUnavailable says
  // what is missing: `purpose` ends the sentence where it is not installed,
  // `needs` names the Debian package that it takes a library from; both may
  // be empty.
  static Result<ModuleLibrary> Open(std::string_view name,
                                    const std::vector<std::string>& folders,
                                    std::string_view purpose = "",
                                    std::string_view needs = "");

  // kUnavailable unless its C function `symbol` returns `abi`, the text that
  // modules of this very build have. `what` is what it should be, "a modicum
  // engine".
  Status CheckBuild(const char* symbol, std::string_view abi,
                    std::string_view what) const;

  const std::string& path() const { return path_; }
  // A C function of the library, or null.
  template <class Function>
  Function Symbol(const char* name) const {
    return reinterpret_cast<Function>(Address(name));
  }

 private:
  ModuleLibrary(std::string path, void* handle)
      : path_(std::move(path)), handle_(handle) {}
  void* Address(const char* name) const;

  std::string path_;
  void* handle_;
};

}  // namespace modicum
