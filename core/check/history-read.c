/* SPDX-License-Identifier: GPL-3.0-or-later */

/* history-read.c — the operations of a recording, as it tells them
 *
 * Idea        One walk over the log. Per thread the operations under way lie on a
 *             stack, since a Range's callback may use the map; an OP_ENDED
 *             completes the topmost. What is left at the log's end never
 *             returned.
 *
 * Interval    The merge may have raised at_ns; OP_BEGAN and OP_ENDED tell by how
 *             much, and that comes off again. A raise too long to be told leaves
 *             of a begin only that it was not before the begin of the thread's
 *             previous operation; of an end it leaves a later one, which is the
 *             safe side. Then both sides are moved out by SLACK_NS.
 *
 * Result      What the engines tell of each kind, and what becomes of it
 *               kind             BEGAN a, b    ENDED is_ok    a           b
 *               load             key           found          value
 *               store            key, value    was there      any: 0
 *               load-or-store    key, value    loaded         actual
 *               load-and-delete  key           was there      value
 *               delete           key           was there      any: 0
 *               swap             key, value    was there      previous
 *               compare-and-swap key, new      swapped        is_ok: 0    old
 *               compare-and-del. key           deleted        is_ok: 0    old
 *               range                          not stopped    pairs given
 *               clear                          cleared all
 *               len                            (left out)
 *             is_ok is OP_PATH_OK, a becomes result and b old. Engines differ in
 *             what they tell of a store and a delete, which return nothing in
 *             Go: result is 0.
 *
 * No return   It may have taken effect at any time since it began, or not at all.
 *             What a compare-and-… was given is told at its end only: one
 *             without an end stands in the history as the store or delete that
 *             it may have been. A Clear that did not clear all ends never, too:
 *             for each key it may have taken effect or not.
 *
 * Left out    Len, which concerns all keys at once; what was asked of a view,
 *             which shows an older map rightly; and what failed for want of
 *             memory or was refused as misuse: that changed nothing. Misuse that
 *             is noticed only at the end of a write comes too late for it. What
 *             deletes has deleted by then; what stores has put its key there,
 *             but no value: a key that is new holds 0. No result was given, so
 *             such an operation never returned. That lets a delete be late or
 *             not be at all, which accepts too much and never too little; who
 *             reads that 0 got what nobody stored, and is told so.
 *
 * Verdicts    need every write. Operations that were counted, or told in brief
 *             and so without an interval, and may have written, Ranges, pairs that
 *             were not told: HISTORY_ERROR_SAMPLED. A log that lacks its end lacks
 *             operations that others have seen: HISTORY_ERROR_INCOMPLETE; so does a
 *             file from before raises were told, whose intervals would be too narrow.
 *             Counted loads do no harm; they cannot be judged and are counted here.
 *
 * Hostile     files may tell anything. What no recorder writes is refused with
 *             the event's index; memory is bounded by the log's length.
 *
 * Threads     The caller's. Only the log is shared.
 */
#include "core/check/history-private.h"

#include <glib/gi18n.h>
#include <inttypes.h>

/* How far the clocks of two cores may be apart, halved, since both ends of a gap
 * between two operations move, and 1 for rounding. Kernels let programs read a
 * counter that is in step to less than a cache line takes from core to core,
 * which is some 100 ns. */
#define SLACK_NS 51
/* Before anything in a log, and far from where subtracting overflows. */
#define LONG_BEFORE_NS (G_MININT64 / 4)
#define N_LANES 65536u

/* An operation under way. */
typedef struct {
  HistoryOp op;
  GArray   *pairs;     /* of HistoryPair, those of the part; NULL: no Range */
  guint64   n_given;   /* pairs, those of other parts too */
  gboolean  is_misused; /* and that was seen after it was done */
} Frame;

typedef struct {
  GArray *frames;   /* of Frame, the innermost last */
  gint64  began_ns; /* of the operation begun last */
} Lane;

typedef struct {
  History *history;
  guint    part;
  guint    n_parts;
  Lane   **lanes;       /* by thread; NULL: not heard of */
  gboolean has_created; /* the map, before any operation */
  gboolean has_begun;   /* operations were told or counted */
  guint64  index;       /* of the event at hand */
  GError  *error;
} Reader;

