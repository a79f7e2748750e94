/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-statistics.h — what the map's work has cost, as a page */
#pragma once

#include "core/model/tophash-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_STATISTICS (tophash_statistics_get_type ())
G_DECLARE_FINAL_TYPE (TophashStatistics, tophash_statistics, TOPHASH, STATISTICS, GtkWidget)

GtkWidget *tophash_statistics_new         (void);
/* @session (nullable): a reference is taken. */
void       tophash_statistics_set_session (TophashStatistics *self,
                                           TophashSession    *session);

G_END_DECLS
