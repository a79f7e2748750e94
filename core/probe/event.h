/* SPDX-License-Identifier: GPL-3.0-or-later */

/* event.h — the facts an engine tells about itself
 *
 * An event is a past-tense fact: one change of state, or one thing a thread did.
 * The events of a run, in the order the recorder gives them, rebuild the map's
 * memory slot by slot; nothing else is drawn.
 *
 * Terms       slot address   bucket index * 8 + slot. Bucket indices count the
 *                            main buckets first, then the overflow buckets in
 *                            the order in which they were linked.
 *             table          one bucket table (Go's hmap): header, buckets and,
 *                            while growing, oldbuckets. Its 16-bit id is used
 *                            again only after EVENT_TABLE_FREED.
 *             entry          one sync.Map entry: a 64-bit word changed by CAS
 *             domain         what one lock guards (or, in a map without a lock,
 *                            what its one user changes). All structural events
 *                            of a domain carry its version, so that their order
 *                            is exact whatever the clocks say.
 *
 * Order       Each kind has a gate. An event is merged when
 *               GATE_NONE      its thread's earlier events are merged
 *               GATE_DOMAIN    ver == the domain's version + 1
 *               GATE_ENTRY     ver == the entry's version + 1, both modulo
 *                              2^ENTRY_VERSION_BITS; a first event of an
 *                              entry (never seen) is taken as it is
 *               GATE_OBSERVES  b, a domain version, is not newer than the
 *                              domain's version
 *             LOCK_ACQUIRED also waits until as many LOCK_READ_RELEASED of its
 *             lock were merged as its a says: readers come before the writer
 *             that waited for them.
 *             The earliest of those goes first. The domain of a table is given by its
 *             EVENT_TABLE_CREATED; of a lock it is the lock's own id.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENTRY_VERSION_BITS 17
#define ENTRY_VERSION_MASK ((1u << ENTRY_VERSION_BITS) - 1)

/* X (NAME, "name", gate)        fields: res, ver, aux8, aux16, payload a, b */
#define EVENT_KINDS(X)                                                        \
  /* The run ------------------------------------------------------------- */ \
  /* res: role index in the scenario */                                       \
  X (THREAD_STARTED, "thread-started", GATE_NONE)                             \
  X (THREAD_ENDED, "thread-ended", GATE_NONE)                                 \
  /* res: phase index */                                                      \
  X (PHASE_BEGAN, "phase-began", GATE_NONE)                                   \
  /* Operations ---------------------------------------------------------- */ \
  /* aux8: OpKind; a: key; b: the new value, of a CAS too; both 0 where there \
   * is none; res, in a log: by how many ns the merge raised at_ns (UINT32_MAX: \
   * as many or more), so that the true begin is known; ver: 0 */             \
  X (OP_BEGAN, "op-began", GATE_NONE)                                         \
  /* aux8: OpKind; aux16: OpPath bits; a: value found or stored, pairs that a \
   * Range gave, the count of a Len; where Go returns nothing (store, delete, \
   * clear) any. b: the old value a compare-and-… was given, else 0; res: CAS \
   * that failed and were tried again; ver, in a log: by how many ns the merge \
   * raised at_ns, as above */                                                \
  X (OP_ENDED, "op-ended", GATE_NONE)                                         \
  /* operations that were counted, not told one by one: aux8: OpKind;         \
   * res: how many; ver: how many of them had OP_PATH_OK;                     \
   * a: how many had OP_PATH_IN_READ; b: CAS of theirs tried again */         \
  X (OPS_COUNTED, "ops-counted", GATE_NONE)                                   \
  /* Tables; aux16: table id; ver: domain version ------------------------ */ \
  /* aux8: B; res: TableFlag bits; a: hash seed; b: domain | HashKind << 32 */ \
  X (TABLE_CREATED, "table-created", GATE_DOMAIN)                             \
  /* the bucket array of a table that was created without one; aux8: B */     \
  X (TABLE_ALLOCATED, "table-allocated", GATE_DOMAIN)                         \
  /* res: the ver of its TABLE_CREATED, against reuse of the id; ver: 0 */    \
  X (TABLE_FREED, "table-freed", GATE_NONE)                                   \
  /* all slots empty, growth over, count 0; a: new seed */                    \
  X (TABLE_CLEARED, "table-cleared", GATE_DOMAIN)                             \
  /* a: new seed (the last key was deleted) */                                \
  X (TABLE_RESEEDED, "table-reseeded", GATE_DOMAIN)                           \
  /* aux8: flags (GOMAP_FLAG_*, never hashWriting) */                         \
  X (TABLE_FLAGS_CHANGED, "table-flags-changed", GATE_DOMAIN)                 \
  /* a new key: res: slot address in buckets; aux8: tophash; a: key;          \
   * b: value, or entry id when the table holds entries. A gomap of several   \
   * users writes 0 first: its value is an update, and may never come */      \
  X (SLOT_WRITTEN, "slot-written", GATE_DOMAIN)                               \
  /* an overwrite: res: slot address; a: key; b: value */                     \
  X (SLOT_UPDATED, "slot-updated", GATE_DOMAIN)                               \
  /* a delete: res: slot address; emptyOne then runs back to emptyRest by     \
   * Go's rule; count goes down by one */                                     \
  X (SLOT_CLEARED, "slot-cleared", GATE_DOMAIN)                               \
  /* res: index of the bucket that got a next one (always the next index) */  \
  X (OVERFLOW_LINKED, "overflow-linked", GATE_DOMAIN)                         \
  /* aux8: new B; res: 1 = same size. buckets become oldbuckets,              \
   * nevacuate and noverflow 0; iterator becomes oldIterator */               \
  X (GROWTH_STARTED, "growth-started", GATE_DOMAIN)                           \
  /* one bucket of an old chain moved: res: its index in oldbuckets;          \
   * aux8: mask of the slots that went to y; a: the chain's main index.       \
   * Live slots are appended in order, overflow linked when 8 are full */     \
  X (BUCKET_EVACUATED, "bucket-evacuated", GATE_DOMAIN)                       \
  /* res: main index in oldbuckets whose keys, elems and overflow were wiped  \
   * (tophash bytes stay) */                                                  \
  X (CHAIN_WIPED, "chain-wiped", GATE_DOMAIN)                                 \
  /* res: nevacuate after */                                                  \
  X (EVACUATION_ADVANCED, "evacuation-advanced", GATE_DOMAIN)                 \
  /* oldbuckets is nil, sameSizeGrow clear */                                 \
  X (GROWTH_ENDED, "growth-ended", GATE_DOMAIN)                               \
  /* noverflow changed at random (B >= 16): res: its value now */             \
  X (OVERFLOW_COUNTED, "overflow-counted", GATE_DOMAIN)                       \
  /* a bucket of read's chain packed into the new dirty table, whose id is    \
   * aux16: res: index in the source's buckets; aux8: mask of kept slots;     \
   * a: the chain's main index; b: source table id. Kept slots are appended   \
   * to the chain of the same main index; count goes up by the kept */        \
  X (BUCKET_COPIED, "bucket-copied", GATE_DOMAIN)                             \
  /* Entries; res: entry id; ver: entry version --------------------------- */ \
  /* a: value; of entries with versions: version id */                        \
  X (ENTRY_STORED, "entry-stored", GATE_ENTRY)                                \
  X (ENTRY_DELETED, "entry-deleted", GATE_ENTRY)                              \
  X (ENTRY_EXPUNGED, "entry-expunged", GATE_ENTRY)                            \
  /* back to nil */                                                           \
  X (ENTRY_UNEXPUNGED, "entry-unexpunged", GATE_ENTRY)                        \
  /* read and dirty; ver: domain version ---------------------------------- */ \
  /* an engine whose only table is aux16 (gomap, mutexmap) names it; one with \
   * many names each: aux8: 1; res: shard index */                            \
  X (TABLE_NAMED, "table-named", GATE_DOMAIN)                                 \
  /* read = aux16, not amended (the first one, or after Clear); dirty as is */ \
  X (READ_PUBLISHED, "read-published", GATE_DOMAIN)                           \
  /* dirty = aux16 (just created); res: len(read) to copy */                  \
  X (DIRTY_CREATED, "dirty-created", GATE_DOMAIN)                             \
  /* the copy is done: res: entries copied; a: entries expunged; b: its ns,   \
   * 0 = not measured */                                                      \
  X (DIRTY_COPIED, "dirty-copied", GATE_DOMAIN)                               \
  /* the copy found no memory: dirty (aux16) = nil again; what it expunged is  \
   * back, and the table is freed */                                          \
  X (DIRTY_DROPPED, "dirty-dropped", GATE_DOMAIN)                             \
  /* aux16: read, whose keys are no longer all that there are */              \
  X (READ_AMENDED, "read-amended", GATE_DOMAIN)                               \
  /* res: misses after, before any promotion */                               \
  X (MISS_COUNTED, "miss-counted", GATE_DOMAIN)                               \
  /* read = dirty (aux16), not amended; dirty = nil; misses = 0;              \
   * res: misses before; aux8: OpKind that caused it; b: its ns, 0 = not      \
   * measured */                                                              \
  X (DIRTY_PROMOTED, "dirty-promoted", GATE_DOMAIN)                           \
  /* misses = 0 without a promotion (Clear) */                                \
  X (MISSES_RESET, "misses-reset", GATE_DOMAIN)                               \
  /* Locks; res: lock id = domain id -------------------------------------- */ \
  /* the thread found the lock taken and waits; aux8: LockWait */             \
  X (LOCK_WAITED, "lock-waited", GATE_NONE)                                   \
  /* a: read sections of this lock that had ended by then, all of them, modulo \
   * 2^32 (0 for a lock that knows no readers); b: ns waited, 0 = it did not, \
   * or nothing is measured */                                                \
  X (LOCK_ACQUIRED, "lock-acquired", GATE_DOMAIN)                             \
  /* a: ns held, 0 = not measured */                                          \
  X (LOCK_RELEASED, "lock-released", GATE_DOMAIN)                             \
  /* Iteration; ver: iterator id, or the id of the snapshot that walks; 0: the \
   * walk is not told, so that nothing is known between its two ends. A thread \
   * ends the last of them that it began ---------------------------------- */ \
  /* aux16: table; res: start bucket; aux8: slot offset; a: keys the table    \
   * held; b: domain version seen */                                          \
  X (RANGE_BEGAN, "range-began", GATE_OBSERVES)                               \
  /* aux16: table; res: bucket index, bit 31 = of oldbuckets; aux8: mask of   \
   * visited slots; a: mask of slots skipped as deleted (nil) |               \
   * mask skipped as expunged << 8 | mask left to the other half << 16;       \
   * b: domain version seen */                                                \
  X (RANGE_WALKED, "range-walked", GATE_OBSERVES)                             \
  /* res: visited in all; aux8: 1 = stopped by the callback, or with the      \
   * snapshot before its end */                                               \
  X (RANGE_ENDED, "range-ended", GATE_NONE)                                   \
  /* Misuse --------------------------------------------------------------- */ \
  /* aux8: MisuseKind; aux16: table; res: MisusePlace; ver: OpKind + 1 of the \
   * operation, 0 = not known; a: key, 0 where none is known;                 \
   * b: index + 1 of a thread that was writing then, 0 = not known. At the exit \
   * of a write its change is made: see OP_PATH_ERROR */                      \
  X (MISUSE_DETECTED, "misuse-detected", GATE_NONE)                           \
  /* Read locks; res: lock id = domain id --------------------------------- */ \
  /* the thread is one of the readers now; a: ns waited, as above;            \
   * b: domain version seen */                                                \
  X (LOCK_READ_ACQUIRED, "lock-read-acquired", GATE_OBSERVES)                 \
  /* a: ns held, 0 = not measured */                                          \
  X (LOCK_READ_RELEASED, "lock-read-released", GATE_NONE)                     \
  /* Snapshots and views; ver: id ------------------------------------------ */ \
  /* a: version that it shows; b: keys it will look at, 0 for a view */       \
  X (SNAPSHOT_BEGAN, "snapshot-began", GATE_NONE)                             \
  /* res: pairs given; aux8: SnapshotState of the engine (1 = all of them; of \
   * a view: always left, none given) */                                      \
  X (SNAPSHOT_ENDED, "snapshot-ended", GATE_NONE)                             \
  /* Versions; res: version id, which is the value of its entry; ver:          \
   * generation: how often the id was used; a fact about an older one is void */ \
  /* not in a chain yet: aux8: 1 = says deleted; a: value; b: key */           \
  X (VERSION_WRITTEN, "version-written", GATE_NONE)                           \
  /* a: stamp */                                                              \
  X (VERSION_STAMPED, "version-stamped", GATE_NONE)                           \
  /* nobody will look at it any more, nor at what is behind it */             \
  X (VERSION_RETIRED, "version-retired", GATE_NONE)                           \
  /* later writes are stamped a or more; of no version: res, ver: 0 */        \
  X (WRITE_BARRIER, "write-barrier", GATE_NONE)                               \
  /* What a Range that is a span gave to its callback -------------------- */ \
  /* ver: iterator id; a: key; b: value. Only when iterations are told in     \
   * full: Probe.tells_yields */                                              \
  X (RANGE_YIELDED, "range-yielded", GATE_NONE)                               \
  /* What a snapshot gave to its owner ------------------------------------- */ \
  /* ver: snapshot id; a: key; b: value. Only as with RANGE_YIELDED */         \
  X (SNAPSHOT_GAVE, "snapshot-gave", GATE_NONE)                               \
  /* Operations told in brief ---------------------------------------------- */ \
  /* it is over, and when it began is not told: aux8: OpKind; aux16: OpPath   \
   * bits; res, ver: low and high half of the key (event_told_key()), 0 where \
   * there is none; a: CAS that failed and were tried again */                \
  X (OP_TOLD, "op-told", GATE_NONE)                                           \
  /* Dropping -------------------------------------------------------------- */ \
  /* told by the recorder of a run that drops: the thread dropped res events  \
   * (UINT32_MAX: as many or more) between a and b, times in ns like at_ns.   \
   * It stands where they are missing among the thread's events; but the log's \
   * first one comes before all that may lack one, and where its events are   \
   * missing then, another tells, with res 0 when all were counted. What      \
   * follows, of all threads, is in the order of its times and may have gaps */ \
  X (DROPPED, "dropped", GATE_NONE)

