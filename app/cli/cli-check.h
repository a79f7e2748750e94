/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-check.h — how a judgement is told, as text and as JSON */
#pragma once

#include "core/check/judge.h"

G_BEGIN_DECLS

void cli_check_print_report (TraceLog          *log,
                             const JudgeReport *report,
                             gboolean           as_json);
/* One key's order. */
void cli_check_print_key    (TraceLog          *log,
                             const JudgeCase   *found,
                             gboolean           as_json);

/* As in JSON: "right", "violated", "unknown". */
const char *cli_check_verdict_name (LinearVerdict verdict);
/* (transfer full): how the recording's scenario writes the key. */
char       *cli_check_key_text     (TraceLog      *log,
                                    gint64         key);
/* (transfer full): by item, its place in the order; -1: not in it. */
gssize     *cli_check_places       (const JudgeCase *found);

void cli_check_print_report_json (TraceLog          *log,
                                  const JudgeReport *report);
void cli_check_print_key_json    (TraceLog          *log,
                                  const JudgeCase   *found);

G_END_DECLS
