/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-honesty-card.h — what recording cost this run */
#pragma once

#include "core/model/tophash-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_HONESTY_CARD (tophash_honesty_card_get_type ())
G_DECLARE_FINAL_TYPE (TophashHonestyCard, tophash_honesty_card, TOPHASH, HONESTY_CARD, GtkWidget)

GtkWidget *tophash_honesty_card_new         (void);
/* @session (nullable): a reference is taken. */
void       tophash_honesty_card_set_session (TophashHonestyCard *self,
                                             TophashSession     *session);

G_END_DECLS
