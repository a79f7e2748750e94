/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-fold.c — each kind of event, against the state it must leave
 *
 * Together with test-fold-run.c the tests tell every kind at least once, as small
 * stories, so that each event meets the state it needs; told_kinds holds them to
 * it. Here: tables, slots, entries, versions.
 */
#include "core/base/hash.h"
#include "core/base/prng.h"
#include "core/state/fold.h"
#include "tests/core/fold-tell.h"

#include <stdlib.h>
#include <string.h>

static guint8
tophash_at (Fold    *fold,
            guint16  id,
            gboolean in_old,
            guint    address) {
  g_autoptr (MapState) state = fold_ref_state (fold);
  const StateTable *table = NULL;

  for (guint i = 0; i < map_state_n_tables (state); i++)
    if (map_state_table (state, i)->id == id)
      table = map_state_table (state, i);
  g_assert_nonnull (table);
  return state_array_bucket (in_old ? table->oldbuckets : table->buckets,
                             address / 8)
      ->tophash[address % 8];
}

static StateTable
table_of (Fold   *fold,
          guint16 id) {
  g_autoptr (MapState) state = fold_ref_state (fold);

  for (guint i = map_state_n_tables (state); i > 0; i--)
    if (map_state_table (state, i - 1)->id == id)
      return *map_state_table (state, i - 1);
  g_assert_not_reached ();
}

static void
write_slot (Fold   *fold,
            guint16 id,
            guint   address,
            guint64 key) {
  tell (fold, EVENT_SLOT_WRITTEN, address, 0, (guint8)(10 + key % 200), id, key,
        key * 10);
}

static void
test_slots_come_and_go (void) {
  g_autoptr (Fold) fold = fold_new ();
  StateTable table;
  StateSlot slot;

  tell (fold, EVENT_TABLE_CREATED, TABLE_IS_LAZY, 1, 0, 3, 99,
        (guint64)HASH_IDENTITY << 32);
  tell (fold, EVENT_TABLE_NAMED, 0, 2, 0, 3, 0, 0);
  table = table_of (fold, 3);
  g_assert_null (table.buckets);
  g_assert_cmpint (table.role, ==, TABLE_ROLE_ONLY);
  g_assert_cmpint (table.hash_kind, ==, HASH_IDENTITY);
  g_assert_cmpuint (table.created_ver, ==, 1);
  g_assert_cmpuint (table.hash0, ==, 99);
  tell (fold, EVENT_TABLE_ALLOCATED, 0, 3, 0, 3, 0, 0);
  tell (fold, EVENT_SLOT_WRITTEN, 0, 4, 5, 3, 7, 70);
  tell (fold, EVENT_SLOT_UPDATED, 0, 5, 0, 3, 7, 71);
  {
    g_autoptr (MapState) state = fold_ref_state (fold);

    g_assert_true (map_state_find_key (state, map_state_table (state, 0), 7,
                                       &slot));
    g_assert_cmpuint (slot.slot, ==, 0);
    g_assert_cmpuint (map_state_n_live (state), ==, 1);
    g_assert_cmpuint (state_array_bucket (map_state_table (state, 0)->buckets, 0)
                          ->elems[0], ==, 71);
    g_assert_cmpuint (state_array_bucket (map_state_table (state, 0)->buckets, 0)
                          ->touched, ==, 5);
  }
  tell (fold, EVENT_SLOT_CLEARED, 0, 6, 0, 3, 0, 0);
  tell (fold, EVENT_TABLE_RESEEDED, 0, 7, 0, 3, 1234, 0);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 0), ==, TOPHASH_EMPTY_REST);
  table = table_of (fold, 3);
  g_assert_cmpuint (table.count, ==, 0);
  g_assert_cmpuint (table.hash0, ==, 1234);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
}

