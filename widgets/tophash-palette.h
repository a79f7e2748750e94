/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-palette.h — roles to colours, for light, dark and high contrast
 *
 * GNOME's palette, chosen once per scheme. Painters name roles, never colours;
 * a shape, hatch or letter always repeats what a colour says.
 */
#pragma once

#include <cairo.h>
#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  ROLE_WINDOW,      /* behind everything */
  ROLE_CARD,        /* a card's fill */
  ROLE_CARD_EDGE,
  ROLE_TEXT,
  ROLE_TEXT_DIM,    /* captions, indices */
  ROLE_QUIET,       /* never-used slots, empty tracks */
  ROLE_LIVE,        /* live value: accent */
  ROLE_ON_LIVE,     /* text on it */
  ROLE_NIL_EDGE,    /* deleted, still held: dashed outline */
  ROLE_EXPUNGED,    /* hatch */
  ROLE_MOVES_UP,    /* y of a growth */
  ROLE_STAYS,       /* x of a growth */
  ROLE_SEEN,        /* tick of a Range */
  ROLE_SKIPPED,     /* slash of a Range */
  ROLE_CURSOR,      /* ring, playhead */
  ROLE_LOCK,        /* held */
  ROLE_WAIT,        /* waiting: hatched */
  ROLE_OP_LOAD,
  ROLE_OP_STORE,
  ROLE_OP_DELETE,
  ROLE_OP_RANGE,
  ROLE_MARK_PROMOTION,
  ROLE_MARK_COPY,
  ROLE_MARK_GROWTH,
  ROLE_MARK_OTHER,
  ROLE_WARNING,     /* misuse, faults */
  ROLE_N
} PaletteRole;

typedef struct {
  double red, green, blue, alpha;
} PaletteColor;

typedef struct {
  PaletteColor colors[ROLE_N];
  gboolean     is_dark;
  gboolean     is_high_contrast;
} TophashPalette;

/* (transfer none): static. */
const TophashPalette *tophash_palette_get (gboolean is_dark,
                                           gboolean is_high_contrast);

static inline void
tophash_palette_set_source (const TophashPalette *palette,
                            cairo_t              *cr,
                            PaletteRole           role) {
  const PaletteColor *color = &palette->colors[role];

  cairo_set_source_rgba (cr, color->red, color->green, color->blue, color->alpha);
}

G_END_DECLS
