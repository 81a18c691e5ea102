/* SPDX-License-Identifier: Apache-2.0
 * A C program that says where it runs and at what price, and keeps its windows
 * in a ledger and in a CSV file.
 *   cc options.c -lmodicum && ./a.out
 */
#include <modicum/modicum.h>
#include <stdio.h>

int main(void) {
  modicum_options options;
  modicum_meter* meter;
  modicum_window window;
  modicum_result* result;
  const char* labels[] = {"experiment_id", "demo-1", NULL};

  modicum_options_init(&options, sizeof options);
  options.region = "France";
  options.pue = 1.2;
  options.tariff_per_kwh = 0.25;
  options.currency = "EUR";
  options.project = "demo";
  options.ledger = "options.ledger";
  options.record = 1;
  if (modicum_open(&options, &meter) != MODICUM_OK) {
    fprintf(stderr, "error: %s\n  hint: %s\n", modicum_error_message(),
            modicum_error_hint());
    return 1;
  }
  modicum_begin(meter, "nothing much", MODICUM_EDGE_EXACT, &window);
  if (modicum_end(meter, window, 0, &result) != MODICUM_OK)
    fprintf(stderr, "not recorded: %s\n", modicum_error_message());
  if (modicum_result_append_csv(result, "options.csv", labels) != MODICUM_OK)
    fprintf(stderr, "no row: %s\n", modicum_error_message());
  fputs(modicum_result_text(result, MODICUM_TEXT_BILL), stdout);

  modicum_result_free(result);
  modicum_close(meter);
  return 0;
}
