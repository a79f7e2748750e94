/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fold-tell.h — events told to a fold by hand, for tests of the fold
 *
 * Each event comes a nanosecond after the one before. told_kinds remembers which
 * kinds this program has told.
 */
#pragma once

#include "core/state/fold.h"

static gint64 now_ns;
static gboolean told_kinds[EVENT_N_KINDS];

/* Of who does what, not of what the map's memory holds. */
G_GNUC_UNUSED static gboolean
kind_is_of_run (guint kind) {
  return kind <= EVENT_OPS_COUNTED
         || (kind >= EVENT_LOCK_WAITED && kind <= EVENT_SNAPSHOT_ENDED)
         || kind == EVENT_RANGE_YIELDED || kind == EVENT_SNAPSHOT_GAVE
         || kind == EVENT_OP_TOLD || kind == EVENT_DROPPED;
}

static Event
make (EventKind kind,
      guint32   res,
      guint32   ver,
      guint8    aux8,
      guint16   aux16,
      guint64   a,
      guint64   b) {
  Event event = { 0 };

  if (kind < EVENT_N_KINDS)
    told_kinds[kind] = TRUE;
  event.at_ns = ++now_ns;
  event.kind = (guint8)kind;
  event.res = res;
  event.ver = ver;
  event.aux8 = aux8;
  event.aux16 = aux16;
  event.a = a;
  event.b = b;
  return event;
}

static void
tell (Fold     *fold,
      EventKind kind,
      guint32   res,
      guint32   ver,
      guint8    aux8,
      guint16   aux16,
      guint64   a,
      guint64   b) {
  Event event = make (kind, res, ver, aux8, aux16, a, b);

  fold_apply (fold, &event);
}
