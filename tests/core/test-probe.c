/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-probe.c — what a probe tells, when, and at what time */
#include "core/probe/probe.h"

#include <glib.h>

typedef struct {
  RingEvent   event;
  RingPayload payload;
  uint64_t    stamp; /* rebuilt from EVENT_TIME and dt */
} Told;

typedef struct {
  Probe    probe;
  uint64_t stamp;
} Fixture;

static void
set_up (Fixture      *fixture,
        gconstpointer data) {
  (void)data;
  g_assert_true (probe_init (&fixture->probe, 65536));
  fixture->stamp = 0;
  probe_current = &fixture->probe;
}

static void
tear_down (Fixture      *fixture,
           gconstpointer data) {
  (void)data;
  probe_current = NULL;
  probe_clear (&fixture->probe);
}

/* Takes what is published; EVENT_TIME too. */
static unsigned
take (Fixture *fixture,
      Told    *told,
      unsigned room) {
  const RingUnit *first;
  size_t n_second;
  size_t n = ring_peek (&fixture->probe.ring, &first, &n_second);
  unsigned n_told = 0;

  g_assert_cmpuint (n_second, ==, 0);
  for (size_t i = 0; i < n; i++) {
    g_assert_cmpuint (n_told, <, room);
    told[n_told] = (Told){ .event = first[i].event };
    if (first[i].event.kind & EVENT_HAS_PAYLOAD)
      told[n_told].payload = first[++i].payload;
    told[n_told].event.kind &= (uint8_t)~EVENT_HAS_PAYLOAD;
    if (told[n_told].event.kind == EVENT_TIME)
      fixture->stamp = told[n_told].payload.a;
    else
      fixture->stamp += told[n_told].event.dt;
    told[n_told].stamp = fixture->stamp;
    n_told++;
  }
  ring_take (&fixture->probe.ring, n);
  return n_told;
}

static void
test_silent_without_a_probe (Fixture      *fixture,
                             gconstpointer data) {
  Told told[8];

  probe_current = NULL;
  probe_op_begin (OP_LOAD, 1, 2);
  probe_event (EVENT_READ_AMENDED, 0, 1, 0, 0);
  probe_restamp ();
  probe_op_end (OP_LOAD, OP_PATH_OK, 3, 4);
  probe_flush (NULL);
  ring_publish (&fixture->probe.ring);
  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 0);
}

static void
test_events_share_a_stamp (Fixture      *fixture,
                           gconstpointer data) {
  Told told[8];

  for (unsigned i = 0; i < 2; i++) {
    probe_op_begin (OP_STORE, 1, 2);
    probe_event (EVENT_READ_AMENDED, 1, 2, 3, 4);
    probe_event_more (EVENT_SLOT_WRITTEN, 5, 6, 7, 8, 9, 10);
    probe_op_end (OP_STORE, OP_PATH_OK, 2, 0);
    if (i == 1)
      probe_restamp ();
  }
  probe_event (EVENT_READ_AMENDED, 1, 3, 3, 4);
  ring_publish (&fixture->probe.ring);

  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 6);
  g_assert_cmpuint (told[0].event.kind, ==, EVENT_TIME);
  g_assert_cmpuint (told[1].event.kind, ==, EVENT_READ_AMENDED);
  g_assert_cmpuint (told[1].event.res, ==, 1);
  g_assert_cmpuint (told[1].event.ver, ==, 2);
  g_assert_cmpuint (told[1].event.aux8, ==, 3);
  g_assert_cmpuint (told[1].event.aux16, ==, 4);
  g_assert_cmpuint (told[2].event.kind, ==, EVENT_SLOT_WRITTEN);
  g_assert_cmpuint (told[2].event.res, ==, 5);
  g_assert_cmpuint (told[2].payload.a, ==, 9);
  g_assert_cmpuint (told[2].payload.b, ==, 10);
  g_assert_cmpuint (told[1].stamp, ==, told[0].stamp);
  g_assert_cmpuint (told[2].stamp, ==, told[0].stamp);
  g_assert_cmpuint (told[3].stamp, ==, told[0].stamp);
  g_assert_cmpuint (told[4].stamp, ==, told[0].stamp);
  g_assert_cmpuint (told[5].stamp, >, told[4].stamp);
}

