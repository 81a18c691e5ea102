// SPDX-License-Identifier: Apache-2.0
// Generic netlink, family TASKSTATS: asked to send a message for every thread
// that ends on any CPU. Structures and numbers: linux/taskstats.h and
// linux/genetlink.h.
#include "meter/exits.h"

#include <linux/acct.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

namespace modicum {
namespace {

// With it came the process of a thread (Linux 6.0).
constexpr uint16_t kFirstVersion = 12;
// Its fields stand elsewhere than in all others: 16 put them back.
constexpr uint16_t kBrokenVersion = 15;
constexpr size_t kNeeded = offsetof(taskstats, ac_tgid) + sizeof(uint32_t);
// Room for some ten thousand exits between two looks.
constexpr int kRoom = 8 << 20;
constexpr size_t kMostMessage = 16 << 10;
constexpr timeval kPatience = {2, 0};

using ByteView = std::span<const uint8_t>;

template <class T>
bool Take(ByteView& bytes, T& value) {
  if (bytes.size() < sizeof value) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes = bytes.subspan(sizeof value);
  return true;
}

size_t Aligned(size_t size) { return (size + 3) & ~size_t{3}; }

// The content of the first attribute of this type; nullopt: none, or cut off.
std::optional<ByteView> Attribute(ByteView bytes, uint16_t type) {
  nlattr head;
  while (bytes.size() >= sizeof head) {
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.nla_len < sizeof head || head.nla_len > bytes.size())
      return std::nullopt;
    if ((head.nla_type & NLA_TYPE_MASK) == type)
      return bytes.subspan(sizeof head, head.nla_len - sizeof head);
    bytes = bytes.subspan(std::min(Aligned(head.nla_len), bytes.size()));
  }
  return std::nullopt;
}

// A generic netlink message's attributes.
std::optional<ByteView> AttributesOf(ByteView message) {
  nlmsghdr head;
  ByteView rest = message;
  genlmsghdr generic;
  if (!Take(rest, head) || head.nlmsg_type == NLMSG_ERROR ||
      head.nlmsg_len > message.size() || !Take(rest, generic))
    return std::nullopt;
  return rest;
}

// What was asked, as one attribute.
std::vector<uint8_t> Request(uint16_t family, uint8_t command, uint16_t type,
                             std::string_view text) {
  const size_t attribute = NLA_HDRLEN + text.size() + 1;
  const size_t size = NLMSG_HDRLEN + GENL_HDRLEN + Aligned(attribute);
  std::vector<uint8_t> bytes(size);
  nlmsghdr head = {};
  head.nlmsg_len = static_cast<uint32_t>(size);
  head.nlmsg_type = family;
  head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  genlmsghdr generic = {};
  generic.cmd = command;
  generic.version = 1;
  nlattr value = {};
  value.nla_len = static_cast<uint16_t>(attribute);
  value.nla_type = type;
  std::memcpy(bytes.data(), &head, sizeof head);
  std::memcpy(bytes.data() + NLMSG_HDRLEN, &generic, sizeof generic);
  std::memcpy(bytes.data() + NLMSG_HDRLEN + GENL_HDRLEN, &value, sizeof value);
  std::memcpy(bytes.data() + NLMSG_HDRLEN + GENL_HDRLEN + NLA_HDRLEN,
              text.data(), text.size());
  return bytes;
}

tl::unexpected<Error> Failed(int error_number) {
  const bool denied = error_number == EPERM || error_number == EACCES;
  return Fail(denied ? ErrorCode::kPermission : ErrorCode::kUnavailable,
              std::string("taskstats: ") + std::strerror(error_number),
              denied ? "it takes CAP_NET_ADMIN: docs/watch.md" : "");
}

class NetlinkExits final : public ExitSource {
 public:
  explicit NetlinkExits(int socket) : socket_(socket) {}
  ~NetlinkExits() override { close(socket_); }
  NetlinkExits(const NetlinkExits&) = delete;
  NetlinkExits& operator=(const NetlinkExits&) = delete;

  Result<std::vector<ThreadExit>> Drain() override {
    std::vector<ThreadExit> exits;
    bool lost = false;
    while (true) {
      const ssize_t size =
          recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (size < 0 && errno == EINTR) continue;
      // The kernel had no room left: what came meanwhile is gone.
      if (size < 0 && errno == ENOBUFS) {
        lost = true;
        continue;
      }
      if (size < 0 && errno != EAGAIN) return Failed(errno);
      if (size <= 0) break;
      if (auto exit =
              ParseThreadExit({buffer_.data(), static_cast<size_t>(size)}))
        exits.push_back(*std::move(exit));
    }
    if (lost) return Fail(ErrorCode::kRetry, "taskstats: some exits were lost");
    return exits;
  }

