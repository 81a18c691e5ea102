// SPDX-License-Identifier: Apache-2.0
// IPMI's messages by OpenIPMI: through the kernel's driver of this machine's
// BMC, or RMCP+ over the network. (FreeIPMI knows DCMI by itself, but its
// licence, GPL-3, would be the module's too.)
#include <OpenIPMI/ipmi_addr.h>
#include <OpenIPMI/ipmi_auth.h>
#include <OpenIPMI/ipmi_conn.h>
#include <OpenIPMI/ipmi_err.h>
#include <OpenIPMI/ipmi_lan.h>
#include <OpenIPMI/ipmi_posix.h>
#include <OpenIPMI/ipmi_smi.h>
#include <OpenIPMI/ipmiif.h>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstring>

#include "probe/bmc/dcmi_meter.h"

namespace modicum {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::chrono::seconds kConnect(5);
constexpr std::chrono::seconds kAnswer(3);
constexpr char kPort[] = "623";
// IPMI 2.0, 22.30: names of at most 16, passwords of at most 20 bytes.
constexpr size_t kMostName = 16;
constexpr size_t kMostPassword = 20;

// What it has to say, the errors say.
void Silence(os_handler_t*, const char*, ipmi_log_type_e, va_list) {}

// The library and its loop, for as long as the process runs.
Result<os_handler_t*> Loop() {
  static os_handler_t* const loop = [] {
    os_handler_t* made = ipmi_posix_setup_os_handler();
    if (made == nullptr) return made;
    made->set_log_handler(made, Silence);
    return ipmi_init(made) == 0 ? made : nullptr;
  }();
  if (loop == nullptr)
    return Fail(ErrorCode::kInternal, "OpenIPMI cannot be initialised");
  return loop;
}

std::string TextOf(int error) {
  char text[128] = "";
  return ipmi_get_error_string(static_cast<unsigned>(error), text, sizeof text);
}

Error ErrorOf(int error, const std::string& where) {
  Error out{ErrorCode::kRetry, where + ": " + TextOf(error), ""};
  const int number = IPMI_IS_OS_ERR(error) ? IPMI_GET_OS_ERR(error) : 0;
  if (number == ENOENT || number == ENODEV || number == ENXIO) {
    out.code = ErrorCode::kUnavailable;
    out.hint = "try: modprobe ipmi_si ipmi_devintf";
  } else if (number == EACCES || number == EPERM) {
    out.code = ErrorCode::kPermission;
    out.hint = "it can be read by root, or by a group: docs/permissions.md";
  } else if (number == EINVAL || IPMI_IS_RMCPP_ERR(error)) {
    out.code = ErrorCode::kPermission;
    out.hint =
        "MODICUM_IPMI_USER and MODICUM_IPMI_PASSWORD name a user of the BMC's";
  }
  return out;
}

class Connection final : public IpmiTransport {
 public:
  using SetUp = std::function<int(os_handler_t*, ipmi_con_t**)>;

