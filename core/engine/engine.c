/* SPDX-License-Identifier: GPL-3.0-or-later */

/* engine.c — one face for every map: the registry, threads, texts
 *
 * An engine is a class of functions; this file lists them and does what is the
 * same for all. The order of the list is the order in which they are offered.
 */

#include "core/engine/engine.h"

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
  return klass->create (klass, config);
}

void
engine_free (MapEngine *map) {
  if (map != NULL)
    map->klass->destroy (map);
}

bool
engine_enter_thread (MapEngine    *map,
                     EngineThread *thread,
                     uint16_t      index) {
  *thread = (EngineThread){ .map = map, .index = index };
  prng_init (&thread->prng, prng_split (map->config.seed, index));
  if (map->reclaim == NULL)
    return true;
  thread->reclaim = reclaim_register (map->reclaim, index);
  return thread->reclaim != NULL;
}

void
engine_leave_thread (EngineThread *thread) {
  if (thread->reclaim != NULL)
    reclaim_unregister (thread->reclaim);
  thread->reclaim = NULL;
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
