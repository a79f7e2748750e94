/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-workload-figure.h — a mix of operations, or a choice of keys, drawn */
#pragma once

#include "core/workload/scenario.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_WORKLOAD_FIGURE (tophash_workload_figure_get_type ())
G_DECLARE_FINAL_TYPE (TophashWorkloadFigure, tophash_workload_figure, TOPHASH, WORKLOAD_FIGURE, GtkWidget)

/* Shows shares as a bar in the colours of the lanes. */
void tophash_workload_figure_set_mix  (TophashWorkloadFigure *self,
                                       const OperationMix    *mix);
/* Shows how often each of @n_keys keys is drawn, hottest first. */
void tophash_workload_figure_set_keys (TophashWorkloadFigure *self,
                                       const KeyChoice       *keys,
                                       guint64                n_keys);

/* (transfer full): "load 70 · store 17 · delete 9", in percent. */
char *tophash_workload_mix_text       (const OperationMix    *mix);

G_END_DECLS
