/* SPDX-License-Identifier: GPL-3.0-or-later */

/* long-turns.c — who kept the main loop, when a turn of it was long
 *
 * Idea        A timer is armed when a turn begins and disarmed when it ends. It
 *             signals the main thread after half of what a turn may take, and then
 *             every two milliseconds; the handler notes the return addresses on the
 *             stack. What was noted of turns that were not long is forgotten.
 *             Names are looked up at the end, by addr2line. When a turn began is told
 *             by the clock of `perf record -k CLOCK_MONOTONIC`, which finds it there.
 *
 * Held up     A guest's processor time runs on while the machine below it does
 *             something else and does not say so. The timer tells: a thread that runs
 *             code of its own is interrupted within a few microseconds of the time
 *             set. So processor time that passes between two signals beyond EVERY_NS
 *             was none of the program's, if no page was asked for meanwhile and the
 *             second signal did not wait for a system call to end, and if it ran
 *             on the core whose timer it is: another may be held up alone. (Time that the
 *             machine does own to have stolen, Linux does not count as worked.)
 *             With pages asked for, it is told apart as that: the kernel or the
 *             machine below looked for them, though it was the program that asked.
 *             Where the processor is not known, all counts as the program's.
 *
 * Slowed      Or it gives the guest a part of a processor, in pieces too short for
 *             that. So each sample does a known amount of work also, CANARY_ROUNDS,
 *             and what that takes, against the least that it took before the
 *             beginning, tells how slow the processor is just then. The median of a
 *             turn's samples, where there are CANARY_SAMPLES, is the turn's.
 *
 * Not proved  Or memory is slow for 50 to 150 ms: a program beside the window that
 *             touched 1,000 of its own pages, which takes 0.06 ms, took 20 to 60 ms for it
 *             in the very moments in which turns worked 10 to 40 ms, everywhere at once,
 *             without a fault of the guest and with arithmetic at full speed. Touching
 *             pages in the samples did not show it (a few of one's own, touched in
 *             order, or the page of zeros), so such turns count in full.
 *
 * Looking     takes time of the turn too: a stack is walked in 30 to 60 microseconds,
 *             and a turn that waited for a core for 400 ms is looked at 200 times. So
 *             the handler's own time is taken and is none of the turn's.
 *
 * Threads     all is the main thread's, the handler included.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/bench/long-turns.h"

#include "tests/bench/spent.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define MAX_FRAMES 64
#define MAX_SAMPLES 4096
#define FIRST_NS (LONG_TURN_US / 2 * 1000)
#define EVERY_NS (2 * 1000 * 1000)
/* A signal that comes later than this comes late. */
#define LATE_US 300
/* 15 microseconds on the machine at hand, of arithmetic in registers. */
#define CANARY_ROUNDS 10000
#define CANARY_SAMPLES 3
/* What is slower than this is not chance. */
#define SLOW 1.5
/* Frames of ours that are shown, innermost first. */
#define SHOWN_FRAMES 8
/* Long turns that are shown. */
#define SHOWN_TURNS 16

/* How much of the thread's work is over. */
typedef struct {
  WorkClock clock;
  gint64    looked_ns; /* thereof in the handler */
} Mark;

typedef struct {
  void    *frames[MAX_FRAMES];
  int      n_frames;
  Mark     mark;
  gint64   n_faults;  /* of the thread, since its beginning */
  gint64   canary_ns;
  gboolean is_untold; /* a call, or another core, may be why it came late */
} Sample;

typedef struct {
  Spent       spent;
  gint64      began_us;  /* CLOCK_MONOTONIC */
  Mark        began;
  gint64      stolen_us; /* of all cores */
  gint64      held_us;   /* held up by the machine */
  gint64      paged_us;  /* waited for pages, longer than EVERY_NS at a time */
  double      slowness;  /* 1: the processor was as fast as it can be */
  const char *name;
  guint       first; /* sample */
  guint       n;
} LongTurn;

static Sample      samples[MAX_SAMPLES];
static guint       n_samples;
static guint       n_kept; /* those of turns before this one */
static GArray     *long_turns;
static GArray     *worked;
static GArray     *waited;
static GArray     *own_work;
static GArray     *charged;
static Spent       began;
static gint64      began_stolen_us;
static gint64      canary_least_ns = G_MAXINT64;
static int         began_core; /* its timer is armed there */
static gint64      looking_ns; /* the handler's own time, of all turns */
static gint64      began_looking_ns;
static const char *current_name = "";
static timer_t     timer;