typedef enum {
  EVENT_NONE, /* never stored */
#define X(NAME, name, gate) EVENT_##NAME,
  EVENT_KINDS (X)
#undef X
  EVENT_TIME, /* in rings only: a: the thread's stamp, in full; b: how many of its
               * events were dropped before */
  EVENT_N_KINDS
} EventKind;

typedef enum {
  GATE_NONE,
  GATE_DOMAIN,
  GATE_ENTRY,
  GATE_OBSERVES,
} EventGate;

typedef enum {
  OP_LOAD,
  OP_STORE,
  OP_LOAD_OR_STORE,
  OP_LOAD_AND_DELETE,
  OP_DELETE,
  OP_SWAP,
  OP_COMPARE_AND_SWAP,
  OP_COMPARE_AND_DELETE,
  OP_RANGE,
  OP_CLEAR,
  OP_LEN,
  OP_N_KINDS
} OpKind;

/* How an operation went: aux16 of EVENT_OP_ENDED. */
typedef enum {
  OP_PATH_OK = 1 << 0,       /* loaded, stored over, swapped, deleted … */
  OP_PATH_IN_READ = 1 << 1,  /* the key was found in read */
  OP_PATH_AMENDED = 1 << 2,  /* read lacked the key and was amended */
  OP_PATH_LOCKED = 1 << 3,   /* took the lock */
  OP_PATH_IN_DIRTY = 1 << 4, /* found in dirty */
  OP_PATH_MISSED = 1 << 5,   /* counted a miss */
  OP_PATH_PROMOTED = 1 << 6, /* promoted dirty */
  OP_PATH_COPIED = 1 << 7,   /* made the dirty copy */
  OP_PATH_NEW_KEY = 1 << 8,  /* inserted a key */
  OP_PATH_GREW = 1 << 9,     /* started a growth */
  OP_PATH_MOVED = 1 << 10,   /* evacuated one or two buckets */
  OP_PATH_WAITED = 1 << 11,  /* waited for the lock */
  OP_PATH_ERROR = 1 << 12,   /* no memory or misuse; the map is unchanged, but
                              * for a misuse found at the end of a write */
  OP_PATH_IN_VIEW = 1 << 13, /* asked a view: what it found may be old */
} OpPath;

