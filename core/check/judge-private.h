/* SPDX-License-Identifier: GPL-3.0-or-later */

/* judge-private.h — what the judge's files share */
#pragma once

#include "core/check/judge.h"

G_BEGIN_DECLS

/* Intervals by began_ns, that can be asked which of them are still under way. */
typedef struct {
  gsize   n;
  gint64 *begins;
  gsize   n_leaves; /* a power of two, at least n */
  gint64 *ends;     /* a tree of maxima over ended_ns: node 1 is the root, leaf i
                     * is n_leaves + i */
} JudgeSpans;

/* The first span from @from on that ends at @at_ns or later; n: none. */
gsize judge_spans_next  (const JudgeSpans *self,
                         gsize             from,
                         gint64            at_ns);
/* The first span from @from on that begins after @at_ns; n: none. */
gsize judge_spans_after (const JudgeSpans *self,
                         gsize             from,
                         gint64            at_ns);

/* A pair of a Range, by places. */
typedef struct {
  guint32 range;
  guint32 pair;
} JudgeGiven;

/* A history, with what Ranges gave laid out by key. */
typedef struct {
  const History      *history;
  gsize               n_keys;
  const HistoryOp    *clears;
  const HistoryRange *ranges;
  JudgeSpans          clear_spans;
  JudgeSpans          range_spans; /* those not whole end before everything */
  gsize              *first_given; /* by place of key, and one past the last */
  JudgeGiven         *given;       /* by key, then range, then pair */
} JudgeIndex;

void judge_index_init  (JudgeIndex    *self,
                        const History *history);
void judge_index_clear (JudgeIndex    *self);

/* One thing that concerns a key, by its place among its like. */
typedef struct {
  guint32 source; /* JudgeSource */
  guint32 place;
} JudgeRef;

/* Under way. */
typedef struct {
  gint64   ended_ns;
  JudgeRef ref;
  int      place; /* in linear */
} JudgePending;

/* The judge at work on one key after the other. */
typedef struct {
  const JudgeIndex *index;
  Linear           *linear;
  GArray           *pending; /* of JudgePending, by ended_ns */
  GArray           *window;  /* of JudgeRef: since the key was last known */
  LinearState       before;  /* what it held then */
  GArray           *items;   /* of JudgeItem; NULL: no witness is wanted */
  GArray           *order;   /* of guint32, places in items; likewise */

  /* Of the key. */
  gsize             key;
  const HistoryOp  *ops;
  gsize             n_ops;
  gsize             next_op;
  guint             n_own; /* of ops, under way */
  const JudgeGiven *given;
  gsize             n_given;
  gsize             next_given;
  gsize             next_clear;
  gsize             next_range;
  gsize             listed;  /* in given: not before next_range */
  JudgeRef          failed;
} JudgeStream;

void          judge_stream_init  (JudgeStream      *self,
                                  const JudgeIndex *index);
void          judge_stream_clear (JudgeStream      *self);
/* The key of place @key. */
LinearVerdict judge_stream_run   (JudgeStream      *self,
                                  gsize             key);

/* What one call of the judge is about. */
typedef struct {
  JudgeOptions  options;
  GCancellable *cancellable;
  JudgeReport  *report;
  double        done_before; /* of all histories: those that are over … */
  double        share;       /* … and each */
} JudgeSession;

JudgeSession judge_session_start  (const JudgeOptions *options,
                                   GCancellable       *cancellable);
/* What @history holds is added to the report; FALSE: cancelled. */
gboolean     judge_session_add    (JudgeSession       *session,
                                   const History      *history,
                                   GError            **error);
/* (transfer full) */
JudgeReport *judge_session_finish (JudgeSession       *session);

/* (transfer full): what the window holds, and how far an order goes in it. */
JudgeCase *judge_case_new_violated (const JudgeStream *self);
/* (transfer full): one Range gave the key of place @key twice. */
JudgeCase *judge_case_new_twice    (const JudgeIndex  *index,
                                    gsize              key,
                                    const JudgeGiven  *first,
                                    const JudgeGiven  *second);
/* The window's items and the order that explains them are appended to items and
 * order; FALSE: the search gave up. */
gboolean   judge_stream_explain    (JudgeStream       *self);
JudgeItem  judge_stream_item       (const JudgeStream *self,
                                    JudgeRef           ref);

G_END_DECLS
