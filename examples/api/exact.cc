// SPDX-License-Identifier: Apache-2.0
// Short windows: one that only stamps the clocks as it opens, and one that
// reads the sensors.
//   c++ -std=c++17 exact.cc -lmodicum && ./a.out
#include <cstdio>
#include <modicum/meter.hpp>
#include <thread>

int main() try {
  modicum::Options options;
  options.subject = modicum::Subject::kMachine;  // everybody, idling included
  const modicum::Meter meter(options);

  // Under 5 us: fit for every request of a server.
  modicum::Window stamped = meter.Begin("stamped");
  // Reads the sensors first: what was drawn before is not in it.
  modicum::Window exact = meter.Begin("exact", modicum::Edge::kExact);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const modicum::Result inner = exact.End();
  const modicum::Result outer = stamped.End();

  for (const modicum::Result& result : {inner, outer}) {
    std::printf("%-8s %g s, %g J\n", result.name().c_str(),
                result.wall().value(), result.energy().mid.value());
    for (const std::string& warning : result.warnings())
      std::printf("  warning: %s\n", warning.c_str());
  }
  return inner.wall() < outer.wall() ? 0 : 1;
} catch (const modicum::Error& error) {
  std::fprintf(stderr, "error: %s\n  hint: %s\n", error.what(),
               error.hint().c_str());
  return 1;
}
