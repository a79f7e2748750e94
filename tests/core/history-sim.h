/* SPDX-License-Identifier: GPL-3.0-or-later */

/* history-sim.h — histories of a map that is right, or wrong in one place
 *
 * Threads take turns drawn from a seed. Each operation begins, takes effect on
 * the one true map, and ends, all in turns of their own, so that operations
 * overlap as those of real threads do and the history is right by construction.
 * Values are unique. A Range looks at one key a turn, may be stopped and may have
 * operations of its callback inside; a Clear empties one key a turn.
 */
#pragma once

#include "core/base/prng.h"
#include "core/check/history.h"

#define SIM_MAX_THREADS 16

typedef enum {
  SIM_GOOD,
  SIM_NEVER_WRITTEN, /* a Load reads what nobody wrote */
  SIM_STALE_READ,    /* a Load reads what was replaced before it began */
  SIM_LOST_UPDATE,   /* a Store ends without effect, and is then not found by a
                      * Load that begins after it */
  SIM_TWICE,         /* a Range gives a key twice */
  SIM_STALE_RANGE,   /* a Range gives what was replaced before it began */
  SIM_N_FAULTS,
} SimFault;

typedef struct {
  guint64  seed;
  guint    n_threads;
  guint    n_keys;
  guint    n_ops;       /* in all, Ranges and Clears included */
  guint    hot_share;   /* per cent of the operations are on key 0 */
  guint    range_share; /* per mille */
  guint    clear_share; /* per mille */
  gboolean is_cut;      /* what is under way at the end never returns */
  SimFault fault;       /* as soon as it can be, after half of the operations */
} Sim;

/* A value is stale when who wrote it ended before who replaced it began, and
 * that one ended: no order gives it to whoever begins later. */
typedef struct {
  gboolean is_present;
  gint64   value;
  gint64   written_ns; /* whose writer ended then; G_MAXINT64: not yet */
  gint64   stale;      /* 0: there is none */
  gint64   stale_ns;   /* since then */
} SimSlot;

typedef enum {
  SIM_IDLE,
  SIM_BEGUN,
  SIM_DONE,
} SimStage;

typedef struct {
  SimStage  stage;
  HistoryOp op;
  gint64    stale;    /* of its key when it began; 0: there was none */
  gint64    sure;     /* what its key held for sure then; 0: nothing */
  gboolean  has_replaced;
  guint     at;        /* Clear: the next key */
  gboolean  is_in_range;
  HistoryOp range;
  guint     range_at;
  guint     range_until;
  gint64   *range_stale; /* by key: as stale */
  GArray   *pairs;
} SimThread;

typedef struct {
  const Sim *sim;
  History   *history;
  Prng       prng;
  SimSlot   *slots;
  SimThread  threads[SIM_MAX_THREADS];
  gint64     now;
  guint64    n_begun;
  gint64     next_value;
  gboolean   has_fault;
} SimRun;

static gboolean
sim_may_fault (const SimRun *run,
               SimFault      fault) {
  return run->sim->fault == fault && !run->has_fault
         && run->n_begun > run->sim->n_ops / 2;
}

/* The operation of @thread takes effect on its key. */
static void
sim_take_effect (SimRun    *run,
                 SimThread *thread) {
  HistoryOp *op = &thread->op;
  SimSlot *slot = &run->slots[op->key];
  SimSlot before = *slot;
  gboolean matches = before.is_present && before.value == op->old;

  op->is_ok = before.is_present;
  op->result = before.value;
  switch ((OpKind)op->op) {
  case OP_LOAD:
    break;
  case OP_LOAD_OR_STORE:
    if (before.is_present)
      break;
    slot->is_present = TRUE;
    slot->value = op->value;
    break;
  case OP_STORE:
    op->is_ok = TRUE;
    slot->is_present = TRUE;
    slot->value = op->value;
    break;
  case OP_SWAP:
    slot->is_present = TRUE;
    slot->value = op->value;
    break;
  case OP_LOAD_AND_DELETE:
  case OP_DELETE:
    slot->is_present = FALSE;
    break;
  case OP_COMPARE_AND_SWAP:
    op->is_ok = (guint8)matches;
    if (matches)
      slot->value = op->value;
    break;
  case OP_COMPARE_AND_DELETE:
    op->is_ok = (guint8)matches;
    if (matches)
      slot->is_present = FALSE;
    break;
  case OP_RANGE:
  case OP_CLEAR:
  case OP_LEN:
  case OP_N_KINDS:
    g_assert_not_reached ();
  }
  if (slot->is_present && slot->value != before.value)
    slot->written_ns = G_MAXINT64;
  thread->has_replaced
      = before.is_present && before.value == thread->sure
        && (!slot->is_present || slot->value != before.value);
}

