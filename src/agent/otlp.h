// SPDX-License-Identifier: Apache-2.0
// OTLP/HTTP in JSON: OpenTelemetry's protocol for metrics.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"

namespace modicum {

// An ExportMetricsServiceRequest, proto3's JSON mapping: counters as monotonic
// cumulative sums, times in nanoseconds as text (opentelemetry-proto 1.0,
// metrics.proto).
std::string OtlpJson(std::span<const MetricFamily> families,
                     std::string_view host, WallTime now);

// Where to send it.
struct OtlpEndpoint {
  std::string origin;  // "http://collector:4318"
  std::string path;    // "/v1/metrics"
};
// `url`: of a collector, to which /v1/metrics is added as the specification of
// OTEL_EXPORTER_OTLP_ENDPOINT wants it, unless it ends so. kInvalidInput for
// what is no http or https URL.
Result<OtlpEndpoint> ParseOtlpUrl(std::string_view url);

// "name=value,name=value", values percent-encoded (W3C Baggage).
Result<std::vector<std::pair<std::string, std::string>>> ParseOtlpHeaders(
    std::string_view text);

}  // namespace modicum
