/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-costs.c — what the map's work has cost: a column of figures
 *
 * A column of sections, each with a title, its figure in large and then what
 * the figure is made of. A pen goes down the column; without a cairo context it
 * only moves, and where it ends is the height.
 *
 * Bytes       One bar, parted as the bytes are: buckets of read, buckets of
 *             dirty, entries of live keys, entries of deleted ones (hatched: on
 *             their way out), older versions (an outline: only a view sees
 *             them). Each part is named beside its mark with its bytes per key.
 * Histograms  The engine sorts durations by powers of two, and so does the
 *             picture: waits hatched, holds solid, as in the lanes. A quantile
 *             is known to be under the upper end of its place, and the words
 *             say just that. Two ticks mark half and 99 of 100.
 * Engines     Maps with read and dirty promote, copy and swap entries; the
 *             others grow their one table or their shards. Each shows its own.
 * Empty       A section with nothing to tell says so in words.
 */
#include "widgets/paint-costs.h"

#include <glib/gi18n.h>
#include <math.h>

#define SECTION_GAP 14.0
#define BAR_HEIGHT 14.0
#define PLOT_HEIGHT 42.0
#define MARK 10.0
#define MIN_PLACES 8u

typedef struct {
  cairo_t            *cr; /* NULL: measures */
  const CostsContext *context;
  double              width;
  double              y;
} Pen;

typedef enum {
  LOOK_SOLID,
  LOOK_HATCHED,
  LOOK_OUTLINED,
} PartLook;

typedef struct {
  const char *name;
  gsize       bytes;
  PaletteRole role;
  PartLook    look;
} Part;

#define MAX_PARTS 5

static void
set_role (const Pen  *pen,
          PaletteRole role) {
  tophash_palette_set_source (pen->context->palette, pen->cr, role);
}

static double
line_height (const Pen *pen,
             DrawFont   font) {
  double width, height;

  tophash_draw_measure (pen->context->draw, "0", font, &width, &height);
  return ceil (height);
}

/* A title or a name at the left and, if there is one, a figure at the right;
 * the name gives way. */
static void
write_pair (Pen        *pen,
            const char *name,
            double      indent,
            const char *figure,
            DrawFont    font,
            PaletteRole role) {
  TophashDraw *draw = pen->context->draw;
  double height = MAX (line_height (pen, font), line_height (pen, FONT_CAPTION));
  double middle = pen->y + height / 2;
  double width = 0;
  double unused;

  pen->y += height + 2;
  if (pen->cr == NULL)
    return;
  if (figure != NULL) {
    tophash_draw_measure (draw, figure, font, &width, &unused);
    set_role (pen, ROLE_TEXT);
    tophash_draw_text (draw, pen->cr, figure, font, pen->width, middle, 1, 0.5,
                       pen->width);
    width += 8;
  }
  set_role (pen, role);
  tophash_draw_text (draw, pen->cr, name, FONT_CAPTION, indent, middle, 0, 0.5,
                     MAX (1, pen->width - indent - width));
}

static void
write_title (Pen        *pen,
             const char *title,
             const char *figure) {
  if (pen->y > 0) {
    pen->y += SECTION_GAP;
    if (pen->cr != NULL) {
      set_role (pen, ROLE_CARD_EDGE);
      cairo_set_line_width (pen->cr, 1);
      cairo_move_to (pen->cr, 0, floor (pen->y - SECTION_GAP / 2) + 0.5);
      cairo_rel_line_to (pen->cr, pen->width, 0);
      cairo_stroke (pen->cr);
    }
  }
  write_pair (pen, title, 0, figure, FONT_FIGURE, ROLE_TEXT);
}

static void
write_row (Pen        *pen,
           const char *name,
           const char *figure) {
  write_pair (pen, name, 0, figure, FONT_CAPTION, ROLE_TEXT_DIM);
}

static void
write_count (Pen        *pen,
             const char *name,
             guint64     count) {
  g_autofree char *figure = tophash_draw_format_count (count);

  write_row (pen, name, figure);
}

/* Zero: there was no clock. */
static char *
time_text (guint64 ns) {
  return ns == 0 ? g_strdup (_ ("not measured"))
                 : tophash_draw_format_time ((gint64)ns);
}

static void
write_time (Pen        *pen,
            const char *name,
            guint64     ns) {
  g_autofree char *figure = time_text (ns);

  write_row (pen, name, figure);
}

/* Bytes -------------------------------------------------------------------- */

