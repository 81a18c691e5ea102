// SPDX-License-Identifier: Apache-2.0
// An encoder trained from nothing on SST-2's sentences, by the shipped
// defaults or with parameters: accuracy on the test sentences, CPU time.
//   encoder_sst2 FOLDER [layers=2 width=128 seed=2 unlabelled=FILE ...]
#include <fmt/format.h>
#include <sys/resource.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "base/format.h"
#include "base/statistics.h"
#include "dataset/dataset.h"
#include "model/engine.h"
#include "model/test_data.h"

namespace modicum {
namespace {

Seconds CpuTime() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           1e-6 * static_cast<double>(time.tv_usec);
  };
  return Seconds(seconds(usage.ru_utime) + seconds(usage.ru_stime));
}

Result<Dataset> Load(const std::string& path) {
  LoadOptions options;
  options.format = "labelled";
  return LoadDataset(path, options);
}

// "layers=2" into a parameter; the seed is the budget's.
Status Parse(std::string_view text, Params& params, Budget& budget) {
  const size_t equals = text.find('=');
  if (equals == text.npos)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("'{}' is not NAME=VALUE", text));
  double number = 0;
  const char* end = text.data() + text.size();
  const bool is_number =
      std::from_chars(text.data() + equals + 1, end, number).ptr == end;
  const std::string name(text.substr(0, equals));
  if (!is_number) {
    params[name] = std::string(text.substr(equals + 1));
  } else if (name == "seed") {
    budget.seed = static_cast<uint64_t>(number);
  } else if (number == static_cast<double>(static_cast<int64_t>(number))) {
    params[name] = static_cast<int64_t>(number);
  } else {
    params[name] = number;
  }
  return {};
}

Status Run(std::span<char*> arguments) {
  const std::string folder = arguments[0];
  Params params;
  Budget budget;
  for (const char* argument : arguments.subspan(1))
    MODICUM_RETURN_IF_ERROR(Parse(argument, params, budget));
  MODICUM_TRY(Dataset train, Load(folder + "/stsa.binary.train"));
  MODICUM_TRY(const Dataset test, Load(folder + "/stsa.binary.test"));
  GroupNearDuplicates(train);
  MODICUM_TRY(Trainer * trainer, FindTrainer("encoder"));
  std::string directory =
      std::filesystem::temp_directory_path() / "encoder-XXXXXX";
  MODICUM_CHECK(mkdtemp(directory.data()) != nullptr);
  NullSink sink;
  const Seconds before = CpuTime();
  auto work = [&]() -> Status {
    MODICUM_RETURN_IF_ERROR(trainer->Train(train, AllRowsOf(train), params,
                                           budget, nullptr, directory, sink));
    const Seconds trained = CpuTime();
    MODICUM_TRY(const auto model,
                LoadModel("encoder", directory, train.labels, sink));
    MODICUM_TRY(const auto outputs, model->Predict(test.items, {}, sink));
    const Seconds predicted = CpuTime();
    const double accuracy = AccuracyOf(outputs, test.items);
    const auto count = static_cast<double>(test.items.size());
    const Interval interval = WilsonInterval(
        static_cast<uint64_t>(accuracy * count + 0.5), test.items.size());
    fmt::print(
        "encoder {}: {} parameters, {}\n"
        "accuracy        {:.4f} [{:.4f}, {:.4f}] on {} test sentences "
        "(at least 0.78)\n"
        "training        {:.1f} s of CPU time on {} sentences (under 1200 s)\n"
        "prediction      {:.2f} ms of CPU time per sentence\n",
        ToString(params), FormatCount(model->info().parameters),
        FormatBytes(model->info().bytes), accuracy, interval.low, interval.high,
        FormatCount(test.items.size()), (trained - before).value(),
        FormatCount(train.items.size()),
        1e3 * (predicted - trained).value() / count);
    return {};
  };
  auto status = work();
  std::filesystem::remove_all(directory);
  return status;
}

}  // namespace
}  // namespace modicum

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: encoder_sst2 FOLDER [NAME=VALUE...]\n");
    return 2;
  }
  const auto status =
      modicum::Run(std::span(argv + 1, static_cast<size_t>(argc) - 1));
  if (status) return 0;
  fmt::print(stderr, "encoder_sst2: {}\n", status.error().message);
  return 1;
}
