/* SPDX-License-Identifier: GPL-3.0-or-later */

/* parking.h — a place where one thread stops until another lets it go on
 *
 * For tests of what the others can do meanwhile. Nothing here takes time: each
 * side waits on a condition. POSIX's own, which the thread sanitizer knows.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

typedef struct {
  pthread_mutex_t mutex;
  pthread_cond_t  changed;
  bool            is_taken; /* somebody stands here, or did */
  bool            is_open;
} Parking;

#define PARKING_INIT                                                          \
  { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false }

/* The first to come stops until it is let go; later ones pass. */
static inline void
parking_stop (Parking *self) {
  pthread_mutex_lock (&self->mutex);
  if (!self->is_taken) {
    self->is_taken = true;
    pthread_cond_broadcast (&self->changed);
    while (!self->is_open)
      pthread_cond_wait (&self->changed, &self->mutex);
  }
  pthread_mutex_unlock (&self->mutex);
}

/* Waits until somebody stands here. */
static inline void
parking_await (Parking *self) {
  pthread_mutex_lock (&self->mutex);
  while (!self->is_taken)
    pthread_cond_wait (&self->changed, &self->mutex);
  pthread_mutex_unlock (&self->mutex);
}

static inline void
parking_open (Parking *self) {
  pthread_mutex_lock (&self->mutex);
  self->is_open = true;
  pthread_cond_broadcast (&self->changed);
  pthread_mutex_unlock (&self->mutex);
}
