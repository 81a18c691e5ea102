// SPDX-License-Identifier: Apache-2.0
#include "train/head_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/format.h"
#include "dataset/annotated_lines.h"
#include "model/gguf/gguf_names.h"

namespace modicum {
namespace {

bool IsOfEntities(const std::vector<std::string>& tags) {
  return std::ranges::any_of(tags, [](const std::string& tag) {
    return tag.starts_with("B-") || tag.starts_with("I-");
  });
}

Status CheckTags(const HeadTask& task, HeadData& data) {
  const std::vector<std::string>& tags = data.labels;
  if (tags.empty())
    return Fail(ErrorCode::kInvalidInput, task.train + ": there are no words",
                "each line has one word or more");
  if (tags.size() == 1)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: every word has the tag '{}': there is nothing "
                            "to tell apart",
                            task.train, tags[0]),
                "training needs two tags or more");
  for (const std::string& tag : tags)
    if (!IsSoundName(tag))
      return Fail(
          ErrorCode::kInvalidInput,
          fmt::format("{}: the tag {} is no name", task.train, Shown(tag)),
          "a tag has at least one letter and no control characters");
  data.metric = !task.metric.empty() ? task.metric
                : IsOfEntities(tags) ? "f1"
                                     : "accuracy";
  if (data.metric != "f1" || IsOfEntities(tags)) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{}: f1 is of entities, and no tag begins with B- or "
                          "I-: {}",
                          task.train, fmt::join(tags, ", ")),
              "take metric = \"accuracy\", or name the tags B-X, I-X and O");
}

// A tag that was not learnt cannot be answered: its words count as wrong.
void NoteUnseenTags(const HeadData& data, const Dataset& other,
                    std::string_view split, std::vector<std::string>& notes) {
  for (const std::string& tag : other.labels) {
    if (std::ranges::count(data.labels, tag) > 0) continue;
    size_t words = 0;
    for (const Item& item : other.items)
      words += static_cast<size_t>(std::ranges::count(item.wanted, tag));
    notes.push_back(fmt::format(
        "{} has {} word{} with the tag '{}', which the training data does not "
        "have: counted as wrong",
        split, FormatCount(words), words == 1 ? "" : "s", tag));
  }
}

// What an item asks, to tell whether another asks the same.
std::string KeyOf(const Item& item) {
  if (const auto* pair = std::get_if<TextPair>(&item.payload))
    return pair->first + '\0' + pair->second;
  if (const auto* text = std::get_if<Text>(&item.payload)) return text->text;
  return fmt::format("{}",
                     fmt::join(std::get<Tokens>(item.payload).words, "\n"));
}

void NoteCopies(const Dataset& train, const Dataset& other,
                std::string_view split, std::vector<std::string>& notes) {
  std::set<std::string> known;
  for (const Item& item : train.items) known.insert(KeyOf(item));
  const auto copies = std::ranges::count_if(other.items, [&](const Item& item) {
    return known.contains(KeyOf(item));
  });
  if (copies > 0)
    notes.push_back(fmt::format(
        "{} of the {} examples of {} are in the training data too: the figure "
        "is of what was seen as well",
        FormatCount(static_cast<uint64_t>(copies)),
        FormatCount(other.items.size()), split));
}

// As the training learns them: numbers for tags.
std::vector<TaggedExample> TaggedOf(const HeadData& data) {
  std::vector<TaggedExample> examples;
  for (const Item& item : data.train.items) {
    TaggedExample& example = examples.emplace_back();
    example.words = std::get<Tokens>(item.payload).words;
    for (const std::string& tag : item.wanted)
      example.labels.push_back(static_cast<uint32_t>(
          std::ranges::lower_bound(data.labels, tag) - data.labels.begin()));
  }
  return examples;
}

// Beside the training's.
template <class Load>
Status LoadOthers(const HeadTask& task, const Load& load, HeadData& data) {
  MODICUM_TRY(data.validation, load(task.validation));
  if (!task.test.empty()) {
    MODICUM_TRY(data.test, load(task.test));
  }
  return {};
}

Status LoadTagData(const HeadTask& task, HeadData& data) {
  const auto load = [&](const std::string& path) {
    return LoadTaggedWords(path, task.text, task.label);
  };
  MODICUM_TRY(data.train, load(task.train));
  data.labels = data.train.labels;
  MODICUM_RETURN_IF_ERROR(CheckTags(task, data));
  MODICUM_RETURN_IF_ERROR(LoadOthers(task, load, data));
  data.tagged = TaggedOf(data);
  NoteUnseenTags(data, data.validation, "validation", data.notes);
  if (data.test) NoteUnseenTags(data, *data.test, "test", data.notes);
  return {};
}

Status LoadAnswerData(const HeadTask& task, HeadData& data) {
  data.metric = task.metric.empty() ? "f1" : task.metric;
  std::vector<MarkedRange> where;
  MODICUM_TRY(data.train, LoadQuestions(task.train, true, &where));
  MODICUM_RETURN_IF_ERROR(LoadOthers(
      task, [](const std::string& path) { return LoadQuestions(path, true); },
      data));
  for (size_t i = 0; i < where.size(); ++i)
    data.answers.push_back({std::get<TextPair>(data.train.items[i].payload),
                            {where[i].begin, where[i].end}});
  return {};
}

Status LoadTextData(const HeadTask& task, HeadData& data) {
  data.metric = task.metric.empty() ? "accuracy" : task.metric;
  LoadOptions options;
  options.text = task.text;
  options.label = "";
  const auto load = [&](const std::string& path) {
    return LoadDataset(path, options);
  };
  MODICUM_TRY(data.train, load(task.train));
  MODICUM_RETURN_IF_ERROR(LoadOthers(task, load, data));
  for (const Item& item : data.train.items)
    data.texts.push_back(std::get<Text>(item.payload).text);
  return {};
}

Status LoadByKind(const HeadTask& task, HeadData& data) {
  switch (task.kind) {
    case HeadKind::kTokenClassification:
      return LoadTagData(task, data);
    case HeadKind::kQuestionAnswering:
      return LoadAnswerData(task, data);
    case HeadKind::kFillMask:
      break;
  }
  return LoadTextData(task, data);
}

}  // namespace

Result<HeadData> LoadHeadData(const HeadTask& task) {
  HeadData data;
  MODICUM_RETURN_IF_ERROR(LoadByKind(task, data));
  NoteCopies(data.train, data.validation, "validation", data.notes);
  if (data.test) NoteCopies(data.train, *data.test, "test", data.notes);
  return data;
}

}  // namespace modicum
