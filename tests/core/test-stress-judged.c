/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-stress-judged.c — what many threads got, judged
 *
 * All threads write the same keys, so nobody knows what an operation must
 * answer; every one is recorded, and the judge looks for an order that explains
 * them all: Ranges and Clears, and the use of the map inside a Range's callback,
 * included. Beside that the fold of the log must equal the map's memory, and the
 * map's own check must find nothing.
 */

#include "core/base/alloc.h"
#include "core/check/judge.h"
#include "core/engine/snapshot.h"
#include "core/engine/viewmap.h"
#include "core/record/recorder.h"
#include "core/state/fold.h"

#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#define N_WORKERS 6

typedef struct {
  const char *name;
  guint       n_operations; /* of each worker */
  guint       n_keys;
  guint       reads;        /* weights */
  guint       writes;
  guint       deletes;
  guint       ranges;
  guint       clears;
  guint       snapshots;
} Mix;

static const Mix mixes[] = {
  { "balanced", 800, 48, 40, 40, 20, 1, 0, 1 },
  { "hot-key", 500, 2, 40, 40, 20, 1, 0, 0 },
  { "delete-heavy", 800, 32, 20, 40, 40, 1, 0, 0 },
  { "range-heavy", 400, 24, 30, 30, 20, 10, 0, 10 },
  { "clears", 600, 24, 30, 50, 10, 2, 3, 1 },
};

typedef struct {
  const EngineClass *klass;
  HashKind           hash;
  const Mix         *mix;
} Case;

typedef struct {
  const Mix         *mix;
  MapEngine         *map;
  pthread_barrier_t *start;
  Probe              probe;
  pthread_t          id;
  EngineThread       thread;
  Prng               prng;
  MapView           *view;  /* of a viewmap, open now and then */
  int64_t            last;  /* value seen last: worth comparing with */
  gint64             n_values;
  guint              depth; /* of Ranges it is inside */
  guint16            index;
} Worker;

#define CALL(worker, operation, ...)                                          \
  ((worker)->map->klass->operation ((worker)->map, &(worker)->thread          \
                                    __VA_OPT__ (, ) __VA_ARGS__))

static void
broken_cb (const char *text,
           void       *data) {
  g_error ("%s", text);
}

/* Operations --------------------------------------------------------------- */

static void
write_key (Worker *self,
           int64_t key) {
  int64_t value = ++self->n_values * N_WORKERS + self->index;

  switch (prng_below (&self->prng, 5)) {
  case 0 ... 1:
    CALL (self, store, key, value);
    break;
  case 2:
    CALL (self, load_or_store, key, value, &self->last);
    break;
  case 3:
    CALL (self, swap, key, value, &self->last);
    break;
  default:
    CALL (self, compare_and_swap, key, self->last, value);
    break;
  }
}

static void
delete_key (Worker *self,
            int64_t key) {
  switch (prng_below (&self->prng, 3)) {
  case 0:
    CALL (self, delete_key, key);
    break;
  case 1:
    CALL (self, load_and_delete, key, &self->last);
    break;
  default:
    CALL (self, compare_and_delete, key, self->last);
    break;
  }
}

static void act (Worker *self);

/* Inside the callback the map is used, by Ranges too, two deep; one in so many
 * Ranges is stopped. */
static bool
visit_cb (int64_t key,
          int64_t value,
          void   *data) {
  Worker *self = data;
  bool may_use = strcmp (self->map->klass->name, "mutexmap") != 0;

  self->last = value;
  if (may_use && self->depth < 2 && prng_below (&self->prng, 8) == 0)
    act (self);
  return prng_below (&self->prng, 64) != 0;
}

static void
walk_a_snapshot (Worker *self) {
  EngineSnapshot *snapshot = engine_snapshot_begin (self->map, &self->thread);

  g_assert_nonnull (snapshot);
  while (engine_snapshot_next (snapshot))
    if (prng_below (&self->prng, 8) == 0)
      write_key (self, (int64_t)prng_below (&self->prng, self->mix->n_keys));
  engine_snapshot_end (snapshot);
}

