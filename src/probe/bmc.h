// SPDX-License-Identifier: Apache-2.0
// What a machine's board management controller (BMC) tells of its power.
// Asking one is in modules, libmodicum-redfish.so and libmodicum-ipmi.so:
// metering does not pay for HTTP or IPMI where nobody asks for them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/units.h"

namespace modicum {

// A variable of the environment: addresses, users, passwords. Empty is absent.
using BmcVariables =
    std::function<std::optional<std::string>(const std::string&)>;

// Not thread-safe: one thread at a time asks.
class BmcMeter {
 public:
  virtual ~BmcMeter() = default;
  // "the whole machine, by chassis 1 of 192.0.2.7"
  virtual std::string covers() const = 0;
  // What is to be known of a reading beside its value; may be empty.
  virtual std::string note() const { return ""; }
  // Of the whole machine, now. Takes long, but ends: kRetry, kPermission,
  // kUnavailable.
  virtual Result<Watts> Read() = 0;
};

// What a module exports, as "modicum_redfish" or "modicum_ipmi", with kBmcAbi
// as "modicum_redfish_abi" or "modicum_ipmi_abi". Errors never hold a
// password.
using OpenBmcFunction =
    Result<std::unique_ptr<BmcMeter>> (*)(const BmcVariables&);
inline constexpr char kBmcAbi[] = "modicum-bmc 1, " __VERSION__;

}  // namespace modicum
