/* SPDX-License-Identifier: GPL-3.0-or-later */

/* recorder.c — from the threads' rings to one ordered log
 *
 * Idea        One thread goes round: it looks into every ring, merges what may be
 *             merged straight from there into the log, gives the room back and
 *             naps. Events wait in their rings and nowhere else, so memory is
 *             bounded by the rings; a ring that fills makes its owner wait,
 *             which is counted and shown, and loses nothing.
 *
 *               lane 0  ring [ head e e e ]──┐
 *               lane 1  ring [ head e ]──────┼─ smallest stamp the gate admits ──► log
 *               lane 2  ring [ ]─────────────┘
 *
 * Merging     Among the lanes' heads, the one with the smallest stamp goes first.
 *             When the gate (merge-gate.c) does not admit it, its lane is parked
 *             until an event has passed the gate, since only that can change
 *             the answer. A lane runs on while its head is the smallest, so an
 *             uncontended thread costs no search.
 *
 * Lag         An event is merged when it is LAG_NS old: by then threads that run
 *             have published what is older, and events that need no gate are in
 *             the order of their stamps. A ring that is half full, and the end
 *             of the run, lift the lag. What still comes late (a thread that was
 *             off its core with unpublished events) is merged when it comes,
 *             and the log raises its time to its predecessor's: order is exact
 *             by version, times are for display.
 *
 * Late ones   The first event seen of an entry is admitted whatever its version.
 *             If it cannot be the entry's first change, it waits LATE_NS for an
 *             earlier one: the thread that made the entry may have been slower
 *             to tell.
 *
 * Naps        Between rounds the recorder sleeps until the fastest ring, at the
 *             rate seen last, has a quarter of it to show: seldom when little
 *             happens, and mostly before an owner has to wait.
 *
 * Dropping    A run may drop what it has no room for (ring.c). The first round that
 *             sees one gone says so before it merges anything, and relaxes the
 *             gate for good: what waited for one of them passes. All of the log
 *             from the first DROPPED on is in the order of times alone. Where a
 *             lane lacks events it tells a DROPPED of its own, so that nobody
 *             takes a begin and an end from either side for one operation's.
 *
 * No deadlock Every event not yet merged is in a ring or unpublished with its
 *             writer. Versions and program order point from causes to effects,
 *             so among these events one has no unmerged cause. It is not behind
 *             another event in its ring, for that one would be a cause by
 *             program order. So it is at the head of a ring, admitted, and
 *             merged in this round or when it is LAG_NS (LATE_NS) old; or it is
 *             unpublished. Then its writer is running, since threads publish
 *             before they wait for anything (probe.h, Waiting), and it publishes
 *             after at most 2 * PROBE_PUBLISH_BATCH units; or it waits for room
 *             in its ring, and then the event is behind others there, which
 *             would be causes. A full ring never waits for its own owner.
 *
 * Time        Stamps become nanoseconds since the first merged event's stamp. What
 *             was gated behind others, or came late, stands in the log behind
 *             events that are younger: its time is raised to theirs, and the
 *             begin and the end of an operation tell by how much. Whoever judges
 *             when operations were under way takes that off again.
 *
 * Invariants  M1  per lane, events are appended in the order they were told
 *             M2  per domain and entry, in the order of versions, if no event
 *                 was forced (recorder_finish() returns how many were)
 *             M3  a lane's stamp is the sum of its dt since EVENT_TIME
 *
 * Threads     lanes, gate, log's writer side: the recorder's thread, from
 *             recorder_start() to the join in recorder_finish()
 *             is_finishing: lock; is_full: atomic, see recorder_is_full()
 */
#include "core/base/rank.h"
#include "core/record/merge-gate-private.h"
#include "core/record/tracelog-private.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <time.h>

/* Measured: neighbours on one slot are seldom told more than 0.1 ms apart when
 * no thread is off its core. */
#define LAG_NS 2000000
/* Free choice: far longer than a thread that has not published is kept off its
 * core on a machine with more to do than it has cores (20 ms were seen to be
 * too few). Meanwhile full rings make their owners wait. */
