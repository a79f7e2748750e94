/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-hostile-memory.c — what a file claims takes no memory before it is true
 *
 * Each file of the fuzzing corpus, and many variants with a few bytes changed and
 * all checksums right again, is opened, read to its end and folded by a child whose
 * address space may grow by a small multiple of the file beside a fixed floor. A
 * child that wants more is ended by the allocation that fails, and so fails. Then
 * logs of events that name the largest tables, entries, threads and locks there
 * are, as no change of a few bytes is likely to.
 */
#include "core/base/prng.h"
#include "core/record/trace-keyframe.h"
#include "core/record/trace-notes.h"
#include "core/state/state-frames.h"
#include "core/state/timeline.h"
#include "tests/fuzz/cut-frames.h"
#include "tests/fuzz/repair.h"

#include <glib.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sanitizers reserve address space without end. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CAN_LIMIT 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CAN_LIMIT 0
#endif
#endif
#ifndef CAN_LIMIT
#define CAN_LIMIT 1
#endif

#define N_VARIANTS 150
/* The multiple: a block of a few bytes unpacks to 4096 events of 40 bytes, one at a
 * time, so it is of what the file has beside blocks. */
#define TIMES 16
#define FOLD_FLOOR (64u << 20)
#define N_LOGS 60
#define LOG_EVENTS 4096u

/* Counts that stand in 4 or 8 bytes, at their largest, or nearly. */
static void
change (guint8 *data,
        gsize   size,
        Prng   *prng) {
  guint wide = prng_below (prng, 2) == 0 ? 4 : 8;

  if (prng_below (prng, 2) == 0 || size < 8) {
    data[prng_below (prng, size)] = (guint8)prng_next (prng);
    return;
  }
  memset (data + prng_below (prng, (size - 8) / 4 + 1) * 4,
          prng_below (prng, 2) == 0 ? 0xff : 0x7f, wide - prng_below (prng, 3));
}

static guint64
address_space (void) {
  unsigned long pages = 0;
  FILE *file = fopen ("/proc/self/statm", "r");

  if (file != NULL) {
    if (fscanf (file, "%lu", &pages) != 1)
      pages = 0;
    fclose (file);
  }
  return (guint64)pages * (guint64)sysconf (_SC_PAGESIZE);
}

static void
read_log (TraceLog *log) {
  TraceNotes *notes = tracelog_dup_notes (log);
  guint64 position = tracelog_get_length (log);
  TraceKeyframe keyframe;

  for (guint64 i = 0; i < tracelog_get_length (log);) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, i);

    if (block == NULL)
      break;
    i = block->first + block->n_events;
  }
  while (tracelog_find_keyframe (log, position, &keyframe)) {
    for (guint i = 0; i < keyframe.n_frames; i++)
      g_bytes_unref (tracelog_read_frame (log, keyframe.position, i));
    if (keyframe.position == 0)
      break;
    position = keyframe.position - 1;
  }
  g_clear_pointer (&notes, trace_notes_free);
}

static void
fold_log (TraceLog *log) {
  g_autoptr (Timeline) timeline = timeline_new (log);
  MapState *state = timeline_seek (timeline, tracelog_get_length (log), NULL);

  timeline_wait_settled (timeline);
  g_clear_pointer (&state, map_state_unref);
}

/* Whether a child that does @work takes no more than @bytes. */
static gboolean
runs_within (guint64  bytes,
             void   (*work) (gpointer data),
             gpointer data) {
  int status;
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0) {
    guint64 most = address_space () + bytes;
    struct rlimit limit = { most, most }, no_core = { 0, 0 };

    setrlimit (RLIMIT_CORE, &no_core);
    setrlimit (RLIMIT_AS, &limit);
    work (data);
    _exit (0);
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  return status == 0;
}

static void
read_cb (gpointer data) {
  g_autoptr (TraceLog) log
      = tracelog_open_bytes (data, "hostile.tophash", NULL, NULL);

  if (log != NULL)
    read_log (log);
}

static void
fold_cb (gpointer data) {
  fold_log (data);
}

static void
open_and_fold_cb (gpointer data) {
  g_autoptr (TraceLog) log
      = tracelog_open_bytes (data, "hostile.tophash", NULL, NULL);

  if (log != NULL)
    fold_log (log);
}

static void
restore_cb (gpointer data) {
  gsize size;
  const guint8 *bytes = g_bytes_get_data (data, &size);
  g_autoptr (GPtrArray) frames = cut_frames (bytes, size);
  MapState *state = map_state_deserialise (frames, NULL);

  g_clear_pointer (&state, map_state_unref);
}

