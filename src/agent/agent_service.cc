// SPDX-License-Identifier: Apache-2.0
// The program's side: the module opened.
#include "agent/agent_service.h"

#include "base/module_library.h"

namespace modicum {

Result<std::unique_ptr<AgentService>> OpenAgentService(
    const AgentOptions& options) {
  MODICUM_TRY(const ModuleLibrary library,
              ModuleLibrary::Open("agent", ModuleFolders(),
                                  "it serves metrics and counters"));
  MODICUM_RETURN_IF_ERROR(
      library.CheckBuild("modicum_agent_abi", kAgentAbi, "a modicum agent"));
  const auto open = library.Symbol<OpenAgentFunction>("modicum_agent");
  if (open == nullptr)
    return Fail(ErrorCode::kUnavailable,
                library.path() + " is not a modicum agent", kModuleCure);
  return open(options);
}

}  // namespace modicum
