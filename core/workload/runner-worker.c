/* SPDX-License-Identifier: GPL-3.0-or-later */

/* runner-worker.c — one worker thread
 *
 * Waits for its phase, does the script if it is worker 0, then draws operations
 * from its group's mix at its group's pace until its orders say otherwise.
 *
 * Pace        An absolute schedule: operation n is due 1 / target after n - 1
 *             was due, however long that took, so that a late one does not slow
 *             the rest. A worker more than MAX_LAG_NS and one interval behind
 *             starts anew. The workers' first operations are spread over one
 *             interval, for lanes that can be told apart.
 *
 * Spans       Up to FINE_TARGET operations a second each one is told as a span
 *             and iterations tell each slot. Faster ones adapt: at most about
 *             SPANS_PER_SECOND are told one by one, the others are counted. A
 *             scenario can ask for all of them at any speed: whole, or in brief,
 *             one event each beside the sampled spans.
 *
 * Range       In paced runs a Range waits at each key, so that its walk is seen
 *             and meets what others do meanwhile; stop and the end of the phase
 *             cut the waits short. So does the walk of a snapshot. One that waits
 *             tells its walk at any speed. Of the others it is told now and then:
 *             telling takes up to twenty times as long as walking, and so has one
 *             part in RANGE_REST of a worker's time, and RANGE_REST_NS between.
 *
 * Values      n * 100 + worker + 1, n counting the worker's writes: unique over
 *             the run, and readable: the last two digits name the writer (00 is
 *             the preload). n is kept below VALUE_PERIOD: values stay under
 *             2^45.
 *
 * Compare-    compare-and-swap and compare-and-delete first load the key and
 *             expect what they found, as a program would: both operations are
 *             told and counted. An absent key is expected to hold 0.
 *
 * Niceness    Workers step back (base/rank) so that the window, the display server
 *             and the recorder get their turns as soon as they want them.
 */
#include "core/workload/runner-private.h"

#include "core/base/rank.h"
#include "core/engine/snapshot.h"

#include <string.h>
#include <unistd.h>

#define FINE_TARGET 5000.0
#define SPANS_PER_SECOND 2000.0
#define FIRST_SPAN_PERIOD 1024u
#define MAX_SPAN_PERIOD (1u << 20)
/* Operations between two looks at the clock (and the log's limit). */
#define WINDOW_OPS 256
#define MAX_LAG_NS 100000000
#define MAX_RANGE_NS 2000000000
#define RANGE_REST 32
#define RANGE_REST_NS 50000000
#define NICENESS 5
#define VALUE_PERIOD 300000000000u

static const OpKind mix_ops[OPERATION_MIX_N] = {
  OP_LOAD,           OP_STORE,  OP_STORE, /* insert */
  OP_LOAD_OR_STORE,  OP_LOAD_AND_DELETE,
  OP_DELETE,         OP_SWAP,   OP_COMPARE_AND_SWAP,
  OP_COMPARE_AND_DELETE, OP_RANGE, OP_CLEAR,
  OP_RANGE, /* snapshot, of an engine that has none */
};
#define MIX_INSERT 2
#define MIX_SNAPSHOT 11

static const ScenarioPhase *
phase_of (Worker *worker,
          guint   p) {
  return g_ptr_array_index (worker->runner->scenario->phases, p);
}

static double
total_weight (const Worker *worker) {
  return worker->weights[OPERATION_MIX_N - 1];
}

static gint64
interval_ns (const Worker *worker) {
  return worker->target > 0 ? (gint64)(1e9 / worker->target) : 0;
}

/* Fine, told whole or counted, as the pace and the scenario ask for. */
static void
set_spans (Worker *worker) {
  gboolean is_fine = worker->target > 0 && worker->target <= FINE_TARGET;
  OperationTelling telling = worker->runner->scenario->telling;
  gboolean is_whole = is_fine || telling == TELLING_WHOLE;
  Probe *probe = &worker->probe;

  if (probe->is_fine == is_fine && probe->span_period != 0)
    return;
  probe->is_fine = is_fine;
  probe->tells_yields = is_whole;
  probe->tells_brief = telling == TELLING_BRIEF;
  probe_set_span_period (probe, is_whole ? 1 : FIRST_SPAN_PERIOD);
}

