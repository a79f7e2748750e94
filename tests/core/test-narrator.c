/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-narrator.c — sentences for events, against the words and the figures */
#include "record-run.h"

#include "core/engine/syncmap.h"
#include "core/model/narrator.h"
#include "core/state/fold.h"

#include <string.h>

static Event
make (EventKind kind,
      guint32   res,
      guint8    aux8,
      guint16   aux16,
      guint64   a,
      guint64   b) {
  Event event = { .kind = (guint8)kind, .res = res, .aux8 = aux8,
                  .aux16 = aux16, .a = a, .b = b, .thread = 3 };

  return event;
}

static void
assert_told (const Event      *event,
             const MapState   *before,
             NarrationRegister wording,
             const char       *wanted) {
  g_autofree char *text = narrator_event (event, before, "k%d", wording);

  g_assert_cmpstr (text, ==, wanted);
}

/* A read with k1, a dirty with k1 and k2, amended. */
static MapState *
amended_state (void) {
  g_autoptr (Fold) fold = fold_new ();
  Event events[] = {
    make (EVENT_TABLE_CREATED, TABLE_HOLDS_ENTRIES, 0, 1, 9, HASH_FUNCTION),
    make (EVENT_READ_PUBLISHED, 0, 0, 1, 0, 0),
    make (EVENT_SLOT_WRITTEN, 0, 7, 1, 1, 11),
    make (EVENT_ENTRY_STORED, 11, 0, 0, 100, 0),
    make (EVENT_TABLE_CREATED, TABLE_HOLDS_ENTRIES, 0, 2, 9, HASH_FUNCTION),
    make (EVENT_DIRTY_CREATED, 1, 0, 2, 0, 0),
    make (EVENT_BUCKET_COPIED, 0, 1, 2, 0, 1),
    make (EVENT_READ_AMENDED, 0, 0, 0, 0, 0),
    make (EVENT_SLOT_WRITTEN, 1, 8, 2, 2, 12),
    make (EVENT_ENTRY_STORED, 12, 0, 0, 200, 0),
  };

  events[0].b = events[4].b = (guint64)HASH_FUNCTION << 32;
  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    fold_apply (fold, &events[i]);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
  return fold_ref_state (fold);
}

/* A map begins with one bucket. */
static void
test_counts_one_as_one (void) {
  Event created = make (EVENT_TABLE_CREATED, 0, 0, 1, 0, 0);
  Event advanced = make (EVENT_EVACUATION_ADVANCED, 1, 0, 1, 0, 0);
  Event ended = make (EVENT_RANGE_ENDED, 1, 0, 1, 0, 0);

  assert_told (&created, NULL, NARRATION_PLAIN,
               "W4 makes an empty table of 1 bucket.");
  created.aux8 = 3;
  assert_told (&created, NULL, NARRATION_PLAIN,
               "W4 makes an empty table of 8 buckets.");
  assert_told (&advanced, NULL, NARRATION_PLAIN,
               "the table: the first 1 old bucket is moved.");
  assert_told (&ended, NULL, NARRATION_PLAIN,
               "W4 has walked to the end and seen 1 key.");
}

static void
test_figures_come_from_the_state_before (void) {
  g_autoptr (MapState) state = amended_state ();
  Event load = make (EVENT_OP_BEGAN, 0, OP_LOAD, 0, 54, 0);
  Event miss = make (EVENT_MISS_COUNTED, 1, 0, 0, 0, 0);
  Event promoted = make (EVENT_DIRTY_PROMOTED, 2, OP_LOAD, 2, 0, 0);
  Event deleted = make (EVENT_ENTRY_DELETED, 12, 0, 0, 0, 0);
  Event cleared = make (EVENT_SLOT_CLEARED, 1, 0, 2, 0, 0);

  assert_told (&load, state, NARRATION_PLAIN,
               "W4 begins Load(k54): not in read, but dirty holds more keys.");
  assert_told (&load, state, NARRATION_EXPERT,
               "W4 Load(k54): read lacks it, amended");
  load.a = 1;
  assert_told (&load, state, NARRATION_PLAIN,
               "W4 begins Load(k1): it is in read.");
  assert_told (&miss, state, NARRATION_EXPERT, "W4: misses 1 of len(dirty) 2");
  assert_told (&promoted, state, NARRATION_PLAIN,
               "W4 promotes dirty: it becomes read with its 2 keys. Only a "
               "pointer moves; nothing is copied.");
  /* Unknown, no figure is made up. */
  assert_told (&miss, NULL, NARRATION_PLAIN, "W4 had to look in dirty: miss 1.");
  assert_told (&miss, NULL, NARRATION_EXPERT, "W4: misses 1");
  assert_told (&promoted, NULL, NARRATION_PLAIN,
               "W4 promotes dirty: it becomes read. Only a pointer moves; "
               "nothing is copied.");
  assert_told (&deleted, state, NARRATION_PLAIN,
               "W4 deletes k2: its entry becomes nil, the key stays.");
  assert_told (&cleared, state, NARRATION_PLAIN,
               "W4 takes k2 out of bucket 0 of dirty.");
}

