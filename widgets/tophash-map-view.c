/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-map-view.c — the stage of a session as a widget
 *
 * Lays out the session's state for its width, has what is visible of it painted
 * and turns pointer and keys into a selection. It lives in a viewport: its height
 * follows from its width, and the size of slots from the height the viewport
 * has, so that a stage that can be seen whole is.
 *
 * Layout      one StageLayout per state and size, made when first needed and
 *             dropped when either changes; one more of a width that GTK asks
 *             about, which mostly is the next one.
 * Motion      a promotion keeps the layout it came from for TRANSITION_US and
 *             draws both by a tick callback; further states during that time
 *             only change where it goes to. Only a single promotion between
 *             two pictures glides, only after a rest since the last one, and
 *             never while pictures come late. Nothing ticks otherwise.
 * Narrow      below NARROW_WIDTH read and dirty have no room beside each other:
 *             one is shown, and a switch above the stage says which.
 * Painting    tophash-map-view-paint.c
 * Input       tophash-map-view-input.c
 * Words       for those who listen: tophash-map-view-words.c
 */
#include "widgets/tophash-map-view-private.h"

#include "widgets/paint-syncmap.h"
#include "widgets/slot-words.h"
#include "widgets/strip-words.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <math.h>

#define MIN_WIDTH 320
#define NARROW_WIDTH 600
#define NATURAL_WIDTH 760
#define EMPTY_HEIGHT 240
#define SWITCH_GAP 8
#define SCALED_LEAST 340.0 /* of a layout that is made larger with the text */
#define TRANSITION_US 300000
#define TRANSITION_REST_US 1000000
#define ZOOM_MOST (STAGE_N_ZOOMS - 1)


G_DEFINE_FINAL_TYPE (TophashMapView, tophash_map_view, GTK_TYPE_WIDGET)

static const MapState *
get_state (TophashMapView *self) {
  return self->session != NULL ? tophash_session_get_state (self->session)
                               : NULL;
}

static gboolean
is_switched (TophashMapView *self,
             int             width) {
  return width < NARROW_WIDTH && get_state (self) != NULL
         && map_state_has_read_and_dirty (get_state (self));
}

static int
top_for (TophashMapView *self,
         int             width) {
  int height = 0;

  if (is_switched (self, width))
    gtk_widget_measure (self->tables, GTK_ORIENTATION_VERTICAL, -1, NULL,
                        &height, NULL, NULL);
  return MAP_VIEW_MARGIN + (height > 0 ? height + SWITCH_GAP : 0);
}

int
tophash_map_view_get_top (TophashMapView *self) {
  return top_for (self, gtk_widget_get_width (GTK_WIDGET (self)));
}

static double
get_text_scale (TophashMapView *self) {
  return tophash_draw_text_scale (
    gtk_widget_get_pango_context (GTK_WIDGET (self)));
}

/* Large text makes all of the stage larger, as far as its width allows. */
static double
scale_for (TophashMapView *self,
           int             width) {
  return CLAMP (get_text_scale (self), 1, MAX (1, width / SCALED_LEAST));
}

double
tophash_map_view_get_scale (TophashMapView *self) {
  return scale_for (self, gtk_widget_get_width (GTK_WIDGET (self)));
}

void
tophash_map_view_hit (TophashMapView *self,
                      double          x,
                      double          y,
                      StageHit       *hit) {
  double scale = tophash_map_view_get_scale (self);

  stage_layout_hit (self->layout, (x - MAP_VIEW_MARGIN) / scale,
                    (y - tophash_map_view_get_top (self)) / scale, hit);
}

/* Room for @layout at @width, in pixels. */
static int
height_of (TophashMapView    *self,
           const StageLayout *layout,
           int                width) {
  return (int)ceil (layout->height * scale_for (self, width))
         + top_for (self, width) + MAP_VIEW_MARGIN;
}

static StageLayout *
new_layout (TophashMapView *self,
            int             width) {
  int room = self->fit_height - top_for (self, width) - MAP_VIEW_MARGIN;
  double scale = scale_for (self, width);
  StageOptions options = {
    .width = floor ((MAX (width, MIN_WIDTH) - 2 * MAP_VIEW_MARGIN) / scale),
    .fit_height = MAX (0, room) / scale,
    .shown = !is_switched (self, width)                   ? STAGE_BOTH
             : gtk_toggle_button_get_active (self->dirty) ? STAGE_DIRTY
                                                          : STAGE_READ,
    .zoom = tophash_session_get_zoom (self->session),
    .text_scale = 1,
  };
  const TophashSelection *selection
    = tophash_session_get_selection (self->session);

  if (selection->kind == SELECTION_SHARD)
    options.shard = selection->item + 1;
  options.has_key = selection->kind == SELECTION_SLOT && selection->has_key;
  options.key = selection->key;
  return stage_layout_new (get_state (self), &options);
}

