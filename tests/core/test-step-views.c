/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-step-views.c — every order of a few writes and a look at the whole map
 *
 * Idea        A view, or a snapshot of an engine that promises one instant, is an
 *             operation that reads all keys at once, at some moment of the call
 *             that opens it. So key by key is not enough: an order of all
 *             operations must explain every result with the whole map as its
 *             state. With a handful of them a plain search is enough.
 *
 * Program     Each worker does up to MAX_ACTS acts. A view reads every key, then
 *             every key again, each in a section of its own: both readings must
 *             agree, whatever happened in between. At the end every key is read;
 *             the invariants hold, and all memory is given back.
 *
 * Clean       Planned and random programs find nothing.
 * Mutants     Every bug that mutant.h has for views and versions is found.
 */
#include "tests/core/step-kill.h"

#include "core/base/prng.h"
#include "core/engine/snapshot.h"
#include "core/engine/viewmap.h"
#include "core/step/step-memory.h"

#include <string.h>

#define N_KEYS 2
#define MAX_ACTS 3
#define MAX_WORKERS 3
#define ABSENT 0 /* no value that is stored */

typedef enum {
  NOTHING,
  LOAD,
  STORE,
  DELETE,
  VIEW,     /* of viewmap */
  SNAPSHOT,
} ActKind;

typedef struct {
  ActKind kind;
  int64_t key;
  int64_t value;
} Act;

typedef struct {
  const char *engine;
  int64_t     preload[N_KEYS];
  guint       n_workers;
  Act         acts[MAX_WORKERS][MAX_ACTS];
} Plan;

/* An act done: the steps it took, and what it saw of the keys. */
typedef struct {
  const Act *act;
  guint32    call;
  guint32    ret;
  int64_t    seen[N_KEYS];
} Deed;

typedef struct {
  Plan         plan;
  const EngineClass *klass;
  MapEngine   *map;
  EngineThread alone;
  EngineThread threads[MAX_WORKERS];
  Deed         deeds[MAX_WORKERS][MAX_ACTS];
  int64_t      final[N_KEYS];
} Play;

/* Acting ------------------------------------------------------------------- */

static int64_t
load (Play         *self,
      EngineThread *thread,
      int64_t       key) {
  int64_t value;

  return self->klass->load (self->map, thread, key, &value) ? value : ABSENT;
}

static void
look_at_view (Play         *self,
              EngineThread *thread,
              Deed         *deed) {
  MapView *view = viewmap_open_view (self->map, thread);

  deed->ret = step_count () - 1;
  for (guint i = 0; i < 2 * N_KEYS; i++) {
    int64_t key = i % N_KEYS, value;

    if (!viewmap_load_in_view (view, thread, key, &value))
      value = ABSENT;
    if (i < N_KEYS)
      deed->seen[key] = value;
    else if (deed->seen[key] != value)
      step_fail (STEP_WRONG, "a view finds %d for key %d, and then %d",
                 (int)deed->seen[key], (int)key, (int)value);
  }
  viewmap_close_view (view, thread);
}

static void
walk_snapshot (Play         *self,
               EngineThread *thread,
               Deed         *deed) {
  EngineSnapshot *snapshot = engine_snapshot_begin (self->map, thread);

  deed->ret = step_count () - 1;
  for (guint key = 0; key < N_KEYS; key++)
    deed->seen[key] = ABSENT;
  while (engine_snapshot_next (snapshot))
    deed->seen[engine_snapshot_key (snapshot)]
        = engine_snapshot_value (snapshot);
  engine_snapshot_end (snapshot);
}

