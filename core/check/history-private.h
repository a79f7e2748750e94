/* SPDX-License-Identifier: GPL-3.0-or-later */

/* history-private.h — what only the reader of a log writes into a history */
#pragma once

#include "core/check/history.h"

G_BEGIN_DECLS

/* The operations on one key. */
typedef struct {
  gint64 key;
  gsize  first; /* of them in ops */
} HistoryKey;

struct _History {
  GArray   *ops;    /* of HistoryOp, on single keys */
  GArray   *clears; /* of HistoryOp */
  GArray   *ranges; /* of HistoryRange */
  GArray   *pairs;  /* of HistoryPair, range after range as they were added */
  GArray   *keys;   /* of HistoryKey; filled by history_seal() */
  guint64   n_left_out;
  guint64   n_untold;
  gboolean  begins_empty;
  gboolean  is_sealed;
};

G_END_DECLS
