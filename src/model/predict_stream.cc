// SPDX-License-Identifier: Apache-2.0
#include "model/predict_stream.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

#include "dataset/json_line.h"
#include "dataset/utf8.h"

namespace modicum {

namespace {

constexpr size_t kReadBytes = size_t{1} << 18;

// A descriptor that becomes readable when a stop is asked for.
class StopFile {
 public:
  explicit StopFile(const std::stop_token& stop)
      : fd_(eventfd(0, EFD_CLOEXEC)) {
    wake_.emplace(stop, [this] { eventfd_write(fd_, 1); });
  }
  ~StopFile() {
    wake_.reset();  // no wake after the close
    close(fd_);
  }
  StopFile(const StopFile&) = delete;
  StopFile& operator=(const StopFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
  std::optional<std::stop_callback<std::function<void()>>> wake_;
};

class Stream {
 public:
  Stream(Model& model, int in, int out, const StreamOptions& options,
         PhaseSink& sink, StreamResult& result)
      : model_(model),
        in_(in),
        out_(out),
        options_(options),
        sink_(sink),
        result_(result),
        wake_(options.call.stop),
        reader_(MakeItemReader(options.input)),
        awaits_header_(reader_->has_header()) {
    for (const std::string& label : model.info().labels)
      names_.push_back(JsonString(label));
  }

  Status Run() {
    while (true) {
      MODICUM_TRY(const bool more, ReadSome());
      MODICUM_RETURN_IF_ERROR(AnswerLines(!more));
      if (!more) return {};
    }
  }

 private:
  // Waits for input. A read alone could miss a stop that is asked for just
  // before it, and then wait for a line that may never come.
  Status AwaitInput() {
    std::array<pollfd, 2> files{{{in_, POLLIN, 0}, {wake_.fd(), POLLIN, 0}}};
    // The signal comes before the stop that it asks for: wait on.
    while (poll(files.data(), files.size(), -1) < 0 && errno == EINTR &&
           !options_.call.stop.stop_requested()) {
    }
    if (!options_.call.stop.stop_requested()) return {};
    return Fail(ErrorCode::kInterrupted, "prediction interrupted");
  }

  // Appends what the input has now; false at its end.
  Result<bool> ReadSome() {
    const size_t had = buffer_.size();
    buffer_.resize(had + kReadBytes);
    ssize_t n = -1;
    while (n < 0) {
      MODICUM_RETURN_IF_ERROR(AwaitInput());
      n = read(in_, buffer_.data() + had, kReadBytes);
      if (n < 0 && errno != EINTR) {
        return Fail(ErrorCode::kIo, fmt::format("cannot read the input: {}",
                                                std::strerror(errno)));
      }
    }
    buffer_.resize(had + static_cast<size_t>(n));
    return n > 0;
  }

  // Answers every whole line of the buffer; at the end also a last one that
  // has no line end.
  Status AnswerLines(bool end) {
    const std::string_view all(buffer_);
    size_t begin = 0;
    while (begin < all.size()) {
      const size_t found = all.find('\n', std::max(begin, searched_));
      if (found == all.npos && !end) break;
      const size_t stop = found == all.npos ? all.size() : found;
      MODICUM_RETURN_IF_ERROR(TakeLine(all.substr(begin, stop - begin)));
      begin = stop + 1;
    }
    MODICUM_RETURN_IF_ERROR(Flush());
    buffer_.erase(0, std::min(begin, buffer_.size()));
    searched_ = buffer_.size();
    if (buffer_.size() <= options_.max_line_bytes) return {};
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("line {} of the input is longer than {} bytes",
                            line_ + 1, options_.max_line_bytes),
                "each item must be one line that ends in a line feed");
  }

  Status TakeLine(std::string_view line) {
    ++line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (reader_->skips_blank() && line.find_first_not_of(" \t") == line.npos)
      return {};
    if (std::exchange(awaits_header_, false)) return reader_->ReadHeader(line);
    Item& item = NextItem();
    const Status read = reader_->Read(line, line_, item.payload);
    if (read) {
      faults_.emplace_back();
      ++used_;
    } else if (options_.skip_errors) {
      faults_.push_back(read.error().message);
    } else {
      MODICUM_RETURN_IF_ERROR(Flush());
      return Fail(read.error());
    }
    return used_ < options_.batch ? Status() : Flush();
  }

