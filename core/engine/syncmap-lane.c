/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-lane.c — what a lane does once for many operations
 *
 * The design is told in syncmap-lane-inline.h.
 */
#include "core/engine/syncmap-lane-inline.h"

#include "core/engine/syncmap.h"

#include <assert.h>
#include <string.h>

_Static_assert (ENGINE_OUTCOMES == 4, "a kind's outcomes are added up by name");

/* A table without keys may have no buckets: its lane looks in this one. */
static const GoBucket empty_bucket;

/* What may pass before the next operation must be the class's. */
static uint32_t
operations_to_pass (const Probe *probe) {
  uint32_t n = LANE_OPS;

  if (probe == NULL)
    return n;
  /* The operation that finds a countdown of 1 is the span. */
  if (probe->span_countdown - 1 < n)
    n = probe->span_countdown - 1;
  if (probe->tells_brief)
    return n;
  /* And the one before may end a window of counts, or a stamp. */
  if (PROBE_STAMP_OPS - probe->n_uncounted % PROBE_STAMP_OPS < n)
    n = PROBE_STAMP_OPS - probe->n_uncounted % PROBE_STAMP_OPS;
  return n;
}

/* Counts for the tally, and for a probe that has not told them, the operations
 * done since the lane opened. */
static void
settle (SyncLane *lane) {
  Probe *probe = lane->probe;
  uint32_t n_all = 0;

  for (unsigned op = 0; op < LANE_N_OPS; op++) {
    uint32_t *n = lane->n_done[op];

    if ((n[0] | n[1] | n[2] | n[3]) == 0)
      continue;
    for (unsigned outcome = 0; outcome < ENGINE_OUTCOMES; outcome++)
      sync_count_add (&lane->thread->tally->n_ops[op][outcome], n[outcome]);
    n_all += n[0] + n[1] + n[2] + n[3];
    if (probe != NULL && lane->brief == NULL) {
      probe->counts[op].n += n[0] + n[1] + n[2] + n[3];
      probe->counts[op].n_ok += n[OP_PATH_OK] + n[OP_PATH_OK | OP_PATH_IN_READ];
      probe->counts[op].n_in_read
          += n[OP_PATH_IN_READ] + n[OP_PATH_OK | OP_PATH_IN_READ];
    }
    memset (n, 0, sizeof lane->n_done[op]);
  }
  if (n_all == 0 || probe == NULL)
    return;
  probe->span_countdown -= n_all;
  if (lane->brief != NULL)
    return;
  probe->n_uncounted += n_all;
  if (probe->n_uncounted % PROBE_STAMP_OPS == 0)
    probe_end_count (probe);
}

static const SyncTable *
lane_table (const SyncLane *lane) {
  return (const SyncTable *)(lane->bits & ~(uintptr_t)1);
}

/* Opens the section and looks which table read names. */
static void
enter (SyncLane *lane) {
  const GoMap *map;
  SyncRead read;

  reclaim_enter (lane->thread->reclaim);
  read = syncmap_read ((SyncMap *)lane->map);
  map = &read.table->map;
  lane->bits = (uintptr_t)read.table | read.amended;
  lane->block = &empty_bucket;
  lane->mask = 0;
  lane->factor = hash_good_factor (map->hash0);
  if (map->count != 0) {
    lane->block = map->buckets->block;
    lane->mask = map->buckets->n_main - 1;
  }
  if (__builtin_expect (map->oldbuckets != NULL, 0))
    syncmap_lane_shut (lane);
}

void
syncmap_lane_reopen (SyncLane *lane) {
  uint32_t n = operations_to_pass (lane->probe);

  if (lane->is_closed || lane->map->klass != &syncmap_class || n == 0
      || lane->map->config.hash.kind != HASH_GOOD)
    return;
  lane->n_left = n + 1;
  lane->brief
      = lane->probe != NULL && lane->probe->tells_brief ? lane->probe : NULL;
  enter (lane);
}

void
syncmap_lane_shut (SyncLane *lane) {
  if (lane->bits == 0)
    return;
  settle (lane);
  lane->bits = 0;
  lane->n_left = 1;
  reclaim_leave (lane->thread->reclaim);
}

void
syncmap_lane_start (SyncLane     *lane,
                    MapEngine    *map,
                    EngineThread *thread) {
  *lane = (SyncLane){ .map = map, .thread = thread, .probe = probe_current,
                       .n_left = 1 };
  syncmap_lane_reopen (lane);
}