static void
turn_view (Worker *self) {
  if (strcmp (self->map->klass->name, "viewmap") != 0)
    return;
  if (self->view != NULL)
    viewmap_close_view (self->view, &self->thread);
  self->view = self->view != NULL
                   ? NULL : viewmap_open_view (self->map, &self->thread);
}

static void
act (Worker *self) {
  const Mix *mix = self->mix;
  guint sum = mix->reads + mix->writes + mix->deletes + mix->ranges + mix->clears
              + mix->snapshots;
  guint choice = (guint)prng_below (&self->prng, sum);
  int64_t key = (int64_t)prng_below (&self->prng, mix->n_keys);
  int64_t value;

  if (choice < mix->reads) {
    if (CALL (self, load, key, &value))
      self->last = value;
  } else if ((choice -= mix->reads) < mix->writes) {
    write_key (self, key);
  } else if ((choice -= mix->writes) < mix->deletes) {
    delete_key (self, key);
  } else if ((choice -= mix->deletes) < mix->ranges) {
    self->depth++;
    CALL (self, range, visit_cb, self);
    self->depth--;
  } else if ((choice -= mix->ranges) < mix->clears) {
    CALL (self, clear);
  } else if (prng_below (&self->prng, 2) == 0) {
    turn_view (self);
  } else {
    walk_a_snapshot (self);
  }
}

static void *
work (void *data) {
  Worker *self = data;

  probe_current = &self->probe;
  g_assert_true (engine_enter_thread (self->map, &self->thread, self->index));
  probe_event (EVENT_THREAD_STARTED, self->index, 0, 0, 0);
  pthread_barrier_wait (self->start);
  for (guint i = 0; i < self->mix->n_operations; i++) {
    act (self);
    /* More threads than cores: let another one in. */
    if (prng_below (&self->prng, 32) == 0)
      sched_yield ();
  }
  g_assert_cmpint (self->thread.error, ==, ENGINE_ERROR_NONE);
  if (self->view != NULL)
    turn_view (self);
  engine_leave_thread (&self->thread);
  probe_event (EVENT_THREAD_ENDED, 0, 0, 0, 0);
  probe_flush (&self->probe);
  probe_current = NULL;
  return NULL;
}

/* The run ------------------------------------------------------------------ */

static void
open_probe (Recorder *recorder,
            Probe    *probe,
            guint16   index) {
  g_assert_true (probe_init (probe, recorder_ring_units (N_WORKERS + 1)));
  probe_set_span_period (probe, 1);
  probe->tells_yields = true;
  recorder_add (recorder, probe, index);
}

static void
run_workers (const Case *test,
             MapEngine  *map,
             Worker     *workers) {
  pthread_barrier_t start;

  pthread_barrier_init (&start, NULL, N_WORKERS);
  for (guint16 i = 0; i < N_WORKERS; i++) {
    workers[i].mix = test->mix;
    workers[i].map = map;
    workers[i].start = &start;
    workers[i].index = i;
    prng_init (&workers[i].prng, prng_split (41, i));
  }
  for (guint i = 0; i < N_WORKERS; i++)
    g_assert_cmpint (
      pthread_create (&workers[i].id, NULL, work, &workers[i]), ==, 0);
  for (guint i = 0; i < N_WORKERS; i++)
    pthread_join (workers[i].id, NULL);
  pthread_barrier_destroy (&start);
}

