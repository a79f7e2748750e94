/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-tracelog.c — a log gives back what was appended */
#include "damaged-blocks.h"

#include "core/base/prng.h"
#include "core/record/tracelog-private.h"

#include <string.h>

static void
assert_same (const Event *a,
             const Event *b) {
  g_assert_cmpint (a->at_ns, ==, b->at_ns);
  g_assert_cmpuint (a->a, ==, b->a);
  g_assert_cmpuint (a->b, ==, b->b);
  g_assert_cmpuint (a->res, ==, b->res);
  g_assert_cmpuint (a->ver, ==, b->ver);
  g_assert_cmpuint (a->thread, ==, b->thread);
  g_assert_cmpuint (a->aux16, ==, b->aux16);
  g_assert_cmpuint (a->kind, ==, b->kind);
  g_assert_cmpuint (a->aux8, ==, b->aux8);
}

/* The @i-th event of a made-up run, 10 ns a step, every third with payload. */
static Event
make_event (guint64 i) {
  return (Event){
    .at_ns = (gint64)(i * 10),
    .a = i % 3 == 0 ? i : 0,
    .b = i % 6 == 0 ? ~i : 0,
    .res = (guint32)(i * 2654435761u),
    .ver = (guint32)i,
    .thread = i % 5 == 0 ? EVENT_THREAD_MAIN : (guint16)(i % 4),
    .aux16 = (guint16)(i * 31),
    .kind = (guint8)(1 + i % (EVENT_TIME - 1)),
    .aux8 = (guint8)(i * 7),
  };
}

static TraceLog *
make_log (guint64 n_events,
          gsize   limit_bytes) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log = tracelog_new (info, limit_bytes);

  for (guint64 i = 0; i < n_events; i++) {
    Event event = make_event (i);

    tracelog_append (log, &event);
  }
  return log;
}

static void
test_append_and_read (void) {
  guint64 n = 5 * TRACE_BLOCK_EVENTS + 100;
  g_autoptr (TraceLog) log = make_log (n, 0);
  TraceHonesty honesty;
  Event got, wanted;

  tracelog_publish (log);
  g_assert_cmpuint (tracelog_get_length (log), ==, n);
  for (guint64 i = 0; i < n; i++) {
    wanted = make_event (i);
    g_assert_true (tracelog_get_event (log, i, &got));
    assert_same (&got, &wanted);
  }
  g_assert_false (tracelog_get_event (log, n, &got));

  tracelog_get_honesty (log, &honesty);
  g_assert_cmpuint (honesty.n_events, ==, n);
  g_assert_cmpint (honesty.duration_ns, ==, (gint64)(n - 1) * 10);
  g_assert_false (honesty.is_complete);
  tracelog_add_waits (log, 1, 1, 150);
  tracelog_add_waits (log, 0, 2, 250);
  tracelog_finish (log, FALSE);
  tracelog_get_honesty (log, &honesty);
  g_assert_true (honesty.is_complete);
  g_assert_cmpuint (honesty.n_stalls, ==, 3);
  g_assert_cmpint (honesty.stalled_ns, ==, 400);
}

static void
test_tail (void) {
  g_autoptr (TraceLog) log = make_log (10, 0);
  g_autoptr (TraceBlock) early = NULL;
  g_autoptr (TraceBlock) whole = NULL;
  Event event;

  g_assert_cmpuint (tracelog_get_length (log), ==, 0);
  g_assert_null (tracelog_ref_block (log, 0));
  g_assert_cmpint (tracelog_time_at (log, 7), ==, 0);
  tracelog_publish (log);
  early = tracelog_ref_block (log, 9);
  g_assert_cmpuint (early->first, ==, 0);
  g_assert_cmpuint (early->n_events, ==, 10);

  /* The block taken early stays as it was while the log goes on. */
  for (guint64 i = 10; i < 3 * TRACE_BLOCK_EVENTS; i++) {
    event = make_event (i);
    tracelog_append (log, &event);
  }
  g_assert_cmpuint (tracelog_get_length (log), ==, 3 * TRACE_BLOCK_EVENTS);
  event = make_event (9);
  assert_same (&early->events[9], &event);
  whole = tracelog_ref_block (log, 0);
  g_assert_cmpuint (whole->n_events, ==, TRACE_BLOCK_EVENTS);
}

