// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/importance_file.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "base/file.h"
#include "model/gguf/gguf_file.h"
#include "model/gguf/gguf_names.h"

namespace modicum {
namespace {

constexpr std::string_view kSums = ".in_sum2";
constexpr std::string_view kCounts = ".counts";

class ImportanceReader {
 public:
  ImportanceReader(const GgufFile& header, const RandomAccessFile& file)
      : header_(header), file_(file) {}

  Result<std::vector<Importance>> ReadAll() const {
    std::vector<Importance> all;
    for (const GgufTensor& tensor : header_.tensors) {
      if (!tensor.name.ends_with(kSums)) continue;
      MODICUM_TRY(Importance importance, ReadOne(tensor));
      all.push_back(std::move(importance));
    }
    if (all.empty())
      return Refuse("it holds no importance of any tensor",
                    "name a file that llama-imatrix wrote, or a text");
    return all;
  }

 private:
  tl::unexpected<Error> Refuse(std::string_view what,
                               std::string hint = {}) const {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: {}", header_.name, what), std::move(hint));
  }

  Result<Importance> ReadOne(const GgufTensor& sums) const {
    Importance importance;
    importance.tensor = sums.name.substr(0, sums.name.size() - kSums.size());
    const GgufTensor* counts =
        header_.FindTensor(importance.tensor + std::string(kCounts));
    if (counts == nullptr || counts->elements() == 0 ||
        sums.elements() % counts->elements() != 0)
      return Refuse(
          fmt::format("{} has no counts that fit", Shown(importance.tensor)));
    MODICUM_TRY(importance.values, Numbers(sums));
    MODICUM_TRY(const std::vector<float> rows, Numbers(*counts));
    const size_t columns = importance.values.size() / rows.size();
    for (size_t i = 0; i < importance.values.size(); ++i) {
      // A matrix that nothing came to: all its columns alike.
      const float count = rows[i / columns];
      float& value = importance.values[i];
      value = count > 0 ? value / count : 1;
      if (!std::isfinite(value) || value < 0)
        return Refuse(fmt::format("number {} of {} is no mean square", i,
                                  Shown(sums.name)));
    }
    return importance;
  }

  Result<std::vector<float>> Numbers(const GgufTensor& tensor) const {
    if (tensor.type != GgmlType::kF32)
      return Refuse(fmt::format("{} is not of type f32", Shown(tensor.name)));
    std::vector<float> numbers(tensor.elements());
    MODICUM_RETURN_IF_ERROR(
        file_.ReadInto(header_.data_offset + tensor.offset,
                       reinterpret_cast<char*>(numbers.data()), tensor.bytes));
    return numbers;
  }

  const GgufFile& header_;
  const RandomAccessFile& file_;
};

}  // namespace

Result<std::vector<Importance>> ReadImportance(const std::string& path) {
  MODICUM_TRY(const GgufFile header, ReadGguf(path, GgufCheck::kStructure));
  MODICUM_TRY(const RandomAccessFile file, RandomAccessFile::Open(path));
  return ImportanceReader(header, file).ReadAll();
}

}  // namespace modicum
