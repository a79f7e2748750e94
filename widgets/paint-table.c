/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-table.c — a table of buckets as a card
 *
 * Head        title and what guards the table on one line, its facts below.
 * Buckets     only those that the clip shows; each has its number in mono at
 *             the left of its chain and arrows to its overflow buckets.
 * Touched     a bucket that one of the last TOUCH_EVENTS events changed stands
 *             on a soft glow that fades with each event, not with time: a
 *             paused picture keeps it, and a copy is seen as a sweep.
 * Heat map    one cell for one bucket or for a power of two of them, shaded by
 *             how many of its slots are used. Rastered once per state into
 *             32-bit pixels: the cost is that of the pixels, not of the keys.
 */
#include "widgets/paint-table.h"

#include "widgets/paint-slot.h"
#include "widgets/paint-views.h"

#include <glib/gi18n.h>
#include <math.h>

#define PADDING 16
#define CARD_RADIUS 14
#define PILL_HEIGHT 26
#define TOUCH_EVENTS 6
#define CELL_SAMPLES 4
#define CARD_SAMPLES 16384 /* or one per cell: memory, not pixels, costs */
#define CELLS_AHEAD 12
#define NIL_LOWEST 80 /* below its head: where a tall card begins is what is in sight */
#define FACTS_LEAST 24 /* room for the least of words */
#define N_SHADES (2 * BUCKET_SLOTS + 1)

void
paint_cache_clear (PaintCache *cache) {
  for (int i = 0; i < PAINT_CACHE_CARDS; i++) {
    g_clear_pointer (&cache->maps[i].surface, cairo_surface_destroy);
    g_clear_pointer (&cache->maps[i].state, map_state_unref);
  }
}

void
paint_cache_trim (PaintCache        *cache,
                  const StageLayout *layout,
                  const StageLayout *previous) {
  for (int i = 0; i < PAINT_CACHE_CARDS; i++)
    if (cache->maps[i].state != layout->state
        && (previous == NULL || cache->maps[i].state != previous->state)) {
      g_clear_pointer (&cache->maps[i].surface, cairo_surface_destroy);
      g_clear_pointer (&cache->maps[i].state, map_state_unref);
    }
}

void
paint_card_frame (cairo_t            *cr,
                  const PaintContext *context,
                  const StageRect    *frame,
                  gboolean            is_dashed) {
  static const double dash[] = { 6, 4 };

  tophash_draw_rounded (cr, frame->x + 0.5, frame->y + 0.5, frame->width - 1,
                        frame->height - 1, CARD_RADIUS);
  tophash_palette_set_source (context->palette, cr,
                              is_dashed ? ROLE_WINDOW : ROLE_CARD);
  cairo_fill_preserve (cr);
  tophash_palette_set_source (context->palette, cr,
                              is_dashed ? ROLE_NIL_EDGE : ROLE_CARD_EDGE);
  cairo_set_line_width (cr, 1);
  if (is_dashed)
    cairo_set_dash (cr, dash, 2, 0);
  cairo_stroke (cr);
  cairo_set_dash (cr, NULL, 0, 0);
}

/* Returns the pill's width. */
static double
paint_pill (cairo_t            *cr,
            const PaintContext *context,
            const char         *text,
            gboolean            is_locked,
            double              right,
            double              y,
            double              max_width) {
  double width;
  double height;

  tophash_draw_measure (context->draw, text, FONT_CAPTION, &width, &height);
  width = MIN (ceil (width) + 24, max_width);
  tophash_draw_rounded (cr, right - width + 0.5, y + 0.5, width - 1,
                        PILL_HEIGHT - 1, PILL_HEIGHT / 2.0);
  if (is_locked) {
    paint_set_role (context, cr, ROLE_LOCK, 0.28);
    cairo_fill_preserve (cr);
    paint_set_role (context, cr, ROLE_LOCK, 0.9);
  } else {
    tophash_palette_set_source (context->palette, cr, ROLE_CARD_EDGE);
  }
  cairo_set_line_width (cr, 1);
  cairo_stroke (cr);
  tophash_palette_set_source (context->palette, cr,
                              is_locked ? ROLE_TEXT : ROLE_TEXT_DIM);
  tophash_draw_text (context->draw, cr, text, FONT_CAPTION, right - width / 2,
                     y + PILL_HEIGHT / 2.0, 0.5, 0.5, width - 16);
  return width;
}