#define LATE_NS 1000000000
/* Free choices: a ring that is looked at when a quarter of it is new is given
 * back long before it is full; shorter naps than these cost more than they
 * bring, longer ones show. */
#define NAP_FILLS 0.25
#define SHORTEST_NAP_NS 20000
#define LONGEST_NAP_NS 1000000
/* Units taken from a ring before its owner is given the room. */
#define TAKE_UNITS 1024
#define MAX_RING_UNITS 32768u
#define MIN_RING_UNITS 256u

#define NO_STAMP G_MAXUINT64

typedef struct {
  Probe          *probe;  /* borrowed */
  guint16         thread;
  const RingUnit *run;    /* the units at hand … */
  gsize           n_run;
  const RingUnit *rest;   /* … and those after the ring's end */
  gsize           n_rest;
  gsize           n_taken; /* not yet given back */
  gsize           n_seen;  /* in the ring at the last look, less those given back */
  guint64         stamp;   /* of the head, or of the event before it */
  guint64         timed_stamp; /* the last one that was put in ns, which are … */
  gint64          timed_ns;
  const RingEvent   *head;    /* the next event; NULL: none is at hand */
  const RingPayload *payload; /* its own; or NULL */
  gsize           head_units;
  guint64         n_behind;   /* dropped before the head, since … */
  guint64         gap_stamp;  /* … the event of this stamp */
  guint64         n_marked;   /* of them, those whose place the log knows */
  guint64         n_told;     /* dropped, and counted by a DROPPED */
  guint64         n_dropped;  /* seen by the last round, as below */
  guint64         n_stalls;
  guint64         stalled_ns;
} Lane;

struct _Recorder {
  TraceLog       *log;
  MergeGate      *gate;
  GArray         *lanes; /* of Lane */
  guint64        *keys;  /* per lane: its head's stamp; NO_STAMP: none, parked */
  guint           n_parked;
  guint64         first_stamp; /* NO_STAMP until an event is merged */
  double          ns_per_stamp;
  guint64         last_turn;  /* stamp of the last round */
  guint64         late_stamp; /* heads before it wait for nobody any more */
  guint64         n_forced;
  gboolean        has_gaps;   /* and the log says so */
  _Atomic (int)   is_full;

  pthread_t       thread;
  gboolean        is_started;
  pthread_mutex_t lock;
  pthread_cond_t  wake;
  gboolean        is_finishing; /* guarded by lock */
};

gsize
recorder_ring_units (guint n_threads) {
  gsize n_units = MAX_RING_UNITS;

  while (n_units > MIN_RING_UNITS
         && (n_units + RING_STAGE) * MAX (n_threads, 1)
                >= (1u << (ENTRY_VERSION_BITS - 1)))
    n_units /= 2;
  return n_units;
}

/* Lanes -------------------------------------------------------------------- */

static Lane *
lane_at (Recorder *self,
         guint     i) {
  return &g_array_index (self->lanes, Lane, i);
}

static const RingUnit *
next_unit (Lane *lane) {
  if (lane->n_run == 0) {
    lane->run = lane->rest;
    lane->n_run = lane->n_rest;
    lane->n_rest = 0;
  }
  lane->n_run--;
  return lane->run++;
}

/* Makes the next event the head. Full stamps are taken on the way. */
static void
load_head (Lane *lane) {
  while (lane->n_run + lane->n_rest > 0) {
    const RingEvent *event = &next_unit (lane)->event;
    const RingPayload *payload = NULL;

    lane->head_units = 1;
    if (event->kind & EVENT_HAS_PAYLOAD) {
      payload = &next_unit (lane)->payload;
      lane->head_units = 2;
    }
    if (G_UNLIKELY (event->kind == (EVENT_TIME | EVENT_HAS_PAYLOAD))) {
      if (payload->b != lane->n_behind)
        lane->gap_stamp = lane->stamp;
      lane->n_behind = payload->b;
      lane->stamp = payload->a;
      lane->n_taken += lane->head_units;
      continue;
    }
    lane->stamp += event->dt;
    lane->head = event;
    lane->payload = payload;
    return;
  }
  lane->head = NULL;
}

