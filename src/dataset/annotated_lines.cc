// SPDX-License-Identifier: Apache-2.0
#include "dataset/annotated_lines.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <filesystem>
#include <optional>
#include <set>
#include <unordered_map>

#include "dataset/line_rows.h"
#include "dataset/utf8.h"

namespace modicum {
namespace {

namespace dom = simdjson::dom;
using Texts = std::vector<std::string>;

tl::unexpected<Error> Wrong(std::string message, std::string hint = {}) {
  return Fail(ErrorCode::kInvalidInput, std::move(message), std::move(hint));
}

// An escape may bring a NUL, which no text has.
Result<std::string> UsableText(std::string_view text, std::string_view key) {
  if (text.find('\0') == text.npos) return std::string(text);
  return Wrong(fmt::format("'{}' has a NUL, which no text has", key));
}

class Members {
 public:
  explicit Members(const dom::object& object) : object_(object) {}

  Result<dom::element> Find(std::string_view key) const {
    std::optional<dom::element> found;
    for (const dom::key_value_pair member : object_)
      if (member.key == key) found = member.value;
    if (found && !found->is_null()) return *found;
    return Wrong(fmt::format("'{}' is {}", key, found ? "null" : "missing"));
  }
  Result<std::string> Text(std::string_view key) const {
    MODICUM_TRY(const dom::element value, Find(key));
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS)
      return Wrong(fmt::format("'{}' is no text", key));
    return UsableText(text, key);
  }
  Result<Texts> List(std::string_view key) const {
    MODICUM_TRY(const dom::element value, Find(key));
    return ListOf(value, key);
  }
  Result<Texts> Answers() const;

 private:
  static Result<Texts> ListOf(const dom::element& value, std::string_view key) {
    dom::array array;
    if (value.get(array) != simdjson::SUCCESS)
      return Wrong(fmt::format("'{}' is no list of texts", key));
    Texts texts;
    for (const dom::element element : array) {
      std::string_view text;
      if (element.get(text) != simdjson::SUCCESS)
        return Wrong(
            fmt::format("item {} of '{}' is no text", texts.size() + 1, key));
      MODICUM_TRY(std::string usable, UsableText(text, key));
      texts.push_back(std::move(usable));
    }
    return texts;
  }

  const dom::object& object_;
};

Result<Texts> Members::Answers() const {
  MODICUM_TRY(const dom::element value, Find("answers"));
  dom::object columns;
  if (value.get(columns) == simdjson::SUCCESS)
    return Members(columns).List("text");
  dom::array array;
  dom::object first;
  if (value.get(array) != simdjson::SUCCESS || array.size() == 0 ||
      array.at(0).get(first) != simdjson::SUCCESS)
    return ListOf(value, "answers");
  Texts texts;
  for (const dom::element element : array) {
    dom::object answer;
    if (element.get(answer) != simdjson::SUCCESS)
      return Wrong(
          fmt::format("item {} of 'answers' is no object", texts.size() + 1));
    MODICUM_TRY(std::string text, Members(answer).Text("text"));
    texts.push_back(std::move(text));
  }
  return texts;
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

struct AnnotatedLineReader::State {
  dom::parser parser;
  dom::element document;
  dom::object object;

  Status Parse(std::string_view line) {
    const auto error = parser.parse(line.data(), line.size()).get(document);
    if (error != simdjson::SUCCESS)
      return Wrong(
          fmt::format("not valid JSON: {}", simdjson::error_message(error)),
          "one JSON object a line is expected; jq -c . writes it so");
    if (document.get(object) == simdjson::SUCCESS) return {};
    return Wrong("not a JSON object",
                 "one JSON object a line is expected; jq -c . writes it so");
  }
};

AnnotatedLineReader::AnnotatedLineReader()
    : state_(std::make_unique<State>()) {}
AnnotatedLineReader::~AnnotatedLineReader() = default;

Status AnnotatedLineReader::Read(std::string_view line, std::string_view words,
                                 std::string_view tags, TaggedWords& out) {
  MODICUM_RETURN_IF_ERROR(state_->Parse(line));
  const Members members(state_->object);
  MODICUM_TRY(out.words, members.List(words));
  out.tags.clear();
  if (tags.empty()) return {};
  MODICUM_TRY(out.tags, members.List(tags));
  if (out.tags.size() == out.words.size()) return {};
  return Wrong(fmt::format("{} words in '{}' and {} tags in '{}'",
                           out.words.size(), words, out.tags.size(), tags),
               "each word has one tag");
}

Status AnnotatedLineReader::Read(std::string_view line, bool answers,
                                 ContextQuestion& out) {
  MODICUM_RETURN_IF_ERROR(state_->Parse(line));
  const Members members(state_->object);
  MODICUM_TRY(out.question, members.Text("question"));
  MODICUM_TRY(out.context, members.Text("context"));
  out.answers.clear();
  if (!answers) return {};
  MODICUM_TRY(out.answers, members.Answers());
  if (!out.answers.empty()) return {};
  return Wrong("'answers' has none",
               "questions that the context does not answer (SQuAD 2.0) are not "
               "scored: leave them out");
}

Result<Dataset> LoadTaggedWords(const std::string& path,
                                const std::string& words,
                                const std::string& tags) {
  MODICUM_TRY(ItemLines lines, ItemLines::Open(path));
  AnnotatedLineReader reader;
  TaggedWords row;
  std::set<std::string> seen;
  MODICUM_TRY(Dataset data,
              lines.All([&](std::string_view line, Item& item) -> Status {
                MODICUM_RETURN_IF_ERROR(reader.Read(line, words, tags, row));
                seen.insert(row.tags.begin(), row.tags.end());
                item.payload = Tokens{std::move(row.words)};
                item.wanted = std::move(row.tags);
                return {};
              }));
  data.labels.assign(seen.begin(), seen.end());
  return data;
}

Result<Dataset> LoadQuestions(const std::string& path, bool answers) {
  MODICUM_TRY(ItemLines lines, ItemLines::Open(path));
  AnnotatedLineReader reader;
  ContextQuestion row;
  std::unordered_map<std::string, uint64_t> contexts;
  return lines.All([&](std::string_view line, Item& item) -> Status {
    MODICUM_RETURN_IF_ERROR(reader.Read(line, answers, row));
    item.group = contexts.try_emplace(row.context, item.id).first->second;
    item.payload = TextPair{std::move(row.question), std::move(row.context)};
    item.wanted = std::move(row.answers);
    return {};
  });
}

}  // namespace modicum
