/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fold.c — one event after another into one state
 *
 * Idea        A fold owns a MapState and edits it in place. A state handed out
 *             shares the chunks; the next edit of a shared chunk copies it
 *             (state-chunks.c), so the picture given away never changes.
 *
 * Rule        The fold moves data; it knows no algorithm of a map beyond what
 *             event.h says an event stands for (append order of moved slots,
 *             emptyOne running back to emptyRest). That the result equals the
 *             engine's memory byte by byte is tested, not assumed.
 *
 * Trust       An event is checked against the state it meets before anything
 *             is changed. One that does not fit is a fault: counted, the first
 *             one put in words, and without effect but for clock and count.
 *
 * Cost        One switch, one load to the chunk, no allocation unless a chunk is
 *             new or shared. What is left is waiting for memory: a run of
 *             events is folded ahead of that, in fold-many.c.
 */
#include "core/state/fold-private.h"

#include <string.h>

static Fold *
fold_new_around (MapState *state) {
  Fold *self = g_new0 (Fold, 1);

  self->state = state;
  self->budget.limit = FOLD_MAX_BYTES;
  return self;
}

Fold *
fold_new (void) {
  return fold_new_around (map_state_new ());
}

Fold *
fold_new_taking (MapState *state) {
  Fold *self = fold_new_around (state);

  self->budget.bytes_made = map_state_bytes (state);
  for (guint i = 0; i < state->n_tables; i++)
    self->table_at[state->tables[i].id] = (guint16)(i + 1);
  for (guint i = 0; i < state->n_locks; i++)
    self->lock_at[state->locks[i].id] = (guint16)(i + 1);
  for (guint i = 0; i < state->n_threads; i++)
    self->thread_at[MIN (state->threads[i].shown.thread, FOLD_MAX_THREADS)] =
        (guint16)(i + 1);
  return self;
}

Fold *
fold_new_from_state (const MapState *state) {
  return state != NULL ? fold_new_taking (map_state_copy (state, NULL))
                       : fold_new ();
}

void
fold_free (Fold *self) {
  if (self == NULL)
    return;
  if (self->last != NULL)
    map_state_unref (self->last);
  map_state_unref (self->state);
  g_free (self->first_fault);
  g_free (self);
}

guint64
fold_n_events (Fold *self) {
  return self->state->n_events;
}

MapState *
fold_ref_state (Fold *self) {
  if (self->last == NULL) {
    gsize bytes;

    self->last = map_state_copy (self->state, &bytes);
    self->bytes_copied += bytes;
  }
  return map_state_ref (self->last);
}

const MapState *
fold_peek_state (Fold *self) {
  return self->state;
}

guint64
fold_n_faults (Fold *self) {
  return self->n_faults;
}

const char *
fold_first_fault (Fold *self) {
  return self->first_fault;
}

gsize
fold_bytes_copied (Fold *self) {
  return self->budget.bytes_copied + self->bytes_copied;
}

void
fold_fault (Fold        *self,
            const Event *event,
            const char  *format,
            ...) {
  const char *name = event_kind_name (event->kind);
  g_autofree char *what = NULL;
  va_list args;

  /* Where events are missing the next ones need not fit. */
  if (self->state->counters.n_dropped > 0 || self->n_faults++ > 0)
    return;
  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  self->first_fault = g_strdup_printf ("event %" G_GUINT64_FORMAT " (%s): %s",
                                       self->state->n_events,
                                       name != NULL ? name : "unknown kind",
                                       what);
}

static void
thread_turned (Fold        *self,
               const Event *event,
               gboolean     is_running) {
  ThreadRecord *record = fold_find_thread (self, event);

  if (record == NULL)
    return;
  record->shown.is_running = is_running;
  record->shown.in_op = record->shown.in_op && is_running;
  if (is_running)
    record->shown.role = (guint16)event->res;
}

