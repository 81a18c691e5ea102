// SPDX-License-Identifier: Apache-2.0
// card.json and CARD.md. Reading is strict about types and lenient about
// members it does not know: later versions add some.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "model/artifact.h"
#include "record/json.h"

namespace modicum {

namespace {

using Json = nlohmann::json;

constexpr char kCardFormat[] = "modicum-artifact";
constexpr uint64_t kCardVersion = 1;
// Deeper input would only exhaust the parser's stack.
constexpr int kMaxDepth = 32;

auto RefuseCard(const std::string& what) {
  return Fail(ErrorCode::kInvalidInput, "card.json: " + what,
              "an artifact is a folder that 'modicum fit' wrote; get a fresh "
              "copy or fit again");
}

std::optional<std::string> AsText(const Json& json) {
  if (!json.is_string()) return std::nullopt;
  return json.get<std::string>();
}
std::optional<double> AsNumber(const Json& json) {
  if (!json.is_number()) return std::nullopt;
  return json.get<double>();
}
std::optional<uint64_t> AsCount(const Json& json) {
  if (!json.is_number_unsigned()) return std::nullopt;
  return json.get<uint64_t>();
}
std::optional<ParamValue> AsParam(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_float()) return json.get<double>();
  // An unsigned number above the signed range has no place here.
  if (json.is_number_unsigned() && json.get<uint64_t>() > INT64_MAX)
    return std::nullopt;
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_string()) return json.get<std::string>();
  return std::nullopt;
}
std::optional<Hash> AsHash(const Json& json) {
  if (!json.is_string() || json.get_ref<const std::string&>().size() != 64)
    return std::nullopt;
  Hash hash{};
  const std::string& hex = json.get_ref<const std::string&>();
  for (size_t i = 0; i < hex.size(); ++i) {
    const size_t digit = std::string_view("0123456789abcdef").find(hex[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    hash[i / 2] = static_cast<uint8_t>(hash[i / 2] * 16 + digit);
  }
  return hash;
}

// A whole number of 1 to the limit.
template <int limit>
std::optional<int> AsSize(const Json& json) {
  if (!json.is_number_unsigned() || json.get<uint64_t>() == 0 ||
      json.get<uint64_t>() > limit)
    return std::nullopt;
  return json.get<int>();
}

template <class T>
using Convert = std::optional<T> (*)(const Json&);

// Reads members into a card; the first fault stays and ends the reading.
class CardReader {
 public:
  explicit CardReader(const Json& json) : json_(json) {}

  const std::string& fault() const { return fault_; }

  template <class T>
  void Required(const char* key, T& out, Convert<T> convert,
                const char* expected) {
    if (!json_.contains(key)) return SetFault(key, "missing");
    Optional(key, out, convert, expected);
  }
  template <class T>
  void Optional(const char* key, T& out, Convert<T> convert,
                const char* expected) {
    const auto it = json_.find(key);
    if (it == json_.end() || it->is_null() || !fault_.empty()) return;
    std::optional<T> value = convert(*it);
    if (!value) return SetFault(key, std::string("not ") + expected);
    out = *std::move(value);
  }
  template <class T>
  void List(const char* key, std::vector<T>& out, Convert<T> convert,
            const char* expected) {
    const auto it = json_.find(key);
    if (it == json_.end() || !fault_.empty()) return;
    if (!it->is_array()) return SetFault(key, "not a list");
    for (const Json& one : *it) {
      std::optional<T> value = convert(one);
      if (!value)
        return SetFault(key, std::string("an entry is not ") + expected);
      out.push_back(*std::move(value));
    }
  }
  template <class T>
  void Map(const char* key, std::map<std::string, T>& out, Convert<T> convert,
           const char* expected) {
    const auto it = json_.find(key);
    if (it == json_.end() || !fault_.empty()) return;
    if (!it->is_object()) return SetFault(key, "not an object");
    for (const auto& [name, one] : it->items()) {
      std::optional<T> value = convert(one);
      if (!value) return SetFault(key, "'" + name + "' is not " + expected);
      out[name] = *std::move(value);
    }
  }
  void Energy(const char* key, std::optional<Estimate<Joules>>& out) {
    const auto it = json_.find(key);
    if (it == json_.end() || it->is_null() || !fault_.empty()) return;
    Result<Estimate<Joules>> estimate = FromJson<Estimate<Joules>>(*it);
    if (!estimate) return SetFault(key, estimate.error().message);
    out = *std::move(estimate);
  }
  void SetFault(const std::string& key, const std::string& what) {
    if (fault_.empty()) fault_ = key + ": " + what;
  }

 private:
  const Json& json_;
  std::string fault_;
};

std::optional<QualityFigure> AsQuality(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  QualityFigure figure;
  CardReader in(json);
  in.Required("metric", figure.metric, AsText, "text");
  in.Required("split", figure.split, AsText, "text");
  in.Required("mid", figure.mid, AsNumber, "a number");
  in.Required("low", figure.low, AsNumber, "a number");
  in.Required("high", figure.high, AsNumber, "a number");
  in.Required("items", figure.items, AsCount, "a count");
  if (!in.fault().empty()) return std::nullopt;
  return figure;
}

constexpr int kMaxThreads = 1024;
constexpr int kMaxBatch = 1000000;

std::optional<RunSettings> AsRun(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  RunSettings run;
  CardReader in(json);
  in.Optional("threads", run.threads, AsSize<kMaxThreads>, "a count");
  in.Optional("batch", run.batch, AsSize<kMaxBatch>, "a count");
  if (!in.fault().empty()) return std::nullopt;
  return run;
}

struct FileEntry {
  std::string sha256;
  uint64_t size = 0;
};

std::optional<FileEntry> AsFile(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  FileEntry entry;
  Hash hash{};
  CardReader in(json);
  in.Required("sha256", hash, AsHash, "a hash");
  in.Required("bytes", entry.size, AsCount, "a count");
  if (!in.fault().empty()) return std::nullopt;
  entry.sha256 = ToHex(hash);
  return entry;
}

void ReadMaking(CardReader& in, Card& card) {
  in.Required("name", card.name, AsText, "text");
  in.Required("kind", card.kind, AsText, "text");
  in.Required("family", card.family, AsText, "text");
  in.Map("params", card.params, AsParam, "a number, text, true or false");
  in.List("passes", card.passes, AsText, "text");
  in.List("labels", card.labels, AsText, "text");
  in.Optional("engine", card.engine, AsText, "text");
  in.Optional("engine_version", card.engine_version, AsText, "text");
  in.Optional("text_field", card.text_field, AsText, "text");
  in.List("columns", card.columns, AsText, "text");
  in.Optional("run", card.run, AsRun,
              "threads (1 to 1024) and batch (1 to "
              "1000000)");
  in.Optional("data", card.data, AsHash, "64 hexadecimal digits");
  in.Optional("artifact", card.artifact, AsHash, "64 hexadecimal digits");
  in.Optional("train_items", card.train_items, AsCount, "a count");
  in.Optional("seed", card.seed, AsCount, "a count");
  in.Optional("parameters", card.parameters, AsCount, "a count");
}

void ReadCost(CardReader& in, Card& card) {
  in.List("quality", card.quality, AsQuality, "a quality figure");
  in.Energy("joules_per_1000", card.joules_per_1000);
  in.Energy("train_joules", card.train_joules);
  in.Optional("cpu_seconds_per_1000", card.cpu_seconds_per_1000, AsNumber,
              "a number");
  in.Optional("machine", card.machine, AsText, "text");
  in.Optional("place", card.place, AsText, "text");
  in.Optional("created", card.created, AsText, "text");
  in.Optional("modicum_version", card.modicum_version, AsText, "text");
}

// A plain name inside the artifact's own folder, or that of a cascade's stage
// below it ("1/linear.bin").
bool SafeFileName(std::string_view name) {
  const size_t digits = name.find_first_not_of("0123456789");
  if (digits != name.npos && digits > 0 && name[digits] == '/')
    name.remove_prefix(digits + 1);
  return !name.empty() && name.size() <= 255 && name[0] != '.' &&
         name.find_first_of(std::string_view("/\\\0", 3)) == name.npos &&
         name != "card.json" && name != "CARD.md";
}

void ReadFiles(CardReader& in, Card& card) {
  std::map<std::string, FileEntry> files;
  in.Map("files", files, AsFile, "a size with a sha256");
  if (files.empty()) in.SetFault("files", "missing or empty");
  for (const auto& [name, entry] : files) {
    if (!SafeFileName(name))
      in.SetFault("files", "'" + name + "' is not a plain file name");
    card.files[name] = entry.sha256;
    card.sizes[name] = entry.size;
  }
}

// nlohmann's parser recurses in a document's depth.
bool TooDeep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && (text[i] == '{' || text[i] == '['))
      ++depth;
    else if (!quoted && (text[i] == '}' || text[i] == ']'))
      --depth;
    if (depth > kMaxDepth) return true;
  }
  return false;
}

