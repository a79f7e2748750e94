/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-session-along.c — next and previous of a key, a bucket, a thread, a kind
 *
 * Held against a plain walk over all events of a recorded run.
 */
#include "core/model/tophash-session-along.h"

static const char scenario_text[] =
  "{ \"title\": \"Test\", \"summary\": \"A mix.\", \"watch-for\": \"-\","
  "  \"learn\": \"-\", \"engine\": \"syncmap\", \"seed\": 3,"
  "  \"recordcount\": 200, \"phases\": [ { \"name\": \"mix\","
  "  \"operationcount\": 4000, \"threads\": [ { \"role\": \"worker\","
  "  \"count\": 2, \"mix\": { \"load\": 5, \"store\": 2, \"insert\": 1,"
  "  \"delete\": 1 } } ] } ] }";

static TophashSession *
session_on_a_run (void) {
  TophashSession *session = tophash_session_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (Scenario) scenario
    = scenario_new_from_json (scenario_text, -1, "test", &error);

  g_assert_no_error (error);
  tophash_session_set_scenario (session, scenario);
  g_assert_true (tophash_session_run (session, &error));
  while (tophash_session_is_running (session)
         || tophash_session_needs_ticks (session)) {
    g_main_context_iteration (NULL, FALSE);
    tophash_session_tick (session, g_get_monotonic_time ());
  }
  timeline_wait_settled (tophash_session_get_timeline (session));
  return session;
}

typedef struct {
  guint    n_done;
  gboolean was_found;
  GError  *error;
} Outcome;

static void
done_cb (GObject      *source,
         GAsyncResult *result,
         gpointer      data) {
  Outcome *outcome = data;

  g_clear_error (&outcome->error);
  outcome->was_found = tophash_session_along_finish (TOPHASH_SESSION (source),
                                                     result, &outcome->error);
  outcome->n_done++;
}

