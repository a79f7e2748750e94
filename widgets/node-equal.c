/* SPDX-License-Identifier: GPL-3.0-or-later */

/* node-equal.c — do two render nodes draw the same?
 *
 * When anything in a widget changes, GTK makes the nodes of all that is around it
 * anew: a card's shadow is another node for each digit that changes in the card. So
 * nodes are compared by what they say, not only by what they are. Kinds that a
 * window at work seldom has are not looked into.
 */
#include "widgets/node-equal.h"

#include <string.h>

static gboolean
rects_equal (const graphene_rect_t *a,
             const graphene_rect_t *b) {
  return memcmp (a, b, sizeof *a) == 0;
}

static gboolean
rounded_equal (const GskRoundedRect *a,
               const GskRoundedRect *b) {
  return memcmp (a, b, sizeof *a) == 0;
}

static gboolean
containers_equal (GskRenderNode *a,
                  GskRenderNode *b) {
  guint n = gsk_container_node_get_n_children (a);

  if (n != gsk_container_node_get_n_children (b))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!node_equal (gsk_container_node_get_child (a, i),
                     gsk_container_node_get_child (b, i)))
      return FALSE;
  return TRUE;
}

static gboolean
borders_equal (GskRenderNode *a,
               GskRenderNode *b) {
  return rounded_equal (gsk_border_node_get_outline (a),
                        gsk_border_node_get_outline (b))
         && memcmp (gsk_border_node_get_widths (a), gsk_border_node_get_widths (b),
                    4 * sizeof (float)) == 0
         && memcmp (gsk_border_node_get_colors (a), gsk_border_node_get_colors (b),
                    4 * sizeof (GdkRGBA)) == 0;
}

static gboolean
outset_shadows_equal (GskRenderNode *a,
                      GskRenderNode *b) {
  return rounded_equal (gsk_outset_shadow_node_get_outline (a),
                        gsk_outset_shadow_node_get_outline (b))
         && gdk_rgba_equal (gsk_outset_shadow_node_get_color (a),
                            gsk_outset_shadow_node_get_color (b))
         && gsk_outset_shadow_node_get_dx (a) == gsk_outset_shadow_node_get_dx (b)
         && gsk_outset_shadow_node_get_dy (a) == gsk_outset_shadow_node_get_dy (b)
         && gsk_outset_shadow_node_get_spread (a)
              == gsk_outset_shadow_node_get_spread (b)
         && gsk_outset_shadow_node_get_blur_radius (a)
              == gsk_outset_shadow_node_get_blur_radius (b);
}

static gboolean
inset_shadows_equal (GskRenderNode *a,
                     GskRenderNode *b) {
  return rounded_equal (gsk_inset_shadow_node_get_outline (a),
                        gsk_inset_shadow_node_get_outline (b))
         && gdk_rgba_equal (gsk_inset_shadow_node_get_color (a),
                            gsk_inset_shadow_node_get_color (b))
         && gsk_inset_shadow_node_get_dx (a) == gsk_inset_shadow_node_get_dx (b)
         && gsk_inset_shadow_node_get_dy (a) == gsk_inset_shadow_node_get_dy (b)
         && gsk_inset_shadow_node_get_spread (a)
              == gsk_inset_shadow_node_get_spread (b)
         && gsk_inset_shadow_node_get_blur_radius (a)
              == gsk_inset_shadow_node_get_blur_radius (b);
}