Status CheckFormat(const Json& json) {
  if (!json.is_object() || json.value("format", Json()) != kCardFormat)
    return RefuseCard("not a modicum artifact");
  const Json version = json.value("version", Json());
  if (!version.is_number_unsigned()) return RefuseCard("version: not a count");
  if (version.get<uint64_t>() > kCardVersion) {
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("card.json: version {}, this program reads up to {}",
                    version.get<uint64_t>(), kCardVersion),
        "use a newer modicum");
  }
  return {};
}

Json ParamsJson(const Params& params) {
  Json json = Json::object();
  for (const auto& [name, value] : params)
    std::visit([&json, key = name](const auto& v) { json[key] = v; }, value);
  return json;
}

Json QualityJson(const std::vector<QualityFigure>& figures) {
  Json json = Json::array();
  for (const QualityFigure& figure : figures) {
    json.push_back({{"metric", figure.metric},
                    {"split", figure.split},
                    {"mid", figure.mid},
                    {"low", figure.low},
                    {"high", figure.high},
                    {"items", figure.items}});
  }
  return json;
}

Json FilesJson(const Card& card) {
  Json json = Json::object();
  for (const auto& [name, sha256] : card.files)
    json[name] = {{"sha256", sha256}, {"bytes", card.sizes.at(name)}};
  return json;
}

