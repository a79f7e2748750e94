/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-block.c — a block of events, packed
 *
 * Idea        Neighbouring events resemble each other field by field: the same
 *             kinds, the same thread, the same high bytes. So a block is stored
 *             as byte planes, all first bytes of a field, then all second bytes
 *             and so on, and the planes are handed to LZ4. Packing and unpacking
 *             need no parsing, which is fast and leaves little to get wrong.
 *
 * Format      A raw block of n events, little-endian, no gaps:
 *
 *             bytes       what
 *             8           at_ns of the first event
 *             4           p, the number of events with a payload
 *             4           x, the number of long steps
 *             n           kind; bit 7: the event has a payload
 *             n           aux8
 *             n each      thread, 2 planes: low byte, high byte
 *             n each      aux16, 2 planes
 *             n each      res, 4 planes
 *             n each      ver, 4 planes
 *             n each      step, 4 planes: at_ns less the previous event's; 0 for
 *                         the first; 0xffffffff: a long step
 *             8 each      x long steps, whole, in the order of their events
 *             p each      payload a, 8 planes, events with a payload only
 *             p each      payload b, 8 planes
 *
 *             Codec 0 stores these bytes as they are; codec 1 as one LZ4 block
 *             (no frame). n stands outside, with the sizes of both forms.
 *
 * Invariants  K1  raw_size == 16 + 18 n + 8 x + 16 p, to the byte
 *             K2  x and p are the numbers of such events in the planes
 *             K3  at_ns never decreases in a block and never overflows
 *             K4  kinds lie in [1, EVENT_TIME), threads below the run's number
 *                 of threads or EVENT_THREAD_MAIN
 *             A block that breaks one is refused; nothing is read or written
 *             outside of its declared sizes, which are bounded before memory is
 *             taken for them.
 *
 * Departures  None of the run's versions are left out though many follow from
 *             their predecessors: measured 2 % smaller for a hash table in the
 *             decoder, not worth it.
 */
#include "core/record/trace-block-private.h"

#include <glib/gi18n.h>
#include <lz4.h>
#include <string.h>

#define LONG_STEP 0xffffffffu

/* Where the planes of a raw block begin. */
typedef struct {
  guint8 *kind, *aux8, *thread, *aux16, *res, *ver, *step, *longs, *a, *b;
} Planes;

static guint
lay_planes (Planes *planes,
            guint8 *raw,
            guint   n,
            guint   n_longs,
            guint   n_payloads) {
  planes->kind = raw + TRACE_RAW_HEAD;
  planes->aux8 = planes->kind + n;
  planes->thread = planes->aux8 + n;
  planes->aux16 = planes->thread + 2 * n;
  planes->res = planes->aux16 + 2 * n;
  planes->ver = planes->res + 4 * n;
  planes->step = planes->ver + 4 * n;
  planes->longs = planes->step + 4 * n;
  planes->a = planes->longs + 8 * n_longs;
  planes->b = planes->a + 8 * n_payloads;
  return (guint)(planes->b + 8 * n_payloads - raw);
}

static inline void
put16 (guint8 *plane,
       guint   stride,
       guint32 value) {
  plane[0] = (guint8)value;
  plane[stride] = (guint8)(value >> 8);
}

static inline void
put32 (guint8 *plane,
       guint   stride,
       guint32 value) {
  put16 (plane, stride, value);
  put16 (plane + 2 * stride, stride, value >> 16);
}

static inline void
put64 (guint8 *plane,
       guint   stride,
       guint64 value) {
  put32 (plane, stride, (guint32)value);
  put32 (plane + 4 * stride, stride, (guint32)(value >> 32));
}

static inline guint32
get16 (const guint8 *plane,
       guint         stride) {
  return plane[0] | (guint32)plane[stride] << 8;
}

static inline guint32
get32 (const guint8 *plane,
       guint         stride) {
  return get16 (plane, stride) | get16 (plane + 2 * stride, stride) << 16;
}

static inline guint64
get64 (const guint8 *plane,
       guint         stride) {
  return get32 (plane, stride)
         | (guint64)get32 (plane + 4 * stride, stride) << 32;
}

