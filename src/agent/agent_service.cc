// SPDX-License-Identifier: Apache-2.0
// The program's side: the module opened.
#include "agent/agent_service.h"

#include <string_view>

#include "base/module_library.h"

namespace modicum {

Result<std::unique_ptr<AgentService>> OpenAgentService(
    const AgentOptions& options) {
  MODICUM_TRY(
      const ModuleLibrary library,
      ModuleLibrary::Open("agent", ModuleFolders(), "for an agent", ""));
  const auto abi = library.Symbol<const char* (*)()>("modicum_agent_abi");
  const auto open = library.Symbol<OpenAgentFunction>("modicum_agent");
  if (abi == nullptr || open == nullptr || std::string_view(abi()) != kAgentAbi)
    return Fail(ErrorCode::kUnavailable,
                library.path() + " is of another build", kModuleCure);
  return open(options);
}

}  // namespace modicum
