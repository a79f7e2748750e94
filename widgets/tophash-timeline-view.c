/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-timeline-view.c — lanes, landmarks, density and the playhead
 *
 * The picture under the playhead is a cached one, made anew when the
 * log grew, the visible span changed or the size or colours did; while a run is
 * live at most every REFRESH_US, so that a busy log costs the main thread a
 * fixed share. The playhead is drawn over it each time.
 *
 * Pointer     press or drag: scrub; on a flag: to its bookmark. Wheel: zoom about the
 *             pointer. Shift+wheel or a sideways wheel: pan. Double click: show all.
 * Keys        + − zoom about the playhead, 0 shows all; stepping and playing
 *             are the window's.
 */
#include "widgets/tophash-timeline-view.h"

#include "widgets/cached-picture.h"
#include "widgets/event-words.h"
#include "widgets/paint-finds.h"
#include "widgets/paint-lanes.h"
#include "widgets/session-link.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>

#define REFRESH_US 100000
#define MIN_SPAN_NS 1000
#define MAX_FULL_LANES 6

struct _TophashTimelineView {
  GtkWidget parent_instance;

  /* Owned */
  TophashSession *session;
  CachedPicture   picture;

  gulong   changed_id;
  gboolean is_low;
  double   pointer_x;     /* where the pointer was last seen; scrolling has no
                           * place of its own */
};

G_DEFINE_FINAL_TYPE (TophashTimelineView, tophash_timeline_view, GTK_TYPE_WIDGET)

static Timeline *
get_timeline (TophashTimelineView *self) {
  return self->session == NULL ? NULL
                               : tophash_session_get_timeline (self->session);
}

static guint
count_lanes (TophashTimelineView *self) {
  TraceLog *log = self->session == NULL
                      ? NULL
                      : tophash_session_get_log (self->session);

  return log == NULL ? 0 : MIN (tracelog_get_info (log)->n_threads, 64);
}

static double
get_text_scale (TophashTimelineView *self) {
  return tophash_draw_text_scale (
      gtk_widget_get_pango_context (GTK_WIDGET (self)));
}

static void
get_geometry (TophashTimelineView *self,
              LanesGeometry       *geometry) {
  gint64 from_ns = 0, to_ns = 1;
  guint n_lanes = count_lanes (self);

  if (self->session != NULL)
    tophash_session_get_range (self->session, &from_ns, &to_ns);
  lanes_geometry_init (geometry, gtk_widget_get_width (GTK_WIDGET (self)),
                       n_lanes, from_ns, to_ns, get_text_scale (self),
                       self->is_low || n_lanes > MAX_FULL_LANES);
}

/* What the picture is of. */
typedef struct {
  Timeline       *timeline;
  LanesGeometry   geometry;
  TimelineSearch *search; /* NULL: none */
  TraceNotes     *notes;  /* the same */
  MarkerFacts     markers;
  gboolean        is_empty; /* and nothing will come */
} Brief;

static gpointer
brief_new (GtkWidget *widget) {
  TophashTimelineView *self = TOPHASH_TIMELINE_VIEW (widget);
  Brief *brief;
  TimelineSearch *search;
  const TraceNotes *notes;

  if (get_timeline (self) == NULL)
    return NULL;
  brief = g_new0 (Brief, 1);
  search = tophash_session_get_search (self->session);
  notes = tophash_session_get_notes (self->session);
  brief->timeline = timeline_ref (get_timeline (self));
  get_geometry (self, &brief->geometry);
  brief->search = search == NULL ? NULL : timeline_search_ref (search);
  brief->notes = notes == NULL ? NULL : trace_notes_copy (notes);
  marker_facts_read (&brief->markers, self->session);
  brief->is_empty = tophash_session_is_empty (self->session);
  return brief;
}

static void
brief_free (gpointer data) {
  Brief *brief = data;

  g_clear_pointer (&brief->search, timeline_search_unref);
  g_clear_pointer (&brief->notes, trace_notes_free);
  marker_facts_clear (&brief->markers);
  timeline_unref (brief->timeline);
  g_free (brief);
}

