// SPDX-License-Identifier: Apache-2.0
// `modicum import DIR`: a Hugging Face folder to one GGUF file, without
// Python.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "base/format.h"
#include "base/terminal.h"
#include "cli/command.h"
#include "cli/parse.h"
#include "model/gguf/head_file.h"
#include "model/import/import.h"

namespace modicum {
namespace {

struct ImportFlags {
  std::string folder;
  std::string output;
  std::string type;
  bool quiet = false;
};

// "tiny" of "models/tiny/".
std::string NameOf(const std::string& folder) {
  return std::filesystem::weakly_canonical(folder).filename().string();
}

std::string Summary(const GgufFile& file) {
  const GgufArray* tokens = file.Array("tokenizer.ggml.tokens");
  const auto type = FindFileType(
      static_cast<uint32_t>(file.Unsigned("general.file_type").value_or(0)));
  return fmt::format("{}: {}, {} parameters in {}, {}; {} tokens\n", file.name,
                     file.architecture(), FormatCount(file.parameters()),
                     type->name, FormatBytes(file.bytes()),
                     FormatCount(tokens == nullptr ? 0 : tokens->size));
}

// "tiny.head.gguf: its head for fill-mask, 340 parameters, 1.4 kB".
std::string HeadSummary(const GgufFile& file) {
  std::string line =
      fmt::format("{}: its head for {}, {} parameters, {}", file.name,
                  *file.Text(kHeadKindKey), FormatCount(file.parameters()),
                  FormatBytes(file.bytes()));
  if (const GgufArray* labels = file.Array(kHeadLabelsKey))
    line += fmt::format("; {} labels", FormatCount(labels->size));
  return line + "\n";
}

Result<int> Import(const Context& context, const ImportFlags& flags) {
  constexpr uint64_t kMegabyte = 1'000'000;
  ImportOptions options;
  options.stop = context.stop;
  if (const GgmlTypeInfo* type = FindGgmlType(flags.type))
    options.type = type->type;
  std::optional<Progress> progress;  // cleared from the terminal at the end
  if (!flags.quiet)
    options.progress = [&](uint64_t done, uint64_t total,
                           std::string_view tensor) {
      if (!progress)
        progress.emplace(stderr, "import MB", total / kMegabyte + 1,
                         context.clock);
      progress->Update(done / kMegabyte, tensor);
    };
  const std::string output =
      flags.output.empty() ? NameOf(flags.folder) + ".gguf" : flags.output;
  const auto imported = ImportModel(flags.folder, output, options);
  progress.reset();
  if (!imported) return Fail(imported.error());
  std::string text = Summary(imported->model);
  if (imported->head) text += HeadSummary(*imported->head);
  std::fputs(text.c_str(), stdout);
  return kExitOk;
}

}  // namespace

Result<int> CmdImport(Context& context, const std::vector<std::string>& args) {
  ImportFlags flags;
  CLI::App app{
      "Makes one GGUF file of a Hugging Face model's folder, and of a BERT's "
      "head a second.\n\n"
      "  modicum import TinyLlama-1.1B-Chat-v1.0/\n"
      "  modicum import phi-2/ --type f16 -o phi-2.gguf\n",
      "modicum import"};
  app.add_option("folder", flags.folder,
                 "has config.json, tokenizer.json and *.safetensors")
      ->required()
      ->type_name("DIR");
  app.add_option("-o,--output", flags.output,
                 "where to write the model [default: NAME.gguf]")
      ->type_name("FILE");
  app.add_option("--type", flags.type,
                 "f32, f16 or bf16 for the matrices [default: as stored]")
      ->check(CLI::IsMember({"f32", "f16", "bf16"}));
  app.add_flag("-q,--quiet", flags.quiet, "no progress");
  if (const auto code = ParseArgs(app, args)) return *code;
  return Import(context, flags);
}

}  // namespace modicum