typedef enum {
  TABLE_HOLDS_ENTRIES = 1 << 0, /* elems are entry ids, not values */
  TABLE_WIPES_OLD = 1 << 1,     /* evacuated chains are wiped, as with pointers */
  TABLE_IS_LAZY = 1 << 2,       /* no bucket array yet (B = 0) */
  TABLE_HOLDS_VERSIONS = 1 << 3, /* the values of its entries are version ids */
} TableFlag;

/* What a thread waits for when it waits for a lock: aux8 of LOCK_WAITED. */
typedef enum {
  LOCK_WAIT_ALONE, /* its turn to hold it alone */
  LOCK_WAIT_READ,  /* the writer before it, to hold it with other readers */
  LOCK_WAIT_DRAIN, /* the readers inside to leave: it has its turn, and readers
                    * that come now wait behind it */
} LockWait;

/* Go's header flags. */
#define GOMAP_FLAG_ITERATOR 1u
#define GOMAP_FLAG_OLD_ITERATOR 2u
#define GOMAP_FLAG_HASH_WRITING 4u
#define GOMAP_FLAG_SAME_SIZE_GROW 8u

/* Go's tophash codes. */
#define TOPHASH_EMPTY_REST 0
#define TOPHASH_EMPTY_ONE 1
#define TOPHASH_EVACUATED_X 2
#define TOPHASH_EVACUATED_Y 3
#define TOPHASH_EVACUATED_EMPTY 4
#define TOPHASH_MIN 5

