/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-history.c — a history says what was called and what came back
 *
 * Built by hand, and read from logs written by hand, right and wrong ones.
 * test-history-runs.c reads those of real runs.
 */
#include "core/base/prng.h"
#include "core/check/history.h"
#include "core/record/crc32c.h"
#include "core/record/tracelog-file-private.h"
#include "core/record/tracelog-private.h"

#include <string.h>

/* Built by hand ------------------------------------------------------------ */

static HistoryOp
make_op (OpKind op,
         gint64 key,
         gint64 began_ns,
         gint64 ended_ns) {
  return (HistoryOp){
    .op = (guint8)op, .key = key, .began_ns = began_ns, .ended_ns = ended_ns,
  };
}

static void
test_empty (void) {
  g_autoptr (History) history = history_new (TRUE);
  gsize n;

  history_seal (history);
  g_assert_cmpuint (history_n_keys (history), ==, 0);
  history_clears (history, &n);
  g_assert_cmpuint (n, ==, 0);
  history_ranges (history, &n);
  g_assert_cmpuint (n, ==, 0);
  g_assert_true (history_begins_empty (history));
  g_assert_cmpuint (history_n_left_out (history), ==, 0);
}

static void
test_sorts_by_key_then_begin (void) {
  static const gint64 keys[] = { 3, G_MININT64, -1, 3, G_MAXINT64, 0, 3, -1 };
  g_autoptr (History) history = history_new (FALSE);
  const HistoryOp *ops;
  gsize n;

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    HistoryOp op = make_op (OP_STORE, keys[i], 100 - i, 200);

    op.index = i;
    history_add (history, &op);
  }
  history_seal (history);
  g_assert_cmpuint (history_n_keys (history), ==, 5);
  g_assert_cmpint (history_key (history, 0), ==, G_MININT64);
  g_assert_cmpint (history_key (history, 1), ==, -1);
  g_assert_cmpint (history_key (history, 4), ==, G_MAXINT64);
  ops = history_ops (history, 3, &n);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpuint (ops[0].index, ==, 6);
  g_assert_cmpuint (ops[1].index, ==, 3);
  g_assert_cmpuint (ops[2].index, ==, 0);
  g_assert_false (history_begins_empty (history));
}

/* Many operations against what each one says of itself. */
static void
test_sorts_many (void) {
  g_autoptr (History) history = history_new (TRUE);
  guint n_seen = 0;
  Prng prng;

  prng_init (&prng, 7);
  for (guint i = 0; i < 100000; i++) {
    gint64 key = (gint64)prng_below (&prng, 3000) * 1000003 - 77;
    HistoryOp op = make_op (OP_LOAD, key, (gint64)prng_below (&prng, 50), 99);

    op.index = i;
    op.value = key ^ i;
    history_add (history, &op);
  }
  history_seal (history);
  for (gsize k = 0; k < history_n_keys (history); k++) {
    gsize n;
    const HistoryOp *ops = history_ops (history, k, &n);

    g_assert_true (k == 0 || history_key (history, k - 1)
                                 < history_key (history, k));
    for (gsize i = 0; i < n; i++, n_seen++) {
      g_assert_cmpint (ops[i].key, ==, history_key (history, k));
      g_assert_cmpint (ops[i].value, ==, ops[i].key ^ (gint64)ops[i].index);
      if (i > 0 && ops[i - 1].began_ns == ops[i].began_ns)
        g_assert_cmpuint (ops[i - 1].index, <, ops[i].index);
      else if (i > 0)
        g_assert_cmpint (ops[i - 1].began_ns, <, ops[i].began_ns);
    }
  }
  g_assert_cmpuint (n_seen, ==, 100000);
}

