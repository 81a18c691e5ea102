// SPDX-License-Identifier: Apache-2.0
// What docs/api.md shows of C++ runs as it stands there. The header that its
// program includes is there already.
#include <cstdio>
#include <iostream>
#include <modicum/meter.hpp>

namespace {

void Train() {}

void Program() {
#include "program.cc.inc"
}

void Calls() {
  constexpr int exit_code = 0;
  modicum::Meter meter;
  modicum::Window window =
#include "calls.cc.inc"
}

void Figures(const modicum::Result& result) {
#include "figures.cc.inc"
}

}  // namespace

int main() try {
  Program();
  Calls();
  Figures(modicum::Meter().Begin("figures").End());
} catch (const modicum::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