static gint64
now_ns (clockid_t clock) {
  struct timespec now;

  clock_gettime (clock, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* How long it takes, in processor time of the thread. */
static gint64
run_canary (void) {
  gint64 from_ns = now_ns (CLOCK_THREAD_CPUTIME_ID);
  volatile guint64 kept;
  guint64 x = (guint64)from_ns;

  for (guint i = 0; i < CANARY_ROUNDS; i++)
    x = x * G_GUINT64_CONSTANT (6364136223846793005) + 1;
  kept = x;
  (void)kept;
  return now_ns (CLOCK_THREAD_CPUTIME_ID) - from_ns;
}

static int
compare_times (gconstpointer a,
               gconstpointer b) {
  gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;

  return (left > right) - (left < right);
}

/* The instruction before the one to go on with, or, of a call that is begun again,
 * that one. */
static gboolean
is_after_call (const ucontext_t *context) {
#ifdef __x86_64__
  const guint8 *at = (const guint8 *)context->uc_mcontext.gregs[REG_RIP];

  return (at[-2] == 0x0f && at[-1] == 0x05) || (at[0] == 0x0f && at[1] == 0x05);
#else
  return TRUE;
#endif
}

static void
take_sample_cb (int        number,
                siginfo_t *info,
                void      *context) {
  gint64 from_ns = now_ns (CLOCK_THREAD_CPUTIME_ID);
  struct rusage usage;
  Sample *sample;

  if (n_samples == MAX_SAMPLES)
    return;
  getrusage (RUSAGE_THREAD, &usage);
  sample = &samples[n_samples++];
  sample->mark = (Mark){ work_clock_now (), looking_ns };
  sample->n_faults = usage.ru_minflt + usage.ru_majflt;
  sample->is_untold = is_after_call (context) || sched_getcpu () != began_core;
  sample->canary_ns = run_canary ();
  sample->n_frames = backtrace (sample->frames, MAX_FRAMES);
  looking_ns += now_ns (CLOCK_THREAD_CPUTIME_ID) - from_ns;
}

static void
arm (gboolean is_on) {
  struct itimerspec spec = { .it_value.tv_nsec = is_on ? FIRST_NS : 0,
                             .it_interval.tv_nsec = is_on ? EVERY_NS : 0 };

  timer_settime (timer, 0, &spec, NULL);
}

static gint64
worked_between_us (const Mark *from,
                   const Mark *to) {
  return (work_clock_between_ns (&from->clock, &to->clock)
          - (to->looked_ns - from->looked_ns)) / 1000;
}

/* What lies between two samples, or the turn's beginning and the first. */
static void
look_between (LongTurn     *turn,
              const Sample *sample,
              const Mark   *from,
              gint64        n_faults,
              gint64        most_us) {
  gint64 late_us = worked_between_us (from, &sample->mark) - most_us;

  if (late_us < LATE_US || sample->is_untold)
    return;
  if (sample->n_faults == n_faults)
    turn->held_us += late_us;
  else
    turn->paged_us += late_us;
}

static void
look_for_hold_ups (LongTurn *turn) {
  gint64 n_faults = began.n_faults, most_us = FIRST_NS / 1000;
  const Mark *from = &turn->began;

  for (guint i = turn->first; i < turn->first + turn->n; i++) {
    look_between (turn, &samples[i], from, n_faults, most_us);
    from = &samples[i].mark;
    n_faults = samples[i].n_faults;
    most_us = EVERY_NS / 1000;
  }
}

static void
look_at_canaries (LongTurn *turn) {
  gint64 took_ns[MAX_SAMPLES];

  turn->slowness = 1;
  if (turn->n < CANARY_SAMPLES)
    return;
  for (guint i = 0; i < turn->n; i++)
    took_ns[i] = samples[turn->first + i].canary_ns;
  qsort (took_ns, turn->n, sizeof *took_ns, compare_times);
  turn->slowness = (double)took_ns[turn->n / 2] / (double)canary_least_ns;
}

/* Without what can be proved to be the machine's. */
static gint64
own_us (const LongTurn *turn) {
  gint64 us = turn->spent.worked_us - turn->held_us;

  return turn->slowness > SLOW ? (gint64)((double)us / turn->slowness) : us;
}

gint64
long_turns_looking_us (void) {
  return looking_ns / 1000;
}

static void
end_turn (void) {
  LongTurn turn = { .name = current_name,
                    .began_us = began.wall_us,
                    .began = { began.clock, began_looking_ns },
                    .first = n_kept };
  gint64 own;

  arm (FALSE);
  turn.spent = spent_since (&began);
  turn.spent.worked_us -= (looking_ns - began_looking_ns) / 1000;
  turn.n = n_samples - n_kept;
  look_for_hold_ups (&turn);
  look_at_canaries (&turn);
  own = own_us (&turn);
  turn.spent.charged_us -= (looking_ns - began_looking_ns) / 1000;
  g_array_append_val (charged, turn.spent.charged_us);
  g_array_append_val (worked, turn.spent.worked_us);
  g_array_append_val (waited, turn.spent.wall_us);
  g_array_append_val (own_work, own);
  if (turn.spent.wall_us <= LONG_TURN_US) {
    n_samples = n_kept;
    return;
  }
  turn.stolen_us = spent_stolen_us () - began_stolen_us;
  n_kept = n_samples;
  g_array_append_val (long_turns, turn);
}

static gint
timed_poll (GPollFD *fds,
            guint    n_fds,
            gint     timeout) {
  gint result;

  if (began.wall_us != 0)
    end_turn ();
  result = g_poll (fds, n_fds, timeout);
  began_stolen_us = spent_stolen_us ();
  began = spent_now ();
  began_looking_ns = looking_ns;
  began_core = sched_getcpu ();
  arm (TRUE);
  return result;
}

void
long_turns_begin (void) {
  struct sigaction action = { .sa_sigaction = take_sample_cb,
                              .sa_flags = SA_RESTART | SA_SIGINFO };
  struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
                            .sigev_signo = SIGRTMIN };
  void *frames[2];

  event._sigev_un._tid = (int)syscall (SYS_gettid);
  backtrace (frames, G_N_ELEMENTS (frames)); /* loads the unwinder */
  for (guint i = 0; i < 64; i++)
    canary_least_ns = MIN (canary_least_ns, run_canary ());
  long_turns = g_array_new (FALSE, FALSE, sizeof (LongTurn));
  worked = g_array_new (FALSE, FALSE, sizeof (gint64));
  waited = g_array_new (FALSE, FALSE, sizeof (gint64));
  own_work = g_array_new (FALSE, FALSE, sizeof (gint64));
  charged = g_array_new (FALSE, FALSE, sizeof (gint64));
  sigaction (SIGRTMIN, &action, NULL);
  if (timer_create (CLOCK_MONOTONIC, &event, &timer) != 0)
    g_error ("timer_create failed");
  g_main_context_set_poll_func (NULL, timed_poll);
}

void
long_turns_end (void) {
  g_main_context_set_poll_func (NULL, g_poll);
  arm (FALSE);
  n_samples = n_kept;
}

void
long_turns_name (const char *name) {
  current_name = name;
}

GArray *
long_turns_worked (void) {
  return worked;
}

GArray *
long_turns_waited (void) {
  return waited;
}

GArray *
long_turns_own (void) {
  return own_work;
}

GArray *
long_turns_charged (void) {
  return charged;
}

/* The function of ours that @address lies in, with those inlined there, one a
 * line. (transfer full) */
static char *
look_up (const Dl_info *info,
         const char    *address) {
  g_autofree char *offset
      = g_strdup_printf ("%#tx", address - 1 - (const char *)info->dli_fbase);
  const char *argv[] = { "addr2line", "-f", "-i", "-s", "-e",
                         "/proc/self/exe", offset, NULL };
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GString) names = g_string_new (NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  argv[5] = self;
  if (!g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                     &text, NULL, NULL, NULL))
    return g_strdup (offset);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i += 2)
    g_string_append_printf (names, "%s%s", i == 0 ? "" : " < ", lines[i]);
  return g_string_free (g_steal_pointer (&names), FALSE);
}

