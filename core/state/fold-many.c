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
 *             on the kind, and so are the two common changes of an entry; what makes
 *             a change odd is summed up before it is asked.
 *
 * Locks       In a map behind a lock, or one that falls back on it, two events of
 *             three are about that. They touch no memory that is far away: what they
 *             cost is instructions, and few are needed by who need not wait.
 *
 * Counting    What remains is the number of instructions. So what most events
 *             have in common is kept out of memory: the table that they are about
 *             (AtHand), and the state's count and time, which are put where others
 *             see them only before others look.
 *
 * Invariants  N1  an address kept is that of an element that its vector owns
 *                 (state-chunks.c, Owning), so it is written without further ado
 *             N2  a kind that may replace or free an array, move the tables or
 *                 hand out the state (MOVERS) has all addresses looked up again
 *             N3  a table at hand is forgotten when any other event than those
 *                 done here or STILL is applied: its arrays may have grown
 *             N4  what is done here has the effect of fold_dispatch(), bit by
 *                 bit; what would be a fault is left to it
 */
#include "core/state/fold-private.h"

/* Events between fetching and use: enough for memory to answer. A power of two.
 * Measured: of a million slots a twentieth faster than 16. */
#define AHEAD 32u
/* Of a bucket, to the second cache: the first one waits for two dozen lines at a time
 * and no more, which ten new slots would take. Measured: a gomap of a million slots
 * folds a tenth faster, and an eighth while it grows. Entries, of which the second
 * cache has more, come slower so. */
#define FETCH_BUCKET(place) __builtin_prefetch (place, 1, 2)
/* Memory prefetches runs of lines by itself, but not beyond a page. */
#define EVENT_BYTES_AHEAD 2048
/* gcc 12 takes calls of functions that do nothing but prefetch for idle. */
#define INLINED inline __attribute__ ((always_inline))

/* See N2. A kind that the fold does not know moves nothing. */
#define KIND(NAME) (G_GUINT64_CONSTANT (1) << EVENT_##NAME)
#define MOVERS                                                                \
  (KIND (TABLE_CREATED) | KIND (TABLE_ALLOCATED) | KIND (TABLE_FREED)         \
   | KIND (TABLE_CLEARED) | KIND (TABLE_NAMED) | KIND (GROWTH_STARTED)        \
   | KIND (GROWTH_ENDED) | KIND (READ_PUBLISHED) | KIND (DIRTY_CREATED)       \
   | KIND (DIRTY_DROPPED) | KIND (DIRTY_PROMOTED))
/* These touch neither tables nor vectors: what was looked up stays so. */
#define STILL                                                                 \
  (KIND (OP_BEGAN) | KIND (OP_ENDED) | KIND (OP_TOLD) | KIND (OPS_COUNTED)    \
   | KIND (MISS_COUNTED) | KIND (LOCK_WAITED) | KIND (LOCK_ACQUIRED)          \
   | KIND (LOCK_RELEASED) | KIND (LOCK_READ_ACQUIRED)                         \
   | KIND (LOCK_READ_RELEASED))
G_STATIC_ASSERT (EVENT_N_KINDS <= 64);

/* Looking ahead ------------------------------------------------------------ */

/* The table whose slots most events at hand are about, looked up once. */
typedef struct {
  guint32     id;      /* G_MAXUINT32: none is at hand */
  guint32     n_slots; /* that have a place in owned */
  guint8    **owned;
  StateTable *table;
  guint       has_gaps; /* events are missing: fold-table.c, Keys */
} AtHand;

#define NONE_AT_HAND ((AtHand){ .id = G_MAXUINT32 })
#define LEAF_SLOT_BITS (BUCKET_LEAF_BITS + 3)
G_STATIC_ASSERT (BUCKET_SLOTS == 1 << 3);

/* Nothing is done here in a table of entries. */
static __attribute__ ((noinline)) AtHand
look_up (const Fold *self,
         guint16     id) {
  guint place = self->table_at[id];
  StateTable *table = place != 0 ? &self->state->tables[place - 1] : NULL;
  const StateArray *array;

  if (table == NULL || table->buckets == NULL
      || (table->flags_table & TABLE_HOLDS_ENTRIES))
    return NONE_AT_HAND;
  array = table->buckets;
  return (AtHand){
    .id = id,
    .n_slots = MIN (MIN (array->n_buckets, G_MAXUINT32 >> 3) << 3,
                    MIN (array->buckets.n_owned, G_MAXUINT32 >> LEAF_SLOT_BITS)
                        << LEAF_SLOT_BITS),
    .owned = array->buckets.owned,
    .table = table,
    .has_gaps = self->state->counters.n_dropped > 0,
  };
}

