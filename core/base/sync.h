/* SPDX-License-Identifier: GPL-3.0-or-later */

/* sync.h — every access to memory that threads share
 *
 * Engines touch shared memory through these types and functions only. Their
 * fields cannot be reached by accident, and each access carries a label that
 * says in a few words what it is about to do. The same engine source compiles
 * twice: free (this file's C11 operations, the label costs nothing) and, with
 * TOPHASH_STEP, stepped: each labelled access is a scheduling point before it
 * is an access (core/step).
 *
 * Terms       SyncWord   a 64-bit word changed by atomic operations
 *             SyncPtr    a published pointer
 *             SyncPlain  a word that a lock guards; read and written plainly
 *             SyncMutex  a mutual exclusion lock
 *             SyncSemaphore  permits to go on, given and waited for
 *             SyncRwLock many readers or one writer, as Go's sync.RWMutex
 *             point      a labelled place where plain, lock-guarded memory
 *                        (a bucket, a header) is about to be used
 *
 * Threads     Ordered operations only, never stand-alone fences: the thread
 *             sanitizer follows the former and reports phantom races through
 *             the latter. Loads, read-modify-writes and stores of pointers
 *             are sequentially consistent, as Go's atomics are; plain stores
 *             of words release.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an access is about to do, in words for a person: "load entry.p". */
#define SYNC_LABEL(text) (text)

typedef enum {
  SYNC_READ,   /* changes nothing */
  SYNC_WRITE,  /* may change the word, or what the point stands for */
  SYNC_ADD,    /* adds to the word, and does not look at it */
  SYNC_LOCK,
  SYNC_UNLOCK,
  SYNC_TAKE,   /* waits for a permit of a semaphore, and takes it */
  SYNC_GIVE,   /* permits for those who wait */
  SYNC_FREE,   /* the memory is given back */
  SYNC_SPIN,   /* waits for somebody else's write */
} SyncKind;

#ifdef TOPHASH_STEP
void step_point    (SyncKind    kind,
                    const void *where,
                    const char *label);
void step_only_read (void);
void step_disused  (const void *where,
                    size_t      size_bytes);
void step_reused   (const void *where,
                    size_t      size_bytes);
#define SYNC_POINT(kind, where, label) step_point (kind, where, label)
#define SYNC_IS_FREE false /* somebody wants to see every access */
#else
#define SYNC_IS_FREE true
#define SYNC_POINT(kind, where, label) ((void)(where), (void)(label))
#endif

typedef struct {
  _Atomic (uint64_t) hidden;
} SyncWord;

typedef struct {
  _Atomic (void *) hidden;
} SyncPtr;

typedef struct {
  uint64_t hidden;
} SyncPlain;

/* A count that one thread keeps and any may read: a statistic. */
typedef struct {
  _Atomic (uint64_t) hidden;
} SyncCount;

typedef struct {
#ifdef TOPHASH_STEP
  uint32_t owner; /* 0 = free, else worker + 1 */
#else
  _Atomic (uint32_t) hidden; /* a SyncMutexState */
#endif
} SyncMutex;

typedef struct {
#ifdef TOPHASH_STEP
  uint64_t            n_permits;
#else
  _Atomic (uint64_t)  n_permits;
  _Atomic (uint64_t)  n_sleepers; /* changed by hidden's holder */
  pthread_mutex_t     hidden;
  pthread_cond_t      changed;
#endif
} SyncSemaphore;

/* What those who need not wait touch is 24 bytes long. */
typedef struct {
  SyncWord      state;
  SyncWord      leaving;
  SyncMutex     writers;
  SyncSemaphore reader_turn;
  SyncSemaphore writer_turn;
} SyncRwLock;

/* In SyncRwLock.state: a writer holds the lock or waits for it. */
#define SYNC_RWLOCK_CLAIMED ((uint64_t)1 << 30)

