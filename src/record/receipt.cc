// SPDX-License-Identifier: Apache-2.0
#include "record/receipt.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "record/json.h"

namespace modicum {
namespace {

using nlohmann::json;

constexpr int kMostDepth = 32;  // a receipt's own is 9
constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string CanonicalBody(const Receipt& receipt) {
  return CanonicalJson({
      {"schema", kReceiptSchema},
      {"evidence", ToJson(receipt.evidence, JsonStyle::kReceipt)},
      {"result", ToJson(receipt.result, JsonStyle::kReceipt)},
      {"files", json(receipt.files)},
  });
}

tl::unexpected<Error> Refused(std::string message, std::string hint = {}) {
  return Fail(ErrorCode::kInvalidInput, std::move(message), std::move(hint));
}

// Reading and writing of nested values recurse.
bool TooDeep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMostDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

Result<json> ParseJson(std::string_view text) {
  if (TooDeep(text)) return Refused("receipt: nested too deeply");
  try {
    json parsed = json::parse(text);
    if (!parsed.is_object()) return Refused("receipt: not a JSON object");
    return parsed;
  } catch (const json::parse_error& error) {
    return Refused("receipt: not JSON at byte " + std::to_string(error.byte),
                   "is the file whole, and is it a receipt?");
  } catch (const json::exception&) {
    return Refused("receipt: a number is out of range");
  }
}

std::string Excerpt(std::string_view text, size_t at) {
  constexpr size_t kBefore = 20;
  constexpr size_t kLength = 40;
  return std::string(text.substr(at - std::min(at, kBefore), kLength));
}

// One value has one text: what reads as the same but is written otherwise
// (a doubled key, a digit too many, a space) is not what was hashed.
Status CheckCanonical(std::string_view text, const json& parsed) {
  const std::string canonical = CanonicalJson(parsed) + '\n';
  if (text == canonical) return {};
  const auto at =
      static_cast<size_t>(std::mismatch(text.begin(), text.end(),
                                        canonical.begin(), canonical.end())
                              .first -
                          text.begin());
  return Refused("receipt: not in canonical form at byte " +
                     std::to_string(at) + ": '" + Excerpt(text, at) +
                     "' should read '" + Excerpt(canonical, at) + "'",
                 "the file was written or altered by another program");
}

Result<std::string> ReadHex(const json& object, const char* path,
                            const char* name, size_t digits) {
  const auto it = object.find(name);
  if (it == object.end() || !it->is_string() ||
      it->get_ref<const std::string&>().size() != digits ||
      it->get_ref<const std::string&>().find_first_not_of(kHexDigits) !=
          std::string::npos)
    return Refused(std::string(path) + name + ": not " +
                   std::to_string(digits) + " lower-case hexadecimal digits");
  return it->get<std::string>();
}

// Exactly these members; those that may be absent come last.
Status CheckMembers(const json& object, const std::string& path,
                    std::initializer_list<std::string_view> names,
                    size_t required) {
  size_t i = 0;
  size_t known = 0;
  for (const std::string_view name : names) {
    const bool there = object.contains(std::string(name));
    known += there ? 1 : 0;
    if (++i <= required && !there)
      return Refused(path + ": " + std::string(name) + " is missing");
  }
  if (known == object.size()) return {};
  for (auto it = object.begin(); it != object.end(); ++it)
    if (std::find(names.begin(), names.end(), it.key()) == names.end())
      return Refused(path + ": has an unknown member \"" + it.key() + '"');
  return {};
}

Status CheckSchema(const json& parsed) {
  const auto body = parsed.find("receipt");
  if (body == parsed.end() || !body->is_object() || !body->contains("schema"))
    return Refused("receipt: not a receipt of modicum",
                   "`modicum fit --receipt FILE` writes one");
  const json& schema = (*body)["schema"];
  if (schema == kReceiptSchema) return {};
  return Refused("receipt.schema: " + CanonicalJson(schema).substr(0, 60) +
                     " is not known here; this modicum reads \"" +
                     kReceiptSchema + '"',
                 "use the version of modicum that wrote it");
}

Result<std::map<std::string, std::string>> ReadFiles(const json& body) {
  const json& files = body["files"];
  if (!files.is_object()) return Refused("receipt.files: not an object");
  std::map<std::string, std::string> out;
  for (auto it = files.begin(); it != files.end(); ++it) {
    MODICUM_TRY(out[it.key()],
                ReadHex(files, "receipt.files.", it.key().c_str(), 64));
  }
  return out;
}

Result<std::optional<Signature>> ReadSignature(const json& parsed) {
  std::optional<Signature> signature;
  const auto it = parsed.find("signature");
  if (it == parsed.end()) return signature;
  if (!it->is_object()) return Refused("signature: not an object");
  MODICUM_RETURN_IF_ERROR(
      CheckMembers(*it, "signature", {"public_key", "signature"}, 2));
  signature.emplace();
  MODICUM_TRY(signature->public_key,
              ReadHex(*it, "signature.", "public_key", 64));
  MODICUM_TRY(signature->signature,
              ReadHex(*it, "signature.", "signature", 128));
  return signature;
}

// The member "receipt" as it stands in the canonical text, where it is first.
std::string_view BodyOf(std::string_view text, const json& parsed) {
  constexpr std::string_view kBefore = "{\"receipt\":";
  json rest = json::object();
  for (auto it = parsed.begin(); it != parsed.end(); ++it)
    if (it.key() != "receipt") rest[it.key()] = *it;
  // ,"sha256":...}\n
  const size_t after = CanonicalJson(rest).size() + 1;
  text.remove_prefix(kBefore.size());
  text.remove_suffix(after);
  return text;
}

}  // namespace

Hash ReceiptHash(const Receipt& receipt) {
  return Sha256Of(CanonicalBody(receipt));
}

std::string FormatReceipt(const Receipt& receipt) {
  const std::string body = CanonicalBody(receipt);
  json rest = {{"sha256", ToHex(Sha256Of(body))}};
  if (receipt.signature)
    rest["signature"] = {{"public_key", receipt.signature->public_key},
                         {"signature", receipt.signature->signature}};
  return "{\"receipt\":" + body + ',' + CanonicalJson(rest).substr(1) + '\n';
}

Status WriteReceipt(const std::string& path, const Receipt& receipt) {
  const std::string text = FormatReceipt(receipt);
  if (const auto back = ParseReceipt(text); !back)
    return Fail(ErrorCode::kInternal,
                path + " would not be a valid receipt: " + back.error().message,
                "nothing was written; please report this");
  return WriteFileAtomically(path, text);
}

Result<Receipt> ParseReceipt(std::string_view text) {
  MODICUM_TRY(const json parsed, ParseJson(text));
  MODICUM_RETURN_IF_ERROR(CheckSchema(parsed));
  MODICUM_RETURN_IF_ERROR(CheckCanonical(text, parsed));
  MODICUM_RETURN_IF_ERROR(
      CheckMembers(parsed, "file", {"receipt", "sha256", "signature"}, 2));
  MODICUM_TRY(const std::string stated, ReadHex(parsed, "", "sha256", 64));
  Receipt receipt;
  receipt.sha256 = Sha256Of(BodyOf(text, parsed));
  if (const std::string actual = ToHex(receipt.sha256); actual != stated)
    return Refused(
        "sha256: stated " + stated + ", but the receipt's is " + actual,
        "it was altered after it was written");
  MODICUM_TRY(receipt.signature, ReadSignature(parsed));
  const json& body = parsed["receipt"];
  MODICUM_RETURN_IF_ERROR(CheckMembers(
      body, "receipt", {"schema", "evidence", "result", "files"}, 4));
  MODICUM_TRY(receipt.files, ReadFiles(body));
  MODICUM_TRY(receipt.evidence, FromReceiptJson<FitEvidence>(
                                    body["evidence"], "receipt.evidence"));
  MODICUM_TRY(receipt.result,
              FromReceiptJson<FitResult>(body["result"], "receipt.result"));
  return receipt;
}

}  // namespace modicum