static double
paint_lamp (cairo_t            *cr,
            const PaintContext *context,
            const char         *text,
            gboolean            is_lit,
            double              right,
            double              middle) {
  double width;
  double height;

  tophash_draw_measure (context->draw, text, FONT_CAPTION, &width, &height);
  width = ceil (width);
  tophash_palette_set_source (context->palette, cr,
                              is_lit ? ROLE_TEXT : ROLE_TEXT_DIM);
  tophash_draw_text (context->draw, cr, text, FONT_CAPTION, right, middle, 1,
                     0.5, 0);
  cairo_arc (cr, right - width - 12, middle, 4.5, 0, 2 * G_PI);
  if (is_lit) {
    tophash_palette_set_source (context->palette, cr, ROLE_LOCK);
    cairo_fill (cr);
  } else {
    tophash_palette_set_source (context->palette, cr, ROLE_NIL_EDGE);
    cairo_set_line_width (cr, 1);
    cairo_stroke (cr);
  }
  return width + 20;
}

void
paint_table_head (cairo_t            *cr,
                  const PaintContext *context,
                  const StageCard    *card,
                  const TableHead    *head) {
  double x = card->frame.x + PADDING;
  double right = card->frame.x + card->frame.width - PADDING;
  double room = card->frame.width - 2 * PADDING;
  double y = card->frame.y;

  if (head->pill != NULL)
    room -= paint_pill (cr, context, head->pill, head->is_locked, right, y + 12,
                        room * 0.62) + 12;
  else if (head->lamp != NULL)
    room -= paint_lamp (cr, context, head->lamp, head->is_lit, right, y + 25)
            + 12;
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT);
  tophash_draw_text (context->draw, cr, head->title, FONT_HEADING, x, y + 25, 0,
                     0.5, MAX (room, 24));
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  if (card->is_low) {
    double width;
    double height;

    tophash_draw_measure (context->draw, head->title, FONT_HEADING, &width,
                          &height);
    width = ceil (width) + 12;
    if (room - width >= FACTS_LEAST)
      tophash_draw_facts (context->draw, cr, head->facts, FONT_CAPTION, x + width,
                          y + 25, 0, 0.5, room - width);
    return;
  }
  tophash_draw_facts (context->draw, cr, head->facts, FONT_CAPTION, x, y + 46, 0,
                      0.5, card->frame.width - 2 * PADDING);
}

void
paint_table_nil (cairo_t            *cr,
                 const PaintContext *context,
                 const StageCard    *card,
                 const char         *words) {
  double foot = card->frame.y + card->frame.height - PADDING;

  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (context->draw, cr, words, FONT_BODY,
                     card->frame.x + card->frame.width / 2,
                     MIN ((card->body.y + foot) / 2, card->body.y + NIL_LOWEST),
                     0.5, 0.5, card->body.width);
}

static void
paint_glow (cairo_t            *cr,
            const PaintContext *context,
            const StageCard    *card,
            const StageBucket  *place,
            const StateBucket  *bucket) {
  guint32 now = (guint32)map_state_n_events (context->layout->state);
  guint32 age = now - bucket->touched;
  int width = place->n_shown * (card->slot_px + card->gap_px) - card->gap_px;
  int out = card->slot_px >= STAGE_SLOT_KEY ? 3 : 1;

  if (bucket->touched == 0 || age >= TOUCH_EVENTS)
    return;
  paint_set_role (context, cr, ROLE_LOCK, 0.4 * (TOUCH_EVENTS - age) / TOUCH_EVENTS);
  tophash_draw_rounded (cr, place->x - out, place->y - out, width + 2 * out,
                        card->slot_px + 2 * out,
                        round (card->slot_px / 5.0) + out);
  cairo_fill (cr);
}

