/* SPDX-License-Identifier: GPL-3.0-or-later */

/* pile.h — a list that grows at its end and never moves what it holds
 *
 * Items lie in chunks of 256 that are found through two tables of 256 pointers.
 * One thread adds; others may read any item that they were told of (by a count
 * taken under the owner's lock) while it adds further ones. A chunk nobody wrote
 * into takes no memory: all its items are zero.
 *
 * Threads     chunk and table pointers are set with release by the one who adds
 *             and read with acquire by pile_get(): a reader may look for an item
 *             of a chunk that is being made for a later one.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define PILE_BITS 8
#define PILE_SIDE (1u << PILE_BITS)

typedef struct {
  gsize    size; /* of an item */
  gpointer top;  /* PILE_SIDE pointers to as many pointers to chunks */
} Pile;

static inline void
pile_init (Pile *self,
           gsize size) {
  self->size = size;
  self->top = NULL;
}

/* NULL: nothing was put into its chunk. */
static inline gconstpointer
pile_get (const Pile *self,
          guint64     index) {
  gpointer *table = __atomic_load_n (&self->top, __ATOMIC_ACQUIRE);

  if (table != NULL)
    table = __atomic_load_n (&table[index >> 2 * PILE_BITS & (PILE_SIDE - 1)],
                             __ATOMIC_ACQUIRE);
  if (table != NULL)
    table = __atomic_load_n (&table[index >> PILE_BITS & (PILE_SIDE - 1)],
                             __ATOMIC_ACQUIRE);
  return table != NULL
             ? (guint8 *)table + (index & (PILE_SIDE - 1)) * self->size
             : NULL;
}

static inline gpointer
pile_link (gpointer *place,
           gsize     bytes) {
  /* Plain: the caller alone writes it. */
  if (*place == NULL)
    __atomic_store_n (place, g_malloc0 (bytes), __ATOMIC_RELEASE);
  return *place;
}

/* The item to be written, by the one who adds; NULL: beyond all bounds. */
static inline gpointer
pile_make (Pile   *self,
           guint64 index) {
  gsize bytes = PILE_SIDE * sizeof (gpointer);
  gpointer *table;
  guint8 *chunk;

  if (index >> 3 * PILE_BITS != 0)
    return NULL;
  table = pile_link (&self->top, bytes);
  table = pile_link (&table[index >> 2 * PILE_BITS], bytes);
  chunk = pile_link (&table[index >> PILE_BITS & (PILE_SIDE - 1)],
                     PILE_SIDE * self->size);
  return chunk + (index & (PILE_SIDE - 1)) * self->size;
}

/* What it takes; called by the one who adds. */
static inline gsize
pile_bytes (const Pile *self) {
  gpointer **top = self->top;
  gsize bytes = top != NULL ? PILE_SIDE * sizeof (gpointer) : 0;

  for (guint i = 0; top != NULL && i < PILE_SIDE; i++) {
    bytes += top[i] != NULL ? PILE_SIDE * sizeof (gpointer) : 0;
    for (guint k = 0; top[i] != NULL && k < PILE_SIDE; k++)
      bytes += top[i][k] != NULL ? PILE_SIDE * self->size : 0;
  }
  return bytes;
}

static inline void
pile_clear (Pile *self) {
  gpointer **top = self->top;

  for (guint i = 0; top != NULL && i < PILE_SIDE; i++) {
    for (guint k = 0; top[i] != NULL && k < PILE_SIDE; k++)
      g_free (top[i][k]);
    g_free (top[i]);
  }
  g_free (top);
  self->top = NULL;
}

G_END_DECLS
