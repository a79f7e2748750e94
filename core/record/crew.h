/* SPDX-License-Identifier: GPL-3.0-or-later */

/* crew.h — threads that do the parts of one task side by side
 *
 * As many as there are processors, the caller being one of them. They stay for many
 * tasks, and what they keep for themselves (contexts of compressors) with them.
 *
 * Threads: one at a time, which waits until all parts are done.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _Crew Crew;

Crew *crew_new  (void);
void  crew_free (Crew *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Crew, crew_free)

/* @work is called for each part below @n_parts, in about their order: what takes
 * longest had best be first. */
void  crew_work (Crew   *self,
                 guint   n_parts,
                 void  (*work) (gpointer data,
                                guint    part),
                 gpointer data);

G_END_DECLS
