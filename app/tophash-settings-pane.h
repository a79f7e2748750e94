/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-settings-pane.h — the scenario's story and its settings */
#pragma once

#include "core/model/tophash-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_SETTINGS_PANE (tophash_settings_pane_get_type ())
G_DECLARE_FINAL_TYPE (TophashSettingsPane, tophash_settings_pane, TOPHASH, SETTINGS_PANE, GtkWidget)

/* @session: a reference is taken; set once. */
void tophash_settings_pane_set_session (TophashSettingsPane *self,
                                        TophashSession      *session);

/* The settings below the map's and its keys', half of all. */
GtkWidget *tophash_settings_pane_get_lower (TophashSettingsPane *self);

G_END_DECLS
