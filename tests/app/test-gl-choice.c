/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-gl-choice.c — who has a graphics processor keeps GL, and who chose keeps it */
#include "app/gl-choice.h"

#include <glib/gstdio.h>

static const char *const variables[] = { "GSK_RENDERER", "GDK_DEBUG",
                                         "GDK_DISABLE", "GDK_GL" };

/* A folder of devices, with @name in it unless that is NULL. */
static char *
make_devices (const char *name) {
  char *devices = g_dir_make_tmp ("tophash-devices-XXXXXX", NULL);
  g_autofree char *path = NULL, *folder = NULL;

  g_assert_nonnull (devices);
  if (name == NULL)
    return devices;
  path = g_build_filename (devices, name, NULL);
  folder = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  return devices;
}

static void
remove_devices (char       *devices,
                const char *name) {
  g_autofree char *path = g_build_filename (devices, name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);

  if (name != NULL) {
    g_assert_cmpint (g_remove (path), ==, 0);
    if (!g_str_equal (folder, devices))
      g_assert_cmpint (g_rmdir (folder), ==, 0);
  }
  g_assert_cmpint (g_rmdir (devices), ==, 0);
  g_free (devices);
}

/* With @set = @value (NULL: nothing is set) before, whether GL is chosen against. */
static gboolean
is_without_gl (const char *device,
               const char *set,
               const char *value) {
  char *devices = make_devices (device);
  const char *renderer;
  gboolean is_off;

  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    g_unsetenv (variables[i]);
  if (set != NULL)
    g_setenv (set, value, TRUE);
  gl_choice_make (devices);
  renderer = g_getenv ("GSK_RENDERER");
  is_off = g_strcmp0 (renderer, "cairo") == 0
           && (g_strcmp0 (g_getenv ("GDK_DEBUG"), "gl-disable") == 0
               || g_strcmp0 (g_getenv ("GDK_DISABLE"), "gl,vulkan") == 0);
  if (set != NULL)
    g_assert_cmpstr (g_getenv (set), ==, value);
  if (!is_off)
    for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
      if (g_strcmp0 (set, variables[i]) != 0)
        g_assert_null (g_getenv (variables[i]));
  remove_devices (devices, device);
  return is_off;
}

static void
test_hardware_keeps_gl (void) {
  static const char *const devices[] = { "dri/renderD128", "dri/card0", "nvidiactl",
                                         "kgsl-3d0", "dxg" };

  for (guint i = 0; i < G_N_ELEMENTS (devices); i++)
    g_assert_false (is_without_gl (devices[i], NULL, NULL));
}

static void
test_software_is_not_loaded (void) {
#ifdef __linux__
  g_assert_true (is_without_gl (NULL, NULL, NULL));
  g_assert_true (is_without_gl ("null", NULL, NULL));
  g_assert_true (is_without_gl (NULL, "GSK_RENDERER", "cairo"));
#else
  g_test_skip ("devices say nothing here");
#endif
}

static void
test_who_decided_is_left_alone (void) {
  g_assert_false (is_without_gl (NULL, "GSK_RENDERER", "gl"));
  g_assert_false (is_without_gl (NULL, "GDK_DEBUG", "frames"));
  g_assert_false (is_without_gl (NULL, "GDK_DISABLE", "vulkan"));
  g_assert_false (is_without_gl (NULL, "GDK_GL", "always"));
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/app/gl-choice/hardware-keeps-gl", test_hardware_keeps_gl);
  g_test_add_func ("/app/gl-choice/software-is-not-loaded",
                   test_software_is_not_loaded);
  g_test_add_func ("/app/gl-choice/who-decided-is-left-alone",
                   test_who_decided_is_left_alone);
  return g_test_run ();
}
