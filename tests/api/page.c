/* SPDX-License-Identifier: Apache-2.0
 * What docs/api.md shows of C runs as it stands there. The header that its
 * program includes is there already.
 */
#include <modicum/modicum.h>
#include <stdio.h>

static void train(void) {}

static void program(void) {
#include "program.c.inc"
}

#define CALL(call)                                           \
  if ((call) != MODICUM_OK) {                                \
    fprintf(stderr, "error: %s\n", modicum_error_message()); \
    return 1;                                                \
  }                                                          \
  modicum_result_free(result);                               \
  result = NULL;

static int calls(void) {
  const int exit_code = 0;
  modicum_meter* meter;
  modicum_window window;
  modicum_result* result = NULL;
  CALL(modicum_open(NULL, &meter))
#include "calls.c.inc"
  modicum_close(meter);
  return 0;
}

int main(void) {
  modicum_figures figures = {0};
  program();
#include "figures.c.inc"
  return calls();
}
