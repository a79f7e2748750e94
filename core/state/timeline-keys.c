/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-keys.c — the life of one key, over the whole log
 *
 * Idea        Each block has a Bloom filter of the keys that its events are about.
 *             Going back from a place, most blocks are passed over by it. Of those
 *             left, one that names the key is folded from its beginning: then each
 *             event is judged by the state that it met.
 *
 * Folding     To get to a block takes a hundred times as long as reading it. So the
 *             blocks that name the key are gathered, one, two, four … of them, and
 *             those that are near each other are folded one after another, from the
 *             oldest on.
 *
 * Direct      A key may be named by the event (an operation, a slot written) or
 *             follow from the state (an entry's, a cleared slot's, the keys of a
 *             bucket that moves, an operation that began in an earlier block).
 *             There is a filter of each. A false hit of the first kind costs the
 *             reading of one block, which tells; only one of the second kind, of
 *             which there are few, costs folding.
 *
 * Copies      A dirty copy moves all keys there are: instead of their filter the
 *             range of the chains that it went through in the block is kept, with
 *             the hash that tells a key's chain. A key that nothing has named before
 *             is in no table: where there are copies only, the walk is over.
 *
 * Without name  A promotion and a Clear are about all keys, and in no filter. But a
 *             key that is in no event of a block is where it was before it. So
 *             after the last event that is about the key at most the next
 *             promotion, and the next Clear, are part of its life.
 *
 * Size        A filter has at most 1 KiB of direct keys and 4 KiB of others
 *             (timeline-key-filters.c). It has three bits of a direct key, and six
 *             of another: that costs more.
 */
#include "core/base/hash.h"
#include "core/state/key-filter-private.h"
#include "core/state/map-state-private.h"
#include "core/state/timeline-private.h"

#include <string.h>

/* Blocks that are folded in one go, at most. */
#define MAX_BATCH 256u
/* As timeline-seek.c has it: an event that is folded on the way. */
#define FOLDED_EVENT_NS 16u

EventKinds
event_kinds_of_life (void) {
  return event_kinds_of_key () | EVENT_KIND_BIT (EVENT_BUCKET_EVACUATED)
         | EVENT_KIND_BIT (EVENT_BUCKET_COPIED)
         | EVENT_KIND_BIT (EVENT_DIRTY_PROMOTED)
         | EVENT_KIND_BIT (EVENT_TABLE_CLEARED)
         | EVENT_KIND_BIT (EVENT_READ_PUBLISHED);
}

/* Filters ------------------------------------------------------------------ */

static void
add_direct (Sums  *self,
            gint64 key) {
  key_filter_add (self->direct, KEY_DIRECT_WORDS, KEY_DIRECT_BITS, key);
}

static void
add_indirect (Sums  *self,
              gint64 key) {
  key_filter_add (self->indirect, KEY_INDIRECT_WORDS, KEY_INDIRECT_BITS, key);
}

static const StateTable *
table_of (const MapState *state,
          guint16         id) {
  for (guint i = state->n_tables; i > 0; i--)
    if (state->tables[i - 1].id == id)
      return &state->tables[i - 1];
  return NULL;
}

/* The bucket that an event moves or copies from, and the slots that it takes. */
static const StateBucket *
moved_bucket (const MapState *state,
              const Event    *event,
              guint          *mask) {
  gboolean is_copy = event->kind == EVENT_BUCKET_COPIED;
  const StateTable *table = table_of (state, is_copy ? (guint16)event->b
                                                     : event->aux16);
  const StateArray *array = table == NULL ? NULL
                            : is_copy     ? table->buckets
                                          : table->oldbuckets;

  if (array == NULL || event->res >= array->n_buckets)
    return NULL;
  *mask = is_copy ? event->aux8 : 0xff;
  return state_array_bucket (array, event->res);
}

static gboolean
cleared_key (const MapState *state,
             const Event    *event,
             gint64         *key) {
  const StateTable *table = table_of (state, event->aux16);
  const StateBucket *bucket;

  if (table == NULL || table->buckets == NULL
      || event->res / BUCKET_SLOTS >= table->buckets->n_buckets)
    return FALSE;
  bucket = state_array_bucket (table->buckets, event->res / BUCKET_SLOTS);
  *key = bucket->keys[event->res % BUCKET_SLOTS];
  return bucket->tophash[event->res % BUCKET_SLOTS] >= TOPHASH_MIN;
}

