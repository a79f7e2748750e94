/* SPDX-License-Identifier: GPL-3.0-or-later */

/* judge.c — whether a run's results can come from a correct map
 *
 * Idea        Operations on different keys commute, so each key is judged alone
 *             (judge-stream.c) and memory is bounded by taking some of a log's
 *             keys at a time. A Range that gave a key twice is found where the
 *             key's pairs lie side by side, one Range after the other.
 *
 * Verdict     Violated as soon as one key is. Unknown when no key is and of one
 *             there is no saying: never good by default.
 */
#include "core/check/judge-private.h"

#define MAX_VIOLATIONS 100
/* Operations between two looks around. */
#define LOOK_AROUND_OPS 65536u

static gint
compare_cases (gconstpointer a,
               gconstpointer b) {
  const JudgeCase *x = *(const JudgeCase *const *)a;
  const JudgeCase *y = *(const JudgeCase *const *)b;
  gint64 x_ns = x->items[x->failed].ended_ns;
  gint64 y_ns = y->items[y->failed].ended_ns;

  if (x_ns != y_ns)
    return x_ns < y_ns ? -1 : 1;
  return (x->key > y->key) - (x->key < y->key);
}

static JudgeReport *
judge_report_new (void) {
  JudgeReport *self = g_new0 (JudgeReport, 1);

  self->violations
      = g_ptr_array_new_with_free_func ((GDestroyNotify)judge_case_free);
  return self;
}

void
judge_report_free (JudgeReport *self) {
  if (self == NULL)
    return;
  g_ptr_array_unref (self->violations);
  g_free (self);
}

JudgeSession
judge_session_start (const JudgeOptions *options,
                     GCancellable       *cancellable) {
  JudgeSession session = { .cancellable = cancellable, .share = 1 };

  if (options != NULL)
    session.options = *options;
  if (session.options.max_violations == 0)
    session.options.max_violations = MAX_VIOLATIONS;
  session.report = judge_report_new ();
  return session;
}

JudgeReport *
judge_session_finish (JudgeSession *session) {
  JudgeReport *report = session->report;

  g_ptr_array_sort (report->violations, compare_cases);
  if (report->n_violations > 0)
    report->verdict = LINEAR_VIOLATED;
  else if (report->n_unknown > 0)
    report->verdict = LINEAR_UNKNOWN;
  return report;
}

/* FALSE: cancelled. */
static gboolean
look_around (JudgeSession *session,
             double        done,
             GError      **error) {
  if (g_cancellable_set_error_if_cancelled (session->cancellable, error))
    return FALSE;
  if (session->options.progress != NULL)
    session->options.progress (session->done_before + session->share * done,
                               session->options.data);
  return TRUE;
}

/* One history -------------------------------------------------------------- */

static gboolean
has_room (const JudgeSession *session) {
  return session->report->violations->len < session->options.max_violations;
}

static void
judge_twice (JudgeSession     *session,
             const JudgeIndex *index,
             gsize             key) {
  JudgeReport *report = session->report;

  for (gsize i = index->first_given[key] + 1; i < index->first_given[key + 1];
       i++) {
    const JudgeGiven *given = &index->given[i];

    if (given->range != given[-1].range)
      continue;
    report->n_violations++;
    if (has_room (session))
      g_ptr_array_add (report->violations,
                       judge_case_new_twice (index, key, given - 1, given));
  }
}

static void
judge_order (JudgeSession *session,
             JudgeStream  *stream,
             gsize         key) {
  JudgeReport *report = session->report;

  switch (judge_stream_run (stream, key)) {
  case LINEAR_OK:
    return;
  case LINEAR_VIOLATED:
    report->n_violations++;
    if (has_room (session))
      g_ptr_array_add (report->violations, judge_case_new_violated (stream));
    return;
  case LINEAR_UNKNOWN:
    if (report->n_unknown++ == 0)
      report->unknown_key = history_key (stream->index->history, key);
    return;
  }
}

static guint64
count_operations (const History *history) {
  guint64 n_all = 0;

  for (gsize key = 0; key < history_n_keys (history); key++) {
    gsize n;

    history_ops (history, key, &n);
    n_all += n;
  }
  return n_all;
}

