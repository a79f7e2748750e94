/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fold-many.c — a run of events, folded at the pace of the memory they touch
 *
 * Idea        Of a large map each event is about a place that no cache holds.
 *             Waiting for it would cost more than all the rest, but in a run the
 *             next events are known: the place of each is looked up AHEAD events
 *             before its turn, memory is asked for it, and its address is kept.
 *             When its turn comes the commonest kinds are done right here with
 *             that address; all others, and all that is odd, take fold_dispatch().
 *
 * Branches    The second cost is guessing wrong which kind comes next. A write
 *             and an overwrite of a slot are therefore one path, without a branch
 *             on the kind, and so are the two common changes of an entry.
 *
 * Invariants  N1  an address kept is that of an element that its vector owns
 *                 (state-chunks.c, Owning), so it is written without further ado
 *             N2  a kind that may replace or free an array, move the tables or
 *                 hand out the state (MOVERS) has all addresses looked up again
 *             N3  what is done here has the effect of fold_dispatch(), bit by
 *                 bit; what would be a fault is left to it
 */
#include "core/state/fold-private.h"

/* Events between fetching and use: enough for memory to answer, few enough for
 * the first cache. A power of two. Measured: 12 to 24 are alike. */
#define AHEAD 16u
/* gcc 12 takes calls of functions that do nothing but prefetch for idle. */
#define INLINED inline __attribute__ ((always_inline))

/* See N2. A kind that the fold does not know moves nothing. */
#define KIND(NAME) (G_GUINT64_CONSTANT (1) << EVENT_##NAME)
#define MOVERS                                                                \
  (KIND (TABLE_CREATED) | KIND (TABLE_ALLOCATED) | KIND (TABLE_FREED)         \
   | KIND (TABLE_CLEARED) | KIND (TABLE_NAMED) | KIND (GROWTH_STARTED)        \
   | KIND (GROWTH_ENDED) | KIND (READ_PUBLISHED) | KIND (DIRTY_CREATED)       \
   | KIND (DIRTY_DROPPED) | KIND (DIRTY_PROMOTED))
G_STATIC_ASSERT (EVENT_N_KINDS <= 64);

/* Looking ahead ------------------------------------------------------------ */

/* The bucket, if it is the array's own; NULL: to be looked for when needed. */
static INLINED BucketRecord *
own_bucket (const StateArray *array,
            guint32           index) {
  guint32 leaf = index >> BUCKET_LEAF_BITS;
  guint8 *elements;

  if (array == NULL || index >= array->n_buckets
      || leaf >= array->buckets.n_owned)
    return NULL;
  elements = array->buckets.owned[leaf];
  if (elements == NULL)
    return NULL;
  return (BucketRecord *)(gpointer)elements
         + (index & ((1u << BUCKET_LEAF_BITS) - 1));
}

static INLINED BucketRecord *
fetch_slot (const StateArray *array,
            guint32           index,
            guint             slot) {
  BucketRecord *record = own_bucket (array, index);

  if (record != NULL) {
    __builtin_prefetch (record->shown.tophash, 1);
    __builtin_prefetch (&record->shown.keys[slot], 1);
    __builtin_prefetch (&record->shown.elems[slot], 1);
  }
  return record;
}

static INLINED gpointer
fetch_element (const ChunkVec *vec,
               guint64         index) {
  guint8 *element = index <= G_MAXUINT32 ? chunk_vec_own (vec, (guint32)index)
                                         : NULL;

  if (element != NULL) {
    __builtin_prefetch (element, 1);
    __builtin_prefetch (element + vec->elem_size - 1, 1);
  }
  return element;
}

/* Buckets on the move, and versions: nothing is kept of them. */
static INLINED void
fetch_others (const Fold       *self,
              const StateTable *table,
              const Event      *event) {
  const MapState *state = self->state;

  if (event->kind >= EVENT_VERSION_WRITTEN
      && event->kind <= EVENT_VERSION_RETIRED) {
    fetch_element (&state->versions, event->res);
  } else if (table == NULL) {
    return;
  } else if (event->kind == EVENT_BUCKET_EVACUATED) {
    fetch_slot (table->oldbuckets, event->res, 0);
    fetch_slot (table->buckets, (guint32)event->a, 0);
    fetch_slot (table->buckets,
                (guint32)event->a + (1u << (table->B - (table->B > 0))), 0);
  } else if (event->kind == EVENT_BUCKET_COPIED) {
    guint from = self->table_at[(guint16)event->b];

    if (from == 0)
      return;
    fetch_slot (state->tables[from - 1].buckets, event->res, 0);
    fetch_slot (table->buckets, (guint32)event->a, 0);
  }
}

/* Has what @event will be about brought near, and says where its bucket or entry
 * is; NULL: not known. */
static INLINED gpointer
fetch (const Fold  *self,
       const Event *event) {
  const MapState *state = self->state;
  guint place = self->table_at[event->aux16];
  const StateTable *table = place != 0 ? &state->tables[place - 1] : NULL;

  if (event->kind >= EVENT_ENTRY_STORED
      && event->kind <= EVENT_ENTRY_UNEXPUNGED)
    return fetch_element (&state->entries, event->res);
  if (event->kind >= EVENT_SLOT_WRITTEN && event->kind <= EVENT_SLOT_CLEARED) {
    if (table == NULL)
      return NULL;
    if (table->flags_table & TABLE_HOLDS_ENTRIES)
      fetch_element (&state->entries, event->b);
    return fetch_slot (table->buckets, event->res / BUCKET_SLOTS,
                       event->res % BUCKET_SLOTS);
  }
  fetch_others (self, table, event);
  return NULL;
}

/* Applying ----------------------------------------------------------------- */

