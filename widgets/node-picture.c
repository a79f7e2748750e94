/* SPDX-License-Identifier: GPL-3.0-or-later */

/* node-picture.c — what a widget shows as an image, brought up to date by and by
 *
 * Where no graphics card draws, a pane full of rows, rounded corners and shadows
 * takes 4 ms each time it is drawn, however little of it has changed. An image of it
 * takes a tenth of a millisecond; but to make one takes as long as to draw the pane,
 * which is more than one turn of the main loop should do. So the image is kept, only
 * what differs from it is painted anew, and that a few nodes at a time.
 *
 * Leaves      The tree of nodes, taken apart: what draws, in its order, each with
 *             where it is and what of it is seen. Transforms other than moving and
 *             scaling, rounded clips and groups count as one leaf with all in them.
 *
 * Change      Leaves that are in the picture and no longer in the tree, or in the
 *             tree and not in the picture, are the damage: one walk through both in
 *             their order, which looks AHEAD leaves ahead for a match.
 *
 * Painting    The damage is cleared, then all leaves that touch it are drawn, clipped
 *             to it. The image is shown when that is done, never in between: cairo
 *             keeps a shown image as it was when it is painted on.
 *
 * Invariants  N1  outside of damage, surface shows leaves
 *             N2  is_painting while damage is not empty; then the leaves before at
 *                 have been drawn in damage
 *             N3  image is NULL or what surface was when damage last became empty
 */
#include "widgets/node-picture.h"

#include "widgets/node-equal.h"

#include <string.h>

#define SIDE_MOST_PX 4096
#define AHEAD 48
/* Rectangles of damage; more are taken together. */
#define DAMAGE_MOST 12

typedef struct {
  float scale_x, scale_y;
  float dx, dy;
} Place;

typedef struct {
  GskRenderNode        *node; /* a reference */
  Place                 place;
  graphene_rect_t       clip; /* of the picture */
  cairo_rectangle_int_t area; /* of the picture: all that it draws */
} Leaf;

struct _NodePicture {
  GArray                *leaves; /* of Leaf */
  GskRenderNode         *wanted; /* NULL: what leaves are of */
  int                    wanted_scale;
  cairo_surface_t       *surface; /* NULL: nothing is to be seen */
  cairo_rectangle_int_t  all;     /* what surface shows of the widget's plane */
  int                    scale;
  cairo_region_t        *damage;
  guint                  at;
  gboolean               is_painting;
  GskRenderNode         *image;
};

static void
leaf_clear (gpointer data) {
  gsk_render_node_unref (((Leaf *)data)->node);
}

static GArray *
leaves_new (void) {
  GArray *leaves = g_array_new (FALSE, FALSE, sizeof (Leaf));

  g_array_set_clear_func (leaves, leaf_clear);
  return leaves;
}

/* Taking apart ------------------------------------------------------------- */

static void
place_rect (const Place           *place,
            const graphene_rect_t *rect,
            graphene_rect_t       *placed) {
  graphene_rect_init (placed, rect->origin.x * place->scale_x + place->dx,
                      rect->origin.y * place->scale_y + place->dy,
                      rect->size.width * place->scale_x,
                      rect->size.height * place->scale_y);
}

/* FALSE: it turns or slants. */
static gboolean
add_place (const Place *place,
           GskTransform *transform,
           Place        *both) {
  float dx, dy, scale_x, scale_y;

  if (gsk_transform_get_category (transform)
      < GSK_TRANSFORM_CATEGORY_2D_AFFINE)
    return FALSE;
  gsk_transform_to_affine (transform, &scale_x, &scale_y, &dx, &dy);
  *both = (Place) {
    .scale_x = place->scale_x * scale_x,
    .scale_y = place->scale_y * scale_y,
    .dx = place->dx + place->scale_x * dx,
    .dy = place->dy + place->scale_y * dy,
  };
  return TRUE;
}

/* A pixel around: strokes and letters that are not at whole pixels. */
static void
round_out (const graphene_rect_t *rect,
           cairo_rectangle_int_t *area) {
  graphene_rect_t round;

  graphene_rect_round_extents (rect, &round);
  *area = (cairo_rectangle_int_t) { (int)round.origin.x - 1,
                                    (int)round.origin.y - 1,
                                    (int)round.size.width + 2,
                                    (int)round.size.height + 2 };
}

static void
add_leaf (GArray                *leaves,
          GskRenderNode         *node,
          const Place           *place,
          const graphene_rect_t *clip) {
  Leaf leaf = { .place = *place, .clip = *clip };
  graphene_rect_t bounds;

  gsk_render_node_get_bounds (node, &bounds);
  place_rect (place, &bounds, &bounds);
  if (!graphene_rect_intersection (&bounds, clip, &bounds))
    return;
  leaf.node = gsk_render_node_ref (node);
  round_out (&bounds, &leaf.area);
  g_array_append_val (leaves, leaf);
}