static void
test_empty_rest_runs_back_over_buckets (void) {
  g_autoptr (Fold) fold = fold_new ();

  tell (fold, EVENT_TABLE_CREATED, 0, 1, 1, 3, 99, 0);
  for (guint i = 0; i < 8; i++)
    write_slot (fold, 3, i, i);
  tell (fold, EVENT_OVERFLOW_LINKED, 0, 0, 0, 3, 0, 0);
  write_slot (fold, 3, 16, 8);
  write_slot (fold, 3, 17, 9);
  g_assert_cmpuint (table_of (fold, 3).noverflow, ==, 1);

  /* Slots 6 and 7 go while something follows: emptyOne stays. */
  tell (fold, EVENT_SLOT_CLEARED, 7, 0, 0, 3, 0, 0);
  tell (fold, EVENT_SLOT_CLEARED, 6, 0, 0, 3, 0, 0);
  tell (fold, EVENT_SLOT_CLEARED, 16, 0, 0, 3, 0, 0);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 6), ==, TOPHASH_EMPTY_ONE);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 7), ==, TOPHASH_EMPTY_ONE);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 16), ==, TOPHASH_EMPTY_ONE);
  /* The last one goes: the run goes back into the main bucket, to slot 6. */
  tell (fold, EVENT_SLOT_CLEARED, 17, 0, 0, 3, 0, 0);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 17), ==, TOPHASH_EMPTY_REST);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 16), ==, TOPHASH_EMPTY_REST);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 7), ==, TOPHASH_EMPTY_REST);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 6), ==, TOPHASH_EMPTY_REST);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 5), >=, TOPHASH_MIN);
  g_assert_cmpuint (table_of (fold, 3).count, ==, 6);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
}

/* Two main buckets, the first with an overflow bucket: 12 keys in chain 0. */
static Fold *
grown_fold (gboolean is_same_size) {
  Fold *fold = fold_new ();

  tell (fold, EVENT_TABLE_CREATED, TABLE_WIPES_OLD, 1, 1, 3, 99, 0);
  tell (fold, EVENT_TABLE_FLAGS_CHANGED, 0, 2,
        GOMAP_FLAG_ITERATOR | GOMAP_FLAG_OLD_ITERATOR, 3, 0, 0);
  for (guint i = 0; i < 8; i++)
    write_slot (fold, 3, i, i);
  tell (fold, EVENT_OVERFLOW_LINKED, 0, 0, 0, 3, 0, 0);
  for (guint i = 0; i < 4; i++)
    write_slot (fold, 3, 16 + i, 8 + i);
  tell (fold, EVENT_GROWTH_STARTED, is_same_size, 0, is_same_size ? 1 : 2, 3, 0,
        0);
  return fold;
}

static void
test_growth_moves_chains (void) {
  g_autoptr (Fold) fold = grown_fold (FALSE);
  StateTable table = table_of (fold, 3);

  g_assert_cmpuint (table.B, ==, 2);
  g_assert_cmpuint (table.flags, ==, GOMAP_FLAG_OLD_ITERATOR);
  g_assert_cmpuint (table.noverflow, ==, 0);
  /* Nine of twelve go to x: one more than a bucket holds. */
  tell (fold, EVENT_BUCKET_EVACUATED, 0, 0, 0x07, 3, 0, 0);
  tell (fold, EVENT_BUCKET_EVACUATED, 2, 0, 0x00, 3, 0, 0);
  table = table_of (fold, 3);
  g_assert_cmpuint (table.n_evacuated, ==, 1);
  g_assert_cmpuint (table.noverflow, ==, 1);
  g_assert_cmpuint (table.count, ==, 12);
  g_assert_cmpuint (tophash_at (fold, 3, TRUE, 0), ==, TOPHASH_EVACUATED_Y);
  g_assert_cmpuint (tophash_at (fold, 3, TRUE, 3), ==, TOPHASH_EVACUATED_X);
  g_assert_cmpuint (tophash_at (fold, 3, TRUE, 20), ==, TOPHASH_EVACUATED_EMPTY);
  /* x: keys 3..7, 8..10 fill bucket 0; key 11 is in overflow bucket 4. */
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 0), ==, 13);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 7), ==, 20);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 32), ==, 21);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 33), ==, TOPHASH_EMPTY_REST);
  /* y: keys 0..2 */
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 16), ==, 10);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 18), ==, 12);

  tell (fold, EVENT_CHAIN_WIPED, 0, 0, 0, 3, 0, 0);
  {
    g_autoptr (MapState) state = fold_ref_state (fold);
    const StateBucket *old =
        state_array_bucket (map_state_table (state, 0)->oldbuckets, 0);

    g_assert_cmpint (old->keys[4], ==, 0);
    g_assert_cmpuint (old->overflow, ==, 0);
    g_assert_cmpuint (old->tophash[4], ==, TOPHASH_EVACUATED_X);
  }
  tell (fold, EVENT_EVACUATION_ADVANCED, 1, 0, 0, 3, 0, 0);
  g_assert_cmpuint (table_of (fold, 3).nevacuate, ==, 1);
  tell (fold, EVENT_BUCKET_EVACUATED, 1, 0, 0, 3, 1, 0);
  tell (fold, EVENT_EVACUATION_ADVANCED, 2, 0, 0, 3, 0, 0);
  tell (fold, EVENT_GROWTH_ENDED, 0, 0, 0, 3, 0, 0);
  table = table_of (fold, 3);
  g_assert_null (table.oldbuckets);
  g_assert_cmpuint (table.nevacuate, ==, 2);
  tell (fold, EVENT_OVERFLOW_COUNTED, 17, 0, 0, 3, 0, 0);
  g_assert_cmpuint (table_of (fold, 3).noverflow, ==, 17);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
}

