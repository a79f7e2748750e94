/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-statistics.c — what the map's work has cost, as a page
 *
 * A widget around paint-costs, as tall as its figures ask at its width. Figures
 * can only be read so fast: while the cursor moves by itself the picture is made
 * anew every REFRESH_US. Nothing is read from the state while nobody sees it.
 *
 * Keys        Up and Down scroll the page that holds it.
 */
#include "widgets/tophash-statistics.h"

#include "widgets/cached-picture.h"
#include "widgets/paint-costs.h"
#include "widgets/session-link.h"

#include <glib/gi18n.h>

#define REFRESH_US 150000
#define MIN_WIDTH 180
#define NATURAL_WIDTH 232
#define SCROLL_STEP 48

struct _TophashStatistics {
  GtkWidget parent_instance;

  /* Owned */
  TophashSession *session;
  CachedPicture   picture;

  gulong changed_id;
  guint  shape; /* of what was measured last */
};

G_DEFINE_FINAL_TYPE (TophashStatistics, tophash_statistics, GTK_TYPE_WIDGET)

/* FALSE: there is nothing to tell yet. */
static gboolean
read_costs (TophashStatistics *self,
            CostsContext      *context) {
  const MapState *state = self->session == NULL
                            ? NULL
                            : tophash_session_get_state (self->session);

  if (state == NULL)
    return FALSE;
  costs_context_read (context, state);
  return TRUE;
}

static gpointer
brief_new (GtkWidget *widget) {
  CostsContext context = { 0 };

  return read_costs (TOPHASH_STATISTICS (widget), &context)
           ? g_memdup2 (&context, sizeof context)
           : NULL;
}

static void
paint_cb (cairo_t              *cr,
          const TophashPalette *palette,
          TophashDraw          *draw,
          double                width,
          double                height,
          gpointer              brief) {
  CostsContext *context = brief;

  context->palette = palette;
  context->draw = draw;
  paint_costs (cr, context, width);
}

static const CachedPictureKind picture_kind = { brief_new, paint_cb, g_free };

static void
tophash_statistics_snapshot (GtkWidget   *widget,
                             GtkSnapshot *snapshot) {
  TophashStatistics *self = TOPHASH_STATISTICS (widget);

  cached_picture_snapshot (&self->picture, snapshot,
                           gtk_widget_get_width (widget),
                           gtk_widget_get_height (widget));
}

static GtkSizeRequestMode
tophash_statistics_get_request_mode (GtkWidget *widget) {
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
tophash_statistics_measure (GtkWidget      *widget,
                            GtkOrientation  orientation,
                            int             for_size,
                            int            *minimum,
                            int            *natural,
                            int            *minimum_baseline,
                            int            *natural_baseline) {
  TophashStatistics *self = TOPHASH_STATISTICS (widget);
  CostsContext context = { .draw = cached_picture_get_draw (&self->picture) };

  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *minimum = MIN_WIDTH;
    *natural = NATURAL_WIDTH;
    return;
  }
  *minimum = *natural = 0;
  if (!read_costs (self, &context))
    return;
  self->shape = costs_shape (&context);
  *minimum = *natural = (int)paint_costs (
    NULL, &context, for_size < 0 ? NATURAL_WIDTH : for_size);
}

/* What is seen follows the state: its height, its picture, its words. */
static void
follow (TophashStatistics *self) {
  CostsContext context = { 0 };

  if (!gtk_widget_get_mapped (GTK_WIDGET (self)) || self->session == NULL)
    return;
  if (!read_costs (self, &context)) {
    gtk_widget_queue_resize (GTK_WIDGET (self));
    return;
  }
  if (costs_shape (&context) != self->shape)
    gtk_widget_queue_resize (GTK_WIDGET (self));
  if (tophash_session_is_playing (self->session)
      || tophash_session_is_following (self->session)) {
    cached_picture_drop_soon (&self->picture);
  } else {
    g_autofree char *text = costs_to_text (&context);

    cached_picture_drop (&self->picture);
    gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                    GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                    -1);
  }
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            TophashStatistics    *self) {
  if (what & SESSION_CHANGE_LOG)
    gtk_widget_queue_resize (GTK_WIDGET (self));
  if (what & (SESSION_CHANGE_CURSOR | SESSION_CHANGE_LOG | SESSION_CHANGE_PLAY))
    follow (self);
}

static void
tophash_statistics_map (GtkWidget *widget) {
  TophashStatistics *self = TOPHASH_STATISTICS (widget);

  GTK_WIDGET_CLASS (tophash_statistics_parent_class)->map (widget);
  cached_picture_drop (&self->picture);
  follow (self);
}

static gboolean
key_pressed_cb (GtkEventControllerKey *controller,
                guint                  keyval,
                guint                  keycode,
                GdkModifierType        modifiers,
                TophashStatistics     *self) {
  GtkWidget *page
    = gtk_widget_get_ancestor (GTK_WIDGET (self), GTK_TYPE_SCROLLED_WINDOW);
  GtkAdjustment *adjustment;

  if (page == NULL || (keyval != GDK_KEY_Up && keyval != GDK_KEY_Down)
      || (modifiers & gtk_accelerator_get_default_mod_mask ()) != 0)
    return GDK_EVENT_PROPAGATE;
  adjustment
    = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (page));
  gtk_adjustment_set_value (adjustment,
                            gtk_adjustment_get_value (adjustment)
                              + (keyval == GDK_KEY_Up ? -SCROLL_STEP
                                                      : SCROLL_STEP));
  return GDK_EVENT_STOP;
}

static void
tophash_statistics_dispose (GObject *object) {
  TophashStatistics *self = TOPHASH_STATISTICS (object);

  tophash_statistics_set_session (self, NULL);
  cached_picture_clear (&self->picture);
  G_OBJECT_CLASS (tophash_statistics_parent_class)->dispose (object);
}

static void
tophash_statistics_class_init (TophashStatisticsClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tophash_statistics_dispose;
  widget_class->snapshot = tophash_statistics_snapshot;
  widget_class->measure = tophash_statistics_measure;
  widget_class->get_request_mode = tophash_statistics_get_request_mode;
  widget_class->map = tophash_statistics_map;
  gtk_widget_class_set_css_name (widget_class, "statistics");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
tophash_statistics_init (TophashStatistics *self) {
  GtkEventController *keys = gtk_event_controller_key_new ();

  g_signal_connect (keys, "key-pressed", G_CALLBACK (key_pressed_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Statistics"), -1);
  cached_picture_init (&self->picture, GTK_WIDGET (self), &picture_kind,
                       REFRESH_US);
}

GtkWidget *
tophash_statistics_new (void) {
  return g_object_new (TOPHASH_TYPE_STATISTICS, NULL);
}

void
tophash_statistics_set_session (TophashStatistics *self,
                                TophashSession    *session) {
  g_return_if_fail (TOPHASH_IS_STATISTICS (self));

  if (!session_link (&self->session, &self->changed_id, session,
                     G_CALLBACK (changed_cb), self))
    return;
  gtk_widget_queue_resize (GTK_WIDGET (self));
  cached_picture_drop (&self->picture);
}
