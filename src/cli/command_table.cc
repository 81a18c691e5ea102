// SPDX-License-Identifier: Apache-2.0
// Every command of the program, in the order of `modicum --help`.
#include "cli/command.h"

namespace modicum {

std::span<const Command> Commands() {
  static constexpr Command kCommands[] = {
#ifdef MODICUM_CMD_FIT
      {"fit", "find the cheapest model that is good enough", CmdFit},
#endif
#ifdef MODICUM_CMD_PREDICT
      {"predict", "answer JSON lines with a model, and bill it", CmdPredict},
#endif
#ifdef MODICUM_CMD_RUN
      {"run", "meter any command: joules, carbon, water, money", CmdRun},
#endif
#ifdef MODICUM_CMD_LEDGER
      {"ledger", "list, show and export what was metered", CmdLedger},
#endif
#ifdef MODICUM_CMD_DOCTOR
      {"doctor", "what this machine can meter, and what to do", CmdDoctor},
#endif
#ifdef MODICUM_CMD_DATA
      {"data", "download public data sets", CmdData},
#endif
  };
  return kCommands;
}

}  // namespace modicum