static void
sim_spoil (SimRun    *run,
           SimThread *thread) {
  HistoryOp *op = &thread->op;

  if (op->op != OP_LOAD)
    return;
  if (sim_may_fault (run, SIM_NEVER_WRITTEN)) {
    op->is_ok = TRUE;
    op->result = -7;
    run->has_fault = TRUE;
  } else if (thread->stale != 0 && sim_may_fault (run, SIM_STALE_READ)) {
    op->is_ok = TRUE;
    op->result = thread->stale;
    run->has_fault = TRUE;
  }
}

static OpKind
sim_draw_op (SimRun *run) {
  static const OpKind kinds[] = {
    OP_LOAD,   OP_LOAD, OP_LOAD,          OP_LOAD,
    OP_STORE,  OP_STORE, OP_LOAD_OR_STORE, OP_LOAD_AND_DELETE,
    OP_DELETE, OP_SWAP, OP_COMPARE_AND_SWAP, OP_COMPARE_AND_DELETE,
  };

  return kinds[prng_below (&run->prng, G_N_ELEMENTS (kinds))];
}

static gint64
sim_stale (const SimRun *run,
           gint64        key) {
  const SimSlot *slot = &run->slots[key];

  return slot->stale != 0 && slot->stale_ns < run->now ? slot->stale : 0;
}

static void
sim_begin_range (SimRun    *run,
                 SimThread *thread) {
  guint n_keys = run->sim->n_keys;

  thread->is_in_range = TRUE;
  thread->range = (HistoryOp){ .began_ns = run->now,
                               .index = run->n_begun,
                               .thread = (guint16)(thread - run->threads),
                               .op = OP_RANGE };
  thread->range_at = 0;
  thread->range_until = prng_below (&run->prng, 4) == 0
                            ? (guint)prng_below (&run->prng, n_keys)
                            : n_keys;
  g_array_set_size (thread->pairs, 0);
  for (guint key = 0; key < n_keys; key++)
    thread->range_stale[key] = sim_stale (run, key);
}

static void
sim_begin (SimRun    *run,
           SimThread *thread) {
  guint64 kind = prng_below (&run->prng, 1000);
  OpKind op = sim_draw_op (run);
  gint64 key = prng_below (&run->prng, 100) < run->sim->hot_share
                   ? 0
                   : (gint64)prng_below (&run->prng, run->sim->n_keys);
  const SimSlot *slot = &run->slots[key];

  run->n_begun++;
  if (kind < run->sim->range_share && !thread->is_in_range) {
    sim_begin_range (run, thread);
    return;
  }
  if (kind >= 1000 - run->sim->clear_share)
    op = OP_CLEAR;
  thread->op = (HistoryOp){ .began_ns = run->now,
                            .index = run->n_begun,
                            .key = op == OP_CLEAR ? 0 : key,
                            .value = run->next_value++,
                            .old = run->slots[key].value,
                            .thread = (guint16)(thread - run->threads),
                            .op = (guint8)op };
  thread->stage = SIM_BEGUN;
  thread->at = 0;
  thread->has_replaced = FALSE;
  thread->stale = sim_stale (run, key);
  thread->sure = slot->is_present && slot->written_ns < run->now ? slot->value
                                                                 : 0;
}

static void
sim_end (SimRun    *run,
         SimThread *thread) {
  SimSlot *slot = &run->slots[thread->op.key];

  thread->op.ended_ns = run->now;
  thread->stage = SIM_IDLE;
  history_add (run->history, &thread->op);
  if (slot->is_present && slot->value == thread->op.value)
    slot->written_ns = run->now;
  if (thread->has_replaced) {
    slot->stale = thread->sure;
    slot->stale_ns = run->now;
  }
}

/* A Store that nobody sees, and a Load after it that should. */
static void
sim_lose_update (SimRun    *run,
                 SimThread *thread) {
  SimSlot *slot = &run->slots[thread->op.key];
  HistoryOp load;

  thread->op.began_ns = ++run->now;
  load = thread->op;
  load.op = OP_LOAD;
  load.value = 0;
  load.is_ok = slot->is_present;
  load.result = slot->value;
  for (guint i = 0; i < run->sim->n_threads; i++)
    if (&run->threads[i] != thread && run->threads[i].stage != SIM_IDLE
        && (run->threads[i].op.key == load.key
            || run->threads[i].op.op == OP_CLEAR))
      return; /* it could have come between */
  run->has_fault = TRUE;
  run->now++;
  thread->op.is_ok = TRUE;
  sim_end (run, thread);
  load.index = ++run->n_begun;
  load.began_ns = ++run->now;
  load.ended_ns = ++run->now;
  history_add (run->history, &load);
}

