// SPDX-License-Identifier: Apache-2.0
#include "probe/bmc/dcmi_meter.h"

#include <utility>

#include "probe/bmc/dcmi_message.h"

namespace modicum {
namespace {

class DcmiMeter final : public BmcMeter {
 public:
  DcmiMeter(std::unique_ptr<IpmiTransport> transport, std::string where)
      : transport_(std::move(transport)), where_(std::move(where)) {}

  std::string covers() const override {
    return "the whole machine, by DCMI at " + where_;
  }
  Result<Watts> Read() override {
    MODICUM_TRY(const std::vector<uint8_t> answer,
                transport_->Send(kDcmiNetFunction, kDcmiGetPowerReading,
                                 DcmiPowerRequest()));
    MODICUM_TRY(const DcmiPower power, ParseDcmiPower(answer));
    return power.now;
  }

 private:
  const std::unique_ptr<IpmiTransport> transport_;
  const std::string where_;
};

}  // namespace

std::unique_ptr<BmcMeter> MakeDcmiMeter(
    std::unique_ptr<IpmiTransport> transport, std::string where) {
  return std::make_unique<DcmiMeter>(std::move(transport), std::move(where));
}

}  // namespace modicum
