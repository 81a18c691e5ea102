// SPDX-License-Identifier: Apache-2.0
#include "dataset/mail.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace modicum {
namespace {

constexpr char kModule[] = "libmodicum-mail.so";

std::vector<std::string> Folders() {
  if (const char* folder = std::getenv("MODICUM_MODULES")) return {folder};
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return {"."};
  const std::string folder = program.parent_path().string();
  return {folder, folder + "/../lib/modicum"};
}

Result<const MailParser*> Open(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    return Fail(ErrorCode::kUnavailable,
                std::string("cannot load ") +
                    (reason == nullptr ? path.c_str() : reason),
                "install the library it names (Debian: libgmime-3.0-0)");
  }
  const auto factory =
      reinterpret_cast<MailFactory>(dlsym(library, kMailFactory));
  if (factory == nullptr)
    return Fail(ErrorCode::kUnavailable,
                path + " is not the mail module of this modicum",
                "put the module of this very build beside the program");
  return factory();
}

}  // namespace

Result<const MailParser*> FindMailParser() {
  std::string searched;
  for (const std::string& folder : Folders()) {
    const std::string path = folder + "/" + kModule;
    if (std::filesystem::exists(path)) return Open(path);
    searched += (searched.empty() ? "" : ", ") + folder;
  }
  return Fail(ErrorCode::kUnavailable,
              std::string("module ") + kModule +
                  " is not installed (searched " + searched + ")",
              "put it beside the program, or name its folder in "
              "MODICUM_MODULES");
}

}  // namespace modicum
