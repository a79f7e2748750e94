/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-stats.c — the cards under the map
 *
 * Gauge       The first card says how near the next structural event is. A map
 *             with read and dirty: misses against len(dirty), the true
 *             threshold, with len(read), the one folklore names, as a dotted
 *             tick. A single table: keys against 6.5 × 2^B, or, while it grows,
 *             buckets evacuated. Shards: the one that is nearest to its growth.
 * Plots       Each further card has one idea: a title, one figure in large, its
 *             course over the visible span with the playhead's place marked.
 */
#include "widgets/paint-stats.h"

#include "widgets/paint-costs.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>

#define GAP 12.0
#define PAD 14.0
#define N_BINS 80u
#define MIN_CARD 128.0
#define GAUGE_LEAST 220.0
#define BAND_ALPHA 0.15

typedef struct {
  const char *title;
  char       *figure;
  SeriesKind  series;
  SeriesKind  second; /* SERIES_N: none */
  PaletteRole role;
  gboolean    is_share; /* 0 to 1, else from 0 to the largest value */
  gboolean    is_rate;
} StatCard;

static double
load_limit (const StateTable *table) {
  return state_table_load_limit (table) * (double)((guint64)1 << table->B);
}

/* Whether it is high enough to say what the figures mean. */
static gboolean
has_words (double height) {
  return height > (STATS_HEIGHT + STATS_HEIGHT_LOW) / 2;
}

/* Title and figure; returns where the card's content may begin. */
static double
paint_card (cairo_t            *cr,
            const StatsContext *context,
            double              x,
            double              width,
            double              height,
            const char         *title,
            const char         *figure) {
  double title_width, figure_width, unused;
  DrawFont font = FONT_FIGURE;
  gboolean is_tall;

  tophash_draw_rounded (cr, x + 0.5, 0.5, width - 1, height - 1, 12);
  tophash_palette_set_source (context->palette, cr, ROLE_CARD);
  cairo_fill_preserve (cr);
  tophash_palette_set_source (context->palette, cr, ROLE_CARD_EDGE);
  cairo_set_line_width (cr, 1);
  cairo_stroke (cr);

  tophash_draw_measure (context->draw, title, FONT_CAPTION, &title_width,
                        &unused);
  tophash_draw_measure (context->draw, figure, FONT_FIGURE, &figure_width,
                        &unused);
  /* A figure gives way to its title, which says what it is. */
  if (title_width + figure_width + 8 > width - 2 * PAD) {
    font = FONT_HEADING;
    tophash_draw_measure (context->draw, figure, font, &figure_width, &unused);
  }
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT);
  is_tall = title_width + figure_width + 8 > width - 2 * PAD;
  if (is_tall && figure_width > width - 2 * PAD)
    font = FONT_SLOT;
  tophash_draw_text (context->draw, cr, figure, font,
                     is_tall ? x + PAD : x + width - PAD, is_tall ? 35 : 22,
                     is_tall ? 0 : 1, 0.5, width - 2 * PAD);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (context->draw, cr, title, FONT_CAPTION, x + PAD,
                     is_tall ? 17 : 22, 0, 0.5, width - 2 * PAD);
  return !is_tall ? 42 : has_words (height) ? 50 : 46;
}

static void
paint_bar (cairo_t            *cr,
           const StatsContext *context,
           double              x,
           double              y,
           double              width,
           double              share,
           PaletteRole         role) {
  tophash_palette_set_source (context->palette, cr, ROLE_QUIET);
  tophash_draw_rounded (cr, x, y, width, 12, 6);
  cairo_fill (cr);
  if (share <= 0)
    return;
  cairo_save (cr);
  tophash_draw_rounded (cr, x, y, width, 12, 6);
  cairo_clip (cr);
  tophash_palette_set_source (context->palette, cr, role);
  tophash_draw_rounded (cr, x, y, MAX (12, width * MIN (1, share)), 12, 6);
  cairo_fill (cr);
  cairo_restore (cr);
}

static void
paint_tick (cairo_t            *cr,
            const StatsContext *context,
            double              x,
            double              y,
            gboolean            is_dotted) {
  cairo_save (cr);
  tophash_palette_set_source (context->palette, cr,
                              is_dotted ? ROLE_TEXT_DIM : ROLE_TEXT);
  cairo_set_line_width (cr, is_dotted ? 1.5 : 2);
  if (is_dotted)
    cairo_set_dash (cr, (const double[]){ 2, 2 }, 2, 0);
  cairo_move_to (cr, x, y - 3);
  cairo_line_to (cr, x, y + 15);
  cairo_stroke (cr);
  cairo_restore (cr);
}