static void
frame_clear (gpointer data) {
  Frame *frame = data;

  g_clear_pointer (&frame->pairs, g_array_unref);
}

static Lane *
lane_of (Reader      *reader,
         const Event *event) {
  Lane **lane = &reader->lanes[event->thread];

  if (*lane == NULL) {
    *lane = g_new (Lane, 1);
    (*lane)->frames = g_array_new (FALSE, FALSE, sizeof (Frame));
    (*lane)->began_ns = LONG_BEFORE_NS;
    g_array_set_clear_func ((*lane)->frames, frame_clear);
  }
  return *lane;
}

/* NULL: the thread is in no operation that is told. */
static Frame *
top_of (Lane *lane) {
  return lane->frames->len > 0 ? &g_array_index (lane->frames, Frame,
                                                 lane->frames->len - 1)
                               : NULL;
}

static void
refuse (Reader     *reader,
        const char *problem) {
  if (reader->error == NULL)
    g_set_error (&reader->error, HISTORY_ERROR, HISTORY_ERROR_MALFORMED,
                 _("event %" PRIu64 " is malformed: %s"), reader->index, problem);
}

static gboolean
has_key (guint op) {
  return op != OP_RANGE && op != OP_CLEAR && op != OP_LEN;
}

/* Mixed, so that keys in steps fall to all parts. */
static gboolean
is_of_part (const Reader *reader,
            gint64        key) {
  return ((guint64)key * 0x9e3779b97f4a7c15u >> 32) % reader->n_parts
         == reader->part;
}

/* What has no key is counted in one part only. */
static gboolean
is_counted_here (const Reader *reader,
                 guint         op,
                 gint64        key) {
  return has_key (op) ? is_of_part (reader, key) : reader->part == 0;
}

/* Begin and end ------------------------------------------------------------ */

static gint64
begin_of (const Lane  *lane,
          const Event *event) {
  gint64 raised_ns = event->res;

  if (event->res == G_MAXUINT32)
    return lane->began_ns;
  return event->at_ns - raised_ns - SLACK_NS;
}

static void
read_began (Reader      *reader,
            const Event *event) {
  Lane *lane = lane_of (reader, event);
  const Frame *above = top_of (lane);
  Frame frame = { .op = {
    .began_ns = begin_of (lane, event),
    .ended_ns = HISTORY_NEVER,
    .index = reader->index,
    .key = has_key (event->aux8) ? (gint64)event->a : 0,
    .value = (gint64)event->b,
    .thread = event->thread,
    .op = event->aux8,
  } };

  reader->has_begun = TRUE;
  if (event->aux8 >= OP_N_KINDS) {
    refuse (reader, _("an operation of no known kind"));
    return;
  }
  if (above != NULL && above->op.op != OP_RANGE) {
    refuse (reader, _("an operation begins inside one that holds no others"));
    return;
  }
  lane->began_ns = frame.op.began_ns;
  if (event->aux8 == OP_RANGE)
    frame.pairs = g_array_new (FALSE, FALSE, sizeof (HistoryPair));
  g_array_append_val (lane->frames, frame);
}

/* Operations without an end: see No return. */
static void
make_endless (HistoryOp *op) {
  op->ended_ns = HISTORY_NEVER;
  op->is_ok = FALSE;
  op->result = 0;
  if (op->op == OP_COMPARE_AND_SWAP)
    op->op = OP_STORE;
  else if (op->op == OP_COMPARE_AND_DELETE)
    op->op = OP_DELETE;
}

/* The operation of @frame is as it will stay. */
static void
take (Reader      *reader,
      const Frame *frame,
      gboolean     is_whole) {
  const HistoryOp *op = &frame->op;

  if (op->op == OP_RANGE)
    history_add_range (reader->history, op, is_whole,
                       (const HistoryPair *)(gpointer)frame->pairs->data,
                       frame->pairs->len);
  else if (op->op == OP_LEN)
    reader->history->n_left_out += reader->part == 0;
  else if (op->op == OP_CLEAR || is_of_part (reader, op->key))
    history_add (reader->history, op);
}

/* Never before the begin, whatever a file says. */
static gint64
end_of (const HistoryOp *op,
        const Event     *event) {
  gint64 latest_ns = HISTORY_NEVER - 1 - SLACK_NS;
  gint64 raised_ns = event->ver == G_MAXUINT32 ? 0 : event->ver;

  return MAX (MIN (event->at_ns - raised_ns, latest_ns) + SLACK_NS,
              op->began_ns);
}

