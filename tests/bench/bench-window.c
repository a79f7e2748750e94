/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-window.c — how long the window keeps its main thread
 *
 *   bench-window [SCENARIO | FILE.tophash [SECONDS]]
 *
 * Opens the real window, runs a scenario live, or opens a recording and goes about
 * in it as a hand would (far and near seeks, steps, landmarks, zoom, a search, 25
 * times a second, from the first moment on), and measures the work of each frame
 * (frame clock, before-paint to after-paint) in processor time of the main thread
 * and by the wall, and each turn of the main loop (from poll's return to the next
 * poll), the longest of which is the longest single block. Prints JSON. Needs a display; tests/support/with-display
 * gives it one.
 */
#include "app/tophash-application.h"
#include "app/tophash-window.h"

#include <stdlib.h>
#include <time.h>

static GArray *frames; /* of gint64, microseconds of processor time */
static GArray *turns;
static GArray *waits;  /* of frames, by the wall */
static gint64  paint_began_us;
static gint64  paint_began_wall_us;
static gint64  turn_began_us;

/* What this thread worked: time in which others had the core is not counted. */
static gint64
worked_us (void) {
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (gint64)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
before_paint_cb (void) {
  paint_began_us = worked_us ();
  paint_began_wall_us = g_get_monotonic_time ();
}

static void
after_paint_cb (void) {
  gint64 took_us = worked_us () - paint_began_us;
  gint64 wall_us = g_get_monotonic_time () - paint_began_wall_us;

  g_array_append_val (frames, took_us);
  g_array_append_val (waits, wall_us);
}

static gint
timed_poll (GPollFD *fds,
            guint    n_fds,
            gint     timeout) {
  gint64 took_us = worked_us () - turn_began_us;
  gint result;

  if (turn_began_us != 0)
    g_array_append_val (turns, took_us);
  result = g_poll (fds, n_fds, timeout);
  turn_began_us = worked_us ();
  return result;
}

static int
compare (gconstpointer a,
         gconstpointer b) {
  gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;

  return (left > right) - (left < right);
}

static double
quantile_ms (GArray *samples,
             double  share) {
  if (samples->len == 0)
    return 0;
  return (double)g_array_index (samples, gint64,
                                (guint)(share * (samples->len - 1)))
         / 1000.0;
}

static void
print_samples (const char *name,
               GArray     *samples,
               const char *end) {
  guint n_late = 0;

  g_array_sort (samples, compare);
  for (guint i = 0; i < samples->len; i++)
    n_late += g_array_index (samples, gint64, i) > 16700;
  g_print ("  \"%s\": {\"n\": %u, \"median_ms\": %.3f, \"p99_ms\": %.3f, "
           "\"max_ms\": %.3f, \"over_16_7_ms\": %u}%s\n",
           name, samples->len, quantile_ms (samples, 0.5),
           quantile_ms (samples, 0.99), quantile_ms (samples, 1), n_late, end);
}

static gboolean
over_cb (gpointer data) {
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

/* What the hand does next; the same each time the program runs. */
static gboolean
use_cb (gpointer data) {
  static guint n;
  TophashWindow *window = data;
  TophashSession *session = tophash_window_get_session (window);
  TraceLog *log = tophash_session_get_log (session);
  guint64 length = log == NULL ? 0 : tracelog_get_length (log);
  gint64 duration_ns;

  if (length == 0)
    return G_SOURCE_CONTINUE;
  duration_ns
      = timeline_get_duration_ns (tophash_session_get_timeline (session));
  switch (n++ % 8) {
  case 0:
    tophash_session_seek (session, n * G_GUINT64_CONSTANT (2654435761) % length);
    break;
  case 1:
  case 2:
    tophash_session_step (session, 1);
    break;
  case 3:
    tophash_session_step (session, -1);
    break;
  case 4:
    gtk_widget_activate_action (GTK_WIDGET (window), "win.next-landmark", NULL);
    break;
  case 5:
    tophash_session_set_range (session, duration_ns / (n % 16 + 2),
                               duration_ns / (n % 16 + 2) + duration_ns / n);
    break;
  case 6:
    tophash_session_seek (session, tophash_session_get_position (session) + 15000);
    break;
  default:
    tophash_session_show_all (session);
    if (n % 64 == 0)
      tophash_session_search (session, n % 128 == 0 ? "waited" : "dirty-promoted",
                              NULL);
    break;
  }
  return G_SOURCE_CONTINUE;
}

/* Begins what is measured. */
static void
begin (TophashWindow *window,
       const char    *what) {
  if (g_str_has_suffix (what, ".tophash")) {
    g_autoptr (GFile) file = g_file_new_for_path (what);

    tophash_window_open (window, file);
    g_timeout_add (40, use_cb, window);
  } else {
    tophash_window_set_scenario (window, what, TRUE);
  }
}

int
main (int    argc,
      char **argv) {
  const char *scenario = argc > 1 ? argv[1] : "full-speed";
  double seconds = argc > 2 ? atof (argv[2]) : 5;
  g_autoptr (TophashApplication) application = NULL;
  TophashWindow *window;
  GdkFrameClock *clock;
  gboolean is_over = FALSE;
  guint64 n_events;

  if (!gtk_init_check ()) {
    g_printerr ("bench-window: no display\n");
    return 1;
  }
  adw_init ();
  frames = g_array_new (FALSE, FALSE, sizeof (gint64));
  turns = g_array_new (FALSE, FALSE, sizeof (gint64));
  waits = g_array_new (FALSE, FALSE, sizeof (gint64));
  application = tophash_application_new ();
  g_application_set_flags (G_APPLICATION (application), G_APPLICATION_NON_UNIQUE);
  g_application_register (G_APPLICATION (application), NULL, NULL);
  window = tophash_window_new (ADW_APPLICATION (application));
  gtk_window_present (GTK_WINDOW (window));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  clock = gtk_widget_get_frame_clock (GTK_WIDGET (window));
  g_signal_connect (clock, "before-paint", G_CALLBACK (before_paint_cb), NULL);
  g_signal_connect (clock, "after-paint", G_CALLBACK (after_paint_cb), NULL);
  begin (window, scenario);
  g_main_context_set_poll_func (NULL, timed_poll);
  g_timeout_add ((guint)(seconds * 1000), over_cb, &is_over);
  while (!is_over)
    g_main_context_iteration (NULL, TRUE);
  g_main_context_set_poll_func (NULL, g_poll);
  n_events = tracelog_get_length (
      tophash_session_get_log (tophash_window_get_session (window)));

  g_print ("{\n  \"bench\": \"window\", \"scenario\": \"%s\", "
           "\"seconds\": %.1f, \"events\": %" G_GUINT64_FORMAT ",\n",
           scenario, seconds, n_events);
  print_samples ("frame_work", frames, ",");
  print_samples ("frame_wall", waits, ",");
  print_samples ("main_loop_turn", turns, "");
  g_print ("}\n");
  gtk_window_destroy (GTK_WINDOW (window));
  return 0;
}
