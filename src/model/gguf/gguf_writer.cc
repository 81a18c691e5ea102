// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/gguf_writer.h"

#include <fmt/format.h>

#include "model/bytes.h"
#include "model/gguf/gguf_names.h"

namespace modicum {
namespace {

constexpr uint32_t kVersion = 3;
constexpr uint64_t kDefaultAlignment = 32;

uint64_t Aligned(uint64_t size, uint64_t alignment) {
  return (size + alignment - 1) / alignment * alignment;
}

uint64_t AlignmentOf(const GgufMetadata& metadata) {
  for (const auto& [key, value] : metadata)
    if (key == "general.alignment") return std::get<uint32_t>(value);
  return kDefaultAlignment;
}

void PutString(ByteWriter& out, std::string_view text) {
  out.Put<uint64_t>(text.size());
  out.PutText(text);
}

void PutValue(ByteWriter& out, const GgufValue& value) {
  out.Put(static_cast<uint32_t>(value.index()));
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string>) {
          PutString(out, v);
        } else if constexpr (std::is_same_v<T, GgufArray>) {
          out.Put(static_cast<uint32_t>(v.type));
          out.Put(v.size);
          out.PutText(v.bytes);
          for (const std::string& text : v.texts) PutString(out, text);
        } else {
          out.Put(v);
        }
      },
      value);
}

}  // namespace

Status PlaceTensors(std::vector<GgufTensor>& tensors, uint64_t alignment) {
  uint64_t offset = 0;
  for (GgufTensor& tensor : tensors) {
    const std::string what = "tensor " + Shown(tensor.name);
    if (!IsSoundName(tensor.name) || tensor.name.size() > kMaxGgufName)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("{} has a name that GGUF cannot hold: at most {} "
                              "printable bytes",
                              what, kMaxGgufName));
    const GgmlTypeInfo& info = InfoOf(tensor.type);
    const auto bytes = BytesOf(tensor.type, tensor.elements());
    if (tensor.shape[0] % info.block != 0 || !bytes)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("{} has rows of {} elements, type {} needs a "
                              "multiple of {}",
                              what, tensor.shape[0], info.name, info.block));
    tensor.bytes = *bytes;
    tensor.offset = offset;
    offset = Aligned(offset + tensor.bytes, alignment);
  }
  return {};
}

std::string GgufHeader(const GgufMetadata& metadata,
                       const std::vector<GgufTensor>& tensors) {
  ByteWriter out;
  out.PutText("GGUF");
  out.Put(kVersion);
  out.Put<uint64_t>(tensors.size());
  out.Put<uint64_t>(metadata.size());
  for (const auto& [key, value] : metadata) {
    PutString(out, key);
    PutValue(out, value);
  }
  for (const GgufTensor& tensor : tensors) {
    PutString(out, tensor.name);
    out.Put(tensor.dimensions);
    for (uint32_t i = 0; i < tensor.dimensions; ++i) out.Put(tensor.shape[i]);
    out.Put(static_cast<uint32_t>(tensor.type));
    out.Put(tensor.offset);
  }
  std::string header = out.Take();
  header.resize(Aligned(header.size(), AlignmentOf(metadata)));
  return header;
}

Result<GgufWriter> GgufWriter::Create(const std::string& path,
                                      const GgufMetadata& metadata,
                                      std::vector<GgufTensor> tensors) {
  const uint64_t alignment = AlignmentOf(metadata);
  MODICUM_RETURN_IF_ERROR(PlaceTensors(tensors, alignment));
  MODICUM_TRY(AtomicFile file, AtomicFile::Create(path));
  MODICUM_RETURN_IF_ERROR(file.Append(GgufHeader(metadata, tensors)));
  return GgufWriter(std::move(file), std::move(tensors), alignment);
}

GgufWriter::GgufWriter(AtomicFile file, std::vector<GgufTensor> tensors,
                       uint64_t alignment)
    : file_(std::move(file)),
      tensors_(std::move(tensors)),
      alignment_(alignment) {}

Status GgufWriter::Append(std::string_view bytes) {
  MODICUM_CHECK(current_ < tensors_.size() &&
                bytes.size() <= tensors_[current_].bytes - done_);
  MODICUM_RETURN_IF_ERROR(file_.Append(bytes));
  done_ += bytes.size();
  return done_ == tensors_[current_].bytes ? EndTensor() : Status();
}

Status GgufWriter::EndTensor() {
  const std::string padding(Aligned(done_, alignment_) - done_, '\0');
  ++current_;
  done_ = 0;
  return file_.Append(padding);
}

Status GgufWriter::Finish() {
  MODICUM_CHECK(current_ == tensors_.size());
  return file_.Commit();
}

}  // namespace modicum
