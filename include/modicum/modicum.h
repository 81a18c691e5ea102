/* SPDX-License-Identifier: Apache-2.0
 *
 * Modicum's C API: joules, carbon, water and money of pieces of your program.
 *
 *   modicum_meter* meter;
 *   modicum_window window;
 *   modicum_result* result;
 *   modicum_figures figures;
 *   modicum_open(NULL, &meter);
 *   modicum_begin(meter, "train", MODICUM_EDGE_STAMPED, &window);
 *   train();
 *   modicum_end(meter, window, 0, &result);
 *   modicum_result_figures(result, &figures, sizeof figures);
 *   printf("%g J [%g, %g]\n", figures.energy_j.mid, figures.energy_j.low,
 *          figures.energy_j.high);
 *   modicum_result_free(result);
 *   modicum_close(meter);
 *
 * Thread safety: every function may be called by any thread at any time, but
 * for modicum_close() and modicum_result_free(), which are the last to use what
 * they are given. After fork() the child opens a meter of its own: its parent's
 * is refused there.
 *
 * Stability: within one MODICUM_API_VERSION functions are only added, and
 * structs that begin with `size` only grow at their end.
 *
 * Names end in the unit: _s seconds, _j joules, _g grams of CO2e, _l litres.
 */
#ifndef MODICUM_MODICUM_H_
#define MODICUM_MODICUM_H_

#include <stddef.h>
#include <stdint.h>

#define MODICUM_API_VERSION 0

#if defined(__GNUC__)
#define MODICUM_API __attribute__((visibility("default")))
#else
#define MODICUM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Errors -------------------------------------------------------------- */

/* What the caller does next decides the code, not what went wrong inside. */
typedef enum modicum_status {
  MODICUM_OK = 0,
  MODICUM_INVALID_INPUT = 1, /* an argument or setting: correct it */
  MODICUM_NOT_FOUND = 2,     /* what is named is not there */
  MODICUM_PERMISSION = 3,    /* it is there, access is denied */
  MODICUM_UNAVAILABLE = 4,   /* not on this machine, or not in this process */
  MODICUM_RETRY = 5,         /* failed now, may succeed later */
  MODICUM_ENDED = 6,         /* the source ended, as sources do */
  MODICUM_INTERRUPTED = 7,
  MODICUM_IO = 9,       /* a file failed */
  MODICUM_INTERNAL = 10 /* a bug, or no memory */
} modicum_status;

/* Of the last call of this thread that failed: what failed and where, and what
 * to do next ("" when nothing can be said). Valid until this thread's next
 * call; never NULL. */
MODICUM_API const char* modicum_error_message(void);
MODICUM_API const char* modicum_error_hint(void);

/* The library's own: "0.1.0". */
MODICUM_API const char* modicum_version(void);

/* ---- The meter ----------------------------------------------------------- */

typedef struct modicum_meter modicum_meter;

/* Whose energy a window holds. */
typedef enum modicum_subject {
  MODICUM_SUBJECT_TREE = 0,    /* this process and all its descendants */
  MODICUM_SUBJECT_PROCESS = 1, /* this process alone */
  MODICUM_SUBJECT_MACHINE = 2  /* everybody on this machine, and its idling */
} modicum_subject;

/* What is NULL or NAN is taken from where the program takes it too: MODICUM_*
 * variables, modicum.toml, the default. */
typedef struct modicum_options {
  size_t size;                /* of this struct */
  const char* region;         /* "PL", "Poland", "US-CA", "world" */
  const char* provider;       /* "aws", "gcp", "azure", "on-prem" */
  double intensity_g_per_kwh; /* of the electricity */
  double pue;                 /* facility energy over IT energy, >= 1 */
  double wue_l_per_kwh;       /* water used on site */
  double tariff_per_kwh;      /* in `currency` */
  const char* currency;       /* ISO 4217 */
  const char* probe;          /* energy source; "" or NULL: the best usable */
  const char* idle_policy;    /* "marginal", "proportional" or "full" */
  double sample_hz;           /* readings of the source per second */
  const char* project;        /* put on every recorded run */
  const char* ledger;         /* path of the ledger */
  int record;                 /* 1: every ended window is a run of the ledger */
  int subject;                /* modicum_subject */
  double market_intensity_g_per_kwh; /* of the contract, beside the grid's */
  const char* intensity_file; /* hours of the grid's: a CSV file, a service */
} modicum_options;

/* The defaults: nothing is set, nothing is recorded. */
MODICUM_API void modicum_options_init(modicum_options* options, size_t size);

/* `options` may be NULL. A meter has one thread, which takes the samples; open
 * one and keep it. */
MODICUM_API modicum_status modicum_open(const modicum_options* options,
                                        modicum_meter** meter);
/* Open windows are dropped. NULL is ignored. */
MODICUM_API void modicum_close(modicum_meter* meter);

/* ---- Windows ------------------------------------------------------------- */

/* Windows nest and overlap freely, within and across threads. */
typedef uint64_t modicum_window;

typedef enum modicum_edge {
  /* The clocks are read, in less than 5 us; the energy at that moment is
   * interpolated between the samples before and after. */
  MODICUM_EDGE_STAMPED = 0,
  /* Every sensor that may have changed since the last sample is read: as slow
   * as the slowest (a GPU: milliseconds). For windows of few samples. */
  MODICUM_EDGE_EXACT = 1
} modicum_edge;

typedef struct modicum_result modicum_result;

/* `name` may be NULL. */
MODICUM_API modicum_status modicum_begin(modicum_meter* meter, const char* name,
                                         modicum_edge edge,
                                         modicum_window* window);