static void
take_apart (GArray                *leaves,
            GskRenderNode         *node,
            const Place           *place,
            const graphene_rect_t *clip) {
  GskRenderNodeType kind = gsk_render_node_get_node_type (node);
  graphene_rect_t inner;
  Place moved;

  if (kind == GSK_CONTAINER_NODE) {
    for (guint i = 0; i < gsk_container_node_get_n_children (node); i++)
      take_apart (leaves, gsk_container_node_get_child (node, i), place, clip);
  } else if (kind == GSK_DEBUG_NODE) {
    take_apart (leaves, gsk_debug_node_get_child (node), place, clip);
  } else if (kind == GSK_TRANSFORM_NODE
             && add_place (place, gsk_transform_node_get_transform (node),
                           &moved)) {
    take_apart (leaves, gsk_transform_node_get_child (node), &moved, clip);
  } else if (kind == GSK_CLIP_NODE) {
    place_rect (place, gsk_clip_node_get_clip (node), &inner);
    if (graphene_rect_intersection (&inner, clip, &inner))
      take_apart (leaves, gsk_clip_node_get_child (node), place, &inner);
  } else {
    add_leaf (leaves, node, place, clip);
  }
}

/* Comparing ---------------------------------------------------------------- */

static gboolean
leaves_equal (const Leaf *a,
              const Leaf *b) {
  return memcmp (&a->area, &b->area, sizeof a->area) == 0
         && memcmp (&a->place, &b->place, sizeof a->place) == 0
         && memcmp (&a->clip, &b->clip, sizeof a->clip) == 0
         && node_equal (a->node, b->node);
}

/* The first of @leaves from @from on that is @leaf; as many as there are: none. */
static guint
find_leaf (GArray     *leaves,
           guint       from,
           const Leaf *leaf) {
  for (guint i = from; i < leaves->len && i < from + AHEAD; i++)
    if (leaves_equal (&g_array_index (leaves, Leaf, i), leaf))
      return i;
  return leaves->len;
}

static void
add_damage (NodePicture *self,
            GArray      *now) {
  guint at = 0;

  for (guint i = 0; i < now->len; i++) {
    const Leaf *leaf = &g_array_index (now, Leaf, i);
    guint found = find_leaf (self->leaves, at, leaf);

    if (found == self->leaves->len) {
      cairo_region_union_rectangle (self->damage, &leaf->area);
      continue;
    }
    for (; at < found; at++)
      cairo_region_union_rectangle (
        self->damage, &g_array_index (self->leaves, Leaf, at).area);
    at = found + 1;
  }
  for (; at < self->leaves->len; at++)
    cairo_region_union_rectangle (self->damage,
                                  &g_array_index (self->leaves, Leaf, at).area);
}

/* Painting ----------------------------------------------------------------- */

static void
make_surface (NodePicture                 *self,
              const cairo_rectangle_int_t *all,
              int                          scale) {
  g_clear_pointer (&self->surface, cairo_surface_destroy);
  g_array_set_size (self->leaves, 0);
  self->all = *all;
  self->scale = scale;
  self->surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32,
                                              all->width * scale,
                                              all->height * scale);
  cairo_surface_set_device_scale (self->surface, scale, scale);
  cairo_region_union_rectangle (self->damage, all);
}

static cairo_t *
begin_painting (NodePicture *self) {
  cairo_t *cr = cairo_create (self->surface);

  cairo_translate (cr, -self->all.x, -self->all.y);
  gdk_cairo_region (cr, self->damage);
  cairo_clip (cr);
  return cr;
}

static void
clear_damage (NodePicture *self) {
  cairo_t *cr = begin_painting (self);

  cairo_set_operator (cr, CAIRO_OPERATOR_CLEAR);
  cairo_paint (cr);
  cairo_destroy (cr);
}

/* All that @node draws, in whole pixels. */
static void
get_extents (GskRenderNode         *node,
             graphene_rect_t       *bounds,
             cairo_rectangle_int_t *all) {
  gsk_render_node_get_bounds (node, bounds);
  graphene_rect_round_extents (bounds, bounds);
  *all = (cairo_rectangle_int_t) { (int)bounds->origin.x, (int)bounds->origin.y,
                                   (int)bounds->size.width,
                                   (int)bounds->size.height };
}

static gboolean
needs_surface (NodePicture                 *self,
               const cairo_rectangle_int_t *all) {
  return self->surface == NULL || self->scale != self->wanted_scale
         || memcmp (&self->all, all, sizeof *all) != 0;
}

/* Begins with the newest that is wanted. */
static void
begin (NodePicture *self) {
  GskRenderNode *node = g_steal_pointer (&self->wanted);
  GArray *now = leaves_new ();
  const Place unmoved = { 1, 1, 0, 0 };
  cairo_rectangle_int_t all;
  graphene_rect_t bounds;

  get_extents (node, &bounds, &all);
  take_apart (now, node, &unmoved, &bounds);
  if (needs_surface (self, &all))
    make_surface (self, &all, self->wanted_scale);
  add_damage (self, now);
  cairo_region_intersect_rectangle (self->damage, &all);
  if (cairo_region_num_rectangles (self->damage) > DAMAGE_MOST) {
    cairo_rectangle_int_t extents;

    cairo_region_get_extents (self->damage, &extents);
    cairo_region_union_rectangle (self->damage, &extents);
  }
  g_array_unref (self->leaves);
  self->leaves = now;
  self->at = 0;
  self->is_painting = !cairo_region_is_empty (self->damage);
  if (self->is_painting)
    clear_damage (self);
  gsk_render_node_unref (node);
}