  // The number of the family, then every CPU's exits.
  Status Register(const std::string& cpus) {
    MODICUM_TRY(const uint16_t family, FindFamily());
    return Ask(Request(family, TASKSTATS_CMD_GET,
                       TASKSTATS_CMD_ATTR_REGISTER_CPUMASK, cpus));
  }

 private:
  Result<uint16_t> FindFamily() {
    const auto request = Request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY,
                                 CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME);
    if (send(socket_, request.data(), request.size(), 0) < 0)
      return Failed(errno);
    const ssize_t size = recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (size < 0) return Failed(errno);
    const auto attributes =
        AttributesOf({buffer_.data(), static_cast<size_t>(size)});
    const auto number =
        attributes ? Attribute(*attributes, CTRL_ATTR_FAMILY_ID) : std::nullopt;
    uint16_t family = 0;
    ByteView bytes = number.value_or(ByteView());
    if (!Take(bytes, family)) return Failed(ENOENT);
    return family;
  }

  // Answers come among exits.
  Status Ask(const std::vector<uint8_t>& request) {
    if (send(socket_, request.data(), request.size(), 0) < 0)
      return Failed(errno);
    for (int tries = 0; tries < 1000; ++tries) {
      const ssize_t size = recv(socket_, buffer_.data(), buffer_.size(), 0);
      if (size < 0) return Failed(errno);
      ByteView bytes(buffer_.data(), static_cast<size_t>(size));
      nlmsghdr head;
      nlmsgerr answer;
      if (!Take(bytes, head) || head.nlmsg_type != NLMSG_ERROR) continue;
      // That of the first question was an answer of its own and this.
      if (!Take(bytes, answer)) return Failed(EBADMSG);
      if (answer.error != 0) return Failed(-answer.error);
      if (answer.msg.nlmsg_type != GENL_ID_CTRL) return {};
    }
    return Failed(ETIMEDOUT);
  }

  const int socket_;
  std::array<uint8_t, kMostMessage> buffer_{};
};

}  // namespace

std::optional<ThreadExit> ParseThreadExit(ByteView message) {
  const auto attributes = AttributesOf(message);
  if (!attributes) return std::nullopt;
  const auto thread = Attribute(*attributes, TASKSTATS_TYPE_AGGR_PID);
  if (!thread) return std::nullopt;
  const auto content = Attribute(*thread, TASKSTATS_TYPE_STATS);
  if (!content || content->size() < kNeeded) return std::nullopt;
  taskstats stats = {};
  std::memcpy(&stats, content->data(), std::min(sizeof stats, content->size()));
  if (stats.version < kFirstVersion || stats.version == kBrokenVersion)
    return std::nullopt;
  ThreadExit exit;
  exit.process = static_cast<pid_t>(stats.ac_tgid);
  exit.parent = static_cast<pid_t>(stats.ac_ppid);
  exit.user = stats.ac_uid;
  exit.name.assign(stats.ac_comm, strnlen(stats.ac_comm, TS_COMM_LEN));
  exit.last = (stats.ac_flag & AGROUP) != 0;
  // What the scheduler counted, in nanoseconds; the other is of whole ticks
  // on most kernels.
  exit.cpu =
      stats.cpu_run_virtual_total > 0
          ? Seconds(static_cast<double>(stats.cpu_run_virtual_total) * 1e-9)
          : Seconds(static_cast<double>(stats.ac_utime) * 1e-6 +
                    static_cast<double>(stats.ac_stime) * 1e-6);
  if (exit.process <= 0) return std::nullopt;
  return exit;
}

std::unique_ptr<ExitSource> ExitsFrom(int socket) {
  return std::make_unique<NetlinkExits>(socket);
}

Result<std::unique_ptr<ExitSource>> OpenExits(const RootFs& fs) {
  if (!fs.root().empty())
    return Fail(ErrorCode::kUnavailable,
                "no exits are told on a recorded machine");
  MODICUM_TRY(const std::string cpus,
              ReadTrimmed(fs, "/sys/devices/system/cpu/possible"));
  const int socket_fd =
      socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
  if (socket_fd < 0) return Failed(errno);
  auto exits = std::make_unique<NetlinkExits>(socket_fd);
  setsockopt(socket_fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  // Beyond the system's limit where that is permitted.
  if (setsockopt(socket_fd, SOL_SOCKET, SO_RCVBUFFORCE, &kRoom, sizeof kRoom) !=
      0)
    setsockopt(socket_fd, SOL_SOCKET, SO_RCVBUF, &kRoom, sizeof kRoom);
  MODICUM_RETURN_IF_ERROR(exits->Register(cpus));
  return exits;
}

std::unique_ptr<ExitSource> ExitsOrNone(const RootFs& fs) {
  auto exits = OpenExits(fs);
  return exits ? *std::move(exits) : nullptr;
}

}  // namespace modicum