/* For a width that is only asked about, until it is the widget's. */
static const StageLayout *
layout_for (TophashMapView *self,
            int             width) {
  if (self->layout != NULL && self->layout_width == width)
    return self->layout;
  if (self->asked == NULL || self->asked_width != width) {
    g_clear_pointer (&self->asked, stage_layout_unref);
    self->asked = new_layout (self, width);
    self->asked_width = width;
  }
  return self->asked;
}

StageLayout *
tophash_map_view_get_layout (TophashMapView *self) {
  int width = gtk_widget_get_width (GTK_WIDGET (self));

  if (get_state (self) == NULL)
    return NULL;
  if (self->layout == NULL || self->layout_width != width) {
    g_clear_pointer (&self->layout, stage_layout_unref);
    layout_for (self, width);
    self->layout = g_steal_pointer (&self->asked);
    self->layout_width = width;
    cached_picture_outdate (&self->picture);
    self->hover = (StageHit) { 0 };
    if (self->is_hovered)
      tophash_map_view_hit (self, self->hover_x, self->hover_y, &self->hover);
  }
  return self->layout;
}

static void
drop_layout (TophashMapView *self) {
  g_clear_pointer (&self->layout, stage_layout_unref);
  g_clear_pointer (&self->asked, stage_layout_unref);
  self->hover = (StageHit) { 0 };
}

static void
end_transition (TophashMapView *self) {
  if (self->tick_id != 0)
    gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->tick_id);
  if (self->tick_id != 0)
    self->ended_us = g_get_monotonic_time ();
  self->tick_id = 0;
  self->progress = 1;
  if (self->previous != NULL)
    cached_picture_outdate (&self->picture);
  g_clear_pointer (&self->previous, stage_layout_unref);
}

static gboolean
tick_cb (GtkWidget     *widget,
         GdkFrameClock *clock,
         gpointer       data) {
  TophashMapView *self = TOPHASH_MAP_VIEW (widget);
  gint64 now_us = gdk_frame_clock_get_frame_time (clock);
  double share;

  if (self->began_us == 0)
    self->began_us = now_us;
  share = (double)(now_us - self->began_us) / TRANSITION_US;
  tophash_map_view_redraw (self);
  if (share >= 1) {
    end_transition (self);
    return G_SOURCE_REMOVE;
  }
  self->progress = 1 - pow (1 - share, 3);
  return G_SOURCE_CONTINUE;
}

static void
begin_transition (TophashMapView *self,
                  StageLayout    *from) {
  end_transition (self);
  self->previous = from;
  self->began_us = 0;
  self->progress = 0;
  self->tick_id = gtk_widget_add_tick_callback (GTK_WIDGET (self), tick_cb, NULL,
                                                NULL);
}

/* One promotion at a time, with a rest between, and no frame to catch up. */
static gboolean
may_glide (TophashMapView    *self,
           const StageLayout *from,
           const StageLayout *to) {
  gint64 now_us = g_get_monotonic_time ();

  return gtk_widget_get_mapped (GTK_WIDGET (self))
         && adw_get_enable_animations (GTK_WIDGET (self))
         && !is_switched (self, gtk_widget_get_width (GTK_WIDGET (self)))
         && !tophash_map_view_is_late (self)
         && (self->ended_us == 0
             || now_us - self->ended_us >= TRANSITION_REST_US)
         && map_state_counters (to->state)->n_promotions
              == map_state_counters (from->state)->n_promotions + 1
         && paint_syncmap_promoted (from, to);
}

