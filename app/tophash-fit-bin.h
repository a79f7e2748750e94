/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-fit-bin.h — says when its child no longer fits the window */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_FIT_BIN (tophash_fit_bin_get_type ())
G_DECLARE_FINAL_TYPE (TophashFitBin, tophash_fit_bin, TOPHASH, FIT_BIN, GtkWidget)

/* Of "level": all is shown; tight; as narrow as a telephone. */
typedef enum {
  FIT_WIDE,
  FIT_TIGHT,
  FIT_NARROW,
  FIT_N_LEVELS
} FitLevel;

FitLevel tophash_fit_bin_get_level (TophashFitBin *self);
/* Letters of @widget, which is within the child, are those that lines are counted in
 * from now on. They have changed, or so will they until the next frame. */
void     tophash_fit_bin_count_lines_of (TophashFitBin *self,
                                         GtkWidget     *widget);
/* While it is held nothing changes: the child is about to need other room. */
void     tophash_fit_bin_hold      (TophashFitBin *self,
                                    gboolean       is_held);
/* Whether there are too few lines for all that stands one above the other. */
gboolean tophash_fit_bin_is_low    (TophashFitBin *self);
/* What the main thing in a low window shall have of its height at the least, in
 * pixels; 0: nothing is claimed. A change is told with the level. */
int      tophash_fit_bin_get_claim (TophashFitBin *self);

G_END_DECLS