/* Kinds in the order of event.h. */
void
fold_dispatch (Fold        *self,
               const Event *event) {
  MapState *state = self->state;

  switch ((EventKind)event->kind) {
  case EVENT_THREAD_STARTED: thread_turned (self, event, TRUE); return;
  case EVENT_THREAD_ENDED: thread_turned (self, event, FALSE); return;
  case EVENT_PHASE_BEGAN: state->phase = (int)(event->res & G_MAXINT); return;
  case EVENT_OP_BEGAN: fold_op_began (self, event); return;
  case EVENT_OP_ENDED: fold_op_ended (self, event); return;
  case EVENT_OPS_COUNTED: fold_ops_counted (self, event); return;
  case EVENT_TABLE_CREATED: fold_table_created (self, event); return;
  case EVENT_TABLE_ALLOCATED: fold_table_allocated (self, event); return;
  case EVENT_TABLE_FREED: fold_table_freed (self, event); return;
  case EVENT_TABLE_CLEARED: fold_table_cleared (self, event); return;
  case EVENT_TABLE_RESEEDED:
  case EVENT_TABLE_FLAGS_CHANGED:
  case EVENT_EVACUATION_ADVANCED:
  case EVENT_OVERFLOW_COUNTED: fold_table_header (self, event); return;
  case EVENT_SLOT_WRITTEN: fold_slot_written (self, event); return;
  case EVENT_SLOT_UPDATED: fold_slot_updated (self, event); return;
  case EVENT_SLOT_CLEARED: fold_slot_cleared (self, event); return;
  case EVENT_OVERFLOW_LINKED: fold_overflow_linked (self, event); return;
  case EVENT_GROWTH_STARTED: fold_growth_started (self, event); return;
  case EVENT_BUCKET_EVACUATED: fold_bucket_evacuated (self, event); return;
  case EVENT_CHAIN_WIPED: fold_chain_wiped (self, event); return;
  case EVENT_GROWTH_ENDED: fold_growth_ended (self, event); return;
  case EVENT_BUCKET_COPIED: fold_bucket_copied (self, event); return;
  case EVENT_ENTRY_STORED: fold_entry_changed (self, event, ENTRY_VALUE); return;
  case EVENT_ENTRY_DELETED: fold_entry_changed (self, event, ENTRY_NIL); return;
  case EVENT_ENTRY_EXPUNGED:
    fold_entry_changed (self, event, ENTRY_EXPUNGED);
    return;
  case EVENT_ENTRY_UNEXPUNGED:
    fold_entry_changed (self, event, ENTRY_NIL);
    return;
  case EVENT_TABLE_NAMED: fold_table_named (self, event); return;
  case EVENT_READ_PUBLISHED: fold_read_published (self, event); return;
  case EVENT_DIRTY_CREATED: fold_dirty_created (self, event); return;
  case EVENT_DIRTY_DROPPED: fold_dirty_dropped (self, event); return;
  case EVENT_DIRTY_COPIED: fold_dirty_copied (self, event); return;
  case EVENT_READ_AMENDED: state->is_amended = TRUE; return;
  case EVENT_MISS_COUNTED:
    state->misses = event->res;
    state->counters.n_misses++;
    return;
  case EVENT_DIRTY_PROMOTED: fold_dirty_promoted (self, event); return;
  case EVENT_MISSES_RESET: state->misses = 0; return;
  case EVENT_LOCK_WAITED: fold_lock_waited (self, event); return;
  case EVENT_LOCK_ACQUIRED: fold_lock_acquired (self, event); return;
  case EVENT_LOCK_RELEASED: fold_lock_released (self, event); return;
  case EVENT_LOCK_READ_ACQUIRED: fold_lock_read_acquired (self, event); return;
  case EVENT_LOCK_READ_RELEASED: fold_lock_read_released (self, event); return;
  case EVENT_SNAPSHOT_BEGAN: fold_snapshot_began (self, event); return;
  case EVENT_SNAPSHOT_ENDED: fold_snapshot_ended (self, event); return;
  case EVENT_VERSION_WRITTEN:
  case EVENT_VERSION_STAMPED:
  case EVENT_VERSION_RETIRED: fold_version (self, event); return;
  case EVENT_WRITE_BARRIER: state->clock = MAX (state->clock, event->a); return;
  case EVENT_RANGE_BEGAN: fold_range_began (self, event); return;
  case EVENT_RANGE_WALKED: fold_range_walked (self, event); return;
  case EVENT_RANGE_ENDED: fold_range_ended (self, event); return;
  case EVENT_RANGE_YIELDED: fold_range_yielded (self, event); return;
  case EVENT_SNAPSHOT_GAVE: fold_snapshot_gave (self, event); return;
  case EVENT_OP_TOLD: fold_op_told (self, event); return;
  case EVENT_DROPPED: fold_dropped (self, event); return;
  case EVENT_MISUSE_DETECTED: fold_misuse_detected (self, event); return;
  case EVENT_NONE:
  case EVENT_TIME:
  case EVENT_N_KINDS: break;
  }
  fold_fault (self, event, "wanted a kind from 1 to %d, found %u",
              EVENT_TIME - 1, event->kind);
}

void
fold_forget_last (Fold *self) {
  if (self->last != NULL) {
    map_state_unref (self->last);
    self->last = NULL;
  }
}

void
fold_apply (Fold        *self,
            const Event *event) {
  fold_forget_last (self);
  fold_dispatch (self, event);
  self->state->n_events++;
  self->state->at_ns = event->at_ns;
}
