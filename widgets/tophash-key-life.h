/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-key-life.h — all that happened to the chosen key, newest last */
#pragma once

#include "core/model/tophash-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_KEY_LIFE (tophash_key_life_get_type ())
G_DECLARE_FINAL_TYPE (TophashKeyLife, tophash_key_life, TOPHASH, KEY_LIFE, GtkWidget)

GtkWidget *tophash_key_life_new          (void);
/* @session (nullable): a reference is taken. */
void       tophash_key_life_set_session  (TophashKeyLife *self,
                                          TophashSession *session);
/* Adds earlier events at the top; nothing when there are none. */
void       tophash_key_life_show_earlier (TophashKeyLife *self);
/* What is shown, and whether it begins with the key's first event. */
guint      tophash_key_life_get_n_rows   (TophashKeyLife *self);
gboolean   tophash_key_life_is_whole     (TophashKeyLife *self);

G_END_DECLS
