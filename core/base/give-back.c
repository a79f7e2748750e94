/* SPDX-License-Identifier: GPL-3.0-or-later */

/* give-back.c — memory that was freed, for others
 *
 * glibc gives back what lies free at the end of an arena only. One small block that
 * lives on behind it keeps all that a recording took, and the next recording is
 * read by threads of other arenas. Other libraries see to that themselves.
 */
#include "core/base/give-back.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void
give_memory_back (void) {
#ifdef __GLIBC__
  malloc_trim (0);
#endif
}