std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|' || c == '\\') cell += '\\';
    cell += c == '\n' || c == '\r' ? ' ' : c;
  }
  return cell;
}

}  // namespace

Result<Card> ParseCard(std::string_view text) {
  if (TooDeep(text)) return RefuseCard("nested too deeply");
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return RefuseCard("not valid JSON");
  MODICUM_RETURN_IF_ERROR(CheckFormat(json));
  Card card;
  CardReader in(json);
  ReadMaking(in, card);
  ReadCost(in, card);
  ReadFiles(in, card);
  if (!in.fault().empty()) return RefuseCard(in.fault());
  return card;
}

std::string FormatCard(const Card& card) {
  Json json = {
      {"format", kCardFormat},
      {"version", kCardVersion},
      {"name", card.name},
      {"kind", card.kind},
      {"family", card.family},
      {"params", ParamsJson(card.params)},
      {"passes", card.passes},
      {"labels", card.labels},
      {"engine", card.engine},
      {"engine_version", card.engine_version},
      {"text_field", card.text_field},
      {"columns", card.columns},
      {"run", {{"threads", card.run.threads}, {"batch", card.run.batch}}},
      {"data", ToHex(card.data)},
      {"artifact", ToHex(card.artifact)},
      {"train_items", card.train_items},
      {"seed", card.seed},
      {"parameters", card.parameters},
      {"quality", QualityJson(card.quality)},
      {"cpu_seconds_per_1000", card.cpu_seconds_per_1000},
      {"machine", card.machine},
      {"place", card.place},
      {"created", card.created},
      {"modicum_version", card.modicum_version},
      {"files", FilesJson(card)},
  };
  if (card.joules_per_1000)
    json["joules_per_1000"] =
        ToJson(*card.joules_per_1000, JsonStyle::kReadable);
  if (card.train_joules)
    json["train_joules"] = ToJson(*card.train_joules, JsonStyle::kReadable);
  return ReadableText(json);
}

std::string FormatCardMarkdown(const Card& card) {
  std::string text = "# " + Cell(card.name) + "\n\n";
  text +=
      fmt::format("A {} model for {}, made by modicum {} on {}.\n\n",
                  card.family, card.kind, card.modicum_version, card.created);
  text += "| | |\n| --- | --- |\n";
  const auto row = [&text](std::string_view name, std::string_view value) {
    if (!value.empty()) text += fmt::format("| {} | {} |\n", name, Cell(value));
  };
  for (const QualityFigure& q : card.quality) {
    row(q.metric, fmt::format("{:.4f} [{:.4f}, {:.4f}] (95 %), {} items of the "
                              "{} split",
                              q.mid, q.low, q.high, q.items, q.split));
  }
  if (card.joules_per_1000)
    row("energy per 1,000 predictions", FormatEstimate(*card.joules_per_1000));
  if (card.cpu_seconds_per_1000 > 0)
    row("CPU time per 1,000 predictions",
        FormatDuration(Seconds(card.cpu_seconds_per_1000)));
  if (card.train_joules)
    row("energy to train", FormatEstimate(*card.train_joules));
  row("measured on", card.machine);
  row("place", card.place);
  row("labels", fmt::format("{}", fmt::join(card.labels, ", ")));
  row("reads",
      card.columns.empty()
          ? "the text in '" + card.text_field + "'"
          : fmt::format("the numbers in {}", fmt::join(card.columns, ", ")));
  row("run with",
      fmt::format("{} thread{}, {} items a call", card.run.threads,
                  card.run.threads == 1 ? "" : "s",
                  FormatCount(static_cast<uint64_t>(card.run.batch))));
  row("engine", card.engine + " " + card.engine_version);
  row("parameters of the family", ToString(card.params));
  row("passes", fmt::format("{}", fmt::join(card.passes, ", ")));
  row("numbers learnt", FormatNumber(static_cast<double>(card.parameters), 4));
  row("training items", FormatCount(card.train_items));
  row("seed", std::to_string(card.seed));
  row("training data, sha256", ToHex(card.data));
  row("artifact", ToHex(card.artifact));
  text += "\nUse: `modicum predict THIS_FOLDER < items.jsonl`\n";
  return text;
}

}  // namespace modicum
