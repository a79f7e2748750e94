/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dump.h — a map's memory as text, one format for engine and fold
 *
 * The engine writes its memory through these functions, the fold writes the
 * state it rebuilt from events through the same ones; a test compares the two
 * texts byte by byte. Tables are written under a role ("read", "dirty",
 * "table"), never under an address or an id.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct _DumpSink DumpSink;

struct _DumpSink {
  char  *text;  /* NUL-terminated, malloc'ed */
  size_t length;
  size_t room;
  int    failed; /* ran out of memory: text is cut */
  const void *context; /* of whoever writes, for its callbacks */
};

void dump_init  (DumpSink *sink);
void dump_clear (DumpSink *sink);

/* map amended=%u misses=%llu */
void dump_map     (DumpSink *sink, unsigned amended, uint64_t misses);
/* A role that points to nothing: "dirty nil". */
void dump_nil     (DumpSink *sink, const char *role);
/* Header. @flags without hashWriting. */
void dump_table   (DumpSink *sink, const char *role, unsigned B, uint64_t count,
                   unsigned flags, uint64_t noverflow, uint64_t nevacuate,
                   uint64_t seed);
/* "buckets 8" or "oldbuckets 4"; 0 = nil. */
void dump_array   (DumpSink *sink, const char *name, uint64_t n_main);
/* One bucket of a chain, main bucket first; buckets with eight zero tophash
 * bytes and no overflow are left out by the caller. @index: bucket index. */
void dump_bucket  (DumpSink *sink, uint64_t chain, uint64_t index,
                   const uint8_t tophash[8]);
/* A live slot of the bucket just written; value form, or entry form. */
void dump_value   (DumpSink *sink, unsigned slot, int64_t key, int64_t value);
/* A version of the entry just written; @stamp: 0 = none yet. */
void dump_version  (DumpSink *sink, uint32_t version, uint64_t stamp,
                    int is_deleted, int64_t value);
/* @state: 'V', 'N' or 'X'; @value only for 'V'. */
void dump_entry   (DumpSink *sink, unsigned slot, int64_t key, uint32_t entry,
                   char state, uint32_t version, int64_t value);
