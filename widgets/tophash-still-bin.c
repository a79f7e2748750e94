/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-still-bin.c — a child that seldom changes, kept as one image
 *
 * Where no graphics card draws, GTK goes through all that a window shows in every
 * frame, however little of it has changed: letters, rounded corners and shadows of
 * a pane at rest cost 2 ms each time the map beside it moves. The bin draws its
 * child once into an image when it has been at rest for REST_MS, and shows that
 * until the child changes; then the child itself is shown at once.
 *
 * GTK keeps a widget's node for as long as nothing in the widget changes, so the
 * same node means the same picture; only the move to a child's place (a margin, say)
 * is a new one each time. A renderer that keeps pictures itself has no
 * use for this, and gets the child.
 *
 * Invariants  S1  image is NULL or drawn from live
 *             S2  live is what the child showed last
 */
#include "widgets/tophash-still-bin.h"

#define REST_MS 100
#define SIDE_MOST_PX 4096

struct _TophashStillBin {
  GtkWidget parent_instance;

  /* Owned */
  GtkWidget     *child;
  GskRenderNode *live;  /* NULL: nothing is shown */
  GskRenderNode *image; /* NULL: none yet */
  guint          rest_id;
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

/* (transfer full), NULL: there is no memory for it. */
static GskRenderNode *
image_new (GskRenderNode *node,
           int            scale) {
  GskRenderNode *image = NULL;
  cairo_surface_t *surface;
  graphene_rect_t bounds;
  cairo_t *cr;

  gsk_render_node_get_bounds (node, &bounds);
  graphene_rect_round_extents (&bounds, &bounds);
  if (bounds.size.width > SIDE_MOST_PX || bounds.size.height > SIDE_MOST_PX)
    return NULL;
  surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32,
                                        (int)bounds.size.width * scale,
                                        (int)bounds.size.height * scale);
  cairo_surface_set_device_scale (surface, scale, scale);
  cr = cairo_create (surface);
  cairo_translate (cr, -bounds.origin.x, -bounds.origin.y);
  gsk_render_node_draw (node, cr);
  cairo_destroy (cr);
  if (cairo_surface_status (surface) == CAIRO_STATUS_SUCCESS) {
    image = gsk_cairo_node_new (&bounds);
    cr = gsk_cairo_node_get_draw_context (image);
    cairo_set_source_surface (cr, surface, bounds.origin.x, bounds.origin.y);
    cairo_paint (cr);
    cairo_destroy (cr);
  }
  cairo_surface_destroy (surface);
  return image;
}

static gboolean
is_same_picture (GskRenderNode *a,
                 GskRenderNode *b) {
  if (a == b || a == NULL || b == NULL)
    return a == b;
  return gsk_render_node_get_node_type (a) == GSK_TRANSFORM_NODE
         && gsk_render_node_get_node_type (b) == GSK_TRANSFORM_NODE
         && gsk_transform_equal (gsk_transform_node_get_transform (a),
                                 gsk_transform_node_get_transform (b))
         && is_same_picture (gsk_transform_node_get_child (a),
                             gsk_transform_node_get_child (b));
}

static gboolean
rest_cb (gpointer data) {
  TophashStillBin *self = data;

  self->rest_id = 0;
  if (self->live != NULL)
    self->image = image_new (self->live,
                             gtk_widget_get_scale_factor (GTK_WIDGET (self)));
  gtk_widget_queue_draw (GTK_WIDGET (self));
  return G_SOURCE_REMOVE;
}

static void
forget (TophashStillBin *self) {
  g_clear_handle_id (&self->rest_id, g_source_remove);
  g_clear_pointer (&self->image, gsk_render_node_unref);
  g_clear_pointer (&self->live, gsk_render_node_unref);
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
  if (is_same_picture (node, self->live)) {
    g_clear_pointer (&node, gsk_render_node_unref);
  } else {
    forget (self);
    self->live = node;
    if (node != NULL && is_drawn_each_time (widget))
      self->rest_id = g_timeout_add_full (G_PRIORITY_LOW, REST_MS, rest_cb, self,
                                          NULL);
  }
  if (self->live != NULL)
    gtk_snapshot_append_node (snapshot,
                              self->image != NULL ? self->image : self->live);
}

static void
tophash_still_bin_unmap (GtkWidget *widget) {
  GTK_WIDGET_CLASS (tophash_still_bin_parent_class)->unmap (widget);
  forget (TOPHASH_STILL_BIN (widget));
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

  forget (self);
  g_clear_pointer (&self->child, gtk_widget_unparent);
  G_OBJECT_CLASS (tophash_still_bin_parent_class)->dispose (object);
}

static void
tophash_still_bin_class_init (TophashStillBinClass *klass) {
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = tophash_still_bin_dispose;
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
}

gboolean
tophash_still_bin_is_still (TophashStillBin *self) {
  g_return_val_if_fail (TOPHASH_IS_STILL_BIN (self), FALSE);

  return self->image != NULL;
}