static void
test_same_size_growth_packs (void) {
  g_autoptr (Fold) fold = grown_fold (TRUE);

  g_assert_cmpuint (table_of (fold, 3).flags, ==,
                    GOMAP_FLAG_OLD_ITERATOR | GOMAP_FLAG_SAME_SIZE_GROW);
  tell (fold, EVENT_BUCKET_EVACUATED, 0, 0, 0, 3, 0, 0);
  tell (fold, EVENT_BUCKET_EVACUATED, 2, 0, 0, 3, 0, 0);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 7), ==, 17);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 16), ==, 18);
  g_assert_cmpuint (tophash_at (fold, 3, FALSE, 19), ==, 21);

  tell (fold, EVENT_TABLE_CLEARED, 0, 0, 0, 3, 55, 0);
  g_assert_cmpuint (table_of (fold, 3).flags, ==, GOMAP_FLAG_OLD_ITERATOR);
  g_assert_cmpuint (table_of (fold, 3).count, ==, 0);
  g_assert_cmpuint (table_of (fold, 3).hash0, ==, 55);
  g_assert_null (table_of (fold, 3).oldbuckets);
  g_assert_cmpuint (state_array_n_buckets (table_of (fold, 3).buckets), ==, 2);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
}

static void
test_a_copy_without_memory_leaves_dirty_nil (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;

  tell (fold, EVENT_TABLE_CREATED, TABLE_HOLDS_ENTRIES, 1, 1, 1, 99, 0);
  tell (fold, EVENT_READ_PUBLISHED, 0, 2, 0, 1, 0, 0);
  tell (fold, EVENT_TABLE_CREATED, TABLE_HOLDS_ENTRIES, 3, 1, 2, 99, 0);
  tell (fold, EVENT_DIRTY_CREATED, 0, 4, 0, 2, 0, 0);
  tell (fold, EVENT_DIRTY_DROPPED, 0, 5, 0, 2, 0, 0);
  tell (fold, EVENT_TABLE_FREED, 3, 0, 0, 2, 0, 0);
  state = fold_ref_state (fold);
  g_assert_null (map_state_table_for (state, TABLE_ROLE_DIRTY));
  g_assert_cmpuint (map_state_n_tables (state), ==, 1);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
  /* There is no dirty to drop twice. */
  tell (fold, EVENT_DIRTY_DROPPED, 0, 6, 0, 2, 0, 0);
  g_assert_cmpuint (fold_n_faults (fold), ==, 1);
}