/* A copy goes through the chains in order: they are a range, where a filter of
 * all their keys would be full. FALSE: there are too many ranges already. */
static gboolean
add_copied (Sums           *self,
            const Event    *event,
            const MapState *before) {
  const StateTable *table = table_of (before, (guint16)event->b);
  KeyRange range = { .low = (guint32)event->a, .high = (guint32)event->a };

  if (table == NULL || table->buckets == NULL || table->hash_kind < 0
      || table->hash_kind >= HASH_FUNCTION)
    return FALSE;
  range.hash0 = table->hash0;
  range.hash_kind = table->hash_kind;
  range.n_main = table->buckets->n_main;
  for (guint i = 0; i < self->n_ranges; i++) {
    KeyRange *known = &self->ranges[i];

    if (known->hash0 != range.hash0 || known->hash_kind != range.hash_kind
        || known->n_main != range.n_main)
      continue;
    known->low = MIN (known->low, range.low);
    known->high = MAX (known->high, range.high);
    return TRUE;
  }
  if (self->n_ranges == KEY_RANGES)
    return FALSE;
  self->ranges[self->n_ranges++] = range;
  return TRUE;
}

static gboolean
ranges_may_hold (const KeyFilter *filter,
                 gint64           key,
                 guint32         *chains) {
  gboolean may_hold = FALSE;

  for (guint i = 0; i < filter->n_ranges; i++) {
    const KeyRange *range = &filter->ranges[i];
    Hash hash = { .kind = (HashKind)range->hash_kind };
    guint32 chain = (guint32)(hash_key (&hash, key, range->hash0)
                              & (range->n_main - 1));

    chains[i] = chain;
    may_hold = may_hold || (chain >= range->low && chain <= range->high);
  }
  return may_hold;
}

static gboolean
has_named_key (const Event *event) {
  return event->kind == EVENT_SLOT_WRITTEN || event->kind == EVENT_SLOT_UPDATED
         || ((event->kind == EVENT_OP_BEGAN || event->kind == EVENT_OP_TOLD)
             && event->aux8 < OP_RANGE);
}

static gint64
named_key (const Event *event) {
  return event->kind == EVENT_OP_TOLD ? event_told_key (event)
                                      : (gint64)event->a;
}

void
sums_add_keys (Sums           *self,
               const Event    *event,
               const MapState *before) {
  const StateBucket *bucket;
  gint64 key;
  guint mask;

  if (has_named_key (event)) {
    add_direct (self, named_key (event));
  } else if (event->kind == EVENT_SLOT_CLEARED) {
    if (cleared_key (before, event, &key))
      add_indirect (self, key);
  } else if (event_kind_gate ((EventKind)event->kind) == GATE_ENTRY) {
    StateEntry entry = map_state_entry (before, event->res);
    const Lane *lane = sums_peek_lane (self, event->thread);

    /* Most are about the key of their own operation, which is named. */
    if (entry.is_known
        && (lane == NULL || !lane->has_key || lane->key != entry.key))
      add_indirect (self, entry.key);
  } else if ((event->kind == EVENT_BUCKET_EVACUATED
              || (event->kind == EVENT_BUCKET_COPIED
                  && !add_copied (self, event, before)))
             && (bucket = moved_bucket (before, event, &mask)) != NULL) {
    for (guint i = 0; i < BUCKET_SLOTS; i++)
      if (bucket->tophash[i] >= TOPHASH_MIN && (mask >> i & 1))
        add_indirect (self, bucket->keys[i]);
  }
}

/* Judging one event -------------------------------------------------------- */

typedef struct {
  guint64         index;
  const MapState *state; /* the fold's own */
  gint64          key;
  GArray         *indices;
} KeyWalk;

static gboolean
table_has_key (const MapState   *state,
               const StateTable *table,
               gint64            key) {
  StateSlot slot;

  return table != NULL && map_state_find_key (state, table, key, &slot);
}

static gboolean
is_in_read_or_dirty (const MapState *state,
                     gint64          key) {
  return table_has_key (state, map_state_table_for (state, TABLE_ROLE_READ), key)
         || table_has_key (state, map_state_table_for (state, TABLE_ROLE_DIRTY),
                           key);
}

