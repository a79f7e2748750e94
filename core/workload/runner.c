/* SPDX-License-Identifier: GPL-3.0-or-later */

/* runner.c — the map, the recorder and the phases
 *
 * runner_start() makes the map and all threads; the coordinator then preloads,
 * leads the workers through the phases, joins them and finishes the log.
 *
 *   caller       new ─ start ──────────── set_… / stop ───────────── join ─ free
 *   coordinator        └ preload ─ phase 0 ─ phase 1 … ─ join ─ finish log ─ done
 *   workers                         └ script, mix ┘
 *
 * Phase       The coordinator raises n_begun. Worker 0 does the script alone,
 *             then script_done lets all of them do their mix, until each has
 *             done operationcount or phase_over says that the time is up. The
 *             next phase begins when every worker has said is_finished.
 *
 * Change      One counter, raised under the lock with every change a worker has
 *             to know of. A worker compares it between operations (one load)
 *             and copies its orders when it differs; one that waits is woken.
 *             So stop, target, mix and number of workers act at once.
 *
 * Probes      One per worker and one for preparation (EVENT_THREAD_MAIN): the
 *             caller uses it in runner_start(), then the coordinator; creating
 *             the thread orders the two. Whoever waits has flushed before.
 *
 * Misuse      A `gomap` under several workers is made is_shared: Go's detector
 *             speaks when they meet. Where Go's program would die the first
 *             misuse ends the run, as a stop from outside does: the operations
 *             under way come to their end, and may be misuses as well. Scenarios
 *             can ask to count them and go on. The preload is over before the
 *             first worker enters the map, so it meets nobody.
 *
 * Seed        Stream 0 seeds the map, stream i + 1 worker i. With one seed each
 *             worker draws the same keys and operations in each run; how they
 *             interleave is up to the machine, and which fresh key an insert
 *             gets with it.
 *
 * Threads     lock guards the fields below it in runner-private.h; it is never
 *             held while an engine or the recorder is called.
 */
#include "core/workload/runner-private.h"

#include "core/base/rank.h"

#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/utsname.h>

/* Preloaded keys between two looks at stop. */
#define PRELOAD_BATCH 256

static char *
describe_machine (void) {
  struct utsname name;

  if (uname (&name) != 0)
    memset (&name, 0, sizeof name);
  return g_strdup_printf ("%u cores, %s, %s %s", g_get_num_processors (),
                          name.machine, name.sysname, name.release);
}

static TraceInfo *
describe_run (Runner            *self,
              const EngineClass *klass) {
  const Scenario *scenario = self->scenario;
  const ScenarioPhase *first = g_ptr_array_index (scenario->phases, 0);
  TraceInfo *info = trace_info_new ();

  info->engine = g_strdup (klass->name);
  info->engine_title = g_strdup (klass->title);
  info->scenario_name = g_strdup (scenario->name);
  info->scenario_title = g_strdup (scenario->title);
  info->scenario_json = scenario_to_json (scenario);
  info->seed = scenario->seed;
  info->started_at_us = g_get_real_time ();
  info->n_threads = self->n_workers;
  g_strfreev (info->thread_roles);
  info->thread_roles = g_new0 (char *, self->n_workers + 1);
  for (guint i = 0; i < self->n_workers; i++) {
    const ThreadGroup *group = g_ptr_array_index (
        first->threads, scenario_get_group (scenario, i));

    info->thread_roles[i] = g_strdup (group->role);
  }
  g_strfreev (info->phase_names);
  info->phase_names = g_new0 (char *, scenario->phases->len + 1);
  for (guint i = 0; i < scenario->phases->len; i++) {
    const ScenarioPhase *phase = g_ptr_array_index (scenario->phases, i);

    info->phase_names[i] = g_strdup (phase->name);
  }
  info->machine = describe_machine ();
  info->version = g_strdup (TOPHASH_VERSION);
  return info;
}

static gboolean
check_engine (const Scenario    *scenario,
              const EngineClass *klass,
              GError           **error) {
  if (klass != NULL)
    return TRUE;
  g_set_error (error, SCENARIO_ERROR, SCENARIO_ERROR_INVALID,
               "%s.json: engine: wanted the name of an engine, found “%s”",
               scenario->name, scenario->engine);
  return FALSE;
}

static void
init_sync (Runner *self) {
  pthread_condattr_t attributes;

  pthread_mutex_init (&self->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->wake, &attributes);
  pthread_condattr_destroy (&attributes);
}

