// SPDX-License-Identifier: Apache-2.0
// JSON Lines whose answers are no single label: words with a tag each
// ("tokens", "tags"), and questions about a context ("question", "context",
// "answers", as SQuAD has them).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataset/dataset.h"

namespace modicum {

struct TaggedWords {
  std::vector<std::string> words;
  std::vector<std::string> tags;  // one a word, or none asked for
};

struct ContextQuestion {
  std::string question, context;
  std::vector<std::string> answers;  // that are right, or none asked for
  // Where each begins in the context, in characters as SQuAD counts them; empty
  // where not all say so.
  std::vector<uint64_t> starts = {};
};

// A part of a text, in bytes.
struct MarkedRange {
  uint32_t begin = 0, end = 0;
};
// Where the first answer stands in its context: where it says that it begins,
// or else where it first occurs. kInvalidInput: it does not stand there.
Result<MarkedRange> FindAnswer(const ContextQuestion& question);

// The members `words` and, unless "", `tags`: arrays of strings. kInvalidInput
// says what is wrong with the line; the last of two equal keys counts.
Status ReadTaggedWords(std::string_view line, const std::string& words,
                       const std::string& tags, TaggedWords& out);
// "answers" is {"text": [...]}, [{"text": ...}, ...] or ["...", ...]; beside
// "text" may be "answer_start".
Status ReadQuestion(std::string_view line, bool answers, ContextQuestion& out);

// Items with Tokens, what they should be answered in `wanted`; the data's
// labels are the tags, sorted. `tags` "": there are none. Errors begin with
// "file:line: ".
Result<Dataset> LoadTaggedWords(const std::string& path,
                                const std::string& words,
                                const std::string& tags);
// Items with a TextPair (question, context), the right answers in `wanted`;
// questions about one context are a group. `answers`: they are needed.
// `where`, if not null, gets the place of each item's first answer.
Result<Dataset> LoadQuestions(const std::string& path, bool answers,
                              std::vector<MarkedRange>* where = nullptr);

}  // namespace modicum
