/* SPDX-License-Identifier: GPL-3.0-or-later */

/* telling-words.h — how operations at full speed are told, in words
 *
 * In the language of the locale; static. Any thread.
 */
#pragma once

#include "core/workload/scenario.h"

G_BEGIN_DECLS

/* As a setting calls it; "" for none. */
const char *telling_title   (OperationTelling telling);
/* What it means for the run, in a sentence or two. */
const char *telling_meaning (OperationTelling telling);

G_END_DECLS