static gsize
all_bytes (const StateMemory *memory) {
  return memory->read + memory->dirty + memory->entries + memory->deleted
         + memory->versions;
}

static guint
list_parts (const CostsContext *context,
            Part               *parts) {
  const StateMemory *memory = &context->memory;
  guint n = 0;

  if (!context->has_read_and_dirty) {
    parts[n++] = (Part){ _ ("buckets"), memory->read, ROLE_LIVE, LOOK_SOLID };
    return n;
  }
  parts[n++] = (Part){ _ ("buckets of read"), memory->read, ROLE_LIVE,
                       LOOK_SOLID };
  parts[n++] = (Part){ _ ("buckets of dirty"), memory->dirty, ROLE_LOCK,
                       LOOK_SOLID };
  parts[n++] = (Part){ _ ("entries of live keys"), memory->entries, ROLE_SEEN,
                       LOOK_SOLID };
  parts[n++] = (Part){ _ ("entries deleted, still held"), memory->deleted,
                       ROLE_EXPUNGED, LOOK_HATCHED };
  if (context->has_versions)
    parts[n++] = (Part){ _ ("older versions"), memory->versions, ROLE_OP_DELETE,
                         LOOK_OUTLINED };
  return n;
}

static void
paint_part (const Pen  *pen,
            const Part *part,
            double      x,
            double      y,
            double      width,
            double      height) {
  set_role (pen, part->role);
  cairo_rectangle (pen->cr, x, y, width, height);
  switch (part->look) {
  case LOOK_SOLID:
    cairo_fill (pen->cr);
    return;
  case LOOK_HATCHED:
    tophash_draw_hatch (pen->cr, 4);
    break;
  case LOOK_OUTLINED:
    cairo_new_path (pen->cr);
    break;
  }
  if (width < 2)
    return;
  cairo_rectangle (pen->cr, x + 0.75, y + 0.75, width - 1.5, height - 1.5);
  cairo_set_line_width (pen->cr, 1.5);
  cairo_stroke (pen->cr);
}

static void
paint_parts (Pen        *pen,
             const Part *parts,
             guint       n,
             gsize       all) {
  double x = 0;

  if (pen->cr != NULL) {
    cairo_save (pen->cr);
    tophash_draw_rounded (pen->cr, 0, pen->y, pen->width, BAR_HEIGHT, 4);
    cairo_clip (pen->cr);
    set_role (pen, ROLE_QUIET);
    cairo_paint (pen->cr);
    for (guint i = 0; i < n && all > 0; i++) {
      double width = pen->width * (double)parts[i].bytes / (double)all;

      set_role (pen, ROLE_CARD);
      cairo_rectangle (pen->cr, x, pen->y, width, BAR_HEIGHT);
      cairo_fill (pen->cr);
      paint_part (pen, &parts[i], x, pen->y, MAX (0, width - (i + 1 < n)),
                  BAR_HEIGHT);
      x += width;
    }
    cairo_restore (pen->cr);
  }
  pen->y += BAR_HEIGHT + 6;
}

/* "84 B"; a dash without keys. */
static char *
per_key_text (gsize   bytes,
              guint64 n_live) {
  double share = n_live == 0 ? 0 : (double)bytes / (double)n_live;

  if (n_live == 0)
    return g_strdup ("–");
  return share > 0 && share < 10 ? g_strdup_printf (_ ("%.1f B"), share)
                                 : g_strdup_printf (_ ("%.0f B"), share);
}

static char *
keys_text (const StateMemory *memory) {
  g_autofree char *live = tophash_draw_format_count (memory->n_live);
  g_autofree char *size = g_format_size_full (all_bytes (memory),
                                              G_FORMAT_SIZE_IEC_UNITS);

  if (memory->n_live == 0)
    return g_strdup_printf (_ ("no live key, %s in all"), size);
  return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s live key, %s in all",
                                       "%s live keys, %s in all",
                                       memory->n_live),
                          live, size);
}

static void
paint_memory (Pen *pen) {
  const StateMemory *memory = &pen->context->memory;
  g_autofree char *figure = per_key_text (all_bytes (memory), memory->n_live);
  g_autofree char *words = keys_text (memory);
  Part parts[MAX_PARTS];
  guint n = list_parts (pen->context, parts);

  write_title (pen, _ ("bytes per live key"), figure);
  pen->y += 2;
  paint_parts (pen, parts, n, all_bytes (memory));
  for (guint i = 0; i < n; i++) {
    g_autofree char *share = per_key_text (parts[i].bytes, memory->n_live);
    double middle = floor (pen->y + line_height (pen, FONT_CAPTION) / 2);

    if (pen->cr != NULL)
      paint_part (pen, &parts[i], 0, middle - MARK / 2, MARK, MARK);
    write_pair (pen, parts[i].name, MARK + 7, share, FONT_CAPTION,
                ROLE_TEXT_DIM);
  }
  write_row (pen, words, NULL);
}