/* At most PROBE_STAMP_UNITS units and PROBE_STAMP_OPS operations share one, and
 * no two events between which the thread flushed. */
static void
test_runs_of_a_stamp_are_short (Fixture      *fixture,
                                gconstpointer data) {
  static Told told[4 * PROBE_STAMP_UNITS];
  uint64_t stamp = 0;
  unsigned n_run = 0, n;

  for (unsigned i = 0; i < 2 * PROBE_STAMP_UNITS; i++)
    probe_event (EVENT_PHASE_BEGAN, i, 0, 0, 0);
  probe_flush (&fixture->probe);
  n = take (fixture, told, G_N_ELEMENTS (told));
  g_assert_cmpuint (n, ==, 2 * PROBE_STAMP_UNITS + 1);
  for (unsigned i = 1; i < n; i++) {
    n_run = told[i].stamp == stamp ? n_run + 1 : 1;
    stamp = told[i].stamp;
    g_assert_cmpuint (n_run, <=, PROBE_STAMP_UNITS);
  }

  probe_event (EVENT_PHASE_BEGAN, 0, 0, 0, 0);
  probe_flush (&fixture->probe);
  probe_event (EVENT_PHASE_BEGAN, 1, 0, 0, 0);
  for (unsigned i = 0; i < PROBE_STAMP_OPS; i++) {
    probe_op_begin (OP_LOAD, i, 0);
    probe_op_end (OP_LOAD, OP_PATH_OK, 0, 0);
  }
  probe_event (EVENT_PHASE_BEGAN, 2, 0, 0, 0);
  ring_publish (&fixture->probe.ring);
  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 3);
  g_assert_cmpuint (told[1].stamp, >, told[0].stamp);
  g_assert_cmpuint (told[2].stamp, >, told[1].stamp);
}

static void
test_brief_telling_takes_one_event (Fixture      *fixture,
                                    gconstpointer data) {
  const Event first = { .res = 0xfffffffb, .ver = 0xffffffff };
  Told told[8];

  fixture->probe.tells_brief = true;
  probe_op_begin (OP_LOAD, (uint64_t)-5, 0);
  probe_op_end (OP_LOAD, OP_PATH_OK | OP_PATH_IN_READ, 7, 0);
  probe_op_begin (OP_SWAP, 6, 0);
  probe_count_retry ();
  probe_op_end (OP_SWAP, OP_PATH_OK, 7, 0);
  /* A Range has no key, whatever its callback asked for. */
  probe_op_begin (OP_RANGE, 0, 0);
  probe_op_begin (OP_LOAD, 8, 0);
  probe_op_end (OP_LOAD, 0, 0, 0);
  probe_op_end (OP_RANGE, OP_PATH_OK, 1, 0);
  /* One that is a span is told as such. */
  probe_set_span_period (&fixture->probe, 1);
  probe_op_begin (OP_LOAD, 9, 0);
  probe_op_end (OP_LOAD, 0, 0, 0);
  probe_flush (&fixture->probe);

  g_assert_cmpint (event_told_key (&first), ==, -5);
  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 7);
  g_assert_cmpuint (told[1].event.kind, ==, EVENT_OP_TOLD);
  g_assert_cmpuint (told[1].event.aux8, ==, OP_LOAD);
  g_assert_cmpuint (told[1].event.aux16, ==, OP_PATH_OK | OP_PATH_IN_READ);
  g_assert_cmpuint (told[1].event.res, ==, first.res);
  g_assert_cmpuint (told[1].event.ver, ==, first.ver);
  g_assert_cmpuint (told[2].event.aux8, ==, OP_SWAP);
  g_assert_cmpuint (told[2].payload.a, ==, 1);
  g_assert_cmpuint (told[3].event.aux8, ==, OP_LOAD);
  g_assert_cmpuint (told[3].event.res, ==, 8);
  g_assert_cmpuint (told[4].event.aux8, ==, OP_RANGE);
  g_assert_cmpuint (told[4].event.res, ==, 0);
  g_assert_cmpuint (told[5].event.kind, ==, EVENT_OP_BEGAN);
  g_assert_cmpuint (told[6].event.kind, ==, EVENT_OP_ENDED);
  g_assert_cmpuint (fixture->probe.n_uncounted, ==, 0);
}