/* What ended behind the gap began in it: its key is not the former one's. */
static void
test_no_key_is_told_across_a_gap (void) {
  g_autoptr (Fold) fold = fold_new ();
  Event began = make (EVENT_OP_BEGAN, 0, OP_LOAD, 0, 54, 0);
  Event dropped = make (EVENT_DROPPED, 40, 0, 0, 0, 0);
  Event ended = make (EVENT_OP_ENDED, 0, OP_LOAD, OP_PATH_OK, 7, 0);
  Event stored = make (EVENT_OP_ENDED, 0, OP_STORE, 0, 0, 0);

  fold_apply (fold, &began);
  assert_told (&ended, fold_peek_state (fold), NARRATION_EXPERT,
               "W4 ends Load(k54) with 7");
  assert_told (&stored, fold_peek_state (fold), NARRATION_EXPERT,
               "W4 ends Store: stored");
  fold_apply (fold, &dropped);
  assert_told (&ended, fold_peek_state (fold), NARRATION_EXPERT,
               "W4 ends Load with 7");
}

static void
test_operations_in_brief_say_how_they_went (void) {
  Event load = make (EVENT_OP_TOLD, 54, OP_LOAD, OP_PATH_OK | OP_PATH_IN_READ, 0,
                     0);
  Event store = make (EVENT_OP_TOLD, 0xfffffffe, OP_STORE,
                      OP_PATH_LOCKED | OP_PATH_NEW_KEY, 0, 0);

  store.ver = 0xffffffff;
  load.ver = 0;
  assert_told (&load, NULL, NARRATION_PLAIN,
               "W4 did Load(k54): found. The key was in read, so no lock was "
               "needed.");
  assert_told (&load, NULL, NARRATION_EXPERT,
               "W4 did Load(k54): found: found in read");
  assert_told (&store, NULL, NARRATION_PLAIN,
               "W4 did Store(k-2): a new key. It needed the lock.");
  load.aux16 = 0;
  assert_told (&load, NULL, NARRATION_PLAIN, "W4 did Load(k54): not there.");
}

static void
test_a_walk_may_not_be_told (void) {
  g_autoptr (MapState) state = amended_state ();
  Event range = make (EVENT_RANGE_BEGAN, 0, 3, 1, 1, 0);

  range.ver = 7;
  assert_told (&range, state, NARRATION_PLAIN,
               "W4 begins to walk read, which holds 1 key, at a random bucket: "
               "0.");
  range.ver = 0;
  assert_told (&range, state, NARRATION_PLAIN,
               "W4 begins to walk read, which holds 1 key; at this pace the walk "
               "is not told.");
}

static void
test_a_misuse_names_its_check (void) {
  Event event = make (EVENT_MISUSE_DETECTED, MISUSE_AT_ENTRY,
                      MISUSE_CONCURRENT_WRITES, 1, 17, 1);

  event.ver = OP_STORE + 1;
  assert_told (&event, NULL, NARRATION_PLAIN,
               "W4 began Store(k17) while W1 was writing. Go would stop here "
               "with “fatal error: concurrent map writes”.");
  assert_told (&event, NULL, NARRATION_EXPERT,
               "W4: hashWriting set at entry to Store(k17), by W1: fatal error: "
               "concurrent map writes");
  event.res = MISUSE_AT_EXIT;
  event.b = 0;
  assert_told (&event, NULL, NARRATION_PLAIN,
               "W4 ended Store(k17) and found that another thread had been "
               "writing, too. Go would stop here with “fatal error: concurrent "
               "map writes”.");
  event = make (EVENT_MISUSE_DETECTED, MISUSE_AT_STEP, MISUSE_ITERATION_AND_WRITE,
                1, 0, 2);
  assert_told (&event, NULL, NARRATION_EXPERT,
               "W4: hashWriting set at a step of its iteration, by W2: fatal "
               "error: concurrent map iteration and map write");
}

