/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fold-run.c — who does what: threads, locks, iterations, misuse, counters
 *
 * Threads and locks get their records when an event first names them. Threads
 * are kept by index, the main thread last. Iterations are kept by age: the open
 * ones, and of each thread the one that ended last. Those whose walk is not told
 * are counted alone.
 *
 * Clears      A Clear of a sharded map takes the shards' locks in their order,
 *             from 0 on, and empties each shard that holds keys. So while a
 *             thread's locks follow each other it may be in one Clear, which
 *             counts once; a lock that does not follow ends that.
 */
#include "core/state/fold-private.h"

#include <string.h>

static ThreadRecord *
add_thread (Fold   *self,
            guint16 thread) {
  MapState *state = self->state;
  guint place = state->n_threads;

  if (state->n_threads == state->threads_room) {
    state->threads_room = MAX (8, state->threads_room * 2);
    state->threads = g_renew (ThreadRecord, state->threads, state->threads_room);
  }
  while (place > 0 && state->threads[place - 1].shown.thread > thread)
    place--;
  memmove (&state->threads[place + 1], &state->threads[place],
           (state->n_threads - place) * sizeof (ThreadRecord));
  state->n_threads++;
  memset (&state->threads[place], 0, sizeof (ThreadRecord));
  state->threads[place].shown.thread = thread;
  state->threads[place].shown.waits_for = -1;
  state->threads[place].last_lock = -1;
  for (guint i = place; i < state->n_threads; i++)
    self->thread_at[MIN (state->threads[i].shown.thread, FOLD_MAX_THREADS)] =
        (guint16)(i + 1);
  return &state->threads[place];
}

/* NULL after a fault. The pointer is valid until the next thread is added. */
ThreadRecord *
fold_find_thread (Fold        *self,
                  const Event *event) {
  guint key = event->thread == EVENT_THREAD_MAIN ? FOLD_MAX_THREADS
                                                 : event->thread;

  if (G_UNLIKELY (key > FOLD_MAX_THREADS
                  || (key == FOLD_MAX_THREADS
                      && event->thread != EVENT_THREAD_MAIN))) {
    fold_fault (self, event, "wanted a thread below %u, found %u",
                FOLD_MAX_THREADS, event->thread);
    return NULL;
  }
  if (G_LIKELY (self->thread_at[key] != 0))
    return &self->state->threads[self->thread_at[key] - 1];
  return add_thread (self, event->thread);
}

/* The thread of an event about an operation; NULL after a fault. */
static ThreadRecord *
find_operating (Fold        *self,
                const Event *event) {
  if (event->aux8 < OP_N_KINDS)
    return fold_find_thread (self, event);
  fold_fault (self, event, "there is no operation %u", event->aux8);
  return NULL;
}

void
fold_op_began (Fold        *self,
               const Event *event) {
  ThreadRecord *record = find_operating (self, event);

  if (record == NULL)
    return;
  record->shown.in_op = TRUE;
  record->shown.op = (OpKind)event->aux8;
  record->shown.key = (gint64)event->a;
  record->shown.value = 0;
  record->shown.path = 0;
  record->shown.op_began_ns = event->at_ns;
}

static void
count_ops (Fold   *self,
           guint   op,
           guint64 n,
           guint64 n_ok,
           guint64 n_in_read,
           guint64 n_cas_retries) {
  StateCounters *counters = &self->state->counters;

  counters->n_ops[op] += n;
  counters->n_ok[op] += n_ok;
  counters->n_in_read += n_in_read;
  counters->n_cas_retries += n_cas_retries;
  /* It deletes key by key, which no other event tells from deletes. */
  if (op == OP_CLEAR && self->state->has_versions)
    counters->n_cleared += n_ok;
}

void
fold_op_ended (Fold        *self,
               const Event *event) {
  ThreadRecord *record = find_operating (self, event);

  if (record == NULL)
    return;
  if (!record->shown.in_op || record->shown.op != event->aux8)
    record->shown.op_began_ns = -1;
  record->shown.in_op = FALSE;
  record->shown.op = (OpKind)event->aux8;
  record->shown.value = (gint64)event->a;
  record->shown.path = event->aux16;
  record->shown.op_ended_ns = event->at_ns;
  record->shown.n_ops++;
  count_ops (self, event->aux8, 1, (event->aux16 & OP_PATH_OK) != 0,
             (event->aux16 & OP_PATH_IN_READ) != 0, event->res);
}