static void
test_teaching_pace_tells_every_operation (Fixture      *fixture,
                                          gconstpointer data) {
  Told told[8];

  fixture->probe.is_fine = true;
  probe_set_span_period (&fixture->probe, 1);
  for (unsigned i = 0; i < 3; i++) {
    probe_op_begin (OP_LOAD_OR_STORE, 11, 12);
    probe_op_end (OP_LOAD_OR_STORE, OP_PATH_OK | OP_PATH_IN_READ, 13, 14);
    /* Shown at once: nothing here publishes. */
    g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==,
                      i == 0 ? 3 : 2);
    if (i == 0)
      continue;
    g_assert_cmpuint (told[0].event.kind, ==, EVENT_OP_BEGAN);
    g_assert_cmpuint (told[0].event.aux8, ==, OP_LOAD_OR_STORE);
    g_assert_cmpuint (told[0].payload.a, ==, 11);
    g_assert_cmpuint (told[0].payload.b, ==, 12);
    g_assert_cmpuint (told[1].event.kind, ==, EVENT_OP_ENDED);
    g_assert_cmpuint (told[1].event.aux8, ==, OP_LOAD_OR_STORE);
    g_assert_cmpuint (told[1].event.aux16, ==, OP_PATH_OK | OP_PATH_IN_READ);
    g_assert_cmpuint (told[1].payload.a, ==, 13);
    g_assert_cmpuint (told[1].payload.b, ==, 14);
    g_assert_cmpuint (told[1].stamp, >, told[0].stamp);
  }
}

static void
test_counts_what_it_does_not_tell (Fixture      *fixture,
                                   gconstpointer data) {
  Told told[64];
  unsigned n_spans = 0, n_counted = 0, n_ok = 0, n_in_read = 0, n;
  unsigned n_retries = 0, n_retried_spans = 0;
  enum { N_OPS = 1000 };

  probe_set_span_period (&fixture->probe, 100);
  for (unsigned i = 0; i < N_OPS; i++) {
    OpKind op = i % 4 == 0 ? OP_SWAP : OP_LOAD;

    probe_op_begin (op, i, 0);
    for (unsigned retry = 0; retry < i % 3; retry++)
      probe_count_retry ();
    probe_op_end (op,
                  (i % 2 == 0 ? (unsigned)OP_PATH_OK : 0u)
                      | (i % 5 == 0 ? (unsigned)OP_PATH_IN_READ : 0u),
                  0, 0);
  }
  probe_flush (&fixture->probe);

  n = take (fixture, told, G_N_ELEMENTS (told));
  for (unsigned i = 0; i < n; i++) {
    if (told[i].event.kind == EVENT_OP_ENDED) {
      n_spans++;
      n_ok += told[i].event.aux16 & OP_PATH_OK ? 1 : 0;
      n_in_read += told[i].event.aux16 & OP_PATH_IN_READ ? 1 : 0;
      n_retries += told[i].event.res;
      n_retried_spans += told[i].event.res != 0;
    } else if (told[i].event.kind == EVENT_OPS_COUNTED) {
      n_counted += told[i].event.res;
      n_ok += told[i].event.ver;
      n_in_read += (unsigned)told[i].payload.a;
      n_retries += (unsigned)told[i].payload.b;
    }
  }
  g_assert_cmpuint (n_spans, ==, N_OPS / 100);
  g_assert_cmpuint (n_counted, ==, N_OPS - n_spans);
  g_assert_cmpuint (n_ok, ==, N_OPS / 2);
  g_assert_cmpuint (n_in_read, ==, N_OPS / 5);
  /* 0, 1, 2, 0, 1, 2 … and 0 of the last; a span in three has none. */
  g_assert_cmpuint (n_retries, ==, N_OPS - 1);
  g_assert_cmpuint (n_retried_spans, >=, N_OPS / 100 / 2);
  g_assert_cmpuint (fixture->probe.n_uncounted, ==, 0);
}

