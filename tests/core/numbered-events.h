/* SPDX-License-Identifier: GPL-3.0-or-later */

/* numbered-events.h — logs whose every event any reader can check by its index */
#pragma once

#include "core/base/prng.h"
#include "core/record/tracelog.h"

/* The @i-th event: any reader knows what it must be. */
static inline Event
make_event (guint64 i) {
  guint64 mixed = i * 0x9e3779b97f4a7c15u;

  return (Event){
    .at_ns = (gint64)(i * 10),
    .a = i % 3 == 0 ? mixed : 0,
    .res = (guint32)(mixed >> 40),
    .ver = (guint32)i,
    .thread = (guint16)(i % 2),
    .kind = (guint8)(1 + i % (EVENT_TIME - 1)),
  };
}

static inline gboolean
append (TraceLog *log,
        guint64   from,
        guint64   to) {
  gboolean goes_on = TRUE;

  for (guint64 i = from; i < to; i++) {
    Event event = make_event (i);

    goes_on = tracelog_append (log, &event);
  }
  tracelog_publish (log);
  return goes_on;
}

/* All events are there and right. */
static inline void
assert_events (TraceLog *log,
               guint64   n) {
  guint64 at = 0;

  g_assert_cmpuint (tracelog_get_length (log), ==, n);
  while (at < n) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, at);

    g_assert_nonnull (block);
    for (guint k = 0; k < block->n_events; k++) {
      Event wanted = make_event (at + k);
      const Event *got = &block->events[k];

      g_assert_true (got->at_ns == wanted.at_ns && got->a == wanted.a
                     && got->res == wanted.res && got->ver == wanted.ver
                     && got->thread == wanted.thread
                     && got->kind == wanted.kind);
    }
    at += block->n_events;
  }
}

/* Reads what is there by then, at any place, until the log is finished. */
static inline gpointer
read_along (gpointer data) {
  TraceLog *log = data;
  Prng prng = { 3 };

  while (!tracelog_is_finished (log)) {
    guint64 length = tracelog_get_length (log);
    guint64 i = length > 0 ? prng_below (&prng, length) : 0;
    Event event, wanted = make_event (i);

    if (length == 0)
      continue;
    g_assert_true (tracelog_get_event (log, i, &event));
    g_assert_true (event.ver == wanted.ver && event.a == wanted.a);
    g_assert_cmpint (tracelog_time_at (log, length), >=, event.at_ns);
  }
  return NULL;
}
