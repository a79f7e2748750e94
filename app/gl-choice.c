/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gl-choice.c — GL only where there is hardware for it
 *
 * All that the window shows is drawn by cairo. With GL its parts are put together by
 * the graphics processor, which is as it should be. A machine without one (most
 * virtual ones, a display over the network) has a GL all the same, a compiler with a
 * few threads that works on the processors whose map is being looked at: the window
 * takes 202 MB with it, 120 MB when it is loaded and not used, and 59 MB without
 * (measured, GTK 4.8 with Mesa's llvmpipe).
 *
 * GDK loads it when the display is opened, so nobody can be asked before: the
 * kernel's devices tell. Whatever may be a graphics processor counts as one. Who has
 * set any of the variables of GDK's GL has decided, and is left alone; only the
 * wish for cairo is the same as ours.
 */
#include "app/gl-choice.h"

#include <gtk/gtk.h>

/* Of drivers that have no folder of the kernel's own: NVIDIA's, Adreno's, Mali's,
 * PowerVR's, and that of Windows below a Linux. */
static const char *const others[] = { "nvidiactl", "nvidia0", "kgsl-3d0", "mali0",
                                      "pvrsrvkm", "dxg" };

gboolean
gl_choice_has_hardware (const char *devices) {
  g_autofree char *folder = g_build_filename (devices, "dri", NULL);
  g_autoptr (GDir) dri = g_dir_open (folder, 0, NULL);

  if (dri != NULL && g_dir_read_name (dri) != NULL)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree char *path = g_build_filename (devices, others[i], NULL);

    if (g_file_test (path, G_FILE_TEST_EXISTS))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_decided (void) {
  const char *renderer = g_getenv ("GSK_RENDERER");

  return g_getenv ("GDK_DEBUG") != NULL || g_getenv ("GDK_DISABLE") != NULL
         || g_getenv ("GDK_GL") != NULL
         || (renderer != NULL && !g_str_equal (renderer, "cairo"));
}

void
gl_choice_make (const char *devices) {
#ifdef __linux__
  if (is_decided () || gl_choice_has_hardware (devices))
    return;
  g_setenv ("GSK_RENDERER", "cairo", FALSE);
  /* The name of the variable is the running library's; each says something about
   * the other one's value. */
  if (gtk_get_minor_version () >= 16)
    g_setenv ("GDK_DISABLE", "gl,vulkan", FALSE);
  else
    g_setenv ("GDK_DEBUG", "gl-disable", FALSE);
#endif
}
