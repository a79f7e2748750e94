/* SPDX-License-Identifier: GPL-3.0-or-later */

/* chunk-pool.c — memory for chunks of states, in huge pages
 *
 * Idea        A state of a million slots is tens of megabytes in chunks of about
 *             a kibibyte that events touch at random. In pages of 4 KiB each
 *             touch costs a walk through page tables, more than the event itself;
 *             in pages of 2 MiB hardly any does. So chunks come from slabs of
 *             that size, each of chunks of one size, with a list of the free ones.
 *
 * Layout      A slab begins with its head, and its address is a multiple of its
 *             size: a chunk's slab is found by rounding down. The head has a bit
 *             for each chunk, set while it is free: taking many chunks touches
 *             none of them, where a list through them would be a miss each. The
 *             slabs of a size that have room are in a list; others are in none.
 *
 * Ready       A few empty slabs are kept: memory that the kernel has yet to clear
 *             would cost a restored state more than writing it, and more than ten
 *             times as much on a virtual machine whose host has to find it first.
 *             Who has time may have more made ready, and who knows what will be
 *             wanted again has so much kept. Room in slabs that are in use
 *             serves as well: where there is enough of it no slab is kept.
 *             The first slabs of a size begin in plain pages, of which only those
 *             in use count: most maps are small. Once half of one is in use it is
 *             moved to a huge page.
 *
 * System      A slab is a mapping of its own, and given back as one: once malloc()
 *             has seen blocks of this size freed, it keeps the next ones in its
 *             arenas, where whatever lies between two of them holds both.
 *
 * Threads     One lock, held for a few words: never while the kernel is asked for a
 *             slab, or clears one that is touched for the first time. Sanitizers see
 *             plain allocations.
 */
#include "core/state/chunk-pool.h"

#include "core/base/sanitized.h"

#include <pthread.h>
#include <sys/mman.h>

#define SLAB_BYTES ((gsize)2 << 20)
#define SLAB_HEAD 632u /* see round_up() */
#define SLAB_WORDS 64u
/* Free choices: what lies ready where nobody knows better; what a small map needs. */
#define MAX_READY 40u
#define N_PLAIN 2u

#define IS_PLAIN (HAS_ASAN || HAS_TSAN)

/* Since Linux 6.1, which the C library may not know; earlier kernels refuse it, and
 * move the pages when they find the time. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

typedef struct _Slab {
  struct _Slab *next, *previous; /* among those with room */
  guint   n_used;
  guint   first; /* no word before it has a bit */
  guint   is_plain;
  guint64 free[SLAB_WORDS];
} Slab;
G_STATIC_ASSERT (sizeof (Slab) <= SLAB_HEAD - CHUNK_POOL_BEFORE
                 && SLAB_HEAD % CHUNK_POOL_LINE == CHUNK_POOL_BEFORE);
G_STATIC_ASSERT ((SLAB_BYTES - SLAB_HEAD) / CHUNK_POOL_MIN <= SLAB_WORDS * 64);

typedef struct {
  gsize size;
  guint n_in_slab;
  Slab *with_room;
  guint n_slabs;
} SizeClass;

/* Guards all below. Who finds it taken by a thread that frees a state, chunk after
 * chunk, would sleep far longer than it is held: it is worth a few looks more. */
#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP
static pthread_mutex_t lock = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
#else
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
#endif
static SizeClass classes[CHUNK_POOL_CLASSES];
static Slab *ready;
static guint n_ready;
static gsize room; /* bytes of the free chunks of slabs in use */
static gsize most_ready = MAX_READY * SLAB_BYTES; /* that and room, at the most */

static SizeClass *
find_class_locked (gsize size) {
  guint i = 0;

  while (classes[i].size != size && classes[i].size != 0)
    if (++i == CHUNK_POOL_CLASSES)
      g_error ("too many sizes of chunks");
  if (classes[i].size == 0) {
    classes[i].size = size;
    classes[i].n_in_slab = (guint)((SLAB_BYTES - SLAB_HEAD) / size);
  }
  return &classes[i];
}

