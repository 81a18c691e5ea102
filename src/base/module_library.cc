// SPDX-License-Identifier: Apache-2.0
#include "base/module_library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace modicum {

std::vector<std::string> ModuleFolders() {
  if (const char* folder = std::getenv("MODICUM_MODULES"))
    return {std::string(folder)};
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  const std::string own = failed ? "." : program.parent_path().string();
  return {own, own + "/../lib/modicum"};
}

Result<ModuleLibrary> ModuleLibrary::Open(
    std::string_view name, const std::vector<std::string>& folders,
    std::string_view purpose, std::string_view needs) {
  const std::string file = "libmodicum-" + std::string(name) + ".so";
  std::string searched;
  for (const std::string& folder : folders) {
    const std::string path = folder + "/" + file;
    if (access(path.c_str(), F_OK) == 0) {
      void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (handle != nullptr) return ModuleLibrary(path, handle);
      const char* reason = dlerror();
      return Fail(ErrorCode::kUnavailable,
                  std::string("cannot load ") +
                      (reason == nullptr ? path.c_str() : reason),
                  needs.empty()
                      ? "install the library it names, or reinstall modicum"
                      : "install the library it names (Debian: " +
                            std::string(needs) + ")");
    }
    searched += (searched.empty() ? "" : ", ") + folder;
  }
  return Fail(ErrorCode::kUnavailable,
              "module " + file + " is not installed (searched " + searched +
                  ")" + (purpose.empty() ? "" : ": " + std::string(purpose)),
              kModuleCure);
}

Status ModuleLibrary::CheckBuild(const char* symbol, std::string_view abi,
                                 std::string_view what) const {
  const auto own = Symbol<const char* (*)()>(symbol);
  if (own == nullptr)
    return Fail(ErrorCode::kUnavailable, path_ + " is not " + std::string(what),
                kModuleCure);
  if (std::string_view(own()) == abi) return {};
  return Fail(ErrorCode::kUnavailable,
              path_ + " was built for another modicum (" + own() +
                  "; this is " + std::string(abi) + ")",
              kModuleCure);
}

void* ModuleLibrary::Address(const char* name) const {
  return dlsym(handle_, name);
}

}  // namespace modicum