static void
test_read_and_dirty_tell_their_story (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;

  /* Read: keys 0 to 9 as entries 100 to 109, of which 0 is deleted. */
  tell (fold, EVENT_TABLE_CREATED, TABLE_HOLDS_ENTRIES, 1, 1, 1, 99, 0);
  tell (fold, EVENT_READ_PUBLISHED, 0, 2, 0, 1, 0, 0);
  tell (fold, EVENT_TABLE_CREATED, TABLE_HOLDS_ENTRIES, 3, 1, 2, 99, 0);
  tell (fold, EVENT_DIRTY_CREATED, 0, 4, 0, 2, 0, 0);
  tell (fold, EVENT_DIRTY_COPIED, 0, 5, 0, 0, 0, 0);
  tell (fold, EVENT_READ_AMENDED, 0, 6, 0, 0, 0, 0);
  for (guint i = 0; i < 10; i++) {
    tell (fold, EVENT_ENTRY_STORED, 100 + i, 1, 0, 0, i * 10, 0);
    if (i == 8)
      tell (fold, EVENT_OVERFLOW_LINKED, 0, 0, 0, 2, 0, 0);
    tell (fold, EVENT_SLOT_WRITTEN, i < 8 ? i : 8 + i, 0, (guint8)(20 + i), 2, i,
          100 + i);
  }
  tell (fold, EVENT_MISS_COUNTED, 4, 7, 0, 0, 0, 0);
  state = fold_ref_state (fold);
  g_assert_true (map_state_is_amended (state));
  g_assert_cmpuint (map_state_misses (state), ==, 4);
  g_assert_cmpuint (map_state_n_live (state), ==, 10);
  g_clear_pointer (&state, map_state_unref);

  tell (fold, EVENT_DIRTY_PROMOTED, 9, 8, OP_LOAD, 2, 0, 0);
  tell (fold, EVENT_ENTRY_DELETED, 100, 2, 0, 0, 0, 0);
  state = fold_ref_state (fold);
  g_assert_null (map_state_table_for (state, TABLE_ROLE_DIRTY));
  g_assert_cmpuint (map_state_table_for (state, TABLE_ROLE_READ)->promotion, ==,
                    1);
  g_assert_cmpint (map_state_table (state, 0)->role, ==, TABLE_ROLE_SUPERSEDED);
  g_assert_cmpuint (map_state_table (state, 0)->superseded_at, >, 0);
  g_assert_false (map_state_is_amended (state));
  g_assert_cmpuint (map_state_misses (state), ==, 0);
  g_assert_cmpuint (map_state_n_live (state), ==, 9);
  g_assert_cmpuint (map_state_n_nil (state), ==, 1);
  g_clear_pointer (&state, map_state_unref);

  /* The next copy drops the deleted one; nine fit a bucket and one more. */
  tell (fold, EVENT_TABLE_FREED, 1, 0, 0, 1, 0, 0);
  tell (fold, EVENT_TABLE_CREATED, TABLE_HOLDS_ENTRIES, 9, 1, 1, 99, 0);
  tell (fold, EVENT_DIRTY_CREATED, 10, 10, 0, 1, 0, 0);
  tell (fold, EVENT_ENTRY_EXPUNGED, 100, 3, 0, 0, 0, 0);
  tell (fold, EVENT_BUCKET_COPIED, 0, 11, 0xfe, 1, 0, 2);
  tell (fold, EVENT_BUCKET_COPIED, 2, 12, 0x03, 1, 0, 2);
  tell (fold, EVENT_DIRTY_COPIED, 9, 13, 0, 0, 1, 0);
  state = fold_ref_state (fold);
  g_assert_cmpuint (map_state_n_tables (state), ==, 2);
  g_assert_cmpuint (map_state_table_for (state, TABLE_ROLE_DIRTY)->count, ==, 9);
  g_assert_cmpuint (map_state_table_for (state, TABLE_ROLE_DIRTY)->noverflow, ==,
                    1);
  g_assert_cmpuint (tophash_at (fold, 1, FALSE, 0), ==, 21);
  g_assert_cmpuint (tophash_at (fold, 1, FALSE, 16), ==, 29);
  g_assert_cmpuint (map_state_n_live (state), ==, 9);
  g_assert_cmpuint (map_state_n_expunged (state), ==, 1);
  g_assert_cmpuint (map_state_counters (state)->n_copied, ==, 9);
  g_assert_cmpuint (map_state_count_entries (
                        state, map_state_table_for (state, TABLE_ROLE_READ),
                        ENTRY_EXPUNGED), ==, 1);
  g_clear_pointer (&state, map_state_unref);

  /* A store brings the expunged one back. */
  tell (fold, EVENT_ENTRY_UNEXPUNGED, 100, 4, 0, 0, 0, 0);
  tell (fold, EVENT_SLOT_WRITTEN, 17, 14, 20, 1, 0, 100);
  tell (fold, EVENT_ENTRY_STORED, 100, 5, 0, 0, 77, 0);
  state = fold_ref_state (fold);
  g_assert_cmpuint (map_state_n_live (state), ==, 10);
  g_assert_cmpuint (map_state_n_expunged (state), ==, 0);
  g_assert_cmpint (map_state_entry (state, 100).value, ==, 77);
  g_assert_cmpint (map_state_entry (state, 100).key, ==, 0);
  g_assert_cmpuint (map_state_entry (state, 100).version, ==, 5);
  g_assert_false (map_state_entry (state, 4711).is_known);
  g_clear_pointer (&state, map_state_unref);

  /* Clear: a new read, dirty emptied in place. */
  tell (fold, EVENT_TABLE_CREATED, TABLE_HOLDS_ENTRIES, 15, 0, 5, 99, 0);
  tell (fold, EVENT_READ_PUBLISHED, 0, 16, 0, 5, 0, 0);
  tell (fold, EVENT_TABLE_CLEARED, 0, 17, 0, 1, 98, 0);
  tell (fold, EVENT_MISSES_RESET, 0, 18, 0, 0, 0, 0);
  state = fold_ref_state (fold);
  g_assert_nonnull (map_state_table_for (state, TABLE_ROLE_DIRTY));
  g_assert_cmpuint (map_state_n_live (state), ==, 0);
  g_assert_cmpuint (map_state_counters (state)->n_cleared, ==, 1);
  /* An entry that only old readers know no longer counts. */
  tell (fold, EVENT_ENTRY_STORED, 101, 2, 0, 0, 1, 0);
  g_clear_pointer (&state, map_state_unref);
  state = fold_ref_state (fold);
  g_assert_cmpuint (map_state_n_live (state), ==, 0);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
}

