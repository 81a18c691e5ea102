// SPDX-License-Identifier: Apache-2.0
#include "place/cloud_region.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/csv.h"
#include "base/module_library.h"
#include "data/cloud_regions.h"
#include "place/tables.h"

namespace modicum {
namespace {

constexpr size_t kLongestRegion = 40;

bool IsRegionName(std::string_view text) {
  return !text.empty() && text.size() <= kLongestRegion &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

// "europe-west1" of "projects/7/zones/europe-west1-b"; "" of anything else.
std::string_view RegionOfZone(std::string_view text) {
  constexpr std::string_view kZones = "/zones/";
  const size_t at = text.find(kZones);
  if (!text.starts_with("projects/") || at == std::string_view::npos) return "";
  const std::string_view zone = text.substr(at + kZones.size());
  const size_t dash = zone.rfind('-');
  return dash == std::string_view::npos ? "" : zone.substr(0, dash);
}

Result<std::vector<CloudAnswer>> AskModule(const CloudQuery& query) {
  MODICUM_TRY(const ModuleLibrary library,
              ModuleLibrary::Open("cloud", ModuleFolders(),
                                  "it asks a cloud for the region"));
  MODICUM_RETURN_IF_ERROR(library.CheckBuild("modicum_cloud_abi", kCloudAbi,
                                             "a modicum reader of clouds"));
  const auto ask = library.Symbol<AskCloudFunction>("modicum_cloud");
  if (ask == nullptr)
    return Fail(ErrorCode::kUnavailable,
                library.path() + " is not a modicum reader of clouds",
                kModuleCure);
  return ask(query);
}

}  // namespace

std::optional<CloudRegion> ParseCloudAnswer(const CloudAnswer& answer) {
  const std::string_view region = answer.provider == "gcp"
                                      ? RegionOfZone(answer.text)
                                      : std::string_view(answer.text);
  if (!IsRegionName(region)) return std::nullopt;
  return CloudRegion{answer.provider, std::string(region)};
}

Result<CloudRegion> AskCloudRegion(const CloudQuery& query) {
  MODICUM_TRY(const auto answers, AskModule(query));
  std::optional<CloudRegion> found;
  for (const CloudAnswer& answer : answers) {
    auto region = ParseCloudAnswer(answer);
    if (!region) continue;
    if (found)
      return Fail(ErrorCode::kInvalidInput,
                  "the metadata service answers as several clouds",
                  "--region names the place");
    found = std::move(region);
  }
  if (found) return *std::move(found);
  if (answers.empty())
    return Fail(ErrorCode::kUnavailable, "no cloud's metadata service answers",
                "--region names the place");
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("the metadata service of {} names no region",
                          answers.front().provider),
              "--region names the place");
}

const Result<CloudRegion>& OwnCloudRegion() {
  static const auto* region = [] {
    CloudQuery query;
    // For tests, which play the service on loopback.
    if (const char* url = std::getenv("MODICUM_METADATA_URL"))
      query.base_url = url;
    return new Result<CloudRegion>(AskCloudRegion(query));
  }();
  return *region;
}

std::optional<std::string> PlaceOfCloudRegion(const CloudRegion& cloud) {
  static const auto* table = new EmbeddedTable(kCloudRegionsCsv);
  for (size_t i = 0; i < table->size(); ++i)
    if (table->at(i, "provider") == cloud.provider &&
        table->at(i, "region") == cloud.region)
      return table->at(i, "place");
  return std::nullopt;
}

void AddCloudRegion(const Result<CloudRegion>& asked, PlaceQuery& query) {
  if (!asked) {
    query.asked = asked.error().message;
    return;
  }
  if (query.provider.empty()) query.provider = asked->provider;
  const Provider* provider = FindProvider(asked->provider);
  const std::string name =
      fmt::format("{} region {}", provider ? provider->name : asked->provider,
                  asked->region);
  const auto place = PlaceOfCloudRegion(*asked);
  if (place) query.region = *place;
  query.asked = place ? name + ", asked of the instance's metadata"
                      : "where " + name + " is, is not known";
}

}  // namespace modicum