static void
test_ranges_name_keys (void) {
  static const HistoryPair first[] = { { 9, 90 }, { 1, 10 } };
  static const HistoryPair second[] = { { 5, 50 } };
  g_autoptr (History) history = history_new (TRUE);
  HistoryOp late = make_op (OP_RANGE, 0, 20, 30);
  HistoryOp early = make_op (OP_RANGE, 0, 10, 40);
  HistoryOp load = make_op (OP_LOAD, 5, 1, 2);
  HistoryOp clear = make_op (OP_CLEAR, 0, 3, 4);
  const HistoryRange *ranges;
  gsize n;

  history_add_range (history, &late, TRUE, first, 2);
  history_add_range (history, &early, FALSE, second, 1);
  history_add_range (history, &late, TRUE, NULL, 0);
  history_add (history, &load);
  history_add (history, &clear);
  history_seal (history);

  g_assert_cmpuint (history_n_keys (history), ==, 3);
  g_assert_cmpint (history_key (history, 0), ==, 1);
  g_assert_null (history_ops (history, 0, &n));
  g_assert_cmpuint (n, ==, 0);
  g_assert_cmpint (history_ops (history, 1, &n)->began_ns, ==, 1);
  g_assert_cmpuint (n, ==, 1);
  history_ops (history, 2, &n);
  g_assert_cmpuint (n, ==, 0);
  ranges = history_ranges (history, &n);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpint (ranges[0].call.began_ns, ==, 10);
  g_assert_false (ranges[0].is_whole);
  g_assert_cmpint (ranges[0].pairs[0].value, ==, 50);
  g_assert_cmpuint (ranges[1].n_pairs, ==, 2);
  g_assert_cmpint (ranges[1].pairs[1].key, ==, 1);
  g_assert_cmpuint (ranges[2].n_pairs, ==, 0);
  g_assert_cmpint (history_clears (history, &n)->ended_ns, ==, 4);
  g_assert_cmpuint (n, ==, 1);
}

/* Logs by hand ------------------------------------------------------------- */

static Event
tell (EventKind kind,
      guint     thread,
      gint64    at_ns,
      OpKind    op,
      gint64    a,
      gint64    b) {
  return (Event){
    .kind = (guint8)kind, .thread = (guint16)thread, .at_ns = at_ns,
    .aux8 = (guint8)op, .a = (guint64)a, .b = (guint64)b,
    .aux16 = kind == EVENT_OP_ENDED ? OP_PATH_OK : 0,
  };
}

static TraceLog *
make_log (const Event *events,
          gsize        n_events) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log = tracelog_new (info, 0);

  for (gsize i = 0; i < n_events; i++)
    tracelog_append (log, &events[i]);
  tracelog_finish (log, FALSE);
  return log;
}

static History *
read_events (const Event *events,
             gsize        n_events) {
  g_autoptr (TraceLog) log = make_log (events, n_events);
  g_autoptr (GError) error = NULL;
  History *history = history_new_from_log (log, 0, 1, NULL, &error);

  g_assert_no_error (error);
  return history;
}

/* The only operation on the only key. */
static const HistoryOp *
only_op (const History *history) {
  gsize n;
  const HistoryOp *ops;

  g_assert_cmpuint (history_n_keys (history), ==, 1);
  ops = history_ops (history, 0, &n);
  g_assert_cmpuint (n, ==, 1);
  return ops;
}

static void
test_takes_the_raise_off (void) {
  Event events[] = {
    tell (EVENT_OP_BEGAN, 3, 1000000, OP_STORE, 5, 50),
    tell (EVENT_OP_ENDED, 3, 1000000, OP_STORE, 0, 0),
  };
  g_autoptr (History) history = NULL;
  const HistoryOp *op;

  events[0].res = 900000;
  events[1].ver = 800000;
  history = read_events (events, G_N_ELEMENTS (events));
  op = only_op (history);
  g_assert_cmpint (op->began_ns, <=, 100000);
  g_assert_cmpint (op->began_ns, >, 99000);
  g_assert_cmpint (op->ended_ns, >=, 200000);
  g_assert_cmpint (op->ended_ns, <, 201000);
  g_assert_cmpint (op->value, ==, 50);
  g_assert_cmpuint (op->thread, ==, 3);
  g_assert_cmpuint (op->index, ==, 0);
}

/* Before the log's start, too; and when it is too long to be told. */
static void
test_raises_only_widen (void) {
  Event events[] = {
    tell (EVENT_OP_BEGAN, 1, 10, OP_LOAD, 1, 0),
    tell (EVENT_OP_ENDED, 1, 20, OP_LOAD, 0, 0),
    tell (EVENT_OP_BEGAN, 1, (gint64)1 << 40, OP_LOAD, 2, 0),
    tell (EVENT_OP_BEGAN, 2, (gint64)1 << 40, OP_LOAD, 3, 0),
    tell (EVENT_OP_ENDED, 1, G_MAXINT64, OP_LOAD, 0, 0),
    tell (EVENT_OP_ENDED, 2, G_MAXINT64, OP_LOAD, 0, 0),
  };
  g_autoptr (History) history = NULL;
  const HistoryOp *first, *second, *third;
  gsize n;

  events[0].res = 70;
  events[2].res = events[3].res = events[4].ver = G_MAXUINT32;
  history = read_events (events, G_N_ELEMENTS (events));
  first = history_ops (history, 0, &n);
  second = history_ops (history, 1, &n);
  third = history_ops (history, 2, &n);
  g_assert_cmpint (first->began_ns, <=, -60);
  g_assert_cmpint (second->began_ns, ==, first->began_ns);
  g_assert_cmpint (third->began_ns, <, first->began_ns);
  g_assert_cmpint (second->ended_ns, >, (gint64)1 << 62);
  g_assert_cmpint (second->ended_ns, <, HISTORY_NEVER);
}