static void
test_shards_stand_side_by_side (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;

  for (guint16 i = 0; i < 3; i++) {
    tell (fold, EVENT_TABLE_CREATED, 0, 1, 1, i, 99, i);
    tell (fold, EVENT_TABLE_NAMED, i, 2, 1, i, 0, 0);
    for (guint key = 0; key <= i; key++)
      write_slot (fold, i, key, key);
  }
  state = fold_ref_state (fold);
  g_assert_cmpuint (map_state_n_shards (state), ==, 3);
  g_assert_cmpuint (map_state_n_live (state), ==, 6);
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpint (map_state_shard (state, i)->role, ==, TABLE_ROLE_SHARD);
    g_assert_cmpuint (map_state_shard (state, i)->domain, ==, i);
    g_assert_cmpuint (map_state_shard (state, i)->count, ==, i + 1);
  }
  g_assert_null (map_state_shard (state, 3));
  tell (fold, EVENT_TABLE_NAMED, 1u << 20, 2, 1, 0, 0, 0);
  g_assert_cmpuint (fold_n_faults (fold), ==, 1);
}

/* Entry 5 holds key 7: 70, then deleted, then 72; version ids 3, 4, 6. */
static void
test_versions_hang_in_chains (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;
  StateVersion version;
  StateEntry entry;
  guint64 link;

  tell (fold, EVENT_TABLE_CREATED, TABLE_HOLDS_ENTRIES | TABLE_HOLDS_VERSIONS, 1,
        1, 1, 99, 0);
  tell (fold, EVENT_READ_PUBLISHED, 0, 2, 0, 1, 0, 0);
  tell (fold, EVENT_VERSION_WRITTEN, 3, 1, 0, 0, 70, 7);
  tell (fold, EVENT_ENTRY_STORED, 5, 1, 0, 0, 3, 0);
  tell (fold, EVENT_SLOT_WRITTEN, 0, 3, 20, 1, 7, 5);
  tell (fold, EVENT_VERSION_STAMPED, 3, 1, 0, 0, 1, 0);
  tell (fold, EVENT_WRITE_BARRIER, 0, 0, 0, 0, 2, 0);
  tell (fold, EVENT_VERSION_WRITTEN, 4, 1, 1, 0, 0, 7);
  tell (fold, EVENT_ENTRY_STORED, 5, 2, 0, 0, 4, 0);
  state = fold_ref_state (fold);
  entry = map_state_entry (state, 5);
  g_assert_cmpint (entry.state, ==, ENTRY_NIL);
  g_assert_cmpuint ((guint32)entry.newest, ==, 5);
  g_assert_cmpuint (map_state_n_live (state), ==, 0);
  g_assert_cmpuint (map_state_n_nil (state), ==, 1);
  g_assert_cmpuint (map_state_clock (state), ==, 2);
  g_clear_pointer (&state, map_state_unref);

  /* Another thread's stamp comes before the version itself. */
  tell (fold, EVENT_VERSION_STAMPED, 6, 2, 0, 0, 3, 0);
  tell (fold, EVENT_VERSION_WRITTEN, 6, 2, 0, 0, 72, 7);
  tell (fold, EVENT_ENTRY_STORED, 5, 3, 0, 0, 6, 0);
  tell (fold, EVENT_VERSION_RETIRED, 6, 1, 0, 0, 0, 0);
  state = fold_ref_state (fold);
  entry = map_state_entry (state, 5);
  g_assert_cmpint (entry.value, ==, 72);
  link = entry.newest;
  g_assert_true (map_state_next_version (state, &link, &version));
  g_assert_cmpuint (version.stamp, ==, 3);
  g_assert_cmpint (version.value, ==, 72);
  g_assert_true (map_state_next_version (state, &link, &version));
  g_assert_true (version.is_deleted);
  g_assert_cmpuint (version.stamp, ==, 0);
  g_assert_true (map_state_next_version (state, &link, &version));
  g_assert_cmpint (version.value, ==, 70);
  g_assert_cmpint (version.key, ==, 7);
  g_assert_false (map_state_next_version (state, &link, &version));
  g_assert_cmpuint (map_state_n_live (state), ==, 1);
  g_clear_pointer (&state, map_state_unref);

  /* The tail goes, and its first id is used again. */
  tell (fold, EVENT_VERSION_RETIRED, 4, 1, 0, 0, 0, 0);
  tell (fold, EVENT_VERSION_RETIRED, 3, 1, 0, 0, 0, 0);
  tell (fold, EVENT_VERSION_WRITTEN, 4, 2, 0, 0, 1, 8);
  state = fold_ref_state (fold);
  link = map_state_entry (state, 5).newest;
  g_assert_true (map_state_next_version (state, &link, &version));
  g_assert_false (map_state_next_version (state, &link, &version));
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
  tell (fold, EVENT_VERSION_WRITTEN, G_MAXUINT32, 2, 0, 0, 1, 8);
  tell (fold, EVENT_ENTRY_STORED, 5, 4, 0, 0, G_MAXUINT64, 0);
  g_assert_cmpuint (fold_n_faults (fold), ==, 2);
}