/* The bucket of a slot, if it is the table's own; NULL: to be looked for when
 * needed. Of the key's line only what is new has need. */
static INLINED BucketRecord *
fetch_own_slot (const AtHand *at_hand,
                guint32       slot,
                gboolean      is_new) {
  guint8 *elements;
  BucketRecord *record;

  if (G_UNLIKELY (slot >= at_hand->n_slots))
    return NULL;
  elements = at_hand->owned[slot >> LEAF_SLOT_BITS];
  if (G_UNLIKELY (elements == NULL))
    return NULL;
  record = (BucketRecord *)(gpointer)elements
           + (slot >> 3 & ((1u << BUCKET_LEAF_BITS) - 1));
  slot %= BUCKET_SLOTS;
  FETCH_BUCKET (record->shown.tophash);
  FETCH_BUCKET (&record->shown.elems[slot]);
  FETCH_BUCKET ((const guint8 *)&record->shown.elems[slot]
                + is_new * sizeof record->shown.elems);
  return record;
}
G_STATIC_ASSERT (offsetof (StateBucket, keys)
                 == offsetof (StateBucket, elems)
                        + sizeof (((StateBucket *)0)->elems));

static INLINED void
fetch_bucket (const StateArray *array,
              guint32           index) {
  guint8 *element = array != NULL && index < array->n_buckets
                        ? chunk_vec_own (&array->buckets, index)
                        : NULL;

  if (element != NULL)
    for (guint at = 0; at < sizeof (BucketRecord); at += 64)
      FETCH_BUCKET (element + at);
}

static INLINED EntryRecord *
fetch_entry (const MapState *state,
             guint64         id) {
  guint64 leaf = id >> ENTRY_LEAF_BITS;
  EntryRecord *record;

  if (leaf >= state->entries.n_owned || state->entries.owned[leaf] == NULL)
    return NULL;
  record = (EntryRecord *)(gpointer)state->entries.owned[leaf]
           + (id & ((1u << ENTRY_LEAF_BITS) - 1));
  __builtin_prefetch (record, 1);
  __builtin_prefetch ((guint8 *)(record + 1) - 1, 1);
  return record;
}

static INLINED void
fetch_element (const ChunkVec *vec,
               guint64         index) {
  guint8 *element = index <= G_MAXUINT32 ? chunk_vec_own (vec, (guint32)index)
                                         : NULL;

  if (element != NULL) {
    __builtin_prefetch (element, 1);
    __builtin_prefetch (element + vec->elem_size - 1, 1);
  }
}

/* Buckets on the move, and versions: nothing is kept of them. */
static INLINED void
fetch_others (const Fold  *self,
              const Event *event) {
  const MapState *state = self->state;
  guint place = self->table_at[event->aux16];
  const StateTable *table = place != 0 ? &state->tables[place - 1] : NULL;

  if (event->kind >= EVENT_VERSION_WRITTEN
      && event->kind <= EVENT_VERSION_RETIRED) {
    fetch_element (&state->versions, event->res);
  } else if (table == NULL) {
    return;
  } else if (event->kind >= EVENT_SLOT_WRITTEN
             && event->kind <= EVENT_SLOT_CLEARED) {
    if (table->flags_table & TABLE_HOLDS_ENTRIES)
      fetch_entry (state, event->b);
    fetch_bucket (table->buckets, event->res / BUCKET_SLOTS);
  } else if (event->kind == EVENT_BUCKET_EVACUATED) {
    fetch_bucket (table->oldbuckets, event->res);
    fetch_bucket (table->buckets, (guint32)event->a);
    fetch_bucket (table->buckets,
                  (guint32)event->a + (1u << (table->B - (table->B > 0))));
  } else if (event->kind == EVENT_BUCKET_COPIED) {
    guint from = self->table_at[(guint16)event->b];

    if (from != 0)
      fetch_bucket (state->tables[from - 1].buckets, event->res);
    fetch_bucket (table->buckets, (guint32)event->a);
  }
}

/* Has what @event will be about brought near, and says where its bucket or entry
 * is; NULL: not known. */
