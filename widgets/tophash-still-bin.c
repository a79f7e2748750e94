/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-still-bin.c — a child that seldom changes, kept as one image
 *
 * Where no graphics card draws, GTK goes through all that a window shows in every
 * frame, however little of it has changed: letters, rounded corners and shadows of
 * a pane at rest cost 2 to 4 ms each time the map beside it moves, and all of that
 * in one turn. The bin shows an image of its child (node-picture.c). What changes is
 * painted into it in the same frame when that takes less than AT_ONCE_US, as for a
 * button under the pointer; or else in turns of TURN_US between frames. A pane that
 * is new, or has another size, comes a frame or two after the window, which waits for
 * none of it; nor does a frame in which several bins changed wait for each of them.
 *
 * GTK keeps a widget's node for as long as nothing in the widget changes, so the
 * same node means the same picture; only the move to a child's place (a margin, say)
 * is a new one each time. A renderer that keeps pictures itself has no use for this,
 * and gets the child.
 *
 * Invariants  S1  live is what the child showed last
 *             S2  turn_id is not 0 while picture is behind live and can be seen
 */
#include "widgets/tophash-still-bin.h"

#include "widgets/node-equal.h"
#include "widgets/node-picture.h"

#include <adwaita.h>

/* Of a frame, for all bins. */
#define AT_ONCE_US 500
#define TURN_US 1500

struct _TophashStillBin {
  GtkWidget parent_instance;

  /* Owned */
  GtkWidget     *child;
  GskRenderNode *live;  /* NULL: nothing is shown */
  NodePicture   *picture;
  gboolean       is_large; /* too much so for a picture: live is shown */
  guint          turn_id;
};