/* Histograms --------------------------------------------------------------- */

/* The places to show: those that are not empty with one on each side, and never
 * so few that a bar becomes a block. */
static void
find_places (const StateHistogram *histogram,
             guint                *from,
             guint                *to) {
  guint first = STATE_HISTOGRAM_N;
  guint end = 0;

  for (guint i = 0; i < STATE_HISTOGRAM_N; i++)
    if (histogram->counts[i] > 0) {
      first = MIN (first, i);
      end = i + 1;
    }
  *from = first > 0 ? first - 1 : 0;
  *to = MIN (end + 1, STATE_HISTOGRAM_N);
  while (*to - *from < MIN_PLACES) {
    if (*to < STATE_HISTOGRAM_N)
      ++*to;
    if (*to - *from < MIN_PLACES && *from > 0)
      --*from;
  }
}

static void
paint_bars (const Pen            *pen,
            const StateHistogram *histogram,
            guint                 from,
            guint                 to,
            const Part           *look) {
  double step = pen->width / (to - from);
  guint32 most = 1;

  for (guint i = from; i < to; i++)
    most = MAX (most, histogram->counts[i]);
  for (guint i = from; i < to; i++) {
    double x = floor ((i - from) * step);
    double width = floor ((i - from + 1) * step) - x - 2;
    /* One of a million still shows. */
    double height = histogram->counts[i] == 0
                      ? 0
                      : MAX (3, round (PLOT_HEIGHT * histogram->counts[i] / most));

    if (height > 0)
      paint_part (pen, look, x + 1, pen->y + PLOT_HEIGHT - height, width, height);
  }
  set_role (pen, ROLE_NIL_EDGE);
  cairo_set_line_width (pen->cr, 1);
  cairo_move_to (pen->cr, 0, pen->y + PLOT_HEIGHT + 0.5);
  cairo_rel_line_to (pen->cr, pen->width, 0);
  cairo_stroke (pen->cr);
}

/* A tick at the upper end of the quantile's place. */
static void
paint_quantile (const Pen *pen,
                guint64    ns,
                guint      from,
                guint      to,
                gboolean   is_dotted) {
  guint place = 63u - (guint)__builtin_clzll (ns | 1);
  double x = pen->width * (CLAMP (place, from, to) - from) / (to - from);

  x = CLAMP (floor (x) + 0.5, 0.5, pen->width - 0.5);
  set_role (pen, ROLE_TEXT);
  if (is_dotted)
    cairo_set_dash (pen->cr, (const double[]){ 2, 2 }, 2, 0);
  cairo_set_line_width (pen->cr, 1.5);
  cairo_move_to (pen->cr, x, pen->y - 2);
  cairo_line_to (pen->cr, x, pen->y + PLOT_HEIGHT);
  cairo_stroke (pen->cr);
  cairo_set_dash (pen->cr, NULL, 0, 0);
}

static void
paint_axis (Pen  *pen,
            guint from,
            guint to) {
  g_autofree char *least = tophash_draw_format_time (G_GINT64_CONSTANT (1) << from);
  g_autofree char *most = tophash_draw_format_time (G_GINT64_CONSTANT (1) << to);
  double height = line_height (pen, FONT_CAPTION);

  if (pen->cr != NULL) {
    set_role (pen, ROLE_TEXT_DIM);
    tophash_draw_text (pen->context->draw, pen->cr, least, FONT_CAPTION, 0,
                       pen->y, 0, 0, pen->width / 2);
    tophash_draw_text (pen->context->draw, pen->cr, most, FONT_CAPTION,
                       pen->width, pen->y, 1, 0, pen->width / 2);
  }
  pen->y += height + 4;
}

static void
write_quantile (Pen                  *pen,
                const char           *name,
                const StateHistogram *histogram,
                double                q) {
  g_autofree char *time = tophash_draw_format_time (
    (gint64)state_histogram_quantile (histogram, q));

  write_row (pen, name, time);
}

