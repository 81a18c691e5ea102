// SPDX-License-Identifier: Apache-2.0
// `modicum keygen` makes a key pair; `modicum sign` signs a receipt with it.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "base/file.h"
#include "cli/command.h"
#include "cli/parse.h"
#include "cli/read_receipts.h"
#include "record/signature.h"

namespace modicum {

Result<int> CmdKeygen(Context&, const std::vector<std::string>& args) {
  std::string output = "modicum.key";
  CLI::App app{
      "Makes a key pair to sign receipts with (Ed25519): FILE, to be kept "
      "secret,\nand FILE.pub, to be given to those who verify.\n\n"
      "  modicum keygen\n"
      "  modicum keygen -o team.key\n",
      "modicum keygen"};
  app.add_option("-o,--output", output, "The private key's file")
      ->capture_default_str();
  if (const auto code = ParseArgs(app, args)) return *code;
  MODICUM_TRY(const std::string key, MakeKeyFiles(output));
  std::printf("private key  %s (keep it secret)\npublic key   %s.pub\n%s\n",
              output.c_str(), output.c_str(), key.c_str());
  return kExitOk;
}

Result<int> CmdSign(Context&, const std::vector<std::string>& args) {
  std::vector<std::string> paths;
  std::string key;
  CLI::App app{
      "Signs receipts in place; a signature that is there is replaced.\n\n"
      "  modicum sign spam.receipt.json --key team.key\n"
      "  modicum sign receipts/*.json --key team.key\n",
      "modicum sign"};
  app.add_option("receipt", paths, "Receipts, as `modicum fit` writes")
      ->required();
  app.add_option("--key", key, "The private key's file")->required();
  if (const auto code = ParseArgs(app, args)) return *code;
  MODICUM_TRY(auto receipts, ReadReceipts(paths));
  for (size_t i = 0; i < paths.size(); ++i) {
    MODICUM_TRY(receipts[i].signature, Sign(receipts[i].sha256, key));
    MODICUM_RETURN_IF_ERROR(WriteReceipt(paths[i], receipts[i]));
    std::printf("%s: signed by %s\n", paths[i].c_str(),
                receipts[i].signature->public_key.c_str());
  }
  return kExitOk;
}

}  // namespace modicum