/* Without events there is no time, and nothing for a ruler to measure. */
static void
paint_nothing (cairo_t              *cr,
               const LanesGeometry  *geometry,
               const TophashPalette *palette,
               TophashDraw          *draw) {
  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (draw, cr, _ ("The recording has no events"), FONT_BODY,
                     (geometry->left + geometry->right) / 2,
                     geometry->density_top + geometry->density_height / 2, 0.5,
                     0.5, geometry->right - geometry->left);
}

static void
paint_cb (cairo_t              *cr,
          const TophashPalette *palette,
          TophashDraw          *draw,
          double                width,
          double                height,
          gpointer              data) {
  const Brief *brief = data;
  const LanesGeometry *geometry = &brief->geometry;

  paint_lanes (cr, brief->timeline, geometry, palette, draw);
  paint_density (cr, brief->timeline, geometry, palette, draw);
  if (brief->is_empty)
    paint_nothing (cr, geometry, palette, draw);
  else
    paint_ruler (cr, geometry, palette, draw);
  paint_hits (cr, brief->search, geometry, palette);
  paint_bookmarks (cr, brief->notes, geometry, palette);
  paint_markers (cr, &brief->markers, geometry, palette, draw);
}

static const CachedPictureKind picture_kind = { brief_new, paint_cb, brief_free };

static void
tophash_timeline_view_snapshot (GtkWidget   *widget,
                                GtkSnapshot *snapshot) {
  TophashTimelineView *self = TOPHASH_TIMELINE_VIEW (widget);
  LanesGeometry geometry;
  const MapState *state;
  cairo_t *cr;

  if (get_timeline (self) == NULL)
    return;
  get_geometry (self, &geometry);
  cached_picture_snapshot (&self->picture, snapshot, (int)geometry.width,
                           (int)ceil (geometry.height));

  state = tophash_session_get_state (self->session);
  if (state == NULL)
    return;
  {
    double x = lanes_x_at (&geometry, map_state_at_ns (state));
    graphene_rect_t bounds
        = GRAPHENE_RECT_INIT ((float)x - 8, 0, 16, (float)geometry.height);

    cr = gtk_snapshot_append_cairo (snapshot, &bounds);
    paint_playhead (cr, &geometry, map_state_at_ns (state),
                    cached_picture_get_palette ());
    cairo_destroy (cr);
  }
}

static void
tophash_timeline_view_measure (GtkWidget      *widget,
                               GtkOrientation  orientation,
                               int             for_size,
                               int            *minimum,
                               int            *natural,
                               int            *minimum_baseline,
                               int            *natural_baseline) {
  TophashTimelineView *self = TOPHASH_TIMELINE_VIEW (widget);

  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *minimum = 240;
    *natural = 800;
  } else {
    LanesGeometry geometry;
    guint n_lanes = count_lanes (self);

    lanes_geometry_init (&geometry, 800, MAX (n_lanes, 1), 0, 1,
                         get_text_scale (self),
                         self->is_low || n_lanes > MAX_FULL_LANES);
    *minimum = *natural = (int)geometry.height + 2;
  }
}

static void
update_accessible (TophashTimelineView *self) {
  g_autofree char *text = NULL;
  g_autofree char *sentence = NULL;
  g_autofree char *words = NULL;
  g_autofree char *at = NULL;
  const MapState *state;

  if (get_timeline (self) == NULL)
    return;
  state = tophash_session_get_state (self->session);
  at = tophash_draw_format_time (state == NULL ? 0 : map_state_at_ns (state));
  text = g_strdup_printf (
      _ ("event %" PRIu64 " of %" PRIu64 ", at %s"),
      tophash_session_get_position (self->session),
      tracelog_get_length (tophash_session_get_log (self->session)), at);
  sentence = event_words_new (self->session);
  words = sentence == NULL ? g_strdup (text) : g_strjoin (": ", text, sentence, NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, words, -1);
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            TophashTimelineView  *self) {
  if (what & SESSION_CHANGE_LOG)
    gtk_widget_queue_resize (GTK_WIDGET (self));
  if (what
      & (SESSION_CHANGE_LOG | SESSION_CHANGE_RANGE | SESSION_CHANGE_NOTES
         | SESSION_CHANGE_MARKERS))
    cached_picture_drop (&self->picture);
  else if (what & (SESSION_CHANGE_LENGTH | SESSION_CHANGE_SEARCH))
    cached_picture_drop_soon (&self->picture);
  if (what & SESSION_CHANGE_CURSOR)
    gtk_widget_queue_draw (GTK_WIDGET (self));
  /* While playing, a reader would never come to the end of a sentence. */
  if ((what & (SESSION_CHANGE_CURSOR | SESSION_CHANGE_PLAY))
      && !tophash_session_is_playing (session)
      && !tophash_session_is_following (session))
    update_accessible (self);
}

