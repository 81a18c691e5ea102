// SPDX-License-Identifier: Apache-2.0
// The address of a local socket.
#pragma once

#include <sys/un.h>

#include <optional>
#include <string_view>

namespace modicum {

// Its path and the byte that ends it must fit.
inline constexpr size_t kLongestSocketPath = sizeof(sockaddr_un::sun_path) - 1;

// unix(7); nullopt for a path that is too long.
inline std::optional<sockaddr_un> UnixAddress(std::string_view path) {
  if (path.size() > kLongestSocketPath) return std::nullopt;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  return address;
}

}  // namespace modicum