void
fold_ops_counted (Fold        *self,
                  const Event *event) {
  ThreadRecord *record = find_operating (self, event);

  if (record == NULL)
    return;
  record->shown.n_ops += event->res;
  count_ops (self, event->aux8, event->res, event->ver, event->a,
             event->b);
}

/* Inside a Range that is told as a span the thread stays in that. */
void
fold_op_told (Fold        *self,
              const Event *event) {
  ThreadRecord *record = find_operating (self, event);

  if (record == NULL)
    return;
  if (!record->shown.in_op) {
    record->shown.op = (OpKind)event->aux8;
    record->shown.key = event_told_key (event);
    record->shown.value = 0;
    record->shown.path = event->aux16;
    record->shown.op_began_ns = event->at_ns;
    record->shown.op_ended_ns = event->at_ns;
  }
  record->shown.n_ops++;
  count_ops (self, event->aux8, 1, (event->aux16 & OP_PATH_OK) != 0,
             (event->aux16 & OP_PATH_IN_READ) != 0, event->a);
}

/* NULL after a fault. */
static StateLock *
find_lock (Fold        *self,
           const Event *event) {
  MapState *state = self->state;
  StateLock *lock;

  if (event->res >= FOLD_MAX_LOCKS) {
    fold_fault (self, event, "wanted a lock below %u, found %u", FOLD_MAX_LOCKS,
                event->res);
    return NULL;
  }
  if (self->lock_at[event->res] != 0)
    return &state->locks[self->lock_at[event->res] - 1];
  if (state->n_locks == state->locks_room) {
    state->locks_room = MAX (4, state->locks_room * 2);
    state->locks = g_renew (StateLock, state->locks, state->locks_room);
  }
  lock = &state->locks[state->n_locks++];
  memset (lock, 0, sizeof *lock);
  lock->id = event->res;
  lock->owner = -1;
  lock->claimed_by = -1;
  self->lock_at[event->res] = (guint16)state->n_locks;
  return lock;
}

static void
leave_queue (StateLock *lock,
             guint16    thread) {
  guint kept = 0;

  for (guint i = 0; i < lock->n_queue; i++)
    if (lock->queue[i] != thread)
      lock->queue[kept++] = lock->queue[i];
  lock->n_queue = (guint8)kept;
  lock->waiters &= ~fold_thread_bit (thread);
  lock->read_waiters &= ~fold_thread_bit (thread);
  if (lock->claimed_by == thread)
    lock->claimed_by = -1;
}

/* What ends behind the gap may have begun in it: of another key, for another
 * lock. */
void
fold_dropped (Fold        *self,
              const Event *event) {
  ThreadRecord *record = fold_find_thread (self, event);
  guint lock = 0; /* its place, from 1 on */

  self->state->counters.n_dropped += event->res;
  if (record == NULL)
    return;
  record->shown.in_op = FALSE;
  if (record->shown.waits_for >= 0)
    lock = self->lock_at[record->shown.waits_for];
  /* A state from a file may not have it. */
  if (lock != 0)
    leave_queue (&self->state->locks[lock - 1], event->thread);
  record->shown.waits_for = -1;
}

void
fold_lock_waited (Fold        *self,
                  const Event *event) {
  ThreadRecord *record = fold_find_thread (self, event);
  StateLock *lock = find_lock (self, event);

  if (record == NULL || lock == NULL)
    return;
  /* A writer that has waited for its turn may wait for readers after that. */
  if (record->shown.waits_for == (int)event->res) {
    if (event->aux8 == LOCK_WAIT_DRAIN)
      lock->claimed_by = event->thread;
    return;
  }
  leave_queue (lock, event->thread);
  if (lock->n_queue < STATE_LOCK_QUEUE)
    lock->queue[lock->n_queue++] = event->thread;
  lock->n_waited++;
  lock->waiters |= fold_thread_bit (event->thread);
  if (event->aux8 == LOCK_WAIT_READ)
    lock->read_waiters |= fold_thread_bit (event->thread);
  if (event->aux8 == LOCK_WAIT_DRAIN)
    lock->claimed_by = event->thread;
  record->shown.waits_for = (int)event->res;
  record->wait_began_ns = event->at_ns;
  self->state->counters.n_lock_waits++;
}

