// SPDX-License-Identifier: Apache-2.0
#include "model/xgboost/booster.h"

#include <xgboost/c_api.h>

namespace modicum {

namespace {

// The library's message has the time, a source file and a stack trace around
// what matters.
std::string LastError() {
  std::string text = XGBGetLastError();
  text = text.substr(0, text.find('\n'));
  if (text.starts_with('[')) text.erase(0, text.find(' ') + 1);
  return text;
}

Status Check(int status) {
  if (status == 0) return {};
  return Fail(ErrorCode::kInternal, "XGBoost: " + LastError());
}

}  // namespace

void SilenceXgboost() {
  XGBRegisterLogCallback([](const char*) {});
  XGBSetGlobalConfig(R"({"verbosity": 0})");
}

Result<XgboostData> XgboostData::Make(const CsrMatrix& matrix,
                                      const std::vector<float>& labels) {
  DMatrixHandle handle = nullptr;
  MODICUM_RETURN_IF_ERROR(Check(XGDMatrixCreateFromCSREx(
      matrix.begins.data(), matrix.columns.data(), matrix.values.data(),
      matrix.begins.size(), matrix.values.size(), matrix.width, &handle)));
  XgboostData data(handle);
  MODICUM_RETURN_IF_ERROR(Check(
      XGDMatrixSetFloatInfo(handle, "label", labels.data(), labels.size())));
  return data;
}

XgboostData::~XgboostData() {
  if (handle_ != nullptr) XGDMatrixFree(handle_);
}

Result<Booster> Booster::Make(const XgboostData& data,
                              const XgboostParams& params) {
  BoosterHandle handle = nullptr;
  const DMatrixHandle cached = data.handle();
  MODICUM_RETURN_IF_ERROR(Check(XGBoosterCreate(&cached, 1, &handle)));
  Booster booster(handle);
  for (const auto& [name, value] : params) {
    MODICUM_RETURN_IF_ERROR(
        Check(XGBoosterSetParam(handle, name.c_str(), value.c_str())));
  }
  return booster;
}

Booster::~Booster() {
  if (handle_ != nullptr) XGBoosterFree(handle_);
}

Status Booster::Update(int round, const XgboostData& data) {
  return Check(XGBoosterUpdateOneIter(handle_, round, data.handle()));
}

Result<std::string> Booster::Save() const {
  bst_ulong size = 0;
  const char* bytes = nullptr;
  MODICUM_RETURN_IF_ERROR(Check(XGBoosterSaveModelToBuffer(
      handle_, R"({"format": "ubj"})", &size, &bytes)));
  return std::string(bytes, size);
}

}  // namespace modicum