static void
test_windows_are_told_in_time (Fixture      *fixture,
                               gconstpointer data) {
  Told told[8];

  for (unsigned i = 0; i < PROBE_COUNT_WINDOW; i++) {
    probe_op_begin (OP_LOAD, i, 0);
    probe_op_end (OP_LOAD, OP_PATH_OK, 0, 0);
  }
  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 2);
  g_assert_cmpuint (told[1].event.kind, ==, EVENT_OPS_COUNTED);
  g_assert_cmpuint (told[1].event.aux8, ==, OP_LOAD);
  g_assert_cmpuint (told[1].event.res, ==, PROBE_COUNT_WINDOW);
  /* With no spans wanted the countdown never runs out. */
  g_assert_cmpuint (fixture->probe.span_countdown, ==, UINT32_MAX);
}

static void
test_a_changed_period_is_taken_up (Fixture      *fixture,
                                   gconstpointer data) {
  Told told[8];

  fixture->probe.span_period = 1;
  probe_flush (&fixture->probe);
  probe_op_begin (OP_LEN, 0, 0);
  probe_op_end (OP_LEN, OP_PATH_OK, 0, 0);
  probe_flush (&fixture->probe);
  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 3);
  fixture->probe.span_period = 0;
  probe_flush (&fixture->probe);
  g_assert_cmpuint (fixture->probe.span_countdown, ==, UINT32_MAX);
}

static void
test_nested_operations_keep_their_spans (Fixture      *fixture,
                                         gconstpointer data) {
  Told told[16];
  const unsigned kinds[] = { EVENT_TIME,     EVENT_OP_BEGAN, EVENT_OP_ENDED,
                             EVENT_OP_BEGAN, EVENT_OP_ENDED, EVENT_OPS_COUNTED };

  /* A Range that is a span, around a Load that is none. */
  probe_set_span_period (&fixture->probe, 2);
  fixture->probe.span_countdown = 1;
  probe_op_begin (OP_RANGE, 0, 0);
  probe_op_begin (OP_LOAD, 1, 0);
  probe_op_end (OP_LOAD, OP_PATH_OK, 0, 0);
  probe_op_end (OP_RANGE, OP_PATH_OK, 0, 0);
  /* The other way round; period 2 makes the second Load the span. */
  fixture->probe.span_countdown = 2;
  probe_op_begin (OP_RANGE, 0, 0);
  probe_op_begin (OP_LOAD, 1, 0);
  probe_op_end (OP_LOAD, OP_PATH_OK, 0, 0);
  probe_op_end (OP_RANGE, OP_PATH_OK, 0, 0);
  probe_flush (&fixture->probe);

  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 7);
  for (unsigned i = 0; i < G_N_ELEMENTS (kinds); i++)
    g_assert_cmpuint (told[i].event.kind, ==, kinds[i]);
  g_assert_cmpuint (told[1].event.aux8, ==, OP_RANGE);
  g_assert_cmpuint (told[2].event.aux8, ==, OP_RANGE);
  g_assert_cmpuint (told[3].event.aux8, ==, OP_LOAD);
  g_assert_cmpuint (told[4].event.aux8, ==, OP_LOAD);
  g_assert_cmpuint (told[5].event.res, ==, 1);
  g_assert_cmpuint (told[6].event.res, ==, 1);
  g_assert_false (fixture->probe.is_span);
  g_assert_cmphex (fixture->probe.range_spans, ==, 0);
}

