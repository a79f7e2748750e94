/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-keyframe-private.h — states on their way to a saved file */
#pragma once

#include "core/record/crew.h"
#include "core/record/trace-keyframe.h"

G_BEGIN_DECLS

/* (transfer full): @payload, as tracelog_dup_keyframe() gives it, its frames packed
 * with zstd where that pays; what is damaged stays as it is. */
GBytes *trace_keyframe_repack (GBytes *payload,
                               Crew   *crew);

G_END_DECLS