/* The window's current phase ends, one called `name` begins; with NULL none
 * does. Each phase is a result of its own in that of the window. */
MODICUM_API modicum_status modicum_phase(modicum_meter* meter,
                                         modicum_window window,
                                         const char* name);

/* What the window holds so far, without its phases. It goes on, and nothing is
 * recorded. */
MODICUM_API modicum_status modicum_peek(modicum_meter* meter,
                                        modicum_window window,
                                        modicum_result** result);

/* `exit_code` is recorded: 0 when the work succeeded. `result` may be NULL.
 * When only recording failed, the status says so and the result is there all
 * the same. MODICUM_NOT_FOUND: the window was ended already. */
MODICUM_API modicum_status modicum_end(modicum_meter* meter,
                                       modicum_window window, int exit_code,
                                       modicum_result** result);

/* ---- Results ------------------------------------------------------------- */

/* NULL is ignored. */
MODICUM_API void modicum_result_free(modicum_result* result);

/* Where a number comes from, best first. */
typedef enum modicum_origin {
  MODICUM_ORIGIN_COUNTER = 0,  /* an energy counter */
  MODICUM_ORIGIN_SENSOR = 1,   /* power samples, integrated */
  MODICUM_ORIGIN_MODELLED = 2, /* a model with a stated error */
  MODICUM_ORIGIN_ASSUMED = 3   /* a constant */
} modicum_origin;

/* What a number covers, narrowest first. */
typedef enum modicum_scope {
  MODICUM_SCOPE_DEVICE = 0,
  MODICUM_SCOPE_PROCESS = 1,
  MODICUM_SCOPE_PACKAGE = 2,
  MODICUM_SCOPE_HOST = 3,
  MODICUM_SCOPE_WALL = 4
} modicum_scope;

/* A value with its 90 % interval. All three are NAN when it is not known. */
typedef struct modicum_estimate {
  double mid;
  double low;
  double high;
  int origin; /* modicum_origin */
  int scope;  /* modicum_scope */
} modicum_estimate;

typedef struct modicum_figures {
  size_t size;
  double started_unix_s;
  double wall_s;
  double cpu_s;                /* user + system, of the subject */
  modicum_estimate energy_j;   /* the subject's, of IT equipment */
  modicum_estimate measured_j; /* of the whole machine */
  modicum_estimate carbon_g;   /* operational: energy x PUE x intensity */
  modicum_estimate embodied_g; /* of the hardware; NAN: not known */
  modicum_estimate water_l;
  modicum_estimate money; /* electricity, in `currency`; NAN: no tariff */
  char currency[4];       /* "" when money is not known */
  int exit_code;
  double pue;
  int contended;    /* others used, or the hypervisor took, too much */
  int short_window; /* fewer than ten updates of a source fell into it */
  /* By the contract's intensity, instead of the grid's; NAN: none is set. */
  modicum_estimate market_carbon_g;
} modicum_figures;

/* Fills the `size` bytes of `figures`. */
MODICUM_API modicum_status modicum_result_figures(const modicum_result* result,
                                                  modicum_figures* figures,
                                                  size_t size);

typedef enum modicum_text {
  MODICUM_TEXT_NAME = 0,
  MODICUM_TEXT_RUN_ID = 1, /* 36 characters, also the ledger's */
  MODICUM_TEXT_PLACE = 2,
  MODICUM_TEXT_BILL = 3, /* lines for people, as `modicum run` prints them */
  MODICUM_TEXT_JSON = 4, /* everything, as `modicum run --json` writes it */
  MODICUM_TEXT_RECORD_ERROR = 5, /* "" unless recording failed */
  MODICUM_TEXT_CSV = 6 /* header and row of modicum_result_append_csv() */
} modicum_text;

/* Lives as long as the result. NULL only for a `text` that is none of these. */
MODICUM_API const char* modicum_result_text(const modicum_result* result,
                                            modicum_text text);

typedef enum modicum_list {
  MODICUM_LIST_WARNINGS = 0,
  MODICUM_LIST_MISSING = 1, /* what is not in the figures */
  MODICUM_LIST_PHASES = 2   /* their names */
} modicum_list;

MODICUM_API size_t modicum_result_count(const modicum_result* result,
                                        modicum_list list);
/* NULL from modicum_result_count() on. Lives as long as the result. */
MODICUM_API const char* modicum_result_item(const modicum_result* result,
                                            modicum_list list, size_t index);
/* Belongs to `result`: not to be freed. */
MODICUM_API const modicum_result* modicum_result_phase(
    const modicum_result* result, size_t index);

/* A part of the energy. Together the components are energy_j. */
typedef struct modicum_component {
  const char* component; /* "cpu", "dram", "gpu" */
  const char* probe;     /* "rapl", "cpu-load", "nvml gpu-0" */
  modicum_estimate energy_j;
} modicum_component;

MODICUM_API size_t modicum_result_components(const modicum_result* result);
/* MODICUM_NOT_FOUND from modicum_result_components() on. */
MODICUM_API modicum_status modicum_result_component(
    const modicum_result* result, size_t index, modicum_component* component);

/* Appends a row to the file in CodeCarbon's columns, as `modicum run --csv`
 * does. `labels` is NULL or ends in NULL: column, text, column, text, ... for
 * what only the caller knows (experiment_id, country_iso_code). */
MODICUM_API modicum_status modicum_result_append_csv(
    const modicum_result* result, const char* path, const char* const* labels);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* MODICUM_MODICUM_H_ */
