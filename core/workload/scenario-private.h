/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scenario-private.h — what the loader needs of the struct */
#pragma once

#include "core/workload/scenario.h"

/* A scenario without texts and phases. */
Scenario *scenario_new_empty (const char *name);