static void
work (void    *data,
      unsigned worker) {
  Play *self = data;
  EngineThread *thread = &self->threads[worker];

  for (guint i = 0; i < MAX_ACTS; i++) {
    const Act *act = &self->plan.acts[worker][i];
    Deed *deed = &self->deeds[worker][i];

    deed->act = act;
    if (act->kind == NOTHING)
      return;
    step_mark_next (&deed->call);
    switch (act->kind) {
    case NOTHING:
      return;
    case LOAD:
      deed->seen[act->key] = load (self, thread, act->key);
      break;
    case STORE:
      self->klass->store (self->map, thread, act->key, act->value);
      break;
    case DELETE:
      if (!self->klass->load_and_delete (self->map, thread, act->key,
                                         &deed->seen[act->key]))
        deed->seen[act->key] = ABSENT;
      break;
    case VIEW:
      look_at_view (self, thread, deed);
      continue;
    case SNAPSHOT:
      walk_snapshot (self, thread, deed);
      continue;
    }
    deed->ret = step_count () - 1;
  }
}

static void
begin (void *data) {
  Play *self = data;
  EngineConfig config = { .seed = 3 };

  self->map = engine_new (self->klass, &config);
  if (!engine_enter_thread (self->map, &self->alone, EVENT_THREAD_MAIN))
    step_fail (STEP_WRONG, "no memory");
  for (guint key = 0; key < N_KEYS; key++)
    if (self->plan.preload[key] != ABSENT)
      self->klass->store (self->map, &self->alone, key, self->plan.preload[key]);
  for (guint i = 0; i < self->plan.n_workers; i++)
    engine_enter_thread (self->map, &self->threads[i], (uint16_t)i);
}

static void
end (void *data) {
  Play *self = data;

  for (guint key = 0; key < N_KEYS; key++)
    self->final[key] = load (self, &self->alone, key);
  for (guint i = 0; i < self->plan.n_workers; i++)
    engine_leave_thread (&self->threads[i]);
  engine_leave_thread (&self->alone);
}

/* Judging ------------------------------------------------------------------ */

/* Whether @deed done now gives what it gave; @state becomes what it leaves. */
static gboolean
explains (const Deed *deed,
          int64_t    *state) {
  const Act *act = deed->act;

  switch (act->kind) {
  case NOTHING:
    return TRUE;
  case LOAD:
    return deed->seen[act->key] == state[act->key];
  case STORE:
    state[act->key] = act->value;
    return TRUE;
  case DELETE:
    if (deed->seen[act->key] != state[act->key])
      return FALSE;
    state[act->key] = ABSENT;
    return TRUE;
  case VIEW:
  case SNAPSHOT:
    return memcmp (deed->seen, state, sizeof deed->seen) == 0;
  }
  return FALSE;
}

static gboolean
can_be_ordered (const Deed   **deeds,
                guint          n,
                guint          done,
                const int64_t *state,
                const int64_t *final) {
  guint32 first_return = G_MAXUINT32;

  if (done == (1u << n) - 1)
    return memcmp (state, final, N_KEYS * sizeof *state) == 0;
  for (guint i = 0; i < n; i++)
    if (!(done & 1u << i))
      first_return = MIN (first_return, deeds[i]->ret);
  for (guint i = 0; i < n; i++) {
    int64_t after[N_KEYS];

    memcpy (after, state, sizeof after);
    if (!(done & 1u << i) && deeds[i]->call <= first_return
        && explains (deeds[i], after)
        && can_be_ordered (deeds, n, done | 1u << i, after, final))
      return TRUE;
  }
  return FALSE;
}

static const char *const act_names[]
    = { "nothing", "Load", "Store", "Delete", "view", "snapshot" };

static void
tell (const Deed   **deeds,
      guint          n,
      const int64_t *final,
      char          *why,
      size_t         why_bytes) {
  g_autoptr (GString) text = g_string_new ("no order explains");

  for (guint i = 0; i < n; i++) {
    const Act *act = deeds[i]->act;

    g_string_append_printf (text, " %s", act_names[act->kind]);
    if (act->kind == STORE)
      g_string_append_printf (text, "(%d, %d)", (int)act->key, (int)act->value);
    else if (act->kind == LOAD || act->kind == DELETE)
      g_string_append_printf (text, "(%d) = %d", (int)act->key,
                              (int)deeds[i]->seen[act->key]);
    else
      g_string_append_printf (text, " = {%d, %d}", (int)deeds[i]->seen[0],
                              (int)deeds[i]->seen[1]);
    g_string_append_printf (text, " [%u–%u]", deeds[i]->call, deeds[i]->ret);
  }
  g_string_append_printf (text, ", {%d, %d} at the end", (int)final[0],
                          (int)final[1]);
  g_strlcpy (why, text->str, why_bytes);
}

