/* SPDX-License-Identifier: GPL-3.0-or-later */

/* helper.h — a second thread for work that is wanted at once
 *
 * One thread, shared by all seeks. What it is asked to do must also be done by
 * who asks: the helper may be busy, and then it does not come.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _Helper Helper;

/* Asks the thread to call @work once, soon. */
Helper *helper_call  (void   (*work) (gpointer data),
                      gpointer data);
/* Waits until @work has returned, or sees to it that it is never called; frees
 * @helper. NULL is allowed. */
void    helper_dismiss (Helper *helper);

G_END_DECLS