static void
zoom (TophashTimelineView *self,
      gint64               about_ns,
      double               factor) {
  gint64 from_ns, to_ns;
  double span;
  double share;
  gint64 all_ns;

  if (get_timeline (self) == NULL)
    return;
  all_ns = tophash_session_get_end_ns (self->session);
  tophash_session_get_range (self->session, &from_ns, &to_ns);
  span = (double)(to_ns - from_ns);
  share = (double)(about_ns - from_ns) / MAX (span, 1);
  span = CLAMP (span * factor, MIN_SPAN_NS, (double)all_ns);
  if (span >= (double)all_ns) {
    tophash_session_show_all (self->session);
    return;
  }
  from_ns = about_ns - (gint64)(share * span);
  from_ns = CLAMP (from_ns, 0, all_ns - (gint64)span);
  tophash_session_set_range (self->session, from_ns, from_ns + (gint64)span);
}

static void
pan (TophashTimelineView *self,
     double               share) {
  gint64 from_ns, to_ns, all_ns, by_ns;

  if (get_timeline (self) == NULL)
    return;
  all_ns = tophash_session_get_end_ns (self->session);
  tophash_session_get_range (self->session, &from_ns, &to_ns);
  by_ns = (gint64)(share * (double)(to_ns - from_ns));
  by_ns = CLAMP (by_ns, -from_ns, MAX (0, all_ns - to_ns));
  if (by_ns != 0)
    tophash_session_set_range (self->session, from_ns + by_ns, to_ns + by_ns);
}

/* TRUE: there is a flag, and the cursor is at its bookmark now. */
static gboolean
go_to_flag (TophashTimelineView *self,
            double               x,
            double               y) {
  const TraceNotes *notes;
  LanesGeometry geometry;
  guint64 id;

  if (get_timeline (self) == NULL)
    return FALSE;
  notes = tophash_session_get_notes (self->session);
  get_geometry (self, &geometry);
  id = bookmark_at (notes, &geometry, x, y);
  for (guint i = 0; id != 0 && i < notes->bookmarks->len; i++) {
    const TraceBookmark *bookmark = notes->bookmarks->pdata[i];

    if (bookmark->id == id) {
      tophash_session_seek (self->session, bookmark->position);
      return TRUE;
    }
  }
  return FALSE;
}

static void
scrub_to (TophashTimelineView *self,
          double               x) {
  LanesGeometry geometry;

  if (get_timeline (self) == NULL)
    return;
  get_geometry (self, &geometry);
  tophash_session_seek_time (self->session, lanes_time_at (&geometry, x));
}

static void
drag_begin_cb (GtkGestureDrag      *gesture,
               double               x,
               double               y,
               TophashTimelineView *self) {
  gtk_widget_grab_focus (GTK_WIDGET (self));
  if (!go_to_flag (self, x, y))
    scrub_to (self, x);
}

static void
drag_update_cb (GtkGestureDrag      *gesture,
                double               dx,
                double               dy,
                TophashTimelineView *self) {
  double x, y;

  if (gtk_gesture_drag_get_start_point (gesture, &x, &y))
    scrub_to (self, x + dx);
}

static void
pressed_cb (GtkGestureClick     *gesture,
            int                  n_press,
            double               x,
            double               y,
            TophashTimelineView *self) {
  if (n_press == 2 && self->session != NULL)
    tophash_session_show_all (self->session);
}

static void
motion_cb (GtkEventControllerMotion *controller,
           double                    x,
           double                    y,
           TophashTimelineView      *self) {
  self->pointer_x = x;
}

