// SPDX-License-Identifier: Apache-2.0
// Runs a golden-text test of the program: see README.md for the format.
//   golden_test [--update] PROGRAM SOURCE_DIR FILE.test
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <regex.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using std::string;
using std::string_view;
using Lines = std::vector<string>;

constexpr string_view kRegex = "<REGEX>:";
constexpr string_view kAnyLines = "<...>";
constexpr string_view kNoLineEnd = "<no line end>";
constexpr std::chrono::seconds kTimeout(120);

[[noreturn]] void Die(const string& message) {
  std::fprintf(stderr, "golden_test: %s\n", message.c_str());
  std::exit(2);
}

// What a command printed and returned.
struct Outcome {
  string out;
  string err;
  int code = 0;
};

// One `$` or `%` line with what is expected of it.
struct Step {
  size_t line = 0;  // of the command, 0-based
  size_t end = 0;   // first line after the expectations
  bool terminal = false;
  string command;
  Lines out;
  Lines err;
  int code = 0;
};

struct Options {
  bool update = false;
  string program;
  string source;
  string file;
};

Lines SplitLines(string_view text) {
  Lines lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == string_view::npos) {
      lines.emplace_back(kNoLineEnd);
      break;
    }
    text.remove_prefix(end + 1);
  }
  return lines;
}

