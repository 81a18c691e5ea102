// SPDX-License-Identifier: Apache-2.0
// Why a request over HTTP got no answer, in words. For the modules that ask
// over cpp-httplib, which names the step that failed and no more.
#pragma once

#include <httplib.h>

#include <string>

#include "base/units.h"

namespace modicum {

// To be said after the address: "refused the connection".
struct HttpFailure {
  std::string what;
  std::string hint;
};

struct FailedRequest {
  std::string origin;  // "https://host:443"
  httplib::Error error = httplib::Error::Unknown;
  bool began = false;  // to answer
  Seconds took, patience;
  std::string longer;  // the hint where it took too long
};

// Where no connection was made it tries once more, to learn why: for a second
// at most an address.
HttpFailure WhyNoAnswer(const FailedRequest& request);

}  // namespace modicum