enum {
  PROP_CHILD = 1,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (TophashStillBin, tophash_still_bin, GTK_TYPE_WIDGET)

static gboolean
is_drawn_each_time (GtkWidget *widget) {
  GtkNative *native = gtk_widget_get_native (widget);

  return native != NULL && GSK_IS_CAIRO_RENDERER (gtk_native_get_renderer (native));
}

static gboolean
turn_cb (gpointer data) {
  TophashStillBin *self = data;

  if (!node_picture_work (self->picture, g_get_monotonic_time () + TURN_US))
    return G_SOURCE_CONTINUE;
  self->turn_id = 0;
  gtk_widget_queue_draw (GTK_WIDGET (self));
  return G_SOURCE_REMOVE;
}

/* What is left of AT_ONCE_US in the frame that is drawn. */
static gint64 *
get_left_us (TophashStillBin *self) {
  static gint64 frame_us, left_us;
  gint64 now_us = gdk_frame_clock_get_frame_time (
    gtk_widget_get_frame_clock (GTK_WIDGET (self)));

  if (now_us != frame_us)
    left_us = AT_ONCE_US;
  frame_us = now_us;
  return &left_us;
}

static gboolean
is_done_at_once (TophashStillBin *self) {
  gint64 *left_us = get_left_us (self);
  gint64 began_us = g_get_monotonic_time ();
  gboolean is_done;

  if (node_picture_is_current (self->picture))
    return TRUE;
  if (*left_us <= 0 || node_picture_is_other (self->picture))
    return FALSE;
  is_done = node_picture_work (self->picture, began_us + *left_us);
  *left_us -= g_get_monotonic_time () - began_us;
  return is_done;
}

/* After frames, before what nobody waits for. */
static void
bring_up_to_date (TophashStillBin *self) {
  if (self->turn_id == 0 && !is_done_at_once (self))
    self->turn_id
      = g_idle_add_full (GDK_PRIORITY_REDRAW + 1, turn_cb, self, NULL);
}

/* Takes @node over. */
static void
set_live (TophashStillBin *self,
          GskRenderNode   *node) {
  GtkWidget *widget = GTK_WIDGET (self);

  g_clear_pointer (&self->live, gsk_render_node_unref);
  self->live = node;
  self->is_large = !is_drawn_each_time (widget)
                   || !node_picture_show (self->picture, node,
                                          gtk_widget_get_scale_factor (widget));
}

static void
tophash_still_bin_snapshot (GtkWidget   *widget,
                            GtkSnapshot *snapshot) {
  TophashStillBin *self = TOPHASH_STILL_BIN (widget);
  GtkSnapshot *own;
  GskRenderNode *node;

  if (self->child == NULL)
    return;
  own = gtk_snapshot_new ();
  gtk_widget_snapshot_child (widget, self->child, own);
  node = gtk_snapshot_free_to_node (own);
  if (node != NULL && self->live != NULL && node_equal (node, self->live))
    g_clear_pointer (&node, gsk_render_node_unref);
  else
    set_live (self, node);
  if (self->live == NULL)
    return;
  if (!self->is_large)
    bring_up_to_date (self);
  node = self->is_large ? self->live : node_picture_get_image (self->picture);
  if (node != NULL)
    gtk_snapshot_append_node (snapshot, node);
}

/* The picture stays: what comes back mostly is as it was, unless the colours have
 * changed meanwhile: then nothing is shown until it is painted. */
static void
tophash_still_bin_unmap (GtkWidget *widget) {
  TophashStillBin *self = TOPHASH_STILL_BIN (widget);

  GTK_WIDGET_CLASS (tophash_still_bin_parent_class)->unmap (widget);
  g_clear_handle_id (&self->turn_id, g_source_remove);
  g_clear_pointer (&self->live, gsk_render_node_unref);
}

static void
colors_changed_cb (TophashStillBin *self) {
  if (!gtk_widget_get_mapped (GTK_WIDGET (self)))
    node_picture_show (self->picture, NULL, 1);
}

static void
set_child (TophashStillBin *self,
           GtkWidget       *child) {
  if (child == self->child)
    return;
  g_clear_pointer (&self->child, gtk_widget_unparent);
  self->child = child;
  if (child != NULL)
    gtk_widget_set_parent (child, GTK_WIDGET (self));
}

static void
tophash_still_bin_get_property (GObject    *object,
                                guint       id,
                                GValue     *value,
                                GParamSpec *pspec) {
  if (id == PROP_CHILD)
    g_value_set_object (value, TOPHASH_STILL_BIN (object)->child);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
tophash_still_bin_set_property (GObject      *object,
                                guint         id,
                                const GValue *value,
                                GParamSpec   *pspec) {
  if (id == PROP_CHILD)
    set_child (TOPHASH_STILL_BIN (object), g_value_get_object (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
tophash_still_bin_dispose (GObject *object) {
  TophashStillBin *self = TOPHASH_STILL_BIN (object);

  g_clear_handle_id (&self->turn_id, g_source_remove);
  g_clear_pointer (&self->live, gsk_render_node_unref);
  g_clear_pointer (&self->child, gtk_widget_unparent);
  G_OBJECT_CLASS (tophash_still_bin_parent_class)->dispose (object);
}

static void
tophash_still_bin_finalize (GObject *object) {
  node_picture_free (TOPHASH_STILL_BIN (object)->picture);
  G_OBJECT_CLASS (tophash_still_bin_parent_class)->finalize (object);
}

static void
tophash_still_bin_class_init (TophashStillBinClass *klass) {
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = tophash_still_bin_dispose;
  object_class->finalize = tophash_still_bin_finalize;
  object_class->get_property = tophash_still_bin_get_property;
  object_class->set_property = tophash_still_bin_set_property;
  widget_class->snapshot = tophash_still_bin_snapshot;
  widget_class->unmap = tophash_still_bin_unmap;
  props[PROP_CHILD]
      = g_param_spec_object ("child", NULL, NULL, GTK_TYPE_WIDGET,
                             G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
}

static void
tophash_still_bin_init (TophashStillBin *self) {
  AdwStyleManager *manager = adw_style_manager_get_default ();

  self->picture = node_picture_new ();
  g_signal_connect_object (manager, "notify::dark",
                           G_CALLBACK (colors_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (manager, "notify::high-contrast",
                           G_CALLBACK (colors_changed_cb), self,
                           G_CONNECT_SWAPPED);
}

gboolean
tophash_still_bin_is_still (TophashStillBin *self) {
  g_return_val_if_fail (TOPHASH_IS_STILL_BIN (self), FALSE);

  return self->live != NULL && !self->is_large && self->turn_id == 0;
}