/* The number of a chain, or the arrow to an overflow bucket. */
static void
paint_lead (cairo_t            *cr,
            const PaintContext *context,
            const StageCard    *card,
            const StageBucket  *place) {
  double y = place->y + card->slot_px / 2.0;
  double x = place->x;
  char text[16];

  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  if (place->is_indexed) {
    if (card->slot_px < STAGE_SLOT_MIDDLE)
      return;
    g_snprintf (text, sizeof text, "%u", place->chain);
    tophash_draw_text (context->draw, cr, text, FONT_MONO,
                       x - (card->index_px > 24 ? 10 : 8), y, 1, 0.5, 0);
    return;
  }
  cairo_set_line_width (cr, 1);
  if (place->is_wrapped) {
    if (card->index_px == 0)
      return;
    x = floor (x) + 0.5;
    cairo_move_to (cr, x - 14, floor (y) - 7.5);
    cairo_line_to (cr, x - 14, floor (y) + 0.5);
    cairo_stroke (cr);
    tophash_draw_arrow (cr, x - 14.5, floor (y) + 0.5, x - 5.5,
                        floor (y) + 0.5, 6);
  } else if (card->slot_px >= STAGE_SLOT_KEY) {
    tophash_draw_arrow (cr, x - 24, floor (y) + 0.5, x - 5, floor (y) + 0.5, 6);
  } else {
    cairo_move_to (cr, x - card->slot_px, floor (y) + 0.5);
    cairo_line_to (cr, x - 2, floor (y) + 0.5);
    cairo_stroke (cr);
  }
}

static void
paint_place (cairo_t            *cr,
             const PaintContext *context,
             const StageCard    *card,
             const StageBucket  *place,
             const StateBucket  *bucket) {
  for (guint slot = 0; slot < place->n_shown; slot++) {
    StageRect rect = {
      place->x + (int)slot * (card->slot_px + card->gap_px), place->y,
      card->slot_px, card->slot_px
    };

    paint_slot (cr, context, &rect,
                paint_slot_look (context->layout->state, card, bucket,
                                 place->chain, slot),
                bucket, slot);
  }
}

/* The slot an open Range looked at last: in the order it walks. */
static int
cursor_slot (const StateIter *iter,
             guint32          address) {
  if (iter->last_bucket != address)
    return -1;
  for (int i = BUCKET_SLOTS - 1; i >= 0; i--) {
    guint slot = ((guint)i + iter->offset) % BUCKET_SLOTS;

    if (iter->last_seen & (1u << slot))
      return (int)slot;
  }
  return -1;
}

static void
paint_marks (cairo_t            *cr,
             const PaintContext *context,
             const StageCard    *card,
             const StageBucket  *place) {
  const MapState *state = context->layout->state;
  guint32 address = place->bucket | (card->in_old ? RANGE_OLD_BUCKET : 0);

  for (guint i = 0; i < map_state_n_iters (state); i++) {
    const StateIter *iter = map_state_iter (state, i);
    IterMarks marks;
    int cursor;

    if (!iter->is_open || iter->table != card->table->id
        || iter->table_created_ver != card->table->created_ver)
      continue;
    marks = map_state_iter_marks (state, iter, address);
    cursor = cursor_slot (iter, address);
    /* The ring first: it must not cross the badge of the slot before. */
    if (cursor >= 0 && cursor < place->n_shown)
      paint_rings (cr, context,
                   &(StageRect) { place->x
                                    + cursor * (card->slot_px + card->gap_px),
                                  place->y, card->slot_px, card->slot_px },
                   ROLE_SEEN, 2);
    for (guint slot = 0; slot < place->n_shown; slot++) {
      StageRect rect = {
        place->x + (int)slot * (card->slot_px + card->gap_px), place->y,
        card->slot_px, card->slot_px
      };

      if (marks.seen & (1u << slot))
        paint_badge (cr, context, &rect, BADGE_SEEN);
      else if ((marks.skipped_nil | marks.skipped_expunged | marks.other_half)
               & (1u << slot))
        paint_badge (cr, context, &rect, BADGE_SKIPPED);
    }
  }
}

static gboolean
has_open_iter (const MapState *state) {
  for (guint i = 0; i < map_state_n_iters (state); i++)
    if (map_state_iter (state, i)->is_open)
      return TRUE;
  return FALSE;
}

static void
paint_buckets (cairo_t            *cr,
               const PaintContext *context,
               const StageCard    *card) {
  gboolean has_iters = has_open_iter (context->layout->state);
  double left;
  double top;
  double right;
  double bottom;
  guint first;
  guint end;

  cairo_clip_extents (cr, &left, &top, &right, &bottom);
  first = stage_card_first_below (card, top - 8);
  for (end = first; end < card->buckets->len; end++) {
    const StageBucket *place = &g_array_index (card->buckets, StageBucket, end);
    const StateBucket *bucket;

    if (place->y - 8 > bottom)
      break;
    bucket = state_array_bucket (card->array, place->bucket);
    paint_glow (cr, context, card, place, bucket);
    paint_lead (cr, context, card, place);
    if (card->slot_px >= STAGE_SLOT_KEY)
      paint_place (cr, context, card, place, bucket);
  }
  if (card->slot_px < STAGE_SLOT_KEY)
    paint_small_slots (cr, context, card, first, end);
  paint_layers (cr, context, card, first, end);
  for (guint i = first; has_iters && card->slot_px >= STAGE_SLOT_MIDDLE && i < end;
       i++)
    paint_marks (cr, context, card,
                 &g_array_index (card->buckets, StageBucket, i));
}