static void
paint_leaf (NodePicture *self,
            cairo_t     *cr,
            const Leaf  *leaf) {
  if (cairo_region_contains_rectangle (self->damage, &leaf->area)
      == CAIRO_REGION_OVERLAP_OUT)
    return;
  cairo_save (cr);
  gdk_cairo_rectangle (cr, &leaf->area);
  cairo_clip (cr);
  cairo_rectangle (cr, leaf->clip.origin.x, leaf->clip.origin.y,
                   leaf->clip.size.width, leaf->clip.size.height);
  cairo_clip (cr);
  cairo_translate (cr, leaf->place.dx, leaf->place.dy);
  cairo_scale (cr, leaf->place.scale_x, leaf->place.scale_y);
  gsk_render_node_draw (leaf->node, cr);
  cairo_restore (cr);
}

/* The image as a node; its drawing refers to the image and copies nothing. */
static void
show_surface (NodePicture *self) {
  GskRenderNode *image;
  cairo_t *cr;

  cairo_region_destroy (self->damage);
  self->damage = cairo_region_create ();
  self->is_painting = FALSE;
  if (cairo_surface_status (self->surface) != CAIRO_STATUS_SUCCESS)
    return;
  image = gsk_cairo_node_new (&GRAPHENE_RECT_INIT (
    (float)self->all.x, (float)self->all.y, (float)self->all.width,
    (float)self->all.height));
  cr = gsk_cairo_node_get_draw_context (image);
  cairo_set_source_surface (cr, self->surface, self->all.x, self->all.y);
  cairo_paint (cr);
  cairo_destroy (cr);
  g_clear_pointer (&self->image, gsk_render_node_unref);
  self->image = image;
}

static void
paint_until (NodePicture *self,
             gint64       until_us) {
  cairo_t *cr = begin_painting (self);

  do
    if (self->at < self->leaves->len)
      paint_leaf (self, cr, &g_array_index (self->leaves, Leaf, self->at++));
  while (self->at < self->leaves->len && g_get_monotonic_time () < until_us);
  cairo_destroy (cr);
  if (self->at == self->leaves->len)
    show_surface (self);
}

static void
forget (NodePicture *self) {
  g_array_set_size (self->leaves, 0);
  g_clear_pointer (&self->wanted, gsk_render_node_unref);
  g_clear_pointer (&self->surface, cairo_surface_destroy);
  g_clear_pointer (&self->image, gsk_render_node_unref);
  cairo_region_destroy (self->damage);
  self->damage = cairo_region_create ();
  self->is_painting = FALSE;
}

NodePicture *
node_picture_new (void) {
  NodePicture *self = g_new0 (NodePicture, 1);

  self->leaves = leaves_new ();
  self->damage = cairo_region_create ();
  return self;
}

void
node_picture_free (NodePicture *self) {
  forget (self);
  cairo_region_destroy (self->damage);
  g_array_unref (self->leaves);
  g_free (self);
}

gboolean
node_picture_show (NodePicture   *self,
                   GskRenderNode *node,
                   int            scale) {
  graphene_rect_t bounds;

  if (node == NULL) {
    forget (self);
    return TRUE;
  }
  gsk_render_node_get_bounds (node, &bounds);
  if (bounds.size.width * (float)scale > SIDE_MOST_PX
      || bounds.size.height * (float)scale > SIDE_MOST_PX)
    return FALSE;
  gsk_render_node_ref (node);
  g_clear_pointer (&self->wanted, gsk_render_node_unref);
  self->wanted = node;
  self->wanted_scale = scale;
  return TRUE;
}

gboolean
node_picture_is_current (NodePicture *self) {
  return !self->is_painting && self->wanted == NULL;
}

gboolean
node_picture_work (NodePicture *self,
                   gint64       until_us) {
  do {
    if (!self->is_painting && self->wanted != NULL)
      begin (self);
    if (self->is_painting)
      paint_until (self, until_us);
  } while (!node_picture_is_current (self) && g_get_monotonic_time () < until_us);
  return node_picture_is_current (self);
}

gboolean
node_picture_is_other (NodePicture *self) {
  cairo_rectangle_int_t all;
  graphene_rect_t bounds;

  if (self->image == NULL)
    return TRUE;
  if (self->wanted == NULL)
    return FALSE;
  get_extents (self->wanted, &bounds, &all);
  return needs_surface (self, &all);
}

GskRenderNode *
node_picture_get_image (NodePicture *self) {
  return self->image;
}