/* At full speed every operation may be told, but nobody watches it end. */
static void
test_full_speed_publishes_in_batches (Fixture      *fixture,
                                      gconstpointer data) {
  Told told[8];

  probe_set_span_period (&fixture->probe, 1);
  probe_op_begin (OP_LOAD, 1, 0);
  probe_op_end (OP_LOAD, OP_PATH_OK, 2, 0);
  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 0);
  probe_flush (&fixture->probe);
  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 3);
}

static void
test_only_told_ranges_tell_yields (Fixture      *fixture,
                                   gconstpointer data) {
  Told told[8];

  /* Neither a span, nor asked for, then both: the inner Range is no span. */
  for (unsigned i = 0; i < 3; i++) {
    fixture->probe.tells_yields = i != 1;
    probe_set_span_period (&fixture->probe, i == 0 ? 0 : 1);
    probe_op_begin (OP_RANGE, 0, 0);
    probe_range_yield (7, -1, -2);
    probe_set_span_period (&fixture->probe, 0);
    probe_op_begin (OP_RANGE, 0, 0);
    probe_range_yield (8, 3, 4);
    probe_op_end (OP_RANGE, OP_PATH_OK, 1, 0);
    probe_op_end (OP_RANGE, OP_PATH_OK, 1, 0);
    fixture->probe.counts[OP_RANGE] = (ProbeCount){ 0 };
    fixture->probe.n_uncounted = 0;
  }
  probe_flush (&fixture->probe);
  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 6);
  g_assert_cmpuint (told[3].event.kind, ==, EVENT_OP_BEGAN);
  g_assert_cmpuint (told[4].event.kind, ==, EVENT_RANGE_YIELDED);
  g_assert_cmpuint (told[4].event.ver, ==, 7);
  g_assert_cmpint ((int64_t)told[4].payload.a, ==, -1);
  g_assert_cmpint ((int64_t)told[4].payload.b, ==, -2);
  g_assert_cmpuint (told[5].event.kind, ==, EVENT_OP_ENDED);
}

/* They are no operations: how often those are spans does not matter. */
static void
test_snapshots_tell_what_they_gave (Fixture      *fixture,
                                    gconstpointer data) {
  Told told[4];

  probe_set_span_period (&fixture->probe, 0);
  probe_snapshot_give (5, 1, 2);
  fixture->probe.tells_yields = true;
  probe_snapshot_give (5, -3, -4);
  probe_flush (&fixture->probe);
  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 2);
  g_assert_cmpuint (told[0].event.kind, ==, EVENT_TIME);
  g_assert_cmpuint (told[1].event.kind, ==, EVENT_SNAPSHOT_GAVE);
  g_assert_cmpuint (told[1].event.ver, ==, 5);
  g_assert_cmpint ((int64_t)told[1].payload.a, ==, -3);
  g_assert_cmpint ((int64_t)told[1].payload.b, ==, -4);
}

/* A value of RING_VALUE_BITS rides in the event, one more goes beside it. */
static void
test_small_values_need_no_payload (Fixture      *fixture,
                                   gconstpointer data) {
  const int64_t most = ((int64_t)1 << (RING_VALUE_BITS - 1)) - 1;
  const struct {
    int64_t  value;
    gboolean is_small;
  } rows[] = {
    { 0, TRUE },         { 1, TRUE },         { -1, TRUE },
    { 0x7fff, TRUE },    { 0x8000, TRUE },    { 0x7fffff, TRUE },
    { 0x800000, TRUE },  { -0x8000, TRUE },   { 0x123456789a, TRUE },
    { most, TRUE },      { most + 1, FALSE }, { -most - 1, TRUE },
    { -most - 2, FALSE }, { INT64_MAX, FALSE }, { INT64_MIN, FALSE },
  };
  enum { N = G_N_ELEMENTS (rows) };
  Told told[N + 1];

  for (unsigned i = 0; i < N; i++)
    probe_tell_stored (probe_current, 7 + i, i % 2 == 0 ? ENTRY_VERSION_MASK : i,
                        rows[i].value);
  g_assert_cmpuint (fixture->probe.ring.written, ==, 2 + N + 4);
  probe_flush (&fixture->probe);
  g_assert_cmpuint (take (fixture, told, N + 1), ==, N + 1);
  for (unsigned i = 0; i < N; i++) {
    RingEvent unit = told[i + 1].event;
    Event event;

    /* take() has cleared the mark. */
    if (!rows[i].is_small)
      unit.kind |= EVENT_HAS_PAYLOAD;
    event = event_from_ring (
        &unit, rows[i].is_small ? NULL : &told[i + 1].payload);
    g_assert_cmpuint (event.kind, ==, EVENT_ENTRY_STORED);
    g_assert_cmpuint (event.res, ==, 7 + i);
    g_assert_cmpuint (event.ver, ==, i % 2 == 0 ? ENTRY_VERSION_MASK : i);
    g_assert_cmpint ((int64_t)event.a, ==, rows[i].value);
    g_assert_cmpuint (event.b | event.aux8 | event.aux16, ==, 0);
  }
}

