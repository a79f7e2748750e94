/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-step-retries.c — a CAS that fails and is tried again, told exactly
 *
 * Chance makes few of them, so the order is forced. Worker 0 goes until it is
 * about to change the entry for the first time; there worker 1 stores the value
 * that is there already, which changes the entry's counter and nothing else.
 * Worker 0's CAS must fail, once, be tried again, and succeed.
 *
 * Both threads' tallies and both threads' probes must say so: a span in its
 * OP_ENDED, a counted operation in its OPS_COUNTED. Each worker has a probe of
 * its own; whoever chooses the step also says whose probe is current.
 */
#include "core/engine/engine.h"
#include "core/probe/probe.h"
#include "core/step/step-run.h"

#include <glib.h>
#include <string.h>

#define KEY 3
#define VALUE 10
#define N_WORKERS 2

typedef struct {
  const EngineClass *klass;
  OpKind       op;          /* worker 0's */
  gboolean     is_span;
  gboolean     is_met;      /* worker 1 was let in */
  gboolean     is_over;     /* worker 1 has ended */
  MapEngine   *map;
  EngineThread alone;
  EngineThread threads[N_WORKERS];
  Probe        probes[N_WORKERS];
  guint64      n_told[N_WORKERS]; /* retries, by the events */
  guint64      n_tallied[N_WORKERS];
  gboolean     is_done;     /* worker 0's operation changed the map */
} Clash;

static bool
visit_cb (int64_t key,
          int64_t value,
          void   *data) {
  return true;
}

static void
begin (void *data) {
  Clash *self = data;
  EngineConfig config = { .seed = 1 };

  self->map = engine_new (self->klass, &config);
  g_assert_true (engine_enter_thread (self->map, &self->alone,
                                      EVENT_THREAD_MAIN));
  self->klass->store (self->map, &self->alone, KEY, VALUE);
  /* Promotes: the key is in read. */
  self->klass->range (self->map, &self->alone, visit_cb, NULL);
  for (guint i = 0; i < N_WORKERS; i++) {
    g_assert_true (engine_enter_thread (self->map, &self->threads[i],
                                        (uint16_t)i));
    g_assert_true (probe_init (&self->probes[i], 1024));
    probe_set_span_period (&self->probes[i], self->is_span ? 1 : 0);
  }
}

static gboolean
operate (Clash        *self,
         EngineThread *thread) {
  const EngineClass *klass = self->klass;
  int64_t found;

  if (self->op == OP_STORE)
    return klass->store (self->map, thread, KEY, 20);
  if (self->op == OP_SWAP)
    return klass->swap (self->map, thread, KEY, 20, &found);
  if (self->op == OP_DELETE)
    return klass->delete_key (self->map, thread, KEY);
  if (self->op == OP_LOAD_AND_DELETE)
    return klass->load_and_delete (self->map, thread, KEY, &found);
  if (self->op == OP_COMPARE_AND_SWAP)
    return klass->compare_and_swap (self->map, thread, KEY, VALUE, 20);
  return klass->compare_and_delete (self->map, thread, KEY, VALUE);
}

static void
work (void    *data,
      unsigned worker) {
  Clash *self = data;

  /* Up to the first point nobody chooses. */
  probe_current = &self->probes[worker];
  if (worker == 0) {
    self->is_done = operate (self, &self->threads[0]);
  } else {
    self->klass->store (self->map, &self->threads[1], KEY, VALUE);
    self->is_over = TRUE;
  }
}

static guint64
drain_retries (Probe *probe) {
  const RingUnit *first;
  size_t n_second, n;
  guint64 n_retries = 0;

  probe_flush (probe);
  n = ring_peek (&probe->ring, &first, &n_second);
  g_assert_cmpuint (n_second, ==, 0);
  for (size_t i = 0; i < n; i++) {
    const RingEvent *event = &first[i].event;
    guint kind = event->kind & ~EVENT_HAS_PAYLOAD;

    i += (event->kind & EVENT_HAS_PAYLOAD) != 0;
    if (kind == EVENT_OP_ENDED)
      n_retries += event->res;
    else if (kind == EVENT_OPS_COUNTED)
      n_retries += first[i].payload.b;
  }
  ring_take (&probe->ring, n);
  return n_retries;
}

static void
end (void *data) {
  Clash *self = data;

  probe_current = NULL;
  for (guint i = 0; i < N_WORKERS; i++) {
    self->n_told[i] = drain_retries (&self->probes[i]);
    self->n_tallied[i] = sync_count_get (
        &self->threads[i].tally->n_cas_retries);
    probe_clear (&self->probes[i]);
    engine_leave_thread (&self->threads[i]);
  }
  engine_leave_thread (&self->alone);
  engine_free (self->map);
}

static int
choose_cb (StepRun *run,
           void    *data) {
  Clash *self = data;
  const char *label = "";
  int choice = 0;

  if (step_run_pending (run, 0, &label) == NULL)
    choice = 1;
  else if (g_str_has_prefix (label, "CAS entry.p"))
    self->is_met = TRUE;
  if (self->is_met && !self->is_over && (step_run_enabled (run) & 2u) != 0)
    choice = 1;
  probe_current = &self->probes[choice];
  return choice;
}

static void
check_clash (const EngineClass *klass,
             OpKind             op,
             gboolean           is_span) {
  Clash clash = { .klass = klass, .op = op, .is_span = is_span };
  StepProgram program = { .n_workers = N_WORKERS, .begin = begin, .work = work,
                          .end = end, .data = &clash };
  StepChooser chooser = { .choose = choose_cb, .data = &clash };
  StepRun *run = step_run_new (&program);
  StepOutcome outcome = step_run_execute (run, &chooser);

  g_test_message ("%s, %s: schedule %s", klass->name, op_kind_name (op),
                  step_run_schedule (run));
  if (outcome != STEP_FINISHED)
    g_error ("%s: %s", step_outcome_name (outcome), step_run_why (run));
  g_assert_true (clash.is_met && clash.is_over && clash.is_done);
  g_assert_cmpuint (clash.n_tallied[0], ==, 1);
  g_assert_cmpuint (clash.n_told[0], ==, 1);
  g_assert_cmpuint (clash.n_tallied[1], ==, 0);
  g_assert_cmpuint (clash.n_told[1], ==, 0);
  step_run_free (run);
}

static void
test_retry_is_told_once (gconstpointer data) {
  static const OpKind ops[] = { OP_STORE, OP_SWAP, OP_DELETE,
                                OP_LOAD_AND_DELETE, OP_COMPARE_AND_SWAP,
                                OP_COMPARE_AND_DELETE };

  for (guint i = 0; i < G_N_ELEMENTS (ops); i++) {
    check_clash (data, ops[i], TRUE);
    check_clash (data, ops[i], FALSE);
  }
}

int
main (int    argc,
      char **argv) {
  static const char *const engines[] = { "syncmap", "viewmap" };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (engines); i++) {
    g_autofree char *path = g_strdup_printf (
        "/core/step/retries/%s/retry-is-told-once", engines[i]);

    g_test_add_data_func (path, engine_class_find (engines[i]),
                          test_retry_is_told_once);
  }
  return g_test_run ();
}
