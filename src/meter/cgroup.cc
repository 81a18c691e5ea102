// SPDX-License-Identifier: Apache-2.0
#include "meter/cgroup.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "meter/words.h"

namespace modicum {
namespace {

// Characters of an id that are shown, as Docker does.
constexpr size_t kIdShown = 12;
constexpr size_t kPodShown = 8;
constexpr size_t kIdLength = 64;

std::vector<std::string_view> Split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (!text.empty())
    if (const std::string_view part = TakeUntil(text, by); !part.empty())
      parts.push_back(part);
  return parts;
}

bool Cut(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool CutEnd(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

bool IsId(std::string_view text) {
  return text.size() == kIdLength &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// "docker-<id>.scope", "cri-containerd-<id>.scope" or a bare "<id>".
struct Container {
  std::string_view runtime;
  std::string_view id;
};
std::optional<Container> ContainerOf(std::string_view part) {
  CutEnd(part, ".scope");
  if (IsId(part)) return Container{"", part};
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4>
      kRuntimes{{{"docker-", "docker"},
                 {"libpod-", "podman"},
                 {"cri-containerd-", "containerd"},
                 {"crio-", "cri-o"}}};
  for (const auto& [prefix, runtime] : kRuntimes)
    if (std::string_view rest = part; Cut(rest, prefix) && IsId(rest))
      return Container{runtime, rest};
  return std::nullopt;
}

// "pod<uid>" or "kubepods-burstable-pod<uid>.slice", where systemd writes the
// uid with _ for -.
std::string_view PodOf(std::string_view part) {
  if (!CutEnd(part, ".slice")) return Cut(part, "pod") ? part : "";
  if (!part.starts_with("kubepods")) return "";
  const size_t at = part.rfind("-pod");
  return at == std::string_view::npos ? "" : part.substr(at + 4);
}

std::string ContainerName(const std::vector<std::string_view>& parts) {
  std::string_view pod;
  std::string_view before;
  for (const std::string_view part : parts) {
    if (const std::string_view uid = PodOf(part); !uid.empty()) pod = uid;
    if (const auto container = ContainerOf(part)) {
      const std::string id(container->id.substr(0, kIdShown));
      if (!pod.empty())
        return "pod " + std::string(pod.substr(0, kPodShown)) + " container " +
               id;
      // "/docker/<id>": the folder names the runtime.
      const std::string_view runtime =
          container->runtime.empty() ? before : container->runtime;
      return (runtime.empty() ? "container" : std::string(runtime)) + " " + id;
    }
    before = part;
  }
  return pod.empty() ? "" : "pod " + std::string(pod.substr(0, kPodShown));
}

// ".../job_42/step_0/user/task_0": Slurm's, v1 and v2.
std::string SlurmName(const std::vector<std::string_view>& parts) {
  std::string name;
  for (std::string_view part : parts) {
    if (Cut(part, "job_"))
      name = "slurm job " + std::string(part);
    else if (!name.empty() && Cut(part, "step_"))
      return name + " step " + std::string(part);
  }
  return name;
}

std::string LxcName(const std::vector<std::string_view>& parts) {
  for (size_t i = 0; i < parts.size(); ++i) {
    std::string_view part = parts[i];
    if (Cut(part, "lxc.payload.")) return "lxc " + std::string(part);
    if (part == "lxc" && i + 1 < parts.size())
      return "lxc " + std::string(parts[i + 1]);
  }
  return "";
}

// systemd escapes a byte as \x2d.
std::string Unescaped(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    unsigned char byte = 0;
    const char* digits = text.data() + 2;
    if (text.starts_with("\\x") && text.size() >= 4 &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      plain += static_cast<char>(byte);
      text.remove_prefix(4);
    } else {
      plain += text.front();
      text.remove_prefix(1);
    }
  }
  return plain;
}

// The last unit that is not a mere slice: "nginx.service", "session-3.scope"
// of a user, "app-firefox".
std::string UnitName(const std::vector<std::string_view>& parts) {
  std::string_view user;
  for (std::string_view part : parts)
    if (CutEnd(part, ".slice") && Cut(part, "user-")) user = part;
  for (size_t i = parts.size(); i-- > 0;) {
    std::string_view part = parts[i];
    if (part.ends_with(".service")) {
      if (part.starts_with("user@")) break;
      return Unescaped(part);
    }
    if (!CutEnd(part, ".scope")) continue;
    if (part.starts_with("session-") && !user.empty())
      return "user " + std::string(user) + " " + std::string(part);
    return Unescaped(part);
  }
  return user.empty() ? "" : "user " + std::string(user);
}

}  // namespace

std::string CgroupPath(std::string_view text) {
  std::string_view of_cpu;
  std::string_view of_systemd;
  while (!text.empty()) {
    const std::string_view line = TakeUntil(text, '\n');
    const size_t first = line.find(':');
    const size_t second =
        first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view names = line.substr(first + 1, second - first - 1);
    const std::string_view path = line.substr(second + 1);
    // On a mixed machine the unified hierarchy may hold nothing.
    if (names.empty() && path != "/") return std::string(path);
    for (const std::string_view name : Split(names, ','))
      if (name == "cpu" || name == "cpuacct") of_cpu = path;
    if (names == "name=systemd" || names.empty()) of_systemd = path;
  }
  return std::string(of_cpu.empty() ? of_systemd : of_cpu);
}

std::string CgroupName(std::string_view path) {
  const auto parts = Split(path, '/');
  for (const auto name : {&SlurmName, &ContainerName, &LxcName, &UnitName})
    if (std::string text = name(parts); !text.empty()) return text;
  return std::string(path);
}

}  // namespace modicum
