/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-timeline.c — a timeline against a plain fold of the same log */
#include "record-run.h"

#include "core/engine/syncmap.h"
#include "core/record/trace-keyframe.h"
#include "core/record/tracelog-file.h"
#include "core/state/fold.h"
#include "core/state/state-frames.h"
#include "core/state/timeline.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

/* One recorded run shared by the tests. */
static RecordedRun recorded;

static void
record_once (void) {
  RecordRun run = { .klass = &syncmap_class,
                    .hash = HASH_GOOD,
                    .seed = 11,
                    .n_workers = 2,
                    .n_operations = 3000,
                    .n_keys = 60,
                    .span_period = 1 };

  recorded = record_run (&run);
}

static void
assert_same_text (const MapState *a,
                  const MapState *b) {
  DumpSink sink_a;
  DumpSink sink_b;

  dump_init (&sink_a);
  dump_init (&sink_b);
  map_state_dump (a, &sink_a);
  map_state_dump (b, &sink_b);
  g_assert_cmpstr (sink_a.text, ==, sink_b.text);
  dump_clear (&sink_a);
  dump_clear (&sink_b);
}

static Timeline *
complete_timeline (void) {
  Timeline *timeline = timeline_new (recorded.log);

  timeline_wait (timeline);
  g_assert_true (timeline_is_complete (timeline));
  g_assert_cmpuint (timeline_get_length (timeline), ==,
                    tracelog_get_length (recorded.log));
  g_assert_cmpuint (timeline_get_n_faults (timeline, NULL), ==, 0);
  return timeline;
}

static void
test_seeks_equal_a_plain_fold (void) {
  g_autoptr (Timeline) timeline = complete_timeline ();
  g_autoptr (Fold) fold = fold_new ();
  guint64 length = timeline_get_length (timeline);
  guint64 step = length / 1500 + 1;
  g_autoptr (GPtrArray) states =
      g_ptr_array_new_with_free_func ((GDestroyNotify)map_state_unref);

  for (guint64 n = 0; n <= length; n++) {
    Event event;

    if (n % step == 0) {
      g_autoptr (MapState) plain = fold_ref_state (fold);
      g_autoptr (MapState) sought = timeline_seek (timeline, n, NULL);

      g_assert_cmpuint (map_state_n_events (sought), ==, n);
      g_assert_cmpint (map_state_at_ns (sought), ==, map_state_at_ns (plain));
      assert_same_text (sought, plain);
      g_ptr_array_add (states, g_steal_pointer (&plain));
    }
    if (n < length && tracelog_get_event (recorded.log, n, &event))
      fold_apply (fold, &event);
  }
  for (guint i = states->len; i > 0; i--) {
    g_autoptr (MapState) sought = timeline_seek (timeline, (i - 1) * step, NULL);

    assert_same_text (sought, states->pdata[i - 1]);
  }
}

static void
test_finds_events_both_ways (void) {
  g_autoptr (Timeline) timeline = complete_timeline ();
  EventKinds kinds = EVENT_KIND_BIT (EVENT_DIRTY_PROMOTED);
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (guint64));
  guint64 length = timeline_get_length (timeline);
  guint64 position = 0;

  for (guint64 i = 0; i < length; i++) {
    Event event;

    tracelog_get_event (recorded.log, i, &event);
    if (event.kind == EVENT_DIRTY_PROMOTED)
      g_array_append_val (places, i);
  }
  g_assert_cmpuint (places->len, >, 3);
  for (guint i = 0; i < places->len; i++) {
    position = timeline_find (timeline, position, TRUE, kinds, -1, NULL);
    g_assert_cmpuint (position, ==, g_array_index (places, guint64, i) + 1);
  }
  g_assert_cmpuint (timeline_find (timeline, position, TRUE, kinds, -1, NULL), ==,
                    G_MAXUINT64);
  position = length;
  for (guint i = places->len; i > 0; i--) {
    position = timeline_find (timeline, position, FALSE, kinds, -1, NULL);
    g_assert_cmpuint (position, ==, g_array_index (places, guint64, i - 1) + 1);
    position--;
  }
  g_assert_cmpuint (timeline_find (timeline, position, FALSE, kinds, -1, NULL),
                    ==, G_MAXUINT64);
  g_assert_cmpuint (timeline_find (timeline, 0, TRUE, kinds, 77, NULL), ==,
                    G_MAXUINT64);
}

