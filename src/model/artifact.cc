// SPDX-License-Identifier: Apache-2.0
// Writing an artifact whole or not at all, and loading it with every file
// checked before an engine sees it.
#include "model/artifact.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "model/bytes.h"
#include "model/run_settings.h"

namespace modicum {

namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxCard = uint64_t{16} << 20;

auto FailWrite(const std::string& path, const std::string& why,
               const std::string& hint = {}) {
  return Fail(ErrorCode::kIo, "cannot write " + path + ": " + why, hint);
}

// A folder that is removed unless it was given away.
class ScratchFolder {
 public:
  static Result<ScratchFolder> MakeBeside(const std::string& path) {
    std::string pattern = path + ".tmp-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
      const int error = errno;
      return Fail(
          error == EACCES ? ErrorCode::kPermission : ErrorCode::kIo,
          "cannot make a folder beside " + path + ": " + std::strerror(error),
          "choose another place for the artifact");
    }
    return ScratchFolder(pattern);
  }
  ScratchFolder(ScratchFolder&& other) noexcept
      : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Status CopyFiles(Card& card, const std::string& from, const std::string& to,
                 const std::vector<std::string>& files) {
  card.files.clear();
  card.sizes.clear();
  for (const std::string& name : files) {
    std::error_code error;
    fs::create_directories(fs::path(to + "/" + name).parent_path(), error);
    if (!error) fs::copy_file(from + "/" + name, to + "/" + name, error);
    if (error) return FailWrite(to + "/" + name, error.message());
    const uint64_t size = fs::file_size(to + "/" + name, error);
    if (error) return FailWrite(to + "/" + name, error.message());
    MODICUM_TRY(const Hash hash, Sha256OfFile(to + "/" + name));
    card.files[name] = ToHex(hash);
    card.sizes[name] = size;
  }
  return {};
}

// An artifact, or what a crash left of one, may be replaced; nothing else.
Status CheckReplaceable(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (!fs::exists(status)) return {};
  if (fs::is_directory(status)) {
    const Result<std::string> card =
        ReadWholeFile(path + "/card.json", kMaxCard);
    if ((card && ParseCard(*card)) || fs::is_empty(path, error)) return {};
  }
  return Fail(ErrorCode::kInvalidInput,
              path + " exists and is not an artifact: it is left as it is",
              "remove it, or choose another name");
}

std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

auto FailAltered(const std::string& path, const std::string& what) {
  return Fail(ErrorCode::kInvalidInput, path + " " + what,
              "the artifact was truncated or altered: get a fresh copy or fit "
              "again");
}

Status CheckFile(const Card& card, const std::string& folder,
                 const std::string& name) {
  const std::string path = folder + "/" + name;
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (!fs::exists(status)) return FailAltered(path, "is missing");
  if (!fs::is_regular_file(status))
    return FailAltered(path, "is not a regular file");
  const uint64_t size = fs::file_size(path, error);
  if (error) return Fail(ErrorCode::kIo, "cannot read " + path);
  if (size != card.sizes.at(name)) {
    return FailAltered(path, fmt::format("has {} bytes, its card says {}", size,
                                         card.sizes.at(name)));
  }
  MODICUM_TRY(const Hash hash, Sha256OfFile(path));
  if (ToHex(hash) != card.files.at(name))
    return FailAltered(path, "does not have the sha256 its card says");
  return {};
}

Result<Card> ReadCard(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    return Fail(ErrorCode::kNotFound, "no artifact at " + path,
                "'modicum fit' writes one");
  }
  Result<std::string> text = ReadWholeFile(path + "/card.json", kMaxCard);
  if (!text && text.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kInvalidInput,
                path + " is not an artifact: it has no card.json",
                "name the folder that 'modicum fit' wrote");
  }
  if (!text) return Fail(std::move(text).error());
  Result<Card> card = ParseCard(*text);
  if (!card) {
    return Fail(card.error().code, path + "/" + card.error().message,
                card.error().hint);
  }
  return card;
}

// One instance for each thread.
Result<std::unique_ptr<Model>> LoadInstances(const Card& card,
                                             const std::string& path,
                                             PhaseSink& sink) {
  const auto processors =
      static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const int threads = std::min(card.run.threads, processors);
  std::vector<std::unique_ptr<Model>> instances;
  for (int i = 0; i < threads; ++i) {
    MODICUM_TRY(std::unique_ptr<Model> model,
                LoadModel(card.family, path, card.labels, sink));
    instances.push_back(std::move(model));
  }
  if (threads == 1) return std::move(instances[0]);
  return WithRunSettings(std::move(instances), card.run.batch);
}

}  // namespace

Hash ArtifactHash(std::span<const Hash> parents, std::string_view pass,
                  const Params& params, const Hash& data) {
  Sha256 hash;
  hash.AddField(std::to_string(parents.size()));
  for (const Hash& parent : parents) hash.AddField(ToHex(parent));
  hash.AddField(pass);
  for (const auto& [name, value] : params) {
    hash.AddField(name);
    hash.AddField(std::to_string(value.index()));
    hash.AddField(ToString(Params{{name, value}}));
  }
  hash.AddField(ToHex(data));
  return hash.Finish();
}

Status CheckArtifactPath(const std::string& path) {
  const std::string target = WithoutSlash(path);
  MODICUM_RETURN_IF_ERROR(CheckReplaceable(target));
  const auto scratch = ScratchFolder::MakeBeside(target);
  if (!scratch) return Fail(scratch.error());
  return {};
}

Status WriteArtifact(const std::string& path, Card card,
                     const std::string& directory,
                     const std::vector<std::string>& files) {
  const std::string target = WithoutSlash(path);
  MODICUM_RETURN_IF_ERROR(CheckReplaceable(target));
  MODICUM_TRY(const ScratchFolder scratch, ScratchFolder::MakeBeside(target));
  MODICUM_RETURN_IF_ERROR(CopyFiles(card, directory, scratch.path(), files));
  if (card.artifact == Hash{}) {
    Params params = card.params;
    params["seed"] = static_cast<int64_t>(card.seed);
    card.artifact = ArtifactHash({}, "train:" + card.family, params, card.data);
  }
  const std::string json = FormatCard(card);
  // What cannot be read back must not be written: a bad file name, a NaN.
  if (auto parsed = ParseCard(json); !parsed)
    return Fail(ErrorCode::kInternal, parsed.error().message);
  MODICUM_RETURN_IF_ERROR(WriteFileAtomically(scratch.path() + "/CARD.md",
                                              FormatCardMarkdown(card)));
  MODICUM_RETURN_IF_ERROR(
      WriteFileAtomically(scratch.path() + "/card.json", json));
  std::error_code error;
  fs::permissions(scratch.path(), fs::perms(0755), error);
  return MoveFolder(scratch.path(), target);
}

Result<LoadedArtifact> LoadArtifact(const std::string& path, PhaseSink& sink) {
  sink.Begin(Phase::kLoad);
  MODICUM_TRY(Card card, ReadCard(path));
  for (const auto& [name, sha256] : card.files)
    MODICUM_RETURN_IF_ERROR(CheckFile(card, path, name));
  MODICUM_TRY(std::unique_ptr<Model> model, LoadInstances(card, path, sink));
  return LoadedArtifact{std::move(card), std::move(model)};
}

}  // namespace modicum
