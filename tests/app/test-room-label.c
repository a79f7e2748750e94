/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-room-label.c — the longest wording that has room is shown, at any width */
#include "app/tophash-room-label.h"

static const char *const wordings[]
    = { "event 101 277 454 of 101 277 454 · 17.1 s",
        "101 277 454 / 101 277 454 · 17.1 s", "101 277 454 · 17.1 s",
        "101 277 454", NULL };

static TophashRoomLabel *
new_label (void) {
  TophashRoomLabel *label
      = g_object_ref_sink (g_object_new (TOPHASH_TYPE_ROOM_LABEL, NULL));

  tophash_room_label_set_wordings (label, wordings);
  return label;
}

/* px that the label asks for. */
static int
natural_of (TophashRoomLabel *label,
            int              *minimum) {
  int natural;

  gtk_widget_measure (GTK_WIDGET (label), GTK_ORIENTATION_HORIZONTAL, -1, minimum,
                      &natural, NULL, NULL);
  return natural;
}

static void
give (TophashRoomLabel *label,
      int               width) {
  int height;

  gtk_widget_measure (GTK_WIDGET (label), GTK_ORIENTATION_VERTICAL, width, &height,
                      NULL, NULL, NULL);
  gtk_widget_allocate (GTK_WIDGET (label), width, height, -1, NULL);
}

/* Each in its turn as there is less and less room, and each has all it needs. */
static void
test_says_less_in_less_room (void) {
  TophashRoomLabel *label = new_label ();
  int minimum, width = natural_of (label, &minimum);
  guint shown = 0;

  for (; width >= minimum; width--) {
    give (label, width);
    if (!g_str_equal (tophash_room_label_get_shown (label), wordings[shown]))
      shown++;
    g_assert_cmpstr (tophash_room_label_get_shown (label), ==, wordings[shown]);
    g_assert_true (wordings[shown + 1] == NULL
                   || !tophash_room_label_is_cut (label));
  }
  g_assert_cmpuint (shown, ==, G_N_ELEMENTS (wordings) - 2);
  g_assert_true (tophash_room_label_is_cut (label));
  g_object_unref (label);
}

/* What plays does not have the window laid out for each event. */
static void
test_counts_in_the_same_room (void) {
  TophashRoomLabel *label = new_label ();
  int minimum, natural = natural_of (label, &minimum);

  for (int digit = 0; digit < 10; digit++) {
    g_autofree char *text
        = g_strdup_printf ("event %d%d%d 277 454 of 101 277 454 · %d%d.%d s", digit,
                           digit, digit, digit, digit, digit);

    tophash_room_label_set_wordings (label, (const char *[]){ text, NULL });
    g_assert_cmpint (natural_of (label, &minimum), ==, natural);
  }
  tophash_room_label_set_wordings (label, (const char *[]){ "no events", NULL });
  g_assert_cmpint (natural_of (label, &minimum), <, natural);
  g_object_unref (label);
}

int
main (int    argc,
      char **argv) {
  gtk_test_init (&argc, &argv, NULL);
  g_test_add_func ("/room-label/says-less-in-less-room", test_says_less_in_less_room);
  g_test_add_func ("/room-label/counts-in-the-same-room",
                   test_counts_in_the_same_room);
  return g_test_run ();
}
