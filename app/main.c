/* SPDX-License-Identifier: GPL-3.0-or-later */

/* main.c — locale, a display, run */
#include "app/gl-choice.h"
#include "app/tophash-application.h"

#include "core/base/rank.h"

#include <glib/gi18n.h>
#include <locale.h>

/* Options that are answered without a window. */
static gboolean
needs_display (int    argc,
               char **argv) {
  for (int i = 1; i < argc; i++)
    if (g_str_has_prefix (argv[i], "--help") || g_str_equal (argv[i], "-h")
        || g_str_equal (argv[i], "--version") || g_str_equal (argv[i], "-v"))
      return FALSE;
  return TRUE;
}

int
main (int    argc,
      char **argv) {
  const char *localedir = g_getenv ("TOPHASH_LOCALEDIR");
  g_autoptr (TophashApplication) application = NULL;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, localedir != NULL ? localedir : LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  gl_choice_make ("/dev");
  if (needs_display (argc, argv) && !gtk_init_check ()) {
    g_printerr (_ ("tophash: no display could be opened. "
                   "Without one, use: tophash-cli run SCENARIO\n"));
    return 1;
  }
  rank_put_window_first ();
  application = tophash_application_new ();
  return g_application_run (G_APPLICATION (application), argc, argv);
}
