// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/quantize.h"

#include <fmt/format.h>
#include <llama.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <regex>

#include "base/file.h"
#include "base/suggest.h"
#include "model/ggml/llama_log.h"
#include "model/ggml/thread_pools.h"

namespace modicum {
namespace {

bool HasExperts(const GgufFile& file) {
  return file.Unsigned(file.ArchitectureKey("expert_count")).value_or(0) > 0;
}

Result<llama_ftype> FileTypeOf(const std::string& name, const GgufFile& from) {
  const GgufFileType* type = FindFileType(name);
  std::vector<std::string_view> names;
  for (const GgufFileType& known : GgufFileTypes())
    if (HasExperts(from) || !known.of_experts()) names.push_back(known.name);
  if (type != nullptr && std::ranges::find(names, type->name) != names.end())
    return static_cast<llama_ftype>(type->id);
  if (type != nullptr && type->of_experts())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} has no experts, which {} is for", from.name,
                            type->name),
                fmt::format("one of {}", fmt::join(names, ", ")));
  return Fail(ErrorCode::kInvalidInput,
              type != nullptr
                  ? fmt::format("llama.cpp cannot quantize to {}", type->name)
                  : fmt::format("unknown file type '{}'{}", name,
                                DidYouMean(name, names)),
              fmt::format("one of {}", fmt::join(names, ", ")));
}

// A regular expression would throw inside the library, far from its cause.
Status CheckPattern(const std::string& pattern, const GgufFile& from) {
  try {
    const std::regex compiled(pattern);
    if (std::ranges::any_of(from.tensors, [&](const GgufTensor& tensor) {
          return std::regex_search(std::string(tensor.name), compiled);
        }))
      return {};
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("no tensor of {} matches '{}'", from.name, pattern),
                "names are such as blk.0.attn_q.weight, output.weight");
  } catch (const std::regex_error& error) {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("'{}' is no regular expression: {}", pattern,
                            error.what()));
  }
}

// What the library takes, and what its pointers point to.
class Parameters {
 public:
  static Result<Parameters> Of(const QuantizeOptions& options,
                               const GgufFile& from) {
    Parameters parameters;
    MODICUM_TRY(parameters.raw_.ftype, FileTypeOf(options.type, from));
    parameters.raw_.nthread = options.threads > 0
                                  ? options.threads
                                  : static_cast<int32_t>(UsableCpus().size());
    parameters.raw_.allow_requantize = options.requantize;
    parameters.raw_.pure = options.pure;
    for (const Importance& importance : options.importance)
      parameters.importance_.push_back({importance.tensor.c_str(),
                                        importance.values.data(),
                                        importance.values.size()});
    for (const auto& [pattern, name] : options.tensor_types) {
      MODICUM_RETURN_IF_ERROR(CheckPattern(pattern, from));
      const GgmlTypeInfo* type = FindGgmlType(name);
      if (type == nullptr)
        return Fail(ErrorCode::kInvalidInput,
                    fmt::format("unknown tensor type '{}'", name),
                    "for example q8_0, q6_K or f16");
      parameters.overrides_.push_back(
          {pattern.c_str(), static_cast<ggml_type>(type->type)});
    }
    return parameters;
  }

  const llama_model_quantize_params& raw() {
    if (!importance_.empty()) {
      importance_.push_back({nullptr, nullptr, 0});
      raw_.imatrix = importance_.data();
    }
    if (!overrides_.empty()) {
      overrides_.push_back({nullptr, GGML_TYPE_COUNT});
      raw_.tt_overrides = overrides_.data();
    }
    return raw_;
  }

 private:
  llama_model_quantize_params raw_ = llama_model_quantize_default_params();
  std::vector<llama_model_imatrix_data> importance_;
  std::vector<llama_model_tensor_override> overrides_;
};

// Where a disk that is full is the cause: the half file is still there.
bool IsFull(const std::string& path) {
  std::error_code error;
  const auto space = std::filesystem::space(
      std::filesystem::absolute(path, error).parent_path(), error);
  constexpr uint64_t kLeft = 1 << 20;
  return !error && space.available < kLeft;
}

tl::unexpected<Error> Explain(const LlamaErrors& errors, const GgufFile& from,
                              const std::string& to,
                              const QuantizeOptions& options) {
  // What its stream throws.
  if (errors.Mention("iostream error"))
    return Fail(ErrorCode::kIo,
                fmt::format("cannot write {}: {}", to,
                            IsFull(to) ? std::strerror(ENOSPC)
                                       : "the disk takes no more"),
                "free some space, or name a file elsewhere with -o");
  if (errors.Mention("importance matrix") || errors.Mention("imatrix"))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} needs an importance matrix, for so few bits",
                            options.type),
                "--imatrix TEXT computes it from a text like those that the "
                "network will read");
  return Fail(
      ErrorCode::kInvalidInput,
      errors.Explain(fmt::format("llama.cpp cannot quantize {} to {}",
                                 from.name, options.type)),
      errors.Mention("requantizing")
          ? "--requantize does, and loses some more; better is the "
            "network before it was quantized"
          : "--tensor-type PATTERN=TYPE keeps a tensor at another type");
}

}  // namespace

Status QuantizeFile(const GgufFile& from, const std::string& to,
                    const QuantizeOptions& options) {
  MODICUM_TRY(Parameters parameters, Parameters::Of(options, from));
  MODICUM_TRY(AtomicFile file, AtomicFile::Create(to));
  const LlamaErrors errors;
  uint32_t failed = 0;
  {
    const StopsQuantizing stops(options.stop);
    failed = llama_model_quantize(from.name.c_str(), file.temporary().c_str(),
                                  &parameters.raw());
  }
  if (options.stop.stop_requested())
    return Fail(ErrorCode::kInterrupted, "quantization interrupted");
  if (failed != 0) return Explain(errors, from, to, options);
  return file.Commit();
}

}  // namespace modicum
