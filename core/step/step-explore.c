/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-explore.c — all the orders in which a few workers can go
 *
 * Idea        A depth-first walk of the tree of choices. Nothing is ever undone:
 *             to try another choice the program is run again from its beginning
 *             up to there. That costs less than saving states would, and works
 *             for whatever the engine does.
 *
 * Terms       node       the place before a step: who can go, who was tried
 *             todo       workers to be tried at a node
 *             done       workers whose subtree is finished
 *             asleep     workers that need not go now: whatever follows was seen
 *                        in a subtree where they went earlier
 *             race       two steps of different workers that touch the same
 *                        memory, one of them writing, with nothing between that
 *                        orders them
 *
 * Reduced     Schedules that differ only in the order of steps that touch
 *             different memory end alike; one of each class is enough (dynamic
 *             partial order reduction). At first each node tries one worker. When
 *             a step k races with an earlier step i, the other order must be seen
 *             too: what comes after i without being ordered behind it, then k.
 *             Somebody who can begin that is added to the todo of i's node, unless
 *             one of them is there already or sleeps there (source sets). To add
 *             k's worker whatever it has to do first is not enough: it may sleep
 *             there, because of a first step that is not what the reversal needs.
 *             Whether something orders two steps is told by vector clocks: a
 *             step's clock covers its worker's earlier steps and all earlier steps
 *             it depends on.
 *
 *             Locking and unlocking one lock cannot race: the locker cannot go
 *             before. What races is the two lockings, whatever lies between. A
 *             worker that is stuck at the end races with what it is about to do.
 *
 * Counts      The number of runs is that of the classes, each met once, which is
 *             a property of the program and of what it announces, not of the
 *             search: sleep sets alone come to the same number, by way of many
 *             runs cut. For four scenarios on a toy sync.Map of two keys it was
 *             14, 12, 9 and 214; here it is 12, 22, 27 and 173, with the same
 *             outcomes. Fewer, because a CAS that failed counts as a read; more,
 *             because real tables are retired and real entries come from a pool,
 *             and who ends a section last does the freeing.
 *
 * Sleep       After p's subtree at a node is done, p is asleep in the subtrees
 *             of the workers tried after it, until a step that depends on p's
 *             wakes it up. A node where all who can go are asleep is left: the
 *             run is cut. A sleeper's step is known in full: it was taken at the
 *             node where it fell asleep.
 *
 * Bounded     Every schedule in which at most `bound` times a worker is left
 *             that could have gone on. Not combined with the reduction, which is
 *             sound only if whatever it postpones may still come.
 *
 * Default     The worker that went last goes on if it can: the first run has the
 *             fewest switches.
 *
 * Source      C. Flanagan, P. Godefroid, Dynamic partial-order reduction for
 *             model checking software, 2005; P. Abdulla and others, Optimal
 *             dynamic partial order reduction, 2014 (source sets); P. Godefroid,
 *             Partial-Order Methods, 1996 (sleep sets); M. Musuvathi, S. Qadeer,
 *             Iterative context bounding, 2007.
 */
#include "core/step/step-explore.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  StepAccess *items;
  unsigned    n;
  unsigned    n_room;
} AccessList;

typedef struct {
  unsigned   enabled;
  unsigned   todo;
  unsigned   done;
  unsigned   asleep;
  int        last;          /* who went before; -1 */
  int        chosen;
  unsigned   n_preemptions; /* up to and with the chosen step */
  AccessList did[STEP_MAX_WORKERS];  /* what the tried did here */
  const AccessList *slept[STEP_MAX_WORKERS]; /* what the sleepers would do */
  unsigned   clock[STEP_MAX_WORKERS]; /* of the chosen step */
} Node;

/* What a step touched, blurred: a bit of 64 for each word. Two steps whose blurs
 * do not meet are independent, and most pairs are told apart by that. */
typedef struct {
  uint64_t touched;
  uint64_t written;
} Blur;

