/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-still-bin.h — a child that seldom changes, kept as one image */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_STILL_BIN (tophash_still_bin_get_type ())
G_DECLARE_FINAL_TYPE (TophashStillBin, tophash_still_bin, TOPHASH, STILL_BIN,
                      GtkWidget)

/* TRUE: what is shown is the image. */
gboolean tophash_still_bin_is_still (TophashStillBin *self);

G_END_DECLS