static gboolean
thread_ends_key (const MapState *state,
                 const Event    *ended,
                 gint64          key) {
  for (guint i = 0; i < state->n_threads; i++) {
    const StateThread *record = &state->threads[i].shown;

    if (record->thread == ended->thread)
      return record->in_op && record->key == key && record->op == ended->aux8;
  }
  return FALSE;
}

static gboolean
bucket_takes_key (const MapState *state,
                  const Event    *event,
                  gint64          key) {
  guint mask = 0;
  const StateBucket *bucket = moved_bucket (state, event, &mask);

  for (guint i = 0; bucket != NULL && i < BUCKET_SLOTS; i++)
    if (bucket->tophash[i] >= TOPHASH_MIN && (mask >> i & 1)
        && bucket->keys[i] == key)
      return TRUE;
  return FALSE;
}

static gboolean
touches_key (const KeyWalk *walk,
             const Event   *event) {
  const MapState *state = walk->state;
  gint64 key;

  if (has_named_key (event))
    return named_key (event) == walk->key;
  if (event->kind == EVENT_OP_ENDED)
    return event->aux8 < OP_RANGE
           && thread_ends_key (state, event, walk->key);
  if (event->kind == EVENT_SLOT_CLEARED)
    return cleared_key (state, event, &key) && key == walk->key;
  if (event->kind == EVENT_BUCKET_EVACUATED || event->kind == EVENT_BUCKET_COPIED)
    return bucket_takes_key (state, event, walk->key);
  if (event->kind == EVENT_DIRTY_PROMOTED || event->kind == EVENT_READ_PUBLISHED)
    return is_in_read_or_dirty (state, walk->key);
  if (event->kind == EVENT_TABLE_CLEARED)
    return table_has_key (state, table_of (state, event->aux16), walk->key);
  if (event_kind_gate ((EventKind)event->kind) == GATE_ENTRY) {
    StateEntry entry = map_state_entry (state, event->res);

    return entry.is_known && entry.key == walk->key;
  }
  return FALSE;
}

static void
walk_key (const Event    *event,
          const MapState *before,
          gpointer        data) {
  KeyWalk *walk = data;

  if (event->kind < EVENT_N_KINDS && touches_key (walk, event))
    g_array_append_val (walk->indices, walk->index);
  walk->index++;
}

/* What comes without the key's name: where it is then, and what it leaves. */
typedef struct {
  const MapState   *state; /* where the block that was about the key ends */
  const StateTable *dirty; /* NULL: there is none, or the key is not in it */
  gboolean          is_in_read;
  EventKinds        kinds; /* that may be about it */
} Unnamed;

static void
unnamed_init (Unnamed        *self,
              const MapState *state,
              gint64          key) {
  const StateTable *dirty = map_state_table_for (state, TABLE_ROLE_DIRTY);

  self->state = state;
  self->dirty = table_has_key (state, dirty, key) ? dirty : NULL;
  self->is_in_read
      = table_has_key (state, map_state_table_for (state, TABLE_ROLE_READ), key);
  self->kinds = 0;
  if (self->is_in_read || self->dirty != NULL)
    self->kinds |= EVENT_KIND_BIT (EVENT_READ_PUBLISHED);
  if (dirty != NULL && self->kinds != 0)
    self->kinds |= EVENT_KIND_BIT (EVENT_DIRTY_PROMOTED);
  for (guint i = 0; i < state->n_tables; i++)
    if (table_has_key (state, &state->tables[i], key))
      self->kinds |= EVENT_KIND_BIT (EVENT_TABLE_CLEARED);
}

/* Whether @event is about the key; no kinds are left when it has gone. */
static gboolean
unnamed_step (Unnamed     *self,
              const Event *event,
              gint64       key) {
  if (event->kind == EVENT_DIRTY_PROMOTED) {
    self->is_in_read = self->dirty != NULL;
    self->dirty = NULL;
  } else if (event->kind == EVENT_TABLE_CLEARED) {
    const StateTable *table = table_of (self->state, event->aux16);

    if (!table_has_key (self->state, table, key))
      return FALSE; /* another shard's, or a dirty table made since */
    if (table == self->dirty)
      self->dirty = NULL;
    else if (!map_state_has_read_and_dirty (self->state))
      self->kinds = 0;
  } else {
    self->is_in_read = FALSE;
    self->dirty = NULL;
  }
  /* One promotion at most: the next needs a dirty table, whose making names the
   * keys that it takes. */
  if (event->kind == EVENT_DIRTY_PROMOTED || self->dirty == NULL)
    self->kinds &= ~EVENT_KIND_BIT (EVENT_DIRTY_PROMOTED);
  if (map_state_has_read_and_dirty (self->state) && !self->is_in_read
      && self->dirty == NULL)
    self->kinds = 0;
  return TRUE;
}