static void
test_blocks_outlive_the_log (void) {
  TraceLog *log = make_log (2 * TRACE_BLOCK_EVENTS, 0);
  g_autoptr (TraceBlock) block = tracelog_ref_block (log, 17);
  Event wanted = make_event (17);

  tracelog_unref (log);
  assert_same (&block->events[17], &wanted);
}

static void
test_seek_by_time (void) {
  guint64 n = 3 * TRACE_BLOCK_EVENTS + 5;
  g_autoptr (TraceLog) log = make_log (n, 0);

  tracelog_publish (log);
  g_assert_cmpuint (tracelog_index_at (log, -1), ==, 0);
  g_assert_cmpuint (tracelog_index_at (log, G_MAXINT64), ==, n);
  for (guint64 i = 0; i < n; i += 97) {
    gint64 at_ns = (gint64)i * 10;

    g_assert_cmpuint (tracelog_index_at (log, at_ns), ==, i + 1);
    g_assert_cmpuint (tracelog_index_at (log, at_ns + 9), ==, i + 1);
    g_assert_cmpuint (tracelog_index_at (log, at_ns - 1), ==, i);
    g_assert_cmpint (tracelog_time_at (log, i), ==, at_ns);
  }
  g_assert_cmpint (tracelog_time_at (log, n + 1000), ==, (gint64)(n - 1) * 10);
}

/* What is known without unpacking a block is right, and the rest is guessed inside of the
 * right block; both are right once it is unpacked. */
static void
test_guesses_where_blocks_are_packed (void) {
  guint64 n = 40 * TRACE_BLOCK_EVENTS + 5, n_guessed = 0;
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  Event event;

  for (guint64 i = 0; i < n; i++) {
    event = make_event (i);
    event.at_ns = (gint64)(i * i);
    tracelog_append (log, &event);
  }
  tracelog_publish (log);
  tracelog_finish (log, FALSE);
  g_assert_false (tracelog_peek_event (log, n, &event));
  for (guint64 i = 1; i < n; i += 997) {
    gint64 at_ns = (gint64)(i * i);
    guint64 index, first = i - i % TRACE_BLOCK_EVENTS;
    gboolean is_at_hand = tracelog_is_at_hand (log, first, i + 1);

    g_assert_cmpint (tracelog_guess_index_at (log, at_ns, &index), ==, is_at_hand);
    if (is_at_hand) {
      g_assert_cmpuint (index, ==, i + 1);
    } else {
      g_assert_cmpuint (index, >, first);
      g_assert_cmpuint (index, <=, first + TRACE_BLOCK_EVENTS);
      n_guessed++;
    }
    g_assert_cmpint (tracelog_peek_event (log, i, &event), ==, is_at_hand);
    g_assert_true (tracelog_get_event (log, i, &event));
    g_assert_true (tracelog_is_at_hand (log, first, i + 1));
    g_assert_true (tracelog_guess_index_at (log, at_ns, &index));
    g_assert_cmpuint (index, ==, i + 1);
    g_assert_true (tracelog_guess_index_at (log, at_ns - 1, &index));
    g_assert_cmpuint (index, ==, tracelog_index_at (log, at_ns - 1));
    g_assert_true (tracelog_peek_event (log, i, &event));
    g_assert_cmpint (event.at_ns, ==, at_ns);
  }
  g_assert_cmpuint (n_guessed, >, 30);
  g_assert_true (tracelog_is_at_hand (log, 7, 7));
  g_assert_false (tracelog_is_at_hand (log, 0, n)); /* more than are kept */
}

/* Many events at one instant, over the border of two blocks. */
static void
test_seek_among_equal_times (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  guint64 n = 2 * TRACE_BLOCK_EVENTS;

  for (guint64 i = 0; i < n; i++) {
    Event event = make_event (i);

    event.at_ns = i < 100 ? 0 : i < n - 100 ? 50 : 20; /* the last are raised */
    tracelog_append (log, &event);
  }
  g_assert_cmpuint (tracelog_index_at (log, 0), ==, 100);
  g_assert_cmpuint (tracelog_index_at (log, 49), ==, 100);
  g_assert_cmpuint (tracelog_index_at (log, 50), ==, n);
  g_assert_cmpint (tracelog_time_at (log, n - 1), ==, 50);
}

