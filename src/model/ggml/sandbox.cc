// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/sandbox.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

namespace modicum {

namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr uint32_t kArchitecture = 0;  // no filter
#endif
// The sanitizer reserves terabytes of addresses.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kBoundsAddresses = false;
#elif defined(__has_feature)
constexpr bool kBoundsAddresses = !__has_feature(address_sanitizer);
#else
constexpr bool kBoundsAddresses = true;
#endif

// System calls that reading and computing do not need. Those that would do
// the same by other ways are among them: io_uring, openat2.
constexpr uint32_t kDenied[] = {
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_sendto,
    SYS_sendmsg,
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kill,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal,
    SYS_ioctl,
    SYS_io_uring_setup,
    SYS_openat2,
    SYS_open_by_handle_at,
    SYS_unlinkat,
    SYS_renameat,
    SYS_renameat2,
    SYS_mkdirat,
    SYS_linkat,
    SYS_symlinkat,
    SYS_mknodat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_fchown,
    SYS_fchownat,
    SYS_truncate,
    SYS_ftruncate,
    SYS_mount,
    SYS_unshare,
    SYS_setns,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_keyctl,
    SYS_add_key,
    SYS_userfaultfd,
#if defined(__x86_64__)
    SYS_creat,
    SYS_unlink,
    SYS_rename,
    SYS_mkdir,
    SYS_rmdir,
    SYS_link,
    SYS_symlink,
    SYS_mknod,
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_fork,
    SYS_vfork,
#endif
};
constexpr uint32_t kWrites = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr uint32_t kDeny = SECCOMP_RET_ERRNO | EPERM;

// seccomp(2) with a program of classic BPF, from the first rule on.
class Filter {
 public:
  Filter() {
    Load(offsetof(seccomp_data, arch));
    Add(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
    Return(SECCOMP_RET_KILL_PROCESS);
    Load(offsetof(seccomp_data, nr));
    // x32: the same calls by other numbers.
    Add(BPF_JMP | BPF_JGE | BPF_K, 0x40000000U, 0, 1);
    Return(kDeny);
    for (const uint32_t call : kDenied) {
      Add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
      Return(kDeny);
    }
#if defined(__x86_64__)
    DenyWrites(SYS_open, 1);
#endif
    DenyWrites(SYS_openat, 2);
    // Threads, no processes; by the call whose flags can be seen.
    Allow(SYS_clone, BPF_JSET, CLONE_THREAD);
    Add(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
    Return(SECCOMP_RET_ERRNO | ENOSYS);
    // Its own signals and limits.
    Allow(SYS_tgkill, BPF_JEQ, static_cast<uint32_t>(getpid()));
    Allow(SYS_prlimit64, BPF_JEQ, 0);
    Return(kAllow);
  }

  // Whether it is in force.
  bool Install() {
    sock_fprog program{static_cast<unsigned short>(rules_.size()),
                       rules_.data()};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
  }

 private:
  void Add(int code, uint32_t k, uint8_t if_true, uint8_t if_false) {
    rules_.push_back({static_cast<uint16_t>(code), if_true, if_false, k});
  }
  void Load(size_t offset) {
    Add(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset), 0, 0);
  }
  void Return(uint32_t answer) { Add(BPF_RET | BPF_K, answer, 0, 0); }
  // Where `call` opens a file: its flags are argument `index`.
  void DenyWrites(uint32_t call, size_t index) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
    Load(offsetof(seccomp_data, args) + 8 * index);  // its lower half
    Add(BPF_JMP | BPF_JSET | BPF_K, kWrites, 0, 1);
    Return(kDeny);
    Return(kAllow);
  }

  // `call` only where its first argument is, or has, `k`.
  void Allow(uint32_t call, int how, uint32_t k) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
    Load(offsetof(seccomp_data, args));
    Add(BPF_JMP | how | BPF_K, k, 1, 0);
    Return(kDeny);
    Return(kAllow);
  }

  std::vector<sock_filter> rules_;
};

Status Limit(__rlimit_resource resource, double most, const char* what) {
  rlimit limit{};
  getrlimit(resource, &limit);
  const auto wanted = static_cast<rlim_t>(most);
  if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > wanted)
    limit.rlim_max = wanted;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(resource, &limit) == 0) return {};
  return Fail(ErrorCode::kPermission, std::string("cannot limit the ") + what +
                                          ": " + std::strerror(errno));
}

}  // namespace

Status EnterSandbox(const SandboxLimits& limits) {
  if (kBoundsAddresses)
    MODICUM_RETURN_IF_ERROR(Limit(RLIMIT_AS, limits.memory.value(), "memory"));
  MODICUM_RETURN_IF_ERROR(Limit(RLIMIT_CPU, limits.cpu.value(), "CPU time"));
  MODICUM_RETURN_IF_ERROR(Limit(RLIMIT_CORE, 0, "core file"));
  alarm(static_cast<unsigned>(10 * limits.cpu.value()));
  if (kArchitecture == 0) return {};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return {};
  static_cast<void>(Filter().Install());
  return {};
}

}  // namespace modicum
