/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-misuse-banner.h — here a Go program would have ended */
#pragma once

#include "core/model/tophash-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_MISUSE_BANNER (tophash_misuse_banner_get_type ())
G_DECLARE_FINAL_TYPE (TophashMisuseBanner, tophash_misuse_banner, TOPHASH, MISUSE_BANNER, GtkWidget)

GtkWidget *tophash_misuse_banner_new         (void);
/* @session (nullable): a reference is taken. */
void       tophash_misuse_banner_set_session (TophashMisuseBanner *self,
                                              TophashSession      *session);
/* Whether a misuse is told now. */
gboolean   tophash_misuse_banner_is_shown    (TophashMisuseBanner *self);

G_END_DECLS
