/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-log-ahead.c — a log read by two threads is the log, in its order */
#include "core/state/log-ahead.h"

#define N_BLOCKS 150u
#define N_EVENTS ((guint64)N_BLOCKS * TRACE_BLOCK_EVENTS + 77)

static void
append (TraceLog *log,
        guint64   from,
        guint64   end) {
  for (guint64 i = from; i < end; i++) {
    Event event = { .at_ns = (gint64)(i * 3),
                    .a = i,
                    .res = (guint32)(i * 2654435761u),
                    .kind = EVENT_SLOT_UPDATED };

    tracelog_append (log, &event);
  }
  tracelog_publish (log);
}

static TraceLog *
make_log (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log = tracelog_new (info, (gsize)1 << 30);

  append (log, 0, N_EVENTS);
  return log;
}

/* The block with the event @index, which must be in it. */
static const TraceBlock *
get (LogAhead *ahead,
     guint64   index) {
  const TraceBlock *block = log_ahead_get (ahead, index);

  g_assert_nonnull (block);
  g_assert_cmpuint (block->first, ==, index - index % TRACE_BLOCK_EVENTS);
  g_assert_cmpuint (index, <, block->first + block->n_events);
  for (guint i = 0; i < block->n_events; i += 101)
    g_assert_cmpuint (block->events[i].a, ==, block->first + i);
  g_assert_cmpuint (block->events[index - block->first].a, ==, index);
  return block;
}

static void
test_whole_log_is_read_in_order (void) {
  g_autoptr (TraceLog) log = make_log ();

  for (guint help = LOG_AHEAD_ALONE; help <= LOG_AHEAD_BEHIND; help++) {
    g_autoptr (LogAhead) ahead = log_ahead_new (log, 5000, N_EVENTS, help);

    for (guint64 at = 5000; at < N_EVENTS;) {
      const TraceBlock *block = get (ahead, at);

      /* Some are asked for again, as one who folds in slices does. */
      g_assert_true (block == get (ahead, at));
      at = block->first + block->n_events;
    }
    g_assert_null (log_ahead_get (ahead, N_EVENTS));
  }
}

/* Whoever jumps finds the helper at blocks of the past. */
static void
test_blocks_can_be_left_out (void) {
  g_autoptr (TraceLog) log = make_log ();

  for (guint step = 1; step < 40; step++) {
    g_autoptr (LogAhead) ahead
        = log_ahead_new (log, 0, N_EVENTS, LOG_AHEAD_AT_ONCE);

    log_ahead_begin (ahead);
    for (guint64 at = step; at < N_EVENTS;
         at += (guint64)step * TRACE_BLOCK_EVENTS + step)
      get (ahead, at);
  }
}

/* Readers come and go, each at another place: no call may outlive its own. */
static void
test_reading_can_end_anywhere (void) {
  g_autoptr (TraceLog) log = make_log ();

  for (guint i = 0; i < 400; i++) {
    guint64 from = i * 999983u % (N_EVENTS / 2);
    g_autoptr (LogAhead) ahead
        = log_ahead_new (log, from, N_EVENTS,
                         i % 2 == 0 ? LOG_AHEAD_AT_ONCE : LOG_AHEAD_BEHIND);

    log_ahead_begin (ahead);
    for (guint64 at = from, n = i % 7; n > 0; n--)
      at = get (ahead, at)->first + TRACE_BLOCK_EVENTS;
  }
}

static void
test_last_block_may_grow (void) {
  g_autoptr (TraceLog) log = make_log ();
  g_autoptr (LogAhead) ahead
      = log_ahead_new (log, N_EVENTS - 10, N_EVENTS, LOG_AHEAD_AT_ONCE);

  get (ahead, N_EVENTS - 1);
  append (log, N_EVENTS, N_EVENTS + 2 * TRACE_BLOCK_EVENTS);
  get (ahead, N_EVENTS);
  get (ahead, N_EVENTS + 2 * TRACE_BLOCK_EVENTS - 1);
}

static gpointer
read_all (gpointer data) {
  TraceLog *log = data;
  g_autoptr (LogAhead) ahead = log_ahead_new (log, 0, N_EVENTS,
                                              LOG_AHEAD_AT_ONCE);

  for (guint64 at = 0; at < N_EVENTS; at += TRACE_BLOCK_EVENTS)
    get (ahead, at);
  return NULL;
}

static void
test_several_may_read_at_once (void) {
  g_autoptr (TraceLog) log = make_log ();
  GThread *threads[3];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", read_all, log);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/state/whole-log-is-read-in-order",
                   test_whole_log_is_read_in_order);
  g_test_add_func ("/core/state/blocks-can-be-left-out",
                   test_blocks_can_be_left_out);
  g_test_add_func ("/core/state/reading-can-end-anywhere",
                   test_reading_can_end_anywhere);
  g_test_add_func ("/core/state/last-block-may-grow", test_last_block_may_grow);
  g_test_add_func ("/core/state/several-may-read-at-once",
                   test_several_may_read_at_once);
  return g_test_run ();
}