/* After a block that was about it: at most a promotion, then a Clear. */
static void
watch_key (Timeline     *self,
           KeyWalk      *walk,
           guint64       from,
           guint64       end,
           GCancellable *cancellable) {
  guint64 position = from;
  Unnamed unnamed;

  unnamed_init (&unnamed, walk->state, walk->key);
  while (unnamed.kinds != 0
         && (position = timeline_find_before (self, position, end, unnamed.kinds,
                                              -1, cancellable))
                != G_MAXUINT64) {
    guint64 index = position - 1;
    Event event;

    tracelog_get_event (self->log, index, &event);
    if (unnamed_step (&unnamed, &event, walk->key))
      g_array_append_val (walk->indices, index);
  }
}

/* Blocks ------------------------------------------------------------------- */

typedef enum {
  BLOCK_SILENT,  /* not about the key */
  BLOCK_COPIES,  /* about it if that is in a table */
  BLOCK_NAMES,   /* about it, as far as can be told without folding */
} BlockWord;

/* Back over the blocks, for those to be folded. */
typedef struct {
  Timeline     *timeline;
  GCancellable *cancellable;
  gint64        key;
  guint64       n_filters;
  guint64       least;
  guint64       at;      /* where the blocks looked at begin */
  guint64       unnamed; /* no block from here to those names it */
  KeyWindow    *window;
} Seeker;

typedef struct {
  guint64 from;
  guint64 to;
} Stretch;

typedef struct {
  gint64           key;
  const KeyFilter *filter;
  guint32          chains[KEY_RANGES]; /* that the key is in, by range */
  BlockWord        word;
} NameWalk;

static void
walk_name (const Event *event,
           guint64      index,
           gpointer     data) {
  NameWalk *walk = data;

  if (has_named_key (event) && named_key (event) == walk->key)
    walk->word = BLOCK_NAMES;
  for (guint i = 0; event->kind == EVENT_BUCKET_COPIED
                    && i < walk->filter->n_ranges; i++)
    if (event->a == walk->chains[i])
      walk->word = MAX (walk->word, BLOCK_COPIES);
}

/* What the block of @index says, below @end. */
static BlockWord
block_word (Seeker *self,
            guint64 index,
            guint64 end) {
  guint64 number = index / TRACE_BLOCK_EVENTS;
  const KeyFilter *filter = number < self->n_filters
                                ? pile_get (&self->timeline->sums.filters, number)
                                : NULL;
  const guint64 *words = filter == NULL ? NULL
                                        : sums_peek_key_words (
                                            &self->timeline->sums, filter,
                                            self->window);
  NameWalk walk = { .key = self->key, .filter = filter };

  if (words == NULL
      || key_filter_may_hold (words + filter->n_direct, filter->n_indirect,
                              KEY_INDIRECT_BITS, self->key))
    return BLOCK_NAMES;
  if (!ranges_may_hold (filter, self->key, walk.chains)
      && !key_filter_may_hold (words, filter->n_direct, KEY_DIRECT_BITS,
                               self->key))
    return BLOCK_SILENT;
  timeline_visit (self->timeline, index, end, walk_name, &walk);
  return walk.word;
}

static guint64
block_before (guint64 position) {
  return (position - 1) / TRACE_BLOCK_EVENTS * TRACE_BLOCK_EVENTS;
}

static gboolean
is_named_before (Seeker *self,
                 guint64 position) {
  self->unnamed = MIN (self->unnamed, position);
  while (self->unnamed > 0) {
    guint64 begin = block_before (self->unnamed);

    if (g_cancellable_is_cancelled (self->cancellable)
        || block_word (self, begin, self->unnamed) == BLOCK_NAMES)
      return TRUE;
    self->unnamed = begin;
  }
  return FALSE;
}

/* The block before self->at that is to be folded; FALSE: there is none. */
static gboolean
next_block (Seeker  *self,
            Stretch *block) {
  while (self->at > self->least
         && !g_cancellable_is_cancelled (self->cancellable)) {
    BlockWord word;

    block->to = self->at;
    block->from = self->at = MAX (self->least, block_before (self->at));
    word = block_word (self, block->from, block->to);
    if (word == BLOCK_COPIES && !is_named_before (self, block->from)) {
      self->at = self->least;
      return FALSE;
    }
    if (word != BLOCK_SILENT)
      return TRUE;
  }
  return FALSE;
}