static MapEngine *
record (const Case *test,
        TraceLog   *log) {
  g_autoptr (Recorder) recorder = recorder_new (log);
  g_autofree Worker *workers = g_new0 (Worker, N_WORKERS);
  EngineConfig config = { .hash.kind = test->hash, .seed = 19, .shards = 3 };
  MapEngine *map;
  Probe main_probe;

  open_probe (recorder, &main_probe, EVENT_THREAD_MAIN);
  for (guint16 i = 0; i < N_WORKERS; i++)
    open_probe (recorder, &workers[i].probe, i);
  recorder_start (recorder);
  probe_current = &main_probe;
  map = engine_new (test->klass, &config);
  g_assert_nonnull (map);
  probe_flush (&main_probe);
  probe_current = NULL;
  run_workers (test, map, workers);
  g_assert_cmpuint (recorder_finish (recorder), ==, 0);
  for (guint i = 0; i < N_WORKERS; i++)
    probe_clear (&workers[i].probe);
  probe_clear (&main_probe);
  return map;
}

static void
expect_folded (TraceLog  *log,
               MapEngine *map) {
  g_autoptr (Fold) fold = fold_new ();
  DumpSink engine_sink, fold_sink;

  while (fold_n_events (fold) < tracelog_get_length (log)) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, fold_n_events (fold));

    for (guint i = 0; i < block->n_events; i++)
      fold_apply (fold, &block->events[i]);
  }
  if (fold_n_faults (fold) > 0)
    g_error ("%s", fold_first_fault (fold));
  dump_init (&engine_sink);
  dump_init (&fold_sink);
  map->klass->dump (map, &engine_sink);
  map_state_dump (fold_peek_state (fold), &fold_sink);
  g_assert_cmpstr (engine_sink.text, ==, fold_sink.text);
  dump_clear (&engine_sink);
  dump_clear (&fold_sink);
}

static void
expect_judged_good (TraceLog *log) {
  g_autoptr (GError) error = NULL;
  g_autoptr (JudgeReport) report = judge_log (log, NULL, NULL, &error);

  g_assert_no_error (error);
  if (report->violations->len > 0) {
    JudgeCase *first = report->violations->pdata[0];
    g_autofree char *text = judge_case_text (first);

    g_error ("key %" G_GINT64_FORMAT ": %s", first->key, text);
  }
  g_test_message ("%" G_GUINT64_FORMAT " operations on %" G_GUINT64_FORMAT
                  " keys, %" G_GUINT64_FORMAT " Ranges, %" G_GUINT64_FORMAT
                  " Clears; %" G_GUINT64_FORMAT " keys unknown",
                  report->n_operations, report->n_keys, report->n_ranges,
                  report->n_clears, report->n_unknown);
  g_assert_cmpuint (report->n_operations, >, 0);
  g_assert_cmpuint (report->n_untold, ==, 0);
  g_assert_cmpint (report->verdict, ==, LINEAR_OK);
}

static void
test_is_judged_good (gconstpointer data) {
  const Case *test = data;
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = NULL;
  size_t held = alloc_bytes_held ();
  MapEngine *map;

  info->n_threads = N_WORKERS;
  log = tracelog_new (info, 0);
  map = record (test, log);
  map->klass->check (map, broken_cb, NULL);
  expect_folded (log, map);
  expect_judged_good (log);
  engine_free (map);
  g_assert_cmpuint (alloc_bytes_held (), ==, held);
}

int
main (int    argc,
      char **argv) {
  static const HashKind hashes[] = { HASH_GOOD, HASH_ALL_EQUAL, HASH_TOP_BITS };

  g_test_init (&argc, &argv, NULL);
  for (const EngineClass *const *klass = engine_classes (); *klass != NULL;
       klass++)
    for (gsize m = 0; m < G_N_ELEMENTS (mixes) && (*klass)->is_thread_safe; m++)
      for (gsize h = 0; h < G_N_ELEMENTS (hashes); h++) {
        Case test = { *klass, hashes[h], &mixes[m] };
        g_autofree char *path
            = g_strdup_printf ("/core/stress-judged/%s/%s/%s", (*klass)->name,
                               mixes[m].name, hash_kind_name (hashes[h]));

        g_test_add_data_func_full (path, g_memdup2 (&test, sizeof test),
                                   test_is_judged_good, g_free);
      }
  return g_test_run ();
}
