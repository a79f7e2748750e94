/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-session.c — the session without a window: ticks driven by hand */
#include "core/model/tophash-session.h"

#include "core/engine/engine.h"
#include "core/model/task-owner.h"

#include <string.h>

#define FRAME_US 16667

typedef struct {
  TophashSession *session;
  guint           what;  /* bits since the last look */
  guint           n_emitted;
  gint64          now_us;
} Bench;

static void
changed_cb (TophashSession *session,
            guint           what,
            gpointer        data) {
  Bench *bench = data;

  bench->what |= what;
  bench->n_emitted++;
}

static const char scenario_text[] =
    "{ \"title\": \"Test\", \"summary\": \"A mix.\", \"watch-for\": \"-\","
    "  \"learn\": \"-\", \"engine\": \"syncmap\", \"seed\": 3,"
    "  \"recordcount\": 200, \"phases\": [ { \"name\": \"mix\","
    "  \"operationcount\": 4000, \"threads\": [ { \"role\": \"worker\","
    "  \"count\": 2, \"mix\": { \"load\": 5, \"store\": 2, \"insert\": 1,"
    "  \"delete\": 1 } } ] } ] }";

static Bench
bench_new (void) {
  Bench bench = { .session = tophash_session_new (), .now_us = 1000000 };
  g_autoptr (GError) error = NULL;
  g_autoptr (Scenario) scenario =
      scenario_new_from_json (scenario_text, -1, "test", &error);

  g_assert_no_error (error);
  tophash_session_set_scenario (bench.session, scenario);
  return bench;
}

static void
bench_connect (Bench *bench) {
  g_signal_connect (bench->session, "changed", G_CALLBACK (changed_cb), bench);
}

static void
tick (Bench *bench) {
  bench->now_us += FRAME_US;
  g_main_context_iteration (NULL, FALSE);
  tophash_session_tick (bench->session, bench->now_us);
}

/* Runs the scenario to its end, following. */
static void
run_to_end (Bench *bench) {
  g_autoptr (GError) error = NULL;

  g_assert_true (tophash_session_run (bench->session, &error));
  g_assert_no_error (error);
  while (tophash_session_is_running (bench->session)
         || tophash_session_needs_ticks (bench->session))
    tick (bench);
}

static void
wait_for_state (TophashSession *session) {
  while (map_state_n_events (tophash_session_get_state (session))
         != tophash_session_get_position (session))
    g_main_context_iteration (NULL, TRUE);
}

static void
test_a_run_is_followed_to_its_end (void) {
  Bench bench = bench_new ();
  TophashSession *session = bench.session;

  bench_connect (&bench);
  g_assert_null (tophash_session_get_state (session));
  g_assert_false (tophash_session_needs_ticks (session));
  run_to_end (&bench);
  g_assert_true (bench.what & SESSION_CHANGE_RUN);
  g_assert_true (bench.what & SESSION_CHANGE_LOG);
  g_assert_true (bench.what & SESSION_CHANGE_CURSOR);
  g_assert_false (tophash_session_is_playing (session));
  g_assert_false (tophash_session_is_following (session));
  g_assert_null (tophash_session_get_runner (session));
  g_assert_true (tophash_session_is_unsaved (session));
  g_assert_cmpuint (tophash_session_get_position (session), ==,
                    tracelog_get_length (tophash_session_get_log (session)));
  g_assert_cmpuint (map_state_n_events (tophash_session_get_state (session)), ==,
                    tophash_session_get_position (session));
  g_assert_cmpuint (timeline_get_n_faults (
                        tophash_session_get_timeline (session), NULL), ==, 0);
  tophash_session_mark_saved (session);
  g_assert_false (tophash_session_is_unsaved (session));
  g_object_unref (session);
}

