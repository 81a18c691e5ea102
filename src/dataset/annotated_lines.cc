// SPDX-License-Identifier: Apache-2.0
#include "dataset/annotated_lines.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "dataset/line_rows.h"
#include "dataset/utf8.h"

namespace modicum {
namespace {

using Json = nlohmann::json;
using Texts = std::vector<std::string>;

constexpr char kOneObject[] =
    "one JSON object a line is expected; jq -c . writes it so";

tl::unexpected<Error> Wrong(std::string message, std::string hint = {}) {
  return Fail(ErrorCode::kInvalidInput, std::move(message), std::move(hint));
}

Result<Json> ParseLine(std::string_view line) {
  Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Wrong("not valid JSON", kOneObject);
  if (!json.is_object()) return Wrong("not a JSON object", kOneObject);
  return json;
}

Result<const Json*> Find(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end()) return Wrong(fmt::format("'{}' is missing", key));
  if (found->is_null()) return Wrong(fmt::format("'{}' is null", key));
  return &*found;
}

// An escape may bring a NUL, which no text has.
Result<std::string> TextOf(const Json& value, const std::string& what,
                           const std::string& key) {
  if (!value.is_string()) return Wrong(what + " is no text");
  auto text = value.get<std::string>();
  if (text.find('\0') == text.npos) return text;
  return Wrong(fmt::format("'{}' has a NUL, which no text has", key));
}

Result<std::string> TextMember(const Json& object, const std::string& key) {
  MODICUM_TRY(const Json* value, Find(object, key));
  return TextOf(*value, "'" + key + "'", key);
}

Result<Texts> ListOf(const Json& array, const std::string& key) {
  if (!array.is_array())
    return Wrong(fmt::format("'{}' is no list of texts", key));
  Texts texts;
  for (const Json& element : array) {
    MODICUM_TRY(
        std::string text,
        TextOf(element, fmt::format("item {} of '{}'", texts.size() + 1, key),
               key));
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<Texts> ListMember(const Json& object, const std::string& key) {
  MODICUM_TRY(const Json* value, Find(object, key));
  return ListOf(*value, key);
}

// What says no place leaves the list shorter than that of the texts.
Status AddStart(const Json& value, std::vector<uint64_t>& starts) {
  if (value.is_null()) return {};
  if (!value.is_number_unsigned())
    return Wrong("'answer_start' is no whole number from 0 on");
  starts.push_back(value.get<uint64_t>());
  return {};
}

Status ReadAnswerLists(const Json& object, ContextQuestion& out) {
  MODICUM_TRY(out.answers, ListMember(object, "text"));
  const auto starts = object.find("answer_start");
  if (starts == object.end() || starts->is_null()) return {};
  if (!starts->is_array() || starts->size() != out.answers.size())
    return Wrong("'answer_start' is no list of a number for each text");
  for (const Json& start : *starts)
    MODICUM_RETURN_IF_ERROR(AddStart(start, out.starts));
  return {};
}

Status ReadAnswers(const Json& object, ContextQuestion& out) {
  MODICUM_TRY(const Json* value, Find(object, "answers"));
  if (value->is_object()) return ReadAnswerLists(*value, out);
  if (!value->is_array() || value->empty() || !(*value)[0].is_object()) {
    MODICUM_TRY(out.answers, ListOf(*value, "answers"));
    return {};
  }
  for (const Json& answer : *value) {
    if (!answer.is_object())
      return Wrong(fmt::format("item {} of 'answers' is no object",
                               out.answers.size() + 1));
    MODICUM_TRY(std::string text, TextMember(answer, "text"));
    out.answers.push_back(std::move(text));
    MODICUM_RETURN_IF_ERROR(
        AddStart(answer.value("answer_start", Json()), out.starts));
  }
  return {};
}

// The byte at which a character begins; npos: there are not so many.
size_t ByteOf(std::string_view text, uint64_t character) {
  size_t at = 0;
  for (; character > 0 && at < text.size(); --character) {
    ++at;
    while (at < text.size() &&
           (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80)
      ++at;
  }
  return character == 0 ? at : text.npos;
}

// One item after the other.
class ItemLines {
 public:
  static Result<ItemLines> Open(const std::string& path) {
    MODICUM_TRY(LineReader lines, LineReader::Open(path));
    return ItemLines(std::move(lines), path);
  }

  // `read` sets payload and wanted of each line's item.
  template <class Read>
  Result<Dataset> All(Read read) {
    Dataset data;
    data.name = std::filesystem::path(path_).stem().string();
    Sha256 hash;
    lines_.HashInto(&hash);
    while (true) {
      MODICUM_TRY(const auto line, lines_.Next());
      if (!line) break;
      if (line->find_first_not_of(" \t\r") == line->npos) continue;
      Item item;
      item.id = item.group = data.items.size();
      if (const Status status = read(*line, item); !status)
        return At(lines_, status.error());
      data.items.push_back(std::move(item));
    }
    if (data.items.empty())
      return Wrong(path_ + ": no rows: the file is empty",
                   "each line should hold one example");
    data.hash = hash.Finish();
    return data;
  }

 private:
  ItemLines(LineReader lines, std::string path)
      : lines_(std::move(lines)), path_(std::move(path)) {}

  LineReader lines_;
  const std::string path_;
};

}  // namespace

Status ReadTaggedWords(std::string_view line, const std::string& words,
                       const std::string& tags, TaggedWords& out) {
  MODICUM_TRY(const Json json, ParseLine(line));
  MODICUM_TRY(out.words, ListMember(json, words));
  out.tags.clear();
  if (tags.empty()) return {};
  MODICUM_TRY(out.tags, ListMember(json, tags));
  if (out.tags.size() == out.words.size()) return {};
  return Wrong(fmt::format("{} words in '{}' and {} tags in '{}'",
                           out.words.size(), words, out.tags.size(), tags),
               "each word has one tag");
}

Status ReadQuestion(std::string_view line, bool answers, ContextQuestion& out) {
  MODICUM_TRY(const Json json, ParseLine(line));
  MODICUM_TRY(out.question, TextMember(json, "question"));
  MODICUM_TRY(out.context, TextMember(json, "context"));
  out.answers.clear();
  out.starts.clear();
  if (!answers) return {};
  MODICUM_RETURN_IF_ERROR(ReadAnswers(json, out));
  if (out.starts.size() < out.answers.size()) out.starts.clear();
  if (!out.answers.empty()) return {};
  return Wrong("'answers' has none",
               "questions that the context does not answer (SQuAD 2.0) are not "
               "scored: leave them out");
}

Result<MarkedRange> FindAnswer(const ContextQuestion& question) {
  const std::string& answer = question.answers.at(0);
  if (answer.empty()) return Wrong("its first answer is empty");
  const bool told = !question.starts.empty();
  const size_t begin = told ? ByteOf(question.context, question.starts[0])
                            : question.context.find(answer);
  if (begin != std::string::npos &&
      question.context.compare(begin, answer.size(), answer) == 0)
    return MarkedRange{static_cast<uint32_t>(begin),
                       static_cast<uint32_t>(begin + answer.size())};
  if (told)
    return Wrong(fmt::format("the answer '{}' does not begin at character {} "
                             "of its context",
                             answer, question.starts[0]),
                 "answer_start counts characters from 0; without it the "
                 "answer's first occurrence is taken");
  return Wrong(fmt::format("the answer '{}' is not in its context", answer),
               "an answer to learn is a part of the context, letter by letter");
}

Result<Dataset> LoadTaggedWords(const std::string& path,
                                const std::string& words,
                                const std::string& tags) {
  MODICUM_TRY(ItemLines lines, ItemLines::Open(path));
  TaggedWords row;
  std::set<std::string> seen;
  MODICUM_TRY(
      Dataset data, lines.All([&](std::string_view line, Item& item) -> Status {
        MODICUM_RETURN_IF_ERROR(ReadTaggedWords(line, words, tags, row));
        seen.insert(row.tags.begin(), row.tags.end());
        item.payload = Tokens{std::move(row.words)};
        item.wanted = std::move(row.tags);
        return {};
      }));
  data.labels.assign(seen.begin(), seen.end());
  return data;
}

Result<Dataset> LoadQuestions(const std::string& path, bool answers,
                              std::vector<MarkedRange>* where) {
  MODICUM_TRY(ItemLines lines, ItemLines::Open(path));
  ContextQuestion row;
  std::unordered_map<std::string, uint64_t> contexts;
  return lines.All([&](std::string_view line, Item& item) -> Status {
    MODICUM_RETURN_IF_ERROR(ReadQuestion(line, answers, row));
    if (where != nullptr) {
      MODICUM_TRY(const MarkedRange range, FindAnswer(row));
      where->push_back(range);
    }
    item.group = contexts.try_emplace(row.context, item.id).first->second;
    item.payload = TextPair{std::move(row.question), std::move(row.context)};
    item.wanted = std::move(row.answers);
    return {};
  });
}

}  // namespace modicum