static void
state_changed (TophashMapView *self,
               gboolean        is_other_log) {
  StageLayout *before = g_steal_pointer (&self->layout);
  StageLayout *now = NULL;
  double height = before != NULL ? before->height : 0;
  double width = before != NULL ? before->width : 0;

  if (is_other_log)
    end_transition (self);
  drop_layout (self);
  if (gtk_widget_get_width (GTK_WIDGET (self)) > 0)
    now = tophash_map_view_get_layout (self);
  if (now == NULL || now->height != height || now->width != width)
    gtk_widget_queue_resize (GTK_WIDGET (self));
  tophash_map_view_redraw (self);

  if (self->previous != NULL
      && (now == NULL || !paint_syncmap_promoted (self->previous, now)))
    end_transition (self);
  if (before != NULL && now != NULL && !is_other_log && self->previous == NULL
      && may_glide (self, before, now))
    begin_transition (self, before);
  else
    g_clear_pointer (&before, stage_layout_unref);
}

/* The lock that is shown may be the selected shard's, and the chain that comes
 * first the selected key's. */
static void
selection_changed (TophashMapView *self) {
  const MapState *state = get_state (self);

  if (state != NULL
      && (map_state_n_shards (state) > 0 || map_state_clock (state) > 0)) {
    end_transition (self);
    drop_layout (self);
    gtk_widget_queue_resize (GTK_WIDGET (self));
  }
  tophash_map_view_redraw (self);
}

