/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-coroutine.c — switching between stacks in a few instructions
 *
 * Idea        A call may destroy all registers but those that the platform's
 *             convention keeps. To switch, push these, exchange the stack
 *             pointer, pop them from the other stack, return: what was a call
 *             on one stack returns on the other. A new stack is laid out as if
 *             it had switched away just before its body.
 *
 *             The kernel is not asked: ucontext would save the signal mask with
 *             a system call a switch, and an exploration switches some ten
 *             million times a second. Where there is no hand-written switch
 *             ucontext is what is left.
 *
 * Stack       STACK_BYTES, an unreachable page below. A run that is given up
 *             in the middle leaves its frames; they are overwritten by the next.
 *
 * Sanitizers  are told of each switch. The address sanitizer's marks of given-up
 *             frames are taken off before a stack is used again; the thread
 *             sanitizer, which would keep given-up calls for ever, gets a new
 *             fiber from time to time: making one costs more than a run.
 *
 * Limits      No shadow stacks (x86 CET in user space): nobody switches them.
 *             The rounding mode and the x87 control word are not exchanged:
 *             engines change neither.
 *
 * Source      System V ABI, AMD64 supplement, 3.2.1; Procedure Call Standard for
 *             the Arm 64-bit Architecture, 6.1.
 */
#include "core/step/step-coroutine.h"

#include "core/base/sanitized.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#if HAS_ASAN
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if HAS_TSAN
#include <sanitizer/tsan_interface.h>
/* Tens of calls a start, of the 65,536 that are kept. */
#define STARTS_A_FIBER 64
#endif

/* A page is 4096 bytes at least. Sanitizers make frames several times larger. */
#if HAS_ASAN || HAS_TSAN
#define STACK_BYTES ((size_t)256 << 10)
#else
#define STACK_BYTES ((size_t)64 << 10)
#endif

static void begin_body (StepCoroutine *self);

/* The switch --------------------------------------------------------------- */

/* void step_switch_stacks (void **save, void *load);
 * void step_first_frame (void); the return address of a new stack: calls the
 * function in the first kept register with the second as its argument. */

#if defined(__x86_64__) && !defined(__ILP32__)

void step_switch_stacks (void **save,
                         void  *load);
void step_first_frame   (void);

__asm__ (".text\n"
         ".p2align 4\n"
         ".globl step_switch_stacks\n"
         ".hidden step_switch_stacks\n"
         ".type step_switch_stacks, @function\n"
         "step_switch_stacks:\n"
         "  pushq %rbp\n"
         "  pushq %rbx\n"
         "  pushq %r12\n"
         "  pushq %r13\n"
         "  pushq %r14\n"
         "  pushq %r15\n"
         "  movq %rsp, (%rdi)\n"
         "  movq %rsi, %rsp\n"
         "  popq %r15\n"
         "  popq %r14\n"
         "  popq %r13\n"
         "  popq %r12\n"
         "  popq %rbx\n"
         "  popq %rbp\n"
         "  ret\n"
         ".size step_switch_stacks, . - step_switch_stacks\n"
         ".globl step_first_frame\n"
         ".hidden step_first_frame\n"
         ".type step_first_frame, @function\n"
         "step_first_frame:\n"
         "  movq %r12, %rdi\n"
         "  xorl %ebp, %ebp\n"
         "  callq *%rbx\n"
         "  ud2\n"
         ".size step_first_frame, . - step_first_frame\n");

#define N_KEPT 6
#define KEPT_FUNCTION 4 /* rbx */
#define KEPT_ARGUMENT 3 /* r12 */
#define N_FRAME 9       /* the kept, the return address, two to align */
#define FRAME_RETURN N_KEPT

#elif defined(__aarch64__)

void step_switch_stacks (void **save,
                         void  *load);
void step_first_frame   (void);

__asm__ (".text\n"
         ".p2align 4\n"
         ".globl step_switch_stacks\n"
         ".hidden step_switch_stacks\n"
         ".type step_switch_stacks, %function\n"
         "step_switch_stacks:\n"
         "  sub sp, sp, #160\n"
         "  stp x19, x20, [sp, #0]\n"
         "  stp x21, x22, [sp, #16]\n"
         "  stp x23, x24, [sp, #32]\n"
         "  stp x25, x26, [sp, #48]\n"
         "  stp x27, x28, [sp, #64]\n"
         "  stp x29, x30, [sp, #80]\n"
         "  stp d8, d9, [sp, #96]\n"
         "  stp d10, d11, [sp, #112]\n"
         "  stp d12, d13, [sp, #128]\n"
         "  stp d14, d15, [sp, #144]\n"
         "  mov x9, sp\n"
         "  str x9, [x0]\n"
         "  mov sp, x1\n"
         "  ldp x19, x20, [sp, #0]\n"
         "  ldp x21, x22, [sp, #16]\n"
         "  ldp x23, x24, [sp, #32]\n"
         "  ldp x25, x26, [sp, #48]\n"
         "  ldp x27, x28, [sp, #64]\n"
         "  ldp x29, x30, [sp, #80]\n"
         "  ldp d8, d9, [sp, #96]\n"
         "  ldp d10, d11, [sp, #112]\n"
         "  ldp d12, d13, [sp, #128]\n"
         "  ldp d14, d15, [sp, #144]\n"
         "  add sp, sp, #160\n"
         "  ret\n"
         ".size step_switch_stacks, . - step_switch_stacks\n"
         ".globl step_first_frame\n"
         ".hidden step_first_frame\n"
         ".type step_first_frame, %function\n"
         "step_first_frame:\n"
         "  mov x0, x20\n"
         "  mov x29, xzr\n"
         "  blr x19\n"
         "  brk #1\n"
         ".size step_first_frame, . - step_first_frame\n");

