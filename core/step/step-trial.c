/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-trial.c — a few operations on a map, as a program to step through
 *
 * Begin       A new map, the preload, and, if asked, a Range that promotes it.
 *             Every worker enters the map.
 *
 * Work        Operation by operation. An operation's interval goes from its
 *             first step to its last: nothing can be narrower, so the judge is
 *             as strict as can be.
 *
 * Settling    Bugs of sync.Map hide in dirty until it is promoted: a value that
 *             reached read alone is lost only then. So every key is read; then
 *             an absent key, once for every key that dirty can hold, which
 *             promotes it; then every key again. Both readings must agree.
 *             Afterwards the engine's own invariants are checked, and the map is
 *             freed: memory that is left is a leak.
 */
#include "core/step/step-trial-private.h"

#include "core/base/mutant.h"
#include "core/step/step-memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads MUTANT() of the engines; see core/base/mutant.h. */
_Thread_local unsigned step_mutant;

/* Operations --------------------------------------------------------------- */

static bool
visit_cb (int64_t key,
          int64_t value,
          void   *data) {
  StepResult *result = data;

  if (result->n_visited == STEP_MAX_KEYS)
    step_fail (STEP_WRONG, "Range visits more keys than there are");
  result->visited[result->n_visited++] = (StepPair){ key, value };
  return true;
}

/* Workers may meet in a map that is not safe for that; alone nobody meets. */
static void
take_error (StepTrial    *self,
            EngineThread *thread,
            const StepOp *op,
            StepResult   *result) {
  if (thread->error != ENGINE_ERROR_MISUSE || self->klass->is_thread_safe
      || thread == &self->alone)
    step_fail (STEP_WRONG, "%s: %s", op_kind_name (op->op),
               engine_error_text (thread));
  result->is_misused = true;
  result->misuse = thread->misuse;
  result->misuse_place = thread->misuse_place;
  thread->error = ENGINE_ERROR_NONE;
}

static void
call_engine (StepTrial    *self,
             EngineThread *thread,
             const StepOp *op,
             StepResult   *result) {
  const EngineClass *klass = self->klass;
  MapEngine *map = self->map;
  bool is_ok = true;

  switch (op->op) {
  case OP_LOAD:
    is_ok = klass->load (map, thread, op->key, &result->value);
    break;
  case OP_STORE:
    is_ok = klass->store (map, thread, op->key, op->value);
    break;
  case OP_LOAD_OR_STORE:
    is_ok = klass->load_or_store (map, thread, op->key, op->value,
                                  &result->value);
    break;
  case OP_LOAD_AND_DELETE:
    is_ok = klass->load_and_delete (map, thread, op->key, &result->value);
    break;
  case OP_DELETE:
    is_ok = klass->delete_key (map, thread, op->key);
    break;
  case OP_SWAP:
    is_ok = klass->swap (map, thread, op->key, op->value, &result->value);
    break;
  case OP_COMPARE_AND_SWAP:
    is_ok = klass->compare_and_swap (map, thread, op->key, op->old, op->value);
    break;
  case OP_COMPARE_AND_DELETE:
    is_ok = klass->compare_and_delete (map, thread, op->key, op->old);
    break;
  case OP_RANGE:
    is_ok = klass->range (map, thread, visit_cb, result);
    break;
  case OP_CLEAR:
    is_ok = klass->clear (map, thread);
    break;
  case OP_LEN:
    result->value = (int64_t)klass->len (map, thread);
    break;
  case OP_N_KINDS:
    break;
  }
  result->is_ok = is_ok;
  result->is_misused = false;
  if (thread->error != ENGINE_ERROR_NONE)
    take_error (self, thread, op, result);
  result->is_whole = true;
}

static void
do_alone (StepTrial *self,
          OpKind     kind,
          int64_t    key,
          int64_t    value) {
  StepOp op = { .op = kind, .key = key, .value = value };
  StepResult result;

  result.n_visited = 0;
  call_engine (self, &self->alone, &op, &result);
}

/* The program -------------------------------------------------------------- */

static void
begin (void *data) {
  StepTrial *self = data;
  const StepScenario *scenario = &self->scenario;
  EngineConfig config = { .hash = scenario->hash,
                          .seed = scenario->seed,
                          .is_shared = scenario->n_workers > 1 };

  step_mutant = scenario->mutant;
  for (unsigned i = 0; i < scenario->n_workers; i++)
    for (unsigned j = 0; j < scenario->n_ops[i]; j++) {
      self->results[i][j].is_whole = false;
      self->results[i][j].n_visited = 0;
    }
  self->n_broken = 0;
  self->map = engine_new (self->klass, &config);
  if (self->map == NULL
      || !engine_enter_thread (self->map, &self->alone, EVENT_THREAD_MAIN))
    step_fail (STEP_WRONG, "no memory");
  for (unsigned i = 0; i < scenario->n_preload; i++)
    do_alone (self, OP_STORE, scenario->preload[i].key,
              scenario->preload[i].value);
  if (scenario->is_promoted)
    do_alone (self, OP_RANGE, 0, 0);
  for (unsigned i = 0; i < scenario->n_workers; i++)
    if (!engine_enter_thread (self->map, &self->threads[i], (uint16_t)i))
      step_fail (STEP_WRONG, "no memory");
}

