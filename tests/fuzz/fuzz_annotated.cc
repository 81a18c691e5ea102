// SPDX-License-Identifier: Apache-2.0
// A line of words with tags, or of a question: what is accepted has as many
// tags as words, answers, and no NUL.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "dataset/annotated_lines.h"

namespace {

void CheckTexts(const std::vector<std::string>& texts) {
  MODICUM_CHECK(std::ranges::all_of(texts, [](const std::string& text) {
    return text.find('\0') == text.npos;
  }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  TaggedWords words;
  if (ReadTaggedWords(line, "tokens", "tags", words)) {
    MODICUM_CHECK(words.words.size() == words.tags.size());
    CheckTexts(words.words);
    CheckTexts(words.tags);
  }
  ContextQuestion question;
  if (ReadQuestion(line, true, question)) {
    MODICUM_CHECK(!question.answers.empty());
    CheckTexts(question.answers);
    CheckTexts({question.question, question.context});
    if (const auto range = FindAnswer(question))
      MODICUM_CHECK(
          range->begin < range->end &&
          question.context.substr(range->begin, range->end - range->begin) ==
              question.answers[0]);
  }
  return 0;
}