#define BUCKET_SLOTS 8

/* What a record takes in the engines' memory; they assert it. */
#define BUCKET_BYTES 128u
#define ENTRY_BYTES 16u
#define VERSION_BYTES 40u

#define RANGE_OLD_BUCKET (1u << 31)

typedef enum {
  MISUSE_CONCURRENT_WRITES,         /* "concurrent map writes" */
  MISUSE_CONCURRENT_READ_AND_WRITE, /* "concurrent map read and map write" */
  MISUSE_ITERATION_AND_WRITE, /* "concurrent map iteration and map write" */
} MisuseKind;

/* Which of Go's checks found it. */
typedef enum {
  MISUSE_AT_ENTRY, /* hashWriting was set when the operation began */
  MISUSE_AT_EXIT,  /* hashWriting was no longer set when a write ended */
  MISUSE_AT_STEP,  /* hashWriting was set at a step of an iteration */
} MisusePlace;

/* What an engine thread puts into its ring: 16 bytes, then, when the kind has
 * bit 7 set, 16 bytes of payload. An ENTRY_STORED of a small value, which is what
 * most stores tell, needs none: the value lies where its fields leave room, bits 0
 * to 14 in ver above the version, the next 16 in aux16, the last 8 in aux8: where
 * the low byte comes first, the second half is what an entry's word has above its
 * state, and the kind. */
