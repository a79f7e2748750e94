/* SPDX-License-Identifier: GPL-3.0-or-later */

/* page-names.h — the names of pages above them, or their icons */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Shows the pages of @switcher's stack by name, or by icon where the names need
 * more than @room_px. To be called again when the letters change. */
void page_names_fit (GtkStackSwitcher *switcher,
                     int               room_px);

G_END_DECLS
