/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-picture.c — the stage as PNG, SVG or PDF
 *
 * The same painters as the window's, on a cairo surface. A picture leaves the
 * program that made it, so a line at its top says which scenario, which engine
 * and which event of which time it shows. A small stage is enlarged by quarters
 * while it fits; one higher than the picture is scaled down rather than cut.
 */
#include "widgets/tophash-picture.h"

#include "core/record/file-place.h"
#include "core/workload/scenario.h"
#include "widgets/paint-stage.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <math.h>

#define MARGIN 18
#define TITLE_HEIGHT 44
#define SIZE_MAX_PX 16384
#define SCALE_MOST 1.5

/* How the recording writes its keys: "key_text" of its scenario. */
static char *
find_key_format (const TraceInfo *info) {
  g_autoptr (JsonParser) parser = NULL;
  JsonNode *root;

  if (info == NULL || info->scenario_json == NULL)
    return g_strdup ("k%d");
  parser = json_parser_new ();
  if (!json_parser_load_from_data (parser, info->scenario_json, -1, NULL))
    return g_strdup ("k%d");
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return g_strdup ("k%d");
  return g_strdup (json_object_get_string_member_with_default (
    json_node_get_object (root), "key_text", "k%d"));
}

static void
paint_title (cairo_t            *cr,
             const PaintContext *context,
             const TraceInfo    *info,
             int                 width) {
  const MapState *state = context->layout->state;
  g_autofree char *n = tophash_draw_format_count (map_state_n_events (state));
  g_autofree char *at = tophash_draw_format_time (map_state_at_ns (state));
  g_autofree char *where = g_strdup_printf (_("after event %s · %s"), n, at);
  const char *title = info != NULL && info->scenario_title != NULL
                        ? scenario_translate (info->scenario_title)
                        : _("A recording");
  const char *engine = info != NULL && info->engine_title != NULL
                         ? info->engine_title : "";
  double title_width;
  double where_width;
  double height;

  tophash_draw_measure (context->draw, title, FONT_HEADING, &title_width,
                        &height);
  tophash_draw_measure (context->draw, where, FONT_CAPTION, &where_width,
                        &height);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT);
  tophash_draw_text (context->draw, cr, title, FONT_HEADING, MARGIN, 30, 0, 0.5,
                     MAX (40, width - 3 * MARGIN - where_width));
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (context->draw, cr, where, FONT_CAPTION, width - MARGIN, 31,
                     1, 0.5, 0);
  if (width - 4 * MARGIN - title_width - where_width > 60)
    tophash_draw_text (context->draw, cr, engine, FONT_CAPTION,
                       MARGIN + title_width + 12, 31, 0, 0.5,
                       width - 4 * MARGIN - title_width - where_width);
}

/* The largest scale at which the stage still fits, and its layout. */
static StageLayout *
fit_layout (const MapState *state,
            double          width,
            double          height,
            double         *scale) {
  for (*scale = SCALE_MOST; ; *scale -= 0.25) {
    StageOptions options = {
      .width = width / *scale,
      .fit_height = height / *scale,
      .text_scale = 1,
    };
    StageLayout *layout = stage_layout_new (state, &options);

    if (*scale <= 1)
      *scale = MIN (1, MIN (height / layout->height, width / layout->width));
    if (*scale <= 1
        || (layout->height <= options.fit_height && layout->width <= options.width
            && stage_layout_card (layout, 0)->slot_px >= STAGE_SLOT_NEAR))
      return layout;
    stage_layout_unref (layout);
  }
}

static void
paint_picture (cairo_t         *cr,
               const MapState  *state,
               const TraceInfo *info,
               int              width,
               int              height,
               gboolean         dark) {
  double scale;
  g_autoptr (StageLayout) layout
    = fit_layout (state, MAX (1, width - 2 * MARGIN),
                  MAX (1, height - TITLE_HEIGHT - MARGIN - 8), &scale);
  g_autoptr (TophashDraw) draw = tophash_draw_new (NULL, 1);
  g_autofree char *key_format = find_key_format (info);
  PaintContext context = {
    .palette = tophash_palette_get (dark, FALSE),
    .draw = draw,
    .key_format = key_format,
    .layout = layout,
    .progress = 1,
  };

  tophash_palette_set_source (context.palette, cr, ROLE_WINDOW);
  cairo_paint (cr);
  paint_title (cr, &context, info, width);
  cairo_translate (cr, MARGIN, TITLE_HEIGHT + 8);
  cairo_scale (cr, scale, scale);
  paint_stage (cr, &context);
}

static cairo_status_t
keep_cb (void                *data,
         const unsigned char *bytes,
         unsigned int         length) {
  g_byte_array_append (data, bytes, length);
  return CAIRO_STATUS_SUCCESS;
}

/* What it is drawn into comes to stand in @bytes, when it is finished. */
static cairo_surface_t *
new_surface (const char *path,
             int         width,
             int         height,
             GByteArray *bytes) {
  if (g_str_has_suffix (path, ".png"))
    return cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  if (g_str_has_suffix (path, ".svg"))
    return cairo_svg_surface_create_for_stream (keep_cb, bytes, width, height);
  if (g_str_has_suffix (path, ".pdf"))
    return cairo_pdf_surface_create_for_stream (keep_cb, bytes, width, height);
  return NULL;
}

static gboolean
write_cb (GOutputStream *out,
          gpointer       data,
          GError       **error) {
  const GByteArray *bytes = data;

  return g_output_stream_write_all (out, bytes->data, bytes->len, NULL, NULL,
                                    error);
}

gboolean
paint_stage_to_file (const MapState  *state,
                     const TraceInfo *info,
                     const char      *path,
                     int              width,
                     int              height,
                     gboolean         dark,
                     GError         **error) {
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GFile) file = g_file_new_for_path (path);
  cairo_surface_t *surface;
  cairo_status_t status;
  cairo_t *cr;

  if (width < 1 || width > SIZE_MAX_PX || height < 1 || height > SIZE_MAX_PX) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 _("%s: a picture is 1 to %d pixels wide and high, not %d × %d"),
                 path, SIZE_MAX_PX, width, height);
    return FALSE;
  }
  surface = new_surface (path, width, height, bytes);
  if (surface == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 _("%s: a picture's name ends in .png, .svg or .pdf"), path);
    return FALSE;
  }
  cr = cairo_create (surface);
  paint_picture (cr, state, info, width, height, dark);
  status = cairo_status (cr);
  cairo_destroy (cr);
  if (status == CAIRO_STATUS_SUCCESS && g_str_has_suffix (path, ".png"))
    status = cairo_surface_write_to_png_stream (surface, keep_cb, bytes);
  cairo_surface_finish (surface);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_status (surface);
  cairo_surface_destroy (surface);
  if (status != CAIRO_STATUS_SUCCESS) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", path,
                 cairo_status_to_string (status));
    return FALSE;
  }
  return file_write_whole (file, write_cb, bytes, NULL, error);
}