typedef struct {
  uint32_t res;
  uint32_t dt;   /* stamps since this thread's previous event */
  uint32_t ver;
  uint16_t aux16;
  uint8_t  aux8;
  uint8_t  kind; /* EventKind | EVENT_HAS_PAYLOAD */
} RingEvent;
_Static_assert (sizeof (RingEvent) == 16, "a ring event is 16 bytes");

typedef struct {
  uint64_t a;
  uint64_t b;
} RingPayload;
_Static_assert (sizeof (RingPayload) == 16, "a payload is 16 bytes");

#define EVENT_HAS_PAYLOAD 0x80u

/* Values that fit into an event without payload: signed. */
#define RING_VALUE_BITS 39
#define RING_VALUE_VER_BITS (32 - ENTRY_VERSION_BITS)
_Static_assert (RING_VALUE_VER_BITS + 8 + 16 == RING_VALUE_BITS,
                "a small value fills what ver, aux8 and aux16 leave free");

/* In an event's second half, as a number. */
#define RING_KIND_SHIFT 56
#define RING_STORED_MASK (((uint64_t)1 << RING_KIND_SHIFT) - 1)
_Static_assert (ENTRY_VERSION_BITS + RING_VALUE_BITS == RING_KIND_SHIFT,
                "version and small value end where the kind begins");