/* Up to @max blocks, the newest first, each so near the one before that it takes
 * less to fold on from it than to get there anew. What is not is next time's. */
static void
gather (Seeker *self,
        GArray *blocks,
        guint   max) {
  Stretch block;

  g_array_set_size (blocks, 0);
  while (blocks->len < max && next_block (self, &block)) {
    if (blocks->len > 0) {
      guint64 newer = g_array_index (blocks, Stretch, blocks->len - 1).from;

      if ((newer - block.to) * FOLDED_EVENT_NS
          > timeline_fold_cost_ns (self->timeline, newer, newer)) {
        self->at = block.to;
        return;
      }
    }
    g_array_append_val (blocks, block);
  }
}

/* Appends the events of @blocks and those between and after them, before @end,
 * without its name. */
static void
fold_blocks (const Seeker *self,
             const GArray *blocks,
             guint64       end,
             GArray       *indices) {
  const Stretch *oldest = &g_array_index (blocks, Stretch, blocks->len - 1);
  g_autoptr (Fold) fold = timeline_begin_fold (self->timeline, oldest->from,
                                               self->cancellable);
  KeyWalk walk = { .key = self->key, .state = fold_peek_state (fold),
                   .indices = indices };

  for (guint i = blocks->len; i > 0; i--) {
    const Stretch *block = &g_array_index (blocks, Stretch, i - 1);
    guint64 next = i > 1 ? block[-1].from : end;

    if (!timeline_advance_fold (self->timeline, fold, block->from,
                                self->cancellable))
      return;
    walk.index = block->from;
    timeline_fold_on (self->timeline, fold, block->to, walk_key, &walk);
    if (block->to < next)
      watch_key (self->timeline, &walk, block->to, next, self->cancellable);
  }
}

/* The last ones first. */
static void
append_backward (GArray       *all,
                 const GArray *found) {
  for (guint i = found->len; i > 0; i--)
    g_array_append_val (all, g_array_index (found, guint64, i - 1));
}

static guint64
get_page (Timeline     *self,
          gint64        key,
          guint64       least,
          guint64       n_events,
          guint         max,
          GCancellable *cancellable,
          GArray       *indices) {
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (GArray) blocks = g_array_new (FALSE, FALSE, sizeof (Stretch));
  g_autofree KeyWindow *window = g_new0 (KeyWindow, 1);
  Seeker seeker = { .timeline = self, .cancellable = cancellable, .key = key,
                    .least = least, .unnamed = G_MAXUINT64, .window = window };
  guint64 known; /* where the last block that was about the key begins */
  guint batch = 1;

  timeline_lock (self);
  seeker.at = known = MIN (n_events, self->length);
  seeker.n_filters = self->sums.shown.n_filters;
  timeline_unlock (self);
  while (all->len < max && !g_cancellable_is_cancelled (cancellable)) {
    gather (&seeker, blocks, batch);
    if (blocks->len == 0)
      break;
    g_array_set_size (found, 0);
    fold_blocks (&seeker, blocks, known, found);
    append_backward (all, found);
    known = g_array_index (blocks, Stretch, blocks->len - 1).from;
    batch = MIN (2 * batch, MAX_BATCH);
  }
  g_array_set_size (all, MIN (all->len, max));
  for (guint i = all->len; i > 0; i--)
    g_array_append_val (indices, g_array_index (all, guint64, i - 1));
  if (all->len < max || max == 0)
    return 0;
  return g_array_index (all, guint64, all->len - 1);
}

guint64
timeline_get_key_page (Timeline     *self,
                       gint64        key,
                       guint64       n_events,
                       guint         max,
                       GCancellable *cancellable,
                       GArray       *indices) {
  return get_page (self, key, 0, n_events, max, cancellable, indices);
}

void
timeline_get_key_life (Timeline     *self,
                       gint64        key,
                       guint64       n_events,
                       guint64       window,
                       guint         max,
                       GCancellable *cancellable,
                       GArray       *indices) {
  n_events = MIN (n_events, timeline_get_length (self));
  get_page (self, key, n_events > window ? n_events - window : 0, n_events, max,
            cancellable, indices);
}