/* Stamps of one operation may be equal: what was measured is told. */
static void
test_a_release_tells_the_measured_hold (void) {
  Event release = make (EVENT_LOCK_RELEASED, 0, 0, 0, 2500, 0);

  assert_told (&release, NULL, NARRATION_PLAIN,
               "W4 releases the lock after 2.5 µs.");
  release.a = 0;
  assert_told (&release, NULL, NARRATION_PLAIN, "W4 releases the lock.");
}

static void
test_without_a_state_sentences_still_stand (void) {
  for (guint kind = 0; kind < EVENT_N_KINDS + 3; kind++) {
    Event event = make ((EventKind)kind, 0xffffffff, 0xff, 0xffff, G_MAXUINT64,
                        G_MAXUINT64);
    g_autofree char *plain = narrator_event (&event, NULL, "k%d",
                                             NARRATION_PLAIN);
    g_autofree char *expert = narrator_event (&event, NULL, "k%d",
                                              NARRATION_EXPERT);

    g_assert_cmpuint (strlen (plain), >, 3);
    g_assert_cmpuint (strlen (expert), >, 3);
  }
}

/* Every event of a real run, in both registers. */
static void
test_a_whole_run_is_told (void) {
  RecordRun run = { .klass = &syncmap_class, .hash = HASH_GOOD, .seed = 5,
                    .n_workers = 2, .n_operations = 400, .n_keys = 30,
                    .span_period = 1 };
  RecordedRun recorded = record_run (&run);
  g_autoptr (Fold) fold = fold_new ();

  for (guint64 i = 0; i < tracelog_get_length (recorded.log); i++) {
    Event event;
    g_autofree char *plain = NULL;
    g_autofree char *expert = NULL;

    tracelog_get_event (recorded.log, i, &event);
    plain = narrator_event (&event, fold_peek_state (fold), "key-%d",
                            NARRATION_PLAIN);
    expert = narrator_event (&event, fold_peek_state (fold), "key-%d",
                             NARRATION_EXPERT);
    g_assert_true (g_str_has_suffix (plain, "."));
    g_assert_true (g_utf8_validate (expert, -1, NULL));
    fold_apply (fold, &event);
  }
  recorded_run_clear (&recorded);
}

static void
test_landmarks_are_short (void) {
  g_autofree char *promotion = narrator_landmark (EVENT_DIRTY_PROMOTED, 3, FALSE);
  g_autofree char *copy = narrator_landmark (EVENT_DIRTY_COPIED, 22, FALSE);
  g_autofree char *growth = narrator_landmark (EVENT_GROWTH_STARTED, 4, FALSE);
  g_autofree char *same = narrator_landmark (EVENT_GROWTH_STARTED, 4, TRUE);
  g_autofree char *main = narrator_thread (EVENT_THREAD_MAIN);

  g_assert_cmpstr (promotion, ==, "promotion 3");
  g_assert_cmpstr (copy, ==, "copy 22");
  g_assert_cmpstr (growth, ==, "growth ×2");
  g_assert_cmpstr (same, ==, "growth =");
  g_assert_cmpstr (main, ==, "main");
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/narrator/counts-one-as-one", test_counts_one_as_one);
  g_test_add_func ("/core/narrator/a-walk-may-not-be-told",
                   test_a_walk_may_not_be_told);
  g_test_add_func ("/core/narrator/a-misuse-names-its-check",
                   test_a_misuse_names_its_check);
  g_test_add_func ("/core/narrator/a-release-tells-the-measured-hold",
                   test_a_release_tells_the_measured_hold);
  g_test_add_func ("/core/narrator/figures-come-from-the-state-before",
                   test_figures_come_from_the_state_before);
  g_test_add_func ("/core/narrator/no-key-is-told-across-a-gap",
                   test_no_key_is_told_across_a_gap);
  g_test_add_func ("/core/narrator/operations-in-brief-say-how-they-went",
                   test_operations_in_brief_say_how_they_went);
  g_test_add_func ("/core/narrator/without-a-state-sentences-still-stand",
                   test_without_a_state_sentences_still_stand);
  g_test_add_func ("/core/narrator/a-whole-run-is-told",
                   test_a_whole_run_is_told);
  g_test_add_func ("/core/narrator/landmarks-are-short",
                   test_landmarks_are_short);
  return g_test_run ();
}
