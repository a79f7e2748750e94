/* SPDX-License-Identifier: GPL-3.0-or-later */

/* judge-log.c — a log, judged in as many passes as memory asks for
 *
 * A log may hold more operations than fit into memory. Keys are judged one by
 * one, so each pass takes the operations of some keys; Ranges and Clears, which
 * concern all keys, are taken in each.
 */
#include "core/check/judge-private.h"

#define MAX_BYTES ((gsize)1 << 30)
#define MAX_PARTS 4096u
/* Of a history, for an event of its log: an operation is two events at least, of
 * 64 bytes and 8 to sort by, which doubles while an array grows. */
#define BYTES_PER_EVENT 72u

static guint
count_parts (TraceLog           *log,
             const JudgeOptions *options) {
  gsize max_bytes = options != NULL ? options->max_bytes : 0;
  double bytes = (double)tracelog_get_length (log) * BYTES_PER_EVENT;

  if (max_bytes == 0)
    max_bytes = MAX_BYTES;
  return (guint)CLAMP (bytes / (double)max_bytes + 1, 1, MAX_PARTS);
}

JudgeReport *
judge_log (TraceLog           *log,
           const JudgeOptions *options,
           GCancellable       *cancellable,
           GError            **error) {
  JudgeSession session = judge_session_start (options, cancellable);
  guint n_parts = count_parts (log, options);

  session.share = 1.0 / n_parts;
  for (guint part = 0; part < n_parts; part++) {
    g_autoptr (History) history
        = history_new_from_log (log, part, n_parts, cancellable, error);

    if (history == NULL || !judge_session_add (&session, history, error)) {
      judge_report_free (session.report);
      return NULL;
    }
  }
  return judge_session_finish (&session);
}

JudgeCase *
judge_log_key (TraceLog           *log,
               gint64              key,
               const JudgeOptions *options,
               GCancellable       *cancellable,
               GError            **error) {
  guint n_parts = count_parts (log, options);

  for (guint part = 0; part < n_parts; part++) {
    g_autoptr (History) history
        = history_new_from_log (log, part, n_parts, cancellable, error);
    JudgeCase *found;

    if (history == NULL)
      return NULL;
    found = judge_key (history, key);
    if (found != NULL)
      return found;
  }
  return NULL;
}
