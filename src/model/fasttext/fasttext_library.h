// SPDX-License-Identifier: Apache-2.0
// What the files of the fastText module share around the library.
#pragma once

#include <fasttext/fasttext.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "model/fasttext/fasttext_file.h"
#include "model/pass.h"
#include "model/training_stop.h"

namespace modicum {

// The library's exceptions end here.
template <class Function>
auto Guarded(const char* what, Function&& function) -> decltype(function()) {
  try {
    return function();
  } catch (const fasttext::FastText::AbortError&) {
    return TrainingInterrupted();
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal,
                std::string("fastText: ") + what + ": " + e.what());
  }
}

// Writes `directory`/fasttext.bin, whole or not at all: the library does not
// notice a full disk. `labels` is the number of classes.
Status SaveFastText(fasttext::FastText& fast_text, const std::string& directory,
                    size_t labels);
// Reads and checks it. The bytes are let go before the library reads them
// again.
Result<FastTextShape> CheckSavedFastText(const std::string& directory,
                                         size_t labels);
Result<std::unique_ptr<fasttext::FastText>> OpenFastText(
    const std::string& directory);

// The pass `quantize`. Lifetime: that of the process.
Pass& QuantizePass();

}  // namespace modicum
