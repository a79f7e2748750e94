/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-file.c — what a recording of a hundred million events costs as a file
 *
 * Prints one JSON object: bytes an event while recording and saved, MB/s of
 * saving, ms from opening to the first block, a block in the middle, and the
 * memory that the open log takes; then ms from opening to the picture of the
 * middle, with the states that came in the file and nothing else, until all is
 * folded, and the memory then. Makes its recording in $TMPDIR, some GB with the
 * temporary file of the log. The first argument: millions of events.
 *
 * With the name of a recording instead: how long saving its events takes, which are
 * packed before as a run leaves them; s, processor seconds of all threads, MB/s of
 * raw bytes, and bytes an event that were saved.
 */
#include "core/base/prng.h"
#include "core/record/trace-keyframe.h"
#include "core/record/tracelog-file.h"
#include "core/record/tracelog-private.h"
#include "core/state/chunk-pool.h"
#include "core/state/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define N_ENTRIES 65536u

static double
resident_mb (void) {
  unsigned long pages = 0;
  FILE *file = fopen ("/proc/self/statm", "r");

  if (file != NULL) {
    if (fscanf (file, "%*u %lu", &pages) != 1)
      pages = 0;
    fclose (file);
  }
  return (double)pages * (double)sysconf (_SC_PAGESIZE) / 1e6;
}

/* Stores on entries, a few slots and walks: what a busy sync.Map tells. */
static TraceLog *
record (guint64 n) {
  g_autofree guint32 *versions = g_new0 (guint32, N_ENTRIES);
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log;
  Prng prng = { 1 };
  gint64 at_ns = 0;

  info->n_threads = 4;
  log = tracelog_new (info, 0);
  for (guint64 i = 0; i < n; i++) {
    guint64 random = prng_next (&prng);
    guint32 entry = (guint32)(random % N_ENTRIES) >> (random >> 60);
    Event event = {
      .at_ns = at_ns += 20 + (gint64)(random >> 32 & 63),
      .a = random % 8 < 5 ? random >> 44 : 0,
      .res = entry,
      .ver = ++versions[entry],
      .thread = (guint16)(i / 16 % 4),
      .kind = random % 8 < 5 ? EVENT_ENTRY_STORED : EVENT_ENTRY_DELETED,
    };

    tracelog_append (log, &event);
  }
  tracelog_finish (log, FALSE);
  return log;
}

static double
since_ms (gint64 from_us) {
  return (double)(g_get_monotonic_time () - from_us) / 1e3;
}

/* Puts states beside the events, as the window does before it saves. */
static void
put_states (TraceLog *log) {
  g_autoptr (Timeline) timeline = timeline_new (log);

  timeline_wait (timeline);
  timeline_put_keyframes (timeline, TRACE_KEYFRAME_EVENTS, NULL);
}

static void
bench_picture (GFile  *file,
               double  before_mb) {
  gint64 from_us = g_get_monotonic_time ();
  TraceLog *log = tracelog_open (file, NULL, NULL, NULL, NULL, NULL);
  Timeline *timeline = timeline_new (log);
  MapState *state
      = timeline_seek (timeline, tracelog_get_length (log) / 2, NULL);
  double picture_ms = since_ms (from_us), folded_ms;

  g_assert_cmpuint (map_state_n_events (state), ==,
                    tracelog_get_length (log) / 2);
  timeline_wait (timeline);
  folded_ms = since_ms (from_us);
  timeline_wait_settled (timeline);
  printf ("\"picture_ms\": %.1f, \"folded_ms\": %.0f, \"settled_ms\": %.0f, "
          "\"folded_MB\": %.1f}\n",
          picture_ms, folded_ms, since_ms (from_us),
          MAX (0, resident_mb () - before_mb));
  map_state_unref (state);
  timeline_unref (timeline);
  tracelog_unref (log);
}

/* (transfer full): the events of the recording at @path, and its states, as a run
 * leaves them: in memory as far as a run may have that, else in a temporary file. */
