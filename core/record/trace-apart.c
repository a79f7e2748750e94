/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-apart.c — codec 3: planes stored as suits each
 *
 * Idea        The planes of a block are not alike: the low bytes of a key are
 *             noise, the versions count, most high bytes are all 0. Packed as one
 *             heap, noise spoils the statistics of the rest, and unpacking works
 *             through it for nothing. So each plane is stored as suits it: not at
 *             all when its bytes are equal, as it is when it is noise, and only the
 *             others as one zstd frame. Before that, addresses lose what keys
 *             foretell (trace-slots.c).
 *
 * Format      bytes       what
 *             16          of the raw block: time, p, x
 *             8           the table whose slots are foretold: seed
 *             2           id
 *             1           B
 *             1           1 = there is such a table; 0: none, and all of it is 0
 *             4           0
 *             35          how each plane is stored, in the order of the raw block;
 *                         the long steps count as one plane of 8 x bytes. 0: all
 *                         bytes are 0; 1: all are one byte; 2: as it is; 3: packed
 *             …           the planes with 1 (one byte each) and 2
 *             …           one zstd frame of the planes with 3, one behind the
 *                         other; nothing if there are none
 *
 * Invariants  K5  what stands outside of the frame is bounded by the stored size
 *                 before a byte of it is read, the frame by the raw size
 *
 * Noise       Packing a plane tells whether it is noise, but how often each byte comes
 *             tells it sooner: what codes for single bytes would take is the most
 *             that zstd takes. Where they save enough the plane is packed with the
 *             others, where they save nothing to speak of it is tried whether repeats
 *             do (a counter's bytes are all as frequent), and only in between is it
 *             packed for a trial. Measured, saving 84 M events of a syncmap: 10.6 s
 *             of processor time where all planes were tried, 6.1 so.
 *
 * Departures  A frame for each plane is up to 10 % smaller and takes a sixth more
 *             time to unpack: measured, not worth it.
 */
#include "core/record/trace-apart-private.h"
#include "core/record/trace-zstd-private.h"
#include "core/record/tracelog-file-private.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#define SLOTS_SIZE 16u
#define N_PLANES 35u
#define HEAD (TRACE_RAW_HEAD + SLOTS_SIZE + N_PLANES)
/* As the planes stand in a raw block. */
#define LONGS_PLANE 18u
/* Free choice: a plane of which packing saves less is noise. */
#define LEAST_SAVED(size) ((size) / 32)

/* What zstd may add to a plane's codes: heads, and the table of the codes. */
#define CODE_BYTES 160u

/* Sizes of the planes by the counts in the raw block's head. */
typedef struct {
  guint n, n_longs, n_payloads;
} Counts;

static guint
plane_size (const Counts *counts,
            guint         plane) {
  if (plane < LONGS_PLANE)
    return counts->n;
  return plane == LONGS_PLANE ? 8 * counts->n_longs : counts->n_payloads;
}

/* How a plane is stored; numbers of the file format. */
typedef enum {
  WAY_ZERO,   /* not: all its bytes are 0 */
  WAY_SAME,   /* one byte: so are all */
  WAY_PLAIN,  /* as it is */
  WAY_PACKED, /* with the others in the frame */
} Way;

/* Bytes outside of the frame. */
static guint
way_size (Way   way,
          guint size) {
  switch (way) {
  case WAY_ZERO:
  case WAY_PACKED:
    return 0;
  case WAY_SAME:
    return 1;
  case WAY_PLAIN:
    return size;
  }
  return 0;
}

static Counts
read_counts (const guint8 *raw,
             guint         n) {
  return (Counts){ n, (guint)bytes_get (raw + 12, 4),
                   (guint)bytes_get (raw + 8, 4) };
}

/* Packing ------------------------------------------------------------------ */

static gboolean
is_constant (const guint8 *bytes,
             guint         size) {
  return memcmp (bytes, bytes + 1, size - 1) == 0;
}

/* Of each number up to a plane's size: times its logarithm. */
static float times_log[TRACE_BLOCK_EVENTS + 1];

static void
fill_times_log (void) {
  for (guint i = 1; i < G_N_ELEMENTS (times_log); i++)
    times_log[i] = (float)i * log2f ((float)i);
}

/* How many bytes codes for single bytes would take, each as long as its byte is
 * rare. Counted in turns, so that equal neighbours do not wait for each other. */
static double
coded_size (const guint8 *bytes,
            guint         size) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  guint16 counts[4][256] = { { 0 } };
  float sum = 0;
  guint i = 0;

  pthread_once (&once, fill_times_log);
  for (; i + 4 <= size; i += 4)
    for (guint k = 0; k < 4; k++)
      counts[k][bytes[i + k]]++;
  for (; i < size; i++)
    counts[0][bytes[i]]++;
  for (guint k = 0; k < 256; k++)
    sum += times_log[counts[0][k] + counts[1][k] + counts[2][k] + counts[3][k]];
  return (double)(times_log[size] - sum) / 8;
}

