/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-honesty-card.c — what recording cost this run
 *
 * Above what the recorder counted: events, bytes, what was lost (nothing, unless
 * the scenario allowed it), how often workers had to wait for it, and which: the
 * three that waited longest, all of them in the tooltip. Below, on demand, the same
 * scenario at full speed for a moment, blind and recorded in turns: ns an operation
 * each way, as two bars of one scale.
 *
 * The comparison wants the machine for itself, so it waits for the end of a run, and
 * what plays is paused; it goes on in a task, can be cancelled (Escape too), and is
 * forgotten when another scenario is chosen, to which it would not apply. Its figures
 * are kept in the recording, which is saved with them, and a recording that has some
 * shows them.
 */
#include "app/tophash-honesty-card.h"

#include "core/model/narrator.h"
#include "core/model/task-owner.h"
#include "core/workload/honesty-measure.h"
#include "widgets/session-link.h"
#include "widgets/tophash-draw.h"

#include <glib/gi18n.h>
#include <inttypes.h>

#define UPDATE_US 200000
#define MEASURE_S 2.0
#define N_WAITS_SHOWN 3
#define MANY_PERCENT 100 /* from here on it is told how many times as long */

struct _TophashHonestyCard {
  GtkWidget parent_instance;

  /* Template */
  GtkWidget   *root;
  GtkLabel    *counted;
  GtkLabel    *waits; /* who waited for the recorder, the longest first */
  GtkWidget   *lost;
  GtkLabel    *lost_text;
  GtkWidget   *figures;
  GtkLabel    *blind_text;
  GtkLevelBar *blind_bar;
  GtkLabel    *recorded_text;
  GtkLevelBar *recorded_bar;
  GtkLabel    *verdict;
  GtkWidget   *measure_button;
  GtkWidget   *measuring;

  /* Owned */
  TophashSession *session;
  GCancellable   *job; /* NULL: nothing is measured */

  gulong changed_id;
  gint64 updated_at_us;
};

G_DEFINE_FINAL_TYPE (TophashHonestyCard, tophash_honesty_card, GTK_TYPE_WIDGET)

/* What was counted --------------------------------------------------------- */

static int
compare_waits (gconstpointer a,
               gconstpointer b) {
  gint64 a_ns = ((const TraceWait *)a)->stalled_ns;
  gint64 b_ns = ((const TraceWait *)b)->stalled_ns;

  return (a_ns < b_ns) - (a_ns > b_ns);
}

/* (transfer full, nullable): "W2 1.2 ms (14) · W1 …": who waited, the longest
 * first, @n of them at most. */
static char *
describe_waits (TraceLog *log,
                guint     n) {
  g_autoptr (GArray) waits = tracelog_dup_waits (log);
  g_autoptr (GString) text = g_string_new (NULL);

  if (waits == NULL || waits->len == 0)
    return NULL;
  g_array_sort (waits, compare_waits);
  for (guint i = 0; i < MIN (waits->len, n); i++) {
    const TraceWait *wait = &g_array_index (waits, TraceWait, i);
    g_autofree char *worker = narrator_thread (wait->thread);
    g_autofree char *time = tophash_draw_format_time (wait->stalled_ns);

    g_autofree char *words
        = g_strdup_printf ("%s %s (%" PRIu64 ")", worker, time, wait->n_stalls);
    g_autofree char *whole = tophash_draw_keep_together (words);

    g_string_append_printf (text, "%s%s", i > 0 ? " · " : "", whole);
  }
  if (waits->len > n)
    g_string_append (text, " …");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* (transfer full) */
static char *
describe (TophashHonestyCard *self) {
  TraceLog *log
      = self->session != NULL ? tophash_session_get_log (self->session) : NULL;
  TraceHonesty honesty;
  g_autofree char *events = NULL;
  g_autofree char *bytes = NULL;
  g_autofree char *stalled = NULL;

  if (log == NULL)
    return g_strdup (_ ("nothing recorded yet"));
  tracelog_get_honesty (log, &honesty);
  events = tophash_draw_format_count (honesty.n_events);
  bytes = g_format_size (honesty.bytes);
  stalled = tophash_draw_format_time (honesty.stalled_ns);
  if (honesty.n_dropped > 0 && honesty.n_stalls == 0)
    return g_strdup_printf (_ ("%s events · %s"), events, bytes);
  /* Who dropped may have waited as well: the thread that prepares the map does. */
  if (honesty.n_dropped > 0)
    return g_strdup_printf (_ ("%s events · %s\nwaited %" PRIu64
                               " times for the recorder, %s in all"),
                            events, bytes, honesty.n_stalls, stalled);
  if (honesty.n_stalls == 0)
    return g_strdup_printf (_ ("%s events · %s\n%" PRIu64
                               " lost · no waits for the recorder"),
                            events, bytes, honesty.n_dropped);
  return g_strdup_printf (_ ("%s events · %s\n%" PRIu64
                             " lost · waited %" PRIu64
                             " times for the recorder, %s in all"),
                          events, bytes, honesty.n_dropped, honesty.n_stalls,
                          stalled);
}

/* The scenario allowed it, but nobody may overlook it. */
static void
show_lost (TophashHonestyCard *self) {
  TraceLog *log
      = self->session != NULL ? tophash_session_get_log (self->session) : NULL;
  TraceHonesty honesty = { 0 };
  g_autofree char *count = NULL;
  g_autofree char *text = NULL;

  if (log != NULL)
    tracelog_get_honesty (log, &honesty);
  gtk_widget_set_visible (self->lost, honesty.n_dropped > 0);
  if (honesty.n_dropped == 0)
    return;
  count = tophash_draw_format_count (honesty.n_dropped);
  text = g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE,
                   "%s event lost: from the loss on, the map shown is a guess",
                   "%s events lost: from the first loss on, the map shown is a "
                   "guess",
                   MIN (honesty.n_dropped, G_MAXLONG)),
      count);
  gtk_label_set_text (self->lost_text, text);
}

