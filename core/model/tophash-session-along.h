/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-session-along.h — to the next and previous event of one thing
 *
 * Of the chosen slot its key, whose life is gone along, and its bucket; of the
 * event that the cursor stands after its thread and its kind, an operation's with
 * the operation. At the beginning that is the first event there is.
 */
#pragma once

#include "core/model/tophash-session.h"

G_BEGIN_DECLS

typedef enum {
  ALONG_KEY,
  ALONG_BUCKET,
  ALONG_THREAD,
  ALONG_KIND,
  ALONG_N_KINDS
} SessionAlong;

/* (transfer full, nullable): its name here and now, "k13", "bucket 5", "W2",
 * "store ended"; NULL: there is no such thing to go along. */
char    *tophash_session_along_name    (TophashSession      *self,
                                        SessionAlong         along);

/* Looks for it in a task and goes there; playing and following end. The newest
 * request wins; one that asks for what is being looked for is let drop. */
void     tophash_session_along_async   (TophashSession      *self,
                                        SessionAlong         along,
                                        gboolean             forward,
                                        GAsyncReadyCallback  callback,
                                        gpointer             user_data);
/* FALSE without an error: there is none. Errors: G_IO_ERROR_CANCELLED: something
 * else was asked for, or the cursor went elsewhere; G_IO_ERROR_NOT_FOUND: no such
 * thing to go along; G_IO_ERROR_PARTIAL_INPUT: none so far, but the run goes on, or
 * the recording is still being read. */
gboolean tophash_session_along_finish  (TophashSession      *self,
                                        GAsyncResult        *result,
                                        GError             **error);

/* Whether something is looked for, and an end to that: it is reported as cancelled
 * as soon as the task knows. */
gboolean tophash_session_is_going      (TophashSession      *self);
void     tophash_session_stop_going    (TophashSession      *self);

G_END_DECLS
