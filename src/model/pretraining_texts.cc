// SPDX-License-Identifier: Apache-2.0
#include "model/pretraining_texts.h"

#include "base/hash.h"
#include "dataset/dataset.h"
#include "model/params.h"

namespace modicum {

Result<std::vector<std::string>> LoadUnlabelled(const Params& params) {
  std::vector<std::string> texts;
  MODICUM_TRY(const std::string path, TextParam(params, kUnlabelledParam, ""));
  if (path.empty()) return texts;
  LoadOptions options;
  options.label = "";
  MODICUM_TRY(options.text, TextParam(params, kUnlabelledTextParam, "text"));
  MODICUM_TRY(Dataset data, LoadDataset(path, options));
  MODICUM_TRY(const std::string stated,
              TextParam(params, kUnlabelledHashParam, ""));
  if (!stated.empty() && ToHex(data.hash) != stated)
    return Fail(ErrorCode::kInvalidInput, path + " changed while it was used",
                "start again once it is whole");
  for (Item& item : data.items)
    texts.push_back(std::move(std::get<Text>(item.payload).text));
  return texts;
}

}  // namespace modicum
