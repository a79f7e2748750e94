/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-lock.c — the lock, its owner or readers, and the queue at its door
 *
 *     [padlock] mu   [W2 38 µs]            |  [W4 alone] [W1 read] …
 *                    inside                |  waiting, as they came
 *
 * The door stands at one place whatever happens, so that at full speed chips
 * come and go and nothing else moves. A writer that has its turn but finds
 * readers inside stands in the door and shuts it: those behind it, readers too,
 * wait until it has been in.
 */
#include "widgets/paint-lock.h"

#include "widgets/paint-table.h"
#include "widgets/strip-words.h"

#include <glib/gi18n.h>
#include <math.h>

#define PADDING 16
#define CHIP_HEIGHT 24
#define CHIP_PADDING 9
#define CHIP_GAP 6
#define HATCH_WIDTH 9
#define NAME_AT 24
#define NAME_ROOM 56
#define DOOR_AT 0.44
#define WORDS_ROOM 320 /* of a queue whose chips say what they wait for */

static PaletteRole
chip_role (ChipLook look) {
  switch (look) {
  case CHIP_ALONE:
  case CHIP_SHARED:
    return ROLE_LOCK;
  case CHIP_WAITS_ALONE:
  case CHIP_WAITS_SHARED:
  case CHIP_NEXT:
    return ROLE_WAIT;
  case CHIP_VIEW:
    break;
  }
  return ROLE_SEEN;
}

double
paint_chip (cairo_t            *cr,
            const PaintContext *context,
            const char         *text,
            ChipLook            look,
            double              x,
            double              middle,
            double              fixed_width,
            double              max_width) {
  gboolean is_waiting = look == CHIP_WAITS_ALONE || look == CHIP_WAITS_SHARED
                        || look == CHIP_NEXT;
  gboolean is_round = look == CHIP_SHARED || look == CHIP_WAITS_SHARED;
  double lead = CHIP_PADDING + (is_waiting ? HATCH_WIDTH : 0);
  double radius = is_round ? CHIP_HEIGHT / 2.0 : 5;
  double top = round (middle - CHIP_HEIGHT / 2.0);
  double width = fixed_width;
  double height;

  if (width <= 0) {
    tophash_draw_measure (context->draw, text, FONT_CAPTION, &width, &height);
    width = ceil (width) + lead + CHIP_PADDING;
  }
  if (width > max_width)
    return 0;
  tophash_draw_rounded (cr, x + 0.5, top + 0.5, width - 1, CHIP_HEIGHT - 1,
                        radius);
  if (is_waiting) {
    cairo_save (cr);
    cairo_clip_preserve (cr);
    cairo_new_path (cr);
    cairo_rectangle (cr, x, top, HATCH_WIDTH + (is_round ? 4 : 2), CHIP_HEIGHT);
    tophash_palette_set_source (context->palette, cr, ROLE_WAIT);
    tophash_draw_hatch (cr, 5);
    cairo_restore (cr);
    tophash_draw_rounded (cr, x + 0.5, top + 0.5, width - 1, CHIP_HEIGHT - 1,
                          radius);
  } else {
    paint_set_role (context, cr, chip_role (look),
                    look == CHIP_ALONE ? 0.34 : 0.16);
    cairo_fill_preserve (cr);
  }
  tophash_palette_set_source (context->palette, cr, chip_role (look));
  cairo_set_line_width (cr, look == CHIP_NEXT ? 2 : 1);
  cairo_stroke (cr);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT);
  tophash_draw_text (context->draw, cr, text, FONT_CAPTION,
                     x + lead + (width - lead - CHIP_PADDING) / 2, middle, 0.5,
                     0.5, width - lead - CHIP_PADDING + 2);
  return width;
}