static void
test_steps_and_seeks (void) {
  Bench bench = bench_new ();
  TophashSession *session = bench.session;
  guint64 length;

  run_to_end (&bench);
  length = tophash_session_get_position (session);
  tophash_session_step (session, -1);
  g_assert_cmpuint (tophash_session_get_position (session), ==, length - 1);
  tophash_session_step (session, 5);
  g_assert_cmpuint (tophash_session_get_position (session), ==, length);
  tophash_session_seek (session, 10);
  wait_for_state (session);
  g_assert_cmpuint (map_state_n_events (tophash_session_get_state (session)), ==,
                    10);
  tophash_session_step (session, -100);
  g_assert_cmpuint (tophash_session_get_position (session), ==, 0);
  g_assert_false (tophash_session_step_kind (session, FALSE,
                                             event_kinds_structural ()));
  g_assert_true (tophash_session_step_kind (
      session, TRUE, EVENT_KIND_BIT (EVENT_DIRTY_PROMOTED)));
  wait_for_state (session);
  g_assert_cmpuint (
      map_state_counters (tophash_session_get_state (session))->n_promotions, ==,
      1);
  tophash_session_seek_time (session, G_MAXINT64 / 2);
  g_assert_cmpuint (tophash_session_get_position (session), ==, length);
  g_object_unref (session);
}

static void
test_plays_at_a_speed (void) {
  Bench bench = bench_new ();
  TophashSession *session = bench.session;

  run_to_end (&bench);
  tophash_session_seek (session, 100);
  wait_for_state (session);
  tophash_session_set_speed (session, 90);
  tophash_session_play (session);
  g_assert_true (tophash_session_is_playing (session));
  bench_connect (&bench);
  bench.n_emitted = 0;
  for (guint i = 0; i < 121; i++)
    tick (&bench);
  /* 120 frames of 1/60 s: two seconds. */
  g_assert_cmpuint (tophash_session_get_position (session), >=, 100 + 179);
  g_assert_cmpuint (tophash_session_get_position (session), <=, 100 + 181);
  g_assert_cmpuint (bench.n_emitted, <=, 121);
  tophash_session_pause (session);
  g_assert_false (tophash_session_needs_ticks (session));
  bench.n_emitted = 0;
  tick (&bench);
  g_assert_cmpuint (bench.n_emitted, ==, 0);

  /* Fast: to the end, and then it rests. */
  tophash_session_set_speed (session, 1e9);
  tophash_session_play (session);
  while (tophash_session_needs_ticks (session))
    tick (&bench);
  g_assert_false (tophash_session_is_playing (session));
  /* Again from the start, as recorded. */
  tophash_session_set_speed (session, 0);
  tophash_session_play (session);
  g_assert_cmpuint (tophash_session_get_position (session), ==, 0);
  while (tophash_session_needs_ticks (session))
    tick (&bench);
  g_assert_cmpuint (tophash_session_get_position (session), ==,
                    tracelog_get_length (tophash_session_get_log (session)));
  g_object_unref (session);
}

static void
test_the_selection_follows_its_key (void) {
  Bench bench = bench_new ();
  TophashSession *session = bench.session;
  TophashSelection selection = { .kind = SELECTION_SLOT, .has_key = TRUE };
  const MapState *state;
  const StateTable *table;
  StateSlot slot;
  guint64 position;

  run_to_end (&bench);
  position = tophash_session_get_position (session);
  state = tophash_session_get_state (session);
  table = map_state_table_for (state, TABLE_ROLE_READ);
  while (!map_state_find_key (state, table, selection.key, &slot))
    selection.key++;
  selection.table = table->id;
  selection.table_created_ver = table->created_ver;
  selection.bucket = slot.bucket;
  selection.slot = slot.slot;
  tophash_session_select (session, &selection);
  tophash_session_seek (session, position / 2);
  wait_for_state (session);
  tophash_session_seek (session, position);
  wait_for_state (session);
  state = tophash_session_get_state (session);
  selection = *tophash_session_get_selection (session);
  table = map_state_find_table (state, selection.table,
                                selection.table_created_ver);
  g_assert_nonnull (table);
  g_assert_cmpint (state_array_bucket (selection.in_old ? table->oldbuckets
                                                        : table->buckets,
                                       selection.bucket)
                       ->keys[selection.slot], ==, selection.key);
  tophash_session_select (session, NULL);
  g_assert_cmpint (tophash_session_get_selection (session)->kind, ==,
                   SELECTION_NONE);
  g_object_unref (session);
}

/* A promotion leaves the former read behind, which is freed later: the key is chosen
 * where it is seen, in read. */
