/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-step.h — reading the scenarios that are stepped through */
#pragma once

#include "core/step/step-trial.h"

#include <glib.h>

G_BEGIN_DECLS

/* FALSE: @error says what is wrong and where. */
gboolean cli_step_load (const char   *path,
                        StepScenario *scenario,
                        GError      **error);

G_END_DECLS