static void
test_limit (void) {
  g_autoptr (TraceLog) log = make_log (TRACE_BLOCK_EVENTS - 1, 1000);
  Event event = make_event (TRACE_BLOCK_EVENTS - 1);

  g_assert_false (tracelog_append (log, &event));
  g_assert_false (tracelog_append (log, &event));
  tracelog_finish (log, TRUE);
  g_assert_cmpuint (tracelog_get_length (log), ==, TRACE_BLOCK_EVENTS + 1);
}

/* Blocks of any length and contents come back to the bit. */
static void
test_random_blocks (void) {
  g_autofree Event *events = g_new0 (Event, TRACE_BLOCK_EVENTS);
  g_autofree Event *back = g_new0 (Event, TRACE_BLOCK_EVENTS);
  BlockLimits limits = { NULL, 0 };
  Prng prng = { 42 };

  for (guint round = 0; round < 200; round++) {
    guint n = 1 + (guint)prng_below (&prng, TRACE_BLOCK_EVENTS);
    gint64 at_ns = (gint64)prng_below (&prng, 1u << 30);
    PackedBlock block;

    for (guint i = 0; i < n; i++) {
      guint64 random = prng_next (&prng);

      events[i] = make_event (prng_next (&prng) >> (round % 64));
      at_ns += (gint64)(random >> (24 + random % 40));
      events[i].at_ns = at_ns;
    }
    trace_block_pack (&block, 7, events, n);
    g_assert_cmpuint (block.raw_size, <=, TRACE_RAW_MAX (n));
    g_assert_null (trace_block_unpack (&block, &limits, back));
    for (guint i = 0; i < n; i++)
      assert_same (&back[i], &events[i]);
    g_free (block.data);
  }
}

/* What a plain block of these times says, moved by @by_ns, and its only long step, if
 * any, made @step; 0: left as it is. */
static const char *
unpack_moved (const gint64 *at_ns,
              guint         n,
              gint64        by_ns,
              guint64       step) {
  BlockLimits limits = { NULL, 0 };
  Event events[4], back[4];
  g_autofree guint8 *raw = NULL;
  guint64 stored = GUINT64_TO_LE ((guint64)(at_ns[0] + by_ns));
  PackedBlock block;

  for (guint i = 0; i < n; i++) {
    events[i] = make_event (i);
    events[i].at_ns = at_ns[i];
  }
  trace_block_pack (&block, 0, events, n);
  raw = trace_block_dup_raw (&block);
  g_free (block.data);
  memcpy (raw, &stored, sizeof stored);
  stored = GUINT64_TO_LE (step);
  if (step != 0)
    memcpy (raw + TRACE_RAW_HEAD + n * TRACE_RAW_EVENT, &stored, sizeof stored);
  block.codec = TRACE_CODEC_PLAIN;
  block.data = raw;
  block.stored_size = block.raw_size;
  block.t0_ns += by_ns;
  block.t1_ns = (gint64)((guint64)block.t1_ns + (guint64)by_ns);
  return trace_block_unpack (&block, &limits, back);
}

/* A time may be the latest that there is, and none is later: neither by short steps
 * nor by long ones, nor by one that would come around to an early time again. */
static void
test_latest_times (void) {
  const char *late = "a time that is too late";
  const gint64 early[] = { 0, 5, 9 };
  const gint64 far[] = { 0, 5, 5 + (G_GINT64_CONSTANT (1) << 40) };

  g_assert_cmpstr (unpack_moved (early, 3, G_MAXINT64 - 9, 0), ==, NULL);
  g_assert_cmpstr (unpack_moved (early, 3, G_MAXINT64 - 8, 0), ==, late);
  g_assert_cmpstr (unpack_moved (early, 3, G_MAXINT64, 0), ==, late);
  g_assert_cmpstr (unpack_moved (far, 3, G_MAXINT64 - far[2], 0), ==, NULL);
  g_assert_cmpstr (unpack_moved (far, 3, G_MAXINT64 - far[2] + 1, 0), ==, late);
  g_assert_cmpstr (unpack_moved (far, 3, G_MAXINT64 - 4, 0), ==, late);
  g_assert_cmpstr (unpack_moved (far, 3, 0, G_MAXUINT64), ==, late);
  g_assert_cmpstr (unpack_moved (far, 3, G_MAXINT64 - 5, G_MAXUINT64), ==, late);
}

