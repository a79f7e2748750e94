/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-strip-words.c — what the strips say of locks, views, shards, chains */
#include "tests/widgets/scenes.h"
#include "widgets/strip-words.h"

#include <string.h>

static void
test_lock (void) {
  g_autoptr (MapState) state = scene_lock_queue ();
  const StateLock *lock = map_state_lock (state, 0);
  g_autofree char *words = lock_words_new (state, lock);
  g_autofree char *life = lock_life_new (state, lock);

  g_assert_cmpstr (words, ==,
                   "W2 goes in when 2 readers have left; no new reader before it");
  g_assert_cmpint (lock_wait_of (lock, 1), ==, LOCK_WAIT_DRAIN);
  g_assert_cmpint (lock_wait_of (lock, 2), ==, LOCK_WAIT_READ);
  g_assert_cmpint (lock_wait_of (lock, 4), ==, LOCK_WAIT_ALONE);
  g_assert_nonnull (strstr (life, "\nW2 is next and waits for the readers to leave"
                                  "\nW3 waits to read"
                                  "\nW5 waits to have it alone\n"));
}

/* Of each chain every view sees at most one version, the one it should. */
static void
test_views (void) {
  static const struct {
    gint64      key;
    const char *words;
  } wanted[] = {
    { 3, "302 from version 3 on\n301 from version 2 on · view 2\n"
         "21 from version 1 on · view 1" },
    { 4, "28 from version 1 on · view 1, 2" },
    { 7, "deleted in version 2 · view 2\n49 from version 1 on · view 1" },
  };
  g_autoptr (MapState) state = scene_views ();
  g_autofree char *view = view_words_new (state, map_state_snapshot (state, 0));

  g_assert_true (g_str_has_prefix (view, "view 1 · version 1 · W3 · 12 keys · "));
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++) {
    g_autofree char *words = chain_words_new (state, (guint32)wanted[i].key);

    g_assert_cmpstr (words, ==, wanted[i].words);
    g_assert_true (stage_state_has_past (state, (guint32)wanted[i].key)
                   == (wanted[i].key != 4));
  }
  g_assert_null (chain_words_new (state, 60));
}

static void
test_shards (void) {
  g_autoptr (MapState) state = scene_shards (64);
  g_autofree char *words = shard_words_new (state, 5);

  g_assert_true (g_str_has_prefix (words, "shard 5: 11 keys, load 5.5 of 6.5\n"));
  g_assert_nonnull (strstr (words, "\nW1 has it alone, for "));
  g_assert_nonnull (strstr (words, "\nW2 waits to read\n"));
  g_assert_true (shard_lock (state, 63)->id == 63);
  g_assert_null (shard_lock (state, 64));
}

static void
test_a_snapshot_says_how_far_it_is (void) {
  g_autoptr (MapState) state = scene_views_given (5);
  g_autofree char *first = view_words_new (state, map_state_snapshot (state, 0));
  g_autofree char *second = view_words_new (state, map_state_snapshot (state, 1));
  g_autofree char *rest = view_rest_new (state, map_state_snapshot (state, 1));

  g_assert_true (g_str_has_prefix (first, "view 1 · version 1 · W3 · 12 keys · "));
  g_assert_true (
    g_str_has_prefix (second, "view 2 · version 2 · W2 · 5 of 12 keys · "));
  g_assert_true (g_str_has_prefix (rest, "W2 · 5 of 12 keys · "));
}

/* What was selected may be gone, or never have been. */
static void
test_selection (void) {
  g_autoptr (MapState) state = scene_views ();
  TophashSelection selection = { SELECTION_VIEW, .item = 2 };
  g_autofree char *open = item_words_new (state, &selection);
  g_autofree char *closed = NULL;
  g_autofree char *title = item_title_new (state, &selection);

  g_assert_true (g_str_has_prefix (open, "view 2 · version 2 · "));
  g_assert_cmpstr (title, ==, "view 2");
  selection.item = 9;
  closed = item_words_new (state, &selection);
  g_assert_cmpstr (closed, ==, "closed");
  selection = (TophashSelection) { SELECTION_LOCK, .item = 9 };
  g_assert_null (item_words_new (state, &selection));
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/widgets/strip-words/lock", test_lock);
  g_test_add_func ("/widgets/strip-words/views", test_views);
  g_test_add_func ("/widgets/strip-words/a-snapshot-says-how-far-it-is",
                   test_a_snapshot_says_how_far_it_is);
  g_test_add_func ("/widgets/strip-words/shards", test_shards);
  g_test_add_func ("/widgets/strip-words/selection", test_selection);
  return g_test_run ();
}