/* Whether packing saves enough. @trial: room for as many bytes as there are. */
static gboolean
is_worth_packing (const guint8 *bytes,
                  guint         size,
                  guint8       *trial) {
  guint most = size - LEAST_SAVED (size);
  double coded = size <= TRACE_BLOCK_EVENTS ? coded_size (bytes, size) : most;

  if (coded + CODE_BYTES < most)
    return TRUE;
  return coded < most
             ? trace_zstd_pack (trial, most, bytes, size) > 0
             : trace_zstd_pack_repeats (trial, most, bytes, size) > 0;
}

static Way
choose_way (const guint8 *plane,
            guint         size,
            guint8       *trial) {
  if (size == 0 || is_constant (plane, size))
    return size == 0 || plane[0] == 0 ? WAY_ZERO : WAY_SAME;
  return is_worth_packing (plane, size, trial) ? WAY_PACKED : WAY_PLAIN;
}

static void
put_slots (guint8           *stored,
           const TraceSlots *slots) {
  memset (stored, 0, SLOTS_SIZE);
  bytes_put (stored, 8, slots->seed);
  bytes_put (stored + 8, 2, slots->id);
  stored[10] = slots->B;
  stored[11] = slots->is_there;
}

/* FALSE: a table too large, or what no reader knows. */
static gboolean
get_slots (const guint8 *stored,
           TraceSlots   *slots) {
  *slots = (TraceSlots){ .is_there = stored[11],
                         .id = (guint16)bytes_get (stored + 8, 2),
                         .B = stored[10],
                         .seed = bytes_get (stored, 8) };
  return stored[10] <= TRACE_MAX_B && stored[11] <= 1;
}

/* Puts what stands outside of the frame, in @room bytes, and gathers in @heap what
 * goes into it: *n_heap bytes. Returns the size; 0: it does not fit. */
static guint
put_planes (guint8       *stored,
            guint         room,
            const guint8 *raw,
            guint         n,
            guint8       *heap,
            guint        *n_heap) {
  Counts counts = read_counts (raw, n);
  guint8 *ways = stored + HEAD - N_PLANES;
  guint at = HEAD;

  raw += TRACE_RAW_HEAD;
  for (guint i = 0; i < N_PLANES; i++) {
    guint size = plane_size (&counts, i);
    Way way = choose_way (raw, size, heap + *n_heap);
    guint stored_size = way_size (way, size);

    if (stored_size > room - at)
      return 0;
    ways[i] = (guint8)way;
    memcpy (stored + at, raw, stored_size);
    at += stored_size;
    if (way == WAY_PACKED) {
      memcpy (heap + *n_heap, raw, size);
      *n_heap += size;
    }
    raw += size;
  }
  return at;
}

