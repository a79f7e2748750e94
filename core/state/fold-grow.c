/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fold-grow.c — slots on the move: growth, evacuation, the dirty copy
 *
 * Evacuation  Old chain i goes to chain i of the new array (x) and, when it is
 *             twice as large, to chain i + old n (y). The event says which
 *             slots of one old bucket went to y; live slots are appended in
 *             their order, a bucket linked only when a slot needs one. The old
 *             bucket keeps a note in its tophash bytes.
 *
 * Copy        A bucket of read's chain goes to the chain of the same index in
 *             dirty, the kept slots only, in the same manner.
 */
#include "core/state/fold-private.h"

#include <string.h>

/* Go starts a growth only on a table that is not growing. */
void
fold_growth_started (Fold        *self,
                     const Event *event) {
  StateTable *table = fold_find_table (self, event->aux16);
  guint wanted;
  guint8 flags;

  if (table == NULL || table->buckets == NULL || table->oldbuckets != NULL) {
    fold_fault (self, event, "table %u cannot grow now", event->aux16);
    return;
  }
  wanted = table->B + (event->res == 0);
  if (event->aux8 != wanted || wanted > FOLD_MAX_B) {
    fold_fault (self, event, "wanted B %u, found %u", wanted, event->aux8);
    return;
  }
  flags = table->flags
          & (guint8)~(GOMAP_FLAG_ITERATOR | GOMAP_FLAG_OLD_ITERATOR);
  if (table->flags & GOMAP_FLAG_ITERATOR)
    flags |= GOMAP_FLAG_OLD_ITERATOR;
  if (event->res != 0)
    flags |= GOMAP_FLAG_SAME_SIZE_GROW;
  table->flags = flags;
  table->B = event->aux8;
  table->oldbuckets = table->buckets;
  table->buckets = state_array_new (1u << table->B);
  chunk_vec_expect (&table->buckets->buckets, 1u << table->B);
  table->nevacuate = 0;
  table->noverflow = 0;
  table->n_evacuated = 0;
  self->has_ends = FALSE;
  if (event->res != 0)
    self->state->counters.n_same_size++;
  else
    self->state->counters.n_growths++;
}

/* Finds the end of a chain by walking it. */
static ChainEnd
chain_end (const StateArray *array,
           guint32           chain) {
  const StateBucket *bucket = state_array_bucket (array, chain);
  ChainEnd end = { .bucket = chain };

  while (bucket->overflow != 0) {
    end.bucket = bucket->overflow;
    bucket = state_array_bucket (array, end.bucket);
  }
  while (end.slot < BUCKET_SLOTS && bucket->tophash[end.slot] > TOPHASH_EMPTY_ONE)
    end.slot++;
  return end;
}

/* Makes self->ends those of @chain (and @other, its y) in table->buckets. */
static void
find_ends (Fold             *self,
           const StateTable *table,
           guint32           chain,
           guint32           other) {
  if (self->has_ends && self->ends_table == table->id
      && self->ends_created_ver == table->created_ver
      && self->ends_chain == chain)
    return;
  self->has_ends = TRUE;
  self->ends_table = table->id;
  self->ends_created_ver = table->created_ver;
  self->ends_chain = chain;
  self->ends[0] = chain_end (table->buckets, chain);
  if (other != chain)
    self->ends[1] = chain_end (table->buckets, other);
}

/* *record: the bucket at the end, once it has been looked for; NULL: not yet. */
static inline gboolean
append_slot (Fold          *self,
             StateTable    *table,
             ChainEnd      *end,
             BucketRecord **record,
             guint8         tophash,
             gint64         key,
             guint64        elem) {
  StateBucket *bucket;

  if (end->slot == BUCKET_SLOTS) {
    if (!fold_link_bucket (self, table, end->bucket))
      return FALSE;
    end->bucket = table->buckets->n_buckets - 1;
    end->slot = 0;
    *record = NULL;
  }
  if (*record == NULL)
    *record = fold_edit_bucket (self, &table->buckets, end->bucket);
  if (*record == NULL)
    return FALSE;
  bucket = &(*record)->shown;
  bucket->tophash[end->slot] = tophash;
  bucket->keys[end->slot] = key;
  bucket->elems[end->slot] = elem;
  /* The next one holds no key, but where events are missing. */
  do
    end->slot++;
  while (end->slot < BUCKET_SLOTS
         && bucket->tophash[end->slot] > TOPHASH_EMPTY_ONE);
  return TRUE;
}

static gboolean
is_evacuated_mark (guint8 tophash) {
  return tophash >= TOPHASH_EVACUATED_X && tophash <= TOPHASH_EVACUATED_EMPTY;
}