/* A slot written or overwritten; FALSE: nothing was done. */
static INLINED gboolean
put_slot (Fold         *self,
          const Event  *event,
          BucketRecord *record) {
  StateTable *table = &self->state->tables[self->table_at[event->aux16] - 1];
  guint slot = event->res % BUCKET_SLOTS;
  guint present = record->shown.tophash[slot];
  guint is_new = event->kind == EVENT_SLOT_WRITTEN;
  guint wanted = is_new ? event->aux8 : present;

  if (G_UNLIKELY (wanted < TOPHASH_MIN
                  || (is_new & (present > TOPHASH_EMPTY_ONE))
                  || (table->flags_table & TABLE_HOLDS_ENTRIES)))
    return FALSE;
  record->shown.touched = (guint32)self->state->n_events + 1;
  record->shown.tophash[slot] = (guint8)wanted;
  record->shown.keys[slot] = (gint64)event->a;
  record->shown.elems[slot] = event->b;
  table->count += is_new;
  self->has_ends &= !is_new;
  return TRUE;
}

/* An entry stored to or deleted that was not expunged; FALSE: nothing was done. */
static INLINED gboolean
change_entry (Fold        *self,
              const Event *event,
              EntryRecord *record) {
  MapState *state = self->state;
  guint now = event->kind == EVENT_ENTRY_STORED ? ENTRY_VALUE : ENTRY_NIL;
  guint64 counts = record->epoch == state->epoch;
  guint64 step = counts * (guint64)((gint)record->state - (gint)now);

  if (G_UNLIKELY (!record->is_known || record->state > ENTRY_NIL
                  || record->is_deleted || state->has_versions))
    return FALSE;
  /* ENTRY_VALUE is 0 and ENTRY_NIL 1: +1 is one more live, -1 one less. */
  state->n_live += step;
  state->n_nil -= step;
  record->state = (guint8)now;
  record->version = event->ver & ENTRY_VERSION_MASK;
  record->value = now == ENTRY_VALUE ? (gint64)event->a : record->value;
  return TRUE;
}
G_STATIC_ASSERT (ENTRY_VALUE == 0 && ENTRY_NIL == 1);

/* A slot cleared that others follow in its bucket, or in no chain; FALSE: nothing
 * was done. */
static INLINED gboolean
clear_slot (Fold         *self,
            const Event  *event,
            BucketRecord *record) {
  StateTable *table = &self->state->tables[self->table_at[event->aux16] - 1];
  guint slot = event->res % BUCKET_SLOTS;
  guint8 *tophash = record->shown.tophash;
  guint8 left;

  if (G_UNLIKELY (tophash[slot] < TOPHASH_MIN || table->count == 0
                  || (table->flags_table & TABLE_HOLDS_ENTRIES)))
    return FALSE;
  if (slot == BUCKET_SLOTS - 1 && record->shown.overflow != 0)
    return FALSE;
  left = slot == BUCKET_SLOTS - 1 || tophash[slot + 1] == TOPHASH_EMPTY_REST
             ? TOPHASH_EMPTY_REST
             : TOPHASH_EMPTY_ONE;
  /* What would run back, does so there. */
  if (left == TOPHASH_EMPTY_REST
      && (slot == 0 ? event->res / BUCKET_SLOTS >= table->buckets->n_main
                    : tophash[slot - 1] == TOPHASH_EMPTY_ONE))
    return FALSE;
  record->shown.touched = (guint32)self->state->n_events + 1;
  record->shown.elems[slot] = 0;
  tophash[slot] = left;
  table->count--;
  self->has_ends = FALSE;
  return TRUE;
}

static INLINED void
apply (Fold        *self,
       const Event *event,
       gpointer     near) {
  gboolean is_done = FALSE;

  if (near != NULL) {
    if (event->kind == EVENT_SLOT_UPDATED || event->kind == EVENT_SLOT_WRITTEN)
      is_done = put_slot (self, event, near);
    else if (event->kind == EVENT_SLOT_CLEARED)
      is_done = clear_slot (self, event, near);
    else if (event->kind == EVENT_ENTRY_STORED
             || event->kind == EVENT_ENTRY_DELETED)
      is_done = change_entry (self, event, near);
  }
  if (!is_done)
    fold_dispatch (self, event);
  self->state->n_events++;
  self->state->at_ns = event->at_ns;
}

/* One after another, with what is ahead brought near; @visit may be NULL. */
static INLINED void
run (Fold        *self,
     const Event *events,
     guint        n_events,
     FoldVisit    visit,
     gpointer     data) {
  guint n_ahead = MIN (n_events, AHEAD);
  gpointer near[AHEAD];

  fold_forget_last (self);
  for (guint i = 0; i < n_ahead; i++)
    near[i] = fetch (self, &events[i]);
  for (guint i = 0; i < n_events; i++) {
    const Event *event = &events[i];
    gpointer own = near[i % AHEAD];

    if (i + AHEAD < n_events)
      near[i % AHEAD] = fetch (self, event + AHEAD);
    if (visit != NULL)
      visit (event, self->state, data);
    apply (self, event, own);
    if (G_UNLIKELY (MOVERS >> (event->kind & 63) & 1))
      for (guint k = i + 1; k < n_events && k <= i + AHEAD; k++)
        near[k % AHEAD] = fetch (self, &events[k]);
  }
}

void
fold_apply_many (Fold        *self,
                 const Event *events,
                 guint        n_events) {
  run (self, events, n_events, NULL, NULL);
}

void
fold_visit_many (Fold        *self,
                 const Event *events,
                 guint        n_events,
                 FoldVisit    visit,
                 gpointer     data) {
  run (self, events, n_events, visit, data);
}