static gboolean
texts_equal (GskRenderNode *a,
             GskRenderNode *b) {
  guint n = gsk_text_node_get_num_glyphs (a);
  const PangoGlyphInfo *glyphs_a = gsk_text_node_get_glyphs (a, NULL);
  const PangoGlyphInfo *glyphs_b = gsk_text_node_get_glyphs (b, NULL);

  if (n != gsk_text_node_get_num_glyphs (b)
      || gsk_text_node_get_font (a) != gsk_text_node_get_font (b)
      || !gdk_rgba_equal (gsk_text_node_get_color (a), gsk_text_node_get_color (b))
      || memcmp (gsk_text_node_get_offset (a), gsk_text_node_get_offset (b),
                 sizeof (graphene_point_t)) != 0)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (glyphs_a[i].glyph != glyphs_b[i].glyph
        || memcmp (&glyphs_a[i].geometry, &glyphs_b[i].geometry,
                   sizeof glyphs_a[i].geometry) != 0)
      return FALSE;
  return TRUE;
}

/* @a and @b are of one kind, and not one node. */
static gboolean
contents_equal (GskRenderNode     *a,
                GskRenderNode     *b,
                GskRenderNodeType  kind) {
  if (kind == GSK_CONTAINER_NODE)
    return containers_equal (a, b);
  if (kind == GSK_TRANSFORM_NODE)
    return gsk_transform_equal (gsk_transform_node_get_transform (a),
                                gsk_transform_node_get_transform (b))
           && node_equal (gsk_transform_node_get_child (a),
                          gsk_transform_node_get_child (b));
  if (kind == GSK_CLIP_NODE)
    return rects_equal (gsk_clip_node_get_clip (a), gsk_clip_node_get_clip (b))
           && node_equal (gsk_clip_node_get_child (a), gsk_clip_node_get_child (b));
  if (kind == GSK_ROUNDED_CLIP_NODE)
    return rounded_equal (gsk_rounded_clip_node_get_clip (a),
                          gsk_rounded_clip_node_get_clip (b))
           && node_equal (gsk_rounded_clip_node_get_child (a),
                          gsk_rounded_clip_node_get_child (b));
  if (kind == GSK_OPACITY_NODE)
    return gsk_opacity_node_get_opacity (a) == gsk_opacity_node_get_opacity (b)
           && node_equal (gsk_opacity_node_get_child (a),
                          gsk_opacity_node_get_child (b));
  if (kind == GSK_DEBUG_NODE)
    return node_equal (gsk_debug_node_get_child (a), gsk_debug_node_get_child (b));
  if (kind == GSK_COLOR_NODE)
    return gdk_rgba_equal (gsk_color_node_get_color (a),
                           gsk_color_node_get_color (b));
  if (kind == GSK_TEXTURE_NODE)
    return gsk_texture_node_get_texture (a) == gsk_texture_node_get_texture (b);
  if (kind == GSK_COLOR_MATRIX_NODE)
    return graphene_matrix_equal_fast (gsk_color_matrix_node_get_color_matrix (a),
                                       gsk_color_matrix_node_get_color_matrix (b))
           && graphene_vec4_equal (gsk_color_matrix_node_get_color_offset (a),
                                   gsk_color_matrix_node_get_color_offset (b))
           && node_equal (gsk_color_matrix_node_get_child (a),
                          gsk_color_matrix_node_get_child (b));
  if (kind == GSK_BORDER_NODE)
    return borders_equal (a, b);
  if (kind == GSK_OUTSET_SHADOW_NODE)
    return outset_shadows_equal (a, b);
  if (kind == GSK_INSET_SHADOW_NODE)
    return inset_shadows_equal (a, b);
  if (kind == GSK_TEXT_NODE)
    return texts_equal (a, b);
  return FALSE;
}

gboolean
node_equal (GskRenderNode *a,
            GskRenderNode *b) {
  GskRenderNodeType kind = gsk_render_node_get_node_type (a);
  graphene_rect_t bounds_a, bounds_b;

  if (a == b)
    return TRUE;
  if (kind != gsk_render_node_get_node_type (b))
    return FALSE;
  gsk_render_node_get_bounds (a, &bounds_a);
  gsk_render_node_get_bounds (b, &bounds_b);
  return rects_equal (&bounds_a, &bounds_b) && contents_equal (a, b, kind);
}