/* Used slots, 0 to 16, of a bucket and the overflow it leads to. */
static guint
count_used (const StateArray *array,
            guint32           index) {
  const StateBucket *bucket = state_array_bucket (array, index);
  guint n = 0;

  for (guint slot = 0; slot < BUCKET_SLOTS; slot++)
    n += bucket->tophash[slot] >= TOPHASH_MIN;
  if (bucket->overflow != 0 && bucket->overflow < state_array_n_buckets (array)) {
    const StateBucket *next = state_array_bucket (array, bucket->overflow);

    for (guint slot = 0; slot < BUCKET_SLOTS; slot++)
      n += next->tophash[slot] >= TOPHASH_MIN;
  }
  return n;
}

static guint32
blend (const PaletteColor *from,
       const PaletteColor *to,
       double              share) {
  guint red = (guint)lround (255 * (from->red + (to->red - from->red) * share));
  guint green
    = (guint)lround (255 * (from->green + (to->green - from->green) * share));
  guint blue
    = (guint)lround (255 * (from->blue + (to->blue - from->blue) * share));

  return red << 16 | green << 8 | blue;
}

/* Quiet, through the colour of values at eight, to that of writing at 16. */
static void
fill_shades (const PaintContext *context,
             guint32             shades[N_SHADES]) {
  const PaletteColor *colors = context->palette->colors;

  for (int i = 0; i < N_SHADES; i++)
    shades[i] = i <= BUCKET_SLOTS
                  ? blend (&colors[ROLE_QUIET], &colors[ROLE_LIVE],
                           i == 0 ? 0 : 0.15 + 0.85 * i / BUCKET_SLOTS)
                  : blend (&colors[ROLE_LIVE], &colors[ROLE_CURSOR],
                           0.3 + 0.5 * (i - BUCKET_SLOTS) / BUCKET_SLOTS);
}

/* Buckets that speak for a cell; the same ones in every picture. */
static guint
samples_per_cell (const StageCard *card) {
  guint n_cells = card->n_columns * card->n_rows;

  return CLAMP (CARD_SAMPLES / MAX (n_cells, 1), 1,
                MIN (card->n_per_cell, CELL_SAMPLES));
}

/* Buckets lie far apart: those to come are fetched while this one is read. */
static void
fetch_cell (const StageCard *card,
            guint            n_samples,
            guint32          first) {
  for (guint i = 0; i < n_samples; i++) {
    guint32 bucket = first + i * (card->n_per_cell / n_samples);

    if (bucket < state_array_n_main (card->array)) {
      const StateBucket *ahead = state_array_bucket (card->array, bucket);

      __builtin_prefetch (ahead->tophash);
      __builtin_prefetch (&ahead->overflow);
    }
  }
}

static guint
shade_of_cell (const StageCard *card,
               guint            n_samples,
               guint32          first) {
  guint n_main = state_array_n_main (card->array);
  guint sum = 0;
  guint n_met = 0;

  for (guint i = 0; i < n_samples; i++) {
    guint32 bucket = first + i * (card->n_per_cell / n_samples);

    if (bucket >= n_main)
      break;
    sum += count_used (card->array, bucket);
    n_met++;
  }
  return n_met > 0 ? (sum + n_met / 2) / n_met : 0;
}

