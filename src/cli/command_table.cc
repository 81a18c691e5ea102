// SPDX-License-Identifier: Apache-2.0
// Every command of the program, in the order of `modicum --help`.
#include "cli/command.h"

namespace modicum {

std::span<const Command> Commands() {
  static constexpr Command kCommands[] = {
      {"fit", "find the cheapest model that is good enough", CmdFit},
      {"train", "train an encoder that tags words or finds answers", CmdTrain},
      {"predict", "answer JSON lines with a model, and bill it", CmdPredict},
      {"bench", "measure models on tasks: joules, quality, stars", CmdBench},
      {"generate", "continue a text with a network, and bill it", CmdGenerate},
      {"embed", "turn texts into vectors, and bill it", CmdEmbed},
      {"perplexity", "how well a network predicts a text", CmdPerplexity},
      {"shrink", "make a network smaller, and say what it costs", CmdShrink},
      {"tune", "find a network's run settings of fewest joules", CmdTune},
      {"import", "make a GGUF file of a Hugging Face model", CmdImport},
      {"plan", "what AI will cost, before it is bought", CmdPlan},
      {"run", "meter any command: joules, carbon, water, money", CmdRun},
      {"watch", "who uses the watts of this machine, live", CmdWatch},
      {"agent", "meter this machine for all others", CmdAgent},
      {"ledger", "list, show and export what was metered", CmdLedger},
      {"verify", "recompute every number of a receipt", CmdVerify},
      {"compare", "put receipts of one task side by side", CmdCompare},
      {"report", "show a receipt or the ledger: page, table, paper", CmdReport},
      {"board", "rank receipts on a page, with classes A to E", CmdBoard},
      {"keygen", "make a key pair to sign receipts with", CmdKeygen},
      {"sign", "sign receipts", CmdSign},
      {"doctor", "what this machine can meter, and what to do", CmdDoctor},
      {"calibrate", "learn this machine's power from a wall meter",
       CmdCalibrate},
      {"data", "download public data sets", CmdData},
  };
  return kCommands;
}

}  // namespace modicum