/* Entry 5 holds version 3, then 4, which its thread tells last of all: version 3 has
 * been cut off by then, and both ids are used again by others. */
static void
test_versions_outrun_their_entries (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;
  Event reused = make (EVENT_VERSION_WRITTEN, 3, 2, 0, 0, 170, 9);
  StateVersion version;
  guint64 link;

  reused.thread = 1;
  tell (fold, EVENT_TABLE_CREATED, TABLE_HOLDS_ENTRIES | TABLE_HOLDS_VERSIONS, 1,
        1, 1, 99, 0);
  tell (fold, EVENT_READ_PUBLISHED, 0, 2, 0, 1, 0, 0);
  tell (fold, EVENT_VERSION_WRITTEN, 3, 1, 0, 0, 70, 7);
  tell (fold, EVENT_ENTRY_STORED, 5, 1, 0, 0, 3, 0);
  tell (fold, EVENT_SLOT_WRITTEN, 0, 3, 20, 1, 7, 5);
  tell (fold, EVENT_VERSION_WRITTEN, 4, 1, 0, 0, 71, 7);
  fold_apply (fold, &reused);
  tell (fold, EVENT_ENTRY_STORED, 5, 2, 0, 0, 4, 0);
  state = fold_ref_state (fold);
  link = map_state_entry (state, 5).newest;
  g_assert_true (map_state_next_version (state, &link, &version));
  g_assert_cmpint (version.value, ==, 71);
  g_assert_false (map_state_next_version (state, &link, &version));
  g_clear_pointer (&state, map_state_unref);

  tell (fold, EVENT_VERSION_WRITTEN, 8, 1, 1, 0, 0, 7);
  reused = make (EVENT_VERSION_WRITTEN, 8, 2, 0, 0, 172, 9);
  reused.thread = 1;
  fold_apply (fold, &reused);
  tell (fold, EVENT_ENTRY_STORED, 5, 3, 0, 0, 8, 0);
  state = fold_ref_state (fold);
  link = map_state_entry (state, 5).newest;
  g_assert_cmpint (map_state_entry (state, 5).state, ==, ENTRY_NIL);
  g_assert_cmpint (map_state_entry (state, 5).value, ==, 0);
  g_assert_false (map_state_next_version (state, &link, &version));
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
}

static void
test_states_stay_as_they_were (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (Fold) again = NULL;
  g_autoptr (MapState) before = NULL;
  g_autoptr (MapState) after = NULL;

  tell (fold, EVENT_TABLE_CREATED, 0, 1, 6, 3, 99, 0);
  tell (fold, EVENT_TABLE_NAMED, 0, 2, 0, 3, 0, 0);
  for (guint i = 0; i < 500; i++)
    write_slot (fold, 3, i, i);
  before = fold_ref_state (fold);
  again = fold_new_from_state (before);
  for (guint i = 0; i < 500; i += 2) {
    tell (fold, EVENT_SLOT_CLEARED, i, 0, 0, 3, 0, 0);
    tell (again, EVENT_SLOT_UPDATED, i, 0, 0, 3, i, 5);
  }
  after = fold_ref_state (again);
  for (guint i = 0; i < 500; i++) {
    const StateBucket *old =
        state_array_bucket (map_state_table (before, 0)->buckets, i / 8);
    const StateBucket *now =
        state_array_bucket (map_state_table (after, 0)->buckets, i / 8);

    g_assert_cmpuint (old->tophash[i % 8], >=, TOPHASH_MIN);
    g_assert_cmpuint (old->elems[i % 8], ==, i * 10);
    g_assert_cmpuint (now->elems[i % 8], ==, i % 2 == 0 ? 5 : i * 10);
  }
  g_assert_cmpuint (table_of (fold, 3).count, ==, 250);
  g_assert_cmpuint (fold_bytes_copied (fold), >, 0);
}