#define KEPT_FUNCTION 0 /* x19 */
#define KEPT_ARGUMENT 1 /* x20 */
#define N_FRAME 20
#define FRAME_RETURN 11 /* x30 */

#else
#define IS_UCONTEXT 1
#include <stdlib.h>
#include <ucontext.h>
#endif

#ifndef IS_UCONTEXT

static void
lay_out (StepCoroutine *self) {
  uintptr_t end = (uintptr_t)(self->stack + self->stack_bytes);
  void **frame = (void **)end - N_FRAME;

  frame[KEPT_FUNCTION] = (void *)(uintptr_t)begin_body;
  frame[KEPT_ARGUMENT] = self;
  frame[FRAME_RETURN] = (void *)(uintptr_t)step_first_frame;
  self->saved = frame;
}

static void
exchange (StepCoroutine *from,
          StepCoroutine *to) {
  step_switch_stacks (&from->saved, to->saved);
}

static bool
init_saved (StepCoroutine *self) {
  self->saved = NULL;
  return true;
}

static void
clear_saved (StepCoroutine *self) {
  self->saved = NULL;
}

#else

static void
begin_parted (unsigned low,
              unsigned high) {
  begin_body ((StepCoroutine *)((uintptr_t)low
                                | (uintptr_t)((uint64_t)high << 32)));
}

static void
lay_out (StepCoroutine *self) {
  ucontext_t *context = self->saved;
  uint64_t bits = (uintptr_t)self;

  getcontext (context);
  context->uc_stack.ss_sp = self->stack;
  context->uc_stack.ss_size = self->stack_bytes;
  context->uc_link = NULL;
  makecontext (context, (void (*) (void))begin_parted, 2, (unsigned)bits,
               (unsigned)(bits >> 32));
}

static void
exchange (StepCoroutine *from,
          StepCoroutine *to) {
  swapcontext (from->saved, to->saved);
}

static bool
init_saved (StepCoroutine *self) {
  self->saved = calloc (1, sizeof (ucontext_t));
  return self->saved != NULL;
}

static void
clear_saved (StepCoroutine *self) {
  free (self->saved);
  self->saved = NULL;
}

#endif

/* Sanitizers --------------------------------------------------------------- */

static void
tell_leaving (StepCoroutine *from,
              StepCoroutine *to) {
#if HAS_ASAN
  __sanitizer_start_switch_fiber (&from->fake_stack, to->stack,
                                  to->stack_bytes);
#endif
#if HAS_TSAN
  __tsan_switch_to_fiber (to->fiber, 0);
#endif
  (void)from;
  (void)to;
}

static void
tell_arrived (StepCoroutine *self) {
#if HAS_ASAN
  __sanitizer_finish_switch_fiber (self->fake_stack, NULL, NULL);
#endif
  (void)self;
}

static void
forget_frames (StepCoroutine *self) {
#if HAS_ASAN
  ASAN_UNPOISON_MEMORY_REGION (self->stack, self->stack_bytes);
  self->fake_stack = NULL;
#endif
#if HAS_TSAN
  if (self->n_starts++ % STARTS_A_FIBER == 0) {
    if (self->fiber != NULL)
      __tsan_destroy_fiber (self->fiber);
    self->fiber = __tsan_create_fiber (0);
  }
#endif
  (void)self;
}

#if HAS_ASAN

/* The bounds of the thread's own stack, which a switch back must name. */
static void
find_thread_stack (StepCoroutine *self) {
  pthread_attr_t attributes;
  void *stack = NULL;

  if (pthread_getattr_np (pthread_self (), &attributes) != 0)
    return;
  pthread_attr_getstack (&attributes, &stack, &self->stack_bytes);
  pthread_attr_destroy (&attributes);
  self->stack = stack;
}

#endif

/* Public ------------------------------------------------------------------- */

static void
begin_body (StepCoroutine *self) {
  tell_arrived (self);
  self->body (self->data);
  __builtin_trap ();
}

bool
step_coroutine_init (StepCoroutine *self) {
  size_t page = (size_t)sysconf (_SC_PAGESIZE);

  *self = (StepCoroutine){ .mapping_bytes = page + STACK_BYTES };
  self->mapping = mmap (NULL, self->mapping_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (self->mapping == MAP_FAILED) {
    self->mapping = NULL;
    return false;
  }
  mprotect (self->mapping, page, PROT_NONE);
  self->stack = self->mapping + page;
  self->stack_bytes = STACK_BYTES;
  return init_saved (self);
}

void
step_coroutine_init_thread (StepCoroutine *self) {
  *self = (StepCoroutine){ 0 };
  init_saved (self);
#if HAS_ASAN
  find_thread_stack (self);
#endif
#if HAS_TSAN
  self->fiber = __tsan_get_current_fiber ();
#endif
}

void
step_coroutine_clear (StepCoroutine *self) {
#if HAS_TSAN
  if (self->mapping != NULL && self->fiber != NULL)
    __tsan_destroy_fiber (self->fiber);
#endif
  clear_saved (self);
  if (self->mapping != NULL)
    munmap (self->mapping, self->mapping_bytes);
  *self = (StepCoroutine){ 0 };
}

void
step_coroutine_start (StepCoroutine *self,
                      StepBody       body,
                      void          *data) {
  forget_frames (self);
  self->body = body;
  self->data = data;
  lay_out (self);
}

void
step_coroutine_switch (StepCoroutine *from,
                       StepCoroutine *to) {
  tell_leaving (from, to);
  exchange (from, to);
  tell_arrived (from);
}