/* Lets @n_pauses of the processor's shortest waits pass; 10 to 50 ns each. */
static inline void
sync_pause (unsigned n_pauses) {
  for (unsigned i = 0; i < n_pauses; i++) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause ();
#elif defined(__aarch64__)
    __asm__ volatile ("isb" ::: "memory");
#else
    __asm__ volatile ("" ::: "memory");
#endif
  }
}

/* Sequentially consistent: a thread that changed one word and then looks at
 * another, while a second thread does the reverse, must not miss the other's
 * change as the other misses its own; and two lookers agree on the order of two
 * changes. No dearer than acquire on x86-64. Pairs with sync_word_store() and
 * the read-modify-writes below. */
static inline uint64_t
sync_word_load (const SyncWord *word,
                const char     *label) {
  SYNC_POINT (SYNC_READ, word, label);
  return atomic_load_explicit ((_Atomic (uint64_t) *)&word->hidden,
                               memory_order_seq_cst);
}

/* Release. Pairs with sync_word_load(). */
static inline void
sync_word_store (SyncWord   *word,
                 uint64_t    value,
                 const char *label) {
  SYNC_POINT (SYNC_WRITE, word, label);
  atomic_store_explicit (&word->hidden, value, memory_order_release);
}

/* Sequentially consistent. On failure *expected is the value found. */
static inline bool
sync_word_cas (SyncWord   *word,
               uint64_t   *expected,
               uint64_t    wanted,
               const char *label) {
  bool is_done;

  SYNC_POINT (SYNC_WRITE, word, label);
  is_done = atomic_compare_exchange_strong_explicit (&word->hidden, expected,
                                                     wanted,
                                                     memory_order_seq_cst,
                                                     memory_order_seq_cst);
#ifdef TOPHASH_STEP
  if (!is_done)
    step_only_read ();
#endif
  return is_done;
}

/* Pauses between a CAS that failed and the next. Measured on two cores: 64 bring
 * out all there is to gain, 32 most of it; see sync_word_back_off(). */
#define SYNC_BACK_OFF_PAUSES 64u

/* A CAS failed and found @found, and is to be tried again. Another processor has
 * the line just now, and is likely to want it for its next operation too: leaves
 * it alone for a microsecond or so, in which the other does many, then looks anew.
 * Two threads that swap one key are twice as fast that way; two that write the
 * same keys in turn no longer run side by side, each waiting for the other's line.
 * The stepped build, where nobody moves meanwhile, goes on with what was found. */
static inline uint64_t
sync_word_back_off (const SyncWord *word,
                    uint64_t        found) {
#ifdef TOPHASH_STEP
  (void)word;
  return found;
#else
  (void)found;
  sync_pause (SYNC_BACK_OFF_PAUSES);
  return atomic_load_explicit ((_Atomic (uint64_t) *)&word->hidden,
                               memory_order_seq_cst);
#endif
}

static inline uint64_t
sync_word_add (SyncWord   *word,
               uint64_t    amount,
               const char *label) {
  SYNC_POINT (SYNC_WRITE, word, label);
  return atomic_fetch_add_explicit (&word->hidden, amount, memory_order_seq_cst);
}

/* sync_word_add() for who does not care what was there: the order of two such
 * additions makes no difference, which the stepped build knows. */
static inline void
sync_word_count (SyncWord   *word,
                 uint64_t    amount,
                 const char *label) {
  SYNC_POINT (SYNC_ADD, word, label);
  (void)atomic_fetch_add_explicit (&word->hidden, amount, memory_order_seq_cst);
}

static inline uint64_t
sync_word_or (SyncWord   *word,
              uint64_t    bits,
              const char *label) {
  SYNC_POINT (SYNC_WRITE, word, label);
  return atomic_fetch_or_explicit (&word->hidden, bits, memory_order_seq_cst);
}

/* Relaxed, both of them: for words with which Go races, where it has no lock and
 * no atomic. Defined here, but nothing may be concluded from what is found. */
static inline uint64_t
sync_word_peek (const SyncWord *word,
                const char     *label) {
  SYNC_POINT (SYNC_READ, word, label);
  return atomic_load_explicit ((_Atomic (uint64_t) *)&word->hidden,
                               memory_order_relaxed);
}