static void
test_operations_that_never_return (void) {
  const Event events[] = {
    tell (EVENT_OP_BEGAN, 1, 10, OP_COMPARE_AND_SWAP, 1, 11),
    tell (EVENT_OP_BEGAN, 2, 10, OP_COMPARE_AND_DELETE, 2, 0),
    tell (EVENT_OP_BEGAN, 3, 10, OP_SWAP, 3, 33),
    tell (EVENT_OP_BEGAN, 4, 10, OP_RANGE, 0, 0),
    tell (EVENT_RANGE_YIELDED, 4, 10, 0, 7, 70),
    tell (EVENT_OP_BEGAN, 4, 10, OP_CLEAR, 0, 0),
  };
  static const OpKind kinds[] = { OP_STORE, OP_DELETE, OP_SWAP };
  g_autoptr (History) history = read_events (events, G_N_ELEMENTS (events));
  const HistoryRange *range;
  gsize n;

  g_assert_cmpuint (history_n_keys (history), ==, 4);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    const HistoryOp *op = history_ops (history, i, &n);

    g_assert_cmpuint (n, ==, 1);
    g_assert_cmpuint (op->op, ==, kinds[i]);
    g_assert_cmpint (op->ended_ns, ==, HISTORY_NEVER);
    g_assert_cmpuint (op->index, ==, i);
  }
  g_assert_cmpint (history_ops (history, 0, &n)->value, ==, 11);
  range = history_ranges (history, &n);
  g_assert_cmpuint (n, ==, 1);
  g_assert_false (range->is_whole);
  g_assert_cmpint (range->call.ended_ns, ==, HISTORY_NEVER);
  g_assert_cmpuint (range->n_pairs, ==, 1);
  g_assert_cmpint (range->pairs[0].value, ==, 70);
  g_assert_cmpint (history_clears (history, &n)->ended_ns, ==, HISTORY_NEVER);
  g_assert_cmpuint (n, ==, 1);
}

/* Ranges inside a Range, a load inside the inner one. */
static void
test_ranges_nest (void) {
  const Event events[] = {
    tell (EVENT_OP_BEGAN, 1, 10, OP_RANGE, 0, 0),
    tell (EVENT_RANGE_YIELDED, 1, 10, 0, 7, 70),
    tell (EVENT_OP_BEGAN, 1, 20, OP_RANGE, 0, 0),
    tell (EVENT_RANGE_YIELDED, 1, 20, 0, 8, 80),
    tell (EVENT_OP_BEGAN, 1, 30, OP_LOAD, 8, 0),
    tell (EVENT_OP_ENDED, 1, 40, OP_LOAD, 80, 0),
    tell (EVENT_OP_ENDED, 1, 50, OP_RANGE, 1, 0),
    tell (EVENT_RANGE_YIELDED, 1, 10, 0, 8, 81),
    tell (EVENT_OP_ENDED, 1, 60, OP_RANGE, 2, 0),
  };
  g_autoptr (History) history = read_events (events, G_N_ELEMENTS (events));
  const HistoryRange *ranges;
  gsize n;

  ranges = history_ranges (history, &n);
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpuint (ranges[0].n_pairs, ==, 2);
  g_assert_cmpint (ranges[0].pairs[1].value, ==, 81);
  g_assert_cmpuint (ranges[1].n_pairs, ==, 1);
  g_assert_true (ranges[0].is_whole && ranges[1].is_whole);
  g_assert_cmpint (history_ops (history, 1, &n)->result, ==, 80);
}