/* Another size of slots, or another table: nothing glides there. */
static void
relayout (TophashMapView *self) {
  end_transition (self);
  drop_layout (self);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

static void
changed_cb (TophashMapView      *self,
            TophashSessionChange what) {
  if (what & SESSION_CHANGE_ZOOM)
    relayout (self);
  if (what & (SESSION_CHANGE_LOG | SESSION_CHANGE_CURSOR)) {
    if (what & SESSION_CHANGE_LOG) {
      g_free (self->key_format);
      self->key_format
        = g_strdup (tophash_session_get_key_format (self->session));
    }
    state_changed (self, (what & SESSION_CHANGE_LOG) != 0);
  } else if (what & SESSION_CHANGE_SELECTION) {
    selection_changed (self);
  }
  /* While playing, a reader would never come to the end of a sentence. */
  if ((what & (SESSION_CHANGE_SELECTION | SESSION_CHANGE_PLAY | SESSION_CHANGE_LOG))
      || ((what & SESSION_CHANGE_CURSOR)
          && !tophash_session_is_playing (self->session)
          && !tophash_session_is_following (self->session)))
    tophash_map_view_update_accessible (self);
}

static gboolean
query_tooltip (GtkWidget  *widget,
               int         x,
               int         y,
               gboolean    is_keyboard,
               GtkTooltip *tooltip) {
  TophashMapView *self = TOPHASH_MAP_VIEW (widget);
  g_autofree char *words = NULL;
  double scale = tophash_map_view_get_scale (self);
  StageRect rect;

  if (is_keyboard || tophash_map_view_get_layout (self) == NULL)
    return FALSE;
  if (self->hover.has_item
      && stage_card_item (self->hover.card, self->hover.item, &rect))
    words = strip_words_new (self->layout, &self->hover, self->key_format);
  else if (self->hover.has_slot
           && stage_card_slot (self->hover.card, self->hover.bucket,
                               self->hover.slot, &rect))
    words = slot_words_new (self->layout->state, &self->hover, self->key_format);
  if (words == NULL)
    return FALSE;
  gtk_tooltip_set_text (tooltip, words);
  gtk_tooltip_set_tip_area (tooltip,
                            &(GdkRectangle) {
                              (int)(rect.x * scale) + MAP_VIEW_MARGIN,
                              (int)(rect.y * scale)
                                + tophash_map_view_get_top (self),
                              (int)(rect.width * scale),
                              (int)(rect.height * scale) });
  return TRUE;
}

/* Where no width is told: a layout of a large table takes milliseconds, and that of
 * the present width is needed anyway. */
static int
likely_width (TophashMapView *self) {
  int width = gtk_widget_get_width (GTK_WIDGET (self));

  return width > 0 ? width : NATURAL_WIDTH;
}

static GtkSizeRequestMode
get_request_mode (GtkWidget *widget) {
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
measure (GtkWidget     *widget,
         GtkOrientation orientation,
         int            for_size,
         int           *minimum,
         int           *natural,
         int           *minimum_baseline,
         int           *natural_baseline) {
  TophashMapView *self = TOPHASH_MAP_VIEW (widget);

  *minimum_baseline = *natural_baseline = -1;
  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *minimum = MIN_WIDTH;
    if (get_state (self) != NULL
        && tophash_session_get_zoom (self->session) > 0) {
      int width = likely_width (self);

      *minimum = MAX (*minimum, (int)(layout_for (self, width)->min_width
                                      * scale_for (self, width))
                                  + 2 * MAP_VIEW_MARGIN);
    }
    *natural = MAX (*minimum, NATURAL_WIDTH);
    return;
  }
  *minimum = EMPTY_HEIGHT;
  if (get_state (self) != NULL) {
    int width = for_size > 0 ? for_size : likely_width (self);

    *minimum = height_of (self, layout_for (self, width), width);
  }
  *natural = *minimum;
}

/* Outside of the layout phase: a viewport of another height may mean another
 * size of slots, and so another height of our own. */
static gboolean
refit_cb (gpointer data) {
  TophashMapView *self = data;

  self->refit_id = 0;
  drop_layout (self);
  gtk_widget_queue_resize (GTK_WIDGET (self));
  return G_SOURCE_REMOVE;
}

static void
size_allocate (GtkWidget *widget,
               int        width,
               int        height,
               int        baseline) {
  TophashMapView *self = TOPHASH_MAP_VIEW (widget);
  int room = self->viewport != NULL ? gtk_widget_get_height (self->viewport) : 0;

  if (room > 0 && room != self->fit_height) {
    self->fit_height = room;
    if (self->refit_id == 0)
      self->refit_id = g_idle_add_full (G_PRIORITY_HIGH_IDLE, refit_cb, self,
                                        NULL);
  }
  if (width != self->layout_width)
    end_transition (self);
  gtk_widget_set_child_visible (self->tables, is_switched (self, width));
  if (is_switched (self, width)) {
    int least;
    int natural;

    gtk_widget_measure (self->tables, GTK_ORIENTATION_HORIZONTAL, -1, &least,
                        &natural, NULL, NULL);
    natural = MAX (least, MIN (natural * 2, width));
    gtk_widget_size_allocate (self->tables,
                              &(GtkAllocation) {
                                (width - natural) / 2, MAP_VIEW_MARGIN, natural,
                                top_for (self, width) - MAP_VIEW_MARGIN
                                  - SWITCH_GAP },
                              -1);
  }
}

static void
map (GtkWidget *widget) {
  TophashMapView *self = TOPHASH_MAP_VIEW (widget);
  GtkScrollable *scrollable;

  GTK_WIDGET_CLASS (tophash_map_view_parent_class)->map (widget);
  self->viewport = gtk_widget_get_ancestor (widget, GTK_TYPE_VIEWPORT);
  if (self->viewport == NULL)
    return;
  /* A press takes the focus: the stage must not slide from under it. */
  gtk_viewport_set_scroll_to_focus (GTK_VIEWPORT (self->viewport), FALSE);
  scrollable = GTK_SCROLLABLE (self->viewport);
  g_signal_connect_object (gtk_scrollable_get_vadjustment (scrollable),
                           "value-changed", G_CALLBACK (gtk_widget_queue_draw),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (gtk_scrollable_get_hadjustment (scrollable),
                           "value-changed", G_CALLBACK (gtk_widget_queue_draw),
                           self, G_CONNECT_SWAPPED);
  gtk_widget_queue_allocate (widget);
}

static void
unmap (GtkWidget *widget) {
  TophashMapView *self = TOPHASH_MAP_VIEW (widget);

  end_transition (self);
  if (self->viewport != NULL) {
    GtkScrollable *scrollable = GTK_SCROLLABLE (self->viewport);

    g_signal_handlers_disconnect_by_func (
      gtk_scrollable_get_vadjustment (scrollable), gtk_widget_queue_draw, self);
    g_signal_handlers_disconnect_by_func (
      gtk_scrollable_get_hadjustment (scrollable), gtk_widget_queue_draw, self);
    self->viewport = NULL;
  }
  GTK_WIDGET_CLASS (tophash_map_view_parent_class)->unmap (widget);
}

static void
css_changed (GtkWidget         *widget,
             GtkCssStyleChange *change) {
  GTK_WIDGET_CLASS (tophash_map_view_parent_class)->css_changed (widget, change);
  tophash_map_view_drop_draw (TOPHASH_MAP_VIEW (widget));
}

static void
system_setting_changed (GtkWidget       *widget,
                        GtkSystemSetting setting) {
  GTK_WIDGET_CLASS (tophash_map_view_parent_class)
    ->system_setting_changed (widget, setting);
  tophash_map_view_drop_draw (TOPHASH_MAP_VIEW (widget));
}

static void
dispose (GObject *object) {
  TophashMapView *self = TOPHASH_MAP_VIEW (object);

  g_clear_handle_id (&self->refit_id, g_source_remove);
  end_transition (self);
  drop_layout (self);
  if (self->session != NULL)
    g_clear_signal_handler (&self->changed_id, self->session);
  g_clear_object (&self->session);
  tophash_map_view_clear_picture (self);
  g_clear_pointer (&self->tables, gtk_widget_unparent);
  G_OBJECT_CLASS (tophash_map_view_parent_class)->dispose (object);
}

static void
finalize (GObject *object) {
  g_free (TOPHASH_MAP_VIEW (object)->key_format);
  G_OBJECT_CLASS (tophash_map_view_parent_class)->finalize (object);
}

static void
tophash_map_view_class_init (TophashMapViewClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = dispose;
  G_OBJECT_CLASS (klass)->finalize = finalize;
  widget_class->get_request_mode = get_request_mode;
  widget_class->measure = measure;
  widget_class->size_allocate = size_allocate;
  widget_class->snapshot = tophash_map_view_snapshot;
  widget_class->map = map;
  widget_class->unmap = unmap;
  widget_class->css_changed = css_changed;
  widget_class->system_setting_changed = system_setting_changed;
  widget_class->query_tooltip = query_tooltip;
  gtk_widget_class_set_css_name (widget_class, "mapview");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
add_switch (TophashMapView *self) {
  GtkWidget *read = gtk_toggle_button_new_with_label (_("read"));
  GtkWidget *dirty = gtk_toggle_button_new_with_label (_("dirty"));

  self->tables = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  self->dirty = GTK_TOGGLE_BUTTON (dirty);
  gtk_widget_add_css_class (self->tables, "linked");
  gtk_box_set_homogeneous (GTK_BOX (self->tables), TRUE);
  gtk_toggle_button_set_group (GTK_TOGGLE_BUTTON (dirty),
                               GTK_TOGGLE_BUTTON (read));
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (read), TRUE);
  gtk_box_append (GTK_BOX (self->tables), read);
  gtk_box_append (GTK_BOX (self->tables), dirty);
  gtk_widget_set_child_visible (self->tables, FALSE);
  gtk_widget_set_parent (self->tables, GTK_WIDGET (self));
  g_signal_connect_swapped (dirty, "toggled", G_CALLBACK (relayout), self);
}

static void
tophash_map_view_init (TophashMapView *self) {
  self->progress = 1;
  tophash_map_view_add_picture (self);
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  add_switch (self);
  tophash_map_view_add_input (self);
  g_signal_connect_swapped (self, "state-flags-changed",
                            G_CALLBACK (tophash_map_view_redraw), self);
}

GtkWidget *
tophash_map_view_new (void) {
  return g_object_new (TOPHASH_TYPE_MAP_VIEW, NULL);
}

void
tophash_map_view_set_session (TophashMapView *self,
                              TophashSession *session) {
  g_return_if_fail (TOPHASH_IS_MAP_VIEW (self));

  if (self->session == session)
    return;
  if (self->session != NULL)
    g_clear_signal_handler (&self->changed_id, self->session);
  g_set_object (&self->session, session);
  if (session != NULL) {
    self->changed_id = g_signal_connect_swapped (session, "changed",
                                                 G_CALLBACK (changed_cb), self);
    changed_cb (self, SESSION_CHANGE_LOG);
  } else {
    state_changed (self, TRUE);
  }
}

void
tophash_map_view_zoom (TophashMapView *self,
                       int             steps) {
  const StageLayout *layout;

  g_return_if_fail (TOPHASH_IS_MAP_VIEW (self));

  layout = tophash_map_view_get_layout (self);
  if (layout == NULL)
    return;
  /* From what is shown: a clamped step would have to be taken back twice. */
  if (steps != 0)
    steps = CLAMP (layout->zoom_index + steps, 0, ZOOM_MOST) - layout->fit_index;
  tophash_session_set_zoom (self->session, steps);
}

gboolean
tophash_map_view_is_far (TophashMapView *self) {
  const StageLayout *layout;

  g_return_val_if_fail (TOPHASH_IS_MAP_VIEW (self), FALSE);

  layout = tophash_map_view_get_layout (self);
  return layout != NULL && layout->zoom_index == 0;
}
