// SPDX-License-Identifier: Apache-2.0
#include "dataset/data_module.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace modicum {
namespace {

std::vector<std::string> Folders() {
  if (const char* folder = std::getenv("MODICUM_MODULES")) return {folder};
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return {"."};
  const std::string folder = program.parent_path().string();
  return {folder, folder + "/../lib/modicum"};
}

Result<void*> Open(const std::string& path, const char* factory,
                   const std::string& needs) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    return Fail(ErrorCode::kUnavailable,
                std::string("cannot load ") +
                    (reason == nullptr ? path.c_str() : reason),
                needs.empty()
                    ? "put the module of this very build beside the program"
                    : "install the library it names (Debian: " + needs + ")");
  }
  if (void* symbol = dlsym(library, factory)) return symbol;
  return Fail(ErrorCode::kUnavailable,
              path + " is not a module of this modicum",
              "put the module of this very build beside the program");
}

}  // namespace

Result<void*> FindInDataModule(const std::string& name, const char* factory,
                               const std::string& needs) {
  const std::string file = "libmodicum-" + name + ".so";
  std::string searched;
  for (const std::string& folder : Folders()) {
    const std::string path = folder + "/" + file;
    if (std::filesystem::exists(path)) return Open(path, factory, needs);
    searched += (searched.empty() ? "" : ", ") + folder;
  }
  return Fail(
      ErrorCode::kUnavailable,
      "module " + file + " is not installed (searched " + searched + ")",
      "put it beside the program, or name its folder in "
      "MODICUM_MODULES");
}

}  // namespace modicum
