/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-generate.c — scenarios that nobody thought of
 *
 * Four scenarios written by hand missed one of four seeded bugs even when every
 * order was tried; random ones of two workers and three operations found all
 * four within milliseconds. So the operations are drawn, with loads, stores and
 * deletes in the foreground; few keys make them meet. Each key is in the map
 * beforehand or not, in read or still in dirty. Values are never repeated: a
 * stale one cannot pass for a fresh one.
 */
#include "core/step/step-trial.h"

#include <string.h>

/* Shares of 100; free choice. */
static const struct {
  OpKind   op;
  unsigned share;
} shares[] = {
  { OP_LOAD, 18 },
  { OP_STORE, 24 },
  { OP_DELETE, 12 },
  { OP_LOAD_AND_DELETE, 10 },
  { OP_LOAD_OR_STORE, 10 },
  { OP_SWAP, 6 },
  { OP_COMPARE_AND_SWAP, 6 },
  { OP_COMPARE_AND_DELETE, 4 },
  { OP_RANGE, 5 },
  { OP_CLEAR, 5 },
};

static OpKind
draw_op (Prng *prng) {
  unsigned drawn = (unsigned)prng_below (prng, 100);
  unsigned i = 0;

  while (drawn >= shares[i].share)
    drawn -= shares[i++].share;
  return shares[i].op;
}

void
step_generate (StepScenario *scenario,
               const char   *engine,
               Prng         *prng,
               unsigned      n_workers,
               unsigned      n_ops,
               unsigned      n_keys) {
  memset (scenario, 0, sizeof *scenario);
  scenario->engine = engine;
  scenario->seed = prng_next (prng);
  scenario->is_promoted = prng_below (prng, 4) != 0;
  for (unsigned key = 0; key < n_keys; key++)
    if (prng_below (prng, 3) != 0)
      scenario->preload[scenario->n_preload++]
          = (StepPair){ key, 10 + (int64_t)key };

  scenario->n_workers = n_workers;
  for (unsigned i = 0; i < n_workers; i++) {
    scenario->n_ops[i] = n_ops;
    for (unsigned j = 0; j < n_ops; j++)
      scenario->ops[i][j] = (StepOp){
        .op = draw_op (prng),
        .key = (int64_t)prng_below (prng, n_keys),
        .value = 100 * ((int64_t)i + 1) + j,
        .old = 10 + (int64_t)prng_below (prng, n_keys),
      };
  }
}