/* Damaged blocks are refused or read as something valid, within bounds. */
static void
test_damaged_blocks (void) {
  Event events[64];
  PackedBlock block;
  Prng prng = { 43 };

  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    events[i] = make_event (i);
  trace_block_pack (&block, 0, events, G_N_ELEMENTS (events));
  assert_damage_is_found (&block, block.stored_size, &prng);
  g_free (block.data);
}

/* A whole log is passed: what somebody else has read stays where it is. */
static void
test_passed_blocks_make_room (void) {
  guint64 n = 4 * N_CACHED * TRACE_BLOCK_EVENTS;
  g_autoptr (TraceLog) log = make_log (n, 0);
  const Event *own = NULL, *memory = NULL;

  tracelog_publish (log);
  for (guint64 i = 0; i < n; i += TRACE_BLOCK_EVENTS) {
    TraceBlock *block = tracelog_ref_block (log, i);
    Event wanted = make_event (i);

    assert_same (&block->events[0], &wanted);
    if (i == (N_CACHED - 1) * TRACE_BLOCK_EVENTS) {
      own = block->events;
      trace_block_unref (block);
      continue;
    }
    /* The last two are plain already. */
    if (i > N_CACHED * TRACE_BLOCK_EVENTS && i + 2 * TRACE_BLOCK_EVENTS < n)
      g_assert_true (block->events == memory);
    memory = block->events;
    tracelog_pass_block (log, block);
  }
  for (guint i = 0; i < 2; i++) {
    g_autoptr (TraceBlock) block
        = tracelog_ref_block (log, (N_CACHED - 1) * TRACE_BLOCK_EVENTS);

    g_assert_true (block->events == own);
  }
}

typedef struct {
  TraceLog *log;
  guint64   n_wanted;
} Follower;

/* Follows the head while the log is written and checks what it sees. */
static gpointer
follow_cb (gpointer data) {
  Follower *follower = data;
  guint64 next = 0;

  while (next < follower->n_wanted) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (follower->log, next);

    if (block == NULL) {
      g_thread_yield ();
      continue;
    }
    for (; next < block->first + block->n_events; next++) {
      Event wanted = make_event (next);

      assert_same (&block->events[next - block->first], &wanted);
    }
  }
  return NULL;
}

static void
test_follow_the_head (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  Follower follower = { log, 40 * TRACE_BLOCK_EVENTS };
  GThread *threads[2];

  for (guint i = 0; i < 2; i++)
    threads[i] = g_thread_new ("follower", follow_cb, &follower);
  for (guint64 i = 0; i < follower.n_wanted; i++) {
    Event event = make_event (i);

    tracelog_append (log, &event);
    if (i % 100 == 0)
      tracelog_publish (log);
  }
  for (guint i = 0; i < 2; i++)
    g_thread_join (threads[i]);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/tracelog/append-and-read", test_append_and_read);
  g_test_add_func ("/core/tracelog/tail", test_tail);
  g_test_add_func ("/core/tracelog/blocks-outlive-the-log",
                   test_blocks_outlive_the_log);
  g_test_add_func ("/core/tracelog/seek-by-time", test_seek_by_time);
  g_test_add_func ("/core/tracelog/guesses-where-blocks-are-packed",
                   test_guesses_where_blocks_are_packed);
  g_test_add_func ("/core/tracelog/seek-among-equal-times",
                   test_seek_among_equal_times);
  g_test_add_func ("/core/tracelog/limit", test_limit);
  g_test_add_func ("/core/tracelog/random-blocks", test_random_blocks);
  g_test_add_func ("/core/tracelog/latest-times", test_latest_times);
  g_test_add_func ("/core/tracelog/damaged-blocks", test_damaged_blocks);
  g_test_add_func ("/core/tracelog/passed-blocks-make-room",
                   test_passed_blocks_make_room);
  g_test_add_func ("/core/tracelog/follow-the-head", test_follow_the_head);
  return g_test_run ();
}
