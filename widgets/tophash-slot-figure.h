/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-slot-figure.h — a slot's hash bits and its entry's states, drawn */
#pragma once

#include "core/state/map-state.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_SLOT_FIGURE (tophash_slot_figure_get_type ())
G_DECLARE_FINAL_TYPE (TophashSlotFigure, tophash_slot_figure, TOPHASH, SLOT_FIGURE, GtkWidget)

/* @hash of the key under the table's seed; @B picks the bucket bits, @old_B
 * (-1: not growing) the bits of oldbuckets. @entry: -1 when the table holds
 * values, else the state to light. */
void tophash_slot_figure_set (TophashSlotFigure *self,
                              guint64            hash,
                              int                B,
                              int                old_B,
                              int                entry);

G_END_DECLS
