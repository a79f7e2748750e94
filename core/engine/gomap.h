/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap.h — Go's built-in map up to 1.23, as a bucket table for other engines
 *
 * The table itself (Go's hmap). The engines `gomap` and `mutexmap` wrap one;
 * `syncmap` uses it for read and dirty with entry pointers as elements. The
 * algorithm, its constants and its invariants are told in gomap.c.
 *
 * Threads: one writer at a time and no reader beside it, which the caller
 * arranges (a lock, or one owner). A table that is no longer written to may be
 * read by any number of threads: gomap_find() (gomap-find-private.h) and walks without
 * GOMAP_ITER_MARKS change nothing in it.
 */
#pragma once

#include "core/engine/gomap-bucket.h"
#include "core/probe/dump.h"

#define GOMAP_MAX_B 28 /* bucket indices fit 31 bits with overflow to spare */

typedef struct _GoArray GoArray; /* main buckets, then overflow by index */
typedef struct _GoHome GoHome;   /* the array of a table of one bucket */

/* What a lock guards, and the version of its structure: see event.h. */
typedef struct {
  uint32_t id;
  uint32_t version; /* guarded by that lock */
} GoDomain;

typedef struct {
  const Hash *hash;
  GoDomain   *domain;
  Prng       *prng;  /* seeds, and noverflow from B = 16 on; guarded alike */
  unsigned    flags; /* TABLE_HOLDS_ENTRIES | TABLE_WIPES_OLD */
  uint16_t    id;    /* table id in events */
  const EngineHooks *hooks; /* NULL: none */
  GoHome     *home;  /* for the first array at B = 0; NULL: it is allocated */
  /* The id that events give for an element; NULL: the value that it is. */
  uint64_t  (*elem_id) (uint64_t elem);
} GoMapConfig;

typedef struct {
  int64_t     count;
  uint8_t     flags; /* GOMAP_FLAG_* */
  uint8_t     B;

  uint32_t    noverflow;
  uint64_t    hash0;
  GoArray    *buckets;    /* NULL until the first assignment when B is 0 */
  GoArray    *oldbuckets; /* NULL unless growing */
  uint64_t    nevacuate;
  uint32_t    created_ver; /* domain version of its EVENT_TABLE_CREATED */
  GoMapConfig config;
  uint64_t    n_growths;
  uint64_t    n_same_size_growths;
  uint64_t    n_evacuated;
  bool        is_misused; /* a write found hashWriting as it must not be */
  MisuseKind  misuse;     /* the last one; the engine clears is_misused */
  MisusePlace misuse_place;
} GoMap;

/* What an assignment did. */
typedef enum {
  GOMAP_FOUND,    /* the key was there */
  GOMAP_INSERTED, /* the key is new */
  GOMAP_NO_MEMORY, /* nothing changed, though buckets may have moved */
  GOMAP_MISUSED    /* another write was under way: nothing changed */
} GoMapOutcome;

/* Makes an empty table for @hint keys and tells its creation. @seed: 0 takes
 * one from config->prng. false when there is no memory; nothing to clear. */
bool gomap_init  (GoMap             *map,
                  const GoMapConfig *config,
                  uint64_t           hint,
                  uint64_t           seed);
/* The same for a map that was finished, with the config that it has. */
bool gomap_renew (GoMap             *map,
                  uint64_t           hint,
                  uint64_t           seed);
/* Frees the arrays, but for a home. Tells nothing. */
void gomap_finish (GoMap            *map);

/* Go's mapassign followed by the caller's store of @elem: grows, moves and
 * inserts as needed, tells SLOT_WRITTEN or SLOT_UPDATED. When @keep_found and
 * the key is there, the element stays. @found (nullable) gets the old element.
 * Of @elem the low GOMAP_ELEM_BITS are kept (gomap-bucket.h).
 * @path (nullable): OP_PATH_NEW_KEY, _GREW, _MOVED are or-ed in. */
GoMapOutcome gomap_assign (GoMap    *map,
                           int64_t   key,
                           uint64_t  elem,
                           bool      keep_found,
                           uint64_t *found,
                           unsigned *path);

/* The same for a key that is not there, of which the caller has @hash since the
 * map was last changed: nothing is hashed, and most often nothing is sought. */
GoMapOutcome gomap_insert (GoMap    *map,
                           int64_t   key,
                           uint64_t  hash,
                           uint64_t  elem,
                           unsigned *path);

/* The late half of an assignment whose address may be stale: stores @elem where
 * the key is now, and tells SLOT_UPDATED. A chain that a growth has not reached
 * yet is moved first. false: somebody took the key out. */
bool gomap_set_elem (GoMap    *map,
                     int64_t   key,
                     uint64_t  elem);

/* true: the key was there, *elem (nullable) is what it held. Needs no memory:
 * a growth sets aside what its evacuations can need when it starts. */
bool gomap_delete (GoMap    *map,
                   int64_t   key,
                   uint64_t *elem,
                   unsigned *path);

/* Go's mapclear, in place. false only when the map is misused. */
bool gomap_clear  (GoMap    *map);

/* Which elements, addresses of 16 bytes each, may have to stay behind: a bit for
 * each, found by its address. Two may share a bit; so one that is set is a doubt and
 * no more. words NULL: there is none. */
typedef struct {
  uint64_t *words;
  uint32_t  mask; /* of a word's number */
} GoDoubts;

static inline void
godoubts_add (GoDoubts *doubts,
              uint64_t  elem) {
  doubts->words[elem >> 10 & doubts->mask] |= (uint64_t)1 << (elem >> 4) % 64;
}

/* From the low half of the element alone. */
static inline bool
godoubts_has (const GoDoubts *doubts,
              uint32_t        elem_low) {
  return doubts->words[elem_low >> 10 & doubts->mask] >> (elem_low >> 4) % 64 & 1;
}

/* Packs the kept elements of @source, which nobody writes to, into @map, an
 * empty table of the same B, hash and seed that is not growing, chain by chain
 * and without hashing; tells BUCKET_COPIED. @keep says whether an element goes
 * along; it is asked once per live slot that @doubts has, of all when that is
 * NULL; the others go along. false when there is no memory. */
bool gomap_copy_packed (GoMap          *map,
                        const GoMap    *source,
                        const GoDoubts *doubts,
                        bool          (*keep) (uint64_t elem, void *data),
                        void           *data);

/* Calls @visit for each live slot, in no order; a growing table's too. Tells
 * nothing. */
void gomap_visit (const GoMap *map,
                  void       (*visit) (int64_t key, uint64_t elem, void *data),
                  void        *data);

/* Iteration: Go's mapiterinit / mapiternext. */
#define GOMAP_ITER_MARKS 1u /* set the iterator flags (needs the write lock) */
#define GOMAP_ITER_TELLS 2u /* tell RANGE_WALKED */

typedef struct {
  const GoMap   *map;
  const GoArray *buckets; /* the array it began with */
  const GoArray *walked;  /* the array of the chain under way */
  uint64_t       start_bucket;
  uint64_t       bucket;
  uint64_t       check_bucket;
  uint32_t       id;      /* iterator id in events */
  uint32_t       current; /* bucket index in the chain under way */
  uint8_t        offset;
  uint8_t        i;
  uint8_t        B;
  bool           wrapped;
  bool           walks_old;
  bool           is_done;
  bool           is_misused; /* stopped: a write was under way */
  bool           is_untold;  /* the bucket under way was not told yet */
  uint8_t        todo;    /* slots of the bucket under way that are known to give
                           * pairs, by place in the walk; gomap_iter_next() */
  const GoBucket *bucket_now; /* that todo is about */
  unsigned       options;
  uint8_t        seen;    /* RANGE_WALKED masks of the bucket under way */
  uint8_t        deleted;
  uint8_t        expunged;
  uint8_t        other_half;
  uint32_t       domain_version;
  uint64_t       n_visited;
  int64_t        key;     /* the current pair, when next returned true */
  uint64_t       elem;
} GoIter;

/* The id of an iterator, or a snapshot, of the map that counts them in @last. Never
 * 0, which is that of a Range whose walk is not told. */
static inline uint32_t
gomap_number_iterator (SyncWord *last) {
  uint64_t n = sync_word_add (last, 1, SYNC_LABEL ("number the iterator"));

  return 1 + (uint32_t)(n % UINT32_MAX);
}

/* @random: what Go draws; the low B bits are the start bucket, the next three
 * the slot offset. Does not step. */
void gomap_iter_begin (GoIter      *iter,
                       GoMap       *map,
                       uint64_t     random,
                       unsigned     options,
                       uint32_t     id,
                       uint32_t     domain_version);
/* The next pair by all rules; false: the end, told and released; no call but
 * gomap_iter_end() may follow. */
bool gomap_iter_search (GoIter     *iter);

/* The same: in a table that nobody writes to the slots of a bucket are known once
 * it is entered. */
static inline bool
gomap_iter_next (GoIter *iter) {
  unsigned place, slot;

  if (iter->todo == 0)
    return gomap_iter_search (iter);
  place = (unsigned)__builtin_ctz (iter->todo);
  slot = (place + iter->offset) % BUCKET_SLOTS;
  iter->todo &= (uint8_t)(iter->todo - 1);
  iter->i = (uint8_t)(place + 1);
  iter->seen |= (uint8_t)(1u << slot);
  iter->n_visited++;
  iter->key = iter->bucket_now->keys[slot];
  iter->elem = gobucket_elem (iter->bucket_now, slot);
  return true;
}

/* The pair just given turned out to be a deleted or expunged entry: it counts
 * as skipped in the next RANGE_WALKED. */
void gomap_iter_skip  (GoIter      *iter,
                       bool         is_expunged);
/* Tells what is still untold of the bucket under way. */
void gomap_iter_flush (GoIter      *iter);
/* Lets go of the arrays that an iterator with GOMAP_ITER_MARKS keeps alive
 * through growths. Needed when it stops before its end (and harmless after);
 * without GOMAP_ITER_MARKS it does nothing. */
void gomap_iter_end   (GoIter      *iter);

/* Invariants of the step checker: G1 … in gomap-check.c. */
size_t gomap_check (const GoMap *map,
                    EngineReport report,
                    void        *data);

/* The table through @sink; @dump_elem writes one live slot. */
void gomap_dump (const GoMap *map,
                 const char  *role,
                 DumpSink    *sink,
                 void       (*dump_elem) (DumpSink *sink, unsigned slot,
                                          int64_t key, uint64_t elem));

size_t gomap_bytes        (const GoMap *map);
/* Of the linked buckets alone, not of those that lie ready. */
size_t gomap_linked_bytes (const GoMap *map);

/* For siblings and tests: the array behind the table. */
uint64_t        goarray_n_main    (const GoArray *array);
uint64_t        goarray_n_buckets (const GoArray *array);
const GoBucket *goarray_bucket    (const GoArray *array,
                                   uint32_t       index);