static void
set_result (HistoryOp   *op,
            const Event *event) {
  op->ended_ns = end_of (op, event);
  op->is_ok = (event->aux16 & OP_PATH_OK) != 0;
  switch ((OpKind)op->op) {
  case OP_LOAD:
  case OP_LOAD_OR_STORE:
  case OP_LOAD_AND_DELETE:
  case OP_SWAP:
    op->result = (gint64)event->a;
    break;
  case OP_COMPARE_AND_SWAP:
  case OP_COMPARE_AND_DELETE:
    op->old = (gint64)event->b;
    break;
  case OP_CLEAR:
    if (!op->is_ok)
      make_endless (op);
    break;
  case OP_STORE:
  case OP_DELETE:
  case OP_RANGE:
  case OP_LEN:
  case OP_N_KINDS:
    break;
  }
}

static void
set_sampled_range (Reader *reader) {
  g_set_error (&reader->error, HISTORY_ERROR, HISTORY_ERROR_SAMPLED,
               _("what a Range gave was not told (event %" PRIu64 "): set "
                 "\"telling\": \"whole\" in the scenario and record it again"),
               reader->index);
}

static void
end_frame (Reader      *reader,
           Frame       *frame,
           const Event *event) {
  gboolean is_failed = (event->aux16 & OP_PATH_ERROR) != 0;
  gboolean is_of_view = (event->aux16 & OP_PATH_IN_VIEW) != 0;

  set_result (&frame->op, event);
  if (is_of_view || (is_failed && !frame->is_misused)) {
    reader->history->n_left_out
        += is_counted_here (reader, frame->op.op, frame->op.key);
    return;
  }
  if (is_failed)
    make_endless (&frame->op);
  if (frame->op.op == OP_RANGE && frame->n_given < event->a)
    set_sampled_range (reader);
  else if (frame->op.op == OP_RANGE && frame->n_given > event->a)
    refuse (reader, _("a Range gave more than it counted"));
  else
    take (reader, frame, frame->op.is_ok);
}

static void
read_ended (Reader      *reader,
            const Event *event) {
  Lane *lane = lane_of (reader, event);
  Frame *frame = top_of (lane);

  if (frame == NULL || frame->op.op != event->aux8) {
    refuse (reader, _("an operation ends that did not begin"));
    return;
  }
  end_frame (reader, frame, event);
  g_array_set_size (lane->frames, lane->frames->len - 1);
}

static void
read_yielded (Reader      *reader,
              const Event *event) {
  Frame *frame = top_of (lane_of (reader, event));
  HistoryPair pair = { (gint64)event->a, (gint64)event->b };

  if (frame == NULL || frame->op.op != OP_RANGE) {
    refuse (reader, _("a pair is given outside of a Range"));
    return;
  }
  frame->n_given++;
  if (is_of_part (reader, pair.key))
    g_array_append_val (frame->pairs, pair);
}

/* The rest ----------------------------------------------------------------- */

/* @n operations that were counted, or told in brief. */
static void
read_counted (Reader      *reader,
              const Event *event,
              guint32      n) {
  reader->has_begun = TRUE;
  if (event->aux8 >= OP_N_KINDS)
    refuse (reader, _("an operation of no known kind"));
  else if (event->aux8 == OP_LOAD && reader->part == 0)
    reader->history->n_untold += n;
  else if (event->aux8 == OP_LEN && reader->part == 0)
    reader->history->n_left_out += n;
  else if (event->kind == EVENT_OP_TOLD && event->aux8 != OP_LOAD
           && event->aux8 != OP_LEN)
    g_set_error (&reader->error, HISTORY_ERROR, HISTORY_ERROR_SAMPLED,
                 _("an operation (%s) was told in brief, without its begin (event "
                   "%" PRIu64 "): set \"telling\": \"whole\" in the scenario and "
                   "record it again"),
                 op_kind_name (event->aux8), reader->index);
  else if (event->aux8 != OP_LOAD && event->aux8 != OP_LEN)
    g_set_error (&reader->error, HISTORY_ERROR, HISTORY_ERROR_SAMPLED,
                 _("%u operations (%s) were counted, not told one by one: set "
                   "\"telling\": \"whole\" in the scenario and record it again"),
                 n, op_kind_name (event->aux8));
}

