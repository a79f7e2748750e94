/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-stat-strip.h — the counters: how near is the next structural event */
#pragma once

#include "core/model/tophash-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_STAT_STRIP (tophash_stat_strip_get_type ())
G_DECLARE_FINAL_TYPE (TophashStatStrip, tophash_stat_strip, TOPHASH, STAT_STRIP, GtkWidget)

GtkWidget *tophash_stat_strip_new         (void);
/* @session (nullable): a reference is taken. */
/* Less high, without what explains the figures. */
void       tophash_stat_strip_set_low     (TophashStatStrip *self,
                                           gboolean          is_low);
void       tophash_stat_strip_set_session (TophashStatStrip *self,
                                           TophashSession   *session);

G_END_DECLS