static void
test_density_counts_every_event (void) {
  g_autoptr (Timeline) timeline = complete_timeline ();
  gint64 end = timeline_get_duration_ns (timeline) + 1;
  guint32 counts[640];

  for (guint n_bins = 1; n_bins <= 640; n_bins += 71) {
    guint64 sum = 0;

    timeline_get_density (timeline, 0, end, n_bins, counts);
    for (guint i = 0; i < n_bins; i++)
      sum += counts[i];
    g_assert_cmpuint (sum, ==, timeline_get_length (timeline));
  }
}

static void
test_lanes_count_operations (void) {
  g_autoptr (Timeline) timeline = complete_timeline ();
  g_autoptr (MapState) head = timeline_ref_head (timeline);
  const StateCounters *counters = map_state_counters (head);
  gint64 end = timeline_get_duration_ns (timeline) + 1;
  guint64 n_loads = 0, n_deletes = 0;
  gint64 hold_ns = 0;
  LaneBin bins[100];

  for (guint thread = 0; thread < 2; thread++) {
    timeline_get_lane (timeline, thread, 0, end, 100, bins);
    for (guint i = 0; i < 100; i++) {
      n_loads += bins[i].n_loads;
      n_deletes += bins[i].n_deletes;
      hold_ns += bins[i].hold_ns;
    }
  }
  g_assert_cmpuint (n_loads, ==,
                    counters->n_ops[OP_LOAD] + counters->n_ops[OP_LEN]);
  g_assert_cmpuint (n_deletes, ==, counters->n_ops[OP_DELETE]
                                       + counters->n_ops[OP_LOAD_AND_DELETE]
                                       + counters->n_ops[OP_COMPARE_AND_DELETE]
                                       + counters->n_ops[OP_CLEAR]);
  g_assert_cmpfloat (ABS ((double)hold_ns - (double)counters->lock_hold_ns), <=,
                     0.01 * (double)counters->lock_hold_ns + 20000);
}

/* What is known by heart is what the log says, but for what is no landmark: a map's
 * first read and the copy of nothing. */
static void
test_landmarks_are_found (void) {
  g_autoptr (Timeline) timeline = complete_timeline ();
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Landmark));
  guint64 length = timeline_get_length (timeline), position, before = 0;

  timeline_get_landmarks (timeline, 0, G_MAXINT64, 0, G_MAXUINT, all);
  g_assert_cmpuint (all->len, >, 2);
  for (guint i = 0; i < all->len; i++) {
    guint64 after = g_array_index (all, Landmark, i).index + 1;

    g_assert_true (timeline_find_landmark (timeline, before, TRUE, &position));
    g_assert_cmpuint (position, ==, after);
    g_assert_true (timeline_find_landmark (timeline, after - 1, FALSE, &position));
    g_assert_cmpuint (position, ==, before > 0 ? before : G_MAXUINT64);
    g_assert_cmpuint (timeline_find (timeline, after - 1, TRUE,
                                     event_kinds_structural (), -1, NULL),
                      ==, after);
    before = after;
  }
  g_assert_true (timeline_find_landmark (timeline, before, TRUE, &position));
  g_assert_cmpuint (position, ==, G_MAXUINT64);
  g_assert_true (timeline_find_landmark (timeline, length, FALSE, &position));
  g_assert_cmpuint (position, ==, before);
}

