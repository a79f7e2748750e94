/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-palette.c — roles to colours
 *
 * Four fixed tables. Hues are those of GNOME's palette (blue, green, yellow,
 * orange, red, purple); their depth is chosen per scheme so that
 *
 * P1  text on ROLE_CARD, and ROLE_ON_LIVE on ROLE_LIVE, _MOVES_UP and _STAYS,
 *     has a contrast of at least 4.5 to 1 (WCAG 2.1, 1.4.3); dim text too
 * P2  a shape that carries meaning stands off its card by at least 3 to 1
 *     (1.4.11); quiet tracks and card edges carry none and may be fainter
 * P3  a card is of one colour and edge, whoever draws it: ROLE_CARD and
 *     ROLE_CARD_EDGE stand in data/style.css and style-dark.css too. The
 *     theme's own dark card is lighter, 363636: no fill can hold both P1 and
 *     P2 on it, so the theme's follows ours
 * P4  high contrast raises P1 to 7 to 1 and makes edges count under P2
 */
#include "widgets/tophash-palette.h"

#define HEX(rgb)                                                             \
  {                                                                          \
    (((rgb) >> 16) & 0xff) / 255.0, (((rgb) >> 8) & 0xff) / 255.0,           \
      ((rgb) & 0xff) / 255.0, 1.0                                            \
  }

static const TophashPalette light = {
  .colors = {
    [ROLE_WINDOW] = HEX (0xfafafa),
    [ROLE_CARD] = HEX (0xffffff),
    [ROLE_CARD_EDGE] = HEX (0xe0e0e2),
    [ROLE_TEXT] = HEX (0x2e2e32),
    [ROLE_TEXT_DIM] = HEX (0x6c6c71),
    [ROLE_QUIET] = HEX (0xebebed),
    [ROLE_LIVE] = HEX (0x1f73da),
    [ROLE_ON_LIVE] = HEX (0xffffff),
    [ROLE_NIL_EDGE] = HEX (0x77767b),
    [ROLE_EXPUNGED] = HEX (0xb93f04),
    [ROLE_MOVES_UP] = HEX (0xa347ba),
    [ROLE_STAYS] = HEX (0x1f73da),
    [ROLE_SEEN] = HEX (0x1f9460),
    [ROLE_SKIPPED] = HEX (0xb87503),
    [ROLE_CURSOR] = HEX (0x1e1e20),
    [ROLE_LOCK] = HEX (0xe5a50a),
    [ROLE_WAIT] = HEX (0xd35400),
    [ROLE_OP_LOAD] = HEX (0x8ab7ee),
    [ROLE_OP_STORE] = HEX (0x1f73da),
    [ROLE_OP_DELETE] = HEX (0xb152c6),
    [ROLE_OP_RANGE] = HEX (0x26a269),
    [ROLE_MARK_PROMOTION] = HEX (0x1a5fb4),
    [ROLE_MARK_COPY] = HEX (0xc64600),
    [ROLE_MARK_GROWTH] = HEX (0xa347ba),
    [ROLE_MARK_OTHER] = HEX (0x77767b),
    [ROLE_WARNING] = HEX (0xc01c28),
  },
};

static const TophashPalette dark = {
  .colors = {
    [ROLE_WINDOW] = HEX (0x242424),
    [ROLE_CARD] = HEX (0x2d2d2d),
    [ROLE_CARD_EDGE] = HEX (0x434343),
    [ROLE_TEXT] = HEX (0xf2f2f2),
    [ROLE_TEXT_DIM] = HEX (0xaeaeae),
    [ROLE_QUIET] = HEX (0x3c3c3c),
    [ROLE_LIVE] = HEX (0x2375da),
    [ROLE_ON_LIVE] = HEX (0xffffff),
    [ROLE_NIL_EDGE] = HEX (0x9b9b9b),
    [ROLE_EXPUNGED] = HEX (0xff8c42),
    [ROLE_MOVES_UP] = HEX (0xaa51c1),
    [ROLE_STAYS] = HEX (0x2375da),
    [ROLE_SEEN] = HEX (0x4fd08b),
    [ROLE_SKIPPED] = HEX (0xf0b429),
    [ROLE_CURSOR] = HEX (0xffffff),
    [ROLE_LOCK] = HEX (0xe5a50a),
    [ROLE_WAIT] = HEX (0xff7800),
    [ROLE_OP_LOAD] = HEX (0x1a5fb4),
    [ROLE_OP_STORE] = HEX (0x4a90e9),
    [ROLE_OP_DELETE] = HEX (0xc061cb),
    [ROLE_OP_RANGE] = HEX (0x4fd08b),
    [ROLE_MARK_PROMOTION] = HEX (0x99c1f1),
    [ROLE_MARK_COPY] = HEX (0xff8c42),
    [ROLE_MARK_GROWTH] = HEX (0xd587e0),
    [ROLE_MARK_OTHER] = HEX (0xaeaeae),
    [ROLE_WARNING] = HEX (0xff7b70),
  },
  .is_dark = TRUE,
};

