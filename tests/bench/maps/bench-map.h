/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-map.h — a map of ours as a Peer of rows.h, whichever way it is called */
#pragma once

#include "core/engine/engine.h"
#include "core/probe/probe.h"

typedef struct _Peer Peer;

typedef struct {
  Peer        *peer;
  unsigned     index;
  bool         is_prepared;
  MapEngine   *map;
  EngineThread engine;
} PeerThread;

/* Set before anything below is called. */
extern const EngineClass *bench_class;
extern char bench_name[64];

Peer *bench_peer_new   (unsigned    n_threads,
                        uint64_t    n_keys);
void  bench_peer_free  (Peer       *peer);
void  bench_peer_enter (Peer       *peer,
                        PeerThread *thread,
                        unsigned    index);
void  bench_peer_leave (PeerThread *thread);
/* Before the row and behind it. */
void  bench_peer_wait  (PeerThread *thread);
/* What was told, as members of the row's JSON. */
void  bench_peer_print (const Peer *peer);

#ifndef TOPHASH_NO_PROBE
/* Workers take what they tell back themselves: see bench-alone.c. */
extern bool bench_tells_alone;
/* Sets it. false: this program was linked so that they cannot. */
bool bench_is_alone (Probe *probe);
#endif

/* bench_main() of rows.h, the calls made by the map's class or, of a syncmap,
 * through a lane. */
int bench_by_class (int argc, char **argv);
int bench_by_lane  (int argc, char **argv);

#define PEER_NAME bench_name
#define PEER_BEFORE_WAIT(thread) bench_peer_wait (thread)
#define peer_new bench_peer_new
#define peer_free bench_peer_free
#define peer_enter bench_peer_enter
#define peer_leave bench_peer_leave
#define PEER_PRINT(peer) bench_peer_print (peer)