static void
test_landmarks_keep_apart (void) {
  g_autoptr (Timeline) timeline = complete_timeline ();
  g_autoptr (MapState) head = timeline_ref_head (timeline);
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Landmark));
  g_autoptr (GArray) few = g_array_new (FALSE, FALSE, sizeof (Landmark));
  gint64 end = timeline_get_duration_ns (timeline) + 1;
  guint64 n_promotions = 0;
  gint64 apart_ns;

  timeline_get_landmarks (timeline, 0, end, 0, G_MAXUINT, all);
  for (guint i = 0; i < all->len; i++) {
    const Landmark *mark = &g_array_index (all, Landmark, i);
    Event event;

    tracelog_get_event (recorded.log, mark->index, &event);
    g_assert_cmpint (event.kind, ==, mark->kind);
    if (mark->kind == EVENT_DIRTY_PROMOTED)
      g_assert_cmpuint (mark->number, ==, ++n_promotions);
  }
  g_assert_cmpuint (n_promotions, ==, map_state_counters (head)->n_promotions);
  /* Of where they are, not of the run: a run held up has them all at one end. */
  g_assert_cmpuint (all->len, >, 1);
  apart_ns = (g_array_index (all, Landmark, all->len - 1).at_ns
              - g_array_index (all, Landmark, 0).at_ns)
             / 8;
  timeline_get_landmarks (timeline, 0, end, apart_ns, 8, few);
  g_assert_cmpuint (few->len, >, 1);
  g_assert_cmpuint (few->len, <=, 8);
  for (guint i = 1; i < few->len; i++)
    g_assert_cmpint (g_array_index (few, Landmark, i).at_ns
                         - g_array_index (few, Landmark, i - 1).at_ns,
                     >=, apart_ns);
}

static void
test_spans_pair_up (void) {
  g_autoptr (Timeline) timeline = complete_timeline ();
  gint64 end = timeline_get_duration_ns (timeline);
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (LaneSpan));
  g_autoptr (GArray) late = g_array_new (FALSE, FALSE, sizeof (LaneSpan));
  guint n_ops = 0;
  const LaneSpan *span;

  g_assert_true (timeline_get_spans (timeline, 1, 0, end + 1, G_MAXUINT, spans));
  for (guint i = 0; i < spans->len; i++) {
    span = &g_array_index (spans, LaneSpan, i);
    g_assert_cmpint (span->from_ns, <=, span->to_ns);
    g_assert_cmpint (span->to_ns, !=, G_MAXINT64);
    n_ops += span->kind == SPAN_OP;
  }
  g_assert_cmpuint (n_ops, ==, 3000);
  g_assert_false (timeline_get_spans (timeline, 1, 0, end + 1, 10, late));
  g_assert_cmpuint (late->len, ==, 10);
  g_array_set_size (late, 0);
  /* From the middle of a span: it is there with its true beginning. */
  span = &g_array_index (spans, LaneSpan, spans->len / 2);
  for (guint i = spans->len / 2; span->kind != SPAN_OP
                                 || span->to_ns - span->from_ns < 2; i++)
    span = &g_array_index (spans, LaneSpan, i);
  timeline_get_spans (timeline, 1, span->to_ns, span->to_ns + 1, 10, late);
  g_assert_cmpuint (late->len, >=, 1);
  g_assert_cmpuint (g_array_index (late, LaneSpan, 0).index, ==, span->index);
}

static void
test_series_tell_levels_and_rates (void) {
  g_autoptr (Timeline) timeline = complete_timeline ();
  g_autoptr (MapState) head = timeline_ref_head (timeline);
  gint64 end = timeline_get_duration_ns (timeline) + 1;
  double values[50];

  timeline_get_series (timeline, SERIES_LIVE, 0, end, 50, values);
  g_assert_cmpfloat (values[49], ==, (double)map_state_n_live (head));
  timeline_get_series (timeline, SERIES_HIT_RATE, 0, end, 50, values);
  for (guint i = 0; i < 50; i++)
    g_assert_true (isnan (values[i]) || (values[i] >= 0 && values[i] <= 1));
  timeline_get_series (timeline, SERIES_OPS, 0, end, 1, values);
  g_assert_cmpfloat (values[0], >, 0);
  timeline_get_series (timeline, SERIES_LIVE, 2 * end, 3 * end, 5, values);
  g_assert_true (isnan (values[0]));
}