typedef struct {
  const StepExplore *how;
  StepFindings      *findings;
  unsigned n_workers;
  Node    *nodes; /* STEP_MAX_STEPS of them, made when first used */
  unsigned n_nodes;
  unsigned n_replayed; /* nodes whose choice is given */
  unsigned depth;
  unsigned clocks[STEP_MAX_WORKERS][STEP_MAX_WORKERS];
  bool     was_cut;
  Blur     blurs[STEP_MAX_STEPS]; /* of the steps of this run */
} Search;

/* Accesses ----------------------------------------------------------------- */

static bool
keep_accesses (AccessList       *list,
               const StepAccess *accesses,
               unsigned          n) {
  if (n > list->n_room) {
    StepAccess *items = realloc (list->items, n * sizeof *items);

    if (items == NULL)
      return false;
    list->items = items;
    list->n_room = n;
  }
  memcpy (list->items, accesses, n * sizeof *accesses);
  list->n = n;
  return true;
}

static bool
are_dependent (const StepAccess *one,
               unsigned          n_one,
               const StepAccess *other,
               unsigned          n_other) {
  for (unsigned i = 0; i < n_one; i++)
    for (unsigned j = 0; j < n_other; j++)
      if (step_access_is_dependent (&one[i], &other[j]))
        return true;
  return false;
}

/* A range, and a wait for anybody's write, may meet whatever there is. */
static Blur
blur (const StepAccess *accesses,
      unsigned          n) {
  Blur blur = { 0, 0 };

  for (unsigned i = 0; i < n; i++) {
    bool is_one = accesses[i].size_bytes <= 1
                  && accesses[i].kind != SYNC_SPIN;
    uint64_t bits = is_one ? (uint64_t)1 << (accesses[i].start >> 3 & 63)
                           : UINT64_MAX;

    blur.touched |= bits;
    if (accesses[i].kind != SYNC_READ)
      blur.written |= bits;
  }
  return blur;
}

static bool
may_depend (const Blur *one,
            const Blur *other) {
  return (one->written & other->touched) || (one->touched & other->written);
}

/* Whether one of the two steps could have gone where the other did. */
static bool
can_race (const StepAccess *one,
          const StepAccess *other) {
  bool is_lock = one->kind == SYNC_LOCK || other->kind == SYNC_LOCK;
  bool is_unlock = one->kind == SYNC_UNLOCK || other->kind == SYNC_UNLOCK;

  return !(is_lock && is_unlock && one->start == other->start);
}

/* Choosing ----------------------------------------------------------------- */

static unsigned
bit (int worker) {
  return 1u << worker;
}

/* The preferred one of @mask. */
static int
prefer (const Node *node,
        unsigned    mask) {
  return node->last >= 0 && (mask & bit (node->last)) ? node->last
                                                      : __builtin_ctz (mask);
}

static unsigned
preemptions_with (const Search *search,
                  unsigned      depth,
                  int           worker) {
  const Node *node = &search->nodes[depth];
  unsigned before
      = depth == 0 ? 0 : search->nodes[depth - 1].n_preemptions;

  return before
         + (node->last >= 0 && worker != node->last
            && (node->enabled & bit (node->last)));
}

/* Who may be tried at the newest node at all. */
static unsigned
todo_at (const Search *search,
         unsigned      depth) {
  const Node *node = &search->nodes[depth];
  unsigned todo = 0;

  switch (search->how->search) {
  case STEP_SEARCH_FULL:
  case STEP_SEARCH_SLEEP:
    return node->enabled;
  case STEP_SEARCH_REDUCED:
    return 0;
  case STEP_SEARCH_BOUNDED:
    for (unsigned i = 0; i < search->n_workers; i++)
      if ((node->enabled & 1u << i)
          && preemptions_with (search, depth, (int)i) <= search->how->bound)
        todo |= 1u << i;
    return todo;
  }
  return 0;
}

