/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-read.c — reading a log: blocks found, read, unpacked, remembered
 *
 * The log itself, its invariants and who may touch what: tracelog.c.
 *
 * A block is looked for among the plain ones, then unpacked from memory, then
 * read from the store. What the store gives is not trusted: it was proved by
 * nobody, or has changed since. All checks of L5 are here.
 */
#include "core/record/tracelog-private.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>

guint64
tracelog_get_length (TraceLog *self) {
  /* Acquire: pairs with the release store in tracelog_publish(). */
  guint64 published
      = atomic_load_explicit (&self->published, memory_order_acquire);
  /* Relaxed: whoever comes too late for it finds NULL instead of a block. */
  guint64 cut = atomic_load_explicit (&self->cut, memory_order_relaxed);

  return MIN (published, cut);
}

gboolean
tracelog_is_finished (TraceLog *self) {
  /* Acquire: pairs with the release store in tracelog_restore(). */
  return atomic_load_explicit (&self->finished, memory_order_acquire);
}

char *
tracelog_dup_damage (TraceLog *self) {
  char *damage;

  /* A window asks with every step. */
  if (!atomic_load_explicit (&self->is_damaged, memory_order_relaxed))
    return NULL;
  pthread_mutex_lock (&self->lock);
  damage = g_strdup (self->damage);
  pthread_mutex_unlock (&self->lock);
  return damage;
}

char *
tracelog_dup_newer (TraceLog *self) {
  return g_strdup (self->newer);
}

gboolean
tracelog_lacks_parts (TraceLog *self) {
  return self->lacks_parts;
}

/* The log ends before block @number: @problem, a translated phrase, is what was
 * found at @offset. */
static void
cut_before (TraceLog   *self,
            guint64     number,
            guint64     offset,
            const char *problem) {
  guint64 first = number * TRACE_BLOCK_EVENTS;

  pthread_mutex_lock (&self->lock);
  if (first < atomic_load_explicit (&self->cut, memory_order_relaxed)) {
    /* Relaxed: as in tracelog_get_length(). */
    atomic_store_explicit (&self->cut, first, memory_order_relaxed);
    g_free (self->damage);
    self->damage = g_strdup_printf (
        _("“%s” is damaged at byte %" PRIu64
          ": %s. Its first %'" PRIu64 " events can be read."),
        trace_store_get_name (self->store), offset, problem, first);
    atomic_store_explicit (&self->is_damaged, TRUE, memory_order_relaxed);
    self->honesty.is_complete = FALSE;
    tracelog_show_honesty_locked (self);
  }
  pthread_mutex_unlock (&self->lock);
}

/* What block @number must be, told by the table. */
static PackedBlock
wanted_block_locked (TraceLog *self,
                     guint64   number) {
  const BlockEntry *entry = entry_at (self, number);
  gint64 until_ns = G_MAXINT64;

  if (number + 1 < self->blocks->len)
    until_ns = entry_at (self, number + 1)->t0_ns;
  else if (tracelog_get_length (self) / TRACE_BLOCK_EVENTS > number
           && tracelog_get_length (self) % TRACE_BLOCK_EVENTS > 0)
    until_ns = self->tail->events[0].at_ns;
  return (PackedBlock){
    .first = number * TRACE_BLOCK_EVENTS,
    .t0_ns = entry->t0_ns,
    .t1_ns = entry->t1_ns >= 0 ? entry->t1_ns : until_ns,
    .n_events = TRACE_BLOCK_EVENTS,
    .raw_size = entry->raw_size,
    .stored_size = entry->stored_size,
    .codec = (TraceCodec)entry->codec,
    .data = entry->data,
  };
}

/* Reads block @number from the store into *@packed, whose data is new, and
 * unpacks it; FALSE: it is damaged, and the log cut. */
static gboolean
read_stored (TraceLog    *self,
             guint64      number,
             PackedBlock *packed,
             Event       *events) {
  PackedBlock wanted;
  g_autofree char *problem = NULL;
  guint64 offset;

  pthread_mutex_lock (&self->lock);
  offset = entry_at (self, number)->offset;
  wanted = wanted_block_locked (self, number);
  pthread_mutex_unlock (&self->lock);
  problem = trace_store_read_block (self->store, offset, &wanted, packed);
  if (problem == NULL) {
    const char *flaw = trace_block_unpack (
        packed, trace_store_get_limits (self->store), events);

    if (flaw != NULL)
      problem = g_strdup_printf (_("a block of events has %s"), _(flaw));
  }
  if (problem == NULL)
    return TRUE;
  cut_before (self, number, offset, problem);
  g_clear_pointer (&packed->data, g_free);
  return FALSE;
}