/* Waits for the answer; where the cursor is then, G_MAXUINT64: there is none. */
static guint64
go_along (TophashSession *session,
          SessionAlong    along,
          gboolean        forward) {
  Outcome outcome = { 0 };

  tophash_session_along_async (session, along, forward, done_cb, &outcome);
  while (outcome.n_done == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_no_error (outcome.error);
  return outcome.was_found ? tophash_session_get_position (session) : G_MAXUINT64;
}

static void
seek (TophashSession *session,
      guint64         position) {
  tophash_session_seek (session, position);
  while (tophash_session_get_state (session) == NULL
         || map_state_n_events (tophash_session_get_state (session)) != position)
    g_main_context_iteration (NULL, TRUE);
}

typedef gboolean (*Matches) (const Event *event,
                             const Event *like);

/* The plain walk. */
static guint64
expected (TraceLog    *log,
          guint64      position,
          gboolean     forward,
          Matches      matches,
          const Event *like) {
  gint64 step = forward ? 1 : -1;
  Event event;

  for (gint64 i = forward ? (gint64)position : (gint64)position - 2;
       i >= 0 && i < (gint64)tracelog_get_length (log); i += step)
    if (tracelog_get_event (log, (guint64)i, &event) && matches (&event, like))
      return (guint64)i + 1;
  return G_MAXUINT64;
}

static gboolean
is_of_thread (const Event *event,
              const Event *like) {
  return event->thread == like->thread;
}

static gboolean
is_of_op (const Event *event) {
  return event->kind == EVENT_OP_BEGAN || event->kind == EVENT_OP_ENDED
         || event->kind == EVENT_OP_TOLD;
}

static gboolean
is_of_kind (const Event *event,
            const Event *like) {
  return event->kind == like->kind
         && (!is_of_op (event) || event->aux8 == like->aux8);
}

static void
check_along (TophashSession *session,
             SessionAlong    along,
             Matches         matches) {
  TraceLog *log = tophash_session_get_log (session);
  guint64 length = tracelog_get_length (log);

  for (guint64 position = 1; position <= length; position += length / 23)
    for (int forward = 0; forward < 2; forward++) {
      Event like;

      seek (session, position);
      g_assert_true (tracelog_get_event (log, position - 1, &like));
      g_assert_cmpuint (go_along (session, along, forward), ==,
                        expected (log, position, forward, matches, &like));
    }
}

static void
test_threads_and_kinds_are_gone_along (void) {
  g_autoptr (TophashSession) session = session_on_a_run ();

  check_along (session, ALONG_THREAD, is_of_thread);
  check_along (session, ALONG_KIND, is_of_kind);
}

/* Selects the slot that the first SLOT_WRITTEN from @from on wrote. */
static Event
select_written (TophashSession *session,
                guint64         from) {
  TraceLog *log = tophash_session_get_log (session);
  TophashSelection selection = { .kind = SELECTION_SLOT, .has_key = TRUE };
  Event event;

  do
    g_assert_true (tracelog_get_event (log, from++, &event));
  while (event.kind != EVENT_SLOT_WRITTEN);
  seek (session, from);
  selection.table = event.aux16;
  selection.bucket = event.res / 8;
  selection.slot = event.res % 8;
  selection.key = (gint64)event.a;
  tophash_session_select (session, &selection);
  return event;
}

static gboolean
is_of_bucket (const Event *event,
              const Event *like) {
  if (event->aux16 != like->aux16)
    return FALSE;
  if (event->kind == EVENT_SLOT_WRITTEN || event->kind == EVENT_SLOT_UPDATED
      || event->kind == EVENT_SLOT_CLEARED)
    return event->res / 8 == like->res / 8;
  return (event->kind == EVENT_OVERFLOW_LINKED
          || event->kind == EVENT_BUCKET_EVACUATED
          || event->kind == EVENT_CHAIN_WIPED || event->kind == EVENT_BUCKET_COPIED)
         && event->res == like->res / 8;
}

static void
test_buckets_are_gone_along (void) {
  g_autoptr (TophashSession) session = session_on_a_run ();
  TraceLog *log = tophash_session_get_log (session);

  for (guint64 from = 0; from < tracelog_get_length (log) / 2; from += 997)
    for (int forward = 0; forward < 2; forward++) {
      Event event = select_written (session, from);
      guint64 position = tophash_session_get_position (session);
      TophashSelection chosen = *tophash_session_get_selection (session);
      guint64 is, wanted;

      g_assert_cmpint (chosen.kind, ==, SELECTION_SLOT);
      event.aux16 = chosen.table;
      event.res = chosen.bucket * 8;
      wanted = expected (log, position, forward, is_of_bucket, &event);
      is = go_along (session, ALONG_BUCKET, forward);
      g_assert_cmpuint (is, ==, wanted);
    }
}

/* Forward over a key's whole life and back again is the same events, and those
 * that timeline_get_key_page() tells. */
static void
test_keys_are_gone_along (void) {
  g_autoptr (TophashSession) session = session_on_a_run ();
  Timeline *timeline = tophash_session_get_timeline (session);
  g_autoptr (GArray) life = g_array_new (FALSE, FALSE, sizeof (guint64));
  Event event = select_written (session, 500);
  g_autofree char *name = tophash_session_along_name (session, ALONG_KEY);
  g_autofree char *key = tophash_session_key_text (session, (gint64)event.a);

  g_assert_cmpstr (name, ==, key);
  timeline_get_key_life (timeline, (gint64)event.a, timeline_get_length (timeline),
                         G_MAXUINT64, 100000, NULL, life);
  g_assert_cmpuint (life->len, >, 3);
  seek (session, 0);
  for (guint i = 0; i < life->len; i++) {
    TophashSelection again = { .kind = SELECTION_SLOT,
                               .has_key = TRUE,
                               .key = (gint64)event.a };

    tophash_session_select (session, &again);
    g_assert_cmpuint (go_along (session, ALONG_KEY, TRUE), ==,
                      g_array_index (life, guint64, i) + 1);
  }
  for (guint i = life->len - 1; i-- > 0;) {
    TophashSelection again = { .kind = SELECTION_SLOT,
                               .has_key = TRUE,
                               .key = (gint64)event.a };

    tophash_session_select (session, &again);
    g_assert_cmpuint (go_along (session, ALONG_KEY, FALSE), ==,
                      g_array_index (life, guint64, i) + 1);
  }
}

static void
test_who_moves_the_cursor_wins (void) {
  g_autoptr (TophashSession) session = session_on_a_run ();
  Outcome first = { 0 }, second = { 0 }, third = { 0 };

  seek (session, 100);
  tophash_session_along_async (session, ALONG_KIND, TRUE, done_cb, &first);
  /* Held down: the same is let drop, the one under way is not. */
  tophash_session_along_async (session, ALONG_KIND, TRUE, done_cb, &second);
  while (first.n_done == 0 || second.n_done == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (first.was_found);
  g_assert_error (second.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  /* Something else takes its place. */
  g_clear_error (&second.error);
  first.n_done = 0;
  tophash_session_along_async (session, ALONG_KIND, TRUE, done_cb, &first);
  tophash_session_along_async (session, ALONG_THREAD, FALSE, done_cb, &second);
  tophash_session_seek (session, 7);
  while (first.n_done == 0 || second.n_done == 1)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (first.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_error (second.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (tophash_session_get_position (session), ==, 7);

  /* Nothing is chosen. */
  g_assert_null (tophash_session_along_name (session, ALONG_KEY));
  tophash_session_along_async (session, ALONG_KEY, TRUE, done_cb, &third);
  while (third.n_done == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (third.error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&first.error);
  g_clear_error (&second.error);
  g_clear_error (&third.error);
}

/* Whoever does not want to wait says so; the cursor stays. */
static void
test_looking_can_be_given_up (void) {
  g_autoptr (TophashSession) session = session_on_a_run ();
  Outcome outcome = { 0 };

  seek (session, 300);
  g_assert_false (tophash_session_is_going (session));
  tophash_session_along_async (session, ALONG_THREAD, TRUE, done_cb, &outcome);
  g_assert_true (tophash_session_is_going (session));
  tophash_session_stop_going (session);
  g_assert_false (tophash_session_is_going (session));
  while (outcome.n_done == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (tophash_session_get_position (session), ==, 300);
  g_clear_error (&outcome.error);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/session/along/threads-and-kinds",
                   test_threads_and_kinds_are_gone_along);
  g_test_add_func ("/core/session/along/buckets", test_buckets_are_gone_along);
  g_test_add_func ("/core/session/along/keys", test_keys_are_gone_along);
  g_test_add_func ("/core/session/along/who-moves-the-cursor-wins",
                   test_who_moves_the_cursor_wins);
  g_test_add_func ("/core/session/along/can-be-given-up",
                   test_looking_can_be_given_up);
  return g_test_run ();
}