static cairo_surface_t *
raster_cells (const PaintContext *context,
              const StageCard    *card) {
  int side = (int)card->cell_px;
  int inner = side >= 4 ? side - 1 : side;
  cairo_surface_t *surface
    = cairo_image_surface_create (CAIRO_FORMAT_RGB24,
                                  (int)card->n_columns * side,
                                  (int)card->n_rows * side);
  guint32 shades[N_SHADES];
  guint32 behind = blend (&context->palette->colors[ROLE_CARD],
                          &context->palette->colors[ROLE_CARD], 0);
  guint n_samples = samples_per_cell (card);
  guchar *pixels;
  int stride;

  if (cairo_surface_status (surface) != CAIRO_STATUS_SUCCESS)
    return surface;
  fill_shades (context, shades);
  cairo_surface_flush (surface);
  pixels = cairo_image_surface_get_data (surface);
  stride = cairo_image_surface_get_stride (surface);
  for (guint cell = 0; cell < card->n_columns * card->n_rows; cell++) {
    guint32 first = cell * card->n_per_cell;
    gboolean is_there = first < state_array_n_main (card->array);
    guint32 color = is_there ? shades[shade_of_cell (card, n_samples, first)]
                             : behind;
    int x = (int)(cell % card->n_columns) * side;
    int y = (int)(cell / card->n_columns) * side;

    fetch_cell (card, n_samples, first + CELLS_AHEAD * card->n_per_cell);
    for (int row = 0; row < side; row++) {
      guint32 *line = (guint32 *)(void *)(pixels + (y + row) * stride) + x;

      for (int column = 0; column < side; column++)
        line[column] = row < inner && column < inner ? color : behind;
    }
  }
  cairo_surface_mark_dirty (surface);
  return surface;
}

static cairo_surface_t *
get_cells (const PaintContext *context,
           const StageCard    *card) {
  PaintCache *cache = context->cache;
  guint place = (guint)(card - stage_layout_card (context->layout, 0));

  if (cache == NULL || place >= PAINT_CACHE_CARDS)
    return raster_cells (context, card);
  if (cache->maps[place].surface == NULL
      || cache->maps[place].state != context->layout->state
      || cache->maps[place].array != card->array
      || cache->maps[place].palette != context->palette
      || cache->maps[place].n_columns != card->n_columns
      || cache->maps[place].n_per_cell != card->n_per_cell
      || cache->maps[place].cell_px != card->cell_px) {
    g_clear_pointer (&cache->maps[place].surface, cairo_surface_destroy);
    g_clear_pointer (&cache->maps[place].state, map_state_unref);
    cache->maps[place].surface = raster_cells (context, card);
    cache->maps[place].state = map_state_ref (context->layout->state);
    cache->maps[place].array = card->array;
    cache->maps[place].palette = context->palette;
    cache->maps[place].n_columns = card->n_columns;
    cache->maps[place].n_per_cell = card->n_per_cell;
    cache->maps[place].cell_px = card->cell_px;
  }
  return cairo_surface_reference (cache->maps[place].surface);
}

void
paint_table_body (cairo_t            *cr,
                  const PaintContext *context,
                  const StageCard    *card) {
  cairo_surface_t *cells;

  if (card->buckets != NULL) {
    paint_buckets (cr, context, card);
    return;
  }
  cells = get_cells (context, card);
  cairo_set_source_surface (cr, cells, card->body.x, card->body.y);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_NEAREST);
  cairo_paint (cr);
  cairo_surface_destroy (cells);
}

char *
paint_lock_text (const MapState *state,
                 guint           index,
                 const char     *name,
                 gboolean       *is_locked) {
  const StateLock *lock;
  g_autofree char *held = NULL;
  g_autofree char *owner = NULL;
  g_autofree char *text = NULL;

  *is_locked = FALSE;
  if (index >= map_state_n_locks (state))
    return NULL;
  lock = map_state_lock (state, index);
  if (lock->owner < 0 && lock->n_readers > 0)
    return g_strdup_printf (ngettext ("%s · %u reads", "%s · %u read",
                                      lock->n_readers),
                            name, lock->n_readers);
  if (lock->owner < 0)
    return g_strdup_printf (_("%s · free"), name);
  *is_locked = TRUE;
  held = tophash_draw_format_time (map_state_at_ns (state) - lock->since_ns);
  owner = lock->owner == EVENT_THREAD_MAIN
            ? g_strdup (_("main"))
            : g_strdup_printf ("W%d", lock->owner + 1);
  /* Equal stamps say nothing of how long. */
  text = map_state_at_ns (state) > lock->since_ns
           ? g_strdup_printf ("%s %s · %s", name, owner, held)
           : g_strdup_printf ("%s %s", name, owner);
  if (lock->waiters == 0)
    return g_steal_pointer (&text);
  /* Translators: "mu W2 · 38 µs", how many wait */
  return g_strdup_printf (ngettext ("%s · %d waits", "%s · %d wait",
                                    __builtin_popcountll (lock->waiters)),
                          text, __builtin_popcountll (lock->waiters));
}
