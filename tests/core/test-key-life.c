/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-key-life.c — the life of a key against every event of its log, judged one
 * by one with no filter and nothing passed over */
#include "record-run.h"

#include "core/engine/syncmap.h"
#include "core/state/fold.h"
#include "core/state/timeline-private.h"

#ifdef __SANITIZE_THREAD__ /* twenty times as slow */
#define N_OPERATIONS 6000
#else
#define N_OPERATIONS 15000
#endif
/* Loads that make more events than two blocks of a log hold. */
#define N_LOADS_APART 6000

static gboolean
has_key (const MapState   *state,
         const StateTable *table,
         gint64            key) {
  StateSlot slot;

  return table != NULL && map_state_find_key (state, table, key, &slot);
}

static const StateTable *
table_of (const MapState *state,
          guint16         id) {
  for (guint i = map_state_n_tables (state); i > 0; i--)
    if (map_state_table (state, i - 1)->id == id)
      return map_state_table (state, i - 1);
  return NULL;
}

static gboolean
bucket_has_key (const StateArray *array,
                guint32           index,
                guint             mask,
                gint64            key) {
  const StateBucket *bucket = state_array_bucket (array, index);

  for (guint i = 0; i < BUCKET_SLOTS; i++)
    if ((mask >> i & 1) && bucket->tophash[i] >= TOPHASH_MIN
        && bucket->keys[i] == key)
      return TRUE;
  return FALSE;
}

/* Judged by the state before, with no filter and nothing passed over. */
static gboolean
is_of_life (const MapState *before,
            const Event    *event,
            gint64          key) {
  const StateTable *table = table_of (before, event->aux16);
  StateEntry entry;

  if (event->kind == EVENT_OP_BEGAN)
    return event->aux8 < OP_RANGE && (gint64)event->a == key;
  if (event->kind == EVENT_OP_TOLD)
    return event->aux8 < OP_RANGE && event_told_key (event) == key;
  if (event->kind == EVENT_OP_ENDED && event->aux8 < OP_RANGE)
    for (guint i = 0; i < map_state_n_threads (before); i++) {
      const StateThread *thread = map_state_thread (before, i);

      if (thread->thread == event->thread)
        return thread->in_op && thread->op < OP_RANGE && thread->key == key;
    }
  if (event->kind == EVENT_SLOT_WRITTEN || event->kind == EVENT_SLOT_UPDATED)
    return (gint64)event->a == key;
  if (event->kind == EVENT_SLOT_CLEARED)
    return bucket_has_key (table->buckets, event->res / 8, 1u << event->res % 8,
                           key);
  if (event->kind == EVENT_BUCKET_EVACUATED)
    return bucket_has_key (table->oldbuckets, event->res, 0xff, key);
  if (event->kind == EVENT_BUCKET_COPIED)
    return bucket_has_key (table_of (before, (guint16)event->b)->buckets,
                           event->res, event->aux8, key);
  if (event->kind == EVENT_DIRTY_PROMOTED || event->kind == EVENT_READ_PUBLISHED)
    return has_key (before, map_state_table_for (before, TABLE_ROLE_READ), key)
           || has_key (before, map_state_table_for (before, TABLE_ROLE_DIRTY),
                       key);
  if (event->kind == EVENT_TABLE_CLEARED)
    return has_key (before, table, key);
  if (event_kind_gate ((EventKind)event->kind) != GATE_ENTRY)
    return FALSE;
  entry = map_state_entry (before, event->res);
  return entry.is_known && entry.key == key;
}

static GArray *
plain_life (TraceLog *log,
            gint64    key) {
  GArray *life = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (Fold) fold = fold_new ();
  guint64 length = tracelog_get_length (log);

  for (guint64 i = 0; i < length; i++) {
    Event event;

    tracelog_get_event (log, i, &event);
    if (is_of_life (fold_peek_state (fold), &event, key))
      g_array_append_val (life, i);
    fold_apply (fold, &event);
  }
  return life;
}

