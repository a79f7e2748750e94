/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dump.c — a map's memory as text, one format for engine and fold
 *
 * Format      One line for each call, in the caller's order:
 *
 *             map amended=0 misses=3
 *             dirty nil
 *             table read B=2 count=13 flags=0 noverflow=1 nevacuate=4 seed=123
 *             buckets 4
 *             bucket 3 #3 c458c80000000000      chain, index, tophash bytes
 *              slot 0 key=5 value=3
 *              slot 0 key=5 entry=7 V ver=2 value=3
 *              slot 1 key=6 entry=8 X ver=4
 *               version 3 at 12 value=5         chains of versions
 *               version 2 at 9 deleted
 *             oldbuckets nil
 *
 * Memory      The text doubles. When there is none left the sink is marked as
 *             failed and what follows is dropped, so that a comparison of two
 *             dumps looks at failed first.
 */
#include "core/probe/dump.h"

#include "core/probe/event.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4096
#define LINE_ROOM 256 /* no line below is longer; roles are short words */

void
dump_init (DumpSink *sink) {
  memset (sink, 0, sizeof *sink);
  sink->text = calloc (1, FIRST_ROOM);
  sink->room = FIRST_ROOM;
  sink->failed = sink->text == NULL;
}

void
dump_clear (DumpSink *sink) {
  free (sink->text);
  memset (sink, 0, sizeof *sink);
}

/* Makes room for one more line. */
static int
reserve_line (DumpSink *sink) {
  char *grown;

  if (sink->failed)
    return 0;
  if (sink->room - sink->length >= LINE_ROOM)
    return 1;
  grown = realloc (sink->text, sink->room * 2);
  if (grown == NULL) {
    sink->failed = 1;
    return 0;
  }
  sink->text = grown;
  sink->room *= 2;
  return 1;
}

static void add_line (DumpSink *sink, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

static void
add_line (DumpSink   *sink,
          const char *format,
          ...) {
  va_list arguments;
  int length;

  if (!reserve_line (sink))
    return;
  va_start (arguments, format);
  length = vsnprintf (sink->text + sink->length, LINE_ROOM, format, arguments);
  va_end (arguments);
  if (length < 0 || length >= LINE_ROOM) {
    sink->text[sink->length] = '\0';
    sink->failed = 1;
    return;
  }
  sink->length += (size_t)length;
}

void
dump_map (DumpSink *sink,
          unsigned  amended,
          uint64_t  misses) {
  add_line (sink, "map amended=%u misses=%" PRIu64 "\n", amended, misses);
}

void
dump_nil (DumpSink   *sink,
          const char *role) {
  add_line (sink, "%s nil\n", role);
}

void
dump_table (DumpSink   *sink,
            const char *role,
            unsigned    B,
            uint64_t    count,
            unsigned    flags,
            uint64_t    noverflow,
            uint64_t    nevacuate,
            uint64_t    seed) {
  add_line (sink,
            "table %s B=%u count=%" PRIu64 " flags=%u noverflow=%" PRIu64
            " nevacuate=%" PRIu64 " seed=%" PRIu64 "\n",
            role, B, count, flags & ~GOMAP_FLAG_HASH_WRITING, noverflow, nevacuate, seed);
}

void
dump_array (DumpSink   *sink,
            const char *name,
            uint64_t    n_main) {
  if (n_main == 0)
    dump_nil (sink, name);
  else
    add_line (sink, "%s %" PRIu64 "\n", name, n_main);
}

void
dump_bucket (DumpSink     *sink,
             uint64_t      chain,
             uint64_t      index,
             const uint8_t tophash[8]) {
  add_line (sink,
            "bucket %" PRIu64 " #%" PRIu64 " %02x%02x%02x%02x%02x%02x%02x%02x\n",
            chain, index, tophash[0], tophash[1], tophash[2], tophash[3],
            tophash[4], tophash[5], tophash[6], tophash[7]);
}

void
dump_value (DumpSink *sink,
            unsigned  slot,
            int64_t   key,
            int64_t   value) {
  add_line (sink, " slot %u key=%" PRId64 " value=%" PRId64 "\n", slot, key,
            value);
}

void
dump_entry (DumpSink *sink,
            unsigned  slot,
            int64_t   key,
            uint32_t  entry,
            char      state,
            uint32_t  version,
            int64_t   value) {
  if (state == 'V')
    add_line (sink,
              " slot %u key=%" PRId64 " entry=%" PRIu32 " V ver=%" PRIu32
              " value=%" PRId64 "\n",
              slot, key, entry, version, value);
  else
    add_line (sink, " slot %u key=%" PRId64 " entry=%" PRIu32 " %c ver=%" PRIu32 "\n",
              slot, key, entry, state, version);
}

void
dump_version (DumpSink *sink,
              uint32_t  version,
              uint64_t  stamp,
              int       is_deleted,
              int64_t   value) {
  if (is_deleted)
    add_line (sink, "  version %" PRIu32 " at %" PRIu64 " deleted\n", version,
              stamp);
  else
    add_line (sink, "  version %" PRIu32 " at %" PRIu64 " value=%" PRId64 "\n",
              version, stamp, value);
}
