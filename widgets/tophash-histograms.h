/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-histograms.h — how long operations took, how long chains are */
#pragma once

#include "core/model/tophash-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_HISTOGRAMS (tophash_histograms_get_type ())
G_DECLARE_FINAL_TYPE (TophashHistograms, tophash_histograms, TOPHASH, HISTOGRAMS, GtkWidget)

GtkWidget *tophash_histograms_new         (void);
/* @session (nullable): a reference is taken. */
void       tophash_histograms_set_session (TophashHistograms *self,
                                           TophashSession    *session);

G_END_DECLS
