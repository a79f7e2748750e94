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
 *             (no frame); codec 2 as one zstd frame (trace-zstd.c), codec 3 plane by
 *             plane (trace-apart.c), which only saving makes. n stands outside, with
 *             the sizes of both forms.
 *
 * Groups      The planes of a full block lie 4096 bytes apart, where they would
 *             push each other out of the first cache. So the fields of a group
 *             of events are collected side by side first and go to each plane a
 *             line at a time: measured three times as fast. Back again whole
 *             vectors of bytes are zipped to numbers (trace-planes-private.h).
 *             Whatever may be wrong with a group is gathered without a branch and
 *             looked at once.
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
#include "core/record/trace-apart-private.h"
#include "core/record/trace-planes-private.h"
#include "core/record/trace-zstd-private.h"
#include "core/record/tracelog-file-private.h"

#include <glib/gi18n-lib.h>
#include <lz4.h>
#include <string.h>

#define LONG_STEP 0xffffffffu
/* Events spread at a time: one cache line of each plane. */
#define GROUP 64u

/* Where the parts of unknown length end. */
typedef struct {
  const guint8 *longs;
  const guint8 *a; /* of the first plane of a */
  guint         n_payloads;
} PlaneEnds;

/* The fields of a few events, side by side, as they are packed. */
typedef struct {
  guint64 a[GROUP], b[GROUP]; /* of those with a payload, one after another */
  guint32 res[GROUP], ver[GROUP], step[GROUP];
  guint16 thread[GROUP], aux16[GROUP];
} Group;

/* The same as they are unpacked: neighbouring planes are joined. */
typedef struct {
  guint64 a[GROUP + 1], b[GROUP + 1]; /* and a 0 behind the last payload */
  guint64 res_ver[GROUP];
  guint64 rest[GROUP]; /* thread, aux16, kind, aux8, from the lowest bits on */
  guint32 step[GROUP];
  guint8  kind[GROUP];       /* ours */
  guint8  n_payloads[GROUP]; /* 0 or 1 */
} Joined;

guint
trace_planes_lay (TracePlanes *planes,
                  guint8      *raw,
                  guint        n,
                  guint        n_longs,
                  guint        n_payloads) {
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

/* @count values to as many bytes in each of their planes, @stride apart. The loops
 * are plain so that the compiler makes vectors of them. A plane of equal bytes, as
 * most are in a group, is not worked out byte by byte. */
#define DEFINE_SPLIT(bits)                                                   \
  static void                                                                \
  split##bits (guint8           *plane,                                      \
               guint             stride,                                     \
               const guint##bits *values,                                    \
               guint             count) {                                    \
    guint##bits first = values[0], differ = 0;                               \
                                                                             \
    for (guint i = 0; i < count; i++)                                        \
      differ |= values[i] ^ first;                                           \
    for (guint shift = 0; shift < bits; shift += 8, plane += stride) {       \
      if (((differ >> shift) & 0xff) == 0) {                                 \
        memset (plane, (guint8)(first >> shift), count);                     \
        continue;                                                            \
      }                                                                      \
      for (guint i = 0; i < count; i++)                                      \
        plane[i] = (guint8)(values[i] >> shift);                             \
    }                                                                        \
  }
DEFINE_SPLIT (16)
DEFINE_SPLIT (32)
DEFINE_SPLIT (64)

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

/* Spreads up to GROUP events, from place @at on, over the planes. *last_ns is
 * the time of the event before; planes->longs, a and b move on. */