static void
test_leaves_out_what_failed (void) {
  Event events[] = {
    tell (EVENT_TABLE_CREATED, EVENT_THREAD_MAIN, 0, 0, 0, 0),
    tell (EVENT_OP_BEGAN, 1, 10, OP_STORE, 1, 2),
    tell (EVENT_OP_ENDED, 1, 20, OP_STORE, 0, 0),
    tell (EVENT_OP_BEGAN, 1, 30, OP_LEN, 0, 0),
    tell (EVENT_OP_ENDED, 1, 40, OP_LEN, 4, 0),
    tell (EVENT_OPS_COUNTED, 1, 50, OP_LOAD, 0, 0),
    tell (EVENT_OP_BEGAN, 1, 60, OP_STORE, 3, 4),
    tell (EVENT_MISUSE_DETECTED, 1, 60, 0, 0, 0),
    tell (EVENT_OP_ENDED, 1, 70, OP_STORE, 0, 0),
    tell (EVENT_OP_BEGAN, 1, 80, OP_CLEAR, 0, 0),
    tell (EVENT_OP_ENDED, 1, 90, OP_CLEAR, 0, 0),
    tell (EVENT_OP_BEGAN, 1, 100, OP_LOAD, 3, 0),
    tell (EVENT_OP_ENDED, 1, 110, OP_LOAD, 9, 0),
    tell (EVENT_OP_TOLD, 1, 120, OP_LOAD, 0, 0),
    tell (EVENT_OP_TOLD, 1, 120, OP_LEN, 0, 0),
  };
  g_autoptr (History) history = NULL;
  gsize n;

  events[2].aux16 = events[8].aux16 = OP_PATH_ERROR;
  events[12].aux16 = OP_PATH_OK | OP_PATH_IN_VIEW;
  events[5].res = 9;
  events[7].res = MISUSE_AT_EXIT;
  events[10].aux16 = 0;
  history = read_events (events, G_N_ELEMENTS (events));
  g_assert_cmpuint (history_n_left_out (history), ==, 4);
  g_assert_cmpuint (history_n_untold (history), ==, 10);
  g_assert_true (history_begins_empty (history));
  /* Too late to refuse it, and a Clear that left something. */
  g_assert_cmpint (only_op (history)->key, ==, 3);
  g_assert_cmpint (only_op (history)->ended_ns, ==, HISTORY_NEVER);
  g_assert_cmpint (history_clears (history, &n)->ended_ns, ==, HISTORY_NEVER);
}

/* What a write does that the detector objects to at its end is done, but its
 * result was never given: all kinds stand as if they had not returned. */
static void
test_misused_at_its_end (void) {
  static const struct {
    OpKind told;
    OpKind taken;
  } kinds[] = {
    { OP_STORE, OP_STORE },
    { OP_DELETE, OP_DELETE },
    { OP_LOAD_AND_DELETE, OP_LOAD_AND_DELETE },
    { OP_COMPARE_AND_DELETE, OP_DELETE },
    { OP_COMPARE_AND_SWAP, OP_STORE },
    { OP_SWAP, OP_SWAP },
    { OP_CLEAR, OP_CLEAR },
  };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (kinds); i++) {
    gboolean is_late = i % 2 != 0;
    OpKind kind = kinds[i / 2].told;
    Event events[] = {
      tell (EVENT_OP_BEGAN, 1, 10, kind, 1, 2),
      tell (EVENT_MISUSE_DETECTED, 1, 15, 0, 0, 0),
      tell (EVENT_OP_ENDED, 1, 20, kind, 9, 9),
    };
    g_autoptr (History) history = NULL;
    const HistoryOp *op;
    gsize n_clears;

    events[1].res = is_late ? MISUSE_AT_EXIT : MISUSE_AT_ENTRY;
    /* That it found its key says nothing either. */
    events[2].aux16 = OP_PATH_ERROR | OP_PATH_OK;
    history = read_events (events, G_N_ELEMENTS (events));
    g_assert_cmpuint (history_n_left_out (history), ==, is_late ? 0 : 1);
    op = history_clears (history, &n_clears);
    g_assert_cmpuint (history_n_keys (history) + n_clears, ==, is_late);
    if (!is_late)
      continue;
    op = n_clears > 0 ? op : only_op (history);
    g_assert_cmpuint (op->op, ==, kinds[i / 2].taken);
    g_assert_cmpint (op->ended_ns, ==, HISTORY_NEVER);
    g_assert_false (op->is_ok);
    g_assert_cmpint (op->result, ==, 0);
  }
}