/* Any event: the hot kinds mostly, on a few tables, fitting or not. */
static Event
any_event (Prng *prng) {
  static const EventKind hot[] = {
    EVENT_SLOT_WRITTEN,  EVENT_SLOT_WRITTEN,   EVENT_SLOT_UPDATED,
    EVENT_SLOT_CLEARED,  EVENT_ENTRY_STORED,   EVENT_ENTRY_DELETED,
    EVENT_ENTRY_EXPUNGED, EVENT_ENTRY_UNEXPUNGED, EVENT_OVERFLOW_LINKED,
  };
  gboolean is_hot = prng_below (prng, 100) < 98;
  Event event = { .at_ns = ++now_ns };

  event.kind = is_hot ? hot[prng_below (prng, G_N_ELEMENTS (hot))]
                      : (guint8)prng_below (prng, EVENT_N_KINDS + 2);
  /* After a drop no fault would be counted. */
  if (event.kind == EVENT_DROPPED)
    event.kind = EVENT_READ_AMENDED;
  event.res = (guint32)prng_below (prng, event.kind == EVENT_OVERFLOW_LINKED
                                             ? 600 : 280);
  if (event.kind == EVENT_TABLE_CREATED)
    event.res &= TABLE_HOLDS_ENTRIES;
  event.ver = (guint32)prng_below (prng, 4);
  event.aux8 = (guint8)prng_below (prng, is_hot ? 256 : 9);
  event.aux16 = (guint16)prng_below (prng, 8) % 5 % 3;
  event.thread = (guint16)prng_below (prng, 3);
  event.a = prng_below (prng, 50);
  event.b = prng_below (prng, 900);
  return event;
}

/* A run is folded with what is ahead looked up: N3 of fold-many.c. */
static void
test_a_run_is_as_its_events (void) {
  g_autoptr (Fold) single = fold_new ();
  g_autoptr (Fold) many = fold_new ();
  Event events[600];
  Prng prng;

  prng_init (&prng, 11);
  for (guint run = 0; run < 400; run++) {
    guint n = 1 + (guint)prng_below (&prng, G_N_ELEMENTS (events));

    for (guint i = 0; i < n; i++)
      events[i] = any_event (&prng);
    for (guint id = 0; id < 3 && run % 20 == 0 && id < n; id++)
      events[id] = make (EVENT_TABLE_CREATED, id > 0 ? TABLE_HOLDS_ENTRIES : 0,
                         run, 5, (guint16)id, 5, 0);
    for (guint i = 0; i < n; i++)
      fold_apply (single, &events[i]);
    fold_apply_many (many, events, n);
    /* Taking a state also takes the address of each bucket away. */
    if (run % 10 == 9)
      assert_equal (single, many);
  }
}

/* Of a table of a few buckets: chains are long, and it grows. */
static Event
any_event_of_few_buckets (Prng *prng) {
  static const EventKind kinds[] = {
    EVENT_SLOT_WRITTEN,     EVENT_SLOT_WRITTEN,     EVENT_SLOT_WRITTEN,
    EVENT_SLOT_WRITTEN,     EVENT_SLOT_UPDATED,     EVENT_SLOT_CLEARED,
    EVENT_SLOT_CLEARED,     EVENT_SLOT_CLEARED,     EVENT_OVERFLOW_LINKED,
    EVENT_BUCKET_EVACUATED, EVENT_BUCKET_EVACUATED,
  };
  EventKind kind = kinds[prng_below (prng, G_N_ELEMENTS (kinds))];
  guint64 res = prng_below (prng, 40);

  if (prng_below (prng, 100) == 0)
    return make (EVENT_GROWTH_STARTED, (guint32)prng_below (prng, 2), 0,
                 (guint8)(1 + prng_below (prng, 3)), 1, 0, 0);
  if (prng_below (prng, 100) == 0)
    return make (EVENT_GROWTH_ENDED, 0, 0, 0, 1, 0, 0);
  if (kind == EVENT_OVERFLOW_LINKED)
    res = prng_below (prng, 6);
  if (kind == EVENT_BUCKET_EVACUATED)
    return make (kind, (guint32)(res % 5), 0,
                 (guint8)(prng_below (prng, 256) & prng_below (prng, 256)), 1,
                 prng_below (prng, 2), 0);
  return make (kind, (guint32)res, 0, (guint8)(5 + prng_below (prng, 200)), 1,
               prng_below (prng, 50), prng_below (prng, 900));
}

