/* SPDX-License-Identifier: GPL-3.0-or-later */

/* wheel-passes.h — the wheel scrolls what lies over it, and sets nothing */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * wheel_passes:
 * @within: holds numbers and scales, all that will be there
 *
 * Leaves turns of the wheel over these to the scroller that they are in.
 *
 * Cost:    a walk through @within.
 * Threads: main thread.
 */
void wheel_passes (GtkWidget *within);

G_END_DECLS
