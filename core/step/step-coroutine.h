/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-coroutine.h — a stack of its own for each worker of one OS thread
 *
 * Threads: a coroutine belongs to the OS thread that initialised it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct _StepCoroutine StepCoroutine;

/* Runs on the coroutine's stack and never returns: it ends by switching away
 * for good. */
typedef void (*StepBody) (void *data);

struct _StepCoroutine {
  void    *saved;       /* where the stack ended when it switched away */
  char    *stack;       /* NULL: the thread's own stack */
  size_t   stack_bytes;
  char    *mapping;     /* the guard page, then the stack */
  size_t   mapping_bytes;
  StepBody body;
  void    *data;
  void    *fake_stack;  /* the address sanitizer's */
  void    *fiber;       /* the thread sanitizer's */
  unsigned n_starts;
};

/* false: no memory. */
bool step_coroutine_init   (StepCoroutine *self);
void step_coroutine_clear  (StepCoroutine *self);

/* The coroutine that stands for the thread's own stack. */
void step_coroutine_init_thread (StepCoroutine *self);

/* The next switch to @self begins @body afresh; frames that it was in before
 * are forgotten, not unwound. */
void step_coroutine_start  (StepCoroutine *self,
                            StepBody       body,
                            void          *data);

/* Leaves @from, which is running, and goes on in @to. */
void step_coroutine_switch (StepCoroutine *from,
                            StepCoroutine *to);
