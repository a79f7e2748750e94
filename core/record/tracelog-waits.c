/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-waits.c — which worker waited for the recorder, and how long
 *
 * A table by worker beside the sums in TraceHonesty, holding those alone that
 * waited. A log that comes from a file before 1.4 has none: nobody knows then.
 * Its bytes behind HONESTY's known ones: FORMAT.md.
 */
#include "core/record/tracelog-private.h"

#include "core/record/tracelog-file-private.h"

#include <string.h>

static TraceWait *
wait_at (GArray *waits,
         guint   i) {
  return &g_array_index (waits, TraceWait, i);
}

GArray *
trace_waits_new (void) {
  return g_array_new (FALSE, FALSE, sizeof (TraceWait));
}

void
tracelog_add_waits (TraceLog *self,
                    guint     thread,
                    guint64   n_stalls,
                    gint64    stalled_ns) {
  TraceWait wait = { .thread = thread };
  guint i = 0;

  pthread_mutex_lock (&self->lock);
  self->honesty.n_stalls += n_stalls;
  self->honesty.stalled_ns += stalled_ns;
  if (self->waits == NULL)
    self->waits = trace_waits_new ();
  while (i < self->waits->len && wait_at (self->waits, i)->thread < thread)
    i++;
  if (i == self->waits->len || wait_at (self->waits, i)->thread != thread)
    g_array_insert_val (self->waits, i, wait);
  wait_at (self->waits, i)->n_stalls += n_stalls;
  wait_at (self->waits, i)->stalled_ns += stalled_ns;
  pthread_mutex_unlock (&self->lock);
}

GArray *
tracelog_dup_waits (TraceLog *self) {
  GArray *copy = NULL;

  pthread_mutex_lock (&self->lock);
  if (self->waits != NULL)
    copy = g_array_copy (self->waits);
  pthread_mutex_unlock (&self->lock);
  return copy;
}

/* Bytes -------------------------------------------------------------------- */

void
trace_waits_write (const GArray *waits,
                   GByteArray   *payload) {
  guint n = MIN (waits->len, HONESTY_MAX_WAITS);
  guint8 entry[HONESTY_WAIT_SIZE] = { 0 };

  bytes_put (entry, 4, n);
  g_byte_array_append (payload, entry, HONESTY_WAITS_HEAD);
  for (guint i = 0; i < n; i++) {
    const TraceWait *wait = &g_array_index (waits, TraceWait, i);

    bytes_put (entry, 8, wait->thread);
    bytes_put (entry + 8, 8, wait->n_stalls);
    bytes_put (entry + 16, 8, (guint64)wait->stalled_ns);
    g_byte_array_append (payload, entry, sizeof entry);
  }
}

GArray *
trace_waits_read (const guint8 *bytes,
                  gsize         size,
                  guint         n_threads) {
  g_autoptr (GArray) waits = trace_waits_new ();
  guint64 n = size >= HONESTY_WAITS_HEAD ? bytes_get (bytes, 4) : G_MAXUINT64;

  if (n > HONESTY_MAX_WAITS || size < HONESTY_WAITS_HEAD + n * HONESTY_WAIT_SIZE)
    return NULL;
  for (guint64 i = 0; i < n; i++) {
    const guint8 *entry = bytes + HONESTY_WAITS_HEAD + i * HONESTY_WAIT_SIZE;
    guint64 thread = bytes_get (entry, 8);
    TraceWait wait = {
      .thread = (guint)thread,
      .n_stalls = bytes_get (entry + 8, 8),
      .stalled_ns = (gint64)(bytes_get (entry + 16, 8) & G_MAXINT64),
    };

    if ((thread >= n_threads && thread != EVENT_THREAD_MAIN)
        || (i > 0 && thread <= wait_at (waits, waits->len - 1)->thread))
      return NULL;
    g_array_append_val (waits, wait);
  }
  return g_steal_pointer (&waits);
}
