// SPDX-License-Identifier: Apache-2.0
#include "dataset/debian/languages.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <tuple>
#include <unordered_map>

#include "base/file.h"
#include "dataset/debian/man_page.h"

namespace modicum {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMinCharacters = 40;
constexpr size_t kMaxCharacters = 400;
constexpr size_t kMinWords = 5;
constexpr size_t kPerLanguage = 500;
// Raising it picks other paragraphs.
constexpr uint64_t kSeed = 1;

bool IsLetterByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

// FNV-1a, then SplitMix64's finaliser (Steele, Lea, Flood 2014), for FNV alone
// orders texts by their last letters.
uint64_t HashText(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325ULL ^ kSeed;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9ULL;
  hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBULL;
  return hash ^ (hash >> 31);
}

// Words that English has often and the other languages here hardly ever have.
// One in twelve words is enough: a translation quotes fewer.
bool LooksEnglish(std::string_view text) {
  constexpr std::string_view kWords =
      " the and this with which from that by not if when any should may can "
      "cannot must each other these using its ";
  size_t words = 0;
  size_t english = 0;
  for (size_t at = 0; at < text.size(); ++words) {
    const size_t end = std::min(text.find(' ', at), text.size());
    std::string word(text.substr(at, end - at));
    if (word[0] >= 'A' && word[0] <= 'Z')
      word[0] = static_cast<char>(word[0] - 'A' + 'a');
    if (kWords.find(' ' + word + ' ') != std::string_view::npos) ++english;
    at = end + 1;
  }
  return english > 0 && english * 12 >= words;
}

auto Place(const Paragraph& p) {
  return std::tie(p.language, p.page, p.number, p.text);
}

bool IsBefore(const Paragraph& a, const Paragraph& b) {
  return Place(a) < Place(b);
}

// The first of equal ones; none where two languages have it. Requires order.
std::vector<Paragraph> DropRepeated(std::vector<Paragraph> all) {
  std::unordered_map<std::string, std::string> language;  // "" = several
  for (const Paragraph& p : all) {
    const auto [at, fresh] = language.try_emplace(p.text, p.language);
    if (!fresh && at->second != p.language) at->second.clear();
  }
  std::vector<Paragraph> kept;
  for (Paragraph& p : all) {
    std::string& only = language[p.text];
    if (only.empty()) continue;
    only.clear();
    kept.push_back(std::move(p));
  }
  return kept;
}

struct PageFile {
  fs::path path;
  std::string language;
};

// ".../man/de/man1/x.1": "de"; ".../man/man1/x.1": "en"; else "".
std::string LanguageOf(const fs::path& file) {
  const std::string section = file.parent_path().filename().string();
  const fs::path above = file.parent_path().parent_path();
  if (section.size() != 4 || !section.starts_with("man")) return {};
  const std::string folder = above.filename().string();
  if (folder == "man") return "en";
  if (above.parent_path().filename() != "man") return {};
  return folder.substr(0, folder.find_first_of("_.@"));
}

Result<std::vector<PageFile>> PagesBelow(const std::string& folder) {
  std::vector<PageFile> pages;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(folder, failed), end;
       !failed && at != end; at.increment(failed)) {
    if (at->is_symlink(failed) || !at->is_regular_file(failed)) continue;
    std::string language = LanguageOf(at->path());
    if (!language.empty()) pages.push_back({at->path(), std::move(language)});
  }
  if (failed)
    return Fail(ErrorCode::kIo,
                "cannot list " + folder + ": " + failed.message());
  std::sort(
      pages.begin(), pages.end(),
      [](const PageFile& a, const PageFile& b) { return a.path < b.path; });
  return pages;
}

}  // namespace

bool IsRunningText(std::string_view text) {
  size_t characters = 0;
  size_t letters = 0;
  size_t words = 1;
  for (const char c : text) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
    if (continues) continue;
    ++characters;
    letters += IsLetterByte(c) ? 1 : 0;
    words += c == ' ' ? 1 : 0;
  }
  // Footers, most of them generated, and credits: the same but for a name.
  for (const std::string_view mark : {"://", "@", "info '("})
    if (text.find(mark) != std::string_view::npos) return false;
  return characters >= kMinCharacters && characters <= kMaxCharacters &&
         words >= kMinWords && letters * 4 >= characters * 3;
}

std::vector<Paragraph> ChooseParagraphs(std::vector<Paragraph> all,
                                        size_t per_language) {
  std::sort(all.begin(), all.end(), IsBefore);
  std::map<std::string, std::vector<std::pair<uint64_t, Paragraph>>> languages;
  for (Paragraph& p : DropRepeated(std::move(all))) {
    if (!IsRunningText(p.text)) continue;
    if (p.language != "en" && LooksEnglish(p.text)) continue;
    const uint64_t rank = HashText(p.text);
    languages[p.language].emplace_back(rank, std::move(p));
  }
  std::vector<Paragraph> chosen;
  for (auto& [language, ranked] : languages) {
    std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
      return std::tie(a.first, a.second.text) <
             std::tie(b.first, b.second.text);
    });
    if (ranked.size() > per_language) ranked.resize(per_language);
    for (auto& [rank, p] : ranked) chosen.push_back(std::move(p));
  }
  std::sort(chosen.begin(), chosen.end(), IsBefore);
  return chosen;
}

Result<std::vector<Paragraph>> ReadLanguages(const std::string& folder,
                                             const PageStep& step) {
  MODICUM_TRY(const std::vector<PageFile> pages, PagesBelow(folder));
  std::vector<Paragraph> all;
  for (size_t i = 0; i < pages.size(); ++i) {
    MODICUM_RETURN_IF_ERROR(step(i, pages.size()));
    MODICUM_TRY(const std::string page, ReadFile(pages[i].path.string()));
    size_t number = 0;
    for (std::string& text : ParagraphsOfManPage(page))
      all.push_back({std::move(text), pages[i].language,
                     pages[i].path.filename().string(), number++});
  }
  return ChooseParagraphs(std::move(all), kPerLanguage);
}

}  // namespace modicum