gboolean
tracelog_dup_packed (TraceLog    *self,
                     guint64      number,
                     PackedBlock *block) {
  g_autofree Event *events = NULL;
  gboolean is_full;

  pthread_mutex_lock (&self->lock);
  is_full = number < self->blocks->len;
  if (is_full) {
    *block = wanted_block_locked (self, number);
    block->data = block->data != NULL
                      ? g_memdup2 (block->data, block->stored_size)
                      : NULL;
  }
  pthread_mutex_unlock (&self->lock);
  if (!is_full || block->data != NULL)
    return is_full;

  events = g_new (Event, TRACE_BLOCK_EVENTS);
  if (!read_stored (self, number, block, events))
    return FALSE;
  if (!trace_store_has_our_kinds (self->store)) {
    g_free (block->data);
    trace_block_pack (block, number * TRACE_BLOCK_EVENTS, events,
                      TRACE_BLOCK_EVENTS);
  }
  return TRUE;
}

/* (transfer none): block @number when it is in memory as plain events, else NULL. */
static PlainBlock *
peek_plain_locked (TraceLog *self,
                   guint64   number) {
  if (number >= self->blocks->len)
    return self->tail;
  if (self->recent != NULL && number + 1 == self->blocks->len)
    return self->recent;
  for (guint i = 0; i < N_CACHED; i++) {
    CachePlace *place = &self->cache[i];

    if (place->block != NULL && place->number == number) {
      place->used = ++self->cache_clock;
      return place->block;
    }
  }
  return NULL;
}

/* (transfer full): the same; NULL and the block packed where it is not. */
static PlainBlock *
find_plain_locked (TraceLog    *self,
                   guint64      number,
                   PackedBlock *packed) {
  PlainBlock *plain = peek_plain_locked (self, number);

  if (plain != NULL)
    return plain_block_ref (plain);
  *packed = wanted_block_locked (self, number);
  if (packed->data != NULL)
    entry_at (self, number)->n_pins++; /* until ref_plain() is done with it */
  return NULL;
}

/* (transfer full): the memory of the block longest unused, if nobody reads it any more;
 * NULL: none. */
static PlainBlock *
take_unused_locked (TraceLog *self) {
  CachePlace *oldest = &self->cache[0];
  PlainBlock *block;

  for (guint i = 0; i < N_CACHED; i++) {
    if (self->cache[i].block == NULL)
      return NULL;
    if (self->cache[i].used < oldest->used)
      oldest = &self->cache[i];
  }
  if (!plain_block_is_unshared (oldest->block))
    return NULL;
  block = oldest->block;
  *oldest = (CachePlace){ 0 };
  return block;
}

/* Keeps @block in place of the one longest unused, which is returned. */
static PlainBlock *
remember_locked (TraceLog   *self,
                 guint64     number,
                 PlainBlock *block) {
  CachePlace *oldest = &self->cache[0];
  PlainBlock *evicted;

  for (guint i = 0; i < N_CACHED; i++) {
    CachePlace *place = &self->cache[i];

    if (place->block != NULL && place->number == number)
      return NULL; /* another reader was faster */
    if (oldest->block != NULL
        && (place->block == NULL || place->used < oldest->used))
      oldest = place;
  }
  evicted = oldest->block;
  *oldest = (CachePlace){
    .number = number,
    .used = ++self->cache_clock,
    .block = plain_block_ref (block),
  };
  return evicted;
}

/* Unpacks a block into @events; FALSE: it is damaged. */
static gboolean
unpack (TraceLog    *self,
        guint64      number,
        PackedBlock *packed,
        Event       *events) {
  const BlockLimits any = { NULL, 0 };
  const char *problem;

  if (packed->data == NULL) {
    gboolean is_good = read_stored (self, number, packed, events);

    g_free (packed->data);
    return is_good;
  }
  /* Data in memory is immutable and stays while it is pinned. */
  problem = trace_block_unpack (packed, &any, events);
  if (problem != NULL)
    g_error ("block %" G_GUINT64_FORMAT " of the log has %s", number, problem);
  return TRUE;
}