static gboolean
scroll_cb (GtkEventControllerScroll *controller,
           double                    dx,
           double                    dy,
           TophashTimelineView      *self) {
  GdkModifierType modifiers = gtk_event_controller_get_current_event_state (
      GTK_EVENT_CONTROLLER (controller));
  LanesGeometry geometry;

  if (get_timeline (self) == NULL)
    return GDK_EVENT_PROPAGATE;
  if (dx != 0 || (modifiers & GDK_SHIFT_MASK)) {
    pan (self, (dx != 0 ? dx : dy) * 0.1);
    return GDK_EVENT_STOP;
  }
  get_geometry (self, &geometry);
  zoom (self, lanes_time_at (&geometry, self->pointer_x), dy > 0 ? 1.25 : 0.8);
  return GDK_EVENT_STOP;
}

static gboolean
key_pressed_cb (GtkEventControllerKey *controller,
                guint                  keyval,
                guint                  keycode,
                GdkModifierType        modifiers,
                TophashTimelineView   *self) {
  const MapState *state;
  gint64 at_ns;

  if (get_timeline (self) == NULL)
    return GDK_EVENT_PROPAGATE;
  state = tophash_session_get_state (self->session);
  at_ns = state == NULL ? 0 : map_state_at_ns (state);
  if (keyval == GDK_KEY_plus || keyval == GDK_KEY_equal
      || keyval == GDK_KEY_KP_Add)
    zoom (self, at_ns, 0.5);
  else if (keyval == GDK_KEY_minus || keyval == GDK_KEY_KP_Subtract)
    zoom (self, at_ns, 2.0);
  else if (keyval == GDK_KEY_0)
    tophash_session_show_all (self->session);
  else
    return GDK_EVENT_PROPAGATE;
  return GDK_EVENT_STOP;
}

static void
tophash_timeline_view_dispose (GObject *object) {
  TophashTimelineView *self = TOPHASH_TIMELINE_VIEW (object);

  tophash_timeline_view_set_session (self, NULL);
  cached_picture_clear (&self->picture);
  G_OBJECT_CLASS (tophash_timeline_view_parent_class)->dispose (object);
}

static void
tophash_timeline_view_class_init (TophashTimelineViewClass *klass) {
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = tophash_timeline_view_dispose;
  widget_class->snapshot = tophash_timeline_view_snapshot;
  widget_class->measure = tophash_timeline_view_measure;
  gtk_widget_class_set_css_name (widget_class, "timelineview");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
tophash_timeline_view_init (TophashTimelineView *self) {
  GtkGesture *drag = gtk_gesture_drag_new ();
  GtkGesture *click = gtk_gesture_click_new ();
  GtkEventController *scroll = gtk_event_controller_scroll_new (
      GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *key = gtk_event_controller_key_new ();

  g_signal_connect (drag, "drag-begin", G_CALLBACK (drag_begin_cb), self);
  g_signal_connect (drag, "drag-update", G_CALLBACK (drag_update_cb), self);
  g_signal_connect (click, "pressed", G_CALLBACK (pressed_cb), self);
  g_signal_connect (motion, "enter", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (scroll, "scroll", G_CALLBACK (scroll_cb), self);
  g_signal_connect (key, "key-pressed", G_CALLBACK (key_pressed_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drag));
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  gtk_widget_add_controller (GTK_WIDGET (self), scroll);
  gtk_widget_add_controller (GTK_WIDGET (self), key);
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Timeline of the run"), -1);
  cached_picture_init (&self->picture, GTK_WIDGET (self), &picture_kind,
                       REFRESH_US);
}

GtkWidget *
tophash_timeline_view_new (void) {
  return g_object_new (TOPHASH_TYPE_TIMELINE_VIEW, NULL);
}

void
tophash_timeline_view_set_session (TophashTimelineView *self,
                                   TophashSession      *session) {
  g_return_if_fail (TOPHASH_IS_TIMELINE_VIEW (self));

  if (!session_link (&self->session, &self->changed_id, session,
                     G_CALLBACK (changed_cb), self))
    return;
  gtk_widget_queue_resize (GTK_WIDGET (self));
  cached_picture_drop (&self->picture);
}

void
tophash_timeline_view_set_low (TophashTimelineView *self,
                               gboolean             is_low) {
  g_return_if_fail (TOPHASH_IS_TIMELINE_VIEW (self));

  if (self->is_low == is_low)
    return;
  self->is_low = is_low;
  gtk_widget_queue_resize (GTK_WIDGET (self));
  cached_picture_drop (&self->picture);
}