static void
spread_group (TracePlanes *planes,
              const Event *events,
              guint        at,
              guint        count,
              guint        n,
              guint        n_payloads,
              gint64      *last_ns) {
  guint n_here = 0;
  Group group;

  for (guint i = 0; i < count; i++) {
    const Event *event = &events[at + i];
    gint64 step = event->at_ns - *last_ns;
    gboolean has_payload = (event->a | event->b) != 0;

    *last_ns = event->at_ns;
    planes->kind[at + i]
        = event->kind | (guint8)(has_payload ? EVENT_HAS_PAYLOAD : 0);
    planes->aux8[at + i] = event->aux8;
    group.thread[i] = event->thread;
    group.aux16[i] = event->aux16;
    group.res[i] = event->res;
    group.ver[i] = event->ver;
    group.step[i] = step < LONG_STEP ? (guint32)step : LONG_STEP;
    group.a[n_here] = event->a;
    group.b[n_here] = event->b;
    n_here += has_payload;
    if (G_UNLIKELY (step >= LONG_STEP)) {
      bytes_put (planes->longs, 8, (guint64)step);
      planes->longs += 8;
    }
  }
  split16 (planes->thread + at, n, group.thread, count);
  split16 (planes->aux16 + at, n, group.aux16, count);
  split32 (planes->res + at, n, group.res, count);
  split32 (planes->ver + at, n, group.ver, count);
  split32 (planes->step + at, n, group.step, count);
  if (n_here > 0) {
    split64 (planes->a, n_payloads, group.a, n_here);
    split64 (planes->b, n_payloads, group.b, n_here);
  }
  planes->a += n_here;
  planes->b += n_here;
}

