/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-slots-private.h — slots that a key's hash foretells
 *
 * Told in trace-slots.c. Packing asks what the tables of a log are like, and takes
 * away what they foretell; unpacking puts it back.
 */
#pragma once

#include "core/base/hash.h"
#include "core/probe/event.h"
#include "core/record/trace-raw-private.h"

G_BEGIN_DECLS

#define TRACE_MAX_B 31u

/* The table of a block whose slots are foretold. */
typedef struct {
  gboolean is_there;
  guint16  id;
  guint8   B;
  guint64  seed;
} TraceSlots;

/* Takes from a whole raw block of our kinds what is foretold. */
void         trace_slots_take  (const TraceSlots *self,
                                guint8           *raw,
                                guint             n_events);

/* The tophash of a key of that hash, and the address of its bucket's first slot. */
static inline guint8
trace_slots_tophash (guint64 hash) {
  guint8 top = (guint8)(hash >> 56);

  return (guint8)(top + (top < TOPHASH_MIN ? TOPHASH_MIN : 0));
}

static inline guint32
trace_slots_address (const TraceSlots *self,
                     guint64           hash) {
  return (guint32)hash % (1u << self->B) * BUCKET_SLOTS;
}

/* What the tables of a log are like, as far as its blocks were seen. */
typedef struct _TraceTables TraceTables;

TraceTables *trace_tables_new  (void);
void         trace_tables_free (TraceTables *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TraceTables, trace_tables_free)

/* Sees what a whole raw block of our kinds does to tables, and sets @slots to the
 * one of which foretelling in it pays most. Blocks come in order. */
void         trace_tables_see  (TraceTables *self,
                                guint8      *raw,
                                guint        n_events,
                                TraceSlots  *slots);

G_END_DECLS