static inline bool
ring_value_fits (int64_t value) {
  return (uint64_t)value + ((uint64_t)1 << (RING_VALUE_BITS - 1))
         < (uint64_t)1 << RING_VALUE_BITS;
}

/* An event as the log gives it back: merged, timed, whole. */
typedef struct {
  int64_t  at_ns;  /* since the log's start; never decreases in a log */
  uint64_t a;      /* payload, 0 without one */
  uint64_t b;
  uint32_t res;
  uint32_t ver;
  uint16_t thread; /* worker index; see event_thread_main below */
  uint16_t aux16;
  uint8_t  kind;   /* EventKind */
  uint8_t  aux8;
} Event;

/* What the owner of a ring told; when and who are the reader's to say. @payload:
 * NULL without one. Field by field, so that it can be put where it stays. */
static inline void
event_from_ring_to (Event             *event,
                    const RingEvent   *told,
                    const RingPayload *payload) {
  event->a = payload != NULL ? payload->a : 0;
  event->b = payload != NULL ? payload->b : 0;
  event->res = told->res;
  event->kind = (uint8_t)(told->kind & ~EVENT_HAS_PAYLOAD);
  if (told->kind == EVENT_ENTRY_STORED) {
    uint64_t bits = told->ver >> ENTRY_VERSION_BITS
                    | (uint64_t)told->aux16 << RING_VALUE_VER_BITS
                    | (uint64_t)told->aux8 << (RING_VALUE_VER_BITS + 16);
    uint64_t sign = (uint64_t)1 << (RING_VALUE_BITS - 1);

    event->a = (bits ^ sign) - sign;
    event->ver = told->ver & ENTRY_VERSION_MASK;
    event->aux8 = 0;
    event->aux16 = 0;
  } else {
    event->ver = told->ver;
    event->aux8 = told->aux8;
    event->aux16 = told->aux16;
  }
}

static inline Event
event_from_ring (const RingEvent   *told,
                 const RingPayload *payload) {
  Event event = { 0 };

  event_from_ring_to (&event, told, payload);
  return event;
}

/* The key of an OP_TOLD. */
static inline int64_t
event_told_key (const Event *event) {
  return (int64_t)((uint64_t)event->ver << 32 | event->res);
}

/* The thread that prepares the map and runs preloads. */
#define EVENT_THREAD_MAIN 0xffffu

/* "slot-written"; NULL for a number that is no kind. */
const char *event_kind_name (unsigned kind);
/* Whether the map's memory and all that the counters say can be known without
 * events of the kind, but for operations told one by one. */
static inline bool
event_kind_changes_nothing (unsigned kind) {
  return kind == EVENT_OP_BEGAN || kind == EVENT_OP_ENDED || kind == EVENT_OP_TOLD
         || kind == EVENT_LOCK_WAITED || kind == EVENT_RANGE_WALKED
         || kind == EVENT_RANGE_YIELDED || kind == EVENT_SNAPSHOT_GAVE;
}
extern const unsigned char event_kind_gates[EVENT_N_KINDS];
static inline EventGate
event_kind_gate (EventKind kind) {
  return kind < EVENT_N_KINDS ? (EventGate)event_kind_gates[kind] : GATE_NONE;
}
/* Whether the kind is a landmark on a timeline: promotions, copies, growths,
 * clears, ranges' ends, phases, misuse. */
int         event_kind_is_structural (EventKind kind);
/* "load", "store", "load-or-store" … as scenarios write them. */
const char *op_kind_name (unsigned kind);
/* Go's text for a misuse. */
const char *misuse_kind_text (unsigned kind);
