/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-search.c — the language of queries, and searches against a plain pass */
#include "record-run.h"

#include "core/base/prng.h"
#include "core/engine/syncmap.h"
#include "core/state/fold.h"
#include "core/state/timeline-search.h"

#include <string.h>

static RecordedRun of_syncmap;
static RecordedRun of_shards;
static RecordedRun of_chains; /* one chain: many overflow buckets */

static void
record_once (void) {
  RecordRun run = { .klass = &syncmap_class,
                    .hash = HASH_GOOD,
                    .seed = 5,
                    .n_workers = 3,
                    .n_operations = 2000,
                    .n_keys = 60,
                    .span_period = 1,
                    .tells_yields = TRUE };

  of_syncmap = record_run (&run);
  run.klass = engine_class_find ("shardmap");
  run.span_period = 3;
  run.n_keys = 900;
  of_shards = record_run (&run);
  run.klass = &syncmap_class;
  run.hash = HASH_TOP_BITS;
  run.n_keys = 120;
  of_chains = record_run (&run);
}

/* The language ------------------------------------------------------------- */

static void
test_reads_back_its_own_text (void) {
  static const struct {
    const char *text;
    const char *wanted;
  } cases[] = {
    { "promotion", "kind = dirty-promoted" },
    { "PROMOTION", "kind = dirty-promoted" },
    { "kind!=op-began", "kind != op-began" },
    { "misses = len(dirty) - 1", "misses = len(dirty) - 1" },
    { "misses=LEN( dirty )-1", "misses = len(dirty) - 1" },
    { "overflow>=2", "overflow >= 2" },
    { "overflow ≥ 2", "overflow >= 2" },
    { "key=k17 and thread=2 and op=store",
      "key = k17 and thread = 2 and op = store" },
    { "key=17", "key = 17" },
    { "key=k-3", "key = k-3" },
    { "key = -3", "key = -3" },
    { "op=load ns > 1000", "op = load and ns > 1000" },
    { "thread=main", "thread = main" },
    { "a_lone", NULL },
    { "growing", "growing" },
    { "not growing", "not growing" },
    { "not not growing", "growing" },
    { "not (not growing)", "growing" },
    { "(not (not growing) overflow >= 2) misses = 1", "growing and overflow >= 2 and misses = 1" },
    { "(growing)", "growing" },
    { "not (growing or hit)", "not (growing or hit)" },
    { "growing or hit and missed", "growing or hit and missed" },
    { "(growing or hit) missed", "(growing or hit) and missed" },
    { "growing (hit missed)", "growing and (hit and missed)" },
    { "growing or (hit or missed)", "growing or (hit or missed)" },
    { "load > 6.5", "load > 6.5" },
    { "load>=.5", NULL },
    { "evacuated > 0.50", "evacuated > 0.5" },
    { "misses-live > 3", "misses - live > 3" },
    { "len(map) = 3 - -2", "len(map) = 3 - -2" },
    { "len(7) == 1", "len(7) = 1" },
    { "2 < misses", "2 < misses" },
    { "B = 3", "B = 3" },
    { "op=load-or-store", "op = load-or-store" },
    { "op != len", "op != len" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (EventQuery) again = NULL;
    g_autoptr (EventQuery) query = event_query_new (cases[i].text, "k%d", &error);

    if (cases[i].wanted == NULL) {
      g_assert_null (query);
      g_assert_error (error, EVENT_QUERY_ERROR, 0);
      continue;
    }
    g_assert_no_error (error);
    g_assert_cmpstr (event_query_get_text (query), ==, cases[i].wanted);
    again = event_query_new (event_query_get_text (query), "k%d", &error);
    g_assert_no_error (error);
    g_assert_cmpstr (event_query_get_text (again), ==, cases[i].wanted);
  }
}

static void
test_errors_name_the_column (void) {
  static const struct {
    const char *text;
    const char *wanted;
  } cases[] = {
    { "", "column 1: wanted a number or a word, found the end" },
    { "misses = ", "column 10: wanted a number or a word, found the end" },
    { "misses = frogs", "column 10: wanted a word of the language, found “frogs”" },
    { "kind = frog", "column 8: wanted the name of a kind, found “frog”" },
    { "kind < op-began",
      "column 6: wanted = or !=, as kinds and operations have no order, found “<”" },
    { "op = 3", "column 6: wanted the name of an operation, found “3”" },
    { "key", "column 4: wanted something to compare with, found the end" },
    { "(misses > 3", "column 12: wanted “)”, found the end" },
    { "misses > 3)", "column 11: wanted “and”, “or” or the end, found “)”" },
    { "len dirty", "column 5: wanted “(” after len, found “dirty”" },
    { "len(frog)",
      "column 5: wanted read, dirty, map or a table’s number, found “frog”" },
    { "ö", "column 1: wanted a number or a word, found “ö”" },
    { "key = “ö”", "column 7: wanted a number or a word, found “““" },
    { "kind + 1 = 2", "column 10: wanted numbers to add, found “=”" },
    { "3 = kind", "column 9: wanted kinds and operations on the left, found the end" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (event_query_new (cases[i].text, "k%d", &error));
    g_assert_error (error, EVENT_QUERY_ERROR, 0);
    if (g_str_has_prefix (cases[i].wanted, "column 7"))
      continue;
    g_assert_cmpstr (error->message, ==, cases[i].wanted);
  }
}

static void
test_depth_is_bounded (void) {
  g_autoptr (GString) deep = g_string_new (NULL);
  g_autoptr (GString) wide = g_string_new ("hit");
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 2000; i++)
    g_string_append_c (deep, '(');
  g_assert_null (event_query_new (deep->str, NULL, &error));
  g_assert_error (error, EVENT_QUERY_ERROR, 0);
  g_clear_error (&error);
  for (guint i = 0; i < 1000; i++)
    g_string_append (wide, " or hit");
  g_assert_null (event_query_new (wide->str, NULL, &error));
  g_assert_error (error, EVENT_QUERY_ERROR, 0);
}

/* Each word is of use somewhere. */
static void
test_knows_each_of_its_words (void) {
  static const char *const frames[] = {
    "%s", "%s > 1", "kind = %s", "op = %s", "len(%s) > 0", "hit %s missed",
    "%s hit", "%s = op-began", "%s = load",
  };
  const char *const *words = event_query_words ();

  for (guint i = 0; words[i] != NULL; i++) {
    gboolean is_read = FALSE;

    for (guint k = 0; k < G_N_ELEMENTS (frames) && !is_read; k++) {
      char **parts = g_strsplit (frames[k], "%s", 2);
      g_autofree char *text = g_strconcat (parts[0], words[i], parts[1], NULL);
      g_autoptr (EventQuery) query = event_query_new (text, NULL, NULL);

      is_read = query != NULL;
      g_strfreev (parts);
    }
    if (!is_read)
      g_test_message ("%s", words[i]);
    g_assert_true (is_read);
    g_assert_true (i == 0 || g_ascii_strcasecmp (words[i - 1], words[i]) <= 0);
  }
}

static void
test_completes_a_word (void) {
  static const char *const cases[][2] = { /* typed; whole, NULL: there is nothing */
    { "PROMOTIO ", "promotion" },
    { "key=k17 and op=sto", "key=k17 and op=store" },
    { "misses = len(dirty) - 1 and growin", "misses = len(dirty) - 1 and growing" },
    { "dirty-prom", "dirty-promoted" },
    { "op", NULL },        /* too short to guess from */
    { "zebra", NULL },
    { "key=k17 and op=", NULL },
    { "len(dir", NULL },   /* one bracket is still lacking */
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *whole = event_query_complete (cases[i][0], "k%d");

    g_assert_cmpstr (whole, ==, cases[i][1]);
  }
}

static void
test_gives_good_examples (void) {
  for (const EventQueryExample *example = event_query_examples ();
       example->query != NULL; example++) {
    g_autoptr (EventQuery) query = event_query_new (example->query, NULL, NULL);

    g_assert_nonnull (query);
  }
}

/* Against a plain pass ----------------------------------------------------- */

typedef struct {
  const Event    *event;
  const MapState *before; /* a slot is cleared in it */
  const MapState *after;
  gint64          began_ns; /* of an operation that ends; -1: not known */
  const StateThread *thread;
} Scene;

typedef gboolean (*Truth) (const Scene *scene);

static guint64
longest_chain (const MapState *state) {
  guint64 longest = 0;

  for (guint t = 0; t < map_state_n_tables (state); t++) {
    const StateTable *table = map_state_table (state, t);

    if (table->role == TABLE_ROLE_SUPERSEDED || table->role == TABLE_ROLE_NONE
        || table->buckets == NULL)
      continue;
    for (guint i = 0; i < state_array_n_main (table->buckets); i++) {
      const StateBucket *bucket = state_array_bucket (table->buckets, i);
      guint64 n = 0;

      for (; bucket->overflow != 0; n++)
        bucket = state_array_bucket (table->buckets, bucket->overflow);
      longest = MAX (longest, n);
    }
  }
  return longest;
}

static gboolean
is_promotion (const Scene *scene) {
  return scene->event->kind == EVENT_DIRTY_PROMOTED;
}

static gboolean
is_store_of_2 (const Scene *scene) {
  return (scene->event->kind == EVENT_OP_BEGAN
          || scene->event->kind == EVENT_OP_ENDED
          || scene->event->kind == EVENT_OP_TOLD
          || scene->event->kind == EVENT_OPS_COUNTED)
         && scene->event->aux8 == OP_STORE && scene->event->thread == 2;
}

static gboolean
is_slow_load (const Scene *scene) {
  return scene->event->kind == EVENT_OP_ENDED && scene->event->aux8 == OP_LOAD
         && scene->began_ns >= 0
         && scene->event->at_ns - (gint64)scene->event->ver - scene->began_ns
                > 1500;
}

static gboolean
is_of_bucket (const Scene *scene) {
  const Event *event = scene->event;

  return (event->kind == EVENT_SLOT_WRITTEN || event->kind == EVENT_SLOT_CLEARED
          || event->kind == EVENT_SLOT_UPDATED)
         && event->res / 8 == 1 && event->aux16 > 0 && event->res % 8 >= 2;
}

static gboolean
is_missed_and_promoted (const Scene *scene) {
  return (scene->event->kind == EVENT_OP_ENDED
          || scene->event->kind == EVENT_OP_TOLD)
         && (scene->event->aux16 & OP_PATH_MISSED)
         && (scene->event->aux16 & OP_PATH_PROMOTED);
}

static gboolean
is_no_lock (const Scene *scene) {
  return scene->event->kind != EVENT_LOCK_ACQUIRED
         && scene->event->kind != EVENT_LOCK_RELEASED
         && scene->event->thread != 1;
}

static gboolean
is_key_7 (const Scene *scene) {
  const Event *event = scene->event;
  StateEntry entry;

  if (event->kind == EVENT_OP_BEGAN || event->kind == EVENT_SLOT_WRITTEN
      || event->kind == EVENT_SLOT_UPDATED || event->kind == EVENT_RANGE_YIELDED
      || event->kind == EVENT_SNAPSHOT_GAVE)
    return event->a == 7
           && (event->kind != EVENT_OP_BEGAN || event->aux8 < OP_RANGE);
  if (event->kind == EVENT_OP_TOLD)
    return event->aux8 < OP_RANGE && event_told_key (event) == 7;
  if (event->kind == EVENT_OP_ENDED)
    return event->aux8 < OP_RANGE && scene->thread->key == 7;
  if (event->kind == EVENT_SLOT_CLEARED)
    for (guint i = map_state_n_tables (scene->before); i > 0; i--) {
      const StateTable *table = map_state_table (scene->before, i - 1);

      if (table->id == event->aux16)
        return state_array_bucket (table->buckets, event->res / 8)
                   ->keys[event->res % 8] == 7;
    }
  if (event_kind_gate ((EventKind)event->kind) != GATE_ENTRY)
    return FALSE;
  entry = map_state_entry (scene->after, event->res);
  return entry.is_known && entry.key == 7;
}

static gboolean
is_short_of_promotion (const Scene *scene) {
  const StateTable *dirty
      = map_state_table_for (scene->after, TABLE_ROLE_DIRTY);

  return dirty != NULL
         && map_state_misses (scene->after) == dirty->count - 1;
}

static gboolean
has_overflow (const Scene *scene) {
  return longest_chain (scene->after) >= 2;
}

static gboolean
has_4_overflow (const Scene *scene) {
  return longest_chain (scene->after) == 4;
}

static gboolean
is_growing (const Scene *scene) {
  for (guint i = 0; i < map_state_n_tables (scene->after); i++) {
    const StateTable *table = map_state_table (scene->after, i);

    if (table->role != TABLE_ROLE_SUPERSEDED && table->role != TABLE_ROLE_NONE
        && table->oldbuckets != NULL)
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_written_while_growing (const Scene *scene) {
  return scene->event->kind == EVENT_SLOT_WRITTEN && is_growing (scene);
}

static gboolean
has_40_live (const Scene *scene) {
  return map_state_n_live (scene->after) >= 40;
}

static gboolean
has_waiters (const Scene *scene) {
  guint n = 0;

  for (guint i = 0; i < map_state_n_threads (scene->after); i++)
    n += map_state_thread (scene->after, i)->waits_for >= 0;
  return n > 0;
}

static gboolean
has_more_expunged (const Scene *scene) {
  return map_state_n_expunged (scene->after) + 1
         > map_state_n_nil (scene->after);
}

static gboolean
is_amended_or_held (const Scene *scene) {
  StateMemory memory;

  map_state_get_memory (scene->after, &memory);
  return map_state_is_amended (scene->after)
         || memory.read + memory.dirty + memory.entries + memory.deleted
                    + memory.versions
                > 3000;
}

/* A condition on the state alone, and what is to match beside it. */
typedef struct {
  const char *text;
  Truth       events; /* NULL: none */
  Truth       state;  /* NULL: none */
} Case;

static const Case cases[] = {
  { "promotion", is_promotion, NULL },
  { "thread=2 op=store", is_store_of_2, NULL },
  { "op = load and ns > 1500", is_slow_load, NULL },
  { "bucket=1 and table>0 and slot>=2", is_of_bucket, NULL },
  { "missed promoted", is_missed_and_promoted, NULL },
  { "not (lock-acquired or lock-released or thread = 1)", is_no_lock, NULL },
  { "key = k7", is_key_7, NULL },
  { "misses = len(dirty) - 1", NULL, is_short_of_promotion },
  { "overflow >= 2", NULL, has_overflow },
  { "overflow = 4", NULL, has_4_overflow },
  { "growing", NULL, is_growing },
  { "growing kind=slot-written", is_written_while_growing, NULL },
  { "live >= 40", NULL, has_40_live },
  { "promotion or live >= 40", is_promotion, has_40_live },
  { "waiting", NULL, has_waiters },
  { "expunged + 1 > deleted", NULL, has_more_expunged },
  { "amended or held > 3000", NULL, is_amended_or_held },
};

static const StateThread *
find_thread (const MapState *state,
             guint16         thread) {
  for (guint i = 0; i < map_state_n_threads (state); i++)
    if (map_state_thread (state, i)->thread == thread)
      return map_state_thread (state, i);
  return NULL;
}

/* The positions that a plain pass finds: every event looked at, whole. */
static GArray *
plain_pass (TraceLog   *log,
            const Case *wanted) {
  GArray *places = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (Fold) fold = fold_new ();
  guint64 length = tracelog_get_length (log);
  g_autofree gint64 *began = g_new0 (gint64, G_MAXUINT16 + 1);
  gboolean held = FALSE;

  memset (began, -1, sizeof (gint64) * (G_MAXUINT16 + 1));
  for (guint64 i = 0; i < length; i++) {
    g_autoptr (MapState) before = NULL;
    guint64 position = i + 1;
    Scene scene;
    Event event;
    gboolean matches;

    tracelog_get_event (log, i, &event);
    if (event.kind == EVENT_SLOT_CLEARED)
      before = fold_ref_state (fold);
    fold_apply (fold, &event);
    if (event.kind == EVENT_OP_BEGAN)
      began[event.thread] = event.at_ns - (gint64)event.res;
    scene = (Scene){ &event, before, fold_peek_state (fold),
                     began[event.thread],
                     find_thread (fold_peek_state (fold), event.thread) };
    matches = wanted->events != NULL && wanted->events (&scene);
    if (wanted->state != NULL) {
      gboolean now = wanted->state (&scene);

      matches = matches || (now && !held);
      held = now;
    }
    if (event.kind == EVENT_OP_ENDED)
      began[event.thread] = -1;
    if (matches)
      g_array_append_val (places, position);
  }
  return places;
}

static guint
check_case (TraceLog   *log,
            Timeline   *timeline,
            const Case *wanted) {
  g_autoptr (GArray) places = plain_pass (log, wanted);
  g_autoptr (GError) error = NULL;
  g_autoptr (EventQuery) query = event_query_new (wanted->text, "k%d", &error);
  g_autoptr (TimelineSearch) search = NULL;
  guint64 length = tracelog_get_length (log);

  g_assert_no_error (error);
  search = timeline_search_new (timeline, query);
  timeline_search_wait (search);
  g_assert_true (timeline_search_is_complete (search));
  g_assert_cmpuint (timeline_search_get_progress (search), ==, length);
  for (guint i = 0; i < places->len; i++) {
    SearchHit hit = { 0 };
    Event event;

    g_assert_true (timeline_search_get (search, i, &hit));
    if (hit.position != g_array_index (places, guint64, i))
      g_test_message ("%s: hit %u", wanted->text, i);
    g_assert_cmpuint (hit.position, ==, g_array_index (places, guint64, i));
    tracelog_get_event (log, hit.position - 1, &event);
    g_assert_cmpint (hit.at_ns, ==, event.at_ns);
    g_assert_cmpuint (hit.kind, ==, event.kind);
    g_assert_true (event_query_kinds (query) >> event.kind & 1);
  }
  if (timeline_search_get_n (search) != places->len)
    g_test_message ("%s", wanted->text);
  g_assert_cmpuint (timeline_search_get_n (search), ==, places->len);
  return places->len;
}

static void
test_finds_what_a_plain_pass_finds (void) {
  TraceLog *logs[] = { of_syncmap.log, of_shards.log, of_chains.log };
  guint n_found[G_N_ELEMENTS (cases)] = { 0 };

  for (guint k = 0; k < G_N_ELEMENTS (logs); k++) {
    g_autoptr (Timeline) timeline = timeline_new (logs[k]);

    timeline_wait (timeline);
    for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
      n_found[i] += check_case (logs[k], timeline, &cases[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    if (n_found[i] == 0 && strstr (cases[i].text, "waiting") == NULL
        && strstr (cases[i].text, "ns >") == NULL)
      g_test_message ("nothing for %s", cases[i].text);
    g_assert_true (n_found[i] > 0 || strstr (cases[i].text, "waiting") != NULL
                   || strstr (cases[i].text, "ns >") != NULL);
  }
}

/* Next and previous, by a match. */
static void
test_steps_from_match_to_match (void) {
  static const guint chosen[] = { 0, 3, 6, 7, 8, 13 };
  g_autoptr (Timeline) timeline = timeline_new (of_chains.log);

  timeline_wait (timeline);
  for (guint i = 0; i < G_N_ELEMENTS (chosen); i++) {
    const Case *wanted = &cases[chosen[i]];
    g_autoptr (GArray) places = plain_pass (of_chains.log, wanted);
    g_autoptr (EventQuery) query = event_query_new (wanted->text, "k%d", NULL);
    guint step = places->len / 20 + 1;

    for (guint k = 0; k + step < places->len; k += step) {
      guint64 place = g_array_index (places, guint64, k);
      guint64 next = g_array_index (places, guint64, k + 1);

      g_assert_cmpuint (timeline_find_match (timeline, place, TRUE, query, NULL),
                        ==, next);
      g_assert_cmpuint (
          timeline_find_match (timeline, next - 1, FALSE, query, NULL), ==, place);
    }
    if (places->len > 0) {
      guint64 last = g_array_index (places, guint64, places->len - 1);

      g_assert_cmpuint (timeline_find_match (timeline, last, TRUE, query, NULL),
                        ==, G_MAXUINT64);
      g_assert_cmpuint (timeline_find_match (timeline, G_MAXUINT64, FALSE, query,
                                             NULL),
                        ==, last);
    }
  }
}

/* Searches ----------------------------------------------------------------- */

static void
test_counts_and_bins_its_hits (void) {
  g_autoptr (Timeline) timeline = timeline_new (of_syncmap.log);
  g_autoptr (EventQuery) query = event_query_new ("miss-counted", NULL, NULL);
  g_autoptr (TimelineSearch) search = timeline_search_new (timeline, query);
  guint32 counts[50];
  SearchHit hit;
  guint64 n;
  guint64 sum = 0;
  gint64 end;

  timeline_search_wait (search);
  n = timeline_search_get_n (search);
  g_assert_cmpuint (n, >, 10);
  g_assert_false (timeline_search_get (search, n, &hit));
  g_assert_true (timeline_search_get (search, 4, &hit));
  g_assert_cmpuint (timeline_search_count_to (search, hit.position), ==, 5);
  g_assert_cmpuint (timeline_search_count_to (search, hit.position - 1), ==, 4);
  g_assert_cmpuint (timeline_search_count_to (search, 0), ==, 0);
  g_assert_cmpuint (timeline_search_count_to (search, G_MAXUINT64), ==, n);
  end = timeline_get_duration_ns (timeline) + 1;
  timeline_search_get_density (search, 0, end, 50, counts);
  for (guint i = 0; i < 50; i++)
    sum += counts[i];
  g_assert_cmpuint (sum, ==, n);
  timeline_search_get_density (search, end, 2 * end, 50, counts);
  g_assert_cmpuint (counts[0], ==, 0);
}

static void
test_follows_a_growing_log (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (Timeline) timeline = timeline_new (log);
  g_autoptr (EventQuery) query = event_query_new ("live >= 40", NULL, NULL);
  g_autoptr (TimelineSearch) search = timeline_search_new (timeline, query);
  g_autoptr (Timeline) whole = timeline_new (of_syncmap.log);
  g_autoptr (TimelineSearch) other = timeline_search_new (whole, query);
  guint64 length = tracelog_get_length (of_syncmap.log);

  for (guint64 i = 0; i < length; i++) {
    Event event;

    tracelog_get_event (of_syncmap.log, i, &event);
    tracelog_append (log, &event);
    if (i % 997 == 0) {
      tracelog_publish (log);
      g_assert_cmpuint (timeline_search_get_progress (search), <=, i + 1);
    }
  }
  g_assert_false (timeline_search_is_complete (search));
  tracelog_publish (log);
  tracelog_finish (log, FALSE);
  timeline_search_wait (search);
  timeline_search_wait (other);
  g_assert_cmpuint (timeline_search_get_n (search), ==,
                    timeline_search_get_n (other));
}

/* Let go of in the middle, and the timeline before it. */
static void
test_can_be_dropped_at_any_time (void) {
  g_autoptr (EventQuery) query = event_query_new ("misses = 3", NULL, NULL);

  for (guint i = 0; i < 50; i++) {
    Timeline *timeline = timeline_new (of_syncmap.log);
    TimelineSearch *search = timeline_search_new (timeline, query);

    timeline_unref (timeline);
    if (i % 3 == 0)
      timeline_search_get_n (search);
    timeline_search_unref (search);
  }
}

/* A pass from the middle finds what the whole one finds from there on. */
static void
test_begins_in_the_middle (void) {
  static const char *const texts[] = { "misses = len(dirty) - 1", "overflow >= 2",
                                       "key = 7", "live > 30", "op=load ns > 900",
                                       "value > 100" };
  TraceLog *log = of_chains.log;
  guint64 length = tracelog_get_length (log);

  for (guint t = 0; t < G_N_ELEMENTS (texts); t++) {
    g_autoptr (EventQuery) query = event_query_new (texts[t], NULL, NULL);
    g_autoptr (QueryWalk) whole = query_walk_new (query);
    g_autoptr (QueryWalk) part = query_walk_new (query);
    g_autoptr (Fold) fold = fold_new ();

    for (guint64 i = 0; i < length; i++) {
      gboolean matches;
      Event event;

      if (i == length / 2) {
        query_walk_begin (part, fold_peek_state (fold));
        for (guint64 k = 0; k < i; k++) {
          tracelog_get_event (log, k, &event);
          query_walk_note (part, &event);
        }
      }
      tracelog_get_event (log, i, &event);
      fold_apply (fold, &event);
      matches = query_walk_matches (whole, &event, fold_peek_state (fold));
      if (i >= length / 2)
        g_assert_cmpint (query_walk_matches (part, &event, fold_peek_state (fold)),
                         ==, matches);
    }
  }
}

int
main (int    argc,
      char **argv) {
  int result;

  g_test_init (&argc, &argv, NULL);
  record_once ();
  g_test_add_func ("/core/search/reads-back-its-own-text",
                   test_reads_back_its_own_text);
  g_test_add_func ("/core/search/errors-name-the-column",
                   test_errors_name_the_column);
  g_test_add_func ("/core/search/depth-is-bounded", test_depth_is_bounded);
  g_test_add_func ("/core/search/knows-each-of-its-words",
                   test_knows_each_of_its_words);
  g_test_add_func ("/core/search/completes-a-word", test_completes_a_word);
  g_test_add_func ("/core/search/gives-good-examples", test_gives_good_examples);
  g_test_add_func ("/core/search/finds-what-a-plain-pass-finds",
                   test_finds_what_a_plain_pass_finds);
  g_test_add_func ("/core/search/counts-and-bins-its-hits",
                   test_counts_and_bins_its_hits);
  g_test_add_func ("/core/search/steps-from-match-to-match",
                   test_steps_from_match_to_match);
  g_test_add_func ("/core/search/begins-in-the-middle", test_begins_in_the_middle);
  g_test_add_func ("/core/search/follows-a-growing-log",
                   test_follows_a_growing_log);
  g_test_add_func ("/core/search/can-be-dropped-at-any-time",
                   test_can_be_dropped_at_any_time);
  result = g_test_run ();
  recorded_run_clear (&of_syncmap);
  recorded_run_clear (&of_shards);
  recorded_run_clear (&of_chains);
  return result;
}