static inline void
sync_word_poke (SyncWord   *word,
                uint64_t    value,
                const char *label) {
  SYNC_POINT (SYNC_WRITE, word, label);
  atomic_store_explicit (&word->hidden, value, memory_order_relaxed);
}

/* Sequentially consistent, as sync_word_load(). Pairs with sync_ptr_store(). */
static inline void *
sync_ptr_load (const SyncPtr *ptr,
               const char    *label) {
  SYNC_POINT (SYNC_READ, ptr, label);
  return atomic_load_explicit ((_Atomic (void *) *)&ptr->hidden,
                               memory_order_seq_cst);
}

/* Sequentially consistent: a reader that registers with the reclaimer and then
 * loads this pointer must not find a pointer that was retired before. */
static inline void
sync_ptr_store (SyncPtr    *ptr,
                void       *value,
                const char *label) {
  SYNC_POINT (SYNC_WRITE, ptr, label);
  atomic_store_explicit (&ptr->hidden, value, memory_order_seq_cst);
}

/* The owner. Relaxed, here and below: nothing is concluded from a count. */
static inline void
sync_count_add (SyncCount *count,
                uint64_t   amount) {
  uint64_t present
      = atomic_load_explicit (&count->hidden, memory_order_relaxed);

  atomic_store_explicit (&count->hidden, present + amount, memory_order_relaxed);
}

/* Whoever comes last is right: a hint that many leave. */
static inline void
sync_count_set (SyncCount *count,
                uint64_t   value) {
  atomic_store_explicit (&count->hidden, value, memory_order_relaxed);
}

static inline uint64_t
sync_count_get (const SyncCount *count) {
  return atomic_load_explicit ((_Atomic (uint64_t) *)&count->hidden,
                               memory_order_relaxed);
}

/* Plain: the caller holds the lock that guards the word. */
static inline uint64_t
sync_plain_read (const SyncPlain *plain,
                 const char      *label) {
  SYNC_POINT (SYNC_READ, plain, label);
  return plain->hidden;
}

static inline void
sync_plain_write (SyncPlain  *plain,
                  uint64_t    value,
                  const char *label) {
  SYNC_POINT (SYNC_WRITE, plain, label);
  plain->hidden = value;
}

/* A point before plain reads (or writes) of the memory at @where. */
static inline void
sync_read_point (const void *where,
                 const char *label) {
  SYNC_POINT (SYNC_READ, where, label);
}

static inline void
sync_write_point (const void *where,
                  const char *label) {
  SYNC_POINT (SYNC_WRITE, where, label);
}

/* Tells the stepped build that this turn of a loop waits for another thread. */
static inline void
sync_spin_hint (void) {
  SYNC_POINT (SYNC_SPIN, NULL, SYNC_LABEL ("wait for another thread"));
  sync_pause (1);
}

/* An object at @where goes back to its pool: nobody may look at it until it is
 * taken out again. The stepped build makes each such look a failure. */
static inline void
sync_disuse (const void *where,
             size_t      size_bytes) {
#ifdef TOPHASH_STEP
  step_disused (where, size_bytes);
#else
  (void)where;
  (void)size_bytes;
#endif
}

static inline void
sync_reuse (const void *where,
            size_t      size_bytes) {
#ifdef TOPHASH_STEP
  step_reused (where, size_bytes);
#else
  (void)where;
  (void)size_bytes;
#endif
}

/* Engines try only to learn that they must wait: a failed try is followed by
 * sync_mutex_lock(). So the stepped build's try waits and succeeds, and spares
 * the search a second way to the same place.
 * sync_mutex_lock() is a try, then tries for 0.1 ms at the most, then sleep. Who
 * has something to do in between calls the three by themselves. */
bool sync_mutex_spin    (SyncMutex  *mutex,
                         const char *label);
void sync_mutex_await   (SyncMutex  *mutex,
                         const char *label);