/* misses against both thresholds: the true one and the one folklore names. */
static void
paint_misses (cairo_t            *cr,
              const StatsContext *context,
              double              width,
              double              height) {
  const MapState *state = context->state;
  const StateTable *read = map_state_table_for (state, TABLE_ROLE_READ);
  const StateTable *dirty = map_state_table_for (state, TABLE_ROLE_DIRTY);
  guint64 misses = map_state_misses (state);
  guint64 limit = dirty == NULL ? 0 : dirty->count;
  guint64 folklore = read == NULL ? 0 : read->count;
  double bar = width - 2 * PAD;
  double most = MAX (1, MAX (limit, MIN (folklore, limit * 4)));
  g_autofree char *n_misses = tophash_draw_format_count (misses);
  g_autofree char *n_limit = tophash_draw_format_count (limit);
  g_autofree char *figure
      = dirty == NULL ? g_strdup (_ ("dirty nil"))
                      : g_strdup_printf ("%s / %s", n_misses, n_limit);
  double limit_x = PAD + bar * (double)limit / most;
  double folklore_x = PAD + bar * (double)folklore / most;

  paint_card (cr, context, 0, width, height, _ ("misses"), figure);
  paint_bar (cr, context, PAD, 42, bar, (double)misses / most, ROLE_LOCK);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  if (dirty == NULL) {
    if (!has_words (height))
      return;
    tophash_draw_text (context->draw, cr,
                       _ ("every key is in read"),
                       FONT_CAPTION, PAD, 72, 0, 0.5, bar);
    return;
  }
  paint_tick (cr, context, MIN (limit_x, PAD + bar - 1), 42, FALSE);
  if (!has_words (height))
    return;
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT);
  tophash_draw_text (context->draw, cr, "len(dirty)", FONT_CAPTION,
                     CLAMP (limit_x, PAD + 56, PAD + bar), 72, 1, 0.5, 0);
  if (folklore > 0 && fabs (folklore_x - limit_x) > 3 && folklore_x < PAD + bar) {
    double label, unused;
    const char *text = _ ("folklore: len(read)");

    paint_tick (cr, context, folklore_x, 42, TRUE);
    tophash_draw_measure (context->draw, text, FONT_CAPTION, &label, &unused);
    tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
    if (folklore_x < limit_x && PAD + label < limit_x - 64)
      tophash_draw_text (context->draw, cr, text, FONT_CAPTION,
                         CLAMP (folklore_x, PAD + label, limit_x - 64), 72, 1,
                         0.5, 0);
    else if (folklore_x > limit_x && limit_x + 8 + label < PAD + bar)
      tophash_draw_text (context->draw, cr, text, FONT_CAPTION,
                         MIN (folklore_x, PAD + bar - label), 72, 0, 0.5, 0);
  }
}

static char *
format_pair (guint64 a,
             guint64 b) {
  g_autofree char *left = tophash_draw_format_count (a);
  g_autofree char *right = tophash_draw_format_count (b);

  return g_strdup_printf ("%s / %s", left, right);
}

/* Title, figure, how much of it, and what that means. */
static void
paint_gauge (cairo_t            *cr,
             const StatsContext *context,
             double              width,
             double              height,
             const char         *title,
             const char         *figure,
             double              share,
             const char         *words) {
  double bar = width - 2 * PAD;
  double top = paint_card (cr, context, 0, width, height, title, figure);

  paint_bar (cr, context, PAD, top, bar, share, ROLE_MARK_GROWTH);
  if (!has_words (height))
    return;
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  tophash_draw_facts (context->draw, cr, words, FONT_CAPTION, PAD,
                      MIN (top + 30, height - 16), 0, 0.5, bar);
}

/* How much of what it may hold a table holds; none: less than nothing. */
static double
share_of_limit (const StateTable *table) {
  return table == NULL ? -1 : (double)table->count / load_limit (table);
}

/* The shard that is nearest to its growth; @n_growing: those that are past it. */
static guint
find_fullest (const MapState *state,
              guint          *n_growing) {
  guint fullest = 0;

  *n_growing = 0;
  for (guint i = 0; i < map_state_n_shards (state); i++) {
    const StateTable *table = map_state_shard (state, i);

    if (table != NULL && table->oldbuckets != NULL)
      ++*n_growing;
    else if (share_of_limit (table)
             > share_of_limit (map_state_shard (state, fullest)))
      fullest = i;
  }
  return fullest;
}

