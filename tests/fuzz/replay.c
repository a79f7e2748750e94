/* SPDX-License-Identifier: GPL-3.0-or-later */

/* replay.c — a fuzz target's corpus as a plain test
 *
 * Gives every file of the folder in argv[1] to the target, one TAP test each,
 * and then some thousand variants of it with a few bytes changed: little
 * beside a real fuzzer, but on every machine and in every test run. The
 * changes come from one seed, so a failure repeats.
 */
#include "core/base/prng.h"
#include "tests/fuzz/fuzz.h"

#include <glib.h>

#define N_VARIANTS 3000

static void
replay_cb (gconstpointer data) {
  g_autofree char *bytes = NULL;
  gsize length;
  Prng prng = { 1 };

  g_assert_true (g_file_get_contents (data, &bytes, &length, NULL));
  LLVMFuzzerTestOneInput ((const uint8_t *)bytes, length);
  for (guint variant = 0; length > 0 && variant < N_VARIANTS; variant++) {
    /* Of the exact size, so that an address sanitizer sees its end. */
    gsize size = prng_below (&prng, 8) == 0 ? prng_below (&prng, length) + 1
                                            : length;
    g_autofree uint8_t *copy = g_memdup2 (bytes, size);

    for (guint64 n = 1 + prng_below (&prng, 4); n > 0; n--)
      copy[prng_below (&prng, size)] = (uint8_t)prng_next (&prng);
    LLVMFuzzerTestOneInput (copy, size);
  }
}

int
main (int    argc,
      char **argv) {
  g_autoptr (GDir) folder = NULL;
  const char *name;

  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  folder = g_dir_open (argv[1], 0, NULL);
  g_assert_nonnull (folder);
  while ((name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *test = g_strdup_printf ("/fuzz/%s", name);

    g_test_add_data_func_full (test, g_build_filename (argv[1], name, NULL),
                               replay_cb, g_free);
  }
  return g_test_run ();
}