void
paint_padlock (cairo_t            *cr,
               const PaintContext *context,
               const StateLock    *lock,
               double              x,
               double              middle) {
  gboolean is_alone = lock != NULL && lock->owner >= 0;
  gboolean is_shut = is_alone || (lock != NULL && lock->n_readers > 0);
  double top = round (middle) - 1;
  double out = is_shut ? 0 : 4;

  tophash_palette_set_source (context->palette, cr,
                              is_shut ? ROLE_TEXT : ROLE_TEXT_DIM);
  cairo_set_line_width (cr, 1.5);
  cairo_move_to (cr, x + 3.5 + out, top);
  cairo_line_to (cr, x + 3.5 + out, top - 3);
  cairo_arc (cr, x + 7 + out, top - 3, 3.5, G_PI, 2 * G_PI);
  cairo_line_to (cr, x + 10.5 + out, top - (is_shut ? 0 : 2));
  cairo_stroke (cr);
  tophash_draw_rounded (cr, x + 0.5, top + 0.5, 13, 9, 2);
  if (is_shut) {
    paint_set_role (context, cr, ROLE_LOCK, is_alone ? 1 : 0.35);
    cairo_fill_preserve (cr);
  }
  tophash_palette_set_source (context->palette, cr,
                              is_shut ? ROLE_TEXT : ROLE_TEXT_DIM);
  cairo_set_line_width (cr, 1);
  cairo_stroke (cr);
}

/* How many more there were than had room. */
static void
paint_more (cairo_t            *cr,
            const PaintContext *context,
            guint               n,
            double              x,
            double              middle) {
  g_autofree char *text = g_strdup_printf ("+%u", n);

  if (n == 0)
    return;
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (context->draw, cr, text, FONT_CAPTION, x, middle, 0, 0.5, 0);
}

/* The owner, or the readers, from @x up to @end. */
static void
paint_inside (cairo_t            *cr,
              const PaintContext *context,
              const StateLock    *lock,
              gboolean            is_told, /* how long, elsewhere on the card */
              double              x,
              double              end,
              double              middle) {
  gint64 now_ns = map_state_at_ns (context->layout->state);
  guint n_painted = 0;

  if (lock->owner >= 0) {
    g_autofree char *who = worker_words_new (lock->owner);
    g_autofree char *held = tophash_draw_format_time (now_ns - lock->since_ns);
    g_autofree char *text
      = now_ns > lock->since_ns ? g_strdup_printf ("%s · %s", who, held)
                                : g_strdup (who);

    if (paint_chip (cr, context, text, CHIP_ALONE, x, middle, 0, end - x) == 0)
      paint_chip (cr, context, who, CHIP_ALONE, x, middle, 0, end - x);
    return;
  }
  if (lock->n_readers == 0) {
    g_autofree char *held
      = tophash_draw_format_time ((gint64)lock->last_hold_ns);
    g_autofree char *text = g_strdup_printf (_("free · last held %s"), held);
    double width;
    double height;

    tophash_draw_measure (context->draw, text, FONT_CAPTION, &width, &height);
    tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
    tophash_draw_text (context->draw, cr,
                       lock->last_hold_ns != 0 && !is_told && width <= end - x
                           ? text
                           : _("free"),
                       FONT_CAPTION, x, middle, 0, 0.5, end - x);
    return;
  }
  for (int i = 0; i < 64; i++) {
    g_autofree char *who = NULL;
    double width;

    if ((lock->readers >> i & 1) == 0)
      continue;
    who = worker_words_new (i);
    width = paint_chip (cr, context, who, CHIP_SHARED, x, middle, 0,
                        end - x - (n_painted + 1 < lock->n_readers ? 24 : 0));
    if (width == 0)
      break;
    x += width + CHIP_GAP;
    n_painted++;
  }
  paint_more (cr, context, lock->n_readers - MIN (n_painted, lock->n_readers), x,
              middle);
}

static char *
say_waiter (const StateLock *lock,
            guint            thread,
            gboolean         is_long) {
  g_autofree char *who = worker_words_new ((int)thread);

  if (!is_long)
    return g_steal_pointer (&who);
  switch (lock_wait_of (lock, thread)) {
  case LOCK_WAIT_ALONE:
    return g_strdup_printf (_("%s alone"), who);
  case LOCK_WAIT_READ:
    return g_strdup_printf (_("%s read"), who);
  case LOCK_WAIT_DRAIN:
    return g_strdup_printf (_("%s next"), who);
  }
  return g_steal_pointer (&who);
}