/* Event of the thread that prepares the map. */
static Event
tell (EventKind kind,
      gint64    at_us,
      guint16   table,
      guint32   ver,
      guint32   res,
      guint8    aux8,
      guint64   a) {
  return (Event){ .at_ns = at_us * 1000, .kind = (guint8)kind, .aux16 = table,
                  .ver = ver, .res = res, .aux8 = aux8, .a = a,
                  .b = kind == EVENT_TABLE_CREATED ? table : 0,
                  .thread = EVENT_THREAD_MAIN };
}

/* Two shards, of 2 and of 4 buckets: empty, then 3 keys in the one, then 6 in
 * the other, then one less. */
static TraceLog *
log_of_shards (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log = tracelog_new (info, 0);
  GArray *events = g_array_new (FALSE, FALSE, sizeof (Event));
#define TELL(...)                                                             \
  g_array_append_vals (events, &(Event[]){ tell (__VA_ARGS__) }, 1)

  for (guint16 shard = 0; shard < 2; shard++) {
    TELL (EVENT_TABLE_CREATED, 1000, shard, 1, 0, (guint8)(shard + 1), 99);
    TELL (EVENT_TABLE_NAMED, 1000, shard, 2, shard, 1, 0);
  }
  for (guint32 i = 0; i < 3; i++)
    TELL (EVENT_SLOT_WRITTEN, 2000, 0, 3 + i, i, 9, i);
  for (guint32 i = 0; i < 6; i++)
    TELL (EVENT_SLOT_WRITTEN, 3000, 1, 3 + i, i, 9, 10 + i);
  TELL (EVENT_SLOT_CLEARED, 4000, 0, 6, 2, 0, 0);
  TELL (EVENT_PHASE_BEGAN, 5000, 0, 0, 1, 0, 0);
#undef TELL
  for (guint i = 0; i < events->len; i++)
    tracelog_append (log, &g_array_index (events, Event, i));
  g_array_unref (events);
  tracelog_finish (log, FALSE);
  return log;
}

static void
test_series_sum_the_shards (void) {
  static const struct {
    gint64 at_us;
    double held;
    double load;
  } wanted[] = {
    { 1500, 0, 0 }, { 2500, 3, 0.5 }, { 3500, 9, 1.5 }, { 4500, 8, 8 / 6.0 },
  };
  g_autoptr (TraceLog) log = log_of_shards ();
  g_autoptr (Timeline) timeline = timeline_new (log);
  double value;

  timeline_wait (timeline);
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++) {
    gint64 at_ns = wanted[i].at_us * 1000;

    timeline_get_series (timeline, SERIES_HELD, at_ns, at_ns + 100000, 1, &value);
    g_assert_cmpfloat (value, ==, wanted[i].held);
    timeline_get_series (timeline, SERIES_LOAD_FACTOR, at_ns, at_ns + 100000, 1,
                         &value);
    g_assert_cmpfloat_with_epsilon (value, wanted[i].load, 1e-6);
    timeline_get_series (timeline, SERIES_DIRTY_LEN, at_ns, at_ns + 100000, 1,
                         &value);
    g_assert_true (isnan (value));
  }
}

static void
test_key_life_is_about_the_key (void) {
  g_autoptr (Timeline) timeline = complete_timeline ();
  g_autoptr (GArray) life = g_array_new (FALSE, FALSE, sizeof (guint64));
  guint64 length = timeline_get_length (timeline);

  timeline_get_key_life (timeline, 7, length, length, G_MAXUINT, NULL, life);
  g_assert_cmpuint (life->len, >, 50);
  for (guint i = 0; i < life->len; i++) {
    Event event;

    tracelog_get_event (recorded.log, g_array_index (life, guint64, i), &event);
    g_assert_true (event_kinds_of_life () & EVENT_KIND_BIT (event.kind));
    if (event.kind == EVENT_OP_BEGAN || event.kind == EVENT_SLOT_WRITTEN)
      g_assert_cmpint ((gint64)event.a, ==, 7);
  }
  g_array_set_size (life, 0);
  timeline_get_key_life (timeline, 7, length, length, 5, NULL, life);
  g_assert_cmpuint (life->len, ==, 5);
}