static void
paint_histogram (Pen                  *pen,
                 const char           *title,
                 const StateHistogram *histogram,
                 const Part           *look,
                 const char           *empty) {
  guint64 total = state_histogram_total (histogram);
  g_autofree char *count = tophash_draw_format_count (total);
  guint from, to;

  write_title (pen, title, total == 0 ? NULL : count);
  if (total == 0) {
    write_row (pen, empty, NULL);
    return;
  }
  find_places (histogram, &from, &to);
  pen->y += 6;
  if (pen->cr != NULL) {
    paint_bars (pen, histogram, from, to, look);
    paint_quantile (pen, state_histogram_quantile (histogram, 0.5), from, to,
                    FALSE);
    paint_quantile (pen, state_histogram_quantile (histogram, 0.99), from, to,
                    TRUE);
  }
  pen->y += PLOT_HEIGHT + 3;
  paint_axis (pen, from, to);
  write_quantile (pen, _ ("p50: half took less than"), histogram, 0.5);
  write_quantile (pen, _ ("p99: 99 of 100 less than"), histogram, 0.99);
  write_quantile (pen, _ ("max: all less than"), histogram, 1);
}

/* Without a clock locks are counted, but not timed. */
static const char *
no_waits_text (const CostsContext *context) {
  if (context->counters.n_lock_waits > 0)
    return _ ("No wait was measured yet");
  return context->has_locks ? _ ("No lock was waited for yet")
                            : _ ("No lock was taken yet");
}

static const char *
no_holds_text (const CostsContext *context) {
  return context->has_locks ? _ ("No hold was measured yet")
                            : _ ("No lock was taken yet");
}

static void
paint_locks (Pen *pen) {
  const StateCounters *counters = &pen->context->counters;
  const Part waits = { .role = ROLE_WAIT, .look = LOOK_HATCHED };
  const Part holds = { .role = ROLE_LOCK, .look = LOOK_SOLID };

  if (pen->context->is_lockless) {
    write_title (pen, _ ("locks"), NULL);
    write_row (pen, _ ("This map has no lock"), NULL);
    return;
  }
  paint_histogram (pen, _ ("waits for a lock"), &counters->lock_waits, &waits,
                   no_waits_text (pen->context));
  paint_histogram (pen, _ ("holds of a lock, measured"), &counters->lock_holds,
                   &holds, no_holds_text (pen->context));
}

/* Structure ---------------------------------------------------------------- */

static void
paint_pair_work (Pen *pen) {
  const StateCounters *counters = &pen->context->counters;
  g_autofree char *promotions = tophash_draw_format_count (counters->n_promotions);
  g_autofree char *copies = tophash_draw_format_count (counters->n_copies);
  g_autofree char *retries = tophash_draw_format_count (counters->n_cas_retries);

  write_title (pen, _ ("promotions"),
               counters->n_promotions == 0 ? NULL : promotions);
  if (counters->n_promotions == 0) {
    write_row (pen, _ ("Nothing was promoted yet"), NULL);
  } else {
    write_time (pen, _ ("the last took"), counters->last_promotion_ns);
    write_time (pen, _ ("all of them took"), counters->promotion_ns);
  }
  write_title (pen, _ ("copies of read into dirty"),
               counters->n_copies == 0 ? NULL : copies);
  if (counters->n_copies == 0) {
    write_row (pen, _ ("Nothing was copied yet"), NULL);
  } else {
    write_count (pen, _ ("entries copied"), counters->n_copied);
    write_count (pen, _ ("entries expunged"), counters->n_expunged);
    write_time (pen, _ ("the last took"), counters->last_copy_ns);
    write_time (pen, _ ("all of them took"), counters->copy_ns);
  }
  write_title (pen, _ ("CAS tried again"),
               counters->n_cas_retries == 0 ? NULL : retries);
  write_row (pen,
             counters->n_cas_retries == 0
               ? _ ("No compare-and-swap failed yet")
               : _ ("another thread had been first"),
             NULL);
}

static void
paint_table_work (Pen *pen) {
  const StateCounters *counters = &pen->context->counters;
  guint64 n_all = counters->n_growths + counters->n_same_size;
  g_autofree char *growths = tophash_draw_format_count (n_all);

  write_title (pen, _ ("growths"), n_all == 0 ? NULL : growths);
  if (n_all == 0) {
    write_row (pen, _ ("No table has grown yet"), NULL);
    return;
  }
  write_count (pen, _ ("to twice the buckets"), counters->n_growths);
  write_count (pen, _ ("to the same size"), counters->n_same_size);
  write_count (pen, _ ("buckets evacuated"), counters->n_evacuated);
}

/* Public ------------------------------------------------------------------- */