static bool
has_sleepers (const Search *search) {
  return search->how->search == STEP_SEARCH_SLEEP
         || search->how->search == STEP_SEARCH_REDUCED;
}

/* Who sleeps on after the chosen step of the node above. */
static void
pass_sleep_on (Search *search,
               Node   *node) {
  const Node *above = node - 1;
  const AccessList *step = &above->did[above->chosen];

  for (unsigned i = 0; i < search->n_workers; i++) {
    const AccessList *would = NULL;

    if ((int)i == above->chosen)
      continue;
    if (above->done & 1u << i)
      would = &above->did[i];
    else if (above->asleep & 1u << i)
      would = above->slept[i];
    if (would == NULL
        || are_dependent (would->items, would->n, step->items, step->n))
      continue;
    node->asleep |= 1u << i;
    node->slept[i] = would;
  }
}

static void
open_node (Search  *search,
           StepRun *run) {
  Node *node = &search->nodes[search->depth];

  node->enabled = step_run_enabled (run);
  node->last = step_run_last (run);
  node->done = 0;
  node->asleep = 0;
  node->chosen = -1;
  if (has_sleepers (search) && search->depth > 0)
    pass_sleep_on (search, node);
  node->todo = todo_at (search, search->depth);
  search->n_nodes = search->depth + 1;
}

static int
choose_cb (StepRun *run,
           void    *data) {
  Search *search = data;
  Node *node = &search->nodes[search->depth];

  if (search->depth >= search->n_replayed) {
    unsigned awake;

    open_node (search, run);
    awake = node->enabled & ~node->asleep;
    if (awake == 0) {
      search->was_cut = true;
      return -1;
    }
    node->chosen = prefer (node, node->todo != 0 ? node->todo & awake : awake);
    node->todo |= bit (node->chosen);
  }
  assert (node->enabled == step_run_enabled (run));
  node->n_preemptions = preemptions_with (search, search->depth, node->chosen);
  return node->chosen;
}

/* Races -------------------------------------------------------------------- */

/* A step under way, or pending, while the steps before it are looked at from the
 * last to the first. */
typedef struct {
  unsigned          n;      /* steps before it */
  unsigned          worker;
  const StepAccess *accesses;
  unsigned          n_accesses;
  Blur              blur;
  /* Entry q: one more than the number of q's last step that comes before it for
   * sure. In `ordered`, only by what lies between; in `freed`, not because it had
   * to wait for that step: one lock's holder does not order those who want it. */
  unsigned          ordered[STEP_MAX_WORKERS];
  unsigned          freed[STEP_MAX_WORKERS];
} Late;

static void
join (unsigned       *clock,
      const unsigned *other,
      unsigned        n_workers) {
  for (unsigned q = 0; q < n_workers; q++)
    if (other[q] > clock[q])
      clock[q] = other[q];
}

/* Who may begin, if what comes after step @i without being ordered behind it,
 * then @late, is to come first. */
static unsigned
initials (const Search     *search,
          const StepRecord *records,
          const Late       *late,
          unsigned          i) {
  unsigned by = records[i].worker, found = 0, begin = 0;
  unsigned first[STEP_MAX_WORKERS];

  for (unsigned j = i + 1; j < late->n; j++) {
    unsigned q = records[j].worker;

    if ((found & 1u << q) || search->nodes[j].clock[by] > i)
      continue;
    first[q] = j;
    found |= 1u << q;
  }
  if (!(found & 1u << late->worker))
    first[late->worker] = late->n;
  found |= 1u << late->worker;

  for (unsigned q = 0; q < search->n_workers; q++) {
    const unsigned *clock = (found & 1u << q) && first[q] < late->n
                                ? search->nodes[first[q]].clock : late->ordered;
    bool is_first = found & 1u << q;

    for (unsigned r = 0; r < search->n_workers && is_first; r++)
      is_first = r == q || !(found & 1u << r) || clock[r] <= first[r];
    begin |= (unsigned)is_first << q;
  }
  return begin;
}

