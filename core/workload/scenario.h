/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scenario.h — what to run, read from JSON
 *
 * The document's form is data/scenarios/scenario.schema.json; what the schema
 * says, the loader enforces, and each error names file, place in the document,
 * what was wanted and what was found: "churn.json: phases[2].threads[0].count:
 * wanted 1 to 64, found 0".
 */
#pragma once

#include "core/engine/engine.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define SCENARIO_ERROR (scenario_error_quark ())
GQuark scenario_error_quark (void);

typedef enum {
  SCENARIO_ERROR_PARSE,   /* no JSON */
  SCENARIO_ERROR_INVALID, /* JSON, but not a scenario */
} ScenarioError;

#define SCENARIO_MAX_THREADS 64
#define SCENARIO_MAX_PHASES 64
#define SCENARIO_MAX_SCRIPT 256
/* Above it, keys would take more memory than a lesson is worth. Free choice. */
#define SCENARIO_MAX_RECORDS 16777216
/* Whole numbers that every JSON reader keeps exact. */
#define SCENARIO_MAX_WHOLE 9007199254740991

typedef enum {
  KEYS_UNIFORM,
  KEYS_SEQUENTIAL, /* never repeats: all threads count on from recordcount */
  KEYS_ZIPFIAN,
  KEYS_HOTSPOT,
} KeyDistribution;

/* How operations at full speed are told; below it each is told whole anyhow. */
typedef enum {
  TELLING_COUNTS, /* a sample whole, the others counted */
  TELLING_BRIEF,  /* each in one event: its kind, key, path and end */
  TELLING_WHOLE,  /* each with its ends and its result, and what a Range gave:
                   * the run can be judged */
  TELLING_N_KINDS
} OperationTelling;

/* Key choice over [0, recordcount); inserts of new keys go beyond it. */
typedef struct {
  KeyDistribution distribution;
  double          zipfianconstant; /* zipfian; 0 < c, YCSB's default 0.99 */
  double          hotspotdatafraction; /* hotspot; share of keys that are hot */
  double          hotspotopnfraction;  /* hotspot; share of operations on them */
} KeyChoice;

/* Proportions need not add up to 1; they are weighed against each other.
 * `insert` is a store of a key never used before; `snapshot` opens a snapshot (a
 * view, where the engine has views), walks it and closes it, or is a Range where
 * the engine has none. */
typedef struct {
  double load;
  double store;
  double insert;
  double load_or_store;
  double load_and_delete;
  double delete_key;
  double swap;
  double compare_and_swap;
  double compare_and_delete;
  double range;
  double clear;
  double snapshot;
} OperationMix;
#define OPERATION_MIX_N 12

/* One group of worker threads. */
typedef struct {
  char        *role;   /* "reader" */
  guint        count;  /* threads of this role */
  OperationMix mix;
  KeyChoice    keys;
  double       target; /* operations per second and thread; 0 = full speed */
  double       rangepause; /* ms that a Range or a snapshot waits at each key;
                            * negative: a tenth of the pace, 2 s in all */
} ThreadGroup;

/* An operation done by name and in order, before the mix takes over. */
typedef struct {
  OpKind op;
  gint64 key;
  gint64 value;
  guint  repeat; /* 1 or more; each time key goes on by step, value by 1 */
  gint64 step;
} ScriptedOp;

typedef struct {
  char       *name;
  GPtrArray  *threads;        /* of ThreadGroup; by place the same workers in
                               * every phase: roles, counts equal throughout */
  double      duration;       /* seconds; 0 = until operationcount */
  guint64     operationcount; /* per thread; 0 = until duration */
  GArray     *script;         /* of ScriptedOp, done by worker 0 alone before
                               * the threads start their mix; may be empty */
} ScenarioPhase;

typedef struct {
  char      *name;        /* "first-promotion": file name without .json */
  char      *title;
  char      *summary;     /* one sentence */
  char      *watch_for;
  char      *learn;
  char      *simplified;  /* what is simplified; may be NULL */
  char      *engine;      /* "syncmap" */
  HashKind   hash;
  guint64    hint;
  guint      shards;      /* of a map of shards; 0 = the engine's default */
  guint64    seed;        /* 0 = a new one each run */
  guint64    recordcount; /* keys preloaded and drawn from */
  gboolean   preload;     /* whether recordcount keys are stored first */
  gboolean   preload_promoted; /* … and promoted by a Range, read clean */
  char      *key_text;    /* "k%d": how key 17 is written */
  OperationTelling telling;
  gboolean   drops;       /* where the recorder falls behind events are dropped,
                           * else workers wait */
  gboolean   stops_on_misuse; /* as Go's programs do; else misuse is counted */
  GPtrArray *phases;      /* of ScenarioPhase, at least one */
} Scenario;

Scenario *scenario_new_from_json (const char   *json,
                                  gssize        length,
                                  const char   *name,
                                  GError      **error);
Scenario *scenario_new_from_file (GFile        *file,
                                  GError      **error);
Scenario *scenario_copy          (const Scenario *self);
void      scenario_free          (Scenario     *self);
/* (transfer full): a group of one thread that does nothing, and a phase with
 * no group, to build scenarios from. */
ThreadGroup   *thread_group_new   (const char   *role);
ScenarioPhase *scenario_phase_new (const char   *name);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Scenario, scenario_free)

/* Canonical JSON of the scenario: what the loader reads back as equal. */
char     *scenario_to_json       (const Scenario *self);

/* Shipped scenarios: names in the order of the window's list, NULL-terminated
 * and static; NULL for a name that is not shipped. */
const char *const *scenario_builtin_names (void);
Scenario *scenario_new_builtin   (const char   *name,
                                  GError      **error);

guint     scenario_get_n_threads (const Scenario *self);
/* Place of the thread group that worker @worker belongs to. */
guint     scenario_get_group     (const Scenario *self,
                                  guint           worker);

/* (transfer full): how @key is written on screen and in reports. */
char     *scenario_key_text      (const char   *key_text,
                                  gint64        key);

/* As in JSON: "uniform", "counts"; NULL for a number that is none. */
const char *key_distribution_name (KeyDistribution distribution);
const char *operation_telling_name (OperationTelling telling);
/* @text of a scenario or a role (title, summary …) in the language of the one who
 * reads it; @text itself, also NULL, where no translation is known. */
const char *scenario_translate       (const char *text);
/* One %d or %04d, and no other percent sign. */
gboolean    scenario_key_text_is_valid (const char *key_text);

/* Access by place, in the order of the struct; names as in JSON ("load",
 * "load-or-store" …). */
double     *operation_mix_share  (OperationMix *mix,
                                  guint         index);
const char *operation_mix_name   (guint         index);

G_END_DECLS
