/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-trace-apart.c — blocks packed anew come back to the bit */
#include "damaged-blocks.h"

#include "core/base/prng.h"
#include "core/record/trace-apart-private.h"
#include "core/record/trace-zstd-private.h"

#include <string.h>

#define TABLE 300
#define SEED 0x5eed5eed5eedu

/* Packs as saving does; the caller frees the data. */
static PackedBlock
pack_apart (TraceTables *tables,
            const Event *events,
            guint        n) {
  g_autofree guint8 *raw = NULL;
  PackedBlock block;
  TraceSlots slots;

  trace_block_pack (&block, 0, events, n);
  raw = trace_block_dup_raw (&block);
  trace_tables_see (tables, raw, n, &slots);
  trace_apart_repack (&block, &slots, raw);
  return block;
}

static void
assert_comes_back (const PackedBlock *block,
                   const Event       *events) {
  g_autofree Event *back = g_new0 (Event, block->n_events);
  BlockLimits limits = { NULL, 0 };

  g_assert_cmpstr (trace_block_unpack (block, &limits, back), ==, NULL);
  for (guint i = 0; i < block->n_events; i++) {
    g_assert_cmpint (back[i].at_ns, ==, events[i].at_ns);
    g_assert_cmpuint (back[i].a, ==, events[i].a);
    g_assert_cmpuint (back[i].b, ==, events[i].b);
    g_assert_cmpuint (back[i].res, ==, events[i].res);
    g_assert_cmpuint (back[i].ver, ==, events[i].ver);
    g_assert_cmpuint (back[i].thread, ==, events[i].thread);
    g_assert_cmpuint (back[i].aux16, ==, events[i].aux16);
    g_assert_cmpuint (back[i].kind, ==, events[i].kind);
    g_assert_cmpuint (back[i].aux8, ==, events[i].aux8);
  }
}

/* Where a key is by its hash, as an engine has it. */
static void
put_at_slot (Event   *event,
             guint64  key,
             guint    B) {
  guint64 hash = hash_good ((gint64)key, SEED);
  guint8 top = (guint8)(hash >> 56);

  event->a = key;
  event->res = (guint32)(hash & ((1u << B) - 1)) * 8 + (guint32)(key % 8);
  if (event->kind == EVENT_SLOT_WRITTEN)
    event->aux8 = (guint8)(top < 5 ? top + 5 : top);
}

/* Stores of uniform keys to a table of @B that is made first and, once, grows. */
static void
make_stores (Event *events,
             guint  n,
             guint  B,
             guint  grows_at,
             Prng  *prng) {
  for (guint i = 0; i < n; i++) {
    gboolean is_new = prng_below (prng, 10) == 0;

    events[i] = (Event){ .at_ns = 1000 + (gint64)i / 16 * 300,
                         .b = 7 * i,
                         .ver = i + 1,
                         .aux16 = TABLE,
                         .kind = is_new ? EVENT_SLOT_WRITTEN
                                        : EVENT_SLOT_UPDATED };
    put_at_slot (&events[i], prng_below (prng, 1u << 20), B);
    if (i != 0 && i != grows_at)
      continue;
    events[i].kind = i == 0 ? EVENT_TABLE_CREATED : EVENT_GROWTH_STARTED;
    B += i == grows_at;
    events[i].aux8 = (guint8)B;
    events[i].a = i == 0 ? SEED : 0;
    events[i].b = 0;
    events[i].res = 0;
  }
}

/* Of any length and contents: noise, lessons, long steps. */
static void
test_random_blocks (void) {
  g_autofree Event *events = g_new0 (Event, TRACE_BLOCK_EVENTS);
  g_autoptr (TraceTables) tables = trace_tables_new ();
  Prng prng = { 42 };

  for (guint round = 0; round < 200; round++) {
    guint n = 1 + (guint)prng_below (&prng, round % 8 < 4 ? 70 : TRACE_BLOCK_EVENTS);
    guint shift = round % 64;
    gint64 at_ns = 0;
    PackedBlock block;

    for (guint i = 0; i < n; i++) {
      guint64 random = prng_next (&prng) >> shift;

      at_ns += (gint64)(prng_next (&prng) >> (24 + prng_below (&prng, 40)));
      events[i] = (Event){ .at_ns = at_ns,
                           .a = random % 3 ? random * 5 : 0,
                           .b = random % 5 ? random * 3 : 0,
                           .res = (guint32)random,
                           .ver = (guint32)(random >> 8),
                           .thread = (guint16)(random >> 16),
                           .aux16 = (guint16)(random % 4),
                           .kind = (guint8)(1 + random % (EVENT_TIME - 1)),
                           .aux8 = (guint8)(random >> 5) };
    }
    block = pack_apart (tables, events, n);
    assert_comes_back (&block, events);
    g_free (block.data);
  }
}

/* What keys foretell is not stored, and comes back; what they foretell wrongly, too:
 * before a growth, in overflow buckets, in another table. */
static void
test_foretold_slots (void) {
  g_autofree Event *events = g_new0 (Event, TRACE_BLOCK_EVENTS);
  guint n = TRACE_BLOCK_EVENTS;
  Prng prng = { 43 };

  for (guint round = 0; round < 20; round++) {
    g_autoptr (TraceTables) tables = trace_tables_new ();
    guint grows_at = round % 2 == 0 ? n : (guint)prng_below (&prng, n);
    PackedBlock block, plain;

    make_stores (events, n, 17, grows_at, &prng);
    for (guint i = 1; i < n && round % 4 > 1; i += 9) {
      events[i].res ^= 0x80000123u;
      events[i + 1 < n ? i + 1 : i].aux16 = TABLE + 256;
    }
    trace_block_pack (&plain, 0, events, n);
    block = pack_apart (tables, events, n);
    g_assert_cmpuint (block.codec, ==, TRACE_CODEC_APART);
    assert_comes_back (&block, events);
    if (round % 4 == 0)
      g_assert_cmpuint (block.stored_size + 2 * n, <, plain.stored_size);
    g_free (block.data);
    g_free (plain.data);
  }
}

/* Refused or read as something valid, within bounds. */
static void
test_damaged_blocks (void) {
  g_autofree Event *events = g_new0 (Event, TRACE_BLOCK_EVENTS);
  g_autoptr (TraceTables) tables = trace_tables_new ();
  PackedBlock block;
  Prng prng = { 44 };

  make_stores (events, 500, 12, 500, &prng);
  block = pack_apart (tables, events, 500);
  g_assert_cmpuint (block.codec, ==, TRACE_CODEC_APART);
  assert_damage_is_found (&block, 67, &prng);
  g_free (block.data);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/trace-apart/random-blocks", test_random_blocks);
  g_test_add_func ("/core/trace-apart/foretold-slots", test_foretold_slots);
  g_test_add_func ("/core/trace-apart/damaged-blocks", test_damaged_blocks);
  return g_test_run ();
}
