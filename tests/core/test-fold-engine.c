/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-fold-engine.c — the fold against the engine's own memory
 *
 * After each random run the state folded from the log and the map must dump as
 * the same text, to the byte; so it must when snapshots and views, begun on the
 * way by every thread, are still open then, and when a syncmap's threads go
 * through lanes. TOPHASH_FOLD_RUNS sets how many runs of each
 * engine there are; a run's parameters follow from its number alone.
 */
#include "record-run.h"

/* First: it has names that are macros in the engine. */
#include "core/state/fold.h"

#include "core/engine/syncmap-lane-inline.h"
#include "core/engine/syncmap.h"

#include <stdlib.h>
#include <string.h>

/* Operations through one lane, long enough for it to have its turns and short
 * enough that threads change places between two. */
static void
run_lane (MapEngine    *map,
          EngineThread *thread,
          Prng         *prng,
          guint         n_keys) {
  guint n_operations = 1 + (guint)prng_below (prng, 3 * LANE_OPS);
  int64_t found = 0;
  SyncLane lane;

  syncmap_lane_open (&lane, map, thread);
  for (guint i = 0; i < n_operations; i++) {
    int64_t key = (int64_t)prng_below (prng, n_keys);
    int64_t value = (int64_t)prng_below (prng, 1000) - 500;
    guint64 choice = prng_below (prng, 100);

    if (choice < 30)
      syncmap_lane_load (&lane, key, &found);
    else if (choice < 50)
      syncmap_lane_store (&lane, key, value);
    else if (choice < 60)
      syncmap_lane_load_or_store (&lane, key, value, &found);
    else if (choice < 70)
      syncmap_lane_delete (&lane, key);
    else if (choice < 78)
      syncmap_lane_load_and_delete (&lane, key, &found);
    else if (choice < 86)
      syncmap_lane_swap (&lane, key, value, &found);
    else if (choice < 93)
      syncmap_lane_compare_and_swap (&lane, key, found, value);
    else
      syncmap_lane_compare_and_delete (&lane, key, found);
  }
  syncmap_lane_close (&lane);
}

static Fold *
fold_log (TraceLog *log) {
  Fold *fold = fold_new ();
  guint64 length = tracelog_get_length (log);

  while (fold_n_events (fold) < length) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, fold_n_events (fold));

    for (guint i = 0; i < block->n_events; i++)
      fold_apply (fold, &block->events[i]);
  }
  return fold;
}

/* The first line that differs, for the message. */
static void
compare_texts (const char *engine_text,
               const char *fold_text,
               guint       number) {
  g_auto (GStrv) wanted = NULL;
  g_auto (GStrv) found = NULL;

  if (strcmp (engine_text, fold_text) == 0)
    return;
  wanted = g_strsplit (engine_text, "\n", -1);
  found = g_strsplit (fold_text, "\n", -1);
  for (guint i = 0; wanted[i] != NULL && found[i] != NULL; i++)
    if (strcmp (wanted[i], found[i]) != 0)
      g_error ("run %u, line %u: the engine has \"%s\", the fold \"%s\"", number,
               i + 1, wanted[i], found[i]);
  g_error ("run %u: the texts differ in length", number);
}

static guint64
count_live (const MapState *state) {
  const StateTable *dirty = map_state_table_for (state, TABLE_ROLE_DIRTY);
  const StateTable *read = map_state_table_for (state, TABLE_ROLE_READ);

  guint64 n = 0;

  if (map_state_n_shards (state) > 0) {
    for (guint i = 0; i < map_state_n_shards (state); i++)
      n += map_state_shard (state, i)->count;
    return n;
  }
  if (!map_state_has_read_and_dirty (state))
    return map_state_table_for (state, TABLE_ROLE_ONLY)->count;
  return map_state_count_entries (state, dirty != NULL && dirty->count > 0
                                             ? dirty : read, ENTRY_VALUE);
}

static void
check_run (const EngineClass *klass,
           guint              number,
           gboolean           holds,
           gboolean           by_lane) {
  static const guint sizes[] = { 4, 20, 100, 700, 5000 };
  RecordRun run = { .klass = klass,
                    .hash = number % 5 == 4 ? HASH_TOP_BITS : HASH_GOOD,
                    .seed = number + 1,
                    .n_workers = klass->is_thread_safe ? 1 + number % 4 : 1,
                    .n_operations = 400 + number % 7 * 300,
                    .n_keys = sizes[number / 2 % G_N_ELEMENTS (sizes)],
                    .span_period = number % 3,
                    .is_fine = number % 2 == 0,
                    .tells_brief = number / 3 % 2 == 1,
                    .run_some = by_lane ? run_lane : NULL,
                    .holds = holds };
  RecordedRun recorded = record_run (&run);
  g_autoptr (Fold) fold = fold_log (recorded.log);
  g_autoptr (MapState) state = fold_ref_state (fold);
  DumpSink engine_sink;
  DumpSink fold_sink;

  if (recorded.n_ungated > 0)
    g_error ("run %u: %" G_GUINT64_FORMAT " events never met their gate", number,
             recorded.n_ungated);
  if (fold_n_faults (fold) > 0)
    g_error ("run %u: %s", number, fold_first_fault (fold));
  dump_init (&engine_sink);
  dump_init (&fold_sink);
  klass->dump (recorded.map, &engine_sink);
  map_state_dump (state, &fold_sink);
  compare_texts (engine_sink.text, fold_sink.text, number);
  g_assert_cmpuint (map_state_n_live (state), ==, count_live (state));
  dump_clear (&engine_sink);
  dump_clear (&fold_sink);
  recorded_run_clear (&recorded);
}

static guint
n_runs (void) {
  const char *text = g_getenv ("TOPHASH_FOLD_RUNS");

  return text != NULL ? (guint)atoi (text) : 60;
}

static void
test_engine_equals_its_fold (gconstpointer data) {
  for (guint i = 0; i < n_runs (); i++)
    check_run (data, i, FALSE, FALSE);
}

static void
test_equals_with_views_open (gconstpointer data) {
  for (guint i = 0; i < n_runs (); i++)
    check_run (data, i, TRUE, FALSE);
}

static void
test_equals_through_lanes (gconstpointer data) {
  for (guint i = 0; i < n_runs (); i++)
    check_run (data, i, FALSE, TRUE);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; engine_classes ()[i] != NULL; i++) {
    const EngineClass *klass = engine_classes ()[i];
    g_autofree char *path =
        g_strdup_printf ("/core/fold-engine/%s-equals-its-fold", klass->name);

    g_test_add_data_func (path, klass, test_engine_equals_its_fold);
    if (klass == &syncmap_class)
      g_test_add_data_func ("/core/fold-engine/syncmap-equals-through-lanes",
                            klass, test_equals_through_lanes);
    if (klass->snapshot != NULL) {
      g_autofree char *held = g_strdup_printf (
        "/core/fold-engine/%s-equals-with-views-open", klass->name);

      g_test_add_data_func (held, klass, test_equals_with_views_open);
    }
  }
  return g_test_run ();
}