/* The head, its time not set. */
static Event
decode_head (const Lane *lane) {
  Event event = event_from_ring (lane->head, lane->payload);

  event.thread = lane->thread;
  return event;
}

static void
give_back (Lane *lane) {
  if (lane->n_taken > 0)
    ring_take (&lane->probe->ring, lane->n_taken);
  lane->n_seen -= lane->n_taken;
  lane->n_taken = 0;
}

/* Looks what the owner has published since. *fill: the share of the ring that
 * is new. TRUE when the ring is half full. */
static gboolean
look (Lane   *lane,
      double *fill) {
  Ring *ring = &lane->probe->ring;
  gsize n_first, n_second, n_units;
  const RingUnit *first;

  give_back (lane);
  n_first = ring_peek (ring, &first, &n_second);
  n_units = n_first + n_second;
  lane->run = first;
  lane->n_run = n_first;
  lane->rest = ring->units;
  lane->n_rest = n_second;
  *fill = (double)(n_units - lane->n_seen) / (double)(ring->mask + 1);
  lane->n_seen = n_units;
  /* The head's units are still in the ring. */
  if (lane->head != NULL)
    for (gsize i = 0; i < lane->head_units; i++)
      next_unit (lane);
  else
    load_head (lane);
  return n_units > ring->mask / 2;
}

/* Merging ------------------------------------------------------------------ */

/* Rounded down. Late ones from before the first event are negative until the log
 * raises them, so that it knows by how much. */
static gint64
time_of (const Recorder *self,
         guint64         stamp) {
  gint64 since_first = (gint64)(stamp - self->first_stamp);

  return (gint64)floor ((double)since_first * self->ns_per_stamp);
}

static void
note_full (Recorder *self) {
  /* Relaxed: a wish to stop, nothing is read after it. */
  atomic_store_explicit (&self->is_full, TRUE, memory_order_relaxed);
}

/* Tells the log what the lane dropped between two stamps: those up to @n that no
 * DROPPED has counted yet. The log gives it the time of the event before. */
static void
tell_drop (Recorder *self,
           Lane     *lane,
           guint64   n,
           guint64   from,
           guint64   to) {
  Event event = { .kind = EVENT_DROPPED,
                  .thread = lane->thread,
                  .res = (guint32)MIN (n - MIN (n, lane->n_told), G_MAXUINT32),
                  .a = (guint64)MAX (time_of (self, from), 0),
                  .b = (guint64)MAX (time_of (self, to), 0) };

  lane->n_told = MAX (n, lane->n_told);
  if (!tracelog_append (self->log, &event))
    note_full (self);
}

/* The lane's head, which has passed the gate, becomes the log's next event. It is
 * put together where it stays: copied, it would be waited for. */
static inline void
append_head (Recorder *self,
             Lane     *lane) {
  Event *place;

  if (G_UNLIKELY (self->first_stamp == NO_STAMP))
    self->first_stamp = lane->stamp;
  if (G_UNLIKELY (lane->n_behind != lane->n_marked)) {
    lane->n_marked = lane->n_behind;
    tell_drop (self, lane, lane->n_behind, lane->gap_stamp, lane->stamp);
  }
  place = tracelog_place (self->log);
  if (lane->stamp != lane->timed_stamp) {
    lane->timed_stamp = lane->stamp;
    lane->timed_ns = time_of (self, lane->stamp);
  }
  event_from_ring_to (place, lane->head, lane->payload);
  place->thread = lane->thread;
  place->at_ns = lane->timed_ns;
  if (G_UNLIKELY (!tracelog_keep_place (self->log, place, lane->timed_ns)))
    note_full (self);
  lane->n_taken += lane->head_units;
  if (lane->n_taken >= TAKE_UNITS)
    give_back (lane);
  load_head (lane);
}

static void
set_key (Recorder *self,
         guint     i) {
  const Lane *lane = lane_at (self, i);

  self->keys[i] = lane->head != NULL ? lane->stamp : NO_STAMP;
}