static void
test_long_silence_is_told_in_full (Fixture      *fixture,
                                   gconstpointer data) {
  Told told[8];

  probe_set_stamp (&fixture->probe, 1000);
  probe_event (EVENT_PHASE_BEGAN, 0, 0, 0, 0);
  probe_set_stamp (&fixture->probe, 1000 + (uint64_t)UINT32_MAX);
  probe_event (EVENT_PHASE_BEGAN, 1, 0, 0, 0);
  probe_set_stamp (&fixture->probe, 1001 + 2 * (uint64_t)UINT32_MAX);
  probe_event (EVENT_PHASE_BEGAN, 2, 0, 0, 0);
  probe_flush (&fixture->probe);

  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 5);
  g_assert_cmpuint (told[0].event.kind, ==, EVENT_TIME);
  g_assert_cmpuint (told[1].stamp, ==, 1000);
  g_assert_cmpuint (told[2].event.dt, ==, UINT32_MAX);
  g_assert_cmpuint (told[3].event.kind, ==, EVENT_TIME);
  g_assert_cmpuint (told[4].event.dt, ==, 0);
  g_assert_cmpuint (told[4].stamp, ==, 1001 + 2 * (uint64_t)UINT32_MAX);
}

static void
test_time_never_goes_back (Fixture      *fixture,
                           gconstpointer data) {
  const uint64_t stamps[] = { 5000, 4000, 4999, 5000, 5001 };
  const uint64_t wanted[] = { 5000, 5000, 5000, 5000, 5001 };
  Told told[8];

  for (unsigned i = 0; i < G_N_ELEMENTS (stamps); i++) {
    probe_set_stamp (&fixture->probe, stamps[i]);
    probe_event (EVENT_PHASE_BEGAN, i, 0, 0, 0);
  }
  probe_flush (&fixture->probe);
  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 6);
  for (unsigned i = 0; i < G_N_ELEMENTS (wanted); i++)
    g_assert_cmpuint (told[i + 1].stamp, ==, wanted[i]);
}

static void
test_publishes_in_batches (Fixture      *fixture,
                           gconstpointer data) {
  static Told told[2 * PROBE_PUBLISH_BATCH];
  unsigned n_events = 0;

  /* EVENT_TIME takes two units, the others one each; the event after a full
   * batch sends it off, the one after the next shows it. */
  while (n_events < 2 * PROBE_PUBLISH_BATCH - 2) {
    probe_event (EVENT_PHASE_BEGAN, n_events++, 0, 0, 0);
    g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 0);
  }
  probe_event (EVENT_PHASE_BEGAN, n_events++, 0, 0, 0);
  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==,
                    PROBE_PUBLISH_BATCH - 1);
  /* Whoever waits shows all. */
  probe_flush (&fixture->probe);
  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==,
                    n_events - PROBE_PUBLISH_BATCH + 2);
}

