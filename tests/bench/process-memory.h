/* SPDX-License-Identifier: GPL-3.0-or-later */

/* process-memory.h — what a benchmark's own process holds */
#pragma once

#include <glib.h>
#include <string.h>

/* Megabytes of this process, files and shared memory not counted. */
static inline double
process_mb (void) {
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL)
      || (line = strstr (text, "RssAnon:")) == NULL)
    return 0;
  return (double)g_ascii_strtoll (line + strlen ("RssAnon:"), NULL, 10) / 1024;
}