/* FALSE: no memory for the rings. */
static gboolean
make_workers (Runner *self) {
  gsize units = recorder_ring_units (self->n_workers + 1);
  gboolean is_judged = self->scenario->telling == TELLING_WHOLE;
  gboolean is_whole = probe_init (&self->main_probe, units);

  /* The preload is counted, not told operation by operation, but for a judge. */
  probe_set_span_period (&self->main_probe, is_judged ? 1 : 0);
  self->main_probe.tells_yields = is_judged;
  self->workers = g_new0 (Worker *, self->n_workers);
  for (guint i = 0; i < self->n_workers; i++) {
    /* Aligned: a ring's ends sit on cache lines of their own. */
    Worker *worker = g_aligned_alloc0 (1, sizeof *worker, _Alignof (Worker));

    worker->runner = self;
    worker->index = i;
    worker->group = scenario_get_group (self->scenario, i);
    worker->rank = self->groups[worker->group].n_active++;
    prng_init (&worker->prng, prng_split (self->scenario->seed, i + 1));
    is_whole = probe_init (&worker->probe, units) && is_whole;
    worker->probe.ring.drops = self->scenario->drops;
    self->workers[i] = worker;
  }
  return is_whole;
}

Runner *
runner_new (const Scenario *scenario,
            RunnerDone      done,
            gpointer        data,
            GError        **error) {
  const EngineClass *klass = engine_class_find (scenario->engine);
  g_autoptr (TraceInfo) info = NULL;
  const ScenarioPhase *first;
  Runner *self;

  if (!check_engine (scenario, klass, error))
    return NULL;
  self = g_aligned_alloc0 (1, sizeof *self, _Alignof (Runner));
  self->scenario = scenario_copy (scenario);
  if (self->scenario->seed == 0)
    self->scenario->seed = 1 + g_random_int ();
  self->done = done;
  self->data = data;
  self->n_workers = scenario_get_n_threads (scenario);
  first = g_ptr_array_index (scenario->phases, 0);
  self->groups = g_new0 (GroupOrders, first->threads->len);
  self->fresh = (gint64)scenario->recordcount;
  init_sync (self);
  info = describe_run (self, klass);
  self->log = tracelog_new (info, 0);
  if (!make_workers (self)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                 _("Not enough memory to record %u threads"), self->n_workers);
    runner_free (self);
    return NULL;
  }
  return self;
}

void
runner_announce_locked (Runner *self) {
  /* Release: pairs with the acquire load in refresh(), runner-worker.c. What
   * changed is read under the lock in any case. */
  atomic_fetch_add_explicit (&self->change, 1, memory_order_release);
  pthread_cond_broadcast (&self->wake);
}

gboolean
runner_wait_locked (Runner *self,
                    gint64  deadline_ns) {
  struct timespec at = { (time_t)(deadline_ns / 1000000000),
                         (long)(deadline_ns % 1000000000) };

  if (deadline_ns == G_MAXINT64)
    return pthread_cond_wait (&self->wake, &self->lock) == 0;
  return pthread_cond_timedwait (&self->wake, &self->lock, &at) == 0;
}

static gboolean
is_stopping (Runner *self) {
  gboolean answer;

  pthread_mutex_lock (&self->lock);
  answer = self->is_stopping;
  pthread_mutex_unlock (&self->lock);
  return answer;
}

static bool
visit_nothing (int64_t key,
               int64_t value,
               void   *data) {
  return true;
}

/* Values of the preload end in 00: see make_value() in runner-worker.c. */
static void
preload (Runner *self) {
  const EngineClass *klass = self->map->klass;
  EngineThread *engine = &self->main_engine;

  for (guint64 i = 0; self->scenario->preload && i < self->scenario->recordcount;
       i++) {
    if (i % PRELOAD_BATCH == 0
        && (is_stopping (self) || recorder_is_full (self->recorder)))
      break;
    klass->store (self->map, engine, (gint64)i, (gint64)(i + 1) * 100);
    if (engine->error != ENGINE_ERROR_NONE) {
      atomic_fetch_add_explicit (&self->n_main_errors, 1, memory_order_relaxed);
      engine->error = ENGINE_ERROR_NONE;
      break;
    }
  }
  if (self->scenario->preload_promoted)
    klass->range (self->map, engine, visit_nothing, NULL);
}