#ifdef TOPHASH_STEP
void sync_mutex_init    (SyncMutex  *mutex);
void sync_mutex_clear   (SyncMutex  *mutex);
bool sync_mutex_trylock (SyncMutex  *mutex,
                         const char *label);
void sync_mutex_lock    (SyncMutex  *mutex,
                         const char *label);
void sync_mutex_unlock  (SyncMutex  *mutex,
                         const char *label);
#else

typedef enum {
  SYNC_MUTEX_FREE,
  SYNC_MUTEX_HELD,
  SYNC_MUTEX_AWAITED, /* held, and somebody may sleep; see sync.c */
} SyncMutexState;

void sync_mutex_wake (SyncMutex *mutex);

static inline void
sync_mutex_init (SyncMutex *mutex) {
  atomic_init (&mutex->hidden, SYNC_MUTEX_FREE);
}

/* Nobody holds it. */
static inline void
sync_mutex_clear (SyncMutex *mutex) {
  (void)mutex;
}

/* Acquires: pairs with sync_mutex_unlock(). */
static inline bool
sync_mutex_trylock (SyncMutex  *mutex,
                    const char *label) {
  uint32_t expected = SYNC_MUTEX_FREE;

  (void)label;
  return atomic_compare_exchange_strong_explicit (&mutex->hidden, &expected,
                                                  SYNC_MUTEX_HELD,
                                                  memory_order_acquire,
                                                  memory_order_relaxed);
}

static inline void
sync_mutex_lock (SyncMutex  *mutex,
                 const char *label) {
  if (__builtin_expect (!sync_mutex_trylock (mutex, label), 0)
      && !sync_mutex_spin (mutex, label))
    sync_mutex_await (mutex, label);
}

/* Releases: pairs with whoever takes the mutex next. */
static inline void
sync_mutex_unlock (SyncMutex  *mutex,
                   const char *label) {
  (void)label;
  if (__builtin_expect (atomic_exchange_explicit (&mutex->hidden,
                                                  SYNC_MUTEX_FREE,
                                                  memory_order_release)
                            == SYNC_MUTEX_AWAITED,
                        0))
    sync_mutex_wake (mutex);
}
#endif

void sync_semaphore_init  (SyncSemaphore *semaphore);
void sync_semaphore_clear (SyncSemaphore *semaphore);
/* Permits may be given before anybody waits for them. */
void sync_semaphore_give  (SyncSemaphore *semaphore,
                           uint64_t       n,
                           const char    *label);
/* Waits for one permit and takes it. */
void sync_semaphore_take  (SyncSemaphore *semaphore,
                           const char    *label);

/* A writer who waits keeps new readers out; those inside leave first. After a
 * writer, the readers that wait get in before the next writer. Read locks do
 * not nest: a writer may come between. See sync-rwlock.c. */
void sync_rwlock_init          (SyncRwLock *lock);
void sync_rwlock_clear         (SyncRwLock *lock);
/* The two halves of sync_rwlock_read_lock(). false: a writer is there, or waits,
 * and sync_rwlock_await_turn() must follow, once. */
bool sync_rwlock_arrive        (SyncRwLock *lock,
                                const char *label);
void sync_rwlock_await_turn    (SyncRwLock *lock);
void sync_rwlock_read_lock     (SyncRwLock *lock,
                                const char *label);
void sync_rwlock_read_unlock   (SyncRwLock *lock,
                                const char *label);
bool sync_rwlock_try_lock      (SyncRwLock *lock,
                                const char *label);
/* The two halves of sync_rwlock_lock(). After the first no reader gets in;
 * false: some are inside, and sync_rwlock_drain() must follow, once. */
bool sync_rwlock_claim         (SyncRwLock *lock,
                                const char *label);
void sync_rwlock_drain         (SyncRwLock *lock);
void sync_rwlock_lock          (SyncRwLock *lock,
                                const char *label);
void sync_rwlock_unlock        (SyncRwLock *lock,
                                const char *label);
/* The writer who holds the lock: read sections so far, modulo 2^32. */
uint32_t sync_rwlock_n_reads   (const SyncRwLock *lock);