/* Every operation in brief: each is a tick of its thread, counted in its lane,
 * and part of its key's life. */
static void
test_operations_in_brief_are_ticks (void) {
  RecordRun run = { .klass = &syncmap_class, .hash = HASH_GOOD, .seed = 12,
                    .n_workers = 2, .n_operations = 2000, .n_keys = 40,
                    .tells_brief = TRUE };
  RecordedRun brief = record_run (&run);
  g_autoptr (Timeline) timeline = timeline_new (brief.log);
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (LaneSpan));
  g_autoptr (GArray) life = g_array_new (FALSE, FALSE, sizeof (guint64));
  guint64 n_ticks = 0, n_loads = 0, n_told = 0;
  LaneBin bins[10];
  gint64 end;

  timeline_wait (timeline);
  end = timeline_get_duration_ns (timeline) + 1;
  g_assert_cmpuint (timeline_get_n_faults (timeline, NULL), ==, 0);
  g_assert_true (timeline_get_spans (timeline, 1, 0, end, G_MAXUINT, spans));
  timeline_get_lane (timeline, 1, 0, end, 10, bins);
  for (guint i = 0; i < 10; i++)
    n_loads += bins[i].n_loads;
  for (guint i = 0; i < spans->len; i++) {
    const LaneSpan *span = &g_array_index (spans, LaneSpan, i);

    if (span->kind != SPAN_OP)
      continue;
    g_assert_cmpint (span->from_ns, ==, span->to_ns);
    n_told += span->op == OP_LOAD || span->op == OP_LEN;
    n_ticks++;
  }
  g_assert_cmpuint (n_ticks, ==, 2000);
  g_assert_cmpuint (n_loads, ==, n_told);
  timeline_get_key_life (timeline, 7, timeline_get_length (timeline),
                         timeline_get_length (timeline), G_MAXUINT, NULL, life);
  n_told = 0;
  for (guint i = 0; i < life->len; i++) {
    Event event;

    tracelog_get_event (brief.log, g_array_index (life, guint64, i), &event);
    g_assert_true (event.kind != EVENT_OP_TOLD || event_told_key (&event) == 7);
    n_told += event.kind == EVENT_OP_TOLD;
  }
  g_assert_cmpuint (n_told, >, 20);
  recorded_run_clear (&brief);
}

/* A log that grows while it is followed. */
static void
test_follows_a_growing_log (void) {
  TraceInfo *info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (Timeline) timeline = timeline_new (log);
  guint64 length = tracelog_get_length (recorded.log);
  g_autoptr (MapState) head = NULL;
  g_autoptr (MapState) wanted = NULL;
  g_autoptr (Timeline) other = complete_timeline ();

  for (guint64 i = 0; i < length; i++) {
    Event event;

    tracelog_get_event (recorded.log, i, &event);
    tracelog_append (log, &event);
    if (i % 5000 == 0) {
      g_autoptr (MapState) state = NULL;

      tracelog_publish (log);
      state = timeline_seek (timeline, i, NULL);
      g_assert_cmpuint (map_state_n_events (state), <=, i);
    }
  }
  g_assert_false (timeline_is_complete (timeline));
  tracelog_publish (log);
  tracelog_finish (log, FALSE);
  timeline_wait (timeline);
  head = timeline_ref_head (timeline);
  wanted = timeline_ref_head (other);
  g_assert_cmpuint (map_state_n_events (head), ==, length);
  assert_same_text (head, wanted);
  trace_info_free (info);
}

