/* SPDX-License-Identifier: GPL-3.0-or-later */

/* wgl.h — an order that explains one key's operations, or how far one goes */
#pragma once

#include "core/check/linear.h"

G_BEGIN_DECLS

/* It never returned. */
#define WGL_NEVER G_MAXINT64
/* At once, at most; more are not searched. Free choice. */
#define WGL_MAX_LANES 128
/* Configurations looked at before it gives up: some 200 MB. Free choice. */
#define WGL_MAX_NODES (1u << 22)

typedef struct {
  LinearOp op;
  gint64   began_ns;
  gint64   ended_ns; /* WGL_NEVER: it may take effect or not */
  guint32  after;    /* the place of one before it in ops, which must take effect
                      * first, + 1; 0: none. An earlier operation of the same
                      * thread, when their times overlap */
} WglOp;

typedef struct {
  LinearVerdict verdict;
  guint32      *order;   /* places in ops. Good: in the order in which they took
                          * effect. Violated: the longest order that gets to the
                          * return that none gets past. Unknown: none */
  gsize         n_order;
  LinearState   state;   /* after them */
  gssize        failed;  /* whose return none gets past; -1 unless violated */
  guint         n_nodes; /* configurations looked at */
} WglResult;

/* @ops: by began_ns. @max_nodes: 0 = WGL_MAX_NODES. */
WglResult *wgl_search      (const WglOp *ops,
                            gsize        n_ops,
                            LinearState  first,
                            guint        max_nodes);
void       wgl_result_free (WglResult   *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WglResult, wgl_result_free)

G_END_DECLS