static void
unpark_all (Recorder *self) {
  if (self->n_parked == 0)
    return;
  for (guint i = 0; i < self->lanes->len; i++)
    set_key (self, i);
  self->n_parked = 0;
}

/* The earliest stamp at hand; @otherwise: there is none. */
static guint64
first_head (Recorder *self,
            guint64   otherwise) {
  guint64 first = NO_STAMP;

  for (guint i = 0; i < self->lanes->len; i++)
    if (lane_at (self, i)->head != NULL)
      first = MIN (first, lane_at (self, i)->stamp);
  return first != NO_STAMP ? first : otherwise;
}

/* What was dropped since the last round. The first ever is told here, before
 * anything of this round, so that nothing from after a gap lies before all that is
 * said of gaps. */
static void
see_drops (Recorder *self,
           guint64   now) {
  for (guint i = 0; i < self->lanes->len; i++) {
    Lane *lane = lane_at (self, i);

    /* Acquire: pairs with drop_from_stage(), ring.c. */
    lane->n_dropped = atomic_load_explicit (&lane->probe->ring.n_dropped,
                                            memory_order_acquire);
    if (G_LIKELY (lane->n_dropped == 0) || self->has_gaps)
      continue;
    if (self->first_stamp == NO_STAMP)
      self->first_stamp = first_head (self, self->last_turn);
    tell_drop (self, lane, lane->n_dropped, self->last_turn, now);
    merge_gate_relax (self->gate);
    self->has_gaps = TRUE;
  }
}

/* All is merged: gaps that no event follows. */
static void
tell_last_drops (Recorder *self,
                 guint64   now) {
  for (guint i = 0; i < self->lanes->len; i++) {
    Lane *lane = lane_at (self, i);

    if (lane->n_dropped > lane->n_told)
      tell_drop (self, lane, lane->n_dropped, lane->stamp, now);
  }
}

/* The lane with the smallest key; *bound: the next smallest one. */
static guint
find_first (const Recorder *self,
            guint64        *bound) {
  guint64 smallest = NO_STAMP, second = NO_STAMP;
  guint best = 0;

  for (guint i = 0; i < self->lanes->len; i++) {
    guint64 key = self->keys[i];

    if (key < smallest) {
      second = smallest;
      smallest = key;
      best = i;
    } else if (key < second) {
      second = key;
    }
  }
  *bound = second;
  return best;
}

/* Lets the lane's head pass if it may. *opens: others may wait for it: it has a
 * gate, or is a reader that leaves, behind which a writer may wait. */
static inline gboolean
try_head (Recorder *self,
          Lane     *lane,
          gboolean *opens) {
  EventKind kind = (EventKind)(lane->head->kind & ~EVENT_HAS_PAYLOAD);
  EventGate gate = event_kind_gate (kind);
  Event event;

  *opens = gate != GATE_NONE || kind == EVENT_LOCK_READ_RELEASED;
  if (!*opens
      || (gate == GATE_ENTRY
          && merge_gate_try_known (self->gate, lane->head->res,
                                   lane->head->ver)))
    return TRUE;
  event = decode_head (lane);
  return merge_gate_try (self->gate, &event, lane->stamp < self->late_stamp,
                         &self->n_forced);
}

/* Runs one lane while it is first, up to @bound. Returns how many passed. */
static guint64
run_lane (Recorder *self,
          guint     i,
          guint64   bound) {
  Lane *lane = lane_at (self, i);
  guint64 n_passed = 0;

  while (lane->head != NULL && lane->stamp <= bound) {
    gboolean opens;

    if (!try_head (self, lane, &opens)) {
      self->keys[i] = NO_STAMP;
      self->n_parked++;
      return n_passed;
    }
    append_head (self, lane);
    n_passed++;
    if (opens && self->n_parked > 0) {
      unpark_all (self);
      return n_passed;
    }
  }
  set_key (self, i);
  return n_passed;
}