static void
check_life (TraceLog *log,
            Timeline *timeline,
            gint64    key,
            guint     page) {
  g_autoptr (GArray) wanted = plain_life (log, key);
  guint64 position = tracelog_get_length (log);
  guint n = wanted->len;

  do {
    g_autoptr (GArray) part = g_array_new (FALSE, FALSE, sizeof (guint64));
    guint64 next = timeline_get_key_page (timeline, key, position, page,
                                          NULL, part);

    g_assert_cmpuint (part->len, ==, MIN (n, page));
    for (guint i = part->len; i > 0; i--)
      g_assert_cmpuint (g_array_index (part, guint64, i - 1), ==,
                        g_array_index (wanted, guint64, --n));
    g_assert_cmpuint (next, <, position);
    position = next;
  } while (position > 0);
  g_assert_cmpuint (n, ==, 0);
}

/* Recorded runs ------------------------------------------------------------ */

static void
check_lives (const RecordRun *run,
             gint64           key,
             gint64           other,
             guint            page) {
  RecordedRun recorded = record_run (run);
  Timeline *timeline = timeline_new (recorded.log);

  timeline_wait (timeline);
  check_life (recorded.log, timeline, key, page);
  check_life (recorded.log, timeline, other, 10 * page);
  timeline_unref (timeline);
  recorded_run_clear (&recorded);
}

static RecordRun
run_of (const char *klass,
        guint       n_keys,
        guint       n_operations) {
  return (RecordRun){ .klass = engine_class_find (klass),
                      .hash = HASH_GOOD,
                      .seed = 21,
                      .n_workers = 3,
                      .n_operations = n_operations,
                      .n_keys = n_keys,
                      .span_period = 1 };
}

static void
test_lives_in_syncmap (void) {
  RecordRun run = run_of ("syncmap", 300, N_OPERATIONS);

  check_lives (&run, 7, 299, 100);
  check_lives (&run, 4711, 0, 10); /* there is no such key */
}

static void
test_lives_in_shards (void) {
  RecordRun run = run_of ("shardmap", 5000, N_OPERATIONS);

  check_lives (&run, 17, 4999, 50);
}

static void
test_lives_of_operations_counted (void) {
  RecordRun run = run_of ("syncmap", 3000, 2 * N_OPERATIONS);

  run.span_period = 50;
  check_lives (&run, 3, 2999, 7);
}

/* The filters of the first block or two stay in memory. */
static void
test_lives_with_filters_in_file (void) {
  RecordRun run = run_of ("syncmap", 300, N_OPERATIONS);

  sums_set_key_memory (4096);
  check_lives (&run, 7, 4711, 100);
  run = run_of ("shardmap", 5000, N_OPERATIONS);
  check_lives (&run, 17, 4999, 50);
  sums_set_key_memory (KEY_MEMORY_BYTES);
}

/* Events without the key's name -------------------------------------------- */

typedef struct {
  Recorder    *recorder;
  TraceLog    *log;
  Probe        probe;
  MapEngine   *map;
  EngineThread thread;
} Script;

static void
script_begin (Script     *self,
              const char *klass) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  EngineConfig config = { .hash = { .kind = HASH_GOOD }, .seed = 3 };

  info->n_threads = 1;
  self->log = tracelog_new (info, 0);
  self->recorder = recorder_new (self->log);
  g_assert_true (probe_init (&self->probe, recorder_ring_units (1)));
  self->probe.span_period = self->probe.span_countdown = 1;
  recorder_add (self->recorder, &self->probe, 0);
  recorder_start (self->recorder);
  probe_current = &self->probe;
  self->map = engine_new (engine_class_find (klass), &config);
  g_assert_true (engine_enter_thread (self->map, &self->thread, 0));
}