/* How many long steps and payloads the events need. */
static void
count_extras (const Event *events,
              guint        n,
              guint       *n_longs,
              guint       *n_payloads) {
  gint64 last_ns = events[0].at_ns;

  *n_longs = *n_payloads = 0;
  for (guint i = 0; i < n; i++) {
    *n_longs += events[i].at_ns - last_ns >= LONG_STEP;
    *n_payloads += (events[i].a | events[i].b) != 0;
    last_ns = events[i].at_ns;
  }
}

/* Spreads @events over the planes of @raw; returns the raw size. */
static guint
spread (guint8      *raw,
        const Event *events,
        guint        n) {
  guint n_longs, n_payloads, size;
  gint64 last_ns = events[0].at_ns;
  guint8 *long_step, *a, *b;
  Planes planes;

  count_extras (events, n, &n_longs, &n_payloads);
  size = lay_planes (&planes, raw, n, n_longs, n_payloads);
  put64 (raw, 1, (guint64)last_ns);
  put32 (raw + 8, 1, n_payloads);
  put32 (raw + 12, 1, n_longs);

  long_step = planes.longs;
  a = planes.a;
  b = planes.b;
  for (guint i = 0; i < n; i++) {
    const Event *event = &events[i];
    gint64 step = event->at_ns - last_ns;
    gboolean has_payload = (event->a | event->b) != 0;

    last_ns = event->at_ns;
    planes.kind[i] = event->kind | (has_payload ? EVENT_HAS_PAYLOAD : 0);
    planes.aux8[i] = event->aux8;
    put16 (planes.thread + i, n, event->thread);
    put16 (planes.aux16 + i, n, event->aux16);
    put32 (planes.res + i, n, event->res);
    put32 (planes.ver + i, n, event->ver);
    put32 (planes.step + i, n, step < LONG_STEP ? (guint32)step : LONG_STEP);
    if (G_UNLIKELY (step >= LONG_STEP)) {
      put64 (long_step, 1, (guint64)step);
      long_step += 8;
    }
    if (has_payload) {
      put64 (a++, n_payloads, event->a);
      put64 (b++, n_payloads, event->b);
    }
  }
  return size;
}

void
trace_block_pack (PackedBlock *block,
                  guint64      first,
                  const Event *events,
                  guint        n_events) {
  g_autofree guint8 *raw = g_malloc (TRACE_RAW_MAX (n_events));
  g_autofree guint8 *packed = NULL;
  int packed_size;

  g_assert (n_events >= 1 && n_events <= TRACE_BLOCK_EVENTS);
  *block = (PackedBlock){
    .first = first,
    .t0_ns = events[0].at_ns,
    .t1_ns = events[n_events - 1].at_ns,
    .n_events = n_events,
  };
  block->raw_size = spread (raw, events, n_events);

  /* A block that LZ4 cannot make smaller stays as it is. */
  packed = g_malloc (block->raw_size);
  packed_size = LZ4_compress_default ((const char *)raw, (char *)packed,
                                      (int)block->raw_size,
                                      (int)block->raw_size - 1);
  if (packed_size > 0) {
    block->codec = TRACE_CODEC_LZ4;
    block->stored_size = (guint32)packed_size;
    block->data = g_memdup2 (packed, block->stored_size);
  } else {
    block->codec = TRACE_CODEC_PLAIN;
    block->stored_size = block->raw_size;
    block->data = g_memdup2 (raw, block->stored_size);
  }
}

/* One kind byte to ours; 0 when it is none that may be stored. */
static guint
read_kind (const BlockLimits *limits,
           guint8             stored) {
  guint kind = stored & ~EVENT_HAS_PAYLOAD;

  if (limits->kinds != NULL)
    kind = limits->kinds[kind];
  return kind < EVENT_TIME ? kind : EVENT_NONE;
}