static INLINED gpointer
fetch (const Fold  *self,
       const Event *event,
       AtHand      *at_hand) {
  const MapState *state = self->state;

  if (event->kind >= EVENT_SLOT_WRITTEN && event->kind <= EVENT_SLOT_CLEARED) {
    if (G_UNLIKELY (event->aux16 != at_hand->id))
      *at_hand = look_up (self, event->aux16);
    if (G_LIKELY (event->aux16 == at_hand->id))
      return fetch_own_slot (at_hand, event->res,
                             event->kind == EVENT_SLOT_WRITTEN);
  }
  if (event->kind >= EVENT_ENTRY_STORED
      && event->kind <= EVENT_ENTRY_UNEXPUNGED) {
    EntryRecord *record = fetch_entry (state, event->res);

    return event->kind <= EVENT_ENTRY_DELETED ? record : NULL;
  }
  if (!(STILL >> (event->kind & 63) & 1))
    fetch_others (self, event);
  return NULL;
}

/* Applying ----------------------------------------------------------------- */

/* A slot written or overwritten; FALSE: nothing was done. */
static INLINED gboolean
put_slot (Fold         *self,
          const Event  *event,
          guint32       touched,
          const AtHand *at_hand,
          BucketRecord *record) {
  guint slot = event->res % BUCKET_SLOTS;
  guint present = record->shown.tophash[slot];
  guint is_new = event->kind == EVENT_SLOT_WRITTEN;
  guint wanted = is_new ? event->aux8 : present;

  if (G_UNLIKELY (wanted < TOPHASH_MIN
                  || (is_new & (present > TOPHASH_EMPTY_ONE))))
    return FALSE;
  record->shown.touched = touched;
  record->shown.tophash[slot] = (guint8)wanted;
  if (is_new | at_hand->has_gaps)
    record->shown.keys[slot] = (gint64)event->a;
  record->shown.elems[slot] = event->b;
  at_hand->table->count += is_new;
  self->has_ends = FALSE; /* in vain sometimes, but without a look */
  return TRUE;
}

/* A slot cleared that others follow in its bucket, or in no chain; FALSE: nothing
 * was done. */