/* Merges what lies in the lanes up to the stamp @limit. */
static guint64
merge (Recorder *self,
       guint64   limit) {
  guint64 n_passed = 0;

  for (guint i = 0; i < self->lanes->len; i++)
    set_key (self, i);
  self->n_parked = 0;
  for (;;) {
    guint64 bound;
    guint i = find_first (self, &bound);

    if (self->lanes->len == 0 || self->keys[i] > limit
        || self->keys[i] == NO_STAMP)
      return n_passed;
    n_passed += run_lane (self, i, MIN (bound, limit));
  }
}

/* Appends the earliest head though the gate does not admit it. FALSE when no
 * lane has a head. */
static gboolean
force_first (Recorder *self) {
  Lane *first = NULL;
  Event event;

  for (guint i = 0; i < self->lanes->len; i++) {
    Lane *lane = lane_at (self, i);

    if (lane->head != NULL && (first == NULL || lane->stamp < first->stamp))
      first = lane;
  }
  if (first == NULL)
    return FALSE;
  event = decode_head (first);
  self->n_forced += 1 + (guint64)merge_gate_is_overdue (self->gate, &event);
  merge_gate_pass (self->gate, &event);
  append_head (self, first);
  return TRUE;
}

/* Rounds ------------------------------------------------------------------- */

static void
tell_stalls (Recorder *self) {
  guint64 n_dropped = 0;

  for (guint i = 0; i < self->lanes->len; i++) {
    Lane *lane = lane_at (self, i);
    Ring *ring = &lane->probe->ring;
    /* Relaxed: statistics; the owner alone writes them. */
    guint64 n_stalls
        = atomic_load_explicit (&ring->n_stalls, memory_order_relaxed);
    guint64 stalled_ns
        = atomic_load_explicit (&ring->stalled_ns, memory_order_relaxed);

    if (n_stalls != lane->n_stalls || stalled_ns != lane->stalled_ns)
      tracelog_add_waits (self->log, lane->thread, n_stalls - lane->n_stalls,
                          (gint64)(stalled_ns - lane->stalled_ns));
    lane->n_stalls = n_stalls;
    lane->stalled_ns = stalled_ns;
    n_dropped += lane->n_dropped;
  }
  tracelog_set_dropped (self->log, n_dropped);
}

/* Looks into every ring. *fill: the largest new share of one. TRUE when one is
 * half full. */
static gboolean
look_all (Recorder *self,
          double   *fill) {
  gboolean is_pressed = FALSE;

  *fill = 0;
  for (guint i = 0; i < self->lanes->len; i++) {
    double lane_fill;

    is_pressed |= look (lane_at (self, i), &lane_fill);
    *fill = MAX (*fill, lane_fill);
  }
  return is_pressed;
}

static void
give_back_all (Recorder *self) {
  for (guint i = 0; i < self->lanes->len; i++)
    give_back (lane_at (self, i));
}

/* One round. Returns how long to nap, 0 for not at all. */
static gint64
turn (Recorder *self) {
  guint64 now = clock_stamp ();
  guint64 lag = (guint64)(LAG_NS / self->ns_per_stamp);
  guint64 late = (guint64)(LATE_NS / self->ns_per_stamp);
  double elapsed_ns = (double)(now - self->last_turn) * self->ns_per_stamp;
  double fill, nap_ns;
  guint64 n_passed;
  gboolean is_pressed = look_all (self, &fill);

  see_drops (self, now);
  self->last_turn = now;
  self->late_stamp = now - MIN (late, now);
  n_passed = merge (self, is_pressed ? now : now - MIN (lag, now));
  give_back_all (self);
  tracelog_publish (self->log);
  tell_stalls (self);
  if (is_pressed && n_passed > 0)
    return 0;
  nap_ns = elapsed_ns * NAP_FILLS / MAX (fill, 1e-6);
  /* What this round took is part of the wait. */
  nap_ns -= (double)(clock_stamp () - now) * self->ns_per_stamp;
  return (gint64)CLAMP (nap_ns, SHORTEST_NAP_NS, LONGEST_NAP_NS);
}

