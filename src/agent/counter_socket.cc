// SPDX-License-Identifier: Apache-2.0
#include "agent/counter_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "base/unix_address.h"
#include "probe/agent_message.h"

namespace modicum {
namespace {

// Far below the limit on open files that systems have by default.
constexpr size_t kMostClients = 768;

tl::unexpected<Error> Failed(const std::string& path, const char* what) {
  return Fail(ErrorCode::kIo,
              "cannot " + std::string(what) + " the socket " + path + ": " +
                  strerror(errno),
              "--socket names another place, --socket none does without");
}

Result<sockaddr_un> AddressOf(const std::string& path) {
  if (const auto address = UnixAddress(path)) return *address;
  return Fail(ErrorCode::kInvalidInput,
              "the path of a socket has at most " +
                  std::to_string(kLongestSocketPath) +
                  " bytes, this one more: " + path,
              "choose a shorter one");
}

int64_t NowNanos() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

// Whether somebody answers there.
bool Answers(const sockaddr_un& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answers =
      fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&address),
                         sizeof address) == 0;
  if (fd >= 0) close(fd);
  return answers;
}

}  // namespace

Result<std::unique_ptr<CounterSocket>> CounterSocket::Open(
    const std::string& path) {
  std::unique_ptr<CounterSocket> made(new CounterSocket(path));
  MODICUM_RETURN_IF_ERROR(made->Bind());
  return made;
}

void CounterSocket::Serve(std::function<std::string()> answer) {
  answer_ = std::move(answer);
  thread_ = std::thread([this] { Run(); });
}

Status CounterSocket::Bind() {
  MODICUM_TRY(const sockaddr_un address, AddressOf(path_));
  std::error_code ignored;
  std::filesystem::create_directories(
      std::filesystem::path(path_).parent_path(), ignored);
  struct stat there {};
  if (lstat(path_.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode))
      return Fail(ErrorCode::kIo, path_ + " is there and is no socket",
                  "--socket names another place");
    if (Answers(address))
      return Fail(ErrorCode::kIo, "an agent answers at " + path_ + " already",
                  "one is enough for a machine; --socket names another place");
    unlink(path_.c_str());
  }
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Failed(path_, "make");
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
      0) {
    const auto failed = Failed(path_, "make");
    close(fd);
    return failed;
  }
  listener_ = fd;  // from here on the path is ours
  if (chmod(path_.c_str(), 0666) != 0 || listen(fd, SOMAXCONN) != 0 ||
      pipe2(wake_, O_CLOEXEC) != 0)
    return Failed(path_, "open");
  return {};
}

CounterSocket::~CounterSocket() {
  if (thread_.joinable()) {
    while (write(wake_[1], "e", 1) < 0 && errno == EINTR) {
    }
    thread_.join();
  }
  for (const Client& client : clients_) close(client.fd);
  for (const int fd : {listener_, wake_[0], wake_[1]})
    if (fd >= 0) close(fd);
  if (listener_ >= 0) unlink(path_.c_str());
}

void CounterSocket::Run() {
  std::vector<pollfd> polled;
  while (true) {
    polled = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Client& client : clients_)
      polled.push_back({client.fd, POLLIN, 0});
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[0].revents != 0) return;
    // From the last on: who leaves changes no index that is still to come.
    for (size_t i = clients_.size(); i-- > 0;) {
      if (polled[i + 2].revents == 0 || Take(clients_[i])) continue;
      close(clients_[i].fd);
      clients_.erase(clients_.begin() + static_cast<ptrdiff_t>(i));
    }
    if (polled[1].revents != 0) Accept();
  }
}

void CounterSocket::Accept() {
  const int fd =
      accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0 && clients_.size() < kMostClients) {
    clients_.push_back({fd, ""});
    return;
  }
  if (fd >= 0) {
    close(fd);
    return;
  }
  // Without a descriptor for it, it stays in the queue and poll() returns at
  // once.
  if (errno == EMFILE || errno == ENFILE)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

bool CounterSocket::Take(Client& client) {
  char buffer[256];
  const ssize_t count = recv(client.fd, buffer, sizeof buffer, 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  client.request.append(buffer, static_cast<size_t>(count));
  while (client.request.starts_with(kAgentRequest)) {
    client.request.erase(0, kAgentRequest.size());
    const std::string& answer = Answer();
    if (send(client.fd, answer.data(), answer.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(answer.size()))
      return false;
  }
  return kAgentRequest.starts_with(client.request);
}

// Counters that are read finely tell what others compute (CVE-2020-8694):
// nobody gets them more finely than that.
const std::string& CounterSocket::Answer() {
  const int64_t now = NowNanos();
  if (last_.empty() ||
      static_cast<double>(now - last_at_) >= kAgentRefresh.value() * 1e9) {
    last_ = answer_() + "\n";
    last_at_ = now;
  }
  return last_;
}

}  // namespace modicum