static gboolean
all_finished_locked (Runner  *self,
                     gboolean count_idle) {
  for (guint i = 0; i < self->n_workers; i++)
    if (!self->workers[i]->is_finished
        && !(count_idle && self->workers[i]->is_idle))
      return FALSE;
  return TRUE;
}

static void
lead_phase (Runner *self,
            guint   p) {
  const ScenarioPhase *phase = g_ptr_array_index (self->scenario->phases, p);
  gboolean ends_by_count = phase->operationcount > 0 || phase->duration <= 0;
  gint64 deadline_ns = G_MAXINT64;

  probe_restamp ();
  probe_event (EVENT_PHASE_BEGAN, p, 0, 0, 0);
  probe_flush (&self->main_probe);
  pthread_mutex_lock (&self->lock);
  for (guint i = 0; i < self->n_workers; i++)
    self->workers[i]->is_finished = self->workers[i]->is_idle = FALSE;
  self->phase_over = FALSE;
  self->script_done = phase->script->len == 0;
  self->n_begun = p + 1;
  runner_announce_locked (self);
  while (!self->script_done && !self->is_stopping)
    runner_wait_locked (self, G_MAXINT64);
  if (phase->duration > 0)
    deadline_ns = clock_now_ns () + (gint64)(phase->duration * 1e9);
  while (!self->is_stopping
         && !(ends_by_count && all_finished_locked (self, TRUE)))
    if (!runner_wait_locked (self, deadline_ns))
      break;
  self->phase_over = TRUE;
  runner_announce_locked (self);
  while (!self->is_stopping && !all_finished_locked (self, FALSE))
    runner_wait_locked (self, G_MAXINT64);
  pthread_mutex_unlock (&self->lock);
}

/* After the last phase: workers leave, what they told is merged. */
static void
finish_run (Runner *self) {
  runner_stop (self);
  for (guint i = 0; i < self->n_workers; i++)
    pthread_join (self->workers[i]->thread, NULL);
  if (self->main_engine.map != NULL)
    engine_leave_thread (&self->main_engine);
  probe_flush (&self->main_probe);
  probe_current = NULL;
  self->n_ungated = recorder_finish (self->recorder);
}

static void *
coordinator_main (void *data) {
  Runner *self = data;

  rank_go_behind_window (false);
  runner_listen (self, &self->main_probe);
  if (engine_enter_thread (self->map, &self->main_engine, EVENT_THREAD_MAIN)) {
    preload (self);
    for (guint p = 0; p < self->scenario->phases->len && !is_stopping (self);
         p++)
      lead_phase (self, p);
  } else {
    self->main_engine.map = NULL;
    atomic_fetch_add_explicit (&self->n_main_errors, 1, memory_order_relaxed);
  }
  finish_run (self);
  /* Release: pairs with the load in runner_is_running(). */
  atomic_store_explicit (&self->is_running, FALSE, memory_order_release);
  if (self->done != NULL)
    self->done (self, self->data);
  return NULL;
}

/* The first @n_started workers are under way and no phase has begun. */
static void
call_off (Runner *self,
          guint   n_started) {
  runner_stop (self);
  for (guint i = 0; i < n_started; i++)
    pthread_join (self->workers[i]->thread, NULL);
  recorder_finish (self->recorder);
}

static uint64_t
now_ns (void) {
  return (uint64_t)clock_now_ns ();
}

static gboolean
make_map (Runner *self) {
  EngineConfig config = { .hash = { .kind = self->scenario->hash },
                          .seed = prng_split (self->scenario->seed, 0),
                          .hint = self->scenario->hint,
                          .shards = self->scenario->shards,
                          .now_ns = now_ns,
                          .is_shared = self->n_workers > 1 };

  runner_listen (self, &self->main_probe);
  self->map = engine_new (engine_class_find (self->scenario->engine), &config);
  probe_flush (&self->main_probe);
  probe_current = NULL;
  return self->map != NULL;
}

void
runner_set_blind (Runner *self) {
  g_return_if_fail (self->recorder == NULL);
  self->is_blind = TRUE;
}