/* K4 for all of them, before the fields are gathered. */
static const char *
check_fields (const Planes      *planes,
              const BlockLimits *limits,
              guint              n,
              guint              n_longs,
              guint              n_payloads) {
  guint longs = 0, payloads = 0;

  for (guint i = 0; i < n; i++) {
    guint thread = get16 (planes->thread + i, n);

    if (read_kind (limits, planes->kind[i]) == EVENT_NONE)
      return N_ ("an unknown kind of event");
    if (limits->n_threads != 0 && thread >= limits->n_threads
        && thread != EVENT_THREAD_MAIN)
      return N_ ("an event of a thread that did not run");
    payloads += (planes->kind[i] & EVENT_HAS_PAYLOAD) != 0;
    longs += get32 (planes->step + i, n) == LONG_STEP;
  }
  if (payloads != n_payloads)
    return N_ ("a wrong number of payloads");
  if (longs != n_longs)
    return N_ ("a wrong number of long steps of time");
  return NULL;
}

/* Gathers the fields of checked planes; K3 is checked on the way. */
static const char *
gather (const Planes      *planes,
        const BlockLimits *limits,
        guint64            at_ns,
        guint              n,
        guint              n_payloads,
        Event             *events) {
  const guint8 *long_step = planes->longs, *a = planes->a, *b = planes->b;

  for (guint i = 0; i < n; i++) {
    guint64 step = get32 (planes->step + i, n);

    if (G_UNLIKELY (step == LONG_STEP)) {
      step = get64 (long_step, 1);
      long_step += 8;
      if (step > G_MAXINT64)
        return N_ ("a step of time that is too long");
    }
    at_ns += step;
    if (at_ns > G_MAXINT64)
      return N_ ("a time that is too late");
    events[i] = (Event){
      .at_ns = (gint64)at_ns,
      .res = get32 (planes->res + i, n),
      .ver = get32 (planes->ver + i, n),
      .thread = (guint16)get16 (planes->thread + i, n),
      .aux16 = (guint16)get16 (planes->aux16 + i, n),
      .kind = (guint8)read_kind (limits, planes->kind[i]),
      .aux8 = planes->aux8[i],
    };
    if (planes->kind[i] & EVENT_HAS_PAYLOAD) {
      events[i].a = get64 (a++, n_payloads);
      events[i].b = get64 (b++, n_payloads);
    }
  }
  return NULL;
}

/* The raw bytes to events. */
static const char *
unpack_raw (guint8            *raw,
            const PackedBlock *block,
            const BlockLimits *limits,
            Event             *events) {
  guint n = block->n_events;
  guint64 at_ns = get64 (raw, 1);
  guint n_payloads = get32 (raw + 8, 1);
  guint n_longs = get32 (raw + 12, 1);
  const char *problem;
  Planes planes;

  if (n_payloads > n || n_longs > n
      || lay_planes (&planes, raw, n, n_longs, n_payloads) != block->raw_size)
    return N_ ("a raw size that does not fit its counts");
  if (at_ns > G_MAXINT64)
    return N_ ("a time that is too late");
  problem = check_fields (&planes, limits, n, n_longs, n_payloads);
  if (problem == NULL)
    problem = gather (&planes, limits, at_ns, n, n_payloads, events);
  if (problem == NULL
      && (events[0].at_ns != block->t0_ns || events[n - 1].at_ns != block->t1_ns))
    problem = N_ ("times that differ from those of its header");
  return problem;
}

const char *
trace_block_unpack (const PackedBlock *block,
                    const BlockLimits *limits,
                    Event             *events) {
  g_autofree guint8 *raw = NULL;

  if (block->n_events < 1 || block->n_events > TRACE_BLOCK_EVENTS)
    return N_ ("a wrong number of events");
  if (block->raw_size < TRACE_RAW_HEAD + TRACE_RAW_EVENT * block->n_events
      || block->raw_size > TRACE_RAW_MAX (block->n_events))
    return N_ ("a raw size out of bounds");
  if (block->stored_size > block->raw_size)
    return N_ ("a stored size out of bounds");

  raw = g_malloc (block->raw_size);
  switch (block->codec) {
  case TRACE_CODEC_PLAIN:
    if (block->stored_size != block->raw_size)
      return N_ ("two sizes that differ without compression");
    memcpy (raw, block->data, block->raw_size);
    break;
  case TRACE_CODEC_LZ4:
    if (LZ4_decompress_safe ((const char *)block->data, (char *)raw,
                             (int)block->stored_size, (int)block->raw_size)
        != (int)block->raw_size)
      return N_ ("bytes that are no LZ4 of the declared size");
    break;
  }
  return unpack_raw (raw, block, limits, events);
}