/* Copies the orders if anything changed since they were last looked at. */
static void
refresh (Worker *worker,
         guint   p) {
  Runner *runner = worker->runner;
  const ThreadGroup *group
      = g_ptr_array_index (phase_of (worker, p)->threads, worker->group);
  const GroupOrders *orders = &runner->groups[worker->group];
  OperationMix mix = group->mix;
  double sum = 0;

  /* Acquire: pairs with the addition in runner_announce_locked(). */
  if (atomic_load_explicit (&runner->change, memory_order_acquire)
      == worker->seen)
    return;
  pthread_mutex_lock (&runner->lock);
  /* Relaxed: changed under this lock only. */
  worker->seen = atomic_load_explicit (&runner->change, memory_order_relaxed);
  worker->is_over = runner->is_stopping || runner->phase_over;
  worker->is_active = worker->rank < orders->n_active;
  worker->target = orders->has_target ? orders->target : group->target;
  if (orders->has_mix)
    mix = orders->mix;
  pthread_mutex_unlock (&runner->lock);
  for (guint i = 0; i < OPERATION_MIX_N; i++)
    worker->weights[i] = sum += *operation_mix_share (&mix, i);
  set_spans (worker);
}

/* Until the deadline, or any change. */
static void
wait_for_change (Worker *worker,
                 gint64  deadline_ns) {
  Runner *runner = worker->runner;

  probe_flush (&worker->probe);
  pthread_mutex_lock (&runner->lock);
  while (atomic_load_explicit (&runner->change, memory_order_relaxed)
         == worker->seen)
    if (!runner_wait_locked (runner, deadline_ns))
      break;
  pthread_mutex_unlock (&runner->lock);
}

static void
set_idle (Worker  *worker,
          gboolean is_idle) {
  Runner *runner = worker->runner;

  pthread_mutex_lock (&runner->lock);
  worker->is_idle = is_idle;
  /* The coordinator counts; orders are as they were. */
  if (is_idle)
    pthread_cond_broadcast (&runner->wake);
  pthread_mutex_unlock (&runner->lock);
}

/* Waits until the next operation is due; FALSE when the phase is over.
 * @needs_mix: an empty mix pauses the worker, and so does set_active. */
static gboolean
await_turn (Worker  *worker,
            guint    p,
            gboolean needs_mix) {
  gint64 now, due;

  for (;;) {
    refresh (worker, p);
    if (worker->is_over)
      return FALSE;
    if (needs_mix && (!worker->is_active || total_weight (worker) <= 0)) {
      set_idle (worker, TRUE);
      wait_for_change (worker, G_MAXINT64);
      set_idle (worker, FALSE);
      worker->last_ns = clock_now_ns () - interval_ns (worker);
      continue;
    }
    if (worker->target <= 0)
      return TRUE;
    now = clock_now_ns ();
    due = worker->last_ns + interval_ns (worker);
    if (due <= now)
      break;
    wait_for_change (worker, due);
  }
  worker->last_ns
      = now - due > MAX (interval_ns (worker), MAX_LAG_NS) ? now : due;
  return TRUE;
}

typedef struct {
  Worker *worker;
  gint64  pause_ns;
  gint64  left_ns; /* for all pauses together */
} Walk;

/* The pause of a Range at one key; false when the run is stopped. */
static bool
visit (int64_t key,
       int64_t value,
       void   *data) {
  Walk *walk = data;
  Runner *runner = walk->worker->runner;
  gint64 deadline_ns;
  gboolean goes_on;

  if (walk->pause_ns <= 0 || walk->left_ns <= 0)
    return true;
  deadline_ns = clock_now_ns () + walk->pause_ns;
  walk->left_ns -= walk->pause_ns;
  probe_flush (&walk->worker->probe);
  pthread_mutex_lock (&runner->lock);
  while (!runner->is_stopping && !runner->phase_over)
    if (!runner_wait_locked (runner, deadline_ns))
      break;
  if (runner->phase_over)
    walk->left_ns = 0;
  goes_on = !runner->is_stopping;
  pthread_mutex_unlock (&runner->lock);
  probe_restamp ();
  return goes_on;
}

static Walk
plan_walk (Worker            *worker,
           const ThreadGroup *group) {
  Walk walk = { worker, 0, MAX_RANGE_NS };

  if (group->rangepause >= 0) {
    walk.pause_ns = (gint64)(group->rangepause * 1e6);
    walk.left_ns = G_MAXINT64;
  } else if (worker->target <= FINE_TARGET) {
    walk.pause_ns = interval_ns (worker) / 10;
  }
  return walk;
}

static void
walk_range (Worker            *worker,
            const ThreadGroup *group) {
  MapEngine *map = worker->runner->map;
  Walk walk = plan_walk (worker, group);
  gint64 began_ns = clock_now_ns (), ended_ns;

  if (walk.pause_ns <= 0 && began_ns < worker->range_due_ns) {
    map->klass->range (map, &worker->engine, visit, &walk);
    return;
  }
  probe_make_span (&worker->probe);
  map->klass->range (map, &worker->engine, visit, &walk);
  ended_ns = clock_now_ns ();
  worker->range_due_ns
      = ended_ns + MAX (RANGE_REST_NS, RANGE_REST * (ended_ns - began_ns));
}