static void
test_the_selection_is_where_it_is_seen (void) {
  Bench bench = bench_new ();
  TophashSession *session = bench.session;
  guint n_promotions = 0;

  run_to_end (&bench);
  tophash_session_seek (session, 0);
  while (tophash_session_step_kind (session, TRUE,
                                    EVENT_KIND_BIT (EVENT_DIRTY_PROMOTED))) {
    guint64 position = tophash_session_get_position (session);
    TophashSelection selection = { .kind = SELECTION_SLOT,
                                   .table = G_MAXUINT16,
                                   .has_key = TRUE };
    const StateTable *table;
    StateSlot slot;

    wait_for_state (session);
    tophash_session_step (session, -1);
    tophash_session_step (session, -1);
    wait_for_state (session);
    table = map_state_table_for (tophash_session_get_state (session),
                                 TABLE_ROLE_READ);
    for (selection.key = 0; selection.key < 1000; selection.key++)
      if (table != NULL
          && map_state_find_key (tophash_session_get_state (session), table,
                                 selection.key, &slot))
        break;
    tophash_session_select (session, &selection);
    tophash_session_step (session, 1);
    tophash_session_step (session, 1);
    wait_for_state (session);
    g_assert_cmpuint (tophash_session_get_position (session), ==, position);
    selection = *tophash_session_get_selection (session);
    table = map_state_find_table (tophash_session_get_state (session),
                                  selection.table, selection.table_created_ver);
    if (table == NULL)
      continue;
    n_promotions++;
    g_assert_cmpint (table->role, !=, TABLE_ROLE_SUPERSEDED);
  }
  g_assert_cmpuint (n_promotions, >, 0);
  g_object_unref (session);
}

static void
test_the_visible_span (void) {
  Bench bench = bench_new ();
  TophashSession *session = bench.session;
  gint64 from_ns, to_ns, end_ns;

  run_to_end (&bench);
  end_ns = timeline_get_duration_ns (tophash_session_get_timeline (session));
  tophash_session_get_range (session, &from_ns, &to_ns);
  g_assert_cmpint (from_ns, ==, 0);
  g_assert_cmpint (to_ns, ==, end_ns);
  tophash_session_set_range (session, 5, 3);
  tophash_session_get_range (session, &from_ns, &to_ns);
  g_assert_cmpint (to_ns, ==, 6);
  tophash_session_show_all (session);
  tophash_session_get_range (session, &from_ns, &to_ns);
  g_assert_cmpint (to_ns, ==, end_ns);
  g_object_unref (session);
}

/* A whole recording is as long as it is from the first moment on, not as long as
 * what of it was read so far. */
static void
test_shows_all_of_a_whole_recording (void) {
  Bench bench = bench_new ();
  g_autoptr (TophashSession) other = tophash_session_new ();
  TraceLog *log;
  gint64 from_ns, to_ns, last_ns;

  run_to_end (&bench);
  log = tophash_session_get_log (bench.session);
  last_ns = tracelog_time_at (log, G_MAXUINT64);
  tophash_session_set_log (other, log);
  tophash_session_get_range (other, &from_ns, &to_ns);
  g_assert_cmpint (from_ns, ==, 0);
  g_assert_cmpint (to_ns, ==, last_ns);
  while (tophash_session_needs_ticks (other)) {
    tophash_session_tick (other, bench.now_us += FRAME_US);
    g_assert_cmpint (tophash_session_get_end_ns (other), ==, last_ns);
  }
  g_object_unref (bench.session);
}

/* Before its first table, too, the map is drawn as what it will be. */
static void
test_begins_as_the_map_it_is (void) {
  const char *const engines[] = { "syncmap", "viewmap", "gomap", "", NULL };

  for (guint i = 0; i < G_N_ELEMENTS (engines); i++) {
    g_autoptr (TophashSession) session = tophash_session_new ();
    g_autoptr (TraceInfo) info = trace_info_new ();
    g_autoptr (TraceLog) log = NULL;

    g_free (info->engine);
    info->engine = g_strdup (engines[i]);
    log = tracelog_new (info, 0);
    tracelog_finish (log, FALSE);
    tophash_session_set_log (session, log);
    g_assert_true (map_state_has_read_and_dirty (
                       tophash_session_get_state (session)) == (i < 2));
    g_assert_cmpuint (map_state_n_shards (tophash_session_get_state (session)), ==,
                      0);
  }
}

