/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-stat-strip.c — the counters under the map
 *
 * A widget around paint-stats. The picture is a cached one, made anew at once
 * when the cursor rests and every REFRESH_US while it moves by itself. It speaks
 * its figures through the accessible description when the cursor rests.
 */
#include "widgets/tophash-stat-strip.h"

#include "widgets/cached-picture.h"
#include "widgets/paint-stats.h"
#include "widgets/session-link.h"

#include <glib/gi18n.h>

#define REFRESH_US 66000

struct _TophashStatStrip {
  GtkWidget parent_instance;

  /* Owned */
  TophashSession *session;
  CachedPicture   picture;

  gulong   changed_id;
  gboolean is_low;
};

G_DEFINE_FINAL_TYPE (TophashStatStrip, tophash_stat_strip, GTK_TYPE_WIDGET)

/* The state and the timeline are references. */
static gpointer
brief_new (GtkWidget *widget) {
  TophashStatStrip *self = TOPHASH_STAT_STRIP (widget);
  const MapState *state = self->session == NULL
                              ? NULL
                              : tophash_session_get_state (self->session);
  StatsContext *context;

  if (state == NULL)
    return NULL;
  context = g_new0 (StatsContext, 1);
  context->state = map_state_ref (state);
  context->timeline = timeline_ref (tophash_session_get_timeline (self->session));
  tophash_session_get_range (self->session, &context->from_ns, &context->to_ns);
  return context;
}

static void
brief_free (gpointer brief) {
  StatsContext *context = brief;

  map_state_unref ((MapState *)context->state);
  timeline_unref (context->timeline);
  g_free (context);
}

static void
paint_cb (cairo_t              *cr,
          const TophashPalette *palette,
          TophashDraw          *draw,
          double                width,
          double                height,
          gpointer              brief) {
  StatsContext *context = brief;

  context->palette = palette;
  context->draw = draw;
  paint_stats (cr, context, width, height);
}

static const CachedPictureKind picture_kind = {
  brief_new, paint_cb, brief_free, TRUE
};

static void
tophash_stat_strip_snapshot (GtkWidget   *widget,
                             GtkSnapshot *snapshot) {
  TophashStatStrip *self = TOPHASH_STAT_STRIP (widget);

  cached_picture_snapshot (&self->picture, snapshot,
                           gtk_widget_get_width (widget),
                           gtk_widget_get_height (widget));
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
    *minimum = *natural
        = (int)((TOPHASH_STAT_STRIP (widget)->is_low ? STATS_HEIGHT_LOW
                                                     : STATS_HEIGHT)
                * tophash_draw_text_scale (gtk_widget_get_pango_context (widget)));
  }
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            TophashStatStrip     *self) {
  const MapState *state = tophash_session_get_state (session);

  if (what
      & (SESSION_CHANGE_CURSOR | SESSION_CHANGE_LENGTH | SESSION_CHANGE_RANGE
         | SESSION_CHANGE_LOG)) {
    if (tophash_session_needs_ticks (session))
      cached_picture_drop_soon (&self->picture);
    else
      cached_picture_drop (&self->picture);
  }
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
  cached_picture_clear (&self->picture);
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
  cached_picture_init (&self->picture, GTK_WIDGET (self), &picture_kind,
                       REFRESH_US);
}

GtkWidget *
tophash_stat_strip_new (void) {
  return g_object_new (TOPHASH_TYPE_STAT_STRIP, NULL);
}

void
tophash_stat_strip_set_session (TophashStatStrip *self,
                                TophashSession   *session) {
  g_return_if_fail (TOPHASH_IS_STAT_STRIP (self));

  if (!session_link (&self->session, &self->changed_id, session,
                     G_CALLBACK (changed_cb), self))
    return;
  cached_picture_drop (&self->picture);
}

void
tophash_stat_strip_set_low (TophashStatStrip *self,
                            gboolean          is_low) {
  g_return_if_fail (TOPHASH_IS_STAT_STRIP (self));

  if (self->is_low == is_low)
    return;
  self->is_low = is_low;
  gtk_widget_queue_resize (GTK_WIDGET (self));
}
