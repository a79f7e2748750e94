/* SPDX-License-Identifier: GPL-3.0-or-later */

/* frame-memory.h — the memory that frames are drawn in, kept at hand */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* For @window from its "realize" on; before that. */
void frame_memory_keep (GtkWindow *window);

G_END_DECLS
