/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-draw.c — strokes and labels that every painter shares
 *
 * A label is one PangoLayout per font and text, kept in a table; painting the
 * same frame again shapes nothing. Keys come and go while a map runs, so the
 * table is emptied when it holds LAYOUTS_MAX of them: a frame shows far fewer.
 *
 * Sizes       All fonts are set in pixels from the interface font's own size,
 *             so that the stage follows the user's font and text scale.
 *
 * Plain text  For golden pictures a label may be drawn as a bar as wide as its
 *             count of characters says: the same bytes with any font installed.
 */
#include "widgets/tophash-draw.h"

#include <math.h>

#define LAYOUTS_MAX 4096
#define FALLBACK_FAMILY "Cantarell, Sans"
#define MONO_FAMILY "Source Code Pro, DejaVu Sans Mono, Monospace"
#define FALLBACK_SIZE_PX (11.0 * 96 / 72)
#define ELLIPSIS_ROOM 0.5

struct _TophashDraw {
  PangoContext         *context; /* owned */
  PangoFontDescription *fonts[FONT_N];
  double                sizes_px[FONT_N];
  GHashTable           *layouts; /* font digit and text to PangoLayout */
  gboolean              is_plain;
};

/* Against the interface font. */
static const struct {
  double      scale;
  PangoWeight weight;
  gboolean    is_mono;
} styles[FONT_N] = {
  [FONT_BODY] = { 0.93, PANGO_WEIGHT_NORMAL, FALSE },
  [FONT_CAPTION] = { 0.82, PANGO_WEIGHT_NORMAL, FALSE },
  [FONT_HEADING] = { 1.12, PANGO_WEIGHT_BOLD, FALSE },
  [FONT_FIGURE] = { 1.3, PANGO_WEIGHT_BOLD, FALSE },
  [FONT_MONO] = { 0.72, PANGO_WEIGHT_NORMAL, TRUE },
  [FONT_SLOT] = { 0.75, PANGO_WEIGHT_BOLD, FALSE },
};

static double
interface_size_px (PangoContext               *context,
                   const PangoFontDescription *font) {
  double size = (double)pango_font_description_get_size (font) / PANGO_SCALE;
  double dpi = pango_cairo_context_get_resolution (context);

  if (size <= 0)
    return FALLBACK_SIZE_PX;
  if (pango_font_description_get_size_is_absolute (font))
    return size;
  return size * (dpi > 0 ? dpi : 96) / 72;
}

double
tophash_draw_text_scale (PangoContext *context) {
  const PangoFontDescription *font
      = pango_context_get_font_description (context);

  return MAX (1, interface_size_px (context, font) / FALLBACK_SIZE_PX);
}

static PangoContext *
new_default_context (void) {
  PangoContext *context;
  PangoFontDescription *font;

  context = pango_font_map_create_context (pango_cairo_font_map_get_default ());
  font = pango_font_description_from_string (FALLBACK_FAMILY);
  pango_font_description_set_absolute_size (font,
                                            FALLBACK_SIZE_PX * PANGO_SCALE);
  pango_context_set_font_description (context, font);
  pango_font_description_free (font);
  return context;
}

TophashDraw *
tophash_draw_new (PangoContext *context,
                  double        text_scale) {
  TophashDraw *self = g_new0 (TophashDraw, 1);
  const PangoFontDescription *base;
  double size_px;

  self->context = context != NULL ? g_object_ref (context)
                                  : new_default_context ();
  self->layouts = g_hash_table_new_full (g_str_hash, g_str_equal,
                                         g_free, g_object_unref);
  base = pango_context_get_font_description (self->context);
  size_px = interface_size_px (self->context, base);

  for (int font = 0; font < FONT_N; font++) {
    PangoFontDescription *description = pango_font_description_copy (base);

    self->sizes_px[font] = size_px * text_scale * styles[font].scale;
    pango_font_description_set_absolute_size (
      description, self->sizes_px[font] * PANGO_SCALE);
    pango_font_description_set_weight (description, styles[font].weight);
    if (styles[font].is_mono)
      pango_font_description_set_family (description, MONO_FAMILY);
    self->fonts[font] = description;
  }
  return self;
}