static void
sim_step_range (SimRun    *run,
                SimThread *thread) {
  guint at = thread->range_at;
  gboolean is_over = at >= thread->range_until;

  if (is_over) {
    thread->range.ended_ns = run->now;
    thread->is_in_range = FALSE;
    history_add_range (run->history, &thread->range, at == run->sim->n_keys,
                       (HistoryPair *)(gpointer)thread->pairs->data,
                       thread->pairs->len);
    return;
  }
  thread->range_at++;
  if (run->slots[at].is_present) {
    HistoryPair pair = { at, run->slots[at].value };

    if (thread->range_stale[at] != 0 && sim_may_fault (run, SIM_STALE_RANGE)) {
      pair.value = thread->range_stale[at];
      run->has_fault = TRUE;
    }
    g_array_append_val (thread->pairs, pair);
    if (sim_may_fault (run, SIM_TWICE)) {
      g_array_append_val (thread->pairs, pair);
      run->has_fault = TRUE;
    }
  }
}

static void
sim_step (SimRun *run) {
  SimThread *thread = &run->threads[prng_below (&run->prng,
                                                run->sim->n_threads)];

  /* Sometimes two things happen at one reading of the clock. */
  run->now += prng_below (&run->prng, 8) != 0;
  switch (thread->stage) {
  case SIM_IDLE:
    if (thread->is_in_range && prng_below (&run->prng, 8) != 0)
      sim_step_range (run, thread);
    else
      sim_begin (run, thread);
    return;
  case SIM_BEGUN:
    if (thread->op.op == OP_CLEAR) {
      run->slots[thread->at].is_present = FALSE;
      if (++thread->at == run->sim->n_keys)
        thread->stage = SIM_DONE;
      return;
    }
    if (thread->op.op == OP_STORE && sim_may_fault (run, SIM_LOST_UPDATE)) {
      sim_lose_update (run, thread);
      if (run->has_fault)
        return;
    }
    sim_take_effect (run, thread);
    sim_spoil (run, thread);
    thread->stage = SIM_DONE;
    return;
  case SIM_DONE:
    sim_end (run, thread);
    return;
  }
}

/* Everybody ends what is under way, or never does. */
static void
sim_finish (SimRun *run) {
  for (guint i = 0; i < run->sim->n_threads; i++) {
    SimThread *thread = &run->threads[i];

    if (run->sim->is_cut && thread->stage != SIM_IDLE) {
      thread->op.ended_ns = HISTORY_NEVER;
      thread->op.is_ok = FALSE;
      thread->op.result = 0;
      history_add (run->history, &thread->op);
    }
    if (run->sim->is_cut && thread->is_in_range) {
      thread->range.ended_ns = HISTORY_NEVER;
      history_add_range (run->history, &thread->range, FALSE,
                         (HistoryPair *)(gpointer)thread->pairs->data,
                         thread->pairs->len);
    }
    while (!run->sim->is_cut
           && (thread->stage != SIM_IDLE || thread->is_in_range)) {
      run->now++;
      if (thread->stage == SIM_DONE) {
        sim_end (run, thread);
      } else if (thread->stage == SIM_IDLE) {
        sim_step_range (run, thread);
      } else if (thread->op.op == OP_CLEAR) {
        run->slots[thread->at].is_present = FALSE;
        thread->stage = ++thread->at == run->sim->n_keys ? SIM_DONE : SIM_BEGUN;
      } else {
        sim_take_effect (run, thread);
        thread->stage = SIM_DONE;
      }
    }
  }
}

/* (transfer full): @has_fault (nullable): whether the fault had its occasion. */
static History *
sim_history (const Sim *sim,
             gboolean  *has_fault) {
  SimRun run = { .sim = sim, .next_value = 1 };

  g_assert_cmpuint (sim->n_threads, <=, SIM_MAX_THREADS);
  run.history = history_new (TRUE);
  run.slots = g_new0 (SimSlot, sim->n_keys);
  prng_init (&run.prng, sim->seed);
  for (guint i = 0; i < sim->n_threads; i++) {
    run.threads[i].pairs = g_array_new (FALSE, FALSE, sizeof (HistoryPair));
    run.threads[i].range_stale = g_new0 (gint64, sim->n_keys);
  }
  while (run.n_begun < sim->n_ops)
    sim_step (&run);
  sim_finish (&run);
  for (guint i = 0; i < sim->n_threads; i++) {
    g_array_unref (run.threads[i].pairs);
    g_free (run.threads[i].range_stale);
  }
  g_free (run.slots);
  history_seal (run.history);
  if (has_fault != NULL)
    *has_fault = run.has_fault;
  return run.history;
}
