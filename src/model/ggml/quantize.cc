// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/quantize.h"

#include <fmt/format.h>
#include <llama.h>

#include <regex>

#include "base/file.h"
#include "base/suggest.h"
#include "model/ggml/llama_log.h"
#include "model/ggml/thread_pools.h"

namespace modicum {
namespace {

// The release reads it, but has no quantizer for it.
constexpr uint32_t kReadOnly = LLAMA_FTYPE_MOSTLY_NVFP4;

Result<llama_ftype> FileTypeOf(const std::string& name) {
  const GgufFileType* type = FindFileType(name);
  if (type != nullptr && type->id != kReadOnly)
    return static_cast<llama_ftype>(type->id);
  std::vector<std::string_view> names;
  for (const GgufFileType& known : GgufFileTypes())
    if (known.id != kReadOnly) names.push_back(known.name);
  return Fail(ErrorCode::kInvalidInput,
              type != nullptr
                  ? fmt::format("llama.cpp cannot quantize to {}", type->name)
                  : fmt::format("unknown file type '{}'{}", name,
                                DidYouMean(name, names)),
              fmt::format("one of {}", fmt::join(names, ", ")));
}

// A regular expression would throw inside the library, far from its cause.
Status CheckPattern(const std::string& pattern) {
  try {
    const std::regex compiled(pattern);
    return {};
  } catch (const std::regex_error& error) {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("'{}' is no regular expression: {}", pattern,
                            error.what()));
  }
}

// What the library takes, and what its pointers point to.
class Parameters {
 public:
  static Result<Parameters> Of(const QuantizeOptions& options) {
    Parameters parameters;
    MODICUM_TRY(parameters.raw_.ftype, FileTypeOf(options.type));
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
      MODICUM_RETURN_IF_ERROR(CheckPattern(pattern));
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

}  // namespace

Status QuantizeFile(const GgufFile& from, const std::string& to,
                    const QuantizeOptions& options) {
  MODICUM_TRY(Parameters parameters, Parameters::Of(options));
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
  if (failed != 0)
    return Fail(ErrorCode::kInvalidInput,
                errors.Explain(fmt::format("llama.cpp cannot quantize {} to {}",
                                           from.name, options.type)),
                options.importance.empty()
                    ? "very few bits need --imatrix TEXT; what is quantized "
                      "already, --requantize"
                    : "");
  return file.Commit();
}

}  // namespace modicum
