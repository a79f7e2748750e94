/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-window.c — how long the window keeps its main thread
 *
 *   bench-window [SCENARIO | FILE.tophash [SECONDS [calm] [WIDTHxHEIGHT]]]
 *
 * Opens the real window, runs a scenario live, or opens a recording and goes about
 * in it as a hand would (far and near seeks, steps, landmarks, zoom, a search,
 * pages of the inspector, playing, 25 moves a second from the first picture on;
 * unless calm, lecture mode also, which glides and draws the whole window for it).
 *
 * Measured    the work of each frame (frame clock, before-paint to after-paint) and
 *             each turn of the main loop (from poll's return to the next poll), the
 *             longest of which is the longest single block; both in processor time
 *             of the main thread and by the wall. Of turns also without the time for
 *             which the machine held or slowed the thread, as far as that can be proved
 *             (long-turns.c), and as the scheduler charges it, which is more (spent.c).
 *             Of frames that miss 16.7 ms, how much of it was work, and how much
 *             waiting for a core. Of a recording: from opening to the first frame with
 *             something in it, and until all is folded; memory.
 *
 * Prints JSON; where long turns were spent goes to standard error. Needs a display;
 * tests/support/with-display gives it one.
 */
#include "app/gl-choice.h"
#include "app/tophash-application.h"
#include "app/tophash-window.h"
#include "core/base/rank.h"
#include "tests/bench/long-turns.h"
#include "tests/bench/spent.h"

#include <stdlib.h>
#include <string.h>

/* A frame at 60 Hz. */
#define LATE_US 16700

static GArray *frames; /* of gint64, microseconds of processor time */
static GArray *waits;  /* of frames, by the wall */
static GArray *late;   /* of Spent: frames that missed LATE_US by the wall */
static gboolean is_calm;
static Spent   paint_began;
static gint64  looking_began_us;
static gint64  opened_us;  /* when opening began; 0: nothing is opened */
static gint64  logged_us;  /* when the log was there */
static gint64  pictured_us;
static gint64  folded_us;

static void
before_paint_cb (void) {
  paint_began = spent_now ();
  looking_began_us = long_turns_looking_us ();
}

static void
look_at_session (TophashWindow *window) {
  TophashSession *session = tophash_window_get_session (window);
  const MapState *state = tophash_session_get_state (session);

  if (opened_us == 0 || state == NULL || map_state_n_events (state) == 0)
    return;
  if (pictured_us == 0)
    pictured_us = g_get_monotonic_time ();
  if (folded_us == 0
      && timeline_is_complete (tophash_session_get_timeline (session)))
    folded_us = g_get_monotonic_time ();
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            gpointer              data) {
  if ((what & SESSION_CHANGE_LOG) && logged_us == 0)
    logged_us = g_get_monotonic_time ();
}

static void
after_paint_cb (GdkFrameClock *clock,
                TophashWindow *window) {
  Spent spent = spent_since (&paint_began);

  spent.worked_us -= long_turns_looking_us () - looking_began_us;
  g_array_append_val (frames, spent.worked_us);
  g_array_append_val (waits, spent.wall_us);
  if (spent.wall_us > LATE_US)
    g_array_append_val (late, spent);
  look_at_session (window);
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
  guint n_long = 0, n_late = 0;

  g_array_sort (samples, compare);
  for (guint i = 0; i < samples->len; i++) {
    n_long += g_array_index (samples, gint64, i) > LONG_TURN_US;
    n_late += g_array_index (samples, gint64, i) > LATE_US;
  }
  g_print ("  \"%s\": {\"n\": %u, \"median_ms\": %.3f, \"p99_ms\": %.3f, "
           "\"max_ms\": %.3f, \"over_8_ms\": %u, \"over_16_7_ms\": %u}%s\n",
           name, samples->len, quantile_ms (samples, 0.5),
           quantile_ms (samples, 0.99), quantile_ms (samples, 1), n_long, n_late,
           end);
}

/* What the late frames' time went to, all together, and each to standard error. */
static void
print_late (void) {
  Spent all = { 0 };

  for (guint i = 0; i < late->len; i++) {
    const Spent *spent = &g_array_index (late, Spent, i);

    g_printerr ("late frame: ");
    spent_print (spent);
    all.wall_us += spent->wall_us;
    all.worked_us += spent->worked_us;
    all.ready_us += spent->ready_us;
    all.n_faults += spent->n_faults;
  }
  g_print ("  \"late_frames\": {\"n\": %u, \"wall_ms\": %.1f, "
           "\"worked_ms\": %.1f, \"without_core_ms\": %.1f, "
           "\"faults\": %" G_GINT64_FORMAT "},\n",
           late->len, (double)all.wall_us / 1000, (double)all.worked_us / 1000,
           (double)all.ready_us / 1000, all.n_faults);
}

/* A line of /proc/self/status, in MB. */
static double
memory_mb (const char *line) {
  g_autofree char *text = NULL;
  const char *at;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return 0;
  at = strstr (text, line);
  return at == NULL ? 0 : atof (at + strlen (line)) * 1024 / 1e6;
}

static void
print_opening (void) {
  if (opened_us != 0)
    g_print ("  \"opened_ms\": %.1f, \"first_picture_ms\": %.1f, "
             "\"folded_ms\": %.1f,\n",
             (double)(logged_us - opened_us) / 1000,
             (double)(pictured_us - opened_us) / 1000,
             folded_us == 0 ? -1 : (double)(folded_us - opened_us) / 1000);
  g_print ("  \"resident_mb\": %.0f, \"resident_most_mb\": %.0f, "
           "\"anonymous_mb\": %.0f,\n",
           memory_mb ("VmRSS:"), memory_mb ("VmHWM:"), memory_mb ("RssAnon:"));
}

static gboolean
over_cb (gpointer data) {
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

/* The hand ----------------------------------------------------------------- */

typedef struct {
  const char *name;   /* an action of the window when @move is NULL */
  void      (*move) (TophashSession *session,
                     guint           n);
} Move;

static void
seek_far (TophashSession *session,
          guint           n) {
  tophash_session_seek (session, n * G_GUINT64_CONSTANT (2654435761)
                                     % tracelog_get_length (
                                         tophash_session_get_log (session)));
}

static void
seek_near (TophashSession *session,
           guint           n) {
  tophash_session_seek (session, tophash_session_get_position (session) + 15000);
}

static void
scrub (TophashSession *session,
       guint           n) {
  gint64 duration_ns
      = timeline_get_duration_ns (tophash_session_get_timeline (session));

  tophash_session_seek_time (session, duration_ns / 1000 * (n % 1000));
}

static void
step_on (TophashSession *session,
         guint           n) {
  tophash_session_step (session, 1);
}

static void
step_back (TophashSession *session,
           guint           n) {
  tophash_session_step (session, -1);
}

static void
zoom (TophashSession *session,
      guint           n) {
  gint64 duration_ns
      = timeline_get_duration_ns (tophash_session_get_timeline (session));
  gint64 from_ns = duration_ns / (n % 16 + 2);

  tophash_session_set_range (session, from_ns, from_ns + duration_ns / n);
}

static void
zoom_close (TophashSession *session,
            guint           n) {
  gint64 at_ns = map_state_at_ns (tophash_session_get_state (session));

  tophash_session_set_range (session, at_ns - 1000 * n, at_ns + 1000 * n);
}

static void
show_all (TophashSession *session,
          guint           n) {
  tophash_session_show_all (session);
}

static void
search (TophashSession *session,
        guint           n) {
  static const char *const texts[] = { "waited", "dirty-promoted", "key=17", "" };

  tophash_session_search (session, texts[n / 16 % G_N_ELEMENTS (texts)], NULL);
}

static void
select_slot (TophashSession *session,
             guint           n) {
  TophashSelection selection = { .kind = SELECTION_SLOT, .has_key = TRUE };
  const MapState *state = tophash_session_get_state (session);
  const StateTable *table
      = map_state_n_tables (state) > 0 ? map_state_table (state, 0) : NULL;

  if (table == NULL || table->buckets == NULL)
    return;
  selection.table = table->id;
  selection.table_created_ver = table->created_ver;
  selection.bucket = n % state_array_n_buckets (table->buckets);
  selection.key = state_array_bucket (table->buckets, selection.bucket)->keys[0];
  tophash_session_select (session, &selection);
}

static const Move moves[] = {
  { "far seek", seek_far },
  { "step on", step_on },
  { "step on", step_on },
  { "step back", step_back },
  { "win.next-landmark", NULL },
  { "zoom", zoom },
  { "near seek", seek_near },
  { "selection", select_slot },
  { "scrub", scrub },
  { "scrub", scrub },
  { "win.statistics", NULL },
  { "win.previous-landmark", NULL },
  { "close zoom", zoom_close },
  { "step on", step_on },
  { "win.next-landmark", NULL },
  { "search", search },
  { "step back", step_back },
  { "win.next-hit", NULL },
  { "far seek", seek_far },
  { "win.notes", NULL },
  { "win.play-pause", NULL },
  { "all", show_all },
  { "win.play-pause", NULL },
  { "win.zoom-in", NULL },
  { "win.go-back", NULL },
  { "win.zoom-out", NULL },
  /* Not when calm. */
  { "win.lecture", NULL },
  { "step on", step_on },
  { "step on", step_on },
  { "win.lecture", NULL },
  { "step on", step_on },
};
#define N_GLIDING 5

/* The same each time the program runs. */
static gboolean
use_cb (gpointer data) {
  static guint n;
  const Move *move;
  TophashWindow *window = data;
  TophashSession *session = tophash_window_get_session (window);
  TraceLog *log = tophash_session_get_log (session);

  if (pictured_us == 0 || log == NULL || tracelog_get_length (log) == 0
      || tophash_session_get_state (session) == NULL)
    return G_SOURCE_CONTINUE;
  move = &moves[n++ % (G_N_ELEMENTS (moves) - (is_calm ? N_GLIDING : 0))];
  long_turns_name (move->name);
  if (move->move != NULL)
    move->move (session, n);
  else
    gtk_widget_activate_action (GTK_WIDGET (window), move->name, NULL);
  return G_SOURCE_CONTINUE;
}

/* Begins what is measured. */
static void
begin (TophashWindow *window,
       const char    *what) {
  if (g_str_has_suffix (what, ".tophash")) {
    g_autoptr (GFile) file = g_file_new_for_path (what);

    g_signal_connect (tophash_window_get_session (window), "changed",
                      G_CALLBACK (changed_cb), NULL);
    opened_us = g_get_monotonic_time ();
    tophash_window_open (window, file);
    g_timeout_add (40, use_cb, window);
  } else {
    tophash_window_set_scenario (window, what, TRUE);
  }
}

static int
tell_usage (void) {
  g_printerr ("usage: bench-window [SCENARIO | FILE.tophash [SECONDS [calm] "
              "[WIDTHxHEIGHT]]]\n");
  return 2;
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
  int width = 0, height = 0;
  guint64 n_events;

  gl_choice_make ("/dev");
  if (!gtk_init_check ()) {
    g_printerr ("bench-window: no display\n");
    return 1;
  }
  rank_put_window_first ();
  adw_init ();
  for (int i = 3; i < argc; i++)
    if (g_str_equal (argv[i], "calm"))
      is_calm = TRUE;
    else if (sscanf (argv[i], "%dx%d", &width, &height) != 2)
      return tell_usage ();
  frames = g_array_new (FALSE, FALSE, sizeof (gint64));
  waits = g_array_new (FALSE, FALSE, sizeof (gint64));
  late = g_array_new (FALSE, FALSE, sizeof (Spent));
  application = tophash_application_new ();
  g_application_set_flags (G_APPLICATION (application), G_APPLICATION_NON_UNIQUE);
  g_application_register (G_APPLICATION (application), NULL, NULL);
  window = tophash_window_new (ADW_APPLICATION (application));
  if (width > 0)
    gtk_window_set_default_size (GTK_WINDOW (window), width, height);
  gtk_window_present (GTK_WINDOW (window));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  clock = gtk_widget_get_frame_clock (GTK_WIDGET (window));
  g_signal_connect (clock, "before-paint", G_CALLBACK (before_paint_cb), NULL);
  g_signal_connect (clock, "after-paint", G_CALLBACK (after_paint_cb), window);
  long_turns_begin ();
  begin (window, scenario);
  g_timeout_add ((guint)(seconds * 1000), over_cb, &is_over);
  while (!is_over)
    g_main_context_iteration (NULL, TRUE);
  long_turns_end ();
  n_events = tracelog_get_length (
      tophash_session_get_log (tophash_window_get_session (window)));

  g_print ("{\n  \"bench\": \"window\", \"scenario\": \"%s\", "
           "\"seconds\": %.1f, \"width\": %d, \"height\": %d, "
           "\"events\": %" G_GUINT64_FORMAT ",\n",
           scenario, seconds, gtk_widget_get_width (GTK_WIDGET (window)),
           gtk_widget_get_height (GTK_WIDGET (window)), n_events);
  print_opening ();
  print_samples ("frame_work", frames, ",");
  print_samples ("frame_wall", waits, ",");
  print_late ();
  print_samples ("main_loop_turn", long_turns_worked (), ",");
  print_samples ("main_loop_turn_own", long_turns_own (), ",");
  print_samples ("main_loop_turn_charged", long_turns_charged (), ",");
  print_samples ("main_loop_turn_wall", long_turns_waited (), "");
  g_print ("}\n");
  long_turns_print ();
  gtk_window_destroy (GTK_WINDOW (window));
  return 0;
}