Entry *
syncmap_lane_find_further (uintptr_t bits,
                           int64_t   key,
                           uint64_t  hash) {
  const SyncTable *table = (const SyncTable *)(bits & ~(uintptr_t)1);
  uint64_t elem = gomap_find_further (&table->map, key, hash);

  return elem != GOMAP_ABSENT ? syncmap_entry_of (elem) : NULL;
}

static bool
do_by_class (MapEngine    *map,
             EngineThread *thread,
             OpKind        op,
             int64_t       key,
             int64_t       value,
             int64_t       old,
             int64_t      *found) {
  const EngineClass *klass = map->klass;

  switch (op) {
  case OP_LOAD:
    return klass->load (map, thread, key, found);
  case OP_STORE:
    return klass->store (map, thread, key, value);
  case OP_LOAD_OR_STORE:
    return klass->load_or_store (map, thread, key, value, found);
  case OP_LOAD_AND_DELETE:
    return klass->load_and_delete (map, thread, key, found);
  case OP_DELETE:
    return klass->delete_key (map, thread, key);
  case OP_SWAP:
    return klass->swap (map, thread, key, value, found);
  case OP_COMPARE_AND_SWAP:
    return klass->compare_and_swap (map, thread, key, old, value);
  case OP_COMPARE_AND_DELETE:
    return klass->compare_and_delete (map, thread, key, old);
  case OP_RANGE:
  case OP_CLEAR:
  case OP_LEN:
  case OP_N_KINDS:
    break;
  }
  assert (!"an operation on a key");
  return false;
}

/* Before the class's turn. true: it is no turn, the lane is good for more, and
 * nobody listens who would have to be told first what was done. */
static bool
step_out (SyncLane *lane) {
  if (lane->bits != 0 && lane->probe == NULL && lane->n_left > 1) {
    reclaim_leave (lane->thread->reclaim);
    return true;
  }
  syncmap_lane_shut (lane);
  return false;
}

static void
step_in (SyncLane *lane,
         bool      is_good_for_more) {
  if (is_good_for_more)
    enter (lane);
  else
    syncmap_lane_reopen (lane);
}

bool
syncmap_lane_turn (SyncLane *lane,
                   OpKind    op,
                   int64_t   key,
                   int64_t   value,
                   int64_t   old,
                   int64_t  *found) {
  bool is_good_for_more, is_ok;

  /* The plain way took it, and ended in nothing. */
  lane->n_left++;
  is_good_for_more = step_out (lane);
  is_ok = do_by_class (lane->map, lane->thread, op, key, value, old, found);
  step_in (lane, is_good_for_more);
  return is_ok;
}

bool
syncmap_lane_clear (SyncLane *lane) {
  bool is_good_for_more = step_out (lane);
  bool is_ok = lane->map->klass->clear (lane->map, lane->thread);

  step_in (lane, is_good_for_more);
  return is_ok;
}

/* Told ---------------------------------------------------------------------- */

/* Retries belong to the operation's kind, or are told with it. */
static inline void
settle_retries (const SyncLane *lane,
                OpKind          op) {
  Probe *probe = lane->probe;

  if (__builtin_expect (probe->n_cas_retries == 0, 1) || lane->brief != NULL)
    return;
  probe->counts[op].n_cas_retries += probe->n_cas_retries;
  probe->n_cas_retries = 0;
}

void
syncmap_lane_tell_brief (const SyncLane *lane,
                         OpKind          op,
                         unsigned        path,
                         int64_t         key) {
  probe_tell_brief (lane->brief, op, path, (uint64_t)key);
}

/* The steps of @entry's word that make the operation, told. *is_ok: it found what
 * it sought. false: the entry is expunged, nothing is done. */