gboolean
runner_start (Runner  *self,
              GError **error) {
  guint n_started = 0;

  g_return_val_if_fail (self->recorder == NULL, FALSE);
  self->recorder = recorder_new (self->log);
  recorder_add (self->recorder, &self->main_probe, EVENT_THREAD_MAIN);
  for (guint i = 0; i < self->n_workers; i++)
    recorder_add (self->recorder, &self->workers[i]->probe, (guint16)i);
  recorder_start (self->recorder);
  if (!make_map (self)) {
    call_off (self, 0);
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                         _("Not enough memory for the map"));
    return FALSE;
  }
  while (n_started < self->n_workers
         && pthread_create (&self->workers[n_started]->thread, NULL,
                            runner_worker_main, self->workers[n_started])
                == 0)
    n_started++;
  atomic_store_explicit (&self->is_running, TRUE, memory_order_release);
  if (n_started < self->n_workers
      || pthread_create (&self->coordinator, NULL, coordinator_main, self) != 0) {
    atomic_store_explicit (&self->is_running, FALSE, memory_order_release);
    call_off (self, n_started);
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                 _("The system gave %u of %u threads"), n_started,
                 self->n_workers + 1);
    return FALSE;
  }
  self->is_started = TRUE;
  return TRUE;
}

void
runner_stop (Runner *self) {
  pthread_mutex_lock (&self->lock);
  self->is_stopping = TRUE;
  runner_announce_locked (self);
  pthread_mutex_unlock (&self->lock);
}

void
runner_join (Runner *self) {
  if (!self->is_started || self->is_joined)
    return;
  pthread_join (self->coordinator, NULL);
  self->is_joined = TRUE;
}

void
runner_free (Runner *self) {
  if (self == NULL)
    return;
  runner_stop (self);
  runner_join (self);
  g_clear_pointer (&self->recorder, recorder_free);
  engine_free (self->map);
  for (guint i = 0; i < self->n_workers; i++) {
    probe_clear (&self->workers[i]->probe);
    g_aligned_free (self->workers[i]);
  }
  probe_clear (&self->main_probe);
  pthread_cond_destroy (&self->wake);
  pthread_mutex_destroy (&self->lock);
  tracelog_unref (self->log);
  scenario_free (self->scenario);
  g_free (self->workers);
  g_free (self->groups);
  g_aligned_free (self);
}

gboolean
runner_is_running (Runner *self) {
  /* Acquire: pairs with the store in coordinator_main(). */
  return atomic_load_explicit (&self->is_running, memory_order_acquire);
}

TraceLog *
runner_get_log (Runner *self) {
  return self->log;
}

static guint
n_groups (Runner *self) {
  const ScenarioPhase *first = g_ptr_array_index (self->scenario->phases, 0);

  return first->threads->len;
}

void
runner_set_target (Runner *self,
                   guint   group,
                   double  target) {
  pthread_mutex_lock (&self->lock);
  for (guint i = 0; i < n_groups (self); i++)
    if (group == G_MAXUINT || group == i) {
      self->groups[i].has_target = TRUE;
      self->groups[i].target = MAX (target, 0);
    }
  runner_announce_locked (self);
  pthread_mutex_unlock (&self->lock);
}

void
runner_set_mix (Runner             *self,
                guint               group,
                const OperationMix *mix) {
  pthread_mutex_lock (&self->lock);
  for (guint i = 0; i < n_groups (self); i++)
    if (group == G_MAXUINT || group == i) {
      self->groups[i].has_mix = TRUE;
      self->groups[i].mix = *mix;
    }
  runner_announce_locked (self);
  pthread_mutex_unlock (&self->lock);
}

void
runner_set_active (Runner *self,
                   guint   group,
                   guint   n_threads) {
  g_return_if_fail (group < n_groups (self));

  pthread_mutex_lock (&self->lock);
  self->groups[group].n_active = n_threads;
  runner_announce_locked (self);
  pthread_mutex_unlock (&self->lock);
}

MapEngine *
runner_get_map (Runner *self) {
  return self->map;
}

guint64
runner_get_n_operations (Runner *self) {
  guint64 sum = 0;

  for (guint i = 0; i < self->n_workers; i++)
    /* Relaxed: a count for show; nothing leans on it. */
    sum += atomic_load_explicit (&self->workers[i]->n_operations,
                                 memory_order_relaxed);
  return sum;
}

guint64
runner_get_n_errors (Runner *self) {
  guint64 sum = atomic_load_explicit (&self->n_main_errors, memory_order_relaxed);

  for (guint i = 0; i < self->n_workers; i++)
    /* Relaxed: as above. */
    sum += atomic_load_explicit (&self->workers[i]->n_errors,
                                 memory_order_relaxed);
  return sum;
}

guint64
runner_get_n_ungated (Runner *self) {
  return self->n_ungated;
}