/* Spreads @events over the planes of @raw; returns the raw size. */
static guint
spread (guint8      *raw,
        const Event *events,
        guint        n) {
  gint64 last_ns = events[0].at_ns;
  guint n_longs, n_payloads, size;
  TracePlanes planes;

  count_extras (events, n, &n_longs, &n_payloads);
  size = trace_planes_lay (&planes, raw, n, n_longs, n_payloads);
  bytes_put (raw, 8, (guint64)last_ns);
  bytes_put (raw + 8, 4, n_payloads);
  bytes_put (raw + 12, 4, n_longs);
  for (guint at = 0; at < n; at += GROUP)
    spread_group (&planes, events, at, MIN (n - at, GROUP), n, n_payloads,
                  &last_ns);
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

guint8 *
trace_block_dup_raw (const PackedBlock *block) {
  g_autofree guint8 *raw = NULL;

  if (block->codec == TRACE_CODEC_PLAIN)
    return g_memdup2 (block->data, block->raw_size);
  if (block->codec != TRACE_CODEC_LZ4)
    return NULL;
  raw = g_malloc (block->raw_size);
  return LZ4_decompress_safe ((const char *)block->data, (char *)raw,
                              (int)block->stored_size, (int)block->raw_size)
                 == (int)block->raw_size
             ? g_steal_pointer (&raw)
             : NULL;
}

/* Kinds to ours; FALSE: one is none that may be stored. */
static gboolean
read_kinds (Joined            *joined,
            const BlockLimits *limits,
            const guint8      *stored,
            guint              count) {
  guint bad = 0;

  for (guint i = 0; i < count; i++) {
    joined->n_payloads[i] = stored[i] / EVENT_HAS_PAYLOAD;
    joined->kind[i] = stored[i] % EVENT_HAS_PAYLOAD;
  }
  if (limits->kinds != NULL)
    for (guint i = 0; i < count; i++)
      joined->kind[i] = limits->kinds[joined->kind[i]];
  for (guint i = 0; i < count; i++)
    bad |= (guint8)(joined->kind[i] - 1) >= EVENT_TIME - 1;
  return !bad;
}
G_STATIC_ASSERT (EVENT_NONE == 0 && EVENT_HAS_PAYLOAD == 128);

/* FALSE: not all threads are such that ran. */
static gboolean
check_threads (const Joined      *joined,
               const BlockLimits *limits,
               guint              count) {
  guint bad = 0;

  if (limits->n_threads == 0)
    return TRUE;
  for (guint i = 0; i < count; i++) {
    guint16 thread = (guint16)joined->rest[i];

    bad |= (thread >= limits->n_threads) & (thread != EVENT_THREAD_MAIN);
  }
  return !bad;
}

/* The fields from res on: in memory as they are joined, so two stores are enough. */
static inline void
put_fields (Event  *event,
            guint64 res_ver,
            guint64 rest) {
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  guint8 *bytes = (guint8 *)event;

  memcpy (bytes + offsetof (Event, res), &res_ver, sizeof res_ver);
  memcpy (bytes + offsetof (Event, thread), &rest, sizeof rest);
#else
  event->res = (guint32)res_ver;
  event->ver = (guint32)(res_ver >> 32);
  event->thread = (guint16)rest;
  event->aux16 = (guint16)(rest >> 16);
  event->kind = (guint8)(rest >> 32);
  event->aux8 = (guint8)(rest >> 40);
#endif
}
G_STATIC_ASSERT (offsetof (Event, ver) == offsetof (Event, res) + 4
                 && offsetof (Event, aux16) == offsetof (Event, thread) + 2
                 && offsetof (Event, kind) == offsetof (Event, thread) + 4
                 && offsetof (Event, aux8) == offsetof (Event, thread) + 5
                 && sizeof (Event) == offsetof (Event, thread) + 8);

/* *at_ns is the time of the event before; planes->longs moves on, up to its end.
 * Steps that are not long cannot wrap a time around: whether all was too late is seen
 * at the end. */
static const char *
fill_events (const Joined    *joined,
             TracePlanes     *planes,
             const PlaneEnds *ends,
             guint            count,
             guint64         *at_ns,
             Event           *events) {
  guint64 now_ns = *at_ns;
  guint next = 0;

  for (guint i = 0; i < count; i++) {
    guint64 has_payload = joined->n_payloads[i], step = joined->step[i];

    if (G_UNLIKELY (step == LONG_STEP)) {
      if (planes->longs == ends->longs)
        return N_ ("a wrong number of long steps of time");
      step = bytes_get (planes->longs, 8);
      planes->longs += 8;
      if (now_ns > G_MAXINT64 || step > G_MAXINT64 - now_ns)
        return N_ ("a time that is too late");
    }
    now_ns += step;
    events[i].at_ns = (gint64)now_ns;
    events[i].a = joined->a[next] & -has_payload;
    events[i].b = joined->b[next] & -has_payload;
    put_fields (&events[i], joined->res_ver[i], joined->rest[i]);
    next += (guint)has_payload;
  }
  if (now_ns > G_MAXINT64)
    return N_ ("a time that is too late");
  *at_ns = now_ns;
  return NULL;
}

/* Adds to addresses and tophashes what their keys foretell. */
static void
give_slots (Joined           *joined,
            const TraceSlots *slots,
            guint             count) {
  guint8 places[GROUP], payloads[GROUP];
  guint64 factor = hash_good_factor (slots->seed), wanted = slots->id;
  guint n_here = 0, next = 0;

  for (guint i = 0; i < count; i++) {
    guint8 kind = joined->kind[i];

    places[n_here] = (guint8)i;
    payloads[n_here] = (guint8)next;
    n_here += ((kind == EVENT_SLOT_WRITTEN) | (kind == EVENT_SLOT_UPDATED))
              & ((joined->rest[i] >> 16 & 0xffff) == wanted)
              & joined->n_payloads[i];
    next += joined->n_payloads[i];
  }
  for (guint k = 0; k < n_here; k++) {
    guint i = places[k];
    guint64 hash = hash_good_by ((gint64)joined->a[payloads[k]], factor);
    guint64 res_ver = joined->res_ver[i];
    guint64 tophash = trace_slots_tophash (hash);

    joined->res_ver[i]
        = (res_ver & ~(guint64)G_MAXUINT32)
          | (guint32)(res_ver + trace_slots_address (slots, hash));
    joined->rest[i]
        += (joined->kind[i] == EVENT_SLOT_WRITTEN ? tophash : 0) << 40;
  }
}

/* Gathers and checks up to GROUP events from place @at on. *at_ns is the time of
 * the event before; planes->longs, a and b move on, up to their ends. */
static const char *
gather_group (TracePlanes       *planes,
              const PlaneEnds   *ends,
              const BlockLimits *limits,
              const TraceSlots  *slots,
              guint              at,
              guint              count,
              guint              n,
              guint64           *at_ns,
              Event             *events) {
  guint stride = ends->n_payloads, n_here = 0;
  Joined joined;

  if (!read_kinds (&joined, limits, planes->kind + at, count))
    return N_ ("an unknown kind of event");
  for (guint i = 0; i < count; i++)
    n_here += joined.n_payloads[i];
  if (n_here > (guint)(ends->a - planes->a))
    return N_ ("a wrong number of payloads");
  planes_join411 (planes->thread + at, n, joined.kind, planes->aux8 + at, count,
                  joined.rest);
  if (!check_threads (&joined, limits, count))
    return N_ ("an event of a thread that did not run");
  planes_join64 (planes->res + at, planes->ver + at, n, count, joined.res_ver);
  planes_join32 (planes->step + at, n, count, joined.step);
  planes_join64 (planes->a, planes->a + 4 * stride, stride, n_here, joined.a);
  planes_join64 (planes->b, planes->b + 4 * stride, stride, n_here, joined.b);
  joined.a[n_here] = joined.b[n_here] = 0;
  if (slots->is_there)
    give_slots (&joined, slots, count);
  planes->a += n_here;
  planes->b += n_here;
  return fill_events (&joined, planes, ends, count, at_ns, events + at);
}

/* The raw bytes to events. */
static const char *
gather (guint8            *raw,
        const PackedBlock *block,
        const BlockLimits *limits,
        const TraceSlots  *slots,
        Event             *events) {
  guint n = block->n_events;
  guint64 at_ns = bytes_get (raw, 8);
  guint n_payloads = (guint)bytes_get (raw + 8, 4);
  guint n_longs = (guint)bytes_get (raw + 12, 4);
  PlaneEnds ends;
  TracePlanes planes;

  if (n_payloads > n || n_longs > n
      || trace_planes_lay (&planes, raw, n, n_longs, n_payloads) != block->raw_size)
    return N_ ("a raw size that does not fit its counts");
  if (at_ns > G_MAXINT64)
    return N_ ("a time that is too late");
  ends = (PlaneEnds){ planes.a, planes.a + n_payloads, n_payloads };
  for (guint at = 0; at < n; at += GROUP) {
    const char *problem = gather_group (&planes, &ends, limits, slots, at,
                                        MIN (n - at, GROUP), n, &at_ns, events);

    if (problem != NULL)
      return problem;
  }
  if (planes.longs != ends.longs || planes.a != ends.a)
    return N_ ("more payloads or long steps than events that have them");
  if (events[0].at_ns != block->t0_ns || events[n - 1].at_ns != block->t1_ns)
    return N_ ("times that differ from those of its header");
  return NULL;
}

const char *
trace_block_unpack (const PackedBlock *block,
                    const BlockLimits *limits,
                    Event             *events) {
  g_autofree guint8 *raw = NULL;
  TraceSlots slots = { 0 };

  if (block->n_events < 1 || block->n_events > TRACE_BLOCK_EVENTS)
    return N_ ("a wrong number of events");
  if (block->raw_size < TRACE_RAW_HEAD + TRACE_RAW_EVENT * block->n_events
      || block->raw_size > TRACE_RAW_MAX (block->n_events))
    return N_ ("a raw size out of bounds");
  if (block->stored_size > block->raw_size)
    return N_ ("a stored size out of bounds");

  raw = g_malloc (block->raw_size + PLANES_SLACK);
  switch (block->codec) {
  case TRACE_CODEC_PLAIN:
    if (block->stored_size != block->raw_size)
      return N_ ("two sizes that differ without compression");
    memcpy (raw, block->data, block->raw_size);
    return gather (raw, block, limits, &slots, events);
  case TRACE_CODEC_LZ4:
    if (LZ4_decompress_safe ((const char *)block->data, (char *)raw,
                             (int)block->stored_size, (int)block->raw_size)
        != (int)block->raw_size)
      return N_ ("bytes that are no LZ4 of the declared size");
    return gather (raw, block, limits, &slots, events);
  case TRACE_CODEC_ZSTD:
    if (!trace_zstd_unpack (block->data, block->stored_size, raw,
                            block->raw_size))
      return N_ ("bytes that are no zstd of the declared size");
    return gather (raw, block, limits, &slots, events);
  case TRACE_CODEC_APART:
    if (!trace_apart_unpack (block, &slots, raw))
      return N_ ("planes that are not of the declared sizes");
    return gather (raw, block, limits, &slots, events);
  }
  return N_ ("been packed in an unknown way");
}