static void
link_locked (SizeClass *class,
             Slab      *slab) {
  slab->next = class->with_room;
  slab->previous = NULL;
  if (slab->next != NULL)
    slab->next->previous = slab;
  class->with_room = slab;
}

static void
unlink_locked (SizeClass *class,
               Slab      *slab) {
  if (slab->previous != NULL)
    slab->previous->next = slab->next;
  else
    class->with_room = slab->next;
  if (slab->next != NULL)
    slab->next->previous = slab->previous;
}

/* The mapping is made longer by a slab, and what lies before and after the multiple
 * of its size in it is given back. NULL: there is no memory. */
static Slab *
make_slab (gboolean is_plain) {
  guint8 *start = mmap (NULL, 2 * SLAB_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  gsize before = -(guintptr)start & (SLAB_BYTES - 1);

  if (start == MAP_FAILED)
    return NULL;
  if (before != 0)
    munmap (start, before);
  munmap (start + before + SLAB_BYTES, SLAB_BYTES - before);
  start += before;
  if (!is_plain)
    madvise (start, SLAB_BYTES, MADV_HUGEPAGE);
  /* A huge page is cleared here, all of it. */
  ((Slab *)(gpointer)start)->is_plain = is_plain;
  return (gpointer)start;
}

/* Needs no lock: advice about memory that was given back meanwhile is void, and what
 * another thread writes there is moved along. */
static void
make_huge (Slab *slab) {
  madvise (slab, SLAB_BYTES, MADV_HUGEPAGE);
  madvise (slab, SLAB_BYTES, MADV_COLLAPSE);
}

/* Without asking the kernel. */
static gsize
bytes_to_take_locked (void) {
  return n_ready * SLAB_BYTES + room;
}

static void
put_ready_locked (Slab *slab) {
  slab->next = ready;
  ready = slab;
  n_ready++;
}

/* Sees to it that @class has room, or a slab is ready. The lock is held but while one
 * is made. */
static void
make_room_locked (SizeClass *class) {
  while (class->with_room == NULL && ready == NULL) {
    gboolean is_plain = class->n_slabs < N_PLAIN;
    Slab *slab;

    pthread_mutex_unlock (&lock);
    slab = make_slab (is_plain);
    if (slab == NULL)
      g_error ("no memory for the state of a map");
    pthread_mutex_lock (&lock);
    put_ready_locked (slab);
  }
}

static Slab *
add_slab_locked (SizeClass *class) {
  Slab *slab = ready;

  ready = slab->next;
  n_ready--;
  class->n_slabs++;
  room += class->n_in_slab * class->size;
  slab->n_used = 0;
  slab->first = 0;
  for (guint i = 0, n = class->n_in_slab; i < SLAB_WORDS; i++) {
    slab->free[i] = n >= 64 ? G_MAXUINT64 : (G_GUINT64_CONSTANT (1) << n) - 1;
    n -= MIN (n, 64);
  }
  link_locked (class, slab);
  return slab;
}

/* Takes up to @n chunks from one slab; how many. *grown: a slab to be made huge. */
static guint
take_locked (SizeClass *class,
             guint      n,
             gpointer  *chunks,
             Slab     **grown) {
  guint n_taken = 0;
  Slab *slab;

  make_room_locked (class);
  slab = class->with_room != NULL ? class->with_room : add_slab_locked (class);
  n = MIN (n, class->n_in_slab - slab->n_used);
  while (n_taken < n) {
    guint64 word = slab->free[slab->first];

    for (; word != 0 && n_taken < n; word &= word - 1)
      chunks[n_taken++]
          = (guint8 *)slab + SLAB_HEAD
            + (slab->first * 64 + (guint)__builtin_ctzll (word)) * class->size;
    slab->free[slab->first] = word;
    slab->first += word == 0;
  }
  slab->n_used += n;
  room -= n * class->size;
  if (*grown == NULL && slab->is_plain && slab->n_used > class->n_in_slab / 2) {
    slab->is_plain = FALSE;
    *grown = slab;
  }
  if (slab->n_used == class->n_in_slab)
    unlink_locked (class, slab);
  return n;
}

/* To whole lines of the cache. What follows the 8 bytes that a chunk begins with
 * so lies at the beginning of one. */
static gsize
round_up (gsize size) {
  return (size + 63) & ~(gsize)63;
}

gboolean
chunk_pool_has_line (gsize size) {
  return !IS_PLAIN && round_up (size) - size >= CHUNK_POOL_BEFORE;
}

gpointer
chunk_pool_take (gsize size) {
  gpointer chunk;

  chunk_pool_take_many (size, 1, &chunk);
  return chunk;
}

void
chunk_pool_take_many (gsize     size,
                      guint     n,
                      gpointer *chunks) {
  SizeClass *class;
  Slab *grown = NULL;

  if (IS_PLAIN) {
    for (guint i = 0; i < n; i++)
      chunks[i] = g_malloc (size);
    return;
  }
  pthread_mutex_lock (&lock);
  class = find_class_locked (round_up (size));
  for (guint i = 0; i < n;)
    i += take_locked (class, n - i, chunks + i, &grown);
  pthread_mutex_unlock (&lock);
  if (grown != NULL)
    make_huge (grown);
}

void
chunk_pool_give (gpointer chunk,
                 gsize    size) {
  Slab *slab = (Slab *)((guintptr)chunk & ~(guintptr)(SLAB_BYTES - 1));
  guint32 offset = (guint32)((guintptr)chunk & (SLAB_BYTES - 1)) - SLAB_HEAD;
  guint index = offset / (guint32)round_up (size);
  SizeClass *class;
  Slab *empty = NULL;

  if (IS_PLAIN) {
    g_free (chunk);
    return;
  }
  pthread_mutex_lock (&lock);
  class = find_class_locked (round_up (size));
  if (slab->n_used == class->n_in_slab)
    link_locked (class, slab);
  slab->free[index / 64] |= G_GUINT64_CONSTANT (1) << index % 64;
  slab->first = MIN (slab->first, index / 64);
  room += class->size;
  if (--slab->n_used == 0) {
    unlink_locked (class, slab);
    class->n_slabs--;
    room -= class->n_in_slab * class->size;
    if (bytes_to_take_locked () < most_ready)
      put_ready_locked (slab);
    else
      empty = slab;
  }
  pthread_mutex_unlock (&lock);
  if (empty != NULL)
    munmap (empty, SLAB_BYTES);
}

gboolean
chunk_pool_has_ready (gsize bytes) {
  gboolean result;

  pthread_mutex_lock (&lock);
  result = bytes_to_take_locked () >= bytes;
  pthread_mutex_unlock (&lock);
  return IS_PLAIN || result;
}

void
chunk_pool_prepare (gsize bytes) {
  Slab *slab;

  pthread_mutex_lock (&lock);
  bytes = MIN (bytes + CHUNK_POOL_CLASSES * SLAB_BYTES, most_ready);
  pthread_mutex_unlock (&lock);
  while (!chunk_pool_has_ready (bytes) && (slab = make_slab (FALSE)) != NULL) {
    /* Each page, should they be small ones. */
    for (gsize at = 0; at < SLAB_BYTES; at += 4096)
      ((volatile guint8 *)slab)[at] = 0;
    pthread_mutex_lock (&lock);
    put_ready_locked (slab);
    pthread_mutex_unlock (&lock);
  }
}

void
chunk_pool_keep (gsize bytes) {
  pthread_mutex_lock (&lock);
  most_ready = MAX (bytes, MAX_READY * SLAB_BYTES);
  pthread_mutex_unlock (&lock);
}

void
chunk_pool_trim (gsize keep_bytes) {
  Slab *slab = NULL, *next;

  pthread_mutex_lock (&lock);
  while (n_ready > 0 && bytes_to_take_locked () > keep_bytes) {
    next = ready->next;
    ready->next = slab;
    slab = ready;
    ready = next;
    n_ready--;
  }
  pthread_mutex_unlock (&lock);
  for (; slab != NULL; slab = next) {
    next = slab->next;
    munmap (slab, SLAB_BYTES);
  }
}
