/* SPDX-License-Identifier: GPL-3.0-or-later */

/* engine.c — one face for every map: the registry, threads, texts
 *
 * An engine is a class of functions; this file lists them and does what is the
 * same for all. The order of the list is the order in which they are offered.
 */

#include "core/engine/engine.h"

#include "core/base/alloc.h"
#include "core/engine/engine-private.h"
#include "core/engine/syncmap.h"

#include <string.h>

const EngineClass *const *
engine_classes (void) {
  static const EngineClass *const classes[] = {
    &syncmap_class,
    &mutexmap_class,
    &rwmap_class,
    &shardmap_class,
    &viewmap_class,
    &gomap_class,
    NULL,
  };

  return classes;
}

const EngineClass *
engine_class_find (const char *name) {
  const EngineClass *const *classes = engine_classes ();

  while (*classes != NULL && strcmp ((*classes)->name, name) != 0)
    classes++;
  return *classes;
}

MapEngine *
engine_new (const EngineClass  *klass,
            const EngineConfig *config) {
  MapEngine *map = klass->create (klass, config);

  if (map != NULL)
    sync_mutex_init (&map->tallies_mutex);
  return map;
}

void
engine_free (MapEngine *map) {
  if (map == NULL)
    return;
  sync_mutex_clear (&map->tallies_mutex);
  map->klass->destroy (map);
}

bool
engine_enter_thread (MapEngine    *map,
                     EngineThread *thread,
                     uint16_t      index) {
  *thread = (EngineThread){ .map = map, .index = index };
  prng_init (&thread->prng, prng_split (map->config.seed, index));
  thread->tally = alloc_zeroed (sizeof *thread->tally);
  if (thread->tally == NULL)
    return false;
  if (map->reclaim != NULL) {
    thread->reclaim = reclaim_register (map->reclaim, index);
    if (thread->reclaim == NULL) {
      alloc_free (thread->tally, sizeof *thread->tally);
      thread->tally = NULL;
      return false;
    }
  }
  sync_mutex_lock (&map->tallies_mutex, SYNC_LABEL ("lock tallies"));
  thread->tally->next = map->tallies;
  map->tallies = thread->tally;
  sync_mutex_unlock (&map->tallies_mutex, SYNC_LABEL ("unlock tallies"));
  return true;
}

static void
add_tally (EngineTally       *sum,
           const EngineTally *tally) {
  for (unsigned op = 0; op < OP_N_KINDS; op++)
    for (unsigned outcome = 0; outcome < ENGINE_OUTCOMES; outcome++)
      sync_count_add (&sum->n_ops[op][outcome],
                      sync_count_get (&tally->n_ops[op][outcome]));
  sync_count_add (&sum->n_misuses, sync_count_get (&tally->n_misuses));
  sync_count_add (&sum->n_cas_retries, sync_count_get (&tally->n_cas_retries));
  for (unsigned i = 0; i < ENGINE_HISTOGRAM_N; i++) {
    sync_count_add (&sum->lock_waits[i], sync_count_get (&tally->lock_waits[i]));
    sync_count_add (&sum->lock_holds[i], sync_count_get (&tally->lock_holds[i]));
  }
}

void
engine_leave_thread (EngineThread *thread) {
  if (thread->reclaim != NULL)
    reclaim_unregister (thread->reclaim);
  thread->reclaim = NULL;
  if (thread->tally == NULL)
    return;

  MapEngine *map = thread->map;
  EngineTally **link = &map->tallies;

  sync_mutex_lock (&map->tallies_mutex, SYNC_LABEL ("lock tallies"));
  while (*link != thread->tally)
    link = &(*link)->next;
  *link = thread->tally->next;
  add_tally (&map->left, thread->tally);
  sync_mutex_unlock (&map->tallies_mutex, SYNC_LABEL ("unlock tallies"));
  alloc_free (thread->tally, sizeof *thread->tally);
  thread->tally = NULL;
}

void
engine_get_stats (MapEngine   *map,
                  EngineStats *stats) {
  EngineTally sum = { 0 };

  map->klass->get_stats (map, stats);
  sync_mutex_lock (&map->tallies_mutex, SYNC_LABEL ("lock tallies"));
  add_tally (&sum, &map->left);
  for (const EngineTally *tally = map->tallies; tally != NULL;
       tally = tally->next)
    add_tally (&sum, tally);
  sync_mutex_unlock (&map->tallies_mutex, SYNC_LABEL ("unlock tallies"));
  memset (stats->n_ops, 0, sizeof stats->n_ops);
  memset (stats->n_ok, 0, sizeof stats->n_ok);
  stats->n_in_read = 0;
  for (unsigned op = 0; op < OP_N_KINDS; op++)
    for (unsigned outcome = 0; outcome < ENGINE_OUTCOMES; outcome++) {
      uint64_t n = sync_count_get (&sum.n_ops[op][outcome]);

      stats->n_ops[op] += n;
      stats->n_ok[op] += (outcome & OP_PATH_OK) != 0 ? n : 0;
      stats->n_in_read += (outcome & OP_PATH_IN_READ) != 0 ? n : 0;
    }
  stats->n_misuses = sync_count_get (&sum.n_misuses);
  stats->n_cas_retries = sync_count_get (&sum.n_cas_retries);
  for (unsigned i = 0; i < ENGINE_HISTOGRAM_N; i++) {
    stats->lock_waits[i] = sync_count_get (&sum.lock_waits[i]);
    stats->lock_holds[i] = sync_count_get (&sum.lock_holds[i]);
  }
}

const char *
engine_error_text (const EngineThread *thread) {
  switch (thread->error) {
  case ENGINE_ERROR_NONE:
    return "";
  case ENGINE_ERROR_NO_MEMORY:
    return "out of memory";
  case ENGINE_ERROR_MISUSE:
    return misuse_kind_text (thread->misuse);
  }
  return "";
}
