/* SPDX-License-Identifier: GPL-3.0-or-later */

/* slot-words.c — what the picture says, said
 *
 * One line for what the slot is, one for where it is, one for each open Range
 * that has passed it with the reason why it skipped it.
 */
#include "widgets/slot-words.h"

#include "widgets/paint-slot.h"

#include <glib/gi18n.h>

static char *
say_entry (const MapState    *state,
           const StateBucket *bucket,
           guint              slot,
           const char        *key) {
  StateEntry entry = map_state_entry (state, (guint32)bucket->elems[slot]);
  char value[24];

  switch (entry.state) {
  case ENTRY_NIL:
    return g_strdup_printf (_("%s: deleted (nil), its entry is still held"),
                            key);
  case ENTRY_EXPUNGED:
    return g_strdup_printf (_("%s: expunged, so dirty does not hold it"), key);
  case ENTRY_VALUE:
    break;
  }
  g_snprintf (value, sizeof value, "%" G_GINT64_FORMAT, entry.value);
  return g_strdup_printf (_("%s: value %s"), key, value);
}

static char *
say_what (const MapState    *state,
          const StageHit    *hit,
          const StateBucket *bucket,
          const char        *key_format) {
  char key[64];
  char value[24];

  paint_format_key (key_format, bucket->keys[hit->slot], key, sizeof key);
  switch (paint_slot_look (state, hit->card, bucket, hit->chain, hit->slot)) {
  case LOOK_UNUSED:
    return g_strdup (_("free, and so is the rest of its chain"));
  case LOOK_FREED:
    return g_strdup (_("free: a key was deleted here, others follow"));
  case LOOK_MOVED_X:
    return g_strdup (_("evacuated to the same index (x)"));
  case LOOK_MOVED_Y:
    return g_strdup (_("evacuated to the upper half (y)"));
  case LOOK_MOVED_EMPTY:
    return g_strdup (_("was free when its bucket was evacuated"));
  case LOOK_STAYS:
  case LOOK_MOVES_UP:
  case LOOK_VALUE:
  case LOOK_NIL:
  case LOOK_EXPUNGED:
  case LOOK_N:
    break;
  }
  if (hit->card->table->flags_table & TABLE_HOLDS_ENTRIES)
    return say_entry (state, bucket, hit->slot, key);
  g_snprintf (value, sizeof value, "%" G_GINT64_FORMAT,
              (gint64)bucket->elems[hit->slot]);
  return g_strdup_printf (_("%s: value %s"), key, value);
}

static void
append_ranges (GString        *words,
               const MapState *state,
               const StageHit *hit) {
  guint32 address = hit->bucket | (hit->card->in_old ? RANGE_OLD_BUCKET : 0);
  guint bit = 1u << hit->slot;

  for (guint i = 0; i < map_state_n_iters (state); i++) {
    const StateIter *iter = map_state_iter (state, i);
    IterMarks marks;

    if (!iter->is_open || iter->table != hit->card->table->id
        || iter->table_created_ver != hit->card->table->created_ver)
      continue;
    marks = map_state_iter_marks (state, iter, address);
    if (marks.seen & bit)
      g_string_append_printf (words, _("\nRange #%u has seen it"), iter->id);
    else if (marks.skipped_nil & bit)
      g_string_append_printf (words, _("\nRange #%u skipped it: deleted"),
                              iter->id);
    else if (marks.skipped_expunged & bit)
      g_string_append_printf (words, _("\nRange #%u skipped it: expunged"),
                              iter->id);
    else if (marks.other_half & bit)
      g_string_append_printf (words,
                              _("\nRange #%u left it to the other half"),
                              iter->id);
  }
}

static char *
say_cell (const StageHit *hit) {
  guint n_main = state_array_n_main (hit->card->array);
  guint last = MIN (hit->bucket + hit->card->n_per_cell, n_main) - 1;
  guint n = 0;

  for (guint i = hit->bucket; i <= last; i++)
    for (guint slot = 0; slot < BUCKET_SLOTS; slot++)
      n += state_array_bucket (hit->card->array, i)->tophash[slot] >= TOPHASH_MIN;
  if (last == hit->bucket)
    return g_strdup_printf (_("bucket %u: %u of 8 slots used"), hit->bucket, n);
  return g_strdup_printf (_("buckets %u to %u: %u of %u slots used"),
                          hit->bucket, last, n,
                          (last - hit->bucket + 1) * BUCKET_SLOTS);
}

char *
slot_words_new (const MapState *state,
                const StageHit *hit,
                const char     *key_format) {
  const StateBucket *bucket;
  g_autofree char *what = NULL;
  GString *words;

  if (hit->card == NULL || !hit->has_slot || hit->card->array == NULL
      || hit->bucket >= state_array_n_buckets (hit->card->array))
    return NULL;
  if (hit->card->buckets == NULL)
    return say_cell (hit);
  bucket = state_array_bucket (hit->card->array, hit->bucket);
  what = say_what (state, hit, bucket, key_format);
  words = g_string_new (what);
  if (hit->bucket == hit->chain)
    g_string_append_printf (words, _("\nbucket %u, slot %u"), hit->bucket,
                            hit->slot);
  else
    g_string_append_printf (words, _("\nbucket %u, overflow of %u, slot %u"),
                            hit->bucket, hit->chain, hit->slot);
  if (bucket->tophash[hit->slot] >= TOPHASH_MIN)
    g_string_append_printf (words, _(", tophash %02x"),
                            bucket->tophash[hit->slot]);
  append_ranges (words, state, hit);
  return g_string_free (words, FALSE);
}

char *
stage_words_new (const MapState *state) {
  const StateTable *read = map_state_table_for (state, TABLE_ROLE_READ);
  const StateTable *dirty = map_state_table_for (state, TABLE_ROLE_DIRTY);
  const StateTable *only = map_state_table_for (state, TABLE_ROLE_ONLY);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  guint n_main;

  if (map_state_has_read_and_dirty (state)) {
    first = tophash_draw_format_count (read != NULL ? read->count : 0);
    if (dirty == NULL)
      return g_strdup_printf (_("read holds %s entries, dirty is nil"), first);
    second = tophash_draw_format_count (dirty->count);
    return g_strdup_printf (_("read holds %s entries, dirty %s"), first, second);
  }
  if (map_state_n_shards (state) > 0) {
    first = tophash_draw_format_count (map_state_n_live (state));
    return g_strdup_printf (_("%s keys in %u shards"), first,
                            map_state_n_shards (state));
  }
  if (only == NULL)
    return g_strdup (_("an empty map"));
  first = tophash_draw_format_count (only->count);
  if (only->oldbuckets != NULL) {
    guint n_old = state_array_n_main (only->oldbuckets);

    return g_strdup_printf (
      ngettext ("%s keys, growing: %u of %u bucket evacuated",
                "%s keys, growing: %u of %u buckets evacuated", n_old),
      first, only->n_evacuated, n_old);
  }
  n_main = only->buckets != NULL ? state_array_n_main (only->buckets) : 0;
  return g_strdup_printf (ngettext ("%s keys in %u bucket", "%s keys in %u buckets",
                                    n_main), first, n_main);
}