static void
paint_fullest (cairo_t            *cr,
               const StatsContext *context,
               double              width,
               double              height) {
  guint n_growing;
  guint shard = find_fullest (context->state, &n_growing);
  const StateTable *table = map_state_shard (context->state, shard);
  g_autofree char *figure
    = format_pair (table == NULL ? 0 : table->count,
                   table == NULL ? 8 : (guint64)load_limit (table));
  g_autofree char *words
    = n_growing == 0
        ? g_strdup_printf (_ ("fullest: shard %u · none grows"), shard)
        : g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
                                        "fullest: shard %u · %u grows",
                                        "fullest: shard %u · %u grow",
                                        n_growing),
                           shard, n_growing);

  paint_gauge (cr, context, width, height, _ ("keys before growth"), figure,
               MAX (0, share_of_limit (table)), words);
}

/* Keys against the load factor's limit, or the growth under way. */
static void
paint_load (cairo_t            *cr,
            const StatsContext *context,
            double              width,
            double              height) {
  const StateTable *table
      = map_state_table_for (context->state, TABLE_ROLE_ONLY);
  g_autofree char *figure = NULL;
  g_autofree char *words = NULL;

  if (table == NULL && map_state_n_shards (context->state) > 0) {
    paint_fullest (cr, context, width, height);
    return;
  }
  /* Empty before its first event: the first bucket comes with the first key. */
  if (table == NULL) {
    words = g_strdup_printf (_ ("one bucket holds 8 · noverflow %u"), 0u);
    paint_gauge (cr, context, width, height, _ ("keys before growth"), "0 / 8", 0,
                 words);
    return;
  }
  if (table->oldbuckets != NULL) {
    guint n_old = state_array_n_main (table->oldbuckets);

    figure = format_pair (table->n_evacuated, n_old);
    paint_gauge (cr, context, width, height, _ ("buckets evacuated"), figure,
                 n_old == 0 ? 0 : (double)table->n_evacuated / n_old,
                 _ ("each write moves one or two · nothing else does"));
  } else {
    double limit = load_limit (table);

    figure = format_pair (table->count, (guint64)limit);
    words = table->B == 0
              ? g_strdup_printf (_ ("one bucket holds 8 · noverflow %u"),
                                 table->noverflow)
              : g_strdup_printf (_ ("limit 6.5 × 2^%u · noverflow %u"), table->B,
                                 table->noverflow);
    paint_gauge (cr, context, width, height, _ ("keys before growth"), figure,
                 (double)table->count / limit, words);
  }
}

static void
paint_line (cairo_t            *cr,
            const StatsContext *context,
            const double       *values,
            double              most,
            double              x,
            double              y,
            double              width,
            double              height,
            PaletteRole         role) {
  gboolean pen_down = FALSE;

  for (guint i = 0; i < N_BINS; i++) {
    double px = x + width * (i + 0.5) / N_BINS;
    double py;

    if (isnan (values[i])) {
      pen_down = FALSE;
      continue;
    }
    py = y + height - height * CLAMP (values[i] / most, 0, 1);
    if (pen_down)
      cairo_line_to (cr, px, py);
    else
      cairo_move_to (cr, px, py);
    pen_down = TRUE;
  }
  tophash_palette_set_source (context->palette, cr, role);
  cairo_set_line_width (cr, 1.5);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  cairo_stroke (cr);
}

/* Between the lowest and the highest value of each bin; where that is less than a
 * pixel it would add nothing to the line. */
static void
paint_band (cairo_t            *cr,
            const StatsContext *context,
            const double       *lows,
            const double       *highs,
            double              most,
            double              x,
            double              y,
            double              width,
            double              height,
            PaletteRole         role) {
  const PaletteColor *color = &context->palette->colors[role];

  for (guint i = 0; i < N_BINS; i++) {
    double left = x + width * i / N_BINS;
    double right = x + width * (i + 1) / N_BINS;
    double bottom = y + height - height * CLAMP (lows[i] / most, 0, 1);
    double top = y + height - height * CLAMP (highs[i] / most, 0, 1);

    if (isnan (lows[i]) || isnan (highs[i]) || bottom - top < 1)
      continue;
    cairo_rectangle (cr, left, top, right - left, bottom - top);
  }
  cairo_set_source_rgba (cr, color->red, color->green, color->blue, BAND_ALPHA);
  cairo_fill (cr);
}

static double
largest (const double *values) {
  double most = 0;

  for (guint i = 0; i < N_BINS; i++)
    if (!isnan (values[i]))
      most = MAX (most, values[i]);
  return most;
}

