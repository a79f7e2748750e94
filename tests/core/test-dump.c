/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-dump.c — the text in which engine and fold are compared */
#include "core/probe/dump.h"

#include <glib.h>
#include <string.h>

static void
test_lines_are_as_documented (void) {
  const uint8_t tophash[8] = { 0xc4, 0x58, 0xc8 };
  DumpSink sink;

  dump_init (&sink);
  dump_map (&sink, 0, 3);
  dump_nil (&sink, "dirty");
  /* 4 is hashWriting, which is never shown. */
  dump_table (&sink, "read", 2, 13, 4 | 1, 1, 4, 123);
  dump_array (&sink, "buckets", 4);
  dump_bucket (&sink, 1, 3, tophash);
  dump_value (&sink, 0, 5, -3);
  dump_entry (&sink, 0, 5, 7, 'V', 2, -3);
  dump_entry (&sink, 1, INT64_MIN, UINT32_MAX, 'X', 4, 99);
  dump_array (&sink, "oldbuckets", 0);
  g_assert_false (sink.failed);
  g_assert_cmpuint (sink.length, ==, strlen (sink.text));
  g_assert_cmpstr (sink.text, ==,
                   "map amended=0 misses=3\n"
                   "dirty nil\n"
                   "table read B=2 count=13 flags=1 noverflow=1 nevacuate=4 "
                   "seed=123\n"
                   "buckets 4\n"
                   "bucket 1 #3 c458c80000000000\n"
                   " slot 0 key=5 value=-3\n"
                   " slot 0 key=5 entry=7 V ver=2 value=-3\n"
                   " slot 1 key=-9223372036854775808 entry=4294967295 X ver=4\n"
                   "oldbuckets nil\n");
  dump_clear (&sink);
  g_assert_null (sink.text);
}

static void
test_grows (void) {
  DumpSink sink;
  size_t length;

  dump_init (&sink);
  dump_value (&sink, 0, 100000, 1);
  length = sink.length;
  for (int64_t key = 100001; key < 150000; key++)
    dump_value (&sink, 0, key, 1);
  g_assert_false (sink.failed);
  g_assert_cmpuint (sink.length, ==, 50000 * length);
  g_assert_cmpuint (strlen (sink.text), ==, sink.length);
  g_assert_true (g_str_has_suffix (sink.text, " slot 0 key=149999 value=1\n"));
  dump_clear (&sink);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/dump/lines-are-as-documented",
                   test_lines_are_as_documented);
  g_test_add_func ("/core/dump/grows", test_grows);
  return g_test_run ();
}
