/* SPDX-License-Identifier: GPL-3.0-or-later */

/* event.c — names and gates, from the one table in event.h
 *
 * Every name here is stable: scenarios, exports and the command line use it.
 */
#include "core/probe/event.h"

#include <stddef.h>

_Static_assert (EVENT_N_KINDS <= EVENT_HAS_PAYLOAD, "bit 7 tells of a payload");

static const char *const kind_names[EVENT_N_KINDS] = {
#define X(NAME, name, gate) [EVENT_##NAME] = name,
  EVENT_KINDS (X)
#undef X
  [EVENT_TIME] = "time",
};

const unsigned char event_kind_gates[EVENT_N_KINDS] = {
#define X(NAME, name, gate) [EVENT_##NAME] = gate,
  EVENT_KINDS (X)
#undef X
};

static const char *const op_names[OP_N_KINDS] = {
  [OP_LOAD] = "load",
  [OP_STORE] = "store",
  [OP_LOAD_OR_STORE] = "load-or-store",
  [OP_LOAD_AND_DELETE] = "load-and-delete",
  [OP_DELETE] = "delete",
  [OP_SWAP] = "swap",
  [OP_COMPARE_AND_SWAP] = "compare-and-swap",
  [OP_COMPARE_AND_DELETE] = "compare-and-delete",
  [OP_RANGE] = "range",
  [OP_CLEAR] = "clear",
  [OP_LEN] = "len",
};

/* Go 1.23 runtime/map.go, the texts given to fatal(). */
static const char *const misuse_texts[] = {
  [MISUSE_CONCURRENT_WRITES] = "concurrent map writes",
  [MISUSE_CONCURRENT_READ_AND_WRITE] = "concurrent map read and map write",
  [MISUSE_ITERATION_AND_WRITE] = "concurrent map iteration and map write",
};
#define N_MISUSES (sizeof misuse_texts / sizeof misuse_texts[0])

const char *
event_kind_name (unsigned kind) {
  return kind < EVENT_N_KINDS ? kind_names[kind] : NULL;
}

int
event_kind_is_structural (EventKind kind) {
  static const unsigned char is_structural[EVENT_N_KINDS] = {
    [EVENT_PHASE_BEGAN] = 1,
    [EVENT_TABLE_CLEARED] = 1,
    [EVENT_GROWTH_STARTED] = 1,
    [EVENT_GROWTH_ENDED] = 1,
    [EVENT_READ_PUBLISHED] = 1,
    [EVENT_DIRTY_COPIED] = 1,
    [EVENT_DIRTY_PROMOTED] = 1,
    [EVENT_RANGE_BEGAN] = 1,
    [EVENT_RANGE_ENDED] = 1,
    [EVENT_SNAPSHOT_BEGAN] = 1,
    [EVENT_SNAPSHOT_ENDED] = 1,
    [EVENT_MISUSE_DETECTED] = 1,
    [EVENT_DROPPED] = 1,
  };

  return kind < EVENT_N_KINDS && is_structural[kind];
}

const char *
op_kind_name (unsigned kind) {
  return kind < OP_N_KINDS ? op_names[kind] : NULL;
}

const char *
misuse_kind_text (unsigned kind) {
  return kind < N_MISUSES ? misuse_texts[kind] : NULL;
}
