/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gl-choice.h — GL only where there is hardware for it */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether the machine has a graphics processor that GL could use, or may have one,
 * going by what stands in @devices, which is /dev. */
gboolean gl_choice_has_hardware (const char *devices);
/* Has the window drawn without GL, unless there is hardware in @devices or the
 * environment says how it is to be drawn. Before gtk_init(), and before there are
 * other threads. */
void     gl_choice_make         (const char *devices);

G_END_DECLS
