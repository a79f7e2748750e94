/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-stat-strip.c — the counters under the map
 *
 * A widget around paint-stats; it redraws when the cursor or the log moved. It
 * speaks its figures through the accessible description when the cursor rests.
 */
#include "widgets/tophash-stat-strip.h"

#include "widgets/paint-stats.h"

#include <adwaita.h>
#include <glib/gi18n.h>

struct _TophashStatStrip {
  GtkWidget parent_instance;

  /* Owned */
  TophashSession *session;
  TophashDraw    *draw;

  gulong changed_id;
  gulong style_id;
};

G_DEFINE_FINAL_TYPE (TophashStatStrip, tophash_stat_strip, GTK_TYPE_WIDGET)

static void
tophash_stat_strip_snapshot (GtkWidget   *widget,
                             GtkSnapshot *snapshot) {
  TophashStatStrip *self = TOPHASH_STAT_STRIP (widget);
  AdwStyleManager *manager = adw_style_manager_get_default ();
  int width = gtk_widget_get_width (widget);
  int height = gtk_widget_get_height (widget);
  StatsContext context = { 0 };
  cairo_t *cr;

  if (self->session == NULL
      || tophash_session_get_state (self->session) == NULL)
    return;
  if (self->draw == NULL)
    self->draw = tophash_draw_new (gtk_widget_get_pango_context (widget), 1.0);
  context.state = tophash_session_get_state (self->session);
  context.timeline = tophash_session_get_timeline (self->session);
  context.palette
      = tophash_palette_get (adw_style_manager_get_dark (manager),
                             adw_style_manager_get_high_contrast (manager));
  context.draw = self->draw;
  tophash_session_get_range (self->session, &context.from_ns, &context.to_ns);
  cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT (0, 0, (float)width, (float)height));
  paint_stats (cr, &context, width, height);
  cairo_destroy (cr);
}

static void
tophash_stat_strip_measure (GtkWidget      *widget,
                            GtkOrientation  orientation,
                            int             for_size,
                            int            *minimum,
                            int            *natural,
                            int            *minimum_baseline,
                            int            *natural_baseline) {
  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *minimum = 220;
    *natural = 700;
  } else {
    *minimum = *natural = (int)STATS_HEIGHT;
  }
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            TophashStatStrip     *self) {
  const MapState *state = tophash_session_get_state (session);

  if (what
      & (SESSION_CHANGE_CURSOR | SESSION_CHANGE_LENGTH | SESSION_CHANGE_RANGE
         | SESSION_CHANGE_LOG))
    gtk_widget_queue_draw (GTK_WIDGET (self));
  if ((what & SESSION_CHANGE_CURSOR) && state != NULL
      && !tophash_session_is_playing (session)) {
    g_autofree char *text = stats_to_text (state);

    gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                    GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                    -1);
  }
}

static void
tophash_stat_strip_dispose (GObject *object) {
  TophashStatStrip *self = TOPHASH_STAT_STRIP (object);

  tophash_stat_strip_set_session (self, NULL);
  g_clear_signal_handler (&self->style_id, adw_style_manager_get_default ());
  g_clear_pointer (&self->draw, tophash_draw_free);
  G_OBJECT_CLASS (tophash_stat_strip_parent_class)->dispose (object);
}

static void
tophash_stat_strip_class_init (TophashStatStripClass *klass) {
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = tophash_stat_strip_dispose;
  widget_class->snapshot = tophash_stat_strip_snapshot;
  widget_class->measure = tophash_stat_strip_measure;
  gtk_widget_class_set_css_name (widget_class, "statstrip");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
tophash_stat_strip_init (TophashStatStrip *self) {
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Counters"),
                                  -1);
  self->style_id = g_signal_connect_swapped (
      adw_style_manager_get_default (), "notify::dark",
      G_CALLBACK (gtk_widget_queue_draw), self);
}

GtkWidget *
tophash_stat_strip_new (void) {
  return g_object_new (TOPHASH_TYPE_STAT_STRIP, NULL);
}

void
tophash_stat_strip_set_session (TophashStatStrip *self,
                                TophashSession   *session) {
  g_return_if_fail (TOPHASH_IS_STAT_STRIP (self));

  if (self->session == session)
    return;
  if (self->session != NULL)
    g_clear_signal_handler (&self->changed_id, self->session);
  g_set_object (&self->session, session);
  if (session != NULL)
    self->changed_id = g_signal_connect (session, "changed",
                                         G_CALLBACK (changed_cb), self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}
