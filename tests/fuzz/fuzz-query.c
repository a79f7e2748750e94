/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fuzz-query.c — any bytes as a query
 *
 * Refused with an error, or else its canonical text reads back as the same; and
 * it can be held against events, whatever those say.
 */
#include "core/base/prng.h"
#include "core/state/event-query.h"
#include "core/state/fold.h"
#include "tests/fuzz/fuzz.h"

#define N_EVENTS 64

/* Events of all kinds, with small numbers so that some fit each other. */
static void
walk_over_events (EventQuery *query) {
  g_autoptr (QueryWalk) walk = query_walk_new (query);
  g_autoptr (Fold) fold = fold_new ();
  Prng prng = { 3 };

  for (guint i = 0; i < N_EVENTS; i++) {
    Event event = { .at_ns = i,
                    .a = prng_below (&prng, 3),
                    .b = prng_below (&prng, 3),
                    .res = (guint32)prng_below (&prng, 9),
                    .thread = (guint16)prng_below (&prng, 3),
                    .aux16 = (guint16)prng_below (&prng, 2),
                    .kind = (guint8)prng_below (&prng, EVENT_N_KINDS + 2),
                    .aux8 = (guint8)prng_below (&prng, 12) };

    fold_apply (fold, &event);
    query_walk_matches (walk, &event, fold_peek_state (fold));
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes,
                        size_t         length) {
  g_autofree char *text = g_strndup ((const char *)bytes, length);
  g_autoptr (GError) error = NULL;
  g_autoptr (EventQuery) query = NULL;
  g_autoptr (EventQuery) again = NULL;

  query = event_query_new (text, "k%d", &error);
  if (query == NULL) {
    g_assert_nonnull (error);
    return 0;
  }
  again = event_query_new (event_query_get_text (query), "k%d", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (event_query_get_text (query), ==, event_query_get_text (again));
  walk_over_events (query);
  return 0;
}