static void
end_wait (Fold         *self,
          const Event  *event,
          ThreadRecord *record,
          StateLock    *lock,
          guint64       waited_ns) {
  /* Of a lock that nobody waits for there is nothing to leave. */
  if (lock->n_queue != 0 || lock->waiters != 0 || lock->claimed_by >= 0)
    leave_queue (lock, event->thread);
  fold_count_duration (&self->state->counters.lock_waits, waited_ns);
  if (record->shown.waits_for >= 0)
    self->state->counters.lock_wait_ns +=
        MAX (0, event->at_ns - record->wait_began_ns);
  record->shown.waits_for = -1;
}

void
fold_lock_acquired (Fold        *self,
                    const Event *event) {
  ThreadRecord *record = fold_find_thread (self, event);
  StateLock *lock = find_lock (self, event);

  if (record == NULL || lock == NULL)
    return;
  if (lock->n_readers != 0) {
    fold_fault (self, event, "lock %u has %u readers", event->res,
                lock->n_readers);
    return;
  }
  lock->n_acquired++;
  lock->owner = event->thread;
  lock->since_ns = event->at_ns;
  if ((gint64)event->res != record->last_lock + 1)
    record->is_clear_counted = FALSE;
  record->last_lock = event->res;
  end_wait (self, event, record, lock, event->b);
}

void
fold_count_clear (Fold        *self,
                  const Event *event) {
  ThreadRecord *record = fold_find_thread (self, event);

  if (record == NULL || record->is_clear_counted)
    return;
  record->is_clear_counted = TRUE;
  self->state->counters.n_cleared++;
}

void
fold_lock_released (Fold        *self,
                    const Event *event) {
  StateLock *lock = find_lock (self, event);

  if (lock == NULL)
    return;
  if (lock->owner == -1) {
    fold_fault (self, event, "lock %u is free", event->res);
    return;
  }
  self->state->counters.lock_hold_ns += MAX (0, event->at_ns - lock->since_ns);
  fold_count_hold (self, lock, event->a);
  lock->owner = -1;
  lock->since_ns = event->at_ns;
}

/* since_ns is that of the first reader inside: holds by readers count as long
 * as there is one. */
void
fold_lock_read_acquired (Fold        *self,
                         const Event *event) {
  ThreadRecord *record = fold_find_thread (self, event);
  StateLock *lock = find_lock (self, event);

  if (record == NULL || lock == NULL)
    return;
  if (lock->owner != -1) {
    fold_fault (self, event, "lock %u is held by thread %d", event->res,
                lock->owner);
    return;
  }
  if (lock->n_readers++ == 0)
    lock->since_ns = event->at_ns;
  lock->n_read_acquired++;
  lock->readers |= fold_thread_bit (event->thread);
  end_wait (self, event, record, lock, event->a);
}

void
fold_lock_read_released (Fold        *self,
                         const Event *event) {
  StateLock *lock = find_lock (self, event);

  if (lock == NULL)
    return;
  if (lock->n_readers == 0) {
    fold_fault (self, event, "lock %u has no readers", event->res);
    return;
  }
  fold_count_hold (self, lock, event->a);
  lock->readers &= ~fold_thread_bit (event->thread);
  if (--lock->n_readers == 0) {
    self->state->counters.lock_hold_ns += MAX (0, event->at_ns - lock->since_ns);
    lock->since_ns = event->at_ns;
  }
}