/* Where chains end is remembered, and emptyRest runs back from bucket to bucket. */
static void
test_a_run_of_few_buckets_is_as_its_events (void) {
  for (guint seed = 0; seed < 60; seed++) {
    g_autoptr (Fold) single = fold_new ();
    g_autoptr (Fold) many = fold_new ();
    Event events[300];
    Prng prng;

    prng_init (&prng, seed);
    for (guint run = 0; run < 30; run++) {
      guint n = 1 + (guint)prng_below (&prng, G_N_ELEMENTS (events));

      for (guint i = 0; i < n; i++)
        events[i] = any_event_of_few_buckets (&prng);
      if (run == 0)
        events[0] = make (EVENT_TABLE_CREATED, 0, 1, 1, 1, 5, 0);
      for (guint i = 0; i < n; i++)
        fold_apply (single, &events[i]);
      fold_apply_many (many, events, n);
      if (run % 5 == 4)
        assert_equal (single, many);
    }
  }
}

/* A slot is written where the moved ones of its chain ended; then more are moved. */
static void
test_a_run_moves_behind_what_was_written (void) {
  g_autoptr (Fold) single = fold_new ();
  g_autoptr (Fold) many = fold_new ();
  Event events[256];
  guint n = 0;

  events[n++] = make (EVENT_TABLE_CREATED, 0, 1, 1, 1, 5, 0);
  for (guint slot = 0; slot < 8; slot++)
    events[n++] = make (EVENT_SLOT_WRITTEN, slot, 0, 9, 1, slot, slot);
  events[n++] = make (EVENT_OVERFLOW_LINKED, 0, 0, 0, 1, 0, 0);
  events[n++] = make (EVENT_SLOT_WRITTEN, 16, 0, 9, 1, 16, 16);
  events[n++] = make (EVENT_GROWTH_STARTED, 0, 0, 2, 1, 0, 0);
  events[n++] = make (EVENT_SLOT_WRITTEN, 24, 0, 9, 1, 24, 24);
  /* So often that the buckets are looked up ahead. */
  while (n < G_N_ELEMENTS (events) - 3)
    events[n++] = make (EVENT_SLOT_UPDATED, 24, 0, 0, 1, 24, 5);
  events[n++] = make (EVENT_BUCKET_EVACUATED, 0, 0, 0xf0, 1, 0, 0);
  events[n++] = make (EVENT_SLOT_WRITTEN, 4, 0, 9, 1, 40, 41);
  events[n++] = make (EVENT_BUCKET_EVACUATED, 2, 0, 0, 1, 0, 0);
  for (guint i = 0; i < n; i++)
    fold_apply (single, &events[i]);
  fold_apply_many (many, events, n);
  g_assert_cmpuint (fold_n_faults (many), ==, 0);
  g_assert_cmpint (state_array_bucket (table_of (many, 1).buckets, 0)->keys[4], ==,
                   40);
  assert_equal (single, many);
}

static void
test_every_kind_was_told (void) {
  for (guint kind = EVENT_NONE + 1; kind < EVENT_TIME; kind++)
    if (!kind_is_of_run (kind) && !told_kinds[kind])
      g_error ("%s was not told", event_kind_name (kind));
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/fold/slots-come-and-go", test_slots_come_and_go);
  g_test_add_func ("/core/fold/empty-rest-runs-back-over-buckets",
                   test_empty_rest_runs_back_over_buckets);
  g_test_add_func ("/core/fold/growth-moves-chains", test_growth_moves_chains);
  g_test_add_func ("/core/fold/same-size-growth-packs",
                   test_same_size_growth_packs);
  g_test_add_func ("/core/fold/a-copy-without-memory-leaves-dirty-nil",
                   test_a_copy_without_memory_leaves_dirty_nil);
  g_test_add_func ("/core/fold/read-and-dirty-tell-their-story",
                   test_read_and_dirty_tell_their_story);
  g_test_add_func ("/core/fold/shards-stand-side-by-side",
                   test_shards_stand_side_by_side);
  g_test_add_func ("/core/fold/versions-hang-in-chains",
                   test_versions_hang_in_chains);
  g_test_add_func ("/core/fold/versions-outrun-their-entries",
                   test_versions_outrun_their_entries);
  g_test_add_func ("/core/fold/states-stay-as-they-were",
                   test_states_stay_as_they_were);
  g_test_add_func ("/core/fold/a-run-is-as-its-events",
                   test_a_run_is_as_its_events);
  g_test_add_func ("/core/fold/a-run-of-few-buckets-is-as-its-events",
                   test_a_run_of_few_buckets_is_as_its_events);
  g_test_add_func ("/core/fold/a-run-moves-behind-what-was-written",
                   test_a_run_moves_behind_what_was_written);
  g_test_add_func ("/core/fold/every-kind-was-told", test_every_kind_was_told);
  return g_test_run ();
}