static void
paint_plot (cairo_t            *cr,
            const StatsContext *context,
            const StatCard     *card,
            double              x,
            double              width,
            double              height) {
  double values[N_BINS], second[N_BINS], lows[N_BINS], highs[N_BINS];
  double most = 1;
  double top = paint_card (cr, context, x, width, height, card->title,
                           card->figure);
  double room = height - top - (has_words (height) ? 14 : 8);
  double inner = width - 2 * PAD;
  gint64 span_ns = MAX (1, context->to_ns - context->from_ns);
  double share = (double)(map_state_at_ns (context->state) - context->from_ns)
                 / (double)span_ns;

  if (context->timeline == NULL)
    return;
  timeline_get_series_range (context->timeline, card->series, context->from_ns,
                             context->to_ns, N_BINS, values, lows, highs);
  /* The extremes of a level are true ones, those of a rate depend on how many
   * events it is taken of: they would be noise. */
  if (!card->is_share)
    most = largest (card->is_rate ? values : highs);
  if (card->second != SERIES_N) {
    timeline_get_series (context->timeline, card->second, context->from_ns,
                         context->to_ns, N_BINS, second);
    most = MAX (most, largest (second));
  }
  most = MAX (most, 1e-9);

  tophash_palette_set_source (context->palette, cr, ROLE_QUIET);
  cairo_set_line_width (cr, 1);
  cairo_move_to (cr, x + PAD, top + room + 0.5);
  cairo_line_to (cr, x + PAD + inner, top + room + 0.5);
  cairo_stroke (cr);
  if (card->second != SERIES_N)
    paint_line (cr, context, second, most, x + PAD, top, inner, room,
                ROLE_TEXT_DIM);
  if (!card->is_rate)
    paint_band (cr, context, lows, highs, most, x + PAD, top, inner, room,
                card->role);
  paint_line (cr, context, values, most, x + PAD, top, inner, room, card->role);
  if (share >= 0 && share <= 1) {
    double px = floor (x + PAD + inner * share) + 0.5;

    tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
    cairo_set_dash (cr, (const double[]){ 2, 2 }, 2, 0);
    cairo_set_line_width (cr, 1);
    cairo_move_to (cr, px, top - 2);
    cairo_line_to (cr, px, top + room);
    cairo_stroke (cr);
    cairo_set_dash (cr, NULL, 0, 0);
  }
}

static guint64
total_ops (const StateCounters *counters) {
  guint64 total = 0;

  for (guint i = 0; i < OP_N_KINDS; i++)
    total += counters->n_ops[i];
  return total;
}

static char *
format_share (guint64 part,
              guint64 whole) {
  return whole == 0 ? g_strdup ("–")
                    : g_strdup_printf ("%.0f %%", 100.0 * (double)part
                                                      / (double)whole);
}

static void
card_hits (StatCard       *card,
           const MapState *state) {
  const StateCounters *counters = map_state_counters (state);

  card->title = _ ("read hits");
  card->figure = format_share (counters->n_in_read,
                               total_ops (counters)
                                   - counters->n_ops[OP_RANGE]
                                   - counters->n_ops[OP_CLEAR]
                                   - counters->n_ops[OP_LEN]);
  card->series = SERIES_HIT_RATE;
  card->is_rate = TRUE;
  card->role = ROLE_LIVE;
  card->is_share = TRUE;
}

static void
card_live (StatCard       *card,
           const MapState *state) {
  const StateTable *read = map_state_table_for (state, TABLE_ROLE_READ);
  const StateTable *dirty = map_state_table_for (state, TABLE_ROLE_DIRTY);
  guint64 held = read == NULL ? 0 : read->count;

  if (dirty != NULL)
    held = MAX (held, dirty->count);
  card->title = _ ("live / held");
  card->figure = format_pair (map_state_n_live (state), held);
  card->series = SERIES_LIVE;
  card->second = SERIES_HELD;
  card->role = ROLE_OP_DELETE;
}

static void
add_table (const StateTable *table,
           guint64          *n_keys,
           guint64          *n_buckets) {
  if (table == NULL)
    return;
  *n_keys += table->count;
  *n_buckets += (guint64)1 << table->B;
}

static void
card_load_factor (StatCard       *card,
                  const MapState *state) {
  const StateTable *only = map_state_table_for (state, TABLE_ROLE_ONLY);
  guint64 n_keys = 0;
  guint64 n_buckets = 0;

  if (only != NULL)
    add_table (only, &n_keys, &n_buckets);
  for (guint i = 0; only == NULL && i < map_state_n_shards (state); i++)
    add_table (map_state_shard (state, i), &n_keys, &n_buckets);

  card->title = _ ("keys per bucket");
  card->figure
      = n_buckets == 0
            ? g_strdup ("–")
            : g_strdup_printf ("%.1f", (double)n_keys / (double)n_buckets);
  card->series = SERIES_LOAD_FACTOR;
  card->role = ROLE_MARK_GROWTH;
}

