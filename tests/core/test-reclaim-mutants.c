/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-reclaim-mutants.c — reclaim.c step by step, and with bugs made on purpose
 *
 * Idea        The records of several threads, driven by one: each order of
 *             sections, retirements and polls is a string, does the same every
 *             time, and is judged after each step against the promise itself.
 *             This file includes reclaim.c and reclaim-look.c, with the mutants
 *             in them, and puts itself in place of their lock and barrier, the
 *             two moments of a poll between which other threads matter.
 *
 * Sequence    A letter is a thread, the sign behind it what that thread does:
 *               (  enters a section           =  replaces the node that all can
 *               {  enters, and its store of      reach and retires the old one,
 *                  the slot is on its way        as a whole batch
 *               )  leaves                     .  polls until it has tried to free
 *               /  unregisters; the next      [  polls, and the steps up to ] are
 *                  step registers it again       done when it is about to take
 *                                                orphans; if it is not, afterwards
 *             What cannot be done (leaving when outside) is passed over, so that
 *             a sequence stays one when steps are taken out of it.
 *
 * On its way  A reader's plain store may sit in its processor's buffer while its
 *             later loads are done. Modelled: the slot is written only when the
 *             next barrier runs (or not at all, when the section ends before).
 *             For symmetric readers { is (: their store does not linger.
 *
 * Judged      S1  a section finds every node alive that could be reached at any
 *                 time since it was entered: freed nodes are poisoned
 *             S2  after a thread has tried, nothing is left of what it or nobody
 *                 owns that no open section was entered in time to see
 *             S3  when all have left and unregistered, nothing is held
 *
 * Mutants     Each is caught by a sequence written down below, and by a random
 *             one, which is made as short as it gets, printed and replayed. The
 *             right code passes the same sequences. Not here: weaker memory
 *             orders and R4's second load, which one thread cannot tell from
 *             right; test-reclaim.c's no-reader-is-overlooked duels for those.
 */
#define TOPHASH_MUTANTS
#include "core/base/mutant.h"
#include "core/base/prng.h"
#include "core/base/sync.h"

#include <glib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

unsigned mutant_on;

static void lock_and_hand_over (SyncMutex *mutex, const char *label);
static long run_modelled_barrier (long number, int command, ...);

#define sync_mutex_lock lock_and_hand_over
#define syscall run_modelled_barrier
#include "core/base/reclaim.c"
#include "core/base/reclaim-look.c"
#undef sync_mutex_lock
#undef syscall

enum { N_THREADS = 4, MAX_NEST = 3, MAX_NODES = 64, N_RANDOM = 20000 };

#define ALIVE 0x600d600d600d600dull
#define DEAD 0xdeaddeaddeaddeadull
#define NOBODY -1

typedef struct {
  guint64 state; /* ALIVE, DEAD once freed */
  guint   n_freed;
  int     owner; /* who is to free it, once retired */
} Node;

typedef struct {
  ReclaimThread *record; /* NULL: not registered */
  guint   nest;
  guint   first;      /* the node that could be reached when it entered */
  guint64 on_its_way; /* what its slot is to be; 0: nothing */
} Thread;

typedef struct {
  Reclaim *reclaim;
  Thread   threads[N_THREADS];
  Node     nodes[MAX_NODES];
  guint    current; /* the node that can be reached */
  int      poller;  /* who is inside a poll */

  const char *window; /* steps to be done at the next lock of the orphans */
  const char *step;   /* under way */
  const char *why;    /* what went wrong first; NULL: nothing */
  const char *where;
} Run;

static Run *running;

/* In place of the lock and the barrier ------------------------------------- */

static void do_steps (Run *run, const char *from, const char *to);

static void
lock_and_hand_over (SyncMutex  *mutex,
                    const char *label) {
  const char *window = running->window;

  if (window != NULL && strcmp (label, "lock orphans") == 0) {
    running->window = NULL;
    do_steps (running, window, strchr (window, ']'));
  }
  sync_mutex_lock (mutex, label);
}

G_GNUC_UNUSED static long
run_modelled_barrier (long number,
                      int  command,
                      ...) {
  for (guint i = 0; running != NULL && i < N_THREADS; i++) {
    Thread *thread = &running->threads[i];

    if (thread->on_its_way != 0)
      atomic_store (&thread->record->section.entered, thread->on_its_way);
    thread->on_its_way = 0;
  }
  return 0;
}

/* Judging ------------------------------------------------------------------ */

static void
fail (Run        *run,
      const char *why) {
  if (run->why != NULL)
    return;
  run->why = why;
  run->where = run->step;
}

static void
check_sections (Run *run) {
  for (guint i = 0; i < N_THREADS; i++)
    for (guint n = run->threads[i].first;
         run->threads[i].nest > 0 && n <= run->current; n++)
      if (run->nodes[n].state != ALIVE)
        fail (run, "a section holds a node that was freed");
}

/* Whether a section is open that was entered before @node was replaced. */
static gboolean
is_seen (const Run *run,
         guint      node) {
  for (guint i = 0; i < N_THREADS; i++)
    if (run->threads[i].nest > 0 && run->threads[i].first <= node)
      return TRUE;
  return FALSE;
}

/* After @owner has tried: it has taken the orphans, and freed what it can. */
static void
check_nothing_left (Run *run,
                    int  owner) {
  for (guint n = 0; n < run->current; n++) {
    Node *node = &run->nodes[n];

    if (node->owner == NOBODY)
      node->owner = owner;
    if (node->owner == owner && node->state == ALIVE && !is_seen (run, n))
      fail (run, "a node is kept that no section can hold");
  }
}

/* Steps -------------------------------------------------------------------- */

static void
poison_cb (void *memory,
           void *data) {
  Node *node = memory;

  node->state = DEAD;
  if (++node->n_freed > RECLAIM_BATCH_ITEMS)
    fail (data, "a node is freed twice");
}

static void
replace (Run *run,
         int  self) {
  Node *old = &run->nodes[run->current];

  if (run->current + 1 == MAX_NODES)
    return;
  old->owner = self;
  run->nodes[++run->current] = (Node){ .state = ALIVE };
  for (guint i = 0; i < RECLAIM_BATCH_ITEMS; i++)
    reclaim_retire (run->threads[self].record, old, 1, poison_cb, run);
}

static void
enter (Run     *run,
       Thread  *thread,
       gboolean is_on_its_way) {
  if (thread->nest == MAX_NEST)
    return;
  reclaim_enter (thread->record);
  if (thread->nest++ > 0)
    return;
  thread->first = run->current;
  if (!is_on_its_way || !reclaim_is_asymmetric (run->reclaim))
    return;
  thread->on_its_way = atomic_load (&thread->record->section.entered);
  atomic_store (&thread->record->section.entered, 0);
}

static void
leave (Thread *thread) {
  if (thread->nest == 0)
    return;
  reclaim_leave (thread->record);
  if (--thread->nest == 0)
    thread->on_its_way = 0;
}

/* Polls until the thread has tried once, if there is anything to try. */
static void
poll_once (Run *run,
           int  self) {
  int poller = run->poller;

  run->poller = self;
  for (guint i = 0; i <= POLLS_BETWEEN_TRIES; i++)
    reclaim_poll (run->threads[self].record);
  run->poller = poller;
  check_sections (run);
  check_nothing_left (run, self);
}

static void
unregister (Run *run,
            int  self) {
  Thread *thread = &run->threads[self];

  reclaim_unregister (thread->record);
  thread->record = NULL;
  check_nothing_left (run, self);
  for (guint n = 0; n < run->current; n++)
    if (run->nodes[n].owner == self)
      run->nodes[n].owner = NOBODY;
}

static void
do_step (Run        *run,
         int         self,
         const char *sign) {
  Thread *thread = &run->threads[self];

  run->window = *sign == '[' ? sign + 1 : NULL;
  if (thread->record == NULL)
    thread->record = reclaim_register (run->reclaim, self);
  g_assert_nonnull (thread->record);
  if (*sign == '(' || *sign == '{')
    enter (run, thread, *sign == '{');
  else if (*sign == ')')
    leave (thread);
  else if (*sign == '=')
    replace (run, self);
  else if (thread->nest == 0 && *sign == '/')
    unregister (run, self);
  else if (thread->nest == 0)
    poll_once (run, self);
}

static void
do_steps (Run        *run,
          const char *from,
          const char *to) {
  const char *end;

  for (const char *at = from; at < to; at = end) {
    int self = at[0] - 'a';

    g_assert_true (self >= 0 && self < N_THREADS);
    g_assert_true (strchr ("({)=./[", at[1]) != NULL);
    end = at + 2;
    if (self == run->poller)
      continue;
    run->step = at;
    do_step (run, self, &at[1]);
    check_sections (run);
    if (at[1] != '[')
      continue;
    end = strchr (at, ']') + 1;
    if (run->window != NULL)
      do_steps (run, at + 2, end - 1);
    run->window = NULL;
  }
}

/* Everybody leaves, then everybody unregisters. */
static void
settle (Run *run) {
  ReclaimStats stats;

  run->step = "";
  for (int i = 0; i < N_THREADS; i++)
    while (run->threads[i].nest > 0)
      leave (&run->threads[i]);
  for (int i = 0; i < N_THREADS; i++)
    if (run->threads[i].record != NULL)
      unregister (run, i);
  reclaim_get_stats (run->reclaim, &stats);
  for (guint n = 0; n < run->current; n++)
    if (run->nodes[n].n_freed != RECLAIM_BATCH_ITEMS)
      fail (run, "a node is not freed when all have left");
  if (stats.n_held != 0 || stats.bytes_held != 0)
    fail (run, "something is held when all have left");
}

/* What goes wrong in @sequence, and at which of its characters; NULL: nothing. */
static const char *
why_wrong (const char *sequence,
           gboolean    is_asymmetric,
           guint      *at) {
  g_autofree Run *run = g_new0 (Run, 1);

  running = run;
  run->poller = NOBODY;
  run->nodes[0].state = ALIVE;
  run->reclaim = reclaim_new_kind (1 << 20, is_asymmetric);
  g_assert_nonnull (run->reclaim);
  do_steps (run, sequence, sequence + strlen (sequence));
  settle (run);
  reclaim_free (run->reclaim);
  running = NULL;
  if (run->why != NULL && at != NULL)
    *at = *run->where == '\0' ? (guint)strlen (sequence)
                               : (guint)(run->where - sequence);
  return run->why;
}

/* Random sequences --------------------------------------------------------- */

static void
draw_steps (Prng    *prng,
            GString *sequence,
            guint    n) {
  for (guint i = 0; i < n; i++) {
    g_string_append_c (sequence, 'a' + prng_below (prng, N_THREADS));
    g_string_append_c (sequence, "(({))==../"[prng_below (prng, 10)]);
  }
}

static char *
draw_sequence (guint64 seed) {
  GString *sequence = g_string_new (NULL);
  Prng prng;

  prng_init (&prng, seed);
  for (guint n = 4 + prng_below (&prng, 8); n > 0; n--) {
    draw_steps (&prng, sequence, prng_below (&prng, 5));
    if (prng_below (&prng, 3) != 0)
      continue;
    g_string_append_c (sequence, 'a' + prng_below (&prng, N_THREADS));
    g_string_append_c (sequence, '[');
    draw_steps (&prng, sequence, prng_below (&prng, 5));
    g_string_append_c (sequence, ']');
  }
  return g_string_free (sequence, FALSE);
}

/* @sequence without the step at @at, which may be a poll with a window. */
static char *
without_step (const char *sequence,
              gsize       at) {
  const char *end = &sequence[at + 2];

  if (sequence[at + 1] == '[')
    end = strchr (end, ']') + 1;
  return g_strdup_printf ("%.*s%s", (int)at, sequence, end);
}

/* Takes steps out as long as it stays wrong. */
static char *
shorten (char    *sequence,
         gboolean is_asymmetric) {
  for (gsize at = 0; sequence[at] != '\0';) {
    char *shorter;

    if (sequence[at] == ']') {
      at++;
      continue;
    }
    shorter = without_step (sequence, at);
    if (why_wrong (shorter, is_asymmetric, NULL) != NULL) {
      g_free (sequence);
      sequence = shorter;
      at = 0;
    } else {
      g_free (shorter);
      at += 2;
    }
  }
  for (char *empty; (empty = strstr (sequence, "[]")) != NULL;) {
    *empty = '.';
    memmove (empty + 1, empty + 2, strlen (empty + 1));
  }
  return sequence;
}

/* Tests -------------------------------------------------------------------- */

typedef struct {
  Mutant      mutant;
  const char *name;
  const char *sequence;
  gboolean    is_of_barriers; /* symmetric readers do not meet it */
} Kill;

static const Kill kills[] = {
  { MUTANT_EPOCH_FREED_EARLY, "epoch-freed-early", "a(b=b.", FALSE },
  /* The section of a was entered after the batch was sealed. */
  { MUTANT_EPOCH_NOT_MOVED, "epoch-not-moved", "b=a(b.", FALSE },
  { MUTANT_INNER_LEAVE_ENDS, "inner-leave-ends", "a(a(a)b=b.", FALSE },
  { MUTANT_NOT_COVERED, "not-covered", "a{b=b.", TRUE },
  { MUTANT_EMPTY_SLOT_TRUSTED, "empty-slot-trusted", "a{b=b.", TRUE },
  /* Nobody is inside when b looks; then c enters, d leaves an orphan. */
  { MUTANT_LOOKED_BEFORE_ADOPTED, "looked-before-adopted",
    "a(d=d/a)b[c(d=d/]", FALSE },
  { MUTANT_ORPHANS_FREED, "orphans-freed", "a(b=b/c.", FALSE },
};

static gboolean
has_barriers (void) {
  Reclaim *reclaim = reclaim_new_kind (0, TRUE);
  gboolean is_asymmetric = reclaim_is_asymmetric (reclaim);

  reclaim_free (reclaim);
  return is_asymmetric;
}

static void
assert_right (const char *sequence,
              gboolean    is_asymmetric) {
  guint at = 0;
  const char *why;

  mutant_on = MUTANT_NONE;
  why = why_wrong (sequence, is_asymmetric, &at);
  if (why != NULL)
    g_error ("the reclaimer as it is: %s, at %u of %s", why, at, sequence);
}

/* Wrong with the mutant, twice and alike; right without it. */
static void
assert_caught (const Kill *kill,
               const char *sequence,
               gboolean    is_asymmetric) {
  guint at = 0, again = 1;
  const char *why;

  mutant_on = kill->mutant;
  why = why_wrong (sequence, is_asymmetric, &at);
  if (why == NULL)
    g_error ("%s is not caught by %s", kill->name, sequence);
  g_assert_cmpstr (why_wrong (sequence, is_asymmetric, &again), ==, why);
  g_assert_cmpuint (again, ==, at);
  g_test_message ("%s: %s, at %u of %s", kill->name, why, at, sequence);
  assert_right (sequence, is_asymmetric);
}

static char *
find_by_chance (const Kill *kill,
                gboolean    is_asymmetric) {
  mutant_on = kill->mutant;
  for (guint64 seed = 1; seed <= N_RANDOM; seed++) {
    g_autofree char *sequence = draw_sequence (seed);

    if (why_wrong (sequence, is_asymmetric, NULL) != NULL)
      return shorten (g_steal_pointer (&sequence), is_asymmetric);
  }
  g_error ("%s is caught by no random sequence", kill->name);
}

static void
test_a_mutant (gconstpointer data) {
  const Kill *kill = data;

  if (kill->is_of_barriers && !has_barriers ()) {
    g_test_skip ("readers that barriers bring to light are not built here");
    return;
  }
  for (gboolean is_asymmetric = kill->is_of_barriers; is_asymmetric <= TRUE;
       is_asymmetric++) {
    g_autofree char *found = NULL;

    assert_caught (kill, kill->sequence, is_asymmetric);
    found = find_by_chance (kill, is_asymmetric);
    assert_caught (kill, found, is_asymmetric);
  }
}

static void
test_random_sequences (gconstpointer is_asymmetric) {
  for (guint64 seed = 1; seed <= N_RANDOM; seed++) {
    g_autofree char *sequence = draw_sequence (seed);

    assert_right (sequence, GPOINTER_TO_INT (is_asymmetric));
  }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/core/reclaim-steps/symmetric", GINT_TO_POINTER (FALSE),
                        test_random_sequences);
  g_test_add_data_func ("/core/reclaim-steps/asymmetric", GINT_TO_POINTER (TRUE),
                        test_random_sequences);
  for (guint i = 0; i < G_N_ELEMENTS (kills); i++) {
    g_autofree char *path
        = g_strdup_printf ("/core/reclaim-steps/mutant/%s", kills[i].name);

    g_test_add_data_func (path, &kills[i], test_a_mutant);
  }
  return g_test_run ();
}
