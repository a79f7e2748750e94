/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-inspector.h — the chosen slot in words, its life, and what is now */
#pragma once

#include "core/model/tophash-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_INSPECTOR (tophash_inspector_get_type ())
G_DECLARE_FINAL_TYPE (TophashInspector, tophash_inspector, TOPHASH, INSPECTOR, GtkWidget)

GtkWidget *tophash_inspector_new         (void);
/* @session (nullable): a reference is taken. */
void       tophash_inspector_set_session (TophashInspector *self,
                                          TophashSession   *session);
/* The other page is the selection's. */
void       tophash_inspector_show_statistics  (TophashInspector *self,
                                               gboolean          is_shown);
gboolean   tophash_inspector_shows_statistics (TophashInspector *self);

G_END_DECLS