static void
read_event (Reader      *reader,
            const Event *event) {
  switch (event->kind) {
  case EVENT_OP_BEGAN:
    read_began (reader, event);
    break;
  case EVENT_OP_ENDED:
    read_ended (reader, event);
    break;
  case EVENT_OPS_COUNTED:
    read_counted (reader, event, event->res);
    break;
  case EVENT_OP_TOLD:
    read_counted (reader, event, 1);
    break;
  case EVENT_RANGE_YIELDED:
    read_yielded (reader, event);
    break;
  case EVENT_TABLE_CREATED:
    if (event->thread == EVENT_THREAD_MAIN && !reader->has_begun)
      reader->has_created = TRUE;
    break;
  case EVENT_MISUSE_DETECTED: {
    Frame *frame = top_of (lane_of (reader, event));

    if (frame != NULL && event->res == MISUSE_AT_EXIT)
      frame->is_misused = TRUE;
    break;
  }
  }
}

/* Those that never returned. */
static void
take_rest (Reader *reader) {
  for (guint i = 0; i < N_LANES; i++) {
    Lane *lane = reader->lanes[i];

    for (guint k = 0; lane != NULL && k < lane->frames->len; k++) {
      Frame *frame = &g_array_index (lane->frames, Frame, k);

      make_endless (&frame->op);
      take (reader, frame, FALSE);
    }
  }
}

static gboolean
read_log (Reader       *reader,
          TraceLog     *log,
          GCancellable *cancellable) {
  guint64 length = tracelog_get_length (log);

  while (reader->index < length && reader->error == NULL) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, reader->index);

    if (g_cancellable_set_error_if_cancelled (cancellable, &reader->error))
      break;
    if (block == NULL) {
      g_autofree char *damage = tracelog_dup_damage (log);

      g_set_error_literal (&reader->error, HISTORY_ERROR,
                           HISTORY_ERROR_INCOMPLETE, damage);
      break;
    }
    for (guint i = 0; i < block->n_events && reader->error == NULL; i++) {
      reader->index = block->first + i;
      read_event (reader, &block->events[i]);
    }
    reader->index++;
  }
  return reader->error == NULL;
}

static void
reader_clear (Reader *reader) {
  for (guint i = 0; i < N_LANES; i++)
    if (reader->lanes[i] != NULL) {
      g_array_unref (reader->lanes[i]->frames);
      g_free (reader->lanes[i]);
    }
  g_free (reader->lanes);
}

static gboolean
check_whole (TraceLog *log,
             GError  **error) {
  TraceHonesty honesty;

  tracelog_get_honesty (log, &honesty);
  if (honesty.lacks_raises) {
    g_set_error_literal (error, HISTORY_ERROR, HISTORY_ERROR_INCOMPLETE,
                         _("the recording is of an older version of Tophash and "
                           "does not tell exactly when operations were under "
                           "way: record it again to judge it"));
    return FALSE;
  }
  if (honesty.is_complete && honesty.n_dropped == 0)
    return TRUE;
  g_set_error_literal (error, HISTORY_ERROR, HISTORY_ERROR_INCOMPLETE,
                       _("the recording lacks events of the run: what it has "
                         "cannot be judged without them"));
  return FALSE;
}

History *
history_new_from_log (TraceLog     *log,
                      guint         part,
                      guint         n_parts,
                      GCancellable *cancellable,
                      GError      **error) {
  g_autoptr (History) history = NULL;
  Reader reader = { .part = part, .n_parts = n_parts };
  gboolean is_read;

  g_return_val_if_fail (tracelog_is_finished (log), NULL);
  g_return_val_if_fail (part < n_parts, NULL);

  if (!check_whole (log, error))
    return NULL;
  history = reader.history = history_new (FALSE);
  reader.lanes = g_new0 (Lane *, N_LANES);
  is_read = read_log (&reader, log, cancellable);
  if (is_read)
    take_rest (&reader);
  reader_clear (&reader);
  if (!is_read) {
    g_propagate_error (error, reader.error);
    return NULL;
  }
  history->begins_empty = reader.has_created;
  history_seal (history);
  return g_steal_pointer (&history);
}