/* The block in @room bytes; 0: it does not fit. */
static guint
put_block (guint8            *stored,
           guint              room,
           const TraceSlots  *slots,
           const guint8      *raw,
           const PackedBlock *block) {
  g_autofree guint8 *heap = g_malloc (block->raw_size);
  guint at, n_heap = 0, packed_size;

  if (room < HEAD)
    return 0;
  memcpy (stored, raw, TRACE_RAW_HEAD);
  put_slots (stored + TRACE_RAW_HEAD, slots);
  at = put_planes (stored, room, raw, block->n_events, heap, &n_heap);
  if (at == 0 || n_heap == 0)
    return at;
  packed_size = trace_zstd_pack (stored + at, room - at, heap, n_heap);
  return packed_size > 0 ? at + packed_size : 0;
}

void
trace_apart_repack (PackedBlock      *block,
                    const TraceSlots *slots,
                    guint8           *raw) {
  g_autofree guint8 *stored = g_malloc (block->stored_size);
  guint size;

  trace_slots_take (slots, raw, block->n_events);
  size = put_block (stored, block->stored_size - 1, slots, raw, block);
  if (size == 0)
    return;
  g_free (block->data);
  block->data = g_memdup2 (stored, size);
  block->stored_size = size;
  block->codec = TRACE_CODEC_APART;
}

/* Unpacking ---------------------------------------------------------------- */

/* Whether the counts are such of the block. */
static gboolean
check_counts (const Counts      *counts,
              const PackedBlock *block) {
  return counts->n_payloads <= counts->n && counts->n_longs <= counts->n
         && TRACE_RAW_HEAD + TRACE_RAW_EVENT * counts->n
                    + TRACE_RAW_ESCAPE * counts->n_longs
                    + TRACE_RAW_PAYLOAD * counts->n_payloads
                == block->raw_size;
}

/* Bytes of the planes inside and outside of the frame; FALSE: a way that is none. */
static gboolean
add_sizes (const guint8 *ways,
           const Counts *counts,
           guint        *inside,
           guint        *outside) {
  *inside = *outside = 0;
  for (guint i = 0; i < N_PLANES; i++) {
    guint size = plane_size (counts, i);

    if (ways[i] > WAY_PACKED)
      return FALSE;
    *inside += ways[i] == WAY_PACKED ? size : 0;
    *outside += way_size ((Way)ways[i], size);
  }
  return TRUE;
}

/* Puts the planes in their places. */
static void
lay_out (const guint8 *ways,
         const Counts *counts,
         const guint8 *stored,
         const guint8 *heap,
         guint8       *raw) {
  for (guint i = 0; i < N_PLANES; i++) {
    guint size = plane_size (counts, i);

    switch ((Way)ways[i]) {
    case WAY_ZERO:
      memset (raw, 0, size);
      break;
    case WAY_SAME:
      memset (raw, *stored, size);
      break;
    case WAY_PLAIN:
      memcpy (raw, stored, size);
      break;
    case WAY_PACKED:
      memcpy (raw, heap, size);
      heap += size;
      break;
    }
    stored += way_size ((Way)ways[i], size);
    raw += size;
  }
}

gboolean
trace_apart_unpack (const PackedBlock *block,
                    TraceSlots        *slots,
                    guint8            *raw) {
  const guint8 *stored = block->data, *ways = stored + HEAD - N_PLANES;
  g_autofree guint8 *heap = NULL;
  guint inside, outside, left;
  Counts counts;

  if (block->stored_size < HEAD || !get_slots (stored + TRACE_RAW_HEAD, slots))
    return FALSE;
  counts = read_counts (stored, block->n_events);
  left = block->stored_size - HEAD;
  if (!check_counts (&counts, block)
      || !add_sizes (ways, &counts, &inside, &outside) || outside > left)
    return FALSE;
  left -= outside;
  heap = g_malloc (inside);
  if (inside > 0 ? !trace_zstd_unpack (stored + HEAD + outside, left, heap, inside)
                 : left > 0)
    return FALSE;
  memcpy (raw, stored, TRACE_RAW_HEAD);
  lay_out (ways, &counts, stored + HEAD, heap, raw + TRACE_RAW_HEAD);
  return TRUE;
}