static TraceLog *
copy_recording (const char *path) {
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) error = NULL;
  g_autoptr (TraceLog) from
      = tracelog_open (file, NULL, NULL, NULL, NULL, &error);
  TraceKeyframe facts = { .position = 0 };
  guint64 position = G_MAXUINT64;
  TraceLog *log;

  if (from == NULL)
    g_error ("%s: %s", path, error->message);
  log = tracelog_new (tracelog_get_info (from), 0);
  for (guint64 i = 0; i < tracelog_get_length (from); i += TRACE_BLOCK_EVENTS) {
    TraceBlock *block = tracelog_ref_block (from, i);

    for (guint k = 0; k < block->n_events; k++)
      tracelog_append (log, &block->events[k]);
    tracelog_pass_block (from, block);
  }
  tracelog_finish (log, FALSE);
  for (; position > 0 && tracelog_find_keyframe (from, position, &facts);
       position = facts.position - 1) {
    g_autoptr (GPtrArray) frames
        = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);

    for (guint i = 0; i < facts.n_frames; i++)
      g_ptr_array_add (frames, tracelog_read_frame (from, facts.position, i));
    tracelog_put_keyframe (log, &facts, frames);
  }
  return log;
}

static double
processor_s (void) {
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
bench_save (GFile      *file,
            const char *path) {
  g_autoptr (TraceLog) log = copy_recording (path);
  double n = (double)tracelog_get_length (log), raw = 0, save_s, spent_s;
  g_autoptr (GFileInfo) info = NULL;
  gint64 from_us;

  for (guint64 i = 0; i < (guint64)n / TRACE_BLOCK_EVENTS; i++) {
    PackedBlock packed;

    if (tracelog_dup_packed (log, i, &packed)) {
      raw += packed.raw_size;
      g_free (packed.data);
    }
  }
  spent_s = processor_s ();
  from_us = g_get_monotonic_time ();
  if (!tracelog_save (log, file, NULL, NULL, NULL, NULL))
    g_error ("a recording could not be saved");
  save_s = since_ms (from_us) / 1e3;
  spent_s = processor_s () - spent_s;
  info = g_file_query_info (file, G_FILE_ATTRIBUTE_STANDARD_SIZE,
                            G_FILE_QUERY_INFO_NONE, NULL, NULL);
  printf ("{\"events\": %.0f, \"save_s\": %.2f, \"processor_s\": %.2f, "
          "\"save_Mev_s\": %.1f, \"raw_MB_s\": %.0f, "
          "\"saved_bytes_event\": %.3f}\n",
          n, save_s, spent_s, n / save_s / 1e6, raw / save_s / 1e6,
          (double)g_file_info_get_size (info) / n);
}

int
main (int    argc,
      char **argv) {
  guint64 n = (argc > 1 ? g_ascii_strtoull (argv[1], NULL, 10) : 100) * 1000000;
  g_autofree char *path
      = g_build_filename (g_get_tmp_dir (), "bench-file.tophash", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  TraceLog *log;
  TraceBlock *block;
  TraceHonesty honesty;
  double record_ms, save_ms, open_ms, middle_ms, before_mb, after_mb;
  gint64 from_us = g_get_monotonic_time ();
  guint64 size;

  if (argc > 1 && n == 0) {
    bench_save (file, argv[1]);
    g_file_delete (file, NULL, NULL);
    return 0;
  }
  log = record (n);
  record_ms = since_ms (from_us);
  put_states (log);
  tracelog_get_honesty (log, &honesty);
  from_us = g_get_monotonic_time ();
  if (!tracelog_save (log, file, NULL, NULL, NULL, NULL))
    return 1;
  save_ms = since_ms (from_us);
  tracelog_unref (log);

  chunk_pool_trim (0);
  before_mb = resident_mb ();
  from_us = g_get_monotonic_time ();
  log = tracelog_open (file, NULL, NULL, NULL, NULL, NULL);
  block = tracelog_ref_block (log, 0);
  open_ms = since_ms (from_us);
  trace_block_unref (block);
  from_us = g_get_monotonic_time ();
  block = tracelog_ref_block (log, n / 2);
  middle_ms = since_ms (from_us);
  trace_block_unref (block);
  after_mb = resident_mb ();
  {
    TraceHonesty opened;

    tracelog_get_honesty (log, &opened);
    size = opened.bytes;
  }
  printf ("{\"events\": %" G_GUINT64_FORMAT ", \"record_Mev_s\": %.1f, "
          "\"recorded_bytes_event\": %.2f, \"saved_bytes_event\": %.2f, "
          "\"save_Mev_s\": %.1f, \"save_MB_s\": %.0f, \"open_ms\": %.1f, "
          "\"block_ms\": %.2f, \"open_MB\": %.1f, ",
          n, (double)n / record_ms / 1e3, (double)honesty.bytes / (double)n,
          (double)size / (double)n, (double)n / save_ms / 1e3,
          (double)size / save_ms / 1e3, open_ms, middle_ms,
          MAX (0, after_mb - before_mb));
  tracelog_unref (log);
  bench_picture (file, before_mb);
  g_file_delete (file, NULL, NULL);
  return 0;
}