void
fold_bucket_evacuated (Fold        *self,
                       const Event *event) {
  StateTable *table = fold_find_table (self, event->aux16);
  BucketRecord *record, *to[2] = { NULL, NULL };
  guint32 n_old;
  guint32 chain = (guint32)event->a;
  gboolean is_double;

  if (table == NULL || table->oldbuckets == NULL
      || event->a >= table->oldbuckets->n_main
      || (event->res < table->oldbuckets->n_main && event->res != event->a)
      || (record = fold_edit_bucket (self, &table->oldbuckets, event->res))
             == NULL) {
    fold_fault (self, event, "no bucket %u of chain %" G_GUINT64_FORMAT
                             " to move in table %u",
                event->res, event->a, event->aux16);
    return;
  }
  n_old = table->oldbuckets->n_main;
  is_double = table->buckets->n_main > n_old;
  if (is_evacuated_mark (record->shown.tophash[0])
      || (event->aux8 != 0 && !is_double)) {
    fold_fault (self, event, "bucket %u cannot move (again)", event->res);
    return;
  }

  find_ends (self, table, chain, is_double ? chain + n_old : chain);
  for (guint slot = 0; slot < BUCKET_SLOTS; slot++) {
    guint goes_y = event->aux8 >> slot & 1;
    guint8 tophash = record->shown.tophash[slot];

    if (tophash < TOPHASH_MIN) {
      record->shown.tophash[slot] = TOPHASH_EVACUATED_EMPTY;
      continue;
    }
    record->shown.tophash[slot] = (guint8)(TOPHASH_EVACUATED_X + goes_y);
    if (!append_slot (self, table, &self->ends[goes_y], &to[goes_y], tophash,
                      record->shown.keys[slot], record->shown.elems[slot]))
      fold_fault (self, event, "no room for slot %u", slot);
  }
  if (event->res == event->a) {
    table->n_evacuated++;
    self->state->counters.n_evacuated++;
  }
}

/* Go wipes the main bucket's keys, elements and link; what hung behind it is
 * out of reach from then on. */
void
fold_chain_wiped (Fold        *self,
                  const Event *event) {
  StateTable *table = fold_find_table (self, event->aux16);
  BucketRecord *record;

  if (table == NULL || table->oldbuckets == NULL
      || event->res >= table->oldbuckets->n_main
      || (record = fold_edit_bucket (self, &table->oldbuckets, event->res))
             == NULL) {
    fold_fault (self, event, "no old chain %u in table %u", event->res,
                event->aux16);
    return;
  }
  memset (record->shown.keys, 0, sizeof record->shown.keys);
  memset (record->shown.elems, 0, sizeof record->shown.elems);
  record->shown.overflow = 0;
}

void
fold_growth_ended (Fold        *self,
                   const Event *event) {
  StateTable *table = fold_find_table (self, event->aux16);

  if (table == NULL || table->oldbuckets == NULL) {
    fold_fault (self, event, "table %u is not growing", event->aux16);
    return;
  }
  self->budget.bytes_made -= MIN (self->budget.bytes_made,
                                  table->oldbuckets->buckets.bytes);
  state_array_unref (table->oldbuckets);
  table->oldbuckets = NULL;
  /* nevacuate stays as it is: Go leaves it until the next growth. */
  table->flags &= (guint8)~GOMAP_FLAG_SAME_SIZE_GROW;
  self->has_ends = FALSE;
}

void
fold_bucket_copied (Fold        *self,
                    const Event *event) {
  StateTable *table = fold_find_table (self, event->aux16);
  StateTable *source = fold_find_table (self, (guint16)event->b);
  const StateBucket *bucket;
  BucketRecord *to = NULL;

  if (table == NULL || source == NULL || table == source
      || table->buckets == NULL || source->buckets == NULL
      || event->a >= table->buckets->n_main
      || event->res >= source->buckets->n_buckets) {
    fold_fault (self, event, "no bucket %u of table %" G_GUINT64_FORMAT
                             " to copy to table %u",
                event->res, event->b, event->aux16);
    return;
  }
  bucket = state_array_bucket (source->buckets, event->res);
  find_ends (self, table, (guint32)event->a, (guint32)event->a);
  for (guint slot = 0; slot < BUCKET_SLOTS; slot++) {
    if (!(event->aux8 >> slot & 1))
      continue;
    if (bucket->tophash[slot] < TOPHASH_MIN
        || !append_slot (self, table, &self->ends[0], &to, bucket->tophash[slot],
                         bucket->keys[slot], bucket->elems[slot])) {
      fold_fault (self, event, "slot %u of bucket %u cannot be copied", slot,
                  event->res);
      continue;
    }
    table->count++;
  }
}
