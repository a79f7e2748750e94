/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fuzz-state-frames.c — hostile frames of a state
 *
 * The input is a list of frames, each after its length in 4 bytes, cut where the
 * bytes end. What comes back as a state must be readable throughout, and can be
 * written again.
 */
#include "core/state/map-state-private.h"
#include "core/state/state-frames.h"
#include "tests/fuzz/cut-frames.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size) {
  g_autoptr (GPtrArray) frames = cut_frames (data, size);
  g_autoptr (GPtrArray) again = NULL;
  g_autoptr (MapState) state = map_state_deserialise (frames, NULL);
  g_autoptr (MapState) back = NULL;

  if (state == NULL)
    return 0;
  for (guint i = 0; i < map_state_n_tables (state); i++) {
    const StateTable *table = map_state_table (state, i);
    StateSlot slot;

    map_state_find_key (state, table, 7, &slot);
    map_state_count_entries (state, table, ENTRY_VALUE);
  }
  again = map_state_serialise (state);
  back = map_state_deserialise (again, NULL);
  g_assert (back == NULL
            || map_state_n_events (back) == map_state_n_events (state));
  return 0;
}
