/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-inspector.h — the chosen slot in words, what all of it cost, notes */
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
typedef enum {
  INSPECTOR_SELECTION,
  INSPECTOR_STATISTICS,
  INSPECTOR_NOTES,
} InspectorPage;

void          tophash_inspector_show_page     (TophashInspector *self,
                                               InspectorPage     page);
InspectorPage tophash_inspector_get_page      (TophashInspector *self);
/* Shows the notes, where the name of bookmark @id can be typed at once. */
void          tophash_inspector_name_bookmark (TophashInspector *self,
                                               guint64           id);
/* Takes over the names and the text that are being typed. */
void          tophash_inspector_take_notes    (TophashInspector *self);

G_END_DECLS
