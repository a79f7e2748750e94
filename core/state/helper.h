/* SPDX-License-Identifier: GPL-3.0-or-later */

/* helper.h — threads for work that is wanted at once, beside other work, and later
 *
 * One thread each, shared by all timelines. What a thread is asked to do by a call
 * must also be done by who asks: it may be busy, and then it does not come.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _Helper Helper;
typedef void (*HelperWork) (gpointer data);

/* Makes the threads, of the caller's rank (rank.h), unless they are there: for one that
 * is of a better rank than those that will ask first. */
void     helper_prepare (void);
/* Asks the thread to call @work once, soon. NULL: there is no thread. */
Helper  *helper_call    (HelperWork work,
                         gpointer   data);
/* The same of a thread that steps back behind those that somebody waits for. */
Helper  *helper_call_behind (HelperWork work,
                             gpointer   data);
/* Waits until @work has returned, or sees to it that it is never called; frees
 * @helper. NULL is allowed. */
void     helper_dismiss (Helper    *helper);
/* Has @work called in its turn. FALSE: there is no thread, and it never is. */
gboolean helper_later   (HelperWork work,
                         gpointer   data);
/* Likewise, but while anyone holds it back only once nobody does, or more of it has come:
 * what tidies up waits for who needs the processors at once, and little may wait. */
gboolean helper_tidy    (HelperWork work,
                         gpointer   data);
/* Any thread, any number; each release is for one hold. */
void     helper_hold    (void);
void     helper_release (void);

G_END_DECLS