static void
walk_snapshot (Worker            *worker,
               const ThreadGroup *group) {
  Walk walk = plan_walk (worker, group);
  EngineSnapshot *snapshot
      = engine_snapshot_begin (worker->runner->map, &worker->engine);

  while (snapshot != NULL && engine_snapshot_next (snapshot)
         && visit (engine_snapshot_key (snapshot),
                   engine_snapshot_value (snapshot), &walk))
    ;
  if (snapshot != NULL)
    engine_snapshot_end (snapshot);
}

static gint64
make_value (Worker *worker) {
  return (gint64)(worker->n_written++ % VALUE_PERIOD) * 100 + worker->index + 1;
}

/* Where Go's program would die the run ends, unless the scenario goes on. */
static void
note_error (Worker *worker) {
  EngineError error = worker->engine.error;

  worker->engine.error = ENGINE_ERROR_NONE;
  switch (error) {
  case ENGINE_ERROR_NONE:
    break;
  case ENGINE_ERROR_NO_MEMORY:
    /* Relaxed: as in count(). */
    atomic_store_explicit (
        &worker->n_errors,
        atomic_load_explicit (&worker->n_errors, memory_order_relaxed) + 1,
        memory_order_relaxed);
    break;
  case ENGINE_ERROR_MISUSE:
    if (worker->runner->scenario->stops_on_misuse)
      runner_stop (worker->runner);
    break;
  }
}

static void
count (Worker *worker) {
  /* Relaxed: the worker alone writes these, others show them. */
  atomic_store_explicit (
      &worker->n_operations,
      atomic_load_explicit (&worker->n_operations, memory_order_relaxed) + 1,
      memory_order_relaxed);
  if (G_UNLIKELY (worker->engine.error != ENGINE_ERROR_NONE))
    note_error (worker);
}

/* What the key holds, for an operation that expects it. */
static gint64
expected_value (Worker *worker,
                gint64  key) {
  MapEngine *map = worker->runner->map;
  gint64 found = 0;

  if (!map->klass->load (map, &worker->engine, key, &found))
    found = 0;
  count (worker);
  return found;
}

static void
perform (Worker            *worker,
         const ThreadGroup *group,
         OpKind             op,
         gint64             key,
         gint64             value) {
  MapEngine *map = worker->runner->map;
  const EngineClass *klass = map->klass;
  EngineThread *engine = &worker->engine;
  gint64 found;

  switch (op) {
  case OP_LOAD:
    klass->load (map, engine, key, &found);
    break;
  case OP_STORE:
    klass->store (map, engine, key, value);
    break;
  case OP_LOAD_OR_STORE:
    klass->load_or_store (map, engine, key, value, &found);
    break;
  case OP_LOAD_AND_DELETE:
    klass->load_and_delete (map, engine, key, &found);
    break;
  case OP_DELETE:
    klass->delete_key (map, engine, key);
    break;
  case OP_SWAP:
    klass->swap (map, engine, key, value, &found);
    break;
  case OP_COMPARE_AND_SWAP:
    found = expected_value (worker, key);
    klass->compare_and_swap (map, engine, key, found, value);
    break;
  case OP_COMPARE_AND_DELETE:
    found = expected_value (worker, key);
    klass->compare_and_delete (map, engine, key, found);
    break;
  case OP_RANGE:
    walk_range (worker, group);
    break;
  case OP_CLEAR:
    klass->clear (map, engine);
    break;
  case OP_LEN:
    klass->len (map, engine);
    break;
  case OP_N_KINDS:
    g_return_if_reached ();
  }
  count (worker);
}

static void
perform_drawn (Worker            *worker,
               const ThreadGroup *group,
               const KeyDist     *dist) {
  double at = prng_unit (&worker->prng) * total_weight (worker);
  guint chosen = 0;
  gint64 key = 0;

  while (chosen < OPERATION_MIX_N - 1 && at >= worker->weights[chosen])
    chosen++;
  if (chosen == MIX_SNAPSHOT && worker->runner->map->klass->snapshot != NULL) {
    walk_snapshot (worker, group);
    count (worker);
    return;
  }
  if (chosen == MIX_INSERT)
    /* Relaxed: only the numbers must differ. */
    key = atomic_fetch_add_explicit (&worker->runner->fresh, 1,
                                     memory_order_relaxed);
  else if (mix_ops[chosen] != OP_RANGE && mix_ops[chosen] != OP_CLEAR)
    key = keydist_next (dist, &worker->prng, &worker->runner->fresh);
  perform (worker, group, mix_ops[chosen], key, make_value (worker));
}

/* Every WINDOW_OPS operations: the span period follows the speed, and a full
 * log ends the run. */
