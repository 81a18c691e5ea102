// SPDX-License-Identifier: Apache-2.0
// Windows of a C++ program: nested, overlapping, in threads, with phases.
//   c++ -std=c++17 windows.cc -lmodicum -pthread && ./a.out
#include <cstdio>
#include <modicum/meter.hpp>
#include <thread>

namespace {

double Work(int n) {
  double sum = 0;
  for (int i = 1; i < n; ++i) sum += 1.0 / i;
  return sum;
}

void Print(const modicum::Result& result) {
  const auto energy = result.energy();
  std::printf("%-8s %g J [%g, %g], %g s of CPU time\n", result.name().c_str(),
              energy.mid.value(), energy.low.value(), energy.high.value(),
              result.cpu().value());
}

}  // namespace

int main() try {
  const modicum::Meter meter;

  modicum::Window job = meter.Begin("job");
  job.Phase("load");
  double sum = Work(1'000'000);
  job.Phase("compute");
  {
    // In another thread, and at the same time as what follows.
    std::thread other([&meter] {
      modicum::Window window = meter.Begin("thread");
      static_cast<void>(Work(2'000'000));
      Print(window.End());
    });
    sum += Work(2'000'000);
    other.join();
  }
  const modicum::Result so_far = job.Peek();
  const modicum::Result result = job.End();

  Print(result);
  for (const modicum::Result& phase : result.phases()) Print(phase);
  std::fputs(result.bill().c_str(), stdout);
  return so_far.cpu() < result.cpu() && sum > 0 ? 0 : 1;
} catch (const modicum::Error& error) {
  std::fprintf(stderr, "error: %s\n  hint: %s\n", error.what(),
               error.hint().c_str());
  return 1;
}