typedef struct {
  const char *name;
  const char *corpus;
  void      (*work) (gpointer data); /* of GBytes */
  guint64     floor_bytes;
} Way;

/* A log, a timeline over it, with its threads' stacks of 8 MiB each, and a state
 * with the first chunks of its pool. Measured: 1, 40 and 2 MiB are enough. */
static const Way ways[] = {
  { "read", "tracelog", read_cb, 4 << 20 },
  { "fold", "tracelog", open_and_fold_cb, FOLD_FLOOR },
  { "restore", "state-frames", restore_cb, 8 << 20 },
};

static gboolean
fits (const Way    *way,
      const guint8 *data,
      gsize         size) {
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);

  return runs_within (way->floor_bytes + TIMES * size, way->work, bytes);
}

typedef struct {
  const Way *way;
  char      *path;
} Case;

static void
check_file (gconstpointer data) {
  const Case *asked = data;
  g_autofree char *bytes = NULL;
  gsize length;
  Prng prng = { 1 };

  g_assert_true (g_file_get_contents (asked->path, &bytes, &length, NULL));
  g_assert_true (fits (asked->way, (const guint8 *)bytes, length));
  for (guint variant = 0; length > 0 && variant < N_VARIANTS; variant++) {
    g_autofree guint8 *copy = g_memdup2 (bytes, length);

    for (guint64 n = 1 + prng_below (&prng, 4); n > 0; n--)
      change (copy, length, &prng);
    if (asked->way->work != restore_cb)
      repair_checksums (copy, length);
    if (!fits (asked->way, copy, length))
      g_error ("variant %u of %s wants more than %d times its %zu bytes and %u MiB",
               variant, asked->path, TIMES, length,
               (guint)(asked->way->floor_bytes >> 20));
  }
}

static void
case_free (gpointer data) {
  g_free (((Case *)data)->path);
  g_free (data);
}

static void
add_files (const Way *way) {
  g_autofree char *path
      = g_test_build_filename (G_TEST_DIST, "fuzz", "corpus", way->corpus, NULL);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  g_assert_nonnull (folder);
  while ((name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *test
        = g_strdup_printf ("/core/hostile-memory/%s/%s", way->name, name);
    Case *asked = g_new (Case, 1);

    *asked = (Case){ way, g_build_filename (path, name, NULL) };
    g_test_add_data_func_full (test, asked, check_file, case_free);
  }
}

/* One of the numbers that are dear to whoever believes them. */
static guint64
large_number (Prng *prng) {
  static const guint64 numbers[] = { 0, 1, 7, 31, 63, 255, 4095, 65535, 1u << 20,
                                     1u << 24, G_MAXINT32, G_MAXUINT32,
                                     G_MAXINT64, G_MAXUINT64 };

  return numbers[prng_below (prng, G_N_ELEMENTS (numbers))];
}

static TraceLog *
make_log (guint64 seed) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log = tracelog_new (info, 0);
  Prng prng = { seed };

  for (guint i = 0; i < LOG_EVENTS; i++) {
    Event event = { .at_ns = i,
                    .a = large_number (&prng),
                    .b = large_number (&prng),
                    .res = (guint32)large_number (&prng),
                    .ver = (guint32)large_number (&prng),
                    .thread = (guint16)large_number (&prng),
                    .aux16 = (guint16)large_number (&prng),
                    .aux8 = (guint8)large_number (&prng),
                    .kind = (guint8)(1 + prng_below (&prng, EVENT_TIME - 1)) };

    if (i % 8 == 0)
      event.kind = i % 16 == 0 ? EVENT_TABLE_CREATED : EVENT_TABLE_ALLOCATED;
    tracelog_append (log, &event);
  }
  tracelog_finish (log, FALSE);
  return log;
}

static void
test_large_numbers (void) {
  for (guint64 seed = 1; seed <= N_LOGS; seed++) {
    g_autoptr (TraceLog) log = make_log (seed);

    if (!runs_within (FOLD_FLOOR + TIMES * LOG_EVENTS * sizeof (Event),
                      fold_cb, log))
      g_error ("the events of seed %u want more than they may", (guint)seed);
  }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
#ifdef __GLIBC__
  /* Each thread's own would reserve 64 MiB. */
  mallopt (M_ARENA_MAX, 1);
#endif
  for (guint i = 0; CAN_LIMIT && i < G_N_ELEMENTS (ways); i++)
    add_files (&ways[i]);
  if (CAN_LIMIT)
    g_test_add_func ("/core/hostile-memory/large-numbers", test_large_numbers);
  return g_test_run ();
}