/* Of ours by its functions, of a library by the symbol, or else by the library. */
static char *
name_new (const Dl_info *info,
          const char    *address,
          gboolean       is_ours) {
  if (is_ours)
    return look_up (info, address);
  if (info->dli_sname != NULL)
    return g_strdup (info->dli_sname);
  return g_path_get_basename (info->dli_fname);
}

static const char *
name_of (GHashTable *names,
         void       *address,
         gboolean   *is_ours) {
  Dl_info info = { .dli_fname = "?" }, here;
  char *name = g_hash_table_lookup (names, address);

  dladdr ((void *)(gintptr)name_of, &here);
  *is_ours = dladdr (address, &info) != 0 && info.dli_fbase == here.dli_fbase;
  if (name == NULL) {
    name = name_new (&info, address, *is_ours);
    g_hash_table_insert (names, address, name);
  }
  return name;
}

/* What GTK was about, where it is GTK that works. */
static gboolean
is_stage (const char *name) {
  static const char *const stages[]
      = { "gsk_renderer_render", "gdk_draw_context_end_frame", "gtk_widget_measure",
          "gtk_widget_allocate", "gtk_widget_snapshot_child",
          "gtk_css_node_validate", "gdk_surface_handle_event",
          "gdk_cairo_context_cairo_create", "gsk_render_node_draw",
          "gdk_draw_context_begin_frame" };

  return g_strv_contains (stages, name);
}

