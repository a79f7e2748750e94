/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-notice.h — a sentence in a card that comes and goes */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_NOTICE (tophash_notice_get_type ())
G_DECLARE_FINAL_TYPE (TophashNotice, tophash_notice, TOPHASH, NOTICE, GtkWidget)

/* @seconds: after which it goes by itself; 0: it stays until it is dismissed. */
GtkWidget *tophash_notice_new        (guint          seconds);
/* In place of what it said. @label, @action (nullable): of a button, "win.save-as". */
void       tophash_notice_show       (TophashNotice *self,
                                      const char    *text,
                                      const char    *label,
                                      const char    *action);
void       tophash_notice_dismiss    (TophashNotice *self);
/* Whether the button stands below the words, which have the line to themselves. */
void       tophash_notice_set_narrow (TophashNotice *self,
                                      gboolean       is_narrow);
/* It came and was not dismissed yet. */
gboolean   tophash_notice_is_shown   (TophashNotice *self);

G_END_DECLS