/* Let go of in the middle of its work. */
static void
test_can_be_dropped_at_any_time (void) {
  for (guint i = 0; i < 30; i++) {
    Timeline *timeline = timeline_new (recorded.log);

    timeline_unref (timeline);
  }
}

static TraceLog *
save_and_open (TraceLog *log) {
  g_autofree char *path = g_strdup_printf ("%s/tophash-states-%d.tophash",
                                           g_get_tmp_dir (), (int)getpid ());
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GError *error = NULL;
  TraceLog *opened;

  g_assert_true (tracelog_save (log, file, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  opened = tracelog_open (file, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  /* What is open stays readable. */
  g_file_delete (file, NULL, NULL);
  return opened;
}

/* Kept states go with the log, and seeks start from them before all is folded. */
static void
test_states_are_saved_with_the_log (void) {
  g_autoptr (Timeline) timeline = complete_timeline ();
  guint64 length = timeline_get_length (timeline), every = length / 5;
  g_autoptr (TraceLog) opened = NULL;
  g_autoptr (Timeline) early = NULL;
  TraceKeyframe found;

  timeline_wait_settled (timeline);
  timeline_put_keyframes (timeline, every, NULL);
  opened = save_and_open (recorded.log);
  /* Not those that stand in a file. */
  tracelog_drop_keyframes (recorded.log);
  g_assert_false (tracelog_find_keyframe (recorded.log, length, &found));
  tracelog_drop_keyframes (opened);
  g_assert_true (tracelog_find_keyframe (opened, length, &found));
  g_assert_cmpuint (found.version, ==, STATE_FRAMES_VERSION);
  g_assert_cmpuint (found.position, >, length / 2);
  early = timeline_new (opened);
  g_assert_cmpuint (timeline_clamp (early, length + 1), ==, length);
  for (guint64 place = length; place > every; place -= every / 3) {
    g_autoptr (MapState) sought = timeline_seek (early, place, NULL);
    g_autoptr (MapState) plain = timeline_seek (timeline, place, NULL);

    g_assert_cmpuint (map_state_n_events (sought), ==, place);
    assert_same_text (sought, plain);
  }
}

int
main (int    argc,
      char **argv) {
  int result;

  g_test_init (&argc, &argv, NULL);
  record_once ();
  g_test_add_func ("/core/timeline/seeks-equal-a-plain-fold",
                   test_seeks_equal_a_plain_fold);
  g_test_add_func ("/core/timeline/finds-events-both-ways",
                   test_finds_events_both_ways);
  g_test_add_func ("/core/timeline/density-counts-every-event",
                   test_density_counts_every_event);
  g_test_add_func ("/core/timeline/lanes-count-operations",
                   test_lanes_count_operations);
  g_test_add_func ("/core/timeline/landmarks-are-found",
                   test_landmarks_are_found);
  g_test_add_func ("/core/timeline/landmarks-keep-apart",
                   test_landmarks_keep_apart);
  g_test_add_func ("/core/timeline/spans-pair-up", test_spans_pair_up);
  g_test_add_func ("/core/timeline/series-tell-levels-and-rates",
                   test_series_tell_levels_and_rates);
  g_test_add_func ("/core/timeline/series-sum-the-shards",
                   test_series_sum_the_shards);
  g_test_add_func ("/core/timeline/key-life-is-about-the-key",
                   test_key_life_is_about_the_key);
  g_test_add_func ("/core/timeline/operations-in-brief-are-ticks",
                   test_operations_in_brief_are_ticks);
  g_test_add_func ("/core/timeline/follows-a-growing-log",
                   test_follows_a_growing_log);
  g_test_add_func ("/core/timeline/can-be-dropped-at-any-time",
                   test_can_be_dropped_at_any_time);
  g_test_add_func ("/core/timeline/states-are-saved-with-the-log",
                   test_states_are_saved_with_the_log);
  result = g_test_run ();
  recorded_run_clear (&recorded);
  return result;
}