/* "seek < go_to < step < …": the innermost, GTK's nearest stage, then ours. */
static char *
describe (GHashTable   *names,
          const Sample *sample) {
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean has_stage = FALSE;
  guint n_shown = 0;

  /* The handler and what called it come first. */
  for (int i = 2; i < sample->n_frames && n_shown < SHOWN_FRAMES; i++) {
    gboolean is_ours;
    const char *name = name_of (names, sample->frames[i], &is_ours);
    gboolean is_new_stage = !has_stage && n_shown <= 1 && is_stage (name);

    if (i > 2 && !is_ours && !is_new_stage)
      continue;
    if (g_str_has_suffix (name, "main"))
      break;
    g_string_append_printf (text, "%s%s", text->len == 0 ? "" : " < ", name);
    has_stage |= is_new_stage;
    n_shown++;
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Each place once for as long as it was found, with the work since the place before. */
static void
print_samples_of (GHashTable     *names,
                  const LongTurn *turn) {
  const Mark *from = &turn->began;
  g_autofree char *text = NULL;

  for (guint s = turn->first; s < turn->first + turn->n; s++) {
    char *next = describe (names, &samples[s]);

    if (text != NULL && !g_str_equal (text, next)) {
      g_printerr ("    %+5.1f ms  %s\n",
                  (double)worked_between_us (from, &samples[s - 1].mark) / 1000, text);
      from = &samples[s - 1].mark;
    }
    g_free (text);
    text = next;
  }
  if (text != NULL)
    g_printerr ("    %+5.1f ms  %s\n",
                (double)worked_between_us (
                    from, &samples[turn->first + turn->n - 1].mark) / 1000,
                text);
}

/* What worked longest comes first. */
static gint
compare_work (gconstpointer a,
              gconstpointer b) {
  const LongTurn *left = a, *right = b;

  return (left->spent.worked_us < right->spent.worked_us)
         - (left->spent.worked_us > right->spent.worked_us);
}

void
long_turns_print (void) {
  g_autoptr (GHashTable) names
      = g_hash_table_new_full (NULL, NULL, NULL, g_free);

  g_array_sort (long_turns, compare_work);
  for (guint i = 0; i < MIN (long_turns->len, SHOWN_TURNS); i++) {
    const LongTurn *turn = &g_array_index (long_turns, LongTurn, i);

    g_printerr ("at %.6f s%s%s: ", (double)turn->began_us / 1e6,
                *turn->name != '\0' ? ", after " : "", turn->name);
    spent_print (&turn->spent);
    g_printerr ("    held up %.1f ms, paged %.1f ms, stolen %.0f ms, slowed %.2f "
                "times\n",
                (double)turn->held_us / 1000, (double)turn->paged_us / 1000,
                (double)turn->stolen_us / 1000, turn->slowness);
    print_samples_of (names, turn);
  }
  if (long_turns->len > SHOWN_TURNS)
    g_printerr ("and %u more that worked less\n", long_turns->len - SHOWN_TURNS);
}
