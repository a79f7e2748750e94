/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-along.h — a row that goes to the previous and next event of one thing */
#pragma once

#include "core/model/tophash-session-along.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_ALONG (tophash_along_get_type ())
G_DECLARE_FINAL_TYPE (TophashAlong, tophash_along, TOPHASH, ALONG, GtkWidget)

GtkWidget *tophash_along_new  (SessionAlong    along);
/* Its name as it is now; hidden where there is none. */
void       tophash_along_tell (TophashAlong   *self,
                               TophashSession *session);

G_END_DECLS
