/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fold-tell.h — events told to a fold by hand, for tests of the fold
 *
 * Each event comes a nanosecond after the one before. told_kinds remembers which
 * kinds this program has told.
 */
#pragma once

#include "core/state/fold.h"
#include "core/state/state-frames.h"

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

/* Bytes tell everything; and the same was wrong. */
G_GNUC_UNUSED static void
assert_equal (Fold *one,
              Fold *other) {
  g_autoptr (MapState) a = fold_ref_state (one);
  g_autoptr (MapState) b = fold_ref_state (other);
  g_autoptr (GPtrArray) wanted = map_state_serialise (a);
  g_autoptr (GPtrArray) found = map_state_serialise (b);

  g_assert_cmpuint (fold_n_faults (one), ==, fold_n_faults (other));
  g_assert_cmpstr (fold_first_fault (one), ==, fold_first_fault (other));
  g_assert_cmpuint (wanted->len, ==, found->len);
  for (guint i = 0; i < wanted->len; i++)
    g_assert_true (g_bytes_equal (wanted->pdata[i], found->pdata[i]));
}