static inline bool
change_told (SyncLane *lane,
             OpKind    op,
             int64_t   value,
             int64_t   old,
             int64_t  *found,
             Entry    *entry,
             bool     *is_ok) {
  EngineThread *thread = lane->thread;
  Probe *probe = lane->probe;
  EntryOutcome outcome;

  switch (op) {
  case OP_STORE:
  case OP_SWAP:
    return entry_swap_steps (entry, thread, probe, value, is_ok, found);
  case OP_LOAD_OR_STORE:
    outcome = entry_load_or_store_steps (entry, thread, probe, value, found);
    *is_ok = outcome == ENTRY_LOADED;
    return outcome != ENTRY_GAVE_UP;
  case OP_LOAD_AND_DELETE:
  case OP_DELETE:
    *is_ok = entry_delete_steps (entry, thread, probe, found);
    return true;
  case OP_COMPARE_AND_SWAP:
    *is_ok = entry_compare_and_swap_steps (entry, thread, probe, old, value);
    return true;
  case OP_COMPARE_AND_DELETE:
    *is_ok = entry_compare_and_delete_steps (entry, thread, probe, old);
    return true;
  case OP_LOAD:
  case OP_RANGE:
  case OP_CLEAR:
  case OP_LEN:
  case OP_N_KINDS:
    break;
  }
  assert (!"an operation that may change an entry");
  return false;
}

/* From the class's second look on. Returns whether the operation is counted as
 * one that found what it sought. */
static bool
do_slowly (SyncCall *call,
           SyncLook  first,
           int64_t   key,
           int64_t   value,
           int64_t   old,
           int64_t  *found) {
  bool has_previous = false;
  Entry *entry;

  switch (call->op) {
  case OP_LOAD:
    entry = syncmap_find_slowly (call, first, key, false);
    return entry != NULL && entry_load (entry, found);
  case OP_STORE:
  case OP_SWAP:
    syncmap_swap_slowly (call, first, key, value, &has_previous, found);
    return has_previous;
  case OP_LOAD_OR_STORE:
    return syncmap_load_or_store_slowly (call, first, key, value, found)
           == ENTRY_LOADED;
  case OP_LOAD_AND_DELETE:
  case OP_DELETE:
    entry = syncmap_find_slowly (call, first, key, true);
    return entry != NULL && entry_delete (entry, call->thread, found);
  case OP_COMPARE_AND_SWAP:
    return syncmap_compare_and_swap_slowly (call, first, key, old, value);
  case OP_COMPARE_AND_DELETE:
    entry = syncmap_find_slowly (call, first, key, false);
    return entry != NULL
           && entry_try_compare_and_delete (entry, call->thread, old);
  case OP_RANGE:
  case OP_CLEAR:
  case OP_LEN:
  case OP_N_KINDS:
    break;
  }
  assert (!"an operation on a key");
  return false;
}

/* After a slow way: it may have changed read, and something may be freed. */
static void
renew (SyncLane  *lane,
       SyncTable *superseded) {
  uintptr_t bits = lane_read_bits (lane);

  /* Nothing to be done outside; and in this section the address of the table
   * is still that table's alone. */
  if (superseded == NULL && (bits ^ lane->bits) <= 1
      && !reclaim_may_poll (lane->thread->reclaim)) {
    lane->bits = bits;
    return;
  }
  reclaim_leave (lane->thread->reclaim);
  syncmap_clean_up ((SyncMap *)lane->map, lane->thread, superseded);
  enter (lane);
}

static __attribute__ ((noinline)) bool
go_on_slowly (SyncLane *lane,
              OpKind    op,
              int64_t   key,
              int64_t   value,
              int64_t   old,
              int64_t  *found,
              Entry    *entry) {
  SyncCall call = { .self = (SyncMap *)lane->map, .thread = lane->thread,
                    .op = op };
  SyncLook first = { lane_table (lane), entry };
  bool is_ok = do_slowly (&call, first, key, value, old, found);

  call.path |= is_ok ? OP_PATH_OK : 0;
  lane_count (lane, op, call.path);
  if (lane_tells (lane))
    settle_retries (lane, op);
  renew (lane, call.superseded);
  /* As from the class: behind what was freed. */
  if (lane->brief != NULL)
    syncmap_lane_tell_brief (lane, op, call.path, key);
  return op == OP_STORE ? (call.path & OP_PATH_ERROR) == 0 : is_ok;
}

bool
syncmap_lane_go_on (SyncLane *lane,
                    OpKind    op,
                    int64_t   key,
                    int64_t   value,
                    int64_t   old,
                    int64_t  *found,
                    Entry    *entry) {
  bool is_ok;

  if (entry == NULL || !lane_tells (lane)
      || !change_told (lane, op, value, old, found, entry, &is_ok))
    return go_on_slowly (lane, op, key, value, old, found, entry);
  settle_retries (lane, op);
  lane_end_look (lane, op, OP_PATH_IN_READ | (is_ok ? OP_PATH_OK : 0), key);
  return is_ok || op == OP_STORE;
}
