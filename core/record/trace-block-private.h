/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-block-private.h — a block of events, packed
 *
 * For the log, the file and their tests. The packing is told in trace-block.c.
 */
#pragma once

#include "core/record/tracelog.h"

G_BEGIN_DECLS

typedef enum {
  TRACE_CODEC_PLAIN = 0, /* numbers of the file format */
  TRACE_CODEC_LZ4 = 1,
  TRACE_CODEC_ZSTD = 2,
  TRACE_CODEC_APART = 3,
} TraceCodec;

/* Bytes of a raw block: its head, and what each event, each long step of time
 * and each payload adds. */
#define TRACE_RAW_HEAD 16u
#define TRACE_RAW_EVENT 18u
#define TRACE_RAW_ESCAPE 8u
#define TRACE_RAW_PAYLOAD 16u
#define TRACE_RAW_MAX(n_events) \
  (TRACE_RAW_HEAD               \
   + (n_events) * (TRACE_RAW_EVENT + TRACE_RAW_ESCAPE + TRACE_RAW_PAYLOAD))

typedef struct {
  guint64    first;       /* index of the first event */
  gint64     t0_ns;       /* of the first event */
  gint64     t1_ns;       /* of the last one */
  guint32    n_events;    /* 1 to TRACE_BLOCK_EVENTS */
  guint32    raw_size;    /* bytes unpacked */
  guint32    stored_size; /* bytes of data */
  TraceCodec codec;
  guint8    *data;
} PackedBlock;

/* Kinds and threads that a block may contain. */
typedef struct {
  const guint8 *kinds; /* 128: a stored kind to ours, 0 = unknown; NULL = ours */
  guint         n_threads; /* 0 = any */
} BlockLimits;

/* Packs 1 to TRACE_BLOCK_EVENTS events in time order, at_ns >= 0. block->data
 * is newly allocated; g_free() it. */
void        trace_block_pack   (PackedBlock       *block,
                                guint64            first,
                                const Event       *events,
                                guint              n_events);
/* (transfer full, nullable): the raw bytes of a block that trace_block_pack() made;
 * NULL: it is of another codec, or not good. */
guint8     *trace_block_dup_raw (const PackedBlock *block);
/* Unpacks block->n_events events, checking every byte. NULL when all is well,
 * else a static phrase, to be translated, for what is wrong in it; @events then
 * holds nothing of use. */
const char *trace_block_unpack (const PackedBlock *block,
                                const BlockLimits *limits,
                                Event             *events);

G_END_DECLS