/* The lives of both keys; then all is freed. */
static void
script_check (Script *self,
              gint64  key,
              gint64  other) {
  Timeline *timeline;

  engine_leave_thread (&self->thread);
  probe_flush (&self->probe);
  probe_current = NULL;
  g_assert_cmpuint (recorder_finish (self->recorder), ==, 0);
  timeline = timeline_new (self->log);
  timeline_wait (timeline);
  check_life (self->log, timeline, key, 1);
  check_life (self->log, timeline, key, 1000);
  check_life (self->log, timeline, other, 1000);
  timeline_unref (timeline);
  recorder_free (self->recorder);
  probe_clear (&self->probe);
  engine_free (self->map);
  tracelog_unref (self->log);
}

static void
store (Script *self,
       gint64  key) {
  self->map->klass->store (self->map, &self->thread, key, 1);
}

static void
load (Script *self,
      gint64  key,
      guint   times) {
  int64_t found;

  for (guint i = 0; i < times; i++)
    self->map->klass->load (self->map, &self->thread, key, &found);
}

static void
clear (Script *self) {
  self->map->klass->clear (self->map, &self->thread);
}

/* Key 1 is in read, so that it can be loaded without a miss. */
static void
begin_with_one (Script *self) {
  store (self, 1);
  load (self, 1, 1);
}

static void
test_clear_of_dirty_belongs (void) {
  Script script;

  script_begin (&script, "syncmap");
  begin_with_one (&script);
  store (&script, 7);
  load (&script, 1, N_LOADS_APART);
  clear (&script);
  load (&script, 1, N_LOADS_APART);
  script_check (&script, 7, 1);
}

static void
test_clear_of_both_belongs (void) {
  Script script;

  script_begin (&script, "syncmap");
  begin_with_one (&script);
  store (&script, 7);
  load (&script, 7, 2);
  store (&script, 8);
  load (&script, 1, N_LOADS_APART);
  clear (&script);
  clear (&script);
  script_check (&script, 7, 8);
}

static void
test_clear_of_read_belongs (void) {
  Script script;

  script_begin (&script, "syncmap");
  begin_with_one (&script);
  store (&script, 7);
  load (&script, 7, 2);
  load (&script, 1, N_LOADS_APART);
  clear (&script);
  script_check (&script, 7, 1);
}

static void
test_promotion_then_clear_belong (void) {
  Script script;

  script_begin (&script, "syncmap");
  begin_with_one (&script);
  store (&script, 7);
  load (&script, 1, N_LOADS_APART);
  load (&script, 99, 2);
  load (&script, 1, N_LOADS_APART);
  store (&script, 8);
  load (&script, 1, N_LOADS_APART);
  clear (&script);
  script_check (&script, 7, 8);
}

static void
test_clear_of_a_shard_belongs (void) {
  Script script;

  script_begin (&script, "shardmap");
  for (gint64 key = 0; key < 200; key++)
    store (&script, key);
  load (&script, 1, N_LOADS_APART);
  clear (&script);
  clear (&script);
  script_check (&script, 7, 199);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/key-life/in-syncmap", test_lives_in_syncmap);
  g_test_add_func ("/core/key-life/in-shards", test_lives_in_shards);
  g_test_add_func ("/core/key-life/with-filters-in-file",
                   test_lives_with_filters_in_file);
  g_test_add_func ("/core/key-life/of-operations-counted",
                   test_lives_of_operations_counted);
  g_test_add_func ("/core/key-life/clear-of-dirty", test_clear_of_dirty_belongs);
  g_test_add_func ("/core/key-life/clear-of-both", test_clear_of_both_belongs);
  g_test_add_func ("/core/key-life/clear-of-read", test_clear_of_read_belongs);
  g_test_add_func ("/core/key-life/promotion-then-clear",
                   test_promotion_then_clear_belong);
  g_test_add_func ("/core/key-life/clear-of-a-shard",
                   test_clear_of_a_shard_belongs);
  return g_test_run ();
}