static void
test_new_stamp_reads_the_clock (Fixture      *fixture,
                                gconstpointer data) {
  Told told[8];

  probe_new_stamp (&fixture->probe);
  probe_event (EVENT_THREAD_STARTED, 0, 0, 0, 0);
  probe_event (EVENT_PHASE_BEGAN, 0, 0, 0, 0);
  probe_restamp ();
  probe_event (EVENT_LOCK_WAITED, 0, 0, 0, 0);
  probe_flush (&fixture->probe);
  g_assert_cmpuint (take (fixture, told, G_N_ELEMENTS (told)), ==, 4);
  g_assert_cmpuint (told[2].stamp, ==, told[1].stamp);
  g_assert_cmpuint (told[3].stamp, >, told[2].stamp);
}

static void
test_kinds_have_names_and_gates (Fixture      *fixture,
                                 gconstpointer data) {
  for (unsigned kind = EVENT_NONE + 1; kind < EVENT_N_KINDS; kind++)
    g_assert_nonnull (event_kind_name (kind));
  g_assert_null (event_kind_name (EVENT_NONE));
  g_assert_null (event_kind_name (EVENT_N_KINDS));
  g_assert_cmpstr (event_kind_name (EVENT_SLOT_WRITTEN), ==, "slot-written");
  g_assert_cmpint (event_kind_gate (EVENT_SLOT_WRITTEN), ==, GATE_DOMAIN);
  g_assert_cmpint (event_kind_gate (EVENT_ENTRY_STORED), ==, GATE_ENTRY);
  g_assert_cmpint (event_kind_gate (EVENT_RANGE_WALKED), ==, GATE_OBSERVES);
  g_assert_cmpint (event_kind_gate (EVENT_OP_BEGAN), ==, GATE_NONE);
  g_assert_true (event_kind_is_structural (EVENT_DIRTY_PROMOTED));
  g_assert_false (event_kind_is_structural (EVENT_SLOT_WRITTEN));
  for (unsigned op = 0; op < OP_N_KINDS; op++)
    g_assert_nonnull (op_kind_name (op));
  g_assert_null (op_kind_name (OP_N_KINDS));
  g_assert_cmpstr (op_kind_name (OP_COMPARE_AND_SWAP), ==, "compare-and-swap");
  g_assert_cmpstr (misuse_kind_text (MISUSE_CONCURRENT_WRITES), ==,
                   "concurrent map writes");
  g_assert_null (misuse_kind_text (99));
}

#define ADD(path, function)                                                   \
  g_test_add ("/core/probe/" path, Fixture, NULL, set_up, function, tear_down)

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  ADD ("silent-without-a-probe", test_silent_without_a_probe);
  ADD ("events-share-a-stamp", test_events_share_a_stamp);
  ADD ("runs-of-a-stamp-are-short", test_runs_of_a_stamp_are_short);
  ADD ("brief-telling-takes-one-event", test_brief_telling_takes_one_event);
  ADD ("teaching-pace-tells-every-operation",
       test_teaching_pace_tells_every_operation);
  ADD ("counts-what-it-does-not-tell", test_counts_what_it_does_not_tell);
  ADD ("windows-are-told-in-time", test_windows_are_told_in_time);
  ADD ("a-changed-period-is-taken-up", test_a_changed_period_is_taken_up);
  ADD ("nested-operations-keep-their-spans",
       test_nested_operations_keep_their_spans);
  ADD ("full-speed-publishes-in-batches",
       test_full_speed_publishes_in_batches);
  ADD ("only-told-ranges-tell-yields", test_only_told_ranges_tell_yields);
  ADD ("snapshots-tell-what-they-gave", test_snapshots_tell_what_they_gave);
  ADD ("small-values-need-no-payload", test_small_values_need_no_payload);
  ADD ("long-silence-is-told-in-full", test_long_silence_is_told_in_full);
  ADD ("time-never-goes-back", test_time_never_goes_back);
  ADD ("publishes-in-batches", test_publishes_in_batches);
  ADD ("new-stamp-reads-the-clock", test_new_stamp_reads_the_clock);
  ADD ("kinds-have-names-and-gates", test_kinds_have_names_and_gates);
  return g_test_run ();
}
