// SPDX-License-Identifier: Apache-2.0
#include "model/module.h"

#include <dlfcn.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

namespace modicum {

namespace {

std::string ProgramFolder() {
  char path[PATH_MAX];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
  if (n <= 0) return ".";
  const std::string_view program(path, static_cast<size_t>(n));
  return std::string(program.substr(0, program.find_last_of('/')));
}

std::string DlError() {
  const char* text = dlerror();
  return text == nullptr ? "unknown error" : text;
}

template <class Function>
Function Symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

constexpr char kCure[] =
    "put the module of this very build beside the program, or name its folder "
    "in MODICUM_MODULES";

Result<Engine*> MakeEngine(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return Fail(ErrorCode::kUnavailable, "cannot load " + DlError(),
                "install the library it names, or reinstall modicum");
  const auto abi = Symbol<const char* (*)()>(library, kEngineAbiSymbol);
  const auto factory = Symbol<EngineFactory>(library, kEngineFactory);
  if (abi == nullptr || factory == nullptr)
    return Fail(ErrorCode::kUnavailable, path + " is not a modicum engine",
                kCure);
  if (std::string_view(abi()) != kEngineAbi) {
    return Fail(ErrorCode::kUnavailable,
                path + " was built for another modicum (" + abi() +
                    "; this is " + kEngineAbi + ")",
                kCure);
  }
  return factory();
}

}  // namespace

std::vector<std::string> ModuleFolders() {
  if (const char* folder = std::getenv("MODICUM_MODULES"))
    return {std::string(folder)};
  const std::string program = ProgramFolder();
  return {program, program + "/../lib/modicum"};
}

Result<Engine*> OpenModule(std::string_view name,
                           const std::vector<std::string>& folders) {
  const std::string file = "libmodicum-" + std::string(name) + ".so";
  std::string searched;
  for (const std::string& folder : folders) {
    const std::string path = folder + "/" + file;
    if (access(path.c_str(), F_OK) == 0) return MakeEngine(path);
    searched += (searched.empty() ? "" : ", ") + folder;
  }
  return Fail(
      ErrorCode::kUnavailable,
      "module " + file + " is not installed (searched " + searched + ")",
      kCure);
}

}  // namespace modicum
