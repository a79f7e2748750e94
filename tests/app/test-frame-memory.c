/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-frame-memory.c — frames are drawn in the same memory again and again
 *
 * Told by the kernel: what is shared with the X server stands in the process's map,
 * each piece with its number.
 */
#include "app/frame-memory.h"

#include <string.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>

#define N_FRAMES 20

/* The numbers of all pieces, one a line. (transfer full) */
static char *
read_shared (void) {
  g_autoptr (GString) numbers = g_string_new (NULL);
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    unsigned long number;

    if (strstr (lines[i], "/SYSV") != NULL
        && sscanf (lines[i], "%*s %*s %*s %*s %lu", &number) == 1)
      g_string_append_printf (numbers, "%lu\n", number);
  }
  return g_string_free (g_steal_pointer (&numbers), FALSE);
}

/* Whether the system has such memory, and the window is drawn for X without a graphics
 * card: with-display sees to that. */
static gboolean
is_shared (GtkWidget *window) {
  int number = shmget (IPC_PRIVATE, 4096, IPC_CREAT | 0600);

  if (number < 0)
    return FALSE;
  shmctl (number, IPC_RMID, NULL);
  return GSK_IS_CAIRO_RENDERER (gtk_native_get_renderer (GTK_NATIVE (window)))
         && g_str_equal (G_OBJECT_TYPE_NAME (gtk_widget_get_display (window)),
                         "GdkX11Display");
}

static void
draw_frame (GtkWidget *window) {
  GdkFrameClock *clock = gtk_widget_get_frame_clock (window);
  gint64 frame = gdk_frame_clock_get_frame_counter (clock);

  gtk_widget_queue_draw (window);
  while (gdk_frame_clock_get_frame_counter (clock) < frame + 1) {
    gdk_frame_clock_request_phase (clock, GDK_FRAME_CLOCK_PHASE_PAINT);
    g_main_context_iteration (NULL, TRUE);
  }
  gdk_display_sync (gtk_widget_get_display (window));
}

/* From now on. */
static void
assert_keeps_its_memory (GtkWidget *window) {
  g_autofree char *before = read_shared ();

  if (!is_shared (window)) {
    g_test_skip ("nothing is shared with the display");
    return;
  }
  g_assert_cmpstr (before, !=, "");
  for (guint i = 0; i < N_FRAMES; i++) {
    g_autofree char *after = NULL;

    draw_frame (window);
    after = read_shared ();
    g_assert_cmpstr (after, ==, before);
  }
}

static GtkWidget *
show_window (int width,
             int height) {
  GtkWidget *window = gtk_window_new ();

  gtk_window_set_default_size (GTK_WINDOW (window), width, height);
  frame_memory_keep (GTK_WINDOW (window));
  gtk_window_present (GTK_WINDOW (window));
  draw_frame (window);
  return window;
}

static void
test_stays (void) {
  GtkWidget *window = show_window (640, 480);

  assert_keeps_its_memory (window);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* A larger window has larger memory, and keeps that. */
static void
test_grows (void) {
  GtkWidget *window = show_window (100, 100);

  gtk_window_set_default_size (GTK_WINDOW (window), 700, 500);
  while (gtk_widget_get_width (window) < 700)
    draw_frame (window);
  draw_frame (window);
  assert_keeps_its_memory (window);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* Takes what a frame takes: memory for it, and for what is drawn together in it. How
 * many pages the kernel had to look for. */
static glong
take_and_give (gsize frame) {
  const gsize sizes[] = { frame, frame, frame / 2 };
  guint8 *taken[G_N_ELEMENTS (sizes)];
  struct rusage before, after;

  getrusage (RUSAGE_SELF, &before);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    taken[i] = g_malloc (sizes[i]);
    for (gsize at = 0; at < sizes[i]; at += 4096)
      *(volatile guint8 *)&taken[i][at] = 1;
  }
  for (guint i = G_N_ELEMENTS (sizes); i > 0; i--)
    g_free (taken[i - 1]);
  getrusage (RUSAGE_SELF, &after);
  return after.ru_minflt - before.ru_minflt;
}

/* The next frame has the pages of the one before. */
static void
test_leaves_pages_in_the_heap (void) {
  GtkWidget *window = show_window (1200, 760);
  gsize frame = 1200 * 760 * 4;

  if (is_shared (window)) {
    take_and_give (frame);
    g_assert_cmpint (take_and_give (frame), <, (glong)(frame / 4096 / 4));
  } else {
    g_test_skip ("another way of drawing");
  }
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  gtk_init ();
  g_test_add_func ("/app/frame-memory/stays", test_stays);
  g_test_add_func ("/app/frame-memory/grows", test_grows);
  g_test_add_func ("/app/frame-memory/leaves-pages-in-the-heap",
                   test_leaves_pages_in_the_heap);
  return g_test_run ();
}