static void
report_cb (const char *text,
           void       *data) {
  char *first = data;

  if (*first == '\0')
    g_strlcpy (first, text, 200);
}

static bool
judge (void  *data,
       char  *why,
       size_t why_bytes) {
  Play *self = data;
  const Deed *deeds[MAX_WORKERS * MAX_ACTS];
  char broken[200] = "";
  guint n = 0;

  for (guint i = 0; i < self->plan.n_workers; i++)
    for (guint j = 0; j < MAX_ACTS; j++)
      if (self->plan.acts[i][j].kind != NOTHING)
        deeds[n++] = &self->deeds[i][j];
      else
        break;
  if (!can_be_ordered (deeds, n, 0, self->plan.preload, self->final)) {
    tell (deeds, n, self->final, why, why_bytes);
    return false;
  }
  if (self->klass->check (self->map, report_cb, broken) > 0) {
    g_snprintf (why, (gulong)why_bytes, "invariant %s", broken);
    return false;
  }
  engine_free (self->map);
  if (step_memory_held () != 0)
    g_snprintf (why, (gulong)why_bytes, "%" G_GSIZE_FORMAT
                " bytes are not given back", step_memory_held ());
  return step_memory_held () == 0;
}

/* Plans -------------------------------------------------------------------- */

static const struct {
  const char *name;
  Plan        plan;
} planned[] = {
  { "view | store, store",
    { "viewmap", { 10, 11 }, 2,
      { { { VIEW } }, { { STORE, 0, 20 }, { STORE, 1, 21 } } } } },
  { "load, view | store",
    { "viewmap", { 10, 11 }, 2,
      { { { LOAD, 0 }, { VIEW } }, { { STORE, 0, 20 } } } } },
  { "view | delete, store",
    { "viewmap", { 10, 11 }, 2,
      { { { VIEW } }, { { DELETE, 0 }, { STORE, 1, 21 } } } } },
  { "view | store, store the same",
    { "viewmap", { 10, ABSENT }, 2,
      { { { VIEW } }, { { STORE, 0, 20 }, { STORE, 0, 30 } } } } },
  { "view | store new, delete it",
    { "viewmap", { 10, ABSENT }, 2,
      { { { VIEW } }, { { STORE, 1, 21 }, { DELETE, 1 } } } } },
  { "view, view | store",
    { "viewmap", { 10, 11 }, 2,
      { { { VIEW }, { VIEW } }, { { STORE, 0, 20 } } } } },
  { "view | view | store",
    { "viewmap", { 10, 11 }, 3,
      { { { VIEW } }, { { VIEW } }, { { STORE, 0, 20 } } } } },
  { "snapshot | store, delete",
    { "viewmap", { 10, 11 }, 2,
      { { { SNAPSHOT } }, { { STORE, 0, 20 }, { DELETE, 1 } } } } },
  { "load, view | store | store",
    { "viewmap", { 10, 11 }, 3,
      { { { LOAD, 0 }, { VIEW } },
        { { STORE, 0, 20 } },
        { { STORE, 0, 30 } } } } },
  { "mutexmap: snapshot | store, delete",
    { "mutexmap", { 10, 11 }, 2,
      { { { SNAPSHOT } }, { { STORE, 0, 20 }, { DELETE, 1 } } } } },
  { "rwmap: snapshot | store, delete",
    { "rwmap", { 10, 11 }, 2,
      { { { SNAPSHOT } }, { { STORE, 0, 20 }, { DELETE, 1 } } } } },
};

