/* SPDX-License-Identifier: GPL-3.0-or-later */

/* helper.h — a second thread for work that is wanted at once, and one for later
 *
 * One thread each, shared by all timelines. What the first is asked to do must
 * also be done by who asks: it may be busy, and then it does not come.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _Helper Helper;
typedef void (*HelperWork) (gpointer data);

/* Asks the thread to call @work once, soon. NULL: there is no thread. */
Helper  *helper_call    (HelperWork work,
                         gpointer   data);
/* Waits until @work has returned, or sees to it that it is never called; frees
 * @helper. NULL is allowed. */
void     helper_dismiss (Helper    *helper);
/* Has @work called in its turn. FALSE: there is no thread, and it never is. */
gboolean helper_later   (HelperWork work,
                         gpointer   data);

G_END_DECLS
