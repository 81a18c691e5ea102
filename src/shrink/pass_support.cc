// SPDX-License-Identifier: Apache-2.0
#include "shrink/pass_support.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "model/bytes.h"
#include "model/params.h"

namespace modicum {

namespace {

constexpr double kForecastFactor = 3;

}  // namespace

std::string_view BytesOf(const Payload& payload) {
  if (const auto* text = std::get_if<Text>(&payload)) return text->text;
  if (const auto* row = std::get_if<Numbers>(&payload))
    return {reinterpret_cast<const char*>(row->values.data()),
            row->values.size() * sizeof(float)};
  return {};
}

Result<double> KeepParam(const Params& params, std::string_view pass) {
  static constexpr std::string_view kKnown[] = {"keep"};
  MODICUM_RETURN_IF_ERROR(CheckPassParams(params, pass, kKnown));
  return NumberParam(params, "keep", 1, 0.001, 1);
}

std::vector<Params> KeepSpace(std::initializer_list<double> shares) {
  std::vector<Params> space;
  for (const double share : shares) space.push_back({{"keep", share}});
  return space;
}

Status CheckLinearText(const PassInput& input, std::string_view pass) {
  const auto refuse = [&](const std::string& what) {
    return Fail(
        ErrorCode::kUnavailable,
        std::string(pass) + " is for linear models of texts, not " + what);
  };
  if (input.family != "linear") return refuse(input.family);
  if (!input.data.columns.empty()) return refuse("of tables");
  return {};
}

Result<LinearWeights> ReadLinear(const PassInput& input) {
  MODICUM_TRY(
      const std::string bytes,
      ReadWholeFile(input.directory + "/" + kLinearFile, kMaxModelFile));
  return DecodeLinear(bytes);
}

Result<TrainedModel> WriteLinear(const LinearWeights& weights,
                                 const std::string& directory) {
  MODICUM_RETURN_IF_ERROR(WriteFileAtomically(directory + "/" + kLinearFile,
                                              EncodeLinear(weights)));
  return TrainedModel{{kLinearFile}};
}

uint64_t PayloadBytes(const PassInput& input) {
  uint64_t bytes = 0;
  for (const uint32_t row : input.rows)
    bytes += BytesOf(input.data.items[row].payload).size();
  return bytes;
}

double ModelBytes(const PassInput& input) {
  double bytes = 0;
  for (const std::string& file : input.files) {
    struct stat info {};
    if (stat((input.directory + "/" + file).c_str(), &info) == 0)
      bytes += static_cast<double>(info.st_size);
  }
  if (bytes > 0) return bytes;
  return static_cast<double>(PayloadBytes(input));
}

PassForecast Forecast(double cpu_seconds, double bytes) {
  return {Seconds(cpu_seconds), Seconds(cpu_seconds / kForecastFactor),
          Seconds(cpu_seconds * kForecastFactor), Bytes(bytes)};
}

}  // namespace modicum