static void
draw_plan (Plan *plan,
           Prng *prng) {
  static const ActKind kinds[]
      = { LOAD, STORE, STORE, STORE, DELETE, VIEW, VIEW, SNAPSHOT };

  memset (plan, 0, sizeof *plan);
  plan->engine = "viewmap";
  plan->n_workers = 2;
  for (guint key = 0; key < N_KEYS; key++)
    plan->preload[key] = prng_below (prng, 3) != 0 ? 10 + (int64_t)key : ABSENT;
  for (guint i = 0; i < plan->n_workers; i++)
    for (guint j = 0; j < 2; j++)
      plan->acts[i][j] = (Act){
        .kind = kinds[prng_below (prng, G_N_ELEMENTS (kinds))],
        .key = (int64_t)prng_below (prng, N_KEYS),
        .value = 100 * ((int64_t)i + 1) + j,
      };
}

static void
play_init (Play        *self,
           StepProgram *program,
           const Plan  *plan) {
  memset (self, 0, sizeof *self);
  self->plan = *plan;
  self->klass = engine_class_find (plan->engine);
  *program = (StepProgram){
    .n_workers = plan->n_workers,
    .begin = begin,
    .work = work,
    .end = end,
    .judge = judge,
    .data = self,
  };
}

/* Tests -------------------------------------------------------------------- */

#define MAX_RUNS 10000

static gboolean
explore_plan (const char *name,
              const Plan *plan,
              guint64    *n_runs) {
  StepExplore how = { .search = STEP_SEARCH_REDUCED, .max_runs = MAX_RUNS };
  StepProgram program;
  StepFindings findings;
  Play self;

  play_init (&self, &program, plan);
  step_explore (&program, &how, &findings);
  if (findings.n_failures > 0)
    g_error ("%s: %s: %s, schedule %s", name,
             step_outcome_name (findings.outcome), findings.why,
             findings.schedule);
  *n_runs += findings.n_runs + findings.n_cut;
  return findings.is_complete;
}

static void
test_planned_are_clean (void) {
  for (guint i = 0; i < G_N_ELEMENTS (planned); i++) {
    guint64 n_runs = 0;
    gboolean is_complete
        = explore_plan (planned[i].name, &planned[i].plan, &n_runs);

    g_test_message ("%s: %" G_GUINT64_FORMAT " runs%s", planned[i].name, n_runs,
                    is_complete ? "" : ", stopped");
  }
}

#define N_RANDOM 20

static void
test_random_are_clean (void) {
  guint n_complete = 0;
  guint64 n_runs = 0;
  Prng prng;

  prng_init (&prng, 77);
  for (guint i = 0; i < N_RANDOM; i++) {
    Plan plan;

    draw_plan (&plan, &prng);
    n_complete += explore_plan ("a random plan", &plan, &n_runs);
  }
  g_test_message ("%" G_GUINT64_FORMAT " runs; %u of %u plans to their end",
                  n_runs, n_complete, N_RANDOM);
}

static gboolean
kill_with (guint       mutant,
           const char *name,
           const Plan *plan) {
  StepProgram program;
  Play self;

  play_init (&self, &program, plan);
  return kill_mutant (mutant, name, &program, MAX_RUNS);
}

static void
test_mutants_are_killed (void) {
  for (guint mutant = MUTANT_VIEW_SEES_NEWEST;
       mutant <= MUTANT_VERSION_REUSED_AT_ONCE; mutant++) {
    gboolean is_killed = FALSE;
    Prng prng;

    prng_init (&prng, 78);
    for (guint i = 0; i < G_N_ELEMENTS (planned) && !is_killed; i++)
      is_killed = kill_with (mutant, planned[i].name, &planned[i].plan);
    for (guint i = 0; i < 40 && !is_killed; i++) {
      Plan plan;

      draw_plan (&plan, &prng);
      is_killed = kill_with (mutant, "a random plan", &plan);
    }
    if (!is_killed) {
      g_test_message ("mutant %u survives", mutant);
      g_test_fail ();
    }
  }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/step/views/planned-are-clean", test_planned_are_clean);
  g_test_add_func ("/core/step/views/random-are-clean", test_random_are_clean);
  g_test_add_func ("/core/step/views/mutants-are-killed",
                   test_mutants_are_killed);
  return g_test_run ();
}