static void
work (void    *data,
      unsigned worker) {
  StepTrial *self = data;

  for (unsigned i = 0; i < self->scenario.n_ops[worker]; i++) {
    const StepOp *op = &self->scenario.ops[worker][i];
    StepResult *result = &self->results[worker][i];

    step_mark_next (&result->call);
    /* A map for one thread announces nothing: its operations are steps. */
    if (!self->klass->is_thread_safe && self->scenario.n_workers == 1)
      step_point (SYNC_WRITE, self->map, op_kind_name (op->op));
    call_engine (self, &self->threads[worker], op, result);
    result->ret = step_count () - 1;
  }
}

static void
read_all (StepTrial  *self,
          StepResult *results) {
  for (unsigned i = 0; i < self->n_keys; i++) {
    StepOp op = { .op = OP_LOAD, .key = self->keys[i] };

    results[i].value = 0;
    call_engine (self, &self->alone, &op, &results[i]);
  }
}

static int64_t
absent_key (const StepTrial *self) {
  int64_t highest = 0;

  for (unsigned i = 0; i < self->n_keys; i++)
    if (self->keys[i] > highest)
      highest = self->keys[i];
  return highest + 1;
}

static void
report_cb (const char *text,
           void       *data) {
  StepTrial *self = data;

  if (self->broken[0] == '\0')
    snprintf (self->broken, sizeof self->broken, "%s", text);
}

static void
end (void *data) {
  StepTrial *self = data;

  read_all (self, self->first);
  for (unsigned i = 0; i < self->n_keys; i++)
    do_alone (self, OP_LOAD, absent_key (self), 0);
  read_all (self, self->final);
  for (unsigned i = 0; i < self->scenario.n_workers; i++)
    engine_leave_thread (&self->threads[i]);
  engine_leave_thread (&self->alone);
}

static bool
judge (void  *data,
       char  *why,
       size_t why_bytes) {
  StepTrial *self = data;

  if (!step_judge (self, why, why_bytes))
    return false;
  self->broken[0] = '\0';
  self->n_broken = self->klass->check (self->map, report_cb, self);
  if (self->n_broken > 0) {
    snprintf (why, why_bytes, "invariant %s", self->broken);
    return false;
  }
  engine_free (self->map);
  if (step_memory_held () != 0) {
    snprintf (why, why_bytes, "%zu bytes are not given back",
              step_memory_held ());
    return false;
  }
  return true;
}

/* Life --------------------------------------------------------------------- */

static bool
add_key (StepTrial *self,
         int64_t    key) {
  for (unsigned i = 0; i < self->n_keys; i++)
    if (self->keys[i] == key)
      return true;
  if (self->n_keys == STEP_MAX_KEYS)
    return false;
  self->keys[self->n_keys++] = key;
  return true;
}

static bool
names_key (OpKind op) {
  return op != OP_RANGE && op != OP_CLEAR && op != OP_LEN;
}

static bool
collect_keys (StepTrial *self) {
  const StepScenario *scenario = &self->scenario;
  bool is_ok = true;

  for (unsigned i = 0; i < scenario->n_preload; i++)
    is_ok = is_ok && add_key (self, scenario->preload[i].key);
  for (unsigned i = 0; i < scenario->n_workers; i++)
    for (unsigned j = 0; j < scenario->n_ops[i]; j++)
      if (names_key (scenario->ops[i][j].op))
        is_ok = is_ok && add_key (self, scenario->ops[i][j].key);
  return is_ok;
}

StepTrial *
step_trial_new (const StepScenario *scenario) {
  StepTrial *self = calloc (1, sizeof *self);

  if (self == NULL)
    return NULL;
  self->scenario = *scenario;
  self->klass = engine_class_find (scenario->engine);
  self->program = (StepProgram){
    .n_workers = scenario->n_workers,
    .begin = begin,
    .work = work,
    .end = end,
    .judge = judge,
    .data = self,
  };
  if (self->klass == NULL || !collect_keys (self)) {
    free (self);
    return NULL;
  }
  return self;
}

void
step_trial_free (StepTrial *self) {
  free (self);
}

const StepProgram *
step_trial_program (StepTrial *self) {
  return &self->program;
}

const StepScenario *
step_trial_scenario (const StepTrial *self) {
  return &self->scenario;
}

const StepResult *
step_trial_result (const StepTrial *self,
                   unsigned         worker,
                   unsigned         op) {
  return &self->results[worker][op];
}

unsigned
step_trial_n_keys (const StepTrial *self) {
  return self->n_keys;
}

int64_t
step_trial_key (const StepTrial *self,
                unsigned         nth) {
  return self->keys[nth];
}

const StepResult *
step_trial_final (const StepTrial *self,
                  unsigned         nth) {
  return &self->final[nth];
}