/* Whoever stands in the door, then the others as they came. */
static void
paint_queue (cairo_t            *cr,
             const PaintContext *context,
             const StateLock    *lock,
             double              x,
             double              end,
             double              middle) {
  /* Of a lock that nobody shares there is nothing to tell apart. */
  gboolean is_long = end - x >= WORDS_ROOM
                     && (lock->n_read_acquired > 0 || lock->read_waiters != 0);
  guint n = MAX (lock->n_queue, (guint)__builtin_popcountll (lock->waiters));
  guint n_painted = 0;

  for (int pass = 0; pass < 2; pass++)
    for (guint i = 0; i < lock->n_queue; i++) {
      LockWait what = lock_wait_of (lock, lock->queue[i]);
      g_autofree char *text = say_waiter (lock, lock->queue[i], is_long);
      double width;

      if ((what == LOCK_WAIT_DRAIN) != (pass == 0))
        continue;
      width = paint_chip (cr, context, text,
                          what == LOCK_WAIT_DRAIN  ? CHIP_NEXT
                          : what == LOCK_WAIT_READ ? CHIP_WAITS_SHARED
                                                   : CHIP_WAITS_ALONE,
                          x, middle, 0, end - x - (n_painted + 1 < n ? 26 : 0));
      if (width == 0) {
        paint_more (cr, context, n - n_painted, x, middle);
        return;
      }
      x += width + CHIP_GAP;
      n_painted++;
    }
  paint_more (cr, context, n - n_painted, x, middle);
  if (n > 0)
    return;
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (context->draw, cr, _("nobody waits"), FONT_CAPTION, x,
                     middle, 0, 0.5, end - x);
}

static void
paint_door (cairo_t            *cr,
            const PaintContext *context,
            const StateLock    *lock,
            double              x,
            double              middle) {
  gboolean is_shut = lock->claimed_by >= 0;
  static const double dash[] = { 3, 3 };

  tophash_palette_set_source (context->palette, cr,
                              is_shut ? ROLE_WAIT : ROLE_NIL_EDGE);
  cairo_set_line_width (cr, is_shut ? 3 : 1);
  if (!is_shut)
    cairo_set_dash (cr, dash, 2, 0);
  cairo_move_to (cr, x + 0.5, middle - 15);
  cairo_line_to (cr, x + 0.5, middle + 15);
  cairo_stroke (cr);
  cairo_set_dash (cr, NULL, 0, 0);
}

static char *
name_lock (const PaintContext *context,
           const StateLock    *lock) {
  if (context->layout->kind != STAGE_SHARDS)
    return g_strdup ("mu");
  return lock != NULL ? g_strdup_printf (_("shard %u"), lock->id)
                      : g_strdup (_("locks"));
}

/* Where it says that it is free already, what it has been through. */
static char *
say_lock (const MapState  *state,
          const StateLock *lock) {
  if (lock == NULL)
    return g_strdup (_("no worker waits for a shard now"));
  return lock->owner < 0 && lock->n_readers == 0 ? lock_counts_new (lock)
                                                 : lock_words_new (state, lock);
}

void
paint_lock (cairo_t            *cr,
            const PaintContext *context,
            const StageCard    *card) {
  const MapState *state = context->layout->state;
  const StateLock *lock
    = card->lock >= 0 ? map_state_lock (state, (guint)card->lock) : NULL;
  gboolean is_roomy = card->frame.height >= STAGE_STRIP_ROOMY;
  double middle = card->frame.y + (is_roomy ? 22 : card->frame.height / 2);
  double x = card->frame.x + PADDING;
  double end = card->frame.x + card->frame.width - PADDING;
  double door = card->frame.x + round (card->frame.width * DOOR_AT);
  g_autofree char *name = name_lock (context, lock);
  g_autofree char *words = say_lock (state, lock);
  double width;
  double height;

  paint_card_frame (cr, context, &card->frame, FALSE);
  paint_padlock (cr, context, lock, x, middle);
  tophash_draw_measure (context->draw, name, FONT_HEADING, &width, &height);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT);
  tophash_draw_text (context->draw, cr, name, FONT_HEADING, x + NAME_AT, middle,
                     0, 0.5, door - x - NAME_AT);
  x += NAME_AT + MAX (NAME_ROOM - NAME_AT, ceil (width) + 12);
  if (lock != NULL) {
    paint_inside (cr, context, lock, is_roomy, x, door - 10, middle);
    paint_door (cr, context, lock, door, middle);
    paint_queue (cr, context, lock, door + 12, end, middle);
  }
  if (!is_roomy && lock != NULL)
    return;
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  if (is_roomy)
    x = card->frame.x + PADDING;
  tophash_draw_text (context->draw, cr, words, FONT_CAPTION, x,
                     is_roomy ? card->frame.y + 48 : middle, 0, 0.5, end - x);
}
