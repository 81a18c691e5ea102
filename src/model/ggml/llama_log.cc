// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/llama_log.h"

#include <llama.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "base/trim.h"

namespace modicum {
namespace {

// The last of a chain of errors only repeat that there was one.
constexpr size_t kMaxLines = 2;

std::mutex mutex;
std::vector<std::string> lines;  // the first errors since they were cleared
bool continues = false;          // what comes next belongs to the last line

thread_local const std::stop_token* quantizing = nullptr;

// Without the "function_name: " that each line begins with.
std::string_view WithoutFunction(std::string_view line) {
  const size_t colon = line.find(": ");
  if (colon == line.npos) return line;
  for (const char c : line.substr(0, colon))
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' &&
        c != ':')
      return line;
  return line.substr(colon + 2);
}

void Keep(ggml_log_level level, std::string_view text) {
  const std::lock_guard lock(mutex);
  if (level != GGML_LOG_LEVEL_ERROR &&
      (level != GGML_LOG_LEVEL_CONT || !continues))
    return;
  if (!continues) {
    if (lines.size() == kMaxLines) return;
    text = WithoutFunction(text);
    lines.emplace_back();
  }
  continues = !text.ends_with('\n');
  while (text.ends_with('\n')) text.remove_suffix(1);
  lines.back() += text;
}

// Without the frame that the library draws around some.
std::string OneLine(std::string_view text) {
  std::string words;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = Trim(text.substr(at, end - at));
    if (line.find_first_not_of('=') != std::string_view::npos) {
      if (!words.empty()) words += ' ';
      words += line;
    }
    at = end + 1;
  }
  return words;
}

void OnLog(ggml_log_level level, const char* text, void* /*user*/) {
  static const bool shown = std::getenv("MODICUM_LLAMA_LOG") != nullptr;
  if (shown) std::fputs(text, stderr);
  Keep(level, text);
  // "[   3/ 291] blk.0.attn_k.weight": a tensor begins, on this thread.
  if (quantizing != nullptr && text[0] == '[' && quantizing->stop_requested())
    throw std::runtime_error("interrupted");
}

}  // namespace

void CatchLlamaLog() {
  llama_log_set(OnLog, nullptr);
  // Where it ends the process it would call a debugger first.
  setenv("GGML_NO_BACKTRACE", "1", 0);
}

LlamaErrors::LlamaErrors() {
  const std::lock_guard lock(mutex);
  lines.clear();
  continues = false;
}

std::string LlamaErrors::Explain(const std::string& what) const {
  const std::lock_guard lock(mutex);
  std::string text = what;
  for (const std::string& line : lines)
    if (const std::string words = OneLine(line); !words.empty())
      text += ": " + words;
  return text;
}

bool LlamaErrors::Mention(std::string_view words) const {
  const std::lock_guard lock(mutex);
  return std::ranges::any_of(lines, [words](const std::string& line) {
    return line.find(words) != std::string::npos;
  });
}

StopsQuantizing::StopsQuantizing(std::stop_token stop)
    : stop_(std::move(stop)) {
  quantizing = &stop_;
}

StopsQuantizing::~StopsQuantizing() { quantizing = nullptr; }

}  // namespace modicum