static void
test_knows_when_it_began_empty (void) {
  const Event late[] = {
    tell (EVENT_OP_BEGAN, 1, 10, OP_LOAD, 1, 0),
    tell (EVENT_OP_ENDED, 1, 20, OP_LOAD, 0, 0),
    tell (EVENT_TABLE_CREATED, EVENT_THREAD_MAIN, 30, 0, 0, 0),
  };
  const Event another[] = { tell (EVENT_TABLE_CREATED, 1, 30, 0, 0, 0) };
  g_autoptr (History) first = read_events (late, G_N_ELEMENTS (late));
  g_autoptr (History) second = read_events (another, G_N_ELEMENTS (another));
  g_autoptr (History) none = read_events (another, 0);

  g_assert_false (history_begins_empty (first));
  g_assert_false (history_begins_empty (second));
  g_assert_false (history_begins_empty (none));
}

static void
expect_error (const Event  *events,
              gsize         n_events,
              HistoryError  wanted,
              const char   *message) {
  g_autoptr (TraceLog) log = make_log (events, n_events);
  g_autoptr (GError) error = NULL;

  g_assert_null (history_new_from_log (log, 0, 1, NULL, &error));
  g_assert_error (error, HISTORY_ERROR, (int)wanted);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_needs_every_write (void) {
  Event counted = tell (EVENT_OPS_COUNTED, 1, 10, OP_COMPARE_AND_DELETE, 0, 0);
  const Event brief = tell (EVENT_OP_TOLD, 1, 10, OP_STORE, 0, 0);
  const Event range[] = {
    tell (EVENT_OP_BEGAN, 1, 10, OP_RANGE, 0, 0),
    tell (EVENT_OP_ENDED, 1, 20, OP_RANGE, 3, 0),
  };

  counted.res = 12;
  expect_error (&counted, 1, HISTORY_ERROR_SAMPLED,
                "12 operations (compare-and-delete) were counted, not told one "
                "by one: set \"telling\": \"whole\" in the scenario and record it "
                "again");
  expect_error (&brief, 1, HISTORY_ERROR_SAMPLED,
                "an operation (store) was told in brief, without its begin "
                "(event 0): set \"telling\": \"whole\" in the scenario and record "
                "it again");
  expect_error (range, 2, HISTORY_ERROR_SAMPLED,
                "what a Range gave was not told (event 1): set \"telling\": \"whole\" "
                "in the scenario and record it again");
}

static void
test_refuses_what_no_recorder_writes (void) {
  const Event no_begin[] = {
    tell (EVENT_OP_BEGAN, 1, 10, OP_LOAD, 0, 0),
    tell (EVENT_OP_ENDED, 2, 20, OP_LOAD, 3, 0),
  };
  const Event other_kind[] = {
    tell (EVENT_OP_BEGAN, 1, 10, OP_LOAD, 0, 0),
    tell (EVENT_OP_ENDED, 1, 20, OP_STORE, 3, 0),
  };
  const Event nested[] = {
    tell (EVENT_OP_BEGAN, 1, 10, OP_LOAD, 0, 0),
    tell (EVENT_OP_BEGAN, 1, 20, OP_LOAD, 3, 0),
  };
  const Event pair[] = {
    tell (EVENT_OP_BEGAN, 1, 10, OP_LOAD, 0, 0),
    tell (EVENT_RANGE_YIELDED, 1, 20, 0, 3, 0),
  };
  const Event too_many[] = {
    tell (EVENT_OP_BEGAN, 1, 10, OP_RANGE, 0, 0),
    tell (EVENT_RANGE_YIELDED, 1, 20, 0, 3, 0),
    tell (EVENT_OP_ENDED, 1, 20, OP_RANGE, 0, 0),
  };
  Event unknown = tell (EVENT_OP_BEGAN, 1, 10, OP_N_KINDS, 0, 0);
  Event counted = tell (EVENT_OPS_COUNTED, 1, 10, OP_N_KINDS, 0, 0);

#define EXPECT(events, n, text)                                               \
  expect_error (events, n, HISTORY_ERROR_MALFORMED, text)
  EXPECT (no_begin, 2,
          "event 1 is malformed: an operation ends that did not begin");
  EXPECT (other_kind, 2,
          "event 1 is malformed: an operation ends that did not begin");
  EXPECT (nested, 2, "event 1 is malformed: an operation begins inside one that "
                     "holds no others");
  EXPECT (pair, 2, "event 1 is malformed: a pair is given outside of a Range");
  EXPECT (too_many, 3,
          "event 2 is malformed: a Range gave more than it counted");
  EXPECT (&unknown, 1, "event 0 is malformed: an operation of no known kind");
  EXPECT (&counted, 1, "event 0 is malformed: an operation of no known kind");
#undef EXPECT
}

static void
test_needs_the_whole_run (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (TraceLog) whole = make_log (NULL, 0);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  const TraceHonesty cut_off = { .is_complete = FALSE };
  g_autoptr (GError) error = NULL;
  const Event event = tell (EVENT_PHASE_BEGAN, 1, 10, 0, 0, 0);

  tracelog_restore (log, &cut_off);
  g_assert_null (history_new_from_log (log, 0, 1, NULL, &error));
  g_assert_error (error, HISTORY_ERROR, HISTORY_ERROR_INCOMPLETE);

  g_clear_error (&error);
  g_cancellable_cancel (cancelled);
  g_clear_pointer (&whole, tracelog_unref);
  whole = make_log (&event, 1);
  g_assert_null (history_new_from_log (whole, 0, 1, cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* @log saved, its file given the minor version @minor, and opened. */
static TraceLog *
save_as_minor (TraceLog *log,
               guint     minor) {
  g_autoptr (GFileIOStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file
      = g_file_new_tmp ("history-XXXXXX.tophash", &stream, &error);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) changed = NULL;
  g_autofree guint8 *data = NULL;
  TraceLog *opened;
  gsize size;

  g_assert_no_error (error);
  g_assert_true (tracelog_save (log, file, NULL, NULL, NULL, &error));
  bytes = g_file_load_bytes (file, NULL, NULL, &error);
  g_assert_no_error (error);
  data = g_memdup2 (g_bytes_get_data (bytes, &size), g_bytes_get_size (bytes));
  g_assert_cmpuint (bytes_get (data + 10, 2), ==, FILE_MINOR);
  bytes_put (data + 10, 2, minor);
  bytes_put (data + 60, 4, crc32c (0, data, 60));
  changed = g_bytes_new (data, size);
  opened = tracelog_open_bytes (changed, "old", NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_delete (file, NULL, NULL));
  return opened;
}

/* Files from before they were told; a newer one tells them, too. */
static void
test_needs_raises (void) {
  const Event event = tell (EVENT_PHASE_BEGAN, EVENT_THREAD_MAIN, 10, 0, 0, 0);
  g_autoptr (TraceLog) log = make_log (&event, 1);
  g_autoptr (TraceLog) same = save_as_minor (log, FILE_MINOR);
  g_autoptr (TraceLog) newer = save_as_minor (log, FILE_MINOR + 1);
  g_autoptr (TraceLog) old = save_as_minor (log, FILE_MINOR_RAISES - 1);
  TraceLog *good[] = { log, same, newer };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    history_free (history_new_from_log (good[i], 0, 1, NULL, &error));
    g_assert_no_error (error);
  }
  g_assert_null (history_new_from_log (old, 0, 1, NULL, &error));
  g_assert_error (error, HISTORY_ERROR, HISTORY_ERROR_INCOMPLETE);
  g_assert_nonnull (strstr (error->message, "older version of Tophash"));
}

#define ADD(name, test) g_test_add_func ("/core/check/history/" name, test)

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  ADD ("empty", test_empty);
  ADD ("sorts-by-key-then-begin", test_sorts_by_key_then_begin);
  ADD ("sorts-many", test_sorts_many);
  ADD ("ranges-name-keys", test_ranges_name_keys);
  ADD ("takes-the-raise-off", test_takes_the_raise_off);
  ADD ("raises-only-widen", test_raises_only_widen);
  ADD ("operations-that-never-return", test_operations_that_never_return);
  ADD ("ranges-nest", test_ranges_nest);
  ADD ("leaves-out-what-failed", test_leaves_out_what_failed);
  ADD ("misused-at-its-end", test_misused_at_its_end);
  ADD ("knows-when-it-began-empty", test_knows_when_it_began_empty);
  ADD ("needs-every-write", test_needs_every_write);
  ADD ("refuses-what-no-recorder-writes",
       test_refuses_what_no_recorder_writes);
  ADD ("needs-the-whole-run", test_needs_the_whole_run);
  ADD ("needs-raises", test_needs_raises);
  return g_test_run ();
}