void
tophash_draw_free (TophashDraw *self) {
  g_hash_table_unref (self->layouts);
  for (int font = 0; font < FONT_N; font++)
    pango_font_description_free (self->fonts[font]);
  g_object_unref (self->context);
  g_free (self);
}

void
tophash_draw_set_plain (TophashDraw *self,
                        gboolean     is_plain) {
  self->is_plain = is_plain;
}

static PangoLayout *
get_layout (TophashDraw *self,
            const char  *text,
            DrawFont     font) {
  g_autofree char *key = g_strdup_printf ("%c%s", '0' + (int)font, text);
  PangoLayout *layout = g_hash_table_lookup (self->layouts, key);

  if (layout != NULL)
    return layout;
  if (g_hash_table_size (self->layouts) >= LAYOUTS_MAX)
    g_hash_table_remove_all (self->layouts);

  layout = pango_layout_new (self->context);
  pango_layout_set_font_description (layout, self->fonts[font]);
  pango_layout_set_single_paragraph_mode (layout, TRUE);
  pango_layout_set_text (layout, text, -1);
  if (font == FONT_FIGURE || font == FONT_CAPTION) {
    PangoAttrList *attributes = pango_attr_list_new ();

    pango_attr_list_insert (attributes, pango_attr_font_features_new ("tnum"));
    pango_layout_set_attributes (layout, attributes);
    pango_attr_list_unref (attributes);
  }
  g_hash_table_insert (self->layouts, g_steal_pointer (&key), layout);
  return layout;
}

void
tophash_draw_measure (TophashDraw *self,
                      const char  *text,
                      DrawFont     font,
                      double      *width,
                      double      *height) {
  int w;
  int h;

  if (self->is_plain) {
    *width = ceil (g_utf8_strlen (text, -1) * self->sizes_px[font] * 0.54);
    *height = ceil (self->sizes_px[font] * 1.3);
    return;
  }
  pango_layout_get_size (get_layout (self, text, font), &w, &h);
  *width = (double)w / PANGO_SCALE;
  *height = (double)h / PANGO_SCALE;
}

/* A bar in the place of the letters. */
static void
draw_plain (TophashDraw *self,
            cairo_t     *cr,
            DrawFont     font,
            double       x,
            double       y,
            double       width,
            double       height) {
  double thick = styles[font].weight == PANGO_WEIGHT_BOLD ? 0.5 : 0.34;
  double bar = round (self->sizes_px[font] * thick);

  cairo_rectangle (cr, x, y + round ((height - bar) / 2), width, bar);
  cairo_fill (cr);
}

void
tophash_draw_text (TophashDraw *self,
                   cairo_t     *cr,
                   const char  *text,
                   DrawFont     font,
                   double       x,
                   double       y,
                   double       x_align,
                   double       y_align,
                   double       max_width) {
  PangoLayout *layout;
  double width;
  double height;
  gboolean is_cut;

  tophash_draw_measure (self, text, font, &width, &height);
  is_cut = max_width > 0 && width > max_width + ELLIPSIS_ROOM;
  if (is_cut)
    width = max_width;
  x = round (x - x_align * width);
  y = round (y - y_align * height);
  if (self->is_plain) {
    draw_plain (self, cr, font, x, y, width, height);
    return;
  }

  layout = get_layout (self, text, font);
  if (is_cut) {
    pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_width (layout, (int)(max_width * PANGO_SCALE));
  }
  cairo_move_to (cr, x, y);
  pango_cairo_show_layout (cr, layout);
  cairo_new_path (cr);
  if (is_cut) {
    pango_layout_set_width (layout, -1);
    pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_NONE);
  }
}

void
tophash_draw_facts (TophashDraw *self,
                    cairo_t     *cr,
                    const char  *facts,
                    DrawFont     font,
                    double       x,
                    double       y,
                    double       x_align,
                    double       y_align,
                    double       max_width) {
  g_autofree char *text = g_strdup (facts);
  double width, height;

  while (tophash_draw_measure (self, text, font, &width, &height),
         width > max_width + ELLIPSIS_ROOM) {
    char *last = g_strrstr (text, DRAW_FACTS_DIVIDER);

    if (last == NULL)
      break;
    *last = '\0';
  }
  tophash_draw_text (self, cr, text, font, x, y, x_align, y_align, max_width);
}

