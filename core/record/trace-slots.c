/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-slots.c — slots that a key's hash foretells
 *
 * Idea        `slot-written` and `slot-updated` tell a key and its slot. But for
 *             what lies in overflow buckets, the slot's bucket is the one that the
 *             key's hash names, and a new slot's tophash is the hash's top byte: of
 *             a map of a million slots, seventeen bits of twenty in every address
 *             are in the key already, and look like noise to whoever packs them. So
 *             a block may say how a table hashes, and the addresses in it are told
 *             less what is foretold. What is foretold wrongly costs as much as
 *             before, and nothing can come out of it but what went in: both sides
 *             reckon modulo 2^32 with the same numbers, whatever is true of the map.
 *
 * Tables      How a table hashes is told by events: its seed and B when it is
 *             made, B when it grows. A block names the table of which most of its
 *             slots are, as that is at the block's end; where it grows within, slots
 *             before are foretold wrongly. One table keeps unpacking simple: most
 *             maps have one, and of many small ones addresses are short. Only the
 *             good hash is foretold; the others are for lessons, which are short.
 *
 * Measured    Bytes an event of saved files: a gomap of a million slots, uniform
 *             keys: 6.3, now 4.3; one of 2^16 buckets: 2.7, now 2.0.
 *             Unpacking takes as long as before: what hashing costs, the noise
 *             that is no longer unpacked saves.
 */
#include "core/record/trace-slots-private.h"

#include "core/record/tracelog-file-private.h"

#define N_IDS 65536
/* Free choice: an address foretold saves two bytes of a block's thousands, and
 * telling that a block has some costs its reader time. */
#define FEWEST_EVENTS 64u

typedef struct {
  guint64  seed;
  guint8   B;
  gboolean is_known; /* and its hash is the good one */
} Table;

struct _TraceTables {
  Table tables[N_IDS]; /* by id; no page is touched that none needs */
};

/* An event of a raw block. */
typedef struct {
  TracePlanes planes;
  guint       n;
  guint       n_payloads;
  guint       i;
  guint       payload; /* its place among those with one, if it has one */
} Cursor;

static void
cursor_init (Cursor *self,
             guint8 *raw,
             guint   n) {
  *self = (Cursor){ .n = n, .n_payloads = (guint)bytes_get (raw + 8, 4) };
  trace_planes_lay (&self->planes, raw, n,
                    (guint)bytes_get (raw + 12, 4), self->n_payloads);
}

static inline gboolean
has_payload (const Cursor *self) {
  return (self->planes.kind[self->i] & EVENT_HAS_PAYLOAD) != 0;
}

static inline void
cursor_step (Cursor *self) {
  self->payload += has_payload (self);
  self->i++;
}

static inline unsigned
kind_at (const Cursor *self) {
  return self->planes.kind[self->i] % EVENT_HAS_PAYLOAD;
}

static inline gboolean
is_at_slot (const Cursor *self) {
  return has_payload (self)
         && (kind_at (self) == EVENT_SLOT_WRITTEN
             || kind_at (self) == EVENT_SLOT_UPDATED);
}

static guint16
table_at (const Cursor *self) {
  return (guint16)trace_get_spread (self->planes.aux16 + self->i, self->n, 2);
}

/* The number of one of the two payloads, whose planes begin at @plane. */
static guint64
number_at (const Cursor *self,
           const guint8 *plane) {
  return has_payload (self)
             ? trace_get_spread (plane + self->payload, self->n_payloads, 8)
             : 0;
}

void
trace_slots_take (const TraceSlots *self,
                  guint8           *raw,
                  guint             n_events) {
  Cursor at;

  if (!self->is_there)
    return;
  for (cursor_init (&at, raw, n_events); at.i < at.n; cursor_step (&at)) {
    guint8 *res = at.planes.res + at.i;
    guint64 hash;

    if (!is_at_slot (&at) || table_at (&at) != self->id)
      continue;
    hash = hash_good ((gint64)number_at (&at, at.planes.a), self->seed);
    trace_put_spread (res, at.n, 4,
                      (guint32)trace_get_spread (res, at.n, 4)
                          - trace_slots_address (self, hash));
    if (kind_at (&at) == EVENT_SLOT_WRITTEN)
      at.planes.aux8[at.i]
          = (guint8)(at.planes.aux8[at.i] - trace_slots_tophash (hash));
  }
}

/* Tables ------------------------------------------------------------------- */

TraceTables *
trace_tables_new (void) {
  return g_new0 (TraceTables, 1);
}

void
trace_tables_free (TraceTables *self) {
  g_free (self);
}

static void
see_event (TraceTables  *self,
           const Cursor *at) {
  Table *table = &self->tables[table_at (at)];
  guint8 aux8 = at->planes.aux8[at->i];

  switch (kind_at (at)) {
  case EVENT_TABLE_CREATED:
    *table = (Table){ .seed = number_at (at, at->planes.a),
                      .B = aux8,
                      .is_known
                      = number_at (at, at->planes.b) >> 32 == HASH_GOOD };
    break;
  case EVENT_TABLE_ALLOCATED:
  case EVENT_GROWTH_STARTED:
    table->B = aux8;
    break;
  case EVENT_TABLE_RESEEDED:
  case EVENT_TABLE_CLEARED:
    table->seed = number_at (at, at->planes.a);
    break;
  }
}

/* The table of which most slots are told, and *most: how many; of tables with the
 * low byte of their id in common only the first is looked at. */
static guint16
find_most (Cursor *at,
           guint  *most) {
  guint counts[256] = { 0 };
  guint16 ids[256], found = 0;

  *most = 0;
  for (; at->i < at->n; cursor_step (at)) {
    guint16 id = table_at (at);
    guint *count = &counts[id % 256];

    if (!is_at_slot (at))
      continue;
    if (*count == 0)
      ids[id % 256] = id;
    *count += ids[id % 256] == id;
    if (*count > *most) {
      *most = *count;
      found = ids[id % 256];
    }
  }
  return found;
}

void
trace_tables_see (TraceTables *self,
                  guint8      *raw,
                  guint        n_events,
                  TraceSlots  *slots) {
  const Table *table;
  guint16 id;
  guint most;
  Cursor at;

  for (cursor_init (&at, raw, n_events); at.i < at.n; cursor_step (&at))
    see_event (self, &at);
  cursor_init (&at, raw, n_events);
  id = find_most (&at, &most);
  table = &self->tables[id];
  *slots = (TraceSlots){ .is_there = most >= FEWEST_EVENTS && table->is_known
                                     && table->B <= TRACE_MAX_B };
  if (slots->is_there)
    *slots = (TraceSlots){ TRUE, id, table->B, table->seed };
}
