/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-minimise.h — the least that still fails */
#pragma once

#include "core/step/step-explore.h"
#include "core/step/step-trial.h"

/**
 * step_minimise:
 * @scenario: (inout): one of which some order fails; made smaller
 * @max_bound: preemptions, at most, of the order that is looked for in the end
 * @max_runs: of each search
 * @findings: (out): the failure of the smaller one
 *
 * Leaves out workers, operations and preloaded keys as long as some order fails
 * in the same way, and then looks for an order with the fewest preemptions.
 *
 * Returns: false when no order of @scenario fails within @max_runs; it is as it
 *   was
 */
bool step_minimise (StepScenario *scenario,
                    unsigned      max_bound,
                    uint64_t      max_runs,
                    StepFindings *findings);