static void
update (TophashHonestyCard *self) {
  TraceLog *log
      = self->session != NULL ? tophash_session_get_log (self->session) : NULL;
  g_autofree char *text = describe (self);
  g_autofree char *first
      = log != NULL ? describe_waits (log, N_WAITS_SHOWN) : NULL;
  g_autofree char *waits
      = log != NULL ? describe_waits (log, G_MAXUINT) : NULL;

  gtk_label_set_text (self->counted, text);
  gtk_label_set_text (self->waits, first != NULL ? first : "");
  gtk_widget_set_visible (GTK_WIDGET (self->waits), first != NULL);
  /* Asks the display server where the pointer is, and waits. */
  if (g_strcmp0 (gtk_widget_get_tooltip_text (GTK_WIDGET (self->waits)), waits) != 0)
    gtk_widget_set_tooltip_text (GTK_WIDGET (self->waits), waits);
  show_lost (self);
  gtk_widget_set_sensitive (self->measure_button,
                            self->session != NULL
                                && !tophash_session_is_running (self->session)
                                && tophash_session_get_scenario (self->session)
                                       != NULL);
  self->updated_at_us = g_get_monotonic_time ();
}

/* What was measured -------------------------------------------------------- */

static void
show_bar (GtkLabel    *label,
          GtkLevelBar *bar,
          double       ns,
          double       most_ns) {
  g_autofree char *text = ns < 100 ? g_strdup_printf (_ ("%.1f ns"), ns)
                                   : tophash_draw_format_time ((gint64)ns);

  gtk_label_set_text (label, text);
  gtk_level_bar_set_max_value (bar, most_ns);
  gtk_level_bar_set_value (bar, ns);
}

/* @spread: < 0: not known. */
static void
show_figures (TophashHonestyCard *self,
              double              blind_ns,
              double              recorded_ns,
              double              spread) {
  double most_ns = MAX (blind_ns, recorded_ns);
  double percent = 100 * (recorded_ns / blind_ns - 1);
  g_autofree char *text = NULL;

  if (100 * spread >= ABS (percent))
    text = g_strdup_printf (
        _ ("What recording costs cannot be told: the turns differ by ± %.0f %%, the "
           "two kinds of turn by %+.0f %%. Measure again on a quieter machine."),
        100 * spread, percent);
  else if (spread >= 0)
    text = percent >= MANY_PERCENT
               ? g_strdup_printf (_ ("An operation takes %.1f times as long when it is "
                                     "recorded at full speed (± %.1f from turn to "
                                     "turn)."),
                                  recorded_ns / blind_ns, spread)
               : g_strdup_printf (_ ("An operation takes %+.0f %% when it is recorded at "
                                     "full speed (± %.0f %% from turn to turn)."),
                                  percent, 100 * spread);
  else
    text = percent >= MANY_PERCENT
               ? g_strdup_printf (_ ("An operation took %.1f times as long when it was "
                                     "recorded at full speed, on the machine of the "
                                     "recording."),
                                  recorded_ns / blind_ns)
               : g_strdup_printf (_ ("An operation took %+.0f %% when it was recorded at "
                                     "full speed, on the machine of the recording."),
                                  percent);
  show_bar (self->blind_text, self->blind_bar, blind_ns, most_ns);
  show_bar (self->recorded_text, self->recorded_bar, recorded_ns, most_ns);
  gtk_label_set_text (self->verdict, text);
  gtk_widget_set_visible (self->figures, TRUE);
  gtk_widget_set_visible (GTK_WIDGET (self->verdict), TRUE);
}

