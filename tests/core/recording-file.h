/* SPDX-License-Identifier: GPL-3.0-or-later */

/* recording-file.h — a folder for one recording, and logs to put there
 *
 * For the tests of files: g_test_add() with Fixture, set_up() and tear_down().
 */
#pragma once

#include "core/base/prng.h"
#include "core/record/crc32c.h"
#include "core/record/tracelog-file-private.h"

#include <glib/gstdio.h>

typedef struct {
  char  *folder;
  GFile *file;
} Fixture;

static inline void
set_up (Fixture      *fixture,
        gconstpointer unused) {
  g_autofree char *path = NULL;

  fixture->folder = g_dir_make_tmp ("tophash-XXXXXX", NULL);
  g_assert_nonnull (fixture->folder);
  path = g_build_filename (fixture->folder, "run.tophash", NULL);
  fixture->file = g_file_new_for_path (path);
}

static inline guint
count_files (const char *folder) {
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static inline void
tear_down (Fixture      *fixture,
           gconstpointer unused) {
  g_file_delete (fixture->file, NULL, NULL);
  g_assert_cmpuint (count_files (fixture->folder), ==, 0);
  g_rmdir (fixture->folder);
  g_object_unref (fixture->file);
  g_free (fixture->folder);
}

static inline TraceInfo *
make_info (void) {
  TraceInfo *info = trace_info_new ();

  info->engine = g_strdup ("syncmap");
  info->engine_title = g_strdup ("sync.Map ≤ Go 1.23");
  info->scenario_name = g_strdup ("first-promotion");
  info->scenario_title = g_strdup ("First “promotion”\n");
  info->scenario_json = g_strdup ("{\"name\": [[[[[[[[[[1]]]]]]]]]]}");
  info->seed = 0xfedcba9876543210u;
  info->started_at_us = 1700000000123456;
  info->n_threads = 2;
  g_strfreev (info->thread_roles);
  info->thread_roles = g_strsplit ("reader,writer", ",", -1);
  g_strfreev (info->phase_names);
  info->phase_names = g_strsplit ("load,run,rest", ",", -1);
  info->version = g_strdup ("0.1.0");
  return info;
}

static inline TraceLog *
make_log (guint64 n_events) {
  g_autoptr (TraceInfo) info = make_info ();
  TraceLog *log = tracelog_new (info, 0);
  Prng prng = { 7 };

  for (guint64 i = 0; i < n_events; i++) {
    Event event = {
      .at_ns = (gint64)(i * 100 + prng_below (&prng, 50)),
      .a = i % 4 == 0 ? prng_next (&prng) : 0,
      .res = (guint32)prng_below (&prng, 64),
      .ver = (guint32)i,
      .thread = i % 7 == 0 ? EVENT_THREAD_MAIN : (guint16)(i % 2),
      .kind = (guint8)(1 + prng_below (&prng, EVENT_TIME - 1)),
    };

    tracelog_append (log, &event);
  }
  tracelog_add_waits (log, 1, 11, 3000);
  tracelog_add_waits (log, 0, 1, 456);
  tracelog_finish (log, TRUE);
  return log;
}

/* The first @n events are the same. */
static inline void
assert_same_events (TraceLog *a,
                    TraceLog *b,
                    guint64   n) {
  for (guint64 i = 0; i < n; i++) {
    Event x, y;

    g_assert_true (tracelog_get_event (a, i, &x));
    g_assert_true (tracelog_get_event (b, i, &y));
    g_assert_true (x.at_ns == y.at_ns && x.a == y.a && x.b == y.b
                   && x.res == y.res && x.ver == y.ver && x.thread == y.thread
                   && x.aux16 == y.aux16 && x.kind == y.kind
                   && x.aux8 == y.aux8);
  }
}

static inline GBytes *
log_to_bytes (TraceLog *log,
              GFile    *file) {
  g_autoptr (GError) error = NULL;
  GBytes *bytes;

  g_assert_true (tracelog_save (log, file, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  bytes = g_file_load_bytes (file, NULL, NULL, &error);
  g_assert_no_error (error);
  return bytes;
}

/* With what a killed run left beside its file. */
static inline void
tear_down_parts (Fixture      *fixture,
                 gconstpointer unused) {
  g_autoptr (GDir) dir = g_dir_open (fixture->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

    if (g_str_has_suffix (name, ".part"))
      g_unlink (path);
  }
  tear_down (fixture, unused);
}

/* The bytes of a file with @chunk and its payload before the chunk at @at. */
static inline GBytes *
with_chunk (GBytes     *bytes,
            gsize       at,
            Chunk      *chunk,
            const char *payload) {
  g_autoptr (GByteArray) array = g_byte_array_new ();
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  guint8 header[CHUNK_HEADER_SIZE];

  chunk->stored_size = chunk->raw_size = (guint32)strlen (payload);
  g_assert_cmpuint (chunk->stored_size % CHUNK_ALIGN, ==, 0);
  chunk->payload_crc = crc32c (0, payload, chunk->stored_size);
  chunk_write (header, chunk);
  g_byte_array_append (array, data, (guint)at);
  g_byte_array_append (array, header, sizeof header);
  g_byte_array_append (array, (const guint8 *)payload, chunk->stored_size);
  g_byte_array_append (array, data + at,
                       (guint)(g_bytes_get_size (bytes) - at));
  return g_byte_array_free_to_bytes (g_steal_pointer (&array));
}

/* Where the second chunk begins. */
static inline gsize
second_chunk (GBytes *bytes) {
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  Chunk info;

  g_assert_true (chunk_read (&info, data + FILE_HEADER_SIZE));
  g_assert_cmpuint (info.type, ==, CHUNK_INFO);
  return FILE_HEADER_SIZE + CHUNK_HEADER_SIZE
         + ((info.stored_size + CHUNK_ALIGN - 1) & ~(CHUNK_ALIGN - 1));
}
