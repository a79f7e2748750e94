/* SPDX-License-Identifier: GPL-3.0-or-later */

/* judge.h — whether a run's results can come from a correct map
 *
 * Key by key, each operation must have taken effect at one instant between its
 * begin and its end (linearizability). Len is not judged.
 *
 * Range       gives no key twice. What it gave of a key is a Load of that value
 *             during the call; what a Range that went to the end did not give is
 *             a Load of nothing. No common instant is asked for: Go promises
 *             none.
 * Clear       empties each key at some instant of the call, not all at once.
 */
#pragma once

#include "core/check/history.h"
#include "core/check/linear.h"

G_BEGIN_DECLS

/* Where something that concerns a key comes from. */
typedef enum {
  JUDGE_OPERATION,    /* on this key */
  JUDGE_CLEAR,        /* of all keys */
  JUDGE_RANGE_GAVE,   /* a Range gave the key */
  JUDGE_RANGE_LACKED, /* a Range went to the end without it */
} JudgeSource;

typedef struct {
  LinearOp    op;       /* what it is judged as */
  gint64      began_ns;
  gint64      ended_ns; /* HISTORY_NEVER */
  guint64     index;    /* of its OP_BEGAN in the log */
  guint16     thread;
  JudgeSource source;
} JudgeItem;

typedef enum {
  JUDGE_RULE_ORDER, /* no order explains the results */
  JUDGE_RULE_TWICE, /* a Range gave the key twice */
} JudgeRule;

/* What was found of one key. */
typedef struct {
  gint64        key;
  LinearVerdict verdict;
  JudgeRule     rule;
  LinearState   before;  /* what the key held before all items */
  gboolean      has_writer;
  JudgeItem     writer;  /* who stored that, when it is known */
  gsize         n_items;
  JudgeItem    *items;   /* by began_ns. Violated: from when the key was last
                          * known for sure to the return that nothing explains */
  gsize         n_order;
  guint32      *order;   /* places in items: the order that explains them, or
                          * the one that goes furthest; may be empty */
  LinearState   after;   /* what the key held then */
  gsize         failed;  /* the item that none explains, when violated */
} JudgeCase;

void judge_case_free (JudgeCase *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JudgeCase, judge_case_free)

typedef struct {
  LinearVerdict verdict;
  guint64       n_operations; /* judged, on single keys */
  guint64       n_keys;
  guint64       n_ranges;
  guint64       n_pairs;      /* that Ranges gave */
  guint64       n_clears;
  guint64       n_untold;     /* loads that were counted alone */
  guint64       n_left_out;   /* Len, and those that failed */
  guint64       n_violations; /* one a key at most, and the keys given twice */
  guint64       n_unknown;    /* keys of which there is no saying */
  gint64        unknown_key;  /* the first of them */
  gboolean      begins_empty;
  guint         n_passes;     /* over the log */
  GPtrArray    *violations;   /* of JudgeCase, by the end of the failed item */
} JudgeReport;

void judge_report_free (JudgeReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JudgeReport, judge_report_free)

/* @done: 0 to 1. */
typedef void (*JudgeProgress) (double   done,
                               gpointer data);

typedef struct {
  guint         max_violations; /* kept; 0 = 100. All are counted */
  gsize         max_bytes;      /* for the history of a log; 0 = 1 GiB */
  JudgeProgress progress;       /* nullable; in the calling thread */
  gpointer      data;
} JudgeOptions;

/* @options: nullable. Never says violated of what a correct map can do; says
 * unknown rather than take forever (LINEAR_MAX_CONFIGS).
 *
 * Cost:    for each operation what overlaps it; Ranges and Clears cost nothing
 *          at keys that are not there meanwhile.
 * Threads: any; nothing is changed.
 * Returns: (transfer full): NULL only when cancelled */
JudgeReport *judge_history (const History      *history,
                            const JudgeOptions *options,
                            GCancellable       *cancellable,
                            GError            **error);
/* Reads the log as often as max_bytes asks for, some of the keys each time.
 * Errors: HISTORY_ERROR, G_IO_ERROR_CANCELLED. */
JudgeReport *judge_log     (TraceLog           *log,
                            const JudgeOptions *options,
                            GCancellable       *cancellable,
                            GError            **error);

/* One key, with the order that explains all its operations. Ranges and Clears
 * that found nothing and changed nothing are left out of it.
 *
 * Returns: (transfer full): NULL when the history does not name the key */
JudgeCase   *judge_key     (const History      *history,
                            gint64              key);
/* NULL with @error set, or without one when the log does not name the key. */
JudgeCase   *judge_log_key (TraceLog           *log,
                            gint64              key,
                            const JudgeOptions *options,
                            GCancellable       *cancellable,
                            GError            **error);

/* (transfer full): "Load → 20", "Swap 5 → nothing" … */
char        *judge_item_text   (const JudgeItem *item);
/* (transfer full): why it cannot have taken effect when the key held @state:
 * "it read 20, but the key was absent"; NULL: it can */
char        *judge_item_reason (const JudgeItem *item,
                                LinearState      state);
/* (transfer full): why the failed item cannot have taken effect at any time when
 * it could; NULL: it can */
char        *judge_case_reason (const JudgeCase *self);
/* (transfer full): "absent", "20", "not known" */
char        *judge_state_text  (LinearState      state);
/* (transfer full): what is wrong, in one sentence without the key */
char        *judge_case_text   (const JudgeCase *self);

G_END_DECLS