/* (transfer full): block @number, of which events are published; NULL: it is
 * damaged. */
static PlainBlock *
ref_plain (TraceLog *self,
           guint64   number) {
  PlainBlock *found, *block = NULL, *evicted = NULL;
  gboolean is_pinned, is_good;
  PackedBlock packed;

  pthread_mutex_lock (&self->lock);
  found = find_plain_locked (self, number, &packed);
  if (found == NULL)
    block = take_unused_locked (self);
  pthread_mutex_unlock (&self->lock);
  if (found != NULL)
    return found;

  if (block == NULL)
    block = plain_block_new ();
  is_pinned = packed.data != NULL;
  is_good = unpack (self, number, &packed, block->events);
  pthread_mutex_lock (&self->lock);
  if (is_pinned)
    entry_at (self, number)->n_pins--;
  if (is_good)
    evicted = remember_locked (self, number, block);
  pthread_mutex_unlock (&self->lock);
  plain_block_unref (evicted);
  if (is_good)
    return block;
  plain_block_unref (block);
  return NULL;
}

TraceBlock *
tracelog_ref_block (TraceLog *self,
                    guint64   index) {
  guint64 length = tracelog_get_length (self);
  guint64 first = index - index % TRACE_BLOCK_EVENTS;
  PlainBlock *plain;
  TraceBlock *block;

  if (index >= length)
    return NULL;
  plain = ref_plain (self, index / TRACE_BLOCK_EVENTS);
  if (plain == NULL)
    return NULL;
  block = g_new (TraceBlock, 1);
  *block = (TraceBlock){
    .first = first,
    .n_events = (guint)MIN (length - first, TRACE_BLOCK_EVENTS),
    .events = plain->events,
    .owner = plain,
  };
  return block;
}

void
trace_block_unref (TraceBlock *block) {
  if (block == NULL)
    return;
  plain_block_unref (block->owner);
  g_free (block);
}

void
tracelog_pass_block (TraceLog   *self,
                     TraceBlock *block) {
  pthread_mutex_lock (&self->lock);
  for (guint i = 0; i < N_CACHED; i++)
    if (self->cache[i].block == block->owner)
      self->cache[i].used = 0;
  pthread_mutex_unlock (&self->lock);
  trace_block_unref (block);
}

gboolean
tracelog_get_event (TraceLog *self,
                    guint64   index,
                    Event    *event) {
  PlainBlock *plain;

  if (index >= tracelog_get_length (self))
    return FALSE;
  plain = ref_plain (self, index / TRACE_BLOCK_EVENTS);
  if (plain == NULL)
    return FALSE;
  *event = plain->events[index % TRACE_BLOCK_EVENTS];
  plain_block_unref (plain);
  return TRUE;
}

gboolean
tracelog_peek_event (TraceLog *self,
                     guint64   index,
                     Event    *event) {
  PlainBlock *plain;

  if (index >= tracelog_get_length (self))
    return FALSE;
  pthread_mutex_lock (&self->lock);
  plain = peek_plain_locked (self, index / TRACE_BLOCK_EVENTS);
  if (plain != NULL)
    *event = plain->events[index % TRACE_BLOCK_EVENTS];
  pthread_mutex_unlock (&self->lock);
  return plain != NULL;
}

gboolean
tracelog_is_at_hand (TraceLog *self,
                     guint64   first,
                     guint64   end) {
  gboolean is_at_hand = TRUE;

  if (first >= end)
    return TRUE;
  pthread_mutex_lock (&self->lock);
  for (guint64 number = first / TRACE_BLOCK_EVENTS;
       is_at_hand && number <= (end - 1) / TRACE_BLOCK_EVENTS; number++)
    is_at_hand = peek_plain_locked (self, number) != NULL;
  pthread_mutex_unlock (&self->lock);
  return is_at_hand;
}