  static Result<std::unique_ptr<IpmiTransport>> Open(const SetUp& set_up,
                                                     const std::string& where) {
    MODICUM_TRY(os_handler_t* const loop, Loop());
    std::unique_ptr<Connection> connection(new Connection(loop, where));
    if (const int error = set_up(loop, &connection->con_); error != 0)
      return Fail(ErrorOf(error, where));
    MODICUM_RETURN_IF_ERROR(connection->Start());
    return connection;
  }
  ~Connection() override {
    if (con_ == nullptr) return;
    con_->remove_con_change_handler(con_, Changed, this);
    con_->close_connection(con_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result<std::vector<uint8_t>> Send(uint8_t net_function, uint8_t command,
                                    std::span<const uint8_t> data) override {
    if (failed_ != 0) return Fail(ErrorOf(failed_, where_));
    ipmi_system_interface_addr_t address = {IPMI_SYSTEM_INTERFACE_ADDR_TYPE,
                                            IPMI_BMC_CHANNEL, 0};
    std::vector<uint8_t> bytes(data.begin(), data.end());
    const ipmi_msg_t message = {net_function, command,
                                static_cast<uint16_t>(bytes.size()),
                                bytes.data()};
    // An answer that comes after the wait for it has nowhere to go.
    const auto answer = std::make_shared<Answer>();
    auto* item = ipmi_alloc_msg_item();
    if (item == nullptr)
      return Fail(ErrorCode::kInternal, "OpenIPMI has no memory left");
    item->data1 = new std::shared_ptr<Answer>(answer);
    const int error =
        con_->send_command(con_, reinterpret_cast<ipmi_addr_t*>(&address),
                           sizeof address, &message, Answered, item);
    if (error != 0) {
      delete static_cast<std::shared_ptr<Answer>*>(item->data1);
      ipmi_free_msg_item(item);
      return Fail(ErrorOf(error, where_));
    }
    Run(kAnswer, [&answer] { return answer->there; });
    if (!answer->there)
      return Fail(ErrorCode::kRetry, where_ + " does not answer");
    return answer->bytes;
  }

 private:
  struct Answer {
    bool there = false;
    std::vector<uint8_t> bytes;
  };

  Connection(os_handler_t* loop, std::string where)
      : loop_(loop), where_(std::move(where)) {}

  Status Start() {
    con_->add_con_change_handler(con_, Changed, this);
    if (const int error = con_->start_con(con_); error != 0)
      return Fail(ErrorOf(error, where_));
    Run(kConnect, [this] { return up_ || failed_ != 0; });
    if (failed_ != 0) return Fail(ErrorOf(failed_, where_));
    if (!up_)
      return Fail(ErrorCode::kRetry, where_ + " does not answer",
                  "is IPMI over the network turned on there?");
    return {};
  }

  // Until it is `done`, or as long as `patience` lasts.
  template <class Done>
  void Run(std::chrono::seconds patience, Done done) {
    const SteadyTime until = std::chrono::steady_clock::now() + patience;
    while (!done() && std::chrono::steady_clock::now() < until) {
      timeval wait = {0, 100'000};
      loop_->perform_one_op(loop_, &wait);
    }
  }

  static void Changed(ipmi_con_t*, int error, unsigned, int up, void* self) {
    auto& connection = *static_cast<Connection*>(self);
    connection.up_ = up != 0;
    connection.failed_ = up != 0 ? 0 : error;
  }
  static int Answered(ipmi_con_t*, ipmi_msgi_t* item) {
    const std::unique_ptr<std::shared_ptr<Answer>> answer(
        static_cast<std::shared_ptr<Answer>*>(item->data1));
    (*answer)->bytes.assign(item->msg.data,
                            item->msg.data + item->msg.data_len);
    (*answer)->there = true;
    return IPMI_MSG_ITEM_NOT_USED;
  }

  os_handler_t* const loop_;
  const std::string where_;
  ipmi_con_t* con_ = nullptr;
  bool up_ = false;
  int failed_ = 0;
};

// "192.0.2.7", "bmc.example:9623", "[2001:db8::7]:623".
struct Address {
  std::string host, port = kPort;
};
Address AddressOf(std::string text) {
  Address address;
  const size_t bracket = text.rfind(']');
  const size_t colon = text.rfind(':');
  const bool one = text.find(':') == colon;
  if (colon != std::string::npos &&
      (bracket != std::string::npos ? colon > bracket : one)) {
    address.port = text.substr(colon + 1);
    text.resize(colon);
  }
  if (text.starts_with('[') && text.ends_with(']'))
    text = text.substr(1, text.size() - 2);
  address.host = std::move(text);
  return address;
}

// No more than reading takes, unless the BMC wants more for that.
Result<unsigned> PrivilegeOf(const BmcVariables& variable) {
  const std::string name = variable("MODICUM_IPMI_PRIVILEGE").value_or("user");
  if (name == "user") return unsigned{IPMI_PRIVILEGE_USER};
  if (name == "operator") return unsigned{IPMI_PRIVILEGE_OPERATOR};
  if (name == "admin") return unsigned{IPMI_PRIVILEGE_ADMIN};
  return Fail(ErrorCode::kInvalidInput,
              "MODICUM_IPMI_PRIVILEGE is none: '" + name.substr(0, 40) + "'",
              "user, operator or admin");
}

Result<std::unique_ptr<IpmiTransport>> OverNetwork(
    const std::string& host, const BmcVariables& variable) {
  Address address = AddressOf(host);
  std::string user = variable("MODICUM_IPMI_USER").value_or("");
  std::string password = variable("MODICUM_IPMI_PASSWORD").value_or("");
  if (address.host.empty() || address.port.empty())
    return Fail(ErrorCode::kInvalidInput,
                "MODICUM_IPMI_HOST is no address of a BMC",
                "for example 192.0.2.7, or 192.0.2.7:623");
  if (user.size() > kMostName || password.size() > kMostPassword)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("MODICUM_IPMI_{} is too long for IPMI",
                            user.size() > kMostName ? "USER" : "PASSWORD"),
                "names have up to 16 bytes, passwords up to 20");
  MODICUM_TRY(const unsigned privilege, PrivilegeOf(variable));
  const auto set_up = [&](os_handler_t* loop, ipmi_con_t** con) {
    char* hosts[] = {address.host.data()};
    char* ports[] = {address.port.data()};
    return ipmi_ip_setup_con(
        hosts, ports, 1, IPMI_AUTHTYPE_RMCP_PLUS, privilege, user.data(),
        static_cast<unsigned>(user.size()), password.data(),
        static_cast<unsigned>(password.size()), loop, nullptr, con);
  };
  return Connection::Open(set_up, host);
}

Result<std::unique_ptr<BmcMeter>> OpenHere(const BmcVariables& variable) {
  const auto host = variable("MODICUM_IPMI_HOST");
  const std::string where = host.value_or("/dev/ipmi0");
  MODICUM_TRY(auto transport,
              host ? OverNetwork(*host, variable)
                   : Connection::Open(
                         [](os_handler_t* loop, ipmi_con_t** con) {
                           return ipmi_smi_setup_con(0, loop, nullptr, con);
                         },
                         where));
  return MakeDcmiMeter(std::move(transport), where);
}

}  // namespace

// A Result by value over a C name: program and module are of one build.
#ifdef __clang__
#pragma clang diagnostic ignored "-Wreturn-type-c-linkage"
#endif
extern "C" __attribute__((visibility("default")))
Result<std::unique_ptr<BmcMeter>>
modicum_ipmi(const BmcVariables& variable) {
  return OpenHere(variable);
}

}  // namespace modicum

extern "C" __attribute__((visibility("default"))) const char*
modicum_ipmi_abi() {
  return modicum::kBmcAbi;
}
