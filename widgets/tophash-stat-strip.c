/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-stat-strip.c — the counters under the map
 *
 * A widget around paint-stats. The picture is a cached node, made anew at once
 * when the cursor rests and every REFRESH_US while it moves by itself. It speaks its figures through the accessible description when the cursor rests.
 */
#include "widgets/tophash-stat-strip.h"

#include "widgets/paint-stats.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#define REFRESH_US 66000

struct _TophashStatStrip {
  GtkWidget parent_instance;

  /* Owned */
  TophashSession *session;
  TophashDraw    *draw;
  GskRenderNode  *picture; /* NULL: must be made */

  gulong changed_id;
  gulong style_id;
  guint  refresh_id;       /* timeout that drops the picture */
  gint64 made_at_us;
  int    made_width;
};

G_DEFINE_FINAL_TYPE (TophashStatStrip, tophash_stat_strip, GTK_TYPE_WIDGET)

static void
drop_picture (TophashStatStrip *self) {
  g_clear_handle_id (&self->refresh_id, g_source_remove);
  g_clear_pointer (&self->picture, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static gboolean
refresh_cb (gpointer data) {
  TophashStatStrip *self = data;

  self->refresh_id = 0;
  drop_picture (self);
  return G_SOURCE_REMOVE;
}

static void
refresh_soon (TophashStatStrip *self) {
  gint64 due_us = self->made_at_us + REFRESH_US - g_get_monotonic_time ();

  if (due_us <= 0 || !tophash_session_needs_ticks (self->session))
    drop_picture (self);
  else if (self->refresh_id == 0)
    self->refresh_id
        = g_timeout_add ((guint)(due_us / 1000 + 1), refresh_cb, self);
}

static void
make_picture (TophashStatStrip *self) {
  AdwStyleManager *manager = adw_style_manager_get_default ();
  int width = gtk_widget_get_width (GTK_WIDGET (self));
  int height = gtk_widget_get_height (GTK_WIDGET (self));
  GtkSnapshot *snapshot = gtk_snapshot_new ();
  StatsContext context = { 0 };
  cairo_t *cr;

  if (self->draw == NULL)
    self->draw = tophash_draw_new (
        gtk_widget_get_pango_context (GTK_WIDGET (self)), 1.0);
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
  self->picture = gtk_snapshot_free_to_node (snapshot);
  self->made_at_us = g_get_monotonic_time ();
  self->made_width = width;
}

static void
tophash_stat_strip_snapshot (GtkWidget   *widget,
                             GtkSnapshot *snapshot) {
  TophashStatStrip *self = TOPHASH_STAT_STRIP (widget);

  if (self->session == NULL
      || tophash_session_get_state (self->session) == NULL)
    return;
  if (self->picture != NULL && self->made_width != gtk_widget_get_width (widget))
    g_clear_pointer (&self->picture, gsk_render_node_unref);
  if (self->picture == NULL)
    make_picture (self);
  if (self->picture != NULL)
    gtk_snapshot_append_node (snapshot, self->picture);
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
    refresh_soon (self);
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
  g_clear_handle_id (&self->refresh_id, g_source_remove);
  g_clear_pointer (&self->picture, gsk_render_node_unref);
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
      G_CALLBACK (drop_picture), self);
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
  drop_picture (self);
}
