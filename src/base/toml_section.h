// SPDX-License-Identifier: Apache-2.0
// One table of a TOML file: typed reads that remember the first fault and
// which keys were asked for; what is left over is refused by name. Slow to
// include (toml++): only for the .cc files that read one kind of file.
#pragma once

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/caret.h"
#include "base/result.h"
#include "base/suggest.h"

namespace modicum {

// Not thread-safe. Lifetime: the table must outlive the section.
class TomlSection {
 public:
  // `name`: of a table; "" of the root.
  TomlSection(const toml::table& table, std::string name, std::string file)
      : table_(table), name_(std::move(name)), file_(std::move(file)) {}

  template <class T>
  bool Read(std::string_view key, T& value) {
    asked_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr || error_) return false;
    const auto read = node->value<T>();
    if (!read) {
      Fault(*node, key, fmt::format("must be {}", Wanted<T>()));
      return false;
    }
    if constexpr (std::is_same_v<T, double>) {
      if (!std::isfinite(*read)) {
        Fault(*node, key, "must be a finite number");
        return false;
      }
    }
    value = *read;
    return true;
  }
  template <class T>
  bool Read(std::string_view key, std::optional<T>& value) {
    T read{};
    if (!Read(key, read)) return false;
    value = read;
    return true;
  }
  void ReadStrings(std::string_view key, std::vector<std::string>& values) {
    asked_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr || error_) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) return Fault(*node, key, "must be a list of strings");
    for (const toml::node& element : *array) {
      const auto text = element.value<std::string>();
      if (!text) return Fault(element, key, "must be a list of strings");
      values.push_back(*text);
    }
  }
  // One value, or a list of them; what is there replaces `values`.
  template <class T>
  void ReadOneOrMore(std::string_view key, std::vector<T>& values) {
    asked_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr || error_) return;
    values.clear();
    const auto add = [&](const toml::node& element) {
      const auto value = element.value<T>();
      if (!value) {
        Fault(element, key,
              fmt::format("must be {}, or a list of such", Wanted<T>()));
        return false;
      }
      values.push_back(*value);
      return true;
    };
    if (const toml::array* array = node->as_array()) {
      for (const toml::node& element : *array)
        if (!add(element)) return;
    } else {
      add(*node);
    }
  }
  // A table of strings, by key.
  void ReadTexts(std::string_view key,
                 std::map<std::string, std::string>& values) {
    asked_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr || error_) return;
    const toml::table* table = node->as_table();
    if (table == nullptr) return Fault(*node, key, "must be a table");
    for (const auto& [name, element] : *table) {
      const auto text = element.value<std::string>();
      if (!text) return Fault(element, key, "must have strings as values");
      values.emplace(name.str(), *text);
    }
  }
  void Require(std::string_view key) {
    if (!error_ && table_.get(key) == nullptr)
      SetError(table_.source().begin.line,
               name_.empty() ? fmt::format("there is no '{}'", key)
                             : fmt::format("[{}] has no '{}'", name_, key),
               name_.empty() ? fmt::format("add {} at the top of the file", key)
                             : fmt::format("add {} = ... to [{}]", key, name_));
  }
  void RequireTable(std::string_view key) {
    const toml::node* node = table_.get(key);
    if (node == nullptr || node->is_table()) return;
    SetError(node->source().begin.line, fmt::format("{} must be a table", key),
             fmt::format("it begins with [{}] on a line of its own", key));
  }
  // A fault of a value that was read: out of range, unknown.
  void Fault(std::string_view key, std::string_view what,
             std::string hint = {}) {
    const toml::node* node = table_.get(key);
    SetError(node ? node->source().begin.line : 0,
             fmt::format("{} {}", Named(key), what), std::move(hint));
  }
  bool Has(std::string_view key) const { return table_.contains(key); }
  void Allow(std::string_view key) { asked_.push_back(key); }

  Status Finish() {
    for (const auto& [key, node] : table_) {
      const std::string_view word = key.str();
      if (error_) break;
      if (std::find(asked_.begin(), asked_.end(), word) != asked_.end())
        continue;
      std::string known;
      for (const std::string_view name : asked_)
        known += (known.empty() ? "" : ", ") + std::string(name);
      SetError(node.source().begin.line,
               fmt::format("unknown key '{}' {}{}", word,
                           name_.empty() ? "at the top" : "in [" + name_ + "]",
                           DidYouMean(word, asked_)),
               "keys are: " + known);
    }
    if (error_) return Fail(*error_);
    return {};
  }

 private:
  std::string Named(std::string_view key) const {
    return (name_.empty() ? "" : name_ + ".") + std::string(key);
  }
  template <class T>
  static std::string_view Wanted() {
    if constexpr (std::is_same_v<T, std::string>) return "a string";
    if constexpr (std::is_same_v<T, double>) return "a number";
    if constexpr (std::is_same_v<T, bool>) return "true or false";
    return "a whole number";
  }
  void Fault(const toml::node& node, std::string_view key,
             std::string_view what) {
    SetError(node.source().begin.line, fmt::format("{} {}", Named(key), what),
             {});
  }
  void SetError(uint32_t line, std::string_view message, std::string hint) {
    if (error_) return;
    error_ =
        Error{ErrorCode::kInvalidInput,
              fmt::format("{}:{}: {}", file_, line, message), std::move(hint)};
  }

  const toml::table& table_;
  std::string name_;
  std::string file_;
  std::vector<std::string_view> asked_;
  std::optional<Error> error_;
};

// The file's root table; a syntax error shows its place.
inline Result<toml::table> ParseToml(std::string_view text,
                                     const std::string& path) {
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    return Fail(ErrorAt(path, text, {at.line, at.column},
                        std::string(error.description()),
                        "a line is such as key = \"text\", and a head such as "
                        "[section]: https://toml.io"));
  }
}

}  // namespace modicum