static INLINED gboolean
clear_slot (Fold         *self,
            const Event  *event,
            guint32       touched,
            StateTable   *table,
            BucketRecord *record) {
  guint slot = event->res % BUCKET_SLOTS;
  guint8 *tophash = record->shown.tophash;
  guint is_first = slot == 0, is_last = slot == BUCKET_SLOTS - 1;
  guint before = tophash[slot - !is_first], after = tophash[slot + !is_last];
  /* Of a last slot @after is its own tophash. */
  guint8 left = (guint8)((after != TOPHASH_EMPTY_REST) & !is_last);
  guint is_overflow = event->res / BUCKET_SLOTS >= table->buckets->n_main;

  /* What would run back, or has another bucket behind it, is done there. That is
   * seldom so, and guessed at once: guesses one by one are wrong more often. */
  if (G_UNLIKELY ((tophash[slot] < TOPHASH_MIN) | (table->count == 0)
                  | (is_last & (record->shown.overflow != 0))
                  | ((left == TOPHASH_EMPTY_REST)
                     & ((is_first & is_overflow)
                        | (before == TOPHASH_EMPTY_ONE)))))
    return FALSE;
  record->shown.touched = touched;
  record->shown.elems[slot] = 0;
  tophash[slot] = left;
  table->count--;
  self->has_ends = FALSE;
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
G_STATIC_ASSERT (EVENT_ENTRY_DELETED == EVENT_ENTRY_STORED + 1);

/* Others may wait long for a lock that one takes again and again. */
static INLINED gboolean
is_waited_for_by (const StateLock *lock,
                  guint16          thread) {
  gboolean result = ((lock->waiters | lock->read_waiters)
                     & fold_thread_bit (thread)) != 0
                    || lock->claimed_by == thread;

  for (guint i = 0; i < lock->n_queue; i++)
    result |= lock->queue[i] == thread;
  return result;
}

/* A lock taken by who did not wait for it, or given back; FALSE: nothing was done. */
static INLINED gboolean
turn_lock (Fold        *self,
           const Event *event) {
  MapState *state = self->state;
  guint place = event->res < FOLD_MAX_LOCKS ? self->lock_at[event->res] : 0;
  guint thread = MIN (event->thread, FOLD_MAX_THREADS);
  ThreadRecord *record;
  StateLock *lock;

  if (G_UNLIKELY (place == 0))
    return FALSE;
  lock = &state->locks[place - 1];
  if (event->kind == EVENT_LOCK_RELEASED) {
    if (G_UNLIKELY (lock->owner == -1))
      return FALSE;
    fold_count_hold (self, lock, event->a);
    state->counters.lock_hold_ns += MAX (0, event->at_ns - lock->since_ns);
    lock->owner = -1;
    lock->since_ns = event->at_ns;
    return TRUE;
  }
  /* The main thread, and threads not known yet, are looked for elsewhere. */
  if (G_UNLIKELY (thread == FOLD_MAX_THREADS || self->thread_at[thread] == 0))
    return FALSE;
  record = &state->threads[self->thread_at[thread] - 1];
  if (G_UNLIKELY ((lock->n_readers != 0) | (record->shown.waits_for >= 0)
                  || is_waited_for_by (lock, event->thread)))
    return FALSE;
  fold_count_duration (&state->counters.lock_waits, event->b);
  lock->n_acquired++;
  lock->owner = event->thread;
  lock->since_ns = event->at_ns;
  if ((gint64)event->res != record->last_lock + 1)
    record->is_clear_counted = FALSE;
  record->last_lock = event->res;
  record->shown.waits_for = -1;
  return TRUE;
}

/* What is about no place in memory; FALSE: nothing was done. */
static INLINED gboolean
apply_near (Fold        *self,
            const Event *event) {
  if (event->kind == EVENT_LOCK_ACQUIRED || event->kind == EVENT_LOCK_RELEASED)
    return turn_lock (self, event);
  if (event->kind != EVENT_MISS_COUNTED)
    return FALSE;
  self->state->misses = event->res;
  self->state->counters.n_misses++;
  return TRUE;
}

/* Count and time after the first @i of @events. */
static INLINED void
count_events (MapState    *state,
              guint64      n_before,
              const Event *events,
              guint        i) {
  state->n_events = n_before + i;
  if (i > 0)
    state->at_ns = events[i - 1].at_ns;
}

/* FALSE: nothing was done. @touched: as buckets have it, for this event. */
static INLINED gboolean
apply (Fold        *self,
       const Event *event,
       guint32      touched,
       gpointer     near,
       AtHand      *at_hand) {
  guint kind = event->kind;

  if (near == NULL)
    return apply_near (self, event);
  if (kind >= EVENT_SLOT_WRITTEN && kind <= EVENT_SLOT_CLEARED) {
    if (G_UNLIKELY (event->aux16 != at_hand->id))
      *at_hand = look_up (self, event->aux16);
    return kind == EVENT_SLOT_CLEARED
               ? clear_slot (self, event, touched, at_hand->table, near)
               : put_slot (self, event, touched, at_hand, near);
  }
  return change_entry (self, event, near);
}

/* One after another, with what is ahead brought near; @visit may be NULL. */
static INLINED void
run (Fold        *self,
     const Event *events,
     guint        n_events,
     FoldVisit    visit,
     gpointer     data) {
  MapState *state = self->state;
  guint64 n_before = state->n_events;
  guint n_ahead = MIN (n_events, AHEAD);
  AtHand at_hand = NONE_AT_HAND;
  gpointer near[AHEAD];

  fold_forget_last (self);
  for (guint i = 0; i < n_ahead; i++)
    near[i] = fetch (self, &events[i], &at_hand);
  for (guint i = 0; i < n_events; i++) {
    const Event *event = &events[i];
    gpointer own = near[i % AHEAD];

    __builtin_prefetch ((const guint8 *)event + EVENT_BYTES_AHEAD);
    if (i + AHEAD < n_events)
      near[i % AHEAD] = fetch (self, event + AHEAD, &at_hand);
    if (visit != NULL) {
      count_events (state, n_before, events, i);
      visit (event, state, data);
    }
    if (apply (self, event, (guint32)(n_before + i) + 1, own, &at_hand))
      continue;
    count_events (state, n_before, events, i);
    fold_dispatch (self, event);
    if (STILL >> (event->kind & 63) & 1)
      continue;
    at_hand = NONE_AT_HAND;
    if (G_UNLIKELY (MOVERS >> (event->kind & 63) & 1))
      for (guint k = i + 1; k < n_events && k <= i + AHEAD; k++)
        near[k % AHEAD] = fetch (self, &events[k], &at_hand);
  }
  count_events (state, n_before, events, n_events);
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