gint64
tracelog_time_at (TraceLog *self,
                  guint64   index) {
  guint64 length = tracelog_get_length (self);
  BlockEntry entry = { .t1_ns = -1 };
  guint64 number;
  Event event;

  if (length == 0)
    return 0;
  index = MIN (index, length - 1);
  number = index / TRACE_BLOCK_EVENTS;
  /* The ends of a full block are known without unpacking it, or one of them. */
  pthread_mutex_lock (&self->lock);
  if (number < self->blocks->len)
    entry = *entry_at (self, number);
  pthread_mutex_unlock (&self->lock);
  if (entry.offset != 0 || entry.data != NULL) {
    if (index % TRACE_BLOCK_EVENTS == 0)
      return entry.t0_ns;
    if (index % TRACE_BLOCK_EVENTS == TRACE_BLOCK_EVENTS - 1
        && entry.t1_ns >= 0)
      return entry.t1_ns;
  }
  return tracelog_get_event (self, index, &event) ? event.at_ns : entry.t0_ns;
}

/* How many of the @n blocks of the table begin at or before @at_ns. */
static guint64
count_blocks_until (TraceLog *self,
                    guint64   n,
                    gint64    at_ns) {
  guint64 low = 0, high = n;

  pthread_mutex_lock (&self->lock);
  while (low < high) {
    guint64 middle = low + (high - low) / 2;

    if (entry_at (self, middle)->t0_ns <= at_ns)
      low = middle + 1;
    else
      high = middle;
  }
  pthread_mutex_unlock (&self->lock);
  return low;
}

/* How many of the first @n of @events have at_ns <= @at_ns. */
static guint
count_until (const Event *events,
             guint        n,
             gint64       at_ns) {
  guint low = 0, high = n;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (events[middle].at_ns <= at_ns)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The same of block @number. */
static guint
count_in_block (TraceLog *self,
                guint64   number,
                guint     n,
                gint64    at_ns) {
  PlainBlock *plain = ref_plain (self, number);
  guint n_until;

  if (plain == NULL)
    return 0;
  n_until = count_until (plain->events, n, at_ns);
  plain_block_unref (plain);
  return n_until;
}

/* The block that the last event at or before @at_ns may be in, and how many of its events
 * are published; 0: there is no such event. */
static guint
find_block_at (TraceLog *self,
               gint64    at_ns,
               guint64  *number) {
  guint64 length = tracelog_get_length (self);
  guint64 n_full = length / TRACE_BLOCK_EVENTS;
  guint n_open = (guint)(length % TRACE_BLOCK_EVENTS);

  *number = count_blocks_until (self, n_full, at_ns);
  if (*number == n_full && n_open > 0
      && count_in_block (self, n_full, n_open, at_ns) > 0)
    return n_open;
  if (*number == 0)
    return 0;
  --*number;
  return TRACE_BLOCK_EVENTS;
}

guint64
tracelog_index_at (TraceLog *self,
                   gint64    at_ns) {
  guint64 number;
  guint n = find_block_at (self, at_ns, &number);

  return n == 0 ? 0
                : number * TRACE_BLOCK_EVENTS + count_in_block (self, number, n, at_ns);
}

/* As if its events were as far from each other as they are on average. */
static guint
guess_in_block (const PackedBlock *block,
                gint64             at_ns) {
  double share;

  if (at_ns >= block->t1_ns)
    return TRACE_BLOCK_EVENTS;
  share = (double)(at_ns - block->t0_ns) / (double)(block->t1_ns - block->t0_ns);
  return 1 + (guint)(share * (TRACE_BLOCK_EVENTS - 1));
}

gboolean
tracelog_guess_index_at (TraceLog *self,
                         gint64    at_ns,
                         guint64  *index) {
  guint64 number;
  guint n = find_block_at (self, at_ns, &number);
  PackedBlock packed;
  PlainBlock *plain;

  *index = 0;
  if (n == 0)
    return TRUE;
  pthread_mutex_lock (&self->lock);
  plain = peek_plain_locked (self, number);
  if (plain != NULL) {
    n = count_until (plain->events, n, at_ns);
  } else {
    packed = wanted_block_locked (self, number);
    n = guess_in_block (&packed, at_ns);
  }
  pthread_mutex_unlock (&self->lock);
  *index = number * TRACE_BLOCK_EVENTS + n;
  return plain != NULL;
}