/* The open iteration of that id; NULL after a fault. */
static IterRecord *
find_iter (Fold        *self,
           const Event *event) {
  for (guint i = self->state->n_iters; i > 0; i--) {
    IterRecord *record = &self->state->iters[i - 1];

    if (record->shown.id == event->ver && record->shown.thread == event->thread
        && record->shown.is_open)
      return record;
  }
  fold_fault (self, event, "no iteration %u is under way", event->ver);
  return NULL;
}

static void
remove_iter (Fold *self,
             guint place) {
  MapState *state = self->state;
  gsize bytes = state->iters[place].marks[0].bytes
                + state->iters[place].marks[1].bytes;

  self->budget.bytes_made -= MIN (self->budget.bytes_made, bytes);
  iter_record_clear (&state->iters[place]);
  state->n_iters--;
  memmove (&state->iters[place], &state->iters[place + 1],
           (state->n_iters - place) * sizeof (IterRecord));
}

void
fold_range_began (Fold        *self,
                  const Event *event) {
  MapState *state = self->state;
  const StateTable *table = fold_find_table (self, event->aux16);
  IterRecord *record;
  guint n_open = 0;

  if (fold_find_thread (self, event) == NULL)
    return;
  /* Of a walk that is not told there is nothing to show. */
  if (event->ver == 0) {
    state->counters.n_ranges++;
    return;
  }
  for (guint i = 0; i < state->n_iters; i++)
    n_open += state->iters[i].shown.is_open
              && state->iters[i].shown.thread == event->thread;
  if (n_open >= FOLD_MAX_OPEN_ITERS) {
    fold_fault (self, event, "thread %u has %u iterations open", event->thread,
                n_open);
    return;
  }
  if (state->n_iters == state->iters_room) {
    state->iters_room = MAX (4, state->iters_room * 2);
    state->iters = g_renew (IterRecord, state->iters, state->iters_room);
  }
  record = &state->iters[state->n_iters++];
  memset (record, 0, sizeof *record);
  chunk_vec_init (&record->marks[0], sizeof (IterMarks), MARKS_LEAF_BITS);
  chunk_vec_init (&record->marks[1], sizeof (IterMarks), MARKS_LEAF_BITS);
  record->shown.id = event->ver;
  record->shown.thread = event->thread;
  record->shown.table = event->aux16;
  record->shown.table_created_ver = table != NULL ? table->created_ver : 0;
  record->shown.began_at = state->n_events;
  record->shown.began_ns = event->at_ns;
  record->shown.is_open = TRUE;
  record->shown.start_bucket = event->res;
  record->shown.offset = event->aux8;
  record->shown.n_keys = event->a;
  record->shown.last_bucket = G_MAXUINT32;
  state->counters.n_ranges++;
}

/* In each byte, how many bits it has: three masks at once, by any processor. */
static guint32
count_bits (guint32 masks) {
  masks -= masks >> 1 & 0x55555555;
  masks = (masks & 0x33333333) + (masks >> 2 & 0x33333333);
  return (masks + (masks >> 4)) & 0x0f0f0f0f;
}

void
fold_range_walked (Fold        *self,
                   const Event *event) {
  IterRecord *record = find_iter (self, event);
  guint32 index = event->res & ~RANGE_OLD_BUCKET;
  guint half = (event->res & RANGE_OLD_BUCKET) != 0;
  IterMarks *marks;
  guint32 counts;

  if (record == NULL)
    return;
  if (index >= FOLD_MAX_BUCKETS
      || (marks = chunk_vec_edit (&record->marks[half], index, &self->budget))
             == NULL) {
    fold_fault (self, event, "there is no bucket %u", index);
    return;
  }
  marks->seen |= event->aux8;
  marks->skipped_nil |= (guint8)event->a;
  marks->skipped_expunged |= (guint8)(event->a >> 8);
  marks->other_half |= (guint8)(event->a >> 16);
  counts = count_bits (event->aux8 | (guint32)(event->a & 0xffff) << 8);
  record->shown.n_seen += counts & 0xff;
  record->shown.n_skipped_nil += counts >> 8 & 0xff;
  record->shown.n_skipped_expunged += counts >> 16;
  record->shown.last_bucket = event->res;
  record->shown.last_seen = event->aux8;
}

