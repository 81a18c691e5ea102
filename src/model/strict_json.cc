// SPDX-License-Identifier: Apache-2.0
#include "model/strict_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <unordered_set>
#include <vector>

#include "base/file.h"
#include "base/format.h"
#include "model/gguf/gguf_names.h"

namespace modicum {
namespace {

using Json = nlohmann::json;
using Event = Json::parse_event_t;

// Follows the parser, which itself keeps no stack of calls.
class Watch {
 public:
  explicit Watch(size_t depth) : limit_(depth) {}

  const std::string& fault() const { return fault_; }

  bool operator()(int depth, Event event, const Json& value) {
    const auto level = static_cast<size_t>(depth);
    if (event == Event::object_start || event == Event::array_start) {
      if (level >= limit_)
        SetFault(fmt::format("it is nested deeper than {} levels", limit_));
      if (event == Event::object_start) {
        if (names_.size() <= level) names_.resize(level + 1);
        names_[level].clear();
      }
    }
    if (event == Event::key && level >= 1 &&
        !names_[level - 1].insert(value.get_ref<const std::string&>()).second)
      SetFault(fmt::format("{} is there twice",
                           Shown(value.get_ref<const std::string&>())));
    return fault_.empty();  // what is refused need not be kept
  }

 private:
  void SetFault(std::string fault) {
    if (fault_.empty()) fault_ = std::move(fault);
  }
  size_t limit_;
  std::string fault_;
  std::vector<std::unordered_set<std::string>> names_;  // of open objects
};

}  // namespace

Result<Json> ParseStrictJson(std::string_view text, const std::string& name,
                             size_t depth) {
  constexpr char kHint[] = "the file was cut off or altered: get it again";
  Watch watch(depth);
  try {
    Json json = Json::parse(text.begin(), text.end(), std::ref(watch));
    if (!watch.fault().empty())
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("{}: {}", name, watch.fault()), kHint);
    return json;
  } catch (const Json::parse_error& error) {
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("{}: not JSON at byte {}", name, FormatCount(error.byte)),
        kHint);
  } catch (const Json::exception&) {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: a number beyond double precision", name),
                kHint);
  }
}

Result<Json> ReadStrictJson(const std::string& path, uint64_t limit,
                            size_t depth) {
  MODICUM_TRY(const RandomAccessFile file, RandomAccessFile::Open(path));
  if (file.size() > limit)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} has {} bytes, at most {} are read", path,
                            FormatCount(file.size()), FormatCount(limit)));
  MODICUM_TRY(const std::string text, file.Read(0, file.size()));
  return ParseStrictJson(text, path, depth);
}

}  // namespace modicum