/* Adds what @index holds to the report; FALSE: cancelled. */
static gboolean
judge_part (JudgeSession     *session,
            const JudgeIndex *index,
            GError          **error) {
  JudgeReport *report = session->report;
  guint64 n_all = count_operations (index->history);
  guint64 n_done = 0, next_look = 0;
  gboolean goes_on = TRUE;
  JudgeStream stream;

  judge_stream_init (&stream, index);
  for (gsize key = 0; goes_on && key < index->n_keys; key++) {
    gsize n_ops;

    if (n_done >= next_look) {
      goes_on = look_around (session, (double)n_done / (double)MAX (n_all, 1),
                             error);
      next_look = n_done + LOOK_AROUND_OPS;
    }
    judge_twice (session, index, key);
    judge_order (session, &stream, key);
    history_ops (index->history, key, &n_ops);
    n_done += MAX (n_ops, 1);
  }
  judge_stream_clear (&stream);
  report->n_operations += n_all;
  report->n_keys += index->n_keys;
  report->n_pairs += index->first_given[index->n_keys];
  /* Kept whole in each part. */
  report->n_ranges = index->range_spans.n;
  report->n_clears = index->clear_spans.n;
  report->begins_empty = history_begins_empty (index->history);
  report->n_passes++;
  return goes_on;
}

gboolean
judge_session_add (JudgeSession  *session,
                   const History *history,
                   GError       **error) {
  JudgeIndex index;
  gboolean goes_on;

  judge_index_init (&index, history);
  goes_on = judge_part (session, &index, error);
  judge_index_clear (&index);
  session->done_before += session->share;
  session->report->n_untold += history_n_untold (history);
  session->report->n_left_out += history_n_left_out (history);
  return goes_on && look_around (session, 0, error);
}

JudgeReport *
judge_history (const History      *history,
               const JudgeOptions *options,
               GCancellable       *cancellable,
               GError            **error) {
  JudgeSession session = judge_session_start (options, cancellable);

  if (!judge_session_add (&session, history, error))
    g_clear_pointer (&session.report, judge_report_free);
  return session.report != NULL ? judge_session_finish (&session) : NULL;
}

/* One key ------------------------------------------------------------------ */

static gboolean
find_key (const History *history,
          gint64         key,
          gsize         *place) {
  gsize low = 0, high = history_n_keys (history);

  while (low < high) {
    gsize middle = low + (high - low) / 2;

    if (history_key (history, middle) < key)
      low = middle + 1;
    else
      high = middle;
  }
  *place = low;
  return low < history_n_keys (history) && history_key (history, low) == key;
}

/* (transfer full): the first key that a Range gave twice. */
static JudgeCase *
find_twice (const JudgeIndex *index,
            gsize             key) {
  for (gsize i = index->first_given[key] + 1; i < index->first_given[key + 1];
       i++)
    if (index->given[i].range == index->given[i - 1].range)
      return judge_case_new_twice (index, key, &index->given[i - 1],
                                   &index->given[i]);
  return NULL;
}

/* (transfer full): the key's whole order. */
static JudgeCase *
make_witness (JudgeStream  *stream,
              LinearVerdict verdict) {
  JudgeCase *made = g_new0 (JudgeCase, 1);
  gsize n_order = 0;

  made->key = history_key (stream->index->history, stream->key);
  made->verdict = verdict;
  made->before = made->after
      = (LinearState){ 0, history_begins_empty (stream->index->history)
                              ? LINEAR_ABSENT
                              : LINEAR_ANY };
  made->items = (JudgeItem *)(gpointer)g_array_steal (stream->items,
                                                      &made->n_items);
  if (verdict == LINEAR_OK)
    made->order = (guint32 *)(gpointer)g_array_steal (stream->order, &n_order);
  made->n_order = n_order;
  for (gsize i = 0; i < made->n_order; i++)
    linear_apply (&made->items[made->order[i]].op, &made->after);
  return made;
}

JudgeCase *
judge_key (const History *history,
           gint64         key) {
  JudgeCase *found;
  JudgeStream stream;
  JudgeIndex index;
  gsize place;

  if (!find_key (history, key, &place))
    return NULL;
  judge_index_init (&index, history);
  judge_stream_init (&stream, &index);
  stream.items = g_array_new (FALSE, FALSE, sizeof (JudgeItem));
  stream.order = g_array_new (FALSE, FALSE, sizeof (guint32));
  found = find_twice (&index, place);
  if (found == NULL) {
    LinearVerdict verdict = judge_stream_run (&stream, place);

    found = verdict == LINEAR_VIOLATED ? judge_case_new_violated (&stream)
                                       : make_witness (&stream, verdict);
  }
  judge_stream_clear (&stream);
  judge_index_clear (&index);
  return found;
}
