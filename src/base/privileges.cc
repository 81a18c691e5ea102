// SPDX-License-Identifier: Apache-2.0
#include "base/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace modicum {
namespace {

Status Become(const std::string& user) {
  errno = 0;
  const passwd* found = getpwnam(user.c_str());  // one thread asks, once
  if (found == nullptr)
    return Fail(ErrorCode::kInvalidInput,
                "--user: there is no user '" + user + "'",
                "name one of the system's, for example nobody");
  if (geteuid() != 0)
    return found->pw_uid == geteuid()
               ? Status()
               : Fail(ErrorCode::kPermission, "only root can become " + user,
                      "leave --user out, or start it as root");
  const uid_t uid = found->pw_uid;
  const gid_t gid = found->pw_gid;
  if (setgroups(0, nullptr) != 0 || setresgid(gid, gid, gid) != 0 ||
      setresuid(uid, uid, uid) != 0)
    return Fail(ErrorCode::kPermission,
                "cannot become " + user + ": " + strerror(errno));
  return {};
}

}  // namespace

void DropCapabilities() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  syscall(SYS_capset, &head, none);
}

Status DropPrivileges(const std::string& user) {
  if (!user.empty()) MODICUM_RETURN_IF_ERROR(Become(user));
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  DropCapabilities();
  return {};
}

}  // namespace modicum