static void
card_keys (StatCard       *card,
           const MapState *state) {
  card->title = _ ("live keys");
  card->figure = tophash_draw_format_count (map_state_n_live (state));
  card->series = SERIES_LIVE;
  card->role = ROLE_LIVE;
}

static void
card_wait (StatCard       *card,
           const MapState *state) {
  const StateCounters *counters = map_state_counters (state);
  guint64 waits = counters->n_lock_waits;

  card->title = _ ("lock wait");
  /* Time is known of waits that are over. */
  card->figure = waits == 0 ? g_strdup (_ ("none"))
                 : counters->lock_wait_ns == 0
                   ? g_strdup ("…")
                   : tophash_draw_format_time (counters->lock_wait_ns
                                               / (gint64)waits);
  card->series = SERIES_LOCK_WAIT;
  card->is_rate = TRUE;
  card->role = ROLE_WAIT;
}

static void
card_ops (StatCard       *card,
          const MapState *state) {
  card->title = _ ("operations");
  card->figure = tophash_draw_format_count (
      total_ops (map_state_counters (state)));
  card->series = SERIES_OPS;
  card->is_rate = TRUE;
  card->role = ROLE_OP_STORE;
}

void
paint_stats (cairo_t            *cr,
             const StatsContext *context,
             double              width,
             double              height) {
  gboolean is_pair = map_state_has_read_and_dirty (context->state);
  void (*const pair_cards[]) (StatCard *, const MapState *)
      = { card_hits, card_live, card_wait, card_ops };
  void (*const table_cards[]) (StatCard *, const MapState *)
      = { card_load_factor, card_keys,
          costs_is_lockless (context->state) ? card_ops : card_wait, card_ops };
  guint n_plots = !is_pair && table_cards[2] == card_ops ? 3 : 4;
  double gauge, plot;

  /* The gauge keeps its room; plots leave from the right when it is narrow. */
  while (n_plots > 0
         && width - n_plots * (MIN_CARD + GAP) < GAUGE_LEAST)
    n_plots--;
  gauge = n_plots == 0 ? width : MAX (GAUGE_LEAST, width * 0.32);
  plot = n_plots == 0 ? 0 : (width - gauge) / n_plots - GAP;

  if (is_pair)
    paint_misses (cr, context, gauge, height);
  else
    paint_load (cr, context, gauge, height);
  for (guint i = 0; i < n_plots; i++) {
    StatCard card = { .second = SERIES_N };

    (is_pair ? pair_cards : table_cards)[i](&card, context->state);
    paint_plot (cr, context, &card, floor (gauge + GAP + i * (plot + GAP)),
                floor (plot), height);
    g_free (card.figure);
  }
}

char *
stats_to_text (const MapState *state) {
  const StateTable *table;

  if (map_state_has_read_and_dirty (state)) {
    const StateTable *read = map_state_table_for (state, TABLE_ROLE_READ);

    table = map_state_table_for (state, TABLE_ROLE_DIRTY);
    if (table == NULL)
      return g_strdup_printf (_ ("read holds %" PRIu64
                                 " keys; dirty is nil"),
                              read == NULL ? 0 : read->count);
    return g_strdup_printf (
        _ ("misses %" PRIu64 " of %" PRIu64
           "; read holds %" PRIu64 " keys, dirty %" PRIu64),
        map_state_misses (state), table->count, read == NULL ? 0 : read->count,
        table->count);
  }
  if (map_state_n_shards (state) > 0)
    return g_strdup_printf (_ ("%" PRIu64 " keys in %u shards"),
                            map_state_n_live (state),
                            map_state_n_shards (state));
  table = map_state_table_for (state, TABLE_ROLE_ONLY);
  if (table == NULL)
    return g_strdup (_ ("an empty map"));
  if (table->oldbuckets != NULL) {
    guint n_old = state_array_n_main (table->oldbuckets);

    return g_strdup_printf (
        g_dngettext (GETTEXT_PACKAGE, "growing: %u of %u bucket evacuated",
                     "growing: %u of %u buckets evacuated", n_old),
        table->n_evacuated, n_old);
  }
  return g_strdup_printf (_ ("%" PRIu64 " keys of %.0f before growth"),
                          table->count, load_limit (table));
}