  // Items keep their buffers from batch to batch.
  Item& NextItem() {
    if (used_ == items_.size()) items_.emplace_back();
    items_[used_].id = line_ - 1;
    return items_[used_];
  }

  Status Flush() {
    if (faults_.empty()) return {};
    MODICUM_TRY(
        const std::vector<Output> outputs,
        model_.Predict(std::span(items_).first(used_), options_.call, sink_));
    size_t next = 0;
    for (const std::string& fault : faults_) {
      if (fault.empty())
        WriteAnswer(outputs[next++]);
      else
        text_ += fmt::format("{{\"error\":{}}}\n", JsonString(fault));
    }
    MODICUM_RETURN_IF_ERROR(WriteOut());
    result_.items += used_;
    result_.skipped += faults_.size() - used_;
    used_ = 0;
    faults_.clear();
    return {};
  }

  void WriteAnswer(const Output& output) {
    const auto& label = std::get<Label>(output);
    const auto index = static_cast<size_t>(label.index);
    if (options_.labels_only) {
      text_ += model_.info().labels[index];
      text_ += '\n';
      return;
    }
    auto out = std::back_inserter(text_);
    fmt::format_to(out, "{{\"label\":{}", names_[index]);
    if (!label.probabilities.empty())
      fmt::format_to(out, ",\"p\":{:.4f}", label.probabilities[index]);
    if (options_.probabilities) {
      text_ += ",\"probabilities\":{";
      for (size_t i = 0; i < label.probabilities.size(); ++i)
        fmt::format_to(out, "{}{}:{:.4f}", i == 0 ? "" : ",", names_[i],
                       label.probabilities[i]);
      text_ += '}';
    }
    if (options_.call.explain > 0) WriteReasons(label.reasons);
    text_ += "}\n";
  }

  // Features come from the input, which need not be UTF-8; an effect without
  // bound is null, for JSON has no word for it.
  void WriteReasons(const std::vector<Reason>& reasons) {
    text_ += ",\"because\":[";
    for (size_t i = 0; i < reasons.size(); ++i) {
      const double effect = reasons[i].effect;
      fmt::format_to(
          std::back_inserter(text_), "{}{{\"feature\":{},\"effect\":{}}}",
          i == 0 ? "" : ",",
          JsonString(ReplaceUnusableBytes(reasons[i].feature)),
          std::isfinite(effect) ? fmt::format("{:.4f}", effect) : "null");
    }
    text_ += ']';
  }

  Status WriteOut() {
    std::string_view rest(text_);
    while (!rest.empty()) {
      const ssize_t n = write(out_, rest.data(), rest.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        return Fail(ErrorCode::kIo, fmt::format("cannot write the output: {}",
                                                std::strerror(errno)));
      }
      rest.remove_prefix(static_cast<size_t>(n));
    }
    text_.clear();
    return {};
  }

  Model& model_;
  const int in_;
  const int out_;
  const StreamOptions& options_;
  PhaseSink& sink_;
  StreamResult& result_;
  const StopFile wake_;
  std::vector<std::string> names_;  // the labels as JSON
  std::string buffer_;              // begins at a line's begin
  size_t searched_ = 0;             // no line end before this
  uint64_t line_ = 0;
  const std::unique_ptr<ItemReader> reader_;
  bool awaits_header_;
  std::vector<Item> items_;  // the first used_ are this batch's
  size_t used_ = 0;
  std::vector<std::string> faults_;  // per line; "" where an item is
  std::string text_;                 // answers to write
};

}  // namespace

Status PredictStream(Model& model, int in, int out,
                     const StreamOptions& options, PhaseSink& sink,
                     StreamResult& result) {
  return Stream(model, in, out, options, sink, result).Run();
}

}  // namespace modicum