static void
hide_figures (TophashHonestyCard *self) {
  gtk_widget_set_visible (self->figures, FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->verdict), FALSE);
}

/* What a recording brought along, if it was measured when it was made. */
static void
show_stored (TophashHonestyCard *self) {
  TraceLog *log
      = self->session != NULL ? tophash_session_get_log (self->session) : NULL;
  TraceHonesty honesty = { 0 };

  if (log != NULL)
    tracelog_get_honesty (log, &honesty);
  if (honesty.blind_ns > 0 && honesty.recorded_ns > 0)
    show_figures (self, honesty.blind_ns, honesty.recorded_ns, -1);
}

typedef struct {
  TraceLog      *log; /* to keep the figures in; NULL: none */
  Scenario      *scenario;
  HonestyFigures figures;
} Measure;

static void
measure_free (gpointer data) {
  Measure *measure = data;

  g_clear_pointer (&measure->log, tracelog_unref);
  scenario_free (measure->scenario);
  g_free (measure);
}

static void
measure_thread (GTask        *task,
                gpointer      source,
                gpointer      data,
                GCancellable *cancellable) {
  Measure *measure = data;
  GError *error = NULL;

  if (honesty_measure (measure->scenario, MEASURE_S, cancellable,
                       &measure->figures, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
set_measuring (TophashHonestyCard *self,
               gboolean            is_measuring) {
  gtk_widget_set_visible (self->measuring, is_measuring);
  gtk_widget_set_visible (self->measure_button, !is_measuring);
}

static void
measure_done_cb (GObject      *source,
                 GAsyncResult *result,
                 gpointer      data) {
  TophashHonestyCard *self = TOPHASH_HONESTY_CARD (source);
  Measure *measure = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;
  gboolean is_good = g_task_propagate_boolean (G_TASK (result), &error);

  /* Another one may have taken its place, or the card is going away. */
  if (self->job != g_task_get_cancellable (G_TASK (result)))
    return;
  g_clear_object (&self->job);
  set_measuring (self, FALSE);
  if (is_good) {
    show_figures (self, measure->figures.blind_ns, measure->figures.recorded_ns,
                  measure->figures.spread);
    if (measure->log != NULL)
      tracelog_set_cost (measure->log, measure->figures.blind_ns,
                         measure->figures.recorded_ns);
  } else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    gtk_label_set_text (self->verdict, error->message);
    gtk_widget_set_visible (GTK_WIDGET (self->verdict), TRUE);
  }
}

static void
measure_cb (TophashHonestyCard *self) {
  g_autoptr (GTask) task = NULL;
  Measure *measure;

  if (self->job != NULL || self->session == NULL
      || tophash_session_get_scenario (self->session) == NULL)
    return;
  measure = g_new0 (Measure, 1);
  measure->scenario
      = scenario_copy (tophash_session_get_scenario (self->session));
  if (tophash_session_get_log (self->session) != NULL)
    measure->log = tracelog_ref (tophash_session_get_log (self->session));
  if (tophash_session_is_playing (self->session))
    tophash_session_pause (self->session);
  self->job = g_cancellable_new ();
  set_measuring (self, TRUE);
  task = g_task_new (self, self->job, measure_done_cb, NULL);
  task_keep_owner (task, self);
  g_task_set_task_data (task, measure, measure_free);
  g_task_run_in_thread (task, measure_thread);
}

static void
cancel_cb (TophashHonestyCard *self) {
  if (self->job != NULL)
    g_cancellable_cancel (self->job);
}

static gboolean
escape_cb (GtkWidget *widget,
           GVariant  *arguments,
           gpointer   data) {
  TophashHonestyCard *self = TOPHASH_HONESTY_CARD (widget);

  if (self->job == NULL || g_cancellable_is_cancelled (self->job))
    return FALSE;
  cancel_cb (self);
  return TRUE;
}

/* From wherever the focus is, as with other jobs; what the window leaves by Escape
 * comes first. */
static void
listen_for_escape (TophashHonestyCard *self) {
  GtkEventController *keys = gtk_shortcut_controller_new ();

  gtk_shortcut_controller_set_scope (GTK_SHORTCUT_CONTROLLER (keys),
                                     GTK_SHORTCUT_SCOPE_GLOBAL);
  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (keys),
      gtk_shortcut_new (gtk_keyval_trigger_new (GDK_KEY_Escape, 0),
                        gtk_callback_action_new (escape_cb, NULL, NULL)));
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
}

/* The object --------------------------------------------------------------- */

/* While a run goes on it is told of every frame; what changes out of sight would be
 * laid out and drawn for nobody. */
static gboolean
is_in_sight (TophashHonestyCard *self) {
  GtkWidget *widget = GTK_WIDGET (self);
  GtkWidget *port = gtk_widget_get_ancestor (widget, GTK_TYPE_VIEWPORT);
  graphene_rect_t bounds;

  if (!gtk_widget_get_mapped (widget) || port == NULL)
    return gtk_widget_get_mapped (widget);
  return gtk_widget_compute_bounds (widget, port, &bounds)
         && bounds.origin.y < (float)gtk_widget_get_height (port)
         && bounds.origin.y + bounds.size.height > 0;
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            TophashHonestyCard   *self) {
  if (what & (SESSION_CHANGE_SCENARIO | SESSION_CHANGE_RUN)) {
    cancel_cb (self);
    if (what & SESSION_CHANGE_SCENARIO)
      hide_figures (self);
  }
  if (what & (SESSION_CHANGE_LOG | SESSION_CHANGE_SCENARIO))
    show_stored (self);
  if ((what & (SESSION_CHANGE_RUN | SESSION_CHANGE_LOG | SESSION_CHANGE_SCENARIO))
      || ((what & SESSION_CHANGE_LENGTH)
          && g_get_monotonic_time () - self->updated_at_us > UPDATE_US
          && is_in_sight (self)))
    update (self);
}

static void
tophash_honesty_card_dispose (GObject *object) {
  TophashHonestyCard *self = TOPHASH_HONESTY_CARD (object);

  cancel_cb (self);
  g_clear_object (&self->job);
  if (self->session != NULL)
    g_clear_signal_handler (&self->changed_id, self->session);
  g_clear_object (&self->session);
  g_clear_pointer (&self->root, gtk_widget_unparent);
  G_OBJECT_CLASS (tophash_honesty_card_parent_class)->dispose (object);
}

#define BIND(name)                                                            \
  gtk_widget_class_bind_template_child (widget_class, TophashHonestyCard, name)

static void
tophash_honesty_card_class_init (TophashHonestyCardClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tophash_honesty_card_dispose;
  gtk_widget_class_set_template_from_resource (
      widget_class, "/io/github/tophash/Tophash/ui/tophash-honesty-card.ui");
  BIND (root);
  BIND (counted);
  BIND (waits);
  BIND (lost);
  BIND (lost_text);
  BIND (figures);
  BIND (blind_text);
  BIND (blind_bar);
  BIND (recorded_text);
  BIND (recorded_bar);
  BIND (verdict);
  BIND (measure_button);
  BIND (measuring);
  gtk_widget_class_bind_template_callback (widget_class, measure_cb);
  gtk_widget_class_bind_template_callback (widget_class, cancel_cb);
  gtk_widget_class_set_css_name (widget_class, "honestycard");
}

#undef BIND

static void
use_one_colour (GtkLevelBar *bar) {
  gtk_level_bar_remove_offset_value (bar, GTK_LEVEL_BAR_OFFSET_LOW);
  gtk_level_bar_remove_offset_value (bar, GTK_LEVEL_BAR_OFFSET_HIGH);
  gtk_level_bar_remove_offset_value (bar, GTK_LEVEL_BAR_OFFSET_FULL);
}

static void
tophash_honesty_card_init (TophashHonestyCard *self) {
  GtkLabel *label;

  gtk_widget_init_template (GTK_WIDGET (self));
  use_one_colour (self->blind_bar);
  use_one_colour (self->recorded_bar);
  label = GTK_LABEL (gtk_button_get_child (GTK_BUTTON (self->measure_button)));
  gtk_label_set_wrap (label, TRUE);
  gtk_label_set_justify (label, GTK_JUSTIFY_CENTER);
  listen_for_escape (self);
  update (self);
}

GtkWidget *
tophash_honesty_card_new (void) {
  return g_object_new (TOPHASH_TYPE_HONESTY_CARD, NULL);
}

void
tophash_honesty_card_set_session (TophashHonestyCard *self,
                                  TophashSession     *session) {
  g_return_if_fail (TOPHASH_IS_HONESTY_CARD (self));

  if (!session_link (&self->session, &self->changed_id, session,
                     G_CALLBACK (changed_cb), self))
    return;
  show_stored (self);
  update (self);
}
