/* SPDX-License-Identifier: Apache-2.0
 * What one piece of a C program costs.
 *   cc measure.c -lmodicum && ./a.out
 */
#include <modicum/modicum.h>
#include <stdio.h>

static double work(void) {
  double sum = 0;
  for (int i = 1; i < 5000000; ++i) sum += 1.0 / i;
  return sum;
}

static int failed(void) {
  fprintf(stderr, "error: %s\n  hint: %s\n", modicum_error_message(),
          modicum_error_hint());
  return 1;
}

int main(void) {
  modicum_meter* meter;
  modicum_window window;
  modicum_result* result;
  modicum_figures figures;

  /* Place and price as modicum.toml and MODICUM_* say; NULL: no options. */
  if (modicum_open(NULL, &meter) != MODICUM_OK) return failed();
  if (modicum_begin(meter, "work", MODICUM_EDGE_STAMPED, &window) != MODICUM_OK)
    return failed();
  const double sum = work();
  if (modicum_end(meter, window, 0, &result) != MODICUM_OK) return failed();

  modicum_result_figures(result, &figures, sizeof figures);
  printf("sum %.3f\n", sum);
  printf("energy %g J [%g, %g]\n", figures.energy_j.mid, figures.energy_j.low,
         figures.energy_j.high);
  printf("carbon %g gCO2e [%g, %g]\n", figures.carbon_g.mid,
         figures.carbon_g.low, figures.carbon_g.high);
  for (size_t i = 0; i < modicum_result_count(result, MODICUM_LIST_MISSING);
       ++i)
    printf("missing %s\n",
           modicum_result_item(result, MODICUM_LIST_MISSING, i));

  modicum_result_free(result);
  modicum_close(meter);
  return 0;
}