/* Nor does its number of shards come with their tables, one by one. */
static void
test_begins_with_all_its_shards (void) {
  static const struct {
    const char *scenario;
    guint       n_shards;
  } cases[] = { { NULL, ENGINE_SHARDS_DEFAULT }, { "hot-shard", 16 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (TophashSession) session = tophash_session_new ();
    g_autoptr (TraceInfo) info = trace_info_new ();
    g_autoptr (TraceLog) log = NULL;
    Event created = { .kind = EVENT_TABLE_CREATED, .at_ns = 100, .ver = 1 };
    Event named = { .kind = EVENT_TABLE_NAMED, .at_ns = 200, .ver = 2,
                    .aux8 = 1 };

    g_free (info->engine);
    info->engine = g_strdup ("shardmap");
    if (cases[i].scenario != NULL) {
      g_autoptr (Scenario) scenario
          = scenario_new_builtin (cases[i].scenario, NULL);

      info->scenario_json = scenario_to_json (scenario);
    }
    log = tracelog_new (info, 0);
    tracelog_append (log, &created);
    tracelog_append (log, &named);
    tracelog_finish (log, FALSE);
    tophash_session_set_log (session, log);
    timeline_wait (tophash_session_get_timeline (session));
    for (guint n = 0; n <= 2; n++) {
      tophash_session_seek (session, n);
      wait_for_state (session);
      g_assert_cmpuint (map_state_n_shards (tophash_session_get_state (session)),
                        ==, cases[i].n_shards);
    }
  }
}

/* A map that was only expected counts what it meets as one that was not. */
static void
test_plays_on_from_the_beginning (void) {
  Bench bench = bench_new ();
  TophashSession *session = bench.session;
  const StateCounters *counters;
  guint64 n_cleared, n_events;

  run_to_end (&bench);
  counters = map_state_counters (tophash_session_get_state (session));
  n_cleared = counters->n_cleared;
  n_events = tophash_session_get_position (session);
  tophash_session_seek (session, 0);
  while (tophash_session_get_position (session) != 0
         || map_state_n_events (tophash_session_get_state (session)) != 0)
    tick (&bench);
  g_assert_true (map_state_has_read_and_dirty (tophash_session_get_state (session)));
  tophash_session_set_speed (session, 1e9);
  tophash_session_play (session);
  while (tophash_session_needs_ticks (session))
    tick (&bench);
  g_assert_cmpuint (tophash_session_get_position (session), ==, n_events);
  counters = map_state_counters (tophash_session_get_state (session));
  g_assert_cmpuint (counters->n_cleared, ==, n_cleared);
  g_object_unref (session);
}

static void
test_runs_can_be_replaced (void) {
  Bench bench = bench_new ();
  TophashSession *session = bench.session;
  g_autoptr (TraceLog) first = NULL;

  run_to_end (&bench);
  first = tracelog_ref (tophash_session_get_log (session));
  g_assert_true (tophash_session_run (session, NULL));
  g_assert_true (tophash_session_get_log (session) != first);
  tick (&bench);
  g_assert_true (tophash_session_run (session, NULL));
  tophash_session_stop (session);
  tick (&bench);
  tophash_session_set_log (session, first);
  g_assert_false (tophash_session_is_running (session));
  g_assert_false (tophash_session_is_unsaved (session));
  while (tophash_session_needs_ticks (session))
    tick (&bench);
  g_assert_cmpuint (tophash_session_get_position (session), ==,
                    tracelog_get_length (first));
  g_assert_true (tophash_session_run (session, NULL));
  g_object_unref (session);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

/* Times that cannot be guessed from those at the ends of a block. */
static gint64
long_session_ns (guint64 index) {
  return (gint64)(index + index / 1000 % 4 * 1000000 + index / 4000 * 4000000);
}

/* A log long enough for seeks in a task, folded. */
static TophashSession *
new_long_session (void) {
  TophashSession *session = tophash_session_new ();
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  Event event = { .kind = EVENT_MISS_COUNTED };
  Bench bench = { .session = session };

  for (guint i = 0; i < 300000; i++) {
    event.at_ns = long_session_ns (i);
    event.res = i + 1;
    tracelog_append (log, &event);
  }
  tracelog_publish (log);
  tracelog_finish (log, FALSE);
  tophash_session_set_log (session, log);
  while (tophash_session_needs_ticks (session))
    tick (&bench);
  return session;
}

/* The newest wins. */
static void
test_far_seeks_end_at_the_newest (void) {
  g_autoptr (TophashSession) session = new_long_session ();

  for (guint64 i = 0; i < 20; i++)
    tophash_session_seek (session, 290000 - i * 13001);
  g_assert_cmpuint (tophash_session_get_position (session), ==,
                    290000 - 19 * 13001);
  wait_for_state (session);
  g_assert_cmpuint (map_state_misses (tophash_session_get_state (session)), ==,
                    290000 - 19 * 13001);
}

/* A hand that asks faster than seeks end sees some of them end. */
static void
test_a_drag_is_seen (void) {
  g_autoptr (TophashSession) session = new_long_session ();
  guint n_seen = 0;

  for (guint64 i = 0; n_seen < 3; i++) {
    guint64 shown = map_state_n_events (tophash_session_get_state (session));

    tophash_session_seek (session, 20000 + i * 13001 % 270000);
    g_assert_cmpuint (tophash_session_get_position (session), ==,
                      20000 + i * 13001 % 270000);
    g_main_context_iteration (NULL, FALSE);
    n_seen += shown != map_state_n_events (tophash_session_get_state (session));
  }
  tophash_session_seek (session, 123456);
  wait_for_state (session);
  g_assert_cmpuint (map_state_misses (tophash_session_get_state (session)), ==,
                    123456);
}

/* Wherever a hand lets go, the cursor comes to stand after the last event at that
 * time, and what was that event is known. */
static void
test_times_are_found_exactly (void) {
  g_autoptr (TophashSession) session = new_long_session ();
  TraceLog *log = tophash_session_get_log (session);
  guint n_guessed = 0;

  for (guint64 i = 0; i < 60; i++) {
    guint64 index = i * 76543 % 300000, position;
    Event event;

    n_guessed += !tracelog_guess_index_at (log, long_session_ns (index), &position);
    /* A drag: only the last one counts, though another is under way. */
    if (i % 3 == 0)
      tophash_session_seek_time (session, long_session_ns (300000 - index) + 1);
    if (i % 3 == 1)
      tophash_session_seek (session, 300000 - index);
    tophash_session_seek_time (session, long_session_ns (index));
    wait_for_state (session);
    g_assert_cmpuint (tophash_session_get_position (session), ==, index + 1);
    g_assert_true (tophash_session_get_event (session, &event));
    g_assert_cmpint (event.at_ns, ==, long_session_ns (index));
    g_assert_cmpuint (event.res, ==, index + 1);
  }
  g_assert_cmpuint (n_guessed, >, 30);

  /* Who goes somewhere else meanwhile gets there. */
  tophash_session_seek_time (session, long_session_ns (200000));
  tophash_session_seek (session, 77777);
  wait_for_state (session);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_cmpuint (tophash_session_get_position (session), ==, 77777);
}

/* The event that the cursor stands after is known wherever it rests, however it came
 * there; and at the beginning there is none. */
static void
test_knows_the_last_event (void) {
  g_autoptr (TophashSession) session = new_long_session ();
  guint64 places[] = { 1, 4096, 4097, 4095, 150000, 150001, 131072, 131073, 299999,
                       300000 };
  gint64 now_us = 1000000;
  Event event;

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    tophash_session_seek (session, places[i]);
    wait_for_state (session);
    g_assert_true (tophash_session_get_event (session, &event));
    g_assert_cmpuint (event.res, ==, places[i]);
  }
  tophash_session_seek (session, 0);
  wait_for_state (session);
  g_assert_false (tophash_session_get_event (session, &event));
  tophash_session_set_speed (session, 3e6);
  tophash_session_play (session);
  for (guint i = 0; i < 4; i++)
    tophash_session_tick (session, now_us += FRAME_US);
  tophash_session_pause (session);
  while (!tophash_session_get_event (session, &event))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (event.res, ==, tophash_session_get_position (session));
}

static void
assert_before (TophashSession *session,
               guint64         position) {
  const MapState *before;

  wait_for_state (session);
  g_assert_cmpuint (tophash_session_get_position (session), ==, position);
  before = tophash_session_get_before (session);
  g_assert_nonnull (before);
  g_assert_cmpuint (map_state_n_events (before), ==, position - 1);
  g_assert_cmpuint (map_state_misses (before), ==, position - 1);
}

/* What the last event met is there after far seeks and steps alike. */
static void
test_knows_the_state_before (void) {
  g_autoptr (TophashSession) session = new_long_session ();

  tophash_session_seek (session, 150000);
  assert_before (session, 150000);
  tophash_session_step (session, 1);
  assert_before (session, 150001);
  tophash_session_step (session, -1);
  assert_before (session, 150000);
  tophash_session_seek (session, 170000);
  tophash_session_seek (session, 9);
  assert_before (session, 9);
  tophash_session_seek (session, 0);
  wait_for_state (session);
  g_assert_null (tophash_session_get_before (session));
}

/* Ahead of what was read so far of a whole recording, time goes on, too. */
static void
test_plays_ahead_of_what_is_read (void) {
  g_autoptr (TophashSession) session = new_long_session ();
  g_autoptr (TophashSession) other = tophash_session_new ();
  gint64 now_us = 1000000;

  timeline_put_keyframes (tophash_session_get_timeline (session), 65536, NULL);
  tophash_session_set_log (other, tophash_session_get_log (session));
  tophash_session_seek (other, 250000);
  wait_for_state (other);
  g_assert_cmpuint (tophash_session_get_position (other), ==, 250000);
  tophash_session_set_speed (other, 100);
  tophash_session_play (other);
  for (guint i = 0; i < 100; i++)
    tophash_session_tick (other, now_us += FRAME_US);
  g_assert_cmpuint (tophash_session_get_position (other), >, 250000);
}

static void
ended_cb (gpointer  thread,
          GObject  *where_it_was) {
  *(GThread **)thread = g_thread_self ();
}

static gpointer
let_go (gpointer task) {
  g_object_unref (task);
  return NULL;
}

/* The thread of a task may be the last to hold it, and with it its source. */
static void
test_a_task_ends_no_owner (void) {
  GObject *owner = g_object_new (G_TYPE_OBJECT, NULL);
  GThread *ended_by = NULL;
  GTask *task = g_task_new (owner, NULL, NULL, NULL);

  task_keep_owner (task, owner);
  g_object_weak_ref (owner, ended_cb, &ended_by);
  g_object_unref (owner);
  g_thread_join (g_thread_new ("task", let_go, task));
  while (ended_by == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (ended_by == g_thread_self ());

  /* In its own thread nothing waits. */
  owner = g_object_new (G_TYPE_OBJECT, NULL);
  task = g_task_new (owner, NULL, NULL, NULL);
  task_keep_owner (task, owner);
  ended_by = NULL;
  g_object_weak_ref (owner, ended_cb, &ended_by);
  g_object_unref (owner);
  g_object_unref (task);
  g_assert_true (ended_by == g_thread_self ());
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/session/a-run-is-followed-to-its-end",
                   test_a_run_is_followed_to_its_end);
  g_test_add_func ("/core/session/steps-and-seeks", test_steps_and_seeks);
  g_test_add_func ("/core/session/plays-at-a-speed", test_plays_at_a_speed);
  g_test_add_func ("/core/session/the-selection-follows-its-key",
                   test_the_selection_follows_its_key);
  g_test_add_func ("/core/session/the-selection-is-where-it-is-seen",
                   test_the_selection_is_where_it_is_seen);
  g_test_add_func ("/core/session/the-visible-span", test_the_visible_span);
  g_test_add_func ("/core/session/shows-all-of-a-whole-recording",
                   test_shows_all_of_a_whole_recording);
  g_test_add_func ("/core/session/begins-as-the-map-it-is",
                   test_begins_as_the_map_it_is);
  g_test_add_func ("/core/session/begins-with-all-its-shards",
                   test_begins_with_all_its_shards);
  g_test_add_func ("/core/session/plays-on-from-the-beginning",
                   test_plays_on_from_the_beginning);
  g_test_add_func ("/core/session/runs-can-be-replaced",
                   test_runs_can_be_replaced);
  g_test_add_func ("/core/session/far-seeks-end-at-the-newest",
                   test_far_seeks_end_at_the_newest);
  g_test_add_func ("/core/session/a-drag-is-seen", test_a_drag_is_seen);
  g_test_add_func ("/core/session/times-are-found-exactly",
                   test_times_are_found_exactly);
  g_test_add_func ("/core/session/knows-the-last-event", test_knows_the_last_event);
  g_test_add_func ("/core/session/knows-the-state-before",
                   test_knows_the_state_before);
  g_test_add_func ("/core/session/plays-ahead-of-what-is-read",
                   test_plays_ahead_of_what_is_read);
  g_test_add_func ("/core/session/a-task-ends-no-owner", test_a_task_ends_no_owner);
  return g_test_run ();
}