/* The other order of step @i and @late must be seen. */
static void
reverse (Search           *search,
         const StepRecord *records,
         const Late       *late,
         unsigned          i) {
  Node *node = &search->nodes[i];
  unsigned begin = initials (search, records, late, i);

  if (begin & ((node->todo | node->asleep) & node->enabled))
    return;
  /* It may be that @late waited for step @i, in a way of its own. */
  if ((begin & 1u << late->worker & ~node->enabled)
      || (begin & node->enabled) == 0)
    node->todo |= node->enabled;
  else
    node->todo |= bit (__builtin_ctz (begin & node->enabled));
}

/* What comes before @earlier cannot race with @late. Not so when @late waits for a
 * lock: it may meet steps of the holder in another way, too, but to come before
 * them it must have the lock first. */
static bool
is_over (const StepAccess *earlier,
         const StepAccess *late) {
  if (late->kind == SYNC_LOCK)
    return earlier->kind == SYNC_LOCK && earlier->start == late->start;
  return late->kind != SYNC_TAKE && late->kind != SYNC_SPIN;
}

/* Finds the steps that @late races with. Leaves in late->ordered all that come
 * before it. */
static void
find_races (Search  *search,
            StepRun *run,
            Late    *late) {
  const StepRecord *records = step_run_records (run);

  late->blur = blur (late->accesses, late->n_accesses);
  memcpy (late->ordered, search->clocks[late->worker], sizeof late->ordered);
  memcpy (late->freed, late->ordered, sizeof late->freed);
  for (unsigned i = late->n; i-- > 0;) {
    const StepAccess *earlier;
    unsigned by = records[i].worker;

    if (late->freed[by] > i
        || !may_depend (&search->blurs[i], &late->blur))
      continue;
    earlier = step_run_accesses (run, &records[i]);
    if (!are_dependent (earlier, records[i].n_accesses, late->accesses,
                        late->n_accesses))
      continue;
    if (can_race (earlier, late->accesses)) {
      reverse (search, records, late, i);
      if (is_over (earlier, late->accesses))
        join (late->freed, search->nodes[i].clock, search->n_workers);
    }
    join (late->ordered, search->nodes[i].clock, search->n_workers);
  }
}

/* The last step: its races, and its worker's clock from now on. */
static void
end_step (Search           *search,
          const StepRecord *record,
          StepRun          *run) {
  unsigned *clock = search->clocks[record->worker];
  Late late = {
    .n = search->depth,
    .worker = record->worker,
    .accesses = step_run_accesses (run, record),
    .n_accesses = record->n_accesses,
  };

  find_races (search, run, &late);
  search->blurs[late.n] = late.blur;
  late.ordered[late.worker] = late.n + 1;
  memcpy (clock, late.ordered, sizeof late.ordered);
  memcpy (search->nodes[late.n].clock, clock, sizeof late.ordered);
}

static void
stepped_cb (StepRun *run,
            void    *data) {
  Search *search = data;
  Node *node = &search->nodes[search->depth];
  const StepRecord *record = &step_run_records (run)[search->depth];
  const StepAccess *accesses = step_run_accesses (run, record);
  bool is_new = search->depth + 1 >= search->n_replayed;

  if (is_new && has_sleepers (search)
      && !keep_accesses (&node->did[node->chosen], accesses,
                         record->n_accesses))
    search->findings->is_no_memory = true;
  /* What is replayed has the clocks that it had. */
  if (search->how->search == STEP_SEARCH_REDUCED && is_new)
    end_step (search, record, run);
  else if (search->how->search == STEP_SEARCH_REDUCED)
    memcpy (search->clocks[record->worker], node->clock, sizeof node->clock);
  search->depth++;
}

/* Workers that the end of the run left at a point. */
static void
find_pending_races (Search  *search,
                    StepRun *run) {
  for (unsigned i = 0; i < search->n_workers; i++) {
    const StepAccess *pending = step_run_pending (run, i, NULL);

    Late late = {
      .n = step_run_n_steps (run),
      .worker = i,
      .accesses = pending,
      .n_accesses = 1,
    };

    if (pending != NULL)
      find_races (search, run, &late);
  }
}