static void
look_around (Worker *worker) {
  Probe *probe = &worker->probe;
  gint64 now = clock_now_ns ();
  double per_second = WINDOW_OPS * 1e9 / (double)MAX (now - worker->window_ns, 1);
  double wanted = CLAMP (per_second / SPANS_PER_SECOND, 1, MAX_SPAN_PERIOD);

  worker->window_ns = now;
  if (recorder_is_full (worker->runner->recorder))
    runner_stop (worker->runner);
  /* Only a change by half or double: setting the period restarts its count. */
  if (!probe->is_fine && worker->runner->scenario->telling != TELLING_WHOLE
      && (wanted > 2.0 * probe->span_period || 2 * wanted < probe->span_period))
    probe_set_span_period (probe, (guint32)wanted);
}

static void
run_script (Worker *worker,
            guint   p) {
  const ScenarioPhase *phase = phase_of (worker, p);
  Runner *runner = worker->runner;

  worker->last_ns = clock_now_ns () - interval_ns (worker);
  for (guint i = 0; i < phase->script->len && !worker->is_over; i++) {
    const ScriptedOp *op = &g_array_index (phase->script, ScriptedOp, i);

    for (guint n = 0; n < op->repeat && await_turn (worker, p, FALSE); n++)
      perform (worker, g_ptr_array_index (phase->threads, worker->group), op->op,
               op->key + (gint64)n * op->step,
               MIN (op->value + n, ENGINE_VALUE_MAX));
  }
  probe_flush (&worker->probe);
  pthread_mutex_lock (&runner->lock);
  runner->script_done = TRUE;
  runner_announce_locked (runner);
  pthread_mutex_unlock (&runner->lock);
}

static void
run_mix (Worker *worker,
         guint   p) {
  const ScenarioPhase *phase = phase_of (worker, p);
  const ThreadGroup *group = g_ptr_array_index (phase->threads, worker->group);
  guint64 n_left = phase->operationcount;
  KeyDist dist;

  if (phase->duration <= 0 && n_left == 0)
    return;
  if (n_left == 0)
    n_left = G_MAXUINT64;
  keydist_init (&dist, &group->keys, MAX (worker->runner->scenario->recordcount,
                                          1));
  worker->last_ns = clock_now_ns () - interval_ns (worker)
                    + interval_ns (worker) / worker->runner->n_workers
                          * worker->index;
  worker->window_ns = clock_now_ns ();
  worker->n_in_window = 0;
  for (; n_left > 0 && await_turn (worker, p, TRUE); n_left--) {
    perform_drawn (worker, group, &dist);
    if (++worker->n_in_window % WINDOW_OPS == 0)
      look_around (worker);
  }
}

static void
run_phase (Worker *worker,
           guint   p) {
  Runner *runner = worker->runner;

  worker->seen--; /* the orders of this phase differ from the last one's */
  refresh (worker, p);
  if (worker->index == 0 && phase_of (worker, p)->script->len > 0) {
    run_script (worker, p);
  } else {
    pthread_mutex_lock (&runner->lock);
    while (!runner->script_done && !runner->is_stopping)
      runner_wait_locked (runner, G_MAXINT64);
    pthread_mutex_unlock (&runner->lock);
  }
  run_mix (worker, p);
  probe_flush (&worker->probe);
  pthread_mutex_lock (&runner->lock);
  worker->is_finished = TRUE;
  pthread_cond_broadcast (&runner->wake);
  pthread_mutex_unlock (&runner->lock);
}

/* FALSE: the run is over. */
static gboolean
await_phase (Runner *runner,
             guint   p) {
  gboolean goes_on;

  pthread_mutex_lock (&runner->lock);
  while (runner->n_begun <= p && !runner->is_stopping)
    runner_wait_locked (runner, G_MAXINT64);
  goes_on = !runner->is_stopping;
  pthread_mutex_unlock (&runner->lock);
  return goes_on;
}

void *
runner_worker_main (void *data) {
  Worker *worker = data;
  Runner *runner = worker->runner;

  rank_step_back (NICENESS);
  rank_go_behind_window (false);
  /* Not before the preload is over: in a map that is not safe for two it would
   * be misused by the runner itself. */
  if (!await_phase (runner, 0))
    return NULL;
  runner_listen (worker->runner, &worker->probe);
  if (engine_enter_thread (runner->map, &worker->engine,
                           (uint16_t)worker->index)) {
    probe_restamp ();
    probe_event (EVENT_THREAD_STARTED, worker->group, 0, 0, 0);
    probe_flush (&worker->probe);
    for (guint p = 0; p < runner->scenario->phases->len; p++) {
      if (!await_phase (runner, p))
        break;
      run_phase (worker, p);
    }
    engine_leave_thread (&worker->engine);
    probe_restamp ();
    probe_event (EVENT_THREAD_ENDED, worker->group, 0, 0, 0);
  } else {
    atomic_fetch_add_explicit (&worker->n_errors, 1, memory_order_relaxed);
    runner_stop (runner);
  }
  probe_flush (&worker->probe);
  probe_current = NULL;
  return NULL;
}
