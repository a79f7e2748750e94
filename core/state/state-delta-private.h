/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-delta-private.h — between the ways to put changed words */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether this processor has the way of state-delta-wide.c. */
gboolean      state_delta_is_wide  (void);
/* Puts the words of 4 bytes at @at where @mask, of @n_words bits, says; what comes
 * after those read. NULL: they go on beyond @until, and nothing was put. */
const guint8 *state_delta_put_wide (guint8       *words,
                                    guint         n_words,
                                    guint64       mask,
                                    const guint8 *at,
                                    const guint8 *until);

G_END_DECLS