static const TophashPalette light_contrast = {
  .colors = {
    [ROLE_WINDOW] = HEX (0xffffff),
    [ROLE_CARD] = HEX (0xffffff),
    [ROLE_CARD_EDGE] = HEX (0x77767b),
    [ROLE_TEXT] = HEX (0x000000),
    [ROLE_TEXT_DIM] = HEX (0x4a4a4e),
    [ROLE_QUIET] = HEX (0xdadadc),
    [ROLE_LIVE] = HEX (0x144a92),
    [ROLE_ON_LIVE] = HEX (0xffffff),
    [ROLE_NIL_EDGE] = HEX (0x3d3846),
    [ROLE_EXPUNGED] = HEX (0x8a2d00),
    [ROLE_MOVES_UP] = HEX (0x6f2a86),
    [ROLE_STAYS] = HEX (0x144a92),
    [ROLE_SEEN] = HEX (0x0f6b40),
    [ROLE_SKIPPED] = HEX (0x7a4b00),
    [ROLE_CURSOR] = HEX (0x000000),
    [ROLE_LOCK] = HEX (0xa86f00),
    [ROLE_WAIT] = HEX (0x9c3700),
    [ROLE_OP_LOAD] = HEX (0x5b8fd6),
    [ROLE_OP_STORE] = HEX (0x144a92),
    [ROLE_OP_DELETE] = HEX (0x7d3194),
    [ROLE_OP_RANGE] = HEX (0x0f6b40),
    [ROLE_MARK_PROMOTION] = HEX (0x0f3a75),
    [ROLE_MARK_COPY] = HEX (0x8a2d00),
    [ROLE_MARK_GROWTH] = HEX (0x6f2a86),
    [ROLE_MARK_OTHER] = HEX (0x3d3846),
    [ROLE_WARNING] = HEX (0x90101a),
  },
  .is_high_contrast = TRUE,
};

static const TophashPalette dark_contrast = {
  .colors = {
    [ROLE_WINDOW] = HEX (0x000000),
    [ROLE_CARD] = HEX (0x0e0e10),
    [ROLE_CARD_EDGE] = HEX (0x9a9996),
    [ROLE_TEXT] = HEX (0xffffff),
    [ROLE_TEXT_DIM] = HEX (0xd0d0d4),
    [ROLE_QUIET] = HEX (0x2c2c30),
    [ROLE_LIVE] = HEX (0x8dbbf2),
    [ROLE_ON_LIVE] = HEX (0x000000),
    [ROLE_NIL_EDGE] = HEX (0xc0bfbc),
    [ROLE_EXPUNGED] = HEX (0xffa765),
    [ROLE_MOVES_UP] = HEX (0xe2a3e6),
    [ROLE_STAYS] = HEX (0x8dbbf2),
    [ROLE_SEEN] = HEX (0x8ff0a4),
    [ROLE_SKIPPED] = HEX (0xf9f06b),
    [ROLE_CURSOR] = HEX (0xffffff),
    [ROLE_LOCK] = HEX (0xf8c63d),
    [ROLE_WAIT] = HEX (0xffa348),
    [ROLE_OP_LOAD] = HEX (0x3a78cc),
    [ROLE_OP_STORE] = HEX (0x99c1f1),
    [ROLE_OP_DELETE] = HEX (0xdc8add),
    [ROLE_OP_RANGE] = HEX (0x8ff0a4),
    [ROLE_MARK_PROMOTION] = HEX (0xb5d3f7),
    [ROLE_MARK_COPY] = HEX (0xffa765),
    [ROLE_MARK_GROWTH] = HEX (0xe5a5ea),
    [ROLE_MARK_OTHER] = HEX (0xd0d0d4),
    [ROLE_WARNING] = HEX (0xffa099),
  },
  .is_dark = TRUE,
  .is_high_contrast = TRUE,
};

const TophashPalette *
tophash_palette_get (gboolean is_dark,
                     gboolean is_high_contrast) {
  if (is_high_contrast)
    return is_dark ? &dark_contrast : &light_contrast;
  return is_dark ? &dark : &light;
}
