// SPDX-License-Identifier: Apache-2.0
// What a window's end gives the caller of the C API.
#pragma once

#include <modicum/modicum.h>

#include <mutex>
#include <string>
#include <vector>

#include "meter/meter.h"
#include "record/types.h"

// Immutable but for the texts that are made when first asked for.
struct modicum_result {
  modicum::Run run;  // has a bill
  bool contended = false;
  bool short_window = false;
  std::string record_error;
  std::vector<modicum_result> phases{};

  struct Texts {
    std::mutex mutex;
    std::string bill;
    std::string json;
    std::string csv;
  };
  // Apart, so that a result can be moved.
  std::unique_ptr<Texts> texts = std::make_unique<Texts>();
};
