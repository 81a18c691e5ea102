// SPDX-License-Identifier: Apache-2.0
#include "base/http_failure.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace modicum {
namespace {

struct HostAndPort {
  std::string host, port;
};

HostAndPort HostOf(const std::string& origin) {
  const size_t scheme = origin.find("://");
  const size_t begin = scheme == origin.npos ? 0 : scheme + 3;
  std::string host = origin.substr(begin);
  std::string port = origin.starts_with("https") ? "443" : "80";
  // Behind the brackets of an IPv6 address.
  const size_t after = host.starts_with('[') ? host.find(']') : 0;
  const size_t colon = host.find(':', std::min(after, host.size()));
  if (colon != host.npos) {
    port = host.substr(colon + 1);
    host.resize(colon);
  }
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return {host, port};
}

// 0, or the errno of a connection to the address.
int TryToConnect(const addrinfo& address) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const timeval second{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
  const int failed = connect(fd, address.ai_addr, address.ai_addrlen);
  const int error = failed == 0 ? 0 : errno;
  close(fd);
  return error;
}

HttpFailure WhyNoConnection(const std::string& origin) {
  const auto [host, port] = HostOf(origin);
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.c_str(), port.c_str(), &wanted, &found);
  if (code != 0)
    return {fmt::format("cannot be asked: no machine named '{}' was found ({})",
                        host, gai_strerror(code)),
            "is the name spelled right, and does this machine have a network?"};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found,
                                                                &freeaddrinfo);
  int error = 0;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next)
    error = TryToConnect(*one);
  if (error == EINPROGRESS) error = ETIMEDOUT;
  if (error == ECONNREFUSED)
    return {"refused the connection",
            "is its server running, and does it listen on that port?"};
  if (error == 0)
    return {"did not take the connection, and takes one now", "try again"};
  return {fmt::format("cannot be reached: {}", std::strerror(error)),
          "is there a way from here to there: network, proxy, firewall?"};
}

HttpFailure Closed(bool began) {
  if (began)
    return {"closed the connection in the middle of its answer",
            "did its server stop or fail just then? its log may say why"};
  return {"closed the connection without an answer",
          "is it HTTP that is spoken there, or does it need https://? its log "
          "may say why"};
}

}  // namespace

HttpFailure WhyNoAnswer(const FailedRequest& request) {
  using httplib::Error;
  const double patience = request.patience.value();
  if (request.error == Error::Connection)
    return WhyNoConnection(request.origin);
  if (request.error == Error::ConnectionTimeout)
    return {fmt::format("did not take the connection within {:g} s", patience),
            "is the address right, and no firewall in between?"};
  if (request.took >= request.patience)
    return {fmt::format("did not answer within {:g} s", patience),
            request.longer};
  switch (request.error) {
    case Error::Read:
    case Error::Write:
    case Error::Canceled:
      return Closed(request.began);
    case Error::SSLConnection:
      return {"made no encrypted connection (TLS)",
              "is it https:// that is spoken there, or http:// alone?"};
    case Error::SSLServerVerification:
      return {"shows a certificate that this machine does not trust",
              "is the address right? else let this machine trust who signed "
              "it (ca-certificates)"};
    default:
      return {
          fmt::format("did not answer: {}", httplib::to_string(request.error)),
          "can it be asked from here with curl?"};
  }
}

}  // namespace modicum