/* Walking ------------------------------------------------------------------ */

/* Finds the deepest node with something left to try; false: there is none. */
static bool
go_back (Search *search) {
  while (search->n_nodes > 0) {
    Node *node = &search->nodes[search->n_nodes - 1];
    unsigned left;

    if (node->chosen >= 0)
      node->done |= bit (node->chosen);
    left = node->todo & ~node->done & ~node->asleep;
    if (left != 0) {
      node->chosen = prefer (node, left);
      search->n_replayed = search->n_nodes;
      return true;
    }
    search->n_nodes--;
  }
  return false;
}

static void
note_run (Search  *search,
          StepRun *run) {
  StepFindings *findings = search->findings;
  StepOutcome outcome = step_run_outcome (run);
  unsigned n_steps = step_run_n_steps (run);

  findings->n_steps += n_steps;
  if (search->was_cut) {
    findings->n_cut++;
    return;
  }
  findings->n_runs++;
  if (n_steps > findings->max_steps)
    findings->max_steps = n_steps;
  if (outcome != STEP_FINISHED && findings->n_failures++ == 0) {
    findings->outcome = outcome;
    findings->failed_at = findings->n_runs;
    snprintf (findings->why, sizeof findings->why, "%s", step_run_why (run));
    memcpy (findings->schedule, step_run_schedule (run), n_steps + 1);
  }
  if (search->how->visit != NULL)
    search->how->visit (run, search->how->data);
}

static void
walk (Search  *search,
      StepRun *run) {
  const StepExplore *how = search->how;
  StepFindings *findings = search->findings;
  StepChooser chooser = { choose_cb, stepped_cb, search };

  do {
    search->depth = 0;
    search->was_cut = false;
    memset (search->clocks, 0, sizeof search->clocks);
    step_run_execute (run, &chooser);
    /* A step that ended the run is not told to stepped_cb() only if nobody was
     * asked; every step taken was. */
    if (how->search == STEP_SEARCH_REDUCED && !search->was_cut
        && step_run_outcome (run) != STEP_FINISHED)
      find_pending_races (search, run);
    note_run (search, run);
    if (findings->is_no_memory || (findings->n_failures > 0 && !how->goes_on)
        || (how->max_runs > 0
            && findings->n_runs + findings->n_cut >= how->max_runs)) {
      findings->is_complete = !findings->is_no_memory && !go_back (search);
      return;
    }
  } while (go_back (search));
  findings->is_complete = true;
}

void
step_explore (const StepProgram *program,
              const StepExplore *how,
              StepFindings      *findings) {
  Search search = { .how = how, .findings = findings };
  StepRun *run = step_run_new (program);

  memset (findings, 0, sizeof *findings);
  search.n_workers = program->n_workers;
  search.nodes = calloc (STEP_MAX_STEPS, sizeof *search.nodes);
  if (run != NULL && search.nodes != NULL)
    walk (&search, run);
  else
    findings->is_no_memory = true;

  for (unsigned i = 0; search.nodes != NULL && i < STEP_MAX_STEPS; i++)
    for (unsigned j = 0; j < STEP_MAX_WORKERS; j++)
      free (search.nodes[i].did[j].items);
  free (search.nodes);
  step_run_free (run);
}

bool
step_explore_simplest (const StepProgram *program,
                       unsigned           max_bound,
                       uint64_t           max_runs,
                       StepFindings      *findings) {
  for (unsigned bound = 0; bound <= max_bound; bound++) {
    StepExplore how = {
      .search = STEP_SEARCH_BOUNDED,
      .bound = bound,
      .max_runs = max_runs,
    };

    step_explore (program, &how, findings);
    if (findings->n_failures > 0)
      return true;
    if (findings->is_no_memory)
      break;
  }
  return false;
}