Lines ReadLines(const string& path) {
  std::ifstream in(path);
  if (!in) Die("cannot read " + path);
  Lines lines;
  for (string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

void ReplaceAll(string& text, string_view from, string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != string::npos;
       at += to.size())
    text.replace(at, from.size(), to);
}

bool MatchesRegex(const string& pattern, const string& line) {
  regex_t compiled;
  const string whole = "^(" + pattern + ")$";
  if (regcomp(&compiled, whole.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
    Die("bad pattern: " + pattern);
  const bool matches = regexec(&compiled, line.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return matches;
}

bool LineMatches(const string& expected, const string& line) {
  if (expected.compare(0, kRegex.size(), kRegex) == 0)
    return MatchesRegex(expected.substr(kRegex.size()), line);
  return expected == line;
}

// Both from the index on; `<...>` takes as few lines as possible.
bool Matches(const Lines& expected, size_t e, const Lines& lines, size_t l) {
  for (; e < expected.size(); ++e, ++l) {
    if (expected[e] == kAnyLines) {
      for (size_t skip = l; skip <= lines.size(); ++skip)
        if (Matches(expected, e + 1, lines, skip)) return true;
      return false;
    }
    if (l == lines.size() || !LineMatches(expected[e], lines[l])) return false;
  }
  return l == lines.size();
}

// "| text" -> "text", "|" -> "".
string Payload(const string& line) {
  return line.size() < 2 ? "" : line.substr(line[1] == ' ' ? 2 : 1);
}

class Runner {
 public:
  explicit Runner(Options options)
      : options_(std::move(options)), lines_(ReadLines(options_.file)) {
    string pattern =
        (std::filesystem::temp_directory_path() / "modicum-cli-XXXXXX");
    if (mkdtemp(pattern.data()) == nullptr) Die("cannot make " + pattern);
    // As the program sees it: without symbolic links.
    dir_ = std::filesystem::canonical(pattern);
    SetEnvironment();
  }
  ~Runner() {
    std::error_code ignored;
    std::filesystem::remove_all(dir_, ignored);
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  int Run();

 private:
  void SetEnvironment();
  void Pass(const char* variable);
  bool Is(size_t at, string_view prefix) const {
    return at < lines_.size() && lines_[at].starts_with(prefix);
  }
  void Directive(size_t at);
  void WriteUpdates() const;
  size_t WriteFile(size_t at);
  Step ParseStep(size_t at) const;
  bool RunStep(const Step& step);
  pid_t StartOnTerminal(const Step& step, std::vector<pollfd>& fds) const;
  pid_t StartOnPipes(const Step& step, std::vector<pollfd>& fds) const;
  Outcome Execute(const Step& step) const;
  [[noreturn]] void Child(const string& command) const;
  Lines Normalised(string text) const;
  void Report(const Step& step, const Outcome& got) const;
  void Record(const Step& step, const Outcome& got);

  Options options_;
  Lines lines_;
  string dir_;
  std::map<string, string> environment_;
  std::map<size_t, std::pair<size_t, Lines>> updates_;  // begin -> end, lines
};

void Runner::Pass(const char* variable) {
  if (const char* value = std::getenv(variable)) environment_[variable] = value;
}

void Runner::SetEnvironment() {
  const string bin = std::filesystem::path(options_.program).parent_path();
  const char* path = std::getenv("PATH");
  environment_ = {{"PATH", bin + ":" + (path ? path : "/usr/bin:/bin")},
                  {"HOME", dir_},
                  {"TMPDIR", dir_ + "/tmp"},
                  {"SRC", options_.source},
                  {"LANG", "C.UTF-8"},
                  {"TERM", "xterm"},
                  {"TZ", "UTC"}};
  for (const char* variable : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
                               "LSAN_OPTIONS", "LLVM_PROFILE_FILE"})
    Pass(variable);
  std::filesystem::create_directory(dir_ + "/tmp");
}

size_t Runner::WriteFile(size_t at) {
  const std::filesystem::path path = dir_ + "/" + lines_[at].substr(5);
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path);
  for (++at; Is(at, "|"); ++at) out << Payload(lines_[at]) << '\n';
  if (!out.flush()) Die("cannot write " + path.string());
  return at;
}

Step Runner::ParseStep(size_t at) const {
  Step step;
  step.line = at;
  step.terminal = lines_[at][0] == '%';
  step.command = Payload(lines_[at]);
  for (++at; at < lines_.size(); ++at) {
    if (Is(at, "|")) {
      step.out.push_back(Payload(lines_[at]));
    } else if (Is(at, "!")) {
      step.err.push_back(Payload(lines_[at]));
    } else if (Is(at, "= ")) {
      step.code = std::atoi(Payload(lines_[at]).c_str());
    } else {
      break;
    }
  }
  step.end = at;
  return step;
}

void Runner::Child(const string& command) const {
  std::vector<string> words;
  for (const auto& [name, value] : environment_)
    words.push_back(name + "=" + value);
  std::vector<char*> environment;
  for (string& word : words) environment.push_back(word.data());
  environment.push_back(nullptr);
  if (chdir(dir_.c_str()) == 0)
    execle("/bin/sh", "sh", "-c", command.c_str(), nullptr, environment.data());
  _exit(127);
}

// Appends what `fds` give to `texts` until all have ended or time is up.
bool Drain(std::vector<pollfd> fds, const std::vector<string*>& texts) {
  const auto until = std::chrono::steady_clock::now() + kTimeout;
  size_t open = fds.size();
  while (open > 0) {
    if (std::chrono::steady_clock::now() > until) return false;
    poll(fds.data(), fds.size(), 200);
    for (size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      std::array<char, 65536> buffer;
      const ssize_t n = read(fds[i].fd, buffer.data(), buffer.size());
      if (n > 0) {
        texts[i]->append(buffer.data(), static_cast<size_t>(n));
      } else if (n == 0 || errno != EINTR) {  // a terminal ends with EIO
        close(fds[i].fd);
        fds[i].fd = -1;
        --open;
      }
    }
  }
  return true;
}

int ExitCode(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

pid_t Runner::StartOnTerminal(const Step& step,
                              std::vector<pollfd>& fds) const {
  int terminal = -1;
  winsize size{24, 80, 0, 0};
  const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) Child(step.command);
  fds = {{terminal, POLLIN, 0}};
  return child;
}

pid_t Runner::StartOnPipes(const Step& step, std::vector<pollfd>& fds) const {
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(err.data(), O_CLOEXEC) != 0)
    Die("cannot make a pipe");
  const pid_t child = fork();
  if (child == 0) {
    setsid();  // so that a hanging command can be ended whole
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    Child(step.command);
  }
  close(out[1]);
  close(err[1]);
  fds = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  return child;
}

Outcome Runner::Execute(const Step& step) const {
  Outcome got;
  std::vector<pollfd> fds;
  const pid_t child =
      step.terminal ? StartOnTerminal(step, fds) : StartOnPipes(step, fds);
  if (child < 0) Die("cannot fork");
  if (!Drain(fds, {&got.out, &got.err})) {
    kill(-child, SIGKILL);
    got.err += "<killed: ran too long>\n";
  }
  int status = 0;
  waitpid(child, &status, 0);
  got.code = ExitCode(status);
  return got;
}

Lines Runner::Normalised(string text) const {
  ReplaceAll(text, "\r\n", "\n");
  ReplaceAll(text, "\r", "^M");
  ReplaceAll(text, "\x1b", "^[");
  ReplaceAll(text, dir_, "<DIR>");
  ReplaceAll(text, options_.source, "<SRC>");
  return SplitLines(text);
}

void PrintDifference(const char* what, const Lines& expected,
                     const Lines& got) {
  if (Matches(expected, 0, got, 0)) return;
  std::printf("  %s expected:\n", what);
  for (const string& line : expected) std::printf("    %s\n", line.c_str());
  std::printf("  %s printed:\n", what);
  for (size_t i = 0; i < got.size(); ++i) {
    const bool same = i < expected.size() && LineMatches(expected[i], got[i]);
    std::printf("  %s %s\n", same ? " " : ">", got[i].c_str());
  }
}

void Runner::Report(const Step& step, const Outcome& got) const {
  std::printf("%s:%zu: %s\n", options_.file.c_str(), step.line + 1,
              step.command.c_str());
  PrintDifference("stdout", step.out, Normalised(got.out));
  PrintDifference("stderr", step.err, Normalised(got.err));
  if (step.code != got.code)
    std::printf("  exit code %d expected, was %d\n", step.code, got.code);
}

void Runner::Record(const Step& step, const Outcome& got) {
  Lines now;
  auto put = [&now](const char* mark, const Lines& lines) {
    for (const string& line : lines)
      now.push_back(line.empty() ? mark : string(mark) + " " + line);
  };
  const bool out_ok = Matches(step.out, 0, Normalised(got.out), 0);
  const bool err_ok = Matches(step.err, 0, Normalised(got.err), 0);
  put("|", out_ok ? step.out : Normalised(got.out));
  put("!", err_ok ? step.err : Normalised(got.err));
  if (got.code != 0) now.push_back("= " + std::to_string(got.code));
  updates_[step.line + 1] = {step.end, now};
}

bool Runner::RunStep(const Step& step) {
  const Outcome got = Execute(step);
  if (step.code == got.code && Matches(step.out, 0, Normalised(got.out), 0) &&
      Matches(step.err, 0, Normalised(got.err), 0))
    return true;
  if (options_.update) {
    Record(step, got);
  } else {
    Report(step, got);
  }
  return options_.update;
}

void Runner::Directive(size_t at) {
  const string& line = lines_[at];
  const size_t equals = line.find('=');
  if (Is(at, "env ") && equals != string::npos) {
    environment_[line.substr(4, equals - 4)] = line.substr(equals + 1);
  } else if (Is(at, "root ")) {
    environment_["MODICUM_ROOT"] =
        options_.source + "/tests/roots/" + line.substr(5);
  } else if (!line.empty() && line[0] != '#') {
    Die(options_.file + ":" + std::to_string(at + 1) + ": what is: " + line);
  }
}

void Runner::WriteUpdates() const {
  std::ofstream out(options_.file);
  for (size_t at = 0; at < lines_.size();) {
    out << lines_[at] << '\n';
    const auto update = updates_.find(++at);
    if (update == updates_.end()) continue;
    for (const string& line : update->second.second) out << line << '\n';
    at = update->second.first;
  }
}

int Runner::Run() {
  bool ok = true;
  size_t steps = 0;
  for (size_t at = 0; at < lines_.size();) {
    if (Is(at, "$ ") || Is(at, "% ")) {
      const Step step = ParseStep(at);
      ok &= RunStep(step);
      at = step.end;
      ++steps;
    } else if (Is(at, "file ")) {
      at = WriteFile(at);
    } else {
      Directive(at++);
    }
  }
  if (steps == 0) Die(options_.file + ": no command in it");
  if (!updates_.empty()) WriteUpdates();
  return ok ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::vector<string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == "--update") {
    options.update = true;
    words.erase(words.begin());
  }
  if (words.size() != 3)
    Die("usage: golden_test [--update] PROGRAM SOURCE_DIR FILE.test");
  options.program = std::filesystem::absolute(words[0]);
  options.source = std::filesystem::canonical(words[1]);
  options.file = words[2];
  return Runner(options).Run();
}
