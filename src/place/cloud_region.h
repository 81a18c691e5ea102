// SPDX-License-Identifier: Apache-2.0
// Where a cloud's machine stands, by the cloud's own metadata service. Asking
// it is in a module, libmodicum-cloud.so.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "place/place.h"

namespace modicum {

struct CloudRegion {
  std::string provider;  // "aws", "gcp", "azure"
  std::string region;    // "eu-west-1", "europe-west1", "westeurope"
};

struct CloudQuery {
  // All three have it at this address of the link; no name is looked up.
  std::string base_url = "http://169.254.169.254";
  Seconds patience{0.5};  // for everything together
};

// What one of them said when asked in its own way.
struct CloudAnswer {
  std::string provider;
  std::string text;
};

// "eu-west-1"; of gcp "projects/7/zones/europe-west1-b". nullopt for what is no
// region's name.
std::optional<CloudRegion> ParseCloudAnswer(const CloudAnswer& answer);

// Asks all three at once. kUnavailable: none answers; kInvalidInput: what they
// answer is no region, or that of several clouds.
Result<CloudRegion> AskCloudRegion(const CloudQuery& query);

// This machine's; asked once.
const Result<CloudRegion>& OwnCloudRegion();

// By data/cloud_regions.csv: a code of FindRegion(), "IE", "US-VA".
std::optional<std::string> PlaceOfCloudRegion(const CloudRegion& cloud);

// Puts region and, where none is named, provider into `query`, and what was
// said into `query.asked`. Where it is not known nothing is guessed.
void AddCloudRegion(const Result<CloudRegion>& asked, PlaceQuery& query);

// What the module exports, as "modicum_cloud", with kCloudAbi as
// "modicum_cloud_abi": the answers that came in time.
using AskCloudFunction = std::vector<CloudAnswer> (*)(const CloudQuery&);
inline constexpr char kCloudAbi[] = "modicum-cloud 1, " __VERSION__;

}  // namespace modicum