/* All probes are silent: everything goes, by force in the end. */
static void
merge_rest (Recorder *self) {
  guint64 now = clock_stamp ();
  double fill;

  look_all (self, &fill);
  see_drops (self, now);
  self->late_stamp = 0;
  merge (self, NO_STAMP);
  self->late_stamp = NO_STAMP;
  do {
    merge (self, NO_STAMP);
  } while (force_first (self));
  tell_last_drops (self, now);
  give_back_all (self);
  tell_stalls (self);
  tracelog_finish (self->log, recorder_is_full (self));
}

/* Naps unless the run is finishing; returns whether it is. */
static gboolean
nap (Recorder *self,
     gint64    nap_ns) {
  struct timespec until;
  gboolean is_finishing;

  pthread_mutex_lock (&self->lock);
  if (nap_ns > 0 && !self->is_finishing) {
    clock_gettime (CLOCK_MONOTONIC, &until);
    until.tv_nsec += nap_ns;
    if (until.tv_nsec >= 1000000000) {
      until.tv_nsec -= 1000000000;
      until.tv_sec++;
    }
    pthread_cond_timedwait (&self->wake, &self->lock, &until);
  }
  is_finishing = self->is_finishing;
  pthread_mutex_unlock (&self->lock);
  return is_finishing;
}

static void *
record_thread (void *data) {
  Recorder *self = data;

#ifdef __linux__
  /* Naps as short as asked for: the usual slack is longer than some. */
  prctl (PR_SET_TIMERSLACK, 1, 0, 0, 0);
#endif
  rank_go_behind_window (false);
  while (!nap (self, turn (self)))
    continue;
  merge_rest (self);
  return NULL;
}

/* Life --------------------------------------------------------------------- */

Recorder *
recorder_new (TraceLog *log) {
  Recorder *self = g_new0 (Recorder, 1);
  pthread_condattr_t attributes;

  self->log = tracelog_ref (log);
  self->gate = merge_gate_new ();
  self->lanes = g_array_new (FALSE, TRUE, sizeof (Lane));
  self->first_stamp = NO_STAMP;
  /* Before anything is told, and so before what the first round finds dropped. */
  self->last_turn = clock_stamp ();
  pthread_mutex_init (&self->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->wake, &attributes);
  pthread_condattr_destroy (&attributes);
  return self;
}

void
recorder_add (Recorder *self,
              Probe    *probe,
              guint16   thread) {
  Lane lane = { .probe = probe, .thread = thread, .timed_stamp = NO_STAMP };

  g_return_if_fail (!self->is_started);
  g_array_append_val (self->lanes, lane);
}

void
recorder_start (Recorder *self) {
  int result;

  g_return_if_fail (!self->is_started);
  self->ns_per_stamp = 1.0 / clock_stamps_per_ns ();
  self->keys = g_new (guint64, MAX (self->lanes->len, 1));
  self->is_started = TRUE;
  result = pthread_create (&self->thread, NULL, record_thread, self);
  if (result != 0)
    g_error ("no thread for the recorder: %s", g_strerror (result));
}

guint64
recorder_finish (Recorder *self) {
  if (!self->is_started)
    return 0;
  pthread_mutex_lock (&self->lock);
  self->is_finishing = TRUE;
  pthread_cond_signal (&self->wake);
  pthread_mutex_unlock (&self->lock);
  pthread_join (self->thread, NULL);
  self->is_started = FALSE;
  return self->n_forced;
}

gboolean
recorder_is_full (Recorder *self) {
  /* Relaxed: pairs with append_head(); nothing else hangs on it. */
  return atomic_load_explicit (&self->is_full, memory_order_relaxed);
}

void
recorder_free (Recorder *self) {
  if (self == NULL)
    return;
  recorder_finish (self);
  pthread_cond_destroy (&self->wake);
  pthread_mutex_destroy (&self->lock);
  g_free (self->keys);
  g_array_unref (self->lanes);
  merge_gate_free (self->gate);
  tracelog_unref (self->log);
  g_free (self);
}