gboolean
costs_is_lockless (const MapState *state) {
  const StateTable *only = map_state_table_for (state, TABLE_ROLE_ONLY);

  return map_state_n_locks (state) == 0 && !map_state_has_read_and_dirty (state)
         && only != NULL && only->buckets != NULL;
}

void
costs_context_read (CostsContext   *context,
                    const MapState *state) {
  context->counters = *map_state_counters (state);
  context->has_read_and_dirty = map_state_has_read_and_dirty (state);
  context->has_versions = map_state_clock (state) > 0;
  context->has_locks = map_state_n_locks (state) > 0;
  context->is_lockless = costs_is_lockless (state);
  map_state_get_memory (state, &context->memory);
}

double
paint_costs (cairo_t            *cr,
             const CostsContext *context,
             double              width) {
  Pen pen = { cr, context, width, 0 };

  paint_memory (&pen);
  paint_locks (&pen);
  if (context->has_read_and_dirty)
    paint_pair_work (&pen);
  else
    paint_table_work (&pen);
  return ceil (pen.y);
}

guint
costs_shape (const CostsContext *context) {
  const StateCounters *counters = &context->counters;
  const gboolean bits[] = {
    context->has_read_and_dirty,
    context->has_versions,
    state_histogram_total (&counters->lock_waits) > 0,
    state_histogram_total (&counters->lock_holds) > 0,
    counters->n_promotions > 0,
    counters->n_copies > 0,
    counters->n_growths + counters->n_same_size > 0,
    context->is_lockless,
  };
  guint shape = 0;

  for (guint i = 0; i < G_N_ELEMENTS (bits); i++)
    shape |= (guint)(bits[i] != 0) << i;
  return shape;
}

static void
say_histogram (GString              *text,
               const char           *title,
               const StateHistogram *histogram,
               const char           *empty) {
  g_autofree char *count
    = tophash_draw_format_count (state_histogram_total (histogram));
  g_autofree char *half = tophash_draw_format_time (
    (gint64)state_histogram_quantile (histogram, 0.5));
  g_autofree char *most = tophash_draw_format_time (
    (gint64)state_histogram_quantile (histogram, 0.99));
  g_autofree char *all = tophash_draw_format_time (
    (gint64)state_histogram_quantile (histogram, 1));

  if (state_histogram_total (histogram) == 0)
    g_string_append_printf (text, "%s. ", empty);
  else
    /* Translators: "waits for a lock: 12; half took less than …" */
    g_string_append_printf (text,
                            _ ("%s: %s; half took less than %s, 99 of 100 less "
                               "than %s, all less than %s. "),
                            title, count, half, most, all);
}

char *
costs_to_text (const CostsContext *context) {
  const StateCounters *counters = &context->counters;
  const StateMemory *memory = &context->memory;
  g_autofree char *figure = per_key_text (all_bytes (memory), memory->n_live);
  g_autofree char *words = keys_text (memory);
  GString *text = g_string_new (NULL);
  Part parts[MAX_PARTS];
  guint n = list_parts (context, parts);

  g_string_append_printf (text, "%s: %s; %s. ", _ ("bytes per live key"), figure,
                          words);
  for (guint i = 0; i < n; i++) {
    g_autofree char *share = per_key_text (parts[i].bytes, memory->n_live);

    g_string_append_printf (text, "%s: %s. ", parts[i].name, share);
  }
  if (context->is_lockless) {
    g_string_append_printf (text, "%s. ", _ ("This map has no lock"));
  } else {
    say_histogram (text, _ ("waits for a lock"), &counters->lock_waits,
                   no_waits_text (context));
    say_histogram (text, _ ("holds of a lock, measured"), &counters->lock_holds,
                   no_holds_text (context));
  }
  if (context->has_read_and_dirty) {
    g_autofree char *promoted = time_text (counters->promotion_ns);
    g_autofree char *copied = time_text (counters->copy_ns);

    g_string_append_printf (
      text, "%s: %" G_GUINT64_FORMAT ", %s. ", _ ("promotions"),
      counters->n_promotions, promoted);
    g_string_append_printf (
      text, "%s: %" G_GUINT64_FORMAT ", %s. ", _ ("copies of read into dirty"),
      counters->n_copies, copied);
    g_string_append_printf (text, "%s: %" G_GUINT64_FORMAT ".",
                            _ ("CAS tried again"), counters->n_cas_retries);
  } else {
    g_string_append_printf (text, "%s: %" G_GUINT64_FORMAT ".", _ ("growths"),
                            counters->n_growths + counters->n_same_size);
  }
  return g_string_free (text, FALSE);
}
