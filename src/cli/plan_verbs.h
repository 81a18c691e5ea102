// SPDX-License-Identifier: Apache-2.0
// A verb of `modicum plan` is a row in cmd_plan.cc and a function in
// plan_<verb>.cc, called as a command is, with the words after the verb.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"

namespace modicum {

Result<int> PlanTrain(Context& context, const std::vector<std::string>& args);
Result<int> PlanServe(Context& context, const std::vector<std::string>& args);
Result<int> PlanSize(Context& context, const std::vector<std::string>& args);
Result<int> PlanWhere(Context& context, const std::vector<std::string>& args);
Result<int> PlanWhen(Context& context, const std::vector<std::string>& args);
Result<int> PlanImprove(Context& context, const std::vector<std::string>& args);
Result<int> PlanAudit(Context& context, const std::vector<std::string>& args);
Result<int> PlanPrecision(Context& context,
                          const std::vector<std::string>& args);
Result<int> PlanChips(Context& context, const std::vector<std::string>& args);
Result<int> PlanModels(Context& context, const std::vector<std::string>& args);
Result<int> PlanSelftest(Context& context,
                         const std::vector<std::string>& args);

}  // namespace modicum
