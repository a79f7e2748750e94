/* SPDX-License-Identifier: GPL-3.0-or-later */

/* narrator-private.h — what the narrator's files share: one event to be told */
#pragma once

#include "core/model/narrator.h"

typedef struct {
  const Event    *event;
  const MapState *before; /* may be NULL */
  const char     *key_text;
  gboolean        is_expert;
  const char     *who;
} Telling;

/* The key as the scenario writes it. (transfer full) */
char       *narrator_key      (const Telling *telling,
                               gint64         key);
/* Go's name of an operation. */
const char *narrator_go_name  (guint          op);
/* The sentences; all (transfer full). */
char       *narrator_op_began (const Telling *telling);
char       *narrator_op_ended (const Telling *telling);
char       *narrator_op_told  (const Telling *telling);
char       *narrator_copy     (const Telling *telling); /* of read to dirty */
char       *narrator_read_and_dirty (const Telling *telling);
char       *narrator_tell_misuse (const Telling *telling);