void
tophash_draw_rounded (cairo_t *cr,
                      double   x,
                      double   y,
                      double   width,
                      double   height,
                      double   radius) {
  double r = MIN (radius, MIN (width, height) / 2);

  cairo_new_sub_path (cr);
  cairo_arc (cr, x + width - r, y + r, r, -G_PI_2, 0);
  cairo_arc (cr, x + width - r, y + height - r, r, 0, G_PI_2);
  cairo_arc (cr, x + r, y + height - r, r, G_PI_2, G_PI);
  cairo_arc (cr, x + r, y + r, r, G_PI, 1.5 * G_PI);
  cairo_close_path (cr);
}

void
tophash_draw_hatch (cairo_t *cr,
                    double   spacing) {
  double left;
  double top;
  double right;
  double bottom;

  cairo_save (cr);
  cairo_path_extents (cr, &left, &top, &right, &bottom);
  cairo_clip (cr);
  cairo_set_line_width (cr, MAX (1, spacing / 4));
  cairo_set_dash (cr, NULL, 0, 0);
  /* Stripes where x + y is a multiple of the spacing: neighbours join. */
  for (double sum = ceil ((left + top) / spacing) * spacing;
       sum < right + bottom;
       sum += spacing) {
    cairo_move_to (cr, sum - bottom, bottom);
    cairo_line_to (cr, sum - top, top);
  }
  cairo_stroke (cr);
  cairo_restore (cr);
}

void
tophash_draw_arrow (cairo_t *cr,
                    double   ax,
                    double   ay,
                    double   bx,
                    double   by,
                    double   head) {
  double angle = atan2 (by - ay, bx - ax);

  cairo_move_to (cr, ax, ay);
  cairo_line_to (cr, bx - head * 0.6 * cos (angle), by - head * 0.6 * sin (angle));
  cairo_stroke (cr);
  cairo_move_to (cr, bx, by);
  cairo_line_to (cr, bx - head * cos (angle - 0.45), by - head * sin (angle - 0.45));
  cairo_line_to (cr, bx - head * cos (angle + 0.45), by - head * sin (angle + 0.45));
  cairo_close_path (cr);
  cairo_fill (cr);
}

char *
tophash_draw_format_count (guint64 count) {
  char digits[24];
  int n = g_snprintf (digits, sizeof digits, "%" G_GUINT64_FORMAT, count);
  GString *text = g_string_new (NULL);

  for (int i = 0; i < n; i++) {
    if (i > 0 && (n - i) % 3 == 0)
      g_string_append (text, "\u2009");
    g_string_append_c (text, digits[i]);
  }
  return g_string_free (text, FALSE);
}

char *
tophash_draw_keep_together (const char *text) {
  GString *whole = g_string_new (text);

  g_string_replace (whole, " ", "\u00a0", 0);
  /* A thin space that does not break is missing from many fonts. */
  g_string_replace (whole, "\u2009", "\u2060\u2009\u2060", 0);
  return g_string_free (whole, FALSE);
}

char *
tophash_draw_format_time (gint64 ns) {
  static const struct {
    double      unit_ns;
    const char *name;
  } units[] = { { 1e3, "µs" }, { 1e6, "ms" }, { 1e9, "s" } };
  guint i = 0;
  double amount;

  if (ns > -1000 && ns < 1000)
    return g_strdup_printf ("%" G_GINT64_FORMAT " ns", ns);
  while (i < 2 && fabs ((double)ns) >= units[i + 1].unit_ns)
    i++;
  amount = (double)ns / units[i].unit_ns;
  if (i == 2)
    return g_strdup_printf (fabs (amount) < 100 ? "%.2f s" : "%.1f s", amount);
  return g_strdup_printf (fabs (amount) < 9.95 ? "%.1f %s" : "%.0f %s", amount,
                          units[i].name);
}