void
fold_range_ended (Fold        *self,
                  const Event *event) {
  MapState *state = self->state;
  IterRecord *record;

  if (event->ver == 0 || (record = find_iter (self, event)) == NULL)
    return;
  record->shown.is_open = FALSE;
  record->shown.was_stopped = event->aux8 != 0;
  record->shown.ended_ns = event->at_ns;
  for (guint i = 0; i < state->n_iters; i++)
    if (&state->iters[i] != record && !state->iters[i].shown.is_open
        && state->iters[i].shown.thread == event->thread) {
      remove_iter (self, i);
      break;
    }
}

void
fold_range_yielded (Fold        *self,
                    const Event *event) {
  IterRecord *record = find_iter (self, event);

  if (record == NULL)
    return;
  record->shown.n_yielded++;
  record->shown.yielded_key = (gint64)event->a;
  record->shown.yielded_value = (gint64)event->b;
}

void
fold_snapshot_began (Fold        *self,
                     const Event *event) {
  MapState *state = self->state;

  if (state->n_snapshots >= FOLD_MAX_SNAPSHOTS) {
    fold_fault (self, event, "%u snapshots are open", state->n_snapshots);
    return;
  }
  if (state->n_snapshots == state->snapshots_room) {
    state->snapshots_room = MAX (4, state->snapshots_room * 2);
    state->snapshots
        = g_renew (StateSnapshot, state->snapshots, state->snapshots_room);
  }
  state->snapshots[state->n_snapshots++] = (StateSnapshot){
    .id = event->ver,
    .thread = event->thread,
    .version = event->a,
    .n_keys = event->b,
    .began_at = state->n_events,
    .began_ns = event->at_ns,
  };
  state->counters.n_snapshots++;
}

/* NULL: there is none; that is a fault. */
static StateSnapshot *
find_snapshot (Fold        *self,
               const Event *event) {
  MapState *state = self->state;

  for (guint i = 0; i < state->n_snapshots; i++)
    if (state->snapshots[i].id == event->ver
        && state->snapshots[i].thread == event->thread)
      return &state->snapshots[i];
  fold_fault (self, event, "no snapshot %u is open", event->ver);
  return NULL;
}

void
fold_snapshot_gave (Fold        *self,
                    const Event *event) {
  StateSnapshot *snapshot = find_snapshot (self, event);

  if (snapshot == NULL)
    return;
  snapshot->n_given++;
  snapshot->given_key = (gint64)event->a;
  snapshot->given_value = (gint64)event->b;
}

void
fold_snapshot_ended (Fold        *self,
                     const Event *event) {
  MapState *state = self->state;
  StateSnapshot *snapshot = find_snapshot (self, event);

  if (snapshot == NULL)
    return;
  state->n_snapshots--;
  memmove (snapshot, snapshot + 1,
           (gsize)(&state->snapshots[state->n_snapshots] - snapshot)
             * sizeof *snapshot);
}

/* The operation is the event's word; where it has none, what the thread is known
 * to be in. */
void
fold_misuse_detected (Fold        *self,
                      const Event *event) {
  const ThreadRecord *record = fold_find_thread (self, event);
  MapState *state = self->state;

  if (record == NULL)
    return;
  if (event->aux8 > MISUSE_ITERATION_AND_WRITE || event->res > MISUSE_AT_STEP
      || event->ver > OP_N_KINDS || event->b > EVENT_THREAD_MAIN + 1u) {
    fold_fault (self, event, "there is no misuse %u at %u of operation %u by %"
                G_GUINT64_FORMAT, event->aux8, event->res, event->ver, event->b);
    return;
  }
  state->counters.n_misuses++;
  state->misuse = (StateMisuse){
    .at = state->n_events + 1,
    .at_ns = event->at_ns,
    .thread = event->thread,
    .kind = (MisuseKind)event->aux8,
    .place = (MisusePlace)event->res,
    .op = event->ver != 0 ? (OpKind)(event->ver - 1) : record->shown.op,
    .key = (gint64)event->a,
    .writer = (int)event->b - 1,
  };
}