const char *
step_engine_name (unsigned nth) {
  const EngineClass *const *classes = engine_classes ();

  for (unsigned i = 0; i < nth && *classes != NULL; i++)
    classes++;
  return *classes != NULL ? (*classes)->name : NULL;
}

/* Texts -------------------------------------------------------------------- */

typedef struct {
  char  *text;
  size_t n_bytes;
  size_t n;
} Line;

__attribute__ ((format (printf, 2, 3))) static void
add (Line       *line,
     const char *format,
     ...) {
  va_list args;
  size_t room = line->n < line->n_bytes ? line->n_bytes - line->n : 0;
  int n;

  va_start (args, format);
  n = vsnprintf (room > 0 ? line->text + line->n : NULL, room, format, args);
  va_end (args);
  if (n > 0)
    line->n += (size_t)n;
}

static void
add_found (Line             *line,
           const StepResult *result) {
  if (!result->is_whole)
    return;
  if (result->is_ok)
    add (line, " = %" PRId64, result->value);
  else
    add (line, " = absent");
}

static void
add_truth (Line             *line,
           const StepResult *result) {
  if (result->is_whole)
    add (line, " = %s", result->is_ok ? "true" : "false");
}

static void
add_visited (Line             *line,
             const StepResult *result) {
  if (!result->is_whole)
    return;
  add (line, " = {");
  for (unsigned i = 0; i < result->n_visited; i++)
    add (line, "%s%" PRId64 ": %" PRId64, i == 0 ? "" : ", ",
         result->visited[i].key, result->visited[i].value);
  add (line, "}");
}

/* Go's program ends there. */
static void
add_misuse (Line             *line,
            const StepResult *result) {
  static const char *const places[] = { "entry", "exit", "step" };

  if (result->is_whole && result->is_misused)
    add (line, " ! %s (%s)", misuse_kind_text (result->misuse),
         places[result->misuse_place]);
}

/* What it returned. */
static void
add_call (Line             *line,
          const StepOp     *op,
          const StepResult *result) {
  switch (op->op) {
  case OP_LOAD:
    add (line, "Load(%" PRId64 ")", op->key);
    add_found (line, result);
    break;
  case OP_STORE:
    add (line, "Store(%" PRId64 ", %" PRId64 ")", op->key, op->value);
    break;
  case OP_LOAD_OR_STORE:
    add (line, "LoadOrStore(%" PRId64 ", %" PRId64 ")", op->key, op->value);
    if (result->is_whole)
      add (line, " = %s %" PRId64, result->is_ok ? "loaded" : "stored",
           result->value);
    break;
  case OP_LOAD_AND_DELETE:
    add (line, "LoadAndDelete(%" PRId64 ")", op->key);
    add_found (line, result);
    break;
  case OP_DELETE:
    add (line, "Delete(%" PRId64 ")", op->key);
    add_truth (line, result);
    break;
  case OP_SWAP:
    add (line, "Swap(%" PRId64 ", %" PRId64 ")", op->key, op->value);
    add_found (line, result);
    break;
  case OP_COMPARE_AND_SWAP:
    add (line, "CompareAndSwap(%" PRId64 ", %" PRId64 ", %" PRId64 ")", op->key,
         op->old, op->value);
    add_truth (line, result);
    break;
  case OP_COMPARE_AND_DELETE:
    add (line, "CompareAndDelete(%" PRId64 ", %" PRId64 ")", op->key, op->old);
    add_truth (line, result);
    break;
  case OP_RANGE:
    add (line, "Range()");
    add_visited (line, result);
    break;
  case OP_CLEAR:
    add (line, "Clear()");
    break;
  case OP_LEN:
    add (line, "Len()");
    if (result->is_whole)
      add (line, " = %" PRId64, result->value);
    break;
  case OP_N_KINDS:
    break;
  }
}

static void
add_op (Line             *line,
        const StepOp     *op,
        const StepResult *result) {
  StepResult told = *result;

  told.is_whole = result->is_whole && !result->is_misused;
  add_call (line, op, &told);
  add_misuse (line, result);
}

size_t
step_op_text (const StepOp     *op,
              const StepResult *result,
              char             *text,
              size_t            text_bytes) {
  Line line = { text, text_bytes, 0 };

  add_op (&line, op, result);
  return line.n;
}

size_t
step_trial_outcome (const StepTrial *self,
                    char            *text,
                    size_t           text_bytes) {
  Line line = { text, text_bytes, 0 };

  for (unsigned i = 0; i < self->scenario.n_workers; i++) {
    add (&line, "%s%u:", i == 0 ? "" : " | ", i);
    for (unsigned j = 0; j < self->scenario.n_ops[i]; j++) {
      add (&line, " ");
      add_op (&line, &self->scenario.ops[i][j], &self->results[i][j]);
    }
  }
  for (unsigned i = 0; i < self->n_keys; i++) {
    add (&line, "%s %" PRId64, i == 0 ? " |" : ",", self->keys[i]);
    add_found (&line, &self->final[i]);
  }
  return line.n;
}
